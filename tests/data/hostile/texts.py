"""Hostile files that are text: pages, markup, tables, records and mail."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable

from tests.data.hostile.archives import MIB, bomb

WORDS = b"A sentence that is harmless and makes this a document. "


def html(body: bytes, head: bytes = b"") -> bytes:
    return b"<!DOCTYPE html><html><head><title>Page</title>" + head + b"</head><body>" + body + b"</body></html>"


def mail(body: bytes, head: bytes = b"") -> bytes:
    start = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: Test\r\nDate: Mon, 3 Mar 2025 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    return start + head + b"\r\n" + body


def part(kind: bytes, body: bytes, more: bytes = b"") -> bytes:
    return b"--b\r\nContent-Type: " + kind + b"\r\n" + more + b"\r\n" + body + b"\r\n"


def mixed(*parts: bytes) -> bytes:
    return mail(b"".join(parts) + b"--b--\r\n", b"Content-Type: multipart/mixed; boundary=b\r\n")


def multiparts(depth: int) -> bytes:
    inner = b"Content-Type: text/plain\r\n\r\nThe innermost part.\r\n"
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(depth))
    return opened + inner + b"".join(b"--%d--\r\n" % n for n in reversed(range(depth)))


def pages(url: str, secret: str) -> dict[str, Callable[[], bytes]]:
    u, f = url.encode(), b"file://" + secret.encode()
    reaching = b"".join(
        b"<%s></%s>" % (tag.replace(b"@", target), tag.split()[0])
        for target in (u, f)
        for tag in (
            b"script src='@'",
            b"img src='@' srcset='@ 2x'",
            b"iframe src='@'",
            b"object data='@'",
            b"embed src='@'",
            b"link rel=stylesheet href='@'",
            b"link rel=canonical href='@'",
            b"meta http-equiv=refresh content='0;url=@'",
            b"video src='@' poster='@'",
            b"base href='@'",
            b"form action='@'",
            b"style>@import url('@');body{background:url(@)}",
            b"svg><image href='@'/><use href='@#x'/><foreignObject>",
            b"a href='@' ping='@'>link",
            b"input type=image src='@'",
        )
    )
    ld = b"<script type='application/ld+json'>" + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"</script>"
    dates = b"".join(b"<time datetime='%s'>2025-01-%s</time>" % (b"9" * 3000, b"0" * 3000) for _ in range(20))
    doctype = b"<!DOCTYPE html [<!ENTITY x SYSTEM '" + f + b"'>]>"
    return {
        "deep.html": lambda: html(b"<div>" * 10_000 + b"deep" + b"</div>" * 10_000),
        "deep-inline.html": lambda: html(b"<b><i>" * 50_000 + b"deep"),
        "deep-tables.html": lambda: html(b"<table><tr><td>" * 10_000 + b"deep"),
        "deep-lists.html": lambda: html(b"<ul><li>" * 10_000 + WORDS),
        "unclosed-million.html": lambda: html(b"<p>word<b>" * 500_000),
        "line-50-mb.html": lambda: html(b"word " * (10 * MIB - 100)),
        "reaches-out.html": lambda: html(reaching + WORDS * 20, reaching),
        "entities.html": lambda: html(b"&#x110000;&#99999999999999999999;&#0;&#xD800;&unknown;&amp" * 5000 + WORDS),
        "entities-external.xhtml": lambda: b"<?xml version='1.0'?>" + doctype + html(b"<p>&x;</p>" + WORDS * 5),
        "entities-laughs.xhtml": lambda: (
            b"<?xml version='1.0'?><!DOCTYPE html [<!ENTITY a0 'ha'>"
            + b"".join(b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
            + b"]><html><body><p>&a9;</p>"
            + WORDS * 5
            + b"</body></html>"
        ),
        "attributes.html": lambda: html(b"<p " + b"".join(b"a%d=1 " % n for n in range(200_000)) + b">" + WORDS),
        "comment-unclosed.html": lambda: html(WORDS + b"<!--" + b"-" * 1_000_000),
        "script-unclosed.html": lambda: html(WORDS + b"<script>" + b"</scrip" * 200_000),
        "json-ld-deep.html": lambda: html(WORDS * 5, ld),
        "dates-odd.html": lambda: html(
            dates + WORDS, b"<meta property='article:published_time' content='%s'>" % (b"1-" * 50_000)
        ),
        "charset-lies.html": lambda: html("Déjà vu – €".encode("cp1252") * 300, b"<meta charset='utf-16'>"),
        "charset-python.html": lambda: html(WORDS, b"<meta charset='unicode_escape'><meta charset='zip'>"),
        "charset-punycode.html": lambda: html(
            b"a" * 800_000 + b"-" + b"bcdefgh" * 120_000, b"<meta charset='punycode'>"
        ),
        "nul.html": lambda: html(b"\0w\0o\0r\0d\0" * 1000),
        "data-url.html": lambda: html(b"<img src='data:image/png;base64," + b"A" * 5_000_000 + b"'>" + WORDS),
        "class-long.html": lambda: html(
            b"<p class='" + b"nav-" * 250_000 + b"' style='" + b"display :" * 100_000 + b"'>" + WORDS
        ),
        "spaces.html": lambda: html(b"<p>" + b" \t\r\n" * 1_000_000 + WORDS),
        "angles.html": lambda: html(b"<" * 1_000_000 + b"&" * 500_000),
        "torn.html": lambda: html(WORDS * 100)[:-3000] + b"<p clas",
    }


def markups(url: str, secret: str) -> dict[str, Callable[[], bytes]]:
    u, f = url.encode(), secret.encode()
    alias = b"a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + b"".join(
        b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 10)
    )
    rst = (
        b"Title\n=====\n\n.. include:: %s\n\n.. literalinclude:: %s\n\n.. raw:: html\n   :file: %s\n\n.. raw:: html\n   :url: %s\n\n"
        b".. csv-table:: T\n   :file: %s\n\n.. csv-table:: T\n   :url: %s\n\n.. image:: %s\n\n.. figure:: file://%s\n\n"
        b".. role:: evil(raw)\n   :format: html\n\n:evil:`<script>`\n\n.. code:: python\n   :number-lines: 99999999999\n\n"
        b"   import os\n\n.. default-role:: math\n\n.. eval-rst:: x\n\n" % (f, f, f, u, f, u, u, f)
    ) + WORDS
    return {
        "deep-quotes.md": lambda: b"> " * 10_000 + b"deep\n\n" + b">" * 100_000 + b"deep\n",
        "deep-lists.md": lambda: b"".join(b"  " * n + b"- item\n" for n in range(3000)),
        "deep-lists-one-line.md": lambda: b"- " * 20_000 + b"deep\n",
        "brackets.md": lambda: b"[" * 50_000 + b"](" * 50_000 + b"![" * 20_000 + WORDS,
        "stars.md": lambda: b"*_a" * 50_000 + b"**" * 50_000 + b"a**" * 30_000 + b"\n" + WORDS,
        "backticks.md": lambda: b"".join(b"`" * n + b"a" for n in range(1, 1500)) + WORDS,
        "hashes.md": lambda: (
            b"#" * 500_000 + b"\n" + b"# a " + b"#" * 100_000 + b" b\n" + b"# " * 100_000 + b"\n" + WORDS
        ),
        "pipes.md": lambda: (
            b"|a" * 20_000 + b"|\n" + b"|-" * 20_000 + b"|\n" + b"|b" * 20_000 + b"|\n" + b"|" * 500_000 + WORDS
        ),
        "links.md": lambda: (
            b"".join(b"[a%d]: <x\n" % n for n in range(20_000)) + b"[x](" * 20_000 + b"<" * 50_000 + WORDS
        ),
        "html-blocks.md": lambda: (
            b"<!-- " * 50_000 + b"<a <b " * 50_000 + b"<?" * 50_000 + b"<![CDATA[" * 20_000 + WORDS
        ),
        "entities.md": lambda: b"&" * 100_000 + b"&#" * 100_000 + b"&a" * 100_000 + b"\\" * 100_000 + WORDS,
        "files.md": lambda: (
            b"![a](file://%s) ![b](%s) <img src='%s'> [c]: %s\n\n<script src='%s'></script>\n\n%s"
            % (f, u, u, u, u, WORDS)
        ),
        "front-matter-laughs.md": lambda: b"---\n" + alias + b"title: *a9\n---\n" + WORDS,
        "front-matter-object.md": lambda: (
            b"---\ntitle: !!python/object/apply:os.system ['touch evil.txt']\ndate: !!python/name:os.system\n---\n"
            + WORDS
        ),
        "front-matter-deep.md": lambda: b"---\ntitle: " + b"[" * 10_000 + b"]" * 10_000 + b"\n---\n" + WORDS,
        "front-matter-odd.md": lambda: (
            b"---\ntitle: {a: [1, 2]}\ndate: 0000-99-99\nauthor: 12e999\ntags: {1: 2}\nlanguage: [\n---\n" + WORDS
        ),
        "front-matter-numbers.md": lambda: (
            b"---\ntitle: " + b"9" * 100_000 + b"\ndate: 1:1:1:1" + b":59" * 50_000 + b"\n---\n" + WORDS
        ),
        "reaches-out.rst": lambda: rst,
        "includes-itself.rst": lambda: b".. include:: includes-itself.rst\n\n" * 50 + WORDS,
        "substitutions.rst": lambda: b".. |a| replace:: |b| |b|\n.. |b| replace:: |a| |a|\n\n|a| " + WORDS,
        "deep.rst": lambda: b"".join(b"  " * n + b"* item\n\n" for n in range(2000)) + WORDS,
        "deep-quotes.rst": lambda: b"".join(b" " * n + b"quote\n\n" for n in range(1, 2000)) + WORDS,
        "roles.rst": lambda: b":a:`" * 20_000 + b"``" * 20_001 + b"|" * 20_001 + b"_" * 20_000 + b"*" * 20_001 + WORDS,
        "adornments.rst": lambda: b"T\n" + b"=" * 500_000 + b"\n\n" + WORDS + b"\n" + b"-" * 500_000,
        "grid.rst": lambda: (b"+" + b"-+" * 300 + b"\n" + b"|" + b" |" * 300 + b"\n") * 200 + WORDS,
        "groups-deep.rtf": lambda: b"{\\rtf1\\ansi " + b"{\\b " * 10_000 + b"deep" + b"}" * 10_000 + b"}",
        "groups-unclosed.rtf": lambda: b"{\\rtf1 " + b"{" * 300_000 + WORDS,
        "groups-overclosed.rtf": lambda: b"{\\rtf1 " + WORDS + b"}" * 300_000 + WORDS,
        "bin-huge.rtf": lambda: b"{\\rtf1 " + WORDS + b"\\bin999999999999 abc}" + b"\\bin-5 x" + WORDS + b"}",
        "numbers.rtf": lambda: (
            b"{\\rtf1 "
            + b"\\u99999999999? \\u-1? \\'zz \\'f \\uc999999999 \\u65?" * 1000
            + b"\\fs"
            + b"9" * 10_000
            + WORDS
            + b"}"
        ),
        "words-million.rtf": lambda: b"{\\rtf1 " + b"\\b\\i\\par " * 300_000 + WORDS + b"}",
        "fonts.rtf": lambda: (
            b"{\\rtf1\\ansicpg99999\\deff0{\\fonttbl" + b"{\\f0\\fcharset999 X;}" * 50_000 + b"}" + WORDS + b"}"
        ),
        "reaches-out.rtf": lambda: (
            b'{\\rtf1{\\field{\\*\\fldinst INCLUDETEXT "%s"}{\\fldrslt a}}{\\field{\\*\\fldinst INCLUDEPICTURE "%s"}}{\\*\\template %s}{\\object\\objautlink\\objupdate{\\*\\objdata 0105}}%s}'
            % (f, u, u, WORDS)
        ),
        "escapes.rtf": lambda: b"{\\rtf1 " + b"\\" * 200_001 + b" \\*" * 50_000 + WORDS + b"}",
        "header-only.rtf": lambda: b"{\\rtf",
    }


def plain() -> dict[str, Callable[[], bytes]]:
    noise = random.Random(7).randbytes(200_000)
    runs = {
        "spaces": b" ",
        "tabs": b"\t",
        "hashes": b"#",
        "bars": b"|",
        "angles": b">",
        "digits": b"1",
        "dots": b".",
        "commas": b",1",
        "ats": b"a@",
        "dashes": b"-",
        "slashes": b"1/",
        "brackets": b"(",
        "quotes": b'"',
        "capitals": b"A.",
        "months": b"May 1, ",
        "returns": b"\r",
        "lines": b"\n",
        "zero-width": "\u200b".encode(),
        "marks": "e\u0301\u0301".encode(),
    }
    made: dict[str, Callable[[], bytes]] = {
        f"run-{name}.txt": lambda unit=unit: WORDS + unit * (1_000_000 // len(unit)) + b"x " + WORDS  # type: ignore[misc]
        for name, unit in runs.items()
    }
    return made | {
        "line-50-mb.txt": lambda: b"word " * (10 * MIB - 10),
        "nul.txt": lambda: b"a\0b" * 1000,
        "surrogates.txt": lambda: b"Lone \xed\xa0\x80 and \xed\xbf\xbf surrogates. " * 50,
        "utf8-broken.txt": lambda: "Übergrößenträger – ".encode()[:-2] * 200,
        "utf8-overlong.txt": lambda: b"\xc0\xaf\xe0\x80\xaf\xf8\x88\x80\x80\x80 text " * 100,
        "utf16-odd.txt": lambda: b"\xff\xfe" + "Text of odd length".encode("utf-16-le") * 50 + b"\x00",
        "utf16-surrogates.txt": lambda: b"\xff\xfe" + b"\x00\xd8a\x00" * 500,
        "utf32-broken.txt": lambda: b"\xff\xfe\x00\x00" + b"\xff\xff\xff\x7f" * 200,
        "marks-only.txt": lambda: b"\xef\xbb\xbf",
        "noise.txt": lambda: noise,
        "escapes.txt": lambda: b"\x1b]0;title\x07\x1b[2J\x1b[31m" * 200 + WORDS,
        "directions.txt": lambda: "\u202e\u2066\u202d".encode() * 5000 + WORDS,
    }


def tables() -> dict[str, Callable[[], bytes]]:
    wide = b",".join(b"c%d" % n for n in range(100_000))
    return {
        "columns-100000.csv": lambda: wide + b"\n" + wide + b"\n" + wide + b"\n",
        "quote-unclosed.csv": lambda: b'a,b\n"' + b"never closed, " * 800_000,
        "quotes.csv": lambda: b'"' * 1_000_001 + b"\n" + b'a,"b""' * 50_000,
        "rows-million.csv": lambda: b"a,b\n" + b"1,2\n" * 1_000_000,
        "rows-ragged.csv": lambda: b"".join(b"x," * (n % 500) + b"\n" for n in range(3000)),
        "field-long.csv": lambda: b"a,b\n" + b"f" * 2_000_000 + b",1\n",
        "nul.csv": lambda: b"a,b\n\0,\0\n" * 100,
        "separators.csv": lambda: b";,\t|:^" * 50_000 + b"\n" + WORDS,
        "formulas.csv": lambda: b"name,value\n=cmd|' /C calc'!A0,@SUM(1+1)*cmd\n+1+1,-2+3\n" * 20,
        "header-only.csv": lambda: b"a,b,c\n",
        "columns-100000.tsv": lambda: wide.replace(b",", b"\t") + b"\n1\n",
        "returns.tsv": lambda: b"a\tb\r" * 200_000,
        "noise.tsv": lambda: random.Random(8).randbytes(100_000),
    }


def records() -> dict[str, Callable[[], bytes]]:
    def line(**fields: object) -> bytes:
        return json.dumps(fields).encode() + b"\n"

    good = line(_id="1", title="T", text="A sentence.")
    return {
        "deep-lists.json": lambda: b"[" * 10_000 + b"]" * 10_000,
        "deep-objects.json": lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "deep-text.json": lambda: b'{"_id": "1", "text": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        "number-long.json": lambda: b'{"_id": ' + b"9" * 1_000_000 + b', "text": "T"}',
        "numbers-odd.json": lambda: b'[{"_id": NaN, "text": 1e999, "title": -Infinity}, 5, null, "a", [1]]',
        "surrogates.json": lambda: b'{"_id": "\\ud800", "title": "\\udfff", "text": "Lone \\ud83d here \\u0000."}',
        "keys-twice.json": lambda: b"{" + b'"text": "a", ' * 100_000 + b'"_id": "1"}',
        "keys-many.json": lambda: json.dumps({f"k{n}": {"text": "a"} for n in range(100_000)}).encode(),
        "array-million.json": lambda: b"[" + b"{}," * 1_000_000 + b"{}]",
        "types-wrong.json": lambda: json.dumps([{"_id": [1], "title": {}, "text": 5, "metadata": "m"}]).encode(),
        "dates-odd.json": lambda: json.dumps(
            [{"_id": "1", "text": "T", "metadata": {"date": "9" * 5000, "published": 1e300, "author": ["x"] * 999}}]
        ).encode(),
        "torn.json": lambda: b'{"_id": "1", "text": "torn of',
        "line-30-mb.jsonl": lambda: line(_id="1", title="T", text="word " * 6_000_000),
        "lines-bad.jsonl": lambda: good + b"{\n]\n\xff\xfe\n" * 50 + good + b"null\n5\n" + good,
        "lines-blank.jsonl": lambda: b"\n" * 1_000_000 + good,
        "lines-deep.jsonl": lambda: good + (b"[" * 100_000 + b"\n") * 20 + good,
        "ids-same.jsonl": lambda: good * 5000,
        "ids-paths.jsonl": lambda: b"".join(
            line(_id=i, text="T.") for i in ("../../evil", "/etc/x", "", "a\0b", "!/", "x" * 99999)
        ),
        "documents-300000.jsonl": lambda: b"".join(b'{"_id": "%d", "text": "T%d"}\n' % (n, n) for n in range(300_000)),
    }


def mails(url: str, secret: str) -> dict[str, Callable[[], bytes]]:
    u, f = url.encode(), secret.encode()
    packed = base64.encodebytes(bomb("zeros.txt"))
    words = b"=?utf-8?q?" + b"=41" * 20 + b"?= "
    forwarded = b"Content-Type: message/rfc822\r\n\r\n" * 3000
    return {
        "deep.eml": lambda: mail(b"")[:-2] + multiparts(10_000),
        "deep-100.eml": lambda: mail(b"")[:-2] + multiparts(100),
        "forwarded-deep.eml": lambda: mail(b"")[:-2] + forwarded + b"\r\n" + WORDS,
        "forwarded-parameter.eml": lambda: mixed(  # the standard library never ends folding such a line again
            part(b"text/plain", WORDS),
            part(
                b"message/rfc822", mail(WORDS, b"Content-Type: text/plain; " + b"n" * 100 + b"=" + b"v" * 100 + b"\r\n")
            ),
        ),
        "boundary-same.eml": lambda: mixed(*[part(b"multipart/mixed; boundary=b", b"--b\r\n")] * 500),
        "parts-many.eml": lambda: mixed(*[part(b"text/plain", b"Part.")] * 20_000),
        "attachments-many.eml": lambda: mixed(
            *[part(b"text/plain; name=a.txt", b"Attached.", b"Content-Disposition: attachment; filename=a.txt\r\n")]
            * 3000
        ),
        "attachment-bomb.eml": lambda: mixed(
            part(b"text/plain", WORDS),
            part(b"application/zip; name=bomb.zip", packed, b"Content-Transfer-Encoding: base64\r\n"),
        ),
        "attachment-outside.eml": lambda: mixed(
            part(
                b'text/plain; name="../../../evil.txt"',
                WORDS,
                b'Content-Disposition: attachment; filename="/tmp/evil.txt"\r\n',
            ),
            part(b'message/external-body; access-type=local-file; name="%s"' % f, b"Content-Type: text/plain\r\n"),
            part(b'message/external-body; access-type=URL; URL="%s"' % u, b"Content-Type: text/plain\r\n"),
            part(b"text/html", html(b"<img src='%s'><link rel=stylesheet href='%s'>" % (u, u) + WORDS)),
        ),
        "headers-bad.eml": lambda: (
            b"No colon here\r\nFrom\0: \xff\xfe\r\n: empty\r\nDate: yesterday, or 99:99\r\nSubject: =?utf-8?b?!!!?=\r\n\r\n"
            + WORDS
        ),
        "headers-long.eml": lambda: mail(
            WORDS, b"X-Long: " + b"a" * 2_000_000 + b"\r\nTo: " + b"<" * 100_000 + b"\r\n"
        ),
        "headers-many.eml": lambda: mail(WORDS, b"".join(b"X-%d: a\r\n" % n for n in range(100_000))),
        "headers-words.eml": lambda: mail(
            WORDS, b"Subject: " + words * 5000 + b"\r\nCc: " + b"a@b," * 50_000 + b"\r\n"
        ),
        "headers-comments.eml": lambda: mail(WORDS, b"To: " + b"(" * 50_000 + b"\r\nDate: " + b"(" * 50_000 + b"\r\n"),
        "headers-parameters.eml": lambda: mail(
            WORDS, b"Content-Type: text/plain" + b"".join(b"; n*%d*=%%" % n for n in range(20_000)) + b"\r\n"
        ),
        "headers-newlines.eml": lambda: mail(WORDS, b"Subject: a=?utf-8?q?=0D=0ABcc:_evil?=\r\n"),
        "charset-unknown.eml": lambda: mail(WORDS, b'Content-Type: text/plain; charset="klingon\0"\r\n'),
        "charset-punycode.eml": lambda: mail(
            b"a" * 800_000 + b"-" + b"bcdefgh" * 120_000, b"Content-Type: text/plain; charset=punycode\r\n"
        ),
        "base64-bad.eml": lambda: mail(
            b"####" * 50_000, b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n"
        ),
        "uuencode-bad.eml": lambda: mail(
            b"begin 644 /tmp/evil.txt\nM" + b"~" * 500, b"Content-Transfer-Encoding: x-uuencode\r\n"
        ),
        "quoted-bad.eml": lambda: mail(b"=" * 500_000, b"Content-Transfer-Encoding: quoted-printable\r\n"),
        "from-million.mbox": lambda: b"From \n" * 1_000_000,
        "mails-20000.mbox": lambda: (
            (b"From a@b Mon Mar  3 10:00:00 2025\n" + mail(b"Short.\n\n").replace(b"\r", b"")) * 20_000
        ),
        "no-from.mbox": lambda: WORDS * 50,
        "deep.mbox": lambda: b"From a@b Mon Mar  3 10:00:00 2025\n" + mail(b"")[:-2] + multiparts(10_000),
        "noise.mbox": lambda: b"From a\n\n" + random.Random(9).randbytes(100_000),
    }


def files(url: str, secret: str) -> dict[str, Callable[[], bytes]]:
    """Name of each file, and what makes its bytes."""
    return pages(url, secret) | markups(url, secret) | plain() | tables() | records() | mails(url, secret)
