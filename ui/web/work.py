"""Reading and embedding behind the page's back, and how far it is.

One thread at a time adds documents and makes vectors, so that the page answers from the first moment on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.errors import DossierError
from index.types import AddReport, Step
from rag.assistant import Assistant
from ui.web.strings import say

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """How far the work is: a step of it, or what went wrong with it; `reports` counts the reports so far."""

    busy: bool
    step: Step | None
    problem: tuple[str, str] | None
    report: AddReport | None
    reports: int


class Work:
    """The background work of one server.

    Args:
        assistant: Whose library grows.
        announce: Told what came of adding a folder.
    """

    def __init__(self, assistant: Assistant, announce: Callable[[AddReport], None] | None = None) -> None:
        self._assistant = assistant
        self._announce = announce
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._folders: list[Path] = []
        self._step: Step | None = None
        self._problem: tuple[str, str] | None = None
        self._report: AddReport | None = None
        self._reports = 0

    def add_folder(self, folder: Path) -> None:
        """Add a folder, as soon as what is under way is done."""
        with self._lock:
            self._folders.append(folder)
        self.go_on()

    def go_on(self) -> None:
        """Make the vectors that are missing; returns at once."""
        with self._lock:
            self._problem = None
            self._wake.set()
            if self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(target=self._run, name="dossier-page-work", daemon=True)
                self._thread.start()

    def note(self, report: AddReport) -> None:
        """Remember what came of an upload."""
        with self._lock:
            self._report = report
            self._reports += 1

    def state(self) -> State:
        """Say how far it is."""
        with self._lock:
            return State(self._wake.is_set(), self._step, self._problem, self._report, self._reports)

    def end(self) -> None:
        """Stop after the step at hand; the library may be closed then."""
        self._ended.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            if self._ended.is_set():
                return
            try:
                self._work()
            except _Ended:
                return
            except DossierError as error:
                self._fail(error.message, error.remedy)
            except Exception as error:  # the page must say so, whatever it was
                _LOG.exception("adding documents failed")
                self._fail(say("problem.internal", kind=type(error).__name__), say("problem.internal.remedy"))

    def _work(self) -> None:
        """Add what waits and make vectors until there is nothing left to do."""
        while True:
            with self._lock:
                folder = self._folders.pop(0) if self._folders else None
            if folder is not None:
                report = self._assistant.library.add(folder, self._progress, embed=False)
                self.note(report)
                with self._lock:
                    self._step = None
                if self._announce is not None:
                    self._announce(report)
                continue
            self._assistant.library.embed(self._progress)
            with self._lock:
                if not self._folders:
                    self._step = None
                    self._wake.clear()
                    return

    def _fail(self, message: str, remedy: str) -> None:
        with self._lock:
            self._problem = (message, remedy)
            self._step = None
            self._wake.clear()

    def _progress(self, step: Step) -> None:
        if self._ended.is_set():
            raise _Ended
        with self._lock:
            self._step = step


class _Ended(BaseException):
    """The server ends; what is recorded stays, the rest is made the next time."""


def summary(report: AddReport) -> Sequence[str]:
    """Sum up a report in short sentences, the most important first."""
    counts = [
        say(f"report.{name}", n=len(listed))
        for name in ("added", "updated", "moved", "duplicates", "unchanged", "failed")
        if (listed := getattr(report, name))
    ]
    lines = [f"{', '.join(counts) or say('report.nothing')}."]
    if report.near:
        lines.append(say("report.near", n=len(report.near)))
    if report.silent_pages:
        lines.append(say("report.silent", n=report.silent_pages, pages=report.pages))
    if report.images:
        lines.append(say("report.images", n=report.images))
    if report.undated:
        lines.append(say("report.undated", n=report.undated))
    return lines
