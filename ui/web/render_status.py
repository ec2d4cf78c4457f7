"""How far reading and embedding are, what came of them, and what a filter does, as HTML; everything is escaped."""

from __future__ import annotations

from html import escape

from index.types import AddReport, Failure
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
        total = f" of {state.step.total:,}" if state.step.total else ""
        parts.append(_line(f"Reading: {state.step.done:,}{total} files", state.step.done, state.step.total))
    elif pending:
        done = passages - pending
        doing = "Making vectors" if state.busy else "Waiting for vectors"
        text = f"{doing}: {done:,} of {passages:,} passages. The others are found by their words already."
        parts.append(_line(text, done, passages))
    elif state.busy and state.step is None:
        parts.append('<p class="work" role="status">Looking for files …</p>')
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
    rest = f"<li>… and {more:,} more: dossier report lists them.</li>" if more > 0 else ""
    word = f" · {len(report.failed):,} failed" if report.failed else ""
    return f'<details class="report"><summary>Last report{word}</summary><ul>{lines}{failed}{rest}</ul></details>'


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
    return f'<p class="work" role="status">Asking only {chosen:,} of {documents:,} documents.</p>'
