"""A run's folder: `run.json` says what was asked of whom, `cases.jsonl` repeats the cases, `outputs.jsonl` and
`scores.jsonl` grow line by line.

`run.json` and `cases.jsonl` are written once, when the run begins. The other two are only ever added to, so that a
killed run goes on where it was; of several lines for the same thing the last one counts. A line that a kill cut short
is taken away when the run goes on, and passed over when it is only read.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from eval.cases import case_record, read_cases, write_cases
from eval.records import output_from_record, output_record, score_from_record, score_record
from eval.types import Case, Output, Score
from index.errors import ConfigError

_SAME = ("system", "config", "dossier", "cases_sha256", "seed")
"""What has to be the same for a run to be continued."""


class RunFolder:
    """The files of one run.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, about: dict[str, Any], cases: Sequence[Case]) -> None:
        """Make the folder, or go on with the same run in it.

        Args:
            about: What the run is: `system`, `config`, `dossier`, `seed` and whatever else is worth knowing.
            cases: All cases of the run.

        Raises:
            ConfigError: The folder holds another run.
        """
        about = {**about, "cases_sha256": digest(cases), "count": len(cases), "cases": [_card(c) for c in cases]}
        about = json.loads(json.dumps(about, ensure_ascii=False, default=str))
        file = self.path / "run.json"
        if file.exists():
            there = self.about()
            other = [name for name in _SAME if there.get(name) != about.get(name)]
            if other:
                raise ConfigError(
                    f"{self.path} holds another run: its {' and '.join(other)} differ.",
                    remedy="Name another folder with --out, or remove this one.",
                )
            for name in ("outputs.jsonl", "scores.jsonl"):
                _cut_open_line(self.path / name)
            return
        if (self.path / "outputs.jsonl").exists():
            raise ConfigError(f"{self.path} holds outputs but no run.json.", remedy="Name another folder with --out.")
        self.path.mkdir(parents=True, exist_ok=True)
        write_cases(self.path / "cases.jsonl", cases)
        new = file.with_name("run.json.new")
        new.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        new.replace(file)

    def about(self) -> dict[str, Any]:
        """What `run.json` says.

        Raises:
            ConfigError: There is no run here, or its file is damaged.
        """
        file = self.path / "run.json"
        try:
            about = json.loads(file.read_text(encoding="utf-8"))
            if not isinstance(about, dict) or not isinstance(about.get("cases"), list):
                raise ValueError("it lists no cases")
        except OSError as error:
            raise ConfigError(
                f"There is no run in {self.path}: run.json cannot be read ({error.strerror}).",
                remedy="Name the folder that `dossier eval run --out` wrote.",
            ) from error
        except ValueError as error:
            raise ConfigError(f"{file} is damaged: {error}.", remedy="Run again into another folder.") from error
        return about

    def cards(self) -> list[Case]:
        """The cases as `run.json` lists them: without texts, but with id, conversation, depth, tags."""
        return [
            Case(c["id"], "?", (("", ""),) * (int(c["depth"]) - 1), c["answerable"], tags=tuple(c["tags"]),
                 conversation=c["conversation"])
            for c in self.about()["cases"]
        ]  # fmt: skip

    def cases(self) -> list[Case]:
        """The cases with their texts.

        Raises:
            ConfigError: They were not kept.
        """
        if not (self.path / "cases.jsonl").exists():
            raise ConfigError(
                f"{self.path} was kept without its texts.", remedy="Run it again to see cases and answers."
            )
        return read_cases(self.path / "cases.jsonl")

    def outputs(self) -> dict[str, Output]:
        """The latest output of each case that has one."""
        return {o.case: o for o in map(output_from_record, self._lines("outputs.jsonl"))}

    def output_rows(self) -> list[dict[str, Any]]:
        """The latest row of each case as it stands in the file, texts or not."""
        return list({row["case"]: row for row in self._lines("outputs.jsonl")}.values())

    def scores(self) -> list[Score]:
        """The latest score of each case and metric."""
        latest = {(s.case, s.metric): s for s in map(score_from_record, self._lines("scores.jsonl"))}
        return list(latest.values())

    def add_output(self, output: Output) -> None:
        """Add an output."""
        self._add("outputs.jsonl", [output_record(output)])

    def add_scores(self, scores: Iterable[Score]) -> None:
        """Add scores."""
        self._add("scores.jsonl", map(score_record, scores))

    def _add(self, name: str, records: Iterable[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records)
        with (self.path / name).open("ab") as stream:
            stream.write(lines.encode("utf-8", errors="replace"))

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        file = self.path / name
        if not file.exists():
            return
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if not line.endswith(b"\n"):
                    return  # cut short by a kill
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise ConfigError(
                        f"Line {number} of {file} is damaged: {error}.", remedy="Remove the line and run again."
                    ) from error


def digest(cases: Sequence[Case]) -> str:
    """SHA-256 over all that is asked and right."""
    whole = hashlib.sha256()
    for case in cases:
        whole.update(json.dumps(case_record(case), ensure_ascii=True, sort_keys=True).encode())
    return whole.hexdigest()


def _card(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "conversation": case.cluster,
        "depth": case.depth,
        "answerable": case.answerable,
        "tags": list(case.tags),
    }


def _cut_open_line(file: Path) -> None:
    """Take away the end of a file that is no whole line."""
    if not file.exists():
        return
    with file.open("rb+") as stream:
        stream.seek(0, os.SEEK_END)
        end = stream.tell()
        while end > 0:
            step = min(end, 65_536)
            stream.seek(end - step)
            at = stream.read(step).rfind(b"\n")
            if at >= 0:
                stream.truncate(end - step + at + 1)
                return
            end -= step
        stream.truncate(0)
