"""Accessibility by axe-core, and the page on desktop and phone, light and dark: nothing serious, nothing cut off."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import Visit

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


@pytest.mark.parametrize(("visit", "look"), [(v, k) for k, v in LOOKS.items()], indirect=["visit"], ids=list(LOOKS))
def test_every_view_is_accessible_and_fits(visit: Visit, look: str) -> None:
    """Start, answer with disagreement, abstention, source as page and text, conversations, dialogs."""
    page, phone = visit.page, look.startswith("phone")

    def seen(name: str) -> None:
        visit.shot(f"look-{look}-{name}")
        assert fits(page), name
        audit(page, name)

    seen("1-start")
    visit.ask(CRANE)
    seen("2-answer")
    page.locator("button.cite").first.click()
    page.wait_for_selector("#source mark")
    seen("3-text")
    page.click("#source .close")
    visit.ask(NOWHERE)
    seen("4-abstention")
    visit.ask(PIER)
    page.locator("button.cite[aria-label*='page']").last.click()
    page.wait_for_function("() => document.querySelector('#source img')?.naturalWidth > 0")
    seen("5-pdf")
    page.click("#source .close")
    if phone:
        page.click("#top-bar .menu")
        page.wait_for_timeout(250)
        seen("6-library")
    page.click("#tab-talks")
    page.wait_for_selector("#talks-list .talks li")
    seen("7-conversations")
    page.click("#tab-documents")
    if phone:
        page.keyboard.press("Escape")
    page.locator(".turn [data-act=ask-test]").last.click()
    page.wait_for_selector("dialog[open]")
    seen("8-dialog")
