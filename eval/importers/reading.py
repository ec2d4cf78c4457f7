"""What all importers need: what comes out, and files that may be gzipped."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval.types import Case
from index.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Imported:
    """A data set: its cases, its documents `(title, text)` by source, and notes on what was left out."""

    cases: tuple[Case, ...]
    documents: dict[str, tuple[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_text(path: Path) -> str:
    """Read a UTF-8 file, gzipped or not; a byte order mark is passed over."""
    data = path.read_bytes()
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON Lines, gzipped or not."""
    return [json.loads(line) for line in read_text(path).split("\n") if line.strip()]


def read_json_or_lines(path: Path) -> Any:
    """Read a JSON file, or JSON Lines as a list."""
    text = read_text(path)
    try:
        return json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.split("\n") if line.strip()]


def find_file(folder: Path, *names: str) -> Path:
    """The first of some files that is there, gzipped or not.

    Raises:
        ConfigError: None is.
    """
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    raise ConfigError(f"{folder} has no {' or '.join(names)}.", remedy="Name the data set's own folder.")


def texts_of(value: Any) -> tuple[str, ...]:
    """A text, a list of texts or nothing, as a tuple of what is not blank."""
    if value is None:
        return ()
    listed = [value] if isinstance(value, str) else list(value)
    return tuple(str(v).strip() for v in listed if v is not None and str(v).strip())


def unreadable(path: Path, error: OSError) -> ConfigError:
    """The error for a file that cannot be read."""
    return ConfigError(f"{path} cannot be read: {error.strerror or error}.", remedy="Check the path.")
