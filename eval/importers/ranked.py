"""Collections with judged documents: BEIR and MTRAG."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

from eval.importers.reading import Imported, find_file, read_lines, read_text
from eval.types import Case
from index.errors import ConfigError


def beir(folder: Path, split: str = "test") -> Imported:
    """Read a BEIR data set: `corpus.jsonl`, `queries.jsonl`, `qrels/SPLIT.tsv` (or `qrels.SPLIT.tsv`).

    A query without a relevant document in the split is left out, as BEIR does; a judged document that the corpus does
    not hold stays relevant.
    """
    corpus = _corpus(read_lines(find_file(folder, "corpus.jsonl")))
    qrels = read_qrels(find_file(folder, f"qrels/{split}.tsv", f"qrels.{split}.tsv"))
    cases = []
    queries = read_lines(find_file(folder, "queries.jsonl"))
    for query in queries:
        relevant = tuple(qrels.get(str(query["_id"]), {}).items())
        if any(grade > 0 for _, grade in relevant):
            cases.append(Case(str(query["_id"]), str(query["text"]), relevant=relevant))
    left = len(queries) - len(cases)
    return Imported(tuple(cases), corpus, (f"{left} queries have no relevant document in {split!r}.",) if left else ())


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Read judgements: BEIR's columns with a header, or TREC's `query 0 document grade`."""
    found: dict[str, dict[str, int]] = {}
    for number, row in enumerate(csv.reader(StringIO(read_text(path)), delimiter="\t", quoting=csv.QUOTE_NONE)):
        if len(row) == 1:
            row = row[0].split()
        if not row or (number == 0 and not re.fullmatch(r"-?\d+", row[-1].strip())):
            continue
        query, document, grade = (row[0], row[2], row[3]) if len(row) == 4 else row[:3]
        found.setdefault(query, {})[document] = int(grade)
    return found


def _corpus(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    return {str(r.get("_id", r.get("id"))): (str(r.get("title") or ""), str(r["text"])) for r in rows}


def mtrag(path: Path) -> Imported:
    """Read MTRAG: the generation tasks (a file), or the retrieval queries of a domain (a folder or a query file).

    * Generation tasks, as in `human/generation_tasks/*.jsonl`: `input` are the turns, `targets` the references,
      `contexts` the passages given, which become the documents. Tasks flattened to `question`, `reference_answer`,
      `relevant` are read, too; the turns before are found by `conversation_id`.
    * Retrieval, a folder `DOMAIN` with `DOMAIN_questions.jsonl`, `DOMAIN_rewrite.jsonl`, `qrels/dev.tsv` or files
      `DOMAIN.questions.jsonl`, `DOMAIN.rewrite.jsonl`, `DOMAIN.qrels.tsv`, `DOMAIN.passages.jsonl`; name one of the
      query files. A turn is a case with the questions before it as its history.

    Turns that ask nothing (CONVERSATIONAL) are left out. PARTIAL counts as answerable and keeps its tag.
    """
    if path.is_dir():
        queries = sorted(path.glob("*questions.jsonl*"))
        if len(queries) != 1:
            raise ConfigError(
                f"{path} has {len(queries)} files of questions.", remedy="Name the file of one domain's questions."
            )
        return _retrieval(queries[0])
    rows = read_lines(path)
    return _retrieval(path) if "_id" in rows[0] else _tasks(rows)


def _retrieval(path: Path) -> Imported:
    stem = re.sub(r"[._](questions|lastturn|rewrite)\.jsonl(\.gz)?$", "", path.name)
    folder = path.parent
    qrels = read_qrels(find_file(folder, f"{stem}.qrels.tsv", "qrels/dev.tsv"))
    rewrites: dict[str, str] = {}
    with suppress(ConfigError):  # a domain may come without
        rows = read_lines(find_file(folder, f"{stem}.rewrite.jsonl", f"{stem}_rewrite.jsonl"))
        rewrites = {str(r["_id"]): _turns(r["text"])[-1] for r in rows}
    documents: dict[str, tuple[str, str]] = {}
    with suppress(ConfigError):  # the corpora are apart from the queries
        documents = _corpus(read_lines(find_file(folder, f"{stem}.passages.jsonl", f"{stem}.jsonl", "corpus.jsonl")))
    cases = []
    for row in read_lines(path):
        name, turns = str(row["_id"]), _turns(row["text"])
        if any(grade > 0 for grade in qrels.get(name, {}).values()):
            cases.append(
                Case(name, turns[-1], tuple((t, "") for t in turns[:-1]), conversation=name.split("<::>")[0],
                     rewrite=rewrites.get(name, ""), relevant=tuple(qrels[name].items()), tags=(stem,))
            )  # fmt: skip
    return Imported(tuple(cases), documents)


def _turns(text: str) -> list[str]:
    return [turn.strip() for turn in re.split(r"(?:^|\n)\|user\|:", text) if turn.strip()]


def _tasks(rows: list[dict[str, Any]]) -> Imported:
    cases, documents, left = [], {}, 0
    before: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        before.setdefault(str(row["conversation_id"]), []).append(row)
    for row in rows:
        kind = _first(row.get("Answerability") or row.get("enrichments", {}).get("Answerability"))
        if kind == "CONVERSATIONAL":
            left += 1
            continue
        if "input" in row:
            history, question = _speakers(row["input"])
            references = tuple(str(t["text"]) for t in row.get("targets", ()))
            passages = {str(c["document_id"]): (str(c.get("title") or ""), str(c["text"])) for c in row["contexts"]}
            documents.update(passages)
            relevant = tuple((name, 1) for name in passages)
        else:
            earlier = [r for r in before[str(row["conversation_id"])] if int(r["turn_id"]) < int(row["turn_id"])]
            earlier.sort(key=lambda r: int(r["turn_id"]))
            history = tuple((str(r["question"]), str(r.get("reference_answer") or "")) for r in earlier)
            question, references = str(row["question"]), (str(row["reference_answer"]),)
            relevant = tuple((str(name), 1) for name in row.get("relevant") or ())
        answerable = kind != "UNANSWERABLE"
        domain = str(row.get("domain") or row.get("Collection") or "")
        tags = tuple(t for t in (domain, kind.lower() if kind else "") if t)
        cases.append(
            Case(str(row["task_id"]), question, history, answerable, references if answerable else (), (), tags,
                 str(row["conversation_id"]), "", relevant if answerable else ())
        )  # fmt: skip
    return Imported(tuple(cases), documents, (f"{left} turns ask nothing and are left out.",) if left else ())


def _first(value: Any) -> str:
    return str(value[0] if isinstance(value, list) and value else value or "").upper()


def _speakers(turns: list[dict[str, Any]]) -> tuple[tuple[tuple[str, str], ...], str]:
    """The pairs before, and the last question."""
    pairs: list[tuple[str, str]] = []
    for turn in turns:
        if turn["speaker"] == "user":
            pairs.append((str(turn["text"]), ""))
        elif pairs:
            pairs[-1] = (pairs[-1][0], str(turn["text"]))
    return tuple(pairs[:-1]), pairs[-1][0]
