"""Questions to suggest, found while nobody waits for an answer, and kept until the library changes."""

from __future__ import annotations

import json
import logging
import threading

from rag.assistant import Assistant
from rag.suggest import suggest_at_start, suggest_next
from rag.types import Conversation

_LOG = logging.getLogger(__name__)
_KEY = "suggested questions"
_KEPT = 200


class Suggestions:
    """Finds questions that can be answered.

    Args:
        assistant: Answers them, for the check.
    """

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant
        self.answering = 0
        """How many answers are on their way; while there are any, nothing is searched here."""
        self._after: dict[tuple[str, int, str], list[str]] = {}
        self._lock = threading.Lock()
        self._ended = False

    def end(self) -> None:
        """Search no further."""
        self._ended = True

    def _may(self) -> bool:
        return not self._ended and self.answering == 0

    def _mark(self) -> list[int]:
        return list(self.assistant.library.catalog.count())

    def known(self) -> list[str]:
        """The questions for the start that are known already."""
        stored = self.assistant.library.catalog.get_meta(_KEY)
        data = json.loads(stored) if stored else {}
        return [str(q) for q in data.get("questions", [])] if data.get("library") == self._mark() else []

    def at_start(self) -> list[str]:
        """Questions for a new conversation; found now if the library has changed, empty while others wait."""
        if known := self.known():
            return known
        catalog = self.assistant.library.catalog
        if not self._may() or catalog.count_pending() or not catalog.count()[0]:
            return []  # what is found by its words only would be judged too early
        if not self._lock.acquire(blocking=False):
            return []  # somebody else's page is at it
        try:
            mark = self._mark()
            questions = suggest_at_start(self.assistant, go_on=self._may)
            if questions and mark == self._mark() and not self._ended:
                catalog.set_meta(_KEY, json.dumps({"library": mark, "questions": questions}))
            return questions
        finally:
            self._lock.release()

    def after(self, conversation: Conversation) -> list[str]:
        """Questions to follow the last answer of a conversation; empty while others wait."""
        key = _place(conversation)
        answer = conversation.turns[-1].answer
        if key in self._after or answer is None or answer.abstained:
            return self._after.get(key, [])
        if not self._may() or not self._lock.acquire(blocking=False):
            return []
        try:
            found = suggest_next(self.assistant, answer, conversation, go_on=self._may)
            self._after[key] = found
            while len(self._after) > _KEPT:
                self._after.pop(next(iter(self._after)))
            return found
        finally:
            self._lock.release()

    def seen(self, conversation: Conversation) -> list[str]:
        """Questions that were found for the last answer before."""
        return self._after.get(_place(conversation), [])


def _place(conversation: Conversation) -> tuple[str, int, str]:
    """The end of a conversation; another one if its last question is replaced."""
    return conversation.id, len(conversation.turns), conversation.turns[-1].question if conversation.turns else ""
