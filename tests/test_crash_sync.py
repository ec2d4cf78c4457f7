"""A sync killed at any moment, or whose Chroma server is, leaves each document in its old or its new state."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.errors import LibraryError
from index.library import Library
from index.settings import LibrarySettings
from tests.fakes import FakeEncoder
from tests.test_crash import assert_complete, assert_stores_agree

FILES = 120
KILLS = 12

SYNC = """
import sys
sys.path.insert(0, {root!r})
from index.library import Library
from index.settings import LibrarySettings
from tests.fakes import FakeEncoder
settings = LibrarySettings(vectors={vectors!r}, workers=2)
with Library.open({library!r}, encoder=FakeEncoder(), settings=settings) as library:
    print("ready", flush=True)
    library.sync({docs!r})
"""


def page(number: int, version: int) -> str:
    """The text of a file: a paragraph in the middle differs between versions."""
    paragraphs = [f"File {number} paragraph {i} tells of berth {number * i % 97} and crane {i}." for i in range(24)]
    paragraphs[12] = f"File {number} is now in its version {version}, which speaks of quay {number * version % 89}."
    return "\n\n".join(paragraphs)


def write_first(docs: Path) -> None:
    docs.mkdir()
    for number in range(FILES):
        (docs / f"{number:03}.txt").write_text(page(number, 1))


def change(docs: Path) -> None:
    """A third of the files changes, a third moves, a sixth goes, some are new."""
    (docs / "moved").mkdir()
    for number in range(FILES):
        path = docs / f"{number:03}.txt"
        if number % 6 in (0, 1):
            path.write_text(page(number, 2))
        elif number % 6 in (2, 3):
            path.rename(docs / "moved" / path.name)
        elif number % 6 == 4:
            path.unlink()
    for number in range(FILES, FILES + 20):
        (docs / f"{number:03}.txt").write_text(page(number, 1))


def states(library: Library) -> dict[str, str]:
    """The text of each source."""
    texts = {info.id: library.document(info.id).text for info in library.documents()}
    return {s: texts[i] for i in texts for s in library.catalog.sources_of(i)}


def start_sync(library: Path, docs: Path, vectors: str = "") -> subprocess.Popen[str]:
    code = SYNC.format(root=os.getcwd(), library=str(library), docs=str(docs), vectors=vectors)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    return process


def copy(library: Path, to: Path) -> Path:
    import shutil

    return Path(shutil.copytree(library, to))


@pytest.mark.crash
@pytest.mark.timeout(900)
def test_sync_killed_at_random_moments_leaves_old_or_new_state(tmp_path: Path) -> None:
    """kill -9 while files changed, moved and went: every source holds its old or its new text, and nothing is lost."""
    docs = tmp_path / "docs"
    write_first(docs)
    with Library.open(tmp_path / "first", encoder=FakeEncoder()) as library:
        library.sync(docs)
        assert_complete(library)
        old = states(library)
    change(docs)
    new = {str(path): path.read_text() for path in docs.rglob("*.txt")}
    started = time.monotonic()
    whole = copy(tmp_path / "first", tmp_path / "whole")
    assert start_sync(whole, docs).wait() == 0
    seconds = time.monotonic() - started
    with Library.open(whole, encoder=FakeEncoder()) as library:
        assert states(library) == new
    rng = random.Random(7)
    interrupted = 0
    for number in range(KILLS):
        folder = copy(tmp_path / "first", tmp_path / f"killed-{number}")
        process = start_sync(folder, docs)
        time.sleep(rng.random() * 0.9 * seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        interrupted += process.returncode == -signal.SIGKILL
        with Library.open(folder, encoder=FakeEncoder()) as library:
            assert_stores_agree(library)
            for source, text in states(library).items():
                assert text in (old.get(source), new.get(source)), source
            for source, text in old.items():  # what neither changed nor went is still there
                if new.get(source) == text or text in new.values():
                    assert text in states(library).values()
            library.sync(docs)
            assert states(library) == new
            assert_complete(library)
    assert interrupted >= KILLS // 3, "too few processes were still at work when killed"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """A Chroma server in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        program = Path(sys.executable).with_name("chroma")
        self.process = subprocess.Popen(
            [program, "run", "--path", self.folder, "--port", str(self.port), "--host", "127.0.0.1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the Chroma server did not start within 60 s")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "server")
    running.start()
    yield running
    running.kill()


def test_library_keeps_its_vectors_on_a_chroma_server(tmp_path: Path, server: Server) -> None:
    """Two libraries share a server and do not see each other's passages; filters and removal work there."""
    settings = LibrarySettings(vectors=server.address)
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.txt").write_text("The north berth opens in June.")
    (docs / "b.md").write_text("# B\n\nThe south berth is closed.")
    with (
        Library.open(tmp_path / "one", encoder=FakeEncoder(), settings=settings) as one,
        Library.open(tmp_path / "two", encoder=FakeEncoder(), settings=settings) as two,
    ):
        one.sync(docs)
        two.add(docs / "a.txt")
        assert (one.vectors.count(), two.vectors.count()) == (2, 1)
        assert not (tmp_path / "one" / "vectors").exists()
        [hit] = one.search("berth", where="type=md")
        assert hit.passage.text.endswith("closed.")
        assert hit.signals.dense is not None
        one.remove([hit.passage.document_id])
        assert_complete(one)
        assert_complete(two)


def test_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    """The error says which address and how to start one, and what was there before stays."""
    settings = LibrarySettings(vectors=f"http://127.0.0.1:{free_port()}")
    with (
        Library.open(tmp_path / "library", encoder=FakeEncoder(), settings=settings) as library,
        pytest.raises(LibraryError, match=r"Chroma server http://127.0.0.1:\d+ cannot be used.*chroma run"),
    ):
        library.add_texts([])


@pytest.mark.crash
@pytest.mark.timeout(600)
def test_chroma_server_killed_in_mid_write_loses_nothing(tmp_path: Path, server: Server) -> None:
    """kill -9 of the server while a sync writes: the sync says so and ends; with the server back it is completed."""
    docs = tmp_path / "docs"
    write_first(docs)
    settings = LibrarySettings(vectors=server.address)
    with Library.open(tmp_path / "library", encoder=FakeEncoder(), settings=settings) as library:
        library.sync(docs)
    rng = random.Random(3)
    failed = 0
    for number in range(5):
        for path in sorted(docs.glob("*.txt"))[number::4]:
            path.write_text(page(int(path.stem), 10 + number))
        for path in sorted(docs.glob("*.txt"))[number : number + 3]:
            path.rename(docs / f"{200 + 10 * number + int(path.stem) % 10}{path.stem}.txt")
        process = start_sync(tmp_path / "library", docs, server.address)
        time.sleep(0.3 + 1.5 * rng.random())
        server.kill()
        errors = process.communicate(timeout=120)[1]
        if process.returncode:
            failed += 1
            assert "cannot be used" in errors, errors
        server.start()
        with Library.open(tmp_path / "library", encoder=FakeEncoder(), settings=settings) as library:
            assert_stores_agree(library)
            library.sync(docs)
            assert states(library) == {str(p): p.read_text() for p in docs.rglob("*.txt")}
            assert_complete(library)
    assert failed, "no sync was still at work when its server was killed"
