"""The page: library, conversation and source side by side."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from index.errors import DossierError
from rag.assistant import Assistant
from rag.types import Citation, Conversation, Done, Sentence, Statement
from ui.web.render import (
    render_conversation,
    render_library,
    render_pending,
    render_problem,
    render_report,
    render_turn,
)
from ui.web.sessions import Sessions
from ui.web.sources import Sources

_HERE = Path(__file__).parent
_LOG = logging.getLogger(__name__)
Update = tuple[str, str, str]


class Page:
    """What the page's events do. Holds no state but the assistant and the stored conversations.

    Args:
        assistant: Answers the questions.
    """

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._sessions = Sessions(assistant)
        self.sources = Sources(assistant.library)

    def draw(self, conversation: Conversation, pending: str = "") -> str:
        """Draw a conversation with what is pending in it."""
        return render_conversation(conversation, pending, documents=len(self._assistant.library))

    def open(self, request: gr.Request) -> tuple[str, str, str]:
        """Draw the page when it is loaded; a `?c=` link opens its conversation."""
        conversation = self._sessions.get(str(request.query_params.get("c", "")))
        known = conversation.id if conversation.turns else ""
        return self.draw(conversation), known, render_library(self._assistant.library.documents())

    def start_anew(self) -> tuple[str, str]:
        """Draw an empty conversation."""
        return self.draw(Conversation()), ""

    def ask(self, question: str, conversation_id: str) -> Iterator[Update]:
        """Answer a question, sentence by sentence: gives the conversation's HTML, its id and the emptied box."""
        conversation = self._sessions.get(conversation_id)
        statements: list[Statement] = []
        citations: list[Citation] = []
        number = len(conversation.turns)
        if not question.strip():
            yield self.draw(conversation), conversation_id, ""
            return
        yield self.draw(conversation, render_pending(question, (), (), number)), conversation_id, ""
        try:
            for event in self._assistant.stream(question, conversation):
                if isinstance(event, Sentence):
                    statements.append(event.statement)
                    citations.extend(event.citations)
                    pending = render_pending(question, statements, citations, number)
                    yield self.draw(conversation, pending), conversation_id, ""
                elif isinstance(event, Done):
                    grown = self._sessions.add(conversation.id, event.answer)
                    ids = [hit.passage.document_id for hit in event.answer.hits[:3]]
                    titles = {info.id: info.title for info in self._assistant.library.documents(ids)}
                    last = render_turn(grown.turns[-1], number, titles)
                    yield self.draw(Conversation(grown.turns[:-1]), last), grown.id, ""
        except DossierError as error:
            yield (
                self.draw(conversation, render_problem(question, error.message, error.remedy)),
                conversation_id,
                question,
            )
        except Exception as error:  # the page must say so, whatever it was
            _LOG.exception("a question could not be answered")
            told = f"Something went wrong inside Dossier ({type(error).__name__})."
            remedy = "Ask again. If it happens again, the terminal that runs Dossier shows the details."
            yield self.draw(conversation, render_problem(question, told, remedy)), conversation_id, question

    def add_files(self, paths: list[str] | None) -> tuple[str, str]:
        """Take uploaded files into the library's own folder and add them; gives the library and a report."""
        library = self._assistant.library
        kept = []
        for path in map(Path, paths or []):
            folder = library.path / "uploads"
            folder.mkdir(exist_ok=True)
            name = re.sub(r"[\x00-\x1f/\\]", "_", path.name).lstrip(".") or "file"
            target = folder / name
            number = 2
            while target.exists() and target.read_bytes() != path.read_bytes():
                target = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
                number += 1
            shutil.copyfile(path, target)
            kept.append(target)
        try:
            said = render_report(library.add(kept)) if kept else ""
        except DossierError as error:
            said = render_problem("", error.message, error.remedy)
        return render_library(library.documents()), said

    def show_source(self, request: dict[str, Any]) -> dict[str, str]:
        """Answer the page's script: the HTML of a source, or why it cannot be shown."""
        try:
            return {"html": self.sources.show(request)}
        except DossierError as error:
            return {"html": render_problem("", error.message, error.remedy)}


def build_blocks(page: Page) -> Any:
    """Build the Gradio blocks of a page."""

    def show_source(request: dict[str, Any]) -> dict[str, str]:  # gradio marks the function, which a method forbids
        return page.show_source(request)

    script = (_HERE / "page.js").read_text(encoding="utf-8")
    plain: dict[str, Any] = {"apply_default_css": False}  # Gradio's styles for text would fight ours
    with gr.Blocks(title="Dossier", fill_width=True, analytics_enabled=False) as blocks:
        conversation_id = gr.Textbox(visible="hidden", elem_id="conversation-id")
        with gr.Row(elem_id="house"):
            with gr.Column(elem_id="library-pane", scale=0, min_width=280):
                gr.HTML('<div class="brand">Dossier<small>Answers with their sources</small></div>', **plain)
                new = gr.Button("New conversation", elem_id="new", size="sm")
                library = gr.HTML(elem_id="library", **plain)
                upload = gr.UploadButton("Add files", file_count="multiple", elem_id="upload", size="sm")
                report = gr.HTML(elem_id="report", **plain)
            with gr.Column(elem_id="talk-pane", scale=1, min_width=320):
                conversation = gr.HTML(
                    elem_id="conversation", js_on_load="watch('value', () => window.dossier?.follow());"
                )
                box = gr.Textbox(
                    elem_id="question",
                    placeholder="Ask about your documents",
                    show_label=False,
                    container=False,
                    submit_btn=True,
                    stop_btn=False,
                    autofocus=True,
                    max_lines=6,
                    html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
                )
            with gr.Column(elem_id="source-pane", scale=0, min_width=0):
                gr.HTML(
                    '<aside id="source" aria-label="Source" tabindex="-1"></aside>',
                    js_on_load=script,
                    server_functions=[show_source],
                    **plain,
                )
        private: dict[str, Any] = {"api_visibility": "private"}
        blocks.load(page.open, None, [conversation, conversation_id, library], **private)
        asking: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": 4, **private}
        box.submit(page.ask, [box, conversation_id], [conversation, conversation_id, box], **asking)
        new.click(page.start_anew, None, [conversation, conversation_id], show_progress="hidden", **private)
        upload.upload(page.add_files, upload, [library, report], show_progress="minimal", **private)
        link = "(id) => window.dossier?.link(id)"
        conversation_id.change(None, conversation_id, None, js=link, **private)
    return blocks
