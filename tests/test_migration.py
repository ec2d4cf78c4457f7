"""A library made by the first version is opened by this one: nothing is lost, nothing is embedded again."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from index.doctor import examine
from index.errors import StaleIndexError
from index.library import Library
from index.parse import document_id
from index.schema import MIGRATIONS, SCHEMA_VERSION
from index.settings import LibrarySettings
from index.split import split
from index.types import Page, Parsed, Passage
from tests.fakes import FakeEncoder
from tests.test_crash import assert_complete
from tests.test_sync import CountingEncoder

LOG = "\n".join(f"Entry {i} tells of berth {i}." for i in range(60))
# name: (title, published, media type, text, whether it has pages)
DOCUMENTS = {
    "north.txt": ("Berths", "2024-03-01", "text/plain", "The north berth opens in June. The south berth is closed.", 0),
    "crane.html": ("Crane", None, "text/html", "The crane was tested on Monday.\n\nIt lifts forty tons.", 0),
    "log.pdf": ("Log", "2025-01-31", "application/pdf", LOG, 1),
}  # fmt: skip


def write_old_library(folder: Path, docs: Path) -> dict[str, list[Passage]]:
    """Write a library byte for byte as version 1 did; gives its passages by source."""
    folder.mkdir()
    docs.mkdir()
    encoder = FakeEncoder()
    connection = sqlite3.connect(folder / "catalog.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(MIGRATIONS[0])
    connection.execute("PRAGMA user_version = 1")
    connection.execute("INSERT INTO meta VALUES ('encoder', ?), ('encoder_model', 'all-MiniLM-L6-v2')", (encoder.name,))
    found: dict[str, list[Passage]] = {}
    titles: dict[str, str] = {}
    for name, (title, published, media_type, text, paged) in DOCUMENTS.items():
        source = docs / name
        source.write_text(text)
        number = document_id(text.encode())
        pages = (Page(1, 0, len(text), 595, 842),) if paged else ()
        passages = split(Parsed(text, media_type, pages=pages), number, encoder, 30)
        connection.execute(
            "INSERT INTO documents VALUES (?, ?, ?, NULL, ?, 'en', '2025-06-01T10:00:00+00:00', ?, ?, ?)",
            (number, title, published, media_type, len(text),
             json.dumps([[p.number, p.start, p.end, p.width, p.height] for p in pages]), len(passages)),
        )  # fmt: skip
        connection.execute("INSERT INTO texts VALUES (?, ?)", (number, zlib.compress(text.encode(), 6)))
        connection.execute("INSERT INTO sources VALUES (?, ?, '2025-06-01T10:00:00+00:00')", (str(source), number))
        connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(p.id, p.document_id, p.start, p.end, p.page, p.heading, p.text) for p in passages],
        )
        found[str(source)], titles[number] = passages, title
    conversation = ("c1", "Berths", "2025-06-01T10:00:00+00:00", "{}")
    connection.execute("INSERT INTO conversations VALUES (?, ?, ?, ?)", conversation)
    connection.close()
    everything = [p for passages in found.values() for p in passages]
    write_old_vectors(folder / "vectors", everything, encoder)
    write_old_lexical(folder / "lexical", everything, titles)
    return found


def write_old_vectors(folder: Path, passages: list[Passage], encoder: FakeEncoder) -> None:
    """Version 1 stored nothing but the document's id beside a vector."""
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
    collection = client.get_or_create_collection(
        "passages", embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": 200}}
    )
    collection.upsert(
        ids=[p.id for p in passages],
        embeddings=encoder.encode([p.text for p in passages]),
        metadatas=[{"document_id": p.document_id} for p in passages],
    )
    client.close()


def write_old_lexical(folder: Path, passages: list[Passage], titles: dict[str, str]) -> None:
    """Version 1 had no fields to filter by."""
    import tantivy

    folder.mkdir()
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("document_id", stored=False, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("title", stored=False, tokenizer_name="dossier_en", index_option="freq")
    builder.add_text_field("text", stored=False, tokenizer_name="dossier_en", index_option="freq")
    index = tantivy.Index(builder.build(), path=str(folder), reuse=True)
    analyzer = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).filter(tantivy.Filter.lowercase()).build()
    index.register_tokenizer("dossier_en", analyzer)
    writer = index.writer(15_000_000, 1)
    for passage in passages:
        entry = tantivy.Document()
        entry.add_text("id", passage.id)
        entry.add_text("document_id", passage.document_id)
        entry.add_text("title", f"{titles[passage.document_id]} {passage.heading}")
        entry.add_text("text", passage.text)
        writer.add_document(entry)
    writer.commit()
    writer.wait_merging_threads()


@pytest.fixture
def old(tmp_path: Path) -> dict[str, list[Passage]]:
    """The passages by source of a library of version 1 in `tmp_path / "library"`."""
    return write_old_library(tmp_path / "library", tmp_path / "docs")


def version(folder: Path) -> int:
    connection = sqlite3.connect(folder / "catalog.sqlite")
    number = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return int(number)


def test_old_library_is_whole_after_opening(old: dict[str, list[Passage]], tmp_path: Path) -> None:
    """Texts, sources, passages, vectors and conversations are all there; nothing is embedded; doctor is content."""
    folder = tmp_path / "library"
    assert version(folder) == 1
    counting = CountingEncoder()
    with Library.open(folder, encoder=counting) as library:
        assert {d.source: d.title for d in library.documents()} == {
            str(tmp_path / "docs" / name): entry[0] for name, entry in DOCUMENTS.items()
        }
        for source, passages in old.items():
            assert library.document(passages[0].document_id).text == DOCUMENTS[Path(source).name][3]
            assert library.passages(passages[0].document_id) == passages
            assert library.ledger.sources_of_file(source) == {source: passages[0].document_id}
        every = {p.id: p for passages in old.values() for p in passages}
        stored = library.vectors.get(list(every))
        assert stored.keys() == every.keys()
        assert all(stored[name] @ FakeEncoder().encode([p.text])[0] > 0.999 for name, p in every.items())
        assert library.catalog.rows("SELECT title FROM conversations") == [("Berths",)]
        assert_complete(library)
        assert counting.encoded == []
    assert version(folder) == SCHEMA_VERSION
    findings = examine(folder, LibrarySettings(), encoder=FakeEncoder())
    assert [f for f in findings if f.state not in ("ok",) and f.name not in ("ocr", "disk")] == []


def test_old_library_is_searched_and_filtered(old: dict[str, list[Passage]], tmp_path: Path) -> None:
    """By words, by meaning, and with filters that version 1 did not know, in either store."""
    with Library.open(tmp_path / "library", encoder=FakeEncoder()) as library:
        assert library.search("crane tested on Monday")[0].passage.text.startswith("The crane was tested")
        [vector] = library.encoder.encode(["Entry 41 tells of berth 41."])
        by_vector = library.search_vector(vector, {}, 3, where="type=pdf")
        by_words = library.search_vector(vector * 0 + 0.125, {"berth": 1.0}, 3, where="published<2025")
        assert by_vector
        assert {h.passage.document_id for h in by_vector} == {old[str(tmp_path / "docs" / "log.pdf")][0].document_id}
        assert {h.passage.document_id for h in by_words} == {old[str(tmp_path / "docs" / "north.txt")][0].document_id}
        assert library.search("berth", where="language=fr") == []
        lexical = library.lexical.search({"crane": 1.0}, 5)
        assert [name for name, _ in lexical] == [old[str(tmp_path / "docs" / "crane.html")][0].id]


def test_second_open_changes_nothing(old: dict[str, list[Passage]], tmp_path: Path) -> None:
    """What was brought up to date is not done again."""
    folder = tmp_path / "library"
    with Library.open(folder, encoder=FakeEncoder()) as library:
        library.search("berth")
    before = {p: p.stat().st_mtime_ns for p in folder.glob("lexical/*")}
    counting = CountingEncoder()
    with Library.open(folder, encoder=counting) as library:
        rows = library.catalog.rows("PRAGMA data_version")
        assert library.vectors.count() == sum(map(len, old.values()))
        assert library.catalog.rows("PRAGMA data_version") == rows
    assert {p: p.stat().st_mtime_ns for p in folder.glob("lexical/*")} == before
    assert counting.encoded == []


def test_old_library_goes_on_with_its_folders(old: dict[str, list[Passage]], tmp_path: Path) -> None:
    """Files added by version 1 are known when they are added again, and changes of them replace their old state."""
    docs = tmp_path / "docs"
    (docs / "log.pdf").unlink()  # its text is no PDF
    (docs / "crane.html").unlink()
    with Library.open(tmp_path / "library", encoder=FakeEncoder()) as library:
        assert len(library.add(docs).unchanged) == 1
        (docs / "north.txt").write_text("The north berth opens in July. The south berth is closed.")
        report = library.sync(docs)
        assert len(report.updated) == 1
        assert len(report.removed) == 2
        assert_complete(library)


def test_doctor_brings_an_old_library_up_to_date(old: dict[str, list[Passage]], tmp_path: Path) -> None:
    """Without opening it otherwise: what it lacks is a problem, and repaired without embedding."""
    folder = tmp_path / "library"
    findings = examine(folder, LibrarySettings(), encoder=FakeEncoder())
    assert {f.name for f in findings if f.state == "problem"} == {"stores"}, findings
    counting = CountingEncoder()
    findings = examine(folder, LibrarySettings(), encoder=counting, repair=True)
    assert [f for f in findings if f.state == "problem"] == []
    assert [f.name for f in findings if f.state == "repaired"] == ["stores", "stores"]
    assert counting.encoded == []
    with Library.open(folder, encoder=FakeEncoder()) as library:
        assert_complete(library)
        assert library.search("berth", where="type=pdf")


KILLED = """
import os, signal, sys
sys.path.insert(0, {root!r})
import index.schema as schema
statements = schema.MIGRATIONS[1].split(";")
class Dies(str):
    # Gives statement after statement, and dies before the one of this number.
    def split(self, separator):
        for number, statement in enumerate(statements):
            if number == {number}:
                os.kill(os.getpid(), signal.SIGKILL)
            yield statement
schema.MIGRATIONS = (schema.MIGRATIONS[0], Dies())
from index.catalog import Catalog
from pathlib import Path
Catalog(Path({path!r}))
"""


@pytest.mark.crash
@pytest.mark.parametrize("number", [1, 6, 14, len(MIGRATIONS[1].split(";")) - 1])
def test_kill_in_the_middle_of_migrating_leaves_the_old_version(
    old: dict[str, list[Passage]], tmp_path: Path, number: int
) -> None:
    """A migration is one transaction; the next open makes it whole."""
    path = tmp_path / "library" / "catalog.sqlite"
    code = KILLED.format(root=os.getcwd(), number=number, path=str(path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert version(tmp_path / "library") == 1
    connection = sqlite3.connect(path)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(documents)")]
    connection.close()
    assert "headings" not in columns
    with Library.open(tmp_path / "library", encoder=FakeEncoder()) as library:
        assert library.search("crane tested")[0].passage.text.startswith("The crane")
        assert_complete(library)


def test_library_of_a_newer_version_is_refused_and_not_touched(old: dict[str, list[Passage]], tmp_path: Path) -> None:
    """It says what made it and what to do."""
    path = tmp_path / "library" / "catalog.sqlite"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StaleIndexError, match=f"schema {SCHEMA_VERSION + 1}; this one knows {SCHEMA_VERSION}") as told:
        Library.open(tmp_path / "library", encoder=FakeEncoder())
    assert told.value.remedy.startswith("Upgrade Dossier")
    assert path.read_bytes() == before


def test_migrated_catalog_has_the_tables_of_a_new_one(old: dict[str, list[Passage]], tmp_path: Path) -> None:
    """Whether a library was made or migrated makes no difference to what is written to it."""
    tables = []
    Library.open(tmp_path / "new", encoder=FakeEncoder()).close()
    for name in ("library", "new"):
        Library.open(tmp_path / name, encoder=FakeEncoder()).close()
        connection = sqlite3.connect(tmp_path / name / "catalog.sqlite")
        tables.append(connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall())
        connection.close()
    assert tables[0] == tables[1]
