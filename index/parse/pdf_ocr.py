"""Pages without text, read by Tesseract; the door of pytesseract.

The words and their places come from one run over the page's picture. Reading the same page again gives the same, so
places are looked up like those of any other page.
"""

from __future__ import annotations

import shutil
from collections import OrderedDict
from functools import lru_cache
from typing import Any

from index.parse.pdf_layout import Line, PageText, join_lines
from index.settings import LibrarySettings

_DPI = 300
_LEAST_CONFIDENCE = 30
_LARGEST = 6_000
"""Pixels of a picture's longer side: a page that is larger than paper is drawn smaller."""

Edges = tuple[float, float, float, float]


def find_ocr(settings: LibrarySettings) -> Ocr | None:
    """Give the reader if the settings want it and it is installed, else `None`."""
    if settings.ocr == "off" or shutil.which("tesseract") is None:
        return None
    name = _version()
    return Ocr(name) if name else None


@lru_cache(maxsize=1)
def _version() -> str:
    try:
        import pytesseract

        return f"Tesseract {str(pytesseract.get_tesseract_version()).split()[0]}"
    except Exception:  # not installed, or the program does not run; either way there is no OCR
        return ""


class Ocr:
    """Reads pictures of pages.

    Args:
        name: Program and version, for notes.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._edges: list[Edges] = []

    def read(self, page: Any) -> PageText:
        """Read an open page of pypdfium2; the edges of its characters are then those of `edges_of`."""
        import pytesseract

        width, height = page.get_size()
        scale = min(_DPI / 72, _LARGEST / max(width, height, 1.0))
        picture = page.render(scale=scale, grayscale=True).to_pil()
        found = pytesseract.image_to_data(picture, output_type=pytesseract.Output.DICT)
        rows: OrderedDict[tuple[int, int, int], list[int]] = OrderedDict()
        for i, word in enumerate(found["text"]):
            if str(word).strip() and float(found["conf"][i]) >= _LEAST_CONFIDENCE:
                key = (found["block_num"][i], found["par_num"][i], found["line_num"][i])
                rows.setdefault(key, []).append(i)
        self._edges = []
        lines = [self._line(found, words, scale, height) for words in rows.values()]
        return join_lines(lines, width or 1.0, height or 1.0)

    def _line(self, found: dict[str, list[Any]], words: list[int], scale: float, height: float) -> Line:
        text: list[str] = []
        indices: list[int] = []
        boxes: list[Edges] = []
        for i in words:
            left, top = found["left"][i] / scale, height - found["top"][i] / scale
            box = (left, left + found["width"][i] / scale, top - found["height"][i] / scale, top)
            boxes.append(box)
            if text:
                text.append(" ")
                indices.append(-1)
            word = str(found["text"][i]).strip()
            text.append(word)
            indices += range(len(self._edges), len(self._edges) + len(word))
            self._edges += [box] * len(word)
        bottom, top = min(b[2] for b in boxes), max(b[3] for b in boxes)
        left, right = min(b[0] for b in boxes), max(b[1] for b in boxes)
        return Line("".join(text), tuple(indices), left, right, bottom, top, round(top - bottom))

    def edges_of(self, index: int) -> Edges | None:
        """The edges of the word that a character of the page read last belongs to."""
        return self._edges[index] if 0 <= index < len(self._edges) else None
