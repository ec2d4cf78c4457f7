"""Settings: defaults < `dossier.toml` < environment (`DOSSIER_*`) < what the caller passes.

Each floor of the house has one frozen dataclass of settings and one section of the file: `[library]`, `[answer]`,
`[ui]`. This module knows how to fill any of them and holds the library's own.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from index.errors import ConfigError

SECTIONS = ("library", "answer", "ui")
FILE_NAME = "dossier.toml"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LibrarySettings:
    """How documents are read, split, embedded and searched. Section `[library]`, variables `DOSSIER_LIBRARY_*`."""

    encoder: str = ""
    """The embedding model: empty for the library's own (all-MiniLM-L6-v2, shipped, in a new library), or a
    sentence-transformers model by name or folder."""
    device: str = "cpu"
    """Where a sentence-transformers encoder runs: cpu, cuda, mps."""
    chunk_size: int = 200
    """Aimed-at length of a passage, in the encoder's tokens; never more than the encoder reads."""
    max_file_mb: int = 50
    """Largest text-like file that is read, in MiB; a PDF or Office file may be four times as large."""
    max_pages: int = 20_000
    """Largest number of pages of one PDF."""
    dense_weight: float = 1.0
    """Weight of dense search in the fused ranking."""
    lexical_weight: float = 0.4
    """Weight of lexical search in the fused ranking."""
    feedback_weight: float = 0.3
    """How far the query's vector is moved towards the first passages found before dense search is done again; 0 for
    one search only."""
    feedback_passages: int = 3
    """How many first passages those are."""
    candidates: int = 100
    """Passages each search method contributes before fusing."""
    busy_timeout: float = 30.0
    """Seconds to wait for another process that is writing."""
    vectors: str = ""
    """Where the vectors are kept: empty for a folder of the library, `http://host:port` for a Chroma server, `cloud`
    for Chroma Cloud (which reads CHROMA_API_KEY, CHROMA_TENANT and CHROMA_DATABASE)."""
    workers: int = 0
    """Processes that read files; 0 for one a processor core, eight at most."""
    parse_seconds: int = 120
    """Longest time one file may take to read; its process is stopped then."""
    parse_memory_mb: int = 900
    """Most memory, in MiB, one file may take to read; its process is stopped then."""
    ocr: str = "auto"
    """Whether pages without text are read by OCR: auto (if the ocr extra and tesseract are installed) or off."""
    min_free_mb: int = 100
    """Free disk space, in MiB, below which nothing more is added."""


def load_settings(kind: type[T], section: str, *, library: Path | None = None, config: Path | None = None) -> T:
    """Fill one settings dataclass from the file and the environment.

    Args:
        kind: A frozen dataclass whose fields are `str`, `int`, `float` or `bool`, all with defaults.
        section: Its section of the file; also the middle of its environment variables.
        library: The library's folder; its `dossier.toml`, if there is one, is read.
        config: A file named by the user; must exist; takes the place of the library's own.

    Returns:
        The filled dataclass.

    Raises:
        ConfigError: The file is missing or not TOML, a section or key is unknown, or a value has the wrong type.
    """
    path = config if config is not None else (library / FILE_NAME if library is not None else None)
    values: dict[str, Any] = {}
    if path is not None and (config is not None or path.is_file()):
        values.update(_section(path, section, kind))
    hints = get_type_hints(kind)
    for name in hints:
        variable = f"DOSSIER_{section}_{name}".upper()
        if variable in os.environ:
            values[name] = _from_text(os.environ[variable], hints[name], variable)
    return kind(**values)


def set_by_environment(section: str, name: str) -> str:
    """Name the environment variable that decides a setting, whatever the file says; empty if none does."""
    variable = f"DOSSIER_{section}_{name}".upper()
    return variable if variable in os.environ else ""


def save_settings(path: Path, section: str, values: Mapping[str, str | int | float | bool | None]) -> None:
    """Write settings into one section of a settings file, and leave everything else in it as it is.

    Args:
        path: The file; made if missing.
        section: The section.
        values: What to write, by name; `None` takes a setting out, so that its default counts.

    Raises:
        ConfigError: The file is not TOML, cannot be changed line by line, or cannot be written.
    """
    path = path.resolve()  # a link stays one
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    wanted = _parse(text, path)
    table = wanted.setdefault(section, {})
    for name, value in values.items():
        table.pop(name, None)
        if value is not None:
            table[name] = value
    changed = _with_lines(text, section, values)
    if _parse(changed, path) != wanted:
        raise ConfigError(
            f"{path} is written in a way that cannot be changed from here.",
            remedy=f"Give [{section}] in it one line for each setting, or change it by hand.",
        )
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(changed, encoding="utf-8")
        if path.is_file():
            beside.chmod(path.stat().st_mode)
        os.replace(beside, path)
    except OSError as error:
        raise ConfigError(
            f"The settings file {path} cannot be written: {error.strerror}.", remedy="Check whose file it is."
        ) from error


def _with_lines(text: str, section: str, values: Mapping[str, object]) -> str:
    """Change the lines of a section; its parser decides afterwards whether that was right."""
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if re.match(rf"\s*\[\s*{section}\s*\]", line)), None)
    if first is None:
        lines += [*([""] if lines else []), f"[{section}]"]
        first = len(lines) - 1
    last = next((i for i in range(first + 1, len(lines)) if lines[i].lstrip().startswith("[")), len(lines))
    inside = lines[first + 1 : last]
    for name, value in values.items():
        at = next((i for i, line in enumerate(inside) if re.match(rf"""\s*["']?{name}["']?\s*=""", line)), None)
        # What JSON writes of a text, number or truth value is TOML, too.
        fresh = [] if value is None else [f"{name} = {json.dumps(value, ensure_ascii=False)}"]
        if at is not None:
            inside[at : at + 1] = fresh
        else:
            end = max((i + 1 for i, line in enumerate(inside) if line.strip()), default=0)
            inside[end:end] = fresh
    return "\n".join([*lines[: first + 1], *inside, *lines[last:]]) + "\n"


def _section(path: Path, section: str, kind: type[Any]) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"The settings file {path} cannot be read: {error.strerror}.", remedy="Check the path given to --config."
        ) from error
    except UnicodeDecodeError as error:
        raise _not_toml(path, error) from error
    data = _parse(text, path)
    _refuse_unknown(data, SECTIONS, f"section in {path}")
    table = data.get(section, {})
    if not isinstance(table, dict):
        raise ConfigError(f"[{section}] in {path} is not a table.", remedy=f"Write it as a [{section}] section.")
    hints = get_type_hints(kind)
    _refuse_unknown(table, tuple(hints), f"setting in [{section}] of {path}")
    return {name: _checked(value, hints[name], f"{name} in {path}") for name, value in table.items()}


def _parse(text: str, path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, error) from error


def _not_toml(path: Path, error: Exception) -> ConfigError:
    return ConfigError(
        f"The settings file {path} is not valid TOML: {error}.", remedy="Correct that line and try again."
    )


def _refuse_unknown(found: Mapping[str, object], known: tuple[str, ...], what: str) -> None:
    for name in found:
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            raise ConfigError(f"{name!r} is not a {what}.", remedy=f"Did you mean {near[0]!r}?")


def _checked(value: object, kind: Any, where: str) -> object:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ConfigError(f"{where} is {value!r}, which is not {_NAMES[kind]}.", remedy=f"Write {_NAMES[kind]} there.")
    return value


def _from_text(text: str, kind: Any, where: str) -> object:
    if kind is bool:
        if text.lower() in ("1", "true", "yes", "on"):
            return True
        if text.lower() in ("0", "false", "no", "off"):
            return False
        raise ConfigError(f"{where} is {text!r}, which is not true or false.", remedy="Set it to true or false.")
    try:
        return kind(text)
    except ValueError as error:
        raise ConfigError(
            f"{where} is {text!r}, which is not {_NAMES[kind]}.", remedy=f"Set it to {_NAMES[kind]}."
        ) from error


_NAMES: dict[Any, str] = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def describe_settings(kind: type[Any], section: str) -> list[tuple[str, str, str]]:
    """List a settings dataclass for the reference page: `(section.name, default, environment variable)` of each."""
    return [
        (f"{section}.{f.name}", repr(f.default), f"DOSSIER_{section}_{f.name}".upper())
        for f in dataclasses.fields(kind)
    ]
