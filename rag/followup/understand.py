"""What a person means by a turn, as far as its words and the turns before it tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.types import Place
from index.where import AnyOf, Filter
from rag.followup.clarify import choose, find_options
from rag.followup.correct import NotMeant, find_correction, not_meant, reword
from rag.followup.history import History, gather
from rag.followup.kinds import Kind, asks_who, compares, switch_lead
from rag.followup.named import ask_source
from rag.followup.narrow import find_narrowing
from rag.followup.small_talk import without_courtesy
from rag.followup.wording import complete

if TYPE_CHECKING:
    from index.library import Library
    from rag.types import Answer, Conversation, Option

_NOTHING = History()
_ALL_MEANT = NotMeant()


@dataclass(frozen=True, slots=True)
class Understood:
    """A turn, ready to become a query.

    `asked` is what to search for, made whole where the turn was a fragment; `whole` says that it holds already what
    it leans on. `kind` is "follow-up" if it may lean on `history`, which the switch decides. `where` and `limited_to`
    are the documents that the turn limits itself to, `avoid` what a correction says was not meant, `options` what a
    vague question may mean. `chosen` says that the person has named the document, so that something of it is to be
    shown in any case.
    """

    kind: Kind
    asked: str
    history: History = _NOTHING
    where: Filter | None = None
    limited_to: tuple[str, ...] = ()
    avoid: NotMeant = _ALL_MEANT
    options: tuple[Option, ...] = ()
    chosen: bool = False
    whole: bool = False


def understand(question: str, conversation: Conversation | None, library: Library) -> Understood:
    """Work out what a question is about and what of the conversation belongs to it.

    Args:
        question: As typed; not small talk and not about the conversation itself.
        conversation: The turns before it, if any.
        library: What its documents are called decides what is narrow, and what is vague.

    Returns:
        The question, understood.
    """
    last = conversation.turns[-1].answer if conversation is not None and conversation.turns else None
    asked_back = last is not None and last.kind == "clarification"
    if last is not None and asked_back:
        choice = choose(question, last, library)
        if choice is not None:
            return _chosen(last.question, *choice)
    text = without_courtesy(question)
    start = switch_lead(text)
    if start:
        rest = text[start:]
        return Understood("topic-switch", rest, options=() if asked_back else find_options(rest, History(), library))
    history = gather(conversation)
    if history.questions:
        correction = find_correction(text)
        if correction is not None:
            asked = reword(history.questions[-1], correction)
            avoid = not_meant(history.questions[-1], correction, _led_with(history.turns[-1].answer))
            return Understood("correction", asked, history, avoid=avoid, whole=asked not in text)
    narrowing = find_narrowing(text, library, follows=bool(history.questions))
    if narrowing is not None:
        earlier = history.questions[-1] if history.questions else ""
        asked = narrowing.rest or earlier
        if narrowing.where is None:
            asked = f"{earlier.rstrip('?.! ')}, only from {narrowing.scope}?"
        return Understood("narrowing", asked, history, narrowing.where, narrowing.titles, whole=not narrowing.rest)
    options = () if asked_back else find_options(text, history, library)
    if not history.questions:
        return Understood("question", text, options=options)
    kind: Kind = "comparison" if compares(text) else "follow-up"
    completed = ask_source(text, history, library) or complete(text, history.questions[-1])
    whole = completed is not None or asks_who(text)  # a full name needs no words beside it
    return Understood(kind, completed or text, history, options=options, whole=whole)


def _led_with(answer: Answer | None) -> tuple[Place, ...]:
    """What an answer's first statement cites; what came after it may be what was meant."""
    if answer is None or not answer.statements:
        return ()
    first = answer.statements[0].citations
    return tuple((c.document_id, c.start, c.end) for c in answer.citations if c.marker in first)


def _chosen(vague: str, option: Option, more: str) -> Understood:
    where = Filter(documents=(AnyOf((option.document_id,)),))
    asked = more if any(c.isalnum() for c in more) else f"{vague.rstrip('?.! ')}: {option.heading or option.text}?"
    return Understood("choice", asked, where=where, limited_to=(option.text,), chosen=True)
