"""Training: examples are what they say, and a small run goes all the way to a model that can be used."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from index.embed import open_tokenizer
from index.models.build import LIMITS, even_out
from rag.grounding import PairModel
from rag.grounding.train.alone import OTHERS, sentences_alone
from rag.grounding.train.conversations import in_conversation, read_talks
from rag.grounding.train.examples import ENTAILED, MAX_TOKENS, Example, Maker, held_out
from rag.grounding.train.loop import _loss, make_batches
from rag.grounding.train.network import mix_weights
from rag.grounding.train.wording import subject_first
from tests.conftest import ROOT

TOWNS = ("Dunmarrow", "Ostermund", "Halvik", "Torsby", "Lindholm", "Arnes", "Brekke", "Solvang")


def write(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(r) + "\n" for r in records)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of the form of the real one, small enough to train on in a test."""
    folder = tmp_path_factory.mktemp("data")
    contexts, questions, judged = [], [], []
    for i in range(24):
        town, year = TOWNS[i % 8], 1900 + i
        text = (
            f"The harbour of {town} was opened in {year}. It has {i + 3} cranes, and ships come from the north in "
            f"summer. In winter the ice is {i + 10} centimetres thick. Most people of {town} live from fish."
        )
        name = f"squadshifts_new_wiki:{i}"
        contexts.append({"ctx_id": name, "title": town, "text": text})
        for question, answer in ((f"When was the harbour of {town} opened?", str(year)), ("How many?", str(i + 3))):
            start = text.index(answer)
            questions.append(
                {
                    "src": "squadshifts_new_wiki",
                    "id": f"{name}-{answer}",
                    "ctx_id": name,
                    "question": question,
                    "answers": [{"text": answer, "start": start}],
                    "impossible": False,
                }
            )
        judged.append(
            {"src": "snli", "premise": text, "hypothesis": "There is ice.", "label": 1, "label_raw": "entailment"}
        )
    write(folder / "reader/train.contexts.jsonl.gz", contexts)
    write(folder / "reader/train.questions.jsonl.gz", questions)
    write(folder / "reader/train_unanswerable.contexts.jsonl.gz", [{**contexts[0], "ctx_id": "squad2_half_dev:0"}])
    write(
        folder / "reader/train_unanswerable.questions.jsonl.gz",
        [{**questions[0], "ctx_id": "squad2_half_dev:0", "answers": [], "impossible": True}],
    )
    write(folder / "verifier/train.jsonl.gz", judged)
    write(folder / "followup/train.jsonl.gz", [turn for name in ("a", "b", "c") for turn in conversation(name)])
    return folder


SAID = (
    ("What is Torsby known for?", "What is Torsby known for?", "Torsby lives from herring"),
    ("Who owns the boats?", "Who owns the boats of Torsby?", "I don't know."),
    (
        "When was it founded?",
        "When was Torsby founded?",
        "The town was founded in 1640 by settlers from the north.",
    ),
    ("How far?", "How far is Torsby from the capital?", "ninety kilometres by road"),
    ("By whom?", "By whom was Torsby founded?", ""),
)


def conversation(name: str) -> list[dict[str, Any]]:
    """Records as the follow-up data has them: the history begins with titles and has the answers."""
    history = ["Torsby", "History"]
    records = []
    for turn, (question, rewrite, answer) in enumerate(SAID, 1):
        kept = {"src": "canard_dev", "conv": name, "turn": turn, "question": question, "rewrite": rewrite}
        records.append({**kept, "history": list(history)})
        history += [question, answer]
    return records


@pytest.fixture(scope="module")
def maker(data: Path) -> Maker:
    definition = (ROOT / "index/models/all-MiniLM-L6-v2/tokenizer.json").read_text(encoding="utf-8")
    return Maker(data, open_tokenizer(definition), 0)


def test_span_of_an_example_is_its_answer(maker: Maker) -> None:
    """In whatever window the text was cut to, and behind whatever title."""
    tokenizer = maker._tokenizer
    units = [unit for epoch in (0, 1) for unit in maker.reading({}, epoch)]
    right = [e for unit in units for e in unit if e.answerable]
    assert len(right) > 40
    answers = {q["answers"][0]["text"] for q in maker.questions}
    for example in right:
        start, end = example.span
        assert tokenizer.decode(list(example.ids[start : end + 1])) in answers
        assert example.boundary <= start <= end < len(example.ids) <= MAX_TOKENS


def test_unanswerable_example_has_no_span(maker: Maker) -> None:
    """Refusals point at the first token."""
    units = [
        u
        for epoch in (0, 1)
        for u in maker.reading({q["id"]: ["squadshifts_new_wiki:1"] for q in maker.questions}, epoch)
    ]
    refused = [e for unit in units for e in unit if e.answerable == 0]
    assert refused
    assert {e.span for e in refused} == {(0, 0)}


def test_sentences_by_themselves_answer_or_do_not(maker: Maker) -> None:
    """The first of a unit holds the answer, none of the others does, not even in what stands before it."""
    negatives = {q["id"]: ["squadshifts_new_wiki:1", "squadshifts_new_wiki:2"] for q in maker.questions}
    units = [unit for _ in range(3) for unit in sentences_alone(maker, negatives)]
    assert len(units) > 60
    decode = maker._tokenizer.decode
    answers = {q["answers"][0]["text"] for q in maker.questions}
    before = 0
    for right, *others in units:
        answer = decode(list(right.ids[right.span[0] : right.span[1] + 1]))
        assert answer in answers
        assert (right.answerable, right.relevance) == (1, 1)
        assert 0 < len(others) <= OTHERS + 1
        before += right.span[0] - right.boundary > 12
        for other in others:
            assert (other.answerable, other.span) == (0, (0, 0))
            assert other.relevance in (None, 0)
            assert answer not in decode(list(other.ids[other.boundary :])).split()
    assert before > 5  # of some, another sentence goes before


def test_conversation_is_a_text_that_answers_its_questions(data: Path, maker: Maker) -> None:
    """Each answer stands in it once; a question nobody could answer, and one without its answer, have none."""
    talks = read_talks(data)
    assert {frozenset(t.pieces) for t in talks} == {frozenset(SAID[i][2] for i in (0, 2, 3))}
    decode = maker._tokenizer.decode
    units = [u for _ in range(8) for u in in_conversation(maker, talks, {"a:1": ["squadshifts_new_wiki:1"]})]
    asked = {decode(list(u[0].ids[1 : u[0].boundary - 1])) for u in units}
    assert "when was torsby founded?" in asked
    assert any(a == "about torsby : when was it founded?" for a in asked)
    seen = {"short": 0, "within": 0, "unknown": 0, "left out": 0, "other": 0}
    for first, *others in units:
        question, text = (decode(list(part)) for part in (first.ids[: first.boundary], first.ids[first.boundary :]))
        if first.answerable:
            answer = decode(list(first.ids[first.span[0] : first.span[1] + 1]))
            assert answer in [said.lower().rstrip(".") for _, _, said in SAID if said]
            assert first.within == answer.startswith("the town")
            seen["within" if first.within else "short"] += 1
        else:
            assert first.span == (0, 0)
            unknown = "owns" in question
            held = "ninety" if "far" in question else "1640" if "founded" in question else "herring"
            assert unknown or held not in text
            seen["unknown" if unknown else "left out"] += 1
        for other in others:
            assert (other.answerable, other.span) == (0, (0, 0))
            seen["other"] += 1
    assert all(seen.values()), seen


def test_answer_that_lies_somewhere_in_a_span_may_be_any_part_of_it() -> None:
    """The loss is nothing where all chances lie in the span, at whatever place in it."""

    class Network:
        def __init__(self, start: int, end: int) -> None:
            self.places = (start, end)

        def __call__(self, ids: torch.Tensor, types: torch.Tensor, mask: torch.Tensor) -> dict[str, torch.Tensor]:
            span = torch.full((*ids.shape, 2), -50.0)
            span[0, self.places[0], 0] = span[0, self.places[1], 1] = 50.0
            return {"span": span}

    def loss(start: int, end: int, within: bool) -> float:
        example = Example((101, 7, 102, 8, 9, 10, 11, 102), 3, None, None, (4, 6), within=within)
        return float(_loss(Network(start, end), [(example,)], {})[0])

    assert loss(4, 6, within=False) == pytest.approx(0)
    assert loss(5, 5, within=False) > 40
    assert loss(5, 5, within=True) == loss(4, 6, within=True) == pytest.approx(0)
    assert loss(3, 5, within=True) > 40


def test_subject_is_said_first() -> None:
    """As follow-ups are asked; where it is part of another name the question stays."""
    rng = random.Random(0)
    found = {subject_first("Who founded Torsby?", "", rng) for _ in range(20)}
    assert found == {f"About Torsby: who founded {word}?" for word in ("it", "they", "he", "she")}
    assert subject_first("what is saturn's largest moon", "Saturn (planet)", rng).startswith("About saturn: what is")
    assert subject_first("How many rings are there?", "", rng) == "How many rings are there?"
    assert subject_first("What is a Brita filter used for?", "", rng) == "What is a Brita filter used for?"


def test_made_statements_have_both_labels(maker: Maker) -> None:
    """True ones and edited ones."""
    kinds = {e.support for unit in maker.support({}, 1) for e in unit}
    assert ENTAILED in kinds
    assert len(kinds) >= 3


def test_texts_held_out_are_not_trained_on(maker: Maker) -> None:
    """Thresholds are fitted on them."""
    assert not any(held_out(q["ctx_id"]) for q in maker.questions)
    assert 0.03 < sum(held_out(str(i)) for i in range(10_000)) / 10_000 < 0.07


def test_batches_hold_every_unit_once_within_the_limit(maker: Maker) -> None:
    """And pairs stay together."""
    units = list(maker.reading({}, 0))
    batches = make_batches(units, 600, random.Random(1))
    assert sorted(id(u) for b in batches for u in b) == sorted(id(u) for u in units)
    for batch in batches:
        rows = [e for unit in batch for e in unit]
        assert len(batch) == 1 or len(rows) * max(len(e.ids) for e in rows) <= 600


def test_weights_of_two_trainings_are_mixed() -> None:
    """By the share that is kept of the first."""
    mixed = mix_weights({"a": np.array([0.0, 4.0])}, {"a": np.array([8.0, 8.0])}, 0.25)
    assert mixed["a"].tolist() == [6.0, 7.0]


def test_training_goes_on_from_a_checkpoint_and_gives_a_model(data: Path, tmp_path: Path) -> None:
    """The command trains, is ended early, goes on, and writes a model that loads."""
    command = [
        sys.executable, "-m", "rag.grounding.train", str(data), "--work", str(tmp_path / "work"),
        "--out", str(tmp_path / "model"), "--epochs", "2", "--sentences", "--talks", "1", "--dropout", "0.1",
    ]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    for steps in ("1", "2"):
        done = subprocess.run(
            [*command, "--steps", steps], capture_output=True, text=True, cwd=ROOT, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr
        assert f"step {steps} of {steps}" in done.stderr
    assert "step 1 of" not in done.stderr
    found = PairModel(tmp_path / "model").read("When?", ["The harbour was opened in 1990."])[0]
    assert len(found.offsets) == 7
    weights = tmp_path / "model" / "weights.safetensors"
    done = subprocess.run(
        [*command[:7], str(tmp_path / "same"), "--start", str(weights), "--only-export"],
        capture_output=True, text=True, cwd=ROOT, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    same = PairModel(tmp_path / "same").read("When?", ["The harbour was opened in 1990."])[0]
    assert same.answerable == pytest.approx(found.answerable, abs=0.2)  # the weights were rounded to half precision
    again = [*command[:5], str(tmp_path / "again"), *command[6:], "--steps", "1"]
    done = subprocess.run(
        [*again, "--start", str(tmp_path / "model" / "weights.safetensors")],
        capture_output=True, text=True, cwd=ROOT, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_channels_that_reach_far_are_evened_out_without_changing_the_result(tmp_path: Path) -> None:
    """A channel a hundred times as large as the others comes down to the limit; the product stays what it was."""
    rng = np.random.default_rng(1)
    weight = rng.normal(size=(4, 16)).astype(np.float32)
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, "n", s]) for n, s in (("x", 4), ("y", 16)))
    graph = helper.make_graph([product], "one", [x], [y], [numpy_helper.from_array(weight, "w")])
    before, after = tmp_path / "before.onnx", tmp_path / "after.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), before)
    data = rng.uniform(0.5, 1, size=(1, 50, 4)).astype(np.float32) * np.array([1, 100, 1, 1], dtype=np.float32)
    even_out(before, after, [{"x": data[:, :20]}, {"x": data[:, 20:]}])
    made = onnx.load(after)
    [scale] = [numpy_helper.to_array(i) for i in made.graph.initializer if i.name != "w"]
    reach = np.abs(data * scale).max(axis=(0, 1))
    assert reach.max() == pytest.approx(LIMITS["inner"] * np.median(np.abs(data).max(axis=(0, 1))), rel=1e-5)
    assert scale[[0, 2, 3]].tolist() == [1, 1, 1]
    found = [onnxruntime.InferenceSession(str(f)).run(["y"], {"x": data})[0] for f in (before, after)]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-4)
    even_out(before, after, [{"x": data[:, :, [0, 0, 2, 3]]}])
    assert [node.op_type for node in onnx.load(after).graph.node] == ["MatMul"]
