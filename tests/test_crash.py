"""A process killed at any moment of adding leaves a library that opens, repairs itself and goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from index.library import Library
from tests.fakes import FakeEncoder

PAGES = 200
KILLS = 20

WRITER = """
import sys
sys.path.insert(0, {root!r})
from index.library import Library
from tests.fakes import FakeEncoder
print("ready", flush=True)
with Library.open({library!r}, encoder=FakeEncoder()) as library:
    library.add({docs!r})
"""


def write_pages(folder: Path) -> None:
    folder.mkdir()
    for number in range(PAGES):
        body = "".join(
            f"<p>Page {number} paragraph {i} tells of berth {number * i % 97} and crane {i}.</p>" for i in range(8)
        )
        (folder / f"page-{number:03}.html").write_text(f"<html><title>Page {number}</title><body>{body}</body></html>")


def assert_stores_agree(library: Library) -> None:
    expected = library.catalog.passage_ids()
    lexical = Counter(library.lexical.ids())
    assert max(lexical.values(), default=1) == 1, "a passage is doubled in the lexical index"
    assert set(lexical) == expected
    digests = library.catalog.digests_of()
    vectors = library.vectors.digests()
    assert vectors.keys() <= expected
    for name, (digest, pending) in digests.items():
        assert pending or vectors[name] == digest, "a passage counts as embedded and has no vector, or an old one"
    assert library.catalog.announced() == []


def assert_complete(library: Library) -> None:
    assert_stores_agree(library)
    assert library.catalog.count_pending() == 0
    assert library.vectors.ids() == library.catalog.passage_ids()


def start_writer(library: Path, docs: Path) -> subprocess.Popen[str]:
    code = WRITER.format(root=os.getcwd(), library=str(library), docs=str(docs))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.crash
@pytest.mark.timeout(600)
def test_kill_at_random_moments_of_adding_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """kill -9 at 20 random moments while 200 pages are added; each time the three stores agree after reopening."""
    docs = tmp_path / "docs"
    write_pages(docs)
    started = time.monotonic()
    assert start_writer(tmp_path / "whole", docs).wait() == 0
    whole = time.monotonic() - started
    with Library.open(tmp_path / "whole", encoder=FakeEncoder()) as library:
        complete = library.catalog.passage_ids()
        assert len(library) == PAGES
    rng = random.Random(20)
    interrupted = 0
    for number in range(KILLS):
        # Every other one starts anew, so that early moments are met as often as late ones.
        folder = tmp_path / f"killed-{number // 2}"
        process = start_writer(folder, docs)
        time.sleep(rng.random() * 0.8 * whole)
        process.send_signal(signal.SIGKILL)
        interrupted += process.wait() == -signal.SIGKILL
        with Library.open(folder, encoder=FakeEncoder()) as library:
            assert library.catalog.passage_ids() <= complete
            assert_stores_agree(library)
    assert interrupted >= KILLS // 4, "too few processes were still at work when killed"
    for number in range(KILLS // 2):
        with Library.open(tmp_path / f"killed-{number}", encoder=FakeEncoder()) as library:
            report = library.add(docs)
            assert not report.failed
            assert_complete(library)
            assert library.catalog.passage_ids() == complete


def test_store_deleted_behind_our_back_is_rebuilt(tmp_path: Path) -> None:
    """Vectors or lexical index can be thrown away: opening the library makes them anew from the catalog."""
    import shutil

    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.txt").write_text("The north berth opens in June. The south berth is closed.")
    folder = tmp_path / "library"
    for store in ("vectors", "lexical"):
        with Library.open(folder, encoder=FakeEncoder()) as library:
            library.add(docs)
        code = f"import shutil; shutil.rmtree({str(folder / store)!r})"
        subprocess.run([sys.executable, "-c", code], check=True)
        assert not (folder / store).exists()
        # A second process, because Chroma keeps its clients for as long as the process lives.
        check = (
            f"import sys; sys.path.insert(0, {os.getcwd()!r})\n"
            "from index.library import Library\nfrom tests.fakes import FakeEncoder\n"
            f"library = Library.open({str(folder)!r}, encoder=FakeEncoder())\n"
            "assert library.search('north berth')[0].passage.text.startswith('The north berth')\n"
            "assert library.vectors.ids() == library.catalog.passage_ids() == set(library.lexical.ids())\n"
        )
        subprocess.run([sys.executable, "-c", check], check=True)
    shutil.rmtree(folder)
