"""Public data sets become cases whose evidence stands in their documents."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from eval.cases import find_wrong_evidence, read_cases
from eval.importers import Imported, load, write_imported
from index.errors import ConfigError
from tests.conftest import ROOT

SHARED = ROOT.parent / "shared" / "data"


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


def right(found: Imported) -> bool:
    return find_wrong_evidence(list(found.cases), {s: text for s, (_, text) in found.documents.items()}) == []


def test_beir_keeps_grades_and_leaves_out_queries_without_any(tmp_path: Path) -> None:
    """Corpus, queries and a split's judgements; gzipped is fine."""
    write(tmp_path / "corpus.jsonl", [{"_id": "d1", "title": "T", "text": "x"}, {"_id": "d2", "text": "y"}])
    write(
        tmp_path / "queries.jsonl",
        [{"_id": "q1", "text": "a?"}, {"_id": "q2", "text": "b?"}, {"_id": "q3", "text": "c?"}],
    )
    (tmp_path / "qrels").mkdir()
    data = b"query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td9\t1\nq3\td1\t0\n"
    (tmp_path / "qrels" / "test.tsv.gz").write_bytes(gzip.compress(data))
    found = load("beir", tmp_path)
    assert [(c.id, c.relevant) for c in found.cases] == [("q1", (("d1", 2), ("d2", 0))), ("q2", (("d9", 1),))]
    assert found.documents["d1"] == ("T", "x")
    write_imported(found, tmp_path / "out")
    assert read_cases(tmp_path / "out" / "cases.jsonl") == list(found.cases)
    assert len((tmp_path / "out" / "documents.jsonl").read_text().splitlines()) == 2


def test_squad_takes_the_sentence_of_an_answer_as_evidence(tmp_path: Path) -> None:
    """1.1 and 2.0; an answer that is not where it says is left out and told."""
    context = "It rains. The bridge is 71 metres long. It is old."
    qas = [
        {
            "id": "a",
            "question": "How long?",
            "answers": [{"text": "71 metres", "answer_start": context.index("71")}] * 2,
        },
        {"id": "b", "question": "Who?", "answers": [], "is_impossible": True},
        {"id": "c", "question": "Old?", "answers": [{"text": "old", "answer_start": 3}]},
    ]
    data = {"version": "v2.0", "data": [{"title": "A_b", "paragraphs": [{"context": context, "qas": qas}]}]}
    (tmp_path / "s.json").write_text(json.dumps(data))
    found = load("squad", tmp_path / "s.json")
    a, b, _ = found.cases
    assert (a.references, len(a.evidence), a.evidence[0].quote) == (("71 metres",), 1, "The bridge is 71 metres long.")
    assert (b.answerable, b.evidence) == (False, ())
    assert "1 answers do not stand" in found.notes[0]
    assert right(found)


def test_mtrag_tasks_have_their_history_and_conversation(tmp_path: Path) -> None:
    """The published form, with speakers; what asks nothing is left out, PARTIAL is answerable."""

    def task(n: int, kind: str) -> dict[str, Any]:
        turns = [{"speaker": s, "text": f"{s} {i}"} for i in range(n) for s in ("user", "agent")][:-1]
        return {
            "task_id": f"t{n}", "conversation_id": "k", "Answerability": [kind], "Collection": "clapnq", "input": turns,
            "targets": [{"text": "yes"}], "contexts": [{"document_id": "p", "title": "", "text": "passage"}],
        }  # fmt: skip

    rows = [task(1, "ANSWERABLE"), task(2, "UNANSWERABLE"), task(3, "PARTIAL"), task(4, "CONVERSATIONAL")]
    found = load("mtrag", write(tmp_path / "t.jsonl", rows))
    one, two, three = found.cases
    assert (one.history, one.question, one.references, one.relevant) == ((), "user 0", ("yes",), (("p", 1),))
    assert (two.answerable, two.references, two.relevant, two.history) == (False, (), (), (("user 0", "agent 0"),))
    assert (three.answerable, three.depth, three.conversation) == (True, 3, "k")
    assert found.notes == ("1 turns ask nothing and are left out.",)


def test_mtrag_queries_have_rewrites_and_judgements(tmp_path: Path) -> None:
    """All questions of a conversation: the last is asked, the others are its history."""
    write(tmp_path / "x_questions.jsonl", [{"_id": "k<::>2", "text": "|user|: one\n|user|: two"}])
    write(tmp_path / "x_rewrite.jsonl", [{"_id": "k<::>2", "text": "|user|: two of one"}])
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nk<::>2\td\t1\n")
    (case,) = load("mtrag", tmp_path).cases
    assert (case.question, case.history, case.rewrite, case.conversation) == ("two", (("one", ""),), "two of one", "k")


def test_clapnq_marks_each_sentence_as_a_need(tmp_path: Path) -> None:
    """Marked sentences are all wanted; a question with an empty answer has none."""
    passage = {"title": "T", "text": "It rains . The bridge is old .", "sentences": []}
    output = [{"answer": "Rain; old.", "selected_sentences": ["It rains .", "The bridge is old .", "Not there ."]}]
    rows = [
        {"id": "1", "input": "what", "passages": [passage], "output": output},
        {"id": "2", "input": "who", "passages": [passage], "output": [{"answer": "", "selected_sentences": []}]},
    ]
    found = load("clapnq", write(tmp_path / "c.jsonl", rows))
    assert [e.need for e in found.cases[0].evidence] == [0, 1]
    assert (found.cases[1].answerable, found.cases[1].references) == (False, ())
    assert right(found)
    assert "1 marked sentences" in found.notes[0]


def test_llamaindex_and_ragas_contexts_become_documents(tmp_path: Path) -> None:
    """A labelled data set as LlamaIndex writes it; RAGAS in both generations, as lines, columns and CSV."""
    example = {
        "query": "Why?", "query_by": {"model_name": "m", "type": "ai"}, "reference_contexts": ["It is so.", "And so."],
        "reference_answer": "Because.", "reference_answer_by": {"model_name": "m", "type": "ai"},
    }  # fmt: skip
    (tmp_path / "l.json").write_text(json.dumps({"examples": [example]}))
    found = load("llamaindex", tmp_path / "l.json")
    assert (found.cases[0].references, len(found.documents)) == (("Because.",), 2)
    assert right(found)
    row = {
        "user_input": "Why?",
        "reference": "Because.",
        "reference_contexts": ["It is so."],
        "retrieved_contexts": ["No."],
    }
    messages = [{"type": "human", "content": "a"}, {"type": "ai", "content": "b"}, {"type": "human", "content": "c"}]
    found = load("ragas", write(tmp_path / "r.jsonl", [row, {"user_input": messages, "reference": "x"}]))
    assert [len(c.evidence) for c in found.cases] == [1, 0]
    assert (found.cases[1].question, found.cases[1].history) == ("c", (("a", "b"),))
    (tmp_path / "o.json").write_text(
        json.dumps({"question": ["a", "b"], "ground_truths": [["x"], ["y", "z"]], "contexts": [["n"], ["m"]]})
    )
    old = load("ragas", tmp_path / "o.json")
    assert [c.references for c in old.cases] == [("x",), ("y", "z")]
    assert old.documents == {}  # contexts are what a system found


def test_csv_looks_quotes_up_in_a_folder(tmp_path: Path) -> None:
    """A quote without offsets is found, one that is not there is told, and its case stays answerable."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("It  rains.\nThe bridge is old.")
    with (tmp_path / "c.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["question", "answer", "source", "quote", "answerable", "history", "tags"])
        table.writerow(["Wet?", "yes|very", "a.txt", "It rains.", "", '["Where?", ["When?", "now"]]', "x y"])
        table.writerow(["Dry?", "", "a.txt", "It is dry.", "", "", ""])
        table.writerow(["Who?", "", "", "", "no", "", ""])
    found = load("csv", tmp_path / "c.csv", docs=tmp_path / "docs")
    wet, dry, who = found.cases
    assert (wet.evidence[0].quote, wet.references, wet.tags) == ("It  rains.", ("yes", "very"), ("x", "y"))
    assert wet.history == (("Where?", ""), ("When?", "now"))
    assert (dry.answerable, dry.evidence, who.answerable) == (True, (), False)
    assert "does not say once" in found.notes[0]


@pytest.mark.parametrize("kind", ["beir", "squad", "mtrag", "clapnq", "llamaindex", "ragas", "csv"])
def test_file_of_another_kind_is_refused_with_a_reason(tmp_path: Path, kind: str) -> None:
    """No traceback for a wrong file, an empty one or none."""
    (tmp_path / "x.json").write_text('{"a": 1}')
    for path in (tmp_path / "x.json", tmp_path / "none", tmp_path):
        with pytest.raises(ConfigError):
            load(kind, path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public data sets are not beside the project")
@pytest.mark.parametrize(
    ("kind", "path", "count"),
    [
        ("beir", "nfcorpus", 323),
        ("mtrag", "mtrag/clapnq.questions.jsonl.gz", 208),
        ("mtrag", "mtrag/tasks.jsonl.gz", 639),
        ("clapnq", "clapnq/dev_answerable.jsonl.gz", 150),
        ("clapnq", "clapnq/dev_unanswerable.jsonl.gz", 150),
        ("csv", "chunking_eval/questions_df.csv", 472),
    ],
)
def test_shared_data_sets_are_read(kind: str, path: str, count: int) -> None:
    """Every query and turn of the public sets, and every span says its quote."""
    found = load(kind, SHARED / path)
    assert len(found.cases) == count
    texts = {s: text for s, (_, text) in found.documents.items()}
    texts |= {p.name: p.read_text(encoding="utf-8") for p in (SHARED / "chunking_eval" / "corpora").iterdir()}
    assert find_wrong_evidence(list(found.cases), texts) == []
