"""Making the vectors that are still missing, in the background of adding or on its own.

A document can be found by its words as soon as it is recorded; its passages are marked as pending until their vectors
are stored. What is pending stands in the catalog, so whoever opens the library next can go on.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from index.embedded import embedded_texts
from index.errors import LibraryBusyError
from index.lock import WriteLock
from index.reading import digest_of
from index.types import Passage, Step
from index.vectors import Labels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.parts import LibraryParts

_WINDOW = 512  # passages encoded between two writes: some seconds of work, which is what an interruption loses
_DOCUMENTS = 200

Progress = Callable[[Step], None]


class Embedder:
    """Makes vectors in a thread of its own, while its `with` block runs.

    Leaving the block waits until all are made; leaving it by an exception stops after the window at hand. Only one
    process at a time does this for a library: another's work is waited for and not repeated.

    Args:
        library: The library.
        texts: Texts to embed by passage id, where they are known; the others are made again from the catalog.
        delay: Seconds after which it begins although the block still runs, so that reading many files comes first.
        progress: Called with the passages done and in all.
    """

    def __init__(
        self,
        library: LibraryParts,
        texts: dict[str, str] | None = None,
        delay: float = 0,
        progress: Progress | None = None,
    ) -> None:
        self._library = library
        self._texts = texts if texts is not None else {}
        self._delay = delay
        self._progress = progress
        self._begin = threading.Event()
        self._closing = threading.Event()
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._guarded, name="dossier-embedder", daemon=True)
        self.done = 0

    def __enter__(self) -> Embedder:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._stopped.set()
        self._closing.set()
        self._begin.set()
        try:
            while self._thread.is_alive():
                self._thread.join(0.2)  # in steps, so that Ctrl-C is heard
        except BaseException:
            self._stopped.set()
            self._thread.join()
            raise
        if self._error is not None and error is None:
            raise self._error

    def _guarded(self) -> None:
        self._begin.wait(self._delay or None)
        try:
            with WriteLock(self._library.path / "embedding.lock", 0):
                self._run()
        except LibraryBusyError:
            pass  # another process is making them
        except BaseException as error:
            self._error = error

    def _run(self) -> None:
        while not self._stopped.is_set():
            closing = self._closing.is_set()  # before looking: what comes after it is not missed
            if self._library.catalog.count_pending():
                self._make_all()
            elif closing:
                return
            else:
                self._closing.wait(0.2)

    def _make_all(self) -> None:
        """Encode window by window; each is written while the next is encoded."""
        encoder = self._library.encoder
        filled: queue.Queue[tuple[list[Passage], list[str], NDArray[np.float32]] | None] = queue.Queue(maxsize=1)
        writer = threading.Thread(target=self._write_all, args=(filled,), name="dossier-vectors", daemon=True)
        writer.start()
        try:
            for passages, texts in pending_windows(self._library, self._texts):
                if self._stopped.is_set() or self._error is not None:
                    break
                vectors = encoder.encode(texts)
                filled.put((passages, texts, vectors))
        finally:
            filled.put(None)
            writer.join()
        if self._error is not None:
            raise self._error

    def _write_all(self, filled: queue.Queue[tuple[list[Passage], list[str], NDArray[np.float32]] | None]) -> None:
        while (item := filled.get()) is not None:
            if self._error is not None:
                continue  # empties the queue, so that the encoder is not left waiting
            try:
                self._write(*item)
            except BaseException as error:
                self._error = error

    def _write(self, passages: list[Passage], texts: list[str], vectors: NDArray[np.float32]) -> None:
        write_window(self._library, passages, texts, vectors)
        self.done += len(passages)
        for passage in passages:
            self._texts.pop(passage.id, None)
        if self._progress is not None:
            self._progress(Step("embed", self.done, self.done + self._library.catalog.count_pending()))


def write_window(
    library: LibraryParts, passages: Sequence[Passage], texts: Sequence[str], vectors: NDArray[np.float32]
) -> int:
    """Store the vectors of passages that still wait for one.

    Args:
        library: The library.
        passages: The passages.
        texts: The texts that were encoded.
        vectors: Shape `(len(passages), dimension)`, float32, L2-normalised.

    Returns:
        How many were stored; the others were removed or made in the meantime.
    """
    with library.writing():
        ids = list(dict.fromkeys(p.document_id for p in passages))
        now = library.catalog.digests_of(ids)
        keep = [i for i, p in enumerate(passages) if now.get(p.id, ("", False))[1]]
        if keep:
            chosen = [passages[i] for i in keep]
            digests = [digest_of(texts[i]) for i in keep]
            labels = {info.id: Labels.of(info) for info in library.catalog.list_documents(ids)}
            library.vectors.replace(chosen, vectors[keep], digests, labels)
            library.catalog.record_vectors([(p.id, d) for p, d in zip(chosen, digests, strict=True)])
    return len(keep)


def pending_windows(library: LibraryParts, known: Mapping[str, str]) -> Iterator[tuple[list[Passage], list[str]]]:
    """Gather the pending passages, whole documents together, in windows of about `_WINDOW`.

    Documents are taken in the order of their ids and each is visited once; what is added meanwhile under a lower id is
    found by the next round.
    """
    passages: list[Passage] = []
    texts: list[str] = []
    after = ""
    while documents := library.catalog.pending_documents(_DOCUMENTS, after):
        after = documents[-1]
        titles = {info.id: info.title for info in library.catalog.list_documents(documents)}
        for document_id in documents:
            for passage, text in _pending_of(library, document_id, titles.get(document_id, ""), known):
                passages.append(passage)
                texts.append(text)
                if len(passages) == _WINDOW:
                    yield passages, texts
                    passages, texts = [], []
    if passages:
        yield passages, texts


def _pending_of(
    library: LibraryParts, document_id: str, title: str, known: Mapping[str, str]
) -> Iterator[tuple[Passage, str]]:
    waiting = {name for name, (_, pending) in library.catalog.digests_of([document_id]).items() if pending}
    passages = library.catalog.passages_of(document_id)
    if all(name in known for name in waiting):
        yield from ((p, known[p.id]) for p in passages if p.id in waiting)
        return
    document = library.catalog.get_document(document_id)
    if document is None:
        return  # removed since
    texts = embedded_texts(document.text, title, passages, library.encoder)
    yield from ((p, text) for p, text in zip(passages, texts, strict=True) if p.id in waiting)
