"""How fast a folder becomes searchable, against plain LlamaIndex and against the encoder alone; and in how much memory.

    python bench/ingest.py [--docs FOLDER] [--limit PAGES] [--json FILE]

One run after the other in a process of its own, on the same files and the same weights: `Library.add`; Dossier's
encoder on exactly the texts that were embedded, with nothing else to do, which is the limit; and the LlamaIndex
pipeline of `bench/llamaindex_ingest.py`. Memory is that of a process and all its children together, sampled once a
second (ten times a second, looking would itself take a tenth of a core): "PSS" counts pages that processes share once,
"RSS" as often as they are shared.

The pages are those of PostgreSQL's manual unless told otherwise (Debian: apt install postgresql-doc-15).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from record import write_record

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
DOCS = Path("/usr/share/doc/postgresql-doc-15/html")
LEAST_OF_LLAMAINDEX = 1.7
LEAST_OF_ENCODER = 0.9
MOST_MEMORY = 1.2e9  # bytes


def add(docs: Path, work: Path) -> dict[str, Any]:
    """Make a library of the files, in this process and those it starts."""
    started = time.perf_counter()
    from index import Library

    with Library.open(work / "library") as library:
        report = library.add(docs)
        seconds = time.perf_counter() - started
        documents, passages = library.catalog.count()
        waiting = passages - library.vectors.count()
    if report.failed or waiting:
        raise SystemExit(f"{len(report.failed)} files failed, {waiting} passages have no vector")
    return {"passages": passages, "documents": documents, "seconds": seconds}


def encode(work: Path) -> dict[str, Any]:
    """Encode what was embedded, and nothing else; loading and splitting are not counted."""
    from index import Library
    from index.embedded import embedded_texts

    with Library.open(work / "library", create=False) as library:
        encoder = library.encoder
        texts: list[str] = []
        for info in library.documents():
            texts += embedded_texts(library.document(info.id).text, info.title, library.passages(info.id), encoder)
    encoder.encode(texts[:20])
    started = time.perf_counter()
    encoder.encode(texts)
    seconds = time.perf_counter() - started
    limit = encoder.max_tokens - encoder.special_tokens
    pieces = sum(min(encoder.count_tokens(text), limit) for text in texts) / max(len(texts), 1)
    return {"passages": len(texts), "seconds": seconds, "word_pieces": pieces}


class Memory(threading.Thread):
    """Samples the memory of a process and all its children until it ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self.rss = self.pss = self.most_processes = 0

    def run(self) -> None:
        import psutil

        try:
            root = psutil.Process(self._pid)
            while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
                rss = pss = count = 0
                for process in (root, *root.children(recursive=True)):
                    try:
                        memory = process.memory_full_info()
                    except (psutil.NoSuchProcess, psutil.AccessDenied):
                        continue
                    rss, pss, count = rss + memory.rss, pss + getattr(memory, "pss", memory.rss), count + 1
                self.rss, self.pss = max(self.rss, rss), max(self.pss, pss)
                self.most_processes = max(self.most_processes, count)
                time.sleep(1.0)
        except psutil.NoSuchProcess:
            return


def measured(name: str, command: list[str]) -> dict[str, Any]:
    """Run a process that prints one JSON line last; that, and the memory it took."""
    print(f"{name} …", file=sys.stderr, flush=True)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}
    with tempfile.TemporaryFile("w+") as talk:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=talk, text=True)
        memory = Memory(process.pid)
        memory.start()
        output, _ = process.communicate()
        memory.join()
        talk.seek(0)
        if process.returncode != 0:
            raise SystemExit(f"{name} failed:\n{talk.read()[-3_000:]}")
    found: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    print(f"  {found['passages']:,} passages in {found['seconds']:.1f} s", file=sys.stderr, flush=True)
    return found | {"rss": memory.rss, "pss": memory.pss, "processes": memory.most_processes}


def copied(docs: Path, limit: int, work: Path) -> Path:
    """A folder with the files that all sides take."""
    from bench.llamaindex_ingest import chosen_files

    folder = work / "docs"
    folder.mkdir()
    for number, path in enumerate(chosen_files(docs, limit)):
        (folder / f"{number:05}-{path.name}").write_bytes(path.read_bytes())
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--docs", type=Path, default=DOCS, help="folder of HTML, text or Markdown (default: %(default)s)"
    )
    parser.add_argument("--limit", type=int, default=0, help="take that many of its files only, spread over all")
    parser.add_argument("--chunk-size", type=int, default=256, help="of SentenceSplitter (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep a record of all figures there")
    parser.add_argument("--part", choices=["add", "encode"], help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part is not None:
        print(json.dumps(add(options.docs, options.work) if options.part == "add" else encode(options.work)))
        return 0
    if not options.docs.is_dir():
        raise SystemExit(f"{options.docs} is not there. Name a folder with --docs, or: apt install postgresql-doc-15")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        docs = copied(options.docs.resolve(), options.limit, work)
        own = [sys.executable, "bench/ingest.py", "--docs", str(docs), "--work", str(work), "--part"]
        theirs = [sys.executable, "bench/llamaindex_ingest.py", "--docs", str(docs), "--store", str(work / "llama"),
                  "--chunk-size", str(options.chunk_size)]  # fmt: skip
        runs = {
            "Dossier": measured("Dossier", [*own, "add"]),
            "encoder alone": measured("encoder alone", [*own, "encode"]),  # next to it: machines change their speed
            "LlamaIndex": measured("LlamaIndex", theirs),
        }
    runs["Dossier"]["word_pieces"] = runs["encoder alone"]["word_pieces"]
    print(table(runs))
    if options.json is not None:
        write_record(options.json, "ingest", runs)
    missed = missing(runs)
    print(f"missed: {', '.join(missed)}" if missed else "all targets met")
    return 1 if missed else 0


def rates(runs: dict[str, Any]) -> dict[str, float]:
    """Passages a second of each side."""
    return {name: run["passages"] / run["seconds"] for name, run in runs.items()}


def of_llamaindex(runs: dict[str, Any]) -> float:
    """How many times as many passages a second Dossier adds."""
    return rates(runs)["Dossier"] / rates(runs)["LlamaIndex"]


def of_encoder(runs: dict[str, Any]) -> float:
    """The share of what the encoder alone does."""
    return rates(runs)["Dossier"] / rates(runs)["encoder alone"]


def missing(runs: dict[str, Any]) -> list[str]:
    """The targets that were not met."""
    met = {
        "LlamaIndex": of_llamaindex(runs) >= LEAST_OF_LLAMAINDEX,
        "encoder": of_encoder(runs) >= LEAST_OF_ENCODER,
        "memory": runs["Dossier"]["pss"] <= MOST_MEMORY,
    }
    return [name for name, held in met.items() if not held]


def table(runs: dict[str, Any]) -> str:
    """What was measured, to be read."""
    columns = ("passages", "pieces each", "seconds", "passages/s", "PSS MB", "RSS MB", "processes")
    lines = [" " * 14 + "".join(f"{column:>12}" for column in columns)]
    lines += [
        f"{name:<14}{run['passages']:>12,}{run['word_pieces']:>12.0f}{run['seconds']:>12.1f}{rates(runs)[name]:>12.1f}"
        f"{run['pss'] / 1e6:>12.0f}{run['rss'] / 1e6:>12.0f}{run['processes']:>12}"
        for name, run in runs.items()
    ]
    ours, theirs = runs["Dossier"], runs["LlamaIndex"]
    by_pieces = of_llamaindex(runs) * ours["word_pieces"] / max(theirs["word_pieces"], 1)
    lines += [
        f"Dossier adds {of_llamaindex(runs):.2f} times as many passages a second as LlamaIndex "
        f"(at least {LEAST_OF_LLAMAINDEX} wanted), {by_pieces:.2f} times as many word pieces,",
        f"{of_encoder(runs):.0%} of what the encoder alone does (at least {LEAST_OF_ENCODER:.0%}), "
        f"in {ours['pss'] / 1e9:.2f} GB at most (up to {MOST_MEMORY / 1e9} GB)",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
