"""What checking costs beside a language model that writes 30 tokens a second: `python bench/llm.py [--json FILE]`.

Two measures: how long after a sentence's last token its checked event comes, and by how much checking makes the whole
answer longer, against the same answers with `grounding = "off"`. Processor time is given as well, for a busy machine
makes the clock say more than the work is.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from record import write_record

from rag import Assistant, Sentence
from rag.settings import AnswerSettings
from tests.llm_servers import Handler, passages_of, serving

ROOT = Path(__file__).parent.parent
LIMITS = {"delay_p50_ms": 300, "delay_p95_ms": 300, "added": 0.10}
QUESTIONS = (
    "How many people were injured when the crane fell?",
    "When will the pier be finished?",
    "What happened to the Lantern cable?",
    "How much does the programme cost?",
    "How many patrol vessels are there?",
)


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--rate", type=float, default=30.0, help="tokens a second")
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--json", type=Path, metavar="FILE", help="keep a record of all figures there")
    chosen = options.parse_args()
    finished: list[tuple[str, float]] = []  # each sentence and when its last token was sent

    def reply(h: Handler, messages: list[dict[str, Any]]) -> None:
        """Five sentences of the passages, lightly reworded so that they are no verbatim copies."""
        h.begin()
        due = time.perf_counter()
        for number, body in list(passages_of(messages).items())[:5]:
            found = re.search(r"[A-Z][^.!?\n#*|]{40,200}[.]", body)
            if found is None:
                continue
            text = "According to the record, " + " ".join(found[0].split()) + f" [{number}] "
            pieces = re.findall(r"\s*\S{1,6}", text)  # about a token each
            for piece in pieces:
                due += 1 / chosen.rate
                time.sleep(max(0.0, due - time.perf_counter()))
                h.event({"content": piece})
            finished.append((text, time.perf_counter()))
        h.end()

    def run(grounding: str) -> tuple[list[float], list[float], float]:
        delays, totals, used = [], [], 0.0
        with serving(reply) as server:
            settings = AnswerSettings(llm="openai-like", llm_url=server.url, llm_model="bench", grounding=grounding)
            with Assistant.open(library, settings=settings) as assistant:
                assistant.warm_up()
                list(assistant.stream(QUESTIONS[0]))
                for question in QUESTIONS * chosen.rounds:
                    finished.clear()
                    begun, cpu, count = time.perf_counter(), time.process_time(), 0
                    for event in assistant.stream(question):
                        if isinstance(event, Sentence) and count < len(finished):
                            delays.append(time.perf_counter() - finished[count][1])
                            count += 1
                    totals.append(time.perf_counter() - begun)
                    used += time.process_time() - cpu
        return delays, totals, used / len(totals)

    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        with Assistant.open(library) as assistant:
            assistant.add(ROOT / "samples" / "strait")
        _, plain, base = run("off")
        delays, checked, used = run("flag")
    delays.sort()
    figures = {
        "sentences": len(delays),
        "delay_p50_ms": 1000 * statistics.median(delays),
        "delay_p95_ms": 1000 * delays[max(0, round(0.95 * len(delays)) - 1)],
        "unchecked_s": statistics.median(plain),
        "checked_s": statistics.median(checked),
        "added": statistics.median(c - p for c, p in zip(checked, plain, strict=True)) / statistics.median(plain),
        "unchecked_cpu_s": base,
        "checked_cpu_s": used,
    }
    print(table(figures))
    if chosen.json is not None:
        write_record(chosen.json, "llm", figures)
    missed = [name for name, limit in LIMITS.items() if figures[name] > limit]
    print(f"missed: {', '.join(missed)}" if missed else "all targets met")
    return bool(missed)


def table(figures: dict[str, Any]) -> str:
    """What was measured, to be read."""
    cpu = f"{figures['unchecked_cpu_s']:.2f} s unchecked, {figures['checked_cpu_s']:.2f} s checked"
    found = {
        "sentences checked": f"{figures['sentences']}",
        "last token to event, median": f"{figures['delay_p50_ms']:.0f} ms   limit {LIMITS['delay_p50_ms']:.0f}",
        "last token to event, p95": f"{figures['delay_p95_ms']:.0f} ms   limit {LIMITS['delay_p95_ms']:.0f}",
        "whole answer unchecked, median": f"{figures['unchecked_s']:.2f} s",
        "whole answer checked, median": f"{figures['checked_s']:.2f} s",
        "added by checking, median of pairs": f"{figures['added']:.1%}   limit {LIMITS['added']:.0%}",
        "processor time an answer": cpu,
    }
    return "\n".join(f"{name:<38}{value}" for name, value in found.items())


if __name__ == "__main__":
    raise SystemExit(main())
