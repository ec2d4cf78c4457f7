"""Files made to do harm: each is read or refused, within its limits, and reaches nothing outside its worker."""

from __future__ import annotations

import http.server
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from index.errors import DocumentError
from index.settings import LibrarySettings
from index.workers import Lost, WorkerPool
from tests.conftest import ROOT
from tests.data.hostile import build
from tests.hostile_tasks import Reading, Setup

SECONDS, MEMORY = 20, 900
SECRET = "The words that only the secret file holds: 7141-wheat-lantern."
TOLERATED = {  # what goes wrong inside of a library, in time or memory, where only the limits of the worker help
    "content-bomb.pdf",  # pdfium unpacks a gibibyte
    "content-calls-itself.pdf",  # pdfium follows a form that draws itself twice
    "labels-loop.pdf",  # pdfium follows page labels that lie inside themselves until it crashes
    "attributes.html",  # libxml2 compares each attribute of a tag with all others
    "roles.rst",  # docutils looks for the end of each mark to the end of the text
    "documents-300000.jsonl",  # half of the time on an idle machine, all of it on a busy one
}
FORMATS = "txt md html xhtml pdf docx pptx xlsx odt rtf epub csv tsv rst eml mbox json jsonl zip gz".split()
pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True, slots=True)
class Run:
    """One run over all hostile files: what each gave, and what was seen from outside meanwhile."""

    results: dict[str, Reading | DocumentError | Lost]
    seconds: dict[str, float]
    highest: int
    requests: list[str]
    written: list[str]


class Canary(http.server.BaseHTTPRequestHandler):
    """Any request is a finding."""

    requests: list[str]

    def handle(self) -> None:
        self.requests.append(repr(self.client_address))


class Memory(threading.Thread):
    """The highest resident memory of any child started from now on, programs they start included.

    Servers and browsers of other tests may still be running.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.highest = 0
        self._others = {child.pid for child in psutil.Process().children()}
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.02):
            for child in psutil.Process().children():
                if child.pid in self._others:
                    continue
                try:
                    for process in (child, *child.children(recursive=True)):
                        self.highest = max(self.highest, process.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue


def listing(*folders: Path) -> set[str]:
    return {str(path) for folder in folders for path in folder.iterdir()}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Every file read once, made as it is needed and removed after; the working folder is an empty one."""
    here = Path.cwd()
    base = tmp_path_factory.mktemp("hostile")
    secret, folder, work, temporary = base / "secret.txt", base / "files", base / "work", base / "temporary"
    secret.write_text(SECRET)
    for made_here in (folder, work, temporary):
        made_here.mkdir()
    requests: list[str] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Listener", (Canary,), {"requests": requests}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made = build.files(f"http://127.0.0.1:{server.server_port}/canary", str(secret))
    wanted = [name for name in made if not ONLY or ONLY in name]
    started: dict[str, float] = {}

    def tasks() -> Iterator[str]:
        for name in wanted:
            (folder / name).write_bytes(made[name]())
            started[name] = time.monotonic()
            yield str(folder / name)

    memory = Memory()
    memory.start()
    sys.path.insert(0, str(ROOT))
    os.chdir(work)
    usual = tempfile.gettempdir()
    tempfile.tempdir = str(temporary)  # one of its own, since other programs use the other
    before = listing(work, base, temporary)
    results: dict[str, Reading | DocumentError | Lost] = {}
    seconds: dict[str, float] = {}
    try:
        setup = Setup(LibrarySettings(), SECRET)
        with WorkerPool("tests.hostile_tasks:read", setup, workers=2, seconds=SECONDS, memory_mb=MEMORY) as pool:
            for task, result in pool.map(tasks()):
                name = Path(task).name
                results[name], seconds[name] = result, time.monotonic() - started[name]
                Path(task).unlink()
        written = sorted(listing(work, base, temporary, folder) - before)
        assert len(results) == len(wanted)
    finally:
        memory.done.set()
        os.chdir(here)
        tempfile.tempdir = usual
        sys.path.remove(str(ROOT))
        server.shutdown()
        server.server_close()
    return Run(results, seconds, memory.highest, requests, written)


ONLY = os.environ.get("DOSSIER_HOSTILE", "")  # part of a name, to look at some of the files only


def test_there_are_hostile_files_of_every_format() -> None:
    """At least three of each, and hundreds in all."""
    names = list(build.files())
    assert len(names) >= 250
    assert [
        form for form in FORMATS if sum(name.endswith(f".{form}") for name in names) < (1 if form == "xhtml" else 3)
    ] == []


def test_kept_files_are_what_the_script_makes() -> None:
    """The small ones in the repository can be made again, byte for byte."""
    made = build.files()
    kept = sorted((build.HERE / "files").iterdir())
    assert len(kept) >= 150
    assert [path.name for path in kept if made[path.name]() != path.read_bytes()] == []


def test_every_file_is_read_or_refused_within_its_limits(run: Run) -> None:
    """Each gives documents, an error with a remedy, or is lost alone; none takes the others with it."""
    for name, result in run.results.items():
        assert isinstance(result, (Reading, DocumentError, Lost)), name
        assert run.seconds[name] < 3 * SECONDS, name  # its own time, that of one before it in the queue, and a start
        if isinstance(result, DocumentError):
            assert result.message, name
            assert result.remedy, name


def test_parsers_refuse_politely_themselves(run: Run) -> None:
    """The worker's limits are the last resort: few files end there, none of them by an error nobody foresaw."""
    lost = {
        name: f"{result.reason}: {result.detail}" for name, result in run.results.items() if isinstance(result, Lost)
    }
    print(*(f"{name}: {why}" for name, why in lost.items()), sep="\n")
    assert not [name for name, why in lost.items() if why.startswith("error")], lost
    assert set(lost) <= TOLERATED, lost


def test_memory_of_the_workers_stays_below_a_gigabyte(run: Run) -> None:
    """Seen from outside, fifty times a second, the highest of all children."""
    assert 10e6 < run.highest < 1024**3


def test_nothing_is_written_outside(run: Run) -> None:
    """No file appears beside the files, in the working or temporary folder, or where names in archives point."""
    assert run.written == []
    assert [path for folder in (Path("/tmp"), Path("/"), Path.home()) for path in folder.glob("*evil*.txt")] == []


def test_nothing_reaches_the_network(run: Run) -> None:
    """No connection came in, and no parser as much as tried."""
    assert run.requests == []
    assert {name: r.attempts for name, r in run.results.items() if isinstance(r, Reading) and r.attempts} == {}


def test_no_other_file_is_read_into_a_document(run: Run) -> None:
    """Entities, includes, links and paths that name a file of the system bring nothing of it in."""
    assert [name for name, result in run.results.items() if isinstance(result, Reading) and result.secret] == []


def test_offsets_fit_the_text_however_broken_the_file(run: Run) -> None:
    """Pages, headings and skipped spans lie within the text."""
    assert [name for name, result in run.results.items() if isinstance(result, Reading) and result.misfits] == []


def test_canary_hears_a_request() -> None:
    """The listening server of this test does hear what comes."""
    import urllib.request

    requests: list[str] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Listener", (Canary,), {"requests": requests}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.raises(OSError, match=r".*"):
        urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/canary", timeout=5)
    server.shutdown()
    server.server_close()
    assert len(requests) == 1
