"""Watching folders: the library follows changes as they happen, and survives what goes wrong."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.errors import ConfigError
from index.library import Library
from index.types import AddReport
from index.watch import watch


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "north.txt").write_text("The north berth opens in June.")
    return folder


class Watching:
    """Runs `watch` in a thread and hands out its reports."""

    def __init__(self, library: Library, folder: Path) -> None:
        self.stop = threading.Event()
        self.reports: queue.Queue[AddReport] = queue.Queue()
        self._thread = threading.Thread(target=self._run, args=(library, folder), daemon=True)
        self._thread.start()

    def _run(self, library: Library, folder: Path) -> None:
        for report in watch(library, [folder], self.stop):
            self.reports.put(report)

    def wait_for(self, what: str) -> AddReport:
        """The next report in which something of a kind happened."""
        while True:
            report = self.reports.get(timeout=60)
            if getattr(report, what):
                return report

    def end(self) -> None:
        self.stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


@pytest.fixture
def watching(library: Library, docs: Path) -> Iterator[Watching]:
    running = Watching(library, docs)
    yield running
    running.end()


def test_changes_are_followed_as_they_happen(watching: Watching, library: Library, docs: Path) -> None:
    """What is there is added at once; then a new, a changed, a moved and a deleted file."""
    assert len(watching.wait_for("added").added) == 1
    (docs / "south.txt").write_text("The south berth is closed.")
    assert len(watching.wait_for("added").added) == 1
    assert library.search("south berth closed")[0].passage.text == "The south berth is closed."
    (docs / "south.txt").write_text("The south berth is open again.")
    assert len(watching.wait_for("updated").updated) == 1
    (docs / "south.txt").rename(docs / "southern.txt")
    assert watching.wait_for("moved").moved == ((str(docs / "south.txt"), str(docs / "southern.txt")),)
    (docs / "southern.txt").unlink()
    assert len(watching.wait_for("removed").removed) == 1
    assert len(library) == 1


def test_emptied_folder_is_reported_and_nothing_removed(watching: Watching, library: Library, docs: Path) -> None:
    """All files gone at once may be a disk that was unmounted: the watch says so and goes on."""
    watching.wait_for("added")
    (docs / "north.txt").unlink()
    [failure] = watching.wait_for("failed").failed
    assert "nothing was changed" in failure.message
    assert len(library) == 1
    (docs / "north.txt").write_text("The north berth opens in June.")
    (docs / "east.txt").write_text("A third berth.")
    watching.wait_for("added")
    assert len(library) == 2


def test_watch_without_a_folder_says_so(library: Library) -> None:
    """There is nothing to watch in a library that never was synced."""
    with pytest.raises(ConfigError, match="No folder is named"):
        next(watch(library))
