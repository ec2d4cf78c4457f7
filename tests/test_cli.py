"""The command line, verb by verb."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from index.catalog import Catalog
from index.conversations import Conversations
from index.types import AddReport
from rag import Assistant, Conversation, Searching
from ui.cli import main
from ui.cli.chat import _Chat
from ui.cli.parser import build_parser, default_library
from ui.cli.reference import reference
from ui.cli.terminal import one_line, safe, visible

ROOT = Path(__file__).parents[1]
FERRY = (
    "The Dunmarrow ferry berth\n\n"
    "The new ferry berth at Dunmarrow opens on 4 June 2027. The berth cost 38 million crowns — twice the estimate.\n\n"
    "Ferries to Port Ansel leave every forty minutes. The crossing takes “about an hour”.\n"
)
BEES = (
    "Notes on bees\n\n"
    "Beekeepers inspect the hives of the valley every ten days in May. A strong colony holds fifty thousand bees.\n\n"
    "Honey is harvested in July. 蜂蜜 is the Chinese word for it; a jar sells for nine crowns 🐝.\n"
)
EVIL = (
    "A hostile note\n\n"
    "The lighthouse keeper \x1b]0;owned\x07 painted the lantern \x9b31mred\x1b[0m in March 2019.\n\n"
    "The keeper of the lighthouse earns \u202e0009\u202c crowns a year\x08\x08.\n"
)
HOSTILE = ("\x1b", "\x07", "\x08", "\x9b", "\u202e", "\u202c")


@dataclass(frozen=True)
class Ran:
    """What a command left: exit status, stdout, stderr."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode("utf-8")

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Dossier = Callable[..., Ran]


@pytest.fixture
def dossier(capsysbinary: pytest.CaptureFixture[bytes]) -> Dossier:
    def run(*argv: object) -> Ran:
        capsysbinary.readouterr()
        status = main([str(a) for a in argv])
        out, err = capsysbinary.readouterr()
        return Ran(status, out, err.decode("utf-8"))

    return run


def spawn(*argv: object, stdin: bytes = b"", **env: str) -> Ran:
    done = subprocess.run(
        [sys.executable, "-m", "ui.cli", *map(str, argv)],
        cwd=ROOT, input=stdin, capture_output=True, timeout=120, env={**os.environ, **env},
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr.decode("utf-8"))


def write_documents(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ferry.txt").write_text(FERRY, encoding="utf-8", newline="")
    (folder / "bees.txt").write_text(BEES, encoding="utf-8", newline="")
    (folder / "evil\x1b[31m\nname.txt").write_text(EVIL, encoding="utf-8", newline="")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of three tiny documents that no test changes."""
    folder = tmp_path_factory.mktemp("cli")
    write_documents(folder / "docs")
    path = folder / "library"
    assert main(["add", str(folder / "docs"), "--library", str(path)]) == 0
    return path


@pytest.fixture
def ids(library: Path, dossier: Dossier) -> dict[str, str]:
    listed = dossier("list", "--json", "--library", library).json
    return {Path(d["source"]).name.split(".")[0][:5]: d["id"] for d in listed}


# Grammar


def test_help_lists_every_verb(dossier: Dossier) -> None:
    """`dossier --help` names each verb, on stdout, with status 0."""
    ran = dossier("--help")
    assert ran.status == 0
    for verb in ("add", "list", "show", "remove", "search", "ask", "chat", "ui", "eval"):
        assert f"    {verb} " in ran.text


def test_reference_page_equals_the_code() -> None:
    """docs/cli.md is what `python -m ui.cli.reference` prints; write it again after changing a flag."""
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == reference()


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--bogus", "list"],
        ["nonsense"],
        ["add"],
        ["ask"],
        ["show", "abc", "--lib", "x"],
        ["search", "x", "--top-k", "0"],
        ["search", "x", "--top-k", "many"],
        ["ui", "--port", "70000"],
        ["list", "--library", ""],
        ["eval"],
        ["eval", "run", "cases.jsonl"],
    ],
    ids=lambda argv: " ".join(argv) or "nothing",
)
def test_wrong_usage_exits_2_and_prints_no_data(argv: Sequence[str], dossier: Dossier) -> None:
    """Usage errors go to stderr; abbreviated flags are not guessed."""
    ran = dossier(*argv)
    assert (ran.status, ran.out) == (2, b"")
    assert "usage: dossier" in ran.err


def test_global_flags_may_stand_before_or_after_the_verb() -> None:
    """Both places set the same option, for every verb, and the later one wins."""
    flags = ["--library", "L", "--config", "C", "--encoder", "E", "--device", "D", "--json"]
    verbs = (
        ["add", "p"], ["list"], ["show", "i"], ["remove", "i"], ["search", "q"], ["ask", "q"], ["chat"], ["ui"],
        ["eval", "run", "c", "--out", "o"],
    )  # fmt: skip
    for verb in verbs:
        before, after = (build_parser().parse_args(a) for a in ([*flags, *verb], [*verb, *flags]))
        for options in (before, after):
            assert (options.library, options.config) == (Path("L"), Path("C"))
            assert (options.encoder, options.device, options.json) == ("E", "D", True)
        assert build_parser().parse_args([*verb]).json is False
    assert build_parser().parse_args(["--library", "one", "list", "--library", "two"]).library == Path("two")


def test_default_library_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`DOSSIER_LIBRARY` first, then the data folder of the desktop standard, then ~/.local/share."""
    monkeypatch.setenv("DOSSIER_LIBRARY", "~/mine")
    assert default_library() == Path.home() / "mine"
    monkeypatch.setenv("DOSSIER_LIBRARY", "")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_library() == tmp_path / "dossier" / "library"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert default_library() == Path.home() / ".local" / "share" / "dossier" / "library"


def test_version_is_printed(dossier: Dossier) -> None:
    """`--version` prints one line and ends with 0."""
    ran = dossier("--version")
    assert (ran.status, ran.text.split()[0]) == (0, "dossier")


# Errors


@pytest.mark.parametrize("verb", [["list"], ["show", "x"], ["remove", "x"], ["search", "x"], ["ask", "x"], ["chat"]])
def test_missing_library_exits_1_with_a_remedy(verb: list[str], dossier: Dossier, tmp_path: Path) -> None:
    """Verbs that read do not make a library; they say how to make one, and with --json also as an object."""
    missing = tmp_path / "none"
    ran = dossier(*verb, "--library", missing)
    assert (ran.status, ran.out) == (1, b"")
    assert f"There is no library in {missing}." in ran.err
    assert "dossier --library" in ran.err
    error = dossier("--json", *verb, "--library", missing).json["error"]
    assert (set(error), error["type"]) == ({"type", "message", "remedy"}, "NoLibraryError")
    assert not missing.exists()


def test_unknown_id_exits_1(library: Path, dossier: Dossier) -> None:
    """A document that is not there is named, and nothing else is removed."""
    ran = dossier("show", "feedfeed", "--library", library)
    assert (ran.status, ran.out) == (1, b"")
    assert "There is no document 'feedfeed'" in ran.err
    first = dossier("list", "--json", "--library", library).json[0]["id"]
    assert dossier("remove", first, "feedfeed", "--library", library).status == 1
    assert len(dossier("list", "--json", "--library", library).json) == 3


def test_missing_settings_file_exits_1(library: Path, dossier: Dossier) -> None:
    """--config must name a file that is there."""
    ran = dossier("list", "--library", library, "--config", "nowhere.toml", "--json")
    assert (ran.status, ran.json["error"]["type"]) == (1, "ConfigError")


def test_other_encoder_is_refused_before_it_is_loaded(library: Path, dossier: Dossier) -> None:
    """--encoder reaches the library, which knows whose vectors it holds."""
    ran = dossier("ask", "x", "--encoder", "some/other-model", "--library", library, "--json")
    assert (ran.status, ran.json["error"]["type"]) == (1, "StaleIndexError")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_full_disk_exits_1_without_a_traceback(library: Path) -> None:
    """No room left for the output is said in a sentence."""
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "ui.cli", "list", "--library", str(library)]
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert b"The disk is full" in done.stderr
    assert b"Traceback" not in done.stderr


def test_reader_that_leaves_early_is_no_error(library: Path) -> None:
    """`dossier … | head -1` ends quietly with 0."""
    command = [sys.executable, "-m", "ui.cli", "list", "--library", str(library)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.stderr.read(), process.wait(60)) == (b"", 0)


def test_terminal_that_is_not_unicode_gets_escapes(library: Path) -> None:
    """An ASCII stdout shows other characters as escapes; JSON is UTF-8 there, too."""
    ran = spawn("search", "honey", "--library", library, PYTHONIOENCODING="ascii")
    assert (ran.status, b"\\u8702" in ran.out) == (0, True)
    ran = spawn("search", "honey", "--library", library, "--json", PYTHONIOENCODING="ascii")
    assert "蜂蜜" in ran.json[0]["text"]


# Documents


def test_add_reports_each_outcome_and_goes_on_after_a_failure(tmp_path: Path, dossier: Dossier) -> None:
    """One bad file gives status 1 and its reason; the others are added; a second run finds them unchanged."""
    write_documents(tmp_path / "docs")
    (tmp_path / "docs" / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    library = tmp_path / "library"
    ran = dossier("add", tmp_path / "docs", tmp_path / "gone.txt", "--library", library)
    assert ran.status == 1
    assert "3 added, 2 failed; " in ran.text
    assert "broken.pdf" in ran.err
    assert "gone.txt' does not exist.\n  Check the path." in ran.err
    (tmp_path / "docs" / "ferry.txt").write_text(FERRY + "More.\n", encoding="utf-8")
    report = dossier("add", "--json", tmp_path / "docs", "--library", library)
    assert report.status == 1
    assert set(report.json) == {f.name for f in dataclasses.fields(AddReport)}
    assert [len(report.json[k]) for k in ("added", "updated", "unchanged", "failed")] == [0, 1, 2, 1]
    assert set(report.json["failed"][0]) == {"source", "error", "message", "remedy"}
    assert dossier("add", tmp_path / "docs" / "bees.txt", "--library", library).status == 0


def test_add_of_nothing_readable_exits_1(tmp_path: Path, dossier: Dossier) -> None:
    """A folder without a supported file is an error that names the supported endings."""
    (tmp_path / "docs").mkdir()
    ran = dossier("add", tmp_path / "docs", "--library", tmp_path / "library", "--json")
    assert (ran.status, ran.json["error"]["type"]) == (1, "EmptyDocumentError")
    assert ".pdf" in ran.json["error"]["remedy"]


def test_list_prints_a_line_a_document(library: Path, dossier: Dossier) -> None:
    """The list is one line a document; as JSON it has all properties, with the sources."""
    ran = dossier("list", "--library", library)
    assert (ran.status, ran.text.count("\n")) == (0, 3)
    listed = dossier("list", "--library", library, "--json").json
    assert set(listed[0]) == {
        "id", "source", "sources", "title", "published", "author", "media_type", "language", "added", "characters",
        "pages", "passages", "pending", "tags",
    }  # fmt: skip
    assert all(d["sources"] == [d["source"]] and len(d["id"]) == 16 for d in listed)


def test_show_text_is_exactly_the_text(library: Path, ids: dict[str, str], dossier: Dossier) -> None:
    """`show --text` writes the document's text in UTF-8, byte for byte, and nothing after it."""
    for name, text in (("ferry", FERRY), ("bees", BEES)):
        assert dossier("show", ids[name], "--text", "--library", library).out == text.encode("utf-8")
    assert spawn("show", ids["bees"][:6], "--text", "--library", library).out == BEES.encode("utf-8")
    record = dossier("show", ids["bees"], "--text", "--library", library, "--json").json
    assert (record["text"], record["characters"]) == (BEES, len(BEES))


def test_show_prints_what_is_known(library: Path, ids: dict[str, str], dossier: Dossier) -> None:
    """Without --text: properties and the first lines; as JSON no text."""
    ran = dossier("show", ids["ferry"][:8], "--library", library)
    assert ran.status == 0
    assert ids["ferry"] in ran.text
    assert "text/plain" in ran.text
    assert "opens on 4 June 2027" in ran.text
    assert "text" not in dossier("show", ids["ferry"], "--library", library, "--json").json


def test_remove_takes_abbreviated_ids(tmp_path: Path, dossier: Dossier) -> None:
    """Removed documents are named with their whole id and gone from list and search."""
    write_documents(tmp_path / "docs")
    dossier("add", tmp_path / "docs", "--library", tmp_path / "library")
    listed = dossier("list", "--json", "--library", tmp_path / "library").json
    gone = next(d["id"] for d in listed if d["source"].endswith("bees.txt"))
    assert dossier("remove", gone[:10], gone, "--json", "--library", tmp_path / "library").json == {"removed": [gone]}
    assert len(dossier("list", "--json", "--library", tmp_path / "library").json) == 2
    hits = dossier("search", "honey", "--json", "--library", tmp_path / "library").json
    assert gone not in {h["document_id"] for h in hits}


# Questions


def test_search_prints_hits(library: Path, ids: dict[str, str], dossier: Dossier) -> None:
    """Hits are exact spans of their document, at most --top-k, the best first."""
    hits = dossier("search", "ferry berth", "--top-k", "2", "--json", "--library", library).json
    assert [h["rank"] for h in hits] == list(range(1, len(hits) + 1))
    assert 1 <= len(hits) <= 2
    assert hits[0]["document_id"] == ids["ferry"]
    assert hits[0]["text"] == FERRY[hits[0]["start"] : hits[0]["end"]]
    assert "1. " in dossier("search", "ferry berth", "--library", library).text


def test_ask_cites_exact_characters_of_what_show_prints(library: Path, dossier: Dossier) -> None:
    """The promise, end to end: the quote is text[start:end] of `show --text`."""
    answer = dossier("ask", "When does the new ferry berth at Dunmarrow open?", "--json", "--library", library).json
    assert not answer["abstained"]
    assert set(answer) >= {"question", "standalone_question", "text", "statements", "citations", "timings", "model"}
    assert set(answer["statements"][0]) == {
        "text", "support", "verdict", "citations", "highlight", "reason", "sources",
    }  # fmt: skip
    assert answer["statements"][0]["citations"] == [1]
    for citation in answer["citations"]:
        text = dossier("show", citation["document_id"], "--text", "--library", library).text
        assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert "4 June 2027" in answer["text"]


def test_ask_prints_footnotes(library: Path, dossier: Dossier) -> None:
    """Plain output: sentences with markers, then title, quote and source of each."""
    ran = dossier("ask", "When does the new ferry berth at Dunmarrow open?", "--library", library)
    answer, notes = ran.text.split("\n\n", 1)
    assert ran.status == 0
    assert "opens on 4 June 2027. [1]" in answer
    assert notes.startswith("[1] ")
    assert "— “The new ferry berth" in notes
    assert "ferry.txt (" in notes


def test_abstention_is_an_answer(library: Path, dossier: Dossier) -> None:
    """What is not in the documents gives status 0, the words for it, and the nearest passages."""
    ran = dossier("ask", "Who composed the opera Rigoletto?", "--library", library)
    assert ran.status == 0
    assert ran.text.startswith("Not in these documents")
    assert "Nearest passages:\n1. " in ran.text
    record = dossier("ask", "Who composed the opera Rigoletto?", "--library", library, "--json").json
    assert (record["abstained"], record["citations"]) == (True, [])


def test_ask_reads_the_question_from_stdin(library: Path) -> None:
    """A question of `-` is what stdin holds, in UTF-8."""
    ran = spawn("ask", "-", "--json", "--library", library, stdin="What does 蜂蜜 mean?\n".encode())
    assert (ran.status, ran.json["question"]) == (0, "What does 蜂蜜 mean?")


def test_empty_question_exits_1(library: Path, dossier: Dossier) -> None:
    """A question without a word is refused with a remedy."""
    assert dossier("ask", " ?", "--json", "--library", library).json["error"]["type"] == "QuestionError"


def test_history_makes_a_follow_up(library: Path, dossier: Dossier, tmp_path: Path) -> None:
    """--history gives the turns before, so that the question is searched with what it refers to."""
    history = tmp_path / "history.json"
    history.write_text(json.dumps([["When does the ferry berth open?", "On 4 June 2027."]]), encoding="utf-8")
    answer = dossier("ask", "What did it cost?", "--history", history, "--json", "--library", library).json
    assert "berth" in answer["standalone_question"]


@pytest.mark.parametrize("text", ["{", "{}", "[1]", '[["only a question"]]', '[["q", 3]]', None])
def test_history_of_another_shape_exits_1(text: str | None, library: Path, dossier: Dossier, tmp_path: Path) -> None:
    """A history that cannot be read is an error that shows the shape."""
    path = tmp_path / "history.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    error = dossier("ask", "q", "--history", path, "--json", "--library", library).json["error"]
    assert error["type"] == "ConfigError"
    assert str(path) in error["message"]


# The terminal


def test_hostile_text_reaches_no_terminal(library: Path, ids: dict[str, str], dossier: Dossier) -> None:
    """Control characters of names show as escapes, those of texts are left out; only JSON and --text keep them."""
    for argv in (
        ["list"],
        ["show", ids["evil\x1b"]],
        ["search", "lighthouse keeper"],
        ["ask", "What did the lighthouse keeper paint in March 2019?"],
        ["ask", "Who composed the opera Rigoletto?"],
    ):
        ran = dossier(*argv, "--library", library)
        assert ran.status == 0
        assert not any(c in ran.text + ran.err for c in HOSTILE), argv
    assert "evil\\x1b[31m\\nname.txt" in dossier("list", "--library", library).text
    assert dossier("show", ids["evil\x1b"], "--text", "--library", library).out == EVIL.encode("utf-8")


def test_escaping_leaves_ordinary_text_alone() -> None:
    """Letters of all scripts stay; controls are shown or left out; line ends become one kind."""
    assert visible("Ünïcode 蜂蜜 🐝") == safe("Ünïcode 蜂蜜 🐝") == "Ünïcode 蜂蜜 🐝"
    assert visible("a\x1b[2J\nb\u202ec\x85") == "a\\x1b[2J\\nb\\u202ec\\x85"
    assert safe("a\r\nb\rc\td\x00\x1b[2J\u2066e\x0cf") == "a\nb\nc\td[2Je f"
    assert one_line(" a \n\n b\u2028c ") == "a b c"
    assert one_line("one two three", 8) == "one two …"


# Conversation


def test_chat_answers_each_line_and_keeps_the_conversation(library: Path, tmp_path: Path) -> None:
    """Without a terminal each line is a question; commands work; every turn is in the catalog."""
    lines = ["When does the new ferry berth at Dunmarrow open?", "/sources", f"/export {tmp_path / 'talk.md'}",
             f"/export {tmp_path / 'talk.json'}", "", "!!", "/nonsense", "/export", "What did it cost?", "/new",
             "/sources", "/quit", "never asked"]  # fmt: skip
    ran = spawn("chat", "--library", library, stdin="\n".join(lines).encode())
    assert ran.status == 0
    assert ran.text.count("[1] The Dunmarrow ferry berth") >= 2
    assert "There is no command /nonsense." in ran.err
    assert "The question is empty." in ran.err
    assert "No answer yet." in ran.err
    assert "[^1]: The Dunmarrow ferry berth" in (tmp_path / "talk.md").read_text(encoding="utf-8")
    assert len(json.loads((tmp_path / "talk.json").read_bytes())["turns"]) == 1
    catalog = Catalog(library / "catalog.sqlite")
    stored = Conversations(catalog)
    kept = [json.loads(stored.load(info.id) or "") for info in stored.list()]
    catalog.close()
    assert [t["question"] for t in kept[0]["turns"]] == [lines[0], "What did it cost?"]


def test_ctrl_c_exits_130_and_says_what_is_kept(library: Path) -> None:
    """An interrupt ends a command with 130 and a sentence, not a traceback; the turn before is kept."""
    command = [sys.executable, "-m", "ui.cli", "chat", "--json", "--library", str(library)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"How many bees does a strong colony hold?\n")
        process.stdin.flush()
        while process.stdout.readline() not in (b"}\n", b""):
            pass
        process.send_signal(signal.SIGINT)
        error = process.stderr.read().decode("utf-8")
        assert process.wait(60) == 130
    assert "Interrupted. What was complete before is kept" in error
    assert "Traceback" not in error


@pytest.fixture
def terminal(library: Path) -> Iterator[Callable[[bytes, bytes], bytes]]:
    """A `dossier chat` at a pseudo-terminal: a function types something and reads until a pattern appears."""
    keeper, end = pty.openpty()
    command = [sys.executable, "-m", "ui.cli", "chat", "--library", str(library)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
        env={**os.environ, "TERM": "dumb"},
    )
    os.close(end)

    def drive(typed: bytes, until: bytes) -> bytes:
        os.write(keeper, typed)
        seen, deadline = b"", time.monotonic() + 60
        while not re.search(until, seen, re.DOTALL) and time.monotonic() < deadline:
            if select.select([keeper], [], [], 0.5)[0]:
                try:
                    seen += os.read(keeper, 65_536)
                except OSError:  # the other end is closed
                    break
        assert re.search(until, seen, re.DOTALL), seen.decode("utf-8", errors="replace")
        return seen

    yield drive
    os.close(keeper)
    process.kill()
    process.wait(60)


def test_chat_at_a_terminal_shows_sentences_and_survives_ctrl_c(
    terminal: Callable[[bytes, bytes], bytes], library: Path
) -> None:
    """At a terminal: a prompt, the answer with its places, /sources in full; Ctrl-D ends, and the lines are kept."""
    terminal(b"", b"> ")
    seen = terminal(b"When does the new ferry berth at Dunmarrow open?\n", rb"\[1\] The Dunmarrow ferry berth")
    assert b"opens on \x1b[1m4 June 2027\x1b[0m. [1]" in seen.replace(b"\r\n", b" ")  # the exact answer is bold
    terminal(b"/sources\n", rb"ferry\.txt \(")
    terminal(b"/help\n", rb"/export FILE.*\x1b\[1m> ")
    time.sleep(0.3)  # an interrupt between the prompt and the wait for a key is seen only with the next key
    terminal(b"\x03", rb"/quit or Ctrl-D leaves\..*> ")
    terminal(b"\x04", b"\n")
    for _ in range(100):
        if (library / "chat_history").exists():
            break
        time.sleep(0.1)
    assert "new ferry berth" in (library / "chat_history").read_text(encoding="utf-8")


def test_ctrl_c_during_an_answer_stops_only_that(capsys: pytest.CaptureFixture[str]) -> None:
    """At a terminal an interrupted question leaves the conversation as it was; elsewhere it ends the command."""

    class Interrupted:
        def stream(
            self, question: str, conversation: Conversation, *, standalone: str | None = None
        ) -> Iterator[Searching]:
            yield Searching(question)
            raise KeyboardInterrupt

    chat = _Chat(cast("Assistant", Interrupted()), interactive=True, as_json=False)
    chat.take("When?")
    chat.take("/sources")
    assert capsys.readouterr().err.endswith("Stopped.\nNo answer yet.\n")
    with pytest.raises(KeyboardInterrupt):
        _Chat(cast("Assistant", Interrupted()), interactive=False, as_json=False).take("When?")


# Verbs of other modules


def test_ui_hands_its_flags_to_the_server(dossier: Dossier, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`dossier ui` serves the named library on the named address and prints what the server announces."""
    seen: dict[str, Any] = {}

    def serve(path: Path, *, announce: Callable[[str], None], **rest: Any) -> None:
        seen.update(rest, path=path)
        announce("ready")

    module = types.ModuleType("ui.web.server")
    module.serve = serve  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ui.web.server", module)
    ran = dossier("ui", "--port", "0", "--docs", tmp_path, "--insecure", "--library", tmp_path / "l")
    assert (ran.status, ran.text) == (0, "ready\n")
    assert (seen["path"], seen["host"], seen["port"]) == (tmp_path / "l", "127.0.0.1", 0)
    assert (seen["docs"], seen["insecure"]) == (tmp_path, True)


@pytest.fixture(scope="module")
def talked(library: Path) -> str:
    """The id of a conversation of two turns held in the library."""
    ran = spawn("chat", "--library", library, stdin=b"How many bees does a strong colony hold?\nThanks!\n")
    assert ran.status == 0
    listed = json.loads(spawn("conversations", "list", "--json", "--library", library).out)
    return str(next(c["id"] for c in listed if "bees" in c["title"] and c["turns"] == 2))


def test_kept_conversations_are_listed_shown_renamed_and_exported(
    talked: str, library: Path, dossier: Dossier, tmp_path: Path
) -> None:
    """By the beginning of their id; the new title is in the list and in the export."""
    assert talked in dossier("conversations", "list", "--query", "BEES", "--library", library).text
    assert "bees" not in dossier("conversations", "list", "--query", "nonsense", "--library", library).text
    shown = dossier("conversations", "show", talked[:8], "--library", library).text
    assert "> Thanks!" in shown
    assert "You are welcome." in shown
    dossier("conversations", "rename", talked, "  The   hive ", "--library", library)
    memo = dossier("conversations", "export", talked, "--library", library).text
    assert memo.startswith("# The hive\n")
    assert "[^1]: " in memo
    exported = dossier("conversations", "export", talked, "--format", "json", "--library", library).json
    assert (exported["title"], len(exported["turns"])) == ("The hive", 2)
    file = tmp_path / "memo.md"
    dossier("conversations", "export", talked, "--out", file, "--library", library)
    assert file.read_text(encoding="utf-8") == memo
    again = dossier("conversations", "export", talked, "--out", file, "--library", library)
    assert (again.status, "is there already" in again.err) == (1, True)


def test_deleted_conversation_comes_back(talked: str, library: Path, dossier: Dossier) -> None:
    """Delete says how; an id that nothing has is an error that says where to look."""
    assert f"undelete {talked}" in dossier("conversations", "delete", talked, "--library", library).err
    assert talked not in dossier("conversations", "list", "--library", library).text
    assert talked in dossier("conversations", "list", "--deleted", "--library", library).text
    gone = dossier("conversations", "show", talked, "--library", library)
    assert (gone.status, "dossier conversations list" in gone.err) == (1, True)
    assert dossier("conversations", "undelete", talked, "--library", library).status == 0
    assert talked in dossier("conversations", "list", "--library", library).text


def test_chat_goes_on_with_a_kept_conversation(talked: str, library: Path) -> None:
    """What is asked then follows what was asked before, and is kept under the same id."""
    lines = b"/rename Bees again\n/conversations\nWhere did you get that?\n"
    ran = spawn("chat", "--resume", talked, "--library", library, stdin=lines)
    assert ran.status == 0
    assert "Going on with" in ran.err
    assert "Bees again" in ran.text
    assert "From “" in ran.text
    kept = json.loads(spawn("conversations", "export", talked, "--format", "json", "--library", library).out)
    assert (kept["title"], len(kept["turns"])) == ("Bees again", 3)
    assert spawn("chat", "--resume", "zzzz", "--library", library, stdin=b"").status == 1
