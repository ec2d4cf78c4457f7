"""Verbs about conversations that are kept: list, show, rename, delete, undelete, export."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from index.errors import ConfigError
from index.types import ConversationInfo
from rag.records import conversation_from_json, conversation_to_json, conversation_to_markdown
from rag.types import Conversation
from ui.cli.opening import open_library
from ui.cli.questions import format_answer
from ui.cli.terminal import bold, one_line, print_json, say, visible, wrap, write_bytes

if TYPE_CHECKING:
    from index.conversations import Conversations
    from index.library import Library


def run_conversations(options: argparse.Namespace) -> int:
    """Do one thing with the conversations of a library."""
    verbs: dict[str, Callable[[argparse.Namespace, Library], None]] = {
        "list": _list, "show": _show, "rename": _rename, "delete": _delete, "undelete": _undelete, "export": _export,
    }  # fmt: skip
    with open_library(options) as library:
        verbs[options.conversations_verb](options, library)
    return 0


def load_conversation(prefix: str, stored: Conversations) -> Conversation:
    """Read the conversation whose id begins with `prefix`.

    Raises:
        ConfigError: There is none, or more than one.
    """
    info = _find(prefix, stored.list())
    return conversation_from_json(stored.load(info.id) or "")


def _find(prefix: str, infos: list[ConversationInfo]) -> ConversationInfo:
    found = [info for info in infos if info.id.startswith(prefix)] if prefix else []
    if len(found) == 1:
        return found[0]
    remedy = "See their ids with: dossier conversations list"
    if found:
        raise ConfigError(f"{len(found)} conversations have an id that begins with {prefix!r}.", remedy=remedy)
    raise ConfigError(f"There is no conversation with the id {prefix!r}.", remedy=remedy)


def _list(options: argparse.Namespace, library: Library) -> None:
    infos = library.conversations.list(query=options.query or "", deleted=options.deleted)
    if options.json:
        print_json([_record(info) for info in infos])
    elif not infos:
        say("There are no such conversations." if options.query or options.deleted else "There are no conversations.")
    for info in infos if not options.json else ():
        turns = f"{info.turns:,} {'question' if info.turns == 1 else 'questions'}"
        print(f"{info.id}  {info.updated.astimezone():%Y-%m-%d %H:%M}  {turns}  {visible(one_line(info.title, 80))}")


def _record(info: ConversationInfo) -> dict[str, Any]:
    return {
        "id": info.id,
        "title": info.title,
        "created": info.created.isoformat(),
        "updated": info.updated.isoformat(),
        "turns": info.turns,
        "owner": info.owner,
    }


def _show(options: argparse.Namespace, library: Library) -> None:
    conversation = load_conversation(options.id, library.conversations)
    if options.json:
        write_bytes(f"{conversation_to_json(conversation)}\n".encode("utf-8", errors="backslashreplace"))
        return
    print(wrap(bold(visible(one_line(conversation.title)))))
    for turn in conversation.turns:
        print(f"\n> {one_line(turn.question)}")
        print(format_answer(turn.answer, {}) if turn.answer is not None else wrap(one_line(turn.text)))


def _rename(options: argparse.Namespace, library: Library) -> None:
    title = " ".join(options.title.split())[:200]
    if not title:
        raise ConfigError(
            "The title is empty.", remedy='Write it in quotes: dossier conversations rename ID "New title"'
        )
    info = _find(options.id, library.conversations.list())
    library.conversations.rename(info.id, title)
    say(f"{info.id} is called “{visible(title)}” now.")


def _delete(options: argparse.Namespace, library: Library) -> None:
    infos = [_find(prefix, library.conversations.list()) for prefix in options.ids]  # all are known before any goes
    for info in infos:
        library.conversations.delete(info.id)
        say(f"Deleted “{visible(one_line(info.title, 80))}”. dossier conversations undelete {info.id} brings it back.")


def _undelete(options: argparse.Namespace, library: Library) -> None:
    info = _find(options.id, library.conversations.list(deleted=True))
    library.conversations.undelete(info.id)
    say(f"“{visible(one_line(info.title, 80))}” is back.")


def _export(options: argparse.Namespace, library: Library) -> None:
    conversation = load_conversation(options.id, library.conversations)
    write = conversation_to_json if options.format == "json" else conversation_to_markdown
    data = write(conversation).encode("utf-8", errors="replace")
    if options.out is None:
        write_bytes(data if data.endswith(b"\n") else data + b"\n")
        sys.stdout.flush()
        return
    try:
        with options.out.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise ConfigError(f"{options.out} is there already.", remedy="Choose another file.") from error
    say(f"Written to {visible(str(options.out))}.")
