"""The library: documents in, hits out; three stores kept in agreement."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from index.catalog import Catalog
from index.errors import DocumentError, NoLibraryError, StaleIndexError
from index.lock import WriteLock
from index.search import fuse, promote, to_hits
from index.settings import LibrarySettings, load_settings
from index.types import AddReport, Document, DocumentInfo, Hit, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.embed import Encoder
    from index.ingest import SourceText
    from index.lexical import LexicalIndex
    from index.vectors import VectorStore

Progress = Callable[[int, int, str], None]
"""Called with files done, files in all, and the name of the one at hand."""


class Library:
    """A folder with a catalog, vectors and a lexical index. Make one with `Library.open`.

    Safe from several threads. Several processes may read; one at a time writes.
    """

    def __init__(self, path: Path, settings: LibrarySettings, encoder: Encoder | None) -> None:
        self.path = path
        self.settings = settings
        self.catalog = Catalog(path / "catalog.sqlite", settings.busy_timeout)
        self._given_encoder = encoder
        self._encoder: Encoder | None = None
        self._vectors: VectorStore | None = None
        self._lexical: LexicalIndex | None = None
        # One lock for both: importing the libraries behind them from two threads at once breaks numpy's import.
        self._lock = threading.RLock()

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

    def close(self) -> None:
        """Let go of all files."""
        with self._lock:
            if self._vectors is not None:
                self._vectors.close()
            self._vectors = self._lexical = None
            self.catalog.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Parts

    @property
    def encoder(self) -> Encoder:
        """The library's encoder, loaded when first used.

        Raises:
            StaleIndexError: It is not the one whose vectors the library holds.
            ModelUnavailableError: It cannot be loaded.
        """
        with self._lock:
            if self._encoder is None:
                encoder = self._given_encoder
                if encoder is None:
                    from index.embed import open_encoder

                    name = self.settings.encoder or self.catalog.get_meta("encoder_model") or None
                    encoder = open_encoder(name, self.settings.device)
                known = self.catalog.get_meta("encoder")
                if known is not None and known != encoder.name:
                    raise _stale(self.path, known, encoder.name)
                self._encoder = encoder
            return self._encoder

    def _check_encoder(self) -> None:
        """Refuse another encoder by its name alone, before anything is loaded."""
        known = self.catalog.get_meta("encoder_model")
        if known is not None and self.settings.encoder and self.settings.encoder != known:
            raise _stale(self.path, known, self.settings.encoder)
        if self._given_encoder is not None:
            assert self.encoder is self._given_encoder

    def remember_encoder(self) -> None:
        """Write the encoder's name into a library that has none yet."""
        if self.catalog.get_meta("encoder") is None:
            model = self.settings.encoder or "all-MiniLM-L6-v2"
            self.catalog.set_meta("encoder_model", model)
            self.catalog.set_meta("encoder", self.encoder.name)

    def _stores(self) -> tuple[VectorStore, LexicalIndex]:
        with self._lock:
            if self._vectors is None or self._lexical is None:
                from index.lexical import LexicalIndex
                from index.vectors import VectorStore

                # Two processes that make the same store at once would each find it half made by the other.
                with WriteLock(self.path / "open.lock", self.settings.busy_timeout):
                    self._vectors = VectorStore(self.path / "vectors")
                    self._lexical = LexicalIndex(self.path / "lexical")
                self._repair()
            return self._vectors, self._lexical

    @property
    def vectors(self) -> VectorStore:
        """The dense index, opened when first used."""
        return self._stores()[0]

    @property
    def lexical(self) -> LexicalIndex:
        """The lexical index, opened when first used."""
        return self._stores()[1]

    @contextmanager
    def writing(self, timeout: float | None = None) -> Iterator[None]:
        """Hold the library's write lock.

        Raises:
            LibraryBusyError: Another process holds it for longer than `timeout` (that of the settings if `None`).
        """
        wait = self.settings.busy_timeout if timeout is None else timeout
        with WriteLock(self.path / "write.lock", wait):
            yield

    def _repair(self) -> None:
        from index.repair import repair

        repair(self)

    # Documents

    def add(self, paths: Iterable[str | Path] | str | Path, progress: Progress | None = None) -> AddReport:
        """Add files, and all supported files of folders.

        A file that is there already is left alone; one whose bytes changed takes the place of its old state. A file
        that cannot be used is reported and the rest goes on. Every batch is complete in all three stores before it
        counts as added, so an interruption loses only the batch at hand.

        Args:
            paths: Files or folders.
            progress: Called after each file.

        Returns:
            What was added, replaced, unchanged and failed.

        Raises:
            LibraryBusyError: Another process is writing.
            DiskFullError: There is no room; what was added before stays.
            DocumentError: A folder was named that holds no file of a supported format, and nothing else was.
        """
        from index.ingest import add_files

        chosen = [paths] if isinstance(paths, (str, Path)) else list(paths)
        return add_files(self, [Path(p) for p in chosen], progress)

    def add_texts(self, texts: Iterable[SourceText], progress: Progress | None = None) -> AddReport:
        """Add texts that are not files, such as rows of a data set; otherwise like `add`."""
        from index.ingest import add_texts

        return add_texts(self, texts, progress)

    def remove(self, document_ids: Sequence[str]) -> None:
        """Remove documents from all three stores.

        Raises:
            DocumentError: An id is not in the library; nothing is removed then.
        """
        chosen = [self.find(document_id) for document_id in document_ids]
        vectors, lexical = self._stores()
        with self.writing():
            self.catalog.announce(chosen)
            lexical.remove(chosen)
            vectors.remove(chosen)
            self.catalog.commit(remove=chosen)

    def documents(self, document_ids: Sequence[str] | None = None) -> list[DocumentInfo]:
        """List the documents by title, without their text."""
        return self.catalog.list_documents(document_ids)

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

    def __len__(self) -> int:
        return self.catalog.count()[0]

    # Search

    def search(self, query: str, top_k: int = 10) -> list[Hit]:
        """Find the passages that best match a query, by meaning and by words.

        Args:
            query: A question or some words.
            top_k: How many hits at most.

        Returns:
            Hits, the best first; empty if the library is.
        """
        if not query.strip() or top_k <= 0:
            return []
        terms = dict.fromkeys(self.lexical.terms(query), 1.0)
        return self.search_vector(self.encoder.encode([query])[0], terms, top_k)

    def search_vector(
        self,
        vector: NDArray[np.float32],
        terms: Mapping[str, float],
        top_k: int,
        *,
        lexical_weight: float | None = None,
        each: int = 0,
    ) -> list[Hit]:
        """Find passages by a query vector and weighted index terms, for callers that make these themselves.

        Args:
            vector: Shape `(dimension,)`, float32, L2-normalised.
            terms: Index terms as `LexicalIndex.terms` makes them, with weights; may be empty.
            top_k: How many hits at most.
            lexical_weight: Weight of the lexical ranking; that of the settings if `None`.
            each: How many of each method's first must be among the hits, at the end of them if need be.

        Returns:
            Hits, the best first.
        """
        vectors, lexical = self._stores()
        depth = max(self.settings.candidates, top_k)
        fused = fuse(
            vectors.search(vector, depth),
            lexical.search(terms, depth),
            self.settings.dense_weight,
            self.settings.lexical_weight if lexical_weight is None else lexical_weight,
        )
        fused = promote(fused, top_k, each)
        wanted = [name for name, _, _ in fused[: 2 * top_k + 20]]
        return to_hits(fused, self.catalog.get_passages(wanted), top_k)

    def passages(self, document_id: str) -> list[Passage]:
        """Read a document's passages in the order of its text."""
        return self.catalog.passages_of(document_id)


def _make_folder(path: Path) -> None:
    from index.errors import LibraryError

    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"The library folder {path} cannot be made: {error.strerror}.", remedy="Choose another folder."
        ) from error


def _stale(path: Path, known: str, asked: str) -> StaleIndexError:
    return StaleIndexError(
        f"The library {path} holds vectors of {known}; {asked} cannot search them.",
        remedy=f"Leave the encoder unset to use {known.split('/')[0]}, or make a new library in another folder.",
    )
