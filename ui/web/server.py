"""Serve the page: FastAPI around Gradio, on this machine only unless told otherwise."""

from __future__ import annotations

import logging
import os
import secrets
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
from ui.web.people import People, Person, read_users
from ui.web.work import Work

if TYPE_CHECKING:
    from fastapi import FastAPI

_LOG = logging.getLogger(__name__)
_KEY = "page secret"


def serve(
    library_path: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    config: Path | None = None,
    library_settings: LibrarySettings | None = None,
    docs: Path | None = None,
    insecure: bool = False,
    auth: Path | None = None,
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
        insecure: Allow an address that other machines can reach although nobody has to sign in.
        auth: A users file: only the people in it may use the page.
        announce: Is told the address as soon as the page answers there, and what came of adding.

    Raises:
        ConfigError: The port is taken, the address is not this machine's and neither `auth` nor `insecure` is set, or
            the users file cannot be used.
        LibraryError: The library cannot be opened.
    """
    if auth is None:
        _refuse_open_door(host, insecure)
    else:
        read_users(auth)  # before anything is loaded
    with _listen(host, port) as listener:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _interrupt)  # so that both ways of stopping close the library
        try:
            with Assistant.open(library_path, config=config, library_settings=library_settings) as assistant:
                work = Work(assistant, lambda report: _tell(report, announce))
                try:
                    people = People(auth, _secret(assistant)) if auth is not None else None
                    _run(assistant, listener, announce, work, people, docs, local=is_local(host), config=config)
                finally:
                    work.end()
        except KeyboardInterrupt:
            pass  # how a server is meant to end


def _secret(assistant: Assistant) -> bytes:
    """What signs the cookies of this library's page; made once, so that a restart signs nobody out."""
    catalog = assistant.library.catalog
    known = catalog.get_meta(_KEY)
    if known is None:
        known = secrets.token_hex(32)
        catalog.set_meta(_KEY, known)
    return bytes.fromhex(known)


def _run(
    assistant: Assistant,
    listener: socket.socket,
    announce: Callable[[str], None],
    work: Work,
    people: People | None,
    docs: Path | None,
    *,
    local: bool,
    config: Path | None,
) -> None:
    import uvicorn

    app = build_app(assistant, local=local, people=people, work=work, settings_file=config)
    # An open page keeps its connections for ever; two seconds are for answers on their way.
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    ended = threading.Event()

    def begin() -> None:
        """Read and embed; not before the page answers, because both would have to wait for the same processors."""
        if docs is None:
            work.go_on()
            return
        if not len(assistant.library):
            announce(f"Reading {docs} for the first time …")
        work.add_folder(docs)

    threading.Thread(target=_welcome, args=(server, address, assistant, announce, ended, begin), daemon=True).start()
    try:
        server.run(sockets=[listener])
    finally:
        ended.set()
        app.state.page.end()


def _welcome(
    server: Any,
    address: str,
    assistant: Assistant,
    announce: Callable[[str], None],
    ended: threading.Event,
    begin: Callable[[], None],
) -> None:
    """Tell the address once the page answers, then load the models, so that no first question waits for them."""
    while not server.started:
        if ended.wait(0.02):
            return
    announce(f"Dossier is at {address}  (Ctrl-C stops it)")
    try:
        begin()
        assistant.warm_up()
    except DossierError as error:
        announce(f"{error.message} {error.remedy}")
    except Exception:  # the first question will meet it again and show it
        if not ended.is_set():
            _LOG.warning("warming up failed", exc_info=True)


def build_app(
    assistant: Assistant,
    *,
    local: bool = True,
    people: People | None = None,
    work: Work | None = None,
    settings_file: Path | None = None,
) -> FastAPI:
    """Build the web application around an assistant.

    Args:
        assistant: Answers the questions; its library is shown.
        local: Turn away requests that are not addressed to this machine by a local name.
        people: Who may sign in; without it everybody who reaches the page may do everything.
        work: Adds and embeds in the background; one of its own if `None`.
        settings_file: Where settings that are changed in the page are written; the library's own file if `None`.

    Returns:
        The application, for an ASGI server.
    """
    # Before gradio is imported: it asks its maker's server for news otherwise.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from fastapi import FastAPI

    from ui.web.assets import Ahead, add_assets, assets_folder, link_header
    from ui.web.blocks import build_blocks, read_style
    from ui.web.gate import Gate, find_person
    from ui.web.page import Page
    from ui.web.routes import add_routes
    from ui.web.toolkit import gr

    def who(request: Any) -> Person | None:
        return Person() if people is None else find_person(people, request.headers.get("cookie", ""))

    def known(request: Any) -> Person:
        person = who(request)
        if person is None:  # the gate lets nobody else through; this is for the day it should fail
            raise PermissionError("nobody is signed in")
        return person

    silent: dict[str, Any] = {"docs_url": None, "redoc_url": None, "openapi_url": None}
    style = read_style()
    app = FastAPI(**silent)
    page = Page(assistant, work or Work(assistant), known, settings_file)
    add_routes(app, page, who)
    folder = assets_folder()
    add_assets(app, folder)
    colors = gr.themes.colors
    theme = gr.themes.Base(
        primary_hue=colors.teal,
        neutral_hue=colors.stone,
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    blocks = build_blocks(page, signed_in=people is not None)
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        theme=theme,
        head=f'<meta name="color-scheme" content="light dark"><style>{style}</style>',
        app_kwargs=silent,
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        max_file_size=1,  # files come by an address of their own, see routes.py
    )
    mounted.state.page = page
    hashed = getattr(blocks, "theme_hash", None)
    # The last one added is the first that a request meets.
    mounted.add_middleware(Ahead, link=link_header(folder, f"theme.css?v={hashed}" if hashed else ""))
    if people is not None:
        mounted.add_middleware(Gate, people=people, style=style)
    mounted.add_middleware(Guard, local=local and people is None)
    return mounted


def _refuse_open_door(host: str, insecure: bool) -> None:
    if not is_local(host) and not insecure:
        raise ConfigError(
            f"The page has no login, and other machines can reach {host}.",
            remedy="Let people sign in (--auth users.toml, see dossier ui adduser), leave --host at 127.0.0.1, or add "
            "--insecure if everybody who can reach it may read and change the documents.",
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
