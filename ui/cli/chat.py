"""The terminal conversation."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import DossierError
from rag.records import conversation_to_json, conversation_to_markdown
from rag.types import Conversation, Done, Sentence
from ui.cli.opening import open_assistant
from ui.cli.questions import format_answer
from ui.cli.terminal import one_line, print_json, say

if TYPE_CHECKING:
    from rag.assistant import Assistant

HELP = """/sources        the citations of the last answer in full
/new            start a new conversation
/export FILE    write the conversation to FILE (.md with footnotes, or .json)
/help           this list
/quit           leave (so does Ctrl-D); Ctrl-C stops an answer"""


def run_chat(options: argparse.Namespace) -> int:
    """Ask and answer until the person leaves."""
    interactive = sys.stdin.isatty()
    if interactive:
        import readline  # noqa: F401 - gives input() its line editing and history

        say(f"Ask about your documents. Commands:\n{HELP}")
    with open_assistant(options) as assistant:
        conversation = Conversation()
        while True:
            try:
                line = input("\n> " if interactive else "").strip()
            except EOFError:
                return 0
            except KeyboardInterrupt:
                say("\n/quit or Ctrl-D leaves.")
                continue
            if line in ("/quit", "/exit"):
                return 0
            if line.startswith("/"):
                conversation = _command(line, conversation)
            elif line:
                conversation = _answer(line, conversation, assistant, as_json=options.json)


def _answer(question: str, conversation: Conversation, assistant: Assistant, *, as_json: bool) -> Conversation:
    try:
        for event in assistant.stream(question, conversation):
            if isinstance(event, Sentence) and not as_json:
                print(one_line(event.statement.text), "".join(f"[{n}]" for n in event.statement.citations), flush=True)
            if isinstance(event, Done):
                conversation = conversation.add(event.answer)
                assistant.library.catalog.save_conversation(
                    conversation.id, conversation.title, conversation_to_json(conversation)
                )
                _close(event, assistant, as_json=as_json)
    except DossierError as error:
        say(f"{one_line(error.message)}\n{one_line(error.remedy)}")
    except KeyboardInterrupt:
        say("\nStopped.")
    return conversation


def _close(event: Done, assistant: Assistant, *, as_json: bool) -> None:
    from rag.records import answer_record

    answer = event.answer
    if as_json:
        print_json(answer_record(answer))
    elif answer.abstained:
        titles = {i.id: i.title for i in assistant.library.documents([h.passage.document_id for h in answer.hits[:3]])}
        print(format_answer(answer, titles))
    else:
        for c in answer.citations:
            date = f", {c.published.isoformat()}" if c.published else ""
            print(f"  [{c.marker}] {one_line(c.title)}{date}{f', p. {c.page}' if c.page else ''}")


def _command(line: str, conversation: Conversation) -> Conversation:
    verb, _, rest = line.partition(" ")
    if verb == "/new":
        say("A new conversation.")
        return Conversation()
    if verb == "/sources":
        answers = [t.answer for t in conversation.turns if t.answer is not None]
        print(format_answer(answers[-1], {}) if answers else "No answer yet.")
    elif verb == "/export" and rest.strip():
        _export(Path(rest.strip()).expanduser(), conversation)
    else:
        say(HELP)
    return conversation


def _export(path: Path, conversation: Conversation) -> None:
    text = conversation_to_json(conversation) if path.suffix == ".json" else conversation_to_markdown(conversation)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        say(f"{path} cannot be written: {error.strerror}. Choose another file.")
    else:
        say(f"Written to {path}.")
