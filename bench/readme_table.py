"""The golden figures in `README.md`, from the run that is kept: `python bench/readme_table.py` writes them."""

from __future__ import annotations

from pathlib import Path

from quality_page import put_section

from eval import RunFolder, summarise
from eval.gate import read_floors

ROOT = Path(__file__).parent.parent


def table() -> str:
    """Each metric that has a floor: its figure, its 95% interval, its floor."""
    from eval.table import interval

    floors = read_floors(ROOT / "eval" / "golden" / "floors.json")
    report = summarise(RunFolder(ROOT / "eval" / "runs" / "golden-dossier"))
    lines = ["| metric | value | 95% interval | floor |", "| --- | --- | --- | --- |"]
    for s in report.summaries:
        if s.metric in floors and s.value is not None:
            lines.append(f"| {s.metric} | {s.value:.3f} | {interval(s)} | {floors[s.metric]:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    put_section("golden", table(), ROOT / "README.md")
