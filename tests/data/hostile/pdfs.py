"""Hostile PDFs, put together from objects by hand."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.data.hostile.archives import repeated

FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
WORDS = b"BT /F1 12 Tf 72 700 Td (A page with a few words on it, for a start.) Tj ET"


def stream(data: bytes, head: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), head, data)


def pdf(objects: Mapping[int, bytes], trailer: bytes = b"", *, start: int | None = None) -> bytes:
    """A file of numbered objects with a table of them; `start` is where the table is said to be."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    size = max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 00000 f \n"
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        trailer,
        table if start is None else start,
    )
    return bytes(out)


def page(
    content: bytes = WORDS,
    *,
    box: bytes = b"[0 0 612 792]",
    font: bytes = FONT,
    more: Mapping[int, bytes] | None = None,
    resources: bytes = b"",
    catalog: bytes = b"",
    extra: bytes = b"",
    head: bytes = b"",
    trailer: bytes = b"",
) -> bytes:
    """A PDF of one page with one thing wrong."""
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> %s >> %s >>"
        % (box, resources, extra),
        4: stream(content, head),
        5: font,
    }
    return pdf(objects | dict(more or {}), trailer)


def pages(count: int) -> bytes:
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(b"%d 0 R" % (n + 5) for n in range(count)), count),
        3: stream(WORDS),
        4: FONT,
    }
    leaf = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 3 0 R /Resources << /Font << /F1 4 0 R >> >> >>"
    return pdf(objects | {n + 5: leaf for n in range(count)})


def loop(kids: bytes, second: bytes = b"") -> bytes:
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [%s] /Count 1000000 >>" % kids,
        3: second or b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
        4: stream(WORDS),
    }
    return pdf(objects)


def truetype(data: bytes) -> dict[int, bytes]:
    return {
        6: b"<< /Type /FontDescriptor /FontName /Evil /Flags 4 /FontBBox [-99999999 -9 99999999 9] /ItalicAngle 0 "
        b"/Ascent 1e30 /Descent -1e30 /CapHeight 0 /StemV 1 /FontFile2 7 0 R >>",
        7: stream(data, b"/Length1 4294967295"),
    }


EVIL_FONT = (
    b"<< /Type /Font /Subtype /TrueType /BaseFont /Evil /FirstChar -5 /LastChar 2147483647 /Widths [1e38 -1e38 0] "
    b"/FontDescriptor 6 0 R /ToUnicode 8 0 R >>"
)


def cmap() -> bytes:
    lines = b"".join(b"<%04X> <FFFF> <0041>\n" % n for n in range(100))
    body = b"begincmap 1 begincodespacerange <00> <FFFFFFFF> endcodespacerange\n"
    return body + b"".join(b"100 beginbfrange\n" + lines + b"endbfrange\n" for _ in range(50)) + b"endcmap"


def broken_fonts() -> dict[str, Callable[[], bytes]]:
    noise = random.Random(3).randbytes(20_000)
    tables = b"\0\1\0\0\xff\xff\0\0\0\0\0\0" + b"".join(
        name + b"\0\0\0\0" + b"\xff\xff\xff\xf0" * 2 for name in (b"glyf", b"loca", b"cmap", b"head", b"maxp", b"hmtx")
    )
    return {
        "font-noise.pdf": lambda: page(font=EVIL_FONT, more=truetype(noise) | {8: stream(cmap())}),
        "font-tables.pdf": lambda: page(font=EVIL_FONT, more=truetype(tables + noise[:2000]) | {8: stream(b"")}),
        "font-cmap.pdf": lambda: page(font=EVIL_FONT, more=truetype(b"") | {8: stream(cmap())}),
        "font-type3-calls-itself.pdf": lambda: page(
            b"BT /F1 12 Tf (aaaa) Tj ET",
            font=b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [0 0 0 0 0 0] /FirstChar 97 /LastChar "
            b"97 /Widths [1] /Encoding << /Differences [97 /a] >> /CharProcs << /a 4 0 R >> /Resources << /Font << /F1 "
            b"5 0 R >> >> >>",
        ),
        "font-descends-into-itself.pdf": lambda: page(
            font=b"<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding /Identity-H /DescendantFonts [5 0 R] >>"
        ),
    }


def files(url: str, secret: str, good: bytes) -> dict[str, Callable[[], bytes]]:
    """Name of each file, and what makes its bytes; `good` is a sound PDF to be cut."""
    link, name = url.encode(), secret.encode()
    zeros = repeated(b"(word) Tj " * 100_000, 1000)
    kids = b"/Kids [2 0 R 2 0 R] "
    deep = b"<< /A " * 100_000 + b"1" + b" >>" * 100_000
    script = b"/OpenAction << /S /JavaScript /JS (app.launchURL('%s')) >> /AA << /O << /S /Launch /F (%s) >> >>"
    noise = random.Random(4).randbytes(5000)
    picture = b"/Type /XObject /Subtype /Image /Width 100000 /Height 100000 /ColorSpace /DeviceRGB /BitsPerComponent 8 "
    made: dict[str, Callable[[], bytes]] = {
        "pages-20000.pdf": lambda: pages(20_000),
        "xref-points-nowhere.pdf": lambda: pdf({1: b"<< /Pages 2 0 R >>", 2: b"<< /Kids [] >>"}, start=2**31),
        "xref-previous-is-itself.pdf": lambda: page(trailer=b"/Prev 9 /XRefStm 9"),
        "xref-missing.pdf": lambda: page().split(b"xref\n")[0],
        "page-tree-loop.pdf": lambda: loop(b"2 0 R 2 0 R 2 0 R"),
        "page-tree-two-loops.pdf": lambda: loop(b"3 0 R " * 50, b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 5 >>"),
        "page-count-lies.pdf": lambda: loop(b"3 0 R"),
        "page-count-negative.pdf": lambda: page().replace(b"/Count 1", b"/Count -1"),
        "page-box-gigantic.pdf": lambda: page(box=b"[0 0 1e30 1e30]", extra=b"/UserUnit 1e30"),
        "page-box-not-a-number.pdf": lambda: page(box=b"[nan inf (a) /B]", extra=b"/Rotate 37"),
        "page-box-empty.pdf": lambda: page(box=b"[5 5 5 5]"),
        "array-deep.pdf": lambda: page(extra=b"/X " + b"[" * 10_000 + b"]" * 10_000),
        "dictionary-deep.pdf": lambda: page(extra=b"/X " + deep),
        "content-deep.pdf": lambda: page(b"q " * 200_000 + b"BT " * 200_000 + WORDS),
        "content-operands.pdf": lambda: page(b"1 " * 1_000_000 + WORDS),
        "content-arrays-deep.pdf": lambda: page(b"BT /F1 9 Tf " + b"[" * 100_000 + b"(a)] TJ ET"),
        "content-bomb.pdf": lambda: page(b"\x78\xda" + zeros[0] + bytes(4), head=b"/Filter /FlateDecode"),
        "content-filters.pdf": lambda: page(
            zlib.compress(WORDS),
            head=b"/Filter [" + b"/FlateDecode " * 1000 + b"/LZWDecode /ASCII85Decode /Crypt /JBIG2Decode]",
        ),
        "content-length-lies.pdf": lambda: page().replace(b"/Length 70", b"/Length 99999999"),
        "content-calls-itself.pdf": lambda: page(
            b"/X Do",
            resources=b"/XObject << /X 6 0 R >>",
            more={
                6: stream(
                    b"/X Do /X Do " + WORDS,
                    b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>",
                )
            },
        ),
        "letters-million.pdf": lambda: page(b"BT /F1 1 Tf 0 0 Td (" + b"endless " * 125_000 + b") Tj ET"),
        "letters-scattered.pdf": lambda: page(
            b"BT /F1 5 Tf "
            + b"".join(b"1 0 0 1 %d %d Tm (x) Tj " % (n * 7919 % 612, n * 104729 % 792) for n in range(60_000))
        ),
        "image-huge.pdf": lambda: page(
            b"100 0 0 100 0 0 cm /X Do " + WORDS, resources=b"/XObject << /X 6 0 R >>", more={6: stream(b"", picture)}
        ),
        "image-jbig2-noise.pdf": lambda: page(
            b"/X Do " + WORDS,
            resources=b"/XObject << /X 6 0 R >>",
            more={6: stream(noise, picture + b"/Filter /JBIG2Decode")},
        ),
        "image-jpx-noise.pdf": lambda: page(
            b"/X Do " + WORDS,
            resources=b"/XObject << /X 6 0 R >>",
            more={6: stream(b"\0\0\0\x0cjP  \r\n\x87\n" + noise, picture + b"/Filter /JPXDecode")},
        ),
        "outline-loop.pdf": lambda: page(
            catalog=b"/Outlines 6 0 R",
            more={
                6: b"<< /First 7 0 R /Last 7 0 R /Count 9 >>",
                7: b"<< /Title (a) /Next 7 0 R /First 6 0 R /Parent 7 0 R >>",
            },
        ),
        "labels-loop.pdf": lambda: page(
            catalog=b"/PageLabels 6 0 R", more={6: b"<< /Kids [6 0 R 6 0 R] /Limits [0 9] >>"}
        ),
        "labels-huge.pdf": lambda: page(
            catalog=b"/PageLabels << /Nums [0 << /S /R /St 2147483647 /P (%s) >>] >>" % (b"p" * 9000)
        ),
        "names-loop.pdf": lambda: page(
            catalog=b"/Names << /Dests 6 0 R /EmbeddedFiles 6 0 R >> /Dests 6 0 R", more={6: b"<< %s >>" % kids}
        ),
        "reference-to-itself.pdf": lambda: page(more={4: b"4 0 R", 5: b"5 0 R"}),
        "object-stream-loop.pdf": lambda: page(
            more={6: stream(b"6 0 ", b"/Type /ObjStm /N 99999999 /First 4 /Extends 6 0 R")}
        ),
        "reaches-out.pdf": lambda: page(
            catalog=script % (link, name) + b" /AcroForm << /XFA 6 0 R >> /URI << /Base (%s) >>" % link,
            more={
                6: stream(b"<xdp><submit target='%s'/></xdp>" % link),
                7: stream(b"", b"/F << /FS /URL /F (%s) >> /FFilter /FlateDecode" % link),
            },
            extra=b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (%s) >> >>]" % link,
        ),
        "content-elsewhere.pdf": lambda: page(b"", head=b"/F (%s) /FFilter /FlateDecode" % name),
        "encrypted.pdf": lambda: page(
            more={6: b"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <%s> /U <%s> >>" % (b"41" * 32, b"42" * 32)},
            trailer=b"/Encrypt 6 0 R /ID [<00> <00>]",
        ),
        "encrypted-oddly.pdf": lambda: page(
            more={6: b"<< /Filter /Standard /V 9 /R 99 /Length -8 /P 99999999999 /O 6 0 R /U [] >>"},
            trailer=b"/Encrypt 6 0 R /ID 6 0 R",
        ),
        "header-only.pdf": lambda: b"%PDF-1.7\n",
        "text-called.pdf": lambda: b"This is no PDF at all. " * 50,
        "metadata-odd.pdf": lambda: page(
            more={
                6: b"<< /Title <FEFFD800D800> /Author (%s) /CreationDate (D:99999999999999) >>"
                % (b"(" * 500 + b")" * 500)
            },
            trailer=b"/Info 6 0 R",
        ),
    }
    for n in range(1, 21):
        made[f"torn-{n:02}.pdf"] = lambda n=n: good[: len(good) * n // 21]  # type: ignore[misc]
    return made | broken_fonts()


def sound(data: Path) -> bytes:
    """The PDF to be cut."""
    return (data / "formats" / "report.pdf").read_bytes()
