"""Adding documents: read in worker processes, recorded in batches that are complete or not there, then embedded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from index.embedding import Embedder, Progress
from index.errors import DiskFullError, DocumentError, DossierError, EmptyDocumentError, UnreadableDocumentError
from index.reading import FileRead, ReadSetup, ReadTask, read_file
from index.scan import Found, Plan, circumstances_of, expand, failure_of, make_plan, source_name
from index.types import AddReport, Parsed, Step
from index.writer import Writer

if TYPE_CHECKING:
    from index.parts import LibraryParts
    from index.workers import Lost, WorkerPool

_READ_FIRST = 60.0
"""Seconds: reading comes before embedding, which would slow it down, but not for longer than this."""


Read = Callable[[Iterable[ReadTask]], Iterable["tuple[ReadTask, FileRead | DossierError | Lost]"]]
"""Reads files, in whatever order they are done."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text that is not a file: where it comes from, and what is known about it."""

    source: str
    text: str
    title: str = ""
    published: date | None = None
    author: str | None = None
    media_type: str = "text/plain"
    language: str | None = None
    tags: tuple[str, ...] = ()


def add_files(
    library: LibraryParts,
    paths: Sequence[Path],
    addresses: Sequence[str],
    progress: Progress | None,
    embed: bool,
) -> AddReport:
    """Add files, folders and web addresses; see `Library.add`."""
    from index.parse import known_suffixes

    folders = [p for path in paths if (p := path.expanduser()).is_dir()]
    names = [source_name(folder) for folder in folders]
    same: dict[str, None] = {}
    files, missing, ignored = expand(paths, library.ledger.stamps_under(names), same)
    if not files and not same and not missing and not addresses:
        named = ", ".join(repr(str(p)) for p in paths) or "nothing"
        raise EmptyDocumentError(
            f"There is no file of a supported format in {named}.",
            remedy=f"Supported endings: {', '.join(known_suffixes())}.",
        )
    library.workers.warm(len(files))
    begin(library)
    documents = library.ledger.documents_under(names)
    plan = make_plan(library, files, documents=documents, same=same, retry=len(folders) < len(paths))
    writer = Writer(library)
    writer.tally.failed.extend(missing)
    writer.tally.ignored(ignored)
    with embedding(library, writer, progress, embed) as embedder:
        carry_out(library, plan, writer, progress)
        for address in addresses:
            _add_address(library, writer, address)
        writer.flush()
    return writer.tally.report(embedder.done if embedder else 0, library.catalog.count_pending())


def _add_address(library: LibraryParts, writer: Writer, address: str) -> None:
    """Fetch and read what is at a web address."""
    from index.web import fetched

    try:
        with fetched(address, library.settings) as path:
            file = Found(str(path), address, path.stat().st_size, path.stat().st_mtime_ns)
            task = ReadTask(file.path, address, _former(library, address))
            for _, outcome in library.workers.map([task]):
                _take(library, writer, file, outcome)
    except DocumentError as error:
        writer.tally.failed.append(failure_of(address, error))


def add_texts(
    library: LibraryParts, texts: Iterable[SourceText], progress: Progress | None, embed: bool = True
) -> AddReport:
    """Add texts that are not files; see `Library.add_texts`."""
    from index.parse import document_id
    from index.reading import prepare_part

    begin(library)
    writer = Writer(library)
    setup = ReadSetup(library.settings, library.encoder)
    with embedding(library, writer, progress, embed) as embedder:
        for done, item in enumerate(texts, 1):
            if not item.text.strip():
                error = EmptyDocumentError(f"{item.source!r} holds no text.", remedy="Nothing to do.")
                writer.tally.failed.append(failure_of(item.source, error))
                continue
            new_id = document_id(f"{item.source}\0{item.title}\0{item.text}".encode("utf-8", errors="replace"))
            if not writer.settle(item.source, new_id, item.source):
                text = item.text.encode("utf-8", errors="replace").decode("utf-8").replace("\0", "\ufffd")
                parsed = Parsed(
                    text, item.media_type, item.title or None, item.author, item.published, item.language,
                    tags=item.tags,
                )  # fmt: skip
                writer.queue(prepare_part(setup, item.source, "", new_id, parsed, ()), item.source)
            if progress is not None:
                progress(Step("read", done, 0, item.source))
        writer.flush()
    return writer.tally.report(embedder.done if embedder else 0, library.catalog.count_pending())


def begin(library: LibraryParts) -> None:
    """Check what can be checked before any work is done."""
    settings = library.settings
    free = shutil.disk_usage(library.path).free / 2**20
    if free < settings.min_free_mb:
        raise DiskFullError(
            f"Only {free:,.0f} MiB are free on the disk of {library.path}; {settings.min_free_mb} are needed.",
            remedy="Make room, or lower min_free_mb under [library] in dossier.toml.",
        )
    with library.writing():  # somebody else's writing is met now, not after the files were read
        library.remember_encoder()
    assert library.vectors is not None  # opened here, in this thread; the embedder's thread finds it loaded


@contextmanager
def embedding(
    library: LibraryParts, writer: Writer, progress: Progress | None, embed: bool
) -> Iterator[Embedder | None]:
    """Make vectors while the block runs and until none is missing, unless `embed` is false."""
    if not embed:
        yield None
        return
    delay = _READ_FIRST if library.settings.device == "cpu" else 0.05
    with Embedder(library, writer.texts, delay, progress) as embedder:
        yield embedder


def carry_out(
    library: LibraryParts, plan: Plan, writer: Writer, progress: Progress | None, read: Read | None = None
) -> None:
    """Do what a plan says, but for what is gone; `read` reads files in place of the library's own workers."""
    tally = writer.tally
    total = plan.unchanged_files + len(plan.known) + len(plan.to_read)
    tally.failed.extend(plan.failures)
    tally.unchanged.extend(plan.unchanged)
    tally.unchanged_files += plan.unchanged_files
    if plan.touched:
        library.ledger.record_files(plan.touched)
    for file, digest in plan.known:
        if writer.settle(file.source, digest, file.source):
            writer.file_done(file, digest, {file.source})
        else:
            plan.to_read.append(file)  # removed since the plan was made
    done = total - len(plan.to_read)
    by_source = {file.source: file for file in plan.to_read}
    tasks = (ReadTask(f.path, f.source, _former(library, f.source)) for f in plan.to_read)
    for task, outcome in (read or library.workers.map)(tasks) if by_source else ():
        file = by_source[task.source]
        done += 1
        _take(library, writer, file, outcome)
        if progress is not None:
            progress(Step("read", done, total, os.path.basename(file.source)))
    writer.flush()


def _former(library: LibraryParts, source: str) -> dict[str, tuple[str, ...]]:
    """The passages of what was read from a file before, so that those that did not change are kept."""
    before = library.ledger.sources_of_file(source) if len(library) else {}
    return {name: tuple(p.text for p in library.catalog.passages_of(i)) for name, i in before.items()}


def _take(library: LibraryParts, writer: Writer, file: Found, outcome: FileRead | DossierError | Lost) -> None:
    """Queue what was read of a file, or note why nothing was."""
    if isinstance(outcome, FileRead):
        before = len(writer.tally.failed)
        for part in outcome.parts:
            writer.queue(part, file.source)
        failures = tuple(writer.tally.failed[before:])
        now = Found(file.path, file.source, outcome.size, outcome.modified)
        under = circumstances_of(library) if failures else ""
        writer.file_done(now, outcome.digest, {part.source for part in outcome.parts}, failures, under)
        return
    error = outcome if isinstance(outcome, DocumentError) else lost_error(file.source, outcome, library)
    failure = failure_of(file.source, error)
    writer.tally.failed.append(failure)
    writer.file_done(file, "", None, (failure,), circumstances_of(library))


def lost_error(source: str, outcome: DossierError | Lost, library: LibraryParts) -> DocumentError:
    """Say what happened to a file whose worker was stopped, died or met something unforeseen."""
    name = os.path.basename(source)
    if isinstance(outcome, DossierError):
        return UnreadableDocumentError(f"{name!r} could not be read: {outcome.message}", remedy=outcome.remedy)
    settings = library.settings
    if outcome.reason == "time":
        return UnreadableDocumentError(
            f"{name!r} took longer than {settings.parse_seconds} s to read and was stopped.",
            remedy="Split it, or raise parse_seconds under [library] in dossier.toml.",
        )
    if outcome.reason == "memory":
        return UnreadableDocumentError(
            f"{name!r} needed more than {settings.parse_memory_mb} MiB of memory to read and was stopped.",
            remedy="Split it, or raise parse_memory_mb under [library] in dossier.toml.",
        )
    what = "crashed the program that reads it" if outcome.reason == "crash" else "could not be parsed"
    return UnreadableDocumentError(
        f"{name!r} {what} ({outcome.detail[:200]}).",
        remedy="Open it in the program that made it, save it again and add that.",
    )


def open_workers(library: LibraryParts) -> WorkerPool:
    """Start the processes that read files for a library (they start with the first file)."""
    from index.workers import WorkerPool

    settings = library.settings
    return WorkerPool(
        f"{read_file.__module__}:{read_file.__name__}",
        read_setup(library),
        workers=settings.workers or min(os.cpu_count() or 1, 8),
        seconds=settings.parse_seconds,
        memory_mb=settings.parse_memory_mb,
    )


def read_setup(library: LibraryParts) -> ReadSetup:
    """What a process that reads files for a library needs to know."""
    from index.embed import OnnxEncoder, SentenceTransformerEncoder

    encoder = library.encoder
    tokenizer = encoder.portable() if isinstance(encoder, (OnnxEncoder, SentenceTransformerEncoder)) else None
    return ReadSetup(library.settings, tokenizer)
