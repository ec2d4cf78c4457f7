"""A run that is killed goes on where it was, and ends as one that was not."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from eval import RunFolder, evaluate, write_cases
from eval.types import Case
from tests.conftest import ROOT

COUNT = 300
PROGRAM = """
import sys, time
from pathlib import Path
from eval import evaluate

def ask(question, history):
    time.sleep(0.01)
    if question.endswith("7"):
        raise ValueError("sevens are beyond me")
    return f"The answer to {question} is {len(question)}."

evaluate(Path(sys.argv[1]), ask, Path(sys.argv[2]), jobs=3)
"""


def make_cases(path: Path) -> None:
    write_cases(
        path, [Case(f"c{n}", f"number {n}", references=("9", "8"), conversation=f"t{n // 4}") for n in range(COUNT)]
    )


@pytest.mark.crash
def test_killed_ten_times_it_ends_with_the_same_scores(tmp_path: Path) -> None:
    """SIGKILL at random moments; then the scores are those of a run left in peace, byte for byte."""
    make_cases(tmp_path / "cases.jsonl")

    def start(out: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / "cases.jsonl"), str(tmp_path / out)]
        return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)

    rng, kills, outputs = random.Random(11), 0, tmp_path / "killed" / "outputs.jsonl"
    seen = []
    while kills < 10:
        before = outputs.stat().st_size if outputs.exists() else 0
        process = start("killed")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if outputs.exists() and outputs.stat().st_size > before:
                break
            time.sleep(0.002)
        time.sleep(rng.random() * 0.08)
        if process.poll() is None:
            process.kill()
            kills += 1
        process.wait()
        seen.append(len(outputs.read_bytes().splitlines()))
        if kills == 5:  # a kill in the middle of a write
            with outputs.open("ab") as stream:
                stream.write(b'{"case": "c1", "sec')
        if process.returncode == 0:
            break
    assert kills == 10, "it finished before it was killed ten times"
    assert seen[0] < COUNT
    assert start("killed").wait() == 0
    assert start("whole").wait() == 0
    killed, whole = RunFolder(tmp_path / "killed"), RunFolder(tmp_path / "whole")
    assert len(killed.outputs()) == COUNT
    assert len(outputs.read_bytes().splitlines()) == COUNT  # nothing was asked twice
    assert (killed.path / "scores.jsonl").read_bytes() == (whole.path / "scores.jsonl").read_bytes()


def test_scores_cut_short_are_completed(tmp_path: Path) -> None:
    """A kill while scoring leaves a part of the scores; the rest follows, nothing twice."""
    cases = [Case(f"c{n}", "q", references=("q",)) for n in range(5)]
    evaluate(cases, lambda q, h: q, tmp_path)
    file = tmp_path / "scores.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2 + 7])
    evaluate(cases, lambda q, h: q, tmp_path)
    assert sorted(file.read_bytes().splitlines()) == sorted(whole.splitlines())
