"""JSON and JSON Lines in BEIR form: one document a record, `{"_id": …, "title": …, "text": …, "metadata": {…}}`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from index.errors import DocumentError, EmptyDocumentError, UnreadableDocumentError, UnsupportedFormatError
from index.parse.stated import as_date, as_language, as_names, as_tags, as_text
from index.parse.text import decode
from index.settings import LibrarySettings
from index.types import Parsed

_WAY_OUT = (
    'Give each record a "text", and if you like "_id", "title" and "metadata"; one object a line, or a list of them.'
)
_BLANK = re.compile(r"\s*")
_ID = ("_id", "id")
_DATE = ("published", "date", "publication_date", "date_published", "published_at", "created")
_AUTHOR = ("author", "authors", "creator", "byline")
_LANGUAGE = ("language", "lang")
_TAGS = ("tags", "keywords", "tag")


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its id ("" for a file that is one record), its bytes as they stand, and its value or its fault."""

    name: str
    data: bytes = field(repr=False)
    value: object


def parse_json(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read a file that holds one record.

    Raises:
        UnsupportedFormatError: It holds several, or none.
    """
    records = read_records(data)
    first = next(records, None)
    if first is None or next(records, None) is not None:
        raise UnsupportedFormatError(
            "The file holds several records, and one document was asked for." if first else "The list is empty.",
            remedy="Add it to a library, which takes each record as a document of its own.",
        )
    return parse_record(first)


def parse_record(record: Record) -> Parsed:
    """Turn a record into a document.

    Raises:
        DocumentError: The fault of the line; or it has no text.
    """
    value = record.value
    if isinstance(value, DocumentError):
        raise value
    if not isinstance(value, dict) or not isinstance(value.get("text"), (str, list)):
        raise UnsupportedFormatError(f'{_called(record)} has no "text".', remedy=_WAY_OUT)
    text = value["text"]
    if isinstance(text, list):
        text = "\n\n".join(item for item in text if isinstance(item, str))
    title = as_text(value.get("title"))
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip() or title or ""
    if not text:
        raise EmptyDocumentError(f"{_called(record)} has an empty text.", remedy="Nothing to do.")
    metadata = value.get("metadata")
    stated = {**value, **metadata} if isinstance(metadata, dict) else value
    return Parsed(
        text,
        "application/json",
        title=title,
        author=next((a for key in _AUTHOR if (a := as_names(stated.get(key)))), None),
        published=next((d for key in _DATE if (d := as_date(stated.get(key)))), None),
        language=next((x for key in _LANGUAGE if (x := as_language(stated.get(key)))), None),
        tags=as_tags(*(stated.get(key) for key in _TAGS)),
    )


def read_records(data: bytes, *, lines: bool = False) -> Iterator[Record]:
    """Cut a file into its records; it may be a list of them, one of them, or one a line.

    Args:
        data: The file's bytes.
        lines: Its name says that there is one a line, so that a single one has a name as well.

    Yields:
        Records of distinct names. One that is not JSON has a `DocumentError` that names the line as its value.

    Raises:
        DocumentError: Nothing in the file is JSON.
    """
    text, _ = decode(data)
    at = _skip(text, 0)
    if text.startswith("[", at):
        yield from _distinct(_in_list(text, at + 1))
        return
    try:
        value, end = _decoder().raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        if "\n" not in text.strip():
            raise _fault(text, at, error) from error
        yield from _distinct(_in_lines(text))
        return
    if _skip(text, end) == len(text):
        name = (_name(value) or "line 1") if lines else ""
        yield Record(name, text[at:end].encode("utf-8", "replace"), value)
        return
    yield from _distinct(_in_lines(text))


def _in_lines(text: str) -> Iterator[Record]:
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line:
            continue
        value: object
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            value = UnreadableDocumentError(
                f"Line {number} is not JSON: {_reason(error)}.",
                remedy="Correct the line, or write one object a line; the other lines were read.",
            )
        yield Record(_name(value) or f"line {number}", line.encode("utf-8", "replace"), value)


def _in_list(text: str, at: int) -> Iterator[Record]:
    decoder = _decoder()
    number = 0
    at = _skip(text, at)
    while not text.startswith("]", at):
        number += 1
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            yield Record(f"record {number}", text[at : at + 1000].encode("utf-8", "replace"), _fault(text, at, error))
            return
        yield Record(_name(value) or f"record {number}", text[at:end].encode("utf-8", "replace"), value)
        at = _skip(text, end)
        if text.startswith(",", at):
            at = _skip(text, at + 1)
        elif not text.startswith("]", at):
            fault = _fault(text, at, ValueError("a comma or the end of the list is missing"))
            yield Record(f"record {number + 1}", text[at : at + 1000].encode("utf-8", "replace"), fault)
            return


def _distinct(records: Iterator[Record]) -> Iterator[Record]:
    seen: set[str] = set()
    for record in records:
        name, count = record.name, 1
        while name in seen:
            count += 1
            name = f"{record.name} ({count})"
        seen.add(name)
        yield record if name == record.name else Record(name, record.data, record.value)


def _called(record: Record) -> str:
    return f"The record {record.name!r}" if record.name else "The JSON"


def _name(value: object) -> str:
    stated = next((value[key] for key in _ID if key in value), None) if isinstance(value, dict) else None
    return (as_text(stated) or "")[:200]


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match is not None else at


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder()


def _fault(text: str, at: int, error: Exception) -> UnreadableDocumentError:
    place = error.pos if isinstance(error, json.JSONDecodeError) else at
    line = text.count("\n", 0, place) + 1
    return UnreadableDocumentError(f"Line {line} is not JSON: {_reason(error)}.", remedy=_WAY_OUT)


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (column {error.colno})"
    return "it nests too deep" if isinstance(error, RecursionError) else str(error)[:200]
