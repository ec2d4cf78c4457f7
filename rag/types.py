"""The nouns of an answer: frozen, slotted, data only. Offsets as in `index.types`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal
from uuid import uuid4

from index.permalink import make_permalink
from index.types import Hit
from rag.followup.kinds import Kind

Verdict = Literal["supported", "weak", "unsupported"]
_TITLES = 3  # documents named one by one


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement rests: `document.text[start:end] == quote`, always.

    `marker` is the n of `[n]` in the answer's text, from 1; `page` is the physical page the quote starts on, from 1,
    and `page_label` what the document calls it ("iv"), empty where it does not say. `also` are titles of other
    documents that say the same in nearly the same words.
    """

    marker: int
    document_id: str
    title: str
    source: str
    published: date | None
    page: int | None
    start: int
    end: int
    quote: str
    page_label: str = ""
    also: tuple[str, ...] = ()

    @property
    def page_name(self) -> str:
        """The page for a reader: "p. 12", or "p. iv (page 4)" where its label is another; empty without pages."""
        return page_name(self.page, self.page_label)

    @property
    def permalink(self) -> str:
        """A `dossier://` link to the quote, which can be found again after the document has changed."""
        return str(make_permalink(self.document_id, self.start, self.end, self.quote))


def page_name(page: int | None, label: str = "") -> str:
    """Name a page by its label and number; see `Citation.page_name`."""
    if page is None:
        return ""
    return f"p. {label} (page {page})" if label and label != str(page) else f"p. {page}"


@dataclass(frozen=True, slots=True)
class Statement:
    """One claim of an answer.

    `citations` are markers into `Answer.citations`; `support` runs from 0 (nothing supports it) to 1 (the cited words
    say it); `verdict` is the same in a word, and `reason` says what is missing, empty for a supported statement.
    `highlight` is the exact answer, `text[start:end]`, if it is shorter than the statement. `sources` counts the
    independent documents that say it: near-duplicates count once.
    """

    text: str
    citations: tuple[int, ...]
    support: float
    verdict: Verdict
    highlight: tuple[int, int] | None = None
    reason: str = ""
    sources: int = 1


@dataclass(frozen=True, slots=True)
class Claim:
    """What one document says where documents disagree: the value in its own words, and the citation that holds it."""

    value: str
    marker: int


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Documents that give different values for what was asked.

    `kind` is "number", "date" or "name"; `claims` are the values, each with its citation, the newest document first.
    """

    kind: Literal["number", "date", "name"]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """Something an underspecified question may mean: a document, or what stands under a heading of it."""

    text: str
    document_id: str
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a language model read and wrote for an answer, all its requests together.

    `exact` tells whether the server said so; else it was counted with the model's tokenizer, or estimated without one.
    """

    prompt: int
    completion: int
    exact: bool

    @property
    def total(self) -> int:
        """Both together."""
        return self.prompt + self.completion


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question.

    `abstained` means the documents do not hold the answer: then there are no statements and no citations, and `hits`
    are the nearest passages. `timings` are seconds by stage; `model` names what wrote the statements.
    `confidence` is the estimated probability, 0 to 1, that the documents hold the answer. `searched` counts the
    documents that were searched; `unknown_terms` are words of the question that occur nowhere. `disagreements` say
    where documents give different values. `as_of` is set if only documents published by then were used; `undated`
    counts those that were left out because they have no date. An abstention names in `unread` some of the files that
    could not be read, and in `unread_count` how many there are. `kind` says what turn of the conversation it answers;
    `reply` are words that rest on no document: a greeting, what goes before statements told again, or the question
    which of the options in `clarify` is meant. `limited_to` are titles of the documents that the person's words
    ("only from the Ministry") limited the search to, `where` the filter that the caller gave. `notice` says in a
    sentence what else is to be known of how it was made: that a language model failed, or that statements were left out
    or not checked. `tokens` is what a language model used for it; `None` if none was asked or none came to anything.
    """

    question: str
    standalone_question: str
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...] = field(repr=False)
    abstained: bool
    confidence: float
    timings: tuple[tuple[str, float], ...] = field(repr=False, default=())
    model: str = "offline reader"
    searched: int = 0
    unknown_terms: tuple[str, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    as_of: date | None = None
    unread: tuple[str, ...] = ()
    unread_count: int = 0
    undated: int = 0
    notice: str = ""
    kind: Kind = "question"
    reply: str = ""
    clarify: tuple[Option, ...] = ()
    limited_to: tuple[str, ...] = ()
    where: str = ""
    tokens: Tokens | None = None

    @property
    def text(self) -> str:
        """The answer as plain text with its markers; what was searched, in words, when it abstained.

        A disagreement of the sources, and what limited the search, and the notice are told at the end.
        """
        if self.abstained:
            return f"{abstention_text(self)} {self.notice}".strip()
        said = [self.reply] if self.reply else []
        said += [f"{s.text} {''.join(f'[{n}]' for n in s.citations)}".strip() for s in self.statements]
        said += [disagreement_text(d, self.citations) for d in self.disagreements]
        limits = (as_of_text(self.as_of, self.undated), limited_text(self.limited_to), self.notice)
        return " ".join([*said, *(text for text in limits if text)]).strip()


def abstention_text(answer: Answer) -> str:
    """Word an abstention: how much was searched, which terms occur nowhere, what could not be read or was left out."""
    return " ".join(part for part in (abstention_lead(answer), *abstention_facts(answer)) if part)


def abstention_lead(answer: Answer) -> str:
    """The first sentence of an abstention: "Not in these documents", and why."""
    lead, searched, limit = "Not in these documents", answer.searched, answer.as_of
    if searched == 0 and answer.where:
        until = f" and was published by {long_date(limit)}" if limit is not None else ""
        return f"{lead}: no document in the library matches the filter {answer.where}{until}."
    if searched == 0 and limit is not None:
        return f"{lead}: no document in the library was published by {long_date(limit)}."
    if searched == 0:
        return f"{lead}: the library is empty. Add documents first."
    plural = "document" if searched == 1 else "documents"
    published = f" published by {long_date(limit)}" if limit is not None else ""
    were = "was" if searched == 1 else "were"
    return f"{lead}: {searched:,} {plural}{published} {were} searched and none holds an answer to this."


def abstention_facts(answer: Answer) -> tuple[str, ...]:
    """What else is to be known of an abstention, a sentence each: unknown terms, documents left out, files not read."""
    facts = []
    if answer.unknown_terms:
        quoted = [f"“{term}”" for term in answer.unknown_terms]
        facts.append(f"{_listed(quoted)} {'occurs' if len(quoted) == 1 else 'occur'} nowhere in them.")
    if answer.undated:
        facts.append(_left_out(answer.undated))
    if answer.limited_to:
        facts.append(limited_text(answer.limited_to))
    if answer.unread:
        more = answer.unread_count - len(answer.unread)
        names = [*answer.unread, f"{more:,} more"] if more > 0 else list(answer.unread)
        count = max(answer.unread_count, len(answer.unread))
        facts.append(f"{count:,} {'file' if count == 1 else 'files'} could not be read: {_listed(names)}.")
    return tuple(facts)


def as_of_text(limit: date | None, undated: int = 0) -> str:
    """Say which documents an "as of" answer used; empty without a date."""
    if limit is None:
        return ""
    text = f"Only documents published by {long_date(limit)} were used."
    return f"{text} {_left_out(undated)}" if undated else text


def limited_text(titles: Sequence[str]) -> str:
    """Say which documents alone were searched because the person asked for that; empty if none were named."""
    if not titles:
        return ""
    shown = [f"“{title.strip('“”')}”" for title in titles[:_TITLES]]
    if len(titles) > _TITLES:
        shown.append(f"{len(titles) - _TITLES:,} more")
    return f"Only {_listed(shown)} {'was' if len(titles) == 1 else 'were'} searched."


def disagreement_text(disagreement: Disagreement, citations: Sequence[Citation]) -> str:
    """Word a disagreement: "The sources disagree: “12” (March report, 2026-03-02) [1]; “15” (June report) [2]."."""
    by_marker = {citation.marker: citation for citation in citations}
    said = []
    for claim in disagreement.claims:
        citation = by_marker[claim.marker]
        when = f", {citation.published.isoformat()}" if citation.published else ""
        said.append(f"“{claim.value}” ({citation.title}{when}) [{claim.marker}]")
    return f"The sources disagree: {'; '.join(said)}."


def long_date(day: date) -> str:
    """Write a date as "31 May 2025"."""
    return f"{day.day} {day:%B %Y}"


def _left_out(undated: int) -> str:
    return f"{undated:,} {'document without a date was' if undated == 1 else 'documents without a date were'} left out."


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


@dataclass(frozen=True, slots=True)
class Turn:
    """One question of a conversation and the text of its answer.

    `standalone_question` is the question as it was searched. `answer` is absent in conversations made from plain text.
    """

    question: str
    text: str
    standalone_question: str | None = None
    answer: Answer | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation so far. Immutable: `add` returns a new one."""

    turns: tuple[Turn, ...] = ()
    id: str = field(default_factory=lambda: uuid4().hex[:12])
    title: str = ""
    shared_by: str = ""
    """Who shared the conversation that this one is a copy of; empty if it is none, or nobody signs in."""

    def add(self, turn: Turn | Answer) -> Conversation:
        """Return this conversation with one more turn; the first question becomes its title."""
        if isinstance(turn, Answer):
            turn = Turn(turn.question, turn.text, turn.standalone_question, turn)
        title = self.title or re.sub(r"\s+", " ", turn.question).strip()[:80]
        return replace(self, turns=(*self.turns, turn), title=title)

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, str]]) -> Conversation:
        """Make a conversation from plain text.

        Args:
            pairs: `(question, answer_text)` of each turn, oldest first.

        Returns:
            The conversation; its turns carry no citations.
        """
        conversation = cls()
        for question, text in pairs:
            conversation = conversation.add(Turn(question, text))
        return conversation


@dataclass(frozen=True, slots=True)
class Searching:
    """Event: the standalone question is known and the search begins."""

    standalone_question: str


@dataclass(frozen=True, slots=True)
class Hits:
    """Event: the passages the answer will be made from, best first."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """Event: one checked statement, with the citations it uses that were not sent before."""

    statement: Statement
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Event: the language model has been at work for so many seconds and nothing new can be shown.

    Given about twice a second then, so that whoever reads the events can stop.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Done:
    """Event: the whole answer; always the last."""

    answer: Answer


Event = Searching | Hits | Sentence | Waiting | Done
