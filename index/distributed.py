"""Reading and embedding on a Ray cluster; the door of ray.

Files are read, and texts embedded, by Ray Data pipelines: actors map over a stream of small rows, and Ray holds back
what would not fit. The catalog and the two indexes are written by this process alone, by the same code as ever, so a
lost worker or cluster costs nothing that was recorded. The files must be readable under the same paths on all machines
(a shared disk), and Dossier must be installed there.
"""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.embedding import Progress, pending_windows, write_window
from index.errors import DossierError, LibraryError, MissingExtraError
from index.ingest import read_setup
from index.reading import FileRead, ReadSetup, ReadTask, read_file
from index.sync import sync
from index.types import AddReport, Passage, Step
from index.workers import Lost, WorkerPool

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.parts import LibraryParts

_BATCH = 64  # texts one actor encodes at a time
_WINDOWS = 8  # windows of pending passages that are on their way through the cluster at once


def sync_on_ray(
    library: LibraryParts,
    folders: Sequence[Path],
    address: str,
    progress: Progress | None = None,
    *,
    check: bool = False,
    allow_empty: bool = False,
) -> AddReport:
    """Do what `Library.sync` does, with a cluster reading and embedding.

    Args:
        library: The library; only this process writes to it.
        folders: As for `Library.sync`, readable under these paths on all machines.
        address: `local` starts Ray on this machine, `auto` joins the one that runs here, `HOST:6379` or
            `ray://HOST:10001` joins a cluster.
        progress: As for `Library.sync`.
        check: As for `Library.sync`.
        allow_empty: As for `Library.sync`.

    Raises:
        MissingExtraError: The `ray` extra is not installed.
        LibraryError: There is no cluster at the address.
        DocumentError, ConfigError, LibraryBusyError, DiskFullError: As for `Library.sync`.
    """
    with _cluster(address) as ray:
        actors = max(int(ray.cluster_resources().get("CPU", 1)), 1)

        def read(tasks: Iterable[ReadTask]) -> Iterator[tuple[ReadTask, FileRead | DossierError | Lost]]:
            return _read(ray, library, tasks, actors)

        report = sync(
            library, folders, dry_run=False, check=check, allow_empty=allow_empty, embed=False, progress=progress,
            read=read,
        )  # fmt: skip
        embedded = _embed(ray, library, actors, progress)
        return replace(report, embedded=embedded, pending=library.catalog.count_pending())


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("Ray is not installed.", remedy="Install it: pip install 'dossier[ray]'") from error
    if ray.is_initialized():  # the caller has joined a cluster already, and will leave it
        yield ray
        return
    _probe(address)
    try:
        ray.init(
            address=None if address == "local" else address,
            include_dashboard=False if address == "local" else None,
            log_to_driver=False,
            logging_level="ERROR",
        )
    except Exception as error:  # ray raises types of its own and of its transport
        raise LibraryError(
            f"There is no Ray cluster at {address!r}: {(str(error).splitlines() or ['no answer'])[0][:200]}",
            remedy="Start one (ray start --head) and name it HOST:6379, or use local.",
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _probe(address: str) -> None:
    """Refuse an address at which nothing listens: Ray itself would go on trying for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdigit()):
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise LibraryError(
            f"There is no Ray cluster at {address!r}: {error}.",
            remedy="Start one (ray start --head) and name it HOST:6379, or use local.",
        ) from error


class _Reader:
    """Reads files in a Ray actor: each in a process with limits, as everywhere."""

    def __init__(self, setup: ReadSetup) -> None:
        settings = setup.settings
        self._pool = WorkerPool(
            f"{read_file.__module__}:{read_file.__name__}",
            setup,
            workers=1,
            seconds=settings.parse_seconds,
            memory_mb=settings.parse_memory_mb,
        )

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        for _, outcome in self._pool.map([pickle.loads(row["task"])]):  # noqa: S301 - made by the driver
            return {"task": row["task"], "outcome": pickle.dumps(outcome)}
        raise AssertionError("a pool gives one outcome for each task")


class _Encoder:
    """Encodes texts in a Ray actor; the model is opened once."""

    def __init__(self, opened: bytes) -> None:
        self._encoder = pickle.loads(opened)()  # noqa: S301 - made by the driver

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"number": batch["number"], "vector": self._encoder.encode([str(t) for t in batch["text"]])}


def _read(
    ray: Any, library: LibraryParts, tasks: Iterable[ReadTask], actors: int
) -> Iterator[tuple[ReadTask, FileRead | DossierError | Lost]]:
    rows = [{"task": pickle.dumps(task)} for task in tasks]
    if not rows:
        return
    data = ray.data.from_items(rows, override_num_blocks=min(len(rows), 4 * actors))
    data = data.map(_Reader, fn_constructor_args=(read_setup(library),), concurrency=actors, max_restarts=2)
    for row in data.iter_rows():
        yield pickle.loads(row["task"]), pickle.loads(row["outcome"])  # noqa: S301 - checked by the actor's pool


def _embed(ray: Any, library: LibraryParts, actors: int, progress: Progress | None) -> int:
    """Make the missing vectors, some windows at a time."""
    import functools

    from index.embed import OnnxEncoder, open_encoder

    encoder = library.encoder
    if isinstance(encoder, OnnxEncoder):
        make: Any = functools.partial(OnnxEncoder, threads=1)
    elif library.settings.encoder:
        make = functools.partial(open_encoder, library.settings.encoder, library.settings.device)
    else:
        make = functools.partial(type(encoder))  # an encoder object of the caller's, made anew in each actor
    done = 0
    windows: list[tuple[list[Passage], list[str]]] = []

    def flush() -> None:
        nonlocal done
        passages = [p for window, _ in windows for p in window]
        texts = [t for _, window in windows for t in window]
        vectors = _encode(ray, texts, pickle.dumps(make), actors, library.settings.device)
        done += write_window(library, passages, texts, vectors)
        windows.clear()
        if progress is not None:
            progress(Step("embed", done, done + library.catalog.count_pending()))

    for window in pending_windows(library, {}):
        windows.append(window)
        if len(windows) == _WINDOWS:
            flush()
    if windows:
        flush()
    return done


def _encode(ray: Any, texts: list[str], make: bytes, actors: int, device: str) -> NDArray[np.float32]:
    import numpy as np

    rows = [{"number": i, "text": text} for i, text in enumerate(texts)]
    data = ray.data.from_items(rows, override_num_blocks=min(max(len(rows) // _BATCH, 1), 4 * actors))
    gpus = {"num_gpus": 1} if device.startswith("cuda") else {}
    data = data.map_batches(
        _Encoder, fn_constructor_args=(make,), batch_size=_BATCH, concurrency=actors, max_restarts=2, **gpus
    )
    found: dict[int, Any] = {}
    for batch in data.iter_batches(batch_size=_BATCH):
        found.update(zip(batch["number"].tolist(), batch["vector"], strict=True))
    return np.asarray([found[i] for i in range(len(texts))], dtype=np.float32)
