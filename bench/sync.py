"""How long it takes to find that nothing changed, against LlamaIndex; and how much one changed paragraph costs.

    python bench/sync.py [--files 10000] [--runs 3] [--work FOLDER]

Both sides first take in the same folder of small text files; that is not measured. Then, on the unchanged folder,
fresh processes are timed from start to end: `dossier sync FOLDER`, and the LlamaIndex pipeline with a document store
and upserts (`bench/llamaindex_ingest.py --upserts`): once with the model that a user of it would give it, and once
with an embedding that needs no loading. "The call" is finding out that there is nothing to embed, without starting a
process, imports and models: `Library.sync`, and reading the folder and running the pipeline.

Last, a document of 300 pages is synced, one paragraph of it changed, put in or taken out, and synced again; the
passages embedded then are counted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from record import write_record

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
MOST_SECONDS = 3.0
LEAST_RATIO = 50.0
PROCESSES = ("Dossier", "LlamaIndex", "LlamaIndex, no model")
CALLS = ("Dossier, the call", "LlamaIndex, the call")
MOST_EMBEDDED = 4
PAGES, PARAGRAPHS_A_PAGE = 300, 5


def sentences() -> list[str]:
    """Sentences of the sample documents."""
    from index.parse import parse, read_source
    from index.sentences import sentence_spans
    from index.settings import LibrarySettings

    settings = LibrarySettings()
    found: dict[str, None] = {}
    for path in sorted(p for p in (ROOT / "samples" / "strait").iterdir() if p.suffix in (".txt", ".md", ".html")):
        text = parse(path, read_source(path, settings), settings).text
        found |= dict.fromkeys(" ".join(text[a:b].split()) for a, b in sentence_spans(text))
    return [s for s in found if 8 <= len(s.split()) <= 40]


def varied(sentence: str, chance: random.Random) -> str:
    """A sentence with its numbers changed and one word put in, so that files differ as files do."""
    words = [str(int(w) + chance.randrange(1, 90)) if w.isascii() and w.isdigit() else w for w in sentence.split()]
    words.insert(chance.randrange(1, len(words)), f"no{chance.randrange(100_000)}")
    return " ".join(words)


def write_files(folder: Path, count: int) -> None:
    """Write small files in a hundred folders."""
    chance, stock = random.Random(11), sentences()
    for number in range(count):
        path = folder / f"{number % 100:02}" / f"note-{number:05}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = " ".join(varied(s, chance) for s in chance.sample(stock, 4))
        path.write_text(f"Note {number}\n\n{text}\n", encoding="utf-8")


def timed(command: list[str]) -> tuple[float, str]:
    """Run a process; its seconds from start to end, and its output."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # both sides run compiled, as installed packages do
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3_000:]}")
    return seconds, done.stdout


def unchanged(work: Path, files: int, runs: int) -> dict[str, Any]:
    """Take the folder in on both sides, then time finding it unchanged."""
    docs = work / "docs"
    if not docs.is_dir():
        write_files(docs, files)
    ours = [sys.executable, "-m", "ui.cli", "--library", str(work / "library"), "sync", str(docs), "--json"]
    theirs = [sys.executable, "bench/llamaindex_ingest.py", "--docs", str(docs), "--store", str(work / "llama"),
              "--upserts", "--fake"]  # fmt: skip
    first: dict[str, float] = {}
    for name, command in (("Dossier", ours), ("LlamaIndex", theirs)):
        print(f"{name}, the first time …", file=sys.stderr, flush=True)
        first[name], _ = timed(command)
    again: dict[str, list[float]] = {name: [] for name in (*PROCESSES, *CALLS)}
    for _ in range(runs):
        seconds, output = timed(ours)
        done = json.loads(output)
        again["Dossier"].append(seconds)
        again["Dossier, the call"].append(done["seconds"])
        if done["added"] or done["updated"] or done["removed"] or done["failed"]:
            raise SystemExit(f"Dossier took an unchanged folder for changed: {output[:500]}")
        if done["unchanged_files"] != files:
            raise SystemExit(f"Dossier found {done['unchanged_files']} unchanged files of {files}")
        for name, command in (("LlamaIndex, no model", theirs), ("LlamaIndex", theirs[:-1])):
            seconds, output = timed(command)
            again[name].append(seconds)
            if json.loads(output)["new_passages"]:
                raise SystemExit(f"LlamaIndex took an unchanged folder for changed: {output[:500]}")
        again["LlamaIndex, the call"].append(json.loads(output)["call_seconds"])
    return {"first": first, "again": again}


def write_book(path: Path, chapters: list[list[str]]) -> None:
    """Write a text of chapters."""
    parts = [f"# Chapter {number}\n\n" + "\n\n".join(chapter) for number, chapter in enumerate(chapters, 1)]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def one_paragraph(work: Path) -> dict[str, int]:
    """Change one paragraph of a long document in several ways; the passages embedded each time."""
    from index import Library

    chance, stock = random.Random(12), sentences()
    chapters = [
        [" ".join(varied(s, chance) for s in chance.sample(stock, 4)) for _ in range(20 * PARAGRAPHS_A_PAGE)]
        for _ in range(PAGES // 20)
    ]
    folder = work / "book"
    folder.mkdir(exist_ok=True)
    new = "The harbour master has asked for a third tug. No decision was taken before the end of the year."
    middle = chapters[7][50]
    edits = {  # chapter, paragraph, what takes its place
        "a word replaced, a sentence added": (7, 50, [middle.replace("the", "that", 1) + " It was noted."]),
        "a paragraph rewritten": (1, 0, [new]),
        "a paragraph put in": (11, 33, [new + " (1)", chapters[11][33]]),
        "a paragraph taken out": (0, 30, []),
        "the first paragraph rewritten": (0, 0, [new + " (2)"]),
        "the last paragraph rewritten": (14, 99, [new + " (3)"]),
    }
    counts: dict[str, int] = {}
    print("a document of 300 pages …", file=sys.stderr, flush=True)
    with Library.open(work / "book-library") as library:
        write_book(folder / "book.md", chapters)
        counts["all"] = library.sync(folder).embedded
        for name, (chapter, place, put) in edits.items():
            chapters[chapter][place : place + 1] = put
            write_book(folder / "book.md", chapters)
            counts[name] = library.sync(folder, check=True).embedded
        expected = library.catalog.count()[1]
        if library.vectors.count() != expected:
            raise SystemExit(f"{library.vectors.count()} vectors for {expected} passages")
    return counts


def medians(figures: dict[str, Any]) -> dict[str, float]:
    """The median seconds of each side."""
    return {name: statistics.median(seconds) for name, seconds in figures["again"].items()}


def embedded(figures: dict[str, Any]) -> list[int]:
    """Passages embedded after each change of a paragraph."""
    return [count for name, count in figures["embedded"].items() if name != "all"]


def missing(figures: dict[str, Any]) -> list[str]:
    """The targets that were not met."""
    middle = medians(figures)
    call = middle["LlamaIndex, the call"] / middle["Dossier, the call"]
    met = {
        "seconds": middle["Dossier"] <= MOST_SECONDS,
        "ratio": max(call, middle["LlamaIndex"] / middle["Dossier"]) >= LEAST_RATIO,
        "embedded": max(embedded(figures)) <= MOST_EMBEDDED,
    }
    return [name for name, held in met.items() if not held]


def table(figures: dict[str, Any]) -> str:
    """What was measured, to be read."""
    middle = medians(figures)
    ours, call = middle["Dossier"], middle["LlamaIndex, the call"] / middle["Dossier, the call"]
    lines = [
        f"{figures['files']:,} unchanged files; seconds of whole processes, and of the call alone",
        f"{'':<22}{'min':>9}{'median':>9}{'max':>9}",
    ]
    lines += [
        f"{name:<22}{min(seconds):>9.2f}{middle[name]:>9.2f}{max(seconds):>9.2f}"
        for name, seconds in figures["again"].items()
    ]
    lines += [
        f"LlamaIndex's process takes {middle['LlamaIndex'] / ours:.0f} times as long, "
        f"{middle['LlamaIndex, no model'] / ours:.0f} times without a model; its call {call:.0f} times",
        f"(at least {LEAST_RATIO:g} times wanted, and Dossier's process in at most {MOST_SECONDS:g} s)",
        f"A document of {figures['pages']} pages, {figures['embedded']['all']:,} passages; embedded after",
    ]
    lines += [f"    {name:<36}{count:>4}" for name, count in figures["embedded"].items() if name != "all"]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000, help="small files (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="timed processes of each side (default: %(default)s)")
    parser.add_argument("--work", type=Path, help="keep the folders there, and use them if they are there already")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep a record of all figures there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) if options.work is None else options.work.resolve()
        work.mkdir(parents=True, exist_ok=True)
        found = unchanged(work, options.files, options.runs)
        counts = one_paragraph(Path(folder))
    figures = found | {"files": options.files, "pages": PAGES, "embedded": counts}
    print(table(figures))
    if options.json is not None:
        write_record(options.json, "sync", figures)
    missed = missing(figures)
    print(f"missed: {', '.join(missed)}" if missed else "all targets met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
