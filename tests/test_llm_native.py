"""Anthropic's and Ollama's own interfaces, over real HTTP with their own clients; skipped where these are missing."""

from __future__ import annotations

import importlib.util
import re
import time
from pathlib import Path
from typing import Any

import pytest

from rag import Answer, Assistant, Conversation, Done, Sentence, Waiting
from rag.settings import AnswerSettings
from rag.types import Tokens
from tests import llm_servers as servers
from tests.fakes import FakeEncoder
from tests.invariants import assert_cited
from tests.llm_servers import AnthropicHandler, Handler, OllamaHandler, Reply, Server, serving

HANDLERS: dict[str, type[Handler]] = {"anthropic": AnthropicHandler, "ollama": OllamaHandler}
TEXT = "The crane fell on the north pier in May. Nine people were injured in the accident. Work was stopped.\n"
QUESTION = "How many people were injured when the crane fell?"


@pytest.fixture(params=HANDLERS)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The interface; those whose package is not installed are skipped."""
    name = str(request.param)
    if importlib.util.find_spec(f"llama_index.llms.{name}") is None:
        pytest.skip(f"the extra {name!r} is not installed")
    monkeypatch.setenv("DOSSIER_LLM_KEY", "sk-secret")
    return name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of one document."""
    made = tmp_path_factory.mktemp("native")
    (made / "crane.md").write_text(TEXT, encoding="utf-8")
    with Assistant.open(made / "library", encoder=FakeEncoder()) as assistant:
        assert not assistant.add(made / "crane.md").failed
    return made / "library"


def opened(folder: Path, kind: str, url: str, **settings: Any) -> Assistant:
    chosen: dict[str, Any] = {"abstain_below": 0.0, "llm_retries": 2, "llm_first_seconds": 20.0, **settings}
    return Assistant.open(
        folder, encoder=FakeEncoder(), settings=AnswerSettings(llm=kind, llm_url=url, llm_model="test-model", **chosen)
    )


def ask(
    folder: Path, kind: str, reply: Reply, before: Conversation | None = None, **settings: Any
) -> tuple[Answer, Server]:
    with serving(reply, HANDLERS[kind]) as server, opened(folder, kind, server.url, **settings) as assistant:
        answer = assistant.ask(QUESTION, before)
        assert_cited(answer, assistant)
        assert "sk-secret" not in answer.text
        return answer, server


def _header(server: Server, name: str) -> str:
    """A header of the last request; its case is the client's."""
    return {key.lower(): value for key, value in server.sent[-1].items()}[name]


def test_native_model_is_quoted_with_exact_citations(folder: Path, kind: str) -> None:
    """With earlier turns, too: rules and question reach the server where its format wants them."""
    before = Conversation.from_pairs([("What fell?", "The crane.")])
    answer, server = ask(folder, kind, servers.saying(servers.quoting), before)
    assert (answer.model, answer.notice) == ("test-model", "")
    assert [s.verdict for s in answer.statements] == ["supported"]
    assert [c.quote for c in answer.citations] == ["The crane fell on the north pier in May."]
    sent = server.requests[-1]
    if kind == "ollama":
        assert sent["options"]["num_predict"] == 800
        assert sent["options"]["num_ctx"] == 8_192
        assert _header(server, "authorization") == "Bearer sk-secret"
    else:
        assert sent["max_tokens"] == 800
        assert "numbered passages" in str(sent["system"])
        assert _header(server, "x-api-key") == "sk-secret"


def test_tokens_are_those_that_the_native_server_states(folder: Path, kind: str) -> None:
    """Anthropic states those read at the start and those written at the end, Ollama both at the end."""
    answer, _ = ask(folder, kind, servers.saying(servers.quoting))
    assert answer.tokens == Tokens(9, 20, True)
    assert answer.notice == ""


FAILURES: dict[str, tuple[Reply, str]] = {
    "dying": (servers.dying, "the connection broke"),
    "ending early": (servers.ending_early, "it broke off in the middle"),
    "500 for ever": (servers.failing(500), "HTTP 500, three times"),
    "refused key": (servers.failing(401), "HTTP 401: it does not take the key"),
    "endless": (servers.endless, "it wrote on and on"),
    "empty": (servers.saying(""), "it wrote nothing"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failing_native_model_is_replaced_by_the_offline_reader(folder: Path, kind: str, name: str) -> None:
    """The same words for the same failure, whatever the client calls it."""
    reply, told = FAILURES[name]
    answer, _ = ask(folder, kind, reply)
    assert f"failed ({told}" in answer.notice
    assert "offline reader" in answer.model
    assert any("Nine people" in s.text for s in answer.statements)


def test_error_told_in_mid_stream_is_a_failure(folder: Path, kind: str) -> None:
    """Both formats can report an error after a good status."""

    def reply(h: Handler, messages: list[dict[str, Any]]) -> None:
        h.begin()
        if isinstance(h, AnthropicHandler):
            h.named("error", {"error": {"type": "overloaded_error", "message": "Overloaded sk-secret"}})
        else:
            h.raw(b'{"error": "out of memory sk-secret"}\n')
        h.wfile.write(b"0\r\n\r\n")

    answer, _ = ask(folder, kind, reply, llm_retries=0)
    assert "failed (it reported an error)" in answer.notice


def test_busy_native_server_is_asked_again(folder: Path, kind: str) -> None:
    """Once, after the time it names."""
    answer, server = ask(folder, kind, servers.busy_then(1, servers.saying(servers.quoting)))
    assert (answer.model, answer.notice, len(server.requests)) == ("test-model", "", 2)


def test_thoughts_of_native_models_are_kept_out(folder: Path, kind: str) -> None:
    """Whether in a field of their own or marked in the text."""
    answer, _ = ask(folder, kind, servers.reasoning)
    assert answer.statements
    assert not re.search(r"777|secret|think", answer.text, re.IGNORECASE)


def test_cancel_of_a_native_model_hangs_up_within_a_second(folder: Path, kind: str) -> None:
    """Before the first word and in mid-stream; the server sees the connection end."""

    def begun(h: Handler, messages: list[dict[str, Any]]) -> None:
        h.begin()
        h.event({"content": "Nine people were injured in the accident. [1] The harbour"})
        h.wait_for_hangup(30)

    for reply, first in ((servers.silent, Waiting), (begun, Sentence)):
        with serving(reply, HANDLERS[kind]) as server, opened(folder, kind, server.url) as assistant:
            events = assistant.stream(QUESTION)
            assert any(isinstance(e, first) for e in events)
            at = time.monotonic()
            events.close()  # type: ignore[attr-defined]
            assert time.monotonic() - at < 1
            assert server.gone.wait(1)


def test_opening_sends_nothing_and_knows_a_window(folder: Path, kind: str) -> None:
    """Neither a server that is not there nor a name its client has never heard of stands in the way."""
    with opened(folder, kind, "http://127.0.0.1:9") as assistant:
        assert assistant.writer is not None
        assert assistant.writer.model.window == {"anthropic": 200_000, "ollama": 8_192}[kind]
        answer = assistant.ask(QUESTION)
    assert "cannot be reached" in answer.notice
    assert answer.statements


def test_redirect_is_not_followed_with_the_key(folder: Path, kind: str) -> None:
    """It would carry the key to another host."""
    with serving(servers.saying(servers.quoting), HANDLERS[kind]) as other:

        def reply(h: Handler, messages: list[dict[str, Any]]) -> None:
            h.plain(307, {}, {"location": other.url + h.path})

        answer, _ = ask(folder, kind, reply, llm_retries=0)
        assert "failed" in answer.notice
        assert not other.requests


def test_keys_of_companies_go_to_no_other_host(folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the clients find in the environment by themselves is taken off again."""
    for name in ("OLLAMA_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "sk-company")
    if kind == "ollama":
        monkeypatch.delenv("DOSSIER_LLM_KEY")
    _, server = ask(folder, kind, servers.saying(servers.quoting))
    assert server.requests
    assert "sk-company" not in str(server.sent)


def test_doctor_tells_of_native_models(
    kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line: speed and window."""
    from ui.cli import main

    monkeypatch.setenv("DOSSIER_ANSWER_LLM", kind)
    monkeypatch.setenv("DOSSIER_ANSWER_LLM_MODEL", "test-model")
    with serving(servers.saying("one, two, three, four, five", each=0.05), HANDLERS[kind]) as server:
        monkeypatch.setenv("DOSSIER_ANSWER_LLM_URL", server.url)
        assert main(["doctor", "--llm"]) == 0
    assert re.fullmatch(
        r"test-model at \S+ answers: first word after .* s, .* tokens/s, window .* tokens.\n", capsys.readouterr().out
    )


def test_several_events_arrive_one_by_one(folder: Path, kind: str) -> None:
    """The first sentence is there before the model has written its last."""

    def reply(h: Handler, messages: list[dict[str, Any]]) -> None:
        h.begin()
        h.event({"content": "Nine people were injured in the accident. [1] "})
        h.event({"content": "Work "})
        time.sleep(1.5)
        h.event({"content": "was stopped. [1]"})
        h.end()

    with serving(reply, HANDLERS[kind]) as server, opened(folder, kind, server.url) as assistant:
        assistant.warm_up()
        seen: dict[type, float] = {}
        for event in assistant.stream(QUESTION):
            seen.setdefault(type(event), time.monotonic())
    assert seen[Done] - seen[Sentence] > 1
