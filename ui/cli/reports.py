"""The report card of an `add` or `sync`, for a person and for programs."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

from index.types import AddReport
from ui.cli.terminal import say, visible

_NAMED = 50  # documents named in a report at most


def report_record(report: AddReport) -> dict[str, Any]:
    """Write a report as `--json` prints it."""
    record = {f.name: getattr(report, f.name) for f in dataclasses.fields(report)}
    record["failed"] = [dataclasses.asdict(failure) for failure in report.failed]
    record["notes"] = [{"source": source, "note": note} for source, note in report.notes]
    record["moved"] = [{"from": old, "to": new} for old, new in report.moved]
    record["duplicates"] = [{"source": source, "document": name} for source, name in report.duplicates]
    record["languages"] = {language or "not stated": count for language, count in report.languages}
    record["seconds"] = round(report.seconds, 3)
    return record


def named(report: AddReport) -> list[str]:
    """The ids of the documents that a report names."""
    near = [i for pair in report.near[:_NAMED] for i in pair]
    return list(dict.fromkeys([*report.added, *report.updated][:_NAMED] + near + [i for _, i in report.duplicates]))


def print_report(report: AddReport, titles: Mapping[str, str]) -> None:
    """Print what came of adding or syncing, for a person.

    Args:
        report: The report.
        titles: Titles of documents by id, as far as they are to be named.
    """
    would = "would be " if report.dry_run else ""
    _print_documents(report, titles, would)
    for old, new in report.moved[:_NAMED]:
        print(f"moved     {visible(old)} → {visible(new)}")
    for name in report.removed[:_NAMED]:
        print(f"removed   {name}")
    for source, name in report.duplicates[:_NAMED]:
        print(f"duplicate {visible(source)} holds the same as {name} {visible(titles.get(name, ''))}".rstrip())
    for one, other in report.near[:_NAMED]:
        print(f"alike     {one} {visible(titles.get(one, ''))} ~ {other} {visible(titles.get(other, ''))}")
    print(_summary(report, would))
    for line in _details(report):
        print(line)
    for source, note in report.notes:
        say(f"Note: {visible(os.path.basename(source))}{': ' if source else ''}{visible(note)}")
    for failure in report.failed:
        say(f"Failed: {visible(failure.source)}\n  {visible(failure.message)}\n  {visible(failure.remedy)}")


def _print_documents(report: AddReport, titles: Mapping[str, str], would: str) -> None:
    left = _NAMED
    for ids, word in ((report.added, "added"), (report.updated, "replaced")):
        for name in ids[:left]:
            title = visible(titles[name]) if name in titles else ""
            print(f"{would or ''}{word:<9} {visible(name)}  {title}".rstrip())
        left = max(left - len(ids), 0)
    more = len(report.added) + len(report.updated) - _NAMED
    if more > 0:
        print(f"… and {more} more")


def _summary(report: AddReport, would: str) -> str:
    unchanged = max(report.unchanged_files, len(report.unchanged))
    counts = [
        (len(report.added), "added"), (len(report.updated), "replaced"), (len(report.moved), "moved"),
        (len(report.removed), "removed"), (len(report.duplicates), "duplicate"), (unchanged, "unchanged"),
        (len(report.failed), "failed"),
    ]  # fmt: skip
    parts = [f"{n:,} {would if word not in ('unchanged', 'failed') else ''}{word}" for n, word in counts if n]
    text = ", ".join(parts or ["nothing to do"])
    if report.dry_run:
        return f"{text}. Nothing was changed."
    return f"{text}; {report.passages:,} passages in {report.seconds:.1f} s."


def _details(report: AddReport) -> list[str]:
    """What is worth knowing about the documents that were read; nothing if none were."""
    lines = []
    if report.reused:
        lines.append(f"{report.reused:,} passages kept their vectors, {report.embedded:,} got new ones.")
    if report.pending:
        lines.append(
            f"{report.pending:,} passages have no vector yet and are found by their words only; "
            "the next add or sync makes them."
        )
    read = len(report.added) + len(report.updated)
    if not read or report.dry_run:
        return lines
    if report.pages:
        silent = f", {report.silent_pages:,} of them without text" if report.silent_pages else ""
        lines.append(f"Pages: {report.pages:,}{silent}.")
    passed = [f"{n:,} {word}" for n, word in ((report.images, "images"), (report.tables, "tables")) if n]
    if passed:
        lines.append(f"Passed over: {', '.join(passed)}.")
    languages = _languages(report.languages)
    if languages:
        lines.append(f"Languages stated: {languages}.")
    if report.undated:
        lines.append(f"No date stated: {report.undated:,} of {read:,}.")
    return lines


def _languages(languages: Sequence[tuple[str, int]]) -> str:
    stated = [f"{visible(language)} {count:,}" for language, count in languages if language]
    silent = sum(count for language, count in languages if not language)
    return ", ".join([*stated, f"not stated {silent:,}"]) if stated else ""
