"""The verbs `eval show`, `report`, `compare` and `gate`."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from index.errors import ConfigError
from ui.cli.evaluate import visible_lines
from ui.cli.terminal import print_json, say

if TYPE_CHECKING:
    from eval.comparison import Comparison


def eval_show(options: argparse.Namespace) -> int:
    """Print the figures of a run, or one case of it."""
    from eval.store import RunFolder
    from eval.summary import slices, summarise, usage
    from eval.table import format_report, format_slices, format_usage

    folder = RunFolder(options.dir)
    folder.about()
    if options.case is not None:
        return _show_case(folder, options)
    report = summarise(folder)
    known = [s.metric for s in report.summaries]
    _refuse_unknown(options.metrics, known)
    if options.by is not None:
        parts = {name: summarise(folder, ids) for name, ids in slices(folder.cards(), options.by).items()}
        metrics = options.metrics or [s.metric for s in report.summaries if s.cases and s.metric != "confidence"]
        if options.json:
            print_json({name: asdict(part) for name, part in parts.items()})
            return 0
        width = 6
        for start in range(0, len(metrics), width):
            print(
                format_slices(parts, metrics[start : start + width]),
                end="\n\n" if start + width < len(metrics) else "\n",
            )
        return 0
    if options.metrics:
        from dataclasses import replace

        report = replace(report, summaries=tuple(s for s in report.summaries if s.metric in options.metrics))
    if options.json:
        print_json({**asdict(report), "usage": asdict(usage(folder)), "about": _about(folder)})
    else:
        print(visible_lines(format_report(report)))
        print(f"\n{format_usage(usage(folder))}")
    return 0


def _about(folder: object) -> dict[str, object]:
    from eval.store import RunFolder

    assert isinstance(folder, RunFolder)
    return {name: value for name, value in folder.about().items() if name != "cases"}


def _show_case(folder: object, options: argparse.Namespace) -> int:
    from eval.cases import case_record
    from eval.records import output_record
    from eval.store import RunFolder
    from eval.table import format_case

    assert isinstance(folder, RunFolder)
    case = next((c for c in folder.cases() if c.id == options.case), None)
    if case is None:
        raise ConfigError(f"There is no case {options.case!r} in {folder.path}.", remedy="Its ids are in cases.jsonl.")
    output = folder.outputs().get(case.id)
    scores = [s for s in folder.scores() if s.case == case.id]
    if options.json:
        made = output_record(output) if output is not None else None
        print_json({"case": case_record(case), "output": made, "scores": [asdict(s) for s in scores]})
    else:
        print(visible_lines(format_case(case, output, scores)))
    return 0


def eval_report(options: argparse.Namespace) -> int:
    """Write a run as one HTML file."""
    from eval.html import write_report
    from eval.store import RunFolder

    folder = RunFolder(options.dir)
    out = options.out or options.dir / "report.html"
    write_report(folder, out)
    if options.json:
        print_json({"written": str(out)})
    else:
        print(out)
    return 0


def eval_compare(options: argparse.Namespace) -> int:
    """Print how two runs differ."""
    from eval.comparison import compare
    from eval.store import RunFolder
    from eval.summary import slices
    from eval.table import format_comparison, format_differences

    a, b = RunFolder(options.a), RunFolder(options.b)
    found = compare(a, b, metrics=options.metrics, alpha=options.alpha)
    parts = {}
    if options.by is not None:
        for name, ids in slices(a.cards(), options.by).items():
            if set(ids) & {c.id for c in b.cards()}:
                parts[name] = compare(a, b, metrics=options.metrics, alpha=options.alpha, keep=ids)
    if options.json:
        data = _comparison(found, options.alpha)
        print_json(data | {"by": {name: _comparison(part, options.alpha) for name, part in parts.items()}})
        return 0
    print(visible_lines(format_comparison(found, options.alpha)))
    for name, part in parts.items():
        print(visible_lines(f"\n{name}\n{format_differences(part, options.alpha)}"))
    return 0


def _comparison(found: Comparison, alpha: float) -> dict[str, object]:
    """A comparison as plain data, with what can be read off it."""
    differences = [{**asdict(d), "differs": d.differs(alpha)} for d in found.differences]
    return {**asdict(found), "differences": differences, "rewritten": found.rewritten}


def eval_gate(options: argparse.Namespace) -> int:
    """Let a run pass (0), not (1), or say that it cannot be told (2)."""
    from eval.gate import STATUS, against_baseline, against_floors, overall, read_floors, to_junit, to_markdown
    from eval.store import RunFolder
    from eval.summary import summarise

    if options.floors is None and options.baseline is None:
        raise ConfigError("Nothing to hold the run against.", remedy="Give --floors FILE or --baseline DIR.")
    folder = RunFolder(options.dir)
    checks = []
    if options.floors is not None:
        checks += against_floors(summarise(folder), read_floors(options.floors))
    if options.baseline is not None:
        found = against_baseline(
            folder, RunFolder(options.baseline), metrics=options.metrics, tolerance=options.tolerance
        )
        checks += found if options.floors is None else found[2:]  # that it is whole was checked above
    for path, text in ((options.junit, to_junit(checks)), (options.markdown, to_markdown(checks))):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    outcome = overall(checks)
    if options.json:
        print_json({"outcome": outcome, "checks": [asdict(c) for c in checks]})
    else:
        for check in checks:
            print(visible_lines(f"{check.outcome:<11} {check.message}"))
    say(f"gate: {outcome}")
    return STATUS[outcome]


def _refuse_unknown(metrics: list[str] | None, known: list[str]) -> None:
    unknown = [m for m in metrics or () if m not in known]
    if unknown:
        raise ConfigError(f"The run has no metric {unknown[0]!r}.", remedy=f"It has: {', '.join(known)}.")
