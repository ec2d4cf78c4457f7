"""Dense search: one vector a passage, in a Chroma folder, server or Chroma Cloud; the door of chromadb."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from index.catalog import count_rows
from index.errors import ConfigError, DiskFullError, LibraryError
from index.types import DocumentInfo, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BATCH = 5_000  # below Chroma's own limit of a call (5,461 on SQLite)
_EF_SEARCH = 1_000
"""Candidates HNSW keeps while it searches. Among 200,000 passages of one subject, a single document about another was
found by a question about it in 44 % of trials with 200, in about 70 % with 1,000, which takes some ms more."""
_READ = 20_000  # ids and metadata read at a time
_CLOUD = ("CHROMA_API_KEY", "CHROMA_TENANT", "CHROMA_DATABASE")

Where = dict[str, Any]
"""A Chroma metadata filter; see `Labels` for the names in it."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What is stored beside a vector to filter by: constant for a document, because they follow from its bytes.

    `published` is the date as the number YYYYMMDD, 0 where there is none.
    """

    media_type: str
    language: str
    published: int

    @classmethod
    def of(cls, document: DocumentInfo) -> Labels:
        """Take them from a document."""
        return cls(document.media_type, document.language or "", day_number(document.published))


def day_number(day: date | None) -> int:
    """Write a date as the number YYYYMMDD; 0 for none."""
    return day.year * 10_000 + day.month * 100 + day.day if day is not None else 0


class VectorStore:
    """A Chroma collection in cosine space, its entries named by passage id.

    Args:
        folder: Chroma's folder, used if `address` is empty; made if missing.
        address: Empty, the URL of a Chroma server, or `cloud`; see `LibrarySettings.vectors`.
        collection: The collection's name; on a server each library needs its own.

    Raises:
        ConfigError: The address is none, or settings of Chroma Cloud are missing.
        LibraryError: The folder is damaged or the server does not answer.
    """

    def __init__(self, folder: Path, address: str = "", collection: str = "passages") -> None:
        self._where = address or str(folder)
        self._remote = bool(address)
        try:
            self._client: Any = _connect(folder, address)
            self._collection: Any = self._client.get_or_create_collection(
                collection,
                embedding_function=None,  # vectors are made by our own encoder; Chroma's default would be downloaded
                configuration={"hnsw": {"space": "cosine", "ef_search": _EF_SEARCH}},
            )
            if (self._collection.configuration_json.get("hnsw") or {}).get("ef_search") != _EF_SEARCH:
                self._collection.modify(configuration={"hnsw": {"ef_search": _EF_SEARCH}})  # made by an older version
        except ConfigError:
            raise
        except Exception as error:  # Chroma's Rust core and its HTTP client raise several unrelated types
            if hasattr(self, "_client"):
                self.close()
            elif not address:
                _forget_failed(folder)
            raise self._explained(error) from error

    def replace(
        self,
        passages: Sequence[Passage],
        vectors: NDArray[np.float32],
        digests: Sequence[str],
        labels: Mapping[str, Labels],
    ) -> None:
        """Store passages with their vectors, in place of any of the same id.

        Args:
            passages: The passages.
            vectors: Shape `(len(passages), dimension)`, float32, L2-normalised.
            digests: For each passage, the digest of the text its vector was made of.
            labels: What to filter by, for each document id.
        """
        metadata = _metadata(passages, digests, labels)
        try:
            for at in range(0, len(passages), _BATCH):
                self._collection.upsert(
                    ids=[p.id for p in passages[at : at + _BATCH]],
                    embeddings=vectors[at : at + _BATCH],
                    metadatas=metadata[at : at + _BATCH],
                )
        except Exception as error:  # as above
            raise self._explained(error) from error

    def relabel(self, passages: Sequence[Passage], digests: Sequence[str], labels: Mapping[str, Labels]) -> None:
        """Write what stands beside the vectors of passages anew; the vectors stay."""
        metadata = _metadata(passages, digests, labels)
        try:
            for at in range(0, len(passages), _BATCH):
                self._collection.update(
                    ids=[p.id for p in passages[at : at + _BATCH]], metadatas=metadata[at : at + _BATCH]
                )
        except Exception as error:  # as above
            raise self._explained(error) from error

    def remove(self, passage_ids: Sequence[str]) -> None:
        """Forget passages; ids that are not there are ignored."""
        try:
            for at in range(0, len(passage_ids), _BATCH):
                self._collection.delete(ids=list(passage_ids[at : at + _BATCH]))
        except Exception as error:  # as above
            raise self._explained(error) from error

    def search(self, vector: NDArray[np.float32], limit: int, where: Where | None = None) -> list[tuple[str, float]]:
        """Find the passages nearest to a vector.

        Args:
            vector: Shape `(dimension,)`, float32, L2-normalised.
            limit: How many at most.
            where: Only among these.

        Returns:
            `(passage id, cosine)`, the nearest first; cosine runs from -1 to 1.
        """
        try:
            if limit <= 0:
                return []
            found = self._collection.query(
                query_embeddings=[vector], n_results=limit, include=["distances"], **({"where": where} if where else {})
            )
        except Exception as error:  # as above
            raise self._explained(error) from error
        return [(i, 1.0 - float(d)) for i, d in zip(found["ids"][0], found["distances"][0], strict=True)]

    def get(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Read the vectors of passages by id; unknown ids are left out."""
        try:
            found = self._collection.get(ids=list(ids), include=["embeddings"])
        except Exception as error:  # as above
            raise self._explained(error) from error
        return dict(zip(found["ids"], found["embeddings"], strict=True))

    def digests(self, document_ids: Sequence[str] | None = None) -> dict[str, str]:
        """Read `{passage id: digest}` of all passages, or of those of some documents."""
        where = None if document_ids is None else {"document_id": {"$in": list(document_ids)}}
        found: dict[str, str] = {}
        if document_ids is not None and not document_ids:
            return found
        try:
            while True:
                part = self._collection.get(where=where, include=["metadatas"], limit=_READ, offset=len(found))
                found.update(
                    (i, str((m or {}).get("digest", ""))) for i, m in zip(part["ids"], part["metadatas"], strict=True)
                )
                if len(part["ids"]) < _READ:
                    return found
        except Exception as error:  # as above
            raise self._explained(error) from error

    def ids(self) -> set[str]:
        """Read the ids of all passages."""
        return set(self.digests())

    def count(self) -> int:
        """Count the passages."""
        try:
            return int(self._collection.count())
        except Exception as error:  # as above
            raise self._explained(error) from error

    def holds(self, least: int, most: int) -> bool:
        """Tell whether the number of passages lies between two numbers, both included.

        Chroma's own count reads the whole graph (0.8 s for 200,000 passages), which is early enough with the first
        search. So the table it keeps in the folder is counted instead. That lags behind what was just written, and is
        Chroma's own business: unless it agrees, Chroma counts.
        """
        return least <= self._rows() <= most or least <= self.count() <= most

    def _rows(self) -> int:
        """Rows of Chroma's table of entries; -1 where it cannot be read."""
        return -1 if self._remote else count_rows(Path(self._where) / "chroma.sqlite3", "embeddings")

    def close(self) -> None:
        """Let go of the folder or the connection."""
        close = getattr(self._client, "close", None)
        if close is not None:
            close()

    def _explained(self, error: Exception) -> LibraryError:
        text = str(error).strip() or type(error).__name__
        if self._remote:
            return LibraryError(
                f"The Chroma server {self._where} cannot be used: {text[:300]}.",
                remedy="Check that it runs (chroma run --path FOLDER) and that the setting vectors names it. Nothing "
                "is lost: what was not written is, the next time documents are added or synced.",
            )
        if "No space left" in text or "full" in text.lower() or "code: 13" in text:
            return DiskFullError(
                f"The disk of {self._where} is full ({text[:200]}).",
                remedy="Make room and run the same command again; what was stored before is intact.",
            )
        return LibraryError(
            f"The vector store {self._where} cannot be used: {text[:300]}.",
            remedy="Delete that folder and run dossier doctor --repair: it is made again from the catalog.",
        )


def _metadata(
    passages: Sequence[Passage], digests: Sequence[str], labels: Mapping[str, Labels]
) -> list[dict[str, str | int]]:
    return [
        {
            "document_id": p.document_id,
            "digest": digest,
            "type": labels[p.document_id].media_type,
            "language": labels[p.document_id].language,
            "published": labels[p.document_id].published,
        }
        for p, digest in zip(passages, digests, strict=True)
    ]


def _connect(folder: Path, address: str) -> Any:
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    if not address:
        return chromadb.PersistentClient(path=str(folder), settings=settings)
    if address == "cloud":
        missing = [name for name in _CLOUD if not os.environ.get(name)]
        if missing:
            raise ConfigError(
                f"Chroma Cloud needs {', '.join(missing)}.", remedy="Set them in the environment and try again."
            )
        key, tenant, database = (os.environ[name] for name in _CLOUD)
        return chromadb.CloudClient(tenant=tenant, database=database, api_key=key, settings=settings)
    url = urlsplit(address)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ConfigError(
            f"vectors is {address!r}, which is no address of a Chroma server.",
            remedy="Write http://host:port, cloud, or leave it empty.",
        )
    port = url.port or (443 if url.scheme == "https" else 8000)
    token = os.environ.get("CHROMA_SERVER_TOKEN")
    return chromadb.HttpClient(
        host=url.hostname,
        port=port,
        ssl=url.scheme == "https",
        headers={"Authorization": f"Bearer {token}"} if token else None,
        settings=settings,
    )


def _forget_failed(folder: Path) -> None:
    """Take a folder that could not be opened from Chroma's list of open ones, where it would stay broken for good."""
    from chromadb.api.shared_system_client import SharedSystemClient

    if not SharedSystemClient._identifier_to_refcount.get(str(folder)):
        SharedSystemClient._identifier_to_system.pop(str(folder), None)
