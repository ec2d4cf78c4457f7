"""Eight threads on one assistant with the shipped models: `python bench/threads.py [--json FILE]`.

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

from record import write_record

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
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep a record of all figures there")
    options = parser.parse_args()
    cases = sorted(read_cases(GOLDEN), key=lambda c: not c.history)[: options.questions]
    asked = [(c.question, Conversation.from_pairs(list(c.history)) if c.history else None) for c in cases]
    every = options.threads * len(asked)
    with tempfile.TemporaryDirectory() as folder, Assistant.open(Path(folder) / "library") as assistant:
        assistant.add(ROOT / "samples" / "strait")
        begun = time.perf_counter()
        alone = [record(assistant, *one) for one in asked]
        alone_s, memory = time.perf_counter() - begun, [resident()]
        print(f"{len(asked)} one after the other: {alone_s:.0f} s, {memory[0]:.0f} MB", flush=True)
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
                        memory.append(resident())
                        print(f"{done} of {every}: {memory[-1]:.0f} MB", flush=True)

        begun = time.perf_counter()
        with ThreadPoolExecutor(options.threads) as pool:
            list(pool.map(work, range(options.threads)))  # raises what a thread raised
        figures = {
            "questions": len(asked), "threads": options.threads, "alone_s": alone_s,
            "together_s": time.perf_counter() - begun, "different": len(different), "memory_mb": memory,
        }  # fmt: skip
    print(table(figures))
    if options.json is not None:
        write_record(options.json, "threads", figures)
    for question in different:
        print(f"differs: {question}", file=sys.stderr)
    return bool(different)


def table(figures: dict[str, Any]) -> str:
    """What was measured, to be read."""
    count, threads, memory = figures["questions"], figures["threads"], figures["memory_mb"]
    return "\n".join(
        (
            f"{count} questions one after the other   {figures['alone_s']:.0f} s, then {memory[0]:.0f} MB",
            f"{threads} threads, {count} questions each     {figures['together_s']:.0f} s, {figures['different']} of "
            f"{threads * count} answers differ",
            f"MB after each eighth of them          {' '.join(f'{m:.0f}' for m in memory[1:])}",
        )
    )


if __name__ == "__main__":
    raise SystemExit(main())
