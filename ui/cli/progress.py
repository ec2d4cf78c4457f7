"""The progress bars of adding and syncing: files read, then vectors made."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from ui.cli.terminal import visible

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from index.types import Step

_AFTER = 1.0  # seconds; what is over sooner needs no bar
_NAME_WIDTH = 40
_WORDS = {"read": ("reading", "files/s"), "embed": ("embedding", "passages/s")}


class AddProgress:
    """Bars on stderr while its `with` block runs; none if that is not a terminal or the block takes under a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: dict[str, Step] = {}
        self._begun: dict[str, tuple[float, int]] = {}
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
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

    def update(self, step: Step) -> None:
        """Note how far it is; see `index.parts.Progress`."""
        with self._lock:
            self._begun.setdefault(step.stage, (time.monotonic(), step.done))
            self._steps[step.stage] = step
            self._draw()

    def _begin(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        bar = Progress(
            TextColumn("{task.fields[word]:<9}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        with self._lock:
            if self._ended:
                return
            self._bar = bar
            self._draw()
            bar.start()

    def _draw(self) -> None:
        if self._bar is None:
            return
        for stage, step in self._steps.items():
            word, unit = _WORDS[stage]
            begun, first = self._begun[stage]
            seconds = time.monotonic() - begun
            rate = f"{(step.done - first) / seconds:,.0f} {unit}" if seconds > 1 else ""
            if stage not in self._tasks:
                self._tasks[stage] = self._bar.add_task("", total=None, word=word, rate="")
            self._bar.update(
                self._tasks[stage],
                completed=step.done,
                total=step.total or None,
                description=visible(step.name)[:_NAME_WIDTH],
                rate=rate,
            )
