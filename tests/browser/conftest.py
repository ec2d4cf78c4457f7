"""A real server in a process of its own, and a real Chromium."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import ROOT, SAMPLES

SHOTS = ROOT / "build" / "screenshots"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


def find_chromium() -> str | None:
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        if os.environ.get("DOSSIER_REQUIRE_BROWSER") == "1":
            pytest.fail("No Chromium is installed, and DOSSIER_REQUIRE_BROWSER=1 forbids skipping.")
        pytest.skip("No Chromium is installed. On Debian or Ubuntu: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Server:
    """`dossier ui` as a person starts it, on a free port."""

    def __init__(self, library: Path, docs: Path | None) -> None:
        command = [sys.executable, "-m", "ui.cli", "--library", str(library), "ui", "--port", "0"]
        if docs is not None:
            command += ["--docs", str(docs)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = re.search(r"http://\S+", line)
            if found:
                self.url = found.group()
                break
        else:
            pytest.fail("the server ended before it printed its address")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def server(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("page") / "library", SAMPLES)
    yield started
    started.stop()


class Visit:
    """A visit to the page: what it asked for and what its console said is kept."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)
        page.wait_for_selector("#question textarea")
        page.wait_for_selector("#library h2")

    def ask(self, question: str) -> None:
        """Ask and wait for the whole answer."""
        turns = self.page.locator("#conversation .turn").count()
        self.page.fill("#question textarea", question)
        self.page.press("#question textarea", "Enter")
        done = "ol.sources, .abstained, .problem, .answer p"
        self.page.wait_for_function(
            f"([n]) => {{ const t = document.querySelectorAll('#conversation .turn'); "
            f"return t.length > n && t[n].querySelector('{done}') && !t[n].querySelector('.waiting') "
            f"&& (t[n].querySelector('ol.sources') || t[n].querySelector('.abstained, .problem')); }}",
            arg=[turns],
        )

    def shoot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_timeout(300)
        self.page.screenshot(path=SHOTS / f"{name}.png")


@pytest.fixture
def visit(chromium: Browser, server: Server) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(30_000)
    yield Visit(context.new_page(), server.url)
    context.close()
