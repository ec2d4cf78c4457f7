"""A real file of every format gives what it states and, at exact offsets, what it says; containers give parts."""

from __future__ import annotations

import csv
import email.policy
import gzip
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import (
    DocumentError,
    DocumentTooLargeError,
    EmptyDocumentError,
    UnreadableDocumentError,
    UnsupportedFormatError,
)
from index.parse import is_supported, known_suffixes, open_source, parse, read_parts, source_of
from index.parse.mail import _POLICY
from index.parse.package import parse_xml
from index.parse.table import row_lines
from index.settings import LibrarySettings
from index.split import split
from index.types import Parsed, Part
from tests.conftest import DATA
from tests.fakes import FakeEncoder

FORMATS = DATA / "formats"
SETTINGS = LibrarySettings()
WHEEL = (
    "The tide tables hang beside the door of the wheelhouse & are copied out by hand every autumn.",
    "The keeper's file tide_log*.txt holds [all] of them; a path such as C:\\mill\\tides means the old computer.",
    "Between the two marks the wheel turns at ninety-six revolutions a minute, and at “slack water” it stands.",
    "The gauge was calibrated against the harbour’s on the quay — the difference was 4 cm.",
    "The year 1911 is painted on the lintel; the accounts say 1912.",
)
STEPS = "1. Read the gauge at the lower gate.\n2. Write the height into the book.\n3. Ring the bell twice."
MARCH = "Month: March | Springs: 6 | Highest water: 5.4 m"
OUTLINE = ("1 The wheel", "2 Reading the gauge", "1 Water", "1 Finds")
STOCK = (
    "Grain: Wheat | Delivered: 2024-09-03 | Sacks: 120 | Share spoilt: 2.5% | Remark: Dry; stored under the roof.",
    'Grain: Rye | Delivered: 2024-09-17 | Sacks: 85.5 | Share spoilt: 4.0% | Remark: Half of it was wet, "sour".',
    "Grain: Total | Sacks: 245.5",
)
KEYS = ("Who holds which key", "Name: Zoë Lefèvre | Port: Roscoff | Key: flour loft")
TALK = (
    "The clay settles for a winter.",
    "Say that the masons have been asked, and that none of them is free before May.",
    "Source: Grant | Crowns: 21,000",
)
SLIDES = ("1 Slide 1: Saving the southern wall", "1 Slide 2: Who pays", "1 Slide 3")


@dataclass(frozen=True)
class Expected:
    """What a document states and says: `headings` with their level in front, `sentences` word for word."""

    source: str
    title: str | None
    published: date | None
    sentences: Sequence[str]
    author: str | None = None
    language: str | None = None
    headings: Sequence[str] = ()
    tags: Sequence[str] = ()
    images: int = 0


MILL = "Tide tables of Penmorrow mill"
KEEPER = "Tamsin Orrell"
GUIDE_HEADS = (
    "1 Running the mill", "2 Before high water", "2 Grinding", "3 When something smells burnt", "2 Closing time",
)  # fmt: skip
MAIL = (
    "the key to the sluice has turned up.",
    "It was in the flour bin, of all places, and it still fits.",
    "Please cancel the order with the locksmith – the 1 250 € can go to the eel pass instead.",
)
CREW = (
    "Name: Tamsin Orrell | Born: 1968-02-11 | Duty: keeper | Remark: Holds the key, and the book.",
    "Name: Lefèvre, Zoë | Born: 1975-07-30 | Duty: guide | Remark: Speaks French and Breton.",
    'Name: Petrok Vane | Born: 1959-12-02 | Duty: mason, surveyor | Remark: Says "never in March".',
)
SCHOOL = (
    "Thirty-one pupils came on the early ferry.",
    "They ground a sack of rye and took the flour home.",
    "Thirty-one pupils came on the early ferry. They ground a sack of rye and took the flour home.",
)
SUBJECT = "Die alte Mühle: key to the sluice"
SENDER = "Tamsin Orrell <tamsin@penmorrow.example>"
EXPECTED = (
    Expected("note.txt", "The tide mill at Penmorrow", date(2025, 3, 3), (
        "It grinds for about five hours after each high water.", "Who holds the key to the sluice?",
        "A sack of flour weighs 25 kg and costs € 31.")),
    Expected("latin.txt", "Le moulin à marée de Penmorrow", None, (
        "Le meunier l’appelle “la vieille”.", "Élevée en 1742, la roue a été réparée après la crue de février.",
        "Le conseil – déçu – a dépensé 1 250 € pour en faire une autre…")),
    Expected("utf16.txt", "Γραφή and other scripts", date(2023, 5, 7), (
        "Greek (Καλημέρα), Russian (Доброе утро)", "Each of them counts as one character of the text.",
        "character outside the basic plane: 𝄞.")),
    Expected("page.html", "Visiting the mill", date(2025, 4, 18), (
        "The mill is open from Easter to the end of October, on four days a week.",
        "A family ticket costs 14 crowns.",
        "The footpath from the station takes twenty minutes and is muddy after rain."),
        "Tamsin Orrell", "en", ("1 Visiting the mill", "2 Prices", "2 How to get here")),
    Expected("guide.md", "Running the mill", date(2025, 2, 1), (
        "The gates close by themselves when the tide turns.", "Most fires in mills began with a dry bearing.",
        "Lower the stones until the flour feels cool."), "Penmorrow Trust", None, GUIDE_HEADS),
    Expected("log.rst", "Log of the sluice", date(2024, 12, 1), (
        "The sluice was opened on *every* tide of November but two.",
        "Four people lift the gate in a quarter of an hour.", "The upper gate waits for spring."),
        "Jory Penhale", "en",
        ("1 Log of the sluice", "2 What was done", "3 Lifting by hand", "2 What is left"), ("sluice", "winter"), 1),
    Expected("letter.docx", "Offer for the new wheel", date(2025, 1, 20), (
        "The price is fixed until 30 June 2025.", "- Build a wheel of larch, 4.2 metres across.",
        "Item: Labour | Crowns: 17,250"), "Jory Penhale", "en",
        ("1 What we will do", "1 Price", "1 Order of the work")),
    # LibreOffice parts keywords by a blank in Office formats, where programs read commas or semicolons.
    Expected("tides.docx", MILL, date(2024, 10, 14), (*WHEEL, STEPS, MARCH), KEEPER, "en", OUTLINE,
        ("tides sluice",), 1),
    Expected("tides.odt", MILL, date(2024, 10, 14), (*WHEEL, STEPS, MARCH), KEEPER, "en", OUTLINE,
        ("tides", "sluice"), 1),
    Expected("tides.rtf", MILL, date(2024, 10, 14), (*WHEEL, STEPS, MARCH), KEEPER, "en", OUTLINE,
        ("tides", "sluice"), 1),
    # LibreOffice writes e-books without headings, list numbers and the header of the table; its contents page has some.
    Expected("tides.epub", MILL, date(2024, 10, 14), (*WHEEL, "March | 6 | 5.4 m"), KEEPER, "en",
        ("1 The wheel", "1 Water", "1 Finds"), (), 1),
    Expected("stock.csv", None, None, STOCK),
    Expected("stock.ods", "Stock of the mill", date(2024, 11, 2), (*STOCK, *KEYS), "Jory Penhale", "en",
        ("1 Grain", "1 Keys"), ("grain", "keys")),
    Expected("stock.xlsx", "Stock of the mill", date(2024, 11, 2), (*STOCK, *KEYS), "Jory Penhale", "en",
        ("1 Grain", "1 Keys"), ("grain keys",)),
    Expected("talk.odp", "The southern wall", date(2025, 2, 20), TALK, "Petrok Vane", "en", SLIDES,
        ("dam", "costs"), 1),
    Expected("talk.pptx", "The southern wall", date(2025, 2, 20), TALK, "Petrok Vane", "en", SLIDES,
        ("dam costs",), 1),
    Expected("crew.csv", None, None, CREW),
    Expected("levels.tsv", None, None, tuple(
        f"Day: 2024-11-0{d} | Low water: {a} m | High water: {b} m"
        for d, a, b in ((1, "0.7", "4.6"), (2, "0.9", "4.4"), (3, "1.2", "4.1")))),
    Expected("mail.eml", SUBJECT, date(2024, 11, 5), MAIL, SENDER, images=1),
    Expected("trust.mbox!/message 0001", SUBJECT, date(2024, 11, 5), MAIL, SENDER, images=1),
    Expected("trust.mbox!/message 0002", "Order cancelled", date(2024, 11, 6), (
        "the locksmith has let us off without a fee.", "From Roscoff I bring two spare hinges.",
        "Subject: Order cancelled"), "Zoë Lefèvre <zoe@lefevre.example>"),
    Expected("trust.mbox!/message 0002/crew.csv", None, None, CREW),
    Expected(f"trust.mbox!/message 0002/{SUBJECT}.eml", SUBJECT, date(2024, 11, 5), MAIL, SENDER, images=1),
    *(Expected(f"{name}!/v-17", "A school from Roscoff", date(2024, 6, 14), SCHOOL, "Zoë Lefèvre", "en",
        tags=("schools", "rye")) for name in ("visitors.json", "visitors.jsonl", "papers.zip!/visitors.jsonl")),
    *(Expected(f"{name}!/v-18", "The society of engineers", date(2024, 7, 3), (
        "The engineers measured the shaft and would not believe the result.", "They measured it again.",
        "would not believe the result.\n\nThey measured it again."), "Tamsin Orrell, Jory Penhale")
        for name in ("visitors.json", "visitors.jsonl")),
    Expected("papers.zip!/papers/note.txt", "The tide mill at Penmorrow", date(2025, 3, 3), (
        "The mill stands on a dam across the creek.", "Is the eel pass still in use?",
        "The price has not changed since 2022.")),
    Expected("papers.zip!/papers/wheel/letter.docx", "Offer for the new wheel", date(2025, 1, 20), (
        "It does not include the crane.", "To the Penmorrow Trust", "3. Fit the new wheel."), "Jory Penhale", "en",
        ("1 What we will do", "1 Price", "1 Order of the work")),
    Expected("papers.zip!/older.zip!/mill/tides.odt", MILL, date(2024, 10, 14), WHEEL, KEEPER, "en", OUTLINE,
        ("tides", "sluice"), 1),
)  # fmt: skip


def parts_of(path: Path, data: bytes | None = None, settings: LibrarySettings = SETTINGS) -> dict[str, Part]:
    parts = list(read_parts(path, path.read_bytes() if data is None else data, settings))
    names = [part.name for part in parts]
    assert len(set(names)) == len(names)
    return {part.name: part for part in parts}


def document(part: Part) -> Parsed:
    assert isinstance(part.result, Parsed), part.result
    return part.result


def fault(part: Part) -> DocumentError:
    assert isinstance(part.result, DocumentError), part.result
    return part.result


def packed(members: Mapping[str, bytes | str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda e: e.source)
def test_real_file_gives_its_statements_and_sentences_at_exact_offsets(expected: Expected) -> None:
    """Title, date, author, language, headings and tags as stated; each sentence in the text and within one passage."""
    file, _, name = expected.source.partition("!/")
    parsed = document(parts_of(FORMATS / file)[name])
    assert (parsed.title, parsed.published) == (expected.title, expected.published)
    assert (parsed.author, parsed.language) == (expected.author, expected.language)
    assert [f"{h.level} {h.title}" for h in parsed.headings] == list(expected.headings)
    assert (parsed.tags, parsed.images) == (tuple(expected.tags), expected.images)
    passages = split(parsed, "0123456789abcdef", FakeEncoder(max_tokens=256), 200)
    assert len(expected.sentences) >= 3
    for sentence in expected.sentences:
        start = parsed.text.index(sentence)
        assert parsed.text[start : start + len(sentence)] == sentence
        assert any(p.start <= start and start + len(sentence) <= p.end and sentence in p.text for p in passages)


def test_every_format_has_a_real_file() -> None:
    """No ending is promised that is not tried on a file of a program people use."""
    tried = {path.suffix for path in FORMATS.iterdir()}
    same = {".text": ".txt", ".log": ".txt", ".markdown": ".md", ".rest": ".rst", ".htm": ".html", ".xhtml": ".html"}
    same |= {".docm": ".docx", ".dotx": ".docx", ".pptm": ".pptx", ".ppsx": ".pptx", ".xlsm": ".xlsx", ".ott": ".odt"}
    same |= {".tab": ".tsv", ".ndjson": ".jsonl"}
    assert {same.get(suffix, suffix) for suffix in known_suffixes()} <= tried


@pytest.mark.parametrize("path", sorted(FORMATS.iterdir()), ids=lambda p: p.name)
def test_headings_lie_on_their_lines_and_sources_open_again(path: Path) -> None:
    """Headings are lines of the text in order; every document's bytes are found again by its source."""
    for part in parts_of(path).values():
        parsed = document(part)
        starts = [h.start for h in parsed.headings]
        assert starts == sorted(set(starts))
        for heading in parsed.headings:
            assert heading.title.split(": ", 1)[-1] in parsed.text[heading.start : heading.end]
        assert open_source(source_of(str(path), part.name), SETTINGS) == part.data
    assert open_source(str(path), SETTINGS) == path.read_bytes()


def test_no_format_leaves_marks_of_another_in_the_text() -> None:
    """Word and the others give words, not Markdown; spreadsheets no names of a library for what is missing."""
    for name in ("tides.docx", "tides.odt", "tides.rtf", "tides.epub", "letter.docx", "talk.pptx", "stock.xlsx"):
        text = document(parts_of(FORMATS / name)[""]).text
        for mark in ("**", "\\*", "\\[", "# ", "---", "NaN", "Unnamed", "None", "<", "\ue0f0", "HYPERLINK"):
            assert mark not in text, (name, mark)


CELL = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=12)
NAMES = st.lists(st.from_regex(r"[A-Z][a-z]{1,6}", fullmatch=True), min_size=2, max_size=5, unique=True)


@given(st.data(), NAMES, st.sampled_from(",;\t|"))
def test_every_row_of_a_table_stands_in_one_line_with_its_headers(
    data: st.DataObject, names: list[str], delimiter: str
) -> None:
    """Whatever the separator and the quoting, each non-blank cell follows its header on the line of its row."""
    rows = data.draw(st.lists(st.lists(CELL, min_size=len(names), max_size=len(names)), min_size=1, max_size=6))
    rows = [row for row in rows if any(cell.strip() for cell in row)] or [[str(i) for i in range(len(names))]]
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([names, *rows])
    parsed = parse(Path("t.csv"), stream.getvalue().encode(), SETTINGS)
    lines = parsed.text.split("\n\n")
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        for name, cell in zip(names, row, strict=True):
            shown = " ".join(cell.split())
            assert not shown or shown == name or f"{name}: {shown}" in line


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("sep=;\nA;B\n1,5;2\n", ["A: 1,5 | B: 2"]),
        ("Name\tPort\nAnn\t\n", ["Name: Ann"]),
        ("1,2\n3,4\n", ["1 | 2", "3 | 4"]),
        ("Stock in May\nName,Sacks\nRye,4\n", ["Stock in May", "Name: Rye | Sacks: 4"]),
        ('A,B\n"never closed,2\n3,4\n', ['A: "never closed | B: 2', "A: 3 | B: 4"]),
        ("A,B\n1,2,3\n", ["A: 1 | B: 2 | 3"]),
        ("only\none\ncolumn\n", ["only: one", "only: column"]),
        ("A,B\n" + "x" * 200_000 + ",1\n", [f"A: {'x' * 200_000} | B: 1"]),
    ],
)
def test_odd_tables_are_read_as_a_person_would(text: str, lines: list[str]) -> None:
    """Captions, missing headers, ragged rows and quotation marks that never close."""
    assert parse(Path("t.csv"), text.encode(), SETTINGS).text.split("\n\n") == lines


def test_table_in_a_letter_has_a_header_only_if_values_stand_below_it() -> None:
    """A list of names and values without a header does not get its first row as one."""
    assert list(row_lines([["Name", "Ann"], ["Port", "Lyme"]])) == ["Name | Ann", "Port | Lyme"]
    assert list(row_lines([["Item", "Crowns"], ["Oak", "9,800"]])) == ["Item: Oak | Crowns: 9,800"]
    assert list(row_lines([["Item", "Wood"], ["Shaft", "oak"]], marked=1)) == ["Item: Shaft | Wood: oak"]


RECORD = st.fixed_dictionaries(
    {"text": st.text(min_size=1).filter(lambda t: t.strip() and "\0" not in t), "title": st.text(max_size=20)}
)


@given(st.lists(RECORD, min_size=1, max_size=5), st.booleans())
def test_each_line_of_a_record_file_is_a_document_of_its_own(records: list[dict[str, str]], as_list: bool) -> None:
    """One a line or as a list, each record has its id as its name and its text as its text."""
    numbered = [{"_id": f"d{i}", **record} for i, record in enumerate(records)]
    data = json.dumps(numbered) if as_list else "\n".join(json.dumps(r) for r in numbered)
    parts = parts_of(Path("c.jsonl"), data.encode())
    assert list(parts) == [r["_id"] for r in numbered]
    for record in numbered:
        part = parts[record["_id"]]
        assert json.loads(part.data) == record
        text = record["text"].replace("\r\n", "\n").replace("\r", "\n").strip()
        assert document(part).text == text


def test_bad_line_is_reported_by_its_number_and_the_others_are_read() -> None:
    """One broken record loses itself only; two of the same id get different names."""
    parts = parts_of(Path("c.jsonl"), b'{"_id":"a","text":"One."}\n\n{broken\n{"_id":"a","text":"Two."}\n{"_id":"b"}\n')
    assert [document(parts[n]).text for n in ("a", "a (2)")] == ["One.", "Two."]
    assert "Line 3" in fault(parts["line 3"]).message
    assert 'no "text"' in fault(parts["b"]).message


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b'{"type": "FeatureCollection", "features": []}', UnsupportedFormatError),
        (b"[1, 2, 3]", UnsupportedFormatError),
        (b"[]", EmptyDocumentError),
        (b"no json at all", UnreadableDocumentError),
        (b"[" * 100_000, UnreadableDocumentError),
        (b'{"text": ' + b"9" * 10_000 + b"}", UnreadableDocumentError),
        (b"a line of a log\n" * 100, UnreadableDocumentError),
    ],
)
def test_json_without_records_says_what_is_missing(data: bytes, error: type[DocumentError]) -> None:
    """JSON of another shape is refused, with what a record looks like or what to check."""
    parts = parts_of(Path("x.json"), data)
    assert all(type(fault(part)) is error and fault(part).remedy for part in parts.values())
    assert 1 <= len(parts) <= 3


def test_archive_tells_what_it_left_out_and_hides_what_is_hidden() -> None:
    """Members without a parser are counted in one note; hidden files and resource forks are none."""
    parts = parts_of(FORMATS / "papers.zip")
    assert list(parts) == [
        "papers/note.txt", "papers/wheel/letter.docx", "papers/mail.eml", "older.zip!/mill/guide.md",
        "older.zip!/mill/tides.odt", "visitors.jsonl!/v-17", "visitors.jsonl!/v-18", "visitors.jsonl!/19",
    ]  # fmt: skip
    notes = [note for part in parts.values() for note in document(part).notes if "passed over" in note]
    assert [note for note in notes if "archive" in note or "papers.zip" in note] == [
        "In 'papers.zip', files of formats Dossier does not read were passed over: 1 .png."
    ]


def test_names_in_an_archive_never_lead_out_of_it(tmp_path: Path) -> None:
    """Steps up and absolute names are only names, made unique; nothing is written."""
    path = tmp_path / "evil.zip"
    path.write_bytes(
        packed({"../../up.txt": "Up.", "/etc/root.txt": "Root.", "up.txt": "Same.", "C:\\w\\x.txt": "Back."})
    )
    parts = parts_of(path)
    assert {name: document(part).text for name, part in parts.items()} == {
        "up.txt": "Up.", "etc/root.txt": "Root.", "up (2).txt": "Same.", "C:/w/x.txt": "Back.",
    }  # fmt: skip
    assert list(tmp_path.iterdir()) == [path]
    assert open_source(f"{path}!/up (2).txt", SETTINGS) == b"Same."


def test_archives_over_a_limit_are_refused_with_their_size() -> None:
    """Too many members, too much inside, too small for what is inside, too deep; nothing of them is unpacked."""
    small = LibrarySettings(max_file_mb=1)
    many = packed({f"{i}.txt": "x" for i in range(10_001)})
    deep: bytes = packed({"a.txt": "Deep."})
    for _ in range(3):
        deep = packed({"in.zip": deep})
    for data, settings, said in (
        (many, SETTINGS, "10,000"),
        (packed({f"{i}.txt": b"\0" * 2**20 for i in range(21)}), small, "21 MiB"),
        (packed({f"{i}.txt": b"\0" * 2**20 for i in range(3)}), small, "times its size"),
        (deep, SETTINGS, "inside 3 other"),
    ):
        [part] = parts_of(Path("big.zip"), data, settings).values()
        assert isinstance(part.result, DocumentTooLargeError)
        assert said in part.result.message


def test_one_bad_member_does_not_lose_the_others() -> None:
    """A damaged, an encrypted and an over-large member are each reported; the rest is read."""
    data = bytearray(packed({"bad.docx": b"no zip", "good.txt": "Good.", "locked.txt": "Locked.", "empty.md": ""}))
    for at in range(len(data)):
        if data[at : at + 4] in (b"PK\x01\x02", b"PK\x03\x04") and b"locked.txt" in data[at : at + 60]:
            flags = at + (8 if data[at + 2] == 1 else 6)
            name = data.find(b".txt", at)
            if data[name - 6 : name] == b"locked":
                data[flags] |= 1
    parts = parts_of(Path("mixed.zip"), bytes(data))
    assert document(parts["good.txt"]).text == "Good."
    assert isinstance(parts["bad.docx"].result, UnreadableDocumentError)
    assert "password" in fault(parts["locked.txt"]).message
    assert isinstance(parts["empty.md"].result, EmptyDocumentError)


@pytest.mark.parametrize("data", [b"PK\x03\x04 cut off", b"no archive", packed({"a.png": b"x"}), packed({})])
def test_archive_without_documents_is_one_failure(data: bytes) -> None:
    """What cannot be opened, or holds nothing that can be read, is reported once."""
    [part] = parts_of(Path("a.zip"), data).values()
    assert part.name == ""
    assert fault(part).remedy


def test_attachments_are_documents_and_those_left_out_are_named(tmp_path: Path) -> None:
    """A message's attachments get unique names; pictures and the like are named in its note."""
    message = EmailMessage()
    message["From"], message["Subject"] = "a@mill.example", "Two reports"
    message.set_content("See both.")
    for text in ("First.", "Second."):
        message.add_attachment(text.encode(), maintype="text", subtype="plain", filename="../report.txt")
    message.add_attachment(packed({"in/side.txt": "Inside."}), maintype="application", subtype="zip", filename="a.zip")
    message.add_attachment(b"x", maintype="application", subtype="octet-stream", filename="setup.exe")
    path = tmp_path / "two.eml"
    path.write_bytes(message.as_bytes())
    parts = parts_of(path)
    assert list(parts) == ["", "report.txt", "report (2).txt", "a.zip!/in/side.txt"]
    assert document(parts[""]).notes == ("Attachments were not read: setup.exe.",)
    assert document(parts["report (2).txt"]).text == "Second."
    assert open_source(f"{path}!/report (2).txt", SETTINGS) == b"Second."
    assert open_source(f"{path}!/a.zip!/in/side.txt", SETTINGS) == b"Inside."


def test_source_in_a_compressed_file_opens_as_its_parser_saw_it(tmp_path: Path) -> None:
    """`.gz` around a file, around a container and inside one; what is gone is said to be gone."""
    single, lines, archive = tmp_path / "n.txt.gz", tmp_path / "c.jsonl.gz", tmp_path / "odd!/z.zip"
    single.write_bytes(gzip.compress(b"Note."))
    lines.write_bytes(gzip.compress(b'{"_id": "a!/b", "text": "T."}\n{"_id": "a", "text": "U."}'))
    archive.parent.mkdir()
    archive.write_bytes(packed({"n.txt.gz": gzip.compress(b"Inner.")}))
    assert open_source(str(single), SETTINGS) == b"Note."
    assert document(parts_of(lines)["a!/b"]).text == "T."
    assert json.loads(open_source(f"{lines}!/a!/b", SETTINGS))["text"] == "T."
    assert document(parts_of(archive)["n.txt.gz"]).text == "Inner."
    assert open_source(f"{archive}!/n.txt.gz", SETTINGS) == b"Inner."
    for gone in (f"{lines}!/c", f"{archive}!/x.txt", str(tmp_path / "no.zip"), f"{tmp_path / 'no.zip'}!/a.txt"):
        with pytest.raises(UnreadableDocumentError):
            open_source(gone, SETTINGS)


@pytest.mark.parametrize(
    ("source", "name", "found"),
    [
        ("report.pdf", "report.txt", "application/pdf"),
        ("tides.odt", "tides.docx", "application/vnd.oasis.opendocument.text"),
        ("tides.docx", "tides.pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("tides.rtf", "tides.doc", "application/rtf"),
        ("page.html", "page.xlsx", "text/html"),
        ("stock.xlsx", "stock", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("note.txt", "README", "text/plain"),
    ],
)
def test_file_with_a_wrong_name_is_read_as_what_it_is(source: str, name: str, found: str) -> None:
    """Bytes that leave no doubt count for more than the ending, and a note says so."""
    parsed = parse(Path(name), (FORMATS / source).read_bytes(), SETTINGS)
    assert parsed.media_type == found
    assert "read as" in parsed.notes[0]


@pytest.mark.parametrize(
    ("name", "data", "error", "said"),
    [
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, UnsupportedFormatError, "before 2007"),
        ("locked.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
         UnreadableDocumentError, "password"),
        ("photo.docx", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, UnreadableDocumentError, "picture"),
        ("what.xyz", b"Some words.", UnsupportedFormatError, "no format"),
        ("cut.odt", (FORMATS / "tides.odt").read_bytes()[:9000], UnreadableDocumentError, "damaged"),
        ("cut.pptx", (FORMATS / "talk.pptx").read_bytes()[:9000], UnreadableDocumentError, "damaged"),
        ("cut.xlsx", (FORMATS / "stock.xlsx").read_bytes()[:3000], UnreadableDocumentError, "damaged"),
        ("not.rtf", b"Plain words.", UnreadableDocumentError, "rich text"),
        ("not.epub", packed({"a.txt": "x"}), UnreadableDocumentError, "table of its parts"),
        ("not.mbox", b"Subject: hello\n\nx", UnreadableDocumentError, "mailbox"),
    ],
)  # fmt: skip
def test_file_that_cannot_be_read_says_why_and_what_to_do(
    name: str, data: bytes, error: type[DocumentError], said: str
) -> None:
    """Old and locked formats, cut-off files and files of another kind."""
    [part] = parts_of(Path(name), data).values()
    assert type(part.result) is error
    assert said in fault(part).message
    assert fault(part).remedy.endswith(".")


BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'


def test_xml_with_entities_or_too_deep_is_refused() -> None:
    """Entities are not expanded in whatever encoding they come, files are not included, depth is limited."""
    for data in (BOMB, BOMB.decode().encode("utf-16")):
        with pytest.raises(UnreadableDocumentError, match="entities"):
            parse_xml(data, "It")
    with pytest.raises(UnreadableDocumentError, match="too deep"):
        parse_xml(b"<a>" * 10_000 + b"</a>" * 10_000, "It")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("tides.docx", "word/document.xml"), ("tides.odt", "content.xml"), ("talk.pptx", "ppt/slides/slide1.xml"),
        ("stock.xlsx", "xl/worksheets/sheet1.xml"), ("stock.xlsx", "xl/sharedStrings.xml"),
        ("tides.epub", "OEBPS/content.opf"), ("talk.odp", "meta.xml"), ("tides.docx", "docProps/core.xml"),
    ],
)  # fmt: skip
def test_office_file_with_an_entity_bomb_is_refused(name: str, part: str) -> None:
    """No part of an office file may declare entities."""
    with zipfile.ZipFile(FORMATS / name) as archive:
        members = {entry: archive.read(entry) for entry in archive.namelist()}
    assert part in members
    with pytest.raises(UnreadableDocumentError, match="entities"):
        parse(Path(name), packed({**members, part: BOMB}), SETTINGS)


def test_office_file_that_unpacks_to_too_much_is_refused() -> None:
    """The size is known before anything is unpacked."""
    with zipfile.ZipFile(FORMATS / "tides.docx") as archive:
        members = {entry: archive.read(entry) for entry in archive.namelist()}
    with pytest.raises(DocumentTooLargeError, match="unpacks to"):
        parse(Path("b.docx"), packed({**members, "word/x.bin": b"\0" * (21 * 2**20)}), LibrarySettings(max_file_mb=1))


def test_restructured_text_includes_and_runs_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Directives that name files, addresses or raw output do nothing and print nothing."""
    secret = tmp_path / "secret.txt"
    secret.write_text("Secret heading\n==============\n")
    directives = ("include:: ", "csv-table:: x\n   :file: ", "raw:: html\n   :file: ")
    source = "Top\n===\n\n" + "".join(f".. {directive}{secret}\n\n" for directive in directives)
    parsed = parse(Path("a.rst"), source.encode(), SETTINGS)
    assert [h.title for h in parsed.headings] == ["Top"]
    assert "Secret" not in parsed.text
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "front",
    [
        "date: 2024-02-30",
        "author: " + "[" * 5000,
        "a: &a [x]\nauthor: [*a, *a]",
        "date: 99999999999999999999",
        "- a\n- b",
    ],
)
def test_odd_front_matter_does_not_lose_the_text(front: str) -> None:
    """Impossible dates, deep lists and references state nothing; the text is read all the same."""
    parsed = parse(Path("a.md"), f"---\n{front}\n---\n\n# Title\n\nWords.\n".encode(), SETTINGS)
    assert (parsed.title, parsed.author, parsed.published) == ("Title", None, None)
    assert parsed.text.endswith("Words.\n")


@pytest.mark.parametrize(
    "header",
    [
        "To: A <a@b.example>, C <c@d.example>", "To: =?utf-8?q?J=C3=BCrg?= <j@b.example>", "to: undisclosed:;",
        "Subject: =?utf-8?b?w5xiZXI=?= the\n berth", "Subject:", "SUBJECT: twice, and\xe4",
        "Date: Tue, 5 Nov 2024 10:00 +01", "Date: soon", "Cc: <a@b.example", "Cc: =?x?y?z?=, ;;", "Keywords: a, b",
        "From: " + "a" * 3_000 + "@b.example",
    ],
)  # fmt: skip
def test_headers_are_read_as_the_standard_policy_reads_them(header: str) -> None:
    """Remembering what was parsed changes nothing, and what one message says does not get into the next."""
    name = header.partition(":")[0]
    data = f"From: a@b.example\nSubject: S\n{header}\n\nText.\n".encode("latin-1")
    for _ in range(2):
        ours = BytesParser(policy=_POLICY).parsebytes(data)
        theirs = BytesParser(policy=email.policy.default).parsebytes(data)
        assert [str(value) for value in ours.get_all(name)] == [str(value) for value in theirs.get_all(name)]
        assert repr([v.defects for v in ours.get_all(name)]) == repr([v.defects for v in theirs.get_all(name)])


def test_parameters_without_end_leave_the_text_readable() -> None:
    """Nobody writes 20,000 parameters; reading them all takes minutes."""
    many = "".join(f"; n*{n}*=%" for n in range(20_000))
    data = f"From: a@b.example\nSubject: S\nContent-Type: text/plain; charset=utf-8{many}\n\nThe berth is open.\n"
    [part] = parts_of(Path("m.eml"), data.encode()).values()
    assert document(part).text.endswith("The berth is open.")


def test_message_in_an_unknown_encoding_is_read() -> None:
    """What the message says of its encoding may be nonsense."""
    for charset in ("no-such-thing", "x\0y", "hex", "utf-8"):
        data = f'From: a@b.example\nSubject: S\nContent-Type: text/plain; charset="{charset}"\n\nThe berth is open.\n'
        [part] = parts_of(Path("m.eml"), data.encode()).values()
        assert document(part).text.endswith("The berth is open.")


def test_archives_that_lie_too_deep_are_reported_once() -> None:
    """Sixteen archives in each of sixteen are one failure, not thousands; what is not too deep is read."""
    level: bytes = packed({"a.txt": "Deep."})
    for _ in range(3):
        level = packed({"b.txt": "Here.", **{f"{i}.zip": level for i in range(4)}})
    results = [part.result for part in parts_of(Path("many.zip"), level).values()]
    assert sum(isinstance(result, DocumentError) for result in results) == 1
    assert sum(isinstance(result, Parsed) for result in results) == 1 + 4 + 16


def test_endings_are_known_by_name_alone() -> None:
    """A file without an ending is not picked up from a folder, whatever is in it."""
    assert is_supported(Path("a.XLSX"))
    assert is_supported(Path("b.mbox.gz"))
    assert not is_supported(Path("README"))
    assert not is_supported(Path(".docx.bak"))
