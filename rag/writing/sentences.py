"""From a model's stream to its sentences, each with the markers it carries, as soon as each is complete."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from index.sentences import sentence_spans
from rag.writing.clean import clean_output
from rag.writing.markers import MARKER, PARTIAL, take_markers
from rag.writing.thoughts import RESET

_HEADING = re.compile(r"\s*(?:#{1,6}\s|(?:\*\*|__)[^*_\n]{1,80}(?:\*\*|__)\s*:?\s*$)")
_RULE = re.compile(r"\s*(?:[-*_=|: ]{3,}|`{3,}.*|~{3,}.*)\s*$")
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})")
_BULLET = re.compile(r"\s*(?:[-*+•‣▪–]|\(?\d{1,2}[.)]|\(?[a-zA-Z][.)])\s+")
# Ends of sentences that `index.sentences` leaves alone: Hindi, Urdu, Arabic, Armenian, Ethiopic, Burmese.
_FOREIGN = re.compile(r"(?<=[।॥۔؟։።፧။])\s*(?=\S)")
_FINISHED = re.compile(r"[.!?…。！？।۔؟][\"'”’»)\]*]*\s*$")


@dataclass(frozen=True, slots=True)
class Unit:
    """One sentence or list item, without markers; `cited` are the passages it names, in order.

    `leads` says that it ends in a colon and only leads to what follows; `lead` is such a sentence before a list item.
    """

    text: str
    cited: tuple[int, ...]
    leads: bool = False
    lead: str = ""


class Sentences:
    """Takes the pieces of a stream and gives sentences. Headings, rules and code are no claims and are left out."""

    def __init__(self) -> None:
        self._line = ""
        self._code = False
        self._lead = ""

    def feed(self, piece: str) -> Iterator[Unit | None]:
        """Take a piece; give the sentences it completes, and `None` where everything before was only thought."""
        for part in re.split(f"({RESET}|\n)", piece):
            if part == RESET:
                self._line, self._code, self._lead = "", False, ""
                yield None
            elif part == "\n":
                yield from self._whole_line()
            elif part:
                self._line += part
        if not self._code:
            yield from self._begun_line()

    def flush(self) -> Iterator[Unit]:
        """Give what the line holds if it looks finished although nothing follows: the model may be slow."""
        bare = MARKER.sub("", self._line)
        if not self._code and _FINISHED.search(bare) and MARKER.search(self._line[-40:]):
            tail = MARKER.sub("", self._line[-40:])
            if tail.strip() and PARTIAL.search(self._line.rstrip()) is None:
                yield from self._whole_line()

    def close(self, *, cut: bool = False) -> Iterator[Unit]:
        """Give what is left at the end of the stream; not if it was `cut` off inside a sentence."""
        if cut and not _FINISHED.search(MARKER.sub("", self._line)):
            self._line = ""
        yield from self._whole_line()

    def _whole_line(self) -> Iterator[Unit]:
        line, self._line = self._line, ""
        if _FENCE.match(line):
            self._code = not self._code
        elif not self._code and not _RULE.match(line):
            yield from self._units(line)

    def _begun_line(self) -> Iterator[Unit]:
        """Give all sentences of the line but the last, which may go on."""
        held = PARTIAL.search(self._line)
        stable = self._line[: held.start()] if held is not None else self._line
        if _HEADING.match(stable) or stable.lstrip().startswith(("|", "`", "~", "#", "**", "__", "[")):
            return
        at = _last_start(stable)
        if at:
            done, self._line = self._line[:at], self._line[at:]
            yield from self._units(done)

    def _units(self, line: str) -> Iterator[Unit]:
        if _HEADING.match(line):
            self._lead = ""
            return
        bullet = _BULLET.match(line)
        if line.lstrip().startswith("|"):
            line = ", ".join(cell.strip() for cell in line.strip().strip("|").split("|") if cell.strip())
        elif bullet is not None and line[bullet.end() :].strip():
            line = line[bullet.end() :]
        for text, cited in cut_marked(clean_output(line)):
            leads = text.endswith((":", "："))
            yield Unit(text, cited, leads, self._lead if bullet is not None else "")
            if bullet is None:
                self._lead = text.rstrip(":： ") if leads else ""


def cut_marked(line: str) -> list[tuple[str, tuple[int, ...]]]:
    """Cut one line into sentences and give each the markers inside it or right behind it."""
    marked = take_markers(line)
    spans = _spans(marked.text)
    cited: list[list[int]] = [[] for _ in spans]
    for at, numbers in marked.markers:
        inside = [i for i, (start, _) in enumerate(spans) if start < at]
        if spans:
            cited[inside[-1] if inside else 0].extend(numbers)
    found = []
    for (start, end), named in zip(spans, cited, strict=True):
        text = " ".join(marked.text[start:end].split())
        if any(c.isalnum() for c in text):
            found.append((text, tuple(dict.fromkeys(named))))
    return found


def _spans(text: str) -> list[tuple[int, int]]:
    spans = []
    for start, end in sentence_spans(text):
        edges = [start, *(m.end() for m in _FOREIGN.finditer(text, start, end)), end]
        for a, b in zip(edges, edges[1:], strict=False):
            piece = text[a:b]
            if piece.strip():
                spans.append((a + len(piece) - len(piece.lstrip()), a + len(piece.rstrip())))
    return spans


def _last_start(raw: str) -> int:
    """Where the last sentence of a line begins, in the line with its markers; 0 if there is only one."""
    marked = take_markers(raw)
    spans = _spans(marked.text)
    if len(spans) < 2:
        return 0
    want = sum(not c.isspace() for c in marked.text[: spans[-1][0]])
    # Count characters that are no part of a marker until those before the last sentence are passed.
    taken = {i for m in MARKER.finditer(raw) for i in range(*m.span())}
    passed = 0
    for i, c in enumerate(raw):
        if i in taken or c.isspace():
            continue
        if passed == want:
            return i
        passed += 1
    return 0
