"""Reading and embedding on Ray gives the library that a plain sync gives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from index.errors import LibraryError
from index.library import Library
from tests.conftest import DATA, ROOT

SYNC = """
import json, sys
sys.path.insert(0, sys.argv[1])
import ray
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
from index.library import Library
steps = []
with Library.open(sys.argv[2]) as library:
    report = library.sync(sys.argv[3], steps.append, ray="auto")
    told = {"added": len(report.added), "failed": [f.source for f in report.failed], "embedded": report.embedded}
    print(json.dumps({**told, "pending": report.pending, "stages": sorted({s.stage for s in steps})}))
"""


def contents(library: Library) -> dict[str, list[str]]:
    return {info.id: [p.text for p in library.passages(info.id)] for info in library.documents()}


@pytest.mark.timeout(240)
def test_sync_on_two_ray_workers_equals_a_plain_sync(tmp_path: Path) -> None:
    """The same documents, passages and vectors; a file that cannot be read is reported; nothing is left to do."""
    pytest.importorskip("ray", reason="the ray extra is not installed")
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("guide.md", "note.txt", "page.html", "report.pdf"):
        (docs / name).write_bytes((DATA / "formats" / name).read_bytes())
    (docs / "broken.pdf").write_bytes(b"%PDF-1.4 nothing more")
    command = [sys.executable, "-c", SYNC, str(ROOT), str(tmp_path / "ray"), str(docs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.strip().splitlines()[-1])
    assert report["added"] == 4
    assert report["failed"] == [str(docs / "broken.pdf")]
    assert report["pending"] == 0
    assert report["stages"] == ["embed", "read"]
    with Library.open(tmp_path / "plain") as plain, Library.open(tmp_path / "ray") as other:
        plain.sync(docs)
        assert contents(other) == contents(plain)
        assert report["embedded"] == plain.catalog.count()[1]
        assert other.catalog.digests_of() == plain.catalog.digests_of()
        ids = sorted(plain.catalog.passage_ids())
        one, two = plain.vectors.get(ids), other.vectors.get(ids)
        assert min(float(np.dot(one[i], two[i])) for i in ids) > 0.98  # 8-bit vectors depend a little on their batch
        assert other.sync(docs).unchanged_files == 5


@pytest.mark.timeout(120)
def test_address_without_a_cluster_is_named(tmp_path: Path) -> None:
    """The error says which address and how to start one; the library is untouched."""
    pytest.importorskip("ray", reason="the ray extra is not installed")
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.txt").write_text("Some text.")
    with Library.open(tmp_path / "library") as library:
        with pytest.raises(LibraryError, match=r"There is no Ray cluster at '127\.0\.0\.1:9'"):
            library.sync(docs, ray="127.0.0.1:9")
        assert len(library) == 0
