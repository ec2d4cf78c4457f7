"""The formats: which parser reads which file, by name and checked against the bytes, within the limits."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import cast

from index.errors import (
    DocumentError,
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
    """A kind of file: the module and function that read it; `large` ones may be four times as large as text files."""

    media_type: str
    suffixes: tuple[str, ...]
    module: str
    function: str
    large: bool = False


_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
FORMATS: tuple[Format, ...] = (
    Format("text/plain", (".txt", ".text", ".log"), "text", "parse_text"),
    Format("text/markdown", (".md", ".markdown"), "markdown", "parse_markdown"),
    Format("text/x-rst", (".rst", ".rest"), "rst", "parse_rst"),
    Format("text/html", (".html", ".htm", ".xhtml"), "html", "parse_html"),
    Format("application/pdf", (".pdf",), "pdf", "parse_pdf", large=True),
    Format(_OOXML + "wordprocessingml.document", (".docx", ".docm", ".dotx"), "office", "parse_docx", large=True),
    Format(_OOXML + "presentationml.presentation", (".pptx", ".pptm", ".ppsx"), "slides", "parse_pptx", large=True),
    Format(_OOXML + "spreadsheetml.sheet", (".xlsx", ".xlsm"), "sheets", "parse_xlsx", large=True),
    Format(_ODF + "text", (".odt", ".ott"), "odf", "parse_odt", large=True),
    Format(_ODF + "spreadsheet", (".ods",), "odf", "parse_ods", large=True),
    Format(_ODF + "presentation", (".odp",), "odf", "parse_odp", large=True),
    Format("application/rtf", (".rtf",), "rtf", "parse_rtf", large=True),
    Format("application/epub+zip", (".epub",), "epub", "parse_epub", large=True),
    Format("text/csv", (".csv",), "table", "parse_csv"),
    Format("text/tab-separated-values", (".tsv", ".tab"), "table", "parse_tsv"),
    Format("message/rfc822", (".eml",), "mail", "parse_mail", large=True),
    Format("application/mbox", (".mbox",), "", "", large=True),
    Format("application/json", (".json",), "records", "parse_json", large=True),
    Format("application/x-ndjson", (".jsonl", ".ndjson"), "records", "parse_json", large=True),
    Format("application/zip", (".zip",), "", "", large=True),
)
_BY_SUFFIX = {suffix: form for form in FORMATS for suffix in form.suffixes}
_BY_MEDIA_TYPE = {form.media_type: form.suffixes[0] for form in FORMATS}
_TEXTUAL = frozenset((".txt", ".text", ".log", ".md", ".markdown", ".rst", ".rest", ".csv", ".tsv", ".tab", ".eml"))
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"RIFF")
_UNSTORABLE = re.compile("[\ud800-\udfff\x00]")
_MIB = 1024 * 1024


def known_suffixes() -> tuple[str, ...]:
    """List the file name endings that have a parser, with the dot, in lower case."""
    return tuple(_BY_SUFFIX)


def is_supported(path: Path) -> bool:
    """Tell from the name alone whether there is a parser for a file."""
    return is_supported_name(path.name)


def is_supported_name(name: str) -> bool:
    """Tell the same from a file's name as text; folders of many thousand files are searched with it."""
    return suffix_of(name) in _BY_SUFFIX


def suffix_of(name: str) -> str:
    """The ending of a file's name that tells its format, in lower case; that before `.gz` if it has one."""
    stem, ending = os.path.splitext(name.rsplit("/", 1)[-1])
    if stem and ending.lower() == ".gz":
        ending = os.path.splitext(stem)[1]
    return ending.lower() if len(ending) > 1 else ""


def suffix_for(media_type: str) -> str:
    """The ending of files of a media type, empty if Dossier does not read it."""
    return _BY_MEDIA_TYPE.get(media_type.lower(), "")


def document_id(data: bytes) -> str:
    """Name a document by its bytes: the first 16 hexadecimal digits of their SHA-256."""
    import hashlib  # here and below: finding that nothing changed needs the endings only

    return hashlib.sha256(data).hexdigest()[:16]


def read_source(path: Path, settings: LibrarySettings) -> bytes:
    """Read a file whole, unless it is larger than the settings allow.

    Raises:
        UnreadableDocumentError: It does not exist or may not be read.
        DocumentTooLargeError: It is over the limit for its format.
    """
    limit = limit_of(path.name, settings)
    try:
        if not path.is_file():
            kind = "is not a regular file" if path.exists() else "does not exist"
            raise UnreadableDocumentError(f"{shown(path)} {kind}.", remedy="Check the path.")
        refuse_larger(path, path.stat().st_size, limit)
        return path.read_bytes()
    except OSError as error:
        raise UnreadableDocumentError(
            f"{shown(path)} cannot be read: {error.strerror}.", remedy="Check the path and its permissions."
        ) from error
    except ValueError as error:  # a NUL character in the name
        raise UnreadableDocumentError(f"{shown(path)} is no path: {error}.", remedy="Check the path.") from error


def parse(path: Path, data: bytes, settings: LibrarySettings) -> Parsed:
    """Turn the bytes of one document into text with its title, dates, pages and headings.

    Args:
        path: Its name; the ending chooses the parser, unless the bytes are clearly of another format that Dossier
            reads: then that one is used, and a note says so. A `.gz` around one supported file is opened.
        data: Its bytes.
        settings: The limits.

    Returns:
        The parsed document; its text holds at least one non-blank character, `\\n` line ends and neither NUL
        characters nor lone surrogates.

    Raises:
        DocumentError: Its subclasses say why the file cannot be used.
    """
    path, data = unpacked(path, data, settings)
    if not data.strip():
        raise EmptyDocumentError(f"{shown(path)} is empty.", remedy="Nothing to do, or restore the file's content.")
    suffix, notes = choose(path, data)
    form = _BY_SUFFIX[suffix]
    if not form.module:
        raise UnsupportedFormatError(
            f"{shown(path)} holds several documents, and one was asked for.",
            remedy="Add it to a library, which takes each document in it as one of its own.",
        )
    return checked(path, lambda: _parser(form)(data, settings), settings, notes)


def checked(
    path: Path | PurePosixPath, read: Callable[[], Parsed], settings: LibrarySettings, notes: tuple[str, ...] = ()
) -> Parsed:
    """Run a parser and hold its outcome to what `parse` promises.

    Raises:
        DocumentError: Of the parser; or it failed in a way its authors did not foresee, which loses this document only.
    """
    try:
        parsed = read()
    except DocumentError:
        raise
    except Exception as error:  # a foreign library met something that it did not expect in a foreign file
        raise UnreadableDocumentError(
            f"{shown(path)} could not be parsed ({type(error).__name__}: {str(error)[:200]}).",
            remedy="Open it in the program that made it, save it again and add that.",
        ) from error
    if not parsed.text.strip():
        raise EmptyDocumentError(f"{shown(path)} holds no text.", remedy="Check that it is the right file.")
    refuse_larger(path, len(parsed.text), settings.max_file_mb * _MIB, "characters")
    return replace(parsed, text=storable(parsed.text), notes=(*notes, *parsed.notes))


def storable(text: str) -> str:
    """Replace NUL characters and lone surrogates, which no database stores and no terminal prints, one for one."""
    return _UNSTORABLE.sub("\ufffd", text)


def choose(path: Path | PurePosixPath, data: bytes) -> tuple[str, tuple[str, ...]]:
    """Choose the format by the name's ending and the bytes.

    Returns:
        The ending whose parser is to be used, and a note where that is not the name's own.

    Raises:
        UnsupportedFormatError: No parser reads it.
        UnreadableDocumentError: The bytes are of a format that the name does not say and no parser reads.
    """
    named = suffix_of(path.name)
    form = _BY_SUFFIX.get(named)
    seen = _sniff(data, named)
    if seen and (form is None or seen not in form.suffixes):
        return seen, (f"The file is named {named or 'without an ending'} but is {seen}; it was read as that.",)
    if form is not None and (form.large or named in _TEXTUAL):
        _refuse_foreign(path, data, named)
    if form is not None:
        return named, ()
    if not named and _is_text(data):
        return ".txt", ("The file's name has no ending; it was read as plain text.",)
    if data.startswith(_OLE):
        _refuse_foreign(path, data, named)
    raise UnsupportedFormatError(
        f"{shown(path)} has no format Dossier reads.",
        remedy=f"Supported endings: {', '.join(known_suffixes())}. Convert the file to one of them.",
    )


def _refuse_foreign(path: Path | PurePosixPath, data: bytes, named: str) -> None:
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise UnreadableDocumentError(
                f"{shown(path)} is protected by a password.",
                remedy="Save a copy without the password and add that.",
            )
        raise UnsupportedFormatError(
            f"{shown(path)} is in the format of Office programs before 2007.",
            remedy="Open it in Word, Excel, PowerPoint or LibreOffice and save it as .docx, .xlsx or .pptx.",
        )
    if data.startswith(_PICTURES) and named != ".pdf":
        raise UnreadableDocumentError(
            f"{shown(path)} is a picture, not a {named} file.",
            remedy="Leave it out, or turn it into a PDF; pages without text are read by OCR where that is installed.",
        )


def _sniff(data: bytes, named: str) -> str:
    """The ending that fits the bytes, where they leave no doubt; else empty."""
    if data.startswith(b"PK\x03\x04"):
        return _sniff_zip(data, named)
    if b"%PDF-" in data[:8] and data[:8].lstrip(b"\xef\xbb\xbf \r\n").startswith(b"%PDF-"):
        return ".pdf"
    if data.startswith(b"{\\rtf"):
        return ".rtf"
    form = _BY_SUFFIX.get(named)
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    doubtful = (form is None or form.large) and named not in (".eml", ".mbox", ".json", ".jsonl", ".ndjson")
    return ".html" if doubtful and start.startswith((b"<!doctype html", b"<html")) else ""


def _sniff_zip(data: bytes, named: str) -> str:
    import io
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            kind = ""
            if "mimetype" in names:
                with archive.open("mimetype") as member:
                    kind = member.read(100).decode("ascii", "replace").strip()
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, ValueError, EOFError):
        return "" if named in _BY_SUFFIX else ".zip"
    if suffix_for(kind.removesuffix("-template")):
        return suffix_for(kind.removesuffix("-template"))
    if "[Content_Types].xml" in names:
        for folder, suffix in (("word/", ".docx"), ("ppt/", ".pptx"), ("xl/", ".xlsx")):
            if any(name.startswith(folder) for name in names):
                return suffix
    form = _BY_SUFFIX.get(named)
    return "" if form is not None and form.large else ".zip"


def _is_text(data: bytes) -> bool:
    from index.parse.text import decode

    try:
        decode(data[:65536])
    except UnreadableDocumentError:
        return False
    return True


def _parser(form: Format) -> Parser:
    return cast(Parser, getattr(importlib.import_module(f"index.parse.{form.module}"), form.function))


def limit_of(name: str, settings: LibrarySettings) -> int:
    """The most bytes a file of this name may have."""
    form = _BY_SUFFIX.get(suffix_of(name))
    return settings.max_file_mb * _MIB * (4 if form is not None and form.large else 1)


def unpacked(path: Path, data: bytes, settings: LibrarySettings) -> tuple[Path, bytes]:
    """Open the `.gz` around a file, if there is one.

    Raises:
        UnreadableDocumentError: It is not a whole gzip file.
        DocumentTooLargeError: It unpacks beyond the limit.
    """
    if path.suffix.lower() != ".gz":
        return path, data
    import gzip
    import io
    import zlib

    limit = limit_of(path.name, settings)
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            opened = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableDocumentError(
            f"{shown(path)} is not a whole gzip file: {error}.", remedy="Get the file again."
        ) from error
    refuse_larger(path, len(opened), limit)
    return path.with_suffix(""), opened


def refuse_larger(path: Path | PurePosixPath, size: int, limit: int, unit: str = "bytes") -> None:
    """Raise `DocumentTooLargeError` if a file, or its text, is over the limit."""
    if size > limit:
        amount = f"{size / _MIB:,.0f} MiB" if unit == "bytes" else f"{size:,} characters"
        raise DocumentTooLargeError(
            f"{shown(path)} is {amount}, over the limit of {limit / _MIB:,.0f}{' MiB' if unit == 'bytes' else 'M'}.",
            remedy="Split it, or raise max_file_mb under [library] in dossier.toml (DOSSIER_LIBRARY_MAX_FILE_MB).",
        )


def shown(path: Path | PurePosixPath) -> str:
    """A file's name as messages show it."""
    return repr(path.name)
