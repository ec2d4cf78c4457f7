"""An answer written by a language model: asked, read as it comes, checked sentence by sentence, repaired once."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from index.errors import ConfigError
from rag.grounding.absence import find_absence
from rag.llm import Model
from rag.types import Citation, Conversation, Sentence, Statement, Waiting
from rag.writing.budget import choose_passages
from rag.writing.checking import Checker, Grounding, Withheld
from rag.writing.failure import ModelFailure
from rag.writing.prompt import (
    REFUSAL,
    answer_messages,
    frame_tokens,
    history_messages,
    new_nonce,
    repair_messages,
)
from rag.writing.rewrite import write_question
from rag.writing.sentences import Sentences, Unit
from rag.writing.stream import Limits, read_text
from rag.writing.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from index.library import Library
    from index.types import DocumentInfo, Hit
    from rag.grounding.verify import Verifier
    from rag.llm import Message
    from rag.settings import AnswerSettings

_WAIT = 0.4  # seconds of silence after which the caller gets a `Waiting`, and so a chance to stop
_UNMARKED = 6  # sentences held back at most until the first citation shows that the answer has begun
_REFUSED = re.compile(rf"\W*{REFUSAL}\b", re.IGNORECASE)
_NOTHING = re.compile(
    r"\b(?:passages?|documents?|sources?|context|text)\b.{0,40}\b(?:do|does|did)(?:es)?(?: not|n['’]t)\b|"
    r"\bnot in the (?:documents|passages)\b|\bi (?:cannot|can['’]t|could not|couldn['’]t) (?:find|answer)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Written:
    """What came of it: `notice` says in words what went wrong, `failed` that the offline reader has to answer."""

    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    failed: bool
    notice: str


def check_grounding(value: str) -> None:
    """Refuse a `grounding` that is none of its three values.

    Raises:
        ConfigError: It is not.
    """
    if value not in ("flag", "strict", "off"):
        raise ConfigError(
            f"grounding is {value!r}, which is none of flag, strict, off.",
            remedy="Set grounding under [answer] to one of them.",
        )


class Writer:
    """Lets a model write answers.

    Args:
        model: The model.
        settings: How statements are checked, and the limits of time.
    """

    def __init__(self, model: Model, settings: AnswerSettings) -> None:
        self.model, self._settings = model, settings
        self.limits = Limits(
            settings.llm_first_seconds, settings.llm_between_seconds, settings.llm_seconds, settings.llm_retries
        )

    def question(self, question: str, conversation: Conversation | None, tally: Tally) -> Iterator[Waiting | str]:
        """Have the standalone question written; nothing is asked of the model without earlier turns.

        Args:
            question: What is asked, as typed.
            conversation: The turns before it.
            tally: Counts the tokens.

        Yields:
            `Waiting` while it writes, then the question; the empty text if the offline wording is to be used.

        Raises:
            ModelFailure: The model failed.
        """
        if conversation is None or not conversation.turns:
            return
        begun = told = time.monotonic()
        for got in write_question(self.model, question, conversation, self.limits, tally):
            if got is not None:
                yield got
            elif time.monotonic() - told > _WAIT:
                told = time.monotonic()
                yield Waiting(told - begun)

    def write(
        self,
        question: str,
        conversation: Conversation | None,
        hits: Sequence[Hit],
        documents: Mapping[str, DocumentInfo],
        library: Library,
        verifier: Verifier,
        meanwhile: Callable[[], object],
        tally: Tally,
    ) -> Iterator[Sentence | Waiting | Written]:
        """Have the answer written.

        Args:
            question: What is asked, as typed.
            conversation: The turns before it.
            hits: Passages, the best first.
            documents: Their documents by id.
            library: Where they come from.
            verifier: Checks statements.
            meanwhile: Called once while the model is silent, if it ever is: work that nobody waits for then.
            tally: Counts the tokens.

        Yields:
            Checked sentences as they are complete, `Waiting` where nothing comes, and at the end `Written`.
        """
        nonce = new_nonce()
        history = history_messages(conversation, nonce)
        model = self.model
        used = model.count(frame_tokens(question)) + sum(model.count(m.text) for m in history)
        shown = choose_passages(hits, documents, model.window - model.output - used, model.count)
        if not shown:
            yield self.failed(ModelFailure(f"its window of {model.window:,} tokens has no room for a passage"))
            return
        messages = answer_messages(question, shown, history, nonce)
        checker = Checker(shown, verifier, library, cast(Grounding, self._settings.grounding))
        yield from _Session(self, messages, nonce, checker, meanwhile, tally).run()

    def failed(
        self, failure: ModelFailure, statements: Sequence[Statement] = (), citations: Sequence[Citation] = ()
    ) -> Written:
        """Say that the model failed, after it had written so much."""
        how = "added what it did not say" if statements else "answered"
        notice = f"The language model {self.model.label} failed ({failure}); the offline reader {how}."
        return Written(tuple(statements), tuple(citations), True, notice)

    @property
    def strict(self) -> bool:
        """Whether what is not supported is withheld."""
        return self._settings.grounding == "strict"

    @property
    def unchecked(self) -> bool:
        """Whether nothing is checked."""
        return self._settings.grounding == "off"


class _Session:
    """One answer on its way."""

    def __init__(
        self,
        writer: Writer,
        messages: Sequence[Message],
        nonce: str,
        checker: Checker,
        meanwhile: Callable[[], object],
        tally: Tally,
    ) -> None:
        self._writer, self._messages, self._nonce, self._checker = writer, messages, nonce, checker
        self._meanwhile: Callable[[], object] | None = meanwhile
        self._tally = tally
        self._statements: list[Statement] = []
        self._citations: list[Citation] = []
        self._withheld: list[Withheld] = []
        self._left_out = 0
        self._words = False  # whether the model wrote anything
        self._begun = time.monotonic()

    def run(self) -> Iterator[Sentence | Waiting | Written]:
        try:
            yield from self._read(self._messages)
            if not self._words:
                raise ModelFailure("it wrote nothing")
        except ModelFailure as failure:
            yield self._writer.failed(failure, self._statements, self._citations)
            return
        self._left_out = len(self._withheld)
        if self._writer.strict and self._withheld:
            yield from self._repair()
        if not self._citations and all(_says_nothing(s.text) for s in self._statements):
            self._statements = []  # it says in its own words that nothing is there
        yield Written(tuple(self._statements), tuple(self._citations), False, self._notice())

    def _repair(self) -> Iterator[Sentence | Waiting]:
        """Ask once for other words for what did not hold; what does not hold then is given up."""
        wrong = [(w.unit.text, w.reason) for w in self._withheld]
        before = len(self._statements)
        with contextlib.suppress(ModelFailure):
            yield from self._read(repair_messages(self._messages, wrong, self._nonce))
        self._left_out = max(0, len(wrong) - (len(self._statements) - before))

    def _read(self, messages: Sequence[Message]) -> Iterator[Sentence | Waiting]:
        """Read one reply; the first sentences wait until one is cited, for they may turn out to be thoughts."""
        sentences, held, marked = Sentences(), list[Unit](), False
        told = time.monotonic()
        failure: ModelFailure | None = None
        pieces = read_text(self._writer.model, messages, self._writer.limits, self._tally)
        try:
            while True:
                try:
                    piece = next(pieces, None)
                except ModelFailure as error:
                    piece, failure = None, error
                done = piece is None
                self._words = self._words or bool(piece and piece.strip())
                for unit in _units(sentences, piece, failure is not None):
                    if unit is None:
                        held.clear()
                        self._words = False
                        continue
                    held.append(unit)
                    marked = marked or bool(unit.cited)
                if done and not marked and not self._statements and all(_says_nothing(u.text) for u in held):
                    held.clear()
                if marked or done or len(held) > _UNMARKED:
                    for unit in held:
                        for event in self._check(unit):
                            told = time.monotonic()
                            yield event
                    held.clear()
                if done:
                    break
                if piece == "" and not held and self._meanwhile is not None:
                    self._checker.prepare()
                    self._meanwhile()
                    self._meanwhile = None
                if time.monotonic() - told > _WAIT:
                    told = time.monotonic()
                    yield Waiting(told - self._begun)
        finally:
            pieces.close()  # type: ignore[attr-defined]  # it is a generator; closing it cuts the connection
        if failure is not None:
            raise failure

    def _check(self, unit: Unit) -> Iterator[Sentence]:
        if _REFUSED.match(unit.text):
            return
        found = self._checker.check(unit)
        if isinstance(found, Withheld):
            self._withheld.append(found)
        elif found is not None:
            self._statements.append(found.statement)
            self._citations.extend(found.citations)
            yield found

    def _notice(self) -> str:
        if self._writer.unchecked:
            return "Statements were not checked (grounding is off)." if self._statements else ""
        count = self._left_out
        if not count or not self._statements:
            return ""
        what = "sentence that no passage supports was" if count == 1 else "sentences that no passage supports were"
        return f"{count} {what} left out."


def _says_nothing(text: str) -> bool:
    """Whether a sentence only says that the passages do not hold something."""
    absence = find_absence(text)
    return _NOTHING.search(text) is not None if absence is None else not absence.rest


def _units(sentences: Sentences, piece: str | None, cut: bool) -> Iterator[Unit | None]:
    if piece is None:
        yield from sentences.close(cut=cut)
    elif piece:
        yield from sentences.feed(piece)
    else:
        yield from sentences.flush()
