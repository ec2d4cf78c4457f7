"""ZIP archives: what may be taken out of them, and how much."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from index.errors import DocumentTooLargeError, UnreadableDocumentError, UnsupportedFormatError
from index.parse.formats import known_suffixes, limit_of, refuse_larger, shown, suffix_of
from index.parse.package import first_line, protected
from index.settings import LibrarySettings

MAX_NESTING = 3
"""Archives and messages inside each other that are opened."""
MAX_MEMBERS = 10_000
"""Files in one archive or message, those in archives inside it included."""
MAX_UNPACKED = 20
"""Size of all that one file unpacks to, in times of the limit for text files."""
MAX_RATIO = 200
"""Unpacked to packed size, for archives that unpack to more than the limit for text files."""
_MIB = 1024 * 1024


@dataclass(slots=True)
class Room:
    """What may still be unpacked of one file."""

    settings: LibrarySettings
    members: int = MAX_MEMBERS
    size: int = field(init=False)
    deep: bool = False  # something inside lay too deep, which is said once

    def __post_init__(self) -> None:
        self.size = self.settings.max_file_mb * _MIB * MAX_UNPACKED

    def take(self, file: Path | PurePosixPath, members: int, size: int) -> None:
        """Raise `DocumentTooLargeError` if there is no room for so many members of so many bytes, else take it."""
        if members > self.members:
            raise DocumentTooLargeError(
                f"{shown(file)} brings the files inside to more than {MAX_MEMBERS:,}.",
                remedy="Unpack it into a folder and add that.",
            )
        if size > self.size:
            limit = self.settings.max_file_mb * MAX_UNPACKED
            raise DocumentTooLargeError(
                f"{shown(file)} unpacks to {size / _MIB:,.0f} MiB, over the {limit:,} MiB that one file may hold.",
                remedy="Leave it out if you do not know it; else unpack it into a folder and add that.",
            )
        self.members -= members
        self.size -= size


def open_archive(
    file: Path, data: bytes, room: Room
) -> tuple[zipfile.ZipFile, list[tuple[str, zipfile.ZipInfo]], Counter[str]]:
    """Open an archive and list the members that have a parser, by unique name; count the others by their ending."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, UnicodeDecodeError) as error:
        raise UnreadableDocumentError(
            f"{shown(file)} is no whole ZIP archive: {first_line(error)}.", remedy="Get the file again."
        ) from error
    size = sum(entry.file_size for entry in entries)
    room.take(file, len(entries), size)
    if size > room.settings.max_file_mb * _MIB and size > MAX_RATIO * len(data):
        raise DocumentTooLargeError(
            f"{shown(file)} unpacks to {size / max(len(data), 1):,.0f} times its size; {MAX_RATIO} is the limit.",
            remedy="Leave it out if you do not know it; else unpack it into a folder and add that.",
        )
    members: dict[str, zipfile.ZipInfo] = {}
    passed: Counter[str] = Counter()
    for entry in entries:
        member = "".join(c if c.isprintable() else "\ufffd" for c in entry.filename.replace("\\", "/"))
        steps = [step for step in member.split("/") if step not in ("", ".", "..")]
        member = "/".join(steps)
        if not member or entry.is_dir() or any(s.startswith(".") or s == "__MACOSX" for s in steps):
            continue
        if suffix_of(member) in known_suffixes():
            members[unique_name(member, members)] = entry
        else:
            passed[suffix_of(member)] += 1
    if not members:
        kinds = passed_over(file, passed) or "It is empty."
        raise UnsupportedFormatError(
            f"{shown(file)} holds no document that Dossier reads. {kinds}",
            remedy=f"Supported endings: {', '.join(known_suffixes())}.",
        )
    return archive, list(members.items()), passed


def read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, settings: LibrarySettings) -> bytes:
    """Unpack one member.

    Raises:
        UnreadableDocumentError: It is damaged or encrypted.
        DocumentTooLargeError: It is over the limit for its format.
    """
    file = PurePosixPath(name)
    if entry.flag_bits & 1:
        raise protected(f"file {file.name!r} in the archive")
    limit = limit_of(file.name, settings)
    refuse_larger(file, entry.file_size, limit)
    try:
        with archive.open(entry) as stream:
            data = stream.read(limit + 1)
    except Exception as error:  # the compression modules raise what the broken stream made them raise
        raise UnreadableDocumentError(
            f"{shown(file)} in the archive is damaged: {first_line(error)}.", remedy="Get the archive again."
        ) from error
    refuse_larger(file, len(data), limit)
    return data


def unique_name(name: str, taken: Container[str]) -> str:
    """The name itself, or with a number in front of its ending if it is taken."""
    path = PurePosixPath(name)
    count, free = 1, name
    while free in taken:
        count += 1
        free = f"{name.removesuffix(path.suffix)} ({count}){path.suffix}"
    return free


def passed_over(file: Path | PurePosixPath, passed: Counter[str]) -> str:
    """Say which files inside have no parser, for the person; empty if all have one."""
    if not passed:
        return ""
    kinds = ", ".join(f"{count} {suffix or 'without ending'}" for suffix, count in passed.most_common(8))
    return f"In {shown(file)}, files of formats Dossier does not read were passed over: {kinds}."
