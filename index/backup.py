"""A library as one file: a consistent snapshot of its catalog, vectors, settings and uploads, with a manifest.

The file is a ZIP archive. Its last member, `manifest.json`, names every other one with size and SHA-256. The lexical
index is not in it, because it is quickly made from the catalog; neither are Chroma's own files, because a library may
come back to another vector store. A part of the vectors is a line of JSON (passage ids and digests), then the vectors
themselves as little-endian float32.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from index.checks import folder_size, size_text
from index.errors import ConfigError, DiskFullError
from index.manifest import NAME, Manifest, Member
from index.scan import source_name
from index.schema import SCHEMA_VERSION
from index.settings import FILE_NAME
from index.types import Step

if TYPE_CHECKING:
    from index.parts import LibraryParts, Progress

CHUNK = 1 << 20  # bytes read at a time
VECTORS_A_PART = 4_000
_DOCUMENTS = 200


def backup(library: LibraryParts, file: Path, *, force: bool = False, progress: Progress | None = None) -> Manifest:
    """Write a library into one file. Nobody writes to the library meanwhile; reading goes on.

    Args:
        library: The library.
        file: The file; it appears when it is complete.
        force: Whether it may take the place of a file.
        progress: Called with how far it is.

    Returns:
        What the file holds.

    Raises:
        ConfigError: The file exists, or its folder does not.
        DiskFullError: There is no room for it.
        LibraryBusyError: Another process is writing to the library.
        LibraryError: A store cannot be read.
    """
    if file.is_dir() or (file.exists() and not force):
        raise ConfigError(f"{file} exists.", remedy="Choose another name, or --force to replace that file.")
    if not file.absolute().parent.is_dir():
        raise ConfigError(f"The folder {file.absolute().parent} does not exist.", remedy="Make it, or choose another.")
    part = file.with_name(f"{file.name}.part")
    copy = file.with_name(f"{file.name}.catalog.part")
    try:
        with library.writing():
            _check_room(library, file)
            copy.unlink(missing_ok=True)
            library.catalog.copy_to(copy, lambda done, total: _tell(progress, "copy", done, total))
            with part.open("wb") as stream:
                with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
                    manifest = _write(library, archive, copy, progress)
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(part, file)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _full(file, str(error.strerror)) from error
    finally:
        for left in (copy, part):
            left.unlink(missing_ok=True)
    return manifest


def _write(library: LibraryParts, archive: zipfile.ZipFile, catalog: Path, progress: Progress | None) -> Manifest:
    writer = _Writer(archive)
    documents, passages = library.catalog.count()
    with catalog.open("rb") as source:
        writer.copy("catalog.sqlite", "catalog", source, compress=True)
    catalog.unlink()
    vectors = 0
    for data, count in _vector_parts(library):
        vectors += count
        writer.put(f"vectors/{len(writer.members):06}", "vectors", data)
        _tell(progress, "save", vectors, passages)
    settings = library.path / FILE_NAME
    if settings.is_file():
        writer.put(FILE_NAME, "settings", settings.read_bytes())
    uploads = library.path / "uploads"
    for file in sorted(p for p in uploads.rglob("*") if p.is_file() and not p.is_symlink()):
        with file.open("rb") as source:
            name = file.relative_to(uploads).as_posix()
            writer.copy(f"uploads/{len(writer.members):06}", "upload", source, compress=False, path=name)
    manifest = Manifest(
        schema=SCHEMA_VERSION,
        encoder=library.catalog.get_meta("encoder") or "",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        library=source_name(library.path),
        documents=documents,
        passages=passages,
        vectors=vectors,
        members=tuple(writer.members),
    )
    archive.writestr(NAME, manifest.to_json(), zipfile.ZIP_DEFLATED)
    return manifest


def _vector_parts(library: LibraryParts) -> Iterator[tuple[bytes, int]]:
    """Read the vectors that belong to passages as they are now, a part at a time."""
    ids: list[str] = []
    digests: list[str] = []
    for name, digest in _vector_ids(library):
        ids.append(name)
        digests.append(digest)
        if len(ids) == VECTORS_A_PART:
            yield _vector_part(library, ids, digests), len(ids)
            ids, digests = [], []
    if ids:
        yield _vector_part(library, ids, digests), len(ids)


def _vector_ids(library: LibraryParts) -> Iterator[tuple[str, str]]:
    last = ""
    while rows := library.catalog.rows("SELECT id FROM documents WHERE id > ? ORDER BY id LIMIT ?", (last, _DOCUMENTS)):
        documents = [row[0] for row in rows]
        last = documents[-1]
        stored = library.vectors.digests(documents)
        for name, (digest, pending) in library.catalog.digests_of(documents).items():
            if not pending and stored.get(name) == digest:
                yield name, digest


def _vector_part(library: LibraryParts, ids: list[str], digests: list[str]) -> bytes:
    import numpy as np

    vectors = library.vectors.get(ids)
    rows = np.asarray([vectors[name] for name in ids], dtype=np.dtype("<f4"))
    head = json.dumps({"ids": ids, "digests": digests, "dimension": int(rows.shape[1])}, ensure_ascii=False)
    return head.encode("utf-8") + b"\n" + rows.tobytes()


class _Writer:
    """Writes members and remembers what they are.

    Args:
        archive: An archive open for writing.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.members: list[Member] = []

    def put(self, name: str, kind: str, data: bytes) -> None:
        """Write bytes as a member."""
        with self._archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as target:
            target.write(data)
        self.members.append(Member(name, kind, len(data), hashlib.sha256(data).hexdigest()))

    def copy(self, name: str, kind: str, source: IO[bytes], *, compress: bool, path: str = "") -> None:
        """Write all of a stream as a member."""
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        digest, size = hashlib.sha256(), 0
        with self._archive.open(info, "w", force_zip64=True) as target:
            while data := source.read(CHUNK):
                digest.update(data)
                size += len(data)
                target.write(data)
        self.members.append(Member(name, kind, size, digest.hexdigest(), path))


def _check_room(library: LibraryParts, file: Path) -> None:
    """The catalog lies there twice for a while: as a copy, and in the archive."""
    catalog = sum(p.stat().st_size for p in library.path.glob("catalog.sqlite*"))
    size = 2 * catalog + folder_size(library.path / "uploads")
    some = library.catalog.rows("SELECT id FROM passages WHERE NOT pending LIMIT 1")
    for vector in library.vectors.get([some[0][0]]).values() if some else ():
        size += library.vectors.count() * (vector.shape[0] * 4 + 80)
    free = shutil.disk_usage(file.absolute().parent).free
    if free < size:
        raise _full(file, f"about {size_text(size)} are needed and {size_text(free)} are free")


def _full(file: Path, reason: str) -> DiskFullError:
    return DiskFullError(
        f"The disk of {file} has no room for the backup: {reason}.",
        remedy="Choose a place on another disk, or make room.",
    )


def _tell(progress: Progress | None, stage: str, done: int, total: int) -> None:
    if progress is not None:
        progress(Step(stage, done, total))
