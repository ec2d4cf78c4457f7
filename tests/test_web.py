"""The page's server without a browser: where it listens, whom it answers, what becomes of uploads and sources."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from index.errors import ConfigError
from index.library import Library
from rag.assistant import Assistant
from rag.settings import AnswerSettings
from rag.types import Answer
from tests.conftest import DATA
from ui.web.guard import is_local
from ui.web.server import build_app, serve
from ui.web.sessions import Sessions
from ui.web.sources import Sources
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


def test_login_covers_page_and_images_alike(assistant: Assistant, tmp_path: Path) -> None:
    """Where somebody must be known to see the page, the page images need it as well."""
    from starlette.testclient import TestClient

    pdf = assistant.add([DATA / "formats" / "report.pdf"]).added[0]
    app = build_app(assistant, who=lambda request: request.headers.get("x-user"))
    client = TestClient(app, base_url="http://127.0.0.1")
    assert client.get(f"/pages/{pdf}/1.png").status_code == 401
    assert client.get("/config").status_code == 401
    picture = client.get(f"/pages/{pdf}/1.png", headers={"x-user": "ada"})
    assert picture.status_code == 200
    assert picture.content.startswith(b"\x89PNG")
    assert client.get(f"/pages/{pdf}/999.png", headers={"x-user": "ada"}).status_code == 404
    assert client.get("/pages/ffff/1.png", headers={"x-user": "ada"}).status_code == 404
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path, headers={"x-user": "ada"}).status_code != 200


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
