"""The page's server without a browser: where it listens, whom it answers, what becomes of uploads and sources."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

import ui.web
from eval.cases import find_wrong_evidence, read_cases
from index.errors import ConfigError
from index.library import Library
from rag.assistant import Assistant
from rag.drafts import Draft
from rag.settings import AnswerSettings
from rag.types import Answer, Citation, Conversation, Done, Searching, Statement
from tests.conftest import DATA
from ui.web import assets
from ui.web.checkup import try_settings
from ui.web.guard import is_local
from ui.web.people import People, Person, add_user, check_password, hash_password
from ui.web.removal import Removals
from ui.web.server import build_app, serve
from ui.web.sessions import Sessions
from ui.web.sources import Sources
from ui.web.strings import TEXTS, say, script_texts
from ui.web.uploads import add_uploads


@pytest.fixture
def assistant(library: Library) -> Assistant:
    return Assistant(library, AnswerSettings())


def never(text: str) -> None:
    pytest.fail(f"announced {text!r}")


def test_taken_port_is_named_with_a_way_out(tmp_path: Path) -> None:
    """A port that something else listens on is an error that says which, before anything is loaded."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}: Address already in use") as caught:
            serve(tmp_path / "library", port=port, announce=never)
    assert "--port" in caught.value.remedy
    assert "PORT=" in caught.value.remedy
    assert not (tmp_path / "library").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_address_that_others_reach_is_refused(tmp_path: Path, host: str) -> None:
    """There is no login, so the page stays on this machine unless it is told otherwise."""
    with pytest.raises(ConfigError, match="no login"):
        serve(tmp_path / "library", host=host, announce=never)


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("127.0.0.1", True), ("127.1.2.3", True), ("::1", True)]
    + [(other, False) for other in ("", "0.0.0.0", "localhost.evil.example", "127.0.0.1.evil.example")],
)
def test_only_names_of_this_machine_are_local(host: str, local: bool) -> None:
    """A name that merely begins like a local one is another machine's."""
    assert is_local(host) is local


@pytest.fixture
def users(tmp_path: Path) -> Path:
    """Ada may add documents, Bob may only ask."""
    file = tmp_path / "users.toml"
    add_user(file, "ada", "correct horse", "add")
    add_user(file, "bob", "battery staple", "ask")
    return file


def sign_in(client: TestClient, name: str, password: str, target: str = "/") -> Any:
    return client.post("/login", data={"name": name, "password": password, "next": target}, follow_redirects=False)


def client_of(assistant: Assistant, users: Path) -> TestClient:
    return TestClient(build_app(assistant, people=People(users, b"secret")), base_url="http://127.0.0.1")


def test_nothing_answers_who_is_not_signed_in(assistant: Assistant, users: Path) -> None:
    """Page, images, originals, uploads, exports and Gradio's own addresses are all behind the door."""
    pdf = assistant.add([DATA / "formats" / "report.pdf"]).added[0]
    client = client_of(assistant, users)
    for path in (f"/pages/{pdf}/1.png", f"/files/{pdf}", "/export/0123456789ab.md", "/config", "/alive", "/theme.css"):
        assert client.get(path).status_code == 401, path
    for path in ("/gradio_api/queue/join", "/gradio_api/component_server", "/gradio_api/upload"):
        assert client.post(path, json={}).status_code in (401, 403), path
    assert client.put("/upload?name=a.txt", content=b"x").status_code == 401
    page = client.get("/?c=0123456789ab", headers={"accept": "text/html"}, follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=%2F%3Fc%3D0123456789ab")
    assert sign_in(client, "ada", "wrong").status_code == 401
    assert sign_in(client, "eve", "correct horse").status_code == 401
    good = sign_in(client, "Ada", "correct horse", "/?c=0123456789ab")
    assert (good.status_code, good.headers["location"]) == (303, "/?c=0123456789ab")
    assert "HttpOnly" in good.headers["set-cookie"]
    assert client.get(f"/pages/{pdf}/1.png").content.startswith(b"\x89PNG")
    assert client.get(f"/files/{pdf}").content == (DATA / "formats" / "report.pdf").read_bytes()
    assert client.get(f"/pages/{pdf}/999.png").status_code == 404
    assert client.get("/pages/ffff/1.png").status_code == 404
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code != 200
    client.post("/logout")
    assert client.get("/config").status_code == 401


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", ""])
def test_sign_in_leads_to_no_other_site(assistant: Assistant, users: Path, target: str) -> None:
    """A link to the sign-in page cannot send anybody elsewhere afterwards."""
    assert sign_in(client_of(assistant, users), "ada", "correct horse", target).headers["location"] == "/"


def test_guessing_is_slowed_down(assistant: Assistant, users: Path) -> None:
    """After some wrong passwords even the right one has to wait."""
    client = client_of(assistant, users)
    for _ in range(8):
        assert sign_in(client, "ada", "wrong").status_code == 401
    assert sign_in(client, "ada", "correct horse").status_code == 429


def test_forged_and_old_cookies_open_nothing(users: Path) -> None:
    """A cookie is good for one person, for a time, and until the password changes."""
    people = People(users, b"secret")
    token = people.sign_in("ada", "correct horse")
    assert token is not None
    assert people.person(token) == Person("ada", "add")
    assert People(users, b"secret").person(token) == Person("ada", "add")
    name, until, sign = token.split("|")
    for forged in (
        "",
        "ada",
        f"bob|{until}|{sign}",
        f"ada|{int(until) + 1}|{sign}",
        f"ada|1|{sign}",
        f"{name}|x|{sign}",
    ):
        assert people.person(forged) is None
    assert People(users, b"other").person(token) is None
    time.sleep(0.02)  # so that the file's time stamp is another
    add_user(users, "ada", "another horse", "add")
    assert people.person(token) is None


def test_passwords_are_hashed_and_the_file_is_private(users: Path) -> None:
    """What stands in the users file is no password, and only its owner can read it."""
    text = users.read_text()
    assert "correct horse" not in text
    assert text.count("scrypt$15$8$1$") == 2
    assert users.stat().st_mode & 0o077 == 0
    assert hash_password("same") != hash_password("same")
    assert not check_password("x", "scrypt$a$b")
    with pytest.raises(ConfigError, match="cannot be a name"):
        add_user(users, "../eve", "long enough", "ask")
    with pytest.raises(ConfigError, match="has 5 characters"):
        add_user(users, "eve", "short", "ask")


def test_who_may_only_ask_changes_nothing(assistant: Assistant, users: Path) -> None:
    """Askers read and ask; uploads and removals are refused with the reason, whatever the page shows."""
    name = assistant.add([DATA / "formats" / "report.pdf"]).added[0]
    app = build_app(assistant, people=People(users, b"secret"))
    client = TestClient(app, base_url="http://127.0.0.1")
    sign_in(client, "bob", "battery staple")
    refused = client.put("/upload?name=a.txt", content=b"Words of a note.")
    assert (refused.status_code, "bob may ask" in refused.text) == (403, True)
    acts = app.state.page.acts
    for data in ({"act": "remove", "document": name}, {"act": "samples"}, {"act": "restore", "document": name}):
        assert "may ask, but not change" in acts.do(Person("bob", "ask"), data)["problem"][0]
    assert len(assistant.library) == 1
    sign_in(client, "ada", "correct horse")
    assert "added" in client.put("/upload?name=../note.txt", content=b"Words of a note.").text
    assert (assistant.library.path / "uploads" / "note.txt").is_file()


def test_files_of_the_page_are_named_ahead_and_kept(
    assistant: Assistant, users: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's reply names Gradio's files, all of them there and to be kept; no other reply does, nor a sign-in."""
    client = TestClient(build_app(assistant), base_url="http://127.0.0.1")
    named = re.findall(r"<([^>]+)>;rel=", client.get("/").headers["link"])
    assert len(named) == len(assets.NAMES.read_text().split()) + 1
    for address in named:
        reply = client.get(f"/{address}")
        assert reply.status_code == 200, address
        assert address.startswith("theme.css") or "immutable" in reply.headers["cache-control"], address
    assert len(client.get("/").headers["link"]) < 3_500  # proxies take headers of 4 KB
    assert "link" not in client.get("/alive").headers
    assert (assets.assets_folder().parent / "index.html").is_file()
    assert client.get("/assets/%2e%2e/index.html").status_code == 404
    closed = client_of(assistant, users)
    assert "link" not in closed.get("/", headers={"accept": "text/html"}, follow_redirects=False).headers
    assert closed.get(f"/{named[0]}").status_code == 401
    monkeypatch.setattr(assets, "NAMES", tmp_path / "assets.txt")
    assets.NAMES.write_text("of-another-version.js")
    assert assets.link_header(assets.assets_folder()) == ""


def test_conversations_are_private_to_a_person(assistant: Assistant) -> None:
    """Nobody reads, lists, renames, deletes or takes over what belongs to somebody else, but for what was shared."""
    sessions = Sessions(assistant)
    answer = Answer("Why?", "Why?", (), (), (), True, 0.1)
    sessions.add("0123456789ab", answer, "ada")
    assert sessions.get("0123456789ab", "bob").turns == ()
    assert sessions.get("0123456789ab", "bob").id != "0123456789ab"
    assert not sessions.rename("0123456789ab", "mine", "bob")
    assert not sessions.delete("0123456789ab", "bob")
    shared = sessions.share("0123456789ab", "ada")
    assert shared is not None
    copy = sessions.take(shared, "bob")
    assert [turn.question for turn in copy.turns] == ["Why?"]
    assert sessions.take(shared, "bob").id == copy.id
    sessions.add(copy.id, answer, "bob")
    assert len(sessions.get("0123456789ab", "ada").turns) == 1
    assert sessions.take("0123456789ab", "bob").turns == ()
    assert [info.owner for info in sessions.stored.list(owner="bob")] == ["bob"]


def said(text: str, question: str = "Why?") -> Answer:
    return Answer(question, question, (Statement(text, (), 1.0, "supported"),), (), (), False, 0.9)


def test_replacing_an_earlier_turn_loses_nothing(assistant: Assistant) -> None:
    """What a new answer takes the place of, and all that followed, stays in a copy with what was thought of it."""
    sessions, name = Sessions(assistant), "0123456789ab"
    for number, question in enumerate(("First?", "Second?", "Third?")):
        sessions.add(name, said(f"Answer {number}.", question), "ada")
    assistant.library.feedback.add(name, 0, 1, "fine", owner="ada")
    assistant.library.feedback.add(name, 2, -1, "no", owner="ada")
    grown, kept = sessions.replace(name, 1, said("Another.", "Other?"), "ada")
    assert [turn.question for turn in grown.turns] == ["First?", "Other?"]
    assert [turn.question for turn in sessions.get(kept, "ada").turns] == ["First?", "Second?", "Third?"]
    assert [info.title for info in sessions.stored.list(owner="ada")] == ["First?", "First? (before the change)"]
    assert sessions.get(kept, "bob").turns == ()
    latest = {(r.conversation_id, r.turn): (r.rating, r.comment) for r in assistant.library.feedback.list()}
    assert latest == {(name, 0): (1, "fine"), (name, 2): (0, ""), (kept, 2): (-1, "no")}
    again, none = sessions.replace(name, 1, said("Another.", "Other?"), "ada")
    assert (len(again.turns), none) == (2, "")  # the same answer as before: nothing to keep
    first, kept = sessions.replace(name, 0, said("Whole other.", "New?"), "ada")
    assert (first.title, len(sessions.get(kept, "ada").turns)) == ("New?", 2)
    sessions.rename(name, "Mine", "ada")
    assert sessions.replace(name, 0, said("x", "Newer?"), "ada")[0].title == "Mine"


def test_shared_copy_names_its_owner(assistant: Assistant) -> None:
    """Whoever opens a shared conversation sees who shared it; a copy shared where nobody signs in names nobody."""
    sessions = Sessions(assistant)
    for owner in ("ada", ""):
        sessions.add("0123456789ab"[:11] + str(len(owner)), said("So."), owner)
    named = sessions.take(sessions.share("0123456789a3", "ada") or "", "bob")
    assert named.shared_by == "ada"
    assert sessions.add(named.id, said("And so."), "bob").shared_by == "ada"
    assert Sessions(assistant).get(named.id, "bob").shared_by == "ada"
    assert sessions.take(sessions.share("0123456789a0", "") or "", "bob").shared_by == ""
    owners = {info.owner for info in sessions.stored.list()}
    assert owners == {"ada", "bob", "", "(shared) ada", "(shared)"}
    page = build_app(assistant).state.page
    assert "Shared by ada" in page.draw(named, who=Person("bob", "ask"))
    assert "Shared by" not in page.draw(named, who=Person("ada"))


def test_what_was_broken_off_is_kept(assistant: Assistant) -> None:
    """Question and sentences of an unfinished answer outlive the process, and are no turn of the conversation."""
    statement = Statement("Half an answer.", (), 1.0, "supported")
    Sessions(assistant).note(Conversation(id="0123456789ab"), Draft("Why?", (statement,)), "ada")
    later = Sessions(assistant)
    assert later.draft("0123456789ab", "ada") == Draft("Why?", (statement,))
    assert later.draft("0123456789ab", "bob") is None
    assert later.get("0123456789ab", "ada").turns == ()
    assert later.stored.list(owner="ada")[0].title == "Why?"
    later.add("0123456789ab", Answer("Why?", "Why?", (), (), (), True, 0.1), "ada")
    assert Sessions(assistant).draft("0123456789ab", "ada") is None


def test_turn_becomes_a_case_that_the_harness_reads(assistant: Assistant, tmp_path: Path) -> None:
    """What a person says is right is kept in the form in which answers are measured, with the places they ticked."""
    note = tmp_path / "note.txt"
    note.write_text("The berth opens in May. It has two cranes.\n", encoding="utf-8")
    name = assistant.add(note).added[0]
    cited = [Citation(n, name, "note", str(note), None, None, a, b, q) for n, a, b, q in
             ((1, 0, 23, "The berth opens in May."), (2, 24, 42, "It has two cranes."))]  # fmt: skip
    statements = tuple(Statement(c.quote, (c.marker,), 1.0, "supported") for c in cited)
    page = build_app(assistant).state.page
    page.sessions.add("0123456789ab", Answer("Why?", "Why?", (), (), (), True, 0.1))
    page.sessions.add("0123456789ab", Answer("When?", "When?", statements, tuple(cited), (), False, 0.9))
    form = {"id": "0123456789ab", "turn": "1", "question": "When does it open?", "answerable": "1", "evidence": ["1"]}
    for reference in ("in May", "May 2026"):
        done = page.acts.do(Person(), {"act": "test", "reference": reference, **form})
        assert "cases.jsonl" in done["toast"]
        time.sleep(1.01)  # ids tell the second
    cases = read_cases(assistant.library.path / "cases.jsonl")
    assert [case.references for case in cases] == [("in May",), ("May 2026",)]
    assert cases[0].question == "When does it open?"
    assert cases[0].history[0][0] == "Why?"
    assert [e.quote for e in cases[0].evidence] == ["The berth opens in May."]
    assert find_wrong_evidence(cases, {str(note): assistant.library.document(name).text}) == []


def test_removal_can_be_undone_for_a_while(assistant: Assistant) -> None:
    """A removed document is gone from the list at once, and from the library when its time is over."""
    name = assistant.add([DATA / "formats" / "report.pdf"]).added[0]
    gone = threading.Event()
    slow, quick = Removals(assistant.library, 60), Removals(assistant.library, 0.01, gone.set)
    slow.begin(name)
    assert slow.waiting == {name}
    slow.undo(name)
    assert slow.waiting == frozenset()
    assert len(assistant.library) == 1
    quick.begin(name)
    assert gone.wait(20)
    assert len(assistant.library) == 0


def test_secrets_never_reach_the_page(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the settings dialog shows holds no value of an environment variable that is a secret."""
    monkeypatch.setenv("DOSSIER_LLM_API_KEY", "sk-verysecret")
    page = build_app(assistant).state.page
    for data in ({"act": "dialog", "name": "settings"}, {"act": "try-settings"}):
        assert "verysecret" not in str(page.acts.do(Person(), data))


def test_every_text_of_the_page_is_used_and_there() -> None:
    """The file of texts and the code agree, so that a translation of the file translates the page."""
    folder = Path(ui.web.__file__).parent
    code = "\n".join(f.read_text(encoding="utf-8") for f in [*folder.glob("*.py"), *folder.glob("script/*.js")])
    quoted = re.findall(r"say\(\s*[\"']([\w.]+)[\"']", code) + re.findall(r"TEXTS\.(?!items)(\w+)", code)
    known = set(TEXTS) | set(script_texts())
    assert [key for key in quoted if key not in known and f"{key}.one" not in known] == []
    assert len(quoted) > 80
    with pytest.raises(KeyError):
        say("no.such.text")


def test_uploads_are_moved_and_told_one_by_one(assistant: Assistant, tmp_path: Path) -> None:
    """Each file is kept under a name of its own; a bad one leaves nothing behind and stops no other."""

    def uploaded(folder: str, name: str, text: str) -> Path:
        file = tmp_path / folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    files = [
        uploaded("a", "note.txt", "A first note.\n"),
        uploaded("b", "empty.txt", ""),
        uploaded("c", "note.txt", "A second note.\n"),
        uploaded("d", "note.txt", "A first note.\n"),
    ]
    steps = list(add_uploads(assistant, files))
    assert [step[-1].state for step in steps[::2]] == ["reading"] * 4
    assert [outcome.state for outcome in steps[-1]] == ["added", "failed", "added", "known"]
    assert "is empty" in steps[-1][1].details[0]
    assert not any(file.exists() for file in files if file.parent.name != "b")
    kept = {file.name: file.read_text() for file in (assistant.library.path / "uploads").iterdir()}
    assert kept == {"note.txt": "A first note.\n", "note (2).txt": "A second note.\n"}


def test_source_of_a_changed_pdf_is_its_stored_text(assistant: Assistant, tmp_path: Path) -> None:
    """Boxes of one file are never drawn over the pages of another."""
    file = tmp_path / "report.pdf"
    shutil.copy(DATA / "formats" / "report.pdf", file)
    name = assistant.add([file]).added[0]
    request = {"document": name, "start": 0, "end": 5}
    assert "<img" in Sources(assistant.library).show(request)
    file.unlink()
    shown = Sources(assistant.library).show(request)
    assert "<img" not in shown
    assert "gone or has changed" in shown
    assert f"<mark>{assistant.library.document(name).text[:5]}</mark>" in shown


@pytest.mark.parametrize("request_", [{}, {"document": "<b>"}, {"document": "ffff", "start": "x", "end": None}])
def test_source_that_is_not_there_says_so(assistant: Assistant, request_: dict[str, object]) -> None:
    """Whatever the page's script sends, the reply is a page that says what is wrong."""
    shown = Sources(assistant.library).show(request_)
    assert "There is no document" in shown
    assert "<b>" not in shown


def test_conversation_outlives_the_server(assistant: Assistant) -> None:
    """It is in the library after every turn, and another process finds it by its id; an odd id finds nothing."""
    answer = Answer("Why?", "Why?", (), (), (), True, 0.1)
    stored = Sessions(assistant).add("0123456789ab", answer)
    found = Sessions(assistant).get("0123456789ab")
    assert found.turns == stored.turns
    assert found.id == "0123456789ab"
    assert Sessions(assistant).get("../../etc/passwd").turns == ()


def test_settings_are_tried_and_what_is_wrong_is_said(library: Library) -> None:
    """A model that answers is timed; one that refuses the key, or is not there, is named with what to do."""
    from tests.llm_servers import serving

    def tried(url: str) -> list[tuple[bool, str, str]]:
        chosen = AnswerSettings(llm="openai-like", llm_url=url, llm_model="test-model", llm_connect_seconds=2)
        return try_settings(Assistant(library, chosen))[:1]

    with serving(lambda handler, messages: handler.plain(401, {"error": "no"})) as server:
        well, text, remedy = tried(server.url)[-1]
    assert not well
    assert "test-model" in text
    assert "HTTP 401" in text
    assert "key" in remedy
    gone = tried(server.url)[-1]
    assert not gone[0]
    assert "cannot be reached" in gone[1]


def test_stopping_closes_the_answer_at_the_event_at_hand() -> None:
    """Whoever waits for a slow model stops it by leaving: its iterator is closed by the thread that is inside it."""
    go, closed = threading.Event(), threading.Event()

    def events() -> Any:
        try:
            yield Searching("a")
            go.wait(10)
            yield Searching("b")
            yield Searching("c")
        finally:
            closed.set()

    from ui.web.on_its_way import Steps

    steps = Steps(events())
    assert steps.next() == Searching("a")
    thread = threading.Thread(target=steps.next)
    thread.start()
    time.sleep(0.05)
    steps.stop()
    assert not closed.is_set()
    go.set()
    assert closed.wait(10)
    thread.join()
    assert steps.next() is None


def test_page_puts_an_answer_in_place_of_an_earlier_one(library: Library) -> None:
    """Edited, the first of two questions is answered anew; the page says that the rest is kept, and leads there."""

    class Quick(Assistant):
        def stream(self, question: str, conversation: Conversation | None = None, **options: Any) -> Iterator[Any]:
            assert conversation is not None
            yield Done(said(f"After {len(conversation.turns)} turns.", question))

    page = build_app(Quick(library, AnswerSettings())).state.page

    async def send(**data: Any) -> str:
        event, request = SimpleNamespace(_data=data), SimpleNamespace(headers={}, session_hash="tab")
        drawn = [shown async for shown, _, _ in page.again("0123456789ab", "", "", event, request)]
        return str(drawn[-1])

    def run(**data: Any) -> str:
        """In a thread: the browser tests have a loop running in this one."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(send(**data))).result()

    run(question="One?")
    both = run(question="Two?")
    assert both.count('<section class="turn">') == 2
    assert both.count('data-act="ask-edit"') == 2
    edited = run(question="Other?", instead=0)
    assert edited.count('<section class="turn">') == 1
    assert "After 0 turns." in edited
    kept = re.search(r'data-act="resume" data-id="(\w+)"', edited)
    assert kept is not None
    assert [turn.question for turn in page.sessions.get(kept[1]).turns] == ["One?", "Two?"]
    assert 'data-act="resume"' not in run(question="Three?", instead=7)  # no such turn: it is added
    assert len(page.sessions.get("0123456789ab").turns) == 2
