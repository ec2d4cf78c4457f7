"""Where the sample collection is."""

from __future__ import annotations

from pathlib import Path


def samples_folder() -> Path | None:
    """Find the sample documents; `None` where only the program was installed, without them."""
    folder = Path(__file__).resolve().parents[2] / "samples" / "strait"
    return folder if folder.is_dir() else None
