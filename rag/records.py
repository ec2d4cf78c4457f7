"""Answers and conversations as plain data, for JSON output, storage and exchange with other programs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from index.types import Hit
from rag.shown_hits import hits_from_data, hits_to_data
from rag.types import (
    Answer,
    Citation,
    Claim,
    Conversation,
    Disagreement,
    Option,
    Statement,
    Tokens,
    Turn,
    as_of_text,
    disagreement_text,
    limited_text,
)


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


def statement_record(statement: Statement) -> dict[str, Any]:
    """Write a statement as the fields of `Statement`; `highlight` as `[start, end]` or null."""
    return {
        "text": statement.text,
        "support": statement.support,
        "verdict": statement.verdict,
        "citations": list(statement.citations),
        "highlight": list(statement.highlight) if statement.highlight is not None else None,
        "reason": statement.reason,
        "sources": statement.sources,
    }


def answer_record(answer: Answer) -> dict[str, Any]:
    """Write an answer as `dossier ask --json` prints it."""
    return {
        "question": answer.question,
        "standalone_question": answer.standalone_question,
        "text": answer.text,
        "abstained": answer.abstained,
        "confidence": round(answer.confidence, 4),
        "statements": [statement_record(s) for s in answer.statements],
        "citations": [citation_record(c) for c in answer.citations],
        "model": answer.model,
        "searched": answer.searched,
        "unknown_terms": list(answer.unknown_terms),
        "disagreements": [
            {"kind": d.kind, "claims": [{"value": c.value, "marker": c.marker} for c in d.claims]}
            for d in answer.disagreements
        ],
        "as_of": answer.as_of.isoformat() if answer.as_of else None,
        "undated": answer.undated,
        "unread": list(answer.unread),
        "unread_count": answer.unread_count,
        "notice": answer.notice,
        "kind": answer.kind,
        "reply": answer.reply,
        "clarify": [{"text": o.text, "document_id": o.document_id, "heading": o.heading} for o in answer.clarify],
        "limited_to": list(answer.limited_to),
        "where": answer.where,
        "tokens": asdict(answer.tokens) if answer.tokens is not None else None,
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


def citation_from_record(data: dict[str, Any]) -> Citation:
    """Read a citation back from `citation_record`."""
    values = {name: value for name, value in data.items() if name != "permalink"}
    values["published"] = date.fromisoformat(data["published"]) if data["published"] else None
    values["also"] = tuple(data.get("also", ()))
    return Citation(**values)


def statement_from_record(data: dict[str, Any]) -> Statement:
    """Read a statement back from `statement_record`."""
    highlight = data.get("highlight")
    return Statement(
        text=data["text"],
        citations=tuple(data["citations"]),
        support=data["support"],
        verdict=data["verdict"],
        highlight=(highlight[0], highlight[1]) if highlight else None,
        reason=data.get("reason", ""),
        sources=data.get("sources", 1),
    )


def _disagreement(data: dict[str, Any]) -> Disagreement:
    return Disagreement(data["kind"], tuple(Claim(c["value"], c["marker"]) for c in data["claims"]))


def answer_from_record(data: dict[str, Any]) -> Answer:
    """Read an answer back; its hits are not part of the record and come back empty.

    What a record of an older version does not hold keeps its default.
    """
    return Answer(
        question=data["question"],
        standalone_question=data["standalone_question"],
        statements=tuple(statement_from_record(s) for s in data["statements"]),
        citations=tuple(citation_from_record(c) for c in data["citations"]),
        hits=(),
        abstained=data["abstained"],
        confidence=data["confidence"],
        timings=tuple(data["timings"].items()),
        model=data["model"],
        searched=data["searched"],
        unknown_terms=tuple(data["unknown_terms"]),
        disagreements=tuple(_disagreement(d) for d in data.get("disagreements", ())),
        as_of=date.fromisoformat(data["as_of"]) if data.get("as_of") else None,
        unread=tuple(data.get("unread", ())),
        unread_count=data.get("unread_count", 0),
        undated=data.get("undated", 0),
        notice=data.get("notice", ""),
        kind=data.get("kind", "question"),
        reply=data.get("reply", ""),
        clarify=tuple(Option(o["text"], o["document_id"], o["heading"]) for o in data.get("clarify", ())),
        limited_to=tuple(data.get("limited_to", ())),
        where=data.get("where", ""),
        tokens=Tokens(**data["tokens"]) if data.get("tokens") else None,
    )


def conversation_to_json(conversation: Conversation) -> str:
    """Write a conversation with its answers as JSON text."""
    turns = [
        {
            "question": t.question,
            "text": t.text,
            "standalone_question": t.standalone_question,
            "answer": answer_record(t.answer) if t.answer is not None else None,
            "hits": hits_to_data(t.answer.hits) if t.answer is not None else [],
        }
        for t in conversation.turns
    ]
    data: dict[str, Any] = {"id": conversation.id, "title": conversation.title, "turns": turns}
    if conversation.shared_by:
        data["shared_by"] = conversation.shared_by
    return json.dumps(data, ensure_ascii=False)


def _with_hits(turn: dict[str, Any]) -> Answer:
    return replace(answer_from_record(turn["answer"]), hits=hits_from_data(turn.get("hits", ())))


def conversation_from_json(text: str) -> Conversation:
    """Read a conversation back from `conversation_to_json`."""
    data = json.loads(text)
    turns = tuple(
        Turn(
            t["question"],
            t["text"],
            t["standalone_question"],
            _with_hits(t) if t["answer"] is not None else None,
        )
        for t in data["turns"]
    )
    return Conversation(turns, data["id"], data["title"], data.get("shared_by", ""))


def literal(text: str) -> str:
    """Escape a text for Markdown, so that nothing in it becomes a link, an image or HTML."""
    text = re.sub(r"([\\\[\]<`])", r"\\\1", text)
    return re.sub(r"(?i):(?=//)|(?<=\bmailto):|(?<=\bwww)\.|@", r"\\\g<0>", text)


def marked(statement: Statement, before: str, after: str) -> str:
    """Write a statement for Markdown with something before and after its exact answer."""
    text = statement.text
    if statement.highlight is None:
        return literal(text)
    start, end = statement.highlight
    return f"{literal(text[:start])}{before}{literal(text[start:end])}{after}{literal(text[end:])}"


def _remarks(answer: Answer, names: Mapping[int, int]) -> list[str]:
    """What is to be said of an answer as a whole, a paragraph each: disagreement, doubt, date."""
    remarks = []
    for disagreement in answer.disagreements:
        claims = tuple(replace(c, value=literal(c.value)) for c in disagreement.claims)
        plain = [replace(c, title=literal(c.title)) for c in answer.citations]
        told = disagreement_text(replace(disagreement, claims=claims), plain)
        remarks.append(re.sub(r"\[(\d+)\](?=[;.])", lambda m: f"[^{names[int(m[1])]}]", told))
    for s in answer.statements:
        if s.verdict != "supported":
            doubt = "Weakly supported" if s.verdict == "weak" else "Not supported"
            why = f" ({literal(s.reason)})" if s.reason else ""
            remarks.append(f"*{doubt}: “{literal(s.text)}”{why}*")
    limits = (
        as_of_text(answer.as_of, answer.undated),
        literal(limited_text(answer.limited_to)),
        literal(answer.notice),
    )
    remarks += [f"*{limit}*" for limit in limits if limit]
    return [line for remark in remarks for line in (remark, "")]


def answer_to_text(answer: Answer) -> str:
    """Write an answer as plain text with its sources below it, a line each, as one pastes it elsewhere."""
    lines = [answer.text, ""]
    for c in answer.citations:
        facts = [c.title, c.published.isoformat() if c.published else "", c.page_name]
        lines.append(f"[{c.marker}] {', '.join(f for f in facts if f)}: “{' '.join(c.quote.split())}”")
    return "\n".join(lines).strip() + "\n"


def answer_to_markdown(answer: Answer) -> str:
    """Write an answer as Markdown with footnotes, without its question."""
    text = conversation_to_markdown(Conversation().add(answer))
    return text.split("\n## ", 1)[1].split("\n", 1)[1].strip() + "\n"


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
            quote = literal(" ".join(citation.quote.split()))
            notes.append(
                f"[^{number}]: {literal(citation.title)}{when}{where}: “{quote}” "
                f"({citation.document_id} {citation.start}–{citation.end})"
            )
        lead = [turn.answer.reply] if turn.answer.reply else []
        said = [
            f"{marked(s, '**', '**')}{''.join(f'[^{names[m]}]' for m in s.citations)}" for s in turn.answer.statements
        ]
        lines += [" ".join([*lead, *said]), ""]
        lines += _remarks(turn.answer, names)
    return "\n".join([*lines, *notes, ""])
