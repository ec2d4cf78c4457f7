"""Whole answers, offline: `python bench/answers.py ../shared/data --work build/retrieval`.

* `squad`: all passages of `reader/dev_squad2` as one library; is the gold sentence the first statement, or among them?
* `abstention`: the ANSWERABLE and UNANSWERABLE turns of MTRAG over the passages of their domain, with their
  conversations, and ClapNQ's questions over all its passages; who is answered, who is refused, and the risk–coverage
  curve.
* `cost`: seconds of an answer and of a check, and memory, in a warm process.

Libraries are kept in `--work` and made once; those of MTRAG are the ones of `bench/retrieval.py`.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from grounding import auroc, read_lines

from index.ingest import SourceText
from index.library import Library
from rag import Answer, Assistant, Conversation
from rag.reader.weights import load_weights
from rag.settings import AnswerSettings

Say = Callable[[str], None]


def open_library(folder: Path, texts: Sequence[SourceText]) -> Assistant:
    """An assistant over a library of texts, made if it is not there yet."""
    with Library.open(folder) as library:
        library.add_texts(texts)
    return Assistant.open(folder, settings=AnswerSettings())


def squad(data: Path, work: Path, say: Say) -> None:
    contexts = read_lines(data / "reader" / "dev_squad2.contexts.jsonl.gz")
    questions = [q for q in read_lines(data / "reader" / "dev_squad2.questions.jsonl.gz") if not q["impossible"]]
    texts = [SourceText(c["ctx_id"], c["text"], c["title"].replace("_", " ")) for c in contexts]
    first = among = refused = found = 0
    threshold = load_weights().threshold
    with open_library(work / "squad2", texts) as assistant:
        sources = {info.id: info.source for info in assistant.library.documents()}
        for question in questions:
            spans = [(a["start"], a["start"] + len(a["text"])) for a in question["answers"]]
            answer = best_guess(assistant, question["question"])
            holds = [
                sources[c.document_id] == question["ctx_id"] and any(c.start <= a and b <= c.end for a, b in spans)
                for c in answer.citations
            ]
            first += bool(holds) and holds[0]
            among += any(holds)
            found += any(sources[h.passage.document_id] == question["ctx_id"] for h in answer.hits[:5])
            refused += answer.confidence < threshold
    n = len(questions)
    say("\n| dev_squad2 as a library | share |\n| --- | --- |")
    say(f"| gold sentence is the first statement | {first / n:.3f} |")
    say(f"| gold sentence among the statements | {among / n:.3f} |")
    say(f"| gold passage among the five read | {found / n:.3f} |")
    say(f"| refused, of these {n} answerable questions | {refused / n:.3f} |")


def best_guess(assistant: Assistant, question: str) -> Answer:
    """The answer, had it not been refused: abstention is measured apart."""
    open_minded = Assistant(assistant.library, AnswerSettings(abstain_below=0.0), assistant.grounding)
    return open_minded.ask(question)


def mtrag_cases(data: Path, domain: str) -> list[tuple[str, Conversation | None, bool]]:
    """The turns of one domain: question, the conversation before it, whether it has an answer."""
    turns = [t for t in read_lines(data / "mtrag" / "tasks.jsonl.gz") if t["domain"] == domain]
    cases = []
    for turn in turns:
        kind = turn["enrichments"]["Answerability"][0]
        if kind not in ("ANSWERABLE", "UNANSWERABLE"):
            continue
        before = sorted(
            (t for t in turns if t["conversation_id"] == turn["conversation_id"] and t["turn_id"] < turn["turn_id"]),
            key=lambda t: t["turn_id"],
        )
        pairs = [(t["question"], t["reference_answer"]) for t in before]
        cases.append((turn["question"], Conversation.from_pairs(pairs) if pairs else None, kind == "ANSWERABLE"))
    return cases


def abstention(data: Path, work: Path, say: Say) -> None:
    say("\n| abstention | answerable | answered | unanswerable | refused | balanced accuracy | AUROC |")
    say("| --- | --- | --- | --- | --- | --- | --- |")
    confidences: list[float] = []
    labels: list[bool] = []
    totals: list[tuple[str, list[bool], list[bool], list[float]]] = []
    for domain in ("clapnq", "cloud", "govt"):
        path = data / "mtrag" / f"{domain}.passages.jsonl.gz"
        if not path.is_file():
            continue
        texts = [SourceText(r["_id"], r["text"], r.get("title", "")) for r in read_lines(path)]
        with open_library(work / domain, texts) as assistant:
            totals.append((f"MTRAG {domain}", *ask_all(assistant, mtrag_cases(data, domain))))
    labels_of, answered_of, confidences_of = ([x for t in totals for x in t[i]] for i in (1, 2, 3))
    totals.append(("MTRAG, all", labels_of, answered_of, confidences_of))
    records = {
        a: read_lines(data / "clapnq" / f"dev_{k}.jsonl.gz") for k, a in (("answerable", True), ("unanswerable", False))
    }
    texts = [
        SourceText(f"{r['id']}/{n}", p["text"], p["title"])
        for rs in records.values()
        for r in rs
        for n, p in enumerate(r["passages"])
    ]
    with open_library(work / "clapnq-pairs", texts) as assistant:
        cases = [(r["input"], None, a) for a, rs in records.items() for r in rs]
        totals.append(("ClapNQ", *ask_all(assistant, cases)))
    for name, label, answered, confidence in totals:
        y, said = np.array(label), np.array(answered)
        if not len(y) or y.all() or not y.any():
            continue
        say(
            f"| {name} | {y.sum()} | {said[y].mean():.3f} | {(~y).sum()} | {(~said[~y]).mean():.3f} | "
            f"{(said[y].mean() + (~said[~y]).mean()) / 2:.3f} | {auroc(y, np.array(confidence)):.3f} |"
        )
        if name in ("MTRAG, all", "ClapNQ"):
            labels += label
            confidences += confidence
    curve(np.array(labels), np.array(confidences), say)


def ask_all(
    assistant: Assistant, cases: Sequence[tuple[str, Conversation | None, bool]]
) -> tuple[list[bool], list[bool], list[float]]:
    labels, answered, confidences = [], [], []
    for question, conversation, answerable in cases:
        answer = assistant.ask(question, conversation)
        labels.append(answerable)
        answered.append(not answer.abstained)
        confidences.append(answer.confidence)
    return labels, answered, confidences


def curve(labels: Any, confidences: Any, say: Say) -> None:
    """Risk at each coverage: of the questions answered first by confidence, the share that has no answer."""
    order = np.argsort(-confidences)
    risks = np.cumsum(~labels[order]) / np.arange(1, len(order) + 1)
    lacking = f"{(~labels).mean():.3f} without an answer"
    say(f"\nRisk–coverage (MTRAG and ClapNQ together, {len(labels)} questions, {lacking}):\n")
    say("| coverage | risk | confidence |\n| --- | --- | --- |")
    for share in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        at = max(int(share * len(order)) - 1, 0)
        say(f"| {share:.1f} | {risks[at]:.3f} | {confidences[order][at]:.3f} |")
    say(f"| area under the curve | {risks.mean():.3f} | |")


def cost(data: Path, work: Path, say: Say) -> None:
    texts = [
        SourceText(r["_id"], r["text"], r.get("title", ""))
        for r in read_lines(data / "mtrag" / "clapnq.passages.jsonl.gz")
    ]
    with open_library(work / "clapnq", texts) as assistant:
        size = assistant.library.catalog.count()[1]
        questions = [q for q, _, _ in mtrag_cases(data, "clapnq")][:120]
        assistant.warm_up()
        for question in questions[:5]:
            assistant.ask(question)
        times = []
        answers = []
        for question in questions:
            began = time.perf_counter()
            answers.append(assistant.ask(question))
            times.append(time.perf_counter() - began)
        passages = [h.passage.text for h in answers[0].hits[:6]]
        statements = [f"It is said that {a.hits[0].passage.text.split('.')[0].lower()} in 1999." for a in answers[:6]]
        checks = []
        for _ in range(10):
            began = time.perf_counter()
            assistant.grounding.verifier.check_all([(s, passages) for s in statements])
            checks.append(time.perf_counter() - began)
    say(f"\n| cost, {size:,} passages | value | limit |\n| --- | --- | --- |")
    say(f"| answer, median | {1000 * np.median(times):.0f} ms | 300 ms |")
    say(f"| answer, 95th percentile | {1000 * np.quantile(times, 0.95):.0f} ms | 600 ms |")
    say(f"| check of 6 sentences against 6 passages, median | {1000 * np.median(checks):.0f} ms | 400 ms |")
    say(f"| peak memory | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB | 700 MB |")
    stages: dict[str, list[float]] = {}
    for answer in answers:
        for stage, seconds in answer.timings:
            stages.setdefault(stage, []).append(seconds)
    say("\nMedian ms by stage: " + ", ".join(f"{k} {1000 * np.median(v):.0f}" for k, v in stages.items()))


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure whole answers.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/retrieval"))
    parser.add_argument("--parts", nargs="*", default=["cost", "squad", "abstention"])
    args = parser.parse_args()
    say: Say = lambda line: print(line, flush=True)  # noqa: E731
    for name, part in (("cost", cost), ("squad", squad), ("abstention", abstention)):
        if name in args.parts:
            part(args.data, args.work, say)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
