"""The terminal conversation."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import DossierError
from rag.records import answer_record, conversation_to_json, conversation_to_markdown
from rag.types import Answer, Conversation, Done, Sentence
from ui.cli.conversations import load_conversation
from ui.cli.opening import library_path, open_assistant
from ui.cli.questions import (
    format_answer,
    format_footnotes,
    format_place,
    format_remarks,
    format_statement,
    nearest_documents,
)
from ui.cli.terminal import bold, error_record, one_line, print_json, say, visible, wrap

if TYPE_CHECKING:
    from rag.assistant import Assistant

HELP = """/sources        the citations of the last answer in full
/ask QUESTION   ask this as it stands, whatever was said before
/new            start a new conversation
/conversations  those that are kept, the newest first
/resume ID      go on with one of them
/rename TITLE   give this one another title
/export FILE    write the conversation to FILE (.md with footnotes, or .json)
/help           this list
/quit           leave (so does Ctrl-D); Ctrl-C stops an answer"""
_LISTED = 20  # conversations that are printed
_SHOWN = 2  # turns of a resumed conversation that are printed
_PROMPT = "\001\033[1m\002> \001\033[0m\002"  # bold; \001 and \002 tell readline what takes no room


def run_chat(options: argparse.Namespace) -> int:
    """Ask and answer until the person leaves; without a terminal, each line of stdin is a question."""
    interactive = sys.stdin.isatty() and sys.stdout.isatty() and not options.json
    with open_assistant(options) as assistant:
        if interactive:
            say(f"Ask about your documents. Commands:\n{HELP}")
        chat = _Chat(assistant, interactive=interactive, as_json=options.json)
        if options.resume is not None:
            chat.resume(options.resume)
        chat.prepare()
        for line in _typed(library_path(options)) if interactive else _piped():
            if line.strip() in ("/quit", "/exit"):
                break
            try:
                chat.take(line.strip())
            except DossierError as error:  # a question that cannot be answered does not end the conversation
                say(f"{visible(error.message)}\n{visible(error.remedy)}")
                if options.json:
                    print_json(error_record(type(error).__name__, error.message, error.remedy))
            sys.stdout.flush()
    return 0


class _Chat:
    """A conversation and what the terminal knows of it."""

    def __init__(self, assistant: Assistant, *, interactive: bool, as_json: bool) -> None:
        self._assistant = assistant
        self._interactive = interactive
        self._as_json = as_json
        self._conversation = Conversation()

    def resume(self, prefix: str) -> None:
        """Go on with a conversation that is kept; say what it was about."""
        conversation = self._conversation = load_conversation(prefix, self._assistant.library.conversations)
        say(f"Going on with “{visible(one_line(conversation.title, 80))}”, {len(conversation.turns):,} turns so far.")
        if self._interactive:
            for turn in conversation.turns[-_SHOWN:]:
                print(wrap(bold(f"> {one_line(turn.question)}")))
                print(wrap(one_line(turn.text)))

    def prepare(self) -> None:
        """At a terminal load everything now: libraries that Ctrl-C stops half loaded cannot be loaded again."""
        if self._interactive:
            with self._waiting("Loading"):
                self._assistant.warm_up()

    def take(self, line: str) -> None:
        """Act on one line: a command or a question."""
        verb, _, rest = line.partition(" ")
        if verb == "/new":
            self._conversation = Conversation()
            say("A new conversation; the one before is kept in the library.")
        elif verb == "/conversations":
            self._print_conversations()
        elif verb == "/resume":
            self.resume(rest.strip())
        elif verb == "/rename":
            self._rename(" ".join(rest.split()))
        elif verb == "/ask":
            self._ask(rest.strip(), rest.strip())
        elif verb == "/sources":
            self._print_sources()
        elif verb == "/export":
            self._export(rest.strip())
        elif verb == "/help":
            say(HELP)
        elif line.startswith("/"):
            say(f"There is no command {visible(verb)}.\n{HELP}")
        elif line:
            self._ask(line)

    def _ask(self, question: str, standalone: str | None = None) -> None:
        try:
            answer = self._follow(question, standalone)
        except KeyboardInterrupt:
            if not self._interactive:
                raise
            say("\nStopped.")
            return
        self._conversation = self._conversation.add(answer)
        self._save()
        if self._as_json:
            print_json(answer_record(answer))
        elif self._interactive and not answer.abstained:
            self._print_rest(answer)
        else:
            print(format_answer(answer, nearest_documents(answer, self._assistant.library)), end="\n\n")

    def _save(self) -> None:
        conversation = self._conversation
        self._assistant.library.conversations.save(
            conversation.id, conversation.title, conversation_to_json(conversation), turns=len(conversation.turns)
        )

    def _print_rest(self, answer: Answer) -> None:
        """At a terminal: what is to be said after the sentences, which were printed one by one."""
        if answer.standalone_question != answer.question:
            print(wrap(f"Searched for: {one_line(answer.standalone_question)}"))
        if answer.reply and not answer.statements:
            print(wrap(one_line(answer.reply)))
        remarks = format_remarks(answer)
        if remarks:
            print("\n".join(["", *remarks]))
        for c in answer.citations:
            print(f"  [{c.marker}] {format_place(c.title, c.published, c.page_name)}")

    def _follow(self, question: str, standalone: str | None) -> Answer:
        """Wait for the answer; at a terminal print each sentence as soon as it is checked."""
        with self._waiting("Searching") as waiting:
            for event in self._assistant.stream(question, self._conversation, standalone=standalone):
                if isinstance(event, Sentence) and self._interactive:
                    waiting.close()
                    print(wrap(format_statement(event.statement)), flush=True)
                if isinstance(event, Done):
                    return event.answer
        raise AssertionError("a stream ends with Done")

    def _waiting(self, what: str) -> contextlib.ExitStack:
        """Show that work goes on, until closed."""
        stack = contextlib.ExitStack()
        if self._interactive:
            from rich.console import Console

            stack.enter_context(Console(stderr=True).status(what))
        return stack

    def _print_sources(self) -> None:
        answers = [t.answer for t in self._conversation.turns if t.answer is not None]
        if not answers:
            say("No answer yet.")
        elif not answers[-1].citations:
            say("The last answer cites nothing.")
        else:
            print("\n".join(format_footnotes(answers[-1])))

    def _print_conversations(self) -> None:
        for info in self._assistant.library.conversations.list()[:_LISTED]:
            print(f"{info.id}  {info.updated.astimezone():%Y-%m-%d %H:%M}  {visible(one_line(info.title, 80))}")

    def _rename(self, title: str) -> None:
        if not title or not self._conversation.turns:
            say("Write the new title of a conversation with at least one question: /rename TITLE")
            return
        self._conversation = replace(self._conversation, title=title[:200])
        self._save()

    def _export(self, name: str) -> None:
        if not name:
            say("Name a file: /export FILE")
            return
        path = Path(name).expanduser()
        write = conversation_to_json if path.suffix.lower() == ".json" else conversation_to_markdown
        try:
            with path.open("xb") as file:
                file.write(write(self._conversation).encode("utf-8", errors="replace"))
        except FileExistsError:
            say(f"{visible(str(path))} is there already. Choose another file.")
        except OSError as error:
            say(f"{visible(str(path))} cannot be written: {error.strerror}. Choose another file.")
        else:
            say(f"Written to {visible(str(path))}.")


def _piped() -> Iterator[str]:
    """Read questions from stdin, one a line."""
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", errors="replace")


def _typed(library: Path) -> Iterator[str]:
    """Read questions from the person until Ctrl-D; what was typed is kept in the library for the next time."""
    history = library / "chat_history"
    try:
        import readline
    except ImportError:  # Windows has none
        keep = contextlib.ExitStack()
    else:
        with contextlib.suppress(OSError):
            readline.read_history_file(history)
        readline.set_history_length(1_000)
        keep = contextlib.ExitStack()
        keep.enter_context(contextlib.suppress(OSError))
        keep.callback(readline.write_history_file, history)
    with keep:
        while True:
            try:
                yield input(_PROMPT)
            except EOFError:
                print()
                return
            except KeyboardInterrupt:
                say("\n/quit or Ctrl-D leaves.")
