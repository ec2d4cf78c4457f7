"""The library pane as HTML: documents, uploads, conversations. Pure; everything from outside is escaped, once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from html import escape
from typing import TYPE_CHECKING

from index.types import ConversationInfo, DocumentInfo
from ui.web.icons import icon
from ui.web.render import KINDS, written_date
from ui.web.render_why import place, plain
from ui.web.strings import count, say

if TYPE_CHECKING:
    from ui.web.uploads import Outcome

_SHOWN = 300
_SIGNS = {"wait": "·", "reading": "…", "added": "✓", "replaced": "✓", "known": "=", "failed": "!"}


def render_library(
    documents: Sequence[DocumentInfo], *, may_add: bool = True, leaving: frozenset[str] = frozenset()
) -> str:
    """Draw the list of documents, in the order of their dates.

    Args:
        documents: What is in the library.
        may_add: Whether each has a button to remove it.
        leaving: Ids of documents that are about to be removed, and not listed any more.

    Returns:
        HTML; of a long list only the beginning.
    """
    ordered = [d for d in documents if d.id not in leaving]
    ordered.sort(key=lambda d: (d.published is None, d.published or date.min, d.title))
    rows = "".join(_document(d, may_add) for d in ordered[:_SHOWN])
    more = len(ordered) - _SHOWN
    rest = f'<p class="none">{escape(say("docs.more", n=more))}</p>' if more > 0 else ""
    about = "" if may_add else f'<p class="none read-only">{escape(say("docs.read_only"))}</p>'
    head = f'<h2>{escape(say("tab.documents"))} <span class="count">{len(ordered)}</span></h2>'
    return f"{head}{about}" + (
        f'<ul class="documents">{rows}</ul>{rest}' if rows else f'<p class="none">{escape(say("docs.none"))}</p>'
    )


def _document(d: DocumentInfo, may_add: bool) -> str:
    title = plain(d.title)
    choose = (
        f'<input type="checkbox" data-choose="{escape(d.id)}" aria-label="{escape(say("docs.choose", title=title))}">'
    )
    tags = "".join(
        f'<button type="button" class="tag" data-act="tag" data-tag="{escape(tag)}" '
        f'title="{escape(say("docs.tag", tag=plain(tag)))}">{escape(plain(tag))}</button>'
        for tag in d.tags[:3]
    )
    remove = _button("remove", "trash", say("docs.remove", title=title), document=d.id) if may_add else ""
    return (
        f'<li>{choose}<button type="button" class="open" {place(d.id, 0, 0)} data-key="library.{escape(d.id)}">'
        f'<span class="kind">{KINDS.get(d.media_type, "DOC")}</span>'
        f'<span class="name" dir="auto">{escape(title)}</span>'
        f'<span class="facts">{escape(_facts(d))}</span></button>{remove}'
        f'{f"""<span class="tags">{tags}</span>""" if tags else ""}</li>'
    )


def _facts(d: DocumentInfo) -> str:
    """Date, size, and that it is found by its words only so far."""
    size = count("docs.pages", d.pages) if d.pages else say("docs.characters", n=_short(d.characters))
    facts = [written_date(d.published) or say("docs.no_date"), size]
    return " · ".join([*facts, say("docs.words_only")] if d.pending else facts)


def _short(number: int) -> str:
    return f"{number:,}" if number < 10_000 else f"{number / 1_000:,.0f}k"


def _button(act: str, name: str, label: str, **data: str) -> str:
    values = "".join(f' data-{key}="{escape(value)}"' for key, value in data.items())
    return (
        f'<button type="button" class="icon" data-act="{act}"{values} aria-label="{escape(label)}" '
        f'title="{escape(label)}">{icon(name)}</button>'
    )


def render_outcomes(outcomes: Sequence[Outcome]) -> str:
    """Draw what came of each uploaded file; a failure with its reason and remedy."""
    rows = []
    for outcome in outcomes:
        detail = "".join(f"<small>{escape(line)}</small>" for line in outcome.details)
        rows.append(
            f'<li class="{outcome.state}"><span class="sign" aria-hidden="true">{_SIGNS[outcome.state]}</span>'
            f'<span><b dir="auto">{escape(plain(outcome.name))}</b> {escape(say(f"upload.{outcome.state}"))}{detail}'
            "</span></li>"
        )
    label = escape(say("upload.list"))
    return f'<ul class="outcomes" aria-label="{label}">{"".join(rows)}</ul>' if rows else ""


def render_talks(
    talks: Sequence[ConversationInfo], current: str = "", query: str = "", now: datetime | None = None
) -> str:
    """Draw the list of conversations.

    Args:
        talks: The conversations, the newest first.
        current: Id of the one that is open.
        query: What was searched; says why the list is empty.
        now: Decides whether a day or a time of day is shown.

    Returns:
        HTML.
    """
    if not talks:
        return f'<p class="none">{escape(say("talks.no_match" if query.strip() else "talks.none"))}</p>'
    rows = []
    for talk in talks[:_SHOWN]:
        title = plain(talk.title) or say("talks.untitled")
        here = ' aria-current="true"' if talk.id == current else ""
        facts = f"{_when(talk.updated, now)} · {count('talks.turns', talk.turns)}"
        rows.append(
            f'<li{here}><button type="button" class="open" data-act="resume" data-id="{escape(talk.id)}">'
            f'<span class="name" dir="auto">{escape(title)}</span><span class="facts">{escape(facts)}</span></button>'
            f"{_button('ask-rename', 'pencil', say('talks.rename', title=title), id=talk.id)}"
            f"{_button('delete', 'trash', say('talks.delete', title=title), id=talk.id)}</li>"
        )
    more = len(talks) - _SHOWN
    rest = f'<p class="none">{escape(say("docs.more", n=more))}</p>' if more > 0 else ""
    return f'<ul class="talks">{"".join(rows)}</ul>{rest}'


def _when(moment: datetime, now: datetime | None) -> str:
    local = moment.astimezone()
    today = (now or datetime.now().astimezone()).date()
    return f"{local:%H:%M}" if local.date() == today else written_date(local.date())


def title_filter(text: str) -> str:
    """Turn what was typed into a filter: words without any condition are looked for in titles."""
    text = text.strip()
    if not text or re.search(r"[=<>]", text):
        return text
    return " ".join('title="{}"'.format(word.replace('"', '""')) for word in text.split())
