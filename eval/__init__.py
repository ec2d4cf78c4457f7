"""How good is it: cases, runs, metrics, comparisons, gates and reports.

    from eval import evaluate, compare, RunFolder

    report = evaluate(Path("cases.jsonl"), lambda question, history: my_system(question), Path("run-1"))
    print(report.value("token_F1"))
    comparison = compare(RunFolder(Path("run-1")), RunFolder(Path("run-2")))

Write `from eval import …`, never `import eval`, which would hide the builtin. Names are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eval.cases import append_case, read_cases, write_cases
    from eval.comparison import Comparison, Difference, compare
    from eval.gate import against_baseline, against_floors
    from eval.run import evaluate, score
    from eval.store import RunFolder
    from eval.summary import summarise, usage
    from eval.systems import System, assistant_system, endpoint_system
    from eval.types import Case, Evidence, Output, Prices, Report, Score, Summary

__all__ = [
    "Case",
    "Comparison",
    "Difference",
    "Evidence",
    "Output",
    "Prices",
    "Report",
    "RunFolder",
    "Score",
    "Summary",
    "System",
    "against_baseline",
    "against_floors",
    "append_case",
    "assistant_system",
    "compare",
    "endpoint_system",
    "evaluate",
    "read_cases",
    "score",
    "summarise",
    "usage",
    "write_cases",
]

_HOMES = {
    "cases": ("append_case", "read_cases", "write_cases"),
    "comparison": ("Comparison", "Difference", "compare"),
    "gate": ("against_baseline", "against_floors"),
    "run": ("evaluate", "score"),
    "store": ("RunFolder",),
    "summary": ("summarise", "usage"),
    "systems": ("System", "assistant_system", "endpoint_system"),
    "types": ("Case", "Evidence", "Output", "Prices", "Report", "Score", "Summary"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"eval.{module}"), name)
    raise AttributeError(f"module 'eval' has no attribute {name!r}")
