"""Questions to suggest: made from headings and names of the documents, and kept only if they can be answered.

No model writes them. A person in apposition ("Piet Ormsley, Chief Inspector") gives "Who is …?", a name that comes
often "What is the …?", a heading "What is said about …?". Each is then really asked; those that are answered from one
of the documents they were made of are good.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from index.errors import DossierError
from rag.grounding.edits import MONTHS

if TYPE_CHECKING:
    from index.types import Document, Hit
    from rag.assistant import Assistant
    from rag.types import Answer, Conversation

_READ = 40_000  # characters of a document that candidates come from
_DOCUMENTS = 8
_WORD = r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ'’-]+"
_APPOSITION = re.compile(
    rf"(?<![\w.])(?P<name>{_WORD}(?: {_WORD}){{1,2}}), "
    r"(?i:(?:the |an? )?(?:[a-z]+ ){0,3}(?:spokes\w+|minister|chair\w*|director|inspector|secretary|"
    r"president|manager|captain|officer|professor|engineer|analyst|editor|head|chief|leader|author)\b)"
)
_NAME = re.compile(rf"\b(?P<the>the )?(?P<name>{_WORD}(?: (?:of |for )?{_WORD}){{1,3}})(?![\w])")
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_DULL = re.compile(
    r"(introduction|summary|conclusions?|contents|overview|abstract|background|references|appendix|notes?|preface|"
    r"table of contents|annex|figure|chapter|section|purpose|next steps|week of|what|in (brief|short|summary|detail)|"
    r"at a glance|key (points|findings|facts)|highlights|details|miscellaneous|other)\b|"
    r".*[\"“”?!]|.*\b(this|we|our|I)\b",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[\w ,.:;&'’/()–-]+")
_NUMBERED = re.compile(r"^(?:\(?[\dA-Za-z]{1,3}[.)]|\d+(?:\.\d+)*\.?)\s+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that might be answerable, and the ids of the documents it was made of."""

    question: str
    documents: frozenset[str]


def candidates(text: str, headings: Sequence[str], document_id: str, often: int = 2) -> Iterator[Candidate]:
    """Make questions of a document's text, the most promising first.

    Args:
        text: The text, or the beginning of it.
        headings: Titles of its headings.
        document_id: Its id.
        often: How many times a name must come to be asked about.

    Yields:
        Candidates, none twice.
    """
    seen: set[str] = set()
    for question in _questions(text, headings, often):
        if question.casefold() not in seen:
            seen.add(question.casefold())
            yield Candidate(question, frozenset([document_id]))


def _questions(text: str, headings: Sequence[str], often: int) -> Iterator[str]:
    flat = " ".join(text.split())
    people = [found["name"] for found in _APPOSITION.finditer(flat) if _is_name(found["name"])]
    yield from (f"Who is {name}?" for name in dict.fromkeys(people[:3]))
    names = Counter(found["name"] for found in _NAME.finditer(flat) if found["the"] and _is_name(found["name"]))
    yield from (f"What is the {name}?" for name, times in names.most_common(4) if times >= often)
    for heading in headings[:12]:
        title = _NUMBERED.sub("", " ".join(heading.split())).rstrip(" .:")
        if 2 <= len(title.split()) <= 7 and not _DULL.match(title) and _PLAIN.fullmatch(title):
            yield f"What is said about {title[:1].lower() + title[1:] if not title[1:2].isupper() else title}?"


def _is_name(text: str) -> bool:
    words = text.replace("'s", "").split()
    return not any(w in MONTHS or w in _DAYS for w in words) and len(text) <= 60 and "http" not in text.lower()


def suggest_at_start(
    assistant: Assistant, count: int = 4, tries: int = 10, go_on: Callable[[], bool] = lambda: True
) -> list[str]:
    """Suggest questions for a new conversation, from documents spread over the library.

    Args:
        assistant: Answers them, for the check.
        count: How many at most.
        tries: How many candidates are asked at most; this is what the work costs.
        go_on: Asked before each; no ends it early.

    Returns:
        Questions that were answered, each from another document where that is possible.
    """
    infos = sorted(
        assistant.library.documents(), key=lambda i: i.id
    )  # ids are digests: in no order that means anything
    made = [list(_of_document(assistant, info.id)) for info in infos[:_DOCUMENTS]]
    return _checked(assistant, None, _in_turn(made), count, tries, go_on, per_document=2)


def suggest_next(
    assistant: Assistant,
    answer: Answer,
    conversation: Conversation,
    count: int = 3,
    tries: int = 4,
    go_on: Callable[[], bool] = lambda: True,
) -> list[str]:
    """Suggest questions to follow an answer, from the passages that were found for it; as `suggest_at_start`.

    Each is asked after the turns before it, as it will be when somebody chooses it.
    """
    asked = " ".join(turn.question for turn in conversation.turns).casefold()
    groups = [list(_of_hit(hit)) for hit in answer.hits[:5]]
    fresh = [c for c in _in_turn(groups) if not _is_asked(c.question, asked)]
    return _checked(assistant, conversation, fresh, count, tries, go_on, per_document=count)


def _in_turn(groups: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    """The first of each group, then the second of each; a question that several have comes once, with all their
    documents."""
    turns = [group[i] for i in range(max(map(len, groups), default=0)) for group in groups if i < len(group)]
    merged: dict[str, Candidate] = {}
    for candidate in turns:
        known = merged.setdefault(candidate.question.casefold(), candidate)
        merged[candidate.question.casefold()] = replace(known, documents=known.documents | candidate.documents)
    return list(merged.values())


def _is_asked(question: str, asked: str) -> bool:
    subject = re.sub(r"^(who is|what is said about|what is the|what is) ", "", question.casefold()).rstrip("?")
    return subject in asked


def _of_document(assistant: Assistant, document_id: str) -> Iterator[Candidate]:
    document: Document = assistant.library.document(document_id)
    headings = [heading.title for heading in document.headings if heading.title != document.title]
    return candidates(document.text[:_READ], headings, document.id)


def _of_hit(hit: Hit) -> Iterator[Candidate]:
    headings = [h for h in hit.passage.heading.split(" › ")[1:] if h]
    return candidates(hit.passage.text, headings, hit.passage.document_id, often=1)


def _checked(
    assistant: Assistant,
    conversation: Conversation | None,
    among: Sequence[Candidate],
    count: int,
    tries: int,
    go_on: Callable[[], bool],
    per_document: int,
) -> list[str]:
    good: list[str] = []
    taken: Counter[str] = Counter()
    for candidate in among:
        if len(good) >= count or tries <= 0 or not go_on():
            break
        if all(taken[document] >= per_document for document in candidate.documents):
            continue
        tries -= 1
        try:
            answer = assistant.ask(candidate.question, conversation)
        except DossierError:
            continue
        from_there = candidate.documents & {c.document_id for c in answer.citations}
        if not answer.abstained and from_there:
            good.append(candidate.question)
            taken.update(from_there)
    return good
