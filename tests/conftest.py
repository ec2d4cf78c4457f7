"""Shared fixtures: small libraries on the fake encoder, and one real one over the samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from index.library import Library
from rag.assistant import Assistant
from tests.fakes import FakeEncoder

settings.register_profile("dossier", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("dossier")

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "samples" / "strait"
DATA = Path(__file__).parent / "data"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An empty library on the fake encoder."""
    with Library.open(tmp_path / "library", encoder=FakeEncoder()) as opened:
        yield opened


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """An assistant with the shipped encoder over the sample collection; tests must not change its library."""
    with Assistant.open(tmp_path_factory.mktemp("samples") / "library") as assistant:
        report = assistant.add(SAMPLES)
        assert not report.failed
        yield assistant
