"""Plots as SVG text, drawn by hand: what a report needs and nothing else. Colours come from the style sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from eval.types import Report

_W, _H, _L, _R, _B = 420, 240, 44, 22, 34  # width and height, room on the left, on the right and below


def interval_plot(value: float | None, low: float | None, high: float | None) -> str:
    """A figure from 0 to 1 as a dot on a line, with its interval as a bar."""
    if value is None or not 0 <= value <= 1:
        return ""
    x = 4 + 152 * value
    span = ""
    if low is not None and high is not None:
        a, b = (4 + 152 * min(max(v, 0.0), 1.0) for v in (low, high))
        span = f'<rect class="span" x="{a:.1f}" y="6" width="{max(b - a, 1):.1f}" height="4" rx="2"/>'
    return (
        '<svg width="160" height="16" viewBox="0 0 160 16" aria-hidden="true">'
        '<line class="axis" x1="4" y1="8" x2="156" y2="8"/>'
        f'{span}<circle class="dot" cx="{x:.1f}" cy="8" r="3.5"/></svg>'
    )


def risk_plot(cases: Sequence[tuple[float, float]]) -> str:
    """The risk–coverage curve of `(confidence, wrong)` pairs."""
    import numpy as np

    from eval.abstention import risk_coverage

    confidence, wrong = (np.array([c[k] for c in cases], dtype=float) for k in (0, 1))
    coverage, risk = risk_coverage(confidence, wrong)
    top = max(float(risk.max()), float(wrong.mean())) * 1.1 or 1.0
    points = " ".join(f"{_x(c):.1f},{_y(r / top):.1f}" for c, r in zip(coverage, risk, strict=True))
    base = _y(float(wrong.mean()) / top)
    return _frame(
        f'<line class="base" x1="{_L}" y1="{base:.1f}" x2="{_W - _R}" y2="{base:.1f}"/>'
        f'<polyline class="curve" points="{points}"/>',
        [(0.0, "0"), (0.5, "0.5"), (1.0, "1")],
        [(0.0, "0"), (0.5, f"{top / 2:.2f}"), (1.0, f"{top:.2f}")],
        "coverage",
    )


def seconds_plot(seconds: Sequence[float]) -> str:
    """A histogram in 20 bars, up to the 99th percentile; what took longer is in the last bar."""
    ordered = sorted(seconds)
    top = max(ordered[min(int(0.99 * len(ordered)), len(ordered) - 1)], 1e-6)
    counts = [0] * 20
    for value in ordered:
        counts[min(int(20 * value / top), 19)] += 1
    width = (_W - _L - _R) / 20
    bars = "".join(
        f'<rect class="bar" x="{_L + n * width + 1:.1f}" y="{_y(c / max(counts)):.1f}" width="{width - 2:.1f}" '
        f'height="{_H - _B - _y(c / max(counts)):.1f}"/>'
        for n, c in enumerate(counts)
    )
    marks = [(0.0, "0"), (0.5, f"{top / 2:.2f}"), (1.0, f"{top:.2f}")]
    return _frame(bars, marks, [(0.0, "0"), (1.0, str(max(counts)))], "seconds")


def depth_plot(reports: Mapping[str, Report], metrics: Sequence[str]) -> str:
    """Metrics by turn, with intervals; one kind of mark a metric."""
    marks = []
    names = list(reports)
    for k, metric in enumerate(metrics):
        for n, report in enumerate(reports.values()):
            s = next((s for s in report.summaries if s.metric == metric), None)
            if s is None or s.value is None:
                continue
            x = _x((n + 0.5) / len(names)) + 14 * (k - (len(metrics) - 1) / 2)
            if s.low is not None and s.high is not None:
                marks.append(
                    f'<line class="whisker k{k}" x1="{x:.1f}" y1="{_y(s.low):.1f}" x2="{x:.1f}" y2="{_y(s.high):.1f}"/>'
                )
            marks.append(f'<circle class="k{k}" cx="{x:.1f}" cy="{_y(s.value):.1f}" r="4"/>')
    short = [name.replace(" and later", "+") for name in names]
    counts = [report.cases for report in reports.values()]
    ticks = [((n + 0.5) / len(names), f"{name} ({counts[n]})") for n, name in enumerate(short)]
    legend = "".join(f'<span class="key"><i class="k{k}"></i>{escape(m)}</span>' for k, m in enumerate(metrics))
    return _frame("".join(marks), ticks, [(0.0, "0"), (0.5, "0.5"), (1.0, "1")], "") + f"<p>{legend}</p>"


def _x(share: float) -> float:
    return _L + share * (_W - _L - _R)


def _y(share: float) -> float:
    return (_H - _B) - min(max(share, 0.0), 1.0) * (_H - _B - 12)


def _frame(inside: str, across: Sequence[tuple[float, str]], up: Sequence[tuple[float, str]], label: str) -> str:
    grid = "".join(f'<line class="grid" x1="{_L}" y1="{_y(v):.1f}" x2="{_W - _R}" y2="{_y(v):.1f}"/>' for v, _ in up)
    texts = "".join(f'<text x="{_L - 6}" y="{_y(v) + 4:.1f}" text-anchor="end">{escape(t)}</text>' for v, t in up)
    texts += "".join(
        f'<text x="{_x(v):.1f}" y="{_H - _B + 15}" text-anchor="middle">{escape(t)}</text>' for v, t in across
    )
    if label:
        texts += f'<text class="label" x="{_x(0.5):.1f}" y="{_H - 4}" text-anchor="middle">{escape(label)}</text>'
    return f'<svg viewBox="0 0 {_W} {_H}" role="img">{grid}{inside}{texts}</svg>'
