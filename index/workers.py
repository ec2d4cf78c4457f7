"""Untrusted work in processes of its own: limited in time and memory, and lost alone when one dies.

    with WorkerPool("index.reading:read_file", settings, workers=2, seconds=60, memory_mb=900) as pool:
        for task, result in pool.map(paths):
            ...  # what the function returned, the DossierError it raised, or a Lost

A child is a fresh interpreter (`index/workers_main.py`), neither a fork, which is unsafe beside threads, nor one of
`multiprocessing`, which runs the user's `__main__` again. One thread for each child sends it a task and waits for the
answer; one more watches the clock and the memory of all of them. What a child sends is not trusted either: its answers
may only hold plain values, data classes and errors of the package the function is in.
"""

from __future__ import annotations

import atexit
import pickle
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from index.worker_process import Child, Died, Lost, Plan, remove_left_folders

__all__ = ["Lost", "WorkerPool"]

T = TypeVar("T")

_TICK = 0.05  # seconds between two looks at a child's memory; what grows faster meets the limit set inside it
_IDLE = 30.0  # seconds without a task after which a child ends: an open library need not hold its memory for ever
_AHEAD = 8  # tasks for each child in flight, so that none waits while the caller writes a batch of results
_CLOSED = Lost("error", "the pool was closed")


@dataclass(slots=True)
class _Call:
    """One use of `map`: where its results go, and whether anybody still wants them."""

    done: queue.SimpleQueue[tuple[Any, Any]]
    dropped: bool = False


_WARM: tuple[_Call, Any] = (_Call(queue.SimpleQueue()), None)
"""In place of a task: nothing is to be done but to start a child, if there is none."""


class WorkerPool:
    """Calls one function on many tasks, in child processes that may hang, swell or crash without harm.

    Args:
        function: "package.module:name" of a top-level function, called in a child as `function(setup, task)`. What it
            returns must pickle; a `DossierError` it raises comes back as the result.
        setup: Anything that pickles; sent once to each child.
        workers: How many children at most; they start when there is work for them, and end when there has been none
            for half a minute.
        seconds: Time for one task; a child that takes longer is killed.
        memory_mb: Resident memory of a child in MiB; one that takes more is stopped. Only the time is limited where
            the system offers no such limit (Windows, in part macOS).
    """

    def __init__(self, function: str, setup: object, *, workers: int, seconds: float, memory_mb: int) -> None:
        if workers < 1 or seconds <= 0 or memory_mb < 1:
            raise ValueError(f"workers={workers}, seconds={seconds} and memory_mb={memory_mb} must be positive")
        self._plan = Plan(function, pickle.dumps(setup, protocol=5), seconds, memory_mb)
        self._workers = workers
        self._tasks: queue.SimpleQueue[tuple[_Call, Any] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._children: set[Child] = set()
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._closed = False
        self._broken: Lost | None = None
        atexit.register(self.close)

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def map(self, tasks: Iterable[T]) -> Iterator[tuple[T, Any | Lost]]:
        """Give each task to a child and yield it with its result, in the order they are done.

        Args:
            tasks: Pulled in the caller's thread as children become free: at most eight for each are in flight.

        Yields:
            The task and what the function returned, the `DossierError` it raised, or a `Lost`. No task raises; the
            rest of the tasks in flight is lost when the pool is closed meanwhile.
        """
        if self._closed:
            raise RuntimeError("the pool is closed")
        call = _Call(queue.SimpleQueue())
        source, more, waiting = iter(tasks), True, 0
        try:
            while more or waiting:
                while more and waiting < _AHEAD * self._workers:
                    try:
                        task = next(source)
                    except StopIteration:
                        more = False
                        break
                    self._submit(call, task)
                    waiting += 1
                if waiting:
                    yield call.done.get()
                    waiting -= 1
                more = more and not self._closed
        finally:
            call.dropped = True

    def warm(self, most: int) -> None:
        """Start children for `most` tasks that will come soon, so that they load what they need meanwhile."""
        with self._lock:
            for _ in range(min(most, self._workers) if not self._closed else 0):
                self._start_threads()
                self._tasks.put(_WARM)

    def close(self) -> None:
        """Kill the children, whatever they do, and remove their temporary folders; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            children, threads = list(self._children), list(self._threads)
        for child in children:
            child.kill(_CLOSED)
        for _ in threads:
            self._tasks.put(None)
        self._work.set()
        for thread in threads:
            thread.join()
        while True:
            try:
                item = self._tasks.get_nowait()
            except queue.Empty:
                break
            if item is not None and item is not _WARM:
                item[0].done.put((item[1], _CLOSED))
        atexit.unregister(self.close)

    def _submit(self, call: _Call, task: object) -> None:
        with self._lock:
            if self._closed:
                call.done.put((task, _CLOSED))
                return
            self._start_threads()
            self._tasks.put((call, task))

    def _start_threads(self) -> None:
        """Start one more worker's thread, if there may be one more, and the watching one before the first."""
        if not self._threads:
            remove_left_folders()
            self._start(self._watch, "dossier-watch")
        if len(self._threads) <= self._workers:
            self._start(self._serve, f"dossier-worker-{len(self._threads)}")

    def _start(self, target: Any, name: str) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        """Body of a worker's thread. A child dies with the thread that started it, so both live in here."""
        child: Child | None = None
        try:
            while True:
                try:
                    item = self._tasks.get(timeout=None if child is None else _IDLE)
                except queue.Empty:
                    self._end(child)
                    child = None
                    continue
                if item is None:
                    break
                call, task = item
                if call.dropped:
                    continue
                result: object = None
                try:
                    if child is None or not child.alive():
                        self._end(child)
                        child = None  # so that a failed start leaves none
                        child = self._new_child()
                    if item is _WARM:
                        continue
                    result, last = child.run(task)
                    if last:
                        self._end(child)
                        child = None
                except Died as death:
                    result = death.lost
                    self._end(child)
                    child = None
                except Exception as error:  # the task does not pickle, or no process can be started
                    result = Lost("error", f"{type(error).__name__}: {error}")
                if item is not _WARM:
                    call.done.put((task, result))
        finally:
            self._end(child)

    def _new_child(self) -> Child:
        if self._broken is not None:
            raise Died(self._broken)
        child = Child(self._plan, self._work)
        with self._lock:
            self._children.add(child)
            closed = self._closed
        try:
            if closed:
                raise Died(_CLOSED)
            child.begin()
        except Died as death:
            if death.lost.reason == "error" and not self._closed:
                self._broken = death.lost  # the function cannot be imported: no use in trying for every task
            self._end(child)
            raise
        return child

    def _end(self, child: Child | None) -> None:
        if child is not None:
            child.end()
            with self._lock:
                self._children.discard(child)

    def _watch(self) -> None:
        """Body of the watching thread: asleep while no child works."""
        while not self._closed:
            self._work.wait()
            self._work.clear()
            while not self._closed:
                with self._lock:
                    children = list(self._children)
                working = [child.check() for child in children]  # each of them, not only up to the first at work
                if not any(working):
                    break
                time.sleep(_TICK)
