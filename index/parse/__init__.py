"""Files to text: one parser a format, chosen by name and checked against the bytes."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from index.errors import (
    DocumentTooLargeError,
    EmptyDocumentError,
    UnreadableDocumentError,
    UnsupportedFormatError,
)
from index.settings import LibrarySettings
from index.types import Parsed

Parser = Callable[[bytes, LibrarySettings], Parsed]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: the module and function that read it; `binary` ones may be larger and are not text inside."""

    media_type: str
    suffixes: tuple[str, ...]
    module: str
    function: str
    binary: bool = False


FORMATS: tuple[Format, ...] = (
    Format("text/plain", (".txt", ".text", ".log"), "index.parse.text", "parse_text"),
    Format("text/markdown", (".md", ".markdown"), "index.parse.markdown", "parse_markdown"),
    Format("text/html", (".html", ".htm", ".xhtml"), "index.parse.html", "parse_html"),
    Format("application/pdf", (".pdf",), "index.parse.pdf", "parse_pdf", binary=True),
    Format(
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        (".docx",),
        "index.parse.office",
        "parse_docx",
        binary=True,
    ),
    Format("message/rfc822", (".eml",), "index.parse.mail", "parse_mail"),
)
_BY_SUFFIX = {suffix: form for form in FORMATS for suffix in form.suffixes}
_MIB = 1024 * 1024
_SURROGATES = re.compile("[\ud800-\udfff\x00]")


def known_suffixes() -> tuple[str, ...]:
    """List the file name endings that have a parser, with the dot, in lower case."""
    return tuple(_BY_SUFFIX)


def is_supported(path: Path) -> bool:
    """Tell from the name alone whether there is a parser for a file."""
    return _suffix(path) in _BY_SUFFIX


def document_id(data: bytes) -> str:
    """Name a document by its bytes: the first 16 hexadecimal digits of their SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]


def read_source(path: Path, settings: LibrarySettings) -> bytes:
    """Read a file whole, unless it is larger than the settings allow.

    Raises:
        UnreadableDocumentError: It does not exist or may not be read.
        DocumentTooLargeError: It is over the limit for its format.
    """
    limit = _limit(path, settings)
    try:
        if not path.is_file():
            kind = "is not a regular file" if path.exists() else "does not exist"
            raise UnreadableDocumentError(f"{_shown(path)} {kind}.", remedy="Check the path.")
        _refuse_larger(path, path.stat().st_size, limit)
        return path.read_bytes()
    except OSError as error:
        raise UnreadableDocumentError(
            f"{_shown(path)} cannot be read: {error.strerror}.", remedy="Check the path and its permissions."
        ) from error


def parse(path: Path, data: bytes, settings: LibrarySettings) -> Parsed:
    """Turn a file's bytes into text with its title, dates, pages and headings.

    Args:
        path: Its name; the ending chooses the parser. A `.gz` around one supported file is opened.
        data: Its bytes.
        settings: The limits.

    Returns:
        The parsed document; its text holds at least one non-blank character, `\\n` line ends and neither NUL
        characters nor lone surrogates.

    Raises:
        DocumentError: Its subclasses say why the file cannot be used.
    """
    if path.suffix.lower() == ".gz":
        path, data = path.with_suffix(""), _gunzip(path, data, settings)
    form = _BY_SUFFIX.get(path.suffix.lower())
    if form is None:
        raise UnsupportedFormatError(
            f"{_shown(path)} has no format Dossier reads.",
            remedy=f"Supported endings: {', '.join(known_suffixes())}. Convert the file to one of them.",
        )
    if not data.strip():
        raise EmptyDocumentError(f"{_shown(path)} is empty.", remedy="Nothing to do, or restore the file's content.")
    parser = cast(Parser, getattr(importlib.import_module(form.module), form.function))
    parsed = parser(data, settings)
    if not parsed.text.strip():
        raise EmptyDocumentError(f"{_shown(path)} holds no text.", remedy="Check that it is the right file.")
    _refuse_larger(path, len(parsed.text), settings.max_file_mb * _MIB, "characters")
    # Neither can be stored in a database or printed; both are one code point, so offsets stay.
    return replace(parsed, text=_SURROGATES.sub("\ufffd", parsed.text))


def open_bytes(path: Path, settings: LibrarySettings) -> bytes:
    """Read a source again as its parser saw it (a `.gz` opened), for page images and downloads."""
    data = read_source(path, settings)
    return _gunzip(path, data, settings) if path.suffix.lower() == ".gz" else data


def _suffix(path: Path) -> str:
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()


def _limit(path: Path, settings: LibrarySettings) -> int:
    form = _BY_SUFFIX.get(_suffix(path))
    return settings.max_file_mb * _MIB * (4 if form is not None and form.binary else 1)


def _gunzip(path: Path, data: bytes, settings: LibrarySettings) -> bytes:
    limit = _limit(path, settings)
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            opened = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableDocumentError(
            f"{_shown(path)} is not a whole gzip file: {error}.", remedy="Get the file again."
        ) from error
    _refuse_larger(path, len(opened), limit)
    return opened


def _refuse_larger(path: Path, size: int, limit: int, unit: str = "bytes") -> None:
    if size > limit:
        shown = f"{size / _MIB:,.0f} MiB" if unit == "bytes" else f"{size:,} characters"
        raise DocumentTooLargeError(
            f"{_shown(path)} is {shown}, over the limit of {limit / _MIB:,.0f}{' MiB' if unit == 'bytes' else 'M'}.",
            remedy="Split it, or raise max_file_mb under [library] in dossier.toml (DOSSIER_LIBRARY_MAX_FILE_MB).",
        )


def _shown(path: Path) -> str:
    return repr(path.name)
