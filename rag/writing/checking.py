"""Check a sentence that a model wrote against the passages, and cite the exact characters that support it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from index.sentences import sentence_spans
from rag.grounding.absence import find_absence
from rag.grounding.facts import content
from rag.grounding.guards import mismatches
from rag.grounding.verify import Support, Verifier
from rag.reader.read import Chosen
from rag.telling import cite
from rag.types import Citation, Sentence, Statement, Verdict
from rag.writing.budget import Shown
from rag.writing.clean import without_addresses
from rag.writing.sentences import Unit

if TYPE_CHECKING:
    from index.library import Library

Grounding = Literal["flag", "strict", "off"]
_LONGEST_RUN = 3  # sentences of one citation
_TRIED, _FIRST = (
    4,
    2,
)  # stretches that a sentence is compared with of some passages; with so many first, which mostly do
_SHORT = 5  # words under which a list item is read with the sentence that leads to it
_TOUCHING = 0.25  # share of a sentence's words a stretch must hold to be cited for what it does not support
_ORDER: dict[Verdict, int] = {"supported": 2, "weak": 1, "unsupported": 0}
_SPACELESS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]+")


@dataclass(frozen=True, slots=True)
class Run:
    """A few sentences of a passage in a row: `document.text[start:end]`."""

    shown: Shown
    start: int
    end: int
    text: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Withheld:
    """A sentence that is not shown, and why."""

    unit: Unit
    reason: str


def words_of(text: str) -> frozenset[str]:
    """Content words; of scripts without blanks, pairs of characters."""
    pairs = {run[i : i + 2] for run in _SPACELESS.findall(text) for i in range(max(len(run) - 1, 1))}
    return frozenset({w for w in content(text) if not _SPACELESS.search(w)} | pairs)


class Checker:
    """Checks the sentences of one answer, in order; citations are numbered as they are first used.

    Args:
        shown: The passages the model was shown.
        verifier: Checks statements.
        library: Where the passages come from.
        grounding: `strict` withholds what is not supported, `flag` shows it with its verdict, `off` checks nothing.
    """

    def __init__(self, shown: Sequence[Shown], verifier: Verifier, library: Library, grounding: Grounding) -> None:
        self._shown = {s.number: s for s in shown}
        self._verifier, self._library, self._grounding = verifier, library, grounding
        self._context = "\n".join(
            f"{s.document.title} {s.document.published.isoformat() if s.document.published else ''}" for s in shown
        )
        self._markers: dict[tuple[str, int, int], int] = {}
        self._said: set[str] = set()

    @cached_property
    def _runs(self) -> list[Run]:
        return [run for shown in self._shown.values() for run in _runs(shown)]

    def prepare(self) -> None:
        """Cut the passages now, so that the first sentence does not wait for it."""
        _ = self._runs

    def check(self, unit: Unit) -> Sentence | Withheld | None:
        """Check one sentence.

        Returns:
            The sentence with its verdict and new citations, none where it says what the passages do not hold; why it
            is withheld; `None` if there is nothing to show: it was said before, or only leads to a list and is no claim
            that holds.
        """
        text = without_addresses(unit.text)
        if not any(c.isalnum() for c in text) or text.casefold() in self._said:
            return None
        cited = [n for n in unit.cited if n in self._shown]
        if self._grounding == "off":
            runs = [r for n in cited for r in self._nearest(text, [n], 1)]
            return self._state(unit.text, runs, Support(0.0, "weak", "not checked"))
        absence = find_absence(text)
        if absence is not None and not absence.rest:
            support = self._verifier.check(text, [s.text for s in self._shown.values()], self._context)
            if support.verdict == "weak":  # nothing can be cited for it; else the passages say so themselves
                return self._state(unit.text, [], support)
        claim = text
        if unit.lead and len(text.split()) < _SHORT:
            claim = f"{unit.lead}: {text}"
        made_up = self._made_up(claim)
        if made_up:
            return Withheld(unit, made_up)
        runs, support = self._best(claim, cited)
        if support.verdict != "supported" and unit.lead and claim == text:
            again = self._best(f"{unit.lead}: {text}", cited)
            runs, support = max((runs, support), again, key=_merit)
        if support.verdict == "unsupported":
            if unit.leads:
                return None
            if self._grounding == "strict":
                return Withheld(unit, support.reason)
            runs = [r for r in runs if r.shown.number in cited and _held(words_of(text), r) >= _TOUCHING]
        elif self._grounding == "strict" and _wrong_fact(claim, runs, self._context):
            return Withheld(unit, support.reason)
        return self._state(unit.text, runs, support)

    def _made_up(self, text: str) -> str:
        """Say which number of a sentence stands in no passage at all; empty if none does."""
        found = mismatches(text, [s.text for s in self._shown.values()], self._context)
        for m in found:
            if m.kind in ("number", "date") and m.said[:1].isdigit() and not _stands(m.said, self._shown.values()):
                return f"{m.said} is in no passage"
        return ""

    def _best(self, text: str, cited: Sequence[int]) -> tuple[list[Run], Support]:
        """Find the stretches that support a sentence: in what it cites, else anywhere, else in two together."""
        numbers = list(self._shown)
        others = [n for n in numbers if n not in cited]
        tried: list[tuple[list[Run], Support]] = []
        for pool in (cited, others):
            runs = self._nearest(text, pool, _TRIED)
            for some in (runs[:_FIRST], runs[_FIRST:]):
                tried += self._judge(text, [[run] for run in some])
                if _holds(tried):
                    return max(tried, key=_merit)
            if pool is cited and len(joint := self._joint(text, cited)) > 1:
                tried += self._judge(text, [joint[:3]])
                if _holds(tried):
                    return max(tried, key=_merit)
        joint = self._joint(text, numbers)
        if len(joint) > 1:
            tried += self._judge(text, [joint[:2]])
        if not tried:
            return [], Support(0.0, "unsupported", "nothing is cited")
        return max(tried, key=_merit)

    def _joint(self, text: str, numbers: Sequence[int]) -> list[Run]:
        """The nearest stretch of each of some passages, the one that holds most of a sentence's words first."""
        own = words_of(text)
        return sorted((r for n in numbers for r in self._nearest(text, [n], 1)), key=lambda r: -_held(own, r))

    def _judge(self, text: str, evidence: Sequence[list[Run]]) -> list[tuple[list[Run], Support]]:
        if not evidence:
            return []
        checked = self._verifier.check_all(
            [(text, [r.text for r in runs]) for runs in evidence], [self._context for _ in evidence]
        )
        return [(runs, _touching(text, runs, s)) for runs, s in zip(evidence, checked, strict=True)]

    def _nearest(self, text: str, numbers: Sequence[int], count: int) -> list[Run]:
        """The stretches of some passages that hold most of a sentence's words, the shorter of equals first.

        A longer stretch that holds no more than one inside it is left out.
        """
        own, wanted = words_of(text), set(numbers)
        among = [r for r in self._runs if r.shown.number in wanted]
        ranked = sorted(among, key=lambda r: (-round(_held(own, r), 3), r.end - r.start, r.shown.number))
        chosen: list[Run] = []
        for run in ranked:
            inside = any(c.shown is run.shown and run.start <= c.start and c.end <= run.end for c in chosen)
            if not inside:
                chosen.append(run)
            if len(chosen) == count:
                break
        return chosen

    def _state(self, text: str, runs: Sequence[Run], support: Support) -> Sentence:
        """Make the event: addresses go unless they stand in the quotes, citations get their markers."""
        quotes = "\n".join(r.text for r in runs) if support.verdict == "supported" else ""
        text = without_addresses(text, quotes)
        markers, new = list[int](), list[Citation]()
        for run in runs:
            key = (run.shown.document.id, run.start, run.end)
            if key not in self._markers:
                self._markers[key] = len(self._markers) + 1
                piece = Chosen(run.shown.hit, run.start, run.end, run.shown.hit.score)
                new.append(cite(self._markers[key], piece, run.shown.document, self._library))
            if self._markers[key] not in markers:
                markers.append(self._markers[key])
        self._said.add(without_addresses(text).casefold())
        documents = {r.shown.document.id for r in runs}
        return Sentence(
            Statement(
                text, tuple(markers), support.score, support.verdict, None, support.reason, max(len(documents), 1)
            ),
            tuple(new),
        )


def _runs(shown: Shown) -> Iterator[Run]:
    spans = sentence_spans(shown.text)
    words = [words_of(shown.text[a:b]) for a, b in spans]
    for i in range(len(spans)):
        for j in range(i, min(i + _LONGEST_RUN, len(spans))):
            a, b = spans[i][0], spans[j][1]
            held = frozenset[str]().union(*words[i : j + 1])
            yield Run(shown, shown.start + a, shown.start + b, shown.text[a:b], held)


def _held(own: frozenset[str], run: Run) -> float:
    return len(own & run.words) / len(own) if own else 0.0


def _touching(text: str, runs: Sequence[Run], support: Support) -> Support:
    """Call no sentence weakly supported that shares next to no word with what it would cite."""
    own = words_of(text)
    if support.verdict != "weak" or any(_held(own, r) >= _TOUCHING for r in runs):
        return support
    return replace(support, verdict="unsupported")


def _holds(tried: Iterable[tuple[list[Run], Support]]) -> bool:
    return any(support.verdict == "supported" for _, support in tried)


def _merit(tried: tuple[list[Run], Support]) -> tuple[int, float, float]:
    """Order of what was tried: the verdict, then the fewest characters if it holds, else the score."""
    runs, support = tried
    size = sum(r.end - r.start for r in runs)
    return (_ORDER[support.verdict], -size if support.verdict == "supported" else 0.0, support.score)


def _wrong_fact(text: str, runs: Sequence[Run], context: str) -> bool:
    found = mismatches(text, [r.text for r in runs], context)
    return any(m.sure and m.kind in ("number", "date", "unit", "negation", "opposite") for m in found)


def _stands(said: str, shown: Iterable[Shown]) -> bool:
    return any(re.search(rf"(?<![\d.,]){re.escape(said)}(?![\d])", s.text) for s in shown)
