"""What a library is made of: three stores, an encoder, and the processes that read files."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from index.catalog import Catalog
from index.conversations import Conversations, Feedback
from index.errors import StaleIndexError
from index.ledger import Ledger
from index.lock import WriteLock
from index.settings import LibrarySettings
from index.types import Step

if TYPE_CHECKING:
    from index.embed import Encoder
    from index.lexical import LexicalIndex
    from index.vectors import VectorStore
    from index.workers import WorkerPool

Progress = Callable[[Step], None]
"""Called with how far it is, from whichever thread is at work; must return quickly."""

_SOON = 200
"""Passages: so few missing vectors are made when a library is opened; more wait for `add`, `sync` or `embed`."""


class LibraryParts:
    """The parts of a library, each opened when it is first used."""

    def __init__(self, path: Path, settings: LibrarySettings, encoder: Encoder | None) -> None:
        self.path = path
        self.settings = settings
        self.catalog = Catalog(path / "catalog.sqlite", settings.busy_timeout)
        self.ledger = Ledger(self.catalog)
        self.conversations = Conversations(self.catalog)
        self.feedback = Feedback(self.catalog)
        self._given_encoder = encoder
        self._encoder: Encoder | None = None
        self._vectors: VectorStore | None = None
        self._lexical: LexicalIndex | None = None
        self._workers: WorkerPool | None = None
        # One lock for both: importing the libraries behind them from two threads at once breaks numpy's import.
        self._lock = threading.RLock()

    def close(self) -> None:
        """Let go of all files."""
        with self._lock:
            if self._workers is not None:
                self._workers.close()
                self._workers = None
            if self._vectors is not None:
                self._vectors.close()
            self._vectors = self._lexical = None
            self.catalog.close()

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
            self.catalog.set_meta("labels", "1")

    def _stores(self) -> tuple[VectorStore, LexicalIndex]:
        fresh = False
        with self._lock:
            if self._vectors is None or self._lexical is None:
                from index.lexical import LexicalIndex
                from index.vectors import VectorStore

                # Two processes that make the same store at once would each find it half made by the other.
                with WriteLock(self.path / "open.lock", self.settings.busy_timeout):
                    self._vectors = VectorStore(self.path / "vectors", self.settings.vectors, self._collection())
                    self._lexical = LexicalIndex(self.path / "lexical")
                self._repair()
                fresh = True
            stores = self._vectors, self._lexical
        # Not under the lock: the embedder's threads use the stores.
        if fresh and 0 < self.catalog.count_pending() <= _SOON and os.access(self.path, os.W_OK):
            self.embed()
        return stores

    def _collection(self) -> str:
        """The name of the collection of vectors: on a server that others use as well, one of the library's own."""
        if not self.settings.vectors:
            return "passages"
        name = self.catalog.get_meta("collection")
        if name is None:
            import uuid

            name = f"dossier-{uuid.uuid4().hex[:16]}"
            self.catalog.set_meta("collection", name)
        return name

    @property
    def workers(self) -> WorkerPool:
        """The processes that read files; they start with the first file and end with the library."""
        from index.ingest import open_workers

        with self._lock:
            if self._workers is None:
                self._workers = open_workers(self)
            return self._workers

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
        from index.migrate import relabel
        from index.repair import repair

        relabel(self)
        repair(self)

    def embed(self, progress: Progress | None = None) -> int:
        """Make the vectors that are missing; returns how many. Does nothing while another process does it."""
        from index.embedding import Embedder

        with Embedder(self, progress=progress) as embedder:
            pass
        return embedder.done

    def __len__(self) -> int:
        return self.catalog.count()[0]


def _stale(path: Path, known: str, asked: str) -> StaleIndexError:
    return StaleIndexError(
        f"The library {path} holds vectors of {known}; {asked} cannot search them.",
        remedy=f"Leave the encoder unset to use {known.split('/')[0]}, or make a new library in another folder.",
    )
