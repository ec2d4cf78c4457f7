"""The doctor sees what is wrong with a library, and puts right what can be without losing a document."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from index import checks, mend
from index.bare import BareParts
from index.checks import Finding
from index.doctor import examine
from index.errors import DocumentError, ModelUnavailableError, NoLibraryError, StaleIndexError
from index.library import Library
from index.lock import WriteLock
from index.mend import rebuild_stores
from index.settings import LibrarySettings
from tests.fakes import FakeEncoder
from tests.test_crash import assert_complete
from tests.test_sync import CountingEncoder
from ui.cli import main

PARAGRAPHS = [
    f"Paragraph {i} of the log tells that berth {i * 7 % 101} took {i * 13 % 97} vessels from the north. "
    f"The master of vessel {i * 31 % 211} reported wind at force {i % 9} and no damage to the hull."
    for i in range(40)
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A library of three documents, closed."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "north.txt").write_text("The north berth opens in June.")
    (docs / "south.md").write_text("# South\n\nThe south berth is closed for repairs.")
    (docs / "log.txt").write_text("\n\n".join(PARAGRAPHS))
    path = tmp_path / "library"
    with Library.open(path, encoder=FakeEncoder()) as library:
        assert not library.add(docs).failed
    return path


def doctor(folder: Path, *, repair: bool = False, encoder: FakeEncoder | None = None) -> list[Finding]:
    return examine(folder, LibrarySettings(), encoder=encoder or FakeEncoder(), repair=repair)


def problems(findings: list[Finding]) -> list[str]:
    return [f.name for f in findings if f.state == "problem"]


def repaired(findings: list[Finding]) -> list[str]:
    return [f.name for f in findings if f.state == "repaired"]


def change(folder: Path, sql: str, *values: object) -> None:
    """Change the catalog behind the library's back."""
    connection = sqlite3.connect(folder / "catalog.sqlite")
    connection.execute(sql, values)
    connection.commit()
    connection.close()


def assert_mended(folder: Path) -> None:
    """Nothing is wrong any more, all documents are there and found by words and by meaning."""
    with Library.open(folder, encoder=FakeEncoder()) as library:
        assert len(library) == 3
        assert library.search("north berth opens")[0].passage.text == "The north berth opens in June."
        assert library.search("south berth closed for repairs")[0].passage.text.endswith("repairs.")
        assert_complete(library)
        for info in library.documents():
            text = library.document(info.id).text
            assert all(text[p.start : p.end] == p.text for p in library.passages(info.id))
    findings = doctor(folder)
    assert problems(findings) == []


def test_sound_library_has_no_problem_and_is_not_changed(folder: Path) -> None:
    """Every check says ok, and neither doctor nor repair does anything to it."""
    before = {p: p.read_bytes() for p in sorted(folder.glob("lexical/*")) if p.is_file()}
    for repair in (False, True):
        findings = doctor(folder, repair=repair)
        assert {f.name: f.state for f in findings if f.name not in ("ocr", "disk")} == dict.fromkeys(
            ["catalog", "documents", "stores", "encoder", "vectors", "sources", "leftovers"], "ok"
        )
    assert {p: p.read_bytes() for p in sorted(folder.glob("lexical/*")) if p.is_file()} == before


def test_missing_library_is_told(tmp_path: Path) -> None:
    """There is nothing to examine, and nothing is made."""
    with pytest.raises(NoLibraryError, match="There is no library"):
        doctor(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def lose_vector(folder: Path) -> None:
    with Library.open(folder, encoder=FakeEncoder()) as library:
        library.vectors.remove([sorted(library.catalog.passage_ids())[0]])


def leave_old_vector(folder: Path) -> None:
    with Library.open(folder, encoder=FakeEncoder()) as library:
        info = library.documents()[0]
        passages = library.passages(info.id)
        from index.vectors import Labels

        vectors = np.eye(len(passages), 64, dtype=np.float32)
        library.vectors.replace(passages, vectors, ["0" * 16] * len(passages), {info.id: Labels.of(info)})


def double_in_lexical(folder: Path) -> None:
    with Library.open(folder, encoder=FakeEncoder()) as library:
        from index.writer import entry_of

        info = next(i for i in library.documents() if i.passages == 1)
        library.lexical.replace(library.passages(info.id) * 2, {info.id: entry_of(info)})


def leave_over(folder: Path) -> None:
    """A document that the catalog lacks stands in both other stores."""
    with Library.open(folder, encoder=FakeEncoder()) as library:
        from index.lexical import Entry
        from index.types import Passage
        from index.vectors import Labels

        stray = Passage("f" * 16, 0, 4, "text", None, "")
        library.lexical.replace([stray], {stray.document_id: Entry("Stray")})
        library.vectors.replace([stray], np.eye(1, 64, dtype=np.float32), ["0"], {stray.document_id: Labels("", "", 0)})


def leave_announced(folder: Path) -> None:
    change(folder, "INSERT INTO announced SELECT id FROM documents LIMIT 1")


def lose_lexical(folder: Path) -> None:
    shutil.rmtree(folder / "lexical")


def spoil_lexical(folder: Path) -> None:
    shutil.rmtree(folder / "lexical")
    (folder / "lexical").write_text("a file in place of the folder")


@pytest.mark.parametrize(
    "spoil",
    [lose_vector, leave_old_vector, double_in_lexical, leave_over, leave_announced, lose_lexical, spoil_lexical],
)
def test_stores_that_differ_are_seen_and_repaired(folder: Path, spoil: Callable[[Path], None]) -> None:
    """What one store lacks, has twice, has of an older state or has too much of is told and made right."""
    spoil(folder)
    assert problems(doctor(folder)) == ["stores"]
    assert problems(doctor(folder)) == ["stores"], "without --repair nothing changes"
    findings = doctor(folder, repair=True)
    assert problems(findings) == []
    assert "stores" in repaired(findings)
    assert_mended(folder)


@pytest.mark.parametrize("rubbish", ["database", "segments", "file"])
def test_unusable_vectors_are_set_aside_and_made_again(folder: Path, rubbish: str) -> None:
    """Rubbish where Chroma's folder was: it is named, kept under another name, and all vectors are made anew."""
    if rubbish == "database":
        (folder / "vectors" / "chroma.sqlite3").write_bytes(b"rubbish" * 1000)
    elif rubbish == "segments":
        more = folder.parent / "more.txt"  # so many that Chroma writes its graph to files
        more.write_text("\n\n".join(f"{p} Again, number {i}." for i in range(30) for p in PARAGRAPHS))
        with Library.open(folder, encoder=FakeEncoder()) as library:
            assert library.add(more).passages > 1_000
            library.remove([i.id for i in library.documents() if i.title == "log"])
        found = list(folder.glob("vectors/*/*.bin"))
        assert found
        for path in found:
            path.write_bytes(b"rubbish")
    else:
        shutil.rmtree(folder / "vectors")
        (folder / "vectors").write_text("rubbish")
    [told] = [f for f in doctor(folder) if f.state == "problem"]
    assert "cannot be used" in told.message
    assert "--repair renames the folder vectors" in told.remedy
    findings = doctor(folder, repair=True)
    assert problems(findings) == []
    assert (folder / "vectors.damaged-1").exists()
    assert next(f.details for f in findings if f.name == "leftovers")[0].startswith("vectors.damaged-1 ")
    assert_mended(folder)


def test_damaged_vectors_are_noticed_and_made_anew(folder: Path) -> None:
    """Vectors whose digest is right and whose numbers are not are found by embedding a sample again."""
    with Library.open(folder, encoder=FakeEncoder()) as library:
        from index.vectors import Labels

        for info in library.documents():
            passages = library.passages(info.id)
            digests = library.catalog.digests_of([info.id])
            vectors = np.roll(np.eye(len(passages), 64, dtype=np.float32), 7, axis=1)
            library.vectors.replace(passages, vectors, [digests[p.id][0] for p in passages], {info.id: Labels.of(info)})
    findings = doctor(folder)
    assert problems(findings) == ["vectors"]
    assert "of 8 vectors are not what their passages give" in next(f.message for f in findings if f.name == "vectors")
    counting = CountingEncoder()
    assert problems(doctor(folder, repair=True, encoder=counting)) == []
    with Library.open(folder, encoder=FakeEncoder()) as library:
        assert len(counting.encoded) >= len(library.catalog.passage_ids())
    assert_mended(folder)


def passage_ids(folder: Path) -> list[str]:
    with Library.open(folder, encoder=FakeEncoder()) as library:
        info = max(library.documents(), key=lambda i: i.passages)
        return [p.id for p in library.passages(info.id)]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE passages SET start = start + 3 WHERE id = ?",
        "UPDATE passages SET end = end + 1 WHERE id = ?",
        "UPDATE passages SET text = 'something else' WHERE id = ?",
        "UPDATE passages SET page = 4 WHERE id = ?",
        "DELETE FROM passages WHERE id = ?",
    ],
)
def test_passages_with_wrong_offsets_are_split_again(folder: Path, sql: str) -> None:
    """A passage that is not its document's text is told; repaired, all text is covered, the others keep vectors."""
    before = passage_ids(folder)
    change(folder, sql, before[3])
    assert "documents" in problems(doctor(folder))
    counting = CountingEncoder()
    findings = doctor(folder, repair=True, encoder=counting)
    assert problems(findings) == []
    assert "documents" in repaired(findings)
    assert len(counting.encoded) <= 16 + 3, "two samples, and the passage with its neighbours"
    assert passage_ids(folder) == before
    assert_mended(folder)


def test_text_that_was_in_no_passage_stays_out_when_split_again(tmp_path: Path) -> None:
    """A running header that its parser left out does not come in by a repair."""
    from index.records import NewDocument
    from index.types import Page, Parsed

    pages, text = [], ""
    for number in range(1, 7):
        start = len(text)
        text += f"HARBOUR AUTHORITY {number}\n{PARAGRAPHS[number]} {PARAGRAPHS[number + 9]}\n"
        pages.append(Page(number, start, len(text), 100, 100))
    skipped = tuple((p.start, p.start + len(f"HARBOUR AUTHORITY {p.number}")) for p in pages)
    with Library.open(tmp_path / "library", encoder=FakeEncoder()) as library:
        report = library.add_texts([])
        assert not report.added
        from datetime import UTC, datetime

        from index.split import split
        from index.types import Document

        parsed = Parsed(text, "application/pdf", pages=tuple(pages), skipped=skipped)
        passages = split(parsed, "a" * 16, library.encoder, 200)
        document = Document("a" * 16, "/x.pdf", "X", text, tuple(pages), None, None, "application/pdf", None,
                            datetime.now(UTC))  # fmt: skip
        library.remember_encoder()
        library.catalog.commit(add=[NewDocument(document, passages)])
    doctor(tmp_path / "library", repair=True)
    change(tmp_path / "library", "UPDATE passages SET text = 'x' WHERE start = ?", passages[2].start)
    findings = doctor(tmp_path / "library", repair=True)
    assert problems(findings) == []
    with Library.open(tmp_path / "library", encoder=FakeEncoder()) as library:
        assert library.passages("a" * 16) == passages
        assert not any("AUTHORITY" in p.text for p in library.passages("a" * 16))


def test_damaged_text_is_told_and_its_document_stays(folder: Path) -> None:
    """What only the file can bring back is not thrown away; the other documents are repaired and usable."""
    with Library.open(folder, encoder=FakeEncoder()) as library:
        name = library.search("north berth opens")[0].passage.document_id
    change(folder, "UPDATE texts SET data = ? WHERE document_id = ?", b"rubbish", name)
    findings = doctor(folder, repair=True)
    [told] = [f for f in findings if f.state == "problem"]
    assert told.details[0].startswith(name)
    assert "dossier remove ID, then add the file again" in told.remedy
    with Library.open(folder, encoder=FakeEncoder()) as library:
        assert len(library) == 3
        with pytest.raises(DocumentError, match=r"stored text of document .* is damaged"):
            library.document(name)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("UPDATE documents SET characters = characters + 1", "stored in place of"),
        ("UPDATE documents SET pages = '[[1, 0, 999999, 5, 5, \"\"]]'", "a page at 0-999999 of"),
        ("UPDATE documents SET headings = '[[5, 999999, 1, \"X\"]]'", "a heading at 5-999999 of"),
        ("UPDATE documents SET pages = '[[1'", "its record cannot be read"),
        ("DELETE FROM texts", "no text stored"),
    ],
)
def test_record_that_contradicts_its_text_is_told(folder: Path, sql: str, reason: str) -> None:
    """Pages, headings and sizes are compared with the text as well."""
    change(folder, sql)
    catalog = BareParts(folder, LibrarySettings(), None).catalog
    faults = list(checks.find_faults(catalog))
    assert len(faults) == 3
    assert all(reason in f.reason and not f.mendable for f in faults)
    catalog.close()


def test_passages_without_a_document_go(folder: Path) -> None:
    """They belong to nothing, so they are the one thing a repair takes out of the catalog."""
    change(folder, "INSERT INTO passages VALUES ('e:0', 'e', 0, 1, NULL, '', 'x', '', 0)")
    assert set(problems(doctor(folder))) == {"documents", "stores"}
    assert problems(doctor(folder, repair=True)) == []
    assert_mended(folder)


def test_crash_in_the_middle_of_splitting_again_is_ended_by_the_next_open(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change is announced first, so that whoever opens the library finds and ends it."""
    name = passage_ids(folder)[3]
    change(folder, "UPDATE passages SET text = 'zebra' WHERE id = ?", name)
    library = BareParts(folder, LibrarySettings(), None)
    rebuild_stores(library, [name.split(":")[0]])  # so that the wrong text is found by its words
    assert library.lexical.search({"zebra": 1.0}, 1)
    library.close()

    def crash(*rest: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mend, "rebuild", crash)
    with pytest.raises(KeyboardInterrupt):
        doctor(folder, repair=True)
    monkeypatch.undo()
    with Library.open(folder, encoder=FakeEncoder()) as opened:
        assert opened.lexical.search({"zebra": 1.0}, 1) == []
    assert_mended(folder)


@pytest.mark.parametrize("where", ["head", "middle"])
def test_damaged_catalog_is_told_with_the_remedy(folder: Path, where: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The record of truth cannot be rebuilt: exit status 1, and the way to a backup; nothing is repaired."""
    path = folder / "catalog.sqlite"
    data = bytearray(path.read_bytes())
    start = 0 if where == "head" else len(data) // 2 // 4096 * 4096
    data[start : start + 8192] = b"rubbish!" * 1024
    path.write_bytes(data)
    before = path.read_bytes()
    assert main(["--library", str(folder), "doctor", "--repair"]) == 1
    assert "restore" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_newer_library_is_refused(folder: Path) -> None:
    """What a newer version wrote is not touched."""
    change(folder, "PRAGMA user_version = 99")
    with pytest.raises(StaleIndexError, match="schema 99"):
        doctor(folder, repair=True)


def test_other_encoder_is_a_problem(folder: Path) -> None:
    """Its vectors could not search what is stored; no vector is replaced by it."""
    findings = doctor(folder, repair=True, encoder=FakeEncoder(name="other/model@2"))
    assert problems(findings) == ["encoder"]
    assert "fake/words@1" in next(f.message for f in findings if f.name == "encoder")
    assert_mended(folder)


def test_encoder_that_cannot_be_loaded_is_a_problem(folder: Path) -> None:
    """A model that is gone is told with its remedy; the other checks are made all the same."""
    change(folder, "UPDATE meta SET value = '/no/such/model' WHERE key = 'encoder_model'")
    findings = examine(folder, LibrarySettings())
    [told] = [f for f in findings if f.state == "problem"]
    assert told.name == "encoder"
    assert "/no/such/model" in told.message
    assert {"stores", "documents"} <= {f.name for f in findings if f.state == "ok"}
    with pytest.raises(ModelUnavailableError), Library.open(folder) as library:
        library.search("berth")


def test_pending_vectors_are_no_problem_and_made_by_repair(tmp_path: Path) -> None:
    """Passages that wait for a vector are told; --repair makes them at once."""
    (tmp_path / "a.txt").write_text("The north berth opens in June.")
    folder = tmp_path / "library"
    with Library.open(folder, encoder=FakeEncoder()) as library:
        library.lexical.count()
        library.add(tmp_path / "a.txt", embed=False)
        assert library.catalog.count_pending() == 1
    findings = doctor(folder)
    assert problems(findings) == []
    assert [f.state for f in findings if f.name == "pending"] == ["note"]
    assert repaired(doctor(folder, repair=True)) == ["pending"]
    with Library.open(folder, encoder=FakeEncoder()) as library:
        assert library.catalog.count_pending() == 0


def test_sources_that_are_gone_are_named(folder: Path) -> None:
    """Their documents stay: that is worth knowing, and no problem."""
    gone = folder.parent / "docs" / "north.txt"
    gone.unlink()
    [told] = [f for f in doctor(folder, repair=True) if f.name == "sources"]
    assert told.state == "note"
    assert told.details == (str(gone),)
    assert "1 of 3" in told.message


def test_full_disk_is_a_problem(folder: Path) -> None:
    """Below the least free space nothing can be added, so it is said before that is tried."""
    findings = examine(folder, LibrarySettings(min_free_mb=10**9), encoder=FakeEncoder())
    assert problems(findings) == ["disk"]


def test_library_in_use_is_told(folder: Path) -> None:
    """While another process writes, differences between the stores are its business."""
    with WriteLock(folder / "write.lock", 0):
        findings = doctor(folder)
    assert [f.state for f in findings if f.name == "stores"] == ["note"]
    assert problems(findings) == []


def test_server_that_does_not_answer_is_told(folder: Path) -> None:
    """What cannot be reached is not repaired; everything else is looked at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        settings = LibrarySettings(vectors=f"http://127.0.0.1:{taken.getsockname()[1]}")
        findings = examine(folder, settings, encoder=FakeEncoder(), repair=True)
    [told] = [f for f in findings if f.state == "problem"]
    assert "The Chroma server http://127.0.0.1" in told.message
    assert "Check that it runs" in told.remedy
    assert repaired(findings) == []
    assert_mended(folder)


def test_command_prints_findings_and_exit_status(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For a person a line each; for programs JSON; the status is 1 until it is repaired."""
    change(folder, "UPDATE meta SET value = 'x' WHERE key = 'none'")
    change(folder, "INSERT INTO announced SELECT id FROM documents LIMIT 1")
    change(folder, "DELETE FROM meta")  # so that the shipped encoder may be used
    change(folder, "INSERT INTO meta VALUES ('labels', '1')")
    change(folder, "UPDATE passages SET digest = ''")
    assert main(["--library", str(folder), "doctor"]) == 1
    assert "PROBLEM   A change of 1 documents was left half done." in capsys.readouterr().out
    assert main(["--library", str(folder), "doctor", "--json"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert record["ok"] is False
    assert {"name", "state", "message", "remedy", "details"} == set(record["findings"][0])


def test_texts_are_compressed_as_the_checks_expect(folder: Path) -> None:
    """The checks read the catalog's rows themselves; this fails when their form changes."""
    connection = sqlite3.connect(folder / "catalog.sqlite")
    data = connection.execute("SELECT data FROM texts").fetchall()
    connection.close()
    assert any(zlib.decompress(row[0]).decode().startswith("Paragraph 0") for row in data)
