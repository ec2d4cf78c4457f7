"""The nouns of the index: frozen, slotted, data only.

All offsets count Unicode code points of `Document.text` from 0; `end` is exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from index.errors import DocumentError

Place = tuple[str, int, int]
"""A stretch of a document: the document's id, and offsets in its text."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a paginated document.

    `number` counts from 1; `text[start:end]` is the page's text; `width` and `height` are in points (1/72 inch);
    `label` is what the document calls the page ("iv", "A-2"), empty where it does not say.
    """

    number: int
    start: int
    end: int
    width: float
    height: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: `text[start:end]` is its line; `level` 1 is the highest."""

    start: int
    end: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a parser reads out of one file, before it becomes a `Document`.

    `skipped` are spans `(start, end)` that stay in the text but out of the passages, such as running headers of a PDF.
    `notes` are sentences for the person who added the file ("2 of 10 pages hold no text."). `tags` are those the
    document states. The counts are for the report: pages without text, and pictures and tables that were passed over.
    """

    text: str
    media_type: str
    title: str | None = None
    author: str | None = None
    published: date | None = None
    language: str | None = None
    pages: tuple[Page, ...] = ()
    headings: tuple[Heading, ...] = ()
    skipped: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    silent_pages: int = 0
    images: int = 0
    tables: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One document inside a file, which may hold several (an archive, a mailbox, a table of texts).

    `name` is empty for the file itself, else the way to it inside ("folder/page.html", "inner.zip!/letter.docx"),
    unique in the file. `data` are the bytes its id is made of. `result` is the parsed document, or why there is none.
    """

    name: str
    data: bytes = field(repr=False)
    result: Parsed | DocumentError


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the library.

    `id` is the first 16 hexadecimal digits of the SHA-256 of the file's bytes; `source` is where it came from (a path
    or URL); `added` is when it entered the library, in UTC.
    """

    id: str
    source: str
    title: str
    text: str = field(repr=False)
    pages: tuple[Page, ...] = field(repr=False)
    published: date | None
    author: str | None
    media_type: str
    language: str | None
    added: datetime
    headings: tuple[Heading, ...] = field(default=(), repr=False)
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document without its text, for lists: its fields, and how large it is in characters and passages.

    `pending` passages have no vector yet: until then they are found by their words only.
    """

    id: str
    source: str
    title: str
    published: date | None
    author: str | None
    media_type: str
    language: str | None
    added: datetime
    characters: int
    pages: int
    passages: int
    pending: int = 0
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document small enough for the encoder: `text == document.text[start:end]`.

    `page` is the number of the page it starts on, `None` where there are no pages; `heading` the headings above it,
    joined by " › ", empty where there are none.
    """

    document_id: str
    start: int
    end: int
    text: str
    page: int | None
    heading: str

    @property
    def id(self) -> str:
        """The passage's name in all three stores; the same bytes split the same way give the same name."""
        return f"{self.document_id}:{self.start}"


@dataclass(frozen=True, slots=True)
class Signals:
    """Why a passage was found; `None` where a method did not find it.

    `dense` is the cosine to the query (-1 to 1), `lexical` the BM25 score (0 and up), `reranker` the log-odds, by the
    grounding model, that the passage helps to answer; the ranks count from 1.
    """

    dense: float | None = None
    dense_rank: int | None = None
    lexical: float | None = None
    lexical_rank: int | None = None
    reranker: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that answers a query: `score` is higher for better, `rank` counts from 1.

    `also` are ids of other documents that say the same in (nearly) the same words; their passages are not among the
    hits.
    """

    passage: Passage
    score: float
    rank: int
    signals: Signals
    also: tuple[str, ...] = ()

    @property
    def documents(self) -> tuple[str, ...]:
        """Ids of the documents that say it: the passage's own, then `also`."""
        return (self.passage.document_id, *self.also)


@dataclass(frozen=True, slots=True)
class Failure:
    """One file that could not be added: what happened and what to do."""

    source: str
    error: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class AddReport:
    """What came of one `add` or `sync`: document ids by outcome, failures, and what the parsers noticed.

    `moved` are `(old source, new source)` of the same bytes; `removed` are ids of documents whose last source is gone;
    `duplicates` are `(source, id)` of files whose bytes are there already under another source; `near` are pairs of
    ids of documents that are nearly the same. `embedded` passages got a new vector, `reused` ones kept theirs, and
    `pending` ones wait for one. The other counts are over the documents added or replaced. `dry_run` says that nothing
    was changed and the lists tell what would be; new files have no id then and are listed by source.
    """

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    failed: tuple[Failure, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    passages: int = 0
    seconds: float = 0.0
    moved: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()
    near: tuple[tuple[str, str], ...] = ()
    embedded: int = 0
    reused: int = 0
    pending: int = 0
    pages: int = 0
    silent_pages: int = 0
    images: int = 0
    tables: int = 0
    undated: int = 0
    languages: tuple[tuple[str, int], ...] = ()
    unchanged_files: int = 0
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where a permalink leads now.

    `state` is "same" (the very words at their old place), "moved" (the very words elsewhere), "changed" (the sentences
    nearest to them, which say it otherwise or something else) or "gone". The span is `text[start:end]` of the document
    `document_id`, empty if the words are gone; `document_id` is `None` if their file is gone, too. `quote` are the
    words that were cited, empty where nothing is known of them any more. `page` is the page they start on.
    """

    state: str
    document_id: str | None
    start: int
    end: int
    quote: str
    source: str
    page: Page | None = None


@dataclass(frozen=True, slots=True)
class ConversationInfo:
    """A stored conversation without its turns, for lists.

    `owner` is empty where nobody signs in; `turns` counts its questions; `created` and `updated` are in UTC.
    """

    id: str
    title: str
    updated: datetime
    created: datetime
    turns: int
    owner: str


@dataclass(frozen=True, slots=True)
class Rating:
    """What somebody thought of one answer: `rating` is 1 for good, -1 for bad, 0 if it was taken back.

    `turn` is the place of the answer in its conversation, from 0; `created` is in UTC.
    """

    number: int
    conversation_id: str
    turn: int
    owner: str
    rating: int
    comment: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """How far a change of the library is: `stage` is "read" (counts files) or "embed" (counts passages).

    `total` is 0 where it is not known; `name` is the file at hand, empty when embedding.
    """

    stage: str
    done: int
    total: int
    name: str = ""
