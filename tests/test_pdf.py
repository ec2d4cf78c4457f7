"""PDF: reading order, printed page labels, cut words, turned pages, OCR, and rectangles that cover what they cite."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from index.errors import EmptyDocumentError
from index.parse.pdf import Box, find_boxes, parse_pdf, render_page
from index.settings import LibrarySettings
from index.types import Parsed
from tests.conftest import DATA

FILES = DATA / "pdf"
has_ocr = pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")


@dataclass(frozen=True)
class Expected:
    """What a file states, and sentences with the page they stand on."""

    name: str
    title: str
    published: date
    sentences: tuple[tuple[int, str], ...]


MADE = date(2000, 1, 1)  # the creation date reportlab writes when it is asked for the same bytes each time
EXPECTED = (
    Expected(
        "columns-writer.pdf", "Two approaches to one harbour", date(2026, 3, 12),
        (
            (1, "A tower is carried upright only in calm weather."),
            (1, "The book names nine hundred barrels of herring in the autumn of 1991."),
            (1, "This summary, published on 12 March 2026, runs across the whole width of the page and stands above "
                "both columns, as the summaries of learned papers do."),
        ),
    ),
    Expected(
        "columns-interleaved.pdf", "Pilots of the two approaches", date(2026, 3, 12),
        (
            (1, "In the first year they counted four hundred and twelve ships, most of them coasters with timber."),
            (1, "Two of its pages were torn out by a visitor, and the clerk has never said who it was."),
            (1, "Both books may be seen on the first Monday of each month, from nine until noon."),
        ),
    ),
    Expected(
        "columns-three.pdf", "Three notices", MADE,
        (
            (1, "The log gives the hour, the tide and the name of the pilot on duty."),
            (1, "What is known of it comes from the customs house, whose clerk wrote down each cargo in a green book."),
            (1, "The list gives the hour, the tide and the name of the pilot on duty."),
        ),
    ),
    Expected(
        "labels.pdf", "Handbook of the lock", MADE,
        (
            (1, "This handbook replaces that of 2011."),
            (4, "The upper gate opens in four minutes."),
            (8, "Table B gives the fees in crowns."),
        ),
    ),
    Expected(
        "turned.pdf", "Turned and cropped", MADE,
        (
            (1, "A tower is carried upright only in calm weather."),
            (2, "The book names nine hundred barrels of herring in the autumn of 1991."),
            (3, "Two of its pages were torn out by a visitor, and the clerk has never said who it was."),
        ),
    ),
    Expected(
        "table.pdf", "Depths of the basins", MADE,
        (
            (1, "South | 5.25 | 1,040 | Carlsen"),
            (1, "unless the survey shows less than a hand of silt."),
            (1, "The well-known rule of thumb is older than the harbour board."),
        ),
    ),
)  # fmt: skip


def read(name: str) -> tuple[bytes, Parsed]:
    data = (FILES / name).read_bytes()
    return data, parse_pdf(data, LibrarySettings())


def ink(data: bytes, number: int) -> NDArray[np.bool_]:
    """Where a page is not white, 1,000 pixels wide."""
    picture = Image.open(io.BytesIO(render_page(data, number, width=1000))).convert("L")
    return np.asarray(picture) < 160


def covered(shape: tuple[int, ...], boxes: tuple[Box, ...], margin: int = 1) -> NDArray[np.bool_]:
    mask = np.zeros(shape, dtype=bool)
    height, width = shape[:2]
    for box in boxes:
        top, left = int(box.top * height) - margin, int(box.left * width) - margin
        bottom, right = (box.top + box.height) * height + margin, (box.left + box.width) * width + margin
        mask[max(top, 0) : int(np.ceil(bottom)), max(left, 0) : int(np.ceil(right))] = True
    return mask


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda e: e.name)
def test_sentences_are_found_on_their_page_with_boxes_over_their_ink(expected: Expected) -> None:
    """Title and date are right; each sentence stands in the text as a reader reads it, on the right page, and its boxes
    lie on ink, one for each line, no higher than a line."""
    data, parsed = read(expected.name)
    assert (parsed.title, parsed.published, parsed.author) == (expected.title, expected.published, "Ida Holm")
    for number, sentence in expected.sentences:
        page = parsed.pages[number - 1]
        start = parsed.text.find(sentence, page.start, page.end)
        assert start >= 0, sentence
        boxes = find_boxes(data, page, start, start + len(sentence))
        dark = ink(data, number)
        for box in boxes:
            assert 0 <= box.left < box.left + box.width <= 1
            assert 0 <= box.top < box.top + box.height <= 1
            assert box.height * page.height < 18
            assert dark[covered(dark.shape, (box,), 0)].mean() > 0.05


@pytest.mark.parametrize("name", ["turned.pdf", "columns-writer.pdf", "columns-interleaved.pdf", "table.pdf"])
def test_boxes_of_a_page_cover_all_its_ink(name: str) -> None:
    """Whatever is drawn on these pages is text, so the boxes of the whole text leave nothing dark uncovered."""
    data, parsed = read(name)
    for page in parsed.pages:
        dark = ink(data, page.number)
        boxes = find_boxes(data, page, page.start, page.end)
        assert dark.sum() > 1_000
        # The hyphen of a word that a line's end cuts is not part of the text: a few dots of it may stay uncovered.
        assert (dark & ~covered(dark.shape, boxes)).sum() <= 10
        assert covered(dark.shape, boxes).mean() < 0.5


def test_columns_are_read_one_after_the_other() -> None:
    """The right column begins after the left one has ended, whatever the order in which the file writes them."""
    for name in ("columns-writer.pdf", "columns-interleaved.pdf"):
        text = read(name)[1].text
        places = [
            text.index(words) for words in ("summary", "northern approach", "page of it missing", "southern approach")
        ]
        places.append(text.index("Both books"))
        assert places == sorted(places), name


def test_pages_have_the_labels_that_are_printed_on_them() -> None:
    """Roman numbers, then arabic ones, then those of an appendix."""
    assert [page.label for page in read("labels.pdf")[1].pages] == ["i", "ii", "iii", "1", "2", "3", "A-1", "A-2"]


def test_running_heads_stay_in_the_text_and_out_of_the_passages() -> None:
    """Heads and "Page n of m" feet of all pages are skipped, and nothing else is."""
    _, parsed = read("labels.pdf")
    skipped = [parsed.text[start:end] for start, end in parsed.skipped]
    assert sorted(skipped) == sorted(["Handbook of the lock"] * 8 + [f"Page {n} of 8" for n in range(1, 9)])


def test_table_rows_keep_their_cells_apart_and_lists_their_numbers() -> None:
    """Cells are divided by a bar, all rows of the table are lines of their own; a numbered list is none."""
    text = read("table.pdf")[1].text
    assert "Basin | Depth | Length | Keeper\nNorth | 7.4 | 310 | Aune\nMiddle | 6.1 | 280 | Berg\n" in text
    assert "1. Sound at low water.\n2. Write the figure down at once.\n3. Sign the sheet." in text


def test_outline_of_the_document_gives_its_headings() -> None:
    """The levels are those of the document, not guessed from sizes."""
    _, parsed = read("columns-writer.pdf")
    found = [(h.level, parsed.text[h.start : h.end]) for h in parsed.headings]
    assert found == [(1, "Two approaches to one harbour"), (2, "The north"), (2, "The south")]
    assert parsed.language == "en"


@has_ocr
def test_page_that_is_a_picture_is_read_by_ocr() -> None:
    """Its words are found with boxes over them, a note warns of misread words, and the other page is untouched."""
    data, parsed = read("scan.pdf")
    sentence = "The keeper of the light is paid by the winter."
    start = parsed.text.index(sentence)
    boxes = find_boxes(data, parsed.pages[0], start, start + len(sentence))
    assert len(boxes) == 1
    dark = ink(data, 1)
    assert dark[covered(dark.shape, boxes, 0)].mean() > 0.05
    assert any("1 page was read by OCR (Tesseract" in note for note in parsed.notes)
    assert "needs no reading by machine" in parsed.text


def test_page_that_is_a_picture_says_so_without_ocr() -> None:
    """Turned off or not installed, the page counts as silent; a file of such pages only names what to install."""
    off = LibrarySettings(ocr="off")
    parsed = parse_pdf((FILES / "scan.pdf").read_bytes(), off)
    assert (parsed.silent_pages, parsed.images) == (1, 1)
    assert "1 of 2 pages hold no text." in parsed.notes
    with pytest.raises(EmptyDocumentError, match=r"pip install 'dossier\[ocr\]'"):
        parse_pdf((DATA / "bad" / "image-only.pdf").read_bytes(), off)


WORDS = st.lists(
    st.sampled_from("harbour pilot log ship tide lamp keeper basin gate clerk barrel tower".split()),
    min_size=60,
    max_size=140,
)


@settings(max_examples=25, deadline=None)
@given(left=WORDS, right=WORDS, size=st.sampled_from([8, 10, 12]), gap=st.sampled_from([18, 30]), by_row=st.booleans())
def test_any_two_columns_are_read_in_order(
    left: list[str], right: list[str], size: int, gap: int, by_row: bool
) -> None:
    """Words of generated columns come in the order of each column, and every box lies on the page."""
    from reportlab.pdfgen.canvas import Canvas

    from tests.data.pdf.build import wrap

    stream = io.BytesIO()
    page = Canvas(stream, pagesize=(500, 800), invariant=1)
    page.setFont("Times-Roman", size)
    numbered = [[f"{word}{side}{i}" for i, word in enumerate(words)] for side, words in (("a", left), ("b", right))]
    columns = [wrap(" ".join(words), "Times-Roman", size, 200) for words in numbered]
    drawn = [(c, r, line) for c, lines in enumerate(columns) for r, line in enumerate(lines)]
    for column, row, line in sorted(drawn, key=lambda d: (d[1], d[0]) if by_row else (d[0], d[1])):
        page.drawString(40 + column * (200 + gap), 760 - row * size * 1.25, line)
    page.save()
    data = stream.getvalue()
    parsed = parse_pdf(data, LibrarySettings(ocr="off"))
    assert parsed.text.split() == [*numbered[0], *numbered[1]]
    boxes = find_boxes(data, parsed.pages[0], 0, len(parsed.text))
    assert len(boxes) == len(drawn)
    assert all(0 <= b.left < b.left + b.width <= 1 and 0 <= b.top < b.top + b.height <= 1 for b in boxes)


def test_builder_and_files_are_kept_together() -> None:
    """Every file of the folder is expected by a test here."""
    named = {e.name for e in EXPECTED} | {"scan.pdf"}
    assert {path.name for path in Path(FILES).glob("*.pdf")} == named
