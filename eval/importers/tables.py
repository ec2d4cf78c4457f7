"""Questions with reference answers: LlamaIndex's LabelledRagDataset, RAGAS and CSV."""

from __future__ import annotations

import ast
import csv
import hashlib
import json
from io import StringIO
from pathlib import Path
from typing import Any

from eval.cases import find_quote
from eval.importers.reading import Imported, read_json_or_lines, read_text, texts_of
from eval.types import Case, Evidence


def llamaindex(path: Path) -> Imported:
    """Read a LlamaIndex `LabelledRagDataset`: `examples` of `query`, `reference_answer`, `reference_contexts`."""
    data = read_json_or_lines(path)
    rows = data["examples"] if isinstance(data, dict) else data
    return _with_contexts(
        [
            (str(r["query"]), texts_of(r.get("reference_answer")), texts_of(r.get("reference_contexts")), (), "")
            for r in rows
        ]
    )


def ragas(path: Path) -> Imported:
    """Read a RAGAS data set, JSON, JSON Lines or CSV.

    The names of both generations are read: `user_input`, `reference`, `reference_contexts` and `question`,
    `ground_truth` or `ground_truths`. A `user_input` that is a list of messages is a conversation: its last
    message of a person is the question. Retrieved contexts and answers are outputs of a system and not used.
    """
    rows = _csv_rows(path) if ".csv" in path.suffixes else read_json_or_lines(path)
    if isinstance(rows, dict):
        rows = rows.get("samples") or rows.get("examples") or _columns(rows)
    made = []
    for number, row in enumerate(rows):
        row = row.get("sample", row)
        asked = _listed(row.get("user_input", row.get("question")))
        history: tuple[tuple[str, str], ...] = ()
        if isinstance(asked, list):
            history, question = _messages(asked)
        elif asked is None:
            raise KeyError("user_input")
        else:
            question = str(asked)
        references = texts_of(_listed(row.get("reference", row.get("ground_truth", row.get("ground_truths")))))
        contexts = texts_of(_listed(row.get("reference_contexts")))
        made.append((question, references, contexts, history, f"conversation-{number}" if history else ""))
    return _with_contexts(made)


def csv_file(path: Path, docs: Path | None = None) -> Imported:
    """Read a CSV with a header.

    Columns: `question`; `answer`, `reference` or `references` (alternatives parted by `|`, or a JSON list); `id`;
    `answerable` (yes/no, true/false, 1/0; otherwise a case with a reference or evidence is answerable); `history` (JSON
    list of questions or pairs); `rewrite`; `conversation`; `tags` (parted by spaces); evidence as `source` and `quote`,
    with `start` and `end` if known. Without offsets the quote is looked up in the folder `docs`. `references` that is a
    JSON list of `{content, start_index, end_index}` with a `corpus_id`, as in Chroma's chunking evaluation, is
    evidence: each a need of its own in the document `corpus_id`.md.
    """
    texts = _texts(docs) if docs is not None else {}
    cases, notes = [], []
    for number, row in enumerate(_csv_rows(path), 1):
        row = {
            str(k).strip().lower(): (v or "").strip() for k, v in row.items() if k is not None and isinstance(v, str)
        }
        if not row["question"]:
            notes.append(f"Row {number} has no question.")
            continue
        evidence, problem = _evidence(row, texts)
        if problem:
            notes.append(f"Row {number}: {problem}")
        chunked = bool(row.get("corpus_id"))
        said = "" if chunked else row.get("answer") or row.get("reference") or row.get("references") or ""
        references = (
            texts_of(_listed(said)) if said.startswith("[") else tuple(x.strip() for x in said.split("|") if x.strip())
        )
        cases.append(
            Case(row.get("id") or f"{number:04d}", row["question"], _history(row.get("history", "")),
                 _yes(row.get("answerable", ""), bool(references or evidence or problem)), references, evidence,
                 tuple(row.get("tags", "").split()) or ((row["corpus_id"],) if chunked else ()),
                 row.get("conversation", ""), row.get("rewrite", ""))
        )  # fmt: skip
    return Imported(tuple(cases), {}, tuple(notes))


def _evidence(row: dict[str, str], texts: dict[str, str]) -> tuple[tuple[Evidence, ...], str]:
    if row.get("corpus_id"):
        places = json.loads(row["references"])
        source = f"{row['corpus_id']}.md"
        return tuple(
            Evidence(source, p["content"], int(p["start_index"]), int(p["end_index"]), n) for n, p in enumerate(places)
        ), ""
    if not row.get("quote"):
        return (), ""
    source, quote = row["source"], row["quote"]
    if row.get("start") and row.get("end"):
        return (Evidence(source, quote, int(row["start"]), int(row["end"])),), ""
    text = texts.get(source, "")
    span = find_quote(text, quote)
    if span is None:
        return (), f"{source!r} does not say once: {quote[:80]!r}"
    return (Evidence(source, text[span[0] : span[1]], *span),), ""


def _texts(docs: Path) -> dict[str, str]:
    from index.parse import is_supported, parse
    from index.settings import LibrarySettings

    settings = LibrarySettings()
    files = sorted(p for p in docs.rglob("*") if p.is_file() and is_supported(p))
    return {p.relative_to(docs).as_posix(): parse(p, p.read_bytes(), settings).text for p in files}


def _csv_rows(path: Path) -> list[dict[str, Any]]:
    csv.field_size_limit(10_000_000)
    return list(csv.DictReader(StringIO(read_text(path), newline="")))


def _columns(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Columns as rows, as `Dataset.to_dict` gives them."""
    lists = {k: v for k, v in data.items() if isinstance(v, list)}
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _listed(value: Any) -> Any:
    """A list that a CSV holds as text."""
    if isinstance(value, str) and value.startswith("["):
        for read in (json.loads, ast.literal_eval):
            try:
                found = read(value)
            except (ValueError, SyntaxError):
                continue
            return found if isinstance(found, list) else value
    return value


def _messages(messages: list[Any]) -> tuple[tuple[tuple[str, str], ...], str]:
    pairs: list[tuple[str, str]] = []
    for message in messages:
        kind, text = str(message.get("type", message.get("role", ""))), str(message["content"])
        if kind in ("human", "user"):
            pairs.append((text, ""))
        elif pairs and kind in ("ai", "assistant"):
            pairs[-1] = (pairs[-1][0], text)
    return tuple(pairs[:-1]), pairs[-1][0]


def _history(text: str) -> tuple[tuple[str, str], ...]:
    turns = json.loads(text) if text else []
    return tuple((t, "") if isinstance(t, str) else (str(t[0]), str(t[1] or "")) for t in turns)


def _yes(text: str, otherwise: bool) -> bool:
    if not text:
        return otherwise
    known = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if text.lower() not in known:
        raise ValueError(f"answerable is {text!r}, not yes or no")
    return known[text.lower()]


Row = tuple[str, tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...], str]


def _with_contexts(rows: list[Row]) -> Imported:
    """Cases whose contexts become documents; each whole context is evidence, all of them wanted."""
    documents: dict[str, tuple[str, str]] = {}
    cases = []
    for number, (question, references, contexts, history, conversation) in enumerate(rows, 1):
        evidence = []
        for need, text in enumerate(dict.fromkeys(contexts)):
            source = f"context-{hashlib.sha256(text.encode('utf-8', errors='replace')).hexdigest()[:16]}"
            documents[source] = ("", text)
            evidence.append(Evidence(source, text, 0, len(text), need))
        relevant = tuple((e.source, 1) for e in evidence)
        cases.append(
            Case(f"{number:04d}", question, history, bool(references or evidence), references, tuple(evidence), (),
                 conversation, "", relevant)
        )  # fmt: skip
    return Imported(tuple(cases), documents)
