"""Hostile office files and books: packages of XML parts that swell, nest, or point elsewhere."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from tests.data.hostile.archives import MIB, directory, entry, repeated, zipped

XML = b'<?xml version="1.0" encoding="UTF-8"?>'
W = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
A = b'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
R = b'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
P = b'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
S = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
ODF = b'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
KINDS = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
}
MAIN = {"docx": "word/document.xml", "pptx": "ppt/presentation.xml", "xlsx": "xl/workbook.xml"}
BODY = {
    "docx": (
        "word/document.xml",
        b"<w:document %s><w:body><w:p><w:r><w:t>" % W,
        b"</w:t></w:r></w:p></w:body></w:document>",
    ),
    "pptx": (
        "ppt/slides/slide1.xml",
        b"<p:sld %s %s><p:cSld><p:spTree><p:sp><p:nvSpPr><p:cNvPr id='2' name='t'/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/>"
        b"<p:txBody><a:bodyPr/><a:p><a:r><a:t>" % (P, A),
        b"</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>",
    ),
    "xlsx": (
        "xl/worksheets/sheet1.xml",
        b"<worksheet %s><sheetData><row r='1'><c r='A1' t='inlineStr'><is><t>" % S,
        b"</t></is></c></row></sheetData></worksheet>",
    ),
    "odt": (
        "content.xml",
        b"<office:document-content %s><office:body><office:text><text:p>" % ODF,
        b"</text:p></office:text></office:body></office:document-content>",
    ),
    "epub": (
        "chapter.xhtml",
        b"<html xmlns='http://www.w3.org/1999/xhtml'><head><title>T</title></head><body><p>",
        b"</p></body></html>",
    ),
}


def relations(*items: tuple[str, str, str]) -> bytes:
    lines = "".join(
        f'<Relationship Id="rId{n}" Type="{RELS}/{kind}" Target="{target}"{more}/>'
        for n, (kind, target, more) in enumerate(items, 1)
    )
    return XML + f'<Relationships xmlns="{RELS.replace("officeDocument", "package")}">{lines}</Relationships>'.encode()


def around(kind: str) -> list[tuple[str, bytes]]:
    """The parts of a package other than the one with the text."""
    if kind == "odt":
        manifest = b"<manifest:manifest xmlns:manifest='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'/>"
        return [("mimetype", b"application/vnd.oasis.opendocument.text"), ("META-INF/manifest.xml", XML + manifest)]
    if kind == "epub":
        container = b"<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container' version='1.0'><rootfiles><rootfile full-path='book.opf' media-type='application/oebps-package+xml'/></rootfiles></container>"
        return [
            ("mimetype", b"application/epub+zip"),
            ("META-INF/container.xml", XML + container),
            ("book.opf", opf(b"<itemref idref='c'/>")),
        ]
    part, of_slide = BODY[kind][0], "/ppt/slides/slide1.xml"
    types = "".join(
        f'<Override PartName="/{name}" ContentType="{content}"/>'
        for name, content in [(MAIN[kind], KINDS[kind])]
        + [(of_slide[1:], KINDS["pptx"].replace("presentation.main", "slide"))] * (kind == "pptx")
        + [(part, KINDS["xlsx"].replace("sheet.main", "worksheet"))] * (kind == "xlsx")
    )
    parts = [
        (
            "[Content_Types].xml",
            XML
            + b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
            b'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
            b'ContentType="application/xml"/>' + types.encode() + b"</Types>",
        ),
        ("_rels/.rels", relations(("officeDocument", MAIN[kind], ""))),
    ]
    if kind == "pptx":
        slides = (
            b"<p:presentation %s %s><p:sldIdLst><p:sldId id='256' r:id='rId1'/></p:sldIdLst><p:sldSz cx='9' cy='9'/>"
            % (P, R)
        )
        parts.append((MAIN[kind], XML + slides + b"</p:presentation>"))
        parts.append(("ppt/_rels/presentation.xml.rels", relations(("slide", "slides/slide1.xml", ""))))
    if kind == "xlsx":
        book = b"<workbook %s %s><sheets><sheet name='One' sheetId='1' r:id='rId1'/></sheets></workbook>" % (S, R)
        parts.append((MAIN[kind], XML + book))
        parts.append(("xl/_rels/workbook.xml.rels", relations(("worksheet", "worksheets/sheet1.xml", ""))))
    return parts


def opf(spine: bytes, chapter: bytes = b"chapter.xhtml") -> bytes:
    return (
        XML + b"<package xmlns='http://www.idpf.org/2007/opf' version='3.0' unique-identifier='i'><metadata "
        b"xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title>T</dc:title></metadata><manifest><item id='c' href='"
        + chapter
        + b"' media-type='application/xhtml+xml'/></manifest><spine>"
        + spine
        + b"</spine></package>"
    )


def package(kind: str, text: bytes, *, doctype: bytes = b"", more: tuple[tuple[str, bytes], ...] = ()) -> bytes:
    """A file of a kind whose text part holds `text` as it is."""
    name, before, after = BODY[kind]
    parts = dict(around(kind)) | {name: XML + doctype + before + text + after} | dict(more)
    return zipped(parts.items())


def bomb(kind: str, name: str = "") -> bytes:
    """A file of a kind whose text part, or the one named, is a gibibyte."""
    part, before, after = BODY[kind]
    name, out, lines = name or part, b"", []
    body, crc, size = repeated(b"A word. " * MIB, 128)
    if name == part:
        head = XML + before
        crc = zlib.crc32(head)
        for _ in range(128):
            crc = zlib.crc32(b"A word. " * MIB, crc)
        crc, size = zlib.crc32(after, crc), len(head) + size + len(after)
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
        last = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = start + body[:-2] + last.compress(after) + last.flush()
    for path, data in [(p, d) for p, d in around(kind) if p != name]:
        local, line = entry(path.encode(), data, zlib.crc32(data), len(data), method=0, offset=len(out))
        out, lines = out + local, [*lines, line]
    local, line = entry(name.encode(), body, crc, size, offset=len(out))
    return out + local + directory([*lines, line], len(out) + len(local))


def laughs(depth: int = 10) -> bytes:
    lines = b"<!ENTITY l0 'ha '>" + b"".join(
        b"<!ENTITY l%d '%s'>" % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, depth)
    )
    return b"<!DOCTYPE x [" + lines + b"]>"


QUADRATIC = b"<!DOCTYPE x [<!ENTITY q '" + b"q" * 50_000 + b"'>]>"


def external(target: str) -> bytes:
    return b"<!DOCTYPE x SYSTEM '%s' [<!ENTITY e SYSTEM '%s'><!ENTITY %% p SYSTEM '%s'> %%p;]>" % (
        (target.encode(),) * 3
    )


def picture() -> bytes:
    """A PNG that says it is 100,000 pixels wide and high."""
    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 6, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + b"\0" * 40


def sheet(inside: bytes) -> bytes:
    return zipped(
        (dict(around("xlsx")) | {BODY["xlsx"][0]: XML + b"<worksheet %s>%s</worksheet>" % (S, inside)}).items()
    )


def files(url: str, secret: str) -> dict[str, Callable[[], bytes]]:
    """Name of each file, and what makes its bytes."""
    made: dict[str, Callable[[], bytes]] = {}
    for kind in BODY:
        made |= {
            f"bomb.{kind}": lambda k=kind: bomb(k),  # type: ignore[misc]
            f"laughs.{kind}": lambda k=kind: package(k, b"&l9;", doctype=laughs()),  # type: ignore[misc]
            f"quadratic.{kind}": lambda k=kind: package(k, b"&q;" * 50_000, doctype=QUADRATIC),  # type: ignore[misc]
            f"external-file.{kind}": lambda k=kind: package(k, b"&e;", doctype=external(f"file://{secret}")),  # type: ignore[misc]
            f"external-url.{kind}": lambda k=kind: package(k, b"&e;", doctype=external(url)),  # type: ignore[misc]
            f"torn.{kind}": lambda k=kind: (p := package(k, b"Text. " * 500))[: len(p) * 2 // 3],  # type: ignore[misc]
            f"parts-missing.{kind}": lambda k=kind: zipped(around(k)[:2]),  # type: ignore[misc]
            f"not-xml.{kind}": lambda k=kind: package(k, b"<unclosed & \x00\xff"),  # type: ignore[misc]
        }
    link, name = url.encode(), secret
    outside = ' TargetMode="External"'
    deep_w = b"</w:t></w:r></w:p>" + b"<w:tbl><w:tr><w:tc>" * 10_000 + b"<w:p><w:r><w:t>deep"
    deep_w_end = b"</w:t></w:r></w:p>" + b"</w:tc></w:tr></w:tbl>" * 10_000 + b"<w:p><w:r><w:t>"
    cells = b"".join(b"<c r='A%d'><f>A%d</f><v>1</v></c>" % (n, n + 1) for n in range(1, 2000))
    container = dict(around("epub"))["META-INF/container.xml"]
    return made | {
        "bomb-mimetype.odt": lambda: bomb("odt", "mimetype"),
        "bomb-properties.docx": lambda: bomb("docx", "docProps/core.xml"),
        "bomb-strings.xlsx": lambda: bomb("xlsx", "xl/sharedStrings.xml"),
        "bomb-package.epub": lambda: bomb("epub", "book.opf"),
        "deep-tables.docx": lambda: package("docx", deep_w + deep_w_end),
        "deep-controls.docx": lambda: package(
            "docx", b"<w:sdt><w:sdtContent>" * 10_000 + b"</w:sdtContent></w:sdt>" * 10_000
        ),
        "span.docx": lambda: package(
            "docx",
            b"</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val='2147483647'/><w:vMerge/></w:tcPr><w:p/></w:tc>"
            b"</w:tr></w:tbl><w:p><w:r><w:t>after",
        ),
        "reaches-out.docx": lambda: package(
            "docx",
            b"Text with relations.",
            more=(
                (
                    "word/_rels/document.xml.rels",
                    relations(
                        ("attachedTemplate", url, outside),
                        ("image", url, outside),
                        ("aFChunk", f"file://{name}", outside),
                        ("hyperlink", f"../../../..{name}", ""),
                    ),
                ),
                ("word/media/image1.png", picture()),
            ),
        ),
        "picture-huge.docx": lambda: package(
            "docx",
            b"</w:t></w:r><w:r><w:drawing><a:blip %s %s r:embed='rId1'/></w:drawing></w:r><w:r><w:t>picture" % (A, R),
            more=(
                ("word/_rels/document.xml.rels", relations(("image", "media/image1.png", ""))),
                ("word/media/image1.png", picture()),
            ),
        ),
        "reaches-out.pptx": lambda: package(
            "pptx",
            b"Slide with relations.",
            more=(
                (
                    "ppt/slides/_rels/slide1.xml.rels",
                    relations(
                        ("image", url, outside), ("slide", f"../../../..{name}", ""), ("slideLayout", "slide1.xml", "")
                    ),
                ),
            ),
        ),
        "deep-groups.pptx": lambda: package(
            "pptx",
            b"</a:t></a:r></a:p></p:txBody></p:sp>"
            + b"<p:grpSp><p:nvGrpSpPr/><p:grpSpPr/>" * 10_000
            + b"</p:grpSp>" * 10_000
            + b"<p:sp><p:txBody><a:p><a:r><a:t>after",
        ),
        "claims-all-cells.xlsx": lambda: sheet(
            b"<dimension ref='A1:XFD1048576'/><sheetData><row r='1'><c r='A1'><v>1</v></c></row><row r='1048576'>"
            b"<c r='XFD1048576'><v>2</v></c></row></sheetData><mergeCells><mergeCell ref='A1:XFD1048576'/></mergeCells>"
        ),
        "far-cells.xlsx": lambda: sheet(
            b"<sheetData>"
            + b"".join(b"<row r='%d'><c r='XFD%d'><v>1</v></c></row>" % (n, n) for n in range(1, 4000))
            + b"</sheetData>"
        ),
        "impossible-cells.xlsx": lambda: sheet(
            b"<sheetData><row r='99999999999'><c r='ZZZZZZZZ99999999999' t='s'><v>-5</v></c><c r='' t='?'><v>x</v></c></row></sheetData>"
        ),
        "formulas-in-a-ring.xlsx": lambda: sheet(b"<sheetData><row r='1'>" + cells + b"</row></sheetData>"),
        "numbers-odd.xlsx": lambda: sheet(
            b"<sheetData><row r='1'><c r='A1' s='999999'><v>1e999</v></c><c r='B1' t='d'><v>99999-99-99</v></c><c r='C1'><v>"
            + b"9" * 100_000
            + b"</v></c></row></sheetData>"
        ),
        "spaces-repeat.odt": lambda: package(
            "odt", b"a<text:s text:c='2000000000'/>b<text:s text:c='-5'/><text:s text:c='x'/>"
        ),
        "cells-repeat.odt": lambda: package(
            "odt",
            b"</text:p><table:table><table:table-row table:number-rows-repeated='1000000'><table:table-cell "
            b"table:number-columns-repeated='1000000'><text:p>cell</text:p></table:table-cell></table:table-row></table:table><text:p>",
        ),
        "deep-lists.odt": lambda: package(
            "odt",
            b"</text:p>"
            + b"<text:list><text:list-item>" * 10_000
            + b"<text:p>deep</text:p>"
            + b"</text:list-item></text:list>" * 10_000
            + b"<text:p>",
        ),
        "deep.epub": lambda: package("epub", b"<div>" * 10_000 + b"deep" + b"</div>" * 10_000),
        "spine-loop.epub": lambda: package(
            "epub", b"Again. " * 50, more=(("book.opf", opf(b"<itemref idref='c'/>" * 100_000)),)
        ),
        "package-outside.epub": lambda: package(
            "epub",
            b"Text.",
            more=(("META-INF/container.xml", container.replace(b"book.opf", b"../../../.." + name.encode())),),
        ),
        "chapter-outside.epub": lambda: package(
            "epub", b"Text.", more=(("book.opf", opf(b"<itemref idref='c'/>", b"file://" + name.encode())),)
        ),
        "chapter-remote.epub": lambda: package(
            "epub", b"Text.", more=(("book.opf", opf(b"<itemref idref='c'/>", link)),)
        ),
    }
