"""The settings as the page shows them, and whether what they name works. Nothing secret leaves here."""

from __future__ import annotations

import time
from collections.abc import Callable

from index.errors import DossierError
from rag.assistant import MODEL, Assistant
from ui.web.strings import say

Section = tuple[str, list[tuple[str, str]]]


def describe(assistant: Assistant) -> list[Section]:
    """List what answers and what is searched: sections of label and value."""
    settings, library = assistant.settings, assistant.library
    documents, passages = library.catalog.count()
    named = [f"{what}: {name}" for what in ("ranker", "answerability", "judge") if (name := getattr(settings, what))]
    grounding = "; ".join(named) or say("settings.grounding.shipped")
    return [
        (
            say("settings.answers"),
            [(say("settings.writer"), model_name(assistant)), (say("settings.grounding"), grounding)],
        ),
        (
            say("settings.library"),
            [
                (say("settings.documents"), f"{documents:,}"),
                (say("settings.passages"), f"{passages:,}"),
                (say("settings.encoder"), library.settings.encoder or say("settings.encoder.shipped")),
            ],
        ),
    ]


def model_name(assistant: Assistant) -> str:
    """What writes the answers: a language model if there is one."""
    llm = getattr(assistant, "llm", None)
    return str(getattr(llm, "name", "") or MODEL)


def try_settings(assistant: Assistant) -> list[tuple[bool, str, str]]:
    """Try what the settings name: for each part whether it is well, what was found, and what to do if not."""
    parts: list[tuple[str, Callable[[], object]]] = [
        ("encoder", lambda: assistant.library.encoder.encode(["test"])),
        ("search", lambda: assistant.library.search("test", 1)),
        ("grounding", lambda: assistant.grounding.ranker.relevance("test", ["test"])),
    ]
    lines = []
    for name, attempt in parts:
        started = time.perf_counter()
        try:
            attempt()
        except DossierError as error:
            lines.append((False, error.message, error.remedy))
            continue
        lines.append((True, say(f"settings.ok.{name}", ms=round(1_000 * (time.perf_counter() - started))), ""))
    return lines
