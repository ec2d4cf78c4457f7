"""The verbs `eval run` and `eval score`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import ConfigError
from ui.cli.opening import answer_settings, library_path, library_settings
from ui.cli.terminal import print_json, say, visible

if TYPE_CHECKING:
    from eval.language_model import LanguageModel
    from eval.metrics import Asked, Checks
    from eval.run import Told
    from eval.systems import System
    from eval.types import Prices, Score
    from rag.assistant import Assistant


def eval_run(options: argparse.Namespace) -> int:
    """Ask the cases of a file and score the answers; 1 if a case failed."""
    from eval.cases import read_cases
    from eval.run import evaluate, refuse_wrong_evidence
    from eval.store import RunFolder
    from eval.summary import usage
    from eval.table import format_report, format_usage

    if options.url and options.docs:
        raise ConfigError("--url and --docs are both given.", remedy="Leave one out: an address has its own documents.")
    if options.url and options.llm and not options.judged:
        raise ConfigError(
            "--url and --llm are both given, and nothing is --judged.",
            remedy="Leave one out: an address answers itself, and is given its --model.",
        )
    cases = read_cases(options.cases)
    judges = Judges(options)
    with _system(options) as (system, assistant):
        if assistant is not None:
            library = assistant.library
            texts = {i.source: (lambda name=i.id: library.document(name).text) for i in library.documents()}
            refuse_wrong_evidence(cases, texts)
        with progress() as told:
            report = evaluate(
                options.cases, system, options.out, jobs=options.jobs, seconds=options.seconds, seed=options.seed,
                checks=_checks(options, assistant), retry=options.retry, rewrites=options.rewrites, told=told,
                extra=judges.scorers,
            )  # fmt: skip
    judges.say()
    spent = usage(RunFolder(options.out))
    if options.json:
        print_json({**asdict(report), "usage": asdict(spent)})
    else:
        print(visible_lines(format_report(report)))
        print(f"\n{format_usage(spent)}")
    if report.errors:
        say(f"{report.errors} of {report.cases} cases failed.")
    return 1 if report.errors else 0


def eval_score(options: argparse.Namespace) -> int:
    """Score the outputs of a run without asking again."""
    from eval.run import score
    from eval.store import RunFolder
    from eval.summary import summarise
    from eval.table import format_report

    folder = RunFolder(options.dir)
    folder.about()
    judges = Judges(options)
    with progress() as told:
        added = score(folder, _checks(options, None), again=options.all, extra=judges.scorers, told=told)
    judges.say()
    report = summarise(folder)
    if options.json:
        print_json(asdict(report))
    else:
        print(visible_lines(format_report(report)))
    say(f"{added:,} scores added.")
    return 1 if report.errors else 0


def visible_lines(text: str) -> str:
    """Lines without control characters."""
    return "\n".join(visible(line) for line in text.split("\n"))


@contextmanager
def _system(options: argparse.Namespace) -> Iterator[tuple[System, Assistant | None]]:
    """What is asked: an address, or an assistant on a library."""
    from eval.systems import assistant_system, endpoint_system

    if options.url:
        import os

        key = os.environ.get("DOSSIER_EVAL_KEY", "")
        yield endpoint_system(options.url, model=options.model, key=key, prices=_prices(options)), None
        return
    from rag.assistant import Assistant

    folder: Path = options.out / "library" if options.docs is not None else library_path(options)
    options.out.mkdir(parents=True, exist_ok=True)
    with Assistant.open(
        folder, config=options.config, settings=answer_settings(options, folder),
        library_settings=library_settings(options), create=options.docs is not None,
    ) as assistant:  # fmt: skip
        if options.docs is not None:
            _add(assistant, options.docs)
        system = assistant_system(assistant)
        yield dataclasses.replace(system, prices=_prices(options) or system.prices), assistant


def _prices(options: argparse.Namespace) -> Prices | None:
    from eval.types import Prices

    return Prices(*options.prices) if options.prices is not None else None


class Judges:
    """What `--judged` asks for: scorers by the language model of the flags or settings, and what they took."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.scorers: list[Callable[[Asked], list[Score]]] = []
        self._model: LanguageModel | None = None
        if not options.judged:
            return
        from eval.judged import LlmScorer, prompt_judge
        from eval.language_model import LanguageModel

        self._model = model = LanguageModel(answer_settings(options))
        cache: Path = (getattr(options, "out", None) or options.dir) / "judgements.jsonl"
        self.scorers = [
            LlmScorer(kind, prompt_judge(kind, model), model.name, cache, needs_reference=kind == "correct")
            for kind in dict.fromkeys(options.judged)
        ]

    def say(self) -> None:
        """Tell what the judge read and wrote."""
        if self._model is not None and self._model.tokens is not None:
            from eval.table import format_tokens

            say(f"The judge {self._model.label} took {format_tokens(self._model.tokens)}.")


def _add(assistant: Assistant, docs: Path) -> None:
    """Add a folder, or the texts of a `documents.jsonl`."""
    from ui.cli.progress import AddProgress

    with AddProgress() as bars:
        if docs.suffix != ".jsonl":
            assistant.add(docs, bars.update)
            return
        from index.ingest import SourceText

        try:
            rows = [json.loads(line) for line in docs.read_text(encoding="utf-8").split("\n") if line.strip()]
            texts = [SourceText(str(r["source"]), str(r["text"]), str(r.get("title", ""))) for r in rows]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{docs} does not hold documents: {type(error).__name__}: {error}.",
                remedy='Write one a line, {"source": …, "title": …, "text": …}, as dossier eval import does.',
            ) from error
        assistant.library.add_texts(texts, bars.update)


def _checks(options: argparse.Namespace, assistant: Assistant | None) -> Checks | None:
    if options.no_checks:
        return None
    from eval.checks import shipped_checks

    # The same verifier whatever the system's own settings are, so that its judgements can be compared.
    own = assistant.settings.judge if assistant is not None else ""
    return shipped_checks(assistant.grounding.verifier if assistant is not None and not own else None)


_WORDS = {"ask": "asking", "score": "scoring", "judge": "judging"}


@contextmanager
def progress() -> Iterator[Told]:
    """A bar on stderr if that is a terminal, one a stage; shown after a second."""
    if not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    began = time.monotonic()
    tasks: dict[str, object] = {}
    with Progress(
        TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True,
    ) as bar:  # fmt: skip
        told: Callable[[str, int, int], None]

        def told(stage: str, done: int, total: int) -> None:
            if stage not in tasks and time.monotonic() - began > 1:
                tasks[stage] = bar.add_task(_WORDS[stage], total=total)
            if stage in tasks:
                bar.update(tasks[stage], completed=done, total=total)  # type: ignore[arg-type]

        yield told
