"""The settings as the page shows and changes them, and whether what they name works. Nothing secret leaves here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from index.errors import ConfigError, DossierError
from index.settings import save_settings, set_by_environment
from rag.assistant import Assistant
from rag.settings import AnswerSettings
from rag.stating import MODEL
from ui.web.strings import say

Section = tuple[str, list[tuple[str, str]]]
CHANGEABLE = ("llm", "llm_url", "llm_model", "llm_key", "grounding")
"""What can be changed from the page."""
_LONGEST = 500
_saving = Lock()


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting that can be changed: what it is now, and the environment variable that decides it, if one does."""

    name: str
    value: str
    fixed_by: str


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
                (say("settings.mode"), say(f"settings.mode.{settings.grounding}")),
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


def choices(settings: AnswerSettings) -> list[Choice]:
    """List what can be changed; of the address only what is no secret."""
    values = {name: str(getattr(settings, name)) for name in CHANGEABLE}
    values["llm_url"] = _public(settings.llm_url)
    return [Choice(name, value, set_by_environment("answer", name)) for name, value in values.items()]


def has_key(settings: AnswerSettings) -> bool:
    """Whether the environment variable that the settings name for the key is set."""
    return bool(os.environ.get(settings.llm_key or "DOSSIER_LLM_KEY"))


def proposed(settings: AnswerSettings, form: Mapping[str, object]) -> AnswerSettings:
    """Give the settings as a form would have them; what the environment decides, or the form leaves out, stays.

    Raises:
        ConfigError: The address holds a name, a password or a query, where keys do not belong.
    """
    known = {choice.name: choice for choice in choices(settings)}
    changed: dict[str, Any] = {}
    for name, choice in known.items():
        value = form.get(name)
        if not isinstance(value, str) or choice.fixed_by or value.strip() == choice.value:
            continue
        changed[name] = value.strip()[:_LONGEST]
    if (url := changed.get("llm_url")) and _public(url) != url:
        raise ConfigError(say("settings.secret_address"), remedy=say("settings.secret_address.remedy"))
    return replace(settings, **changed)


def change_settings(assistant: Assistant, form: Mapping[str, object], file: Path) -> bool:
    """Answer as a form says from now on, and write that into a settings file.

    Args:
        assistant: Whose settings they are.
        form: What was filled in.
        file: The settings file.

    Returns:
        Whether anything is different.

    Raises:
        ConfigError: A setting is wrong, or the file cannot be changed; nothing has changed then.
        MissingExtraError: The package of the language model is not installed.
    """
    with _saving:
        before, wanted = assistant.settings, proposed(assistant.settings, form)
        plain = asdict(AnswerSettings())
        new = {name: getattr(wanted, name) for name in CHANGEABLE if getattr(wanted, name) != getattr(before, name)}
        if not new:
            return False
        assistant.change(wanted)
        try:
            save_settings(file, "answer", {n: None if v == plain[n] else v for n, v in new.items()})
        except BaseException:
            assistant.change(before)
            raise
    return True


def _public(url: str) -> str:
    """An address without what may be secret in it; as it was typed if there is nothing of the kind."""
    parts = urlsplit(url)
    if not (parts.username or parts.password or parts.query or parts.fragment):
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def try_settings(assistant: Assistant, settings: AnswerSettings | None = None) -> list[tuple[bool, str, str]]:
    """Try what the settings name: for each part whether it is well, what was found, and what to do if not.

    Args:
        assistant: What encodes, searches and checks.
        settings: Which language model is tried; that of the assistant if `None`.
    """
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
        ms = round(1_000 * (time.perf_counter() - started))
        lines.append((True, say(f"settings.ok.{name}", ms=ms), ""))
    return [*_try_model(settings or assistant.settings), *lines]


def _try_model(settings: AnswerSettings) -> list[tuple[bool, str, str]]:
    """Have the language model, if there is one, write some words."""
    from rag.llm import open_model
    from rag.writing.probe import probe
    from rag.writing.stream import Limits
    from rag.writing.writer import check_grounding

    try:
        check_grounding(settings.grounding)
        model = open_model(settings)
        if model is None:
            return []
        limits = Limits(settings.llm_first_seconds, settings.llm_between_seconds, settings.llm_seconds, 0)
        return [(True, probe(model, limits).line, "")]
    except DossierError as error:
        return [(False, error.message, error.remedy)]
