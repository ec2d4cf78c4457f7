"""Whether a run may pass: against floors, or against the run of an earlier state.

Exit status: 0 pass, 1 regression, 2 cannot tell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from eval.comparison import ALPHA, compare
from eval.store import RunFolder
from eval.summary import is_lower_better, summarise
from eval.types import Report
from index.errors import ConfigError

Outcome = Literal["pass", "regression", "cannot tell"]
STATUS: dict[Outcome, int] = {"pass": 0, "regression": 1, "cannot tell": 2}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the gate looked at, and what it found in a sentence."""

    name: str
    outcome: Outcome
    message: str


def overall(checks: Sequence[Check]) -> Outcome:
    """A regression anywhere is one; else what cannot be told anywhere cannot be told. Nothing checked is no pass."""
    found = {c.outcome for c in checks}
    if "regression" in found:
        return "regression"
    return "cannot tell" if "cannot tell" in found or not checks else "pass"


def read_floors(path: Path) -> dict[str, float]:
    """Read floors, `{"metric": lowest value}`; for a metric of which less is better it is the highest.

    Raises:
        ConfigError: The file holds something else.
    """
    try:
        floors = {str(name): float(value) for name, value in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path} does not hold floors: {error}.", remedy='Write it like this: {"evidence_recall@5": 0.8}'
        ) from error
    if not floors:
        raise ConfigError(f"{path} holds no floor.", remedy='Write it like this: {"evidence_recall@5": 0.8}')
    return floors


def whole(report: Report) -> list[Check]:
    """Whether the run is complete and no case failed."""
    checks = []
    if report.asked < report.cases:
        checks.append(
            Check("complete", "cannot tell", f"{report.cases - report.asked} of {report.cases} cases were not asked.")
        )
    else:
        checks.append(Check("complete", "pass", f"All {report.cases} cases were asked."))
    if report.errors:
        message = f"{report.errors} of {report.cases} cases failed; the first: {': '.join(report.failures[0])}"
        checks.append(Check("errors", "regression", message))
    else:
        checks.append(Check("errors", "pass", "No case failed."))
    return checks


def against_floors(report: Report, floors: Mapping[str, float]) -> list[Check]:
    """Hold the figures of a run against floors; a metric without a value cannot be told."""
    checks = whole(report)
    for metric, floor in floors.items():
        value = report.value(metric)
        if value is None:
            checks.append(Check(metric, "cannot tell", f"{metric} has no value; its floor is {floor:.3f}."))
        elif (value > floor + 1e-9) if is_lower_better(metric) else (value < floor - 1e-9):
            word = "above its ceiling" if is_lower_better(metric) else "below its floor"
            checks.append(Check(metric, "regression", f"{metric} is {value:.4f}, {word} of {floor:.3f}."))
        else:
            checks.append(Check(metric, "pass", f"{metric} is {value:.4f}; the limit is {floor:.3f}."))
    return checks


def against_baseline(
    run: RunFolder, baseline: RunFolder, *, metrics: Sequence[str] | None = None, tolerance: float = 0.05,
    alpha: float = ALPHA,
) -> list[Check]:  # fmt: skip
    """Hold a run against an earlier one of the same cases.

    A metric is a regression if it is worse by more than chance (see `eval.comparison`), passes if the whole 95%
    interval of the difference lies above −`tolerance`, and otherwise the cases are too few to tell.
    """
    checks = whole(summarise(run))
    found = compare(baseline, run, metrics=metrics, alpha=alpha)
    if not found.same_cases:
        checks.append(Check("cases", "cannot tell", "The two runs are not of the same cases."))
    if found.rewritten:
        checks.append(Check("asked", "cannot tell", "One run was asked the human rewrites, the other the questions."))
    if not found.differences:
        checks.append(Check("metrics", "cannot tell", "The runs have no metric with values in common."))
    for d in found.differences:
        sign = -1 if is_lower_better(d.metric) else 1
        change = sign * d.difference
        worst = min(sign * x for x in (d.low, d.high)) if d.low is not None and d.high is not None else None
        said = f"{d.metric} went from {d.a:.4f} to {d.b:.4f}"
        if d.differs(alpha) and change < 0:
            checks.append(Check(d.metric, "regression", f"{said} (p = {d.adjusted:.3f} after Holm)."))
        elif worst is not None and worst > -tolerance:
            checks.append(Check(d.metric, "pass", f"{said}; it is not worse by {tolerance:g}."))
        else:
            least = f" {d.detectable:.3f} would have been found." if d.detectable else ""
            checks.append(
                Check(d.metric, "cannot tell", f"{said}; {d.pairs} cases cannot rule out {tolerance:g} less.{least}")
            )
    return checks


def to_junit(checks: Sequence[Check]) -> str:
    """The checks as JUnit XML: a regression is a failure, what cannot be told an error."""
    suite = ElementTree.Element(
        "testsuite",
        name="dossier eval gate",
        tests=str(len(checks)),
        failures=str(sum(c.outcome == "regression" for c in checks)),
        errors=str(sum(c.outcome == "cannot tell" for c in checks)),
    )
    for check in checks:
        case = ElementTree.SubElement(suite, "testcase", classname="eval.gate", name=_legal(check.name))
        if check.outcome != "pass":
            kind = "failure" if check.outcome == "regression" else "error"
            ElementTree.SubElement(case, kind, message=_legal(check.message), type=check.outcome)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def _legal(text: str) -> str:
    """Without the characters XML cannot hold."""
    return "".join(
        c for c in text if c in "\t\n" or (c >= " " and not 0xD800 <= ord(c) <= 0xDFFF and c not in "\ufffe\uffff")
    )


def to_markdown(checks: Sequence[Check]) -> str:
    """The checks as a Markdown table, the worst first."""
    order: tuple[Outcome, ...] = ("regression", "cannot tell", "pass")
    lines = [f"**Gate: {overall(checks)}**", "", "| check | outcome | |", "| --- | --- | --- |"]
    for check in sorted(checks, key=lambda c: order.index(c.outcome)):
        message = " ".join(check.message.split()).replace("|", "\\|")
        lines.append(f"| {check.name} | {check.outcome} | {message} |")
    return "\n".join(lines) + "\n"
