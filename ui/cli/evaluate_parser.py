"""The grammar of `dossier eval`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

Lazily = Callable[[str, str], Callable[[argparse.Namespace], int]]
FORMATS = ("beir", "squad", "mtrag", "clapnq", "llamaindex", "ragas", "csv")


def add_eval(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    lazily: Lazily,
    global_flags: Callable[[argparse.ArgumentParser], None],
    llm_flags: Callable[..., None],
) -> None:
    """Add `eval` and its verbs.

    Args:
        verbs: Where `eval` goes.
        lazily: Gives the function of a module that runs a verb.
        global_flags: Adds the flags that stand everywhere.
        llm_flags: Adds those of the language model.
    """
    summary = "measure answers against cases"
    evaluate = verbs.add_parser("eval", help=summary, description=sentence_of(summary), allow_abbrev=False)
    inner = evaluate.add_subparsers(dest="eval_verb", metavar="VERB", required=True)

    def verb(name: str, summary: str, module: str, epilog: str = "") -> argparse.ArgumentParser:
        sub = inner.add_parser(
            name, help=summary, description=sentence_of(summary), epilog=epilog or None, allow_abbrev=False
        )
        global_flags(sub)
        sub.set_defaults(run=lazily(f"ui.cli.{module}", f"eval_{name}"))
        return sub

    _run(verb)
    _look(verb)
    _compare(verb)
    _data(verb)
    llm_flags(inner.choices["run"])
    llm_flags(inner.choices["score"], "judges for --judged", writes=False)
    llm_flags(inner.choices["make"], "drafts in place of headings and sentences", writes=False)
    llm_flags(inner.choices["judge"], "is measured as a judge beside the others", writes=False)


Verb = Callable[..., argparse.ArgumentParser]


def _run(verb: Verb) -> None:
    run = verb(
        "run",
        "ask the cases of a file and score the answers, or go on with such a run",
        "evaluate",
        "Exit status 1 if a case failed or took too long. Killed, the same command goes on where it was.",
    )
    run.add_argument("cases", type=Path, metavar="CASES.jsonl", help="the cases")
    run.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    run.add_argument(
        "--docs",
        type=Path,
        metavar="PATH",
        help="make a library in DIR of this folder, or of the documents.jsonl that import wrote",
    )
    run.add_argument(
        "--url", metavar="ADDRESS", help="ask this http(s) address instead of a library; see docs/evaluation.md"
    )
    run.add_argument("--model", default="", metavar="NAME", help="the model to name to that address")
    run.add_argument("--jobs", type=_count, default=1, metavar="N", help="cases at once (default: %(default)s)")
    run.add_argument(
        "--seconds", type=_seconds, default=120.0, metavar="S", help="time limit of a case (default: %(default)g)"
    )
    run.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the intervals (default: %(default)s)")
    run.add_argument("--retry", action="store_true", help="ask again the cases that failed before")
    run.add_argument("--rewrites", action="store_true", help="ask the human rewrites, without the earlier turns")
    run.add_argument("--no-checks", action="store_true", help="leave out the metrics that the verifier judges")
    run.add_argument(
        "--prices",
        type=_price,
        nargs=2,
        metavar=("READ", "WRITTEN"),
        help="what a million tokens cost that the language model reads, and that it writes; else the settings'",
    )
    _judged(run)
    score = verb("score", "score the answers of a run again, without asking again", "evaluate")
    _dir(score)
    score.add_argument("--all", action="store_true", help="also what this revision of the scorers has scored")
    score.add_argument("--no-checks", action="store_true", help="leave out the metrics that the verifier judges")
    _judged(score)


def _look(verb: Verb) -> None:
    show = verb("show", "show the figures of a run, or one case of it", "evaluate_show")
    _dir(show)
    show.add_argument("--case", metavar="ID", help="this case in full")
    show.add_argument("--by", choices=("depth", "tag", "answerable"), help="figures by turn, tag or answerability")
    show.add_argument("--metrics", nargs="+", metavar="METRIC", help="only these")
    report = verb("report", "write a run as one HTML file that needs no internet", "evaluate_show")
    _dir(report)
    report.add_argument("--out", type=Path, metavar="FILE", help="the file (default: report.html in DIR)")


def _compare(verb: Verb) -> None:
    compare = verb(
        "compare",
        "compare two runs of the same cases",
        "evaluate_show",
        "Paired over the cases; sign flips by conversation, Holm over the metrics.",
    )
    compare.add_argument("a", type=Path, metavar="A", help="folder of a run")
    compare.add_argument("b", type=Path, metavar="B", help="folder of the run to compare with it")
    compare.add_argument("--metrics", nargs="+", metavar="METRIC", help="only these (default: all that both have)")
    compare.add_argument(
        "--by", choices=("depth", "tag", "answerable"), help="a table for each turn, tag or answerability"
    )
    compare.add_argument("--alpha", type=_share, default=0.05, metavar="P", help="level (default: %(default)s)")
    gate = verb(
        "gate",
        "let a run pass or not, by floors or against an earlier run",
        "evaluate_show",
        "Exit status: 0 pass, 1 regression, 2 cannot tell.",
    )
    _dir(gate)
    gate.add_argument("--floors", type=Path, metavar="FILE", help="JSON of metric: lowest value")
    gate.add_argument("--baseline", type=Path, metavar="DIR", help="a run of the same cases to hold it against")
    gate.add_argument(
        "--tolerance",
        type=_share,
        default=0.05,
        metavar="X",
        help="how much worse than the baseline passes if chance explains it (default: %(default)s)",
    )
    gate.add_argument("--metrics", nargs="+", metavar="METRIC", help="only these, against the baseline")
    gate.add_argument("--junit", type=Path, metavar="FILE", help="write the outcome as JUnit XML, too")
    gate.add_argument("--markdown", type=Path, metavar="FILE", help="write the outcome as a Markdown table, too")


def _data(verb: Verb) -> None:
    load = verb("import", "make cases of a public data set", "evaluate_data")
    load.add_argument("format", choices=FORMATS, metavar="FORMAT", help=", ".join(FORMATS))
    load.add_argument("source", type=Path, metavar="PATH", help="file or folder of the data set; .gz is read, too")
    load.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for cases.jsonl and, if it has texts, documents.jsonl",
    )
    load.add_argument("--split", default="test", metavar="NAME", help="judgements of BEIR (default: %(default)s)")
    load.add_argument("--docs", type=Path, metavar="FOLDER", help="documents in which to look for quotes of a CSV")
    load.add_argument("--limit", type=_count, metavar="N", help="cases at most, the first ones")
    make = verb(
        "make",
        "draft cases from a library and have them accepted, one by one",
        "evaluate_data",
        "Drafts come from headings and sentences, or from the language model of the flags or settings. At each: y "
        "accepts, n drops, e edits the question, q ends.",
    )
    make.add_argument("cases", type=Path, metavar="CASES.jsonl", help="file the accepted cases are added to")
    make.add_argument("--count", type=_count, default=20, metavar="N", help="drafts at most (default: %(default)s)")
    make.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the choice (default: %(default)s)")
    make.add_argument("--yes", action="store_true", help="take all drafts unseen; they keep the tag draft")
    judge = verb(
        "judge",
        "measure what judges answers against the labels of people",
        "evaluate_data",
        "Beside it stand scorers that understand nothing: always supported, length, words in common; and the shipped "
        "verifier.",
    )
    judge.add_argument(
        "dataset",
        type=Path,
        nargs="+",
        metavar="DATASET",
        help="JSON Lines of premise, hypothesis, label (1 supported, 0 not) and human_scores if there are ratings",
    )
    judge.add_argument("--judge", default="", metavar="MODEL", help="a CrossEncoder to measure beside the shipped one")
    judge.add_argument("--limit", type=_count, metavar="N", help="records at most of each, the first ones")
    judge.add_argument("--out", type=Path, metavar="DIR", help="folder to keep the scores in, so that it can go on")


def _dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dir", type=Path, metavar="DIR", help="folder of the run")


def _judged(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--judged",
        nargs="+",
        choices=("faithful", "correct"),
        metavar="KIND",
        help="have the language model judge the answers: faithful (to their sources), correct (by the references); "
        "its judgements are kept in DIR, and nothing is asked twice",
    )


def _price(text: str) -> float:
    value = _float(text)
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a price")
    return value


def _count(text: str) -> int:
    value = int(text) if text.isascii() and text.isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return value


def _seconds(text: str) -> float:
    value = _float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def _share(text: str) -> float:
    value = _float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 and 1")
    return value


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def sentence_of(summary: str) -> str:
    """Make a sentence of the line that lists a verb."""
    return f"{summary[0].upper()}{summary[1:]}."
