"""A library goes into one file and comes back the same, elsewhere; nothing else comes out of such a file."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index import backup as backups
from index.backup import backup
from index.bare import BareParts
from index.doctor import examine
from index.errors import ConfigError, DiskFullError, LibraryBusyError, LibraryError, StaleIndexError
from index.library import Library
from index.lock import WriteLock
from index.manifest import Manifest
from index.restore import restore
from index.settings import LibrarySettings
from tests.fakes import FakeEncoder
from tests.test_crash import assert_complete
from tests.test_crash_sync import Server
from tests.test_sync import CountingEncoder
from ui.cli import main

TOML = "[library]\ncandidates = 50\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A library with settings, an upload, a tag, a conversation and a document of an archive; closed."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "north.txt").write_text("The north berth opens in June.")
    (docs / "south.md").write_text("---\ntags: [nk]\n---\n# South\n\nThe south berth is closed for repairs.")
    (docs / "log.txt").write_text("\n\n".join(f"Entry {i} of the log tells of berth {i * 7 % 101}." for i in range(80)))
    path = tmp_path / "library"
    (path / "uploads").mkdir(parents=True)
    (path / "uploads" / "ferry ü.txt").write_text("The ferry leaves at nine.")
    (path / "dossier.toml").write_text(TOML)
    with Library.open(path, encoder=FakeEncoder()) as library:
        assert not library.sync(docs).failed
        assert not library.add(path / "uploads").failed
    return path


def save(folder: Path, file: Path, *, force: bool = False) -> Manifest:
    library = BareParts(folder, LibrarySettings(), None)
    try:
        return backup(library, file, force=force)
    finally:
        library.close()


def contents(folder: Path) -> tuple[Any, ...]:
    """All that a library holds: documents, passages, sources and vectors."""
    with Library.open(folder, encoder=FakeEncoder()) as library:
        documents = [library.document(info.id) for info in library.documents()]
        vectors = library.vectors.get(sorted(library.catalog.passage_ids()))
        return (
            [(d.id, d.title, d.text, d.tags, d.published, d.headings) for d in documents],
            {d.id: library.passages(d.id) for d in documents},
            {name: np.round(vector, 6).tolist() for name, vector in vectors.items()},
            library.vectors.digests(),
        )


def assert_sound(folder: Path) -> None:
    findings = examine(folder, LibrarySettings(), encoder=FakeEncoder())
    assert [f for f in findings if f.state == "problem"] == []


def test_library_comes_back_the_same_elsewhere(folder: Path, tmp_path: Path) -> None:
    """After the original is gone: the same documents, offsets and vectors; nothing is embedded; doctor is content."""
    before = contents(folder)
    manifest = save(folder, tmp_path / "b.dossier")
    assert (manifest.documents, manifest.vectors) == (4, manifest.passages)
    shutil.move(folder, tmp_path / "gone")
    restored = tmp_path / "new" / "place"
    told, aside = restore(tmp_path / "b.dossier", restored)
    assert (told, aside) == (manifest, None)
    counting = CountingEncoder()
    with Library.open(restored, encoder=counting) as library:
        assert library.settings.candidates == 50
        assert_complete(library)
        assert counting.encoded == []
        assert library.search("north berth opens")[0].passage.text == "The north berth opens in June."
        assert [d.title for d in library.documents(where="tag=nk")] == ["South"]
        ferry = library.document(library.search("ferry leaves")[0].passage.document_id)
        assert ferry.source == str(restored / "uploads" / "ferry ü.txt"), "an upload is found at its new place"
        assert Path(ferry.source).read_text() == "The ferry leaves at nine."
        assert library.sync(tmp_path / "docs").unchanged_files == 3
        assert library.add(restored / "uploads").unchanged == (ferry.id,)
    assert contents(restored) == before
    assert (restored / "dossier.toml").read_text() == TOML
    assert_sound(restored)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.dossier", "docs", "gone", "new"], "nothing is left behind"
    assert [p.name for p in restored.parent.iterdir()] == ["place"]


def test_pending_vectors_stay_pending(folder: Path, tmp_path: Path) -> None:
    """What had no vector when it was saved has none after, and gets one as usual."""
    (tmp_path / "more.txt").write_text("\n\n".join(f"Line {i} is about barge {i}." for i in range(50)))
    with Library.open(folder, encoder=FakeEncoder()) as library:
        library.lexical.count()
        library.add(tmp_path / "more.txt", embed=False)
        pending = library.catalog.count_pending()
    assert pending > 0
    manifest = save(folder, tmp_path / "b.dossier")
    assert manifest.vectors == manifest.passages - pending
    restore(tmp_path / "b.dossier", tmp_path / "restored")
    counting = CountingEncoder()
    with Library.open(tmp_path / "restored", encoder=counting) as library:
        assert library.catalog.count_pending() == pending
        library.embed()
        assert len(counting.encoded) == pending
        assert_complete(library)


def test_vectors_are_written_and_read_in_parts(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No part holds more than it may, so that a large library does not sit in memory."""
    monkeypatch.setattr(backups, "VECTORS_A_PART", 7)
    manifest = save(folder, tmp_path / "b.dossier")
    parts = [m for m in manifest.members if m.kind == "vectors"]
    assert len(parts) == -(-manifest.vectors // 7)
    assert all(m.size < 7 * (64 * 4 + 60) + 60 for m in parts)
    before = contents(folder)
    restore(tmp_path / "b.dossier", tmp_path / "restored")
    assert contents(tmp_path / "restored") == before


def test_empty_library_comes_back(tmp_path: Path) -> None:
    """Nothing in it is no reason to fail."""
    Library.open(tmp_path / "library", encoder=FakeEncoder()).close()
    assert save(tmp_path / "library", tmp_path / "b.dossier").documents == 0
    restore(tmp_path / "b.dossier", tmp_path / "restored")
    assert_sound(tmp_path / "restored")


# What is refused


def test_backup_replaces_no_file_unless_told(folder: Path, tmp_path: Path) -> None:
    """An older backup is not lost by a slip of the hand."""
    file = tmp_path / "b.dossier"
    file.write_text("precious")
    with pytest.raises(ConfigError, match="exists"):
        save(folder, file)
    assert file.read_text() == "precious"
    save(folder, file, force=True)
    assert zipfile.is_zipfile(file)
    with pytest.raises(ConfigError, match="does not exist"):
        save(folder, tmp_path / "none" / "b.dossier")


def test_backup_waits_for_writers(folder: Path, tmp_path: Path) -> None:
    """A snapshot in the middle of a change would hold half of it."""
    library = BareParts(folder, LibrarySettings(busy_timeout=0.1), None)
    with WriteLock(folder / "write.lock", 0), pytest.raises(LibraryBusyError):
        backup(library, tmp_path / "b.dossier")
    library.close()
    assert list(tmp_path.glob("b.dossier*")) == []


def test_full_disk_leaves_no_file(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found out before anything is written, for both directions."""
    save(folder, tmp_path / "good.dossier")
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DiskFullError, match="no room"):
        save(folder, tmp_path / "b.dossier")
    with pytest.raises(DiskFullError, match="no room"):
        restore(tmp_path / "good.dossier", tmp_path / "restored")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["docs", "good.dossier", "library"]


def test_restore_moves_what_is_there_only_if_told(folder: Path, tmp_path: Path) -> None:
    """A library in use is not replaced by a slip, and never deleted."""
    save(folder, tmp_path / "b.dossier")
    with pytest.raises(ConfigError, match="is not empty"):
        restore(tmp_path / "b.dossier", folder)
    with Library.open(folder, encoder=FakeEncoder()) as library:
        library.remove([library.documents()[0].id])
    old = contents(folder)
    _, aside = restore(tmp_path / "b.dossier", folder, force=True)
    assert aside == tmp_path / "library.before-restore-1"
    assert contents(aside) == old
    assert len(contents(folder)[0]) == 4
    assert restore(tmp_path / "b.dossier", folder, force=True)[1] == tmp_path / "library.before-restore-2"


def rewritten(source: Path, target: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Path:
    """Write a backup anew after a change of its manifest and members."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest, members)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps(manifest))
    return target


def _flip(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    name = next(n for n in members if n.startswith("vectors/"))
    members[name] = members[name][:-1] + bytes([members[name][-1] ^ 1])


def _lose(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    del members["catalog.sqlite"]


def _swell(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    members["catalog.sqlite"] += bytes(50_000_000)  # packs to nothing


def _outside(path: str) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        next(m for m in manifest["members"] if m["kind"] == "upload")["path"] = path

    return change


def _field(name: str, value: object) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    return lambda manifest, members: manifest.update({name: value})


def _member(name: str, value: object) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    return lambda manifest, members: manifest["members"][0].update({name: value})


@pytest.mark.parametrize(
    "change",
    [
        _flip, _lose, _swell, _outside("../../evil.txt"), _outside("/tmp/evil.txt"), _outside("a/../../../evil"),
        _outside("C:\\evil"), _outside(".. /evil"), _outside(""), _outside("a\0b"), _field("format", "other"),
        _field("members", None), _field("members", []), _field("members", [1]), _field("documents", 99),
        _field("documents", "x"), _field("library", 3), _member("size", -1), _member("size", 10), _member("size", "9"),
        _member("kind", "shell"), _member("sha256", "0" * 64), _member("sha256", ""), _member("name", "../catalog"),
        _member("extra", 1),
    ],
)  # fmt: skip
def test_damaged_or_hostile_backup_is_refused(
    folder: Path, tmp_path: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]
) -> None:
    """It is told as damaged; nothing is made, neither in the library's place nor anywhere else."""
    file = rewritten(_saved(folder), tmp_path / "b.dossier", change)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(LibraryError, match="is damaged or cut short"):
        restore(file, tmp_path / "restored")
    assert sorted(tmp_path.rglob("*")) == before
    assert not Path("/tmp/evil.txt").exists()


def _saved(folder: Path) -> Path:
    file = folder.parent / "good.dossier"
    save(folder, file)
    return file


def test_every_truncation_and_flipped_byte_is_noticed(folder: Path, tmp_path: Path) -> None:
    """Wherever a file ends early or a byte of it is wrong, it is told, or makes no difference to what comes out."""
    good = _saved(folder).read_bytes()
    before = contents(folder)
    rng = random.Random(3)
    file = tmp_path / "b.dossier"
    for number in range(24):
        if number % 2:
            file.write_bytes(good[: rng.randrange(len(good))])
        else:
            at = rng.randrange(len(good))
            file.write_bytes(good[:at] + bytes([good[at] ^ (1 << rng.randrange(8))]) + good[at + 1 :])
        target = tmp_path / f"restored-{number}"
        try:
            restore(file, target)
        except LibraryError:
            assert not target.exists()
        else:
            assert number % 2 == 0, "a file that was cut short was taken as whole"
            assert contents(target) == before
    for other in ("not a backup", ""):
        file.write_text(other)
        with pytest.raises(LibraryError, match="damaged or cut short"):
            restore(file, tmp_path / "restored")
    with pytest.raises(ConfigError, match="There is no file"):
        restore(tmp_path / "none", tmp_path / "restored")


@pytest.mark.parametrize(("name", "value"), [("version", 2), ("schema", 99)])
def test_backup_of_a_newer_version_is_refused(folder: Path, tmp_path: Path, name: str, value: int) -> None:
    """It says that Dossier is to be upgraded, not that the file is damaged."""
    file = rewritten(_saved(folder), tmp_path / "b.dossier", _field(name, value))
    with pytest.raises(StaleIndexError, match="newer version"):
        restore(file, tmp_path / "restored")


def test_catalog_that_is_damaged_inside_is_refused(folder: Path, tmp_path: Path) -> None:
    """Hashes only say that it is what was written; that it is a catalog is looked at as well."""

    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        data = b"x" * 10_000
        members["catalog.sqlite"] = data
        entry = next(m for m in manifest["members"] if m["kind"] == "catalog")
        entry.update(size=len(data), sha256=hashlib.sha256(data).hexdigest())

    file = rewritten(_saved(folder), tmp_path / "b.dossier", change)
    with pytest.raises(LibraryError, match="not a Dossier catalog or is damaged"):
        restore(file, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()
    assert not list(tmp_path.glob("*.restoring-*"))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"[]\n", b"[" * 100_000 + b"\n", b'{"ids": [], "digests": []}\n',
        b'{"ids": [1], "digests": ["x"], "dimension": 1}\n0000',
        b'{"ids": [[]], "digests": ["x"], "dimension": 1}\n0000',
        b'{"ids": ["a"], "digests": ["x"], "dimension": 9}\n0000',
        b'{"ids": ["a"], "digests": [], "dimension": 1}\n0000',
        b'{"ids": ["a", "a"], "digests": ["x", "x"], "dimension": 1}\n00000000',
    ],
)  # fmt: skip
def test_part_of_vectors_that_is_none_is_refused(folder: Path, tmp_path: Path, data: bytes) -> None:
    """Even with the right hash: what is in a part is looked at as well."""

    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        entry = next(m for m in manifest["members"] if m["kind"] == "vectors")
        members[entry["name"]] = data
        entry.update(size=len(data), sha256=hashlib.sha256(data).hexdigest())

    file = rewritten(_saved(folder), tmp_path / "b.dossier", change)
    with pytest.raises(LibraryError, match="holds no vectors"):
        restore(file, tmp_path / "restored")
    assert not list(tmp_path.glob("restored*"))


# Killed, on a server, from the command line

KILLED = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from index.restore import restore
print("ready", flush=True)
restore(Path({file!r}), Path({target!r}), force=True)
"""


@pytest.mark.crash
def test_kill_in_the_middle_of_restoring_leaves_the_target_as_it_was(folder: Path, tmp_path: Path) -> None:
    """kill -9 at random moments: the library is the old one or the new one, and both are sound."""
    save(folder, tmp_path / "b.dossier")
    with Library.open(folder, encoder=FakeEncoder()) as library:
        library.remove([library.documents()[0].id])
    code = KILLED.format(root=os.getcwd(), file=str(tmp_path / "b.dossier"), target=str(folder))
    rng = random.Random(1)
    sizes = []
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(rng.random() * 1.5)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with Library.open(folder, encoder=FakeEncoder()) as library:
            sizes.append(len(library))
            assert_complete(library)
    assert set(sizes) <= {3, 4}
    assert sizes[0] == 3 or len(list(tmp_path.glob("library.before-restore-*"))) >= 1


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a Chroma server."""
    running = Server(tmp_path / "server")
    running.start()
    yield running.address
    running.kill()


def test_vectors_go_to_the_server_of_the_settings(folder: Path, tmp_path: Path, server: str) -> None:
    """Restored twice to one server, each library has vectors of its own; from there they come back as well."""
    file = _saved(folder)
    before = contents(folder)
    config = tmp_path / "server.toml"
    config.write_text(f'[library]\nvectors = "{server}"\n')
    for name in ("one", "two"):
        restore(file, tmp_path / name, config=config)
    settings = LibrarySettings(vectors=server)
    with Library.open(tmp_path / "one", settings=settings, encoder=FakeEncoder()) as library:
        library.remove([info.id for info in library.documents()])
    with Library.open(tmp_path / "two", settings=settings, encoder=FakeEncoder()) as library:
        assert library.vectors.digests() == before[3]
        assert not (tmp_path / "two" / "vectors").exists()
        again = tmp_path / "again.dossier"
        backup(library, again)
    restore(again, tmp_path / "three", config=config)
    with Library.open(tmp_path / "three", settings=settings, encoder=FakeEncoder()) as library:
        library.remove([info.id for info in library.documents()])
    counting = CountingEncoder()
    with Library.open(tmp_path / "two", settings=settings, encoder=counting) as library:
        assert library.vectors.digests() == before[3]
    assert counting.encoded == [], "a copy shares its vectors with what it is a copy of"
    restore(again, tmp_path / "local")
    assert contents(tmp_path / "local") == before


def test_commands_tell_what_they_did(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for a person, JSON for programs; errors with a remedy and exit status 1."""
    file = str(tmp_path / "b.dossier")
    assert main(["--library", str(folder), "backup", file]) == 0
    assert "4 documents" in capsys.readouterr().out
    assert main(["--library", str(folder), "backup", file]) == 1
    assert "--force" in capsys.readouterr().err
    assert main(["--library", str(folder), "backup", file, "--force", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["bytes"] == os.path.getsize(file)
    assert main(["--library", str(tmp_path / "new"), "restore", file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["documents"] == 4
    assert main(["--library", str(tmp_path / "new"), "restore", file]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert main(["--library", str(tmp_path / "new"), "restore", file, "--force"]) == 0
    assert "new.before-restore-1" in capsys.readouterr().out
    assert main(["--library", str(tmp_path / "none"), "backup", str(tmp_path / "c")]) == 1
    assert "There is no library" in capsys.readouterr().err


def test_backup_is_a_snapshot_while_others_read_and_write(folder: Path, tmp_path: Path) -> None:
    """A reader's open transaction, with changes still in the write-ahead log, does not get in the way."""
    reader = sqlite3.connect(folder / "catalog.sqlite")
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM documents").fetchone() == (4,)
    with Library.open(folder, encoder=FakeEncoder()) as library:
        library.remove([library.documents()[0].id])
        assert backup(library, tmp_path / "b.dossier").documents == 3
    reader.close()
    restore(tmp_path / "b.dossier", tmp_path / "restored")
    assert len(contents(tmp_path / "restored")[0]) == 3
