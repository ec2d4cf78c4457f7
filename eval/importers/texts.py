"""Questions on texts that hold the answer: SQuAD and ClapNQ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eval.cases import find_quote
from eval.importers.reading import Imported, read_json_or_lines, read_lines
from eval.types import Case, Evidence
from index.sentences import sentence_spans


def squad(path: Path) -> Imported:
    """Read SQuAD 1.1 or 2.0: each paragraph becomes a document, the sentence of each answer its evidence.

    Answers of a question are alternatives. One whose `answer_start` is not where its text stands is left out. In 2.0 a
    question that `is_impossible` has no answer.
    """
    data = read_json_or_lines(path)
    documents: dict[str, tuple[str, str]] = {}
    cases = []
    wrong = 0
    for article in data["data"]:
        title = str(article.get("title", "")).replace("_", " ")
        for paragraph in article["paragraphs"]:
            text = str(paragraph["context"])
            source = f"squad-{len(documents):05d}"
            documents[source] = (title, text)
            sentences = sentence_spans(text)
            for qa in paragraph["qas"]:
                answerable = not qa.get("is_impossible", False)
                pieces, references = [], []
                for answer in qa["answers"] if answerable else ():
                    start, said = int(answer["answer_start"]), str(answer["text"])
                    if text[start : start + len(said)] != said:
                        wrong += 1
                        continue
                    references.append(said)
                    pieces.append(_around(source, text, start, start + len(said), sentences))
                cases.append(
                    Case(str(qa["id"]), str(qa["question"]).strip(), (), answerable, tuple(dict.fromkeys(references)),
                         tuple(dict.fromkeys(pieces)), conversation=source)
                )  # fmt: skip
    notes = (f"{wrong} answers do not stand where they say and are left out.",) if wrong else ()
    return Imported(tuple(cases), documents, notes)


def _around(source: str, text: str, start: int, end: int, sentences: list[tuple[int, int]]) -> Evidence:
    """The sentences that a span lies in."""
    touched = [(a, b) for a, b in sentences if a < end and start < b]
    first = min([a for a, _ in touched] + [start])
    last = max([b for _, b in touched] + [end])
    return Evidence(source, text[first:last], first, last)


def clapnq(path: Path) -> Imported:
    """Read ClapNQ: each passage becomes a document; the sentences marked in `output` are what the answer rests on.

    Every marked sentence is a need of its own, as the long answer draws on all of them. A question whose answers are
    empty has no answer in its passages.
    """
    documents: dict[str, tuple[str, str]] = {}
    cases = []
    lost = 0
    for row in read_lines(path):
        sources = []
        for n, passage in enumerate(row["passages"]):
            source = f"{row['id']}/{n}"
            documents[source] = (str(passage.get("title", "")), str(passage["text"]))
            sources.append(source)
        answers = [o for o in row.get("output") or () if str(o.get("answer") or "").strip()]
        references = tuple(dict.fromkeys(str(o["answer"]).strip() for o in answers))
        evidence, missing = _selected(answers, row["passages"], sources)
        lost += missing
        cases.append(
            Case(str(row["id"]), str(row["input"]), (), bool(answers), references, evidence,
                 relevant=tuple((s, 1) for s in dict.fromkeys(e.source for e in evidence)))
        )  # fmt: skip
    notes = (f"{lost} marked sentences are not in their passage word for word and are left out.",) if lost else ()
    return Imported(tuple(cases), documents, notes)


def _selected(
    answers: list[dict[str, Any]], passages: list[dict[str, Any]], sources: list[str]
) -> tuple[tuple[Evidence, ...], int]:
    """The marked sentences of a row as evidence, and how many could not be found."""
    spans: dict[tuple[str, int, int], Evidence] = {}
    lost = 0
    for output in answers:
        for sentence in output.get("selected_sentences") or ():
            places = [
                (s, p["text"], find_quote(p["text"], str(sentence))) for s, p in zip(sources, passages, strict=True)
            ]
            place = next(((s, t, span) for s, t, span in places if span is not None), None)
            if place is None:
                lost += 1
                continue
            source, text, (start, end) = place[0], place[1], place[2]
            spans.setdefault((source, start, end), Evidence(source, text[start:end], start, end, len(spans)))
    return tuple(spans.values()), lost
