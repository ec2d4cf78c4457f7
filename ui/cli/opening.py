"""Open what the global flags name."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from index.settings import LibrarySettings, load_settings
from rag.settings import AnswerSettings
from ui.cli.parser import default_library

if TYPE_CHECKING:
    from index.library import Library
    from rag.assistant import Assistant


def library_path(options: argparse.Namespace) -> Path:
    """The library's folder: `--library`, or the default."""
    return options.library if options.library is not None else default_library()


def library_settings(options: argparse.Namespace) -> LibrarySettings:
    """The library's settings: file, environment, then the flags."""
    settings = load_settings(LibrarySettings, "library", library=library_path(options), config=options.config)
    flags = {name: value for name in ("encoder", "device") if (value := getattr(options, name)) is not None}
    return dataclasses.replace(settings, **flags)


def open_library(options: argparse.Namespace, *, create: bool = False) -> Library:
    """Open the library the flags name."""
    from index.library import Library

    return Library.open(library_path(options), settings=library_settings(options), create=create)


def open_assistant(options: argparse.Namespace, *, create: bool = False) -> Assistant:
    """Open an assistant on the library the flags name."""
    from rag.assistant import Assistant

    return Assistant.open(
        library_path(options),
        config=options.config,
        settings=answer_settings(options),
        library_settings=library_settings(options),
        create=create,
    )


def answer_settings(options: argparse.Namespace, library: Path | None = None) -> AnswerSettings:
    """The settings of answering: file beside the library, environment, then the flags."""
    library = library or library_path(options)
    settings = load_settings(AnswerSettings, "answer", library=library, config=options.config)
    names = ("llm", "llm_url", "llm_model", "grounding")
    return dataclasses.replace(settings, **{n: v for n in names if (v := getattr(options, n, None)) is not None})
