"""Gradio's scripts and styles: named to the browser in the page's first reply, and served without detours.

A browser finds Gradio's page out piece by piece: each script asks for the next ones only when it runs. The names of all
that the page needs stand in `assets.txt`, and go out in the `Link` header of the page, so that they are fetched at
once. Gradio itself would compress each of them anew for every visit, which takes longer than sending it.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ui.web.guard import App, Receive, Scope, Send

if TYPE_CHECKING:
    from fastapi import FastAPI

NAMES = Path(__file__).parent / "assets.txt"
"""The files under `/assets/` that the page asks for, one a line; the browser tests compare and write it."""
_FOREVER = "private, max-age=31536000, immutable"  # their names change with what is in them


def assets_folder() -> Path:
    """Where the installed Gradio keeps its scripts and styles."""
    from ui.web.toolkit import gr

    return Path(gr.__file__).parent / "templates" / "frontend" / "assets"


def add_assets(app: FastAPI, folder: Path) -> None:
    """Serve a folder at `/assets`, to be kept by browsers; before Gradio is mounted, which serves it there, too."""
    from fastapi.staticfiles import StaticFiles

    class Kept(StaticFiles):
        def file_response(self, *given: Any, **more: Any) -> Any:
            response = super().file_response(*given, **more)
            response.headers["cache-control"] = _FOREVER
            return response

    if folder.is_dir():  # else Gradio keeps them elsewhere, and serves them from there
        app.mount("/assets", Kept(directory=folder))


def link_header(folder: Path, theme: str = "") -> str:
    """What a browser is to fetch together with the page.

    Args:
        folder: Gradio's files; another version than `assets.txt` was written for has other names, which are left out.
        theme: The address of the theme's style sheet.

    Returns:
        The value of a `Link` header, with addresses relative to the page; empty if nothing is known.
    """
    known = NAMES.read_text(encoding="utf-8").split() if NAMES.is_file() else []
    links = [_link(f"assets/{name}") for name in known if (folder / name).is_file()]
    return ",".join([*links, f"<{theme}>;rel=preload;as=style"] if theme else links)


def _link(address: str) -> str:
    # Vite asks for styles without credentials of other sites ("crossorigin"); what is asked otherwise is fetched twice.
    return f"<{address}>;rel=" + ("modulepreload" if address.endswith(".js") else "preload;as=style;crossorigin")


class Ahead:
    """ASGI middleware: adds the `Link` header to the page, and to nothing else.

    Args:
        app: The application behind it.
        link: The header's value; nothing is added if empty.
    """

    def __init__(self, app: App, *, link: str) -> None:
        self._app = app
        self._header = (b"link", link.encode("latin-1"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def send_with_link(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                message = {**message, "headers": [*message.get("headers", []), self._header]}
            await send(message)

        is_page = scope["type"] == "http" and scope["path"] == "/" and self._header[1]
        await self._app(scope, receive, send_with_link if is_page else send)
