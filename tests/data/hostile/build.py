"""Writes the hostile files: each tries to crash, stop, fill, read, write or reach something it should not.

    python -m tests.data.hostile.build [FOLDER]

Without a folder, those of up to 30,000 bytes are written beside this script, where they are kept for looking at. With
one, all are written there, which takes about a minute and 400 MB. The bytes are the same each time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.data.hostile import archives, offices, pdfs, texts

HERE = Path(__file__).parent
URL = "http://127.0.0.1:47831/canary"
SECRET = "/etc/passwd"
KEPT = 30_000


def files(url: str = URL, secret: str = SECRET) -> dict[str, Callable[[], bytes]]:
    """Every hostile file: its name, and what makes its bytes.

    Args:
        url: An address that the files try to have fetched.
        secret: The absolute path of a file that they try to have read.
    """
    good = pdfs.sound(HERE.parent)
    groups = (
        archives.files(secret),
        pdfs.files(url, secret, good),
        offices.files(url, secret),
        texts.files(url, secret),
    )
    made: dict[str, Callable[[], bytes]] = {}
    for group in groups:
        assert not made.keys() & group.keys()
        made |= group
    return made


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    count = 0
    for name, make in files().items():
        data = make()
        if folder is not None or len(data) <= KEPT:
            place = folder or HERE / "files"
            place.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(data)
            count += 1
    print(f"{count} files written")


if __name__ == "__main__":
    main()
