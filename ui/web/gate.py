"""The door of the page where people sign in: nothing behind it answers somebody who is not known."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from html import escape
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from ui.web.guard import App, Receive, Scope, Send
from ui.web.people import People, Person
from ui.web.strings import say

COOKIE = "dossier"
_LONGEST_FORM = 4_096


class Gate:
    """ASGI middleware: asks for name and password, and lets only known people through.

    Args:
        app: The application behind it.
        people: Who may sign in.
        style: The style sheet of the sign-in page.
    """

    def __init__(self, app: App, *, people: People, style: str = "") -> None:
        self._app = app
        self._people = people
        self._style = style

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the sign-in page."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        path, method = str(scope.get("path", "")), str(scope.get("method", "GET"))
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        person = await asyncio.to_thread(find_person, self._people, headers.get(b"cookie", ""))
        if path == "/login" and method == "POST":
            await self._sign_in(scope, receive, send)
        elif path == "/logout" and method == "POST":
            await _reply(send, 303, headers=[(b"location", b"/login"), _cookie("", 0, secure=False)])
        elif path == "/login":
            await self._ask(send, _query(scope, "next"))
        elif person is not None and scope["type"] == "http":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close", "code": 4401})
        elif method == "GET" and "text/html" in headers.get(b"accept", ""):
            query = scope.get("query_string", b"").decode("latin-1")
            target = quote(f"{path}?{query}" if query else path, safe="")
            await _reply(send, 303, headers=[(b"location", f"/login?next={target}".encode())])
        else:
            await _reply(send, 401, say("problem.sign_in").encode(), [(b"content-type", b"text/plain; charset=utf-8")])

    async def _ask(self, send: Send, target: str, problem: str = "", name: str = "", status: int = 200) -> None:
        page = render_login(target, problem, name, self._style)
        await _reply(send, status, page.encode(), [(b"content-type", b"text/html; charset=utf-8")])

    async def _sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while len(body) <= _LONGEST_FORM:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        form = parse_qs(body[:_LONGEST_FORM].decode("utf-8", "replace"))
        name, password, target = (form.get(key, [""])[0] for key in ("name", "password", "next"))
        if self._people.must_wait(name):
            await self._ask(send, target, say("login.slow"), name, 429)
            return
        token = await asyncio.to_thread(self._people.sign_in, name, password)
        if token is None:
            await self._ask(send, target, say("login.wrong"), name, 401)
            return
        secure = scope.get("scheme") == "https"
        there = _own(target).encode("ascii", "ignore")
        await _reply(send, 303, headers=[(b"location", there), _cookie(token, 30 * 86_400, secure=secure)])


def find_person(people: People, cookies: str) -> Person | None:
    """Find who sends a `Cookie` header; `None` if nobody who is known does."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(cookies)
    except CookieError:
        return None
    return people.person(jar[COOKIE].value) if COOKIE in jar else None


def _own(target: str) -> str:
    """A path of this server; the start for anything that might lead elsewhere."""
    parts = urlsplit(target)
    good = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return quote(target, safe="/?=&%-._~") if good and "\\" not in target else "/"


def _query(scope: Scope, name: str) -> str:
    return str(parse_qs(scope.get("query_string", b"").decode("latin-1")).get(name, [""])[0])


def _cookie(value: str, age: int, *, secure: bool) -> tuple[bytes, bytes]:
    end = "; Secure" if secure else ""
    return b"set-cookie", f"{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{end}".encode()


async def _reply(send: Send, status: int, body: bytes = b"", headers: Any = ()) -> None:
    kept: list[tuple[bytes, bytes]] = [*headers, (b"cache-control", b"no-store")]
    start: MutableMapping[str, Any] = {"type": "http.response.start", "status": status, "headers": kept}
    await send(start)
    await send({"type": "http.response.body", "body": body})


def render_login(target: str, problem: str, name: str, style: str) -> str:
    """Draw the sign-in page; everything from outside is escaped."""
    told = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Dossier</title>'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f'<style>{style}</style></head><body class="login"><main><h1>Dossier</h1>'
        f'<form method="post" action="/login">{told}<input type="hidden" name="next" value="{escape(target)}">'
        f'<label>{escape(say("login.name"))}<input name="name" value="{escape(name)}" autocomplete="username" '
        f'autocapitalize="none" required autofocus></label><label>{escape(say("login.password"))}'
        '<input name="password" type="password" autocomplete="current-password" required></label>'
        f"<button>{escape(say('login.enter'))}</button></form></main></body></html>"
    )
