"""Retrieval quality, one run: `python bench/retrieval.py ../shared/data --work build/retrieval`.

Five rankings of the same library are compared: dense, BM25, hybrid, hybrid with feedback (what `Library.search`
gives), and that of the grounding model, on NFCorpus (single questions) and MTRAG (the last turn of a conversation, with
its earlier questions and without). No language model takes part. The libraries are made by `Library.add_texts` and
asked through `rag.standalone.make_query`, `rag.ranking.find` and `rag.ranking.rerank`, as an answer is. A
document's place is that of its best passage; one that is there twice, or whose passage stands for that of a copy
(`Hit.also`), is followed by its copies, since the sets count each by itself.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import R, nDCG
from record import write_record

from eval.statistics import interval_of_mean, number_clusters
from eval.table import unbroken
from index.ingest import SourceText
from index.library import Library
from index.search import fuse
from index.types import Hit
from rag.grounding import PairModel
from rag.ranking import find, rerank
from rag.settings import AnswerSettings
from rag.standalone import Query, make_query
from rag.types import Conversation

DEPTH = 100
Run = dict[str, dict[str, float]]
Sources = Mapping[str, Sequence[str]]
"""What each document, by id, is called in the set: more than one name if its text is in the set more than once."""


def read_lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            qrels.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    return qrels


def open_corpus(path: Path, folder: Path) -> Library:
    """Make the library of a corpus, or go on with one that an earlier run began."""
    library = Library.open(folder)
    records = read_lines(path)
    report = library.add_texts(SourceText(r["_id"], r["text"], r.get("title", "")) for r in records)
    print(
        f"{path.name}: {len(records)} documents, {library.catalog.count()[1]} passages, "
        f"{len(report.failed)} empty, {report.seconds:.0f} s",
        file=sys.stderr,
    )
    return library


def user_turns(text: str) -> list[str]:
    """The questions of an MTRAG query: lines `|user|: …`."""
    return [line.removeprefix("|user|:").strip() for line in text.split("\n|user|:")]


def names_and_titles(library: Library) -> tuple[Sources, dict[str, str]]:
    """What each document is called in the set, and its title, by its id."""
    infos = library.documents()
    return {i.id: library.catalog.sources_of(i.id) for i in infos}, {i.id: i.title for i in infos}


def in_order(documents: Iterable[str], sources: Sources) -> dict[str, float]:
    """Name the documents of a ranking, each once at its best place, with a score that falls with the place."""
    names = dict.fromkeys(name for document in documents for name in sources[document])
    return {name: 1.0 / place for place, name in enumerate(list(names)[:DEPTH], 1)}


def with_copies(hits: Sequence[Hit]) -> Iterable[str]:
    """The documents of hits, each before the ones whose passages say the same."""
    return (document for hit in hits for document in hit.documents)


def rank(library: Library, query: Query, dense: float, lexical: float, sources: Sources) -> dict[str, float]:
    """Rank documents; weights of 0 leave a method out."""
    vectors = library.vectors.search(query.vector, library.settings.candidates) if dense else []
    words = library.lexical.search(query.terms, library.settings.candidates) if lexical else []
    fused = fuse(vectors, words, dense, lexical)
    return in_order((name.rsplit(":", 1)[0] for name, _, _ in fused), sources)


def rank_with_feedback(library: Library, query: Query, sources: Sources) -> dict[str, float]:
    """Rank documents as a search does."""
    return in_order(with_copies(library.search_vector(query.vector, query.terms, DEPTH)), sources)


def rank_again(
    library: Library, query: Query, sources: Sources, titles: dict[str, str], model: PairModel
) -> dict[str, float]:
    """Rank documents as an answer does: the search's first passages in the order of the grounding model."""
    settings = AnswerSettings()
    hits = find(query, library, None, candidates=settings.candidates, each=settings.each)
    return in_order(with_copies(rerank(query, hits, titles, model, library)), sources)


def measure(
    name: str,
    library: Library,
    queries: dict[str, tuple[str, list[str]]],
    qrels: dict[str, dict[str, int]],
    measures: list[Any],
) -> list[dict[str, Any]]:
    """The figures of each method: their mean over the queries with its 95% interval."""
    sources, titles = names_and_titles(library)
    settings = AnswerSettings()
    made = {
        key: make_query(
            question, Conversation.from_pairs([(q, "") for q in earlier]) if earlier else None, library, settings
        )
        for key, (question, earlier) in queries.items()
        if key in qrels
    }
    defaults = library.settings
    runs = {
        method: {key: rank(library, query, dense, lexical, sources) for key, query in made.items()}
        for method, dense, lexical in (
            ("BM25", 0.0, 1.0),
            ("dense", 1.0, 0.0),
            ("hybrid", defaults.dense_weight, defaults.lexical_weight),
        )
    }
    runs["with feedback"] = {key: rank_with_feedback(library, query, sources) for key, query in made.items()}
    model = PairModel()
    runs["reranked"] = {key: rank_again(library, query, sources, titles, model) for key, query in made.items()}
    rows = []
    for method, run in runs.items():
        # A query without hits counts 0: ir_measures leaves queries out that are missing from the run.
        filled = {key: run.get(key) or {"none": 0.0} for key in qrels}
        values: dict[Any, dict[str, float]] = {m: {} for m in measures}
        for found in ir_measures.iter_calc(measures, qrels, filled):
            values[found.measure][found.query_id] = found.value
        figures = {str(m): with_interval(values[m]) for m in measures}
        rows.append({"set": name, "method": method, "queries": len(qrels), "measures": figures})
        print(table_row(rows[-1]), file=sys.stderr, flush=True)
    return rows


def with_interval(values: dict[str, float]) -> tuple[float, float, float]:
    """The mean over the queries with its 95% interval; turns of one conversation are resampled together."""
    turns = [key.split("<::>")[0] for key in values]
    numbers = np.array(list(values.values()))
    low, high = interval_of_mean(numbers, number_clusters(turns)) or (float("nan"), float("nan"))
    return float(numbers.mean()), low, high


def table_row(row: dict[str, Any]) -> str:
    """One method on one set."""
    measures = row["measures"].items()
    figures = ", ".join(unbroken(f"{m} {value:.3f} ({low:.3f}–{high:.3f})") for m, (value, low, high) in measures)
    return f"| {row['set']} | {row['method']} | {figures} |"


def table(rows: Sequence[dict[str, Any]]) -> str:
    """What was measured, as a Markdown table."""
    return "\n".join(["| set | method | measures |", "| --- | --- | --- |", *map(table_row, rows)])


def run(data: Path, work: Path, sets: Sequence[str]) -> list[dict[str, Any]]:
    """Measure on each of the sets; the figures of each method."""
    rows: list[dict[str, Any]] = []
    if "nfcorpus" in sets:
        folder = data / "nfcorpus"
        with open_corpus(folder / "corpus.jsonl.gz", work / "nfcorpus") as library:
            queries: dict[str, tuple[str, list[str]]] = {
                q["_id"]: (q["text"], []) for q in read_lines(folder / "queries.jsonl.gz")
            }
            qrels = read_qrels(folder / "qrels.test.tsv")
            rows += measure("nfcorpus", library, queries, qrels, [nDCG @ 10])
    for domain in ("clapnq", "cloud"):
        if domain not in sets:
            continue
        folder = data / "mtrag"
        qrels = read_qrels(folder / f"{domain}.qrels.tsv")
        turns = {q["_id"]: user_turns(q["text"]) for q in read_lines(folder / f"{domain}.questions.jsonl.gz")}
        with open_corpus(folder / f"{domain}.passages.jsonl.gz", work / domain) as library:
            for label, queries in (
                ("last turn only", {key: (t[-1], []) for key, t in turns.items()}),
                ("last turn, history", {key: (t[-1], t[:-1]) for key, t in turns.items()}),
            ):
                rows += measure(f"{domain}, {label}", library, queries, qrels, [R @ 5, nDCG @ 5, R @ 10])
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare dense, BM25, hybrid and reranked retrieval.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/retrieval"), help="where the libraries are kept")
    parser.add_argument("--sets", nargs="*", default=["nfcorpus", "clapnq", "cloud"])
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep a record of all figures there")
    args = parser.parse_args()
    rows = run(args.data, args.work, args.sets)
    print(table(rows))
    if args.json is not None:
        write_record(args.json, "retrieval", rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
