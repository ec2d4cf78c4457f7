"""The pages on quality and evaluation say what the code and the kept runs say."""

from __future__ import annotations

import json
import re
import sys

import pytest

from eval import RunFolder, read_cases, summarise
from eval.cases import case_from_record
from eval.gate import against_floors, overall, read_floors
from eval.metrics import BY_NAME
from eval.reference import with_table
from eval.store import digest
from tests.conftest import ROOT
from ui.cli.parser import build_parser

GUIDE = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
QUALITY = (ROOT / "docs" / "quality.md").read_text(encoding="utf-8")
KEPT = ROOT / "eval" / "runs" / "golden-dossier"


def test_table_of_metrics_equals_the_code() -> None:
    """Run `python -m eval.reference` when this fails."""
    assert with_table(GUIDE) == GUIDE
    assert "nDCG@10" in GUIDE


def test_commands_of_the_guide_are_accepted() -> None:
    """Every `dossier eval` line parses."""
    commands = re.findall(r"^dossier (eval .*?)(?:\s+#.*)?$", GUIDE, re.MULTILINE)
    assert len(commands) >= 8
    for command in commands:
        build_parser().parse_args(command.split())


def test_example_case_of_the_guide_is_one() -> None:
    """With every field that a case has."""
    example = re.search(r"```json\n(.*?)\n```", GUIDE)
    assert example is not None
    case = case_from_record(json.loads(example.group(1)))
    assert (case.depth, case.evidence[0].source, case.relevant) == (2, "fleet.pdf", (("fleet.pdf", 2),))
    assert case.rewrite
    assert case.conversation
    assert case.tags
    assert case.references


def test_readme_figures_come_from_the_kept_run() -> None:
    """Value, interval and floor of each; `python bench/quality.py DATA --parts golden` writes all."""
    table = re.search(r"<!-- golden -->\n(.*?)<!-- end golden -->", README, re.DOTALL)
    assert table is not None
    rows = re.findall(
        r"^\| ([a-z_@0-9]+) \| ([\d.]+) \| ([\d.]+)–([\d.]+) \| ([\d.]+) \|$", table.group(1), re.MULTILINE
    )
    report, floors = summarise(RunFolder(KEPT)), read_floors(ROOT / "eval" / "golden" / "floors.json")
    assert {name for name, *_ in rows} == set(floors)
    by_name = {s.metric: s for s in report.summaries}
    for name, value, low, high, floor in rows:
        s = by_name[name]
        assert s.value is not None
        assert s.low is not None
        assert s.high is not None
        assert [f"{x:.3f}" for x in (s.value, s.low, s.high)] == [value, low, high], name
        assert float(floor) == floors[name]


def test_kept_run_is_of_the_golden_set_and_whole() -> None:
    """The cases are the ones in the project, all were asked, and the floors hold."""
    folder = RunFolder(KEPT)
    assert folder.about()["cases_sha256"] == digest(read_cases(ROOT / "eval" / "golden" / "samples.jsonl"))
    report = summarise(folder)
    assert (report.asked, report.errors) == (report.cases, 0)
    assert overall(against_floors(report, read_floors(ROOT / "eval" / "golden" / "floors.json"))) == "pass"


def test_quality_page_says_what_the_kept_runs_say() -> None:
    """The golden table, and the two systems side by side."""
    sys.path.insert(0, str(ROOT / "bench"))
    try:
        import quality
        import side_by_side
    finally:
        sys.path.remove(str(ROOT / "bench"))
    assert quality.golden_table() in QUALITY
    assert side_by_side.section(ROOT / "eval" / "runs" / "golden-llamaindex", KEPT) in QUALITY


def test_kept_runs_hold_no_texts() -> None:
    """Only figures are kept, as some sets may not be passed on."""
    for path in (ROOT / "eval" / "runs").rglob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not {"answer", "hits", "question", "quote"} & json.loads(line).keys()


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_metric_has_a_group_and_says_what_it_is(name: str) -> None:
    """In a line."""
    assert BY_NAME[name].group
    assert 5 < len(BY_NAME[name].about) < 80
