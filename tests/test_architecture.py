"""The house stands as drawn: imports go one way, heavy libraries come in by one door, importing is cheap.

Each rule is also tried on planted violations, so that it is known to see them.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

FLOORS = {"index": set[str](), "rag": {"index"}, "eval": {"index", "rag"}, "ui": {"index", "rag", "eval"}}
DOORS = {
    "chromadb": ("index/vectors.py",),
    "tantivy": ("index/lexical.py",),
    "datasketch": ("index/near.py",),
    "sqlite3": ("index/catalog.py",),
    "onnxruntime": ("index/embed.py", "index/models/build.py"),
    "tokenizers": ("index/embed.py",),
    "sentence_transformers": ("index/embed.py", "rag/grounding/cross.py"),
    "transformers": ("index/models/build.py", "rag/grounding/train/export.py"),
    "torch": ("index/models/build.py", "rag/grounding/train/", "rag/grounding/cross.py"),
    "pypdfium2": ("index/parse/pdf.py", "index/parse/pdf_page.py"),
    "ray": ("index/distributed.py",),
    "pytesseract": ("index/parse/pdf_ocr.py",),
    "trafilatura": ("index/parse/html.py",),
    "openpyxl": ("index/parse/sheets.py",),
    "docutils": ("index/parse/rst.py",),
    "striprtf": ("index/parse/rtf.py",),
    "llama_index": ("rag/llm.py", "rag/interop.py", "eval/llamaindex.py"),
    "gradio": ("ui/web/",),
    "fastapi": ("ui/api.py", "ui/web/"),
    "ir_measures": ("eval/retrieval.py",),
    "sklearn": ("rag/reader/fit.py", "rag/grounding/fit.py", "rag/followup/train.py"),
}
NEVER = ("requests", "pymupdf", "fitz")
LONGEST_FILE = 400


def imports(source: str) -> Iterator[tuple[str, bool, bool]]:
    """Each import of a module: its name, whether it is inside a function, whether it is only for the type checker."""

    def walk(node: ast.AST, inside: bool, typing: bool) -> Iterator[tuple[str, bool, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name, inside, typing) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                yield (child.module or "", inside, typing)
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                yield from walk(child, inside, True)
            else:
                function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                yield from walk(child, inside or function, typing)

    yield from walk(ast.parse(source), False, False)


def violations(path: str, source: str) -> list[str]:
    floor = path.split("/")[0]
    found = []
    for name, inside, typing in imports(source):
        top = name.split(".")[0]
        if top in FLOORS and top != floor and top not in FLOORS[floor]:
            found.append(f"{path} imports {name}: the {floor} floor may not know {top}")
        if top in NEVER:
            found.append(f"{path} imports {name}, which is not used here")
        if top in DOORS and not typing:
            if not any(path == door or (door.endswith("/") and path.startswith(door)) for door in DOORS[top]):
                found.append(f"{path} imports {name}, whose door is {' or '.join(DOORS[top])}")
            elif not inside and not path.startswith(("ui/web/", "rag/interop.py", "rag/llm.py")):
                found.append(f"{path} imports {name} when it is itself imported; do it in the function that needs it")
    if source.count("\n") > LONGEST_FILE:
        found.append(f"{path} has {source.count(chr(10))} lines; split it by idea")
    return found


def modules() -> Iterator[tuple[str, str]]:
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_house_has_no_violation() -> None:
    """Floors, doors and file lengths are as the design says."""
    assert [v for path, source in modules() for v in violations(path, source)] == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("index/search.py", "from rag.types import Answer"),
        ("index/search.py", "def f():\n    import ui.cli"),
        ("rag/assistant.py", "import eval.run"),
        ("eval/run.py", "from ui.cli import main"),
        ("rag/assistant.py", "def f():\n    import chromadb"),
        ("index/vectors.py", "import chromadb"),
        ("ui/cli/chat.py", "def f():\n    import gradio"),
        ("rag/grounding/verify.py", "def f():\n    from llama_index.core import Document"),
        ("index/parse/html.py", "def f():\n    import requests"),
        ("rag/grounding/verify.py", "x = 1\n" * 500),
    ],
)
def test_planted_violation_is_seen(path: str, source: str) -> None:
    """The rules above can fail."""
    assert violations(path, source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("rag/assistant.py", "from index.types import Hit"),
        ("index/vectors.py", "def f():\n    import chromadb"),
        ("rag/reader/read.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch"),
    ],
)
def test_allowed_import_is_not_seen_as_a_violation(path: str, source: str) -> None:
    """The rules above do not cry wolf."""
    assert violations(path, source) == []


HEAVY = [*DOORS, "numpy", "lxml", "rich", "uvicorn", "yaml", "markdown_it", "charset_normalizer"]


@pytest.mark.parametrize("statement", ["import index", "import rag", "import eval.types", "from ui.cli import main"])
def test_importing_loads_no_heavy_library(statement: str) -> None:
    """A program that only imports us pays for nothing it does not use."""
    code = f"{statement}\nimport sys\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("argv", [["--help"], ["ask", "--help"], ["ui", "--help"], ["eval", "run", "--help"]])
def test_help_loads_no_heavy_library(argv: list[str]) -> None:
    """`dossier --help` answers before anything heavy is loaded."""
    code = (
        "import sys\nfrom ui.cli import main\n"
        f"try:\n    main({argv!r})\nexcept SystemExit:\n    pass\n"
        f"sys.stderr.write(' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.startswith("usage: dossier")
    assert done.stderr == ""


def test_every_package_is_named_for_distribution() -> None:
    """A folder with code that pyproject.toml does not name would be missing from an installed Dossier."""
    import tomllib

    named = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    there = {str(p.parent.relative_to(ROOT)).replace("/", ".") for f in FLOORS for p in (ROOT / f).rglob("*.py")}
    assert there <= named, f"missing: {there - named}"
