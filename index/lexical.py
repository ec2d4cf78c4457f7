"""Lexical search: BM25 over passage text, title and headings; the door of tantivy."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import DiskFullError, LibraryError
from index.types import Passage

_ANALYZER = "dossier_en"
_TITLE_BOOST = 0.5
_HEAP = 60_000_000  # bytes; tantivy wants at least 15 MB a thread


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as the index knows it: its title, and what searches may be limited by (see `index.vectors.Labels`)."""

    title: str
    media_type: str = ""
    language: str = ""
    published: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Which documents a search may find, as both indexes can tell; `None` does not limit.

    `documents` are ids. `published` are conditions that must all hold, each a choice of ranges `(first, last)` of
    numbers YYYYMMDD, both included, where 0 stands for no date.
    """

    media_types: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    documents: tuple[str, ...] | None = None
    published: tuple[tuple[tuple[int, int], ...], ...] = ()


class LexicalIndex:
    """A tantivy index on disk. Words are lower-cased, stripped of accents and stemmed (English).

    Args:
        folder: Its folder; made if missing. A damaged index is made anew, empty: the library then fills it again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._index = _open_or_renew(folder)
        self._analyzer = _analyzer()
        self._index.register_tokenizer(_ANALYZER, self._analyzer)
        self._schema = self._index.schema

    def replace(self, passages: Sequence[Passage], documents: Mapping[str, Entry], remove: Iterable[str] = ()) -> None:
        """Index documents whole, in place of what was there of them; visible when this returns.

        Args:
            passages: All passages of the documents.
            documents: Each of the documents, by id.
            remove: Ids of further documents to forget in the same commit.
        """
        import tantivy

        try:
            writer = self._index.writer(_HEAP, 1)
            try:
                for document_id in {*remove, *documents}:
                    writer.delete_documents_by_term("document_id", document_id)
                for passage in passages:
                    of = documents[passage.document_id]
                    entry = tantivy.Document()
                    entry.add_text("id", passage.id)
                    entry.add_text("document_id", passage.document_id)
                    entry.add_text("title", f"{of.title} {passage.heading}")
                    entry.add_text("text", passage.text)
                    entry.add_text("type", of.media_type)
                    entry.add_text("language", of.language)
                    entry.add_unsigned("published", of.published)
                    writer.add_document(entry)
                writer.commit()
            finally:
                writer.wait_merging_threads()
        except (ValueError, OSError) as error:
            raise _explained(error, self._folder) from error
        self._index.reload()

    def remove(self, document_ids: Sequence[str]) -> None:
        """Forget all passages of some documents; ids that are not there are ignored."""
        self.replace((), {}, document_ids)

    def terms(self, text: str) -> list[str]:
        """Cut a text into index terms, in order, with repetitions."""
        return [str(term) for term in self._analyzer.analyze(text)]

    def search(self, terms: Mapping[str, float], limit: int, limits: Limits | None = None) -> list[tuple[str, float]]:
        """Find the passages that BM25 ranks highest for weighted terms.

        Args:
            terms: Index terms (see `terms`) and their weight, 1 for an ordinary word of the query.
            limit: How many passages at most.
            limits: Only among these documents.

        Returns:
            `(passage id, score)`, the best first; scores are above 0 and mean nothing between queries.
        """
        import tantivy

        clauses = []
        for term, weight in terms.items():
            for field, boost in (("text", weight), ("title", weight * _TITLE_BOOST)):
                query = tantivy.Query.term_query(self._schema, field, term, "freq")
                clauses.append((tantivy.Occur.Should, tantivy.Query.boost_query(query, boost)))
        if not clauses or limit <= 0:
            return []
        self._index.reload()  # another process may have added documents
        searcher = self._index.searcher()
        query = tantivy.Query.boolean_query(clauses)
        if limits is not None:
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), *self._limiting(limits)])
        found = searcher.search(query, limit, count=False)
        return [(str(searcher.doc(address)["id"][0]), float(score)) for score, address in found.hits]

    def _limiting(self, limits: Limits) -> list[tuple[Any, Any]]:
        """Clauses that must hold and change no score."""
        import tantivy

        must, should, query = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Query
        sets = (("type", limits.media_types), ("language", limits.languages), ("document_id", limits.documents))
        found = [query.term_set_query(self._schema, name, list(words)) for name, words in sets if words is not None]
        number = tantivy.FieldType.Unsigned
        for spans in limits.published:
            ranges = [query.range_query(self._schema, "published", number, first, last) for first, last in spans]
            found.append(query.boolean_query([(should, r) for r in ranges]) if ranges else query.empty_query())
        return [(must, query.const_score_query(one, 0.0)) for one in found]

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """Count the passages that hold each term in their text, or in their title if that is more."""
        searcher = self._index.searcher()
        return {t: max(searcher.doc_freq("text", t), searcher.doc_freq("title", t)) for t in set(terms)}

    def ids(self) -> list[str]:
        """Read the ids of all passages; one that stands twice in the index comes twice."""
        import tantivy

        searcher = self._index.searcher()
        if searcher.num_docs == 0:
            return []
        found = searcher.search(tantivy.Query.all_query(), searcher.num_docs, count=False)
        return [str(searcher.doc(address)["id"][0]) for _, address in found.hits]

    def count(self) -> int:
        """Count the passages."""
        self._index.reload()
        return int(self._index.searcher().num_docs)


def _analyzer() -> Any:
    import tantivy

    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(60),
        tantivy.Filter.lowercase(),
        tantivy.Filter.ascii_fold(),
        tantivy.Filter.stemmer("english"),
    ):
        builder = builder.filter(step)
    return builder.build()


def _open_or_renew(folder: Path) -> Any:
    """Open an index; one that stays unreadable is made anew (amid another process's commit it is so briefly)."""
    for _ in range(5):
        try:
            return _open(folder)
        except ValueError:  # what tantivy raises for a missing or torn file
            time.sleep(0.1)
    shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return _open(folder)


def _open(folder: Path) -> Any:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("document_id", stored=False, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("type", stored=False, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("language", stored=False, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("published", stored=False, indexed=True, fast=True)
    builder.add_text_field("title", stored=False, tokenizer_name=_ANALYZER, index_option="freq")
    builder.add_text_field("text", stored=False, tokenizer_name=_ANALYZER, index_option="freq")
    return tantivy.Index(builder.build(), path=str(folder), reuse=True)


def _explained(error: Exception, folder: Path) -> LibraryError:
    text = str(error)
    if "No space left" in text or "too large" in text:
        return DiskFullError(
            f"The disk of {folder.parent} is full ({text[:200]}).",
            remedy="Make room and run the same command again; what was stored before is intact.",
        )
    return LibraryError(
        f"The lexical index {folder} cannot be written: {text[:300]}.",
        remedy="Delete that folder and open the library again: it is rebuilt from the catalog.",
    )
