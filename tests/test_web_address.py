"""A web address is fetched when, and only when, the user names it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from index.library import Library

PAGE = (
    b"<html lang='en'><title>The berth</title><body><p>The north berth opens in June.</p>"
    b"<img src='/pixel.png'></body></html>"
)


class Handler(BaseHTTPRequestHandler):
    """Serves a page, a text and a redirection to a file; remembers what was asked for."""

    asked: list[str] = []  # noqa: RUF012 - one server a test

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path in ("/berth", "/notes.md"):
            kind = "text/html; charset=utf-8" if self.path == "/berth" else "text/plain"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(PAGE if self.path == "/berth" else b"# Notes\n\nThe crane is new.\n")
        elif self.path == "/trap":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, *rest: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    Handler.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_named_address_is_fetched_and_cited_by_it(library: Library, site: str) -> None:
    """The page becomes a document whose source is its address; nothing it refers to is fetched."""
    report = library.add([f"{site}/berth", f"{site}/notes.md"])
    assert len(report.added) == 2
    assert not report.failed
    document = library.document(library.search("north berth opens")[0].passage.document_id)
    assert (document.source, document.title, document.language) == (f"{site}/berth", "The berth", "en")
    assert sorted(Handler.asked) == ["/berth", "/notes.md"]
    assert {info.media_type for info in library.documents()} == {"text/html", "text/markdown"}
    again = library.add(f"{site}/berth")
    assert again.unchanged == (document.id,)


@pytest.mark.parametrize(("path", "reason"), [("/gone", "answered 404"), ("/trap", "cannot be fetched|answered 302")])
def test_address_without_a_document_is_reported(library: Library, site: str, path: str, reason: str) -> None:
    """Nothing there, or a way to a file of this machine: a failure with its reason."""
    import re

    report = library.add([f"{site}{path}"])
    assert len(library) == 0
    [failure] = report.failed
    assert failure.source == f"{site}{path}"
    assert re.search(reason, failure.message)


def test_address_that_does_not_answer_is_reported(library: Library) -> None:
    """No connection is a failure like any other."""
    [failure] = library.add(["http://127.0.0.1:9/x"]).failed
    assert "cannot be fetched" in failure.message
