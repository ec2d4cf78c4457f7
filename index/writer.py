"""Writing documents into the three stores, in batches; what happened is counted in a `Tally`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from index.errors import DocumentError
from index.ledger import FileRecord
from index.lexical import Entry
from index.reading import Prepared, ReadPart, one_line, prepare, title_of, unforeseen
from index.records import NewDocument
from index.scan import Found, failure_of, ignored_note
from index.types import AddReport, Document, DocumentInfo, Failure, Parsed
from index.vectors import Labels, day_number

if TYPE_CHECKING:
    from index.parts import LibraryParts

_BATCH_PASSAGES = 600  # how much is parsed but not yet recorded when a process is killed
_BATCH_DOCUMENTS = 64
_TEXTS_KEPT = 60_000  # texts to embed held in memory, about 70 MB; the rest are made again from the catalog
NEAR = 0.7
"""Estimated share of common word shingles from which two documents count as nearly the same."""


@dataclass
class Tally:
    """Counts what comes of an `add` or `sync`."""

    failed: list[Failure] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    unchanged_files: int = 0
    moved: list[tuple[str, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    near: list[tuple[str, str]] = field(default_factory=list)
    languages: Counter[str] = field(default_factory=Counter)
    passages: int = 0
    reused: int = 0
    pages: int = 0
    silent_pages: int = 0
    images: int = 0
    tables: int = 0
    undated: int = 0
    started: float = field(default_factory=time.monotonic)

    def ignored(self, suffixes: Mapping[str, int]) -> None:
        """Note files of formats that are not read."""
        if suffixes:
            self.notes.append(("", ignored_note(suffixes)))

    def parsed(self, source: str, parsed: Parsed) -> None:
        """Count what a parser read and passed over."""
        self.notes.extend((source, note) for note in parsed.notes)
        self.pages += len(parsed.pages)
        self.silent_pages += parsed.silent_pages
        self.images += parsed.images
        self.tables += parsed.tables
        self.undated += parsed.published is None
        self.languages[parsed.language or ""] += 1

    def report(self, embedded: int, pending: int) -> AddReport:
        """Sum it up."""
        return AddReport(
            added=tuple(self.added),
            updated=tuple(self.updated),
            unchanged=tuple(self.unchanged),
            failed=tuple(self.failed),
            notes=tuple(self.notes),
            passages=self.passages,
            seconds=time.monotonic() - self.started,
            moved=tuple(self.moved),
            removed=tuple(self.removed),
            duplicates=tuple(self.duplicates),
            near=tuple(self.near),
            embedded=embedded,
            reused=self.reused,
            pending=pending,
            pages=self.pages,
            silent_pages=self.silent_pages,
            images=self.images,
            tables=self.tables,
            undated=self.undated,
            languages=tuple(self.languages.most_common()),
            unchanged_files=self.unchanged_files,
        )


@dataclass(frozen=True, slots=True)
class _Queued:
    new: NewDocument
    prepared: Prepared
    before: str | None
    """The document that its source held before."""


class Writer:
    """Gathers documents and writes them in batches; nothing else may be in the middle of writing to the library.

    A batch is announced in the catalog, written to the lexical index, and committed in the catalog, in this order, so
    that a crash leaves each document in its old or its new state. Vectors come later (see `index.embedding`), but for
    passages whose text is that of a passage they take the place of: these keep their vector.

    Args:
        library: The library.
    """

    def __init__(self, library: LibraryParts) -> None:
        self.library = library
        self.tally = Tally()
        self.texts: dict[str, str] = {}
        self._queue: dict[str, _Queued] = {}
        self._settled: dict[str, tuple[str, str]] = {}
        self._files: list[FileRecord] = []
        self._passages = 0
        self.gained: dict[str, str] = {}
        """For each document that turned up under a new source in this run, that source."""

    def settle(self, source: str, new_id: str, file: str) -> bool:
        """Deal with a document whose bytes are in the library already, perhaps under another source.

        Returns:
            Whether they are; if not, the document has to be read.
        """
        catalog = self.library.catalog
        if new_id in self._queue:
            self.flush()
        if not catalog.has_document(new_id):
            return False
        if catalog.document_of_source(source) == new_id:
            self.tally.unchanged.append(new_id)
        else:
            self._settled[source] = (new_id, file)
            self.tally.duplicates.append((source, new_id))
            self.gained[new_id] = source
        return True

    def queue(self, part: ReadPart, file: str) -> None:
        """Take a document that was read, or note why it cannot be used."""
        if part.failure is not None or part.parsed is None:
            error = part.failure
            assert isinstance(error, DocumentError)
            self.tally.failed.append(failure_of(part.source, error))
            return
        if self.settle(part.source, part.document_id, file):
            return
        try:
            self._queue_parsed(part, part.parsed, file)
        except (RecursionError, ValueError, LookupError, TypeError, AttributeError) as error:
            self.tally.failed.append(failure_of(part.source, unforeseen(part.source, error)))
        if self._passages >= _BATCH_PASSAGES or len(self._queue) >= _BATCH_DOCUMENTS:
            self.flush()

    def _queue_parsed(self, part: ReadPart, parsed: Parsed, file: str) -> None:
        from index.near import bands

        library = self.library
        title = title_of(parsed, part.source)
        before = library.catalog.document_of_source(part.source)
        former = (
            [p.text for p in library.catalog.passages_of(before)]
            if before is not None and part.prepared is None
            else []
        )
        prepared = part.prepared or prepare(
            parsed, title, part.document_id, library.encoder, library.settings.chunk_size, former
        )
        document = Document(
            id=part.document_id,
            source=part.source,
            title=title,
            text=parsed.text,
            pages=parsed.pages,
            published=parsed.published,
            author=one_line(parsed.author) if parsed.author else None,
            media_type=parsed.media_type,
            language=parsed.language,
            added=datetime.now(UTC),
            headings=parsed.headings,
            tags=tuple(dict.fromkeys(one_line(tag) for tag in parsed.tags if tag.strip())),
        )
        new = NewDocument(
            document, prepared.passages, prepared.digests, file=file, signature=part.signature,
            bands=bands(part.signature) if part.signature is not None else (), parsed=parsed,
        )  # fmt: skip
        self._queue[document.id] = _Queued(new, prepared, before)
        (self.tally.added if before is None else self.tally.updated).append(document.id)
        self.tally.parsed(part.source, parsed)
        self.tally.passages += len(prepared.passages)
        self._passages += len(prepared.passages)

    def file_done(
        self,
        file: Found,
        digest: str,
        sources: set[str] | None,
        failures: tuple[Failure, ...] = (),
        under: str = "",
    ) -> None:
        """Note that all of a file is queued; what was read from it before and is no longer in it goes.

        Args:
            file: The file.
            digest: Of its bytes.
            sources: What was read from it; `None` if it could not be read, and what was there before stays.
            failures: What could not be used of it.
            under: See `FileRecord.under`.
        """
        self._files.append(FileRecord(file.source, file.size, file.modified, digest, time.time_ns(), failures, under))
        if sources is not None:
            before = self.library.ledger.sources_of_file(file.source)
            left = {source: i for source, i in before.items() if source not in sources}
            if left:
                self.drop(left)
        if len(self._files) >= 500:
            self.flush()

    def drop(self, sources: Mapping[str, str]) -> None:
        """Forget sources, and the documents that have no other.

        Args:
            sources: `{source: document id}`.
        """
        library = self.library
        self.flush()
        with library.writing():
            ids = dict.fromkeys(sources.values())
            orphans = [i for i in ids if set(library.catalog.sources_of(i)) <= set(sources)]
            moved = [(s, self.gained[i]) for s, i in sources.items() if i in self.gained and i not in orphans]
            erase(library, orphans)
            library.ledger.follow_moves(moved)
            library.catalog.forget_sources([s for s, i in sources.items() if i not in set(orphans)])
        self.tally.moved.extend(moved)
        arrived = {new for _, new in moved}
        self.tally.duplicates = [d for d in self.tally.duplicates if d[0] not in arrived]
        self.tally.removed.extend(orphans)

    def flush(self) -> None:
        """Write what is queued."""
        queued, self._queue = list(self._queue.values()), {}
        settled, self._settled = self._settled, {}
        files, self._files = self._files, []
        self._passages = 0
        if queued or settled:
            with self.library.writing():
                self._write(queued, settled)
        if files:
            self.library.ledger.record_files(files)

    def _write(self, queued: Sequence[_Queued], settled: Mapping[str, tuple[str, str]]) -> None:
        library = self.library
        catalog = library.catalog
        documents = {q.new.document.id: q.new.document for q in queued}
        replaced = self._replaced(
            {**{s: i for s, (i, _) in settled.items()}, **{d.source: i for i, d in documents.items()}}
        )
        catalog.announce([*documents, *replaced])
        if documents or replaced:
            entries = {i: entry_of(d) for i, d in documents.items()}
            library.lexical.replace([p for q in queued for p in q.prepared.passages], entries, remove=replaced)
        old = catalog.digests_of([q.before for q in queued if q.before is not None])
        new = [self._with_old_vectors(q, old) for q in queued]
        library.vectors.remove(list(catalog.digests_of(replaced)))
        catalog.commit(add=new, replaced=replaced, sources=[(s, i, f) for s, (i, f) in settled.items()])
        self._link(queued)
        for q in queued:
            if len(self.texts) < _TEXTS_KEPT:
                self.texts.update((p.id, t) for p, t in zip(q.prepared.passages, q.prepared.texts, strict=True))

    def _replaced(self, sources: Mapping[str, str]) -> list[str]:
        """Which documents have no source left when these sources hold these documents."""
        catalog = self.library.catalog
        before = {catalog.document_of_source(source) for source in sources} - {None, *sources.values()}
        return sorted(i for i in before if i is not None and set(catalog.sources_of(i)) <= set(sources))

    def _with_old_vectors(self, queued: _Queued, old: Mapping[str, tuple[str, bool]]) -> NewDocument:
        """Give passages the vectors of old passages with the same embedded text."""
        library, new = self.library, queued.new
        if queued.before is None:
            return new
        prefix = f"{queued.before}:"
        have = {digest: name for name, (digest, pending) in old.items() if name.startswith(prefix) and not pending}
        same = [(p, d) for p, d in zip(new.passages, new.digests, strict=True) if d in have]
        if not same:
            return new
        import numpy as np

        vectors = library.vectors.get(list({have[d]: None for _, d in same}))
        kept = [(p, d, vectors[have[d]]) for p, d in same if have[d] in vectors]
        if kept:
            labels = {new.document.id: labels_of(new.document)}
            rows = np.asarray([v for _, _, v in kept], dtype=np.float32)
            library.vectors.replace([p for p, _, _ in kept], rows, [d for _, d, _ in kept], labels)
        self.tally.reused += len(kept)
        return NewDocument(
            new.document, new.passages, new.digests, frozenset(p.id for p, _, _ in kept), new.file, new.signature,
            new.bands, new.parsed,
        )  # fmt: skip

    def _link(self, queued: Sequence[_Queued]) -> None:
        """Find documents that are nearly the same as those just written."""
        from index.near import similarity

        pairs: list[tuple[str, str, float]] = []
        for q in queued:
            signature, name = q.new.signature, q.new.document.id
            if signature is None:
                continue
            for other, theirs in self.library.ledger.alike(q.new.bands, name).items():
                score = similarity(signature, theirs)
                if score >= NEAR:
                    pairs.append((name, other, score))
        if pairs:
            self.library.ledger.link(pairs)
            self.tally.near.extend({(min(a, b), max(a, b)): None for a, b, _ in pairs})


def entry_of(document: Document | DocumentInfo) -> Entry:
    """What the lexical index stores of a document besides its passages."""
    return Entry(document.title, document.media_type, document.language or "", day_number(document.published))


def labels_of(document: Document) -> Labels:
    """What the vector store stores of a document beside each vector."""
    return Labels(document.media_type, document.language or "", day_number(document.published))


def erase(library: LibraryParts, document_ids: Sequence[str]) -> None:
    """Take documents out of all three stores; the caller holds the write lock."""
    if not document_ids:
        return
    catalog = library.catalog
    for at in range(0, len(document_ids), 200):
        chosen = list(document_ids[at : at + 200])
        catalog.announce(chosen)
        library.lexical.remove(chosen)
        library.vectors.remove(list(catalog.digests_of(chosen)))
        catalog.commit(remove=chosen)
