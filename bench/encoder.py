"""The shipped encoder against the original: `python bench/encoder.py`. Prints cosines and the ratio of their speeds.

Both encode the same sentences and passages of the samples, alternating, in one run; the ratio is what counts.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from record import write_record

from index.embed import OnnxEncoder, SentenceTransformerEncoder
from index.models.build import find_weights
from index.parse import parse
from index.settings import LibrarySettings
from index.split import split

ROOT = Path(__file__).parent.parent


def sample_texts(encoder: OnnxEncoder) -> list[str]:
    settings = LibrarySettings()
    texts: list[str] = []
    for path in sorted((ROOT / "samples" / "strait").iterdir()):
        parsed = parse(path, path.read_bytes(), settings)
        texts += [p.text for p in split(parsed, "x", encoder, settings.chunk_size)]
    return texts


def table(figures: dict[str, Any]) -> str:
    """What was measured, to be read."""
    near, batch = figures["cosine_to_original"], figures["cosine_in_batch_to_alone"]
    speed = {name: figures["passages"] / median(seconds) for name, seconds in figures["seconds"].items()}
    return "\n".join(
        [
            f"{figures['passages']} passages",
            f"cosine to the original: mean {near['mean']:.4f}, lowest {near['lowest']:.4f}",
            f"cosine of a text in a batch to the same alone: mean {batch['mean']:.4f}, lowest {batch['lowest']:.4f}",
            f"passages a second: ours {speed['ours']:.0f}, original {speed['original']:.0f}",
            f"ours is {speed['ours'] / speed['original']:.2f} times as fast",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the shipped encoder with the original weights.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep a record of all figures there")
    args = parser.parse_args()
    ours, original = OnnxEncoder(), SentenceTransformerEncoder(str(find_weights()))
    texts = sample_texts(ours)
    a, b = ours.encode(texts), original.encode(texts)
    cosines = (a * b).sum(axis=1)
    alone = np.concatenate([ours.encode([t]) for t in texts])
    batch = (a * alone).sum(axis=1)
    times: dict[str, list[float]] = {"ours": [], "original": []}
    for _ in range(args.rounds):
        for name, encoder in (("ours", ours), ("original", original)):
            started = time.perf_counter()
            encoder.encode(texts)
            times[name].append(time.perf_counter() - started)
    figures = {
        "passages": len(texts),
        "cosine_to_original": {"mean": float(cosines.mean()), "lowest": float(cosines.min())},
        "cosine_in_batch_to_alone": {"mean": float(batch.mean()), "lowest": float(batch.min())},
        "seconds": times,
    }
    print(table(figures))
    if args.json is not None:
        write_record(args.json, "encoder", figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
