"""What looking at Dossier must not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "numpy chromadb tantivy onnxruntime tokenizers torch transformers sentence_transformers gradio fastapi llama_index "
    "trafilatura lxml markitdown pypdfium2 rich sqlite3"
).split()


def loaded(code: str) -> set[str]:
    """Run code in a fresh process; the names of `HEAVY` that it loaded."""
    report = f"{code}\nimport sys\nsys.stderr.write(' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", report], cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize("package", ["index", "rag", "ui.cli", "ui.cli.parser"])
def test_import_loads_nothing_heavy(package: str) -> None:
    """Importing a package loads no store, model, parser or face."""
    assert loaded(f"import {package}") == set()


@pytest.mark.parametrize("argv", [["--help"], ["ask", "--help"], ["ui", "--help"], ["eval", "run", "--help"]])
def test_help_loads_nothing_heavy(argv: list[str]) -> None:
    """Help is printed before anything heavy is loaded."""
    assert loaded(f"from ui.cli import main\nassert main({argv!r}) == 0") == set()


def test_planted_import_is_noticed() -> None:
    """The check sees what is loaded, so an empty answer means something."""
    assert loaded("import sqlite3") == {"sqlite3"}
