"""Write `docs/cli.md`: `python -m ui.cli.reference > docs/cli.md`."""

from __future__ import annotations

import argparse
import sys

from ui.cli.parser import build_parser

_WIDTH = 110


class _Formatter(argparse.HelpFormatter):
    """The usual help at one width, whatever the terminal."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_WIDTH)


def reference() -> str:
    """The help of all verbs as one Markdown page."""
    parts = [
        "# Command line",
        "",
        "Written by `python -m ui.cli.reference > docs/cli.md`; a test compares the two.",
        "",
        "The flags under “everywhere” may stand before or after the verb. With `--json` an error is",
        '`{"error": {"type": …, "message": …, "remedy": …}}` on stdout.',
        "",
    ]
    for name, parser in _parsers("dossier", build_parser()):
        parser.formatter_class = _Formatter
        parts += [f"## {name}", "", "```text", parser.format_help().strip(), "```", ""]
    return "\n".join(parts)


def _parsers(name: str, parser: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    found = [(name, parser)]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb, sub in action.choices.items():
                found += _parsers(f"{name} {verb}", sub)
    return found


if __name__ == "__main__":
    sys.stdout.buffer.write(reference().encode("utf-8"))
