"""Write `docs/cli.md`: `python -m ui.cli.reference > docs/cli.md`."""

from __future__ import annotations

import argparse
import os

from ui.cli.parser import build_parser


def reference() -> str:
    """The help of all verbs as one Markdown page."""
    os.environ["COLUMNS"] = "110"
    parts = [
        "# Command line",
        "",
        "Written by `python -m ui.cli.reference > docs/cli.md`; a test compares the two.",
        "",
    ]
    for name, parser in _parsers("dossier", build_parser()):
        parts += [f"## {name}", "", "```", parser.format_help().strip(), "```", ""]
    return "\n".join(parts)


def _parsers(name: str, parser: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    found = [(name, parser)]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb, sub in action.choices.items():
                found += _parsers(f"{name} {verb}", sub)
    return found


if __name__ == "__main__":
    print(reference(), end="")
