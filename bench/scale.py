"""A library of 200,000 passages: how fast it opens, is searched and grows, and how much room it takes.

    python bench/scale.py ../shared/data/nfcorpus [--passages 200000] [--keep FOLDER] [--json FILE]

The folder holds a data set in the BEIR form (`corpus.jsonl.gz`, `queries.jsonl.gz`). Up to `--base` passages of it are
embedded as usual. The others are made of these: the first sentences of one passage and the last ones of another, with
the mean of both vectors, weighted by their share of the text, plus a little noise, normalised. So the words, their
frequencies, the lengths and the neighbourhoods are those of real text, and no hour goes into embedding. They are
written into the three stores as documents of ten passages, in the way and order in which documents are added.

Then, in fresh processes: opening the library; hybrid search over real questions, with their embedding; adding a
document until a search finds it. Dense search is approximate, so its first ten are compared with the exact ones, too.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from record import write_record

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
LIMITS = {"open_s": 2.0, "search_p95_ms": 40.0, "add_s": 1.0}
A_DOCUMENT = 10  # passages
BATCH = 400  # documents
NOISE = 0.02  # of each coordinate; one of a vector of 384 is 0.05 on average
Piece = tuple[str, "NDArray[np.float32]"]


def lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def base_pieces(data: Path, work: Path, count: int) -> tuple[list[str], NDArray[np.float32]]:
    """Real passages and their vectors, from a library of the data set's first documents."""
    from index import Library
    from index.ingest import SourceText

    with Library.open(work / "base") as library:
        for number, record in enumerate(lines(data / "corpus.jsonl.gz")):
            if number % 500 == 0 and library.catalog.count()[1] >= count:
                break
            if number % 500 == 0:
                batch: list[SourceText] = []
            batch.append(SourceText(record["_id"], record["text"], record.get("title", "")))
            if len(batch) == 500:
                library.add_texts(batch)
        else:
            library.add_texts(batch)
        passages = [p for info in library.documents() for p in library.passages(info.id)][:count]
        vectors: dict[str, NDArray[np.float32]] = {}
        for at in range(0, len(passages), 1_000):
            vectors |= library.vectors.get([p.id for p in passages[at : at + 1_000]])
    return [p.text for p in passages], np.stack([vectors[p.id] for p in passages]).astype(np.float32)


def made_pieces(texts: Sequence[str], vectors: NDArray[np.float32], count: int) -> Iterator[Piece]:
    """The real passages, then recombinations of two of them."""
    from index.sentences import sentence_spans

    yield from zip(texts, vectors, strict=True)
    chance, noise = random.Random(3), np.random.default_rng(3)
    sentences = [[text[a:b] for a, b in sentence_spans(text)] for text in texts]
    several = [i for i, found in enumerate(sentences) if len(found) >= 2]
    for _ in range(count - len(texts)):
        i, j = chance.sample(several, 2)
        head = " ".join(sentences[i][: chance.randrange(1, len(sentences[i]))])
        tail = " ".join(sentences[j][chance.randrange(1, len(sentences[j])) :])
        share = len(head) / (len(head) + len(tail))
        mixed = share * vectors[i] + (1 - share) * vectors[j]
        mixed = mixed / np.linalg.norm(mixed) + noise.normal(0, NOISE, vectors.shape[1])
        yield f"{head} {tail}", (mixed / np.linalg.norm(mixed)).astype(np.float32)


def documents(pieces: Iterator[Piece]) -> Iterator[tuple[Any, list[Any], list[NDArray[np.float32]]]]:
    """Gather passages into documents, each with its vectors."""
    from index.parse import document_id
    from index.types import Document, Passage

    number = 0
    while group := [piece for _, piece in zip(range(A_DOCUMENT), pieces, strict=False)]:
        text = "\n\n".join(t for t, _ in group)
        name = document_id(f"{number}\0{text}".encode())
        passages, at = [], 0
        for piece, _ in group:
            passages.append(Passage(name, at, at + len(piece), piece, None, ""))
            at += len(piece) + 2
        document = Document(
            id=name, source=f"made:{number:06}", title=" ".join(group[0][0].split()[:8]), text=text, pages=(),
            published=date(2015, 1, 1) + timedelta(days=number % 3_650), author=None,
            media_type=("text/plain", "text/html", "application/pdf")[number % 3], language="en",
            added=datetime.now(UTC),
        )  # fmt: skip
        yield document, passages, [v for _, v in group]
        number += 1


def make(data: Path, work: Path, count: int, base: int) -> dict[str, float]:
    """Make the library, if it is not there whole; the seconds each store took."""
    from index import Library
    from index.reading import digest_of
    from index.records import NewDocument
    from index.writer import entry_of, labels_of

    took = {"lexical": 0.0, "vectors": 0.0, "catalog": 0.0}
    texts, vectors = base_pieces(data, work, min(base, count))
    every: list[NDArray[np.float32]] = []
    names: list[str] = []
    with Library.open(work / "library") as library:
        library.remember_encoder()
        stream = documents(made_pieces(texts, vectors, count))
        while batch := [item for _, item in zip(range(BATCH), stream, strict=False)]:
            found = [p for _, passages, _ in batch for p in passages]
            rows = np.stack([v for _, _, some in batch for v in some])
            digests = [digest_of(p.text) for p in found]
            per_document = iter(digests)
            new = [
                NewDocument(d, passages, [next(per_document) for _ in passages], frozenset(p.id for p in passages))
                for d, passages, _ in batch
            ]
            started = time.perf_counter()
            library.catalog.announce([d.id for d, _, _ in batch])
            library.lexical.replace(found, {d.id: entry_of(d) for d, _, _ in batch})
            took["lexical"] += time.perf_counter() - started
            started = time.perf_counter()
            library.vectors.replace(found, rows, digests, {d.id: labels_of(d) for d, _, _ in batch})
            took["vectors"] += time.perf_counter() - started
            started = time.perf_counter()
            library.catalog.commit(add=new)
            took["catalog"] += time.perf_counter() - started
            every.append(rows)
            names += [p.id for p in found]
            print(f"\r{len(names):,} passages", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    np.save(work / "vectors.npy", np.concatenate(every))
    (work / "names.txt").write_text("\n".join(names), encoding="utf-8")
    (work / "made.json").write_text(json.dumps({"passages": count, "base": base, "seconds": took}), encoding="utf-8")
    return took


# Measurements, each in a process of its own


def measure_open(work: Path, _: Sequence[str]) -> dict[str, float]:
    """Seconds to import and open the library with both indexes, and then to the end of a first search."""
    started = time.perf_counter()
    from index import Library

    with Library.open(work / "library", create=False) as library:
        assert library.vectors is not None
        assert library.lexical is not None
        opened = time.perf_counter() - started
        library.search("effects of diet on the heart")
        return {"open_s": opened, "first_search_s": time.perf_counter() - started}


def measure_search(work: Path, questions: Sequence[str]) -> dict[str, float]:
    """Milliseconds a question, in parts and with a filter; how exact dense search is; memory."""
    import psutil

    from index import Library

    found: dict[str, float] = {}
    with Library.open(work / "library", create=False) as library:
        for question in questions[:20]:
            library.search(question)
        encoder, vectors, lexical = library.encoder, library.vectors, library.lexical
        depth = library.settings.candidates
        encoded = [encoder.encode([q])[0] for q in questions]
        found |= spread("search", [timed(lambda q=q: library.search(q)) for q in questions])
        found |= spread("encode", [timed(lambda q=q: encoder.encode([q])) for q in questions])
        found |= spread("dense", [timed(lambda v=v: vectors.search(v, depth)) for v in encoded])
        terms = [dict.fromkeys(lexical.terms(q), 1.0) for q in questions]
        found |= spread("lexical", [timed(lambda t=t: lexical.search(t, depth)) for t in terms])
        where = "published>=2022 type=pdf,html"
        found |= spread("filtered", [timed(lambda q=q: library.search(q, where=where)) for q in questions[:60]])
        memory = psutil.Process().memory_full_info()
        found |= {"rss_mb": memory.rss / 1e6, "uss_mb": memory.uss / 1e6}
        found["exact_of_10"] = exactness(work, encoded[:100], [vectors.search(v, depth)[:10] for v in encoded[:100]])
    return found


def timed(action: Any) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1_000


def spread(name: str, times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        f"{name}_p50_ms": statistics.median(ordered),
        f"{name}_p95_ms": ordered[int(0.95 * (len(ordered) - 1))],
        f"{name}_max_ms": ordered[-1],
    }


def exactness(work: Path, queries: list[NDArray[np.float32]], found: list[list[tuple[str, float]]]) -> float:
    """The share of the ten truly nearest passages that are among the ten found."""
    every = np.load(work / "vectors.npy")
    names = (work / "names.txt").read_text(encoding="utf-8").split("\n")
    shares = []
    for query, hits in zip(queries, found, strict=True):
        best = np.argpartition(-(every @ query), 10)[:10]
        shares.append(len({names[i] for i in best} & {name for name, _ in hits}) / 10)
    return statistics.mean(shares)


NOTICES = (
    "The ferry to Hollin Yard|runs every forty minutes from the first of May",
    "The municipal brass band|rehearses in the former customs house on Tuesdays",
    "Apprentice stonemasons|learn to dress granite at the quarry school",
    "The comet of next spring|will be brightest shortly before dawn in April",
    "Lease agreements for allotments|end with the calendar year unless renewed",
    "The regional chess league|has admitted four new clubs from the valley",
)


def measure_add(work: Path, _: Sequence[str]) -> dict[str, float]:
    """Seconds from `add` to the end of a search for the document, in an open library: the slowest of five.

    The first of six is not counted: it starts the processes that parse, once in the life of a library object. The
    documents are about something else than all others, which is hard for an approximate index: it may keep no way to
    them. So it counts, too, how many of the searches have the document among their ten hits.
    """
    from index import Library

    times, added, found = [], list[str](), 0
    with Library.open(work / "library", create=False) as library, tempfile.TemporaryDirectory() as folder:
        library.search("effects of diet on the heart")
        try:
            for number, notice in enumerate(NOTICES):
                subject, rest = notice.split("|")
                path = Path(folder) / f"notice-{number}.txt"
                path.write_text(f"{subject}\n\n{subject} {rest}.\n", encoding="utf-8")
                started = time.perf_counter()
                report = library.add(path)
                hits = library.search(f"What is known about {subject.lower()}?")
                times.append(time.perf_counter() - started)
                added += report.added
                found += bool({h.passage.document_id for h in hits} & set(report.added))
        finally:
            library.remove(added)
    return {
        "added_found": found / len(NOTICES),
        "add_s": max(times[1:]),
        "add_first_s": times[0],
        "add_median_s": statistics.median(times[1:]),
    }


MEASURES = {"open": measure_open, "search": measure_search, "add": measure_add}


def in_fresh_process(part: str, options: argparse.Namespace, work: Path) -> dict[str, float]:
    print(f"{part} …", file=sys.stderr, flush=True)
    command = [sys.executable, "bench/scale.py", str(options.data), "--keep", str(work), "--part", part,
               "--questions", str(options.questions)]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{part} failed:\n{done.stderr[-3_000:]}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def sizes(folder: Path) -> dict[str, float]:
    """Bytes on disk by store."""
    parts = {"catalog": "catalog.sqlite*", "vectors": "vectors/**/*", "lexical": "lexical/**/*"}
    return {
        f"{name}_bytes": float(sum(p.stat().st_size for p in folder.glob(pattern) if p.is_file()))
        for name, pattern in parts.items()
    }


def real_questions(data: Path, count: int) -> list[str]:
    """Questions of the data set, of three words or more, chosen at random and always the same."""
    texts = [r["text"] for r in lines(data / "queries.jsonl.gz") if len(r["text"].split()) >= 3]
    return random.Random(5).sample(texts, min(count, len(texts)))


def run(options: argparse.Namespace, work: Path) -> int:
    """Make the library unless it is kept, measure, and print."""
    known = json.loads((work / "made.json").read_text()) if (work / "made.json").is_file() else None
    if known is None:
        make(options.data, work, options.passages, options.base)
        known = json.loads((work / "made.json").read_text())
    elif known["passages"] != options.passages:
        raise SystemExit(f"{work} holds {known['passages']:,} passages; remove it or ask for as many.")
    found: dict[str, float] = {}
    opened = [in_fresh_process("open", options, work) for _ in range(4)][1:]  # the first fills the disk cache
    found |= {name: statistics.median(o[name] for o in opened) for name in opened[0]}
    found |= in_fresh_process("search", options, work)
    found |= in_fresh_process("add", options, work)
    found |= sizes(work / "library")
    figures = {"made": known, "questions": options.questions, "measured": found}
    print(table(figures))
    if options.json is not None:
        write_record(options.json, "scale", figures)
    missed = [name for name, limit in LIMITS.items() if found[name] > limit]
    missed += ["added_found"] if found["added_found"] < 1 else []
    print(f"missed: {', '.join(missed)}" if missed else "all targets met")
    return 1 if missed else 0


def table(figures: dict[str, Any]) -> str:
    """What was measured, to be read."""
    made = figures["made"]
    count = made["passages"]
    lines = [f"{count:,} passages, {made['base']:,} of them as they stood, {figures['questions']} questions"]
    for name, value in figures["measured"].items():
        each = f"{value / count:>10,.0f} a passage" if name.endswith("_bytes") else ""
        limit = f"   limit {LIMITS[name]:g}" if name in LIMITS else ""
        lines.append(f"    {name:<20}{value:>16,.{0 if value >= 1_000 else 3}f}{each}{limit}")
    lines += [
        f"    writing {name:<12}{seconds / count * 1_000:>16.3f} s a thousand passages"
        for name, seconds in made["seconds"].items()
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with corpus.jsonl.gz and queries.jsonl.gz")
    parser.add_argument("--passages", type=int, default=200_000, help="how many (default: %(default)s)")
    parser.add_argument("--base", type=int, default=8_000, help="how many real ones at most (default: %(default)s)")
    parser.add_argument("--questions", type=int, default=300, help="how many to ask (default: %(default)s)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the library there, or use the one there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep a record of all figures there")
    parser.add_argument("--part", choices=sorted(MEASURES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.data = options.data.resolve()
    if options.part is not None:
        print(json.dumps(MEASURES[options.part](options.keep, real_questions(options.data, options.questions))))
        return 0
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        return run(options, options.keep.resolve())
    with tempfile.TemporaryDirectory() as folder:
        return run(options, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
