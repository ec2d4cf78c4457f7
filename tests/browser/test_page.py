"""The page as a person meets it, in a real browser against a real server."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Served, Visit, start, stop
from tests.conftest import DATA

pytestmark = pytest.mark.browser

PATROL = "Which patrol vessel escorted the Perrin Dawn to Port Ansel?"
PIER = "How much of the work on the North Pier had been completed on the day of the inspection?"
NOWHERE = "Who won the football world cup in Brazil?"
KEEPER = "Who is the keeper of the Quillfeather lighthouse?"
MARKER = "button.cite >> nth=-1"


def marked(page: Any) -> str:
    return str(page.evaluate("() => [...document.querySelectorAll('#source mark')].map(m => m.textContent).join('')"))


def in_view(page: Any, selector: str) -> bool:
    """Whether the middle of an element's first line can be seen: it is what a click there would meet."""
    return bool(
        page.evaluate(
            """selector => {
                // A mark may begin in hidden markup.
                const e = [...document.querySelectorAll(selector)].find((x) => x.getClientRects().length);
                const r = e.getClientRects()[0];
                const hit = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
                return e === hit || e.contains(hit) || !!hit?.closest('.sheet');
            }""",
            selector,
        )
    )


def yellow_share(page: Any) -> float:
    """Of the dark pixels on and just beside the quote's lines, the share that the boxes cover, in the page image."""
    return float(
        page.evaluate(
            """async () => {
                const image = document.querySelector('#source .sheet img');
                const canvas = document.createElement('canvas');
                [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
                const draw = canvas.getContext('2d', { willReadFrequently: true });
                draw.drawImage(image, 0, 0);
                const boxes = [...document.querySelectorAll('#source .sheet .box')].map((b) => ({
                    left: parseFloat(b.style.left) / 100 * canvas.width,
                    top: parseFloat(b.style.top) / 100 * canvas.height,
                    width: parseFloat(b.style.width) / 100 * canvas.width,
                    height: parseFloat(b.style.height) / 100 * canvas.height }));
                let inside = 0, around = 0;
                for (const box of boxes) {
                    const dark = (x, y, w, h) => {
                        const whole = [x, y, Math.max(1, w), h].map(Math.round);
                        const { data } = draw.getImageData(...whole);
                        let n = 0;
                        for (let i = 0; i < data.length; i += 4) if (data[i] + data[i + 1] + data[i + 2] < 300) n += 1;
                        return n;
                    };
                    inside += dark(box.left, box.top, box.width, box.height);
                    // Just above and below a line there is paper, or its letters are cut off.
                    around += dark(box.left, box.top - 2, box.width, 2);
                    around += dark(box.left, box.top + box.height + 1, box.width, 2);
                }
                return boxes.length && inside > 200 ? inside / (inside + around) : 0;
            }"""
        )
    )


def test_citation_leads_to_the_exact_words(visit: Visit) -> None:
    """Clicking a marker opens its document with exactly the quote marked and in view; Escape goes back to it."""
    page = visit.page
    visit.shot("1-welcome")
    turn = visit.ask(PATROL)
    assert "Petrel" in turn.inner_text()
    visit.shot("2-answer")
    marker = turn.locator("button.cite").last
    start, end = int(marker.get_attribute("data-start")), int(marker.get_attribute("data-end"))
    marker.click()
    page.wait_for_selector("#source mark")
    page.wait_for_timeout(200)
    assert end - start == len(marked(page))
    assert " ".join(marked(page).split()) == marker.get_attribute("data-quote")
    assert in_view(page, "#source mark")
    assert f"characters {start:,}–{end:,}" in page.inner_text("#source header")
    visit.shot("3-source-text")
    page.keyboard.press("Escape")
    assert not page.is_visible("#source-pane")
    assert marker.evaluate("e => e === document.activeElement")


def test_keyboard_alone_is_enough(visit: Visit) -> None:
    """Tab reaches a marker and shows its card, Enter opens the source."""
    page = visit.page
    turn = visit.ask("How many people were injured when the crane fell?")
    turn.locator("button.cite").first.focus()
    page.keyboard.press("Tab")
    page.wait_for_function("() => document.querySelector('#hover-card').style.display === 'block'")
    focused = page.locator("button.cite:focus")
    assert page.inner_text("#hover-card q").strip("“”") == focused.get_attribute("data-quote")
    visit.shot("4-card")
    page.keyboard.press("Enter")
    page.wait_for_selector("#source mark")
    assert page.evaluate("() => document.activeElement.id") == "source"


def test_pdf_citation_shows_the_page_with_boxes(visit: Visit) -> None:
    """A PDF opens as a picture of the cited page with boxes over the quote; pages turn, and the text is there too."""
    page = visit.page
    turn = visit.ask(PIER)
    marker = turn.locator("button.cite[aria-label*='page']").first
    marker.click()
    page.wait_for_function("() => document.querySelector('#source img')?.naturalWidth > 0")
    assert page.locator("#source .box").count() >= 1
    assert in_view(page, "#source .box")
    visit.shot("5-source-pdf")
    assert yellow_share(page) > 0.97
    page.click("#source [aria-label='Next page']")
    page.wait_for_selector("#source img[src$='/2.png']")
    assert page.locator("#source .box").count() == 0
    page.click("#source .views >> text=Text")
    page.wait_for_selector("#source mark")
    assert " ".join(marked(page).split()) == marker.get_attribute("data-quote")
    visit.shot("6-source-pdf-text")


def test_changed_pdf_is_shown_as_the_text_it_had(visit: Visit, served: Served) -> None:
    """When the file on disk is no longer what was added, its pages cannot be trusted; the stored text can."""
    page = visit.page
    name = "2026-06-15-authority-fact-sheet.pdf"
    (served.docs / name).write_bytes((served.docs / "2026-04-24-north-pier-inspection.pdf").read_bytes())
    page.locator("#library button.open", has_text="questions and answers").click()
    page.wait_for_selector("#source .aside")
    assert page.locator("#source a[download]").count() == 0
    assert "has changed since it was added" in page.inner_text("#source .aside")
    assert "Fact sheet" in page.inner_text("#source .text")
    assert page.locator("#source img").count() == 0


def test_abstention_looks_different_and_offers_what_is_nearest(visit: Visit) -> None:
    """No answer is said to be none; the nearest passages open in the source panel."""
    page = visit.page
    turn = visit.ask(NOWHERE)
    assert "Not in these documents" in turn.inner_text()
    assert turn.locator("button.cite").count() == 0
    assert 1 <= turn.locator(".nearest button").count() <= 3
    visit.shot("7-abstention")
    turn.locator(".nearest button").first.click()
    page.wait_for_selector("#source :is(mark, .box):visible")  # a mark may begin in hidden markup
    assert in_view(page, "#source :is(mark, .box)")


def test_follow_up_stays_in_its_conversation_and_resumes_by_link(visit: Visit, served: Served) -> None:
    """A conversation has an address; opening it again shows all its turns, with working citations."""
    page = visit.page
    visit.ask(PATROL)
    visit.ask("And where was she escorted?")
    assert page.locator(".turn").count() == 2
    link = page.url
    assert "?c=" in link
    page.click("#new")
    page.wait_for_selector(".welcome")
    assert "?c=" not in page.url
    visit.open(link)
    assert page.locator(".turn").count() == 2
    page.locator("button.cite").first.click()
    page.wait_for_selector("#source :is(mark, .box)")


def test_uploads_are_added_and_can_be_asked_about(visit: Visit, served: Served, tmp_path: Path) -> None:
    """Each file has its own outcome: one that cannot be read says why and what to do, and stops no other."""
    page = visit.page
    good = tmp_path / "orchard <b>notes.txt"
    good.write_text("The Vellamere orchard grows forty-three kinds of apple on its southern slope.\n", encoding="utf-8")
    odd = tmp_path / "music.xyz"
    odd.write_bytes(b"\x00\x01")
    files = [DATA / "bad" / "truncated.pdf", odd, good]
    with page.expect_file_chooser() as chooser:
        page.click("#upload")
    chooser.value.set_files([str(file) for file in files])
    page.wait_for_function("() => document.querySelectorAll('#outcomes li:is(.added, .failed)').length === 3")
    assert page.locator("#outcomes .failed").count() == 2
    assert "Supported endings" in page.inner_text("#outcomes")
    assert page.locator("#outcomes .added").count() == 1
    assert page.locator("#outcomes b b").count() == 0
    page.wait_for_function("() => document.querySelector('#library .count').innerText === '14'")
    visit.shot("8-uploads")
    assert "forty-three" in visit.ask("How many kinds of apple does the Vellamere orchard grow?").inner_text()
    kept = list((served.library / "uploads").iterdir())
    assert [file.read_bytes() for file in kept] == [good.read_bytes()]


def test_hostile_document_executes_nothing(visit: Visit) -> None:
    """Markup, scripts and template signs in a title, a quote or a question stay words, wherever they are shown."""
    page = visit.page
    turn = visit.ask(KEEPER)
    marker = turn.locator("button.cite").first
    marker.hover()
    page.wait_for_function("() => document.querySelector('#hover-card').style.display === 'block'")
    assert "<img src=x" in page.inner_text("#hover-card")
    visit.shot("9-hostile")
    marker.click()
    page.wait_for_selector("#source mark")
    assert "${window.hacked" in page.inner_text("#source")
    turn = visit.ask('<img src=x onerror="window.hacked=20"> ${window.hacked=21} {{window.hacked=22}} lighthouse?')
    assert "<img src=x" in turn.inner_text()
    page.reload()
    page.wait_for_selector(".turn")
    page.wait_for_timeout(300)
    assert page.evaluate("() => window.hacked") is None
    assert page.locator("#house iframe, #house a[href^='javascript']").count() == 0


def test_problem_is_told_with_its_remedy(visit: Visit) -> None:
    """An error is a calm message in the conversation, and the question is still there to be changed."""
    turn = visit.ask("long " * 2000)
    assert "the limit is 4,000" in turn.inner_text()
    assert "Shorten it" in turn.inner_text()
    assert "Traceback" not in visit.page.content()
    assert visit.page.input_value("#question textarea").startswith("long long")


@pytest.mark.parametrize("visit", [{"viewport": {"width": 390, "height": 844}, "has_touch": True}], indirect=True)
def test_narrow_screen_has_no_sideways_scroll(visit: Visit) -> None:
    """At the width of a phone the library is a drawer and the source a sheet, and nothing is wider than the screen."""
    page = visit.page
    fits = "() => document.documentElement.scrollWidth <= window.innerWidth"
    assert not page.is_visible("#library")
    visit.shot("m1-welcome")
    page.click("#top-bar .menu")
    page.wait_for_selector("#library", state="visible")
    page.wait_for_timeout(300)
    visit.shot("m2-library")
    assert page.evaluate(fits)
    page.keyboard.press("Escape")
    visit.ask("How many people were injured when the crane fell?")
    page.wait_for_timeout(300)
    assert in_view(page, ".turn:nth-last-child(1 of .turn) h2")  # a long answer does not push its question away
    turn = visit.ask(PIER)
    visit.shot("m3-answer")
    assert page.evaluate(fits)
    turn.locator("button.cite").first.click()
    page.wait_for_function("() => document.querySelector('#source img')?.naturalWidth > 0")
    visit.shot("m4-source")
    assert page.evaluate(fits)
    page.click("#source .close")
    assert not page.is_visible("#source-pane")


@pytest.mark.parametrize("visit", [{"color_scheme": "dark", "viewport": {"width": 1440, "height": 900}}], indirect=True)
def test_dark_follows_the_system(visit: Visit) -> None:
    """Who asked the system for dark gets dark: light words on a dark ground, and the quote still marked."""
    page = visit.page
    visit.shot("d1-welcome")
    visit.ask(PATROL)
    page.locator(MARKER).click()
    page.wait_for_selector("#source mark")
    visit.shot("d2-source")
    ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert max(ground[:3]) < 60


def test_other_names_and_sites_are_turned_away(served: Served) -> None:
    """Another web site cannot reach the documents under its own name or from its own pages."""
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        request = urllib.request.Request(f"{served.url}gradio_api/queue/join", data=b"{}", headers=headers)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(request)
    with urllib.request.urlopen(served.url) as reply:
        assert "default-src 'self'" in reply.headers["Content-Security-Policy"]


def test_server_ends_soon_with_a_page_open(chromium: Any, tmp_path: Path) -> None:
    """Stopping the program does not wait for open pages; an empty library says what to do first."""
    running = start(tmp_path / "library")
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    seen = Visit(context.new_page())
    seen.open(running.url)
    assert "Add files" in seen.page.inner_text(".welcome")
    seen.shot("0-empty-library")
    began = time.monotonic()
    assert stop(running) == 0
    assert time.monotonic() - began < 6
    context.close()
