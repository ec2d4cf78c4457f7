"""The verbs `eval import`, `make` and `judge`."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from ui.cli.evaluate import progress, visible_lines
from ui.cli.opening import answer_settings, open_library
from ui.cli.terminal import one_line, print_json, say, visible, wrap

if TYPE_CHECKING:
    from eval.draft import Draft
    from eval.language_model import LanguageModel


def eval_import(options: argparse.Namespace) -> int:
    """Make cases of a public data set."""
    from eval.importers import load, write_imported

    found = load(options.format, options.source, split=options.split, docs=options.docs)
    if options.limit is not None:
        found = dataclasses.replace(found, cases=found.cases[: options.limit])
    write_imported(found, options.out)
    for note in found.notes[:20]:
        say(visible(note))
    if len(found.notes) > 20:
        say(f"… and {len(found.notes) - 20:,} more.")
    if options.json:
        print_json({"cases": len(found.cases), "documents": len(found.documents), "notes": list(found.notes)})
        return 0
    print(f"{len(found.cases):,} cases in {options.out / 'cases.jsonl'}")
    if found.documents:
        print(f"{len(found.documents):,} documents in {options.out / 'documents.jsonl'}")
    return 0


def eval_make(options: argparse.Namespace) -> int:
    """Draft cases and add those that a person accepts to a file."""
    from eval.cases import append_case, read_cases
    from eval.draft import drafts

    known = {c.id for c in read_cases(options.cases)} if options.cases.exists() else set()
    added = 0
    model = _model(options)
    if model is not None:
        say(f"Drafts by {model.label}.")
    with open_library(options) as library:
        for draft in drafts(library, options.count + len(known), options.seed, model):
            if draft.case.id in known or added >= options.count:
                continue
            if options.yes:
                append_case(options.cases, draft.case)
                added += 1
                continue
            decided = _decide(draft)
            if decided is None:
                break
            if decided.case.question:
                append_case(options.cases, decided.case)
                added += 1
    _say_tokens(model)
    if options.json:
        print_json({"added": added, "cases": str(options.cases)})
    else:
        print(f"{added} cases added to {options.cases}")
    return 0


def _model(options: argparse.Namespace) -> LanguageModel | None:
    """The language model of the flags or settings; `None` if they name none."""
    settings = answer_settings(options)
    if not settings.llm:
        return None
    from eval.language_model import LanguageModel

    return LanguageModel(settings)


def _say_tokens(model: LanguageModel | None) -> None:
    if model is not None and model.tokens is not None:
        from eval.table import format_tokens

        say(f"{model.label} took {format_tokens(model.tokens)}.")


def _decide(draft: Draft) -> Draft | None:
    """Show a draft and ask; one with an empty question was dropped, `None` ends."""
    case = draft.case
    evidence = case.evidence[0]
    say("")
    say(wrap(one_line(case.question)))
    for reference in case.references:
        say(f"  answer: {one_line(reference)}")
    say(f"  {visible(evidence.source)} {evidence.start}–{evidence.end}, from a {draft.origin}")
    say(wrap(f"“{one_line(evidence.quote)}”", "  "))
    while True:
        try:
            reply = input("accept? yes, no, edit, quit [y/n/e/q] ").strip().lower()
        except EOFError:
            return None
        if reply in ("q", "quit"):
            return None
        if reply in ("n", "no"):
            return dataclasses.replace(draft, case=dataclasses.replace(case, question=""))
        accepted = tuple(t for t in case.tags if t != "draft")
        if reply in ("y", "yes"):
            return dataclasses.replace(draft, case=dataclasses.replace(case, tags=accepted))
        if reply in ("e", "edit"):
            try:
                question = input("question (empty keeps it): ").strip() or case.question
                said = input("answers, | between several (empty keeps them): ")
            except EOFError:
                return None
            references = [r.strip() for r in said.split("|") if r.strip()]
            return dataclasses.replace(
                draft,
                case=dataclasses.replace(
                    case, question=question, tags=accepted, references=tuple(references) or case.references
                ),
            )


def eval_judge(options: argparse.Namespace) -> int:
    """Measure judges against the labels of people."""
    from eval.judge import (
        judge_scorer,
        kept_name,
        markdown_agreement,
        measure_judge,
        read_labelled,
        trivial_scorers,
        verifier_scorer,
    )
    from eval.judged import prompt_judge
    from rag.grounding import PairModel, open_grounding

    sets = {path: read_labelled(path, options.limit) for path in options.dataset}
    scorers = trivial_scorers()
    scorers[PairModel().name] = verifier_scorer(open_grounding().verifier)
    if options.judge:
        scorers[options.judge] = verifier_scorer(open_grounding(judge=options.judge).verifier)
    model = _model(options)
    if model is not None:
        scorers[model.name] = judge_scorer(prompt_judge("faithful", model))
    failed = 0
    out = {}
    for path, records in sets.items():
        rows = []
        for name, scorer in scorers.items():
            keep = options.out / f"{kept_name(path.name, name, records)}.jsonl" if options.out is not None else None
            with progress() as told:
                rows.append(measure_judge(name, scorer, records, keep=keep, told=told))
            failed += rows[-1].errors
        out[path.name] = rows
        if not options.json:
            print(visible_lines(f"{path.name}, {len(records):,} records\n\n{markdown_agreement(rows)}\n"))
    _say_tokens(model)
    if options.json:
        print_json({name: [dataclasses.asdict(r) for r in rows] for name, rows in out.items()})
    return 1 if failed else 0
