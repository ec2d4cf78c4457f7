"""What stands under an answer, as HTML: what can be done with it, and how it came about. Pure; all is escaped, once."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from index.types import Hit
from rag.types import Answer
from ui.web.icons import icon
from ui.web.strings import count, say

_DIRECTIONS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])
_TOOLS = (
    ("copy", "copy", "turn.copy"),
    ("copy-markdown", "markdown", "turn.copy_markdown"),
    ("good", "good", "turn.good"),
    ("bad", "bad", "turn.bad"),
    ("ask-test", "test", "turn.test"),
)
_CHANGES = (("retry", "retry", "turn.retry"), ("ask-edit", "pencil", "turn.edit"))


def render_tools(answer: Answer, number: int, *, change: bool) -> str:
    """Draw what can be done with an answer: copy, rate, make a test, and while no other comes, try again and edit."""
    buttons = "".join(
        f'<button type="button" class="icon" data-act="{act}" data-turn="{number}" '
        f'data-question="{escape(answer.question)}" '
        f'aria-label="{escape(say(label))}" title="{escape(say(label))}">{icon(name)}</button>'
        for act, name, label in (*_TOOLS, *(_CHANGES if change else ()))
    )
    return f'<div class="tools-row" role="group" aria-label="{escape(say("turn.tools"))}">{buttons}</div>'


def render_why(answer: Answer, number: int, titles: Mapping[str, str]) -> str:
    """Draw how an answer came about: question as searched, what was found, how sure, by what, what it took; folded."""
    rows = [("why.question", f'<span dir="auto">{escape(answer.standalone_question)}</span>')]
    if answer.searched:
        rows.append(("why.searched", escape(count("why.searched.value", answer.searched))))
    hits = "".join(_found(hit, f"{number}.why.{hit.rank}", titles) for hit in answer.hits[:5])
    if hits:
        rows.append(("why.found", f'<ol class="found-list">{hits}</ol>'))
    confidence = say("why.confidence.value", n=round(100 * answer.confidence))
    rows += [("why.confidence", escape(confidence)), ("why.written", escape(answer.model))]
    if answer.timings:
        stages = " · ".join(f"{stage} {seconds:.2f} s" for stage, seconds in answer.timings)
        rows.append(("why.time", escape(stages)))
    if answer.tokens is not None:
        t = answer.tokens
        label = "why.tokens.exact" if t.exact else "why.tokens.counted"
        rows.append(("why.tokens", escape(say(label, prompt=t.prompt, completion=t.completion))))
    listed = "".join(f"<dt>{escape(say(label))}</dt><dd>{value}</dd>" for label, value in rows)
    return (
        f'<details class="why" data-why="{number}"><summary>{escape(say("why"))}</summary><dl>{listed}</dl></details>'
    )


def _found(hit: Hit, key: str, titles: Mapping[str, str]) -> str:
    passage = hit.passage
    ranks = [
        say(f"why.{name}", rank=rank)
        for name, rank in (("dense", hit.signals.dense_rank), ("lexical", hit.signals.lexical_rank))
        if rank is not None
    ]
    title = plain(titles.get(passage.document_id, "")) or say("none.gone")
    where = " › ".join(plain(part) for part in passage.heading.split(" › ") if part)
    return (
        f'<li><button type="button" {place(passage.document_id, passage.start, passage.end)} data-key="{escape(key)}">'
        f'<span class="name" dir="auto">{escape(title)}{and_page(passage.page)}</span>'
        f'<span class="facts" dir="auto">{escape(" · ".join(part for part in (where, *ranks) if part))}</span>'
        "</button></li>"
    )


def plain(text: str) -> str:
    """One line of a title or name without the signs that change the direction of writing, which could disguise it."""
    return " ".join(text.translate(_DIRECTIONS).split())


def place(document_id: str, start: int, end: int) -> str:
    """Write the attributes by which the page's script opens a document at a stretch of its text."""
    return f'data-document="{escape(document_id)}" data-start="{start:d}" data-end="{end:d}"'


def and_page(page: int | None) -> str:
    """Write ", page 2"; empty without a page."""
    return f", page {page}" if page else ""
