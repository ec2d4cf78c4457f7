"""Files that hold several documents: archives, mailboxes, messages with attachments, tables of records.

Names inside are only names: nothing is unpacked to the disk. How deep, how many and how large is limited, and what is
over a limit is refused before it is unpacked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath

from index.errors import DocumentError, DocumentTooLargeError, EmptyDocumentError, UnreadableDocumentError
from index.parse.archive import MAX_NESTING, Room, open_archive, passed_over, read_member, unique_name
from index.parse.formats import (
    checked,
    choose,
    known_suffixes,
    parse,
    read_source,
    shown,
    suffix_for,
    suffix_of,
    unpacked,
)
from index.parse.mail import not_read, read_message, split_mailbox
from index.parse.records import parse_record, read_records
from index.settings import LibrarySettings
from index.types import Parsed, Part

_INSIDE = "!/"
_RECORDS = (".json", ".jsonl", ".ndjson")
_HOPELESS = 50  # records at the start that cannot be used, after which no more of the file are tried


@dataclass(frozen=True, slots=True)
class _Member:
    """A file inside another: its unique name there, the name that tells its format, its bytes or why they are not."""

    name: str
    file: PurePosixPath
    data: bytes | DocumentError = field(repr=False)


def source_of(path: str, name: str) -> str:
    """Name a document by the path of its file and its name inside (empty for the file itself)."""
    return f"{path}{_INSIDE}{name}" if name else path


def read_parts(path: Path, data: bytes, settings: LibrarySettings) -> Iterator[Part]:
    """Read every document in a file.

    Args:
        path: The file's name; the ending tells the format.
        data: The file's bytes.
        settings: The limits.

    Yields:
        One part a document; a file of one document gives one part named "". A part that cannot be used has the reason
        as its result, and the others go on.
    """
    yield from _parts("", path, data, Room(settings), 0)


def open_source(source: str, settings: LibrarySettings) -> bytes:
    """Read a document again as its parser saw it.

    Args:
        source: A path, or a path and the name inside the file as `source_of` writes it. A `.gz` is opened.
        settings: The limits.

    Returns:
        The document's bytes.

    Raises:
        DocumentError: It is no longer there, or can no longer be read.
    """
    at = source.find(_INSIDE)
    while at >= 0:
        path, rest = Path(source[:at]), source[at + len(_INSIDE) :]
        if rest and path.is_file():
            data = read_source(path, settings)
            found = _find(path, data, rest, Room(settings))
            if found is None:
                raise UnreadableDocumentError(
                    f"There is no {rest!r} in {shown(path)} any more.", remedy="Add the file again."
                )
            return found
        at = source.find(_INSIDE, at + 1)
    path = Path(source)
    return unpacked(path, read_source(path, settings), settings)[1]


def _parts(name: str, path: Path | PurePosixPath, data: bytes, room: Room, depth: int) -> Iterator[Part]:
    try:
        file, opened = unpacked(Path(path), data, room.settings)
        kind = choose(file, opened)[0] if opened.strip() else suffix_of(file.name)
    except DocumentError as error:
        yield Part(name, data, error)
        return
    if kind in (".zip", ".mbox", ".eml", *_RECORDS) and not opened.strip():
        empty = EmptyDocumentError(f"{shown(file)} is empty.", remedy="Nothing to do, or restore the file's content.")
        yield Part(name, data, empty)
    elif kind == ".zip":
        yield from _archive_parts(name, file, data, opened, room, depth + 1)
    elif kind == ".eml":
        yield from _message_parts(name, file, data, opened, room, depth + 1)
    elif kind == ".mbox":
        yield from _mailbox_parts(name, file, data, opened, room, depth)
    elif kind in _RECORDS:
        yield from _record_parts(name, file, data, opened, room.settings)
    else:
        yield Part(name, data, _parsed(file, opened, room.settings))


def _parsed(file: Path, data: bytes, settings: LibrarySettings) -> Parsed | DocumentError:
    try:
        return parse(file, data, settings)
    except DocumentError as error:
        return error


def _archive_parts(name: str, file: Path, raw: bytes, data: bytes, room: Room, depth: int) -> Iterator[Part]:
    if depth > MAX_NESTING and room.deep:
        return
    try:
        _refuse_deeper(file, depth, room)
        archive, members, passed = open_archive(file, data, room)
    except DocumentError as error:
        yield Part(name, raw, error)
        return
    note = passed_over(file, passed)
    for member, entry in members:
        inside = _join(name, member)
        try:
            content = read_member(archive, entry, member, room.settings)
        except DocumentError as error:
            yield Part(inside, member.encode("utf-8", "replace"), error)
            continue
        for part in _parts(inside, PurePosixPath(member), content, room, depth):
            if note and isinstance(part.result, Parsed):
                part = replace(part, result=replace(part.result, notes=(*part.result.notes, note)))
                note = ""
            yield part
    archive.close()


def _message_parts(
    name: str, file: Path, raw: bytes, data: bytes, room: Room, depth: int, between: str = _INSIDE
) -> Iterator[Part]:
    try:
        parsed, attachments = _read_message(file, data, room.settings)
    except DocumentError as error:
        yield Part(name, raw, error)
        return
    members, left = attachments
    if members:
        try:
            _refuse_deeper(file, depth, room)
            room.take(file, len(members), sum(len(m.data) for m in members if isinstance(m.data, bytes)))
        except DocumentTooLargeError as error:
            parsed = replace(parsed, notes=(*parsed.notes, f"Its attachments were not read: {error.message}"))
            members = []
    parsed = replace(parsed, notes=(*parsed.notes, *not_read(left)))
    yield Part(name, raw, parsed)
    for member in members:
        if isinstance(member.data, bytes):
            inside = f"{name}{between}{member.name}" if name else member.name
            yield from _parts(inside, member.file, member.data, room, depth)


def _read_message(file: Path, data: bytes, settings: LibrarySettings) -> tuple[Parsed, tuple[list[_Member], list[str]]]:
    """A message; its attachments that have a parser, by unique name; and the names of the others."""
    found: list[tuple[list[_Member], list[str]]] = []

    def read() -> Parsed:
        parsed, attachments = read_message(data)
        members: dict[str, _Member] = {}
        left: list[str] = []
        for attachment in attachments:
            suffix = suffix_of(attachment.name)
            if suffix not in known_suffixes():
                suffix = suffix_for(attachment.media_type) if not suffix else ""
            if suffix and attachment.data:
                name = unique_name(attachment.name, members)
                shape = attachment.name if suffix_of(attachment.name) in known_suffixes() else attachment.name + suffix
                members[name] = _Member(name, PurePosixPath(shape), attachment.data)
            else:
                left.append(attachment.name)
        found.append((list(members.values()), left))
        return parsed

    return checked(file, read, settings), found[0]


def _mailbox_parts(name: str, file: Path, raw: bytes, data: bytes, room: Room, depth: int) -> Iterator[Part]:
    try:
        for member in _messages(data):
            if isinstance(member.data, bytes):
                yield from _message_parts(
                    _join(name, member.name), Path(member.name), member.data, member.data, room, depth + 1, "/"
                )
    except DocumentError as error:
        yield Part(name, raw, error)


def _messages(data: bytes) -> Iterator[_Member]:
    for number, message in enumerate(split_mailbox(data), 1):
        name = f"message {number:04d}"
        yield _Member(name, PurePosixPath(f"{name}.eml"), message)


def _record_parts(name: str, file: Path, raw: bytes, data: bytes, settings: LibrarySettings) -> Iterator[Part]:
    faults: list[Part] = []
    usable = False
    try:
        for record in read_records(data, lines=suffix_of(file.name) != ".json"):
            inside = _join(name, record.name) if record.name else name
            result: Parsed | DocumentError
            try:
                result = checked(file, partial(parse_record, record), settings)
            except DocumentError as error:
                result = error
            part = Part(inside, record.data if record.name else raw, result)
            if isinstance(result, Parsed) and not usable:
                usable = True
                yield from faults
            if usable:
                yield part
                continue
            faults.append(part)
            if len(faults) == _HOPELESS and isinstance(result, DocumentError):
                raise UnreadableDocumentError(
                    f"None of the first {_HOPELESS} records of {shown(file)} can be used. {result.message}",
                    remedy=result.remedy,
                )
    except DocumentError as error:
        yield from faults if len(faults) < _HOPELESS else ()
        yield Part(name, raw, error)
        return
    if not usable:
        empty = EmptyDocumentError(f"{shown(file)} holds no record.", remedy="Check that it is the right file.")
        yield from faults or [Part(name, raw, empty)]


def _find(path: Path | PurePosixPath, data: bytes, rest: str, room: Room) -> bytes | None:
    """The bytes of the document named `rest` inside a file; `None` if it is not there."""
    file, opened = unpacked(Path(path), data, room.settings)
    if not rest:
        return opened
    for member, between in _inside(file, opened, rest, room):
        if rest == member.name:
            content, deeper = member.data, ""
        elif rest.startswith(member.name + between):
            content, deeper = member.data, rest[len(member.name + between) :]
        else:
            continue
        if isinstance(content, DocumentError):
            raise content
        if (found := _find(member.file, content, deeper, room)) is not None:
            return found
    return None


def _inside(file: Path, data: bytes, rest: str, room: Room) -> Iterator[tuple[_Member, str]]:
    """The files in a file whose names `rest` begins with, and what stands between such a name and the rest."""
    kind = choose(file, data)[0] if data.strip() else ""
    if kind == ".zip":
        archive, members, _ = open_archive(file, data, room)
        with archive:
            for name, entry in members:
                if rest.startswith(name):
                    yield _Member(name, PurePosixPath(name), read_member(archive, entry, name, room.settings)), _INSIDE
    elif kind == ".eml":
        yield from ((member, _INSIDE) for member in _read_message(file, data, room.settings)[1][0])
    elif kind == ".mbox":
        yield from ((member, "/") for member in _messages(data) if rest.startswith(member.name))
    elif kind in _RECORDS:
        for record in read_records(data, lines=suffix_of(file.name) != ".json"):
            if record.name == rest:
                yield _Member(record.name, PurePosixPath("record.txt"), record.data), _INSIDE


def _refuse_deeper(file: Path, depth: int, room: Room) -> None:
    if depth > MAX_NESTING:
        room.deep = True
        raise DocumentTooLargeError(
            f"{shown(file)} lies inside {MAX_NESTING} other archives or messages; none is opened that lies so deep.",
            remedy="Take it, and any other that lies as deep, out of them and add it by itself.",
        )


def _join(name: str, inside: str) -> str:
    return source_of(name, inside) if name else inside
