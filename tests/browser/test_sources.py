"""The library and the source viewer in a real browser: formats, search, zoom, download, choice, removal, first run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Served, Visit, start, stop

pytestmark = pytest.mark.browser

BRIEFING = "How many vessels does the Committee note say the Authority has?"


def open_document(visit: Visit, words: str) -> Any:
    page = visit.page
    page.locator("#library button.open", has_text=words).first.click()
    page.wait_for_selector("#source .body")
    return page


@pytest.mark.parametrize(
    ("kind", "question"),
    [
        ("docx", "How many people were injured when the crane fell?"),
        ("html", "How many crews does the Authority have for its hulls?"),
    ],
)
def test_word_and_html_open_at_the_quote(visit: Visit, served: Served, kind: str, question: str) -> None:
    """The words of a citation are marked and in view, to the character, also where the file is no plain text."""
    page = visit.page
    visit.ask(question)
    markers = page.locator("button.cite[data-quote]")
    for number in range(markers.count()):
        markers.nth(number).click()
        page.wait_for_function(
            "name => document.querySelector('#source header')?.innerText.startsWith(name)",
            arg=markers.nth(number).get_attribute("data-title").split("\n")[0],
        )
        if page.inner_text("#source .facts").startswith(kind.upper()):
            break
    else:
        pytest.fail(f"no citation of a {kind} file")
    page.wait_for_selector("#source mark")
    shown = page.evaluate("() => [...document.querySelectorAll('#source mark')].map((m) => m.textContent).join('')")
    assert " ".join(shown.split()) == markers.nth(number).get_attribute("data-quote")
    page.wait_for_timeout(200)
    box = page.locator("#source mark:visible").first.bounding_box()
    assert 100 < box["y"] < 860
    visit.shot(f"s1-{kind}")


def test_search_in_a_text_steps_through_its_matches(visit: Visit) -> None:
    """Enter finds, the arrows step, the count is told, and the match at hand is in view."""
    page = open_document(visit, "Crane falls on North Pier")
    page.fill("#source .find input", "north  PIER")
    page.keyboard.press("Enter")
    page.wait_for_selector("#source .found.now")
    told = page.inner_text("#source .find span")
    assert told.startswith("1 of ")
    assert page.evaluate("() => document.activeElement.name") == "query"
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#source .find span').innerText.startsWith('2 of')")
    page.click("#source [aria-label='Previous match']")
    page.wait_for_function("() => document.querySelector('#source .find span').innerText.startsWith('1 of')")
    visit.shot("s2-search")
    page.fill("#source .find input", "zeppelin")
    page.keyboard.press("Enter")
    page.wait_for_selector("#source .find >> text=Not found")


def test_pdf_is_searched_turned_zoomed_and_downloaded(visit: Visit, served: Served) -> None:
    """A match on a later page turns to it; larger makes the sheet wider; the download is the file to the byte."""
    page = open_document(visit, "Inspection of the North Pier")
    page.wait_for_function("() => document.querySelector('#source img')?.naturalWidth > 0")
    width = page.locator("#source .sheet").bounding_box()["width"]
    page.click("#source [data-act=larger]")
    assert page.locator("#source .sheet").bounding_box()["width"] > width * 1.15
    page.click("#source [data-act=smaller]")
    page.fill("#source .find input", "safety records")
    page.keyboard.press("Enter")
    page.wait_for_selector("#source .sheet .found.now")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#source img[src$='/2.png']")
    visit.shot("s3-pdf-search")
    with page.expect_download() as download:
        page.click("#source a[download]")
    assert download.value.path().read_bytes() == (served.docs / "2026-04-24-north-pier-inspection.pdf").read_bytes()


def drop(page: Any, name: str, text: str) -> None:
    """Drop a file on the page."""
    page.evaluate(
        """([name, text]) => {
            const data = new DataTransfer();
            data.items.add(new File([text], name));
            const about = { bubbles: true, cancelable: true, dataTransfer: data };
            document.body.dispatchEvent(new DragEvent('dragover', about));
            window.shown = !document.querySelector('#drop').hidden;
            document.body.dispatchEvent(new DragEvent('drop', about));
        }""",
        [name, text],
    )


def test_mail_shows_its_headers_and_tables_are_tables(visit: Visit) -> None:
    """A message has its sender and date on lines of their own; a table has rows and cells."""
    page = open_document(visit, "Fifteen vessels")
    text = page.inner_text("#source .text")
    assert "From: Henna Dorvale" in text
    assert "Date: Tue, 23 Jun 2026" in text
    assert text.index("From:") < text.index("\n", text.index("From:")) < text.index("To:")
    visit.shot("s4-mail")
    drop(page, "tides.md", "# Tides\n\n| Port | High water |\n| --- | --- |\n| Ambrel | 04:10 |\n| Vessin | 05:25 |\n")
    page.wait_for_selector("#outcomes .added", timeout=30_000)
    open_document(visit, "Tides")
    page.wait_for_selector("#source table tr")
    assert page.locator("#source table tr").count() >= 3
    assert "04:10" in page.locator("#source table tr", has_text="Ambrel").inner_text()
    visit.shot("s5-table")


def test_documents_are_filtered_chosen_and_removed(visit: Visit) -> None:
    """Ticked documents are the only ones asked; a removed one is gone at once and back after undo."""
    page = visit.page
    page.fill("#filter input, #filter textarea", "crane")
    page.wait_for_function("() => document.querySelectorAll('#library li').length === 1")
    page.fill("#filter input, #filter textarea", "type=pdf")
    page.wait_for_selector("#filter-note >> text=Asking only")
    visit.shot("s6-filter")
    page.fill("#filter input, #filter textarea", "")
    page.wait_for_function("() => document.querySelectorAll('#library li').length > 10")
    row = page.locator("#library li", has_text="Twelve hulls")
    row.locator("input").check()
    page.wait_for_selector("#chosen-note >> text=Asking 1 of")
    visit.shot("s7-chosen")
    turn = visit.ask("How many people were injured when the crane fell?")
    assert turn.locator(".sources", has_text="Crane falls").count() == 0
    assert "1 document" in turn.locator(".why").inner_text() or "1 document" in turn.inner_text()
    page.click("[data-act=choose-all]")
    assert page.locator("#library input:checked").count() == 0
    before = int(page.inner_text("#library .count"))
    row.hover()
    row.locator("[data-act=remove]").click()
    page.wait_for_function("n => Number(document.querySelector('#library .count').innerText) === n - 1", arg=before)
    page.click(".toast button")
    page.wait_for_function("n => Number(document.querySelector('#library .count').innerText) === n", arg=before)


@pytest.mark.parametrize("visit", [{"viewport": {"width": 1024, "height": 768}}], indirect=True)
def test_three_panes_have_room_on_a_small_desktop(visit: Visit) -> None:
    """A source opened from the conversation takes the library's place there, and gives it back; the words keep room."""
    page = visit.page
    visit.ask("How many people were injured when the crane fell?")
    page.locator("button.cite").first.click()
    page.wait_for_selector("#source mark")
    assert not page.is_visible("#library-pane")
    assert page.locator("#conversation").bounding_box()["width"] > 450
    visit.shot("s9-small-desktop")
    page.click("#source .close")
    assert page.is_visible("#library-pane")
    open_document(visit, "Twelve hulls")
    assert page.is_visible("#library-pane")  # who goes through the list keeps it


def test_dropped_file_is_added(visit: Visit) -> None:
    """A file dropped anywhere on the page is read, with its own line."""
    page = visit.page
    before = int(page.inner_text("#library .count"))
    drop(page, "ambrel-oats.txt", "The Ambrel mill grinds oats on Thursdays only.\n")
    assert page.evaluate("() => window.shown")
    page.wait_for_selector("#outcomes .added", timeout=30_000)
    page.wait_for_function("n => Number(document.querySelector('#library .count').innerText) === n + 1", arg=before)
    row = page.locator("#library li", has_text="ambrel-oats")
    row.hover()
    row.locator("[data-act=remove]").click()
    page.wait_for_timeout(500)


def test_first_run_loads_the_samples(chromium: Any, tmp_path: Path) -> None:
    """An empty library says in a sentence what to do, and a button fills it."""
    running = start(tmp_path / "library")
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    seen = Visit(context.new_page())
    seen.open(running.url)
    assert "No documents yet" in seen.page.inner_text(".welcome")
    seen.shot("s8-first-run")
    seen.page.click(".welcome [data-act=samples]")
    seen.page.wait_for_selector(".welcome h1 >> text=Ask your 12 documents", timeout=90_000)
    assert seen.complaints == []
    context.close()
    stop(running)
