"""The library: documents in, hits out; three stores kept in agreement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from index.errors import DocumentError, LibraryError, NoLibraryError
from index.parts import LibraryParts, Progress
from index.search import Ranking, fuse, lean, promote, rank_by, to_hits
from index.settings import LibrarySettings, load_settings
from index.types import AddReport, Document, DocumentInfo, Hit, Passage, Resolved

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.embed import Encoder
    from index.ingest import SourceText
    from index.where import Filter

__all__ = ["Library", "Progress"]

_WIDER = 3
"""Times as many passages of a filtered dense search are looked at again with the query's moved vector."""


class Library(LibraryParts):
    """A folder with a catalog, vectors and a lexical index. Make one with `Library.open`.

    Safe from several threads. Several processes may read; one at a time writes.
    """

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        settings: LibrarySettings | None = None,
        config: str | Path | None = None,
        encoder: Encoder | None = None,
        create: bool = True,
    ) -> Library:
        """Open the library in a folder, and repair what a crash left half done.

        Args:
            path: The folder; made if missing and `create`.
            settings: Settings to use; if `None` they are read from `config`, the library's `dossier.toml` and the
                environment.
            config: A settings file in place of the library's own.
            encoder: An encoder object in place of the one the settings name, for example a fake in tests.
            create: Whether a missing library is made.

        Returns:
            The open library; close it, or use it in a `with` block.

        Raises:
            NoLibraryError: There is none and `create` is false.
            StaleIndexError: It was made with another encoder or by a newer version.
            LibraryError: Its files are damaged or cannot be written.
        """
        path = Path(path).expanduser()
        if settings is None:
            settings = load_settings(
                LibrarySettings, "library", library=path, config=Path(config) if config is not None else None
            )
        if not (path / "catalog.sqlite").is_file():
            if not create:
                raise NoLibraryError(
                    f"There is no library in {path}.", remedy=f"Make one: dossier --library {path} add FILE_OR_FOLDER"
                )
            _make_folder(path)
        library = cls(path, settings, encoder)
        try:
            library._check_encoder()
            if library.catalog.announced():
                library._stores()  # repairs on the way
        except BaseException:
            library.close()
            raise
        return library

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Documents

    def add(
        self, paths: Iterable[str | Path] | str | Path, progress: Progress | None = None, *, embed: bool = True
    ) -> AddReport:
        """Add files, and all supported files of folders.

        A file that is there already is left alone; one whose bytes changed takes the place of its old state. A file
        that cannot be used is reported and the rest goes on. A document can be found by its words as soon as its batch
        is recorded, and by its meaning once its vectors are made, which is done last. An interruption keeps what was
        recorded; missing vectors are made by the next `add`, `sync` or `embed`.

        Args:
            paths: Files or folders; a text that begins with http:// or https:// is fetched, and nothing else ever is.
            progress: Called after each file and each batch of vectors.
            embed: Whether to make the vectors as well; if not, call `embed` later.

        Returns:
            What was added, replaced, unchanged and failed.

        Raises:
            LibraryBusyError: Another process is writing.
            DiskFullError: There is no room; what was added before stays.
            DocumentError: A folder was named that holds no file of a supported format, and nothing else was.
        """
        from index.ingest import add_files
        from index.web import is_address

        chosen = [paths] if isinstance(paths, (str, Path)) else list(paths)
        addresses = [str(p) for p in chosen if is_address(p)]
        return self._reported(
            add_files(self, [Path(p) for p in chosen if not is_address(p)], addresses, progress, embed)
        )

    def add_texts(self, texts: Iterable[SourceText], progress: Progress | None = None) -> AddReport:
        """Add texts that are not files, such as rows of a data set; otherwise like `add`."""
        from index.ingest import add_texts

        return self._reported(add_texts(self, texts, progress))

    def sync(
        self,
        folders: Iterable[str | Path] | str | Path = (),
        progress: Progress | None = None,
        *,
        dry_run: bool = False,
        check: bool = False,
        allow_empty: bool = False,
        embed: bool = True,
        ray: str = "",
    ) -> AddReport:
        """Bring the library to the state of folders: add what is new, replace what changed, remove what is gone.

        A file counts as unchanged if its size and time stamp are; one that moved is known by its bytes and only gets
        its new path. Of a changed document, passages whose text is the same keep their vectors.

        Args:
            folders: The folders; those of earlier calls if there are none.
            progress: As for `add`.
            dry_run: Only tell what would be done.
            check: Compare the bytes even of files whose size and time stamp are the same.
            allow_empty: Go on if a folder holds no documents any more and all of them would be removed.
            embed: As for `add`.
            ray: Address of a Ray cluster that reads and embeds; see `index.distributed.sync_on_ray`.

        Returns:
            What was done; the lists hold sources in place of ids for files that a dry run has not read.

        Raises:
            DocumentError: A folder does not exist, or is empty and was not; nothing is changed then.
            ConfigError: No folder is named, here or before.
            LibraryBusyError, DiskFullError: As for `add`.
        """
        from index.sync import sync

        chosen = [folders] if isinstance(folders, (str, Path)) else list(folders)
        if ray and not dry_run:
            from index.distributed import sync_on_ray

            paths = [Path(f) for f in chosen]
            return self._reported(sync_on_ray(self, paths, ray, progress, check=check, allow_empty=allow_empty))
        return self._reported(
            sync(
                self, [Path(f) for f in chosen], dry_run=dry_run, check=check, allow_empty=allow_empty, embed=embed,
                progress=progress,
            )
        )  # fmt: skip

    def _reported(self, report: AddReport) -> AddReport:
        from index.report import is_nothing, to_json

        if not report.dry_run and not is_nothing(report):  # what was told last stays worth telling
            self.ledger.save_report(to_json(report))
        return report

    def last_report(self) -> AddReport | None:
        """Read the report of the latest `add` or `sync`; `None` if there was none yet."""
        from index.report import from_json

        text = self.ledger.last_report()
        return from_json(text) if text is not None else None

    def remove(self, document_ids: Sequence[str]) -> None:
        """Remove documents from all three stores.

        Raises:
            DocumentError: An id is not in the library; nothing is removed then.
        """
        from index.writer import erase

        chosen = [self.find(document_id) for document_id in document_ids]
        self._stores()
        with self.writing():
            files = {s for i in chosen for s in self.catalog.sources_of(i)}
            erase(self, chosen)
            self.ledger.forget_files(files)  # so that adding the file again reads it again

    def documents(
        self, document_ids: Sequence[str] | None = None, where: Filter | str | None = None
    ) -> list[DocumentInfo]:
        """List the documents by title, without their text.

        Args:
            document_ids: Only these.
            where: Only those that this filter lets through; see `index.where`.
        """
        chosen = self._filter(where)
        return self.catalog.list_documents(document_ids, chosen.to_sql() if chosen else None)

    def _filter(self, where: Filter | str | None) -> Filter | None:
        if isinstance(where, str):
            from index.where import parse_where

            where = parse_where(where)
        return where or None

    def document(self, document_id: str) -> Document:
        """Read a document with its text.

        Args:
            document_id: Its id, or enough of its first digits to be the only one.

        Raises:
            DocumentError: There is none, or several begin like this.
        """
        document = self.catalog.get_document(self.find(document_id))
        assert document is not None
        return document

    def find(self, document_id: str) -> str:
        """Complete an abbreviated document id; raises `DocumentError` as `document` does."""
        found = self.catalog.find_documents(document_id) if document_id else []
        if document_id in found:
            return document_id
        if len(found) == 1:
            return found[0]
        if found:
            raise DocumentError(
                f"{len(found)} documents have an id that begins with {document_id!r}.",
                remedy="Give more of its digits.",
            )
        raise DocumentError(
            f"There is no document {document_id!r} in this library.", remedy="dossier list shows the ids."
        )

    def resolve(self, link: str) -> Resolved:
        """Find where a citation's permalink leads now, also if its document has changed since.

        What a file held before is kept for its last five states, so that a quote of them can be found again in the
        present one: by its words, or the sentences nearest to them.

        Args:
            link: A `dossier://` link, such as `Citation.permalink`.

        Raises:
            DocumentError: It is not such a link.
        """
        from index.resolve import resolve

        return resolve(self, link)

    # Search

    def search(self, query: str, top_k: int = 10, *, where: Filter | str | None = None) -> list[Hit]:
        """Find the passages that best match a query, by meaning and by words.

        Args:
            query: A question or some words.
            top_k: How many hits at most.
            where: Only in documents that this filter lets through, such as `"type=pdf published>=2025-01"`.

        Returns:
            Hits, the best first; empty if the library is.

        Raises:
            ConfigError: The filter has a key or value that means nothing.
        """
        if not query.strip() or top_k <= 0:
            return []
        terms = dict.fromkeys(self.lexical.terms(query), 1.0)
        return self.search_vector(self.encoder.encode([query])[0], terms, top_k, each=1, where=where)

    def search_vector(
        self,
        vector: NDArray[np.float32],
        terms: Mapping[str, float],
        top_k: int,
        *,
        lexical_weight: float | None = None,
        each: int = 0,
        where: Filter | str | None = None,
    ) -> list[Hit]:
        """Find passages by a query vector and weighted index terms, for callers that make these themselves.

        Args:
            vector: Shape `(dimension,)`, float32, L2-normalised.
            terms: Index terms as `LexicalIndex.terms` makes them, with weights; may be empty.
            top_k: How many hits at most.
            lexical_weight: Weight of the lexical ranking; that of the settings if `None`.
            each: How many of each method's first must be among the hits, at the end of them if need be.
            where: As for `search`.

        Returns:
            Hits, the best first.
        """
        from index.limits import compile_filter

        vectors, lexical = self._stores()
        depth = max(self.settings.candidates, top_k)
        chosen = self._filter(where)
        compiled = compile_filter(self.catalog, chosen) if chosen else (None, None)
        if compiled is None:
            return []  # no document passes the filter
        among, limits = compiled
        settings = self.settings
        weights = settings.dense_weight, settings.lexical_weight if lexical_weight is None else lexical_weight
        words = lexical.search(terms, depth, limits)
        again = settings.feedback_weight > 0 and settings.dense_weight > 0
        dense: Ranking = vectors.search(vector, depth * (_WIDER if again and among else 1), among)
        fused = fuse(dense[:depth], words, *weights)
        first = vectors.get([name for name, _, _ in fused[: settings.feedback_passages]]) if again and fused else {}
        if first:
            moved = lean(vector, list(first.values()), settings.feedback_weight)
            if among:  # Chroma looks through all metadata each time it filters: 0.5 s and more for 200,000 passages
                known = vectors.get(list(dict.fromkeys(name for name, _ in (*dense, *words))))
                dense = rank_by(moved, known, depth)
            else:
                dense = vectors.search(moved, depth)
            fused = fuse(dense, words, *weights)
        fused = promote(fused, top_k, each)
        passages = self.catalog.get_passages([name for name, _, _ in fused[: 2 * top_k + 20]])
        near = self.ledger.near(list({p.document_id for p in passages.values()}))
        return to_hits(fused, passages, top_k, near)

    def passages(self, document_id: str) -> list[Passage]:
        """Read a document's passages in the order of its text."""
        return self.catalog.passages_of(document_id)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"The library folder {path} cannot be made: {error.strerror}.", remedy="Choose another folder."
        ) from error
