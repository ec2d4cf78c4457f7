"""E-mail: the headers a reader looks at, and the body."""

from __future__ import annotations

import email.policy
from email.message import EmailMessage
from email.parser import BytesParser

from index.errors import UnreadableDocumentError
from index.parse.html import html_text
from index.parse.text import decode
from index.settings import LibrarySettings
from index.types import Parsed

_SHOWN = ("Subject", "From", "To", "Cc", "Date")


def parse_mail(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read one message: shown headers, a blank line, the plain body (or the HTML body as text)."""
    message = BytesParser(policy=email.policy.default).parsebytes(data)
    headers = {name: _header(message, name) for name in _SHOWN}
    if not (headers["From"] or headers["Subject"]):
        raise UnreadableDocumentError(
            "The file has neither a From nor a Subject header, so it is not an e-mail.",
            remedy="Export the message again as .eml, or rename it to .txt.",
        )
    head = "\n".join(f"{name}: {value}" for name, value in headers.items() if value)
    body, language = _body(message)
    sent = message["Date"].datetime if message["Date"] is not None and hasattr(message["Date"], "datetime") else None
    names = [part.get_filename() or part.get_content_type() for part in message.iter_attachments()]
    notes = (f"Attachments were not read: {', '.join(names)}.",) if names else ()
    return Parsed(
        f"{head}\n\n{body}".strip(),
        "message/rfc822",
        title=headers["Subject"] or None,
        author=headers["From"] or None,
        published=sent.date() if sent is not None else None,
        language=language,
        notes=notes,
    )


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message[name] or "").split())
    except (ValueError, IndexError, AttributeError, TypeError):
        return ""  # the standard library's header parser gives up on some malformed addresses


def _body(message: EmailMessage) -> tuple[str, str | None]:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return "", None
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        text = raw.decode(part.get_content_charset() or "utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except (LookupError, UnicodeDecodeError):
        text = decode(raw)[0]
    if part.get_content_type() == "text/html" and text.strip():
        page = html_text(text)
        return page.text, page.language
    return text.strip(), None
