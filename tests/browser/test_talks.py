"""Everything a person does with conversations and answers, in a real browser."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests import llm_servers as servers
from tests.browser.conftest import Served, Visit

pytestmark = pytest.mark.browser

PATROL = "Which patrol vessel escorted the Perrin Dawn to Port Ansel?"
CRANE = "How many people were injured when the crane fell?"
WIDE = {"viewport": {"width": 1440, "height": 900}, "permissions": ["clipboard-read", "clipboard-write"]}


def toast(page: Any) -> str:
    page.wait_for_selector(".toast")
    return str(page.locator(".toast").last.inner_text())


def clipboard(page: Any) -> str:
    return str(page.evaluate("() => navigator.clipboard.readText()"))


@pytest.mark.parametrize("visit", [WIDE], indirect=True)
def test_conversations_are_listed_found_renamed_deleted_and_resumed(visit: Visit) -> None:
    """The list holds what was asked; a deleted conversation comes back with one click."""
    page = visit.page
    visit.ask(PATROL)
    page.click("#new")
    page.wait_for_selector(".welcome")
    visit.ask(CRANE)
    page.click("#tab-talks")
    page.wait_for_selector("#talks-list .talks li")
    page.fill("#talks-search", "crane fell")
    page.wait_for_function("() => !document.querySelector('#talks-list').innerText.includes('Perrin Dawn')")
    row = page.locator("#talks-list li", has_text="crane fell").first
    row.hover()
    row.locator("[data-act=ask-rename]").click()
    page.wait_for_selector("dialog[open]")
    page.fill("dialog input[name=title]", "The accident <b>")
    visit.shot("t1-rename")
    page.keyboard.press("Enter")
    page.wait_for_selector("#talks-list >> text=The accident <b>")
    row = page.locator("#talks-list li", has_text="The accident").first
    row.hover()
    row.locator("[data-act=delete]").click()
    page.wait_for_selector(".welcome")
    assert page.locator("#talks-list", has_text="The accident").count() == 0
    visit.shot("t2-deleted")
    page.click(".toast button")
    page.wait_for_selector("#talks-list >> text=The accident <b>")
    page.locator("#talks-list .open", has_text="The accident").first.click()
    page.wait_for_selector(f".turn >> text={CRANE}")
    assert page.locator("button.cite").count() > 2
    page.fill("#talks-search", "")
    page.wait_for_selector("#talks-list li[aria-current]")
    visit.shot("t3-conversations")


@pytest.mark.parametrize("visit", [WIDE], indirect=True)
def test_conversation_is_shared_and_exported(visit: Visit) -> None:
    """A link shows the conversation as it was to whoever opens it, and going on does not change the original."""
    page = visit.page
    visit.ask(PATROL)
    first = page.url
    page.click("[data-act=share]")
    assert "Link copied" in toast(page)
    link = clipboard(page)
    assert "/?s=" in link
    with page.expect_download() as download:
        page.click("[data-act=export]")
    text = download.value.path().read_text(encoding="utf-8")
    assert text.startswith(f"# {PATROL}")
    assert "[^1]:" in text
    visit.open(link)
    assert PATROL in page.inner_text(".turn h2")
    visit.ask("And where was she escorted?")
    assert page.locator(".turn").count() == 2
    visit.open(first)
    assert page.locator(".turn").count() == 1


@pytest.mark.parametrize("visit", [WIDE], indirect=True)
def test_answer_is_copied_rated_explained_and_made_a_test(visit: Visit, served: Served) -> None:
    """What stands under an answer does what it says."""
    page = visit.page
    turn = visit.ask(CRANE)
    turn.locator("[data-act=copy]").click()
    assert toast(page) == "Copied."
    copied = clipboard(page)
    assert "[1]" in copied
    assert "Crane falls on North Pier" in copied
    turn.locator("[data-act=copy-markdown]").click()
    page.wait_for_function("() => navigator.clipboard.readText().then((text) => text.includes('[^1]:'))")
    turn.locator("[data-act=bad]").click()
    page.wait_for_selector("dialog[open]")
    page.fill("dialog textarea", "It gives a time of day first.")
    visit.shot("t4-rate")
    page.click("dialog .primary")
    page.wait_for_selector(".toast >> text=Kept with the conversation")
    turn.locator("details.why summary").click()
    why = turn.locator("details.why").inner_text()
    for words in ("Question as searched", "documents", "meaning", "offline reader", "total"):
        assert words in why
    turn.locator("details.why .found-list button").first.scroll_into_view_if_needed()
    visit.shot("t5-why")
    turn.locator("[data-act=ask-test]").click()
    page.wait_for_selector("dialog[open]")
    page.fill("dialog input[name=reference]", "nine")
    page.locator("dialog .check", has_text="Nine people").locator("input").check()
    visit.shot("t6-test")
    page.click("dialog .primary")
    page.wait_for_selector(".toast >> text=Saved.")
    case = json.loads((served.library / "cases.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert case["references"] == ["nine"]
    assert "Nine people were injured." in [e["quote"] for e in case["evidence"]]


@pytest.mark.parametrize("visit", [WIDE], indirect=True)
def test_question_is_tried_again_edited_and_suggested(visit: Visit) -> None:
    """Trying again and editing take the place of an answer, and what was there stays in the list of conversations."""
    page = visit.page
    turn = visit.ask(CRANE)
    turn.locator("[data-act=retry]").click()
    page.wait_for_selector("#question .stop-button", timeout=3_000, state="attached")
    page.wait_for_selector(".turn .sources")
    assert page.locator(".turn").count() == 1
    page.locator(".turn [data-act=ask-edit]").click()
    page.wait_for_selector("dialog[open]")
    page.fill("dialog textarea[name=question]", PATROL)
    visit.shot("t7-edit")
    page.click("dialog .primary")
    page.wait_for_selector(f".turn h2 >> text={PATROL}")
    page.wait_for_selector(".turn .sources")
    assert page.locator(".turn").count() == 1
    visit.ask("And where was she escorted?")
    page.locator(".turn [data-act=ask-edit]").first.click()
    page.wait_for_selector("dialog[open] >> text=1 question comes after this one")
    page.fill("dialog textarea[name=question]", CRANE)
    page.click("dialog .primary")
    page.wait_for_selector(f".turn h2 >> text={CRANE}")
    page.wait_for_selector(".kept")
    assert page.locator(".turn").count() == 1
    page.locator(".kept").scroll_into_view_if_needed()
    visit.shot("t7-edited-earlier")
    page.click(".kept button")
    page.wait_for_selector(f".turn h2 >> text={PATROL}")
    assert page.locator(".turn").count() == 2
    page.click("#new")
    page.wait_for_selector(".welcome .suggested button", timeout=60_000)
    visit.shot("t8-suggested")
    wanted = page.locator(".suggested button").first.inner_text()
    page.locator(".suggested button").first.click()
    page.wait_for_selector(".turn .sources", timeout=30_000)  # a suggestion was checked: it is answered
    assert page.inner_text(".turn h2") == wanted


def test_settings_are_changed_tried_and_saved(visit: Visit, served: Served) -> None:
    """The test button says what is wrong before anything is saved; what is saved writes the next answer."""
    page = visit.page
    page.click("[data-act=settings]")
    page.wait_for_selector("dialog[open]")
    assert not page.is_visible("dialog input[name=llm_url]")
    page.click("[data-act=try-settings]")
    page.wait_for_selector("#tested .tried li >> nth=2", timeout=30_000)
    assert page.locator("#tested .failed").count() == 0
    visit.shot("t9-settings")
    page.select_option("dialog select[name=llm]", "openai-like")
    with servers.serving(servers.saying("The Petrel escorted the Perrin Dawn to Port Ansel. [1]")) as server:
        page.fill("dialog input[name=llm_url]", server.url)
        page.fill("dialog input[name=llm_model]", "missing-model")
        server.reply = servers.failing(404)
        page.click("[data-act=try-settings]")
        page.wait_for_selector("#tested .failed", timeout=30_000)
        visit.shot("t9-settings-wrong")
        page.fill("dialog input[name=llm_model]", "test-model")
        server.reply = servers.saying("The Petrel escorted the Perrin Dawn to Port Ansel. [1]")
        page.click("[data-act=try-settings]")
        page.wait_for_selector("#tested .well >> text=test-model", timeout=30_000)
        assert not (served.library / "dossier.toml").exists()
        page.click("dialog .primary")
        page.wait_for_selector(".toast >> text=Saved in dossier.toml")
        assert 'llm_model = "test-model"' in (served.library / "dossier.toml").read_text(encoding="utf-8")
        turn = visit.ask(PATROL)
        assert "test-model" in turn.locator("details.why").inner_text() or "test-model" in turn.inner_html()
        page.click("[data-act=settings]")
        page.wait_for_selector("dialog[open]")
        page.select_option("dialog select[name=llm]", "")
        page.click("dialog .primary")
        page.wait_for_selector("dialog", state="detached")
    assert page.evaluate("() => document.activeElement.dataset.act") == "settings"
    assert "offline reader" in visit.ask(CRANE).locator("details.why").inner_html()


def test_keys_do_what_the_help_says(visit: Visit) -> None:
    """Every key of the list: question, citations, search, zoom, help, new conversation; panes are moved by arrows."""
    page = visit.page
    visit.ask(CRANE)
    page.keyboard.press("Escape")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open] kbd")
    visit.shot("t10-help")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("j")
    page.wait_for_function("() => document.activeElement.className === 'cite'")
    page.keyboard.press("Enter")
    page.wait_for_selector("#source mark")
    first = page.inner_text("#source .cites span")
    page.keyboard.press("j")
    page.wait_for_function("old => document.querySelector('#source .cites span')?.innerText !== old", arg=first)
    page.keyboard.press("k")
    page.wait_for_function("old => document.querySelector('#source .cites span')?.innerText === old", arg=first)
    before = page.evaluate("() => getComputedStyle(document.querySelector('#source .text')).fontSize")
    page.keyboard.press("+")
    assert page.evaluate("() => getComputedStyle(document.querySelector('#source .text')).fontSize") != before
    page.keyboard.press("-")
    page.keyboard.press("f")
    assert page.evaluate("() => document.activeElement.name") == "query"
    page.keyboard.press("Escape")
    width = page.evaluate("() => document.querySelector('#library-pane').offsetWidth")
    page.focus("#split-library")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("() => document.querySelector('#library-pane').offsetWidth") == width + 24
    page.keyboard.press("ArrowLeft")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("n")
    page.wait_for_selector(".welcome")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("/")
    assert page.evaluate("() => document.activeElement.tagName") == "TEXTAREA"


@pytest.mark.parametrize("visit", [{"viewport": {"width": 390, "height": 700}}], indirect=True)
def test_reader_who_scrolls_away_is_left_there_until_the_next_question(visit: Visit) -> None:
    """What is added below pulls the conversation along, unless the wheel was turned; a new question comes on top."""
    page = visit.page
    top = "() => document.querySelector('#conversation').scrollTop"
    place = "() => [...document.querySelectorAll('.turn h2')].at(-1).getBoundingClientRect().top"
    visit.ask(CRANE)
    page.wait_for_selector("#next button", timeout=60_000)
    page.wait_for_timeout(300)
    assert 0 < page.evaluate(place) < 160
    turn = visit.ask("Who is Lucan Feldray?")  # questions to go on with are found for it, too
    page.wait_for_timeout(300)
    start = page.evaluate(top)
    page.mouse.move(195, 350)
    page.mouse.wheel(0, -400)
    page.wait_for_function(f"() => ({top})() <= {start} - 300")
    page.wait_for_timeout(300)  # until it no longer moves
    before = page.evaluate(top)
    page.wait_for_selector("#next button", timeout=60_000)
    page.wait_for_timeout(300)
    assert page.evaluate(top) == before
    turn.locator("details.why summary").click()
    visit.ask(CRANE)
    page.wait_for_timeout(300)
    assert 0 < page.evaluate(place) < 160
