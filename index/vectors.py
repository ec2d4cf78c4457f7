"""Dense search: one vector a passage; the door of chromadb."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import DiskFullError, LibraryError
from index.types import Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BATCH = 5_000  # below Chroma's own limit of a call (5,461 on SQLite)


class VectorStore:
    """A Chroma collection on disk, cosine space, named by passage id.

    Args:
        folder: Chroma's folder; made if missing.
    """

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
        import chromadb
        from chromadb.config import Settings

        self._folder = folder
        try:
            self._client = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
            self._collection: Any = self._client.get_or_create_collection(
                "passages",
                embedding_function=None,  # vectors are made by our own encoder; Chroma's default would be downloaded
                configuration={"hnsw": {"space": "cosine", "ef_search": 200}},
            )
        except Exception as error:  # Chroma's Rust core raises several unrelated types
            raise _explained(error, folder) from error

    def replace(self, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        """Store passages with their vectors, in place of any of the same id.

        Args:
            passages: The passages.
            vectors: Shape `(len(passages), dimension)`, float32, L2-normalised.
        """
        try:
            for at in range(0, len(passages), _BATCH):
                part = passages[at : at + _BATCH]
                self._collection.upsert(
                    ids=[p.id for p in part],
                    embeddings=vectors[at : at + _BATCH],
                    metadatas=[{"document_id": p.document_id} for p in part],
                )
        except Exception as error:  # as above
            raise _explained(error, self._folder) from error

    def remove(self, document_ids: Sequence[str]) -> None:
        """Forget all passages of some documents; ids that are not there are ignored."""
        try:
            for document_id in document_ids:
                self._collection.delete(where={"document_id": document_id})
        except Exception as error:  # as above
            raise _explained(error, self._folder) from error

    def search(self, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """Find the passages nearest to a vector.

        Args:
            vector: Shape `(dimension,)`, float32, L2-normalised.
            limit: How many at most.

        Returns:
            `(passage id, cosine)`, the nearest first; cosine runs from -1 to 1.
        """
        limit = min(limit, self.count())
        if limit == 0:
            return []
        found = self._collection.query(query_embeddings=[vector], n_results=limit, include=["distances"])
        return [(i, 1.0 - float(d)) for i, d in zip(found["ids"][0], found["distances"][0], strict=True)]

    def get(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Read the vectors of passages by id; unknown ids are left out."""
        found = self._collection.get(ids=list(ids), include=["embeddings"])
        return dict(zip(found["ids"], found["embeddings"], strict=True))

    def ids(self) -> set[str]:
        """Read the ids of all passages."""
        return set(self._collection.get(include=[])["ids"])

    def count(self) -> int:
        """Count the passages."""
        return int(self._collection.count())

    def close(self) -> None:
        """Let go of the folder."""
        close = getattr(self._client, "close", None)
        if close is not None:
            close()


def _explained(error: Exception, folder: Path) -> LibraryError:
    text = str(error)
    if "No space left" in text or "full" in text.lower() or "code: 13" in text:
        return DiskFullError(
            f"The disk of {folder.parent} is full ({text[:200]}).",
            remedy="Make room and run the same command again; what was stored before is intact.",
        )
    return LibraryError(
        f"The vector store {folder} cannot be used: {text[:300]}.",
        remedy="Delete that folder and open the library again: it is rebuilt from the catalog.",
    )
