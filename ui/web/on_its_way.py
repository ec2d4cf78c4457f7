"""An answer on its way: what there is of it, its events taken one at a time, and the question box meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rag.drafts import Draft
from rag.types import Citation, Conversation, Event, Statement
from ui.web.render import render_pending
from ui.web.toolkit import gr

Outputs = tuple[Any, Any, Any]
"""The conversation's HTML, its id, and the question box."""


@dataclass(slots=True)
class Running:
    """An answer on its way. It is made by a task of its own, so it comes to its end whoever looks on."""

    question: str
    number: int
    base: Conversation
    instead: int | None = None
    """The turn whose place the answer takes, with all that followed from it; `None` if it is added at the end."""
    statements: list[Statement] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    waiting: bool = False
    end: Callable[[], Outputs] | None = None
    """Draws what came of it; `None` until it has ended."""
    task: asyncio.Task[None] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with the next change."""

    def draw(self, *, stopped: bool = False) -> str:
        """Draw the question and what was said so far."""
        state: Any = "stopped" if stopped else "waiting" if self.waiting else "reading"
        return render_pending(self.question, self.statements, self.citations, self.number, state)

    def draft(self) -> Draft:
        """What is kept in case the server ends now."""
        return Draft(self.question, tuple(self.statements), tuple(self.citations))

    def tell(self) -> None:
        """Wake all who look on."""
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class Steps:
    """The events of an answer, taken one at a time in threads; stopping ends it at the event at hand.

    Args:
        events: The events.
    """

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._lock = threading.Lock()
        self._stopped = False

    def next(self) -> Event | None:
        """Wait for the next event; `None` after the last, or if it was stopped."""
        with self._lock:
            event = None if self._stopped else next(self._events, None)
            if self._stopped:
                self._close()
            return event

    def stop(self) -> None:
        """Have no more events made; returns at once."""
        self._stopped = True
        if self._lock.acquire(blocking=False):  # else the thread at work closes it
            try:
                self._close()
            finally:
                self._lock.release()

    def _close(self) -> None:
        close = getattr(self._events, "close", None)
        if close is not None:
            close()


def question_box(*, answering: bool, **changes: str) -> Any:
    """Change the question box: it has a button to stop while an answer is on its way."""
    return gr.update(submit_btn=not answering, stop_btn=answering, **changes)
