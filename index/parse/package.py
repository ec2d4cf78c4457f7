"""Office files and e-books are ZIP archives of XML parts; this opens them without trusting them.

Refused are archives that unpack to more than an ordinary file, entity declarations, and (by the XML parser's own
limits) nesting deeper than 256 elements. Nothing is fetched and nothing is written.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from typing import Any
from urllib.parse import unquote

from index.errors import DocumentTooLargeError, UnreadableDocumentError
from index.settings import LibrarySettings

_MAX_UNPACKED = 20  # times the limit for text files: a document that unpacks to more is a bomb, not a letter
_MAX_XML = 2  # times the same, for one part, because its tree takes several times as much memory
_MAX_PARTS = 20_000
_MIB = 1024 * 1024


class Package:
    """An opened file of this kind; `what` is how messages call it ("Word document")."""

    def __init__(self, data: bytes, what: str, settings: LibrarySettings) -> None:
        self._what = what
        self._limit = settings.max_file_mb * _MIB
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            raise self._damaged(error) from error
        entries = self._archive.infolist()
        size = sum(entry.file_size for entry in entries)
        if size > self._limit * _MAX_UNPACKED or len(entries) > _MAX_PARTS:
            raise DocumentTooLargeError(
                f"The {what} unpacks to {size / _MIB:,.0f} MiB in {len(entries):,} parts; the limits are "
                f"{self._limit * _MAX_UNPACKED / _MIB:,.0f} MiB and {_MAX_PARTS:,}.",
                remedy="Leave it out: it is not an ordinary file.",
            )
        self._entries = {entry.filename: entry for entry in entries}

    @property
    def names(self) -> tuple[str, ...]:
        """The parts, in the order of the archive."""
        return tuple(self._entries)

    def read(self, name: str) -> bytes:
        """Read a part; empty if there is none of this name.

        Raises:
            UnreadableDocumentError: It is damaged or encrypted.
            DocumentTooLargeError: It is too large.
        """
        entry = self._entries.get(name)
        if entry is None:
            return b""
        if entry.flag_bits & 1:
            raise protected(self._what)
        limit = self._limit * _MAX_XML
        try:
            with self._archive.open(entry) as stream:
                data = stream.read(limit + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise self._damaged(error) from error
        if len(data) > limit:
            raise DocumentTooLargeError(
                f"The part {name!r} of the {self._what} is over {limit / _MIB:,.0f} MiB.",
                remedy="Split the document, or raise max_file_mb under [library] in dossier.toml.",
            )
        return data

    def xml(self, name: str) -> Any:
        """Parse a part as XML; `None` if there is none of this name.

        Raises:
            UnreadableDocumentError: It is damaged, nests too deep, or declares entities.
        """
        data = self.read(name)
        return parse_xml(data, f"The part {name!r} of the {self._what}") if data.strip() else None

    def related(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part of an Office Open XML file refers to inside the file: `(kind, part name)` by reference id."""
        folder, name = posixpath.split(part)
        root = self.xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        found: dict[str, tuple[str, str]] = {}
        for node in root if root is not None else ():
            if node.get("TargetMode") != "External":
                target = resolve(part, node.get("Target") or "")
                found[node.get("Id") or ""] = ((node.get("Type") or "").rpartition("/")[2], target)
        return found

    def main(self) -> str:
        """The part of an Office Open XML file that holds the document itself; empty if none is named."""
        return next((name for kind, name in self.related("").values() if kind == "officeDocument"), "")

    def _damaged(self, error: Exception) -> UnreadableDocumentError:
        return UnreadableDocumentError(
            f"The {self._what} is damaged: {first_line(error)}.",
            remedy="Get the file again, or open it in the program that made it and save it again.",
        )


def parse_xml(data: bytes, what: str) -> Any:
    """Parse XML with no entities, no network, no document type and a limited depth.

    Raises:
        UnreadableDocumentError: It cannot be parsed so.
    """
    from lxml import etree

    if b"<!ENTITY" in (data.replace(b"\0", b"") if b"\0" in data[:200] else data):
        raise UnreadableDocumentError(
            f"{what} declares XML entities, which no ordinary document does.",
            remedy="Leave it out, or open it in the program that made it and save it again.",
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        reason = re.sub(r" \(<string>.*", "", first_line(error))
        deep = "Excessive depth" in reason
        raise UnreadableDocumentError(
            f"{what} nests elements too deep." if deep else f"{what} is damaged: {reason}.",
            remedy="Get the file again, or open it in the program that made it and save it again.",
        ) from error


def resolve(base: str, target: str) -> str:
    """Name the part that a reference in the part `base` means; it cannot lead out of the package."""
    path = unquote(re.split(r"[?#]", target, maxsplit=1)[0])
    joined = path if path.startswith("/") else posixpath.join(posixpath.dirname(base), path)
    return posixpath.normpath(posixpath.join("/", joined)).lstrip("/")


def local(node: Any) -> str:
    """The name of an element without its namespace; empty for what is no element."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def attribute(node: Any, name: str) -> str:
    """The value of an attribute whatever its namespace; empty if there is none."""
    for key, value in node.attrib.items():
        if key.rpartition("}")[2] == name:
            return str(value)
    return ""


def protected(what: str) -> UnreadableDocumentError:
    """The error for a file that asks for a password."""
    return UnreadableDocumentError(
        f"The {what} is protected by a password.", remedy="Save a copy without the password and add that."
    )


def first_line(error: Exception) -> str:
    """The first line of a foreign error's text, or its kind."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".")
