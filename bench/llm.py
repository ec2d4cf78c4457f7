"""What checking costs beside a language model: `python bench/llm.py` (its server writes 30 tokens a second).

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

from rag import Assistant, Sentence
from rag.settings import AnswerSettings
from tests.llm_servers import Handler, passages_of, serving

ROOT = Path(__file__).parent.parent
QUESTIONS = (
    "How many people were injured when the crane fell?",
    "When will the pier be finished?",
    "What happened to the Lantern cable?",
    "How much does the programme cost?",
    "How many patrol vessels are there?",
)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rate", type=float, default=30.0, help="tokens a second")
    options.add_argument("--rounds", type=int, default=2)
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
    p95 = delays[max(0, round(0.95 * len(delays)) - 1)]
    print(f"sentences checked                     {len(delays)}")
    print(f"last token to event, median           {1000 * statistics.median(delays):.0f} ms")
    print(f"last token to event, p95              {1000 * p95:.0f} ms")
    print(f"whole answer unchecked, median        {statistics.median(plain):.2f} s")
    print(f"whole answer checked, median          {statistics.median(checked):.2f} s")
    added = statistics.median(c - p for c, p in zip(checked, plain, strict=True))
    print(f"added by checking, median of pairs    {100 * added / statistics.median(plain):.1f} %")
    print(f"processor time an answer              {base:.2f} s unchecked, {used:.2f} s checked")


if __name__ == "__main__":
    main()
