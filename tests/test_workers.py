"""Work in child processes: whatever a task does, it is lost alone, and it reaches nothing outside."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from index.errors import UnreadableDocumentError
from index.workers import Lost, WorkerPool
from tests.conftest import ROOT
from tests.worker_tasks import Pair

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits that only Linux offers")


def pool(name: str, setup: object = None, *, workers: int = 1, seconds: float = 20, memory_mb: int = 300) -> WorkerPool:
    return WorkerPool(f"tests.worker_tasks:{name}", setup, workers=workers, seconds=seconds, memory_mb=memory_mb)


def act(task: str, setup: str = "", *, seconds: float = 20, memory_mb: int = 300) -> object:
    """One act in a child, and the proof that the next task fares well."""
    with pool("act", setup, seconds=seconds, memory_mb=memory_mb) as workers:
        results = list(workers.map([task, "print"]))
        assert results[1] == ("print", "said")
        return results[0][1]


_others: set[int] = set()
"""Worker processes that were there before the test at hand: those of libraries that other tests hold open."""


@pytest.fixture(autouse=True)
def _before() -> None:
    _others.clear()
    _others.update(process.pid for process in children())


def children() -> list[psutil.Process]:
    """Worker processes of the test at hand."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() == psutil.STATUS_ZOMBIE or process.pid in _others:
                continue
            if "index.workers_main" in " ".join(process.cmdline()):
                found.append(process)
    return found


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def wait_until(true: object, seconds: float = 10) -> bool:
    assert callable(true)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


def test_each_task_comes_back_once_with_its_result_and_the_setup() -> None:
    """Results carry their task, so their order does not matter; data classes cross."""
    with pool("echo", {"a": 1}, workers=3) as workers:
        results = list(workers.map(range(100)))
    assert sorted(results) == [(n, Pair({"a": 1}, n)) for n in range(100)]


def test_a_quick_task_does_not_wait_for_a_slow_one() -> None:
    """Results come as they are done, in any order."""
    with pool("sleepy", workers=2) as workers:
        assert [task for task, _ in workers.map([2.0, 0.0, 0.01])][-1] == 2.0


def test_tasks_are_pulled_as_needed() -> None:
    """A million files are not all opened first: eight tasks for each worker are out at most."""
    pulled = []

    def tasks() -> Iterator[int]:
        for n in range(50):
            pulled.append(n)
            yield n

    with pool("plain", workers=2) as workers:
        for count, _ in enumerate(workers.map(tasks())):
            assert len(pulled) <= count + 2 * 8
    assert len(pulled) == 50


def test_two_maps_at_once_each_get_their_own_results() -> None:
    """One pool serves several threads."""
    found: dict[int, list[int]] = {}

    def use(workers: WorkerPool, base: int) -> None:
        found[base] = sorted(r for _, r in workers.map(range(base, base + 50)))

    with pool("plain", workers=2) as workers:
        threads = [threading.Thread(target=use, args=(workers, base)) for base in (0, 1000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {base: list(range(base, base + 50)) for base in (0, 1000)}


def test_dossier_error_comes_back_as_it_is() -> None:
    """What we can explain is a result: message and remedy cross the border."""
    error = act("DossierError")
    assert isinstance(error, UnreadableDocumentError)
    assert (error.message, error.remedy) == ("It is torn.", "Mend it.")


@pytest.mark.parametrize(
    ("task", "detail"),
    [
        ("TypeError", "TypeError: object of type 'int' has no len()"),
        ("SystemExit", "SystemExit: 0"),
        ("RecursionError", "RecursionError: maximum recursion depth exceeded"),
        ("nested result", "RecursionError: "),
        ("unpicklable result", "AttributeError: Can't pickle local object|PicklingError: "),
        ("planted result", "the result cannot be taken over: UnpicklingError: posix.system is not plain data"),
    ],
)
def test_exception_is_an_error_and_the_next_task_is_done(task: str, detail: str) -> None:
    """Exceptions, and results that cannot or must not cross, are reported in words."""
    result = act(task)
    assert isinstance(result, Lost)
    assert result.reason == "error"
    assert any(result.detail.startswith(d) for d in detail.split("|")), result


def test_task_that_does_not_pickle_is_an_error_of_its_own() -> None:
    """The parent's side of a bad task is caught too."""
    with pool("plain") as workers:
        results = [result for _, result in workers.map([1, lambda: None, 2])]
    assert results[0] == 1
    assert isinstance(results[1], Lost)
    assert results[2] == 2


def test_function_that_cannot_be_imported_loses_every_task_at_once() -> None:
    """A wrong name is told, not tried again for each of many files."""
    start = time.monotonic()
    with WorkerPool("tests.no_such:thing", None, workers=1, seconds=5, memory_mb=300) as workers:
        results = [result for _, result in workers.map(range(200))]
    assert all(isinstance(r, Lost) and "No module named 'tests.no_such'" in r.detail for r in results)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("task", ["forever", "sleep", "chatter"])
def test_task_over_its_time_is_killed(task: str) -> None:
    """Busy, idle or printing without end: over at the limit."""
    start = time.monotonic()
    assert act(task, seconds=1) == Lost("time", "1 s")
    assert time.monotonic() - start < 8


@linux
@pytest.mark.parametrize("task", ["swell", "creep", "creep outside", "hidden shortage"])
def test_task_over_its_memory_is_stopped(task: str) -> None:
    """Taken at once, slowly, where the inner limit does not see it, or hidden by a parser: memory is the reason."""
    highest = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.005):
            for child in children():
                try:
                    highest = max(highest, child.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    result = act(task, memory_mb=300)
    done.set()
    watcher.join()
    assert isinstance(result, Lost)
    assert result.reason == "memory"
    assert highest < 450 * 1024 * 1024  # the outer watch looks twenty times a second


@pytest.mark.parametrize(
    ("task", "detail"),
    [
        ("segfault", "signal 11 (SIGSEGV)"),
        ("abort", "signal 6 (SIGABRT)"),
        ("exit", "exit status 5"),
    ],
)
def test_dead_process_is_a_crash(task: str, detail: str) -> None:
    """How it died is told."""
    assert act(task) == Lost("crash", detail)


def test_printing_disturbs_nothing() -> None:
    """Answers do not travel on the standard output."""
    assert act("print") == "said"


def test_five_thousand_tasks_with_crashes_all_come_back_once() -> None:
    """Only the tasks that kill their process are lost."""
    with pool("shaky", workers=2) as workers:
        results = list(workers.map(range(5000)))
    assert sorted(task for task, _ in results) == list(range(5000))
    lost = sorted(task for task, result in results if result != task)
    assert lost == [n for n in range(5000) if n % 500 in (7, 9)]
    assert all(result.reason == "crash" for task, result in results if task in lost)


def test_large_messages_cross_both_ways() -> None:
    """Tens of megabytes neither block a pipe nor arrive torn."""
    sizes = [30_000_000, 1, 65_536, 40_000_000, 0]
    with pool("sized", workers=2) as workers:
        assert all(len(result) == size for size, result in workers.map(sizes))
    with pool("length", workers=2) as workers:
        assert all(len(task) == result for task, result in workers.map([b"y" * size for size in sizes]))


def test_result_larger_than_the_memory_limit_is_refused() -> None:
    """What a child sends is bounded before it is read."""
    from index.worker_process import Child, Died, Plan

    with pool("sized", memory_mb=200) as workers:
        ((_, result),) = workers.map([190_000_000])
    assert isinstance(result, Lost)
    assert result.reason == "memory"
    child = Child(Plan("tests.worker_tasks:sized", b"N.", 20, 200), threading.Event())
    try:
        child.begin()
        child._plan = Plan("tests.worker_tasks:sized", b"N.", 20, 1)
        with pytest.raises(Died, match="a result of 5 MiB"):
            child.run(5 * 1024 * 1024)
    finally:
        child.end()


def test_swollen_process_is_replaced() -> None:
    """A leak ends the process between two tasks, not in the midst of an innocent one."""
    with pool("leak", memory_mb=300) as workers:
        results = [result for _, result in workers.map(range(20))]
    assert not any(isinstance(result, Lost) for result in results)
    assert len(set(results)) >= 3


def test_process_is_replaced_after_many_tasks() -> None:
    """Five hundred tasks, then a fresh one."""
    with pool("act") as workers:
        assert len({result for _, result in workers.map(["pid"] * 1001)}) == 3


def test_thousands_of_small_tasks_a_second() -> None:
    """The way through the pipe costs little (the floor allows for a machine with other work)."""
    with pool("plain", workers=2) as workers:
        list(workers.map(range(10)))
        start = time.perf_counter()
        assert sum(1 for _ in workers.map(range(400))) == 400
        assert 400 / (time.perf_counter() - start) > 500


def test_environment_has_no_keys_and_one_thread() -> None:
    """Secrets of the parent are no business of a parser."""
    os.environ["OPENAI_API_KEY"] = "sk-secret"
    try:
        found = act("environment")
    finally:
        del os.environ["OPENAI_API_KEY"]
    assert isinstance(found, dict)
    assert "OPENAI_API_KEY" not in found
    assert (found["OMP_NUM_THREADS"], found["TOKENIZERS_PARALLELISM"]) == ("1", "false")


def test_path_is_that_of_the_parent() -> None:
    """Whatever the parent can import, the child can."""
    assert act("path") == [entry or os.getcwd() for entry in sys.path]


def test_temporary_folder_is_its_own_and_removed() -> None:
    """Files may be written there, and nothing of it stays."""
    with pool("act") as workers:
        results = dict(workers.map(["folder", "temporary"]))
        assert results["temporary"] == b"here"
        folder = Path(results["folder"])
        assert folder.is_dir()
        assert folder != Path(tempfile.gettempdir())
    assert not folder.exists()


@linux
def test_folders_left_by_killed_processes_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later pool removes them; those of living children, and young ones, stay."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, young, other = (tmp_path / name for name in ("dossier-worker-old", "dossier-worker-young", "unrelated"))
    for folder in (old, young, other):
        folder.mkdir()
        (folder / "file").write_text("left")
    with pool("act") as first:
        used = Path(next(result for _, result in first.map(["folder"])))
        for folder in (old, other, used):
            os.utime(folder, (1, 1))
        with pool("plain") as second:
            assert list(second.map([1])) == [(1, 1)]
            assert [folder.exists() for folder in (old, young, other, used)] == [False, True, True, True]
    assert not used.exists()


@pytest.mark.parametrize("task", "look up|bind|browse|program|shell|exec|fork|spawn|fake program".split("|"))
def test_network_and_programs_are_refused(task: str) -> None:
    """No connection, no name looked up, no program started."""
    result = act(task)
    assert isinstance(result, Lost), result
    assert result.detail.startswith("PermissionError: "), result


def test_connection_is_refused_and_never_arrives() -> None:
    """A listening socket on this machine hears nothing; on Linux 6.7 and later not from native code either."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = str(server.getsockname()[1])
        result = act("connect", port)
        assert isinstance(result, Lost)
        assert "socket.connect is not allowed" in result.detail
        if _landlock() >= 4:
            assert act("connect natively", port) == 13  # EACCES
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    "task",
    "write|append|open|remove|rename|take|link|through link|chmod|truncate|rmdir|mkdir|write natively".split("|"),
)
def test_nothing_outside_the_temporary_folder_changes(task: str, tmp_path: Path) -> None:
    """Neither made nor changed nor removed."""
    if task == "write natively" and _landlock() < 1:
        pytest.skip("this kernel has no Landlock")
    target = tmp_path / "inner" / "precious.txt"
    target.parent.mkdir()
    target.write_text("precious")
    mode = target.stat().st_mode
    result = act(task, str(target))
    assert result == 13 or (isinstance(result, Lost) and "PermissionError" in result.detail), result
    assert [p.relative_to(tmp_path).as_posix() for p in sorted(tmp_path.rglob("*"))] == ["inner", "inner/precious.txt"]
    assert (target.read_text(), target.stat().st_mode) == ("precious", mode)


def test_tesseract_may_be_started() -> None:
    """The one program that reads scanned pages."""
    import shutil

    if shutil.which("tesseract") is None:
        pytest.skip("tesseract is not installed")
    found = act("tesseract")
    assert isinstance(found, bytes)
    assert found.startswith(b"tesseract")


def test_closing_early_kills_the_children_and_ends_the_map() -> None:
    """Nothing is waited for; tasks in flight come back as lost."""
    workers = pool("sleepy", workers=2)
    results = workers.map([0.0, 60.0, 60.0, 60.0, 60.0, 60.0])
    assert next(results) == (0.0, 0.0)
    start = time.monotonic()
    workers.close()
    assert time.monotonic() - start < 3
    assert all(result == Lost("error", "the pool was closed") for _, result in results)
    assert children() == []
    with pytest.raises(RuntimeError, match="the pool is closed"):
        next(workers.map([1.0]))


def test_idle_children_end_and_new_ones_take_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is open for days, or never closed, holds no processes that have nothing to do."""
    monkeypatch.setattr("index.workers._IDLE", 0.2)
    with pool("plain", workers=2) as workers:
        assert sorted(r for _, r in workers.map(range(10))) == list(range(10))
        assert children() != []
        assert wait_until(lambda: children() == [])
        assert sorted(r for _, r in workers.map(range(10))) == list(range(10))


def test_leaving_a_map_early_leaves_the_pool_usable() -> None:
    """Tasks nobody waits for any more are not done."""
    with pool("plain", workers=2) as workers:
        for _ in workers.map(range(1000)):
            break
        assert sorted(r for _, r in workers.map(range(10))) == list(range(10))


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM])
def test_children_die_with_their_parent(kind: signal.Signals) -> None:
    """Even one that is killed in mid-task leaves no orphans."""
    code = (
        "from index.workers import WorkerPool\n"
        "pool = WorkerPool('tests.worker_tasks:sleepy', None, workers=2, seconds=60, memory_mb=300)\n"
        "for task, result in pool.map([0.0, 60.0, 60.0, 60.0]): print(task, flush=True)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "0.0\n"
    pids = [child.pid for child in psutil.Process(parent.pid).children(recursive=True)]
    assert len(pids) == 2
    parent.send_signal(kind)
    parent.wait(10)
    parent.stdout.close()
    assert wait_until(lambda: all(gone(pid) for pid in pids))


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_interrupt_of_the_parent_ends_all_quietly() -> None:
    """Ctrl-C reaches the parent only; the children go without a word."""
    code = (
        "from index.workers import WorkerPool\n"
        "with WorkerPool('tests.worker_tasks:sleepy', None, workers=2, seconds=60, memory_mb=300) as pool:\n"
        "    try:\n"
        "        for task, result in pool.map([0.0, 60.0, 60.0]): print(task, flush=True)\n"
        "    except KeyboardInterrupt:\n"
        "        print('interrupted')\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "0.0\n"
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.communicate(timeout=10) == ("interrupted\n", "")


def _landlock() -> int:
    """The version of Landlock this kernel offers; -1 without."""
    import ctypes

    if sys.platform != "linux":
        return -1
    return int(ctypes.CDLL(None).syscall(444, None, 0, 1))
