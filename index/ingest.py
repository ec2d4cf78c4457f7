"""Adding documents: read, split, embed, and write in batches that are complete in all three stores or not there."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from index.catalog import NewDocument
from index.errors import DiskFullError, DocumentError, DossierError, EmptyDocumentError, UnreadableDocumentError
from index.parse import document_id, is_supported, known_suffixes, parse, read_source
from index.split import embedded_texts, split
from index.types import AddReport, Document, Failure, Parsed

if TYPE_CHECKING:
    from index.library import Library, Progress

_BATCH_PASSAGES = 160  # some seconds of work: what an interruption loses
_BATCH_DOCUMENTS = 64


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text that is not a file: where it comes from, and what is known about it."""

    source: str
    text: str
    title: str = ""
    published: date | None = None
    author: str | None = None
    media_type: str = "text/plain"


def add_files(library: Library, paths: Sequence[Path], progress: Progress | None) -> AddReport:
    """Add files and folders; see `Library.add`."""
    files, missing, ignored = _expand(paths)
    if not files and not missing:
        named = ", ".join(repr(str(p)) for p in paths) or "nothing"
        raise EmptyDocumentError(
            f"There is no file of a supported format in {named}.",
            remedy=f"Supported endings: {', '.join(known_suffixes())}.",
        )
    batch = _Batch(library)
    batch.failed.extend(missing)
    if ignored:
        kinds = ", ".join(f"{count} {suffix or 'without ending'}" for suffix, count in ignored.most_common(8))
        batch.notes.append(("", f"Files of formats Dossier does not read were passed over: {kinds}."))
    with library.writing():
        batch.begin()
        for done, path in enumerate(files, 1):
            batch.add_file(path)
            if progress is not None:
                progress(done, len(files), path.name)
        batch.flush()
    return batch.report()


def add_texts(library: Library, texts: Iterable[SourceText], progress: Progress | None) -> AddReport:
    """Add texts that are not files; see `Library.add_texts`."""
    batch = _Batch(library)
    with library.writing():
        batch.begin()
        for done, item in enumerate(texts, 1):
            batch.add_text(item)
            if progress is not None:
                progress(done, 0, item.source)
        batch.flush()
    return batch.report()


def source_name(path: Path) -> str:
    """Name a file as the catalog does: its absolute path; bytes that are not Unicode are replaced."""
    return os.fsencode(path.absolute().resolve()).decode("utf-8", errors="replace")


def _expand(paths: Sequence[Path]) -> tuple[list[Path], list[Failure], Counter[str]]:
    files: dict[Path, None] = {}
    missing: list[Failure] = []
    ignored: Counter[str] = Counter()
    for path in paths:
        path = path.expanduser()
        if path.is_dir():
            for folder, folders, names in os.walk(path):
                folders[:] = sorted(f for f in folders if not f.startswith("."))
                for name in sorted(n for n in names if not n.startswith(".")):
                    if is_supported(Path(name)):
                        files[Path(folder) / name] = None
                    else:
                        ignored[Path(name).suffix.lower()] += 1
        elif path.exists():
            files[path] = None
        else:
            error = UnreadableDocumentError(f"{str(path)!r} does not exist.", remedy="Check the path.")
            missing.append(_failure(source_name(path), error))
    return list(files), missing, ignored


def _failure(source: str, error: DossierError) -> Failure:
    return Failure(source, type(error).__name__, error.message, error.remedy)


@dataclass
class _Batch:
    """Documents on their way into the library."""

    library: Library
    failed: list[Failure] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    _added: list[str] = field(default_factory=list)
    _updated: list[str] = field(default_factory=list)
    _unchanged: list[str] = field(default_factory=list)
    _new: list[NewDocument] = field(default_factory=list)
    _old: list[str] = field(default_factory=list)
    _waiting: set[str] = field(default_factory=set)
    _passages: int = 0
    _started: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """Check what can be checked before any work is done."""
        settings = self.library.settings
        free = shutil.disk_usage(self.library.path).free / 2**20
        if free < settings.min_free_mb:
            raise DiskFullError(
                f"Only {free:,.0f} MiB are free on the disk of {self.library.path}; {settings.min_free_mb} are needed.",
                remedy="Make room, or lower min_free_mb under [library] in dossier.toml.",
            )
        self.library.remember_encoder()

    def add_file(self, path: Path) -> None:
        """Read one file and queue it; a file that cannot be used is noted as failed."""
        source = source_name(path)
        try:
            data = read_source(path, self.library.settings)
            new_id = document_id(data)
            if self._is_known(source, new_id):
                return
            self._queue(source, new_id, parse(path, data, self.library.settings), path.stem)
        except DocumentError as error:
            self.failed.append(_failure(source, error))
        except (RecursionError, MemoryError, ValueError, LookupError, TypeError, AttributeError) as error:
            # A parser met something its authors did not foresee. That file is lost, the batch is not.
            reason = UnreadableDocumentError(
                f"{path.name!r} could not be parsed ({type(error).__name__}: {str(error)[:200]}).",
                remedy="Open it in the program that made it, save it again and add that.",
            )
            self.failed.append(_failure(source, reason))
        self._flush_if_full()

    def add_text(self, item: SourceText) -> None:
        """Queue one text."""
        if not item.text.strip():
            error = EmptyDocumentError(f"{item.source!r} holds no text.", remedy="Nothing to do.")
            self.failed.append(_failure(item.source, error))
            return
        new_id = document_id(f"{item.source}\0{item.title}\0{item.text}".encode("utf-8", errors="replace"))
        if not self._is_known(item.source, new_id):
            text = item.text.encode("utf-8", errors="replace").decode("utf-8").replace("\0", "\ufffd")
            parsed = Parsed(text, item.media_type, item.title, item.author, item.published)
            self._queue(item.source, new_id, parsed, item.source)
            self._flush_if_full()

    def _is_known(self, source: str, new_id: str) -> bool:
        """Settle a document that is there already, perhaps under another source."""
        catalog = self.library.catalog
        if new_id in self._waiting:
            self.flush()
        if not catalog.has_document(new_id):
            return False
        if new_id in self._old:  # it left one path and turns up at another: it stays
            self._old.remove(new_id)
        before = catalog.document_of_source(source)
        if before != new_id:
            catalog.set_source(source, new_id, datetime.now(UTC))
            if before is not None and not catalog.sources_of(before):
                self._old.append(before)
        self._unchanged.append(new_id)
        return True

    def _queue(self, source: str, new_id: str, parsed: Parsed, name: str) -> None:
        library = self.library
        document = Document(
            id=new_id,
            source=source,
            title=_one_line(parsed.title or name),
            text=parsed.text,
            pages=parsed.pages,
            published=parsed.published,
            author=_one_line(parsed.author) if parsed.author else None,
            media_type=parsed.media_type,
            language=parsed.language,
            added=datetime.now(UTC),
        )
        passages = split(parsed, new_id, library.encoder, library.settings.chunk_size)
        before = library.catalog.document_of_source(source)
        if before is not None and library.catalog.sources_of(before) == [source]:
            self._old.append(before)
        (self._added if before is None else self._updated).append(new_id)
        self.notes.extend((source, note) for note in parsed.notes)
        self._new.append(NewDocument(document, passages))
        self._waiting.add(new_id)
        self._passages += len(passages)

    def _flush_if_full(self) -> None:
        if sum(len(n.passages) for n in self._new) >= _BATCH_PASSAGES or len(self._new) >= _BATCH_DOCUMENTS:
            self.flush()

    def flush(self) -> None:
        """Write what is queued: vectors and lexical index first, the catalog last."""
        new, self._new = self._new, []
        old, self._old = self._old, []
        self._waiting.clear()
        if not new and not old:
            return
        library = self.library
        titles = {n.document.id: n.document.title for n in new}
        passages = [p for n in new for p in n.passages]
        encoder = library.encoder
        vectors = encoder.encode([t for n in new for t in embedded_texts(n.document.title, n.passages, encoder)])
        library.catalog.announce([*titles, *old])
        library.lexical.replace(passages, titles, remove=old)
        library.vectors.remove(old)
        library.vectors.replace(passages, vectors)
        library.catalog.commit(add=new, remove=old)

    def report(self) -> AddReport:
        """Say what came of it."""
        return AddReport(
            tuple(self._added), tuple(self._updated), tuple(self._unchanged), tuple(self.failed), tuple(self.notes),
            self._passages, time.monotonic() - self._started,
        )  # fmt: skip


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]
