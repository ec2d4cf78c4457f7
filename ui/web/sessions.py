"""Conversations of the page, kept on the server: what the browser holds is only a drawing of them."""

from __future__ import annotations

import hashlib
import re
import threading
from dataclasses import replace
from uuid import uuid4

from rag.assistant import Assistant
from rag.drafts import Draft, draft_in, with_draft
from rag.records import conversation_from_json, conversation_to_json
from rag.types import Answer, Conversation, Turn
from ui.web.strings import say

_ID = re.compile(r"[0-9a-f]{12}")
_KEPT = 200
_SHARED = "(shared)"  # begins the owner of copies that everybody at this server may read; no person's name does


class Sessions:
    """Conversations by id, stored in the library's catalog after every turn; each belongs to one person.

    Args:
        assistant: Whose library keeps them.
    """

    def __init__(self, assistant: Assistant) -> None:
        self.stored = assistant.library.conversations
        self._feedback = assistant.library.feedback
        self._recent: dict[tuple[str, str], Conversation] = {}
        self._lock = threading.Lock()

    def get(self, conversation_id: str, owner: str = "") -> Conversation:
        """Find a conversation; an empty one with an id of its own if this person has none by this id."""
        if not _ID.fullmatch(conversation_id):
            return Conversation()
        with self._lock:
            if (owner, conversation_id) in self._recent:
                return self._recent[owner, conversation_id]
        stored = self.stored.load(conversation_id, owner=owner)
        if stored is not None:
            return conversation_from_json(stored)
        taken = self.stored.load(conversation_id) is not None  # somebody else's
        return Conversation() if taken else Conversation(id=conversation_id)

    def draft(self, conversation_id: str, owner: str = "") -> Draft | None:
        """Find what the end of the server broke off in a conversation; `None` if nothing."""
        stored = self.stored.load(conversation_id, owner=owner) if _ID.fullmatch(conversation_id) else None
        return draft_in(stored) if stored is not None else None

    def note(self, conversation: Conversation, draft: Draft, owner: str = "") -> None:
        """Store a conversation together with the answer that is on its way."""
        title = conversation.title or " ".join(draft.question.split())[:80]
        data = with_draft(conversation_to_json(replace(conversation, title=title)), draft)
        self.stored.save(conversation.id, title, data, owner=owner, turns=len(conversation.turns))

    def put(self, conversation: Conversation, owner: str = "") -> None:
        """Store a conversation as it is; one without turns is not kept."""
        with self._lock:
            self._recent.pop((owner, conversation.id), None)
            self._recent[owner, conversation.id] = conversation
            while len(self._recent) > _KEPT:
                self._recent.pop(next(iter(self._recent)))
        if not conversation.turns:
            self.stored.delete(conversation.id, owner=owner)
            return
        data = conversation_to_json(conversation)
        self.stored.save(conversation.id, conversation.title, data, owner=owner, turns=len(conversation.turns))

    def add(self, conversation_id: str, answer: Answer, owner: str = "") -> Conversation:
        """Add an answer to a conversation as it is now, and store it."""
        grown = self.get(conversation_id, owner).add(answer)
        self.put(grown, owner)
        return grown

    def replace(self, conversation_id: str, number: int, answer: Answer, owner: str = "") -> tuple[Conversation, str]:
        """Put an answer in place of a turn and of all that followed from it, and store that.

        Args:
            conversation_id: The conversation.
            number: The turn, from 0.
            answer: The answer.
            owner: Whose the conversation is.

        Returns:
            The conversation, and the id of a copy that keeps it as it was, with what was thought of its answers; empty
            if nothing would be lost without one.
        """
        known = self.get(conversation_id, owner)
        first = known.turns[0].question if known.turns else ""
        titled = number == 0 and known.title == Conversation().add(Turn(first, "")).title  # by itself, not by a person
        grown = replace(known, turns=known.turns[:number], title="" if titled else known.title).add(answer)
        kept = ""
        if [_said(turn) for turn in known.turns[number:]] != [_said(grown.turns[-1])]:
            kept = self._keep(known, number, owner)
        self.put(grown, owner)
        return grown, kept

    def _keep(self, conversation: Conversation, number: int, owner: str) -> str:
        before = say("talks.before", title="").strip()
        title = conversation.title if conversation.title.endswith(before) else f"{conversation.title} {before}"
        copy = replace(conversation, id=uuid4().hex[:12], title=title)
        self.put(copy, owner)
        thought = {r.turn: r for r in self._feedback.list(conversation.id) if r.owner == owner and r.turn >= number}
        for turn, rating in thought.items():
            if rating.rating:
                self._feedback.add(copy.id, turn, rating.rating, rating.comment, owner=owner)
                self._feedback.add(conversation.id, turn, 0, owner=owner)  # it was about another answer
        return copy.id

    def rename(self, conversation_id: str, title: str, owner: str = "") -> bool:
        """Give a conversation another title; tells whether there is one."""
        self._forget(conversation_id, owner)
        return self.stored.rename(conversation_id, title, owner=owner)

    def delete(self, conversation_id: str, owner: str = "") -> bool:
        """Put a conversation away; tells whether there was one."""
        self._forget(conversation_id, owner)
        return self.stored.delete(conversation_id, owner=owner)

    def _forget(self, conversation_id: str, owner: str) -> None:
        with self._lock:
            self._recent.pop((owner, conversation_id), None)

    def share(self, conversation_id: str, owner: str = "") -> str | None:
        """Copy a conversation for everybody at this server: gives the copy's id, `None` without a conversation."""
        conversation = self.get(conversation_id, owner)
        if not conversation.turns:
            return None
        copy = replace(conversation, id=uuid4().hex[:12], shared_by=owner)
        data = conversation_to_json(copy)
        self.stored.save(copy.id, copy.title, data, owner=f"{_SHARED} {owner}".strip(), turns=len(copy.turns))
        return copy.id

    def take(self, shared_id: str, owner: str = "") -> Conversation:
        """Open a shared conversation: a copy of one's own, the same one each time; empty if it is not shared."""
        whose = self.stored.owner(shared_id) if _ID.fullmatch(shared_id) else None
        stored = self.stored.load(shared_id, owner=whose)
        if whose is None or stored is None or whose.split(" ")[0] != _SHARED:
            return Conversation()
        own = hashlib.sha256(f"{owner}\n{shared_id}".encode()).hexdigest()[:12]
        known = self.get(own, owner)
        if not known.turns:
            known = replace(conversation_from_json(stored), id=own)
            self.put(known, owner)
        return known


def _said(turn: Turn) -> tuple[object, ...]:
    """What a person would miss if a turn were gone."""
    return turn.question, turn.standalone_question, turn.text
