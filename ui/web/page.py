"""The page: library, conversation and source side by side; how it looks is in style.css."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from index.errors import DossierError
from rag.assistant import Assistant
from rag.types import Citation, Conversation, Done, Sentence, Statement
from ui.web.render import render_conversation, render_library, render_outcomes, render_pending, render_problem
from ui.web.render_status import render_filter_note, render_status
from ui.web.sessions import Sessions
from ui.web.sources import Sources
from ui.web.uploads import add_uploads
from ui.web.work import Work

_HERE = Path(__file__).parent
_LOG = logging.getLogger(__name__)
_KEPT = 50


@dataclass(slots=True)
class _Running:
    """An answer on its way."""

    question: str
    number: int
    statements: list[Statement] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)

    def draw(self, *, stopped: bool = False) -> str:
        return render_pending(self.question, self.statements, self.citations, self.number, stopped=stopped)


class Page:
    """What the page's events do. Conversations are stored in the library; here are only answers on their way.

    Args:
        assistant: Answers the questions.
        work: Adds and embeds in the background.
    """

    def __init__(self, assistant: Assistant, work: Work) -> None:
        self._assistant = assistant
        self._work = work
        self._sessions = Sessions(assistant)
        self._running: dict[str, _Running] = {}
        self.sources = Sources(assistant.library)

    def draw(self, conversation: Conversation, pending: str = "") -> str:
        """Draw a conversation with what is not yet, or will not be, part of it."""
        library = self._assistant.library
        near = {
            hit.passage.document_id
            for turn in conversation.turns
            if turn.answer is not None and turn.answer.abstained
            for hit in turn.answer.hits
        }
        titles = {info.id: info.title for info in library.documents(sorted(near))} if near else {}
        return render_conversation(conversation, pending, documents=len(library), titles=titles)

    def open(self, request: gr.Request) -> tuple[str, str, str, str, str]:
        """Draw the page when it is loaded; a `?c=` link opens its conversation."""
        conversation = self._sessions.get(str(request.query_params.get("c", "")))
        known = conversation.id if conversation.turns else ""
        library = render_library(self._assistant.library.documents())
        return self.draw(conversation), known, library, self._status(), self._mark()

    def _status(self) -> str:
        """Draw how far reading and embedding are, and what came of them."""
        pending, all_of_them = (
            self._assistant.library.catalog.count_pending(),
            self._assistant.library.catalog.count()[1],
        )
        return render_status(self._work.state(), pending, all_of_them, self._assistant.library.last_report())

    def _mark(self) -> str:
        """A text that changes when what the library pane shows does."""
        state, catalog = self._work.state(), self._assistant.library.catalog
        step = (state.step.stage, state.step.done) if state.step is not None and state.busy else None
        return repr((catalog.count(), catalog.count_pending(), state.busy, step, state.problem, state.reports))

    def tick(self, seen: str, where: str, conversation_id: str) -> tuple[Any, Any, Any, str]:
        """Draw the library pane anew if anything in it changed: gives library, status, conversation and a mark."""
        mark = self._mark()
        if mark == seen:
            return gr.skip(), gr.skip(), gr.skip(), seen
        documents = mark.split(",")[0] != seen.split(",")[0]
        conversation = self._sessions.get(conversation_id)
        empty = documents and not conversation.turns and conversation_id not in self._running
        library = self.filter(where)[0] if documents else gr.skip()
        return library, self._status(), self.draw(conversation) if empty else gr.skip(), mark

    def filter(self, where: str) -> tuple[str, str]:
        """Draw the documents that a filter lets through, and what it does to questions."""
        library = self._assistant.library
        try:
            chosen = library.documents(where=where.strip() or None)
        except DossierError as error:
            return render_library(library.documents()), render_filter_note(0, 0, (error.message, error.remedy))
        return render_library(chosen), render_filter_note(len(chosen), len(library) if where.strip() else -1)

    def start_anew(self) -> tuple[str, str, Any]:
        """Draw an empty conversation."""
        return self.draw(Conversation()), "", _box(answering=False)

    async def ask(self, question: str, conversation_id: str, where: str = "") -> AsyncIterator[tuple[Any, Any, Any]]:
        """Answer a question, sentence by sentence: gives the conversation's HTML, its id and the question box."""
        conversation = self._sessions.get(conversation_id)
        if not question.strip():
            yield gr.skip(), gr.skip(), _box(answering=False)
            return
        running = _Running(question, len(conversation.turns))
        self._running[conversation.id] = running
        while len(self._running) > _KEPT:
            self._running.pop(next(iter(self._running)))
        yield self.draw(conversation, running.draw()), conversation.id, _box(answering=True, value="")
        try:
            events = self._assistant.stream(question, conversation, where=where.strip() or None)
            # In a thread, so that "stop" need not wait for the step at hand.
            while (event := await asyncio.to_thread(next, events, None)) is not None:
                if isinstance(event, Sentence):
                    running.statements.append(event.statement)
                    running.citations.extend(event.citations)
                    yield self.draw(conversation, running.draw()), gr.skip(), gr.skip()
                elif isinstance(event, Done):
                    grown = await asyncio.to_thread(self._sessions.add, conversation.id, event.answer)
                    yield self.draw(grown), gr.skip(), _box(answering=False)
        except DossierError as error:
            problem = render_problem(question, error.message, error.remedy)
            yield self.draw(conversation, problem), gr.skip(), _box(answering=False, value=question)
        except Exception as error:  # the page must say so, whatever it was
            _LOG.exception("a question could not be answered")
            told = f"Internal error ({type(error).__name__}): the question could not be answered."
            problem = render_problem(question, told, "Try again; the terminal that runs Dossier shows the details.")
            yield self.draw(conversation, problem), gr.skip(), _box(answering=False, value=question)
        self._running.pop(conversation.id, None)

    def stop(self, conversation_id: str) -> tuple[str, Any]:
        """Draw what a stopped answer came to; its question goes back to the box."""
        conversation = self._sessions.get(conversation_id)
        running = self._running.pop(conversation_id, None)
        if running is None:  # it was done already
            return self.draw(conversation), _box(answering=False)
        return self.draw(conversation, running.draw(stopped=True)), _box(answering=False, value=running.question)

    def add_files(self, paths: list[str] | None, conversation_id: str) -> Iterator[tuple[str, str, Any]]:
        """Add uploaded files one by one: gives the library, what came of each, and the conversation if it is empty."""
        for outcomes in add_uploads(self._assistant, [Path(path) for path in paths or []], self._work.note):
            conversation = self._sessions.get(conversation_id)
            drawn = gr.skip() if conversation.turns or conversation_id in self._running else self.draw(conversation)
            yield render_library(self._assistant.library.documents()), render_outcomes(outcomes), drawn
        self._work.go_on()


def _box(*, answering: bool, **changes: str) -> Any:
    """Change the question box: it has a button to stop while an answer is on its way."""
    return gr.update(submit_btn=not answering, stop_btn=answering, **changes)


def _html(value: str = "", *, element: str | None = None, **options: Any) -> Any:
    return gr.HTML(value, elem_id=element, apply_default_css=False, **{"js_on_load": None, **options})


def build_blocks(page: Page) -> Any:
    """Build the Gradio blocks of a page."""
    script = (_HERE / "page.js").read_text(encoding="utf-8")

    def show_source(request: dict[str, Any]) -> dict[str, str]:
        return {"html": page.sources.show(request)}

    with gr.Blocks(title="Dossier", fill_width=True, analytics_enabled=False) as blocks:
        conversation_id = gr.Textbox(visible="hidden", elem_id="conversation-id")
        with gr.Row(elem_id="house"):
            with gr.Column(elem_id="library-pane", scale=0, min_width=0):
                _html(_BRAND)
                new = gr.Button("New conversation", elem_id="new", size="sm")
                where = gr.Textbox(
                    elem_id="filter",
                    label="Filter the documents, for the list and for questions",
                    info="type=pdf published>=2025-01 tag=… language=en title=… source=reports",
                    placeholder="All documents",
                    max_lines=1,
                    html_attributes=gr.InputHTMLAttributes(autocomplete="off", spellcheck=False),
                )
                filter_note = _html(element="filter-note")
                library = _html(element="library")
                status = _html(element="status")
                seen = gr.State("")
                upload = gr.UploadButton("Add files", file_count="multiple", elem_id="upload", size="sm")
                outcomes = _html(element="outcomes")
            with gr.Column(elem_id="talk-pane", scale=1, min_width=0):
                _html(_TOP_BAR, element="top-bar")
                follow = "watch('value', () => window.dossier?.follow());"
                conversation = _html(element="conversation", js_on_load=follow)
                box = gr.Textbox(
                    elem_id="question",
                    label="Question",
                    placeholder="Ask about your documents",
                    show_label=False,
                    container=False,
                    submit_btn=True,
                    autofocus=True,
                    max_lines=6,
                    html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
                )
            with gr.Column(elem_id="source-pane", scale=0, min_width=0):
                panel = '<aside id="source" aria-label="Source" tabindex="-1"></aside>'
                _html(panel, js_on_load=script, server_functions=[show_source])
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        blocks.load(page.open, None, [conversation, conversation_id, library, status, seen], **private)
        ticks = [library, status, conversation, seen]
        gr.Timer(2.0).tick(page.tick, [seen, where, conversation_id], ticks, **private)
        where.change(page.filter, where, [library, filter_note], trigger_mode="always_last", **private)
        asking = box.submit(
            page.ask,
            [box, conversation_id, where],
            [conversation, conversation_id, box],
            concurrency_limit=4,
            **private,
        )
        # The listener that cancels has no function of its own: Gradio would run that first.
        stopping = box.stop(None, None, None, cancels=[asking], **private)
        stopping.then(page.stop, conversation_id, [conversation, box], **private)
        leaving = new.click(None, None, None, cancels=[asking], js="() => window.dossier?.startAnew()", **private)
        leaving.then(page.start_anew, None, [conversation, conversation_id, box], **private)
        upload.upload(page.add_files, [upload, conversation_id], [library, outcomes, conversation], **private)
        conversation_id.change(None, conversation_id, None, js="(id) => window.dossier?.link(id)", **private)
    return blocks


_BRAND = (
    '<div class="brand"><b>Dossier</b><span>Answers with their sources</span></div>'
    '<button type="button" class="close drawer" data-drawer aria-label="Close the library">×</button>'
)
_TOP_BAR = (
    '<button type="button" data-drawer aria-label="Open the library" aria-expanded="false" '
    'aria-controls="library-pane">'
    '<svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true"><path d="M3 5h14M3 10h14M3 15h9" fill="none" '
    'stroke="currentColor" stroke-width="1.7" stroke-linecap="round"/></svg></button><b>Dossier</b>'
)
