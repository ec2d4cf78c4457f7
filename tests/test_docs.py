"""The reference pages say what the code says, and the README's commands and links exist."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT
from ui.cli.settings_reference import settings_reference

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_settings_page_equals_the_code() -> None:
    """Run `python -m ui.cli.settings_reference > docs/settings.md` when this fails."""
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == settings_reference()


def test_abstention_page_equals_the_weights() -> None:
    """`python -m rag.reader.fit` writes both; neither may be changed alone."""
    import json

    from rag.reader.fit import render_page

    fitted = json.loads((ROOT / "rag" / "reader" / "weights.json").read_text(encoding="utf-8"))
    assert (ROOT / "docs" / "abstention.md").read_text(encoding="utf-8") == render_page(fitted)


def test_readme_names_only_files_that_exist() -> None:
    """Relative links and paths of scripts lead somewhere."""
    linked = re.findall(r"\]\((?!http|#)([^)]+)\)", README)
    linked += re.findall(r"\b(bench/\w+\.py|eval/golden/\w+\.jsonl)", README)
    assert linked
    assert [path for path in linked if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("target", ["install", "run", "test", "gate", "quality"])
def test_makefile_has_the_targets_of_the_readme(target: str) -> None:
    """A make target named in the README is one."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_readme_example_holds_on_the_samples(samples: object) -> None:
    """The answer printed in the README is the one that is given."""
    from rag import Assistant

    assert isinstance(samples, Assistant)
    question = re.search(r"\$ dossier ask \"([^\"]+)\"", README)
    assert question is not None
    answer = samples.ask(question.group(1))
    words = " ".join(README.split())
    for statement in answer.statements:
        assert statement.text in words
    for citation in answer.citations:
        assert citation.title in words


@pytest.fixture(scope="module")
def figures() -> Iterator[ModuleType]:
    """What writes the measured parts of the pages."""
    sys.path.insert(0, str(ROOT / "bench"))
    try:
        import readme_table

        yield readme_table
    finally:
        sys.path.remove(str(ROOT / "bench"))


def parts(page: str) -> dict[str, str]:
    """What stands between the marks of a page."""
    found = re.findall(r"^<!-- (\S+) -->\n(.*?)<!-- end \1 -->$", page, re.DOTALL | re.MULTILINE)
    assert len(found) == page.count("<!-- end ")
    return {name: text.strip("\n") for name, text in found}


def test_measured_parts_are_what_the_records_give(figures: ModuleType) -> None:
    """Run `python bench/readme_table.py` when this fails; no figure is typed by hand."""
    performance = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert parts(README) == figures.readme_sections()
    assert parts(performance) == figures.performance_sections()


def test_every_record_is_read_and_says_how_it_was_made() -> None:
    """Command, day, machine and versions, and nothing of the place it was made at."""
    records = sorted((ROOT / "bench" / "records").glob("*.json"))
    assert records
    for path in records:
        record = json.loads(path.read_text(encoding="utf-8"))
        assert record["bench"] == path.stem
        assert record["command"].startswith(f"python bench/{path.stem}.py")
        assert not re.search(r"/(?:home|root|tmp|work)/", json.dumps(record)), path
        assert record["machine"]["cores"] >= 1
        assert record["versions"]["chromadb"] != "not installed"
        assert re.match(r"\d{4}-\d\d-\d\dT", record["measured"])


FIGURES = {
    "cold_start": {
        "passages": [996, 904],
        "seconds": {
            "dossier ask": [[1.5, 2.0]],
            "LlamaIndex": [[9.0, 9.1]],
            "dossier --help": [[0.1, 0.1]],
            "import rag": [[0.1, 0.1]],
        },
    },
    "encoder": {
        "passages": 97,
        "cosine_to_original": {"mean": 0.993, "lowest": 0.987},
        "cosine_in_batch_to_alone": {"mean": 0.993, "lowest": 0.985},
        "seconds": {"ours": [1.0], "original": [3.0]},
    },
    "ingest": {
        name: {"passages": 100 * n, "seconds": 10.0, "word_pieces": 200.0, "pss": 6e8, "rss": 7e8, "processes": 1}
        for n, name in ((20, "Dossier"), (10, "LlamaIndex"), (22, "encoder alone"))
    },
    "sync": {
        "files": 10_000,
        "pages": 300,
        "embedded": {"all": 824, "a paragraph put in": 3, "a paragraph taken out": 2},
        "again": {
            "Dossier": [0.2],
            "LlamaIndex": [12.0],
            "LlamaIndex, no model": [4.0],
            "Dossier, the call": [0.1],
            "LlamaIndex, the call": [2.5],
        },
    },
    "scale": {
        "made": {"passages": 200_000, "base": 8_000, "seconds": {"lexical": 36.0}},
        "questions": 300,
        "measured": {
            "open_s": 1.3,
            "search_p50_ms": 13.5,
            "search_p95_ms": 18.8,
            "add_s": 0.29,
            "vectors_bytes": 4.8e8,
        },
    },
    "retrieval": [
        {"set": "nfcorpus", "method": method, "queries": 323, "measures": {"nDCG@10": [value, 0.3, 0.4]}}
        for method, value in (("BM25", 0.322), ("reranked", 0.363))
    ],
    "page": {"passages": 10_000, "targets": [{"target": "address", "value": 4.2, "limit": 5.0, "pass": True}]},
    "llm": {
        "sentences": 20,
        "delay_p50_ms": 140.0,
        "delay_p95_ms": 280.0,
        "unchecked_s": 5.0,
        "checked_s": 5.2,
        "added": 0.04,
        "unchecked_cpu_s": 1.0,
        "checked_cpu_s": 1.5,
    },
    "threads": {
        "questions": 50,
        "threads": 8,
        "alone_s": 20.0,
        "together_s": 90.0,
        "different": 0,
        "memory_mb": [500.0, 600.0],
    },
    "followup": {"conversations": {"pronoun": [28, 33], "ellipsis": [40, 47], "first": [56, 60]}},
}


def test_each_section_is_written_from_its_record_and_empty_without(figures: ModuleType, tmp_path: Path) -> None:
    """What a benchmark keeps is all that its sentence and its table need."""
    assert [mark for mark, text in figures.readme_sections(tmp_path).items() if text] == ["golden"]
    assert set(figures.performance_sections(tmp_path).values()) == {"Not measured for this version."}
    import record

    for name, measured in FIGURES.items():
        record.write_record(
            tmp_path / f"{name}.json", name, measured, ["/elsewhere/data", "--json", "x", "--limit", "4"]
        )
    readme = {mark: " ".join(text.split()) for mark, text in figures.readme_sections(tmp_path).items()}
    assert "/data --limit 4`" in readme["start-up"]
    assert "a question takes 1.5 s, 6.0 times as fast" in readme["start-up"]
    assert "| NFCorpus, nDCG@10 | .322 | **.363** |" in readme["retrieval"]
    assert "opens in 1.3 s" in readme["large"]
    assert "2.0 times as many passages a second" in readme["adding"]
    assert "91% of what the encoder alone does" in readme["adding"]
    assert "10,000 unchanged files in 0.2 s" in readme["syncing"]
    assert "embeds 2 to 3 passages" in readme["syncing"]
    assert "of 80 hand-written ones, 68 find" in readme["follow-ups"]
    pages = figures.performance_sections(tmp_path)
    assert "LlamaIndex takes 6.0 times as long" in pages["cold_start"]
    assert "ours is 3.00 times as fast" in pages["encoder"]
    assert "60 times as long" in pages["sync"]
    assert "pass  address" in pages["page"]
    assert "280 ms   limit 300" in pages["llm"]
    assert "0 of 400 answers differ" in pages["threads"]
    assert all("\n```\n" in text for text in pages.values())


_NUMBER = r"(?:\d[\d,.]*|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|fifty|hundred)"
MEASURED = re.compile(
    rf"(?<![\w.])(?:{_NUMBER}\s?(?:%|percent\b|ms\b|s\b|seconds?\b|minutes?\b|[KMGT]i?B\b|times\b)|0?\.\d\d+|"
    rf"{_NUMBER} (?:in|out of) {_NUMBER}\b|{_NUMBER} of (?:the )?\d+)",
    re.IGNORECASE,
)
"""A duration, size, share, ratio or score: what somebody must have measured. Counts, ports and versions are not."""


def loose_figures(page: str) -> list[str]:
    """Measured figures of a page outside of its generated parts and of code."""
    prose = re.sub(r"^<!-- (\S+) -->\n.*?<!-- end \1 -->$", "", page, flags=re.DOTALL | re.MULTILINE)
    prose = re.sub(r"^```.*?^```$|`[^`\n]+`|\]\([^)]*\)", "", prose, flags=re.DOTALL | re.MULTILINE)
    return [m.group() for m in MEASURED.finditer(prose)]


def test_readme_has_no_figure_without_a_record() -> None:
    """What is measured stands in a generated part, which the test above compares with its record."""
    assert loose_figures(README) == []
    assert loose_figures((ROOT / "docs" / "performance.md").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("a question takes 1.5 s", ["1.5 s"]),
        ("usable within ten seconds", ["ten seconds"]),
        ("6.0 times as fast, in 0.66 GB", ["6.0 times", "0.66 GB"]),
        ("nDCG@10 is .363, or 0.363; 82% of them", [".363", "0.363", "82%"]),
        ("four in five find it, 86 of 105", ["four in five", "86 of 105"]),
        ("Python 3.11 or newer, 6 layers, the first 30 passages, `0.85 s`", []),
        ("<!-- large -->\nopens in 1.3 s\n<!-- end large -->", []),
    ],
)
def test_rule_sees_measured_figures_and_nothing_else(sentence: str, found: list[str]) -> None:
    """The rule itself, on sentences with and without such figures."""
    assert loose_figures(sentence) == found
