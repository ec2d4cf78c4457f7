"""Forty hostile documents, and a model that says the same: nothing executes, nothing is fetched, the layout holds."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from index.library import Library
from rag.assistant import Assistant
from rag.settings import AnswerSettings
from rag.types import Answer, Citation, Claim, Conversation, Disagreement, Done, Event, Searching, Sentence, Statement
from tests.browser.conftest import Visit
from tests.browser.hostile import CASES, write_hostile
from tests.fakes import FakeEncoder

pytestmark = pytest.mark.browser


class HostileModel(Assistant):
    """Answers the n-th question with the n-th hostile text, everywhere an answer can hold one."""

    def stream(self, question: str, conversation: Conversation | None = None, **options: Any) -> Iterator[Event]:
        last = question.split()[-1].strip("?")
        number = int(last) if last.isdecimal() else 0  # suggestions are asked, too
        words = CASES[number]
        yield Searching(words)
        documents = self.library.documents()
        document = documents[number % len(documents)]
        text = self.library.document(document.id).text
        cited = Citation(1, document.id, words, words, None, None, 0, min(400, len(text)), text[:400], also=(words,))
        said = Statement(words, (1,), 0.4, "unsupported", (0, min(5, len(words))), reason=words, sources=2)
        yield Sentence(said, (cited,))
        differs = Disagreement("name", (Claim(words, 1), Claim("x", 1)))
        yield Done(
            Answer(
                question, words, (said,), (cited,), (), False, 0.5, model=words, searched=3, disagreements=(differs,)
            )
        )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page over the forty documents; gives its address."""
    import uvicorn

    from ui.web.server import build_app

    folder = tmp_path_factory.mktemp("hostile")
    count = write_hostile(folder / "docs")
    assert count == 40
    with Library.open(folder / "library", encoder=FakeEncoder()) as library, socket.socket() as listener:
        report = library.add(folder / "docs")
        assert len(report.added) == 40, report.failed
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        app = build_app(HostileModel(library, AnswerSettings()))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        server.should_exit = True
        thread.join(10)


@pytest.fixture(params=[(1440, 900), (390, 844)], ids=["desktop", "phone"])
def tab(request: pytest.FixtureRequest, chromium: Any, hostile: str) -> Iterator[Visit]:
    """A tab that must have seen no script run, no other machine asked and no complaint when the test is over."""
    width, height = request.param
    context = chromium.new_context(viewport={"width": width, "height": height})
    seen = Visit(context.new_page())
    seen.page.on("dialog", lambda dialog: seen.complaints.append(f"a dialog: {dialog.message}"))
    seen.open(hostile)
    yield seen
    hacked = seen.page.evaluate("() => window.hacked")
    address = seen.page.url
    context.close()
    assert hacked is None
    assert seen.hosts == {"127.0.0.1"}
    assert seen.complaints == []
    assert address.startswith(hostile)


def holds(page: Any) -> None:
    """Nothing is wider than the window, and the panes are where they were."""
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("() => getComputedStyle(document.body).display") != "none"
    wide = page.evaluate(
        """() => ['#conversation', '#library'].filter((s) => {
            const e = document.querySelector(s);
            return e.clientWidth && e.scrollWidth > e.clientWidth + 1;
        })"""
    )
    assert wide == []
    assert page.locator("#house :is(iframe, object, embed, video, link, meta, base, script)").count() == 0
    assert page.locator("#house img:not([src^='/pages/'])").count() == 0


def test_documents_with_anything_in_them_stay_documents(tab: Visit) -> None:
    """Each of the forty is listed and opened as text."""
    page = tab.page
    names = page.evaluate("() => [...document.querySelectorAll('#library button.open')].map((b) => b.dataset.document)")
    assert len(names) == 40
    holds(page)
    for name in names:
        page.evaluate("name => document.querySelector(`#library [data-document='${name}']`).click()", name)
        page.wait_for_function(
            "name => document.querySelector('#source form.find')?.dataset.document === name", arg=name
        )
    holds(page)
    tab.shot(f"h1-{page.viewport_size['width']}-source")
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)


def test_model_output_with_anything_in_it_stays_text(tab: Visit) -> None:
    """Sentences, reasons, titles, values and questions that are markup are shown as what they are."""
    page = tab.page
    for number in range(0, 40, 1 if page.viewport_size["width"] > 1000 else 3):
        tab.ask(f"What is said about {number}?")
        if number in (9, 18, 29):
            page.evaluate("() => document.querySelector('#new').click()")  # on a phone it is behind the other pane
            page.wait_for_selector(".welcome")
    if page.viewport_size["width"] > 1000:
        marker = page.locator(".turn button.cite").last
        for _ in range(20):  # a card goes when the page scrolls, as it does when further questions come in late
            page.mouse.move(1, 1)
            marker.hover()
            page.wait_for_timeout(300)
            if shown := page.evaluate("() => document.querySelector('#hover-card').style.display === 'block'"):
                break
        assert shown
    tab.shot(f"h2-{page.viewport_size['width']}-answers")
    holds(page)
    page.evaluate("() => document.querySelectorAll('details.why').forEach((why) => { why.open = true; })")
    page.wait_for_timeout(200)
    holds(page)
    page.reload()
    page.wait_for_selector(".turn, .welcome")
    page.wait_for_timeout(300)
