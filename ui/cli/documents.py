"""Verbs about documents: add, list, show, remove."""

from __future__ import annotations

import argparse
import dataclasses
import os
from typing import TYPE_CHECKING, Any

from ui.cli.opening import open_library
from ui.cli.progress import AddProgress
from ui.cli.terminal import print_json, safe, say, visible, wrap, write_bytes

if TYPE_CHECKING:
    from index.types import AddReport, DocumentInfo

_NAMED = 50  # documents named in a report at most
_FIRST = 600  # characters of a document that `show` prints


def run_add(options: argparse.Namespace) -> int:
    """Add files; exit status 1 if any of them could not be added."""
    with open_library(options, create=True) as library:
        with AddProgress() as progress:
            report = library.add(options.paths, progress.update)
        fresh = (*report.added, *report.updated)[:_NAMED]
        titles = {info.id: info.title for info in library.documents(fresh)}
    if options.json:
        print_json(report_record(report))
    else:
        print_report(report, titles)
    return 1 if report.failed else 0


def report_record(report: AddReport) -> dict[str, Any]:
    """Write a report as `dossier add --json` prints it."""
    record = dataclasses.asdict(report)
    record["notes"] = [{"source": source, "note": note} for source, note in report.notes]
    record["seconds"] = round(report.seconds, 3)
    return record


def print_report(report: AddReport, titles: dict[str, str]) -> None:
    """Print what came of adding, for a person; documents in `titles` are named."""
    for ids, word in ((report.added, "added"), (report.updated, "replaced")):
        for document_id in ids:
            if document_id in titles:
                print(f"{word:<9} {document_id}  {visible(titles[document_id])}")
    if len(report.added) + len(report.updated) > len(titles):
        print("…")
    counts = [(len(report.added), "added"), (len(report.updated), "replaced"), (len(report.unchanged), "unchanged")]
    counts.append((len(report.failed), "failed"))
    parts = [f"{n} {word}" for n, word in counts if n] or ["nothing to do"]
    print(f"{', '.join(parts)}; {report.passages} passages in {report.seconds:.1f} s.")
    for source, note in report.notes:
        say(f"Note: {visible(os.path.basename(source))}{': ' if source else ''}{visible(note)}")
    for failure in report.failed:
        say(f"Failed: {visible(failure.source)}\n  {visible(failure.message)}\n  {visible(failure.remedy)}")


def run_list(options: argparse.Namespace) -> int:
    """List the documents."""
    with open_library(options) as library:
        documents = library.documents()
        if options.json:
            print_json([info_record(d, library.catalog.sources_of(d.id)) for d in documents])
            return 0
    for d in documents:
        date = d.published.isoformat() if d.published else "no date   "
        print(f"{d.id}  {date}  {d.passages:>5} passages  {visible(d.title)}  ({visible(d.source)})")
    say(f"{len(documents)} document{'' if len(documents) == 1 else 's'}.")
    return 0


def info_record(info: DocumentInfo, sources: list[str]) -> dict[str, Any]:
    """Write a document's properties as plain data; dates in ISO form."""
    record = dataclasses.asdict(info)
    record["published"] = info.published.isoformat() if info.published else None
    record["added"] = info.added.isoformat()
    record["sources"] = sources
    return record


def run_show(options: argparse.Namespace) -> int:
    """Show one document: its exact text, or its properties and beginning."""
    with open_library(options) as library:
        document = library.document(options.id)
        info = library.documents([document.id])[0]
        sources = library.catalog.sources_of(document.id)
    if options.json:
        record = info_record(info, sources)
        record["page_spans"] = [dataclasses.asdict(page) for page in document.pages]
        print_json({**record, "text": document.text} if options.text else record)
    elif options.text:
        write_bytes(document.text.encode("utf-8"))
    else:
        print(f"{visible(document.title)}\n  id         {document.id}")
        for name in ("published", "author", "media_type", "language", "added", "pages", "passages", "characters"):
            print(f"  {name:<10} {visible(str(getattr(info, name) or '-'))}")
        for source in sources:
            print(f"  source     {visible(source)}")
        beginning = f"{safe(document.text[:_FIRST]).strip()}{' …' if len(document.text) > _FIRST else ''}"
        print("", *(wrap(line) for line in beginning.split("\n")), sep="\n")
    return 0


def run_remove(options: argparse.Namespace) -> int:
    """Remove documents from the library."""
    with open_library(options) as library:
        chosen = list(dict.fromkeys(library.find(document_id) for document_id in options.ids))
        titles = {info.id: info.title for info in library.documents(chosen)}
        library.remove(chosen)
    if options.json:
        print_json({"removed": chosen})
        return 0
    for document_id in chosen:
        print(f"removed   {document_id}  {visible(titles[document_id])}")
    say(f"{len(chosen)} document{'' if len(chosen) == 1 else 's'} removed; the files are untouched.")
    return 0
