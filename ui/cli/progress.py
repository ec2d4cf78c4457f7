"""The progress bar of `dossier add`."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from ui.cli.terminal import visible

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_AFTER = 1.0  # seconds; what is over sooner needs no bar
_NAME_WIDTH = 40


class AddProgress:
    """A bar on stderr while its `with` block runs; none if that is not a terminal or the block takes under a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = (0, 0, "reading")
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._ended = False
        self._timer = threading.Timer(_AFTER, self._begin)
        self._timer.daemon = True

    def __enter__(self) -> AddProgress:
        if sys.stderr.isatty():
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._ended = True
            if self._bar is not None:
                self._bar.stop()

    def update(self, done: int, total: int, name: str) -> None:
        """Note how far it is; see `index.library.Progress`."""
        with self._lock:
            self._state = (done, total, "storing" if done == total else name)
            self._draw()

    def _begin(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        with self._lock:
            if self._ended:
                return
            self._bar = bar
            self._task = bar.add_task("reading", total=None)
            self._draw()
            bar.start()

    def _draw(self) -> None:
        if self._bar is not None and self._task is not None:
            done, total, name = self._state
            self._bar.update(self._task, completed=done, total=total or None, description=visible(name)[:_NAME_WIDTH])
