"""Office files by way of Markdown, so that their structure survives; the door of markitdown."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import date
from typing import Any

from index.errors import UnreadableDocumentError
from index.parse.markdown import markdown_text
from index.settings import LibrarySettings
from index.types import Parsed

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_MAX_UNPACKED = 20  # times the limit for text files: a zip that unpacks to more is a bomb, not a letter
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)[ \t]*")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~])")


def parse_docx(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read a Word document as Markdown; title, author and date come from its properties."""
    _refuse_bomb(data, settings)
    import logging

    from markitdown import MarkItDown, StreamInfo

    logging.getLogger("mammoth").setLevel(logging.ERROR)
    try:
        result = MarkItDown(enable_plugins=False).convert_stream(
            io.BytesIO(data), stream_info=StreamInfo(extension=".docx", mimetype=_DOCX)
        )
    except Exception as error:  # markitdown and mammoth raise whatever the broken part made them raise
        raise UnreadableDocumentError(
            f"The Word document cannot be read: {_first_line(error)}",
            remedy="Open it in a word processor and save it again as .docx.",
        ) from error
    text, images = _IMAGE.subn("", result.markdown.replace("\r\n", "\n").replace("\r", "\n"))
    text = _ESCAPED.sub(r"\1", text)
    notes = (f"{images} image{'s' if images > 1 else ''} passed over.",) if images else ()
    parsed = markdown_text(text, _DOCX, notes)
    core = _core_properties(data)
    return replace(
        parsed,
        title=core.get("title") or parsed.title,
        author=core.get("creator"),
        published=parsed.published or _date(core.get("modified") or core.get("created")),
        language=core.get("language"),
    )


def _refuse_bomb(data: bytes, settings: LibrarySettings) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise UnreadableDocumentError(
            f"The Word document is damaged: {error}.", remedy="Get the file again, or save it again as .docx."
        ) from error
    if size > settings.max_file_mb * 1024 * 1024 * _MAX_UNPACKED:
        raise UnreadableDocumentError(
            f"The Word document unpacks to {size / 2**30:.1f} GiB.", remedy="Leave it out: it is not an ordinary file."
        )


def _core_properties(data: bytes) -> dict[str, str]:
    from lxml import etree

    parser: Any = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            root = etree.fromstring(archive.read("docProps/core.xml"), parser)
    except (KeyError, zipfile.BadZipFile, etree.XMLSyntaxError):
        return {}
    found = {etree.QName(child).localname: (child.text or "").strip() for child in root if isinstance(child.tag, str)}
    return {name: value for name, value in found.items() if value}


def _date(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if value else None
    except ValueError:
        return None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
