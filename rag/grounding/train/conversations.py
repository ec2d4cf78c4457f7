"""Training examples of conversations: questions that lean on what was said, and the answers that people found.

CANARD gives each question of a conversation about a section of Wikipedia, the answers before it, copied from that
section, and the question as a person rewrote it to stand alone. The section itself is not in it, but the answers of a
whole conversation, put together, are a text about one matter that answers each of its questions in one place, and those
that were answered "I don't know" in none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.followup.kinds import leans
from rag.followup.wording import with_subject
from rag.grounding.train.examples import NO_SPAN, Example, Maker, Unit, held_out, read_lines
from rag.words import STOP_WORDS, WORD

_UNKNOWN = "I don't know."
_TITLES = 2  # the history begins with the article's title and the section's
_MOST = 90  # tokens of an answer
_SHORT = 8  # tokens up to which an answer is taken for an exact one


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with what came before it, as it was asked and as it stands alone; `answer` is empty without one."""

    id: str
    question: str
    rewrite: str
    history: tuple[str, ...]
    answer: str

    @property
    def core(self) -> str:
        """The answer without blanks and full stops at its ends, as it may stand within a longer one."""
        return self.answer.strip(" .")


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation about one matter and the `pieces` of text that answer it, none within another."""

    title: str
    turns: tuple[Turn, ...]
    pieces: tuple[str, ...]


def read_talks(data: Path) -> list[Talk]:
    """Read the conversations whose answers are known, but for one in twenty.

    Args:
        data: The folder with `followup/`.
    """
    records: dict[str, list[dict[str, Any]]] = {}
    for record in read_lines(data / "followup" / "train.jsonl.gz"):
        if record["src"].startswith("canard") and not held_out(record["conv"]):
            records.setdefault(record["conv"], []).append(record)
    return [_talk(name, of_one) for name, of_one in records.items()]


def _talk(name: str, records: Sequence[dict[str, Any]]) -> Talk:
    longest: list[str] = max((r["history"] for r in records), key=len)
    turns = []
    for record in records:
        history: list[str] = record["history"]
        answer = longest[len(history) + 1] if len(history) + 1 < len(longest) else ""
        if answer:
            said = "" if answer == _UNKNOWN else answer
            turn = f"{name}:{record['turn']}"
            turns.append(Turn(turn, record["question"], record["rewrite"], tuple(history[_TITLES:]), said))
    pieces: list[str] = []
    for answer in sorted({t.answer for t in turns if t.answer}, key=len, reverse=True):
        if not any(answer.strip(" .") in piece for piece in pieces):
            pieces.append(answer)
    return Talk(longest[0], tuple(turns), tuple(pieces))


def in_conversation(maker: Maker, talks: Sequence[Talk], negatives: Mapping[str, Sequence[str]]) -> Iterator[Unit]:
    """Make units of questions in conversations: with the text that answers, and with a text that a search finds.

    Of each two more: the text without the answer, and an answer by itself beside the other answers by themselves.

    Args:
        maker: Holds texts, and the source of random choices.
        talks: The conversations.
        negatives: For each turn's id, names of texts that do not answer it, the nearest first.
    """
    for talk in talks:
        for turn in talk.turns:
            asked = as_asked(turn, talk, maker)
            right = next((p for p in talk.pieces if turn.answer and turn.core in p), None)
            pieces = [p for p in talk.pieces if not turn.answer or turn.core not in p]
            if len(pieces) > 1 and (not turn.answer or maker.rng.random() < 0.4):
                yield (_missing(maker, asked, _shuffled(maker, pieces), talk),)
            if right is None:
                continue
            first = _found(maker, asked, _shuffled(maker, talk.pieces), right, turn, talk)
            wrong = negatives.get(turn.id, ())
            if first is None:
                continue
            yield (first, maker.wrong(asked, maker.contexts[maker.rng.choice(list(wrong[:8]))])) if wrong else (first,)
            alone = _found(maker, asked, [right], right, turn, talk)
            if alone is not None and pieces:
                others = _shuffled(maker, pieces)[:2]
                yield (alone, *(_missing(maker, asked, [p], talk) for p in others))


def as_asked(turn: Turn, talk: Talk, maker: Maker) -> str:
    """What the model is asked in a conversation: with its subject in front, as a person rewrote it, or as it was."""
    kind = maker.rng.random()
    if turn.rewrite == turn.question or kind < 0.35:
        return turn.rewrite
    if kind < 0.45 and turn.history:
        return f"{turn.history[-2] if len(turn.history) > 1 else turn.history[-1]} {turn.question}"
    own = {m.group().lower() for m in WORD.finditer(turn.question)}
    words = {m.group() for m in WORD.finditer(turn.rewrite) if m.group().lower() not in own | STOP_WORDS}
    sources = [*reversed(turn.history), talk.title]
    if not words and leans(turn.question):
        words = set(talk.title.split())
    if maker.rng.random() < 0.3:  # as the project does it, not every word is the right one
        said = [m.group() for m in WORD.finditer(" ".join(sources)) if m.group().lower() not in own | STOP_WORDS]
        words |= set(maker.rng.sample(said, min(2, len(said))))
    return with_subject(turn.question, sorted(words), sources)


def _shuffled(maker: Maker, pieces: Sequence[str]) -> list[str]:
    return maker.rng.sample(list(pieces), len(pieces))


def _text(pieces: Sequence[str]) -> tuple[str, list[int]]:
    """Put pieces together as sentences of one text; also where each begins."""
    text, starts = "", []
    for piece in pieces:
        starts.append(len(text))
        piece = piece.strip()
        text += piece + (" " if piece.endswith((".", "!", "?")) else ". ")
    return text.strip(), starts


def _missing(maker: Maker, asked: str, pieces: Sequence[str], talk: Talk) -> Example:
    head = maker.titled(talk.title)
    ids, boundary = maker.pair(asked, [*head, *maker.ids(_text(pieces)[0])])
    return Example(ids, boundary, None, 0, (0, 0))


def _found(maker: Maker, asked: str, pieces: Sequence[str], right: str, turn: Turn, talk: Talk) -> Example | None:
    """The text with the answer; where the answer is long, the exact one lies somewhere in it."""
    text, starts = _text(pieces)
    start = text.index(turn.core, starts[list(pieces).index(right)])
    found = maker.encode(text)
    within = [i for i, (a, b) in enumerate(found.offsets) if a < start + len(turn.core) and b > start]
    if not within or len(within) > _MOST:
        return None
    head = maker.titled(talk.title)
    ids, boundary = maker.pair(asked, [*head, *found.ids])
    shift = boundary + len(head)
    span = (within[0] + shift, within[-1] + shift)
    if span[1] >= len(ids) - 1:
        return Example(ids, boundary, 1, None, NO_SPAN)
    return Example(ids, boundary, 1, 1, span, within=len(within) > _SHORT)
