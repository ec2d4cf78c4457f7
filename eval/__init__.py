"""How good is it: cases, metrics, runs and floors.

Write `from eval import run`, never `import eval`, which would hide the builtin.
"""

from __future__ import annotations

from eval.cases import append_case, read_cases
from eval.floors import find_breaches
from eval.report import format_report
from eval.run import run
from eval.types import Case, Evidence, Report, Score, Summary

__all__ = [
    "Case",
    "Evidence",
    "Report",
    "Score",
    "Summary",
    "append_case",
    "find_breaches",
    "format_report",
    "read_cases",
    "run",
]
