"""Whole conversations led with an assistant as a person would, every turn with what is right.

A file of them is JSON Lines: `{"id", "turns": [{"kind", "question", "evidence": [{"source", "quote"}]}]}`. A turn is
right if one of the first five hits holds at least half of a piece of its evidence; one without evidence if the
assistant saw that nothing is to be searched (`UNSEARCHED`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.cases import find_quote
from index.errors import ConfigError
from index.types import Place
from rag.assistant import Assistant
from rag.types import Answer, Conversation

CONVERSATIONS = Path(__file__).parent / "golden" / "conversations.jsonl"
UNSEARCHED = {"meta": "meta", "greeting": "small talk", "thanks": "small talk", "clarify": "clarification"}
"""Kinds of turns that need no search, and the `Answer.kind` that they must get."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One turn of a conversation: its kind, whether it came out right, and what came of it."""

    conversation: str
    kind: str
    question: str
    right: bool
    answer: Answer


def lead(assistant: Assistant, path: Path = CONVERSATIONS) -> list[Outcome]:
    """Lead every conversation of a file.

    Args:
        assistant: Whom to ask; its library holds the documents of the evidence.
        path: The file.

    Returns:
        The turns, in order.

    Raises:
        ConfigError: A piece of evidence does not stand in its document exactly once.
    """
    infos = {Path(info.source).name: info.id for info in assistant.library.documents()}
    texts = {name: assistant.library.document(number).text for name, number in infos.items()}
    outcomes = []
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        conversation = Conversation()
        for turn in record["turns"]:
            spans = [_span(record["id"], e, infos, texts) for e in turn["evidence"]]
            answer = assistant.ask(turn["question"], conversation)
            conversation = conversation.add(answer)
            right = found(answer, spans) if spans else answer.kind == UNSEARCHED.get(turn["kind"])
            outcomes.append(Outcome(record["id"], turn["kind"], turn["question"], right, answer))
    return outcomes


def _span(name: str, evidence: dict[str, Any], ids: Mapping[str, str], texts: Mapping[str, str]) -> Place:
    source, quote = evidence["source"], evidence["quote"]
    span = find_quote(texts.get(source, ""), quote)
    if span is None:
        raise ConfigError(f"{name}: {source} does not say once: {quote}", remedy="Quote words that stand there once.")
    return ids[source], *span


def found(answer: Answer, spans: Sequence[tuple[str, int, int]], top: int = 5) -> bool:
    """Tell whether the first hits hold at least half of one of the spans."""
    return any(
        hit.passage.document_id == name
        and 2 * (min(end, hit.passage.end) - max(start, hit.passage.start)) >= end - start
        for hit in answer.hits[:top]
        for name, start, end in spans
    )


def tally(outcomes: Sequence[Outcome]) -> dict[str, tuple[int, int]]:
    """Count `(right, all)` by kind of turn."""
    counts: dict[str, tuple[int, int]] = {}
    for o in outcomes:
        right, every = counts.get(o.kind, (0, 0))
        counts[o.kind] = right + o.right, every + 1
    return counts
