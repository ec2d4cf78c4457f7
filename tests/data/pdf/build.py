"""Make the PDF test files: python tests/data/pdf/build.py

columns-writer.pdf is made by LibreOffice Writer (from a document that this script writes as flat ODF); the others by
reportlab, which gives control over the order in which text is written, page labels, rotation and boxes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

HERE = Path(__file__).parent
WIDTH, HEIGHT = A4
LEFT = (
    "The pilots of the northern approach have kept a log of every vessel since the spring of 1987. In the first year "
    "they counted four hundred and twelve ships, most of them coasters with timber. The number fell when the sawmill "
    "closed, and rose again with the wind farms, whose towers are too long for the roads of the island. A tower is "
    "carried upright only in calm weather. The log gives the hour, the tide and the name of the pilot on duty. "
    "Nobody has ever found a page of it missing."
)
RIGHT = (
    "The southern approach has no log, because its pilots were paid by the day and not by the ship. What is known of "
    "it comes from the customs house, whose clerk wrote down each cargo in a green book. The book names nine hundred "
    "barrels of herring in the autumn of 1991. Two of its pages were torn out by a visitor, and the clerk has never "
    "said who it was. The harbour board bought a new book that winter and keeps it in a safe behind the clock."
)


def wrap(text: str, font: str, size: float, width: float) -> list[str]:
    """Break a text into lines of at most a width."""
    lines: list[str] = []
    for word in text.split():
        candidate = f"{lines[-1]} {word}" if lines else word
        if lines and stringWidth(candidate, font, size) <= width:
            lines[-1] = candidate
        else:
            lines.append(word)
    return lines


def canvas(name: str, title: str, author: str = "Ida Holm") -> Canvas:
    made = Canvas(str(HERE / name), pagesize=A4, invariant=1)
    made.setTitle(title)
    made.setAuthor(author)
    return made


def heading(page: Canvas, text: str, y: float, size: float = 18) -> None:
    page.setFont("Helvetica-Bold", size)
    page.drawString(60, y, text)
    page.setFont("Times-Roman", 11)


def interleaved() -> None:
    """Two columns, written line by line across both: the order of the file is not the order of reading."""
    page = canvas("columns-interleaved.pdf", "Pilots of the two approaches")
    heading(page, "Pilots of the two approaches", 780)
    page.drawString(
        60, 755, "Published 12 March 2026 by the Harbour Board. This summary runs across both of the columns."
    )
    columns = [wrap(text, "Times-Roman", 11, 220) for text in (LEFT, RIGHT)]
    for row in range(max(map(len, columns))):
        for column, lines in enumerate(columns):
            if row < len(lines):
                page.drawString(60 + 250 * column, 720 - 14 * row, lines[row])
    y = 720 - 14 * (max(map(len, columns)) + 1)
    page.drawString(60, y, "Both books may be seen on the first Monday of each month, from nine until noon.")
    page.save()


def three_columns() -> None:
    """Three narrow columns, each written whole."""
    page = canvas("columns-three.pdf", "Three notices")
    heading(page, "Three notices", 780)
    texts = (LEFT, RIGHT, "The third notice is about the lamp. " + LEFT.replace("log", "list").replace("1987", "2003"))
    for column, text in enumerate(texts):
        for row, line in enumerate(wrap(text, "Times-Roman", 10, 145)):
            page.drawString(50 + 170 * column, 740 - 13 * row, line)
    page.save()


def labels() -> None:
    """Roman numbers, then arabic ones, then an appendix; running heads and "Page n of m" feet."""
    page = canvas("labels.pdf", "Handbook of the lock")
    page.addPageLabel(0, style="ROMAN_LOWER", start=1)
    page.addPageLabel(3, style="ARABIC", start=1)
    page.addPageLabel(6, style="ARABIC", start=1, prefix="A-")
    bodies = [
        "This handbook replaces that of 2011.", "The keeper signs for the keys each morning.",
        "Abbreviations stand at the end.", "The upper gate opens in four minutes.",
        "The lower gate opens in six minutes.", "No vessel may pass while the bell rings.",
        "Table A gives the depths in centimetres.", "Table B gives the fees in crowns.",
    ]  # fmt: skip
    for number, body in enumerate(bodies):
        page.setFont("Times-Roman", 9)
        page.drawString(60, 805, "Handbook of the lock")
        page.drawString(280, 30, f"Page {number + 1} of {len(bodies)}")
        heading(page, f"Section {'abcdefgh'[number]}", 740, 16)
        for row, line in enumerate(wrap(f"{body} {RIGHT if number % 2 else LEFT}", "Times-Roman", 11, 460)):
            page.drawString(60, 700 - 14 * row, line)
        page.showPage()
    page.save()


def turned() -> None:
    """A landscape table on a page that is shown turned by 90 degrees, and one with a crop box that does not begin at 0."""
    page = canvas("turned.pdf", "Turned and cropped")
    page.setPageRotation(90)
    page.saveState()
    page.translate(WIDTH, 0)
    page.rotate(90)
    page.setFont("Times-Roman", 12)
    for row, line in enumerate(wrap(LEFT, "Times-Roman", 12, 450)):
        page.drawString(80, 500 - 16 * row, line)
    page.restoreState()
    page.showPage()
    page.setPageRotation(0)
    page.setCropBox((100, 200, 500, 780))
    page.setFont("Times-Roman", 12)
    for row, line in enumerate(wrap(RIGHT, "Times-Roman", 12, 340)):
        page.drawString(130, 740 - 16 * row, line)
    page.showPage()
    page.setPageRotation(270)
    page.setCropBox((0, 0, HEIGHT, WIDTH))
    page.saveState()
    page.translate(0, WIDTH)
    page.rotate(-90)
    page.setFont("Times-Roman", 12)
    for row, line in enumerate(wrap(RIGHT, "Times-Roman", 12, 400)):
        page.drawString(80, 500 - 16 * row, line)
    page.restoreState()
    page.save()


def table() -> None:
    """A table without lines, whose cells stand apart; text above and below it, a numbered list, and cut words."""
    page = canvas("table.pdf", "Depths of the basins")
    heading(page, "Depths of the basins", 780)
    y = 750
    for line in wrap(
        "The depths were sounded on 4 May 2026, in metres below the datum of the chart.", "Times-Roman", 11, 460
    ):
        page.drawString(60, y, line)
        y -= 14
    rows = [("Basin", "Depth", "Length", "Keeper"), ("North", "7.4", "310", "Aune"), ("Middle", "6.1", "280", "Berg"),
            ("South", "5.25", "1,040", "Carlsen"), ("Timber", "3.9", "95", "Dahl")]  # fmt: skip
    y -= 10
    for row in rows:
        for x, cell in zip((60, 180, 280, 380), row, strict=True):
            page.drawString(x, y, cell)
        y -= 18
    y -= 10
    for number, text in enumerate(("Sound at low water.", "Write the figure down at once.", "Sign the sheet."), 1):
        page.drawString(60, y, f"{number}.")
        page.drawString(90, y, text)
        y -= 16
    y -= 10
    for line in ("The basins are dredged every second year, unless the sur-", "vey shows less than a hand of silt. The well-",
                 "known rule of thumb is older than the harbour board."):  # fmt: skip
        page.drawString(60, y, line)
        y -= 14
    page.save()


def scan() -> None:
    """A page that is a picture of text, beside one with text."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (1240, 500), 255)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(36)
    for row, line in enumerate(
        ("The keeper of the light is paid by the winter.", "His lamp burns nine litres of oil a night.")
    ):
        draw.text((60, 80 + 90 * row), line, font=font, fill=0)
    page = canvas("scan.pdf", "A scanned letter")
    page.drawImage(ImageReader(picture), 0, 500, WIDTH, WIDTH * 500 / 1240)
    page.showPage()
    page.setFont("Times-Roman", 11)
    page.drawString(60, 700, "The second page was typed and needs no reading by machine.")
    page.save()


WRITER = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" office:version="1.3"
 office:mimetype="application/vnd.oasis.opendocument.text">
<office:meta><dc:title>Two approaches to one harbour</dc:title><meta:initial-creator>Ida Holm</meta:initial-creator>
<dc:language>en-GB</dc:language></office:meta>
<office:automatic-styles>
<style:style style:name="Two" style:family="section"><style:section-properties text:dont-balance-text-columns="false">
<style:columns fo:column-count="2" fo:column-gap="0.8cm"><style:column style:rel-width="1*" fo:end-indent="0.4cm"/>
<style:column style:rel-width="1*" fo:start-indent="0.4cm"/></style:columns></style:section-properties></style:style>
<style:style style:name="P" style:family="paragraph"><style:paragraph-properties fo:text-align="justify" fo:margin-bottom="0.3cm"
 fo:hyphenation-ladder-count="no-limit"/><style:text-properties fo:language="en" fo:country="GB" fo:hyphenate="true"
 fo:hyphenation-remain-char-count="3" fo:hyphenation-push-char-count="3"/></style:style>
</office:automatic-styles>
<office:body><office:text>
<text:h text:outline-level="1">Two approaches to one harbour</text:h>
<text:p text:style-name="P">This summary, published on 12 March 2026, runs across the whole width of the page and stands above both
 columns, as the summaries of learned papers do.</text:p>
<text:section text:name="Columns" text:style-name="Two">
<text:h text:outline-level="2">The north</text:h><text:p text:style-name="P">{left}</text:p>
<text:p text:style-name="P">{left2}</text:p>
<text:h text:outline-level="2">The south</text:h><text:p text:style-name="P">{right}</text:p>
<text:p text:style-name="P">{right2}</text:p>
</text:section>
<text:p text:style-name="P">Both books may be seen on the first Monday of each month, from nine until noon.</text:p>
</office:text></office:body></office:document>
"""


def writer() -> None:
    """Two columns with a title across, by LibreOffice Writer."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "columns-writer.fodt"
        more = {"left2": LEFT.replace("northern", "outer"), "right2": RIGHT.replace("southern", "inner")}
        source.write_text(WRITER.format(left=LEFT, right=RIGHT, **more), encoding="utf-8")
        subprocess.run(
            ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "pdf",
             "--outdir", folder, str(source)], check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        shutil.copy(Path(folder) / "columns-writer.pdf", HERE)


if __name__ == "__main__":
    for make in (interleaved, three_columns, labels, turned, table, scan):
        make()
    if shutil.which("soffice"):
        writer()
    else:
        print("soffice is not installed: columns-writer.pdf was left as it is", file=sys.stderr)
