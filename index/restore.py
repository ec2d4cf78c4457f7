"""A library made again from one file, see `index.backup`; the file may be damaged or made to do harm.

Every hash is compared before anything is built, the library is built in a folder beside its place, and renamed at the
end. No name in the archive is taken as a path.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from index.backup import CHUNK
from index.bare import BareParts, free_name
from index.checks import check_catalog, size_text
from index.errors import ConfigError, DiskFullError, DossierError, LibraryError, StaleIndexError
from index.lock import WriteLock
from index.manifest import FORMAT, NAME, VERSION, Manifest, Member, parse_manifest
from index.mend import rebuild_stores
from index.scan import source_name
from index.schema import SCHEMA_VERSION
from index.settings import FILE_NAME, LibrarySettings, load_settings
from index.types import Step
from index.vectors import Labels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.parts import LibraryParts, Progress

_MANIFEST_SIZE = 64 << 20  # bytes; some 300,000 uploads fit


def restore(
    file: Path,
    path: Path,
    *,
    config: Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> tuple[Manifest, Path | None]:
    """Make a library from a backup.

    A process killed in the middle leaves what was at `path` as it was, and a folder `PATH.restoring-…` beside it that
    can be deleted.

    Args:
        file: The backup.
        path: The library's folder, which must be missing or empty.
        config: Settings in place of those in the backup; they say where the vectors go.
        force: Whether a folder with something in it is renamed to `PATH.before-restore-N`.
        progress: Called with how far it is.

    Returns:
        What the backup holds, and where the old folder is now, if there was one.

    Raises:
        ConfigError: The folder is in use, or settings are wrong.
        LibraryError: The backup is damaged, incomplete or none.
        StaleIndexError: A newer version made it.
        DiskFullError: There is no room.
        LibraryBusyError: Another process is writing to the library that is there.
    """
    path = path.expanduser().resolve()
    if not force and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ConfigError(
            f"{path} is not empty.", remedy="Restore to another folder, or use --force: it renames what is there."
        )
    with _opened(file) as archive:
        manifest = _read_manifest(file, archive)
        path.parent.mkdir(parents=True, exist_ok=True)
        _check_room(path.parent, manifest)
        building = path.with_name(f"{path.name}.restoring-{uuid.uuid4().hex[:8]}")
        try:
            _build(file, archive, manifest, building, path, config, progress)
            return manifest, _put_in_place(building, path)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise


def _opened(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except FileNotFoundError as error:
        raise ConfigError(f"There is no file {file}.", remedy="Check the name of the backup.") from error
    except (zipfile.BadZipFile, EOFError, ValueError) as error:
        raise _damaged(file, f"it cannot be opened ({error})") from error


def _damaged(file: Path, reason: str) -> LibraryError:
    return LibraryError(
        f"The backup {file} is damaged or cut short: {reason}.",
        remedy="Copy it again from where it was made, or take another backup. Nothing was changed.",
    )


def _check_room(folder: Path, manifest: Manifest) -> None:
    """Vectors take up to three times their size in Chroma while they are written, the lexical index half a catalog."""
    need = sum(m.size * (3 if m.kind in ("vectors", "catalog") else 1) for m in manifest.members)
    free = shutil.disk_usage(folder).free
    if free < need:
        raise DiskFullError(
            f"The disk of {folder} has no room: about {size_text(need)} are needed and {size_text(free)} are free.",
            remedy="Make room, or restore to a folder on another disk.",
        )


def _read_manifest(file: Path, archive: zipfile.ZipFile) -> Manifest:
    try:
        with archive.open(NAME) as source:
            data = source.read(_MANIFEST_SIZE + 1)
        if len(data) > _MANIFEST_SIZE:
            raise ValueError("its manifest is too large")
        record = json.loads(data)
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise ValueError("it is no backup of Dossier")
        version, schema = record["version"], record["schema"]
    except (KeyError, ValueError, RecursionError, OSError, zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise _damaged(file, str(error).strip("'\"") or type(error).__name__) from error
    except RuntimeError as error:  # what zipfile raises for an encrypted member
        raise _damaged(file, str(error)) from error
    if not isinstance(version, int) or not isinstance(schema, int) or version > VERSION or schema > SCHEMA_VERSION:
        raise StaleIndexError(
            f"The backup {file} was made by a newer version of Dossier (format {version}, schema {schema}; this one "
            f"knows {VERSION} and {SCHEMA_VERSION}).",
            remedy="Upgrade Dossier and restore it again.",
        )
    try:
        return parse_manifest(record)
    except (KeyError, ValueError, TypeError) as error:
        raise _damaged(file, f"its manifest is wrong ({error})") from error


# Unpacking


def _unpack(file: Path, archive: zipfile.ZipFile, manifest: Manifest, folder: Path, progress: Progress | None) -> None:
    """Compare every member with its hash, and write all but the vectors into a new folder."""
    folder.mkdir()
    total, done = sum(m.size for m in manifest.members), 0
    for member in manifest.members:
        place = _place(folder, member)
        if place is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
        for data in _read(file, archive, member, place):
            done += data
            _tell(progress, "check", done >> 20, total >> 20)


def _place(folder: Path, member: Member) -> Path | None:
    if member.kind == "catalog":
        return folder / "catalog.sqlite"
    if member.kind == "settings":
        return folder / FILE_NAME
    return folder / "uploads" / Path(*member.path.split("/")) if member.kind == "upload" else None


def _read(file: Path, archive: zipfile.ZipFile, member: Member, place: Path | None) -> Iterator[int]:
    """Read a member whole, into a file if there is a place for it; gives the sizes of the pieces."""
    if place is None:
        for data in _verified(file, archive, member):
            yield len(data)
        return
    with place.open("xb") as target:
        for data in _verified(file, archive, member):
            target.write(data)
            yield len(data)
        target.flush()
        os.fsync(target.fileno())


def _verified(file: Path, archive: zipfile.ZipFile, member: Member) -> Iterator[bytes]:
    """Read a member piece by piece, never more than its stated size; the last piece has come when the hash is right."""
    digest, left = hashlib.sha256(), member.size
    try:
        if archive.getinfo(member.name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("it is packed in a way that backups are not")
        with archive.open(member.name) as source:
            while data := _piece(source, left):
                digest.update(data)
                left -= len(data)
                yield data
    except (KeyError, OSError, EOFError, zipfile.BadZipFile, RuntimeError, ValueError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _damaged(file, f"{member.name} cannot be read ({str(error)[:100]})") from error
    if left or digest.hexdigest() != member.sha256:
        raise _damaged(file, f"{member.name} is not what it was when it was written")


def _piece(source: IO[bytes], left: int) -> bytes:
    data = source.read(CHUNK)
    if len(data) > left:
        raise ValueError("it is larger than stated")
    return data


# Building


def _build(
    file: Path, archive: zipfile.ZipFile, manifest: Manifest, building: Path, path: Path, config: Path | None,
    progress: Progress | None,
) -> None:  # fmt: skip
    """Make the library in a new folder beside its place."""
    _unpack(file, archive, manifest, building, progress)
    settings = load_settings(LibrarySettings, "library", library=building, config=config)
    library = BareParts(building, settings, None)
    try:
        _fill(library, file, archive, manifest, path, progress)
    finally:
        library.close()


def _fill(
    library: LibraryParts, file: Path, archive: zipfile.ZipFile, manifest: Manifest, path: Path,
    progress: Progress | None,
) -> None:  # fmt: skip
    """Fill the stores of a library that has its catalog, and fit the catalog to its new place."""
    catalog = library.catalog
    finding = check_catalog(catalog)
    if finding.state == "problem" or catalog.count() != (manifest.documents, manifest.passages):
        raise _damaged(file, f"its catalog is not whole ({finding.message})")
    _follow_uploads(library, manifest, source_name(path))
    with catalog.transaction() as connection:
        # A collection on a Chroma server belongs to one library: two that share it would undo each other's work.
        connection.execute("DELETE FROM meta WHERE key = 'collection'")
    with library.writing():
        try:
            _fill_vectors(library, file, archive, manifest, progress)
            ids = [row[0] for row in catalog.rows("SELECT id FROM documents ORDER BY id")]
            rebuild_stores(library, ids, lambda done, total: _tell(progress, "rebuild", done, total))
        except BaseException:
            if library.settings.vectors:  # what is on a server does not go with the folder
                _forget_vectors(library)
            raise


def _follow_uploads(library: LibraryParts, manifest: Manifest, path: str) -> None:
    """Documents that were uploaded lie in the library's folder, so their paths change with it."""
    if not manifest.library or manifest.library == path:
        return
    statements = [
        "UPDATE OR REPLACE sources SET source = ?1 || substr(source, ?3) WHERE substr(source, 1, ?3 - 1) = ?2",
        "UPDATE OR REPLACE sources SET file = ?1 || substr(file, ?3) WHERE substr(file, 1, ?3 - 1) = ?2",
        "UPDATE OR REPLACE files SET path = ?1 || substr(path, ?3) WHERE substr(path, 1, ?3 - 1) = ?2",
        "UPDATE former SET source = ?1 || substr(source, ?3) WHERE substr(source, 1, ?3 - 1) = ?2",
    ]
    slash = "\\" if "\\" in manifest.library and "/" not in manifest.library else "/"
    old = f"{manifest.library}{slash}uploads{slash}"
    new = os.path.join(path, "uploads", "")
    with library.catalog.transaction() as connection:
        for statement in statements:
            connection.execute(statement, (new, old, len(old) + 1))


def _fill_vectors(
    library: LibraryParts, file: Path, archive: zipfile.ZipFile, manifest: Manifest, progress: Progress | None
) -> None:
    done = 0
    for member in manifest.members:
        if member.kind != "vectors":
            continue
        try:
            ids, digests, vectors = _vectors_of(b"".join(_verified(file, archive, member)))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _damaged(file, f"{member.name} holds no vectors ({str(error)[:100]})") from error
        _store(library, ids, digests, vectors)
        done += len(ids)
        _tell(progress, "restore", done, manifest.vectors)


def _vectors_of(data: bytes) -> tuple[list[str], list[str], NDArray[np.float32]]:
    import numpy as np

    line, _, rest = data.partition(b"\n")
    head = json.loads(line)
    ids, digests, dimension = head["ids"], head["digests"], int(head["dimension"])
    vectors = np.frombuffer(rest, dtype=np.dtype("<f4")).reshape(len(ids), dimension)
    if not all(isinstance(word, str) for word in (*ids, *digests)):
        raise ValueError("an id or digest is not text")
    if len(digests) != len(ids) or len(set(ids)) != len(ids):
        raise ValueError("ids and digests do not belong together")
    return ids, digests, np.asarray(vectors, dtype=np.float32)


def _store(library: LibraryParts, ids: Sequence[str], digests: Sequence[str], vectors: NDArray[np.float32]) -> None:
    """Store vectors of passages that the catalog has; the others would only be taken out again."""
    catalog = library.catalog
    for at in range(0, len(ids), 500):  # below SQLite's least limit of variables
        passages = catalog.get_passages(ids[at : at + 500])
        rows = [i for i in range(at, min(at + 500, len(ids))) if ids[i] in passages]
        if not rows:
            continue
        documents = list(dict.fromkeys(p.document_id for p in passages.values()))
        labels = {info.id: Labels.of(info) for info in catalog.list_documents(documents)}
        library.vectors.replace([passages[ids[i]] for i in rows], vectors[rows], [digests[i] for i in rows], labels)


def _forget_vectors(library: LibraryParts) -> None:
    try:
        library.vectors.remove(sorted(library.vectors.ids()))
    except DossierError:  # the server is what failed
        return


# Putting it in place


def _put_in_place(building: Path, path: Path) -> Path | None:
    """Rename the new folder to its place, and what was there out of it."""
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        if path.exists():
            path.rmdir()
        building.rename(path)
        return None
    aside = free_name(path, "before-restore")
    _while_nobody_writes(path, lambda: path.rename(aside))
    try:
        building.rename(path)
    except OSError:
        aside.rename(path)
        raise
    return aside


def _while_nobody_writes(path: Path, do: Callable[[], object]) -> None:
    if not (path / "catalog.sqlite").is_file():
        do()
        return
    with WriteLock(path / "write.lock", 5.0):
        do()


def _tell(progress: Progress | None, stage: str, done: int, total: int) -> None:
    if progress is not None:
        progress(Step(stage, done, total))
