"""The library keeps its three stores in step and explains whatever it is given."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from index.errors import (
    ConfigError,
    DiskFullError,
    DocumentError,
    DossierError,
    EmptyDocumentError,
    LibraryBusyError,
    LibraryError,
    NoLibraryError,
    StaleIndexError,
)
from index.ingest import SourceText
from index.library import Library
from index.lock import WriteLock
from index.parse import document_id, read_parts
from index.settings import LibrarySettings, load_settings
from tests.conftest import DATA, ROOT
from tests.fakes import FakeEncoder


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def assert_in_step(library: Library) -> None:
    expected = library.catalog.passage_ids()
    assert sorted(library.lexical.ids()) == sorted(expected)
    assert library.vectors.ids() == expected


def test_added_file_is_found_with_exact_offsets(library: Library, tmp_path: Path) -> None:
    """What goes in comes out: a hit's text is the document's text between its offsets."""
    path = write(tmp_path, "berth.txt", "Berth report\n\nThe north berth opens in June. The crane is broken.")
    report = library.add(path)
    assert (len(report.added), report.failed) == (1, ())
    hit = library.search("north berth")[0]
    document = library.document(hit.passage.document_id)
    assert document.text[hit.passage.start : hit.passage.end] == hit.passage.text
    assert (document.title, document.source) == ("Berth report", str(path))
    assert_in_step(library)


def test_unchanged_file_is_left_alone_and_changed_file_replaced(library: Library, tmp_path: Path) -> None:
    """The same bytes are not read twice; new bytes at a known path take the place of the old."""
    path = write(tmp_path, "a.txt", "The ferry runs twice a day.")
    old = library.add(path).added[0]
    assert library.add(path).unchanged == (old,)
    write(tmp_path, "a.txt", "The ferry runs three times a day.")
    new = library.add(path).updated[0]
    assert [d.id for d in library.documents()] == [new] != [old]
    assert "three" in library.search("ferry")[0].passage.text
    assert_in_step(library)


def test_same_bytes_under_two_paths_are_stored_once(library: Library, tmp_path: Path) -> None:
    """A copy adds a source, not a document; a moved file keeps its document."""
    first, second = write(tmp_path, "a.txt", "One text."), write(tmp_path, "b.txt", "One text.")
    library.add([first, second])
    (info,) = library.documents()
    assert set(library.catalog.sources_of(info.id)) == {str(first), str(second)}  # whichever was read first
    write(tmp_path, "a.txt", "Another text.")
    library.add([first, second])
    assert len(library) == 2
    assert_in_step(library)


def test_document_that_moved_in_the_same_call_stays(library: Library, tmp_path: Path) -> None:
    """Old bytes that leave one path and turn up at another in one call are not lost."""
    first = write(tmp_path, "a.txt", "Old words.")
    library.add(first)
    second = write(tmp_path, "b.txt", "Old words.")
    write(tmp_path, "a.txt", "New words.")
    library.add([first, second])
    assert {library.document(d.id).text for d in library.documents()} == {"Old words.", "New words."}
    assert_in_step(library)


def test_removed_document_is_gone_from_all_stores(library: Library, tmp_path: Path) -> None:
    """Removal takes an abbreviated id; an unknown one removes nothing."""
    library.add([write(tmp_path, "a.txt", "Alpha text."), write(tmp_path, "b.txt", "Beta text.")])
    keep, drop = (d.id for d in library.documents())
    with pytest.raises(DocumentError, match="no document 'zz'"):
        library.remove([drop, "zz"])
    assert len(library) == 2
    library.remove([drop[:8]])
    assert [d.id for d in library.documents()] == [keep]
    assert_in_step(library)


def test_one_bad_file_never_stops_a_batch(library: Library) -> None:
    """Every bad file is reported with its reason and remedy, every good one is added."""
    report = library.add([DATA / "bad", DATA / "bad" / "unknown.xyz", DATA / "formats"])
    reasons = {Path(f.source).name: f.error for f in report.failed}
    assert reasons == {
        "binary.txt": "UnreadableDocumentError",
        "blank.txt": "EmptyDocumentError",
        "broken.docx": "UnreadableDocumentError",
        "broken.eml": "UnreadableDocumentError",
        "empty.txt": "EmptyDocumentError",
        "encrypted.pdf": "UnreadableDocumentError",
        "image-only.pdf": "EmptyDocumentError",
        "png-as.pdf": "UnreadableDocumentError",
        "truncated.pdf": "UnreadableDocumentError",
        "unknown.xyz": "UnsupportedFormatError",
    }
    assert all(f.message and f.remedy for f in report.failed)
    expected = {
        document_id(part.data)
        for path in (DATA / "formats").iterdir()
        for part in read_parts(path, path.read_bytes(), LibrarySettings())
    }
    assert set(report.added) == expected
    assert_in_step(library)


def test_missing_path_is_reported_and_the_rest_added(library: Library, tmp_path: Path) -> None:
    """A path that does not exist is a failure of its own."""
    report = library.add([tmp_path / "nowhere.txt", write(tmp_path, "a.txt", "Some text.")])
    assert [f.error for f in report.failed] == ["UnreadableDocumentError"]
    assert len(report.added) == 1


def test_folder_without_readable_file_says_so(library: Library, tmp_path: Path) -> None:
    """Nothing to add is an error that names the supported endings."""
    write(tmp_path / "pictures", "a.png", "x")
    with pytest.raises(EmptyDocumentError, match="no file of a supported format"):
        library.add(tmp_path / "pictures")


def test_files_of_unknown_format_in_a_folder_are_counted(library: Library, tmp_path: Path) -> None:
    """Passed-over files are mentioned, not hidden."""
    write(tmp_path / "docs", "a.txt", "Text here.")
    write(tmp_path / "docs", "b.png", "x")
    assert library.add(tmp_path / "docs").notes == (
        ("", "Files of formats Dossier does not read were passed over: 1 .png."),
    )


def test_hundred_megabyte_text_is_refused_before_it_is_read(library: Library, tmp_path: Path) -> None:
    """Over the limit: the size, the limit and the setting are named."""
    path = tmp_path / "huge.txt"
    with path.open("wb") as stream:
        stream.truncate(100 * 2**20)
    (failure,) = library.add(path).failed
    assert failure.error == "DocumentTooLargeError"
    assert "100 MiB" in failure.message
    assert "max_file_mb" in failure.remedy


@pytest.mark.parametrize("name", ["two\nlines.txt", "..hidden..txt", "a;b'c\"d`$(e).txt", "über 東京.txt", "-flag.txt"])
def test_strange_names_are_only_names(library: Library, tmp_path: Path, name: str) -> None:
    """A file's name reaches the catalog whole and the title as one printable line."""
    (tmp_path / name).write_text("The harbour is calm.", encoding="utf-8")
    report = library.add(tmp_path / name)
    (info,) = library.documents()
    assert not report.failed
    assert info.title.isprintable()
    assert info.source == str(tmp_path / name)


def test_path_with_dots_is_resolved(library: Library, tmp_path: Path) -> None:
    """`../` in a path leads to the same source as the straight path."""
    path = write(tmp_path, "a.txt", "Some text.")
    library.add(tmp_path / "x" / ".." / "a.txt") if (tmp_path / "x").mkdir() is None else None
    assert library.documents()[0].source == str(path)


def test_library_of_a_newer_version_is_refused_and_untouched(library: Library) -> None:
    """A newer schema is named, with what to do."""
    library.close()
    with sqlite3.connect(library.path / "catalog.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StaleIndexError, match="newer version of Dossier") as caught:
        Library.open(library.path, encoder=FakeEncoder())
    assert "Upgrade" in caught.value.remedy


def test_library_refuses_another_encoder(library: Library, tmp_path: Path) -> None:
    """Vectors of two encoders do not mix; the error names both and the remedy."""
    library.add(write(tmp_path, "a.txt", "Some text."))
    with pytest.raises(StaleIndexError, match=r"fake/words@1.*other/model"):
        Library.open(library.path, encoder=FakeEncoder(name="other/model"))
    with pytest.raises(StaleIndexError, match="some-model"):
        Library.open(library.path, settings=LibrarySettings(encoder="some-model"))


def test_file_that_is_no_catalog_is_explained(tmp_path: Path) -> None:
    """A damaged catalog is not a traceback."""
    (tmp_path / "catalog.sqlite").write_bytes(b"this is not a database" * 100)
    with pytest.raises(LibraryError, match="not a Dossier catalog"):
        Library.open(tmp_path)


def test_missing_library_is_not_made_by_reading(tmp_path: Path) -> None:
    """Reading verbs name the command that makes a library."""
    with pytest.raises(NoLibraryError, match="no library") as caught:
        Library.open(tmp_path / "none", create=False)
    assert "add" in caught.value.remedy
    assert not (tmp_path / "none").exists()


def test_second_writer_waits_and_then_says_who_is_in_the_way(library: Library, tmp_path: Path) -> None:
    """While another process writes, adding waits its time and gives up without changing anything."""
    path = write(tmp_path, "a.txt", "Some text.")
    library.settings = LibrarySettings(busy_timeout=0.2)
    with WriteLock(library.path / "write.lock", 0), pytest.raises(LibraryBusyError, match=r"did not finish in 0\.2 s"):
        library.add(path)
    assert len(library) == 0
    assert library.add(path).added


def test_number_of_vectors_is_told_from_chromas_table_or_by_chroma(library: Library, tmp_path: Path) -> None:
    """Opening does not wait for the graph to be read; where the table lags or is not there, Chroma counts."""
    library.add(write(tmp_path, "a.txt", "The berth is open.\n\n" * 40))
    number, vectors = library.catalog.count()[1], library.vectors
    vectors.search(library.encoder.encode(["berth"])[0], 1)
    assert vectors._rows() == number
    assert vectors.holds(number, number)
    assert not vectors.holds(number + 1, number + 9)
    vectors._rows = lambda: -1  # type: ignore[method-assign]
    assert vectors.holds(number, number)
    assert not vectors.holds(0, number - 1)


def test_lock_let_go_is_free_although_a_child_holds_a_copy_of_it(tmp_path: Path) -> None:
    """Another thread may fork at any moment, and its child then has the descriptor until it starts its program."""
    with WriteLock(tmp_path / "write.lock", 0) as lock:
        assert lock._descriptor is not None
        copy = os.dup(lock._descriptor)  # what a fork does
        with pytest.raises(LibraryBusyError), WriteLock(tmp_path / "write.lock", 0):
            pass
    try:
        with WriteLock(tmp_path / "write.lock", 0):
            pass
    finally:
        os.close(copy)


@pytest.mark.timeout(120)
def test_two_processes_adding_at_once_lose_nothing(tmp_path: Path) -> None:
    """Both finish, one after the other, and every document is there once."""
    for who in "ab":
        for number in range(30):
            write(tmp_path / who, f"{number}.txt", f"Process {who} wrote about berth {number}.")
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from index.library import Library\nfrom tests.fakes import FakeEncoder\n"
        f"report = Library.open({str(tmp_path / 'library')!r}, encoder=FakeEncoder()).add(sys.argv[1])\n"
        "assert len(report.added) == 30, report\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / who)]) for who in "ab"]
    assert [w.wait() for w in writers] == [0, 0]
    with Library.open(tmp_path / "library", encoder=FakeEncoder()) as library:
        assert len(library) == 60
        assert_in_step(library)


def test_full_disk_is_named_before_anything_is_written(library: Library, tmp_path: Path) -> None:
    """Too little free space stops adding with the figure; what is stored stays usable."""
    library.add(write(tmp_path, "a.txt", "The berth is open."))
    library.settings = LibrarySettings(min_free_mb=10**9)
    with pytest.raises(DiskFullError, match="MiB are free"):
        library.add(write(tmp_path, "b.txt", "More text."))
    assert library.search("berth")[0].passage.text == "The berth is open."


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
def test_write_error_in_the_middle_keeps_what_was_stored(tmp_path: Path) -> None:
    """When the disk refuses a write half-way, the error is a DossierError and the old state opens again."""
    write(tmp_path, "a.txt", "The berth is open.")
    for number in range(200):
        write(tmp_path / "more", f"{number}.txt", f"Crane {number} lifts load {number}. " * 40)
    code = (
        f"import resource, signal, sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from index.errors import DossierError\nfrom index.library import Library\n"
        "from tests.fakes import FakeEncoder\n"
        f"library = Library.open({str(tmp_path / 'library')!r}, encoder=FakeEncoder())\n"
        f"library.add({str(tmp_path / 'a.txt')!r})\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        "try:\n"
        f"    library.add({str(tmp_path / 'more')!r})\n"
        "except DossierError as error:\n"
        "    print(type(error).__name__, '|', error.message, '|', error.remedy)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert "Error |" in done.stdout, done.stderr
    with Library.open(tmp_path / "library", encoder=FakeEncoder()) as library:
        assert "The berth is open." in [library.document(d.id).text for d in library.documents()]
        assert_in_step(library)


def test_texts_without_files_are_added_like_files(library: Library) -> None:
    """Rows of a data set keep their source and title; an empty one is a failure, not a crash."""
    report = library.add_texts([SourceText("row-1", "Berth nine is closed.", "Row"), SourceText("row-2", "  ")])
    assert (len(report.added), [f.source for f in report.failed]) == (1, ["row-2"])
    assert library.documents()[0].source == "row-1"


def test_abbreviated_id_must_be_unambiguous(library: Library, tmp_path: Path) -> None:
    """Two candidates are an error, as is none."""
    library.add([write(tmp_path, f"{i}.txt", f"Text number {i}.") for i in range(40)])
    first = {d.id[0] for d in library.documents()}
    shared = next(c for c in first if sum(d.id[0] == c for d in library.documents()) > 1)
    with pytest.raises(DocumentError, match="begins with"):
        library.document(shared)
    with pytest.raises(DocumentError, match="no document ''"):
        library.document("")


def test_settings_come_from_file_then_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment wins over the file; unknown names and wrong types are refused with a suggestion."""
    file = write(tmp_path, "dossier.toml", "[library]\nchunk_size = 120\ncandidates = 50\n")
    monkeypatch.setenv("DOSSIER_LIBRARY_CHUNK_SIZE", "90")
    settings = load_settings(LibrarySettings, "library", library=tmp_path)
    assert (settings.chunk_size, settings.candidates) == (90, 50)
    file.write_text("[library]\nchunk_sise = 1\n")
    with pytest.raises(ConfigError, match="chunk_sise") as caught:
        load_settings(LibrarySettings, "library", library=tmp_path)
    assert caught.value.remedy == "Did you mean 'chunk_size'?"
    file.write_text('[library]\nchunk_size = "many"\n')
    with pytest.raises(ConfigError, match="not a whole number"):
        load_settings(LibrarySettings, "library", library=tmp_path)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(LibrarySettings, "library", config=tmp_path / "none.toml")


def test_errors_survive_pickling() -> None:
    """Errors cross process borders with message and remedy."""
    import pickle

    error = pickle.loads(pickle.dumps(EmptyDocumentError("Empty.", remedy="Fill it.")))
    assert isinstance(error, DossierError)
    assert (error.message, error.remedy) == ("Empty.", "Fill it.")


def test_library_can_be_copied_as_a_folder(library: Library, tmp_path: Path) -> None:
    """A closed library is only its files."""
    library.add(write(tmp_path, "a.txt", "The berth is open."))
    library.close()
    shutil.copytree(library.path, tmp_path / "copy")
    with Library.open(tmp_path / "copy", encoder=FakeEncoder()) as copy:
        assert copy.search("berth")
