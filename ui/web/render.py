"""Conversations and the library as HTML. Pure functions; everything from outside is escaped here, once.

What these functions return goes into the page as it is, so the only markup in it is the markup written below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from typing import TYPE_CHECKING

from index.parse import FORMATS
from index.types import DocumentInfo, Hit
from rag.types import (
    Answer,
    Citation,
    Claim,
    Conversation,
    Disagreement,
    Statement,
    Turn,
    abstention_lead,
    as_of_text,
    limited_text,
)

if TYPE_CHECKING:
    from ui.web.uploads import Outcome

KINDS = {form.media_type: form.suffixes[0].lstrip(".").upper() for form in FORMATS}
"""What a kind of document is called in the list: the usual ending of its files."""
_VERDICTS = {
    "supported": ("✓", "", "Supported: the cited words say this"),
    "weak": ("≈", "weak", "Weak: the cited words say this only in part"),
    "unsupported": ("!", "unsupported", "Unsupported: the cited words do not say this"),
}
_OUTCOMES = {
    "reading": ("…", "reading"),
    "added": ("✓", "added"),
    "replaced": ("✓", "replaced an older version"),
    "known": ("=", "was here already"),
    "failed": ("!", "not added"),
}
_NEAREST = 3
_CARD_QUOTE = 400


def render_conversation(
    conversation: Conversation,
    pending: str = "",
    *,
    documents: int = 1,
    titles: Mapping[str, str] | None = None,
) -> str:
    """Draw a whole conversation.

    Args:
        conversation: The turns so far.
        pending: HTML of a turn that is not part of it: still being answered, stopped or failed.
        documents: How many documents the library holds; 0 gives the first-run hint.
        titles: Title of each document named in a nearest passage, by id.

    Returns:
        HTML.
    """
    if not conversation.turns and not pending:
        return _welcome(documents)
    turns = "".join(render_turn(turn, number, titles or {}) for number, turn in enumerate(conversation.turns))
    return f'<div role="log" aria-label="Conversation">{turns}{pending}</div>'


def _welcome(documents: int) -> str:
    if documents == 0:
        return (
            '<div class="welcome"><h1>No documents yet</h1>'
            "<p>Add files to the library, then ask about them here.</p></div>"
        )
    count = "document" if documents == 1 else f"{documents} documents"
    return (
        f'<div class="welcome"><h1>Ask your {count}</h1>'
        "<p>Every sentence of an answer is taken word for word from a source. "
        'Choose its number <span class="cite sample">1</span> to see the place it comes from.</p></div>'
    )


def render_turn(turn: Turn, number: int, titles: Mapping[str, str]) -> str:
    """Draw one question and its answer; `number` is its place in the conversation, from 0."""
    if turn.answer is None:
        body = f'<div class="answer"><p dir="auto">{escape(turn.text)}</p></div>'
    elif turn.answer.abstained:
        body = _abstention(turn.answer, number, titles)
    else:
        body = _answer(turn.answer, number)
    return _turn(turn.question, body)


def render_pending(
    question: str,
    statements: Sequence[Statement],
    citations: Sequence[Citation],
    number: int,
    *,
    stopped: bool = False,
) -> str:
    """Draw a turn whose answer is still coming, or was stopped on its way."""
    said = _statements(statements, citations, number)
    if stopped:
        after = '<p class="aside" role="status">Stopped. This answer is not part of the conversation.</p>'
    else:
        after = (
            '<p class="waiting" role="status">Reading the documents<span class="dots" aria-hidden="true">…</span></p>'
        )
    return _turn(question, f'<div class="answer">{said}{after}</div>')


def render_problem(question: str, message: str, remedy: str) -> str:
    """Draw a question that could not be answered, with what to do."""
    return _turn(question, render_notice(message, remedy))


def render_notice(message: str, remedy: str) -> str:
    """Draw what went wrong and what to do about it."""
    return f'<div class="answer problem" role="alert"><p>{escape(message)}</p><p>{escape(remedy)}</p></div>'


def _turn(question: str, body: str) -> str:
    return f'<section class="turn"><h2 class="question" dir="auto">{escape(question)}</h2>{body}</section>'


def _answer(answer: Answer, number: int) -> str:
    said = _statements(answer.statements, answer.citations, number)
    rewritten = ""
    if answer.standalone_question != answer.question:
        rewritten = f'<p class="aside" dir="auto">Searched for: {escape(answer.standalone_question)}</p>'
    differing = "".join(_disagreement(d, answer.citations, f"{number}.{i}") for i, d in enumerate(answer.disagreements))
    rows = "".join(_source_row(citation, number) for citation in answer.citations)
    sources = f'<ol class="sources" aria-label="Sources">{rows}</ol>' if rows else ""
    return f'<div class="answer">{rewritten}{_as_of(answer)}{_reply(answer)}{said}{differing}{sources}</div>'


def _reply(answer: Answer) -> str:
    """Draw what rests on no document: a greeting, a question back, what goes before statements told again."""
    said = " ".join(text for text in (answer.reply, limited_text(answer.limited_to)) if text)
    return f'<p class="reply" dir="auto">{escape(said)}</p>' if said else ""


def _as_of(answer: Answer) -> str:
    """Say that only documents published by a day were used, if that is so."""
    told = as_of_text(answer.as_of, answer.undated)
    return f'<p class="aside as-of"><span class="sign" aria-hidden="true">◷</span>{escape(told)}</p>' if told else ""


def _disagreement(disagreement: Disagreement, citations: Sequence[Citation], key: str) -> str:
    """Set the values on which documents disagree side by side, each with its source, date and marker."""
    by_marker = {citation.marker: citation for citation in citations}
    rows = "".join(
        _claim(claim, by_marker[claim.marker], f"{key}.differs.{place}")
        for place, claim in enumerate(disagreement.claims)
    )
    return (
        '<section class="differs"><h3><span class="sign" aria-hidden="true">≠</span>The sources disagree</h3>'
        f"<ul>{rows}</ul></section>"
    )


def _claim(claim: Claim, citation: Citation, key: str) -> str:
    return (
        f'<li><button type="button" class="row" {_card(citation, key)}>'
        f'<b class="value" dir="auto">{escape(" ".join(claim.value.split()))}</b>'
        f'<span class="name" dir="auto">{escape(citation.title)}</span>'
        f'<span class="facts">{escape(place_and_time(citation))}</span>'
        f'<span class="cite">{citation.marker}</span></button></li>'
    )


def _statements(statements: Sequence[Statement], citations: Sequence[Citation], number: int) -> str:
    by_marker = {citation.marker: citation for citation in citations}
    said = []
    for place, statement in enumerate(statements):
        markers = "".join(
            _marker(by_marker[marker], f"{number}.{place}.{marker}")
            for marker in statement.citations
            if marker in by_marker
        )
        sign, word, meaning = _VERDICTS[statement.verdict]
        verdict = (
            f'<span class="verdict {statement.verdict}" role="img" aria-label="{meaning}" title="{meaning}">'
            f"{sign}{f' {word}' if word else ''}</span>"
        )
        agreed = f'<span class="agreed">{statement.sources} sources say so</span>' if statement.sources > 1 else ""
        reason = f'<small class="reason">{escape(statement.reason)}</small>' if statement.reason else ""
        text = f'<span class="said {statement.verdict}">{_exact(statement)}</span>'
        said.append(
            f'<p class="statement" dir="auto">{text}<span class="marks">{markers}{verdict}{agreed}</span>{reason}</p>'
        )
    return "".join(said)


def _exact(statement: Statement) -> str:
    """A statement with its exact answer in bold."""
    if statement.highlight is None:
        return escape(statement.text)
    start, end = statement.highlight
    before, exact, after = statement.text[:start], statement.text[start:end], statement.text[end:]
    return f'{escape(before)}<b class="exact">{escape(exact)}</b>{escape(after)}'


def _marker(citation: Citation, key: str) -> str:
    label = f"Source {citation.marker}: {citation.title}{_and_page(citation.page)}"
    return (
        f'<button type="button" class="cite" {_card(citation, key)} aria-label="{escape(label)}">'
        f"{citation.marker}</button>"
    )


def _source_row(citation: Citation, number: int) -> str:
    facts = place_and_time(citation)
    also = f'<small class="also">also in {escape("; ".join(citation.also))}</small>' if citation.also else ""
    return (
        f'<li><button type="button" class="row" {_card(citation, f"{number}.list.{citation.marker}")}>'
        f'<span class="cite">{citation.marker}</span><span class="name" dir="auto">{escape(citation.title)}</span>'
        f'<span class="facts">{escape(facts)}</span>{also}</button></li>'
    )


def _card(citation: Citation, key: str) -> str:
    """What the page's script needs to show a citation: where it is, and what the hover card says."""
    facts = place_and_time(citation)
    quote = " ".join(citation.quote.split())
    if len(quote) > _CARD_QUOTE:
        quote = f"{quote[: _CARD_QUOTE - 1]}…"
    return (
        f'{place(citation.document_id, citation.start, citation.end)} data-key="{escape(key)}" '
        f'data-title="{escape(citation.title)}" data-facts="{escape(facts)}" '
        f'data-quote="{escape(quote)}"'
    )


def _abstention(answer: Answer, number: int, titles: Mapping[str, str]) -> str:
    lead, _, rest = abstention_lead(answer).partition(": ")
    known = "".join(f"<li><span>{label}</span><span>{text}</span></li>" for label, text in _not_searched(answer))
    facts = f'<ul class="known" aria-label="What else is known">{known}</ul>' if known else ""
    rows = "".join(_nearest(hit, f"{number}.near.{hit.rank}", titles) for hit in answer.hits[:_NEAREST])
    near = f'<h3>Nearest passages</h3><ul class="nearest">{rows}</ul>' if rows else ""
    return (
        f'<div class="answer abstained"><p class="lead"><span class="sign" aria-hidden="true">∅</span>'
        f"<span><b>{escape(lead)}.</b> {escape(rest[:1].upper() + rest[1:])}</span></p>{facts}{near}</div>"
    )


def _not_searched(answer: Answer) -> list[tuple[str, str]]:
    """What an abstention adds to its first sentence, as pairs of a label and HTML."""
    facts = []
    if answer.unknown_terms:
        facts.append(("Found nowhere", ", ".join(f"<b>{escape(term)}</b>" for term in answer.unknown_terms)))
    if answer.undated:
        count = f"{answer.undated:,} document" + ("" if answer.undated == 1 else "s")
        facts.append(("Left out", f"{count} without a date"))
    if answer.unread:
        more = answer.unread_count - len(answer.unread)
        names = ", ".join(escape(name) for name in answer.unread)
        facts.append(("Not readable", f"{names} and {more:,} more" if more > 0 else names))
    return facts


def _nearest(hit: Hit, key: str, titles: Mapping[str, str]) -> str:
    passage = hit.passage
    text = " ".join(passage.text.split())
    title = titles.get(passage.document_id, "A document no longer in the library")
    return (
        f'<li><button type="button" {place(passage.document_id, passage.start, passage.end)} data-key="{escape(key)}">'
        f'<span class="name" dir="auto">{escape(title)}{_and_page(passage.page)}</span>'
        f'<span class="extract" dir="auto">{escape(text[:240])}</span></button></li>'
    )


def place(document_id: str, start: int, end: int) -> str:
    """Write the attributes by which the page's script opens a document at a stretch of its text."""
    return f'data-document="{escape(document_id)}" data-start="{start:d}" data-end="{end:d}"'


def place_and_time(citation: Citation) -> str:
    """Write a citation's date and page as "24 Apr 2026 · p. 2"; empty if there is neither."""
    return " · ".join(part for part in (written_date(citation.published), citation.page_name) if part)


def written_date(day: date | None) -> str:
    """Write a date as "24 Apr 2026"; empty if there is none."""
    return f"{day.day} {day:%b %Y}" if day else ""


def _and_page(page: int | None) -> str:
    return f", page {page}" if page else ""


def render_library(documents: Sequence[DocumentInfo]) -> str:
    """Draw the list of documents, in the order of their dates."""
    ordered = sorted(documents, key=lambda d: (d.published is None, d.published or date.min, d.title))
    rows = "".join(
        f'<li><button type="button" {place(d.id, 0, 0)} data-key="library.{escape(d.id)}">'
        f'<span class="kind">{KINDS.get(d.media_type, "DOC")}</span>'
        f'<span class="name" dir="auto">{escape(d.title)}</span>'
        f'<span class="facts">{escape(_facts(d))}</span></button></li>'
        for d in ordered
    )
    return f'<h2>Library <span class="count">{len(documents)}</span></h2>' + (
        f'<ul class="documents">{rows}</ul>' if rows else '<p class="none">Nothing here yet.</p>'
    )


def _facts(document: DocumentInfo) -> str:
    """Date, tags, and that it is found by its words only so far."""
    facts = [written_date(document.published) or "No date", *document.tags[:3]]
    return " · ".join([*facts, "words only"] if document.pending else facts)


def render_outcomes(outcomes: Sequence[Outcome]) -> str:
    """Draw what came of each uploaded file; a failure with its reason and remedy."""
    rows = []
    for outcome in outcomes:
        sign, word = _OUTCOMES[outcome.state]
        detail = "".join(f"<small>{escape(line)}</small>" for line in outcome.details)
        rows.append(
            f'<li class="{outcome.state}"><span class="sign" aria-hidden="true">{sign}</span>'
            f'<span><b dir="auto">{escape(outcome.name)}</b> {word}{detail}</span></li>'
        )
    return f'<ul class="outcomes" role="status" aria-label="Added files">{"".join(rows)}</ul>' if rows else ""
