"""What a worker process does with a file: read, take apart, parse, split, and say what is to be embedded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.embedded import embedded_texts
from index.errors import DocumentError, DossierError, UnreadableDocumentError
from index.settings import LibrarySettings
from index.split import Tokenizer, split
from index.types import Parsed, Passage


@dataclass(frozen=True, slots=True)
class ReadSetup:
    """What is the same for all files; without a tokenizer the caller splits (it may be one that cannot be sent)."""

    settings: LibrarySettings
    tokenizer: Tokenizer | None


@dataclass(frozen=True, slots=True)
class ReadTask:
    """A file to read: `path` to open, `source` as the catalog names it, and what was read from it before.

    `former` are the texts of the passages of each source's earlier state.
    """

    path: str
    source: str
    former: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document's passages, the texts their vectors are made of, and the digests of those texts."""

    passages: tuple[Passage, ...]
    texts: tuple[str, ...]
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadPart:
    """One document of a file: parsed (and prepared, if there was a tokenizer), or why it cannot be used."""

    source: str
    name: str
    document_id: str
    parsed: Parsed | None
    failure: DossierError | None
    prepared: Prepared | None = None
    signature: bytes | None = None


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that was read: its size in bytes, its modification time in nanoseconds, and its documents."""

    digest: str
    size: int
    modified: int
    parts: tuple[ReadPart, ...]


def read_file(setup: ReadSetup, task: ReadTask) -> FileRead:
    """Read one file with all that is in it.

    Raises:
        DocumentError: The file as a whole cannot be used.
    """
    from index.parse import document_id, read_parts, read_source, source_of

    path = Path(task.path)
    data = read_source(path, setup.settings)
    status = path.stat()
    parts: list[ReadPart] = []
    for part in read_parts(path, data, setup.settings):
        source = source_of(task.source, part.name)
        if isinstance(part.result, DocumentError):
            parts.append(ReadPart(source, part.name, document_id(part.data), None, part.result))
            continue
        parts.append(
            prepare_part(setup, source, part.name, document_id(part.data), part.result, task.former.get(source, ()))
        )
    if len(parts) == 1 and parts[0].name == "" and parts[0].failure is not None:
        raise parts[0].failure
    return FileRead(document_id(data), status.st_size, status.st_mtime_ns, tuple(parts))


def prepare_part(
    setup: ReadSetup, source: str, name: str, new_id: str, parsed: Parsed, former: Sequence[str]
) -> ReadPart:
    """Split one parsed document; an error of a parser's making becomes its failure."""
    from index.near import signature

    try:
        prepared = (
            prepare(parsed, title_of(parsed, source), new_id, setup.tokenizer, setup.settings.chunk_size, former)
            if setup.tokenizer is not None
            else None
        )
        return ReadPart(source, name, new_id, parsed, None, prepared, signature(parsed.text))
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError) as error:
        return ReadPart(source, name, new_id, None, unforeseen(source, error))


def prepare(
    parsed: Parsed, title: str, new_id: str, tokenizer: Tokenizer, chunk_size: int, former: Sequence[str] = ()
) -> Prepared:
    """Split a document and make the texts to embed; see `index.split.split` for the arguments."""
    tokens = tokenizer.token_offsets(parsed.text)
    passages = tuple(split(parsed, new_id, tokenizer, chunk_size, former, tokens))
    texts = tuple(embedded_texts(parsed.text, title, passages, tokenizer, tokens))
    return Prepared(passages, texts, tuple(digest_of(t) for t in texts))


def digest_of(text: str) -> str:
    """Name the text a vector is made of: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", errors="replace")).hexdigest()[:16]


def title_of(parsed: Parsed, source: str) -> str:
    """The title a document states, or the name of its file."""
    name = source.replace("\\", "/").rsplit("/", 1)[-1]
    stem = name.removesuffix(".gz")
    return one_line(parsed.title or (stem.rsplit(".", 1)[0] if "." in stem[1:] else stem) or source)


def one_line(text: str) -> str:
    """Make a title or name fit for a line: no control characters, at most 300 characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]


def unforeseen(source: str, error: BaseException) -> UnreadableDocumentError:
    """A parser met something its authors did not foresee. That file is lost, the batch is not."""
    name = source.replace("\\", "/").rsplit("/", 1)[-1]
    return UnreadableDocumentError(
        f"{name!r} could not be parsed ({type(error).__name__}: {str(error)[:200]}).",
        remedy="Open it in the program that made it, save it again and add that.",
    )
