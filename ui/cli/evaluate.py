"""The verb `eval`."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from index.errors import ConfigError
from ui.cli.opening import library_path, library_settings
from ui.cli.terminal import print_json, say


def run_eval(options: argparse.Namespace) -> int:
    """Ask the cases of a file, score the answers and compare the summary with floors."""
    from eval.report import format_report
    from eval.run import run
    from rag.assistant import Assistant

    if options.docs is not None:
        folder: Path = options.out / "library"
        options.out.mkdir(parents=True, exist_ok=True)
    else:
        folder = library_path(options)
    with Assistant.open(
        folder,
        config=options.config,
        library_settings=library_settings(options),
        create=options.docs is not None,
    ) as assistant:
        if options.docs is not None:
            assistant.add(options.docs)
        report = run(options.cases, assistant, options.out)
    if options.json:
        print_json(dataclasses.asdict(report))
    else:
        print(format_report(report))
    if options.floors is None:
        return 0
    from eval.floors import find_breaches

    breaches = find_breaches(report, _read_floors(options.floors))
    for breach in breaches:
        say(breach)
    return 1 if breaches else 0


def _read_floors(path: Path) -> dict[str, float]:
    try:
        return {str(name): float(value) for name, value in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path} does not hold floors: {error}.", remedy='Write it like this: {"recall@5": 0.8}'
        ) from error
