"""The grammar of the command line. Verbs are imported when they run, so that `--help` costs nothing."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable
from pathlib import Path

from ui.cli.evaluate_parser import add_eval, sentence_of

Run = Callable[[argparse.Namespace], int]


def default_library() -> Path:
    """The library used when none is named: `DOSSIER_LIBRARY`, else one in the user's data folder."""
    named = os.environ.get("DOSSIER_LIBRARY")
    if named:
        return Path(named).expanduser()
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "dossier" / "library"


def _lazily(module: str, name: str) -> Run:
    def run(options: argparse.Namespace) -> int:
        return int(getattr(importlib.import_module(module), name)(options))

    return run


def _number(text: str, least: int, most: int) -> int:
    value = int(text) if text.isascii() and text.isdigit() else least - 1
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
    return value


def _top_k(text: str) -> int:
    return _number(text, 1, 1_000)


def _port(text: str) -> int:
    return _number(text, 0, 65_535)


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("the name is empty")
    return Path(text).expanduser()


class _Version(argparse.Action):
    """Prints the version; looks it up only when asked, because that reads the installed packages."""

    def __init__(self, option_strings: list[str], dest: str) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help="print the version")

    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("dossier")
        except PackageNotFoundError:
            number = "not installed"
        print(f"dossier {number}")
        parser.exit()


def _global_flags(parser: argparse.ArgumentParser, *, default: bool) -> None:
    """Add the flags that stand before or after the verb; only those before it carry defaults, so none hides another."""
    nothing = argparse.SUPPRESS
    group = parser.add_argument_group("everywhere")
    group.add_argument(
        "--library",
        type=_folder,
        metavar="FOLDER",
        default=None if default else nothing,
        help="the library (default: $DOSSIER_LIBRARY, else dossier/library in the user's data folder)",
    )
    group.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=None if default else nothing,
        help="settings in place of the library's dossier.toml",
    )
    group.add_argument(
        "--encoder",
        metavar="MODEL",
        default=None if default else nothing,
        help="embedding model: a sentence-transformers name or folder",
    )
    group.add_argument(
        "--device", metavar="DEVICE", default=None if default else nothing, help="where that model runs: cpu, cuda, mps"
    )
    group.add_argument(
        "--json", action="store_true", default=False if default else nothing, help="JSON on stdout, for programs"
    )


def build_parser() -> argparse.ArgumentParser:
    """Build the parser; each verb sets `run`, a function of the parsed options."""
    parser = argparse.ArgumentParser(
        prog="dossier",
        description="Ask your own documents, offline; every sentence of an answer cites the exact words it rests on.",
        epilog="Data goes to stdout, talk to stderr. Exit status: 0 done (so is an answer that is not in the "
        "documents), 1 an error that is explained on stderr, 2 wrong usage, 130 interrupted with Ctrl-C.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version)
    _global_flags(parser, default=True)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(name: str, summary: str, module: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=summary, description=sentence_of(summary), allow_abbrev=False)
        _global_flags(sub, default=False)
        sub.set_defaults(run=_lazily(f"ui.cli.{module}", f"run_{name}"))
        return sub

    add = verb("add", "add files, and the supported files of folders", "documents")
    add.add_argument("paths", nargs="+", metavar="PATH", help="a file or folder, or an http(s) address to fetch")
    sync = verb("sync", "bring the library to the state of its folders", "documents")
    sync.add_argument(
        "folders", nargs="*", type=Path, metavar="FOLDER", help="a folder (default: those of earlier syncs)"
    )
    sync.add_argument("--dry-run", action="store_true", help="only tell what would be done")
    sync.add_argument(
        "--check", action="store_true", help="compare the bytes even of files whose size and time stamp are the same"
    )
    sync.add_argument(
        "--allow-empty", action="store_true", help="go on if a folder is empty now and all its documents would go"
    )
    sync.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="read and embed on a Ray cluster: local, auto, HOST:6379 or ray://HOST:10001 (needs the ray extra)",
    )
    sync.add_argument("--forget", action="store_true", help="keep these folders in step no longer; documents stay")
    watch = verb("watch", "sync whenever files change, until Ctrl-C", "documents")
    watch.add_argument(
        "folders", nargs="*", type=Path, metavar="FOLDER", help="a folder (default: those of earlier syncs)"
    )
    verb("report", "show the report of the latest add or sync again", "documents")
    _where(verb("list", "list the documents", "documents"))
    show = verb("show", "show one document", "documents")
    show.add_argument("id", metavar="ID", help="its id, or the first digits of it")
    show.add_argument(
        "--text", action="store_true", help="its exact text and nothing else; citations count its characters from 0"
    )
    remove = verb("remove", "remove documents from the library (not the files)", "documents")
    remove.add_argument("ids", nargs="+", metavar="ID", help="an id, or the first digits of it")
    search = verb("search", "find passages", "questions")
    search.add_argument("query", metavar="QUERY", help="a question or some words")
    search.add_argument("--top-k", type=_top_k, default=10, metavar="N", help="hits at most (default: %(default)s)")
    ask = verb("ask", "answer a question", "questions")
    ask.add_argument("question", metavar="QUESTION", help="the question; - reads it from stdin")
    _where(search)
    _where(ask)
    ask.add_argument(
        "--history", type=Path, metavar="FILE", help="earlier turns, as JSON: [[question, answer], ...], oldest first"
    )
    resolve = verb("resolve", "tell where a citation's dossier:// link leads now", "questions")
    resolve.add_argument("link", metavar="LINK", help="the link, as in the JSON of an answer")
    chat = verb("chat", "hold a conversation in the terminal", "chat")
    chat.add_argument("--resume", metavar="ID", help="go on with a conversation; its id, or the first digits of it")
    ui = verb("ui", "serve the chat page", "page")
    for sub in (ask, chat):
        _llm(sub)
    ui.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    ui.add_argument("--port", type=_port, default=7860, help="port to listen on (default: %(default)s)")
    ui.add_argument(
        "--docs", type=Path, metavar="FOLDER", help="add this folder first; what is there already is left alone"
    )
    ui.add_argument(
        "--insecure",
        action="store_true",
        help="allow an address that other machines can reach although nobody has to sign in",
    )
    ui.add_argument("--auth", type=Path, metavar="USERS.toml", help="only the people in this file may use the page")
    _add_people(ui)
    doctor = verb("doctor", "check that everything in the library is right and can be used", "upkeep")
    doctor.add_argument(
        "--llm",
        dest="llm_only",
        action="store_true",
        help="ask the language model of the settings instead: does it answer, how fast, what is its window",
    )
    doctor.add_argument(
        "--repair", action="store_true", help="put right what can be; no document of the catalog is ever removed"
    )
    backup = verb("backup", "write the library into one file", "upkeep")
    backup.add_argument("file", type=Path, metavar="FILE", help="the file; it appears when it is complete")
    backup.add_argument("--force", action="store_true", help="replace the file if it exists")
    restore = verb("restore", "make a library from such a file", "upkeep")
    restore.add_argument("file", type=Path, metavar="FILE", help="the file; the library's folder must be new or empty")
    restore.add_argument("--force", action="store_true", help="rename a folder that is there to NAME.before-restore-N")
    _add_conversations(verbs)
    add_eval(verbs, _lazily, lambda sub: _global_flags(sub, default=False), _llm)
    return parser


def _llm(
    parser: argparse.ArgumentParser, does: str = "writes the answer in place of the reader", *, writes: bool = True
) -> None:
    group = parser.add_argument_group("language model")
    group.add_argument("--llm", choices=("openai-like", "anthropic", "ollama"), help=f"what {does}")
    group.add_argument("--llm-url", metavar="URL", help="where it answers, such as http://127.0.0.1:8000/v1")
    group.add_argument("--llm-model", metavar="NAME", help="its name there; a key comes from DOSSIER_LLM_KEY")
    if not writes:
        return
    group.add_argument(
        "--grounding",
        choices=("flag", "strict", "off"),
        help="what becomes of a sentence no passage supports: shown with a flag, withheld, or not checked at all",
    )


def _where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--where",
        metavar="FILTER",
        help="only documents that match, e.g. 'published>=2025-01 type=pdf,html tag=nk source=*/reports/*'; keys: "
        "source, title, type, published, tag, language, document; != negates",
    )


def _add_people(ui: argparse.ArgumentParser) -> None:
    inner = ui.add_subparsers(dest="ui_verb", metavar="VERB", required=False)
    summary = "let somebody sign in; asks for a password, or reads it from stdin"
    adduser = inner.add_parser("adduser", help=summary, description=sentence_of(summary), allow_abbrev=False)
    _global_flags(adduser, default=False)
    adduser.add_argument("name", metavar="NAME", help="the name to sign in with")
    adduser.add_argument(
        "--auth", type=Path, default=Path("users.toml"), metavar="USERS.toml", help="the file (default: %(default)s)"
    )
    adduser.add_argument("--ask-only", action="store_true", help="may ask and read, but not change the library")
    adduser.set_defaults(run=_lazily("ui.cli.page", "run_adduser"))


def _add_conversations(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    summary = "list, show, rename, delete and export the conversations that are kept"
    conversations = verbs.add_parser(
        "conversations", help=summary, description=sentence_of(summary), allow_abbrev=False
    )
    inner = conversations.add_subparsers(dest="conversations_verb", metavar="VERB", required=True)

    def verb(name: str, summary: str) -> argparse.ArgumentParser:
        sub = inner.add_parser(name, help=summary, description=sentence_of(summary), allow_abbrev=False)
        _global_flags(sub, default=False)
        sub.set_defaults(run=_lazily("ui.cli.conversations", "run_conversations"))
        return sub

    listed = verb("list", "list the conversations, the newest first")
    listed.add_argument("--query", metavar="WORDS", help="only those that hold each of these words")
    listed.add_argument("--deleted", action="store_true", help="those that were deleted and can still be brought back")
    for name, summary in (
        ("show", "print a conversation"),
        ("rename", "give a conversation another title"),
        ("undelete", "bring a deleted conversation back"),
        ("export", "write a conversation with its sources"),
    ):
        verb(name, summary).add_argument("id", metavar="ID", help="its id, or the first digits of it")
    inner.choices["rename"].add_argument("title", metavar="TITLE", help="the new title")
    verb("delete", "delete conversations; undelete brings them back").add_argument(
        "ids", nargs="+", metavar="ID", help="an id, or the first digits of it"
    )
    inner.choices["export"].add_argument(
        "--format", choices=("markdown", "json"), default="markdown", help="(default: %(default)s, with footnotes)"
    )
    inner.choices["export"].add_argument("--out", type=Path, metavar="FILE", help="the file (default: stdout)")
