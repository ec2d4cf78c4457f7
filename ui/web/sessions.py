"""Conversations of the page, kept on the server: what the browser holds is only a drawing of them."""

from __future__ import annotations

import re
import threading

from rag.assistant import Assistant
from rag.records import conversation_from_json, conversation_to_json
from rag.types import Answer, Conversation

_ID = re.compile(r"[0-9a-f]{12}")
_KEPT = 200


class Sessions:
    """Conversations by id, stored in the library's catalog after every turn.

    Args:
        assistant: Whose library keeps them.
    """

    def __init__(self, assistant: Assistant) -> None:
        self._stored = assistant.library.conversations
        self._recent: dict[str, Conversation] = {}
        self._lock = threading.Lock()

    def get(self, conversation_id: str) -> Conversation:
        """Find a conversation; an empty one if there is none by this id or it is not one."""
        if not _ID.fullmatch(conversation_id):
            return Conversation()
        with self._lock:
            if conversation_id in self._recent:
                return self._recent[conversation_id]
        stored = self._stored.load(conversation_id)
        return conversation_from_json(stored) if stored is not None else Conversation(id=conversation_id)

    def add(self, conversation_id: str, answer: Answer) -> Conversation:
        """Add an answer to a conversation as it is now, and store it."""
        conversation = self.get(conversation_id).add(answer)
        with self._lock:
            self._recent.pop(conversation.id, None)
            self._recent[conversation.id] = conversation
            while len(self._recent) > _KEPT:
                self._recent.pop(next(iter(self._recent)))
        self._stored.save(
            conversation.id, conversation.title, conversation_to_json(conversation), turns=len(conversation.turns)
        )
        return conversation
