"""A library whose stores are opened as they are: for looking at them, saving them and filling them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import LibraryError
from index.lock import WriteLock
from index.parts import LibraryParts

if TYPE_CHECKING:
    from index.lexical import LexicalIndex
    from index.vectors import VectorStore


class BareParts(LibraryParts):
    """The parts of a library without the repairs and embeddings that opening its stores sets off elsewhere."""

    def _stores(self) -> tuple[VectorStore, LexicalIndex]:
        with self._lock:
            if self._vectors is None or self._lexical is None:
                from index.lexical import LexicalIndex
                from index.vectors import VectorStore

                # One after the other, so that one that fails does not hide the other; the lock as in `LibraryParts`.
                with WriteLock(self.path / "open.lock", self.settings.busy_timeout):
                    if self._lexical is None:
                        self._lexical = _open_lexical(self.path / "lexical", LexicalIndex)
                    if self._vectors is None:
                        self._vectors = VectorStore(self.path / "vectors", self.settings.vectors, self._collection())
            return self._vectors, self._lexical

    def set_aside(self, name: str) -> Path | None:
        """Rename a store's folder to `NAME.damaged-N`, so that it is made anew.

        Args:
            name: "vectors" or "lexical".

        Returns:
            Its new place; `None` if there was nothing.
        """
        with self._lock:
            if self._vectors is not None:
                self._vectors.close()
            self._vectors = self._lexical = None
            folder = self.path / name
            if not folder.exists():
                return None
            place = free_name(folder, "damaged")
            folder.rename(place)
            return place


def free_name(path: Path, word: str) -> Path:
    """The first of `PATH.WORD-1`, `PATH.WORD-2`, … that does not exist."""
    number = 1
    while (place := path.with_name(f"{path.name}.{word}-{number}")).exists():
        number += 1
    return place


def _open_lexical(folder: Path, kind: type[LexicalIndex]) -> LexicalIndex:
    try:
        return kind(folder)
    except OSError as error:
        raise LibraryError(
            f"The lexical index {folder} cannot be opened: {error.strerror or error}.",
            remedy="Delete it and run dossier doctor --repair: it is made again from the catalog.",
        ) from error
