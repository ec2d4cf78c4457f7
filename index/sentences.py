"""Sentence boundaries with exact offsets.

Rules, not a model: what ends a sentence, what only looks like an end (abbreviations, initials, decimals, enumerators),
and when a line break is a boundary (a heading, a list item, a table row) and when it is only a wrapped line.
"""

from __future__ import annotations

import re

Span = tuple[int, int]

# A full stop after these is part of the word. Lower-case, without the stop.
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof sen rep gen col lt sgt capt cmdr adm gov pres sec hon rev st sr jr vs etc cf al approx dept est "
    "fig figs no nos vol vols pp ed eds ch sect art para jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed "
    "thu fri sat sun inc ltd co corp bros univ assn e.g i.e a.m p.m u.s u.k u.n e.u d.c ph.d viz resp incl min max "
    "tel ext ave blvd rd".split()
)
# These often end a sentence as well; the next word decides.
_MAYBE_END = frozenset("etc inc ltd co corp jr sr a.m p.m u.s u.k u.n e.u d.c al".split())
_TERMINATOR = re.compile(r"[.!?…]+[\"'”’»)\]*_]*(?=\s)|[。！？｡]+[”’」』）]*")
_WORD_BEFORE = re.compile(r"[^\s(\[\"'“‘]+$")
_BULLET = re.compile(r"[ \t]*(?:[-*+•‣▪◦–—·]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|\(?[ivx]{1,4}[.)]|#{1,6}|\||>)[ \t]+")
_LINE_MARK = re.compile(r"[ \t]*(?:[-*+•‣▪◦·][ \t]+|#{1,6}[ \t]+|>[ \t]*)+")
_BLANK_LINE = re.compile(r"\n[ \t\f\v\u00a0]*\n\s*")
_NEXT_WORD = re.compile(r"\s*[\"'“‘«(\[*_]*(\S)")
# Text that was cut into tokens and joined again has blanks around every mark: `He left . '' `` Why ? '' she asked .`
_SPACED_CLOSER = re.compile(r"[ \t]+(?:''|[”»)\]]|\")(?=\s|$)")
_SPACED_NEXT_WORD = re.compile(r"\s*(?:[`\"'“‘«(\[*_]\s*)*(\S)")
_FAR = 2_000  # characters in which an open quotation mark is looked for
_YEAR_OR_THOUSANDS = re.compile(r"\d{4}\b|\d{1,3},\d{3}")
# Sentences that start so lean on the one before.
_LEANING = re.compile(
    r"(?:he|she|it|they|his|her|hers|its|their|theirs|him|them|this|that|these|those|such|both|neither|either|"
    r"there(?:fore|after|by)|however|instead|otherwise|moreover|furthermore|nevertheless|meanwhile|consequently|"
    r"as a result|in that case|the former|the latter|if so|if not)\b",
    re.IGNORECASE,
)


def sentence_spans(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Cut a stretch of text into sentences.

    Args:
        text: The whole text.
        start: Where the stretch begins; code points from 0.
        end: Where it ends, exclusive; the end of the text if `None`.

    Returns:
        Spans in order that do not overlap, start and end on a non-blank character, and together hold every non-blank
        character of the stretch except the marks that open a line (bullets, `#`, `>`).
    """
    end = len(text) if end is None else end
    spans: list[Span] = []
    for block_start, block_end in _split_at(text, start, end, _BLANK_LINE):
        for line_start, line_end in _lines(text, block_start, block_end):
            spans.extend(_in_line(text, line_start, line_end))
    return spans


def leans_on_previous(sentence: str) -> bool:
    """Tell whether a sentence starts with a word that points back ("It", "This", "However")."""
    return _LEANING.match(sentence.lstrip("\"'“‘(*_ ")) is not None


def _split_at(text: str, start: int, end: int, pattern: re.Pattern[str]) -> list[Span]:
    spans, at = [], start
    for match in pattern.finditer(text, start, end):
        spans.append((at, match.start()))
        at = match.end()
    spans.append((at, end))
    return [trimmed for a, b in spans if (trimmed := trim(text, a, b)) is not None]


def trim(text: str, start: int, end: int) -> Span | None:
    """Move both ends of a span onto non-blank characters; `None` if there is none."""
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    right = len(piece.rstrip())
    return (start + left, start + right) if left < right else None


def _lines(text: str, start: int, end: int) -> list[Span]:
    """Join wrapped lines of a block; keep list items, headings and table rows apart."""
    breaks = [m.start() for m in re.finditer("\n", text[start:end])]
    if not breaks:
        return [(start, end)]
    edges = [start, *(start + b + 1 for b in breaks), end + 1]
    rows = [(a, b - 1) for a, b in zip(edges, edges[1:], strict=False)]
    width = max(b - a for a, b in rows)
    joined: list[Span] = [rows[0]]
    for (a, b), (c, d) in zip(rows, rows[1:], strict=False):
        if _is_wrapped(text[a:b], text[c:d], width):
            joined[-1] = (joined[-1][0], d)
        else:
            joined.append((c, d))
    return [span for a, b in joined if (span := trim(text, a, b)) is not None]


def _is_wrapped(line: str, following: str, width: int) -> bool:
    if _BULLET.match(following) or line.lstrip().startswith(("|", "#")):
        return False
    stripped = line.rstrip()
    if not stripped or len(stripped) < 25:
        return False
    if following.lstrip()[:1].islower():
        return True
    if stripped[-1] in ".!?:;…。！？":
        return False  # a boundary anyway, or the end of a paragraph
    return len(stripped) >= 0.7 * width and width <= 140


def _in_line(text: str, start: int, end: int) -> list[Span]:
    mark = _LINE_MARK.match(text, start, end)
    if mark is not None and mark.end() < end:
        start = mark.end()
    spans, at = [], start
    for match in _TERMINATOR.finditer(text, start, end):
        stop = match.end()
        spaced = match.start() > at and text[match.start() - 1].isspace()
        if spaced:
            stop = _after_spaced_closer(text, at, stop, end)
        ends = _ends_spaced_sentence if spaced else _ends_sentence
        if stop >= end or not ends(text, at, match.start(), stop, end):
            continue
        spans.append((at, stop))
        at = stop
    spans.append((at, end))
    return [span for a, b in spans if (span := trim(text, a, b)) is not None]


def _ends_sentence(text: str, start: int, stop_at: int, stop: int, end: int) -> bool:
    mark = text[stop_at]
    following = _NEXT_WORD.match(text, stop, end)
    if following is None:
        return True
    first = following.group(1)
    if mark in "!?。！？｡":
        return not (mark in "!?" and first.islower())
    if first.islower():
        return False
    if mark == "…" or text.startswith("..", stop_at):
        return first.isupper()
    before = _WORD_BEFORE.search(text[max(start, stop_at - 40) : stop_at])
    word = before.group().lower() if before else ""
    if not word:
        return False
    if word in _MAYBE_END:
        return first.isupper() and _starts_like_sentence(text, following.start(1), end)
    if word in _ABBREVIATIONS:
        return False
    # An initial ("J. Smith") or an enumerator at the start ("1. Scope", "a. Scope"); "Part B." does end one.
    only_word = before is not None and max(start, stop_at - 40) + before.start() <= start + 1
    if only_word and (word.isdigit() or len(word) == 1):
        return False
    return not (len(word) == 1 and word.isalpha() and text[stop_at - 1].isupper() and first.isupper())


def _after_spaced_closer(text: str, start: int, stop: int, end: int) -> int:
    """Where a sentence ends whose closing quote or bracket stands apart from its mark; a `"` closes if one is open."""
    closer = _SPACED_CLOSER.match(text, stop, end)
    if closer is None or (closer.group().endswith('"') and text.count('"', max(start, stop - _FAR), stop) % 2 == 0):
        return stop
    return closer.end()


def _ends_spaced_sentence(text: str, start: int, stop_at: int, stop: int, end: int) -> bool:
    """Tell whether a mark with blanks on both sides ends a sentence.

    Tokenisers leave the stop of most abbreviations and all decimals at the word, so that a stop apart from it is mostly
    an end; but ". 500" is a share and "b . 1894" a birth.
    """
    following = _SPACED_NEXT_WORD.match(text, stop, end)
    if following is None:
        return True
    first, at = following.group(1), following.start(1)
    if text[stop_at] in "!?":
        return not first.islower() and first not in ".,;:"
    if first.isdigit() and _YEAR_OR_THOUSANDS.match(text, at, end) is None:
        return False
    if not first.isdigit() and (first.islower() or not first.isalpha()):
        return False
    begin = max(start, stop_at - 40)
    before = text[begin:stop_at].split()
    word = before[-1].lower() if before else ""
    if begin == start and len(before) == 1 and (word.isdigit() or len(word) == 1):
        return False  # an enumerator at the start ("1 . Scope")
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()):
        return word in _MAYBE_END or _starts_like_sentence(text, at, end)
    return True


_OPENERS = frozenset(
    "the a an in on at it he she they we i this that these those but and for as if when after before while however "
    "its his her their our under by from with there no not more most some all since although last".split()
)


def _starts_like_sentence(text: str, at: int, end: int) -> bool:
    word = re.match(r"\w+", text[at : min(end, at + 30)])
    return word is not None and word.group().lower() in _OPENERS
