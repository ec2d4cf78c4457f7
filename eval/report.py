"""A report as a table for the terminal."""

from __future__ import annotations

from eval.types import Report


def format_report(report: Report) -> str:
    """Set a report as text: one metric a line with its mean and the number of cases it applies to."""
    lines = [f"{report.cases} cases, {report.errors} errors", ""]
    for s in report.summaries:
        value = f"{s.value:.3f}" if s.value is not None else "n/a"
        lines.append(f"{s.metric:<32} {value:>6}   n = {s.cases}")
    lines += [f"error in {case}: {reason}" for case, reason in report.failures]
    return "\n".join(lines)
