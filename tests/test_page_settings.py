"""Settings that are changed in the page: used at once, written into the file, closed to those who may only ask."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from index.errors import ConfigError
from index.library import Library
from index.settings import load_settings, save_settings
from rag.assistant import Assistant
from rag.llm import open_model
from rag.settings import AnswerSettings
from tests import llm_servers as servers
from ui.web.checkup import change_settings, choices, proposed
from ui.web.people import Person
from ui.web.server import build_app

ADA, BOB = Person("ada", "add"), Person("bob", "ask")
MODEL = {"llm": "openai-like", "llm_url": "http://127.0.0.1:9/v1", "llm_model": "test-model", "grounding": "strict"}


@pytest.fixture
def assistant(library: Library) -> Assistant:
    return Assistant(library, AnswerSettings())


@pytest.fixture
def acts(assistant: Assistant) -> Any:
    return build_app(assistant).state.page.acts


@pytest.fixture
def file(assistant: Assistant) -> Path:
    return assistant.library.path / "dossier.toml"


def test_saved_settings_are_used_and_outlive_the_server(acts: Any, assistant: Assistant, file: Path) -> None:
    """The next question is answered as the form says, and so it is after a restart; defaults leave no line behind."""
    file.write_text("# Ours\n[library]\nchunk_size = 150 # words\n\n[answer]\nstatements = 3\n", encoding="utf-8")
    assistant.settings = load_settings(AnswerSettings, "answer", library=assistant.library.path)
    assert "Saved in dossier.toml" in acts.do(ADA, {"act": "settings", **MODEL})["toast"]
    assert assistant.writer is not None
    assert assistant.writer.model.label == "test-model at http://127.0.0.1:9/v1"
    assert load_settings(AnswerSettings, "answer", library=assistant.library.path) == assistant.settings
    assert assistant.settings.statements == 3
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# Ours\n[library]\nchunk_size = 150 # words\n")
    assert 'grounding = "strict"' in text
    acts.do(ADA, {"act": "settings", "llm": "", "grounding": "flag", "llm_url": "", "llm_model": ""})
    assert assistant.writer is None
    assert tomllib.loads(file.read_text(encoding="utf-8"))["answer"] == {"statements": 3}


def test_wrong_settings_change_nothing(acts: Any, assistant: Assistant, file: Path) -> None:
    """What cannot work is refused with its reason; the file and the running server stay as they were."""
    for wrong, said in (
        ({"llm": "openai-like"}, "llm_model is empty"),
        ({**MODEL, "llm_url": "ftp://x"}, "not an http"),
        ({**MODEL, "llm": "gopher"}, "is none of"),
        ({**MODEL, "grounding": "maybe"}, "none of flag, strict, off"),
        ({**MODEL, "llm_url": "https://me:secret@host/v1"}, "a password"),
        ({**MODEL, "llm_key": "sk-verysecret"}, "names an environment variable"),
        ({**MODEL, "llm_key": "AWS_SECRET_ACCESS_KEY"}, "names an environment variable"),
        ({**MODEL, "llm_key": "DOSSIER_NO_SUCH_KEY"}, "is not set"),
    ):
        assert said in acts.do(ADA, {"act": "settings", **wrong})["problem"][0], wrong
        assert "failed" in acts.do(ADA, {"act": "try-settings", **wrong})["html"]
    assert assistant.settings == AnswerSettings()
    assert not file.exists()


def test_who_may_only_ask_sees_settings_and_changes_none(acts: Any, assistant: Assistant, file: Path) -> None:
    """Askers get no form, cannot save, and their test tries what is set, wherever they would have it look."""
    assert "<select" in acts.do(ADA, {"act": "dialog", "name": "settings"})["html"]
    shown = acts.do(BOB, {"act": "dialog", "name": "settings"})["html"]
    assert "<select" not in shown
    assert "offline reader" in shown
    assert "may ask, but not change the settings" in acts.do(BOB, {"act": "settings", **MODEL})["problem"][0]
    with servers.serving(servers.saying("yes")) as server:
        tried = acts.do(BOB, {"act": "try-settings", **MODEL, "llm_url": server.url})["html"]
        assert not server.requests
    assert "test-model" not in tried
    assert assistant.settings == AnswerSettings()
    assert not file.exists()


def test_form_is_tried_before_it_is_saved(acts: Any, assistant: Assistant) -> None:
    """The test says whether the model of the form answers, and what to do if not; nothing is changed by it."""
    with servers.serving(servers.saying("one, two, three")) as server:
        assert "answers: first word" in acts.do(ADA, {"act": "try-settings", **MODEL, "llm_url": server.url})["html"]
        refused = {**MODEL, "llm_url": server.url.replace("/v1", "/v1?key=secret")}
        assert "Leave the key out" in acts.do(ADA, {"act": "try-settings", **refused})["html"]
    with servers.serving(servers.failing(404)) as server:
        tried = acts.do(ADA, {"act": "try-settings", **MODEL, "llm_url": server.url, "llm_model": "other"})["html"]
        assert "Set llm_model to one it has: test-model" in tried
    assert assistant.settings == AnswerSettings()


def test_key_goes_by_name_and_only_where_it_is_named(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the named variable is sent to the model's server; the page gets the name and never the value."""
    monkeypatch.setenv("DOSSIER_WORK_KEY", "sk-verysecret")
    acts = build_app(assistant).state.page.acts
    with servers.serving(servers.saying("yes")) as server:
        form = {**MODEL, "llm_url": server.url, "llm_key": "DOSSIER_WORK_KEY"}
        replies = [acts.do(ADA, {"act": "try-settings", **form}), acts.do(ADA, {"act": "settings", **form})]
        replies.append(acts.do(ADA, {"act": "dialog", "name": "settings"}))
        assert server.sent[0]["Authorization"] == "Bearer sk-verysecret"
    assert "verysecret" not in str(replies)
    assert "DOSSIER_WORK_KEY is set" in str(replies)
    assert "verysecret" not in (assistant.library.path / "dossier.toml").read_text(encoding="utf-8")


def test_what_the_environment_decides_stays(assistant: Assistant, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting of the environment would win after the restart, so the form neither offers nor changes it."""
    monkeypatch.setenv("DOSSIER_ANSWER_GROUNDING", "flag")
    fixed = {choice.name: choice.fixed_by for choice in choices(assistant.settings)}
    assert fixed["grounding"] == "DOSSIER_ANSWER_GROUNDING"
    assert fixed["llm"] == ""
    assert not change_settings(assistant, {"grounding": "strict"}, file)
    assert not file.exists()


def test_secret_in_an_address_stays_in_the_file() -> None:
    """An address that holds a password is shown without it, and saving the form as it was keeps it."""
    settings = AnswerSettings(llm="openai-like", llm_model="m", llm_url="http://me:secret@127.0.0.1:9/v1?key=1")
    shown = {choice.name: choice.value for choice in choices(settings)}
    assert shown["llm_url"] == "http://127.0.0.1:9/v1"
    assert proposed(settings, shown) == settings
    assert open_model(settings) is not None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[answer]\nllm = "ollama"\n'),
        ("[answer]\n", '[answer]\nllm = "ollama"\n'),
        ('[answer] # ours\nllm = "" # none\n[ui]\n', '[answer] # ours\nllm = "ollama"\n[ui]\n'),
        ("[answer]\nstatements = 2\n\n[library]\n", '[answer]\nstatements = 2\nllm = "ollama"\n\n[library]\n'),
    ],
)
def test_file_keeps_what_else_it_says(tmp_path: Path, before: str, after: str) -> None:
    """Comments, other settings and their order stay; a setting has one line in its section."""
    file = tmp_path / "dossier.toml"
    file.write_text(before, encoding="utf-8")
    save_settings(file, "answer", {"llm": "ollama", "llm_url": None})
    assert file.read_text(encoding="utf-8") == after


def test_file_that_cannot_be_changed_line_by_line_is_left_alone(tmp_path: Path) -> None:
    """A table in one line is TOML, too; rather than lose a word of it nothing is written."""
    file = tmp_path / "dossier.toml"
    for text, said in (("answer = { statements = 2 }\n", "not valid TOML|cannot be changed"), ("[answer\n", "TOML")):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=said):
            save_settings(file, "answer", {"llm": "ollama"})
        assert file.read_text(encoding="utf-8") == text
