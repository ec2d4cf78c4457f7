"""Verbs that look after a library: doctor, backup, restore."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ui.cli.opening import answer_settings, library_path, library_settings
from ui.cli.terminal import print_json, say, visible

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from index.checks import Finding
    from index.manifest import Manifest
    from index.types import Step

_AFTER = 1.0  # seconds; what is over sooner needs no bar
_MARKS = {"ok": "ok", "note": "note", "problem": "PROBLEM", "repaired": "repaired"}
_WORDS = {
    "check": "checking", "rebuild": "indexing", "embed": "embedding", "copy": "copying the catalog",
    "save": "saving vectors", "restore": "storing vectors",
}  # fmt: skip


def run_doctor(options: argparse.Namespace) -> int:
    """Examine the library; exit status 1 if something is wrong that was not repaired."""
    if options.llm_only:
        return _examine_model(options)
    from index.doctor import examine

    path, settings = library_path(options), library_settings(options)
    with UpkeepProgress() as progress:
        findings = examine(path, settings, repair=options.repair, progress=progress.update)
    wrong = sum(finding.state == "problem" for finding in findings)
    if options.json:
        record = [dataclasses.asdict(finding) for finding in findings]
        print_json({"library": str(path), "ok": not wrong, "findings": record})
    else:
        _print_findings(findings)
        say(f"{wrong} problem{'s' if wrong != 1 else ''}." if wrong else "The library is sound.")
    return 1 if wrong else 0


def _examine_model(options: argparse.Namespace) -> int:
    """Tell in one line whether the language model answers; that it does not is an error, which the caller prints."""
    from index.errors import ConfigError
    from rag.llm import open_model
    from rag.writing.probe import probe
    from rag.writing.writer import Writer

    settings = answer_settings(options)
    model = open_model(settings)
    if model is None:
        raise ConfigError(
            "No language model is set; the offline reader answers.",
            remedy="Set llm, llm_url and llm_model under [answer]; docs/language-models.md shows how.",
        )
    found = probe(model, Writer(model, settings).limits)
    if options.json:
        print_json({"answers": True, **dataclasses.asdict(found)})
    else:
        print(visible(found.line))
    return 0


def _print_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        print(f"{_MARKS[finding.state]:<9} {visible(finding.message)}")
        for detail in finding.details:
            print(f"{'':<9}   {visible(detail)}")
        if finding.remedy:
            print(f"{'':<9} → {visible(finding.remedy)}")


def run_backup(options: argparse.Namespace) -> int:
    """Write the library into one file."""
    from index.backup import backup
    from index.bare import BareParts
    from index.errors import NoLibraryError

    path = library_path(options)
    if not (path / "catalog.sqlite").is_file():
        raise NoLibraryError(f"There is no library in {path}.", remedy="Name another one with --library FOLDER.")
    library = BareParts(path, library_settings(options), None)
    try:
        with UpkeepProgress() as progress:
            manifest = backup(library, options.file, force=options.force, progress=progress.update)
    finally:
        library.close()
    if options.json:
        print_json({"file": str(options.file), "bytes": options.file.stat().st_size, **_record(manifest)})
    else:
        print(f"{visible(str(options.file))}: {_told(manifest)}, {options.file.stat().st_size / 1e6:,.1f} MB.")
    return 0


def run_restore(options: argparse.Namespace) -> int:
    """Make a library from such a file."""
    from index.restore import restore

    path = library_path(options)
    with UpkeepProgress() as progress:
        manifest, aside = restore(
            options.file, path, config=options.config, force=options.force, progress=progress.update
        )
    if options.json:
        print_json({"library": str(path), "aside": str(aside) if aside else None, **_record(manifest)})
        return 0
    print(f"{visible(str(path))}: {_told(manifest)}, as of {visible(manifest.created)}.")
    if aside is not None:
        print(f"What was there before is in {visible(str(aside))} now.")
    return 0


def _record(manifest: Manifest) -> dict[str, Any]:
    record = dataclasses.asdict(manifest)
    del record["members"]
    return record


def _told(manifest: Manifest) -> str:
    return f"{manifest.documents:,} documents, {manifest.passages:,} passages, {manifest.vectors:,} vectors"


class UpkeepProgress:
    """A bar a stage on stderr while its `with` block runs; none if that is no terminal or it takes under a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._begun = time.monotonic()

    def __enter__(self) -> UpkeepProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            if self._bar is not None:
                self._bar.stop()
            self._begun = float("inf")

    def update(self, step: Step) -> None:
        """Note how far it is; see `index.parts.Progress`."""
        if not sys.stderr.isatty() or time.monotonic() - self._begun < _AFTER:
            return
        with self._lock:
            if self._bar is None:
                self._bar = _new_bar()
                self._bar.start()
            if step.stage not in self._tasks:
                self._tasks[step.stage] = self._bar.add_task(_WORDS.get(step.stage, step.stage), total=None)
            self._bar.update(self._tasks[step.stage], completed=step.done, total=step.total or None)


def _new_bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description:<19}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
