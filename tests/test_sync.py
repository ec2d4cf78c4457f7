"""A library follows its folders: new, changed, moved and deleted files, with as little work as possible."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.errors import ConfigError, DocumentError
from index.library import Library
from index.types import AddReport
from tests.fakes import FakeEncoder
from tests.test_crash import assert_stores_agree


class CountingEncoder(FakeEncoder):
    """A fake that remembers how many texts it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        self.encoded.extend(texts)
        return super().encode(texts, progress=progress)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "reports").mkdir(parents=True)
    (folder / "north.txt").write_text("The north berth opens in June.")
    (folder / "south.md").write_text("# South\n\nThe south berth is closed for repairs.")
    (folder / "reports" / "crane.html").write_text("<html><title>Crane</title><p>The crane was tested on Monday.</p>")
    return folder


@pytest.fixture
def counting(tmp_path: Path) -> CountingEncoder:
    return CountingEncoder()


@pytest.fixture
def synced(tmp_path: Path, docs: Path, counting: CountingEncoder) -> Iterator[Library]:
    with Library.open(tmp_path / "library", encoder=counting) as library:
        report = library.sync(docs)
        assert len(report.added) == 3
        assert not report.failed
        counting.encoded.clear()
        yield library


def source_of(library: Library, document_id: str) -> str:
    return library.document(document_id).source


def nothing_changed(report: AddReport) -> bool:
    return not (report.added or report.updated or report.removed or report.moved or report.embedded)


def test_unchanged_folder_is_not_read_again(synced: Library, docs: Path) -> None:
    """A second sync does nothing; so does one that names no folder, and one that compares the bytes."""
    for report in (synced.sync(docs), synced.sync(), synced.sync(docs, check=True)):
        assert nothing_changed(report)
        assert report.unchanged_files == 3
        assert len(report.unchanged) == 3


def test_new_file_is_added_and_deleted_one_removed(synced: Library, docs: Path, counting: CountingEncoder) -> None:
    """The library holds what the folder holds."""
    gone = synced.search("south berth closed")[0].passage.document_id
    counting.encoded.clear()
    (docs / "south.md").unlink()
    (docs / "ferry.txt").write_text("The ferry leaves at nine.")
    report = synced.sync(docs)
    assert report.removed == (gone,)
    assert [source_of(synced, i) for i in report.added] == [str(docs / "ferry.txt")]
    assert len(counting.encoded) == 1
    assert_stores_agree(synced)


def test_touched_file_is_unchanged(synced: Library, docs: Path, counting: CountingEncoder) -> None:
    """A new time stamp alone changes nothing, and is remembered."""
    os.utime(docs / "north.txt", ns=(10**18, 10**18))
    report = synced.sync(docs)
    assert nothing_changed(report)
    assert counting.encoded == []
    record = synced.ledger.file(str(docs / "north.txt"))
    assert record is not None
    assert record.modified == 10**18


def test_moved_file_keeps_its_vectors(synced: Library, docs: Path, counting: CountingEncoder) -> None:
    """The same bytes at a new path are the same document; nothing is embedded."""
    before = {info.id for info in synced.documents()}
    shutil.move(docs / "north.txt", docs / "reports" / "berth.txt")
    report = synced.sync(docs)
    assert report.moved == ((str(docs / "north.txt"), str(docs / "reports" / "berth.txt")),)
    assert not (report.added)
    assert not (report.removed)
    assert not (report.duplicates)
    assert {info.id for info in synced.documents()} == before
    assert counting.encoded == []
    found = synced.search("north berth opens")[0].passage.document_id
    assert synced.catalog.sources_of(found) == [str(docs / "reports" / "berth.txt")]


def test_swapped_files_keep_their_vectors(synced: Library, docs: Path, counting: CountingEncoder) -> None:
    """Two files that change places cost nothing."""
    (docs / "a.txt").write_text("First text of two.")
    (docs / "b.txt").write_text("Second text, another one.")
    synced.sync(docs)
    counting.encoded.clear()
    before = {info.id for info in synced.documents()}
    (docs / "a.txt").rename(docs / "c")
    (docs / "b.txt").rename(docs / "a.txt")
    (docs / "c").rename(docs / "b.txt")
    report = synced.sync(docs, check=True)
    assert not (report.added)
    assert not (report.removed)
    assert not (report.updated)
    assert {info.id for info in synced.documents()} == before
    assert counting.encoded == []
    assert_stores_agree(synced)


def test_file_that_moves_as_its_place_is_taken_keeps_its_vectors(
    synced: Library, docs: Path, counting: CountingEncoder
) -> None:
    """The old bytes go to a new path while the old path gets new ones."""
    (docs / "north.txt").rename(docs / "archive.txt")
    (docs / "north.txt").write_text("The north berth is full.")
    report = synced.sync(docs)
    assert len(report.updated) == 1
    assert not report.removed
    assert len(counting.encoded) == 1
    assert len(synced) == 4
    assert_stores_agree(synced)


def test_changed_paragraph_of_a_long_document_embeds_few_passages(
    synced: Library, docs: Path, counting: CountingEncoder
) -> None:
    """Of a document of 300 pages with one changed paragraph, fewer than five passages are embedded."""
    paragraphs = [
        f"Paragraph {i} of the log tells that berth {i * 7 % 101} took {i * 13 % 97} vessels and {i % 29} barges. "
        f"The master of vessel {i * 31 % 211} reported wind from the north at force {i % 9}. "
        f"No damage was found on hull {i * 17 % 307} after the inspection in week {i % 52}."
        for i in range(3_000)
    ]
    for ending in ("txt", "md"):
        log = docs / f"log.{ending}"
        log.write_text("\n\n".join([f"A log in {ending}.", *paragraphs]))
        first = synced.sync(docs)
        assert first.passages > 2_000
        counting.encoded.clear()
        changed = [f"A log in {ending}.", *paragraphs]
        changed[1_500] = "This paragraph was rewritten: a fire on the pier closed three berths for a whole month."
        log.write_text("\n\n".join(changed))
        report = synced.sync(docs)
        assert len(report.updated) == 1
        assert 0 < report.embedded < 5
        assert len(counting.encoded) == report.embedded
        assert report.reused >= first.passages - 5
        hit = synced.search("fire on the pier closed three berths")[0].passage
        assert hit.text == synced.document(hit.document_id).text[hit.start : hit.end]
        assert_stores_agree(synced)


def test_exact_duplicate_is_stored_once_with_both_sources(synced: Library, docs: Path) -> None:
    """A copy adds a source; the document stays until the last of them is gone."""
    shutil.copy(docs / "north.txt", docs / "copy.txt")
    report = synced.sync(docs)
    [(source, name)] = report.duplicates
    assert source == str(docs / "copy.txt")
    assert sorted(synced.catalog.sources_of(name)) == [str(docs / "copy.txt"), str(docs / "north.txt")]
    (docs / "north.txt").unlink()
    assert synced.sync(docs).removed == ()
    assert synced.catalog.sources_of(name) == [str(docs / "copy.txt")]
    (docs / "copy.txt").unlink()
    assert synced.sync(docs).removed == (name,)


def test_dry_run_tells_what_sync_does_and_changes_nothing(synced: Library, docs: Path) -> None:
    """The lists of a dry run are those of the sync after it."""
    (docs / "new.txt").write_text("Something new.")
    (docs / "north.txt").write_text("The north berth opens in July.")
    (docs / "south.md").rename(docs / "south2.md")
    (docs / "reports" / "crane.html").unlink()
    before = synced.catalog.passage_ids()
    told = synced.sync(docs, dry_run=True)
    assert synced.catalog.passage_ids() == before
    assert told.dry_run
    done = synced.sync(docs)
    assert told.added == tuple(source_of(synced, i) for i in done.added)
    assert told.updated == tuple(source_of(synced, i) for i in done.updated)
    assert (told.moved, told.removed) == (done.moved, done.removed)
    assert len(told.moved) == len(told.removed) == 1


def test_folder_that_vanished_or_is_empty_removes_nothing(synced: Library, docs: Path, tmp_path: Path) -> None:
    """An unmounted disk must not empty the library; who means it says so."""
    docs.rename(tmp_path / "elsewhere")
    with pytest.raises(DocumentError, match="does not exist; nothing was changed"):
        synced.sync(docs)
    docs.mkdir()
    with pytest.raises(DocumentError, match="the library has 3 of its files; nothing was changed"):
        synced.sync(docs)
    assert len(synced) == 3
    assert len(synced.sync(docs, allow_empty=True).removed) == 3
    assert_stores_agree(synced)


def test_sync_of_no_folder_says_so(library: Library) -> None:
    """Nothing was ever synced, so there is nothing to follow."""
    with pytest.raises(ConfigError, match="No folder is named"):
        library.sync()


def test_other_folders_are_left_alone(synced: Library, tmp_path: Path) -> None:
    """Only what lies in the folder can be gone from it, even where one name begins like another."""
    other = tmp_path / "docs-more"
    other.mkdir()
    (other / "x.txt").write_text("Another folder.")
    synced.sync(other)
    (other / "x.txt").unlink()
    (other / "y.txt").write_text("Still here.")
    report = synced.sync(other)
    assert len(report.removed) == 1
    assert len(synced) == 4


def test_file_that_fails_is_told_again_and_tried_when_it_changes(synced: Library, docs: Path) -> None:
    """A failure is not forgotten by the next sync, and goes when the file is mended."""
    (docs / "broken.pdf").write_bytes(b"%PDF-1.4 nothing more")
    first = synced.sync(docs)
    again = synced.sync(docs)
    assert [f.source for f in first.failed] == [str(docs / "broken.pdf")]
    assert again.failed == first.failed
    (docs / "broken.pdf").unlink()
    assert synced.sync(docs).failed == ()


def test_changed_file_that_cannot_be_read_keeps_its_old_state(synced: Library, docs: Path) -> None:
    """Half-written files happen; what was known stays until the file can be read again."""
    before = synced.search("north berth opens")[0].passage.document_id
    (docs / "north.txt").write_bytes(bytes(range(32)) * 100)
    report = synced.sync(docs)
    assert len(report.failed) == 1
    assert synced.search("north berth opens")[0].passage.document_id == before


def test_near_duplicates_are_linked_and_folded(synced: Library, docs: Path) -> None:
    """A syndicated story is found once, with the other paper beside it; one with another number is not folded."""
    story = (
        "A freighter ran aground off the cape on Sunday night after its engine failed in heavy seas. Tugs from the "
        "harbour reached it before dawn and held it clear of the rocks until the tide rose. The coastguard said that "
        "nobody of the crew of 19 was hurt, and that no oil had been seen on the water around the ship by noon. "
        "The owner sent divers to look at the hull before the ship may go on to the yard under its own power."
    )
    (docs / "herald.txt").write_text(f"The Herald\n\n{story}")
    (docs / "courier.txt").write_text(f"The Courier\n\n{story}")
    (docs / "later.txt").write_text(f"The Courier, later\n\n{story.replace('19', '21')}")
    report = synced.sync(docs)
    assert len(report.near) == 3
    hits = synced.search("Was anybody of the crew hurt when the freighter ran aground?", 10)
    about = [h for h in hits if "crew of" in h.passage.text]
    assert len(about) == 2
    assert sorted(len(h.also) for h in about) == [0, 1]


def test_tags_and_headings_are_kept(synced: Library, docs: Path) -> None:
    """What a document states about itself comes back with it."""
    (docs / "tagged.md").write_text("---\ntags: [port, news]\n---\n# First\n\nText of it.\n\n## Second\n\nMore.\n")
    [name] = synced.sync(docs).added
    document = synced.document(name)
    assert document.tags == ("news", "port")
    assert [(h.title, h.level) for h in document.headings] == [("First", 1), ("Second", 2)]
    assert [info.id for info in synced.documents(where="tag=port")] == [name]
