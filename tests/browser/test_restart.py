"""The server ends in the middle of an answer and comes back: the page says so, and nothing is lost."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Visit
from tests.conftest import ROOT

pytestmark = pytest.mark.browser


def serve(library: Path, port: int, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.browser.slow_server", str(library), str(port), *more]
    process = subprocess.Popen(command, cwd=ROOT)
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/alive").close()
            return process
        except OSError:
            assert process.poll() is None, "the server did not start"
            time.sleep(0.1)
    process.kill()
    raise AssertionError("the server did not answer")


def test_answer_broken_off_by_a_restart_is_told_and_kept(chromium: Any, tmp_path: Path) -> None:
    """The page tells that the server is gone; when it is back, question and partial answer are there, marked."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = serve(tmp_path / "library", port)
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    try:
        seen = Visit(context.new_page())
        page = seen.page
        seen.open(f"http://127.0.0.1:{port}/")
        page.fill("#question textarea", "What is in the note?")
        page.keyboard.press("Enter")
        page.wait_for_selector(".statement")
        page.wait_for_timeout(300)
        server.kill()
        server.wait()
        page.fill("#question textarea", "What I was typing")
        page.wait_for_selector("#banner:visible", timeout=20_000)
        assert "Your conversation is kept" in page.inner_text("#banner")
        seen.shot("r1-server-gone")
        server = serve(tmp_path / "library", port, "quick")
        page.wait_for_selector(".interrupted", timeout=30_000)
        assert page.inner_text(".turn h2") == "What is in the note?"
        assert "First part." in page.inner_text(".statement")
        page.wait_for_function("() => document.querySelector('#question textarea').value === 'What I was typing'")
        assert not page.is_visible("#banner")
        seen.shot("r2-interrupted")
        page.click("text=Ask again")
        page.wait_for_selector(".turn .sources")
        assert page.locator(".turn").count() == 1
        assert page.locator(".interrupted").count() == 0
    finally:
        context.close()
        server.kill()
        server.wait()
