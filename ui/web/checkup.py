"""The settings as the page shows them, and whether what they name works. Nothing secret leaves here."""

from __future__ import annotations

import time
from collections.abc import Callable

from index.errors import DossierError
from rag.assistant import Assistant
from rag.settings import AnswerSettings
from rag.stating import MODEL
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
            [
                (say("settings.writer"), _writer(settings)),
                (say("settings.mode"), settings.grounding),
                (say("settings.grounding"), grounding),
            ],
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


def _writer(settings: AnswerSettings) -> str:
    """What writes the answers: a language model if one is named."""
    return f"{settings.llm_model} ({settings.llm})" if settings.llm else MODEL


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
        lines.append((True, say(f"settings.ok.{name}", ms=_since(started)), ""))
    return [*lines, *_try_model(assistant.settings)]


def _since(started: float) -> int:
    return round(1_000 * (time.perf_counter() - started))


def _try_model(settings: AnswerSettings) -> list[tuple[bool, str, str]]:
    """Have the language model, if there is one, write a word."""
    from rag.llm import Message, open_model
    from rag.writing.failure import ModelFailure
    from rag.writing.stream import Limits, read_text

    started = time.perf_counter()
    label = settings.llm_model
    try:
        model = open_model(settings)
        if model is None:
            return []
        label = model.label
        limits = Limits(settings.llm_first_seconds, settings.llm_between_seconds, settings.llm_seconds, 0)
        wrote = any(piece.strip() for piece in read_text(model, [Message("user", "Write the word: yes")], limits))
    except DossierError as error:
        return [(False, error.message, error.remedy)]
    except ModelFailure as failure:
        told = say("settings.model.failed", name=label, why=failure)
        return [(False, told, say("settings.model.remedy"))]
    if not wrote:
        return [(False, say("settings.model.silent", name=label), say("settings.model.remedy"))]
    return [(True, say("settings.ok.model", name=label, ms=_since(started)), "")]
