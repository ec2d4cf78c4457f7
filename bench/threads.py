"""Eight threads on one assistant with the shipped models: `python bench/threads.py`.

Fifty questions of the golden set, follow-ups among them, are asked one after the other; then eight threads ask all of
them, each in another order. Every answer has to be the one of the sequence. Resident memory is shown after the
sequence, after each eighth of the rest, and at the end: it rises until every thread has worked on its longest passages,
and must not rise on.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from eval.cases import read_cases
from rag.assistant import Assistant
from rag.records import answer_record
from rag.types import Conversation

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "eval" / "golden" / "samples.jsonl"


def resident() -> float:
    """Resident memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def record(assistant: Assistant, question: str, before: Conversation | None) -> dict[str, Any]:
    """All that an answer says but its timings, with what was found."""
    answer = assistant.ask(question, before)
    return {**answer_record(answer), "timings": None, "hits": [(h.passage.id, round(h.score, 4)) for h in answer.hits]}


def main() -> int:
    parser = argparse.ArgumentParser(description="Ask one assistant from many threads.")
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--questions", type=int, default=50)
    options = parser.parse_args()
    cases = sorted(read_cases(GOLDEN), key=lambda c: not c.history)[: options.questions]
    asked = [(c.question, Conversation.from_pairs(list(c.history)) if c.history else None) for c in cases]
    every = options.threads * len(asked)
    with tempfile.TemporaryDirectory() as folder, Assistant.open(Path(folder) / "library") as assistant:
        assistant.add(ROOT / "samples" / "strait")
        begun = time.perf_counter()
        alone = [record(assistant, *one) for one in asked]
        print(f"{len(asked)} one after the other: {time.perf_counter() - begun:.0f} s, {resident():.0f} MB", flush=True)
        done, lock, different = 0, threading.Lock(), list[str]()

        def work(number: int) -> None:
            nonlocal done
            for i in range(len(asked)):
                k = (i + number * 7) % len(asked)  # so that threads ask different things at once
                found = record(assistant, *asked[k])
                with lock:
                    done += 1
                    if found != alone[k]:
                        different.append(asked[k][0])
                    if done % (every // 8) == 0:
                        print(f"{done} of {every}: {resident():.0f} MB", flush=True)

        begun = time.perf_counter()
        with ThreadPoolExecutor(options.threads) as pool:
            list(pool.map(work, range(options.threads)))  # raises what a thread raised
        print(f"{every} by {options.threads} threads: {time.perf_counter() - begun:.0f} s, {len(different)} differ")
    for question in different:
        print(f"differs: {question}", file=sys.stderr)
    return bool(different)


if __name__ == "__main__":
    raise SystemExit(main())
