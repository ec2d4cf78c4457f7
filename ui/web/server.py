"""Serve the page: FastAPI around Gradio, on this machine only unless told otherwise."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from index.errors import ConfigError, DossierError
from index.settings import LibrarySettings
from index.types import AddReport
from rag.assistant import Assistant
from ui.web.guard import Guard, is_local
from ui.web.work import Work

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

_HERE = Path(__file__).parent
_LOG = logging.getLogger(__name__)
Who = Callable[["Request"], str | None]
"""Tells who sends a request; `None` turns it away."""


def serve(
    library_path: Path,
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
        library_path: The library's folder; made if missing.
        host: Address to listen on.
        port: Port to listen on; 0 for any that is free.
        config: A settings file in place of the library's own.
        library_settings: Settings of the library, in place of those read from file and environment.
        docs: Files to add while the page answers already; what is there is left alone.
        insecure: Allow an address that other machines can reach.
        announce: Is told the address as soon as the page answers there, and what came of adding.

    Raises:
        ConfigError: The port is taken, or the address is not this machine's and `insecure` is not set.
        LibraryError: The library cannot be opened.
    """
    _refuse_open_door(host, insecure)
    with _listen(host, port) as listener:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _interrupt)  # so that both ways of stopping close the library
        try:
            with Assistant.open(library_path, config=config, library_settings=library_settings) as assistant:
                work = Work(assistant, lambda report: _tell(report, announce))
                try:
                    if docs is not None:
                        if not len(assistant.library):
                            announce(f"Reading {docs} for the first time …")
                        work.add_folder(docs)
                    else:
                        work.go_on()
                    _run(assistant, listener, announce, work, local=is_local(host))
                finally:
                    work.end()
        except KeyboardInterrupt:
            pass  # how a server is meant to end


def _run(
    assistant: Assistant, listener: socket.socket, announce: Callable[[str], None], work: Work, *, local: bool
) -> None:
    import uvicorn

    app = build_app(assistant, local=local, work=work)
    # An open page keeps its connections for ever; two seconds are for answers on their way.
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    ended = threading.Event()
    threading.Thread(target=_welcome, args=(server, address, assistant, announce, ended), daemon=True).start()
    try:
        server.run(sockets=[listener])
    finally:
        ended.set()


def _welcome(
    server: Any, address: str, assistant: Assistant, announce: Callable[[str], None], ended: threading.Event
) -> None:
    """Tell the address once the page answers, then load the models, so that no first question waits for them."""
    while not server.started:
        if ended.wait(0.02):
            return
    announce(f"Dossier is at {address}  (Ctrl-C stops it)")
    try:
        assistant.warm_up()
    except DossierError as error:
        announce(f"{error.message} {error.remedy}")
    except Exception:  # the first question will meet it again and show it
        if not ended.is_set():
            _LOG.warning("warming up failed", exc_info=True)


def build_app(assistant: Assistant, *, local: bool = True, who: Who | None = None, work: Work | None = None) -> FastAPI:
    """Build the web application around an assistant.

    Args:
        assistant: Answers the questions; its library is shown.
        local: Turn away requests that are not addressed to this machine by a local name.
        who: Tells who sends a request, for the page and the page images alike; `None` lets everybody in.
        work: Adds and embeds in the background; one of its own if `None`.

    Returns:
        The application, for an ASGI server.
    """
    # Before gradio is imported: it asks its maker's server for news otherwise.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import gradio as gr
    from fastapi import FastAPI

    from ui.web.page import Page, build_blocks

    silent: dict[str, Any] = {"docs_url": None, "redoc_url": None, "openapi_url": None}
    app = FastAPI(**silent)
    app.add_middleware(Guard, local=local)
    page = Page(assistant, work or Work(assistant))
    _add_page_images(app, page, who)
    style = (_HERE / "style.css").read_text(encoding="utf-8")
    colors = gr.themes.colors
    theme = gr.themes.Base(
        primary_hue=colors.teal,
        neutral_hue=colors.stone,
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build_blocks(page),
        path="/",
        theme=theme,
        head=f'<meta name="color-scheme" content="light dark"><style>{style}</style>',
        auth_dependency=who,
        app_kwargs=silent,
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        max_file_size=assistant.library.settings.max_file_mb * 4 * 2**20,
    )
    return mounted


def _add_page_images(app: FastAPI, page: Any, who: Who | None) -> None:
    from fastapi import Request, Response

    def page_image(document_id: str, number: int, request: Request) -> Response:
        if who is not None and who(request) is None:
            return Response("Log in first.", status_code=401, media_type="text/plain")
        try:
            picture = page.sources.page_image(document_id, number)
        except DossierError as error:
            return Response(str(error), status_code=404, media_type="text/plain")
        if picture is None:
            return Response("There is no such page.", status_code=404, media_type="text/plain")
        return Response(picture, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})

    # Not by a decorator with names as annotations: FastAPI is not imported where they would be looked up.
    page_image.__annotations__.update(request=Request, document_id=str, number=int, **{"return": Response})
    app.get("/pages/{document_id}/{number}.png", response_model=None)(page_image)


def _refuse_open_door(host: str, insecure: bool) -> None:
    if not is_local(host) and not insecure:
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


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _tell(report: AddReport, announce: Callable[[str], None]) -> None:
    """Say what came of adding the folder."""
    if report.added or report.updated:
        announce(f"{len(report.added) + len(report.updated)} documents read in {report.seconds:.1f} s.")
    for failure in report.failed:
        announce(f"Not read: {failure.source}: {failure.message} {failure.remedy}")
