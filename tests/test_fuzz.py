"""Every parser, given real files that were damaged at random, and noise: a document or a `DocumentError`, nothing else.

The same examples come each time, so that a failure is one of the change at hand. To look for new ones, so many of each:

    DOSSIER_FUZZ=2000 python -m pytest tests/test_fuzz.py --hypothesis-seed=7
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.errors import DocumentError
from index.parse import FORMATS, read_parts
from index.settings import LibrarySettings
from index.types import Parsed
from index.workers import Lost, WorkerPool
from tests.conftest import DATA, ROOT

MORE = int(os.environ.get("DOSSIER_FUZZ", "0"))
COUNT = MORE or 100
LIMITS = LibrarySettings(max_file_mb=5, max_pages=500)
NATIVE = {".pdf"}  # read by C++: in a worker, so that a crash is seen and not suffered
SUFFIXES = sorted({suffix for form in FORMATS for suffix in form.suffixes[:1]})
ODD = [
    b"\0",
    b"\xff\xfe",
    b"<",
    b">",
    b"&",
    b'"',
    b"{",
    b"}",
    b"[",
    b"\\",
    b"%",
    b"\n",
    b"\r",
    b"-1",
    b"99999999999",
    b"1e999",
]
ODD += [
    b"<!DOCTYPE a [<!ENTITY e 'x'>]>",
    b"&e;",
    b"\\u",
    b"\\bin9 ",
    b"\xf0\x9f\x92",
    b"\xed\xa0\x80",
    b"PK\x03\x04",
    b"\x1f\x8b",
]


def seeds(suffix: str) -> list[bytes]:
    """The real files of a format, and a short one for those without."""
    found = [p.read_bytes() for p in sorted((DATA / "formats").iterdir()) if p.name.endswith(suffix)]
    return found or [b"A short file of a format without an example.\n"]


def damaged(data: bytes, dice: random.Random) -> bytes:
    """Flip, delete, double, move, overwrite or cut off bytes, once or a few times."""
    bent = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 12))):
        at = dice.randrange(len(bent) + 1)
        end = min(len(bent), at + dice.choice((1, 2, 8, 64, 1000)))
        match dice.randrange(7):
            case 0 if at < len(bent):
                bent[at] ^= 1 << dice.randrange(8)
            case 1:
                del bent[at:end]
            case 2:
                bent[at:at] = bent[at:end] * dice.choice((1, 2, 50))
            case 3:
                other = dice.randrange(len(bent) + 1)
                bent[other:other] = bent[at:end]
            case 4:
                bent[at:end] = dice.randbytes(end - at)
            case 5:
                bent[at : at + dice.randrange(4)] = dice.choice(ODD)
            case _ if dice.random() < 0.2:
                del bent[at:]
    return bytes(bent)


def damaged_inside(data: bytes, dice: random.Random) -> bytes:
    """Damage one or two members of a zip file, which stays a sound zip file; or drop, double or rename one."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = [entry.filename for entry in old.infolist() if not entry.is_dir()]
        hit = set(dice.sample(names, min(len(names), dice.choice((1, 1, 2)))))
        for name in names:
            inside = old.read(name)
            if name not in hit:
                new.writestr(zipfile.ZipInfo(name), inside)
            elif (act := dice.random()) < 0.85:
                new.writestr(zipfile.ZipInfo(name), damaged(inside, dice))
            elif act < 0.9:
                new.writestr(zipfile.ZipInfo(name + dice.choice(("x", "/", "\0", "/../x"))), inside)
            elif act < 0.95:
                new.writestr(zipfile.ZipInfo(name), b"")
    return out.getvalue()


def variant(suffix: str, seed: int) -> bytes:
    """A damaged file or noise; the same for the same number."""
    dice = random.Random(seed)
    data = dice.choice(seeds(suffix))
    if dice.random() < 0.1:
        return dice.choice((b"", data[:20])) + dice.randbytes(dice.choice((1, 50, 3000)))
    if data.startswith(b"PK") and dice.random() < 0.8:
        return damaged_inside(data, dice)
    return damaged(data, dice)


def check(suffix: str, data: bytes) -> None:
    """Read it and hold what comes of it to what is promised of every document."""
    with contextlib.suppress(DocumentError):
        for part in read_parts(Path(f"file{suffix}"), data, LIMITS):
            assert isinstance(part.result, (Parsed, DocumentError))
            if isinstance(part.result, DocumentError):
                assert part.result.message
                assert part.result.remedy
                continue
            parsed = part.result
            assert parsed.text.strip()
            assert "\0" not in parsed.text
            assert "\r" not in parsed.text
            parsed.text.encode("utf-8")  # no lone surrogates
            for start, end in [(h.start, h.end) for h in (*parsed.headings, *parsed.pages)] + list(parsed.skipped):
                assert 0 <= start <= end <= len(parsed.text)


@pytest.mark.parametrize("suffix", [s for s in SUFFIXES if s not in NATIVE])
@settings(
    max_examples=COUNT, deadline=None, derandomize=not MORE, database=None, suppress_health_check=list(HealthCheck)
)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_damaged_file_gives_a_document_or_an_error(suffix: str, seed: int) -> None:
    """Whatever is wrong with a file, its parser says so in our words or reads it."""
    check(suffix, variant(suffix, seed))


@pytest.mark.parametrize("suffix", [s for s in SUFFIXES if s not in NATIVE])
@settings(
    max_examples=COUNT, deadline=None, derandomize=not MORE, database=None, suppress_health_check=list(HealthCheck)
)
@given(data=st.binary(max_size=300) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_noise_gives_a_document_or_an_error(suffix: str, data: bytes) -> None:
    """So does a file that is nothing of what its name says."""
    check(suffix, data)


@pytest.mark.parametrize("suffix", sorted(NATIVE))
def test_damaged_file_for_native_code_at_most_loses_itself(
    suffix: str, monkeypatch: pytest.MonkeyPatch, record_property: pytest.RecordProperty
) -> None:
    """A crash of C++ loses its own file only; how many there were is counted, and few are tolerated."""
    monkeypatch.syspath_prepend(str(ROOT))
    first = random.SystemRandom().randrange(2**31) if MORE else 0
    tasks = ((f"file-{seed}{suffix}", variant(suffix, seed)) for seed in range(first, first + 12 * COUNT))
    outcome: Counter[str] = Counter()
    with WorkerPool("tests.hostile_tasks:parse_bytes", LIMITS, workers=2, seconds=20, memory_mb=900) as pool:
        for (name, _), result in pool.map(tasks):
            if isinstance(result, Lost):
                print(name, result)
                assert result.reason != "error", (name, result)
            outcome[result.reason if isinstance(result, Lost) else type(result).__name__] += 1
    record_property("outcome", dict(outcome))
    print(dict(outcome))
    assert sum(outcome.values()) == 12 * COUNT
    assert outcome["int"] > COUNT, "hardly any variant can be read: the damage is too great to test a parser"
    assert outcome["crash"] + outcome["memory"] + outcome["time"] <= 0.02 * 12 * COUNT


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damage_is_neither_none_nor_total(suffix: str) -> None:
    """Variants differ from the file they are made of, and from each other."""
    made = [variant(suffix, seed) for seed in range(20)]
    assert len(set(made)) >= 15
    assert sum(data in seeds(suffix) for data in made) <= 5


def test_seeds_are_real_files() -> None:
    """There is an example of nearly every format; what is fuzzed is more than noise."""
    without = [s for s in SUFFIXES if seeds(s)[0].startswith(b"A short file")]
    assert without == []
