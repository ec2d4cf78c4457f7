"""Writes the small documents that the parser tests read: `formats/` has a good one of each kind, `bad/` the others.

    python tests/data/build.py            all but the office files
    python tests/data/build.py office     those that LibreOffice makes, and the archive that holds some of them

Needs reportlab and python-docx (the `dev` extra), for the office files also LibreOffice. Without `office`, the output
is the same, byte for byte, on every run with the same versions. The texts are about an invented mill.
"""

from __future__ import annotations

import email.policy
import io
import json
import random
import struct
import sys
import zipfile
import zlib
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import office

HERE = Path(__file__).parent

NOTE = """The tide mill at Penmorrow
Notes of 3 March 2025, by the keeper

The mill stands on a dam across the creek. It grinds for about five hours after each high water.
The wheel was renewed in 1911 and again in 2004; the second time, elm was replaced by larch.

Open questions:
- Who holds the key to the sluice?
- Is the eel pass still in use?

A sack of flour weighs 25 kg and costs € 31. — The price has not changed since 2022.
"""

LATIN = """Le moulin à marée de Penmorrow
Rédigé le 12 juin 2024 par Zoë Lefèvre

Le meunier l’appelle “la vieille”. Élevée en 1742, la roue a été réparée après la crue de février.
Où est passée la clé ? Le conseil – déçu – a dépensé 1 250 € pour en faire une autre…
Übrigens: ein Besucher aus Köln schrieb „sehr schön“ ins Gästebuch, und ein zweiter, aus Málaga, «¡qué bonito!».
"""

WIDE = """Γραφή and other scripts
Written on 7 May 2023

The visitors' book of the mill has entries in Greek (Καλημέρα), Russian (Доброе утро), Japanese (おはよう) and with a
character outside the basic plane: 𝄞. Each of them counts as one character of the text.
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Visiting the mill – Penmorrow Trust</title>
<meta name="author" content="Tamsin Orrell">
<meta property="article:published_time" content="2025-04-18T09:00:00+00:00">
<style>body { color: #222 }</style>
<script>var tracker = "this script text is not part of the page";</script>
</head>
<body>
<nav><ul><li><a href="/">Navigation home</a></li><li><a href="/shop">Navigation shop</a></li></ul></nav>
<main>
<article>
<h1>Visiting the mill</h1>
<p class="byline">By Tamsin Orrell, <time datetime="2025-04-18">18 April 2025</time></p>
<p>The mill is open from Easter to the end of October, on four days a week. Visitors who want to see the wheel turn
should come two hours after high water &amp; ask for the keeper.</p>
<h2>Prices</h2>
<p>Adults pay 6 crowns, and children under twelve come in free. A family&nbsp;ticket costs 14&nbsp;crowns.</p>
<ul>
<li>Guided tours start at eleven and at three.</li>
<li>Dogs may come into the yard, but not into the mill.</li>
</ul>
<table>
<tr><th>Month</th><th>Visitors</th></tr>
<tr><td>July</td><td>1,204</td></tr>
<tr><td>August</td><td>1,388</td></tr>
</table>
<h2>How to get here</h2>
<p>There is no car park at the mill. The footpath from the station takes twenty minutes and is <em>muddy</em> after
rain. <!-- a comment is not text --></p>
<p style="display: none">This hidden sentence is not part of the page.</p>
</article>
</main>
<footer><p>Footer imprint of the Penmorrow Trust. Footer cookie settings.</p></footer>
<script>console.log("nor is this one");</script>
</body>
</html>
"""

GUIDE = """---
title: Running the mill
author: Penmorrow Trust
date: 2025-02-01
---

# Running the mill

This guide is for the two people on duty. It says what to do, in which order, and why.

## Before high water

1. Open the sea gates and *check the hinges*.
2. Grease the main bearing.
3. Put out the red flag.

The gates close by themselves when the tide turns. They must never be forced, because the posts date from 1911.

## Grinding

Lower the stones until the flour feels cool. If it is warm, raise them again:

```
# this line is a comment in a code block, not a heading
gap = 0.4  # millimetres
```

| Grain | Gap in mm | Speed in rpm |
| --- | --- | --- |
| Wheat | 0.4 | 96 |
| Rye | 0.5 | 88 |

### When something smells burnt

Stop the wheel at once. Most fires in mills began with a dry bearing.

Closing time
------------

Take in the flag, lock the sluice, and write the number of sacks into the book.
"""

LOG = """=================
Log of the sluice
=================

:Author: Jory Penhale
:Date: 2024-12-01
:Language: en-GB
:Keywords: sluice, winter

The sluice was opened on *every* tide of November but two. Both times the wind stood in the north-west and the creek
would not fall.

What was done
-------------

1. The hinges were greased with ``lanolin``.
2. The lower gate was lifted by hand, see the note_.

.. include:: /etc/hostname

.. raw:: html

   <p>This is not run.</p>

.. _note:

Lifting by hand
~~~~~~~~~~~~~~~

Four people lift the gate in a quarter of an hour.

What is left
------------

.. image:: http://mill.example/gate.png

The upper gate waits for spring.
"""

CREW = """Name,Born,Duty,Remark
Tamsin Orrell,1968-02-11,keeper,"Holds the key, and the book."
"Lefèvre, Zoë",1975-07-30,guide,"Speaks French
and Breton."
Petrok Vane,1959-12-02,"mason, surveyor","Says ""never in March""."
Jory Penhale,,wheelwright,
"""

LEVELS = "Day\tLow water\tHigh water\n2024-11-01\t0.7 m\t4.6 m\n2024-11-02\t0.9 m\t4.4 m\n2024-11-03\t1.2 m\t4.1 m\n"

VISITORS = (
    {
        "_id": "v-17",
        "title": "A school from Roscoff",
        "text": "Thirty-one pupils came on the early ferry. They ground a sack of rye and took the flour home.",
        "metadata": {
            "published": "2024-06-14",
            "author": "Zoë Lefèvre",
            "language": "en-GB",
            "tags": ["schools", "rye"],
            "url": "https://mill.example/visitors/17",
        },
    },
    {
        "_id": "v-18",
        "title": "The society of engineers",
        "text": "The engineers measured the shaft and would not believe the result.\n\nThey measured it again.",
        "metadata": {"date": "3 July 2024", "authors": ["Tamsin Orrell", "Jory Penhale"]},
    },
    {"id": 19, "text": "A heron stood on the dam all day and was counted as a visitor."},
)

REPORT = (
    (
        "Survey of the dam",
        "Surveyed by Petrok Vane on 9 September 2024",
        (
            "The dam of the Penmorrow mill was surveyed at low water on 9 September 2024. It is 84 metres long and "
            "between two and three metres high, and it consists of a core of clay between two walls of granite. Both "
            "walls were walked from end to end, and every joint wider than a finger was marked with chalk and counted.",
            "The northern wall is sound. Eleven joints are open, none of them below the line of the tide, and they can "
            "be filled with lime mortar from a ladder. The southern wall has moved. Over a length of nine metres it "
            "leans outwards by up to 14 centimetres, most probably because the roots of an ash tree have lifted the "
            "stones behind it.",
            "The tree should be felled before the spring tides of March. The wall can then be taken down and built up "
            "again with the same stones, which will take three masons about five weeks.",
        ),
    ),
    (
        "Cost and order of the work",
        "",
        (
            "The work on the southern wall will cost 38,400 crowns, of which 21,000 are wages. The joints of the "
            "northern wall add 2,150 crowns. These prices hold until the end of the year and include the scaffolding, "
            "but not the carriage of the stones.",
            "It would be wrong to begin with the wall. First the tree has to go, then the clay has to be given a "
            "winter to settle, and only then should anybody lift a stone.",
        ),
    ),
)


def formats(folder: Path) -> None:
    """Write one good document of each kind."""
    folder.mkdir(exist_ok=True)
    (folder / "note.txt").write_bytes(NOTE.encode())
    (folder / "latin.txt").write_bytes(LATIN.replace("\n", "\r\n").encode("cp1252"))
    (folder / "utf16.txt").write_bytes(b"\xff\xfe" + WIDE.encode("utf-16-le"))
    (folder / "page.html").write_bytes(PAGE.encode())
    (folder / "guide.md").write_bytes(GUIDE.encode())
    (folder / "report.pdf").write_bytes(report())
    (folder / "letter.docx").write_bytes(letter())
    (folder / "mail.eml").write_bytes(mail())
    (folder / "log.rst").write_bytes(LOG.encode())
    (folder / "crew.csv").write_bytes(CREW.encode())
    (folder / "levels.tsv").write_bytes(LEVELS.encode("utf-16"))
    (folder / "visitors.jsonl").write_bytes(
        "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in VISITORS).encode()
    )
    (folder / "visitors.json").write_bytes(json.dumps(VISITORS, indent=2).encode())
    (folder / "trust.mbox").write_bytes(mailbox())


def archive(folder: Path) -> None:
    """Pack some of the documents, an archive of others, and files that nobody reads."""
    inner = packed(
        {"mill/guide.md": (folder / "guide.md").read_bytes(), "mill/tides.odt": (folder / "tides.odt").read_bytes()}
    )
    members = {
        "papers/note.txt": NOTE.encode(),
        "papers/wheel/letter.docx": (folder / "letter.docx").read_bytes(),
        "papers/mail.eml": mail(),
        "older.zip": inner,
        "visitors.jsonl": (folder / "visitors.jsonl").read_bytes(),
        "key.png": png(12, 16),
        "__MACOSX/papers/._note.txt": b"\0\5\x16\7",
        ".hidden.txt": b"This file is hidden.\n",
    }
    (folder / "papers.zip").write_bytes(packed(members))


def bad(folder: Path) -> None:
    """Write files that hold nothing, or not what their names say, or only a part of it."""
    folder.mkdir(exist_ok=True)
    whole = report()
    (folder / "empty.txt").write_bytes(b"")
    (folder / "blank.txt").write_bytes(b" \n\t\r\n   \n\n")
    (folder / "binary.txt").write_bytes(random.Random(7).randbytes(4096))
    (folder / "png-as.pdf").write_bytes(png())
    (folder / "truncated.pdf").write_bytes(whole[: len(whole) // 5])
    (folder / "encrypted.pdf").write_bytes(report(password="larch"))
    (folder / "image-only.pdf").write_bytes(pictures())
    (folder / "broken.docx").write_bytes(letter()[:9000])
    (folder / "broken.eml").write_bytes(
        b"\x00\x01garbage: \xff\xfe\n:::: no header\nx\x80y\n\n=?utf-8?q?=zz?= \x00 rest\n"
    )
    (folder / "unknown.xyz").write_bytes(b"A file of a kind that nobody reads.\n")


def report(password: str = "") -> bytes:
    """Set the survey as a PDF of two pages, with a running header and numbers, behind a password if one is given."""
    from reportlab.lib.pagesizes import A5
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    stream = io.BytesIO()
    lock = StandardEncryption(password, ownerPassword="owner", strength=128) if password else None
    canvas = Canvas(stream, pagesize=A5, invariant=1, encrypt=lock)
    canvas.setDateFormatter(lambda *now: "D:20240915120000+00'00'")
    canvas.setTitle("Survey of the dam at Penmorrow")
    canvas.setAuthor("Petrok Vane")
    width, height = A5
    for number, (heading, line, paragraphs) in enumerate(REPORT, 1):
        canvas.setFont("Helvetica", 8)
        canvas.drawString(45, height - 30, "Penmorrow Trust · Survey of the dam")
        canvas.drawRightString(width - 45, 25, f"Page {number}")
        canvas.setFont("Helvetica-Bold", 16)
        canvas.drawString(45, height - 70, heading)
        y = height - 92.0
        if line:
            canvas.setFont("Helvetica-Oblique", 10)
            canvas.drawString(45, y, line)
            y -= 22
        for paragraph in paragraphs:
            y = draw_paragraph(canvas, paragraph, 45, y, width - 90) - 9
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def draw_paragraph(canvas: Any, text: str, x: float, y: float, width: float) -> float:
    """Draw a paragraph in lines no wider than `width`; return where the next line would stand."""
    from reportlab.lib.utils import simpleSplit

    canvas.setFont("Times-Roman", 11)
    for line in simpleSplit(text, "Times-Roman", 11, width):
        canvas.drawString(x, y, line)
        y -= 14
    return y


def pictures() -> bytes:
    """Make a PDF of two pages as a scanner would: grey pictures of lines, and no text."""
    from reportlab.lib.pagesizes import A5
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=A5, invariant=1)
    for _ in range(2):
        canvas.drawImage(ImageReader(io.BytesIO(png())), 40, 60, 340, 480)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def png(width: int = 170, height: int = 240) -> bytes:
    """Make a grey PNG with dark bars where lines of text would be."""
    rows = []
    for y in range(height):
        dark = y % 12 in (4, 5, 6) and 16 < y < height - 16
        end = 90 + (y // 12 * 37) % 65
        rows.append(b"\x00" + bytes(60 if dark and 15 < x < end else 240 for x in range(width)))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(rows), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def letter() -> bytes:
    """Write a Word letter with headings, bold text, both kinds of list, a table and properties."""
    from docx import Document

    document = Document()
    document.add_heading("Offer for the new wheel", 0)
    document.add_paragraph("To the Penmorrow Trust")
    document.add_paragraph("We thank you for your visit and offer to build a new wheel for your mill.")
    document.add_heading("What we will do", 1)
    for line in ("Take down the old wheel and keep its iron parts.", "Build a wheel of larch, 4.2 metres across."):
        document.add_paragraph(line, style="List Bullet")
    document.add_heading("Price", 1)
    table = document.add_table(3, 2, style="Table Grid")
    for row, values in zip(table.rows, (("Item", "Crowns"), ("Timber", "9,800"), ("Labour", "17,250")), strict=True):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    paragraph = document.add_paragraph("The price is ")
    paragraph.add_run("fixed until 30 June 2025").bold = True
    paragraph.add_run(". It does not include the crane.")
    document.add_heading("Order of the work", 1)
    for line in ("Drain the creek.", "Lift out the shaft.", "Fit the new wheel."):
        document.add_paragraph(line, style="List Number")
    core = document.core_properties
    core.title, core.author, core.language = "Offer for the new wheel", "Jory Penhale", "en"
    core.last_modified_by, core.comments = "Jory Penhale", ""
    core.created = core.modified = datetime(2025, 1, 20, 8, tzinfo=UTC)
    drop_extras(document)
    stream = io.BytesIO()
    document.save(stream)
    return same_zip(stream.getvalue())


def drop_extras(document: Any) -> None:
    """Leave out two large parts that python-docx's template brings and nothing needs."""
    for part in (document.part, document.part.package):
        for key in [key for key, rel in part.rels.items() if rel.reltype.endswith(("thumbnail", "stylesWithEffects"))]:
            del part.rels[key]


def same_zip(data: bytes) -> bytes:
    """Pack a Word file again with fixed times."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(zipfile.ZipInfo(entry.filename, (2025, 1, 1, 0, 0, 0)), old.read(entry), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def mail() -> bytes:
    """Write an e-mail with an encoded subject, a plain and an HTML body, and an attachment."""
    message = EmailMessage()
    message["Message-ID"] = "<20241105.0917@penmorrow.example>"
    message["Date"] = "Tue, 05 Nov 2024 09:17:00 +0100"
    message["From"] = "Tamsin Orrell <tamsin@penmorrow.example>"
    message["To"] = "Zoë Lefèvre <zoe@lefevre.example>"
    message["Subject"] = "Die alte Mühle: key to the sluice"
    message.set_content(
        "Dear Zoë,\n\nthe key to the sluice has turned up. It was in the flour bin, of all places, and it still fits.\n"
        "Please cancel the order with the locksmith – the 1 250 € can go to the eel pass instead.\n\nTamsin\n",
        cte="quoted-printable",
    )
    message.add_alternative("<p>Dear Zoë,</p><p>the key to the sluice has turned up.</p>", subtype="html")
    message.add_attachment(png(), maintype="image", subtype="png", filename="key.png")
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_penmorrow_{number}")
    return message.as_bytes()


def mailbox() -> bytes:
    """Write a mailbox of two messages as mail programs export it; the second carries a report and a forwarded mail."""
    second = EmailMessage()
    second["Message-ID"] = "<20241106.1801@penmorrow.example>"
    second["Date"] = "Wed, 06 Nov 2024 18:01:00 +0000"
    second["From"] = "Zoë Lefèvre <zoe@lefevre.example>"
    second["To"] = "Tamsin Orrell <tamsin@penmorrow.example>"
    second["Subject"] = "Order cancelled"
    second.set_content(
        "Dear Tamsin,\n\nthe locksmith has let us off without a fee.\n\nFrom Roscoff I bring two spare hinges.\n\nZoë\n"
    )
    second.add_attachment(CREW.encode(), maintype="text", subtype="csv", filename="crew.csv")
    second.add_attachment(message_of(mail()))
    for number, part in enumerate(part for part in second.walk() if part.is_multipart()):
        if part.get_content_maintype() == "multipart":
            part.set_boundary(f"=_roscoff_{number}")
    parts = []
    for sender, sent, data in (
        ("tamsin@penmorrow.example", "Tue Nov  5 08:17:00 2024", mail()),
        ("zoe@lefevre.example", "Wed Nov  6 18:01:00 2024", second.as_bytes()),
    ):
        quoted = data.replace(b"\nFrom ", b"\n>From ")
        parts.append(f"From {sender} {sent}\n".encode() + quoted + b"\n")
    return b"".join(parts)


def message_of(data: bytes) -> EmailMessage:
    """Read a message again, to forward it."""
    return BytesParser(policy=email.policy.default).parsebytes(data)


def packed(members: dict[str, bytes]) -> bytes:
    """Pack files with fixed times."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in members.items():
            new.writestr(zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


if __name__ == "__main__":
    formats(HERE / "formats")
    bad(HERE / "bad")
    if sys.argv[1:] == ["office"]:
        office.build(HERE / "formats", png)
        archive(HERE / "formats")
    for path in sorted(HERE.glob("*/*")):
        print(f"{path.stat().st_size:>7,} {path.relative_to(HERE)}")
