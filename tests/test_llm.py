"""Answers of language models, well-behaved and not, over real HTTP: whatever they write, the invariants hold."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from index.errors import ConfigError, MissingExtraError
from rag import Answer, Assistant, Conversation, Done, Hits, Searching, Sentence, Waiting
from rag.grounding import open_grounding
from rag.records import answer_from_record, answer_record, conversation_to_markdown, literal
from rag.settings import AnswerSettings
from rag.types import Tokens
from tests import llm_servers as servers
from tests.fakes import FakeEncoder
from tests.invariants import assert_cited
from tests.llm_servers import Reply, Server, serving

GROUNDING = open_grounding()  # loaded once, when first used
CRANE = (
    "The crane fell on the north pier on 6 May 2026 at 11:20 in the morning. Nine people were injured in the accident. "
    "The harbour authority stopped all work on the pier.\n"
)
FERRY = "The ferry to Tarrowby sails twice a day. A ticket costs 14 crowns. The crossing takes 50 minutes.\n"
TESTS = "Inspectors had tested the crane in March 2026. They found two cracks in its boom.\n"
QUESTION = "How many people were injured when the crane fell?"
FAST = {"llm_first_seconds": 20.0, "llm_between_seconds": 10.0, "llm_retries": 2}
WRONG_MARKERS = (
    "Nine people were injured in the accident. [3] A ticket costs 14 crowns. [99] The crossing takes 50 minutes."
)
MADE_UP = (
    "Nine people were injured in the accident. [1] The repair cost 3,750 crowns. [1] The crane weighed 812 tonnes."
)
UNCITED = "Nine people were injured in the accident. The king of Spain wept for seven hours over it."
ABSENT = "The passages do not say who owned the crane. Nine people were injured in the accident. [1]"
GERMAN = "Neun Menschen wurden verletzt. [1] Der Kran stürzte auf den Pier【2】. Das war z. B. im Mai."
JAPANESE = "クレーンが倒れた。[1]九人が負傷した【1】。以上です。"
HINDI = "क्रेन गिर गई। [1] नौ लोग घायल हुए। [2]"
LISTED = (
    "## Answer\n\nWhat is known:\n\n- Nine people were injured in the accident [1]\n"
    "* They found two cracks in its boom (source 2)\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of three documents, to be opened again by each test."""
    made = tmp_path_factory.mktemp("llm")
    for name, text in (("crane", CRANE), ("ferry", FERRY), ("tests", TESTS)):
        (made / f"{name}.md").write_text(text, encoding="utf-8")
    with Assistant.open(made / "library", encoder=FakeEncoder()) as assistant:
        assert not assistant.add(sorted(made.glob("*.md"))).failed
    return made / "library"


def opened(folder: Path, server: Server, **settings: Any) -> Assistant:
    chosen = AnswerSettings(
        llm="openai-like", llm_url=server.url, llm_model="test-model", **{"abstain_below": 0.0, **FAST, **settings}
    )
    return Assistant.open(folder, encoder=FakeEncoder(), settings=chosen, grounding=GROUNDING)


def assert_invariants(answer: Answer, assistant: Assistant) -> None:
    assert_cited(answer, assistant)
    assert not (answer.abstained and answer.citations)
    for s in answer.statements:
        assert s.verdict == "supported" or s.reason
        assert s.citations or s.verdict != "supported"
        assert re.search(r"https?:|\]\(|!\[|<\w|\[\d", s.text) is None
    assert "sk-secret" not in str(answer_record(answer))
    assert answer_record(replace(answer_from_record(answer_record(answer)), timings=())) == answer_record(
        replace(answer, timings=())
    )


def ask(folder: Path, reply: Reply, question: str = QUESTION, **settings: Any) -> tuple[Answer, Server]:
    with serving(reply) as server, opened(folder, server, **settings) as assistant:
        events = list(assistant.stream(question))
        assert isinstance(events[0], Searching)
        done = events[-1]
        assert isinstance(done, Done)
        told = [e for e in events if isinstance(e, Sentence)]
        assert tuple(e.statement for e in told) == done.answer.statements
        assert tuple(c for e in told for c in e.citations) == done.answer.citations
        assert_invariants(done.answer, assistant)
        return done.answer, server


REPLIES: dict[str, Reply] = {
    "well-behaved": servers.saying(servers.quoting),
    "slow first token": servers.slow_first(1.0),
    "dying in mid-stream": servers.dying,
    "ending without an end": servers.ending_early,
    "429 then fine": servers.busy_then(1, servers.saying(servers.quoting)),
    "500 for ever": servers.failing(500),
    "malformed JSON": servers.malformed,
    "endless stream": servers.endless,
    "empty": servers.saying(""),
    "wrong markers": servers.saying(WRONG_MARKERS),
    "made-up numbers": servers.saying(MADE_UP),
    "uncited": servers.saying(UNCITED),
    "absence": servers.saying(ABSENT),
    "thoughts": servers.reasoning,
    "unclosed thought": servers.saying("<think>The plan is secret. [1] "),
    "German": servers.saying(GERMAN),
    "Japanese": servers.saying(JAPANESE, size=2),
    "Hindi": servers.saying(HINDI, size=1),
    "list": servers.saying(LISTED, size=3),
    "link": servers.saying(
        "See [the [1] page](http://evil.test/a). ![x](http://evil.test/b) Nine people were injured. [1]"
    ),
    "refusal": servers.saying("NOT IN THE DOCUMENTS"),
    "refused key": servers.failing(401),
}


@pytest.mark.parametrize("grounding", ["flag", "strict", "off"])
@pytest.mark.parametrize("name", REPLIES)
def test_any_server_gives_an_answer_that_holds_the_invariants(folder: Path, name: str, grounding: str) -> None:
    """Whatever a server does, quotes are exact, markers one to one, no link; strict shows nothing unsupported."""
    answer, _ = ask(folder, REPLIES[name], grounding=grounding, llm_retries=1)
    if grounding == "strict":
        assert all(s.verdict != "unsupported" for s in answer.statements)
    if grounding == "off" and answer.model == "test-model" and answer.statements:
        assert "not checked" in answer.notice
        assert all(s.reason == "not checked" for s in answer.statements)


FAILURES = {
    "dying in mid-stream": "the connection broke",
    "ending without an end": "it broke off in the middle",
    "500 for ever": "HTTP 500, three times",
    "malformed JSON": "it sent what is not valid JSON",
    "endless stream": "it wrote on and on",
    "empty": "it wrote nothing",
    "unclosed thought": "it wrote nothing",
    "refused key": "HTTP 401: it does not take the key",
}


@pytest.mark.parametrize("name", FAILURES)
def test_failing_model_is_replaced_by_the_offline_reader_which_says_so(folder: Path, name: str) -> None:
    """The notice names the model, its address and what happened, and the answer is there."""
    answer, server = ask(folder, REPLIES[name])
    assert f"The language model test-model at {server.url} failed ({FAILURES[name]}" in answer.notice
    assert answer.notice in answer.text
    assert "offline reader" in answer.model
    assert any("Nine people" in s.text for s in answer.statements)
    assert literal(answer.notice) in conversation_to_markdown(Conversation().add(answer))


def test_half_an_answer_is_kept_and_the_reader_goes_on(folder: Path) -> None:
    """What was shown before a server died stays; the half sentence is left out; nothing is said twice."""
    answer, _ = ask(folder, servers.dying)
    texts = [s.text for s in answer.statements]
    assert len(set(texts)) == len(texts)
    assert not any("And then the minister" in t for t in texts)
    assert answer.model == "test-model, then offline reader"


def test_well_behaved_model_is_quoted_with_exact_citations(folder: Path) -> None:
    """One request, temperature 0, streamed; each sentence is supported and cites only what supports it."""
    answer, server = ask(folder, REPLIES["well-behaved"])
    assert answer.model == "test-model"
    assert answer.notice == ""
    assert [s.verdict for s in answer.statements] == ["supported"] * 3
    assert [c.quote for c in answer.citations] == [s.text for s in answer.statements]
    (sent,) = server.requests
    assert (sent["temperature"], sent["stream"], sent["model"]) == (0.0, True, "test-model")


def test_busy_server_is_asked_again_after_the_time_it_names(folder: Path) -> None:
    """Retry-After is honoured, and then all is well."""
    begun = time.monotonic()
    answer, server = ask(folder, servers.busy_then(2, servers.saying(servers.quoting), after="1"))
    assert (answer.model, answer.notice, len(server.requests)) == ("test-model", "", 3)
    assert time.monotonic() - begun >= 2


def test_wrong_request_is_not_sent_again(folder: Path) -> None:
    """Another try cannot help where the key is refused."""
    assert len(ask(folder, servers.failing(401))[1].requests) == 1


def test_wrong_marker_is_moved_and_a_missing_one_added(folder: Path) -> None:
    """Each sentence ends up with the passage that says it."""
    answer, _ = ask(folder, servers.saying(WRONG_MARKERS))
    for statement in answer.statements:
        quotes = [c.quote for c in answer.citations if c.marker in statement.citations]
        assert (statement.verdict, quotes) == ("supported", [statement.text])
    assert len(answer.statements) == 3


@pytest.mark.parametrize("grounding", ["flag", "strict"])
def test_made_up_number_is_dropped(folder: Path, grounding: str) -> None:
    """A number that no passage has is never shown; the notice counts what was left out."""
    answer, server = ask(folder, servers.saying(MADE_UP), grounding=grounding)
    assert [s.text for s in answer.statements] == ["Nine people were injured in the accident."]
    assert answer.notice == "2 sentences that no passage supports were left out."
    assert len(server.requests) == (2 if grounding == "strict" else 1)


def test_unsupported_sentence_is_flagged_or_withheld(folder: Path) -> None:
    """Flag shows it with its reason and cites nothing for it; strict leaves it out."""
    flagged, _ = ask(folder, servers.saying(UNCITED))
    assert [(s.verdict, bool(s.citations)) for s in flagged.statements] == [("supported", True), ("unsupported", False)]
    strict, _ = ask(folder, servers.saying(UNCITED), grounding="strict")
    assert [s.text for s in strict.statements] == ["Nine people were injured in the accident."]


@pytest.mark.parametrize("grounding", ["flag", "strict"])
def test_what_a_model_calls_missing_is_shown_as_such(folder: Path, grounding: str) -> None:
    """It is no claim of the passages: nothing is cited for it, it is not withheld, and nothing is asked again."""
    answer, server = ask(folder, servers.saying(ABSENT), grounding=grounding)
    assert [(s.verdict, bool(s.citations)) for s in answer.statements] == [("weak", False), ("supported", True)]
    assert answer.statements[0].reason == "what is missing cannot be quoted"
    assert len(server.requests) == 1


def test_answer_that_only_calls_things_missing_is_an_abstention(folder: Path) -> None:
    """Whatever words the model has for it."""
    text = "I do not have any information about the owner. No details about the price are given either."
    answer, _ = ask(folder, servers.saying(text))
    assert answer.abstained
    assert answer.statements == ()


def test_strict_asks_once_for_other_words(folder: Path) -> None:
    """The second request names the sentence and the reason; what holds then is shown."""

    def reply(h: servers.Handler, messages: list[dict[str, Any]]) -> None:
        h.stream("The king of Spain wept. [1]" if h.count == 1 else "They found two cracks in its boom. [2]")

    answer, server = ask(folder, reply, grounding="strict")
    assert [s.text for s in answer.statements] == ["They found two cracks in its boom."]
    assert len(server.requests) == 2
    assert "The king of Spain wept." in server.requests[1]["messages"][-1]["content"]


@pytest.mark.parametrize("text", ["The king of Spain wept. [1]", "NOT IN THE DOCUMENTS"])
def test_nothing_supported_is_an_abstention(folder: Path, text: str) -> None:
    """Strict with nothing left, and a model that says there is nothing, both abstain."""
    answer, _ = ask(folder, servers.saying(text), grounding="strict")
    assert answer.abstained
    assert answer.text.startswith("Not in these documents")


def test_thoughts_are_kept_out(folder: Path) -> None:
    """Neither the field nor the marked thoughts reach the answer."""
    for reply in (servers.reasoning, servers.saying("Secret 777. [1] So\n</think>\nNine people were injured. [1]")):
        answer, _ = ask(folder, reply)
        assert answer.statements
        assert not re.search(r"777|secret|think", answer.text, re.IGNORECASE)


def test_sentences_of_other_scripts_are_cut(folder: Path) -> None:
    """Ends of sentences of Japanese and Hindi are seen, and markers without blanks read."""
    assert len(ask(folder, servers.saying(JAPANESE), grounding="off")[0].statements) == 3
    assert len(ask(folder, servers.saying(HINDI), grounding="off")[0].statements) == 2


def test_list_items_are_statements_and_headings_are_not(folder: Path) -> None:
    """A list's items are checked one by one; heading and lead are no claims."""
    answer, _ = ask(folder, servers.saying(LISTED))
    assert [s.text.rstrip(".") for s in answer.statements if s.citations] == [
        "Nine people were injured in the accident",
        "They found two cracks in its boom",
    ]
    assert not any("Answer" in s.text for s in answer.statements)


@pytest.mark.parametrize("reply", [servers.slow_first(30), servers.silent], ids=["no token", "no status line"])
def test_cancel_before_the_first_token_hangs_up_within_a_second(folder: Path, reply: Reply) -> None:
    """Closing the events while the model is silent returns at once, and the server sees the connection end."""
    with serving(reply) as server, opened(folder, server, llm_first_seconds=50.0) as assistant:
        events = assistant.stream(QUESTION)
        assert isinstance(next(e for e in events if not isinstance(e, (Searching, Hits))), Waiting)
        begun = time.monotonic()
        events.close()  # type: ignore[attr-defined]
        assert time.monotonic() - begun < 1
        assert server.gone.wait(1)


def test_cancel_in_mid_stream_hangs_up_within_a_second(folder: Path) -> None:
    """The same after the first sentence."""

    def reply(h: servers.Handler, messages: list[dict[str, Any]]) -> None:
        h.begin()
        h.event({"content": "Nine people were injured in the accident. [1] The harbour"})
        h.wait_for_hangup(30)

    with serving(reply) as server, opened(folder, server) as assistant:
        events = assistant.stream(QUESTION)
        assert any(isinstance(e, Sentence) for e in events)
        begun = time.monotonic()
        events.close()  # type: ignore[attr-defined]
        assert time.monotonic() - begun < 1
        assert server.gone.wait(1)


def test_silence_is_bounded(folder: Path) -> None:
    """No first word in time: the offline reader answers."""
    answer, _ = ask(folder, servers.silent, llm_first_seconds=0.5, llm_retries=0)
    assert "no word within 0.5 s" in answer.notice
    assert answer.statements


def test_reader_reads_while_the_model_is_silent(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model does not wait for it: its request is on the way before the reader begins, and it reads once."""
    from rag.reader import Reader

    whole, asked = Reader.read, list[bool]()
    with serving(servers.slow_first(1.0)) as server, opened(folder, server) as assistant:

        def read(self: Reader, *args: Any, **named: Any) -> Any:
            asked.append(any(t.name == "dossier-llm" for t in threading.enumerate()))
            return whole(self, *args, **named)

        monkeypatch.setattr(Reader, "read", read)
        answer = assistant.ask(QUESTION)
    assert answer.model == "test-model"
    assert asked == [True]


def test_follow_up_is_written_by_the_model_and_shown(folder: Path) -> None:
    """With earlier turns the model writes the standalone question; what is no question falls back."""

    def answering(written: str) -> Reply:
        return lambda h, m: h.stream(written if servers.is_rewrite(m) else servers.quoting(m))

    before = Conversation.from_pairs([("What fell on the pier?", "The crane.")])
    for written, expected in (
        ("How many people did the crane injure?", "How many people did the crane injure?"),
        ("One.\nTwo.\nThree?", None),
        ("x" * 2000, None),
        ("", None),
    ):
        with serving(answering(written)) as server, opened(folder, server) as assistant:
            answer = assistant.ask("And how many were hurt?", before)
            assert_invariants(answer, assistant)
            assert (answer.standalone_question == expected) == (expected is not None)


def test_context_is_cut_to_the_window(folder: Path) -> None:
    """A small window holds fewer passages; one without room is said to be too small."""
    _, wide = ask(folder, REPLIES["well-behaved"])
    _, narrow = ask(folder, REPLIES["well-behaved"], llm_window=650, llm_max_tokens=100)
    assert len(servers.passages_of(narrow.requests[0]["messages"])) < len(
        servers.passages_of(wide.requests[0]["messages"])
    )
    answer, none = ask(folder, REPLIES["well-behaved"], llm_window=300, llm_max_tokens=100)
    assert "has no room for a passage" in answer.notice
    assert not none.requests


def test_threads_share_one_assistant(folder: Path) -> None:
    """Requests of several threads do not cut or read one another."""
    with serving(servers.saying(servers.quoting, each=0.01)) as server, opened(folder, server) as assistant:
        answers: list[Answer] = []
        threads = [threading.Thread(target=lambda: answers.append(assistant.ask(QUESTION))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({a.text for a in answers}) == 1
        assert len(answers) == 4
        assert answers[0].model == "test-model"


def test_any_llamaindex_model_can_be_passed(folder: Path) -> None:
    """An `LLM` object takes the place of the settings; one that gives only the whole so far works, too."""
    from llama_index.core.llms import MockLLM

    with Assistant.open(folder, encoder=FakeEncoder(), llm=MockLLM(max_tokens=5)) as assistant:
        answer = assistant.ask(QUESTION)
        assert_invariants(answer, assistant)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"llm": "gpt"}, "'gpt' is none of openai-like, anthropic, ollama"),
        ({"llm": "openai-like"}, "llm_model is empty"),
        ({"llm": "openai-like", "llm_model": "m", "llm_url": "localhost:80"}, "is not an http:// or https:// URL"),
        ({"llm": "openai-like", "llm_model": "m"}, "needs a key"),
        ({"grounding": "strikt"}, "'strikt', which is none of flag, strict, off"),
    ],
)
def test_wrong_setting_is_explained(
    folder: Path, settings: dict[str, Any], match: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each names the value and what to set."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("DOSSIER_LLM_KEY", raising=False)
    with pytest.raises(ConfigError, match=match):
        Assistant.open(folder, encoder=FakeEncoder(), settings=AnswerSettings(**settings))


@pytest.mark.parametrize("kind", ["anthropic", "ollama"])
def test_missing_package_is_named(folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(__import__("sys").modules, f"llama_index.llms.{kind}", None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'dossier\[{kind}\]'"):
        Assistant.open(folder, encoder=FakeEncoder(), settings=AnswerSettings(llm=kind, llm_model="m"))


def test_key_goes_into_the_request_and_nowhere_else(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server gets it; OpenAI's own key goes to no other host."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    _, server = ask(folder, REPLIES["well-behaved"])
    assert server.sent[0]["Authorization"] == "Bearer none"
    monkeypatch.setenv("DOSSIER_LLM_KEY", "sk-secret")
    answer, server = ask(folder, REPLIES["500 for ever"], llm_retries=0)
    assert server.sent[0]["Authorization"] == "Bearer sk-secret"
    assert "sk-" not in answer.text


def test_address_is_shown_without_its_secrets() -> None:
    """User, password and query of an address are left out of what people see."""
    from rag.llm import _shown

    assert _shown("https://user:pw@host:8000/v1?key=1") == "https://host:8000/v1"


def test_tokens_are_those_that_the_server_states(folder: Path) -> None:
    """Prompt and completion of all requests of an answer together: the written question and the answer."""
    answer, _ = ask(folder, servers.counting(servers.quoting, 900, 40))
    assert answer.tokens == Tokens(900, 40, True)
    assert answer_record(answer)["tokens"] == {"prompt": 900, "completion": 40, "exact": True}

    def reply(h: servers.Handler, messages: list[dict[str, Any]]) -> None:
        rewrite = servers.is_rewrite(messages)
        said = "How many people did the crane injure?" if rewrite else servers.quoting(messages)
        servers.counting(said, 100 if rewrite else 900, 10 if rewrite else 40)(h, messages)

    before = Conversation.from_pairs([("What fell on the pier?", "The crane.")])
    with serving(reply) as server, opened(folder, server) as assistant:
        assert assistant.ask("And how many were hurt?", before).tokens == Tokens(1_000, 50, True)


def test_tokens_are_counted_where_the_server_does_not_state_them(folder: Path) -> None:
    """An estimate, and said to be one; what broke off counts as far as it came, what brought nothing does not."""
    answer, server = ask(folder, servers.saying(servers.quoting))
    sent = sum(len(m["content"]) for m in server.requests[0]["messages"])
    assert answer.tokens is not None
    assert not answer.tokens.exact
    assert sent / 6 < answer.tokens.prompt < sent
    assert 5 < answer.tokens.completion < 200
    dead, _ = ask(folder, servers.dying)
    assert dead.tokens is not None
    assert dead.tokens.completion > 0
    assert ask(folder, servers.failing(500), llm_retries=0)[0].tokens is None


def test_server_that_takes_no_unknown_field_is_asked_without_it(folder: Path) -> None:
    """It answers, and is not troubled with the field again."""
    with serving(servers.narrow(servers.saying(servers.quoting))) as server, opened(folder, server) as assistant:
        for _ in range(2):
            answer = assistant.ask(QUESTION)
            assert (answer.model, answer.notice) == ("test-model", "")
            assert answer.tokens is not None
        assert ["stream_options" in r for r in server.requests] == [True, False, False]


def test_tokens_stand_under_why_this_answer(folder: Path) -> None:
    """Exact ones as they are, counted ones with "about"."""
    from ui.web.render_why import render_why

    answer, _ = ask(folder, servers.counting(servers.quoting, 1_900, 40))
    assert "<dd>1,900 read, 40 written</dd>" in render_why(answer, 1, {})
    assert "<dd>about 7 read, 3 written</dd>" in render_why(replace(answer, tokens=Tokens(7, 3, False)), 1, {})
    assert "Tokens" not in render_why(replace(answer, tokens=None), 1, {})


def test_doctor_tells_in_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Speed and window of a model that answers; error and remedy of one that does not."""
    from ui.cli import main

    monkeypatch.setenv("DOSSIER_ANSWER_LLM", "openai-like")
    monkeypatch.setenv("DOSSIER_ANSWER_LLM_MODEL", "test-model")
    with serving(servers.saying("one, two, three, four, five", each=0.05)) as server:
        monkeypatch.setenv("DOSSIER_ANSWER_LLM_URL", server.url)
        assert main(["doctor", "--llm"]) == 0
    out = capsys.readouterr().out
    assert re.fullmatch(r"test-model at \S+ answers: first word after .* s, .* tokens/s, window 8,192 tokens;.*\n", out)
    assert "set llm_window = 4096" in out
    with serving(servers.failing(401)) as server:
        monkeypatch.setenv("DOSSIER_ANSWER_LLM_URL", server.url)
        assert main(["doctor", "--llm"]) == 1
    assert "does not answer: HTTP 401" in capsys.readouterr().err


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Reading threads end with their request."""
    yield
    deadline = time.monotonic() + 5
    while any(t.name == "dossier-llm" for t in threading.enumerate()):
        assert time.monotonic() < deadline, "a reading thread is left"
        time.sleep(0.02)
