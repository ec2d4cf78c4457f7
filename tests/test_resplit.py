"""A changed document keeps the passages that did not change, and is still split without gaps or overlaps."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from index.split import split
from index.types import Heading, Parsed
from tests.fakes import FakeEncoder

ENCODER = FakeEncoder()
PARAGRAPHS = [
    " ".join(f"Sentence {s} of paragraph {n} tells of berth {n * s % 17}." for s in range(1 + n % 5)) for n in range(40)
]
BLOCKS = st.lists(st.one_of(st.integers(0, 39), st.sampled_from(["# One", "## Two", "## Three", "skip"])), max_size=60)


def parsed(blocks: list[int | str]) -> Parsed:
    """A document of paragraphs, headings, and lines that belong to no passage."""
    text, headings, skipped = "", [], []
    for block in blocks:
        words = PARAGRAPHS[block] if isinstance(block, int) else block
        if words == "skip":
            words = "Running head of the page"
            skipped.append((len(text), len(text) + len(words)))
        elif isinstance(block, str):
            headings.append(Heading(len(text), len(text) + len(words), words.count("#"), words.strip("# ")))
        text += f"{words}\n\n"
    return Parsed(text, "text/plain", headings=tuple(headings), skipped=tuple(skipped))


@settings(max_examples=300, deadline=None)
@given(old=BLOCKS, new=BLOCKS, data=st.data())
def test_what_is_split_anew_around_kept_passages_is_whole(
    old: list[int | str], new: list[int | str], data: st.DataObject
) -> None:
    """Passages are in order and apart, equal to the text, and cover every character that is not skipped."""
    if data.draw(st.booleans()):  # an edit of the old state, not another document
        at = data.draw(st.integers(0, len(old)))
        new = old[:at] + new[:3] + old[at + data.draw(st.integers(0, 3)) :]
    former = tuple(p.text for p in split(parsed(old), "old", ENCODER, 40))
    document = parsed(new)
    passages = split(document, "new", ENCODER, 40, former)
    skipped = [False] * len(document.text)
    for start, end in document.skipped:
        skipped[start:end] = [True] * (end - start)
    covered = [False] * len(document.text)
    at = 0
    for p in passages:
        assert at <= p.start < p.end
        assert p.text == document.text[p.start : p.end]
        assert not any(skipped[p.start : p.end])
        assert ENCODER.count_tokens(p.text) <= ENCODER.max_tokens
        covered[p.start : p.end] = [True] * (p.end - p.start)
        at = p.end
    for i, c in enumerate(document.text):
        assert c.isspace() or skipped[i] or covered[i]


def test_one_changed_paragraph_changes_few_passages() -> None:
    """All passages but those around the edit are the old ones, headings or not."""
    for heads in (False, True):
        blocks: list[int | str] = [b for n in range(40) for b in (["## Two", n] if heads and n % 7 == 0 else [n])]
        former = [p.text for p in split(parsed(blocks), "old", ENCODER, 40)]
        changed = list(blocks)
        changed[20] = 39
        passages = [p.text for p in split(parsed(changed), "new", ENCODER, 40, former)]
        assert len(set(passages) - set(former)) <= 3
        assert len(passages) > 20
