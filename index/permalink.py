"""Links to a span of a document that still lead somewhere after the document has changed.

    dossier://DOCUMENT_ID/START-END#QUOTE_HASH

The hash alone can tell whether a text is the one that was cited, but nobody can search for a hash. Whoever hands out
links therefore keeps the quotes, and `locate` finds a quote in the text as it is now.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from index.errors import DocumentError
from index.sentences import sentence_spans

State = Literal["same", "moved", "changed"]

_LINK = re.compile(r"dossier://([0-9a-f]{16})/(\d{1,12})-(\d{1,12})#([0-9a-f]{16})", re.ASCII)

_LEVEL = str.maketrans(
    dict.fromkeys("‘’‚‛′´`", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000\t\f\v", " ")
    | dict.fromkeys("\r\u0085\u2028\u2029", "\n")
)
_LETTERS = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "…": "..."}
# What has another length when levelled. A hyphen between letters goes, at a line end or not: which of those at line
# ends belong to the word cannot be told.
_VARIANT = re.compile(
    r"[ \n]*\n[ \n]*|  +"
    r"|(?<=[^\W\d_])-[ ]*(?:\n[ \n]*)?(?=[^\W\d_])"
    r"|[\u00ad\u200b-\u200d\u2060\ufeff]+"
    r"|[ﬀ-ﬆ…]"
)
# A word, or one character of the scripts that put no blanks between words.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]|\w+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Permalink:
    """The name of a span; `str()` gives its text form.

    `text[start:end]` of the document was the quote when the link was made; offsets count code points from 0, `end` is
    exclusive. `quote_hash` is what `hash_quote` gives of that quote.
    """

    document_id: str
    start: int
    end: int
    quote_hash: str

    def __str__(self) -> str:
        return f"dossier://{self.document_id}/{self.start}-{self.end}#{self.quote_hash}"

    def names(self, quote: str) -> bool:
        """Tell whether a text is the one that was cited, blanks and line breaks apart."""
        return hash_quote(quote) == self.quote_hash


@dataclass(frozen=True, slots=True)
class Located:
    """Where a quote stands now: `text[start:end]`.

    `same`: at its old offsets. `moved`: the same words elsewhere. `changed`: the sentences nearest to it in wording,
    which say something else or the same thing otherwise; the person should read them.
    """

    start: int
    end: int
    state: State


def hash_quote(quote: str) -> str:
    """Name a quote: the first 16 hexadecimal digits of the SHA-256 of its UTF-8 bytes.

    Each run of white space counts as one space and none at the ends, so that re-wrapped lines keep their name.
    """
    return hashlib.sha256(" ".join(quote.split()).encode("utf-8", errors="replace")).hexdigest()[:16]


def make_permalink(document_id: str, start: int, end: int, quote: str) -> Permalink:
    """Name the span `text[start:end]` of a document, which is `quote`."""
    return Permalink(document_id, start, end, hash_quote(quote))


def parse_permalink(text: str) -> Permalink:
    """Read the text form of a link, blanks around it allowed.

    Raises:
        DocumentError: It is not such a link, or its span is empty.
    """
    found = _LINK.fullmatch(text.strip())
    if found is None or int(found[2]) >= int(found[3]):
        raise DocumentError(
            f"{text[:200]!r} is not a link to a place in a document.",
            remedy="Copy it whole; it looks like dossier://0123456789abcdef/120-180#0123456789abcdef.",
        )
    return Permalink(found[1], int(found[2]), int(found[3]), found[4])


def locate(quote: str, text: str, hint: int) -> Located | None:
    """Find a quote in a text that may have changed since.

    It is looked for at its old place; then its very characters elsewhere; then its words in other typography (line
    breaks, hyphens at line ends, curly quotes, dashes, ligatures, invisible characters); then the sentences nearest to
    it in wording. Of equal places the one nearest to `hint` is taken.

    Args:
        quote: The words that were cited.
        text: The text as it is now.
        hint: Where the quote began before, in code points from 0.

    Returns:
        Where it is, or `None` if nothing in the text is near enough: the quote is gone.
    """
    if not quote.strip():
        return None
    if hint >= 0 and text.startswith(quote, hint):
        return Located(hint, hint + len(quote), "same")
    at = _find(quote, text, hint)
    if at is not None:
        return Located(at, at + len(quote), "moved")
    wording, sought = _Wording(text), _Wording(quote).folded.strip()
    if not sought:
        return None
    at = _find(sought, wording.folded, wording.to_folded(hint))
    if at is not None:
        start, end = wording.to_text(at, at + len(sought))
        return Located(start, end, "moved")
    span = _nearest(sought, wording, hint)
    return None if span is None else Located(*span, "changed")


def _find(quote: str, text: str, hint: int) -> int | None:
    """Find the occurrence nearest to a place; none inside a longer word ("art" in "party")."""
    after = next(_occurrences(quote, text, hint, forward=True), None)
    before = next(_occurrences(quote, text, hint, forward=False), None)
    if after is None or before is None:
        return before if after is None else after
    return before if hint - before < after - hint else after


def _occurrences(quote: str, text: str, hint: int, *, forward: bool) -> Iterator[int]:
    hint = min(max(hint, 0), len(text))
    at = text.find(quote, hint) if forward else text.rfind(quote, 0, hint + len(quote) - 1)
    while at >= 0:
        if not _splits_word(text, at) and not _splits_word(text, at + len(quote)):
            yield at
        at = text.find(quote, at + 1) if forward else text.rfind(quote, 0, at + len(quote) - 1)


def _splits_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


# Typography


@dataclass(frozen=True, slots=True)
class _Word:
    """A word in lower case and where it stands: `text[start:end]`."""

    word: str
    start: int
    end: int
    is_name: bool


class _Wording:
    """A text with curly quotes, dashes, ligatures, hyphens within words, line breaks and runs of blanks levelled.

    Args:
        text: Any text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        flat = text.translate(_LEVEL)
        pieces: list[str] = []
        # Stretches that were copied as they are: where each begins in the levelled text and in the text.
        self._folded_starts: list[int] = []
        self._starts: list[int] = []
        self._lengths: list[int] = []
        at = length = 0
        for match in _VARIANT.finditer(flat):
            start, end = match.span()
            found = match.group()
            new = " " if found.isspace() else _LETTERS.get(found, "")
            self._note(length, at, start - at)
            pieces += (flat[at:start], new)
            length += start - at + len(new)
            at = end
        self._note(length, at, len(flat) - at)
        pieces.append(flat[at:])
        self.folded = "".join(pieces)

    def _note(self, folded_start: int, start: int, length: int) -> None:
        self._folded_starts.append(folded_start)
        self._starts.append(start)
        self._lengths.append(length)

    def to_folded(self, at: int) -> int:
        """Find the offset in the levelled text of an offset of the text."""
        i = max(bisect_right(self._starts, at) - 1, 0)
        return self._folded_starts[i] + min(max(at - self._starts[i], 0), self._lengths[i])

    def to_text(self, start: int, end: int) -> tuple[int, int]:
        """Find the span of the text that a span of the levelled text was made of."""
        first = bisect_right(self._folded_starts, start) - 1
        within = start - self._folded_starts[first]
        begin = self._starts[first] + min(within, self._lengths[first])
        last = bisect_right(self._folded_starts, end - 1) - 1
        within = end - self._folded_starts[last]
        if within <= self._lengths[last]:
            return begin, self._starts[last] + within
        return begin, self._starts[last + 1]  # it ends inside a ligature


def _words(text: str, start: int = 0, end: int | None = None) -> list[_Word]:
    """Cut a stretch of a text into words, levelled and in lower case, with their offsets in the text."""
    wording = _Wording(text[start:end])
    found = []
    fresh = True  # at the beginning of a sentence a capital says nothing
    for match in _WORD.finditer(wording.folded):
        a, b = wording.to_text(*match.span())
        word = match.group()
        found.append(_Word(word.lower(), start + a, start + b, not fresh and word[0].isupper()))
        fresh = False
    return found


# The nearest sentences

_SEEDS = 16
_COMMON = 400  # a word that stands in the text more often than this points nowhere
_PLACES = 6
_MARGIN = 300  # characters around a place that are looked at
_ENOUGH = 0.7  # of 1
_OTHER_NAMES = 0.88  # names gone and others in their place: rather the same sentence about somebody else
_FUNCTION_WORDS = frozenset(
    "a an the of in on at to for from by with and or but as is are was were be been has have had do does did not no it "
    "its this that these those which who will would can could may might must shall should if than then there so such "
    "he she they we you i his her their our your also".split()
)
_WHOLE = re.compile(r"[\W_]*[A-Z\d].*[.!?:;。！？][\"')\]]*", re.DOTALL)


def _weight(word: _Word) -> float:
    """How much it matters that a word is there: names most, numbers less since they are what gets corrected."""
    if word.word in _FUNCTION_WORDS:
        return 0.3
    if word.word[0].isdigit():
        return 0.7
    return 1.5 if word.is_name else 1.0


def _nearest(sought: str, wording: _Wording, hint: int) -> tuple[int, int] | None:
    quote = _words(sought)
    if not quote:
        return None
    best: tuple[float, int, tuple[int, int]] | None = None
    for place in _places(sought, wording, hint):
        window = _window(wording.text, place - _MARGIN, place + len(sought) + _MARGIN)
        found = _best_in(quote, wording.text, window, whole=_WHOLE.fullmatch(sought) is not None)
        if found is not None:
            candidate = (found[0], -abs(found[1][0] - hint), found[1])
            best = candidate if best is None else max(best, candidate)
    return best[2] if best is not None and best[0] >= _ENOUGH else None


def _places(sought: str, wording: _Wording, hint: int) -> list[int]:
    """List offsets of the text where the quote may begin: where its rarer words stand as far apart as they did."""
    low, quote = _lower(wording.folded), _lower(sought)
    first: dict[str, int] = {}
    for match in _WORD.finditer(quote):
        first.setdefault(match.group(), match.start())
    step = max(len(first) // 80, 1)
    counted = [(low.count(word), word) for word in list(first)[::step] if word not in _FUNCTION_WORDS]
    seeds = sorted(c for c in counted if 0 < c[0] <= _COMMON)[:_SEEDS]
    width = max(len(sought) // 2, 40)
    votes: dict[int, float] = {}
    for count, word in seeds:
        shift, at = first[word], low.find(word)
        seen: set[int] = set()
        while at >= 0:
            seen.update(((at - shift) // width, (at - shift) // width + 1))
            at = low.find(word, at + 1)
        for bucket in seen:
            votes[bucket] = votes.get(bucket, 0.0) + 1.0 / math.log2(count + 2)
    old = wording.to_folded(hint)
    ranked = sorted(votes, key=lambda bucket: (-votes[bucket], abs(bucket * width - old)))
    starts = [wording.to_text(max(min(b * width, len(low) - 1), 0), len(low))[0] for b in ranked[:_PLACES]]
    return [*starts, min(max(hint, 0), len(wording.text))]


def _lower(text: str) -> str:
    """Lower-case a text without changing its length."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _window(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a stretch to whole paragraphs, if they end near enough; else to whole words."""
    start, end = max(start, 0), min(max(end, 0), len(text))
    before = text.rfind("\n\n", max(start - 1500, 0), start)
    after = text.find("\n\n", end, end + 1500)
    start = before + 2 if before >= 0 else 0 if start <= 1500 else start
    end = after if after >= 0 else len(text) if end + 1500 >= len(text) else end
    while 0 < start < end and not text[start - 1].isspace():
        start += 1
    while start < end < len(text) and not text[end].isspace():
        end -= 1
    return start, end


def _best_in(
    quote: Sequence[_Word], text: str, window: tuple[int, int], whole: bool
) -> tuple[float, tuple[int, int]] | None:
    """Find the sentences of a window that are most like the quote: their likeness (0 to 1) and their span."""
    spans = sentence_spans(text, *window)
    sentences = [_words(text, *span) for span in spans]
    there = [word for sentence in sentences for word in sentence]
    if not there:
        return None
    matcher = difflib.SequenceMatcher(None, [w.word for w in quote], [w.word for w in there], autojunk=False)
    blocks = [block for block in matcher.get_matching_blocks() if block.size]
    matched = {block.b + i for block in blocks for i in range(block.size)}
    first, last = _best_run(sentences, matched)
    begin = sum(len(s) for s in sentences[:first])
    end = begin + sum(len(s) for s in sentences[first : last + 1])
    likeness = _likeness(quote, there[begin:end])
    span = (spans[first][0], spans[last][1])
    a, b = _trimmed(quote, there, begin, end, blocks)
    part = _likeness(quote, there[a:b])
    if part <= likeness + (0.2 if whole else 0.05):
        return likeness, span
    return part, (there[a].start, there[b - 1].end)


def _best_run(sentences: Sequence[Sequence[_Word]], matched: set[int]) -> tuple[int, int]:
    """Choose the run of sentences with the most matched words for the fewest others (the greatest partial sum)."""
    best, run, start, at = (-math.inf, 0, 0), 0.0, 0, 0
    for i, sentence in enumerate(sentences):
        value = 0.0
        for word in sentence:
            value += _weight(word) if at in matched else -0.6 * _weight(word)
            at += 1
        if run <= 0:
            run, start = 0.0, i
        run += value
        best = max(best, (run, start, i))
    return best[1], best[2]


def _trimmed(
    quote: Sequence[_Word], there: Sequence[_Word], begin: int, end: int, blocks: Sequence[difflib.Match]
) -> tuple[int, int]:
    """Choose the words that stand for a quote that is no whole sentence, for each pair of matches as its ends."""
    inside = sorted((b for b in blocks if begin <= b.b and b.b + b.size <= end), key=lambda b: -b.size)[:8]
    inside.sort(key=lambda b: b.b)
    best = (-1.0, begin, end)
    for i, left in enumerate(inside):
        for right in inside[i:]:
            a = max(begin, left.b - left.a)  # words of the quote before its first match were replaced
            b = min(end, right.b + len(quote) - right.a)
            best = max(best, (_likeness(quote, there[a:b]), a, b))
    return best[1], best[2]


def _likeness(quote: Sequence[_Word], there: Sequence[_Word]) -> float:
    """Compare two word sequences: twice the weight of what they share in order, over the weight of both; 0 to 1."""
    matcher = difflib.SequenceMatcher(None, [w.word for w in quote], [w.word for w in there], autojunk=False)
    shared = sum(
        min(_weight(quote[block.a + i]), _weight(there[block.b + i]))
        for block in matcher.get_matching_blocks()
        for i in range(block.size)
    )
    likeness = 2 * shared / (sum(map(_weight, quote)) + sum(map(_weight, there)))
    names, others = ({w.word for w in side if w.is_name} for side in (quote, there))
    lost, gained = names - {w.word for w in there}, others - {w.word for w in quote}
    return likeness * _OTHER_NAMES if lost and gained else likeness
