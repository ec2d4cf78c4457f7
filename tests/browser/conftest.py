"""A real server over the samples, and a real Chromium in front of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from index.catalog import Catalog
from tests.conftest import ROOT, SAMPLES

BINARIES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
SHOTS = ROOT / "build" / "screenshots"
HOSTILE = """\
---
title: '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script> ${window.hacked=3} {{window.hacked=4}}'
date: 2026-08-01
---

# Notes on the Quillfeather lighthouse <svg onload="window.hacked=5">

The keeper of the Quillfeather lighthouse is Marta Oldwin <img src=x onerror=window.hacked=6> ${window.hacked=7}
`${window.hacked=8}` {{constructor.constructor('window.hacked=9')()}} <a href="javascript:window.hacked=10">of
Brackhaven</a>"><script>window.hacked=11</script>.

</mark></p></article><iframe srcdoc="<script>parent.hacked=12</script>"></iframe><style>body{display:none}</style>
"""


@dataclass
class Served:
    """A running server: its address, the folder of its documents and that of its library."""

    url: str
    docs: Path
    library: Path
    process: subprocess.Popen[str]
    output: list[str] = field(default_factory=list)


def start(library: Path, *more: str) -> Served:
    """Start a server on a free port and wait until it says where it is."""
    command = [sys.executable, "-m", "ui.cli", "--library", str(library), "ui", "--port", "0", *more]
    process = subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=1
    )
    assert process.stdout is not None
    served = Served("", library, library, process)
    for line in process.stdout:
        served.output.append(line)
        if "http://" in line:
            served.url = line[line.index("http://") :].split()[0]
            break
    else:
        pytest.fail(f"the server did not start: {''.join(served.output)}")
    threading.Thread(target=lambda: served.output.extend(process.stdout or ()), daemon=True).start()
    return served


def stop(served: Served, seconds: float = 10) -> int:
    """Ask a server to end; gives its exit status."""
    served.process.send_signal(signal.SIGTERM)
    try:
        return served.process.wait(seconds)
    except subprocess.TimeoutExpired:
        served.process.kill()
        raise


def _wait_for_vectors(library: Path) -> None:
    """Wait until everything is read and embedded: what is found by its words only is answered less well."""
    catalog = Catalog(library / "catalog.sqlite")
    for _ in range(1_200):
        if catalog.count()[0] > 12 and not catalog.count_pending():
            break
        time.sleep(0.1)
    else:
        pytest.fail("the documents were not read in two minutes")
    catalog.close()


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """The page over the samples and a hostile document."""
    with tempfile.TemporaryDirectory() as folder:
        docs = Path(folder) / "docs"
        shutil.copytree(SAMPLES, docs)
        (docs / "hostile.md").write_text(HOSTILE, encoding="utf-8")
        running = start(Path(folder) / "library", "--docs", str(docs))
        running.docs = docs
        _wait_for_vectors(running.library)
        yield running
        stop(running)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser; without one the tests are skipped, or fail if DOSSIER_REQUIRE_BROWSER is 1."""
    binary = next((found for name in BINARIES if (found := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        binary = None
    if binary is None:
        said = "no Chromium or no playwright: apt-get install chromium, pip install playwright"
        if os.environ.get("DOSSIER_REQUIRE_BROWSER") == "1":
            pytest.fail(said)
        pytest.skip(said)
    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=FLAGS)
        yield browser
        browser.close()


_LEAVING = "the page is being left"
_CUT_OFF = ("AbortError: signal is aborted", "Unexpected error Connection errored out")


class Visit:
    """One tab, and what was seen in it. `page` is Playwright's. Requests to other machines are noted and go nowhere.

    A page that is left while the server works for it (it may be looking for suggestions) has its stream closed by
    Gradio, which then complains of that to the console: between leaving and the next page this is no complaint.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        page.route(lambda url: urlsplit(url).hostname not in (None, "127.0.0.1"), lambda route: route.abort())
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self._leaving = False
        page.add_init_script(f"window.addEventListener('beforeunload', () => console.debug('{_LEAVING}'))")
        page.on("framenavigated", self._arrive)
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note)

    def _arrive(self, frame: Any) -> None:
        if frame == self.page.main_frame:
            self._leaving = False

    def _listen(self, message: Any) -> None:
        if message.text == _LEAVING:
            self._leaving = True
        if self._leaving and message.text.startswith(_CUT_OFF):
            return
        # Chromium's remark on a machine too busy to use within seconds what the page named; test_assets sees to that.
        if message.type in ("error", "warning") and "was preloaded using link preload but not" not in message.text:
            self.complaints.append(message.text)

    def _note(self, request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob"):
            self.hosts.add(address.hostname or "")

    def open(self, url: str) -> None:
        self.page.goto(url)
        try:
            self.page.wait_for_selector("#conversation .welcome, #conversation .turn")
            self.page.wait_for_function("() => window.dossier")
        except Exception as error:
            raise AssertionError(f"the page did not come up: {self.complaints}") from error

    def ask(self, question: str) -> Any:
        """Ask and wait for the whole answer; gives its turn."""
        self.page.fill("#question textarea", question)
        self.page.keyboard.press("Enter")
        asked = (
            "asked => { const turn = [...document.querySelectorAll('.turn')].at(-1);"
            " return turn?.querySelector('h2').textContent === asked"
            " && turn.querySelector('.sources, .abstained, .problem, .reply')"
            " && !document.querySelector('#question .stop-button'); }"
        )
        ends = time.monotonic() + 60
        while True:
            try:
                self.page.wait_for_function(asked, arg=question, timeout=5_000)
                break
            except Exception as error:
                field = self.page.input_value("#question textarea")
                if time.monotonic() > ends:
                    last = self.page.evaluate("() => [...document.querySelectorAll('.turn')].at(-1)?.textContent")
                    said = f"no answer to {question!r}; the field holds {field!r}, the last turn {last!r}"
                    raise AssertionError(f"{said}; {self.complaints}") from error
                # Gradio takes no question in the moment between the last answer's end and its own word of it, which
                # is long on a busy machine; the question stays in the field, and a reader presses Enter again.
                if field == question:
                    self.page.keyboard.press("Enter")
        return self.page.locator(".turn").last

    def shot(self, name: str) -> None:
        """Keep a picture for people to look at, taken once nothing moves."""
        self.page.wait_for_timeout(250)
        self.page.screenshot(path=SHOTS / f"{name}.png")


@pytest.fixture(params=[None])
def visit(request: pytest.FixtureRequest, chromium: Any, served: Served) -> Iterator[Visit]:
    """A fresh tab on the page; in the end nothing may have been asked of another host or complained of."""
    context = chromium.new_context(**({"viewport": {"width": 1440, "height": 900}} | (request.param or {})))
    seen = Visit(context.new_page())
    seen.open(served.url)
    yield seen
    hacked = seen.page.evaluate("() => window.hacked")
    context.close()
    assert seen.hosts == {"127.0.0.1"}
    assert seen.complaints == []
    assert hacked is None
