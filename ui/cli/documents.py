"""Verbs about documents: add, list, show, remove."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ui.cli.opening import open_library
from ui.cli.terminal import one_line, print_json, safe, say, write_bytes

if TYPE_CHECKING:
    from index.library import Progress
    from index.types import AddReport, Document, DocumentInfo


def run_add(options: argparse.Namespace) -> int:
    """Add files; exit status 1 if any of them could not be added."""
    with open_library(options, create=True) as library, progress_bar() as progress:
        report = library.add(options.paths, progress)
    if options.json:
        print_json(dataclasses.asdict(report))
    else:
        print_report(report)
    return 1 if report.failed else 0


@contextmanager
def progress_bar() -> Iterator[Progress | None]:
    """Show a progress bar on stderr if it is a terminal; gives `None` if it is not."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading")

        def update(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=one_line(name)[:50].replace("[", "\\["))

        yield update


def print_report(report: AddReport) -> None:
    """Print what came of adding, for a person."""
    counts = [(len(report.added), "added"), (len(report.updated), "replaced"), (len(report.unchanged), "unchanged")]
    counts.append((len(report.failed), "failed"))
    parts = [f"{n} {word}" for n, word in counts if n] or ["nothing to do"]
    print(f"{', '.join(parts)}; {report.passages} passages in {report.seconds:.1f} s.")
    for source, note in report.notes:
        say(f"Note: {one_line(source)}{': ' if source else ''}{one_line(note)}")
    for failure in report.failed:
        say(f"Failed: {one_line(failure.source)}\n  {one_line(failure.message)}\n  {one_line(failure.remedy)}")


def run_list(options: argparse.Namespace) -> int:
    """List the documents."""
    with open_library(options) as library:
        documents = library.documents()
        if options.json:
            print_json([info_record(d, library.catalog.sources_of(d.id)) for d in documents])
            return 0
    for d in documents:
        date = d.published.isoformat() if d.published else "no date   "
        print(f"{d.id}  {date}  {d.passages:>5} passages  {one_line(d.title)}  ({one_line(d.source)})")
    say(f"{len(documents)} document{'' if len(documents) == 1 else 's'}.")
    return 0


def info_record(document: DocumentInfo | Document, sources: list[str]) -> dict[str, Any]:
    """Write a document's properties as plain data; dates in ISO form."""
    record = {f.name: getattr(document, f.name) for f in dataclasses.fields(document) if f.name != "text"}
    record["published"] = document.published.isoformat() if document.published else None
    record["added"] = document.added.isoformat()
    record["sources"] = sources
    if not isinstance(document.pages, int):
        record["pages"] = [dataclasses.asdict(page) for page in document.pages]
    return record


def run_show(options: argparse.Namespace) -> int:
    """Show one document: its exact text, or its properties and beginning."""
    with open_library(options) as library:
        document = library.document(options.id)
        sources = library.catalog.sources_of(document.id)
    if options.json:
        record = info_record(document, sources)
        print_json({**record, "text": document.text} if options.text else record)
    elif options.text:
        write_bytes(document.text.encode("utf-8"))
    else:
        print(f"{one_line(document.title)}\n  id         {document.id}")
        for name in ("published", "author", "media_type", "language", "added"):
            print(f"  {name:<10} {one_line(str(getattr(document, name) or '-'))}")
        print(f"  pages      {len(document.pages) or '-'}\n  characters {len(document.text):,}")
        for source in sources:
            print(f"  source     {one_line(source)}")
        print(f"\n{safe(document.text[:600]).strip()}{' …' if len(document.text) > 600 else ''}")
    return 0


def run_remove(options: argparse.Namespace) -> int:
    """Remove documents from the library."""
    with open_library(options) as library:
        library.remove(options.ids)
    if options.json:
        print_json({"removed": options.ids})
    else:
        say(f"{len(options.ids)} document{'' if len(options.ids) == 1 else 's'} removed; the files are untouched.")
    return 0
