"""Every figure of quality in one run: `python bench/quality.py ../shared/data --work build/retrieval`.

Writes the sections of `docs/quality.md`: the golden set and a plain LlamaIndex engine beside it (through `dossier
eval`), judges against people's labels, and what `bench/grounding.py`, `bench/answers.py` and `bench/retrieval.py`
measure, with the digest of the data and of the models. `--parts` measures only some sections anew and leaves the others
as they are. Without the folder of data only the golden set and the comparison can be measured.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import readme_table
from quality_page import PAGE, put_section
from record import RECORDS, write_record

ROOT = Path(__file__).parent.parent
RUNS = ROOT / "eval" / "runs"
GOLDEN = ROOT / "eval" / "golden"
GOLDEN_METRICS = (
    "evidence_recall@1", "evidence_recall@5", "evidence_recall@10", "evidence_MRR@1000t", "evidence_IoU@1000t",
    "answered_with_evidence_first", "answered_with_evidence", "answer_has_evidence", "contains_reference", "token_F1",
    "marked_F1", "citation_validity", "citation_F1_evidence", "faithfulness", "answered_when_answerable",
    "abstained_when_not", "abstention_precision", "abstention_balanced_accuracy", "AURC",
)  # fmt: skip


def digest(data: Path) -> str:
    """SHA-256 over the names and bytes of all files measured on."""
    whole = hashlib.sha256()
    for path in sorted(p for p in data.rglob("*") if p.is_file() and p.suffix in (".gz", ".tsv")):
        whole.update(path.relative_to(data).as_posix().encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]


def keep_run(source: Path, name: str) -> None:
    """Keep a run's figures in the project: `run.json`, the scores, and outputs without any text."""
    target = RUNS / name
    target.mkdir(parents=True, exist_ok=True)
    about = json.loads((source / "run.json").read_text(encoding="utf-8"))
    about["cases_file"] = Path(about["cases_file"]).name
    about.get("config", {}).pop("library", None)
    (target / "run.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (target / "scores.jsonl").write_bytes((source / "scores.jsonl").read_bytes())
    rows = [json.loads(line) for line in (source / "outputs.jsonl").read_text(encoding="utf-8").splitlines()]
    named = ("case", "seconds", "error", "memory_mb", "tokens", "cost")
    (target / "outputs.jsonl").write_text(
        "".join(json.dumps({k: row[k] for k in named if k in row}) + "\n" for row in rows), encoding="utf-8"
    )


def golden(work: Path) -> str:
    """The golden set and its floors, and the LlamaIndex engine beside it."""
    import side_by_side

    put_section("side-by-side", side_by_side.run(work / "side-by-side"))
    for name in ("dossier", "llamaindex"):
        keep_run(work / "side-by-side" / name, f"golden-{name}")
    return golden_table()


def golden_table() -> str:
    """The table of the golden set, from the run that is kept."""
    from eval import RunFolder, summarise
    from eval.gate import read_floors
    from eval.table import markdown_summary

    folder = RunFolder(RUNS / "golden-dossier")
    about = folder.about()
    table = markdown_summary({"value (95%)": summarise(folder)}, GOLDEN_METRICS, read_floors(GOLDEN / "floors.json"))
    kept = f"digest `{about['cases_sha256'][:16]}`, run kept in `eval/runs/golden-dossier`"
    return f"{about['count']} cases, {kept}.\n\n{table}"


def judges(data: Path, work: Path) -> str:
    """The shipped verifier and trivial scorers against people."""
    from grounding import JUDGED

    from eval.judge import kept_name, markdown_agreement, measure_judge, read_labelled, trivial_scorers, verifier_scorer
    from rag.grounding import PairModel, open_grounding

    parts = []
    for name in JUDGED:
        path = data / "verifier" / f"{name}.jsonl.gz"
        if not path.is_file():
            continue
        records = read_labelled(path)
        scorers = {**trivial_scorers(), PairModel().name: verifier_scorer(open_grounding().verifier)}
        rows = [
            measure_judge(n, s, records, keep=work / "judge" / f"{kept_name(path.name, n, records)}.jsonl")
            for n, s in scorers.items()
        ]
        parts.append(f"{name}, {len(records):,} records:\n\n{markdown_agreement(rows)}")
    return "\n\n".join(parts)


def collected(measure: Callable[[Callable[[str], None]], None]) -> str:
    """What a benchmark says, as one text."""
    lines: list[str] = []

    def say(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    measure(say)
    return "\n".join(lines)


def about(data: Path) -> str:
    from rag.grounding import PairModel

    return f"Data `{digest(data)}`, grounding model `{PairModel().name}`, Python {platform.python_version()}."


def sections(data: Path, work: Path) -> dict[str, Callable[[], str]]:
    """How each section is measured."""
    import answers
    import grounding
    import retrieval

    from rag.grounding import PairModel

    model = PairModel()

    def checks(say: Callable[[str], None]) -> None:
        grounding.reliability(data, model, say)
        grounding.edited(data, model, say)

    def whole(say: Callable[[str], None]) -> None:
        answers.squad(data, work, say)
        answers.abstention(data, work, say)

    def retrieved() -> str:
        rows = retrieval.run(data, work, ["nfcorpus", "clapnq", "cloud"])
        write_record(RECORDS / "retrieval.json", "retrieval", rows, [str(data)])
        return retrieval.table(rows)

    return {
        "golden": lambda: golden(work),
        "about": lambda: about(data),
        "judges": lambda: judges(data, work),
        "checks": lambda: collected(checks),
        "reader": lambda: collected(lambda say: grounding.reader(data, model, say)),
        "retrieval": retrieved,
        "answers": lambda: collected(whole),
        "cost": lambda: collected(lambda say: answers.cost(data, work, say)),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure everything, write docs/quality.md.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/retrieval"))
    parser.add_argument("--parts", nargs="+", help="only these sections")
    args = parser.parse_args()
    known = sections(args.data, args.work)
    wanted = args.parts or (list(known) if args.data.is_dir() else ["golden"])
    if unknown := [name for name in wanted if name not in known]:
        parser.error(f"no section {unknown[0]!r}; there are: {', '.join(known)}")
    for name in wanted:
        print(f"measuring {name}", file=sys.stderr, flush=True)
        put_section(name, known[name]())
    readme_table.write()
    print(json.dumps({"written": str(PAGE)}), file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
