"""Filters in the terms of the two indexes, so that both search only among the documents that may be found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from index.lexical import Limits
from index.vectors import Where, day_number
from index.where import Dates, Filter

if TYPE_CHECKING:
    from index.catalog import Catalog

_LAST = 99_999_999
"""After every date written as YYYYMMDD."""


def compile_filter(catalog: Catalog, chosen: Filter) -> tuple[Where, Limits] | None:
    """Say a filter in the terms of Chroma and of tantivy.

    What follows from a document's bytes (type, language, date) is stored beside each passage; the rest (source, title,
    tag, id) is looked up in the catalog and becomes a list of ids.

    Args:
        catalog: Knows the documents.
        chosen: A filter that is not empty.

    Returns:
        Chroma's metadata filter, and the limits for the lexical index; `None` if no document can match.
    """
    by_bytes, others = chosen.narrow()
    types = _matching(catalog, "media_type", Filter(types=by_bytes.types)) if by_bytes.types else None
    languages = _matching(catalog, "language", Filter(languages=by_bytes.languages)) if by_bytes.languages else None
    documents = tuple(catalog.match(others.to_sql())) if others else None
    limits = Limits(types, languages, documents, tuple(_ranges(dates) for dates in by_bytes.published))
    if () in (types, languages, documents, *limits.published):
        return None
    return _to_where(limits), limits


def _matching(catalog: Catalog, column: str, chosen: Filter) -> tuple[str, ...]:
    """The values of a column, as they are stored, of the documents that a filter lets through."""
    sql, values = chosen.to_sql()
    return tuple(row[0] for row in catalog.rows(_DISTINCT[column] + sql, values))


_DISTINCT = {
    "media_type": "SELECT DISTINCT d.media_type FROM documents d WHERE ",
    "language": "SELECT DISTINCT coalesce(d.language, '') FROM documents d WHERE ",
}


def _ranges(dates: Dates) -> tuple[tuple[int, int], ...]:
    """A condition on dates as ranges of numbers that do not overlap."""
    spans = [(day_number(a) or 1, day_number(b) or _LAST) for a, b in dates.spans]
    spans += [(0, 0)] if dates.undated else []
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return _complement(merged) if dates.negated else tuple(merged)


def _complement(spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    edges = [-1, *(edge for span in spans for edge in span), _LAST + 1]
    gaps = [(edges[i] + 1, edges[i + 1] - 1) for i in range(0, len(edges), 2)]
    return tuple(gap for gap in gaps if gap[0] <= gap[1])


def _to_where(limits: Limits) -> Where:
    fields = (("type", limits.media_types), ("language", limits.languages), ("document_id", limits.documents))
    clauses: list[dict[str, Any]] = [{name: {"$in": list(values)}} for name, values in fields if values is not None]
    for spans in limits.published:
        ranges = [{"$and": [{"published": {"$gte": a}}, {"published": {"$lte": b}}]} for a, b in spans]
        clauses.append(ranges[0] if len(ranges) == 1 else {"$or": ranges})
    return clauses[0] if len(clauses) == 1 else {"$and": clauses}
