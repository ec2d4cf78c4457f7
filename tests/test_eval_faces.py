"""The verbs of `dossier eval`, the report, judges and the adapters do what they say."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from eval import Case, Evidence, RunFolder, System, compare, endpoint_system, evaluate, read_cases
from eval.draft import drafts
from eval.judge import Labelled, measure_judge, trivial_scorers
from eval.judged import LlmScorer, prompt_judge
from eval.llamaindex import engine_system, evaluator_judge
from index.errors import ConfigError
from index.library import Library
from rag.assistant import Assistant
from rag.records import answer_record
from rag.types import Answer, Statement
from tests.fakes import FakeEncoder
from ui.cli import main

CASES = [
    Case(f"c{n}", f"<b>q{n}</b>", (("before", ""),) * (n % 3), n % 4 > 0, ("right",), conversation=f"t{n // 2}")
    for n in range(40)
]


def run(path: Path, good: int) -> Path:
    """A run that answers the first `good` cases right and abstains on every fourth."""

    def ask(question: str, history: Sequence[tuple[str, str]]) -> str:
        number = int(question[4:-4])
        return "" if number % 4 == 0 else "right" if number < good else "wrong <script>alert(1)</script>"

    evaluate(CASES, System("fake", ask), path)
    return path


def call(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str]:
    status = main(["eval", *map(str, argv)])
    return status, capsys.readouterr().out


def test_gate_passes_fails_and_says_when_it_cannot_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0, 1 and 2, with JUnit XML and Markdown beside."""
    good, bad, same = run(tmp_path / "good", 40), run(tmp_path / "bad", 8), run(tmp_path / "same", 39)
    floors = tmp_path / "floors.json"
    for text, status in (('{"EM": 0.9}', 0), ('{"EM": 1.1}', 1), ('{"recall@5": 0.1}', 2)):
        floors.write_text(text)
        out = ("--junit", tmp_path / "j.xml", "--markdown", tmp_path / "m.md")
        assert call(capsys, "gate", good, "--floors", floors, *out)[0] == status
        suite = ElementTree.parse(tmp_path / "j.xml").getroot()
        assert (suite.get("failures"), suite.get("errors")) == (str(int(status == 1)), str(int(status == 2)))
        assert (tmp_path / "m.md").read_text().startswith(f"**Gate: {['pass', 'regression', 'cannot tell'][status]}**")
    assert call(capsys, "gate", good, "--baseline", good)[0] == 0
    assert call(capsys, "gate", bad, "--baseline", good)[0] == 1
    assert call(capsys, "gate", good, "--baseline", bad)[0] == 0  # better is no regression
    assert call(capsys, "gate", same, "--baseline", good, "--metrics", "EM", "--tolerance", "0.01")[0] == 2
    assert call(capsys, "gate", good)[0] == 1  # nothing to hold it against is an error that is explained


def test_gate_cannot_tell_of_half_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cases that were never asked do not pass silently."""
    folder = run(tmp_path / "run", 40)
    for name in ("outputs.jsonl", "scores.jsonl"):
        lines = (folder / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join(x for x in lines if '"c39"' not in x))
    (tmp_path / "f.json").write_text('{"EM": 0.1}')
    assert call(capsys, "gate", folder, "--floors", tmp_path / "f.json")[0] == 2


def test_compare_lists_what_differs_and_which_cases_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Paired, with Holm, intervals, the detectable difference; JSON says the same."""
    good, bad = run(tmp_path / "good", 40), run(tmp_path / "bad", 8)
    status, text = call(capsys, "compare", good, bad)
    assert status == 0
    assert "worse" in text
    assert "cases changed" in text
    found = compare(RunFolder(good), RunFolder(bad), metrics=["EM"])
    (em,) = found.differences
    assert em.a == pytest.approx(1.0)
    assert (em.pairs, em.better, em.differs()) == (30, False, True)
    assert em.low is not None
    assert em.low <= em.difference <= (em.high or 0)
    assert found.clusters == 20
    data = json.loads(call(capsys, "compare", good, bad, "--metrics", "EM", "--json")[1])
    assert data["differences"][0]["differs"] is True
    with pytest.raises(ConfigError, match="no metric 'nonsense'"):
        compare(RunFolder(good), RunFolder(bad), metrics=["nonsense"])
    evaluate([Case("z", "z")], System("f", lambda q, h: q), tmp_path / "other")
    with pytest.raises(ConfigError, match="no case in common"):
        compare(RunFolder(good), RunFolder(tmp_path / "other"))


def test_show_tells_figures_slices_and_one_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also as JSON; an unknown case or metric is explained."""
    folder = run(tmp_path / "run", 40)
    assert "token_F1" in call(capsys, "show", folder)[1]
    assert "turn 2" in call(capsys, "show", folder, "--by", "depth", "--metrics", "EM")[1]
    assert "reference: right" in call(capsys, "show", folder, "--case", "c1")[1]
    assert json.loads(call(capsys, "show", folder, "--json")[1])["cases"] == 40
    assert call(capsys, "show", folder, "--case", "none")[0] == 1
    assert call(capsys, "show", folder, "--metrics", "none")[0] == 1
    assert call(capsys, "show", tmp_path)[0] == 1


def test_report_is_one_file_that_runs_and_loads_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cases and systems say is shown and never executed."""
    folder = run(tmp_path / "run", 8)
    assert call(capsys, "report", folder)[0] == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;b&gt;q1&lt;/b&gt;" in page
    assert "src=" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert "default-src 'none'" in page
    assert page.count("<details id=") == 40


def test_run_asks_an_endpoint_and_its_failures_are_in_the_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Plain, OpenAI and Dossier replies are read; one that fails is an error row and status 1."""
    answer = Answer("q", "q", (Statement("It rains.", (), 1.0, "supported"),), (), (), False, 0.5)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            said: dict[str, Any] = {"answer": f"{body.get('question')} {len(body.get('history', []))}"}
            if self.path.endswith("/chat/completions"):
                said = {"choices": [{"message": {"content": body["messages"][-1]["content"]}}]}
            elif body["question"] == "dossier":
                said = answer_record(answer)
            self.send_response(500 if body.get("question") == "bad" else 200)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        assert endpoint_system(url).ask("dossier", ()) == answer
        chat = endpoint_system(f"{url}/v1/chat/completions").ask("hi", [("a", "")])
        assert isinstance(chat, Answer)
        assert chat.text == "hi"
        lines = [
            {"id": q, "question": q, "answerable": True, "references": [f"{q} 1"], "history": ["x"]}
            for q in ("a", "bad")
        ]
        (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, lines)))
        status, text = call(capsys, "run", tmp_path / "c.jsonl", "--url", url, "--out", tmp_path / "run", "--no-checks")
        assert status == 1
        assert "error in bad: ModelUnavailableError" in text
        assert RunFolder(tmp_path / "run").outputs()["a"].answer is not None
    finally:
        server.shutdown()
    with pytest.raises(ConfigError, match="not an http"):
        endpoint_system("file:///etc/passwd")


def test_drafts_rest_on_words_of_the_documents(samples: Assistant) -> None:
    """From headings and sentences, from several documents, each with evidence that stands there."""
    found = list(drafts(samples.library, 12))
    assert len(found) == 12
    assert {d.origin for d in found} == {"heading", "sentence"}
    texts = {i.source.rsplit("/", 1)[-1]: samples.library.document(i.id).text for i in samples.library.documents()}
    for draft in found:
        (e,) = draft.case.evidence
        assert texts[e.source][e.start : e.end] == e.quote
        assert draft.case.tags == ("draft",)
    assert len({d.case.evidence[0].source for d in found}) > 4
    assert [d.case for d in drafts(samples.library, 12)] == [d.case for d in found]


def test_heading_that_asks_is_the_question(tmp_path: Path) -> None:
    """Not "What does … say about When does it open??"."""
    text = "# Harbour\n\n## When does the berth open?\n\nThe new berth opens in the second week of May this year.\n"
    (tmp_path / "berth.md").write_text(text, encoding="utf-8")
    with Library.open(tmp_path / "library", encoder=FakeEncoder()) as library:
        library.add(tmp_path / "berth.md")
        asked = [d.case.question for d in drafts(library, 5)]
    assert asked == ["When does the berth open?"]


def test_draft_of_a_model_needs_a_quote_that_is_there(samples: Assistant) -> None:
    """What it invents is dropped."""

    def honest(prompt: str) -> str:
        text = prompt.split(">\n", 1)[1].split("\n</passage>")[0]
        words = text[len(text) // 2 :].split()[1:9]
        return json.dumps({"question": "What?", "answer": "That.", "quote": " ".join(words)})

    assert next(drafts(samples.library, 1, complete=honest)).origin == "language model"
    invented = json.dumps({"question": "What?", "answer": "That.", "quote": "Nobody ever wrote these words."})
    assert list(drafts(samples.library, 3, complete=lambda p: invented)) == []


def test_make_adds_what_a_person_accepts(
    samples: Assistant, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """y accepts, n drops, e edits, q ends."""
    replies = iter(["y", "n", "e", "My own question?", "one|two", "what", "q"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(replies))
    monkeypatch.setattr("ui.cli.evaluate_data.open_library", lambda options: _Borrowed(samples))
    status, _ = call(capsys, "make", tmp_path / "made.jsonl")
    cases = read_cases(tmp_path / "made.jsonl")
    assert (status, len(cases)) == (0, 2)
    assert (cases[1].question, cases[1].references, cases[1].tags) == ("My own question?", ("one", "two"), ())


class _Borrowed:
    """The library of the samples, which stays open."""

    def __init__(self, assistant: Assistant) -> None:
        self._library = assistant.library

    def __enter__(self) -> object:
        return self._library

    def __exit__(self, *rest: object) -> None:
        pass


def test_judge_is_measured_beside_what_understands_nothing(tmp_path: Path) -> None:
    """A perfect judge, a constant one, a failing one; a kept file is not judged again."""
    records = [Labelled(f"p{n}", "yes" if n % 2 else "no", n % 2, 4.0 if n % 2 else 1.0) for n in range(30)]
    calls = []

    def perfect(premise: str, hypothesis: str) -> float:
        calls.append(premise)
        return 0.9 if hypothesis == "yes" else 0.2

    found = measure_judge("perfect", perfect, records, keep=tmp_path / "k.jsonl")
    assert (found.auroc, found.at_half, found.tuned, found.kappa) == (1.0, 1.0, 1.0, 1.0)
    assert found.spearman == pytest.approx(1.0)
    assert found.calibration_error == pytest.approx(0.15)
    again = measure_judge("perfect", perfect, records, keep=tmp_path / "k.jsonl")
    assert (len(calls), again.auroc) == (30, 1.0)
    always = measure_judge("always", trivial_scorers()["always supported"], records)
    assert (always.auroc, always.at_half, always.kappa, always.spearman) == (0.5, 0.5, 0.0, None)

    def broken(premise: str, hypothesis: str) -> float:
        raise ValueError("no verdict")

    failed = measure_judge("broken", broken, records)
    assert (failed.errors, failed.auroc) == (30, None)


def test_language_model_judge_is_named_cached_and_its_failures_are_errors(tmp_path: Path) -> None:
    """The same is asked once; a reply that is no number is an error, an abstention not its business."""
    replies = {"right": "8", "wrong <script>alert(1)</script>": "It depends."}
    prompts = []

    def complete(prompt: str) -> str:
        prompts.append(prompt)
        return next(reply for said, reply in replies.items() if f"<answer>{said}</answer>" in prompt)

    scorer = LlmScorer(
        "correct", prompt_judge("correct", complete), "model-1", tmp_path / "cache.jsonl", needs_reference=True
    )
    folder = run(tmp_path / "run", 10)
    from eval import score

    assert score(RunFolder(folder), extra=[scorer]) > 0
    mine = [s for s in RunFolder(folder).scores() if s.metric == "correct (model-1)"]
    assert {s.state for s in mine} == {"value", "error", "n/a"}
    assert {s.value for s in mine if s.state == "value"} == {0.8}
    assert all("judged by model-1" in s.scorer for s in mine)
    again = LlmScorer("correct", prompt_judge("correct", lambda p: "0"), "model-1", tmp_path / "cache.jsonl")
    score(RunFolder(folder), extra=[again], again=True)
    assert {s.value for s in RunFolder(folder).scores() if s.metric == "correct (model-1)" and s.value} == {0.8}


def test_llamaindex_engines_and_evaluators_can_be_measured(tmp_path: Path) -> None:
    """A real query engine over an index, and a real evaluator on a language model that is a fake."""
    from llama_index.core import Document, MockEmbedding, VectorStoreIndex
    from llama_index.core.evaluation import FaithfulnessEvaluator
    from llama_index.core.llms import MockLLM

    text = "The bridge is 71 metres long."
    index = VectorStoreIndex.from_documents([Document(text=text, id_="doc")], embed_model=MockEmbedding(embed_dim=8))
    engine = index.as_query_engine(llm=MockLLM())
    system = engine_system(engine, lookup=lambda name: ("bridge.txt", text) if name == "doc" else None)
    case = Case("c", "How long?", references=("71 metres",), evidence=(Evidence("bridge.txt", text, 0, len(text)),))
    judge = evaluator_judge(FaithfulnessEvaluator(llm=MockLLM(max_tokens=1)), "mock")
    scorer = LlmScorer("faithful", judge, "mock", tmp_path / "cache")
    report = evaluate([case], system, tmp_path / "run", extra=[scorer])
    assert report.errors == 0
    assert (report.value("citation_validity"), report.value("evidence_recall@1")) == (1.0, 1.0)
    assert report.value("faithful (mock)") == 0.0  # the mock does not say YES
