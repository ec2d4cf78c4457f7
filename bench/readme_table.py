"""The measured figures of `README.md` and `docs/performance.md`, from committed records and runs.

`python bench/readme_table.py` writes them. A section whose benchmark has no record in `bench/records` stays empty.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cold_start
import encoder
import ingest
import llm
import page
import scale
import sync
import threads
from quality_page import put_section
from record import RECORDS, machine_line, read_record

from eval import RunFolder, summarise
from eval.gate import read_floors

ROOT = Path(__file__).parent.parent
README, PERFORMANCE = ROOT / "README.md", ROOT / "docs" / "performance.md"
FOLLOW_UPS = ("pronoun", "ellipsis", "comparison", "narrowing", "correction", "choice")
RETRIEVAL = {  # what README calls a set and its measures
    "nfcorpus": ("NFCorpus", ("nDCG@10",)),
    "clapnq, last turn only": ("MTRAG clapnq, last turn only", ("R@5", "nDCG@5")),
    "clapnq, last turn, history": ("MTRAG clapnq, with history", ("R@5", "nDCG@5")),
}


def golden() -> str:
    """How many questions, and for each metric that has a floor: its figure, its 95% interval, its floor."""
    from eval.table import interval

    floors = read_floors(ROOT / "eval" / "golden" / "floors.json")
    folder = RunFolder(ROOT / "eval" / "runs" / "golden-dossier")
    report = summarise(folder)
    without = sum(not c.answerable for c in folder.cards())
    lines = [
        f"{report.cases} questions, {without} of them without an answer:",
        "",
        "| metric | value | 95% interval | floor |",
        "| --- | --- | --- | --- |",
    ]
    for s in report.summaries:
        if s.metric in floors and s.value is not None:
            lines.append(f"| {s.metric} | {s.value:.3f} | {interval(s)} | {floors[s.metric]:.2f} |")
    return "\n".join(lines)


def retrieval_table(record: dict[str, Any]) -> str:
    """A line for each set, a column for each way to search, the best in bold."""
    rows = {(row["set"], row["method"]): row["measures"] for row in record["figures"]}
    methods = list(dict.fromkeys(method for _, method in rows))
    lines = [f"| set | {' | '.join(methods)} |", f"| --- |{' --- |' * len(methods)}"]
    for name, (shown, measures) in RETRIEVAL.items():
        if (name, methods[0]) not in rows:
            continue
        cells = [" / ".join(f"{rows[name, m][k][0]:.3f}".removeprefix("0") for k in measures) for m in methods]
        best = max(cells)
        cells = [f"**{cell}**" if cell == best else cell for cell in cells]
        lines.append(f"| {shown}, {' / '.join(measures)} | {' | '.join(cells)} |")
    script = "[script](bench/retrieval.py)"
    lead = (
        f"**Retrieval** — `{record['command']}` ({script}), no language model; the search weights were chosen on these"
    )
    return f"{_wrapped(f'{lead} sets:')}\n\n" + "\n".join(lines)


def start_up(record: dict[str, Any]) -> str:
    figures = record["figures"]
    return _wrapped(
        f"**Start-up** — `{record['command']}` ([script](bench/cold_start.py)), a new process each time, "
        f"{figures['passages'][0]:,} passages: a question takes {cold_start.medians(figures)['dossier ask']:.1f} s, "
        f"{cold_start.ratio(figures):.1f} times as fast as the plain LlamaIndex + Chroma + HuggingFaceEmbedding script "
        "in `bench/llamaindex_ask.py` ([performance](docs/performance.md))."
    )


def large(record: dict[str, Any]) -> str:
    made, found = record["figures"]["made"], record["figures"]["measured"]
    return _wrapped(
        f"**A large library** — `{record['command']}` ([script](bench/scale.py)): at {made['passages']:,} passages it "
        f"opens in {found['open_s']:.1f} s, a hybrid search takes {found['search_p50_ms']:.0f} ms (p95 "
        f"{found['search_p95_ms']:.0f} ms, the question's embedding included), and an added document is found after "
        f"{found['add_s']:.1f} s. What 10 million would cost: [scaling](docs/scaling.md)."
    )


def adding(record: dict[str, Any]) -> str:
    runs = record["figures"]
    return _wrapped(
        f"**Adding** — `{record['command']}` ([script](bench/ingest.py)), PostgreSQL's manual: "
        f"{ingest.of_llamaindex(runs):.1f} times as many passages a second as the plain LlamaIndex pipeline, "
        f"{ingest.of_encoder(runs):.0%} of what the encoder alone does, in {runs['Dossier']['pss'] / 1e9:.2f} GB."
    )


def syncing(record: dict[str, Any]) -> str:
    figures = record["figures"]
    counts = sync.embedded(figures)
    return _wrapped(
        f"**Syncing** — `{record['command']}` ([script](bench/sync.py)): {figures['files']:,} unchanged files in "
        f"{sync.medians(figures)['Dossier']:.1f} s; a changed paragraph of a document of {figures['pages']} pages "
        f"embeds {min(counts)} to {max(counts)} passages."
    )


def follow_ups(record: dict[str, Any]) -> str:
    counts = record["figures"]["conversations"]
    right, every = (sum(counts[kind][k] for kind in FOLLOW_UPS if kind in counts) for k in (0, 1))
    return _wrapped(
        f"**Follow-ups** — `{record['command']}` ([script](bench/followup.py)): of {every} hand-written ones, {right} "
        "find their evidence among the first five passages ([conversations](docs/conversations.md))."
    )


_OF_RECORDS: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "retrieval": ("retrieval", retrieval_table),
    "start-up": ("cold_start", start_up),
    "large": ("scale", large),
    "adding": ("ingest", adding),
    "syncing": ("sync", syncing),
    "follow-ups": ("followup", follow_ups),
}
_TABLES: dict[str, Callable[[Any], str]] = {
    "cold_start": cold_start.table,
    "encoder": encoder.table,
    "ingest": ingest.table,
    "sync": sync.table,
    "scale": scale.table,
    "page": page.table,
    "llm": llm.table,
    "threads": threads.table,
}


def readme_sections(records: Path = RECORDS) -> dict[str, str]:
    """The text of each measured part of `README.md` by its mark; empty without a record."""
    made = {"golden": golden()}
    for mark, (bench, text) in _OF_RECORDS.items():
        record = read_record(bench, records)
        made[mark] = text(record) if record is not None else ""
    return made


def performance_sections(records: Path = RECORDS) -> dict[str, str]:
    """The same of `docs/performance.md`: what the benchmark printed, and where."""
    made = {}
    for bench, table in _TABLES.items():
        record = read_record(bench, records)
        made[bench] = "Not measured for this version."
        if record is not None:
            about = f"`{record['command']}` on {record['measured'][:10]}, {machine_line(record)}:"
            made[bench] = f"{_wrapped(about)}\n\n```\n{table(record['figures'])}\n```"
    return made


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def write() -> None:
    """Write every section of both pages."""
    for target, made in ((README, readme_sections()), (PERFORMANCE, performance_sections())):
        for mark, text in made.items():
            put_section(mark, text, target)


if __name__ == "__main__":
    write()
