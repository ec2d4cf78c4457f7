"""The table of metrics in `docs/evaluation.md`: `python -m eval.reference` writes it there."""

from __future__ import annotations

import re
from pathlib import Path

from eval.metrics import METRICS
from eval.summary import COMPOSED

_PATTERN = re.compile(r"(<!-- metrics -->\n).*?(<!-- end metrics -->)", re.DOTALL)


def metrics_table() -> str:
    """All metrics as a Markdown table."""
    lines = ["| metric | what it says | |", "| --- | --- | --- |"]
    for m in METRICS:
        notes = [n for n, there in (("the verifier judges", m.judged), ("lower is better", m.lower_is_better)) if there]
        lines.append(f"| `{m.name}` | {m.about} | {', '.join(notes)} |")
    lines += [f"| `{name}` | {about} | |" for name, about in COMPOSED.items()]
    return "\n".join(lines) + "\n"


def with_table(page: str) -> str:
    """A page with the table between its marks."""
    return _PATTERN.sub(lambda m: f"{m.group(1)}{metrics_table()}{m.group(2)}", page)


if __name__ == "__main__":
    file = Path(__file__).parent.parent / "docs" / "evaluation.md"
    file.write_text(with_table(file.read_text(encoding="utf-8")), encoding="utf-8")
