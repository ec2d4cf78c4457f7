"""Serve the page: FastAPI around Gradio, on this machine only unless told otherwise."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import ConfigError, DossierError
from index.settings import LibrarySettings
from rag.assistant import Assistant

if TYPE_CHECKING:
    from fastapi import FastAPI

_HERE = Path(__file__).parent
_LOG = logging.getLogger(__name__)
# Gradio's own templates need 'unsafe-eval' and blob: scripts; the rest keeps the page from asking any other host.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)


def serve(
    library: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    config: Path | None = None,
    library_settings: LibrarySettings | None = None,
    docs: Path | None = None,
    insecure: bool = False,
    announce: Callable[[str], None],
) -> None:
    """Serve the page until interrupted.

    Args:
        library: The library's folder; made if missing.
        host: Address to listen on.
        port: Port to listen on.
        config: A settings file in place of the library's own.
        library_settings: Settings of the library, in place of those read from file and environment.
        docs: Files to add before serving; what is there already is left alone.
        insecure: Allow an address that other machines can reach.
        announce: Is told the address, and what came of adding.

    Raises:
        ConfigError: The port is taken, or the address is not this machine's and `insecure` is not set.
        LibraryError: The library cannot be opened.
    """
    _refuse_open_door(host, insecure)
    listener = _listen(host, port)
    # Before gradio is imported: it asks its maker's server for news otherwise.
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1")
    with listener, Assistant.open(library, config=config, library_settings=library_settings) as assistant:
        if docs is not None:
            _add(assistant, docs, announce)
        threading.Thread(target=_warm_up, args=(assistant,), daemon=True).start()
        import uvicorn

        app = build_app(assistant)
        settings = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)
        shown = f"[{host}]" if ":" in host else host
        server = uvicorn.Server(settings)
        announce(f"Dossier is at http://{shown}:{listener.getsockname()[1]}/  (Ctrl-C stops it)")
        server.run(sockets=[listener])


def build_app(assistant: Assistant) -> FastAPI:
    """Build the web application around an assistant."""
    import gradio as gr
    from fastapi import FastAPI, Request, Response

    from ui.web.page import Page, build_blocks

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    page = Page(assistant)

    @app.middleware("http")
    async def add_policy(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call(request)
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    @app.get("/pages/{document_id}/{number}.png")
    def page_image(document_id: str, number: int) -> Response:
        try:
            picture = page.sources.page_image(document_id, number)
        except DossierError as error:
            return Response(error.message, status_code=404, media_type="text/plain")
        if picture is None:
            return Response("There is no such page.", status_code=404, media_type="text/plain")
        return Response(picture, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})

    style = (_HERE / "style.css").read_text(encoding="utf-8")
    theme = gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    mounted: Any = gr.mount_gradio_app(
        app,
        build_blocks(page),
        path="/",
        theme=theme,
        head=f"<style>{style}</style>",
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        max_file_size=assistant.library.settings.max_file_mb * 4 * 2**20,
    )
    return mounted  # type: ignore[no-any-return]  # gradio is not followed by the type checker


def _refuse_open_door(host: str, insecure: bool) -> None:
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local and not insecure:
        raise ConfigError(
            f"The page has no login, and other machines can reach {host}.",
            remedy="Leave --host at 127.0.0.1, or add --insecure if everybody who can reach it may read the documents.",
        )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"The page cannot listen on {host} port {port}: {error.strerror}.",
            remedy="Choose another port: dossier ui --port 7861, or make run PORT=7861.",
        ) from error
    return listener


def _add(assistant: Assistant, docs: Path, announce: Callable[[str], None]) -> None:
    """Add the folder; the page is served all the same if nothing in it can be read."""
    if not len(assistant.library):
        announce(f"Reading {docs} for the first time …")
    try:
        report = assistant.add(docs)
    except DossierError as error:
        announce(f"{error.message} {error.remedy}")
        return
    if report.added or report.updated:
        announce(f"{len(report.added) + len(report.updated)} documents read in {report.seconds:.1f} s.")
    for failure in report.failed:
        announce(f"Not read: {failure.source}: {failure.message} {failure.remedy}")


def _warm_up(assistant: Assistant) -> None:
    try:
        assistant.warm_up()
    except Exception:  # the first question will meet it again and show it
        _LOG.warning("warming up failed", exc_info=True)
