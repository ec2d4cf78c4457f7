"""Near-duplicates are told from texts that merely share a topic, by signatures that never change."""

from __future__ import annotations

import hashlib
import random
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.near import LEAST_WORDS, bands, signature, similarity
from tests.conftest import ROOT

VOCABULARY = [f"{a}{b}{c}" for a in "bcdfglmnprst" for b in ("a", "e", "in", "or") for c in ("da", "ki", "mo", "ster")]


def sentence(chance: random.Random) -> str:
    """Words as frequent as in a language: the k-th with a weight of 1/k."""
    weights = [1 / k for k in range(1, len(VOCABULARY) + 1)]
    return " ".join(chance.choices(VOCABULARY, weights, k=chance.randrange(8, 22))).capitalize() + "."


def article(seed: int, sentences: int = 30) -> list[str]:
    chance = random.Random(seed)
    return [sentence(chance) for _ in range(sentences)]


def syndicated(original: list[str], seed: int) -> list[str]:
    """The same report in another paper: its dateline, a new lead, the end cut, a word edited here and there."""
    chance = random.Random(seed)
    kept = original[1 : len(original) - chance.randrange(0, len(original) // 6)]
    for i in chance.sample(range(len(kept)), 2):
        words = kept[i].split()
        words[chance.randrange(len(words))] = "edited"
        kept[i] = " ".join(words)
    return [f"PORT {seed} (Wire) —", sentence(chance), *kept]


def mixed(original: list[str], share: float, seed: int) -> list[str]:
    """Keep a share of the sentences and write the others anew."""
    chance = random.Random(seed)
    return [s if chance.random() < share else sentence(chance) for s in original]


def runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return set(zip(*(words[i:] for i in range(5)), strict=False))


def jaccard(a: str, b: str) -> float:
    return len(runs(a) & runs(b)) / len(runs(a) | runs(b))


def signed(text: str) -> bytes:
    found = signature(text)
    assert found is not None
    return found


def pairs(share: float, count: int, seed: int) -> list[tuple[str, str]]:
    texts = [article(seed + i) for i in range(count)]
    return [(" ".join(t), " ".join(mixed(t, share, seed + 7_000 + i))) for i, t in enumerate(texts)]


def are_candidates(a: bytes, b: bytes) -> bool:
    return not set(bands(a)).isdisjoint(bands(b))


def test_similarity_estimates_the_share_of_common_runs() -> None:
    """Over all degrees of likeness the estimate is right on average and rarely off by more than its error allows."""
    errors = []
    for share in (0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 1.0):
        errors += [similarity(signed(a), signed(b)) - jaccard(a, b) for a, b in pairs(share, 30, 1)]
    assert abs(sum(errors) / len(errors)) < 0.015
    assert sum(abs(e) > 0.09 for e in errors) / len(errors) < 0.08  # two standard errors: 5% at most


def test_texts_four_fifths_alike_share_a_band() -> None:
    """At a Jaccard similarity of about 0.8 nearly all pairs are candidates."""
    alike = [(a, b) for a, b in pairs(0.9, 300, 100) if 0.75 <= jaccard(a, b) <= 0.85]
    assert len(alike) >= 60
    assert sum(are_candidates(signed(a), signed(b)) for a, b in alike) / len(alike) >= 0.95


def test_texts_under_a_third_alike_rarely_share_a_band() -> None:
    """Below 0.3 few pairs have to be compared, and unrelated texts none."""
    little = [(a, b) for a, b in pairs(0.45, 300, 900) if 0.15 <= jaccard(a, b) <= 0.3]
    assert len(little) >= 60
    assert sum(are_candidates(signed(a), signed(b)) for a, b in little) / len(little) <= 0.08
    signatures = [signed(" ".join(article(5_000 + i))) for i in range(60)]
    met = [are_candidates(a, b) for i, a in enumerate(signatures) for b in signatures[:i]]
    assert sum(met) / len(met) < 0.002


def test_syndicated_report_is_found_and_another_one_is_not() -> None:
    """Another dateline and lead, a cut end and edited words leave a report recognisable among a hundred others."""
    originals = [article(i) for i in range(100)]
    stored = [signed(" ".join(original)) for original in originals]
    found = 0
    for i, original in enumerate(originals):
        copy = signed(" ".join(syndicated(original, 300 + i)))
        near = [k for k, other in enumerate(stored) if are_candidates(copy, other) and similarity(copy, other) >= 0.5]
        assert set(near) <= {i}
        found += near == [i]
    assert found >= 97


def test_new_version_of_a_page_is_found() -> None:
    """A page with one section of ten rewritten is its own near-duplicate."""
    for seed in range(20):
        page = article(seed, 100)
        page_now = [*page[:40], *article(seed + 999, 10), *page[50:]]
        old, new = signed("\n".join(page)), signed("\n".join(page_now))
        assert are_candidates(old, new)
        assert similarity(old, new) > 0.65


def test_layout_case_and_punctuation_do_not_count() -> None:
    """The same words in other clothes have the same signature."""
    text = " ".join(article(1))
    assert signature(text) == signature(text.upper().replace(" ", "\n  ").replace(".", " !"))


def test_order_of_words_counts() -> None:
    """The same words shuffled are another text."""
    words = " ".join(article(1)).split()
    other = words[:]
    random.Random(1).shuffle(other)
    assert similarity(signed(" ".join(words)), signed(" ".join(other))) < 0.1


def test_signature_is_the_same_on_every_machine() -> None:
    """Signatures are kept for years: seed, hash and byte order are fixed."""
    text = " ".join(f"word{i % 97} of line {i}" for i in range(200))
    found = signed(text)
    assert len(found) == 512
    assert hashlib.sha256(found).hexdigest()[:16] == "9d1ba020b492dce3"
    assert bands(found)[0] == "2141353e0f200871"
    assert len(set(bands(found))) == 25


@pytest.mark.parametrize(("words", "signed"), [(LEAST_WORDS - 1, False), (LEAST_WORDS, True)])
def test_short_text_has_no_signature(words: int, signed: bool) -> None:
    """Fewer than fifty words say too little."""
    assert (signature(" ".join(f"w{i}" for i in range(words))) is not None) is signed


def test_text_without_blanks_between_words_is_compared_by_characters() -> None:
    """Chinese text with a few characters changed is a near-duplicate."""
    chance = random.Random(2)
    text = "".join(chr(chance.randrange(0x4E00, 0x5000)) for _ in range(600))
    changed = text[:300] + "一二三" + text[303:]
    assert similarity(signed(text), signed(changed)) > 0.9


@settings(deadline=None)
@given(st.lists(st.text(min_size=1), min_size=60, max_size=90))
def test_any_text_is_wholly_like_itself(words: list[str]) -> None:
    """No characters break it."""
    found = signature(" ".join(words))
    if found is not None:
        assert similarity(found, found) == 1.0


def test_damaged_signature_is_refused() -> None:
    """A signature of another length was made by something else."""
    with pytest.raises(ValueError, match="512 bytes, not 8"):
        similarity(b"12345678", b"12345678")


def test_signatures_load_no_scipy_and_leave_the_library_whole() -> None:
    """Half a second in each process that reads files; whoever wants the library's other classes gets them."""
    code = (
        "import sys; from index.near import signature; assert signature('one two three ' * 50)\n"
        "assert not {'scipy', 'datasketch'} & set(sys.modules)\n"
        "import datasketch; datasketch.MinHashLSH(); assert signature('four five six ' * 50)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
