"""How long a first answer takes in a fresh process, and how much longer in plain LlamaIndex.

    python bench/cold_start.py [--docs FOLDER] [--runs 5]

Both libraries are made of the same files: about 1,000 passages, written here from the text of the samples unless
`--docs` names a folder. Then cold processes alternate, one of each a round, so that whatever else the machine does hits
both. Dossier answers with checked citations; the LlamaIndex script prints the five nearest passages and no answer. One
process of each goes first and is not counted: it fills the disk cache.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
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
WANTED = 1_000
QUESTIONS = (
    "When will the Cable Monitoring Centre open?",
    "Why was the work on the North Pier suspended?",
    "How many patrol vessels does the Strait Authority have?",
)
LIMITS = {"dossier ask": 3.0, "import rag": 0.25, "dossier --help": 0.6}
LEAST_RATIO = 4.0
PYTHON = sys.executable
DOSSIER = (PYTHON, "-m", "ui.cli")


def write_corpus(folder: Path, passages: int = WANTED) -> None:
    """Write plain text files from the samples: their paragraphs shuffled, and each number in them changed a little."""
    from index.parse import parse, read_source
    from index.settings import LibrarySettings

    settings = LibrarySettings()
    files = sorted(p for p in (ROOT / "samples" / "strait").iterdir() if p.is_file())
    texts = [parse(path, read_source(path, settings), settings).text for path in files]
    paragraphs = [" ".join(p.split()) for text in texts for p in text.split("\n\n") if len(p.split()) >= 12]
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(7)
    written, number = 0, 0
    while written < passages * 140:  # words; a passage of 200 tokens holds about that many
        number += 1
        chosen = chance.sample(paragraphs, min(25, len(paragraphs)))
        varied = [" ".join(_vary(word, chance) for word in p.split()) for p in chosen]
        text = f"Collected papers, volume {number}\n\n" + "\n\n".join(varied) + "\n"
        (folder / f"volume-{number:04}.txt").write_text(text, encoding="utf-8")
        written += len(text.split())


def _vary(word: str, chance: random.Random) -> str:
    return str(int(word) + chance.randrange(1, 20)) if word.isascii() and word.isdigit() else word


def timed(command: tuple[str, ...]) -> tuple[float, float]:
    """Seconds that a process takes from its start to its end, and those of processor time in it."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}
    started, used = time.perf_counter(), _processor()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    seconds, worked = time.perf_counter() - started, _processor() - used
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2_000:]}")
    return seconds, worked


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def build(docs: Path, work: Path) -> tuple[int, int]:
    """Make both libraries; the number of passages of Dossier's and of LlamaIndex's."""
    from index import Library

    with Library.open(work / "dossier") as library:
        report = library.add(docs)
        passages = library.catalog.count()[1]
    if report.failed:
        raise SystemExit(f"{len(report.failed)} files could not be added, the first: {report.failed[0].source}")
    counted = work / "llamaindex" / "passages.txt"
    if counted.is_file():
        return passages, int(counted.read_text(encoding="utf-8"))
    command = (PYTHON, "bench/llamaindex_ask.py", "--store", str(work / "llamaindex"), "--build", str(docs))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"LlamaIndex could not index {docs}:\n{done.stderr[-2_000:]}")
    counted.write_text(done.stdout.split()[-1], encoding="utf-8")
    return passages, int(done.stdout.split()[-1])


def measure(work: Path, runs: int) -> dict[str, list[tuple[float, float]]]:
    """Alternate cold processes; what `timed` gives of each, by name."""
    times: dict[str, list[tuple[float, float]]] = {}
    for turn in range(runs + 1):
        question = QUESTIONS[turn % len(QUESTIONS)]
        for name, command in {
            "dossier ask": (*DOSSIER, "--library", str(work / "dossier"), "ask", question),
            "LlamaIndex": (PYTHON, "bench/llamaindex_ask.py", "--store", str(work / "llamaindex"), "ask", question),
            "dossier --help": (*DOSSIER, "--help"),
            "import rag": (PYTHON, "-c", "import rag"),
            "python itself": (PYTHON, "-c", "pass"),
        }.items():
            seconds = timed(command)
            if turn:
                times.setdefault(name, []).append(seconds)
    return times


def medians(figures: dict[str, Any], which: int = 0) -> dict[str, float]:
    """The median of each kind of process: seconds from start to end (0), or of processor time (1)."""
    return {name: statistics.median(both[which] for both in times) for name, times in figures["seconds"].items()}


def ratio(figures: dict[str, Any], which: int = 0) -> float:
    """How many times as long LlamaIndex takes."""
    found = medians(figures, which)
    return found["LlamaIndex"] / found["dossier ask"]


def missing(figures: dict[str, Any]) -> list[str]:
    """The targets that were not met."""
    found = medians(figures)
    missed = [name for name, limit in LIMITS.items() if found[name] >= limit]
    return missed + (["ratio"] if ratio(figures) < LEAST_RATIO else [])


def table(figures: dict[str, Any]) -> str:
    """What was measured, to be read."""
    ours, theirs = figures["passages"]
    lines = [
        f"passages: {ours:,} in Dossier, {theirs:,} in LlamaIndex",
        f"{'seconds a process':<20}{'min':>8}{'median':>8}{'max':>8}{'limit':>8}   processor, median",
    ]
    middle, worked = medians(figures), medians(figures, 1)
    for name, both in figures["seconds"].items():
        values = [seconds for seconds, _ in both]
        limit = f"{LIMITS[name]:8.2f}" if name in LIMITS else " " * 8
        lines.append(f"{name:<20}{min(values):8.2f}{middle[name]:8.2f}{max(values):8.2f}{limit}{worked[name]:10.2f}")
    lines += [
        f"LlamaIndex takes {ratio(figures):.1f} times as long (at least {LEAST_RATIO:g} is wanted),",
        f"and {ratio(figures, 1):.1f} times the processor time",
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=Path, help="folder to index; the varied samples if not given")
    parser.add_argument("--runs", type=int, default=5, help="counted processes of each kind (default: %(default)s)")
    parser.add_argument("--work", type=Path, help="keep both libraries there, and use them if they are there already")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep a record of all times there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) if options.work is None else options.work.resolve()
        docs: Path = options.docs.resolve() if options.docs is not None else work / "docs"
        if options.docs is None and not docs.is_dir():
            write_corpus(docs)
        ours, theirs = build(docs, work)
        if not 0.5 < ours / max(theirs, 1) < 2:
            raise SystemExit(f"{ours:,} and {theirs:,} passages differ by more than a factor of two: it is not fair.")
        times = measure(work, options.runs)
    figures = {"passages": [ours, theirs], "seconds": times}
    print(table(figures))
    if options.json is not None:
        write_record(options.json, "cold_start", figures)
    missed = missing(figures)
    print(f"missed: {', '.join(missed)}" if missed else "all targets met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
