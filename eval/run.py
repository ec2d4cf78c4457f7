"""Ask the cases of a file, in parallel and with a time limit, and score what comes back.

Asking comes first and each output is kept at once; scoring follows in the order of the cases. A run that was killed
goes on where it was: what has an output is not asked again, what has a score is not scored again.
"""

from __future__ import annotations

import platform
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from eval.cases import find_wrong_evidence, is_source, read_cases
from eval.metrics import METRICS, Asked, Checks, score_case, score_metric
from eval.store import RunFolder
from eval.summary import summarise
from eval.systems import Ask, Lookup, System, as_answer, as_system
from eval.types import Case, Found, Output, Report, Score
from index.errors import ConfigError
from index.lock import WriteLock
from rag.types import Answer

Told = Callable[[str, int, int], None]
"""Told how far it is: "ask" or "score", how many are done, of how many."""


def evaluate(
    cases: Path | Sequence[Case],
    system: System | Ask,
    out: Path,
    *,
    jobs: int = 1,
    seconds: float = 120.0,
    seed: int = 0,
    checks: Checks | None = None,
    extra: Sequence[Callable[[Asked], list[Score]]] = (),
    about: Mapping[str, Any] | None = None,
    retry: bool = False,
    rewrites: bool = False,
    told: Told | None = None,
) -> Report:
    """Ask every case and score the answers, or go on with a run that was begun.

    Args:
        cases: The cases, or the file they are in.
        system: Whom to ask: a `System`, or any function of a question and earlier turns.
        out: Folder of the run.
        jobs: How many cases are asked at once.
        seconds: Time limit of a case; one that takes longer is an error, and its thread is left to itself.
        seed: Of the intervals.
        checks: The verifier of judged metrics; they do not apply without.
        extra: Further scorers, such as `eval.judged.LlmScorer`.
        about: What else is to be kept in `run.json`.
        retry: Ask cases again whose latest output is an error.
        rewrites: Ask the rewrites instead, without history; only the cases that have one.
        told: Told how far it is.

    Returns:
        The figures, with the cases that failed.

    Raises:
        ConfigError: The cases cannot be read or name evidence that is not in the documents, or the folder holds another
            run or is at work.
    """
    listed = read_cases(cases) if isinstance(cases, Path) else list(cases)
    if not listed:
        raise ConfigError("There are no cases.", remedy="Name a file with at least one case a line.")
    if rewrites:
        listed = [c for c in listed if c.rewrite]
        if not listed:
            raise ConfigError("No case has a rewrite.", remedy="Give cases a “rewrite”, or leave out --rewrites.")
    asked = as_system(system)
    folder = RunFolder(out)
    out.mkdir(parents=True, exist_ok=True)
    with WriteLock(out / "run.lock", 0):
        folder.begin(_about(asked, cases, seed, seconds, jobs, rewrites, about), listed)
        _ask_all(folder, listed, asked, jobs, seconds, retry, rewrites, told)
        score(folder, checks, extra=extra, told=told)
    return summarise(folder)


def _about(
    system: System, cases: Path | Sequence[Case], seed: int, seconds: float, jobs: int, rewrites: bool,
    more: Mapping[str, Any] | None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "system": system.name,
        "config": {**dict(system.config), "asked": "rewrite" if rewrites else "question"},
        "dossier": _version("dossier"),
        "seed": seed,
        "seconds": seconds,
        "jobs": jobs,
        "cases_file": str(cases) if isinstance(cases, Path) else "",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: _version(name) for name in ("ir-measures", "numpy", "chromadb", "onnxruntime")},
        "begun": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **dict(more or {}),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _ask_all(
    folder: RunFolder, cases: Sequence[Case], system: System, jobs: int, seconds: float, retry: bool, rewrites: bool,
    told: Told | None,
) -> None:  # fmt: skip
    done = {name: o for name, o in folder.outputs().items() if not (retry and o.answer is None)}
    waiting = [c for c in cases if c.id not in done]
    finished: queue.SimpleQueue[tuple[Case, Output]] = queue.SimpleQueue()
    running: dict[str, tuple[Case, float]] = {}
    left = list(reversed(waiting))
    count = len(cases) - len(waiting)
    while left or running:
        while left and len(running) < max(jobs, 1):
            case = left.pop()
            running[case.id] = (case, time.monotonic())
            # A daemon, so that a case that never ends does not keep the process from ending.
            threading.Thread(target=_ask_into, args=(finished, case, system, rewrites), daemon=True).start()
        due = min(began for _, began in running.values()) + seconds
        try:
            case, output = finished.get(timeout=max(due - time.monotonic(), 0.0) + 0.001)
        except queue.Empty:
            for case, began in list(running.values()):
                if time.monotonic() - began >= seconds:
                    del running[case.id]
                    folder.add_output(
                        Output(case.id, None, time.monotonic() - began, f"TimeoutError: no answer in {seconds:g} s")
                    )
                    count += 1
            continue
        if running.pop(case.id, None) is None:
            continue  # it came too late: its row is there
        folder.add_output(output)
        count += 1
        if told is not None:
            told("ask", count, len(cases))


def _ask_into(finished: queue.SimpleQueue[tuple[Case, Output]], case: Case, system: System, rewrites: bool) -> None:
    finished.put((case, ask_case(case, system, rewrites)))


def ask_case(case: Case, system: System, rewrites: bool = False) -> Output:
    """Ask one case; whatever goes wrong is its output."""
    began = time.perf_counter()
    try:
        question = case.rewrite if rewrites else case.question
        answer = as_answer(question, system.ask(question, () if rewrites else case.history))
        seconds = time.perf_counter() - began
        sources, found = _look_up(answer, system.lookup)
    except Exception as error:  # the run goes on
        return Output(case.id, None, time.perf_counter() - began, f"{type(error).__name__}: {error}")
    spent = answer.tokens
    cost = system.prices.cost(spent) if system.prices is not None and spent is not None else None
    return Output(case.id, answer, seconds, "", sources, found, _memory(), spent, cost)


def _look_up(answer: Answer, lookup: Lookup | None) -> tuple[dict[str, str], tuple[Found, ...]]:
    """Find the documents of an answer, and each quote in its document."""
    sources = {c.document_id: c.source for c in answer.citations}
    if lookup is None:
        return sources, ()
    documents = {name: lookup(name) for name in {d for h in answer.hits for d in h.documents} | set(sources)}
    sources |= {name: there[0] for name, there in documents.items() if there is not None}
    found: list[Found] = []
    for c in answer.citations:
        there = documents[c.document_id]
        text = there[1] if there is not None else ""
        exact = bool(c.quote) and text[c.start : c.end] == c.quote
        elsewhere = bool(c.quote.strip()) and " ".join(c.quote.split()) in " ".join(text.split())
        found.append("exact" if exact else "elsewhere" if elsewhere else "missing")
    return dict(sorted(sources.items())), tuple(found)


def _memory() -> float | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def score(
    folder: RunFolder, checks: Checks | None = None, *, again: bool = False,
    extra: Sequence[Callable[[Asked], list[Score]]] = (), told: Told | None = None,
) -> int:  # fmt: skip
    """Score the outputs of a run without asking again.

    Args:
        folder: The run.
        checks: The verifier of judged metrics; without one, scores that a verifier gave before stay.
        again: Score even what this revision of a scorer has scored.
        extra: Further scorers.
        told: Told how far it is.

    Returns:
        How many scores were added.
    """
    cases, outputs = folder.cases(), folder.outputs()
    have = {(s.case, s.metric): s for s in folder.scores()}
    added = 0
    for number, case in enumerate(cases, 1):
        if case.id in outputs:
            asked = Asked(case, outputs[case.id], checks)
            new = _new_scores(asked, {} if again else have, checks, ("*" if (case.id, "*") in have else None))
            for scorer in extra if asked.output.answer is not None else ():
                new += [s for s in scorer(asked) if again or not _same(have.get((s.case, s.metric)), s.scorer)]
            folder.add_scores(new)
            added += len(new)
        if told is not None:
            told("score", number, len(cases))
    return added


def _new_scores(
    asked: Asked, have: Mapping[tuple[str, str], Score], checks: Checks | None, failed: str | None
) -> list[Score]:
    case = asked.case.id
    if asked.output.answer is None:
        new = score_case(asked)
        return [] if any(have.get((case, "*")) == s for s in new) else new
    new = []
    if failed is not None and (have.get((case, "*")) is None or have[case, "*"].state == "error"):
        new.append(Score(case, "*", None, "asked again", "n/a", "*"))
    for metric in METRICS:
        if metric.judged and checks is None and (case, metric.name) in have:
            continue
        if not _same(have.get((case, metric.name)), metric.scorer(checks)):
            new.append(score_metric(metric, asked))
    return new


def _same(there: Score | None, scorer: str) -> bool:
    return there is not None and there.scorer == scorer and there.state != "error"


def refuse_wrong_evidence(cases: Sequence[Case], documents: Mapping[str, Callable[[], str]]) -> None:
    """Check that the documents say what the cases rest on.

    Args:
        cases: The cases.
        documents: Gives the text of each document, by source.

    Raises:
        ConfigError: A span is not where a case says.
    """
    wanted = {e.source for case in cases for e in case.evidence}
    exact = wanted & documents.keys()
    texts = {source: documents[source]() for source in exact}
    others = wanted - exact
    if others:
        texts |= {s: text() for s, text in documents.items() if any(is_source(s, w) for w in others)}
    wrong = find_wrong_evidence(list(cases), texts)
    if wrong:
        raise ConfigError(
            f"{len(wrong)} pieces of evidence are not in the library's documents; the first: {wrong[0]}",
            remedy="Ask the library the cases were written for, or anchor them anew: python -m eval.anchor",
        )
