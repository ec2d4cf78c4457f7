"""Runs, judges and drafts with a language model: one command each, tokens and cost counted, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from eval import Case, Prices, RunFolder, System, compare, endpoint_system, evaluate, usage
from eval.gate import against_baseline, overall
from eval.language_model import LanguageModel
from eval.store import digest
from eval.table import format_comparison, markdown_comparison
from index.errors import ConfigError, ModelUnavailableError
from rag.settings import AnswerSettings
from rag.types import Tokens
from tests import llm_servers as servers
from tests.llm_servers import Server, serving
from ui.cli import main

CRANE = "The crane fell on the north pier on 6 May 2026. Nine people were injured in the accident.\n"


def reply(h: servers.Handler, messages: list[dict[str, Any]]) -> None:
    """Answers, judges, asks and drafts; each reply is said to take 100 tokens read and 10 written."""
    asked = messages[-1]["content"]
    said = servers.quoting(messages)
    if "one whole number from 0" in asked:
        said = "<think>Hm, 3?</think>8"
    elif "Write one question that the passage answers" in asked:
        quote = "Nine people were injured in the accident."
        said = json.dumps({"question": "How many were hurt?", "answer": "Nine.", "quote": quote})
    servers.counting(said, 100, 10)(h, messages)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(reply) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Documents and three cases, one of them without an answer."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "crane.md").write_text(CRANE, encoding="utf-8")
    cases = [
        {"id": "a", "question": "How many people were injured?", "answerable": True, "references": ["Nine people"]},
        {"id": "b", "question": "When did the crane fall?", "answerable": True, "references": ["6 May 2026"]},
        {"id": "c", "question": "Who won the cup in Brazil?", "answerable": False},
    ]
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, cases)), encoding="utf-8")
    return tmp_path


def flags(server: Server) -> list[str]:
    return ["--llm", "openai-like", "--llm-url", server.url, "--llm-model", "test-model"]


def call(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str, str]:
    status = main(["eval", *map(str, argv)])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_run_with_a_model_is_one_command_that_counts_tokens_and_cost(
    folder: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asked, judged and priced; killed or repeated, nothing is asked or judged again."""
    command = ["run", folder / "cases.jsonl", "--docs", folder / "docs", "--out", folder / "run", *flags(server)]
    command += ["--prices", "2", "50", "--judged", "faithful", "correct"]
    status, out, err = call(capsys, *command)
    assert status == 0
    run = RunFolder(folder / "run")
    outputs = run.outputs()
    written = [o for o in outputs.values() if o.answer is not None and o.answer.model == "test-model"]
    assert written
    for output in written:
        assert output.tokens == Tokens(100, 10, True)
        assert output.cost == pytest.approx((100 * 2 + 10 * 50) / 1e6)
    spent = usage(run)
    assert spent.tokens == Tokens(100 * len(written), 10 * len(written), True)
    assert spent.cost == pytest.approx(len(written) * 700 / 1e6)
    assert f"{110 * len(written):,} tokens ({100 * len(written):,} read" in out
    assert "faithful (test-model)" in out
    assert "correct (test-model)" in out
    assert "The judge test-model at" in err
    judged = [s for s in run.scores() if s.metric == "faithful (test-model)" and s.state == "value"]
    assert {s.value for s in judged} == {0.8}
    assert run.about()["config"]["answer"]["llm_model"] == "test-model"
    before = len(server.requests)
    assert call(capsys, *command)[0] == 0
    assert len(server.requests) == before
    assert f"{110 * len(written):,} tokens" in call(capsys, "show", folder / "run")[1]
    assert "110 tokens (100 read, 10 written)" in call(capsys, "show", folder / "run", "--case", written[0].case)[1]
    call(capsys, "report", folder / "run")
    assert "110 tokens (100 read, 10 written)" in (folder / "run" / "report.html").read_text(encoding="utf-8")


def test_offline_run_has_no_tokens_and_no_cost(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not 0, which would say that a model was asked for nothing."""
    command = ["run", folder / "cases.jsonl", "--docs", folder / "docs", "--out", folder / "run", "--no-checks"]
    _, out, _ = call(capsys, *command, "--prices", "1", "1")
    assert "tokens (" not in out
    assert (usage(RunFolder(folder / "run")).tokens, usage(RunFolder(folder / "run")).cost) == (None, None)


def test_score_lets_a_model_judge_a_run_that_was_made_without(
    folder: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """The judge is named, asked at temperature 0, and its judgements are kept beside the run."""
    evaluate(folder / "cases.jsonl", System("f", lambda q, h: "Nine people."), folder / "run")
    command = ["score", folder / "run", "--no-checks", "--judged", "correct", *flags(server)]
    assert call(capsys, *command)[0] == 0
    assert {r["temperature"] for r in server.requests} == {0.0}
    scores = [s for s in RunFolder(folder / "run").scores() if s.metric == "correct (test-model)"]
    assert sorted((s.case, s.state) for s in scores) == [("a", "value"), ("b", "value"), ("c", "n/a")]
    assert (folder / "run" / "judgements.jsonl").read_text().count("\n") == 2


def test_judged_without_a_model_is_explained(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is asked."""
    command = [
        "run",
        folder / "cases.jsonl",
        "--docs",
        folder / "docs",
        "--out",
        folder / "run",
        "--judged",
        "faithful",
    ]
    status, _, err = call(capsys, *command)
    assert status == 1
    assert "No language model is named." in err
    assert not (folder / "run" / "outputs.jsonl").exists()


def test_make_drafts_with_a_model(folder: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Each draft quotes the document; the model and its tokens are told."""
    assert main(["add", str(folder / "docs"), "--library", str(folder / "library")]) == 0
    command = ["make", folder / "made.jsonl", "--library", folder / "library", "--yes", "--count", "1", *flags(server)]
    status, _, err = call(capsys, *command)
    assert status == 0
    (line,) = (folder / "made.jsonl").read_text(encoding="utf-8").splitlines()
    made = json.loads(line)
    assert (made["question"], made["evidence"][0]["source"]) == ("How many were hurt?", "crane.md")
    assert "Drafts by test-model at" in err
    assert "110 tokens" in err


def test_judge_measures_a_model_beside_the_others(
    folder: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row of its own, under the model's name."""
    rows = [{"premise": CRANE, "hypothesis": "Nine people were injured.", "label": n % 2} for n in range(4)]
    (folder / "set.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    status, out, _ = call(capsys, "judge", folder / "set.jsonl", *flags(server))
    assert status == 0
    assert "| test-model | 0.500" in out
    assert "| length |" in out


def test_failing_model_is_an_error_of_the_tree_and_of_no_case(folder: Path) -> None:
    """A judge that does not answer has not judged; drafting stops with a sentence."""
    with serving(servers.failing(500)) as server:
        settings = AnswerSettings(llm="openai-like", llm_url=server.url, llm_model="m", llm_retries=0)
        model = LanguageModel(settings)
        with pytest.raises(ModelUnavailableError, match="HTTP 500"):
            model("hello")
        assert model.tokens is None
    with pytest.raises(ConfigError, match="No language model"):
        LanguageModel(AnswerSettings())


def test_endpoint_states_its_tokens(tmp_path: Path) -> None:
    """Under `usage`, as OpenAI's interface does; a reply without has none."""

    def chat(h: servers.Handler, messages: list[dict[str, Any]]) -> None:
        body: dict[str, Any] = {"choices": [{"message": {"content": "Nine."}}]}
        if "first" in messages[-1]["content"]:
            body["usage"] = {"prompt_tokens": 20, "completion_tokens": 5}
        h.plain(200, body)

    with serving(chat) as server:
        system = endpoint_system(f"{server.url}/chat/completions", prices=Prices(1.0, 2.0))
        evaluate([Case("a", "first"), Case("b", "second")], system, tmp_path / "run")
    outputs = RunFolder(tmp_path / "run").outputs()
    assert (outputs["a"].tokens, outputs["a"].cost) == (Tokens(20, 5, True), pytest.approx(30e-6))
    assert (outputs["b"].tokens, outputs["b"].cost) == (None, None)


def rewritten_cases() -> list[Case]:
    return [
        Case(f"c{n}", "And it?", (("before", ""),) * (1 + n % 2), True, ("right",), rewrite=f"What of {n}?")
        for n in range(24)
    ]


def test_run_over_the_rewrites_is_labelled_and_its_difference_is_the_gap(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the text, in Markdown, in JSON, by turn; and a gate does not take one for the other."""

    def ask(question: str, history: Sequence[tuple[str, str]]) -> str:
        return "right" if question.startswith("What of") or len(history) == 1 else "wrong"

    cases = rewritten_cases()
    a, b = tmp_path / "typed", tmp_path / "rewritten"
    evaluate(cases, System("f", ask), a)
    evaluate(cases, System("f", ask), b, rewrites=True)
    found = compare(RunFolder(a), RunFolder(b), metrics=["EM"])
    assert found.rewritten == "b"
    text = format_comparison(found, 0.05)
    assert f"B: {b}, f, asked the human rewrites" in text
    assert "B − A is the gap to the human rewrite." in text
    assert "A − B is the gap" in format_comparison(compare(RunFolder(b), RunFolder(a)), 0.05)
    assert "gap" not in format_comparison(compare(RunFolder(a), RunFolder(a)), 0.05)
    assert "| metric | typed | asked, human rewrites |" in markdown_comparison(found, ("typed", "asked"), 0.05)
    status, out, _ = call(capsys, "compare", a, b, "--metrics", "EM", "--by", "depth", "--json")
    assert status == 0
    data = json.loads(out)
    assert data["rewritten"] == "b"
    gaps = {name: part["differences"][0]["difference"] for name, part in data["by"].items()}
    assert gaps == {"turn 2": 0.0, "turn 3": 1.0}
    assert "\nturn 3\n" in call(capsys, "compare", a, b, "--metrics", "EM", "--by", "depth")[1]
    assert digest(RunFolder(a).cases()) == digest(RunFolder(b).cases())
    assert overall(against_baseline(RunFolder(b), RunFolder(a), metrics=["EM"])) == "cannot tell"
    with pytest.raises(ConfigError, match="No case has a rewrite"):
        evaluate([Case("x", "x")], System("f", ask), tmp_path / "none", rewrites=True)
