"""How far reading and embedding are, what came of them, and what a filter does, as HTML; everything is escaped."""

from __future__ import annotations

from html import escape

from index.types import AddReport, Failure
from ui.web.strings import say
from ui.web.work import State, summary

_FAILURES = 50


def render_status(state: State, pending: int, passages: int, last: AddReport | None) -> str:
    """Draw the state of the library.

    Args:
        state: Of the background work.
        pending: Passages without a vector.
        passages: All passages.
        last: The latest report, if there is one.

    Returns:
        HTML: a line with a bar while there is work, what went wrong, and the report to unfold.
    """
    parts = []
    if state.problem is not None:
        message, remedy = state.problem
        parts.append(f'<p class="problem" role="alert">{escape(message)}<small>{escape(remedy)}</small></p>')
    if state.busy and state.step is not None and state.step.stage == "read":
        step = state.step
        told = say("status.read_of" if step.total else "status.read", n=step.done, total=step.total)
        parts.append(_line(told, step.done, step.total))
    elif pending:
        done = passages - pending
        text = say("status.embed" if state.busy else "status.wait", n=done, total=passages)
        parts.append(_line(text, done, passages))
    elif state.busy and state.step is None:
        parts.append(f'<p class="work" role="status">{escape(say("status.look"))}</p>')
    if last is not None and (last.added or last.updated or last.failed):
        parts.append(_report(last))
    return "".join(parts)


def _line(text: str, done: int, total: int) -> str:
    bar = f'<progress max="{total:d}" value="{done:d}" aria-label="{escape(text)}"></progress>' if total else ""
    return f'<p class="work" role="status">{escape(text)}{bar}</p>'


def _report(report: AddReport) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in summary(report))
    failed = "".join(_failure(failure) for failure in report.failed[:_FAILURES])
    more = len(report.failed) - _FAILURES
    rest = f"<li>{escape(say('status.more', n=more))}</li>" if more > 0 else ""
    word = f" · {say('status.failed', n=len(report.failed))}" if report.failed else ""
    title = escape(say("status.report") + word)
    return f'<details class="report"><summary>{title}</summary><ul>{lines}{failed}{rest}</ul></details>'


def _failure(failure: Failure) -> str:
    name = failure.source.replace("\\", "/").rsplit("/", 1)[-1]
    return (
        f'<li class="failed"><b dir="auto">{escape(name)}</b>'
        f"<small>{escape(failure.message)}</small><small>{escape(failure.remedy)}</small></li>"
    )


def render_filter_note(chosen: int, documents: int, problem: tuple[str, str] | None = None) -> str:
    """Draw what a filter does: how many documents questions are asked of, or why it means nothing.

    Args:
        chosen: Documents it lets through.
        documents: All documents; -1 without a filter.
        problem: Message and remedy, if it cannot be understood.
    """
    if problem is not None:
        return f'<p class="problem" role="alert">{escape(problem[0])}<small>{escape(problem[1])}</small></p>'
    if documents < 0:
        return ""
    return f'<p class="work" role="status">{escape(say("filter.only", n=chosen, count=documents))}</p>'
