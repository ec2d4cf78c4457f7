"""Write `docs/settings.md`: `python -m ui.cli.settings_reference > docs/settings.md`."""

from __future__ import annotations

import ast
import inspect
from typing import Any

from index.settings import LibrarySettings, describe_settings
from rag.settings import AnswerSettings


def settings_reference() -> str:
    """All settings with default, environment variable and meaning, as one Markdown page."""
    parts = [
        "# Settings",
        "",
        "Written by `python -m ui.cli.settings_reference > docs/settings.md`; a test compares the two.",
        "",
        "Defaults, then `dossier.toml` in the library's folder (or the file named by `--config`), then the",
        "environment, then flags. An unknown name is an error that suggests the nearest one.",
        "",
    ]
    for kind, section in ((LibrarySettings, "library"), (AnswerSettings, "answer")):
        meanings = _docstrings(kind)
        parts += [f"## [{section}]", "", "| setting | default | environment | meaning |", "| --- | --- | --- | --- |"]
        for name, default, variable in describe_settings(kind, section):
            key = name.split(".")[1]
            parts.append(f"| `{key}` | `{default}` | `{variable}` | {meanings[key]} |")
        parts.append("")
    return "\n".join(parts)


def _docstrings(kind: type[Any]) -> dict[str, str]:
    """The text that stands below each field in the source."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            assert isinstance(text.value, ast.Constant)
            found[field.target.id] = " ".join(str(text.value.value).split())
    return found


if __name__ == "__main__":
    print(settings_reference(), end="")
