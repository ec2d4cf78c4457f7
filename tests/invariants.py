"""What holds of every answer, whoever wrote it."""

from __future__ import annotations

from rag import Answer, Assistant


def assert_cited(answer: Answer, assistant: Assistant) -> None:
    """Quotes are exact, markers and citations one to one, and an answer without statements is an abstention."""
    for citation in answer.citations:
        text = assistant.library.document(citation.document_id).text
        assert text[citation.start : citation.end] == citation.quote != ""
    markers = [c.marker for c in answer.citations]
    assert markers == list(range(1, len(markers) + 1))
    assert {m for s in answer.statements for m in s.citations} == set(markers)
    assert answer.abstained == (not answer.statements)
