"""Outputs and scores as plain data, one line each of a run's files."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from eval.types import Output, Score
from index.types import Hit, Passage, Signals
from rag.records import answer_from_record, answer_record
from rag.types import Tokens


def output_record(output: Output) -> dict[str, Any]:
    """Write an output: the answer as `dossier ask --json` gives it, its hits with their texts, and what it cost."""
    record: dict[str, Any] = {"case": output.case, "seconds": round(output.seconds, 4)}
    if output.error:
        record["error"] = output.error
    if output.answer is not None:
        record["answer"] = answer_record(output.answer)
        record["hits"] = [_hit_record(hit) for hit in output.answer.hits]
        record["sources"] = output.sources
        record["found"] = list(output.found)
    if output.tokens is not None:
        record["tokens"] = asdict(output.tokens)
    for name in ("memory_mb", "cost"):
        if getattr(output, name) is not None:
            record[name] = getattr(output, name)
    return record


def output_from_record(data: dict[str, Any]) -> Output:
    """Read an output back.

    Raises:
        KeyError, TypeError, ValueError: Something is missing or of the wrong kind.
    """
    answer = None
    if "answer" in data:
        hits = tuple(_hit(h, rank) for rank, h in enumerate(data["hits"], 1))
        answer = replace(answer_from_record(data["answer"]), hits=hits)
    return Output(
        case=str(data["case"]),
        answer=answer,
        seconds=float(data["seconds"]),
        error=str(data.get("error", "")),
        sources=dict(data.get("sources", {})),
        found=tuple(data.get("found", ())),
        memory_mb=data.get("memory_mb"),
        tokens=Tokens(**data["tokens"]) if data.get("tokens") else None,
        cost=data.get("cost"),
    )


def score_record(score: Score) -> dict[str, Any]:
    """Write a score; an empty reason is left out."""
    return {name: value for name, value in asdict(score).items() if name != "reason" or value}


def score_from_record(data: dict[str, Any]) -> Score:
    """Read a score back."""
    return Score(
        str(data["case"]), str(data["metric"]), data["value"], str(data.get("reason", "")), data["state"],
        str(data.get("scorer", "")),
    )  # fmt: skip


def _hit_record(hit: Hit) -> dict[str, Any]:
    p, s = hit.passage, hit.signals
    return {
        "document_id": p.document_id,
        "start": p.start,
        "end": p.end,
        "text": p.text,
        "page": p.page,
        "heading": p.heading,
        "score": hit.score,
        "signals": {name: value for name, value in asdict(s).items() if value is not None},
    }


def _hit(data: dict[str, Any], rank: int) -> Hit:
    passage = Passage(
        data["document_id"], data["start"], data["end"], data["text"], data.get("page"), data.get("heading", "")
    )
    return Hit(passage, data["score"], rank, Signals(**data.get("signals", {})))
