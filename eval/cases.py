"""Read, write and add cases, and check them against the documents they speak of."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
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
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", remedy="Check the path of the cases.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8: {error}.", remedy="Cases are JSON Lines in UTF-8.") from error
    cases: list[Case] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            case = case_from_record(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"Line {number} of {path} is not a case: {type(error).__name__}: {error}.",
                remedy="Compare it with docs/evaluation.md.",
            ) from error
        if case.id in seen:
            raise ConfigError(f"Case {case.id!r} comes twice in {path}.", remedy="Give each case its own id.")
        seen.add(case.id)
        cases.append(case)
    return cases


def write_cases(path: Path, cases: Iterable[Case]) -> None:
    """Write cases as JSON Lines; the file is whole or as it was before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    with new.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(case_record(c), ensure_ascii=False) + "\n" for c in cases)
    new.replace(path)


def append_case(path: Path, case: Case) -> None:
    """Add one case to the end of a file of cases, which is made if it is missing.

    Args:
        path: The file, JSON Lines.
        case: The case; its id must be new to the file.

    Raises:
        ConfigError: The id is there already, or the file holds something else than cases.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and any(c.id == case.id for c in read_cases(path)):
        raise ConfigError(f"There is a case {case.id!r} in {path} already.", remedy="Give the new one another id.")
    line = json.dumps(case_record(case), ensure_ascii=False) + "\n"
    with path.open("ab+") as stream:
        if stream.tell() > 0:
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":  # somebody's editor left the last line open
                line = "\n" + line
        stream.write(line.encode("utf-8", errors="replace"))


def case_record(case: Case) -> dict[str, Any]:
    """Write a case as plain data; what is empty is left out, but for question, history, answerable and evidence."""
    record: dict[str, Any] = {
        "id": case.id,
        "question": case.question,
        "history": [list(turn) for turn in case.history],
        "answerable": case.answerable,
        "references": list(case.references),
        "evidence": [_evidence_record(e) for e in case.evidence],
        "tags": list(case.tags),
    }
    if case.conversation:
        record["conversation"] = case.conversation
    if case.rewrite:
        record["rewrite"] = case.rewrite
    if case.relevant:
        record["relevant"] = [list(pair) for pair in case.relevant]
    return record


def case_from_record(data: dict[str, Any]) -> Case:
    """Read a case from plain data.

    A turn of the history is `[question, answer]`, or the question alone.

    Raises:
        KeyError, TypeError, ValueError: Something is missing or of the wrong kind.
    """
    question = str(data["question"])
    if not question.strip():
        raise ValueError("the question is empty")
    answerable = data["answerable"]
    if not isinstance(answerable, bool):
        raise TypeError(f"answerable is {answerable!r}, not true or false")
    return Case(
        id=str(data["id"]),
        question=question,
        history=tuple(_turn(turn) for turn in data.get("history") or ()),
        answerable=answerable,
        references=_texts(data, "references"),
        evidence=tuple(_evidence(e) for e in data.get("evidence") or ()),
        tags=_texts(data, "tags"),
        conversation=str(data.get("conversation") or ""),
        rewrite=str(data.get("rewrite") or ""),
        relevant=tuple((str(source), int(grade)) for source, grade in data.get("relevant") or ()),
    )


def _texts(data: dict[str, Any], name: str) -> tuple[str, ...]:
    value = data.get(name) or []
    if isinstance(value, str):  # its letters are no references
        raise TypeError(f"{name} is a text, not a list of texts")
    return tuple(map(str, value))


def _turn(turn: Any) -> tuple[str, str]:
    if isinstance(turn, str):
        return turn, ""
    question, answer = turn
    return str(question), str(answer or "")


def _evidence(data: dict[str, Any]) -> Evidence:
    found = Evidence(
        str(data["source"]), str(data["quote"]), int(data["start"]), int(data["end"]), int(data.get("need", 0))
    )
    if not 0 <= found.start < found.end:
        raise ValueError(f"evidence from {found.start} to {found.end} is no span")
    return found


def _evidence_record(evidence: Evidence) -> dict[str, Any]:
    record: dict[str, Any] = {
        "source": evidence.source,
        "quote": evidence.quote,
        "start": evidence.start,
        "end": evidence.end,
    }
    if evidence.need:
        record["need"] = evidence.need
    return record


def find_quote(text: str, quote: str) -> tuple[int, int] | None:
    """Find a quote in a text, any run of white space equal to any other.

    Returns:
        Its `(start, end)`; `None` if it is not there or there more than once.
    """
    if not quote.strip():
        return None
    pattern = r"\s+".join(re.escape(word) for word in quote.split())
    found = [m.span() for m in re.finditer(pattern, text)]
    return found[0] if len(found) == 1 else None


def is_source(full: str, named: str) -> bool:
    """Whether a case's `named` source means the document with this `full` one: the same, or the end of its path."""
    return full == named or full.endswith((f"/{named}", f"!/{named}"))


def find_wrong_evidence(cases: list[Case], texts: Mapping[str, str]) -> list[str]:
    """Check every evidence span against the documents.

    Args:
        cases: The cases.
        texts: Text of each document, by source.

    Returns:
        A sentence for each span whose document is missing or does not say the quote there.
    """
    wrong = []
    named: dict[str, str | None] = {}
    for case in cases:
        for e in case.evidence:
            if e.source not in named:
                named[e.source] = next((t for source, t in texts.items() if is_source(source, e.source)), None)
            text = named[e.source]
            if text is None:
                wrong.append(f"{case.id}: there is no document {e.source!r}.")
            elif text[e.start : e.end] != e.quote:
                wrong.append(f"{case.id}: {e.source} does not say {e.quote[:60]!r} at {e.start}.")
    return wrong
