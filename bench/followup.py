"""Follow-ups without a language model: `python bench/followup.py ../shared/data --work build/retrieval`.

Three measurements. MTRAG (clapnq, cloud): the last turn of a conversation is searched alone, with the questions before
it, and as a language model rewrote it, by the same retriever, with and without the grounding model's ranking, shown by
the depth of the turn. And the project's own conversations over `samples/strait` (`eval/golden/conversations.jsonl`):
each is led with the assistant as a person would, and each turn counts as found if one of the first five hits holds at
least half of a piece of its evidence. And `switches`: how many of MTRAG's turns, asked after the ones before them, and
how many of its first questions, asked after another conversation of the same collection, are taken for another subject.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ir_measures
from ir_measures import R, nDCG
from record import write_record
from retrieval import names_and_titles, open_corpus, rank, rank_again, read_lines, read_qrels, user_turns

from eval.conversations import lead, tally
from index.library import Library
from rag.assistant import Assistant
from rag.grounding import PairModel
from rag.settings import AnswerSettings
from rag.standalone import make_query
from rag.types import Conversation

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "samples" / "strait"
DEPTHS = (("1", 1, 1), ("2–4", 2, 4), ("5+", 5, 999), ("all", 1, 999))


def measure_mtrag(data: Path, library: Library, domain: str, reranked: bool, report: Callable[[str], None]) -> None:
    """Report R@5 and nDCG@5 of the three ways to ask, by depth."""
    qrels = read_qrels(data / f"{domain}.qrels.tsv")
    turns = {q["_id"]: user_turns(q["text"]) for q in read_lines(data / f"{domain}.questions.jsonl.gz")}
    rewrites = {q["_id"]: user_turns(q["text"])[-1] for q in read_lines(data / f"{domain}.rewrite.jsonl.gz")}
    settings, weights = AnswerSettings(), library.settings
    sources, titles = names_and_titles(library)
    model = PairModel() if reranked else None
    ways: dict[str, Callable[[str], tuple[str, list[str]]]] = {
        "last turn only": lambda key: (turns[key][-1], []),
        "with history": lambda key: (turns[key][-1], turns[key][:-1]),
        "LLM rewrite": lambda key: (rewrites[key], []),
    }
    for way, ask in ways.items():
        run = {}
        for key in qrels:
            question, earlier = ask(key)
            before = Conversation.from_pairs([(q, "") for q in earlier]) if earlier else None
            query = make_query(question, before, library, settings)
            if model is not None:
                run[key] = rank_again(library, query, sources, titles, model)
            else:
                run[key] = rank(library, query, weights.dense_weight, weights.lexical_weight, sources)
            run[key] = run[key] or {"none": 0.0}
        cells = []
        for _, first, last in DEPTHS:
            chosen = {key: v for key, v in qrels.items() if first <= len(turns[key]) <= last}
            values = ir_measures.calc_aggregate([R @ 5, nDCG @ 5], chosen, {key: run[key] for key in chosen})
            cells.append(f"{values[R @ 5]:.3f} / {values[nDCG @ 5]:.3f}")
        report(f"| {domain}{', reranked' if reranked else ''} | {way} | {' | '.join(cells)} |")


def measure_switches(data: Path, library: Library, domain: str) -> dict[str, tuple[int, int]]:
    """Count questions taken for another subject, of all: turns in their conversation, and first ones in another's.

    Each first question is asked after one to four turns of three other conversations, drawn by chance.
    """
    rng = random.Random(1)
    talks: dict[str, list[dict[str, Any]]] = {}
    for turn in read_lines(data / "tasks.jsonl.gz"):
        if turn["domain"] == domain:
            talks.setdefault(turn["conversation_id"], []).append(turn)
    for talk in talks.values():
        talk.sort(key=lambda turn: int(turn["turn_id"]))
    asked: dict[str, list[tuple[str, list[dict[str, Any]]]]] = {"own": [], "other": []}
    for name, talk in talks.items():
        asked["own"] += [(turn["question"], talk[:n]) for n, turn in enumerate(talk) if n]
        for other in rng.sample([talks[n] for n in talks if n != name], 3):
            asked["other"].append((talk[0]["question"], other[: rng.randint(1, 4)]))
    settings = AnswerSettings()
    counts = {}
    for kind, cases in asked.items():
        found = 0
        for question, turns in cases:
            before = Conversation.from_pairs([(t["question"], t["reference_answer"]) for t in turns])
            found += make_query(question, before, library, settings).kind == "topic-switch"
        counts[kind] = (found, len(cases))
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure follow-ups without a language model.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/retrieval"), help="where the libraries are kept")
    parser.add_argument("--sets", nargs="*", default=["conversations", "clapnq", "cloud", "switches"])
    parser.add_argument("--rerank", action="store_true", help="measure the grounding model's ranking as well")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep a record of the conversations' figures there")
    args = parser.parse_args()
    for domain in ("clapnq", "cloud"):
        if domain not in args.sets:
            continue
        print(f"| set | asked | {' | '.join(f'turn {name}, R@5 / nDCG@5' for name, *_ in DEPTHS)} |", flush=True)
        with open_corpus(args.data / "mtrag" / f"{domain}.passages.jsonl.gz", args.work / domain) as library:
            for reranked in (False, True) if args.rerank else (False,):
                measure_mtrag(args.data / "mtrag", library, domain, reranked, lambda line: print(line, flush=True))
    if "switches" in args.sets:
        print("| set | for another subject: turns in their conversation | first questions in another's |")
        for domain in ("clapnq", "cloud", "govt"):
            with open_corpus(args.data / "mtrag" / f"{domain}.passages.jsonl.gz", args.work / domain) as library:
                counts = measure_switches(args.data / "mtrag", library, domain)
            print(f"| {domain} | {' | '.join(f'{found} of {every}' for found, every in counts.values())} |", flush=True)
    if "conversations" in args.sets:
        with tempfile.TemporaryDirectory() as folder, Assistant.open(Path(folder) / "library") as assistant:
            assistant.add(SAMPLES)
            outcomes = lead(assistant)
        for o in outcomes:
            if not o.right:
                print(f"{o.conversation} {o.kind}: {o.question} → {o.answer.standalone_question}", file=sys.stderr)
        tallied = tally(outcomes)
        for kind, (right, every) in tallied.items():
            print(f"| {kind} | {right} of {every} |")
        if args.json is not None:
            write_record(args.json, "followup", {"conversations": tallied})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
