"""Hostile archives: zip and gzip files that unpack to too much, to the wrong place, or never end."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable

MIB = 1024 * 1024
GIB = 1024 * MIB
STAMP = (2025, 1, 1, 0, 0, 0)


@functools.cache
def repeated(unit: bytes, times: int) -> tuple[bytes, int, int]:
    """Deflate `unit * times` without making it: the raw stream, its CRC-32 and its length, quickly."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(unit) + packer.flush(zlib.Z_FULL_FLUSH)
    crc = 0
    for _ in range(times):
        crc = zlib.crc32(unit, crc)
    return block * times + b"\x03\x00", crc, len(unit) * times


def entry(
    name: bytes,
    packed: bytes,
    crc: int,
    size: int,
    *,
    method: int = 8,
    flags: int = 0x800,
    offset: int = 0,
    mode: int = 0,
) -> tuple[bytes, bytes]:
    """The local header with its data, and the line of the directory that points to `offset`."""
    common = struct.pack("<HHHHHIIIHH", 20, flags, method, 0, 0x5A21, crc, len(packed), size, len(name), 0)
    local = b"PK\x03\x04" + common + name + packed
    line = b"PK\x01\x02" + struct.pack("<H", 0x314) + common + struct.pack("<HHHII", 0, 0, 0, mode << 16, offset) + name
    return local, line


def directory(lines: Iterable[bytes], start: int) -> bytes:
    """The end of a zip file."""
    whole = list(lines)
    count, body = min(len(whole), 0xFFFF), b"".join(whole)
    return body + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(body), start, 0)


def bomb(name: str, unit: bytes = bytes(8 * MIB), times: int = 128, *, claimed: int | None = None) -> bytes:
    """A zip of one file that is `unit * times`, by default a gibibyte of zeros, and may claim to be smaller."""
    packed, crc, size = repeated(unit, times)
    local, line = entry(name.encode(), packed, crc, size if claimed is None else claimed)
    return local + directory([line], len(local))


def zipped(files: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An ordinary zip file, the same bytes each time."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files:
            info = zipfile.ZipInfo(name, STAMP)
            info.compress_type = method
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return stream.getvalue()


def nested() -> bytes:
    """Sixteen files in each of sixteen in each of …: 100 MiB sixteen to the fourth times over, in a few kilobytes."""
    inner = bomb("zeros.txt", bytes(4 * MIB), 25)
    for _ in range(4):
        inner = zipped((f"{n:x}.zip", inner) for n in range(16))
    return inner


def matryoshka() -> bytes:
    """A thousand zips, one in the other."""
    inner = zipped([("kernel.txt", b"The innermost.")])
    for _ in range(1000):
        inner = zipped([("inner.zip", inner)])
    return inner


def many() -> bytes:
    """A hundred thousand small texts."""
    parts, lines, offset = [], [], 0
    for n in range(100_000):
        data = b"Text %d." % n
        local, line = entry(b"%d.txt" % n, data, zlib.crc32(data), len(data), method=0, offset=offset)
        parts.append(local)
        lines.append(line)
        offset += len(local)
    return b"".join(parts) + directory(lines[:60_000], offset)


def paths() -> bytes:
    """Names that lead outside."""
    names = ["../../evil.txt", "..\\..\\evil.txt", "/tmp/evil-absolute.txt", "C:\\evil.txt", "//server/share/evil.txt"]
    names += ["a/../../../evil.txt", "~/evil.txt", "good/./../evil.txt", "CON.txt", "evil.txt:stream", "..", "."]
    return zipped((name, b"Evil text under the name " + name.encode()) for name in names)


def links(secret: str) -> bytes:
    """A symbolic link to a file of the system, and a file that would be written through a linked folder."""
    files = [(b"link.txt", secret.encode(), stat.S_IFLNK | 0o777), (b"folder", b"/tmp", stat.S_IFLNK | 0o777)]
    files.append((b"folder/evil.txt", b"Written through the link.", stat.S_IFREG | 0o644))
    files.append((b"device.txt", b"", stat.S_IFCHR | 0o666))
    parts, lines, offset = [], [], 0
    for name, data, mode in files:
        local, line = entry(name, data, zlib.crc32(data), len(data), method=0, mode=mode, offset=offset)
        parts.append(local)
        lines.append(line)
        offset += len(local)
    return b"".join(parts) + directory(lines, offset)


def overlapping() -> bytes:
    """Twenty thousand entries that share one body of 8 MiB."""
    packed, crc, size = repeated(b"An overlapping text. " * 4000, 100)
    local, _ = entry(b"00000.txt", packed, crc, size)
    lines = [entry(b"%05d.txt" % n, packed, crc, size)[1] for n in range(20_000)]
    return local + directory(lines, len(local))


def claims_more() -> bytes:
    """Says that it has four thousand million entries of four thousand million bytes."""
    local, _ = entry(b"a.txt", b"abc", 0, 3, method=0)
    line = entry(b"a.txt", b"abc", 0xFFFFFFFF, 0xFFFFFFFE)[1]
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFE, 0xFFFE, len(line), len(local), 0)
    return local + line + end


def files(secret: str) -> dict[str, Callable[[], bytes]]:
    """Name of each file, and what makes its bytes."""
    text = b"A text like any other, only that its archive is not. " * 20
    good = zipped([("text.txt", text)])
    gz = gzip.compress(text, mtime=0)
    strange = ["nul\0.txt", "bell\x07.txt", "\u202etxt.exe.txt", "n" * 60_000 + ".txt", " .txt", "", "/", "a//b.txt"]
    return {
        "bomb-zeros.zip": lambda: bomb("zeros.txt"),
        "bomb-letters.zip": lambda: bomb("letters.txt", b"A sentence, again. " * 50_000, 1100),
        "bomb-lies.zip": lambda: bomb("lies.txt", b"Larger than it says. " * 50_000, 500, claimed=10),
        "bomb-bzip2.zip": lambda: zipped([("zeros.txt", bytes(300 * MIB))], zipfile.ZIP_BZIP2),
        "bomb-nested.zip": nested,
        "bomb-overlap.zip": overlapping,
        "thousand-deep.zip": matryoshka,
        "hundred-thousand-entries.zip": many,
        "paths.zip": paths,
        "links.zip": lambda: links(secret),
        "same-name.zip": lambda: zipped(("same.txt", b"Version %d." % n) for n in range(300)),
        "strange-names.zip": lambda: zipped((name, text) for name in strange),
        "claims-more.zip": claims_more,
        "encrypted.zip": lambda: (e := entry(b"text.txt", bytes(40), 1, 28, flags=1))[0] + directory([e[1]], len(e[0])),
        "unknown-method.zip": lambda: (
            (e := entry(b"text.txt", bytes(40), 1, 28, method=77))[0] + directory([e[1]], len(e[0]))
        ),
        "wrong-crc.zip": lambda: (
            (e := entry(b"text.txt", text, 1, len(text), method=0))[0] + directory([e[1]], len(e[0]))
        ),
        "torn.zip": lambda: good[: len(good) // 2],
        "no-directory.zip": lambda: good[:-30],
        "empty.zip": lambda: directory([], 0),
        "bomb.txt.gz": lambda: (
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03"
            + (r := repeated(bytes(8 * MIB), 128))[0]
            + struct.pack("<II", r[1], r[2] & 0xFFFFFFFF)
        ),
        "bomb-bzip2.txt.gz": lambda: gzip.compress(bz2.compress(bytes(100 * MIB)), mtime=0),
        "twice.txt.gz.gz": lambda: gzip.compress(gz, mtime=0),
        "torn.txt.gz": lambda: gz[:-12],
        "wrong-crc.txt.gz": lambda: gz[:-8] + bytes(8),
        "million-members.txt.gz": lambda: gzip.compress(b"", mtime=0) * 300_000 + gz,
        "bomb-inside.zip.gz": lambda: gzip.compress(bomb("zeros.txt"), mtime=0),
        "nothing-inside.gz": lambda: gz,
        "header-only.html.gz": lambda: b"\x1f\x8b\x08\x1f",
    }
