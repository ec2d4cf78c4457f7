"""Writes the PDF and Word documents of the sample collection from the texts in `sources/`.

    python samples/build.py

Needs reportlab and python-docx (the `dev` extra). The output is the same, byte for byte, on every run with the same
versions of the two: dates come from the sources, never from the clock.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

HERE = Path(__file__).parent
COLLECTION = HERE / "strait"
PDF = ("2026-04-24-north-pier-inspection", "2026-06-15-authority-fact-sheet")
WORD = ("2026-05-27-committee-briefing", "2026-07-30-joint-commission-minutes")


@dataclass(frozen=True)
class Block:
    """A piece of a source text: `kind` is heading, paragraph, bullets, steps or table; one line (or row) an item."""

    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """One source text: what stands above its first empty line, and the blocks below."""

    title: str
    subtitle: str
    author: str
    header: str
    date: date
    blocks: tuple[Block, ...]


def read_source(path: Path) -> Source:
    """Read `key: value` lines up to the first empty line, then blocks that empty lines divide."""
    head, _, body = path.read_text("utf-8").partition("\n\n")
    meta = dict(line.split(": ", 1) for line in head.splitlines())
    return Source(
        title=meta["title"],
        subtitle=meta["subtitle"],
        author=meta["author"],
        header=meta["header"],
        date=date.fromisoformat(meta["date"]),
        blocks=tuple(_block(part.splitlines()) for part in re.split(r"\n{2,}", body.strip())),
    )


def _block(lines: list[str]) -> Block:
    first = lines[0]
    if first.startswith("# "):
        return Block("heading", (first[2:],))
    if first.startswith("- "):
        return Block("bullets", tuple(line[2:] for line in lines))
    if re.match(r"\d+\. ", first):
        return Block("steps", tuple(line.split(". ", 1)[1] for line in lines))
    if first.startswith("| "):
        return Block("table", tuple(lines))
    if all(line.startswith("**") for line in lines):
        return Block("paragraph", tuple(lines))
    return Block("paragraph", (" ".join(lines),))


def cells(row: str) -> list[str]:
    """Split a table row at its bars."""
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


# PDF


def write_pdf(source: Source, path: Path) -> None:
    """Set a source as an A4 report with a running header and page numbers."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

    width, height = A4
    frame = Frame(27 * mm, 25 * mm, width - 54 * mm, height - 52 * mm, 0, 0, 0, 0, id="text")
    document = BaseDocTemplate(
        str(path),
        pagesize=A4,
        title=source.title,
        author=source.author,
        subject=source.subtitle,
        lang="en",
        invariant=1,
    )
    document.addPageTemplates(PageTemplate(id="page", frames=[frame]))
    document.build(_flowables(source, width - 54 * mm), canvasmaker=_canvas_class(source))


def _canvas_class(source: Source) -> type[Any]:
    from reportlab.lib.units import mm
    from reportlab.pdfgen.canvas import Canvas

    class NumberedCanvas(Canvas):
        """Holds the pages back until their number is known; dates the file as the source says."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.setDateFormatter(lambda *now: f"D:{source.date:%Y%m%d}080000+00'00'")
            self._held: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._held.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self._held, 1):
                self.__dict__.update(state)
                self._furniture(number, len(self._held))
                super().showPage()
            super().save()

        def _furniture(self, number: int, count: int) -> None:
            width, height = self._pagesize
            self.setFont("Helvetica", 8)
            self.setFillGray(0.35)
            self.setStrokeGray(0.7)
            self.setLineWidth(0.5)
            self.drawString(27 * mm, height - 16 * mm, source.header)
            self.line(27 * mm, height - 18 * mm, width - 27 * mm, height - 18 * mm)
            self.line(27 * mm, 18 * mm, width - 27 * mm, 18 * mm)
            self.drawString(27 * mm, 13.5 * mm, f"{source.date.day} {source.date:%B %Y}")
            self.drawRightString(width - 27 * mm, 13.5 * mm, f"Page {number} of {count}")

    return NumberedCanvas


def _flowables(source: Source, width: float) -> list[Any]:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.enums import TA_JUSTIFY
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.platypus import HRFlowable, ListFlowable, ListItem, PageBreak, Paragraph, Spacer

    blue = HexColor("#1f3a5f")
    title = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=19, leading=24, textColor=blue)
    subtitle = ParagraphStyle("subtitle", fontName="Helvetica", fontSize=12, leading=16, spaceBefore=4)
    heading = ParagraphStyle(
        "heading", fontName="Helvetica-Bold", fontSize=12.5, leading=16, spaceBefore=13, spaceAfter=5, textColor=blue
    )
    heading.keepWithNext = 1
    body = ParagraphStyle("body", fontName="Times-Roman", fontSize=11, leading=15.5, alignment=TA_JUSTIFY, spaceAfter=8)
    item = ParagraphStyle("item", parent=body, spaceAfter=4)
    caption = ParagraphStyle("caption", parent=body, fontName="Times-Italic", fontSize=9.5, leading=12, spaceBefore=4)
    flow: list[Any] = [
        Paragraph(escape(source.title), title),
        Paragraph(escape(source.subtitle), subtitle),
        HRFlowable(width="100%", thickness=1.2, color=blue, spaceBefore=6, spaceAfter=10),
    ]
    for block in source.blocks:
        if block.kind == "heading":
            if block.lines[0].startswith("Annex A"):
                flow.append(PageBreak())
            flow.append(Paragraph(_marked(block.lines[0]), heading))
        elif block.kind == "table":
            flow += [Spacer(1, 2 * mm), _pdf_table(block, width), Spacer(1, 1 * mm)]
        elif block.kind in ("bullets", "steps"):
            entries = [ListItem(Paragraph(_marked(line), item)) for line in block.lines]
            flow.append(
                ListFlowable(
                    entries,
                    bulletType="bullet" if block.kind == "bullets" else "1",
                    start="•" if block.kind == "bullets" else None,
                    bulletFormat=None if block.kind == "bullets" else "%s.",
                    bulletFontName="Times-Roman",
                    bulletFontSize=11,
                    leftIndent=18,
                )
            )
            flow.append(Spacer(1, 1.5 * mm))
        else:
            text = block.lines[0]
            flow.append(Paragraph(_marked(text), caption if re.match(r"Table \d+:", text) else body))
    return flow


def _marked(text: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(text))


def _pdf_table(block: Block, width: float) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph, Table

    plain = ParagraphStyle("cell", fontName="Times-Roman", fontSize=10, leading=13)
    bold = ParagraphStyle("head", parent=plain, fontName="Times-Bold")
    rows = [[Paragraph(_marked(c), plain if i else bold) for c in cells(r)] for i, r in enumerate(block.lines)]
    return Table(
        rows,
        colWidths=[width * share for share in (0.3, 0.17, 0.2, 0.33)],
        repeatRows=1,
        style=[
            ("LINEABOVE", (0, 0), (-1, 0), 0.8, HexColor("#1f3a5f")),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, HexColor("#1f3a5f")),
            ("LINEBELOW", (0, 1), (-1, -1), 0.3, HexColor("#b8c0cc")),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ],
    )


# Word


def write_docx(source: Source, path: Path) -> None:
    """Write a source as a Word document with real headings, lists, tables and properties."""
    from docx import Document
    from docx.shared import Mm, Pt

    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(26)
    document.styles["Normal"].font.name = "Calibri"
    document.styles["Normal"].font.size = Pt(11)
    section.header.paragraphs[0].text = source.header
    document.add_heading(source.title, 0)
    document.add_paragraph(source.subtitle, style="Subtitle")
    for block in source.blocks:
        _add_block(document, block)
    core = document.core_properties
    core.title, core.subject, core.author, core.language = source.title, source.subtitle, source.author, "en"
    core.last_modified_by, core.comments, core.revision = source.author, "", 1
    core.created = core.modified = datetime(source.date.year, source.date.month, source.date.day, 8, tzinfo=UTC)
    drop_extras(document)
    stream = io.BytesIO()
    document.save(stream)
    path.write_bytes(same_zip(stream.getvalue()))


def _add_block(document: Any, block: Block) -> None:
    if block.kind == "heading":
        document.add_heading(block.lines[0], 1)
    elif block.kind == "table":
        rows = [cells(line) for line in block.lines]
        table = document.add_table(len(rows), len(rows[0]), style="Light Grid Accent 1")
        for row, values in zip(table.rows, rows, strict=True):
            for cell, value in zip(row.cells, values, strict=True):
                cell.text = value
        document.add_paragraph()
    else:
        style = {"bullets": "List Bullet", "steps": "List Number"}.get(block.kind)
        for line in block.lines:
            _add_runs(document.add_paragraph(style=style), line)


def _add_runs(paragraph: Any, text: str) -> None:
    for number, part in enumerate(re.split(r"\*\*(.+?)\*\*", text)):
        if part:
            paragraph.add_run(part).bold = True if number % 2 else None


def drop_extras(document: Any) -> None:
    """Leave out two large parts that python-docx's template brings and nothing needs."""
    for part in (document.part, document.part.package):
        for key in [key for key, rel in part.rels.items() if rel.reltype.endswith(("thumbnail", "stylesWithEffects"))]:
            del part.rels[key]


def same_zip(data: bytes) -> bytes:
    """Pack a zip again with fixed times, so that equal content gives equal bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(zipfile.ZipInfo(entry.filename, (2026, 1, 1, 0, 0, 0)), old.read(entry), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def main() -> None:
    """Write the four documents."""
    for name in PDF:
        write_pdf(read_source(HERE / "sources" / f"{name}.md"), COLLECTION / f"{name}.pdf")
    for name in WORD:
        write_docx(read_source(HERE / "sources" / f"{name}.md"), COLLECTION / f"{name}.docx")
    for path in sorted(COLLECTION.iterdir()):
        print(f"{path.stat().st_size:>7,} {path.name}")


if __name__ == "__main__":
    main()
