"""Read a model's answer in a thread of its own, with limits of time and size, retries, and a way to stop at once."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.llm import Message, Model
from rag.writing.failure import ModelFailure, describe
from rag.writing.line import Line
from rag.writing.tally import Tally
from rag.writing.thoughts import Thoughts

TICK = 0.1
"""Seconds after which a caller gets control back although nothing came."""
_CHARS = 8  # characters that a token has at most, on the whole
_LONGEST_WAIT = 30.0  # seconds that a server may ask to wait before another try


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to the first word, between two, and for the whole; how often a request is sent again."""

    first: float
    between: float
    whole: float
    retries: int


def read_text(model: Model, messages: Sequence[Message], limits: Limits, tally: Tally | None = None) -> Iterator[str]:
    """Stream a model's answer without its thoughts.

    A request is sent again only before its first word, and not if it is the request that is wrong. Closing the
    iterator cuts the connection.

    Args:
        model: The model.
        messages: The chat.
        limits: How long to wait.
        tally: Counts the tokens, also of a request that breaks off.

    Yields:
        Pieces of text; an empty one after each `TICK` without any.

    Raises:
        ModelFailure: It failed, before or after some pieces.
    """
    deadline = time.monotonic() + limits.whole
    for attempt in range(limits.retries + 1):
        begun = False
        try:
            for piece in _once(model, messages, limits, deadline, tally):
                begun = begun or bool(piece)
                yield piece
            return
        except ModelFailure as failure:
            failure.times = attempt + 1
            wait = failure.after if failure.after is not None else 0.5 * 2**attempt
            late = time.monotonic() + wait > deadline or wait > _LONGEST_WAIT
            if begun or not failure.again or attempt == limits.retries or late:
                raise
        until = time.monotonic() + wait
        while (left := until - time.monotonic()) > 0:
            yield ""
            time.sleep(min(left, TICK))


def _once(
    model: Model, messages: Sequence[Message], limits: Limits, deadline: float, tally: Tally | None
) -> Iterator[str]:
    line, pieces = Line(), queue.SimpleQueue[str | ModelFailure | None]()
    written: list[str] = []
    most = model.output * _CHARS

    def work() -> None:
        size = 0
        try:
            for text in model.stream(messages, line):
                if line.cut_off.is_set():
                    return
                pieces.put(text)
                size += len(text)
                if size > 4 * most:  # thoughts count here; what the reader sees is bounded below
                    break
            pieces.put(None)
        except Exception as error:  # whatever a client raises becomes a sentence for the person
            pieces.put(describe(error))

    threading.Thread(target=work, name="dossier-llm", daemon=True).start()
    thoughts, size = Thoughts(), 0
    heard = time.monotonic()
    try:
        first = True
        while True:
            now = time.monotonic()
            _in_time(now, heard, first, limits, deadline)
            try:
                got = pieces.get(timeout=TICK)
            except queue.Empty:
                yield ""
                continue
            if isinstance(got, ModelFailure):
                raise got
            if got is None:
                break
            first, heard = False, time.monotonic()
            written.append(got)
            text = thoughts.feed(got)
            size += len(text)
            if size > most:
                raise ModelFailure(f"it wrote on and on, past {most:,} characters")
            yield text
        yield thoughts.close()
        if not line.complete:
            raise ModelFailure("it broke off in the middle", again=True)
    finally:
        line.cut()
        if tally is not None:
            _count(tally, model, messages, line, "".join(written))


def _count(tally: Tally, model: Model, messages: Sequence[Message], line: Line, written: str) -> None:
    """Add the tokens of a request that brought something: as the server says, else as they are counted here."""
    if line.prompt:
        told = bool(line.completion) or not written
        tally.add(line.prompt, line.completion if told else model.count(written), exact=told)
    elif written:
        tally.add(sum(model.count(m.text) for m in messages), model.count(written), exact=False)


def _in_time(now: float, heard: float, first: bool, limits: Limits, deadline: float) -> None:
    if now > deadline:
        raise ModelFailure(f"it was not done after {limits.whole:g} s")
    if first and now - heard > limits.first:
        raise ModelFailure(f"no word within {limits.first:g} s", again=True)
    if not first and now - heard > limits.between:
        raise ModelFailure(f"it fell silent for {limits.between:g} s")
