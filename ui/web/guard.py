"""What stands before every request: who may ask from where, and what the browser may do with the reply."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from ui.web.strings import say

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Gradio's own templates need 'unsafe-inline', 'unsafe-eval' and blob: scripts; the rest keeps the page from asking any
# other host, and from being framed by one.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),  # with none at all, browsers send `Origin: null` with a form
)


class Guard:
    """ASGI middleware: sets the headers of `POLICY`, and turns away what other web sites send.

    A page of another site can make the browser ask this server, under its own name (DNS rebinding) or with its own
    `Origin`. Without a login that must not reach the documents.

    Args:
        app: The application behind it.
        local: Whether only names of this machine are good as `Host`.
    """

    def __init__(self, app: App, *, local: bool = True) -> None:
        self._app = app
        self._local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or turn it away."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        # Files come to an address of the page's own, which moves them into the library; what Gradio would keep of them
        # could be read by everybody who knows the path.
        closed = str(scope.get("path", "")).startswith(("/gradio_api/upload", "/upload_progress"))
        foreign = closed or (
            origin is not None and scope["method"] not in ("GET", "HEAD") and urlsplit(origin).netloc != host
        )
        if foreign or (self._local and not is_local(urlsplit(f"//{host}").hostname or "")):
            plain = (b"content-type", b"text/plain; charset=utf-8")
            await send({"type": "http.response.start", "status": 403, "headers": [plain, *_HEADERS]})
            await send({"type": "http.response.body", "body": say("problem.elsewhere").encode()})
            return

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in _HEADERS}
                given = message.get("headers", [])
                # A reply may set a stricter policy of its own, as downloads do.
                names -= {
                    name.lower() for name, value in given if name.lower() == _HEADERS[0][0] and b"sandbox" in value
                }
                kept = [pair for pair in given if pair[0].lower() not in names]
                message = {**message, "headers": [*kept, *((n, v) for n, v in _HEADERS if n in names)]}
            await send(message)

        await self._app(scope, receive, send_with_headers)


def is_local(host: str) -> bool:
    """Tell whether a host name or address means this machine and nothing else."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
