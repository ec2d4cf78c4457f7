"""The page where people sign in, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Visit, start, stop
from ui.web.people import add_user

pytestmark = pytest.mark.browser


def enter(visit: Visit, url: str, name: str, password: str) -> None:
    visit.page.goto(url)
    visit.page.wait_for_selector("input[name=name]")
    visit.page.fill("input[name=name]", name)
    visit.page.fill("input[name=password]", password)
    visit.page.keyboard.press("Enter")


def test_people_sign_in_and_keep_to_themselves(chromium: Any, tmp_path: Path) -> None:
    """A wrong password is told; each sees their own conversations; who may only ask can change nothing."""
    users = tmp_path / "users.toml"
    add_user(users, "ada", "correct horse", "add")
    add_user(users, "bob", "battery staple", "ask")
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "mill.txt").write_text("The mill of Ambrel grinds oats on Thursdays.\n", encoding="utf-8")
    running = start(tmp_path / "library", "--docs", str(docs), "--auth", str(users))
    ada, bob = (chromium.new_context(viewport={"width": 1440, "height": 900}) for _ in range(2))
    try:
        seen = Visit(ada.new_page())
        enter(seen, running.url, "ada", "wrong password")
        seen.page.wait_for_selector("text=Name or password is wrong.")
        seen.shot("a1-sign-in")
        seen.page.fill("input[name=password]", "correct horse")
        seen.page.keyboard.press("Enter")
        seen.page.wait_for_selector("#conversation .welcome")
        seen.page.wait_for_function(
            "() => window.dossier && document.querySelectorAll('#library li').length === 1", timeout=60_000
        )
        assert seen.page.is_visible("#upload")
        seen.ask("What does the mill of Ambrel grind?")
        link = seen.page.url
        other = Visit(bob.new_page())
        enter(other, link, "bob", "battery staple")
        other.page.wait_for_selector("#conversation .welcome")  # not Ada's conversation
        other.page.wait_for_function("() => window.dossier")
        assert not other.page.is_visible("#upload")
        assert other.page.locator("#library [data-act=remove]").count() == 0
        other.page.click("#tab-talks")
        other.page.wait_for_selector("#talks-list >> text=No conversations yet")
        other.shot("a2-asker")
        other.page.click("form[action='/logout'] button")
        other.page.wait_for_selector("input[name=password]")
    finally:
        ada.close()
        bob.close()
        stop(running)
