"""Filters: what their text means, and that the SQL says the same."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import ConfigError
from index.parse import FORMATS
from index.types import DocumentInfo
from index.where import KEYS, AnyOf, Dates, Filter, parse_where

TODAY = date(2025, 3, 31)
TYPES = sorted({form.media_type for form in FORMATS})

# Few letters, so that patterns and texts meet; among them all that means something to GLOB, LIKE or the text form.
LETTERS = st.text('aAbé É*?[]^-!%_"\\,/.=~', min_size=1, max_size=6)
VALUES = LETTERS.filter(lambda text: text.strip() != "")
DAYS = st.dates(date(2023, 11, 1), date(2025, 3, 1))


def info(**given: object) -> DocumentInfo:
    known: dict[str, object] = {
        "id": "0123456789abcdef", "source": "/docs/a.txt", "title": "A", "published": None, "author": None,
        "media_type": "text/plain", "language": None, "added": datetime(2025, 1, 1, tzinfo=UTC), "characters": 1,
        "pages": 0, "passages": 1,
    }  # fmt: skip
    return DocumentInfo(**{**known, **given})  # type: ignore[arg-type]


def holds(text: str, *, tags: tuple[str, ...] = (), sources: tuple[str, ...] = (), **given: object) -> bool:
    return parse_where(text, TODAY).matches(info(**given), tags, sources)


def any_of(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[AnyOf, ...]]:
    one = st.builds(AnyOf, st.lists(values, min_size=1, max_size=3, unique=True).map(tuple), st.booleans())
    return st.lists(one, max_size=2).map(tuple)


SPANS = st.one_of(
    st.tuples(st.none(), DAYS),
    st.tuples(DAYS, st.none()),
    st.tuples(DAYS, DAYS).map(lambda days: (min(days), max(days))),
    st.just((None, None)),
)
DATES = st.builds(Dates, st.lists(SPANS, max_size=3, unique=True).map(tuple), st.booleans(), st.booleans()).filter(
    lambda dates: bool(dates.spans) or dates.undated
)
FILTERS = st.builds(
    Filter,
    sources=any_of(VALUES),
    titles=any_of(VALUES),
    types=any_of(st.sampled_from([*TYPES, "application/x-other"])),
    published=st.lists(DATES, max_size=2).map(tuple),
    tags=any_of(VALUES),
    languages=any_of(st.sampled_from(["en", "en-gb", "de", "pt-br"])),
    documents=any_of(st.text("01ab", min_size=1, max_size=16)),
)
DOCUMENTS = st.lists(
    st.tuples(
        st.builds(
            info,
            id=st.text("01ab", min_size=16, max_size=16),
            title=LETTERS,
            published=st.none() | DAYS,
            media_type=st.sampled_from(TYPES),
            language=st.none() | st.sampled_from(["en", "EN_GB", "en-US", "de", "pt-BR", "end"]),
        ),
        st.lists(LETTERS, max_size=3, unique=True),
        st.lists(LETTERS, max_size=3, unique=True),
    ),
    max_size=6,
    unique_by=lambda row: row[0].id,
)


@settings(deadline=None)
@given(FILTERS)
def test_filter_written_and_read_again_is_the_same(where: Filter) -> None:
    """`str` gives the text form."""
    assert parse_where(str(where)) == where


@settings(deadline=None, max_examples=300)
@given(FILTERS, DOCUMENTS)
def test_sql_finds_what_matches(where: Filter, documents: list[tuple[DocumentInfo, list[str], list[str]]]) -> None:
    """The SQL and the reference agree on every document, and the two parts of the filter make the whole."""
    database = sqlite3.connect(":memory:")
    database.executescript(
        "CREATE TABLE documents (id TEXT, title TEXT, published TEXT, media_type TEXT, language TEXT);"
        "CREATE TABLE sources (source TEXT, document_id TEXT); CREATE TABLE tags (document_id TEXT, tag TEXT);"
    )
    for d, tags, sources in documents:
        published = d.published.isoformat() if d.published else None
        row = (d.id, d.title, published, d.media_type, d.language)
        database.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?)", row)
        database.executemany("INSERT INTO tags VALUES (?, ?)", [(d.id, tag) for tag in tags])
        database.executemany("INSERT INTO sources VALUES (?, ?)", [(source, d.id) for source in sources])
    sql, values = where.to_sql()
    found = {row[0] for row in database.execute(f"SELECT d.id FROM documents d WHERE {sql}", values)}
    assert found == {d.id for d, tags, sources in documents if where.matches(d, tags, sources)}
    by_bytes, others = where.narrow()
    assert found == {
        d.id for d, tags, sources in documents
        if by_bytes.matches(d, (), ()) and others.matches(d, tags, sources)
    }  # fmt: skip
    database.close()


@given(FILTERS)
def test_narrow_keeps_nothing_of_the_catalog_on_the_first_side(where: Filter) -> None:
    """The first part is decided by a document's bytes, the second has none of that."""
    first, second = where.narrow()
    assert (first.sources, first.titles, first.tags, first.documents) == ((), (), (), ())
    assert (second.types, second.languages, second.published) == ((), (), ())


def test_values_are_no_sql() -> None:
    """Whatever a value says, it is bound and never part of the statement."""
    sql, values = parse_where("""title="'); DROP TABLE documents; --" tag="x' OR '1'='1" source=%""").to_sql()
    assert "DROP" not in sql
    assert "'1'" not in sql
    assert sql.count("?") == len(values)


def test_no_conditions_hold_for_all() -> None:
    """The empty filter is false and matches everything."""
    assert not parse_where("  \n")
    assert parse_where("tag=a")
    assert str(Filter()) == ""
    assert Filter().to_sql() == ("1", [])
    assert Filter().matches(info(), (), ())


def test_repeated_keys_must_all_hold_and_listed_values_need_not() -> None:
    """Spaces mean and, commas mean or."""
    assert holds("tag=a,b", tags=("b",))
    assert not holds("tag=a tag=b", tags=("b",))
    assert holds("tag=a tag=b", tags=("b", "A"))
    assert not holds("tag=a type=pdf", tags=("a",))


def test_negation_means_none_of_them() -> None:
    """`!=` holds exactly where `=` does not, for documents without a value, too."""
    assert holds("tag!=a,b", tags=("c",))
    assert not holds("tag!=a,b", tags=("c", "b"))
    assert holds("language!=en published!=2025")
    assert not holds("published!=none")


@pytest.mark.parametrize(
    ("where", "first", "last"),
    [
        ("published>=2025-02", date(2025, 2, 1), None),
        ("published>2025-02", date(2025, 3, 1), None),
        ("published<2025-02", None, date(2025, 1, 31)),
        ("published<=2024-02", None, date(2024, 2, 29)),
        ("published=2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("published = 2024-02-03", date(2024, 2, 3), date(2024, 2, 3)),
        ("published=2024-02..2025", date(2024, 2, 1), date(2025, 12, 31)),
        ("published=..2024", None, date(2024, 12, 31)),
        ("published>=today-30d", date(2025, 3, 1), None),
        ("published>=today-1m", date(2025, 2, 28), None),
        ("published>=today-2w", date(2025, 3, 17), None),
        ("published<today-1y", None, date(2024, 3, 30)),
        ("published=yesterday", date(2025, 3, 30), date(2025, 3, 30)),
        ("PUBLISHED=Today", TODAY, TODAY),
    ],
)
def test_dates_mean_whole_days_months_and_years(where: str, first: date | None, last: date | None) -> None:
    """Both ends are included, and a month or year means all of it."""
    assert parse_where(where, TODAY).published == (Dates(((first, last),)),)


def test_undated_documents_are_found_only_when_asked_for() -> None:
    """A comparison leaves them out; `none` means them."""
    assert not holds("published<2030")
    assert holds("published=none")
    assert holds("published=2024,none")
    assert holds("published=2024,none", published=date(2024, 5, 1))


@pytest.mark.parametrize(
    ("where", "source", "expected"),
    [
        ("source=reports", "/home/me/reports/2024/a.pdf", True),
        ("source=reports/", "/home/me/reports/a.pdf", True),
        ("source=reports/*.pdf", "/home/me/reports/a.pdf", True),
        ("source=reports", "/home/me/old-reports/a.pdf", False),
        ("source=*.pdf", "/home/me/a.pdf", True),
        ("source=a.pdf", "/home/me/a.pdf", True),
        ("source=/me", "/home/me/a.pdf", False),
        ("source=/home/me", "/home/me/a.pdf", True),
        ("source=https://example.org/", "https://example.org/page?x=1", True),
        ("source=[final].pdf", "/home/me/[final].pdf", True),
        ("source=[final].pdf", "/home/me/f.pdf", False),
        ("source=A.pdf", "/home/me/a.pdf", False),
        ("source=a%", "/home/me/abc", False),
    ],
)
def test_source_pattern_means_a_path_its_end_or_a_folder(where: str, source: str, expected: bool) -> None:
    """A pattern fits a whole path or its end from some "/" on, and a folder all that is in it."""
    assert holds(where, sources=("/elsewhere", source)) is expected


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ('title="über den"', True),
        ("title=ÜBER", True),
        ("title=Bericht*", True),
        ("title=über*", False),
        ("title=*hafen?", False),
        ("title=*hafe?", True),
        ("title=b[e]", False),
    ],
)
def test_title_means_words_in_it_or_the_whole_with_wildcards(where: str, expected: bool) -> None:
    """Case does not matter, beyond ASCII neither."""
    assert holds(where, title="Bericht Über den Hafen") is expected


def test_types_are_those_of_the_parsers() -> None:
    """Every file name ending that has a parser is a type; media types are, too."""
    for form in FORMATS:
        for suffix in form.suffixes:
            assert holds(f"type={suffix[1:]}", media_type=form.media_type)
            assert holds(f"type={suffix.upper()}", media_type=form.media_type)
    assert holds("type=application/x-thing", media_type="application/x-thing")
    assert str(parse_where("type=text/html,markdown tag=text/html")) == "type=html,md tag=text/html"


def test_language_means_its_variants_too() -> None:
    """A general code stands for the special ones, not the other way round."""
    assert holds("language=en", language="en-GB")
    assert holds("language=EN_gb", language="en-GB")
    assert not holds("language=en-GB", language="en")
    assert not holds("language=en", language="eng")


@pytest.mark.parametrize(
    ("where", "message", "remedy"),
    [
        ("sorce=a", "'sorce' is not a key", "'source'"),
        ("date=2024", "'date' is not a key", "Did you mean"),
        ("published=2024-13", "'2024-13' is not a date", "2025-03-14"),
        ("published=2023-02-29", "'2023-02-29'", "2025-03"),
        ("published>9999", "'9999' is not a date", "2025"),
        ("published=today-99999y", "is not a date", "today-30d"),
        ("published=2025..2024", "ends before it begins", "earlier"),
        ("published<none", "compares with more than one date", "one date"),
        ("published<2024,2025", "compares with more than one date", "one date"),
        ("published=٢٠٢٤", "is not a date", "2025"),
        ("tag>a", "cannot be compared", "tag="),
        ("type=pfd", "'pfd' is not a type", "'pdf'"),
        ("type:pdf", "'type:pdf' is not a condition", "type=pdf"),
        ("reports", "'reports' is not a condition", "operator"),
        ("tag=", "tag has no value", "tag=VALUE"),
        ("tag= a", "tag has no value before 'a'", "without spaces"),
        ("tag=a, b", "tag has no value before 'b'", "without spaces"),
        ('tag="a', "tag has no value before '\"a'", "close the quotes"),
        ('tag=a"b', "quote in the middle", "double"),
        ('tag="  "', "tag has no value", "VALUE"),
        ("tag=" + "a" * 2_000, "longer than 1000", "Shorten"),
        ("tag=a\0b", "no document can have", "Shorten"),
        ("tag=" + ",".join("abc" for _ in range(300)), "more than 100 values", "tag"),
        ("language=english!", "is not the code of a language", "en"),
        ("document=xyz", "'xyz' is not the id", "dossier list"),
    ],
)
def test_mistake_is_named_with_what_to_write(where: str, message: str, remedy: str) -> None:
    """The error holds the value at fault, the remedy what to write instead."""
    with pytest.raises(ConfigError) as caught:
        parse_where(where, TODAY)
    assert message in caught.value.message
    assert remedy in caught.value.remedy


@settings(deadline=None)
@given(
    st.text()
    | st.builds("".join, st.tuples(st.sampled_from(sorted(KEYS)), st.sampled_from("= != < >=".split()), LETTERS))
)
def test_any_text_is_a_filter_or_a_config_error(text: str) -> None:
    """No input gets through to another kind of error, and what is accepted is written so that it reads the same."""
    try:
        where = parse_where(text)
    except ConfigError:
        return
    assert parse_where(str(where)) == where


def test_longest_filter_is_not_too_much_for_sqlite() -> None:
    """As many values as are allowed still make one statement."""
    sql, values = parse_where("source=" + ",".join(f"folder{i}/*a*b*c*" for i in range(100))).to_sql()
    database = sqlite3.connect(":memory:")
    database.executescript("CREATE TABLE documents (id TEXT); CREATE TABLE sources (source TEXT, document_id TEXT);")
    database.execute("INSERT INTO documents VALUES ('a')")
    database.execute("INSERT INTO sources VALUES (?, 'a')", ("/x/folder7/abc/" + "a" * 3_000,))
    assert database.execute(f"SELECT d.id FROM documents d WHERE {sql}", values).fetchall() == [("a",)]
    database.close()
