"""What the page's script asks for without waiting in the queue of answers; what to do is in `rag`, `eval` and `index`.

Each act is a method that takes a person and what the script sent, and gives what the script shows: `html`, `text`, a
`toast` with perhaps an `undo`, or a `problem` of message and remedy.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eval.cases import append_case
from eval.types import Case, Evidence
from index.errors import DossierError
from rag.records import answer_to_markdown, answer_to_text
from rag.types import Answer, Turn
from ui.web.checkup import change_settings, choices, describe, has_key, proposed, try_settings
from ui.web.people import Person
from ui.web.removal import Removals
from ui.web.render import render_suggestions
from ui.web.render_dialogs import (
    render_edit,
    render_help,
    render_rate,
    render_rename,
    render_settings,
    render_test,
    render_tried,
)
from ui.web.render_library import render_talks
from ui.web.samples import samples_folder
from ui.web.sessions import Sessions
from ui.web.sources import Sources
from ui.web.strings import say
from ui.web.suggestions import Suggestions
from ui.web.work import Work

Data = dict[str, Any]
_LOG = logging.getLogger(__name__)
_LONGEST = 4_000


class Refused(DossierError):
    """Somebody asked for what they may not do, or for what is not there."""


class Acts:
    """Carries out what the page's script asks for.

    Args:
        sessions: The conversations.
        sources: Shows documents.
        work: Adds documents in the background.
        removals: Removes documents, after a while in which that can be undone.
        suggestions: Finds questions to suggest.
        settings_file: Where changed settings are written.
        leave_off: Breaks off the answer on its way in a conversation, if there is one: takes its id and whose it is.
    """

    def __init__(
        self,
        sessions: Sessions,
        sources: Sources,
        work: Work,
        removals: Removals,
        suggestions: Suggestions,
        settings_file: Path,
        leave_off: Callable[[str, str], object],
    ) -> None:
        self._sessions, self._sources, self._work = sessions, sources, work
        self._removals, self._suggestions = removals, suggestions
        self._library = sources.library
        self._assistant = suggestions.assistant
        self._settings_file, self._leave_off = settings_file, leave_off
        self._acts: dict[str, Callable[[Person, Data], Data]] = {
            "source": self.source, "talks": self.talks, "rename": self.rename, "delete": self.delete,
            "undelete": self.undelete, "share": self.share, "copy": self.copy, "rate": self.rate, "test": self.test,
            "dialog": self.dialog, "remove": self.remove, "restore": self.restore, "samples": self.samples,
            "try-settings": self.try_settings, "settings": self.settings, "suggest": self.suggest,
        }  # fmt: skip

    def do(self, who: Person, data: Data) -> Data:
        """Carry out `data["act"]`; whatever goes wrong comes back as a `problem`."""
        name = str(data.get("act"))
        try:
            if name not in self._acts:
                raise Refused(say("problem.unknown", act=name), remedy=say("problem.unknown.remedy"))
            return self._acts[name](who, data)
        except DossierError as error:
            return {"problem": [error.message, error.remedy]}
        except Exception as error:  # the page must say so, whatever it was
            _LOG.exception("%s failed", name)
            told = say("problem.internal", kind=type(error).__name__)
            return {"problem": [told, say("problem.internal.remedy")]}

    def source(self, who: Person, data: Data) -> Data:
        """Show a document."""
        return {"html": self._sources.show(data)}

    # Conversations

    def talks(self, who: Person, data: Data) -> Data:
        """List the person's conversations."""
        query = _text(data, "query")
        found = self._sessions.stored.list(owner=who.name, query=query)
        return {"html": render_talks(found, _text(data, "id"), query)}

    def rename(self, who: Person, data: Data) -> Data:
        """Give a conversation another title."""
        title = " ".join(_text(data, "title").split())[:200]
        if title:
            self._sessions.rename(_text(data, "id"), title, who.name)
        return {"changed": "talks"}

    def delete(self, who: Person, data: Data) -> Data:
        """Put a conversation away."""
        name = _text(data, "id")
        self._leave_off(name, who.name)  # else its answer, once complete, would take the place of what can be undone
        self._sessions.delete(name, who.name)
        return {"changed": "talks", "toast": say("talks.deleted"), "undo": {"act": "undelete", "id": name}}

    def undelete(self, who: Person, data: Data) -> Data:
        """Bring a conversation back."""
        self._sessions.stored.undelete(_text(data, "id"), owner=who.name)
        return {"changed": "talks"}

    def share(self, who: Person, data: Data) -> Data:
        """Copy a conversation for others."""
        return {"shared": self._sessions.share(_text(data, "id"), who.name)}

    # Answers

    def _turn(self, who: Person, data: Data) -> tuple[int, Turn, Answer]:
        conversation = self._sessions.get(_text(data, "id"), who.name)
        number = _number(data, "turn")
        turn = conversation.turns[number] if 0 <= number < len(conversation.turns) else None
        if turn is None or turn.answer is None:
            raise Refused(say("problem.no_turn"), remedy=say("problem.unknown.remedy"))
        return number, turn, turn.answer

    def copy(self, who: Person, data: Data) -> Data:
        """Write an answer as text or Markdown."""
        answer = self._turn(who, data)[2]
        return {"text": answer_to_markdown(answer) if data.get("form") == "markdown" else answer_to_text(answer)}

    def rate(self, who: Person, data: Data) -> Data:
        """Keep what somebody thinks of an answer."""
        number = self._turn(who, data)[0]
        rating = 1 if _number(data, "rating") > 0 else -1
        comment = _text(data, "comment")
        self._library.feedback.add(_text(data, "id"), number, rating, comment, owner=who.name)
        return {"toast": say("rate.thanks")}

    def test(self, who: Person, data: Data) -> Data:
        """Add a turn, as corrected by the person, to the cases file beside the library."""
        number, _, answer = self._turn(who, data)
        chosen = data.get("evidence") or []
        markers = {str(m) for m in (chosen if isinstance(chosen, list) else [chosen])}
        answerable = bool(data.get("answerable"))
        reference = " ".join(_text(data, "reference").split())
        before = self._sessions.get(_text(data, "id"), who.name).turns[:number]
        evidence = [Evidence(c.source, c.quote, c.start, c.end) for c in answer.citations if str(c.marker) in markers]
        case = Case(
            id=f"page-{_text(data, 'id')}-{number + 1}-{time.strftime('%Y%m%d%H%M%S')}",
            question=_text(data, "question").strip() or answer.question,
            history=tuple((turn.question, turn.text) for turn in before),
            answerable=answerable,
            references=(reference,) if reference and answerable else (),
            evidence=tuple(evidence) if answerable else (),
            tags=("page",),
        )
        path = self._library.path / "cases.jsonl"
        append_case(path, case)
        return {"toast": say("test.saved", path=path.name if who.name else path)}

    def suggest(self, who: Person, data: Data) -> Data:
        """Find questions to suggest: at the start, or after the last answer of a conversation."""
        conversation = self._sessions.get(_text(data, "id"), who.name)
        if conversation.turns:
            return {"html": render_suggestions(self._suggestions.after(conversation), say("suggest.next"))}
        return {"html": render_suggestions(self._suggestions.at_start(), say("suggest.start"))}

    # Documents

    def _changer(self, who: Person) -> None:
        if not who.may_add:
            raise Refused(say("problem.not_allowed", name=who.name), remedy=say("problem.not_allowed.remedy"))

    def remove(self, who: Person, data: Data) -> Data:
        """Take a document from the list, and in a while from the library."""
        self._changer(who)
        name = _text(data, "document")
        title = self._removals.begin(name)
        toast = say("docs.removed", title=title)
        return {"changed": "documents", "toast": toast, "undo": {"act": "restore", "document": name}}

    def restore(self, who: Person, data: Data) -> Data:
        """Leave a document where it is after all."""
        self._changer(who)
        self._removals.undo(_text(data, "document"))
        return {"changed": "documents"}

    def samples(self, who: Person, data: Data) -> Data:
        """Add the sample collection."""
        self._changer(who)
        folder = samples_folder()
        if folder is not None:
            self._work.add_folder(folder)
        return {"changed": "documents"}

    # Dialogs

    def dialog(self, who: Person, data: Data) -> Data:
        """Draw a dialog."""
        name = data.get("name")
        if name == "settings":
            chosen = self._assistant.settings
            form = choices(chosen) if who.may_add else []
            sections, file = describe(self._assistant), self._settings_file.name
            return {"html": render_settings(sections, form, has_key=has_key(chosen), file=file)}
        if name == "help":
            return {"html": render_help()}
        if name == "rename":
            talk = _text(data, "id")
            return {"html": render_rename(talk, self._sessions.get(talk, who.name).title)}
        number, turn, answer = self._turn(who, data)
        if name == "edit":
            turns = self._sessions.get(_text(data, "id"), who.name).turns
            return {"html": render_edit(number, turn, len(turns) - number - 1)}
        if name == "test":
            return {"html": render_test(number, answer)}
        return {"html": render_rate(number, _number(data, "rating"))}

    def try_settings(self, who: Person, data: Data) -> Data:
        """Try encoder, search, grounding model and language model; the last as the form has it, before it is saved."""
        chosen = self._assistant.settings
        try:
            wanted = proposed(chosen, data) if who.may_add else chosen
        except DossierError as error:
            return {"html": render_tried([(False, error.message, error.remedy)])}
        return {"html": render_tried(try_settings(self._assistant, wanted))}

    def settings(self, who: Person, data: Data) -> Data:
        """Answer as the form says from now on, also after a restart."""
        if not who.may_add:
            raise Refused(say("problem.settings", name=who.name), remedy=say("problem.not_allowed.remedy"))
        changed = change_settings(self._assistant, data, self._settings_file)
        return {"toast": say("settings.saved" if changed else "settings.same", name=self._settings_file.name)}


def _text(data: Data, name: str) -> str:
    value = data.get(name)
    return value[:_LONGEST] if isinstance(value, str) else ""


def _number(data: Data, name: str) -> int:
    value = data.get(name)
    try:
        return int(value) if isinstance(value, (int, float, str)) else 0
    except ValueError:
        return 0
