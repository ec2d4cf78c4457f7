"""Runs and comparisons as text: for a terminal, and as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.comparison import Comparison, Side
from eval.summary import Usage, about_metric, group_of
from eval.types import Case, Output, Report, Score, Summary
from rag.types import Tokens

_WIDTH = 32
_SHOWN_CHANGES = 20


def format_report(report: Report) -> str:
    """A run: one metric a line with its figure, its 95% interval and the number of cases it applies to."""
    lines = [f"{report.cases} cases, {report.asked} asked, {report.errors} errors"]
    group = ""
    for s in (s for s in report.summaries if s.cases or s.errors):
        if group_of(s.metric) != group:
            group = group_of(s.metric)
            lines += [
                "",
                f"{group:<{_WIDTH}} {'value':>6}  {'95% interval':<14} {'cases':>5}  {'n/a':>4}  {'errors':>6}",
            ]
        counts = f"{s.cases:>5}  {s.not_applicable:>4}  {s.errors:>6}"
        lines.append(f"{s.metric:<{_WIDTH}} {_number(s.value):>6}  {interval(s):<14} {counts}")
    silent = [s.metric for s in report.summaries if not s.cases and not s.errors]
    if silent:
        lines += ["", f"no case has: {', '.join(silent)}"]
    lines += [f"error in {case}: {reason}" for case, reason in report.failures]
    return "\n".join(lines)


def format_usage(usage: Usage) -> str:
    """What a run cost, in a line."""
    parts = []
    if usage.p50 is not None and usage.p95 is not None and usage.p99 is not None:
        parts.append(f"seconds a case: median {usage.p50:.2f}, 95% under {usage.p95:.2f}, 99% under {usage.p99:.2f}")
    if usage.memory_mb is not None:
        parts.append(f"memory at most {usage.memory_mb:,.0f} MB")
    if usage.tokens is not None:
        parts.append(format_tokens(usage.tokens))
    if usage.cost is not None:
        parts.append(f"cost {usage.cost:.4f}")
    return "; ".join(parts)


def format_tokens(tokens: Tokens) -> str:
    """What a language model read and wrote; "about" if the server did not say."""
    about = "" if tokens.exact else "about "
    return f"{about}{tokens.total:,} tokens ({tokens.prompt:,} read, {tokens.completion:,} written)"


def format_slices(reports: Mapping[str, Report], metrics: Sequence[str]) -> str:
    """Metrics by slice: one slice a line."""
    width = max(map(len, reports), default=0)
    lines = [f"{'':<{width}}  cases  " + "  ".join(metrics)]
    for name, report in reports.items():
        cells = "  ".join(f"{_number(report.value(m)):>{len(m)}}" for m in metrics)
        lines.append(f"{name:<{width}}  {report.cases:>5}  {cells}")
    return "\n".join(lines)


def format_differences(found: Comparison, alpha: float) -> str:
    """The metrics of a comparison, one a line."""
    head = f"{'metric':<{_WIDTH}} {'A':>6} {'B':>6} {'B − A':>7}  {'95% interval':<16} {'p':>6} "
    lines = [f"{head}{'Holm':>6} {'least':>6} {'cases':>5}"]
    for d in found.differences:
        span = f"{d.low:+.3f} … {d.high:+.3f}" if d.low is not None and d.high is not None else ""
        mark = ("  better" if d.better else "  worse") if d.differs(alpha) else ""
        lines.append(
            f"{d.metric:<{_WIDTH}} {d.a:>6.3f} {d.b:>6.3f} {d.difference:>+7.3f}  {span:<16} {d.p:>6.3f} "
            f"{d.adjusted:>6.3f} {_number(d.detectable):>6} {d.pairs:>5}{mark}"
        )
    return "\n".join(lines)


def format_comparison(found: Comparison, alpha: float) -> str:
    """A comparison: metrics, what the set could have shown, and the cases that changed most."""
    lines = [f"{name}: {_side(side)}" for name, side in (("A", found.a), ("B", found.b))]
    if found.rewritten:
        lines.append(gap_text(found))
    lines += ["", format_differences(found, alpha)]
    lines += [
        "",
        f"Paired over cases, {found.clusters} conversations. “better”, “worse”: B, if Holm's p is at most {alpha:g}.",
        "least: the smallest true difference that would be found so in 4 of 5 such comparisons of "
        f"{len(found.differences)} metrics.",
    ]
    unpaired = {d.metric: d.unpaired for d in found.differences if d.unpaired}
    if unpaired:
        worst = max(unpaired, key=lambda m: unpaired[m])
        lines.append(f"Left out where only one run has a value: up to {unpaired[worst]} cases ({worst}).")
    for name, ids in (("Only in A", found.only_a), ("Only in B", found.only_b), ("Failed in one", found.failed)):
        if ids:
            lines.append(f"{name}: {len(ids)} cases, such as {', '.join(ids[:5])}.")
    if found.changes:
        cases = len({c.case for c in found.changes})
        lines += ["", f"{cases} cases changed; the largest changes:"]
        lines += [f"  {c.case}  {c.metric}  {c.before:.3f} → {c.after:.3f}" for c in found.changes[:_SHOWN_CHANGES]]
    return "\n".join(lines)


def gap_text(found: Comparison) -> str:
    """What a comparison with a run over the human rewrites shows."""
    difference = "B − A" if found.rewritten == "b" else "A − B"
    return (
        f"{found.rewritten.upper()} was asked what people wrote to stand alone, the other run the questions as typed: "
        f"{difference} is the gap to the human rewrite."
    )


def _side(side: Side) -> str:
    took = format_usage(side.usage)
    asked = ", asked the human rewrites" if side.asked == "rewrite" else ""
    return f"{side.path}, {side.system}{asked}" + (f"\n   {took}" if took else "")


def format_case(case: Case, output: Output | None, scores: Sequence[Score]) -> str:
    """One case in full."""
    lines = [f"case {case.id}" + (f"  ({', '.join(case.tags)})" if case.tags else "")]
    for question, answer in case.history:
        lines += [f"  earlier: {question}", f"           {answer}"]
    lines += [f"  question: {case.question}", f"  answerable: {'yes' if case.answerable else 'no'}"]
    lines += [f"  reference: {r}" for r in case.references]
    lines += [f"  evidence: {e.source} {e.start}–{e.end} “{' '.join(e.quote.split())}”" for e in case.evidence]
    lines.append("")
    lines += _output_lines(output)
    lines.append("")
    for s in scores:
        said = f"{s.value:.3f}" if s.value is not None else f"{s.state}: {s.reason}"
        lines.append(f"  {s.metric:<{_WIDTH}} {said}")
    return "\n".join(lines)


def _output_lines(output: Output | None) -> list[str]:
    if output is None:
        return ["  not asked yet"]
    if output.answer is None:
        return [f"  error after {output.seconds:.2f} s: {output.error}"]
    answer = output.answer
    took = f"; {format_tokens(output.tokens)}" if output.tokens is not None else ""
    lines = [f"  answer ({output.seconds:.2f} s, {answer.model}{took}): {answer.text}"]
    for n, c in enumerate(answer.citations):
        state = output.found[n] if n < len(output.found) else "not looked up"
        lines.append(f"  [{c.marker}] {c.source} {c.start}–{c.end} {state} “{' '.join(c.quote.split())}”")
    for s in answer.statements:
        lines.append(f"  {s.verdict} ({s.support:.2f}) {s.text}" + (f" — {s.reason}" if s.reason else ""))
    for hit in answer.hits:
        source = output.sources.get(hit.passage.document_id, hit.passage.document_id)
        lines.append(f"  hit {hit.rank}: {source} {hit.passage.start}–{hit.passage.end}")
    return lines


def markdown_summary(
    reports: Mapping[str, Report], metrics: Sequence[str], floors: Mapping[str, float] | None = None
) -> str:
    """Runs side by side as a Markdown table, each figure with its interval.

    Args:
        reports: The runs, by the name of their column.
        metrics: The rows.
        floors: A last column, if given.
    """
    names = [*reports, *(["floor"] if floors is not None else [])]
    lines = [f"| metric | {' | '.join(names)} | what |", f"| --- |{' ---: |' * len(names)} --- |"]
    for metric in metrics:
        cells = []
        for report in reports.values():
            s = next((s for s in report.summaries if s.metric == metric), None)
            cells.append(
                "n/a"
                if s is None or s.value is None
                else unbroken(f"{s.value:.3f} ({interval(s)})")
                if s.low is not None
                else f"{s.value:.3f}"
            )
        if floors is not None:
            cells.append(f"{floors[metric]:.2f}" if metric in floors else "")
        lines.append(f"| {metric} | {' | '.join(cells)} | {about_metric(metric)} |")
    return "\n".join(lines)


def markdown_comparison(found: Comparison, names: tuple[str, str], alpha: float) -> str:
    """A comparison as a Markdown table; p is Holm's, and runs over the human rewrites are named as such."""
    a, b = (
        f"{name}, human rewrites" if side.asked == "rewrite" else name
        for name, side in zip(names, (found.a, found.b), strict=True)
    )
    lines = [
        f"| metric | {a} | {b} | difference | p | least | cases |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for d in found.differences:
        span = f" ({d.low:+.3f} to {d.high:+.3f})" if d.low is not None and d.high is not None else ""
        figure = f"**{d.difference:+.3f}**" if d.differs(alpha) else f"{d.difference:+.3f}"
        said = unbroken(f"{figure}{span}")
        lines.append(
            f"| {d.metric} | {d.a:.3f} | {d.b:.3f} | {said} | {d.adjusted:.3f} | {_number(d.detectable)} | {d.pairs} |"
        )
    return "\n".join(lines)


def unbroken(text: str) -> str:
    """A figure with its interval for a cell that is narrow: neither blanks nor dashes end a line."""
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("–", "–\N{WORD JOINER}")


def interval(s: Summary) -> str:
    """The interval of a figure, empty if it has none."""
    return f"{s.low:.3f}–{s.high:.3f}" if s.low is not None and s.high is not None else ""


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"
