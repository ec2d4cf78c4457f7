"""Ask the cases of a file and score the answers."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import fmean

from eval.cases import find_wrong_evidence, read_cases
from eval.metrics import Asked, score_case
from eval.types import Case, Report, Score, Summary
from index.errors import ConfigError
from rag.assistant import Assistant
from rag.records import answer_record
from rag.types import Conversation


def run(cases_path: Path, assistant: Assistant, out: Path) -> Report:
    """Ask every case and write `run.json`, `outputs.jsonl` and `scores.jsonl`.

    A case that raises is an error row in the scores and in the summary, never a 0.

    Args:
        cases_path: The cases, one JSON object a line.
        assistant: Whom to ask.
        out: Folder for the results; made if missing, earlier results in it are replaced.

    Returns:
        The means over all cases.

    Raises:
        ConfigError: The cases cannot be read, or their evidence is not what the library's documents say.
    """
    cases = read_cases(cases_path)
    _refuse_wrong_evidence(cases, assistant)
    out.mkdir(parents=True, exist_ok=True)
    scores: list[Score] = []
    failures: list[tuple[str, str]] = []
    with (out / "outputs.jsonl").open("w", encoding="utf-8") as outputs:
        for case in cases:
            started = time.perf_counter()
            try:
                asked = ask_case(case, assistant)
                row = {"case": case.id, "seconds": time.perf_counter() - started, "answer": answer_record(asked.answer)}
                scores += score_case(asked)
            except Exception as error:  # whatever a case does is its result; the run goes on
                reason = f"{type(error).__name__}: {error}"
                row = {"case": case.id, "seconds": time.perf_counter() - started, "error": reason}
                failures.append((case.id, reason))
                scores.append(Score(case.id, "*", None, reason))
            outputs.write(json.dumps(row, ensure_ascii=False) + "\n")
    with (out / "scores.jsonl").open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(dataclasses.asdict(s), ensure_ascii=False) + "\n" for s in scores)
    report = Report(len(cases), len(failures), summarise(scores, len(failures)), tuple(failures))
    about = {
        "cases": str(cases_path),
        "cases_sha256": hashlib.sha256(cases_path.read_bytes()).hexdigest(),
        "encoder": assistant.library.encoder.name,
        "library": dataclasses.asdict(assistant.library.settings),
        "answer": dataclasses.asdict(assistant.settings),
        "dossier": version("dossier"),
        "python": platform.python_version(),
        "report": dataclasses.asdict(report),
    }
    (out / "run.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return report


def ask_case(case: Case, assistant: Assistant) -> Asked:
    """Ask one case and gather what its metrics need."""
    conversation = Conversation.from_pairs(case.history) if case.history else None
    answer = assistant.ask(case.question, conversation)
    ids = {h.passage.document_id for h in answer.hits} | {c.document_id for c in answer.citations}
    sources = {info.id: info.source for info in assistant.library.documents(sorted(ids))}
    texts = {c.document_id: assistant.library.document(c.document_id).text for c in answer.citations}
    return Asked(case, answer, sources, texts)


def summarise(scores: Sequence[Score], errors: int) -> tuple[Summary, ...]:
    """Average each metric over the cases it applies to, and add the balanced accuracy of abstaining."""
    names = list(dict.fromkeys(s.metric for s in scores if s.metric != "*"))
    summaries = []
    for name in names:
        values = [s.value for s in scores if s.metric == name and s.value is not None]
        summaries.append(Summary(name, fmean(values) if values else None, len(values), errors))
    sides = {s.metric: s for s in summaries}
    answered, refused = sides.get("answered_when_answerable"), sides.get("abstained_when_not")
    if answered and refused and answered.value is not None and refused.value is not None:
        mean = (answered.value + refused.value) / 2
        summaries.append(Summary("abstention_balanced_accuracy", mean, answered.cases + refused.cases, errors))
    return tuple(summaries)


def _refuse_wrong_evidence(cases: list[Case], assistant: Assistant) -> None:
    wanted = {e.source for case in cases for e in case.evidence}
    texts = {
        info.source: assistant.library.document(info.id).text
        for info in assistant.library.documents()
        if any(info.source.endswith(source) for source in wanted)
    }
    wrong = find_wrong_evidence(cases, texts)
    if wrong:
        raise ConfigError(
            f"{len(wrong)} pieces of evidence are not in the library's documents; the first: {wrong[0]}",
            remedy="Ask the library the cases were written for, or anchor them anew: python -m eval.anchor",
        )
