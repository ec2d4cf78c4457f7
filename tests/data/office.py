"""The office files among the test documents: sources in flat OpenDocument, turned into each format by LibreOffice.

    python tests/data/build.py office

LibreOffice writes its own version and some random names into what it makes, so that its files differ from run to run in
bytes but not in what they say. The texts are about an invented mill.
"""

from __future__ import annotations

import base64
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{uri}:1.0"'
    for name, uri in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"), ("meta", "meta"),
        ("draw", "drawing"), ("presentation", "presentation"), ("number", "datastyle"), ("svg", "svg-compatible"),
        ("fo", "xsl-fo-compatible"),
    )
) + ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2"'  # fmt: skip

WHEEL = (
    "The tide tables hang beside the door of the wheelhouse & are copied out by hand every autumn.",
    "The keeper's file tide_log*.txt holds [all] of them; a path such as C:\\mill\\tides means the old computer.",
    "Between the two marks the wheel turns at ninety-six revolutions a minute, and at “slack water” it stands.",
    "The gauge was calibrated against the harbour’s on the quay — the difference was 4 cm.",
)
STEPS = ("Read the gauge at the lower gate.", "Write the height into the book.", "Ring the bell twice.")
FINDS = ("A leather bucket from the wheel pit.", "Eleven oak pegs, all of one length.")
TIDES = (
    ("Month", "Springs", "Highest water"),
    ("January", "5", "4.9 m"),
    ("February", "4", "5.1 m"),
    ("March", "6", "5.4 m"),
)
FOOTNOTE = "The year 1911 is painted on the lintel; the accounts say 1912."


def build(folder: Path, picture: Callable[[int, int], bytes]) -> None:
    """Write the office files into a folder; needs LibreOffice (`soffice`)."""
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        image = base64.b64encode(picture(12, 16)).decode()
        (work / "tides.fodt").write_text(letter(image), encoding="utf-8")
        (work / "stock.fods").write_text(stock(), encoding="utf-8")
        (work / "talk.fodp").write_text(talk(image), encoding="utf-8")
        for source, kinds in (
            ("tides.fodt", ("odt", "docx:MS Word 2007 XML", "rtf", "epub")),
            ("stock.fods", ("ods", "xlsx:Calc MS Excel 2007 XML", "csv:Text - txt - csv (StarCalc):59,34,76,1")),
            ("talk.fodp", ("odp", "pptx:Impress MS PowerPoint 2007 XML")),
        ):
            for kind in kinds:
                convert(work / source, kind, folder)


def convert(source: Path, kind: str, folder: Path) -> None:
    """Let LibreOffice save a document in another format."""
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            ["soffice", f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to", kind, "--outdir",
             str(folder), str(source)],
            check=True, capture_output=True, timeout=180,
        )  # fmt: skip


def flat(kind: str, title: str, author: str, saved: str, keywords: tuple[str, ...], styles: str, body: str) -> str:
    """Write a flat OpenDocument file with its properties."""
    words = "".join(f"<meta:keyword>{escape(word)}</meta:keyword>" for word in keywords)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document {SPACES} office:version="1.3" '
        f'office:mimetype="application/vnd.oasis.opendocument.{kind}">'
        f"<office:meta><dc:title>{escape(title)}</dc:title>"
        f"<meta:initial-creator>{escape(author)}</meta:initial-creator><dc:creator>{escape(author)}</dc:creator>"
        f"<meta:creation-date>{saved}</meta:creation-date><dc:date>{saved}</dc:date>{words}</office:meta>"
        f"{styles}<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document>\n"
    )


def letter(image: str) -> str:
    """A text with headings, both kinds of list, a table, a footnote and a picture."""
    styles = (
        '<office:styles><style:default-style style:family="paragraph"><style:text-properties fo:language="en" '
        'fo:country="GB"/></style:default-style>'
        '<style:style style:name="Standard" style:family="paragraph"/>'
        '<style:style style:name="Title" style:family="paragraph" style:parent-style-name="Standard"/>'
        + "".join(
            f'<style:style style:name="Heading_20_{n}" style:display-name="Heading {n}" style:family="paragraph" '
            f'style:parent-style-name="Standard" style:default-outline-level="{n}"/>'
            for n in (1, 2)
        )
        + '</office:styles><office:automatic-styles><text:list-style style:name="Steps">'
        '<text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/></text:list-style>'
        '<text:list-style style:name="Finds"><text:list-level-style-bullet text:level="1" text:bullet-char="•"/>'
        "</text:list-style></office:automatic-styles>"
    )

    def heading(level: int, words: str) -> str:
        return f'<text:h text:style-name="Heading_20_{level}" text:outline-level="{level}">{words}</text:h>'

    def paragraph(words: str) -> str:
        return f'<text:p text:style-name="Standard">{words}</text:p>'

    def items(style: str, lines: tuple[str, ...]) -> str:
        inner = "".join(f"<text:list-item>{paragraph(escape(line))}</text:list-item>" for line in lines)
        return f'<text:list text:style-name="{style}">{inner}</text:list>'

    def cells(row: tuple[str, ...]) -> str:
        inner = "".join(f'<table:table-cell office:value-type="string">{paragraph(c)}</table:table-cell>' for c in row)
        return f"<table:table-row>{inner}</table:table-row>"

    note = (
        '<text:note text:id="n1" text:note-class="footnote"><text:note-citation>1</text:note-citation>'
        f"<text:note-body>{paragraph(FOOTNOTE)}</text:note-body></text:note>"
    )
    frame = (
        '<draw:frame draw:name="Gauge" text:anchor-type="as-char" svg:width="2cm" svg:height="3cm"><draw:image '
        f'draw:mime-type="image/png"><office:binary-data>{image}</office:binary-data></draw:image></draw:frame>'
    )
    first, second, third, fourth = map(escape, WHEEL)
    body = (
        '<text:p text:style-name="Title">Tide tables of Penmorrow mill</text:p>'
        + paragraph(first)
        + paragraph(second)
        + heading(1, "The wheel")
        + paragraph(f"The wheel was hung in 1911.{note} " + third)
        + heading(2, "Reading the gauge")
        + items("Steps", STEPS)
        + paragraph(fourth)
        + heading(1, "Water")
        + f'<table:table table:name="Tides"><table:table-column table:number-columns-repeated="3"/>'
        f"<table:table-header-rows>{cells(TIDES[0])}</table:table-header-rows>{''.join(map(cells, TIDES[1:]))}"
        "</table:table>" + heading(1, "Finds") + items("Finds", FINDS) + paragraph(frame)
    )
    return flat(
        "text",
        "Tide tables of Penmorrow mill",
        "Tamsin Orrell",
        "2024-10-14T11:20:00",
        ("tides", "sluice"),
        styles,
        body,
    )


def stock() -> str:
    """A workbook of two sheets: dates, amounts, shares and a sum under headers; a caption over a second table."""
    styles = (
        '<office:automatic-styles><number:date-style style:name="D"><number:year number:style="long"/>'
        '<number:text>-</number:text><number:month number:style="long"/><number:text>-</number:text>'
        '<number:day number:style="long"/></number:date-style>'
        '<number:percentage-style style:name="P">'
        '<number:number number:decimal-places="1" number:min-integer-digits="1"/>'
        "<number:text>%</number:text></number:percentage-style>"
        '<style:style style:name="dated" style:family="table-cell" style:data-style-name="D"/>'
        '<style:style style:name="share" style:family="table-cell" style:data-style-name="P"/>'
        "</office:automatic-styles>"
    )

    def words(*cells: str) -> str:
        return "".join(
            f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
            if cell
            else "<table:table-cell/>"
            for cell in cells
        )

    def number(value: str, formula: str = "") -> str:
        sum_of = f' table:formula="of:={formula}"' if formula else ""
        return (
            f'<table:table-cell{sum_of} office:value-type="float" office:value="{value}"><text:p>{value}</text:p>'
            "</table:table-cell>"
        )

    def dated(value: str) -> str:
        return (
            f'<table:table-cell table:style-name="dated" office:value-type="date" office:date-value="{value}">'
            f"<text:p>{value}</text:p></table:table-cell>"
        )

    def share(value: str) -> str:
        return (
            f'<table:table-cell table:style-name="share" office:value-type="percentage" office:value="{value}">'
            f"<text:p>{float(value) * 100:.1f}%</text:p></table:table-cell>"
        )

    grain = [
        words("Grain", "Delivered", "Sacks", "Share spoilt", "Remark"),
        words("Wheat") + dated("2024-09-03") + number("120") + share("0.025") + words("Dry; stored under the roof."),
        words("Rye") + dated("2024-09-17") + number("85.5") + share("0.04") + words('Half of it was wet, "sour".'),
        words("Spelt") + dated("2024-10-01") + number("40") + share("0") + words(""),
        words("Total", "") + number("245.5", "SUM([.C2:.C4])"),
    ]
    keys = [
        words("Who holds which key"),
        words("Name", "Port", "Key"),
        words("Ann Trevose", "Lyme", "sluice"),
        words("Zoë Lefèvre", "Roscoff", "flour loft"),
    ]
    body = "".join(
        f'<table:table table:name="{name}">' + "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
        + "</table:table>"
        for name, rows in (("Grain", grain), ("Keys", keys))
    )  # fmt: skip
    return flat(
        "spreadsheet", "Stock of the mill", "Jory Penhale", "2024-11-02T09:00:00", ("grain", "keys"), styles, body
    )  # fmt: skip


def talk(image: str) -> str:
    """A presentation of three slides: a list with speaker's notes, a table, a picture without a title."""
    styles = (
        '<office:styles><style:style style:name="M-title" style:family="presentation"/>'
        '<style:style style:name="M-outline1" style:family="presentation"/>'
        '<style:style style:name="M-notes" style:family="presentation"/></office:styles>'
        '<office:automatic-styles><style:page-layout style:name="L"/></office:automatic-styles>'
        '<office:master-styles><style:master-page style:name="M" style:page-layout-name="L"/></office:master-styles>'
    )

    def frame(kind: str, y: int, inner: str) -> str:
        return (
            f'<draw:frame presentation:style-name="M-{kind}" presentation:class="{kind.rstrip("1")}" '
            f'svg:x="2cm" svg:y="{y}cm" svg:width="20cm" svg:height="4cm">'
            f"{inner}</draw:frame>"
        )

    def box(*lines: str) -> str:
        return "<draw:text-box>" + "".join(f"<text:p>{escape(line)}</text:p>" for line in lines) + "</draw:text-box>"

    def notes(line: str) -> str:
        return f"<presentation:notes>{frame('notes', 12, box(line))}</presentation:notes>"

    rows = "".join(
        "<table:table-row>" + "".join(f"<table:table-cell><text:p>{c}</text:p></table:table-cell>" for c in row)
        + "</table:table-row>"
        for row in (("Source", "Crowns"), ("Grant", "21,000"), ("Visitors", "3,150"))
    )  # fmt: skip
    table = (
        '<draw:frame svg:x="2cm" svg:y="6cm" svg:width="20cm" svg:height="5cm"><table:table '
        'table:use-first-row-styles="true"><table:table-column/><table:table-column/>'
        + rows
        + "</table:table></draw:frame>"
    )
    picture = (
        '<draw:frame svg:x="2cm" svg:y="6cm" svg:width="4cm" svg:height="6cm"><draw:image draw:mime-type="image/png">'
        f"<office:binary-data>{image}</office:binary-data></draw:image></draw:frame>"
    )
    pages = (
        frame("title", 1, box("Saving the southern wall"))
        + frame("outline1", 6, box("The ash tree goes first.", "The clay settles for a winter."))
        + notes("Say that the masons have been asked, and that none of them is free before May."),
        frame("title", 1, box("Who pays")) + table,
        picture + frame("outline1", 13, box("The wall in August, seen from the creek.")),
    )
    body = "".join(
        f'<draw:page draw:name="page{n}" draw:master-page-name="M">{page}</draw:page>'
        for n, page in enumerate(pages, 1)
    )
    return flat(
        "presentation", "The southern wall", "Petrok Vane", "2025-02-20T18:30:00", ("dam", "costs"), styles, body
    )  # fmt: skip
