"""Read cases and check them against the documents they speak of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.types import Case, Evidence
from index.errors import ConfigError


def read_cases(path: Path) -> list[Case]:
    """Read a JSON Lines file of cases.

    Raises:
        ConfigError: The file is missing, a line is not a case, or an id comes twice; the line is named.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", remedy="Check the path of the cases.") from error
    cases: list[Case] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            case = _case(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"Line {number} of {path} is not a case: {type(error).__name__}: {error}.",
                remedy="Compare it with eval/golden/README.md.",
            ) from error
        if case.id in seen:
            raise ConfigError(f"Case {case.id!r} comes twice in {path}.", remedy="Give each case its own id.")
        seen.add(case.id)
        cases.append(case)
    return cases


def _case(data: dict[str, Any]) -> Case:
    return Case(
        id=str(data["id"]),
        question=str(data["question"]),
        history=tuple((str(q), str(a)) for q, a in data.get("history", [])),
        answerable=bool(data["answerable"]),
        references=tuple(map(str, data.get("references", []))),
        evidence=tuple(
            Evidence(e["source"], e["quote"], int(e["start"]), int(e["end"])) for e in data.get("evidence", [])
        ),
        tags=tuple(data.get("tags", [])),
    )


def append_case(path: Path, case: Case) -> None:
    """Add a case to a file of cases; the file is made if it is missing.

    Raises:
        ConfigError: The file holds something else, a case of this id, or cannot be written.
    """
    known = {c.id for c in read_cases(path)} if path.exists() else set()
    if case.id in known:
        raise ConfigError(f"Case {case.id!r} is in {path} already.", remedy="Give it another id.")
    record = {
        "id": case.id,
        "question": case.question,
        "history": [list(pair) for pair in case.history],
        "answerable": case.answerable,
        "references": list(case.references),
        "evidence": [{"source": e.source, "quote": e.quote, "start": e.start, "end": e.end} for e in case.evidence],
        "tags": list(case.tags),
    }
    try:
        ends = not path.exists() or path.read_bytes()[-1:] in (b"", b"\n")
        with path.open("a", encoding="utf-8") as file:
            file.write(("" if ends else "\n") + json.dumps(record, ensure_ascii=False) + "\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.", remedy="Make room, or free it.") from error


def find_quote(text: str, quote: str) -> tuple[int, int] | None:
    """Find a quote in a text, any run of white space equal to any other.

    Returns:
        Its `(start, end)`; `None` if it is not there or there more than once.
    """
    pattern = r"\s+".join(re.escape(word) for word in quote.split())
    found = [m.span() for m in re.finditer(pattern, text)]
    return found[0] if len(found) == 1 else None


def find_wrong_evidence(cases: list[Case], texts: Mapping[str, str]) -> list[str]:
    """Check every evidence span against the documents.

    Args:
        cases: The cases.
        texts: Text of each document, by source.

    Returns:
        A sentence for each span whose document is missing or does not say the quote there.
    """
    wrong = []
    for case in cases:
        for e in case.evidence:
            text = next((t for source, t in texts.items() if source.endswith(e.source)), None)
            if text is None:
                wrong.append(f"{case.id}: no document ends in {e.source!r}.")
            elif text[e.start : e.end] != e.quote:
                wrong.append(f"{case.id}: {e.source} does not say {e.quote[:60]!r} at {e.start}.")
    return wrong
