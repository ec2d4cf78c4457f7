"""Verbs about documents: add, sync, watch, report, list, show, remove."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import TYPE_CHECKING, Any

from index.report import is_nothing
from index.scan import source_name
from index.watch import watch
from ui.cli.opening import open_library
from ui.cli.progress import AddProgress
from ui.cli.reports import named, print_report, report_record
from ui.cli.terminal import print_json, safe, say, visible, wrap, write_bytes

if TYPE_CHECKING:
    from index.library import Library
    from index.types import AddReport, DocumentInfo

_FIRST = 600  # characters of a document that `show` prints


def run_add(options: argparse.Namespace) -> int:
    """Add files; exit status 1 if any of them could not be added."""
    with open_library(options, create=True) as library:
        with AddProgress() as progress:
            report = library.add(options.paths, progress.update)
        return _tell(library, report, options)


def run_sync(options: argparse.Namespace) -> int:
    """Bring the library to the state of its folders; exit status 1 if any file could not be used."""
    with open_library(options, create=True) as library:
        if options.forget:
            names = [source_name(folder) for folder in options.folders]
            library.ledger.forget_folders(names)
            say(f"{len(names)} folder{'s' if len(names) != 1 else ''} no longer kept in step; the documents stay.")
            return 0
        with AddProgress() as progress:
            report = library.sync(
                options.folders,
                progress.update,
                dry_run=options.dry_run,
                check=options.check,
                allow_empty=options.allow_empty,
                ray=options.ray or "",
            )
        return _tell(library, report, options)


def run_watch(options: argparse.Namespace) -> int:
    """Sync whenever files of the folders change, until interrupted."""
    with open_library(options, create=True) as library:
        for report in watch(library, options.folders):
            if options.json:
                print_json(report_record(report))
            elif not is_nothing(report):
                print_report(report, _titles(library, report))
            sys.stdout.flush()
    return 0


def run_report(options: argparse.Namespace) -> int:
    """Show the report of the latest add or sync again."""
    with open_library(options) as library:
        report = library.last_report()
        if report is None:
            say("Nothing was added to this library yet.")
            return 0
        return _tell(library, report, options, quiet=True)


def _tell(library: Library, report: AddReport, options: argparse.Namespace, *, quiet: bool = False) -> int:
    if options.json:
        print_json(report_record(report))
    else:
        print_report(report, _titles(library, report))
    return 1 if report.failed and not quiet else 0


def _titles(library: Library, report: AddReport) -> dict[str, str]:
    ids = [name for name in named(report) if len(name) == 16]
    return {info.id: info.title for info in library.documents(ids)} if ids else {}


def run_list(options: argparse.Namespace) -> int:
    """List the documents."""
    with open_library(options) as library:
        documents = library.documents(where=options.where)
        if options.json:
            print_json([info_record(d, library.catalog.sources_of(d.id)) for d in documents])
            return 0
    for d in documents:
        date = d.published.isoformat() if d.published else "no date   "
        waiting = f", {d.pending} without a vector" if d.pending else ""
        print(f"{d.id}  {date}  {d.passages:>5} passages{waiting}  {visible(d.title)}  ({visible(d.source)})")
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
        if info.tags:
            print(f"  {'tags':<10} {visible(', '.join(info.tags))}")
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
