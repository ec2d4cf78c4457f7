"""Accessibility by axe-core, and the page on desktop and phone, light and dark: nothing serious, nothing cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import Visit, start, stop
from tests.conftest import DATA
from ui.web.people import add_user

pytestmark = pytest.mark.browser

CRANE = "How many people were injured when the crane fell?"
PIER = "How much of the work on the North Pier had been completed on the day of the inspection?"
NOWHERE = "Who won the football world cup in Brazil?"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LOOKS = {
    f"{name}-{scheme}": {
        "viewport": size,
        "color_scheme": scheme,
        "has_touch": size is PHONE,
        "reduced_motion": "reduce",
    }
    for name, size in (("desktop", DESKTOP), ("phone", PHONE))
    for scheme in ("light", "dark")
}


def audit(page: Any, where: str) -> None:
    """Fail on what axe-core finds serious or critical."""
    from axe_playwright_python.base import AXE_SCRIPT

    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    serious = [
        f"{where}: {v['id']} ({v['impact']}): {[(n['html'][:160], n['failureSummary'][:260]) for n in v['nodes'][:3]]}"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == [], "\n".join(serious)


def fits(page: Any) -> bool:
    return bool(page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"))


class Look:
    """One look of the page: keeps a picture of each view, and audits it.

    Args:
        visit: The tab.
        name: Such as `phone-dark`.
    """

    def __init__(self, visit: Visit, name: str) -> None:
        self.visit, self.page, self.name = visit, visit.page, name
        self.phone = name.startswith("phone")

    def seen(self, view: str) -> None:
        self.visit.shot(f"look-{self.name}-{view}")
        assert fits(self.page), view
        audit(self.page, view)

    def assert_question_in_sight(self) -> None:
        """The last question is below the top of the conversation, and all of its answer seen or the question on top."""
        self.page.wait_for_timeout(250)
        where = self.page.evaluate(
            """() => {
                const talk = document.querySelector('#conversation'), box = talk.getBoundingClientRect();
                const turn = [...document.querySelectorAll('.turn')].at(-1).getBoundingClientRect();
                return { top: turn.top - box.top, hidden: turn.bottom - box.bottom };
            }"""
        )
        assert where["top"] >= 0, where
        assert where["top"] < 40 or where["hidden"] <= 0, where

    def open_library(self) -> None:
        if self.phone:
            self.page.click("#top-bar .menu")
            self.page.wait_for_timeout(250)

    def shut_library(self) -> None:
        if self.phone:
            self.page.keyboard.press("Escape")
            self.page.wait_for_timeout(250)

    def dialog(self, button: str, view: str) -> None:
        """Open a dialog by its button, look at it, and close it."""
        self.page.locator(button).last.click()
        self.page.wait_for_selector("dialog[open]")
        self.seen(view)
        self.page.keyboard.press("Escape")
        self.page.wait_for_selector("dialog", state="detached")


ALL = pytest.mark.parametrize(
    ("visit", "look"), [(v, k) for k, v in LOOKS.items()], indirect=["visit"], ids=list(LOOKS)
)


@ALL
def test_answers_and_sources_are_accessible_and_fit(visit: Visit, look: str) -> None:
    """Start, answer with disagreement, card, explanation, abstention, source as text and page, replaced answer."""
    it, page = Look(visit, look), visit.page
    page.wait_for_selector("#next button", timeout=60_000)
    it.seen("01-start")
    turn = visit.ask(CRANE)
    it.seen("02-answer")
    turn.locator(".marks button.cite").first.focus()
    page.wait_for_function("() => document.querySelector('#hover-card').style.display === 'block'")
    card = page.locator("#hover-card").bounding_box()
    assert card["x"] >= 0
    assert card["x"] + card["width"] <= page.viewport_size["width"]
    it.seen("03-card")
    page.evaluate("() => document.activeElement.blur()")
    turn.locator(".differs").scroll_into_view_if_needed()
    it.seen("04-disagreement")
    turn.locator("details.why summary").click()
    it.seen("05-why")
    turn.locator("button.cite").first.click()
    page.wait_for_selector("#source mark")
    it.seen("06-text")
    page.fill("#source .find input", "the")
    page.keyboard.press("Enter")
    page.wait_for_selector("#source .found.now")
    it.seen("07-search")
    page.click("#source .close")
    visit.ask(NOWHERE)
    it.assert_question_in_sight()
    it.seen("08-abstention")
    visit.ask(PIER)
    it.assert_question_in_sight()
    page.locator("button.cite[aria-label*='page']").last.click()
    page.wait_for_function("() => document.querySelector('#source img')?.naturalWidth > 0")
    it.seen("09-pdf")
    page.click("#source .close")
    page.locator("[data-act=retry]").first.click()
    page.wait_for_selector(".kept", timeout=60_000)
    page.locator(".kept").scroll_into_view_if_needed()
    it.seen("10-kept")


@ALL
def test_library_and_dialogs_are_accessible_and_fit(visit: Visit, look: str) -> None:
    """Documents, filter, choice, failed upload, removal with undo, conversations, and every dialog."""
    it, page = Look(visit, look), visit.page
    visit.ask(CRANE)
    it.open_library()
    it.seen("20-library")
    page.fill("#filter input, #filter textarea", "type=pdf")
    page.wait_for_selector("#filter-note >> text=Asking only")
    it.seen("21-filter")
    page.fill("#filter input, #filter textarea", "colour=blue")
    page.wait_for_selector("#filter-note .problem")
    it.seen("22-filter-wrong")
    page.fill("#filter input, #filter textarea", "")
    page.wait_for_function("() => document.querySelectorAll('#library li').length > 10")
    page.locator("#library li input").nth(1).check()
    page.wait_for_selector("#chosen-note >> text=Asking 1 of")
    it.seen("23-chosen")
    page.click("[data-act=choose-all]")
    with page.expect_file_chooser() as chooser:
        page.click("#upload")
    chooser.value.set_files([str(DATA / "bad" / "truncated.pdf"), str(DATA / "bad" / "unknown.xyz")])
    page.wait_for_function("() => document.querySelectorAll('#outcomes .failed').length === 2")
    page.wait_for_selector("#outcomes [data-act=clear-outcomes]")
    it.seen("24-upload-failed")
    page.click("#outcomes [data-act=clear-outcomes]")
    assert page.locator("#outcomes li").count() == 0
    before = int(page.inner_text("#library .count"))
    row = page.locator("#library li", has_text="Twelve hulls")
    row.hover()
    row.locator("[data-act=remove]").click()
    page.wait_for_function("n => Number(document.querySelector('#library .count').innerText) === n - 1", arg=before)
    visit.shot(f"look-{look}-25-removed")  # no audit: the toast stands for ten seconds only
    page.click(".toast button")
    page.wait_for_function("n => Number(document.querySelector('#library .count').innerText) === n", arg=before)
    page.click("#tab-talks")
    page.wait_for_selector("#talks-list .talks li")
    it.seen("26-conversations")
    it.dialog("#talks-list [data-act=ask-rename]", "27-rename")
    page.click("#tab-documents")
    it.shut_library()
    page.click("[data-act=share]")
    page.wait_for_selector(".toast")
    it.seen("28-shared")
    for act in ("ask-test", "ask-edit", "bad", "help"):
        it.dialog(f"[data-act={act}]", f"29-{act}")
    page.click("[data-act=settings]")
    page.wait_for_selector("dialog[open]")
    page.select_option("dialog select[name=llm]", "openai-like")
    it.seen("30-settings")
    page.click("dialog .primary")  # a model without a name: refused, and said in the dialog
    page.wait_for_selector("dialog .refused >> text=llm_model is empty")
    it.seen("31-settings-refused")


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Addresses of a page over an empty library, and of one where people sign in."""
    folder = tmp_path_factory.mktemp("doors")
    add_user(folder / "users.toml", "ada", "correct horse", "add")
    empty = start(folder / "empty")
    closed = start(folder / "closed", "--auth", str(folder / "users.toml"))
    yield empty.url, closed.url
    stop(empty)
    stop(closed)


@pytest.mark.parametrize("look", LOOKS)
def test_first_run_and_sign_in_are_accessible_and_fit(chromium: Any, doors: tuple[str, str], look: str) -> None:
    """What somebody sees first: an empty library, or the question who they are, also with a wrong password."""
    context = chromium.new_context(**LOOKS[look])
    visit = Visit(context.new_page())
    it, page = Look(visit, look), visit.page
    visit.open(doors[0])
    it.seen("40-first-run")
    page.goto(doors[1])
    page.wait_for_selector("input[name=password]")
    it.seen("41-sign-in")
    page.fill("input[name=name]", "ada")
    page.fill("input[name=password]", "wrong password")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Name or password is wrong.")
    it.seen("42-sign-in-wrong")
    context.close()
