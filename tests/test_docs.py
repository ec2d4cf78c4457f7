"""The reference pages say what the code says, and the README's commands and links exist."""

from __future__ import annotations

import re

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
