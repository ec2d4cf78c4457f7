"""Conversations and the library as HTML. Pure functions; everything from outside is escaped here, once.

What these functions return goes into the page as it is, so the only markup in it is the markup written below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from html import escape
from typing import Literal

from index.parse import FORMATS
from index.types import Hit
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
from ui.web.render_why import and_page, place, plain, render_tools, render_why
from ui.web.strings import count, say

KINDS = {form.media_type: form.suffixes[0].lstrip(".").upper() for form in FORMATS}
"""What a kind of document is called in the list: the usual ending of its files."""
_VERDICTS = {"supported": "✓", "weak": "≈", "unsupported": "!"}
_NEAREST = 3
_GLUE = "\u2060"  # word joiner: no line begins with a marker
_CARD_QUOTE = 400


@dataclass(frozen=True, slots=True)
class View:
    """What a drawing of a conversation depends on besides its turns.

    `documents` counts those of the library; 0 gives the first-run hint. `titles` are those of documents named in a
    nearest passage, by id. `suggestions` are questions for the end of it. `may_add` says whether the person may add
    documents, `samples` whether there are samples to load. `shared_by` is the person whose conversation this is a copy
    of, `kept` the id of a copy that keeps it as it was before a turn was replaced.
    """

    documents: int = 1
    titles: Mapping[str, str] = field(default_factory=dict)
    suggestions: Sequence[str] = ()
    may_add: bool = True
    samples: bool = False
    shared_by: str = ""
    kept: str = ""


def render_conversation(conversation: Conversation, pending: str = "", view: View | None = None) -> str:
    """Draw a whole conversation.

    Args:
        conversation: The turns so far.
        pending: HTML of a turn that is not part of it: still being answered, stopped or failed.
        view: What else it depends on.

    Returns:
        HTML.
    """
    view = view or View()
    if not conversation.turns and not pending:
        return _welcome(view)
    turns = "".join(
        render_turn(turn, number, view.titles, change=not pending) for number, turn in enumerate(conversation.turns)
    )
    more = "" if pending else render_suggestions(view.suggestions, say("suggest.next"))
    label = escape(say("answer.log"))
    inside = f'{_shared(view.shared_by)}{turns}{pending}{_kept(view.kept)}<div id="next">{more}</div>'
    return f'<div role="log" aria-label="{label}" tabindex="-1">{inside}</div>'


def _shared(name: str) -> str:
    """Say whose conversation this is a copy of."""
    sign = '<span class="sign" aria-hidden="true">⧉</span>'
    told = escape(say("answer.shared", name=name))
    return f'<p class="aside shared">{sign}<span>{told}</span></p>' if name else ""


def _kept(name: str) -> str:
    """Say that the conversation as it was is still there, with a way to it."""
    if not name:
        return ""
    button = (
        f'<button type="button" class="small" data-act="resume" data-id="{escape(name)}">'
        f"{escape(say('answer.kept.open'))}</button>"
    )
    sign = '<span class="sign" aria-hidden="true">↶</span>'
    return f'<p class="aside kept" role="status">{sign}<span>{escape(say("answer.kept"))}</span> {button}</p>'


def _welcome(view: View) -> str:
    if view.documents == 0:
        text = say("first.text") if view.may_add else say("first.reader")
        button = (
            f'<p><button type="button" class="primary" data-act="samples">{escape(say("first.samples"))}</button>'
            f"<small>{escape(say('first.samples.about'))}</small></p>"
            if view.samples and view.may_add
            else ""
        )
        title = escape(say("first.title"))
        return f'<div class="welcome"><h1>{title}</h1><p>{escape(text)}</p>{button}</div>'
    sample = '<span class="cite sample">1</span>'
    told = sample.join(escape(part) for part in say("start.text", n="\0").split("\0"))
    more = render_suggestions(view.suggestions, say("suggest.start"))
    title = escape(count("start.title", view.documents))
    return f'<div class="welcome"><h1>{title}</h1><p>{told}</p><div id="next">{more}</div></div>'


def render_suggestions(questions: Sequence[str], title: str) -> str:
    """Draw questions to choose from; nothing if there are none."""
    if not questions:
        return ""
    rows = "".join(
        f'<li><button type="button" data-act="say" data-question="{escape(q)}" dir="auto">{escape(q)}</button></li>'
        for q in questions
    )
    return f'<section class="suggested"><h3>{escape(title)}</h3><ul>{rows}</ul></section>'


def render_turn(turn: Turn, number: int, titles: Mapping[str, str], *, change: bool = False) -> str:
    """Draw one question and its answer.

    Args:
        turn: The turn.
        number: Its place in the conversation, from 0.
        titles: Titles of documents by id.
        change: Whether it can be tried again and edited.
    """
    if turn.answer is None:
        body = f'<div class="answer"><p dir="auto">{escape(turn.text)}</p></div>'
    elif turn.answer.abstained:
        lead = f"{_notice(turn.answer)}{_searched_for(turn.answer)}"
        body = f"{lead}{_abstention(turn.answer, number, titles)}"
    else:
        body = _answer(turn.answer, number)
    after = render_tools(turn.answer, number, change=change) if turn.answer is not None else ""
    searched = turn.answer is not None and (turn.answer.statements or turn.answer.abstained)
    why = render_why(turn.answer, number, titles) if turn.answer is not None and searched else ""
    return _turn(turn.question, f"{body}{after}{why}")


def render_pending(
    question: str,
    statements: Sequence[Statement],
    citations: Sequence[Citation],
    number: int,
    state: Literal["reading", "waiting", "stopped", "interrupted"] = "reading",
) -> str:
    """Draw a turn whose answer is still coming, was stopped on its way, or broken off by the end of the server."""
    said = _statements(statements, citations, number)
    told = escape(say(f"answer.{state}"))
    if state == "interrupted":
        again = (
            f'<button type="button" class="small" data-act="say" data-question="{escape(question)}">'
            f"{escape(say('answer.ask_again'))}</button>"
        )
        sign = '<span class="sign" aria-hidden="true">⚠</span>'
        after = f'<p class="aside interrupted" role="status">{sign}{told} {again}</p>'
    elif state == "stopped":
        after = f'<p class="aside" role="status">{told}</p>'
    else:
        after = f'<p class="waiting" role="status">{told}<span class="dots" aria-hidden="true">…</span></p>'
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
    differing = "".join(_disagreement(d, answer.citations, f"{number}.{i}") for i, d in enumerate(answer.disagreements))
    rows = "".join(_source_row(citation, number) for citation in answer.citations)
    sources = f'<ol class="sources" aria-label="{escape(say("answer.sources"))}">{rows}</ol>' if rows else ""
    lead = f"{_notice(answer)}{_searched_for(answer)}{_as_of(answer)}{_reply(answer)}"
    return f'<div class="answer">{lead}{said}{differing}{sources}</div>'


def _notice(answer: Answer) -> str:
    """Say how the answer came about otherwise than it should, if it did."""
    notice = answer.notice
    sign = '<span class="sign" aria-hidden="true">⚠</span>'
    return f'<p class="aside notice" role="note">{sign}{escape(notice)}</p>' if notice else ""


def _searched_for(answer: Answer) -> str:
    """Say what was searched for, if that is not what was typed."""
    if answer.standalone_question == answer.question:
        return ""
    return f'<p class="aside" dir="auto">{escape(say("answer.searched_for", question=answer.standalone_question))}</p>'


def _reply(answer: Answer) -> str:
    """Words that rest on no document: a greeting, or the question what is meant, with the choices as buttons."""
    reply = " ".join(text for text in (answer.reply, limited_text(answer.limited_to)) if text)
    options = "".join(
        f'<li><button type="button" data-act="say" data-question="{escape(option.text)}" dir="auto">'
        f"{escape(plain(option.text))}</button></li>"
        for option in answer.clarify
    )
    said = f'<p class="reply" dir="auto">{escape(reply)}</p>' if reply else ""
    label = escape(say("answer.clarify"))
    return f'{said}<ul class="clarify" aria-label="{label}">{options}</ul>' if options else said


def _as_of(answer: Answer) -> str:
    """Say that only documents published by a day were used, if that is so."""
    told = as_of_text(answer.as_of, answer.undated)
    return f'<p class="aside as-of"><span class="sign" aria-hidden="true">◷</span>{escape(told)}</p>' if told else ""


def _disagreement(disagreement: Disagreement, citations: Sequence[Citation], key: str) -> str:
    """Set the values on which documents disagree side by side, each with its source, date and marker."""
    by_marker = {citation.marker: citation for citation in citations}
    rows = "".join(
        _claim(claim, by_marker[claim.marker], f"{key}.differs.{at}") for at, claim in enumerate(disagreement.claims)
    )
    return (
        '<section class="differs"><h3><span class="sign" aria-hidden="true">≠</span>'
        f"{escape(say('answer.differs'))}</h3><ul>{rows}</ul></section>"
    )


def _claim(claim: Claim, citation: Citation, key: str) -> str:
    return (
        f'<li><button type="button" class="row" {_card(citation, key)}>'
        f'<b class="value" dir="auto">{escape(" ".join(claim.value.split()))}</b>'
        f'<span class="name" dir="auto">{escape(plain(citation.title))}</span>'
        f'<span class="facts">{escape(place_and_time(citation))}</span>'
        f'<span class="cite">{citation.marker}</span></button></li>'
    )


def _statements(statements: Sequence[Statement], citations: Sequence[Citation], number: int) -> str:
    by_marker = {citation.marker: citation for citation in citations}
    said = []
    for at, statement in enumerate(statements):
        markers = "".join(
            _marker(by_marker[marker], f"{number}.{at}.{marker}")
            for marker in statement.citations
            if marker in by_marker
        )
        grade = statement.verdict
        sign, meaning = _VERDICTS[grade], escape(say(f"verdict.{grade}"))
        word = "" if grade == "supported" else say(f"verdict.{grade}.word")
        verdict = (
            f'<span class="verdict {statement.verdict}" role="img" aria-label="{meaning}" title="{meaning}">'
            f"{sign}{f' {escape(word)}' if word else ''}</span>"
        )
        told = escape(say("answer.agreed", n=statement.sources))
        agreed = f'<span class="agreed">{told}</span>' if statement.sources > 1 else ""
        reason = f'<small class="reason">{escape(statement.reason)}</small>' if statement.reason else ""
        text = f'<span class="said {statement.verdict}">{_exact(statement)}</span>'
        marks = f'<span class="marks">{_GLUE}{markers}{verdict}{agreed}</span>'
        said.append(f'<p class="statement" dir="auto">{text}{marks}{reason}</p>')
    return "".join(said)


def _exact(statement: Statement) -> str:
    """A statement with its exact answer in bold."""
    if statement.highlight is None:
        return escape(statement.text)
    start, end = statement.highlight
    before, exact, after = statement.text[:start], statement.text[start:end], statement.text[end:]
    return f'{escape(before)}<b class="exact">{escape(exact)}</b>{escape(after)}'


def _marker(citation: Citation, key: str) -> str:
    form = "marker.page" if citation.page else "marker"
    label = say(form, n=citation.marker, title=plain(citation.title), page=citation.page)
    return (
        f'<button type="button" class="cite" {_card(citation, key)} aria-label="{escape(label)}">'
        f"{citation.marker}</button>"
    )


def _source_row(citation: Citation, number: int) -> str:
    facts = place_and_time(citation)
    told = escape(say("answer.also", titles="; ".join(map(plain, citation.also))))
    also = f'<small class="also" dir="auto">{told}</small>' if citation.also else ""
    return (
        f'<li><button type="button" class="row" {_card(citation, f"{number}.list.{citation.marker}")}>'
        f'<span class="cite">{citation.marker}</span>'
        f'<span class="name" dir="auto">{escape(plain(citation.title))}</span>'
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
        f'data-title="{escape(plain(citation.title))}" data-facts="{escape(facts)}" '
        f'data-quote="{escape(quote)}"'
    )


def _abstention(answer: Answer, number: int, titles: Mapping[str, str]) -> str:
    lead, _, rest = abstention_lead(answer).partition(": ")
    known = "".join(f"<li><span>{label}</span><span>{text}</span></li>" for label, text in _not_searched(answer))
    facts = f'<ul class="known" aria-label="{escape(say("none.known"))}">{known}</ul>' if known else ""
    rows = "".join(_nearest(hit, f"{number}.near.{hit.rank}", titles) for hit in answer.hits[:_NEAREST])
    near = f'<h3>{escape(say("none.nearest"))}</h3><ul class="nearest">{rows}</ul>' if rows else ""
    hints = "".join(f"<li>{escape(say(f'none.try.{what}'))}</li>" for what in ("words", "filter", "add"))
    attempts = f'<h3>{escape(say("none.try"))}</h3><ul class="hints">{hints}</ul>'
    return (
        f'<div class="answer abstained"><p class="lead"><span class="sign" aria-hidden="true">∅</span>'
        f"<span><b>{escape(lead)}.</b> {escape(rest[:1].upper() + rest[1:])}</span></p>{facts}{near}{attempts}</div>"
    )


def _not_searched(answer: Answer) -> list[tuple[str, str]]:
    """What an abstention adds to its first sentence, as pairs of a label and HTML."""
    facts = []
    if answer.unknown_terms:
        facts.append(
            (escape(say("none.nowhere")), ", ".join(f"<b>{escape(term)}</b>" for term in answer.unknown_terms))
        )
    if answer.undated:
        facts.append((escape(say("none.left_out")), escape(count("none.undated", answer.undated))))
    if answer.unread:
        more = answer.unread_count - len(answer.unread)
        names = ", ".join(map(plain, answer.unread))
        facts.append(
            (escape(say("none.unreadable")), escape(say("none.and_more", names=names, n=more) if more > 0 else names))
        )
    return facts


def _nearest(hit: Hit, key: str, titles: Mapping[str, str]) -> str:
    passage = hit.passage
    text = " ".join(passage.text.split())
    title = plain(titles.get(passage.document_id, "")) or say("none.gone")
    return (
        f'<li><button type="button" {place(passage.document_id, passage.start, passage.end)} data-key="{escape(key)}">'
        f'<span class="name" dir="auto">{escape(title)}{and_page(passage.page)}</span>'
        f'<span class="extract" dir="auto">{escape(text[:240])}</span></button></li>'
    )


def place_and_time(citation: Citation) -> str:
    """Write a citation's date and page as "24 Apr 2026 · p. 2"; empty if there is neither."""
    return " · ".join(part for part in (written_date(citation.published), citation.page_name) if part)


def written_date(day: date | None) -> str:
    """Write a date as "24 Apr 2026"; empty if there is none."""
    return f"{day.day} {day:%b %Y}" if day else ""
