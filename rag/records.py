"""Answers and conversations as plain data, for JSON output, storage and exchange with other programs."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from index.types import Hit
from rag.types import Answer, Citation, Conversation, Statement, Turn


def citation_record(citation: Citation) -> dict[str, Any]:
    """Write a citation as the fields of `Citation`; `published` in ISO form."""
    return {
        "marker": citation.marker,
        "document_id": citation.document_id,
        "title": citation.title,
        "source": citation.source,
        "published": citation.published.isoformat() if citation.published else None,
        "page": citation.page,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "page_label": citation.page_label,
        "also": list(citation.also),
        "permalink": citation.permalink,
    }


def answer_record(answer: Answer) -> dict[str, Any]:
    """Write an answer as `dossier ask --json` prints it."""
    return {
        "question": answer.question,
        "standalone_question": answer.standalone_question,
        "text": answer.text,
        "abstained": answer.abstained,
        "confidence": round(answer.confidence, 4),
        "statements": [
            {"text": s.text, "support": s.support, "verdict": s.verdict, "citations": list(s.citations)}
            for s in answer.statements
        ],
        "citations": [citation_record(c) for c in answer.citations],
        "model": answer.model,
        "searched": answer.searched,
        "unknown_terms": list(answer.unknown_terms),
        "timings": {stage: round(seconds, 4) for stage, seconds in answer.timings},
    }


def hit_record(hit: Hit, source: str) -> dict[str, Any]:
    """Write a hit as `dossier search --json` prints it; the source is that of its document."""
    signals = hit.signals
    return {
        "document_id": hit.passage.document_id,
        "source": source,
        "start": hit.passage.start,
        "end": hit.passage.end,
        "page": hit.passage.page,
        "heading": hit.passage.heading,
        "score": hit.score,
        "rank": hit.rank,
        "signals": {
            "dense": signals.dense,
            "dense_rank": signals.dense_rank,
            "lexical": signals.lexical,
            "lexical_rank": signals.lexical_rank,
        },
        "text": hit.passage.text,
        "also": list(hit.also),
    }


def _citation(data: dict[str, Any]) -> Citation:
    values = {name: value for name, value in data.items() if name != "permalink"}
    values["published"] = date.fromisoformat(data["published"]) if data["published"] else None
    values["also"] = tuple(data.get("also", ()))
    return Citation(**values)


def answer_from_record(data: dict[str, Any]) -> Answer:
    """Read an answer back; its hits are not part of the record and come back empty."""
    return Answer(
        question=data["question"],
        standalone_question=data["standalone_question"],
        statements=tuple(
            Statement(s["text"], tuple(s["citations"]), s["support"], s["verdict"]) for s in data["statements"]
        ),
        citations=tuple(_citation(c) for c in data["citations"]),
        hits=(),
        abstained=data["abstained"],
        confidence=data["confidence"],
        timings=tuple(data["timings"].items()),
        model=data["model"],
        searched=data["searched"],
        unknown_terms=tuple(data["unknown_terms"]),
    )


def conversation_to_json(conversation: Conversation) -> str:
    """Write a conversation with its answers as JSON text."""
    turns = [
        {
            "question": t.question,
            "text": t.text,
            "standalone_question": t.standalone_question,
            "answer": answer_record(t.answer) if t.answer is not None else None,
        }
        for t in conversation.turns
    ]
    return json.dumps({"id": conversation.id, "title": conversation.title, "turns": turns}, ensure_ascii=False)


def conversation_from_json(text: str) -> Conversation:
    """Read a conversation back from `conversation_to_json`."""
    data = json.loads(text)
    turns = tuple(
        Turn(
            t["question"],
            t["text"],
            t["standalone_question"],
            answer_from_record(t["answer"]) if t["answer"] is not None else None,
        )
        for t in data["turns"]
    )
    return Conversation(turns, data["id"], data["title"])


def conversation_to_markdown(conversation: Conversation) -> str:
    """Write a conversation as Markdown: each answer's sentences with footnotes that quote their sources."""
    lines = [f"# {conversation.title or 'Conversation'}", ""]
    number = 0
    notes: list[str] = []
    for turn in conversation.turns:
        lines += [f"## {turn.question}", ""]
        if turn.answer is None or turn.answer.abstained:
            lines += [turn.text, ""]
            continue
        names: dict[int, int] = {}
        for citation in turn.answer.citations:
            number += 1
            names[citation.marker] = number
            where = f", {citation.page_name}" if citation.page else ""
            when = f", {citation.published.isoformat()}" if citation.published else ""
            quote = " ".join(citation.quote.split())
            notes.append(
                f"[^{number}]: {citation.title}{when}{where}: “{quote}” "
                f"({citation.document_id} {citation.start}–{citation.end})"
            )
        said = [f"{s.text}{''.join(f'[^{names[m]}]' for m in s.citations)}" for s in turn.answer.statements]
        lines += [" ".join(said), ""]
    return "\n".join([*lines, *notes, ""])
