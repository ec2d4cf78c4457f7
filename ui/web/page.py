"""What the page's events do, one method an event; how it looks is in style/, what it is made of in blocks.py."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from index.errors import DossierError
from index.settings import FILE_NAME
from rag.assistant import Assistant
from rag.types import Answer, Conversation, Done, Sentence
from ui.web.acts import Acts
from ui.web.on_its_way import Outputs, Running, Steps, question_box
from ui.web.people import Person
from ui.web.removal import Removals
from ui.web.render import View, render_conversation, render_pending, render_problem
from ui.web.render_library import render_library, title_filter
from ui.web.render_status import render_filter_note, render_status
from ui.web.samples import samples_folder
from ui.web.sessions import Sessions
from ui.web.sources import Sources
from ui.web.strings import say
from ui.web.suggestions import Suggestions
from ui.web.toolkit import gr
from ui.web.work import Work

_LOG = logging.getLogger(__name__)
_TABS = 1_000  # of so many it is known what they show
_AT_ONCE = max(2, os.cpu_count() or 2)  # answers; more would only make each other slow


class Page:
    """What the page's events do. Conversations are stored in the library; here are only answers on their way.

    Args:
        assistant: Answers the questions.
        work: Adds and embeds in the background.
        who: Tells who is at the page, by the headers of a request.
        settings_file: Where changed settings are written; the library's own file if `None`.
    """

    def __init__(
        self,
        assistant: Assistant,
        work: Work,
        who: Callable[[gr.Request], Person],
        settings_file: Path | None = None,
    ) -> None:
        self.assistant = assistant
        self.work = work
        self.who = who
        self.sessions = Sessions(assistant)
        self.sources = Sources(assistant.library)
        self.suggestions = Suggestions(assistant)
        self.removals = Removals(assistant.library)
        file = settings_file or assistant.library.path / FILE_NAME
        self.acts = Acts(self.sessions, self.sources, work, self.removals, self.suggestions, file, self._leave_off)
        self._running: dict[tuple[str, str], Running] = {}
        self._lock = threading.Lock()
        self._shown: dict[str, str] = {}  # by the session of a tab, the conversation that it shows
        self._turnstile = asyncio.Semaphore(_AT_ONCE)

    def end(self) -> None:
        """Leave off what goes on in the background."""
        self.suggestions.end()
        self.removals.end()

    def draw(self, conversation: Conversation, pending: str = "", who: Person | None = None, *, kept: str = "") -> str:
        """Draw a conversation with what is not yet, or will not be, part of it; `kept` is a copy of what it was."""
        library = self.assistant.library
        answers = [turn.answer for turn in conversation.turns if turn.answer is not None]
        near = {hit.passage.document_id for answer in answers for hit in answer.hits[:5]}
        titles = {info.id: info.title for info in library.documents(sorted(near))} if near else {}
        known = self.suggestions.seen(conversation) if conversation.turns else self.suggestions.known()
        shared_by = conversation.shared_by if who is None or conversation.shared_by != who.name else ""
        may_add, samples = who is None or who.may_add, samples_folder() is not None
        view = View(len(library), titles, known, may_add, samples, shared_by, kept)
        return render_conversation(conversation, pending, view)

    def open(self, request: gr.Request) -> tuple[str, str, str, str, str]:
        """Draw the page when it is loaded; a `?c=` link opens its conversation, `?s=` a shared one."""
        who = self.who(request)
        shared = str(request.query_params.get("s", ""))
        if shared:
            conversation = self.sessions.take(shared, who.name)
        else:
            conversation = self.sessions.get(str(request.query_params.get("c", "")), who.name)
        drawn, known, _ = self._resumed(conversation, who, request)
        return drawn, known, self._library(who), self._status(), self._mark()

    def _resumed(self, conversation: Conversation, who: Person, request: gr.Request) -> tuple[str, str, Any]:
        self._show(request, conversation.id)
        running = self._running.get((who.name, conversation.id))
        pending, shown = "", conversation
        if running is not None:
            pending, shown = running.draw(), running.base
        elif (draft := self.sessions.draft(conversation.id, who.name)) is not None:
            number = len(conversation.turns)
            pending = render_pending(draft.question, draft.statements, draft.citations, number, "interrupted")
        known = conversation.id if conversation.turns or pending else ""
        return self.draw(shown, pending, who), known, question_box(answering=running is not None)

    def resume(self, event: gr.EventData, request: gr.Request) -> Outputs:
        """Open another conversation."""
        who = self.who(request)
        return self._resumed(self.sessions.get(str(event._data.get("id", "")), who.name), who, request)

    def _show(self, request: gr.Request, conversation_id: str) -> None:
        session = str(request.session_hash)
        with self._lock:
            self._shown.pop(session, None)
            self._shown[session] = conversation_id
            while len(self._shown) > _TABS:
                self._shown.pop(next(iter(self._shown)))

    async def watch(self, conversation_id: str, request: gr.Request) -> AsyncIterator[Outputs]:
        """Look on while an answer is on its way that was asked for before the page was loaded or the talk opened."""
        who = self.who(request)
        running = self._running.get((who.name, conversation_id))
        if running is None:
            yield gr.skip(), gr.skip(), gr.skip()
            return
        async for outputs in self._watch(running, conversation_id, who, request):
            yield outputs

    async def _watch(
        self, running: Running, conversation_id: str, who: Person, request: gr.Request, **changes: str
    ) -> AsyncIterator[Outputs]:
        """Draw an answer as it grows, until it has ended, the tab shows something else or another question is asked."""
        session = str(request.session_hash)
        known, box = conversation_id, question_box(answering=True, **changes)
        while self._shown.get(session, conversation_id) == conversation_id:
            changed = running.changed
            if self._running.get((who.name, conversation_id), running) is not running:
                return
            if running.end is not None:
                yield running.end()
                return
            yield self.draw(running.base, running.draw(), who), known, box
            known = box = gr.skip()
            await changed.wait()

    # The library pane

    def _library(self, who: Person, where: str = "") -> str:
        library = self.assistant.library
        chosen = library.documents(where=title_filter(where) or None)
        return render_library(chosen, may_add=who.may_add, leaving=self.removals.waiting)

    def _status(self) -> str:
        """Draw how far reading and embedding are, and what came of them."""
        catalog = self.assistant.library.catalog
        pending, passages = catalog.count_pending(), catalog.count()[1]
        return render_status(self.work.state(), pending, passages, self.assistant.library.last_report())

    def _mark(self) -> str:
        """A text that changes when what the library pane shows does."""
        state, catalog = self.work.state(), self.assistant.library.catalog
        step = (state.step.stage, state.step.done) if state.step is not None and state.busy else None
        shown = (catalog.count(), catalog.count_pending() > 0, sorted(self.removals.waiting))
        return f"{shown!r}|{(catalog.count_pending(), state.busy, step, state.problem, state.reports)!r}"

    def tick(self, seen: str, where: str, conversation_id: str, request: gr.Request) -> tuple[Any, Any, Any, str]:
        """Draw the library pane anew if anything in it changed: gives library, status, conversation and a mark."""
        mark = self._mark()
        if mark == seen:
            return gr.skip(), gr.skip(), gr.skip(), seen
        who = self.who(request)
        documents = mark.split("|")[0] != seen.split("|")[0]
        conversation = self.sessions.get(conversation_id, who.name)
        empty = documents and not conversation.turns and (who.name, conversation_id) not in self._running
        library = self.filter(where, request)[0] if documents else gr.skip()
        return library, self._status(), self.draw(conversation, who=who) if empty else gr.skip(), mark

    def filter(self, where: str, request: gr.Request) -> tuple[str, str]:
        """Draw the documents that a filter lets through, and what it does to questions."""
        library, who = self.assistant.library, self.who(request)
        try:
            chosen = library.documents(where=title_filter(where) or None)
        except DossierError as error:
            return self._library(who), render_filter_note(0, 0, (error.message, error.remedy))
        note = render_filter_note(len(chosen), len(library) if where.strip() else -1)
        return render_library(chosen, may_add=who.may_add, leaving=self.removals.waiting), note

    def _scope(self, where: str, chosen: str) -> str | None:
        """The filter that questions are asked with: what was typed, what was ticked, and nothing about to go."""
        parts = [title_filter(where)]
        ids = [i for i in chosen.split(",") if i.isalnum()]
        parts += [f"document={','.join(ids)}"] if ids else []
        leaving = sorted(self.removals.waiting)
        parts += [f"document!={','.join(leaving)}"] if leaving else []
        return " ".join(part for part in parts if part) or None

    # The conversation

    def start_anew(self, request: gr.Request) -> Outputs:
        """Draw an empty conversation."""
        self._show(request, "")
        return self.draw(Conversation(), who=self.who(request)), "", question_box(answering=False)

    async def ask(
        self, question: str, conversation_id: str, where: str, chosen: str, request: gr.Request
    ) -> AsyncIterator[Outputs]:
        """Answer what was typed into the question box."""
        async for outputs in self._ask(question, conversation_id, self._scope(where, chosen), request):
            yield outputs

    async def again(
        self, conversation_id: str, where: str, chosen: str, event: gr.EventData, request: gr.Request
    ) -> AsyncIterator[Outputs]:
        """Answer a question that was suggested, tried again or edited; `instead` is the turn that it replaces."""
        data = event._data
        question, standalone = str(data.get("question") or ""), str(data.get("standalone") or "").strip()
        scope = self._scope(where, chosen)
        place = data.get("instead")
        instead = place if isinstance(place, int) and not isinstance(place, bool) else None
        asked = self._ask(question, conversation_id, scope, request, standalone=standalone, instead=instead)
        async for outputs in asked:
            yield outputs

    async def _ask(
        self,
        question: str,
        conversation_id: str,
        where: str | None,
        request: gr.Request,
        *,
        standalone: str = "",
        instead: int | None = None,
    ) -> AsyncIterator[Outputs]:
        who = self.who(request)
        stored = self.sessions.get(conversation_id, who.name)
        if not question.strip():
            yield gr.skip(), gr.skip(), question_box(answering=False)
            return
        if instead is not None and not 0 <= instead < len(stored.turns):
            instead = None
        base = stored if instead is None else replace(stored, turns=stored.turns[:instead])
        running = Running(question, len(base.turns), base, instead, waiting=self._turnstile.locked())
        self._running[who.name, stored.id] = running
        self._show(request, stored.id)
        # Before anything is drawn: whoever leaves at once leaves no answer behind that nobody makes.
        running.task = asyncio.create_task(self._work(running, stored, where, who, standalone))
        async for outputs in self._watch(running, stored.id, who, request, value=""):
            yield outputs

    async def _work(
        self, running: Running, stored: Conversation, where: str | None, who: Person, standalone: str
    ) -> None:
        """Make an answer and keep it, whether or not anybody looks on."""
        self.suggestions.answering += 1
        try:
            async with self._turnstile:
                if running.waiting:
                    running.waiting = False
                    running.tell()
                running.end = await self._answer(running, stored, where, who, standalone)
        except DossierError as error:
            running.end = self._failed(running, who, stored, error.message, error.remedy)
        except Exception as error:  # the page must say so, whatever it was
            _LOG.exception("a question could not be answered")
            told = say("problem.question", kind=type(error).__name__)
            running.end = self._failed(running, who, stored, told, say("problem.internal.remedy"))
        finally:
            self.suggestions.answering -= 1
            if self._running.get((who.name, stored.id)) is running:
                del self._running[who.name, stored.id]
            running.tell()

    def _failed(
        self, running: Running, who: Person, stored: Conversation, message: str, remedy: str
    ) -> Callable[[], Outputs]:
        self.sessions.put(stored, who.name)  # without the draft
        problem = render_problem(running.question, message, remedy)
        box = question_box(answering=False, value=running.question)
        return lambda: (self.draw(stored, problem, who), gr.skip(), box)

    async def _answer(
        self, running: Running, stored: Conversation, where: str | None, who: Person, standalone: str
    ) -> Callable[[], Outputs]:
        options: dict[str, Any] = {"standalone": standalone} if standalone else {}
        steps = Steps(self.assistant.stream(running.question, running.base, where=where, **options))
        await asyncio.to_thread(self.sessions.note, stored, running.draft(), who.name)
        # In a thread, so that "stop" need not wait for the step at hand.
        try:
            return await self._follow(steps, running, stored, who)
        finally:
            steps.stop()

    async def _follow(self, steps: Steps, running: Running, stored: Conversation, who: Person) -> Callable[[], Outputs]:
        while (event := await asyncio.to_thread(steps.next)) is not None:
            if isinstance(event, Sentence):
                running.statements.append(event.statement)
                running.citations.extend(event.citations)
                running.tell()
                await asyncio.to_thread(self.sessions.note, stored, running.draft(), who.name)
            elif isinstance(event, Done):
                grown, kept = await asyncio.to_thread(self._take_in, running, stored.id, event.answer, who)
                return lambda: (self.draw(grown, who=who, kept=kept), gr.skip(), question_box(answering=False))
        raise RuntimeError("an answer ended without having been completed")

    def _take_in(self, running: Running, name: str, answer: Answer, who: Person) -> tuple[Conversation, str]:
        if running.instead is None:
            return self.sessions.add(name, answer, who.name), ""
        return self.sessions.replace(name, running.instead, answer, who.name)

    def stop(self, conversation_id: str, request: gr.Request) -> tuple[str, Any]:
        """Draw what a stopped answer came to; its question goes back to the box."""
        who = self.who(request)
        conversation = self.sessions.get(conversation_id, who.name)
        running = self._leave_off(conversation_id, who.name)
        if running is None:  # it was done already
            return self.draw(conversation, who=who), question_box(answering=False)
        self.sessions.put(conversation, who.name)  # without the draft
        running.number = len(conversation.turns)  # below what is still there, also where it would have replaced that
        drawn = self.draw(conversation, running.draw(stopped=True), who)
        return drawn, question_box(answering=False, value=running.question)

    def _leave_off(self, conversation_id: str, owner: str) -> Running | None:
        """Break off the answer on its way in a conversation, from any thread; gives what there is of it."""
        running = self._running.pop((owner, conversation_id), None)
        if running is not None:
            base = running.base
            running.end = lambda: (self.draw(base), gr.skip(), question_box(answering=False))  # for other tabs
            if running.task is not None:
                running.task.get_loop().call_soon_threadsafe(running.task.cancel)
        return running
