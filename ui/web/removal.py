"""Documents are removed a while after somebody said so, and until then it can be undone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from index.errors import DossierError
from index.library import Library

_LOG = logging.getLogger(__name__)


class Removals:
    """Documents about to be removed. What waits when the server ends stays in the library.

    Args:
        library: The library.
        seconds: How long it can be undone.
        changed: Called after each removal.
    """

    def __init__(self, library: Library, seconds: float = 10.0, changed: Callable[[], None] = lambda: None) -> None:
        self._library = library
        self._seconds = seconds
        self._changed = changed
        self._waiting: dict[str, threading.Timer] = {}
        self._lock = threading.Lock()

    @property
    def waiting(self) -> frozenset[str]:
        """Ids of the documents about to be removed."""
        with self._lock:
            return frozenset(self._waiting)

    def begin(self, document_id: str) -> str:
        """Remove a document in a while; gives its title.

        Raises:
            DocumentError: There is no such document.
        """
        name = self._library.find(document_id)
        title = self._library.documents([name])[0].title
        timer = threading.Timer(self._seconds, self._remove, [name])
        timer.daemon = True
        with self._lock:
            if name in self._waiting:
                return title
            self._waiting[name] = timer
        timer.start()
        return title

    def undo(self, document_id: str) -> None:
        """Leave a document where it is, if it is not too late."""
        with self._lock:
            timer = self._waiting.pop(document_id, None)
        if timer is not None:
            timer.cancel()

    def end(self) -> None:
        """Remove nothing more."""
        with self._lock:
            timers = list(self._waiting.values())
            self._waiting.clear()
        for timer in timers:
            timer.cancel()

    def _remove(self, document_id: str) -> None:
        with self._lock:
            if document_id not in self._waiting:
                return
        try:
            self._library.remove([document_id])
        except DossierError as error:
            _LOG.warning("a document could not be removed: %s", error)
        finally:
            with self._lock:
                self._waiting.pop(document_id, None)
            self._changed()
