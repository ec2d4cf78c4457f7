"""What the page does while an answer is on its way, seen with an assistant that takes its time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from index.library import Library
from rag.assistant import Assistant
from rag.settings import AnswerSettings
from rag.types import Answer, Citation, Conversation, Done, Event, Searching, Sentence, Statement
from tests.browser.conftest import Visit
from tests.fakes import FakeEncoder

pytestmark = pytest.mark.browser


class SlowAssistant(Assistant):
    """Says one sentence at once and the other when it is let; fails when told to."""

    def __init__(self, library: Library) -> None:
        super().__init__(library, AnswerSettings())
        self.go = threading.Event()

    def stream(self, question: str, conversation: Conversation | None = None, **options: Any) -> Iterator[Event]:
        yield Searching(question)
        if "fail" in question:
            raise RuntimeError("<b>secret</b>")
        document = self.library.documents()[0]
        citation = Citation(1, document.id, document.title, document.source, None, None, 0, 5, "First")
        statements = (
            Statement("First part.", (1,), 1.0, "supported"),
            Statement("Second part.", (), 0.1, "unsupported"),
        )
        yield Sentence(statements[0], (citation,))
        self.go.wait(30)
        yield Sentence(statements[1], ())
        yield Done(Answer(question, question, statements, (citation,), (), False, 1.0))


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[SlowAssistant, str]]:
    """A page around a slow assistant, and its address."""
    import uvicorn

    from ui.web.server import build_app

    (tmp_path / "note.txt").write_text("First part of a note.\n", encoding="utf-8")
    with Library.open(tmp_path / "library", encoder=FakeEncoder()) as library, socket.socket() as listener:
        library.add(tmp_path / "note.txt")
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assistant = SlowAssistant(library)
        server = uvicorn.Server(uvicorn.Config(build_app(assistant), log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield assistant, f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assistant.go.set()
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def tab(chromium: Any, slow: tuple[SlowAssistant, str]) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    seen = Visit(context.new_page())
    seen.open(slow[1])
    yield seen
    context.close()
    assert seen.complaints == []


def begin(tab: Visit, question: str) -> None:
    tab.page.fill("#question textarea", question)
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector(".statement")


def leave(tab: Visit, assistant: SlowAssistant) -> None:
    """Begin a new conversation and then let the old one's answer be completed; the new one must stay as it is."""
    page = tab.page
    page.click("#new")
    page.wait_for_selector(".welcome")
    assistant.go.set()
    page.wait_for_timeout(700)
    assert page.is_visible(".welcome")


def test_sentences_show_as_they_come_and_their_markers_work(tab: Visit, slow: tuple[SlowAssistant, str]) -> None:
    """The first sentence is there, with a citation that opens, while the second is still being found."""
    begin(tab, "What is in the note?")
    page = tab.page
    page.fill("#question textarea", "What I type meanwhile")
    assert page.locator(".statement").count() == 1
    page.click("button.cite")
    page.wait_for_selector("#source mark")
    assert page.inner_text("#source mark") == "First"
    tab.shot("10-on-its-way")
    slow[0].go.set()
    page.wait_for_selector(".sources")
    assert page.locator(".statement").count() == 2
    assert page.input_value("#question textarea") == "What I type meanwhile"
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.className") == "cite"


def test_stop_ends_at_once_and_keeps_what_was_said(tab: Visit, slow: tuple[SlowAssistant, str]) -> None:
    """Stopping does not wait for the step at hand; the question comes back, and another one can be asked."""
    begin(tab, "What is in the note?")
    page = tab.page
    began = time.monotonic()
    page.click("#question .stop-button")
    page.wait_for_selector("text=Stopped.")
    assert time.monotonic() - began < 3
    assert page.locator(".statement").count() == 1
    assert page.input_value("#question textarea") == "What is in the note?"
    tab.shot("11-stopped")
    slow[0].go.set()
    page.wait_for_selector("#question .submit-button")
    turn = tab.ask("Once more?")
    assert turn.locator(".statement").count() == 2
    assert page.locator(".turn").count() == 1


def test_new_conversation_leaves_the_answer_on_its_way_behind(tab: Visit, slow: tuple[SlowAssistant, str]) -> None:
    """Nothing of the old answer comes into the new conversation."""
    begin(tab, "What is in the note?")
    leave(tab, slow[0])
    assert tab.page.is_visible("#question .submit-button")


def test_internal_error_says_its_type_and_no_more(tab: Visit, slow: tuple[SlowAssistant, str]) -> None:
    """What went wrong inside is in the log; the page says that it did, and goes on."""
    page = tab.page
    page.fill("#question textarea", "Please fail")
    page.keyboard.press("Enter")
    page.wait_for_selector(".problem")
    assert "Internal error (RuntimeError)" in page.inner_text(".problem")
    assert "secret" not in page.content()
    tab.shot("12-problem")
    slow[0].go.set()
    assert tab.ask("And now?").locator(".statement").count() == 2


def test_a_page_loaded_again_in_mid_answer_is_none_the_worse(tab: Visit, slow: tuple[SlowAssistant, str]) -> None:
    """Whoever loads the page again while a sentence is awaited sees it come, and can go on."""
    begin(tab, "What is in the note?")
    page = tab.page
    page.reload()
    page.wait_for_selector(".turn")
    page.wait_for_selector("#question .stop-button")
    tab.shot("13-loaded-again")
    slow[0].go.set()
    page.wait_for_selector(".turn .sources")
    assert page.locator(".statement").count() == 2
    tab.ask("And what else is in it?")
    assert page.locator(".turn h2").all_inner_texts() == ["What is in the note?", "And what else is in it?"]


def test_an_answer_is_completed_while_its_page_shows_something_else(
    tab: Visit, slow: tuple[SlowAssistant, str]
) -> None:
    """The conversation that was left has its answer when it is opened again; the one that is shown stays as it is."""
    begin(tab, "What is in the note?")
    leave(tab, slow[0])
    page = tab.page
    page.click("#tab-talks")
    page.click("#talks-list button[data-act='resume']")
    page.wait_for_selector(".turn .sources")
    assert page.locator(".statement").count() == 2


def test_an_answer_does_not_bring_back_a_conversation_that_was_deleted(
    tab: Visit, slow: tuple[SlowAssistant, str]
) -> None:
    """What can be undone stays what it was: nothing is added to it, or put in its place."""
    slow[0].go.set()
    tab.ask("What is in the note?")
    slow[0].go.clear()
    page = tab.page
    page.fill("#question textarea", "And what else?")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.statement').length === 3")
    page.click("#tab-talks")
    page.click("#talks-list [data-act='delete']")
    page.wait_for_selector("#talks-list button[data-act='resume']", state="detached")
    slow[0].go.set()
    page.wait_for_timeout(700)
    talks = slow[0].library.conversations
    assert talks.list() == []
    page.click("#toasts button")
    page.wait_for_selector("#talks-list button[data-act='resume']")
    assert [talk.turns for talk in talks.list()] == [1]
