"""Cases are read, written and added whole, and wrong ones are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.cases import append_case, is_source, read_cases, write_cases
from eval.types import Case, Evidence
from index.errors import ConfigError

FULL = Case(
    "a", "Why?", (("What?", "That."), ("Where?", "")), True, ("Because.",), (Evidence("x.txt", "Be\ncause", 3, 11, 1),),
    ("why",), "talk", "Why is that?", (("x.txt", 2),),
)  # fmt: skip


def test_case_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """Every field survives, characters beyond ASCII and line separators inside a text, too."""
    other = Case("b", "Wo\u2028hin – \x85 über?", answerable=False)
    write_cases(tmp_path / "cases.jsonl", [FULL, other])
    assert read_cases(tmp_path / "cases.jsonl") == [FULL, other]


def test_appended_case_stands_on_a_line_of_its_own(tmp_path: Path) -> None:
    """The file is made with its folder; a last line without an end is ended first."""
    path = tmp_path / "new" / "cases.jsonl"
    append_case(path, FULL)
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n"), encoding="utf-8")
    append_case(path, Case("b", "q"))
    assert [c.id for c in read_cases(path)] == ["a", "b"]
    with pytest.raises(ConfigError, match="a case 'b'"):
        append_case(path, Case("b", "q"))


def test_history_may_be_questions_alone(tmp_path: Path) -> None:
    """A turn is a pair or a question."""
    (tmp_path / "c").write_text(
        '{"id": 1, "question": "q", "answerable": true, "history": ["a", ["b", "c"], ["d", null]]}'
    )
    assert read_cases(tmp_path / "c")[0].history == (("a", ""), ("b", "c"), ("d", ""))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ('"question": "q", "answerable": "no"', "not true or false"),
        ('"question": " ", "answerable": true', "question is empty"),
        ('"question": "q", "answerable": true, "references": "yes"', "not a list"),
        (
            '"question": "q", "answerable": true, "evidence": [{"source": "a", "quote": "b", "start": 3, "end": 3}]',
            "span",
        ),
    ],
)
def test_field_of_the_wrong_kind_is_named(tmp_path: Path, fields: str, reason: str) -> None:
    """What a careless hand writes is refused, not read as something else."""
    (tmp_path / "c").write_text(f'{{"id": "a", {fields}}}')
    with pytest.raises(ConfigError, match=reason):
        read_cases(tmp_path / "c")


def test_source_is_the_whole_or_the_end_of_a_path() -> None:
    """Document 1 is not document 11."""
    assert is_source("11", "11")
    assert not is_source("11", "1")
    assert is_source("/data/notes/a.txt", "notes/a.txt")
    assert not is_source("/data/aa.txt", "a.txt")
