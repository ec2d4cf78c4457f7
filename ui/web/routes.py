"""What is fetched by an address of its own: page images, originals, uploads, exports, and a sign of life."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from index.errors import DossierError
from rag.records import conversation_to_markdown
from ui.web.people import Person
from ui.web.render_library import render_outcomes
from ui.web.strings import say
from ui.web.uploads import Outcome, add_uploads, safe_name

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

    from ui.web.page import Page

Who = Callable[["Request"], Person | None]
"""Tells who sends a request; `None` turns it away."""

BOOT = uuid4().hex
"""Another one after each start of the server: a page that sees it change knows that its answer broke off."""


def add_routes(app: FastAPI, page: Page, who: Who) -> None:
    """Add the addresses to an application; each asks `who` first."""
    from fastapi import Request, Response

    def route(method: str, path: str, answer: Callable[..., Any]) -> None:
        # Not by a decorator with names as annotations: FastAPI is not imported where they would be looked up.
        answer.__annotations__.update(request=Request, **{"return": Response})
        app.add_api_route(path, answer, methods=[method], response_model=None)

    def told(text: str, status: int) -> Response:
        return Response(text, status_code=status, media_type="text/plain; charset=utf-8")

    def alive(request: Request) -> Response:
        return Response(BOOT, media_type="text/plain", headers={"Cache-Control": "no-store"})

    def page_image(document_id: str, number: int, request: Request) -> Response:
        if who(request) is None:
            return told(say("problem.sign_in"), 401)
        try:
            picture = page.sources.page_image(document_id, number)
        except DossierError as error:
            return told(str(error), 404)
        if picture is None:
            return told(say("problem.no_page"), 404)
        return Response(picture, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})

    def original(document_id: str, request: Request) -> Response:
        if who(request) is None:
            return told(say("problem.sign_in"), 401)
        try:
            document = page.sources.library.document(document_id)
            data = page.sources.original(document)
        except DossierError as error:
            return told(str(error), 404)
        if data is None:
            return told(say("source.gone"), 404)
        # Never shown by the browser itself: a document may be a page with scripts.
        return Response(data, media_type="application/octet-stream", headers=_attached(_file_name(document.source)))

    def export(conversation_id: str, request: Request) -> Response:
        person = who(request)
        if person is None:
            return told(say("problem.sign_in"), 401)
        conversation = page.sessions.get(conversation_id, person.name)
        if not conversation.turns:
            return told(say("problem.no_talk"), 404)
        stem = safe_name(re.sub(r"[^\w -]+", "", conversation.title).strip()[:60] or "conversation")
        text = conversation_to_markdown(conversation)
        return Response(text, media_type="text/markdown; charset=utf-8", headers=_attached(f"{stem}.md"))

    async def upload(name: str, request: Request) -> Response:
        import asyncio

        person = who(request)
        if person is None or not person.may_add:
            return told(say("problem.sign_in") if person is None else say("problem.not_allowed", name=person.name), 403)
        limit = page.sources.library.settings.max_file_mb * 4 * 2**20
        folder = Path(tempfile.mkdtemp(prefix="dossier-upload-"))
        try:
            file = folder / safe_name(name)
            size = 0
            with file.open("wb") as target:
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > limit:
                        return told(say("js.too_large", n=limit // 2**20), 413)
                    target.write(chunk)
            outcome = await asyncio.to_thread(_add, page, file)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return Response(render_outcomes([outcome]), media_type="text/html; charset=utf-8")

    page_image.__annotations__.update(document_id=str, number=int)
    original.__annotations__.update(document_id=str)
    export.__annotations__.update(conversation_id=str)
    upload.__annotations__.update(name=str)
    route("GET", "/alive", alive)
    route("GET", "/pages/{document_id}/{number}.png", page_image)
    route("GET", "/files/{document_id}", original)
    route("GET", "/export/{conversation_id}.md", export)
    route("PUT", "/upload", upload)


def _add(page: Page, file: Path) -> Outcome:
    outcome = list(add_uploads(page.assistant, [file], page.work.note))[-1][-1]
    page.work.go_on()
    return outcome


def _file_name(source: str) -> str:
    return safe_name(source.split("!/")[-1].rstrip("/")) or "document"


def _attached(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
    }
