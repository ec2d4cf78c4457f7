"""E-mail: the headers a reader looks at, the body, and the attachments; mailboxes cut into messages."""

from __future__ import annotations

import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import EmailPolicy
from functools import lru_cache
from typing import Any, cast

from index.errors import UnreadableDocumentError
from index.parse.html import html_text
from index.parse.stated import as_language, as_tags
from index.parse.text import decode, decode_declared
from index.settings import LibrarySettings
from index.types import Parsed

_SHORT = 1_000  # characters of a header worth remembering
_PARAMETERS = 8_000  # characters read of a header with parameters
_NAMED = 8  # attachments that a note names
_AS_SENT = email.policy.default.clone(refold_source="none")  # folding a long parameter again may never end
_SHOWN = ("Subject", "From", "To", "Cc", "Date")
# A line that opens a message of a mailbox: an envelope sender, and a date with a time and a year.
_FROM_LINE = re.compile(rb"^From [^\n]*\d\d:\d\d[^\n]*\d{4}[^\n]*\n", re.MULTILINE)
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


class _Remembering(EmailPolicy):
    """The standard policy, which parses a header each time it is looked at; this one remembers the last short ones.

    Most of the time of a mailbox goes into headers: the same senders, receivers and types of content in each message.
    The time for parameters grows by the square of their number, so no more of them is read than anyone writes.
    """

    def header_fetch_parse(self, name: str, value: str) -> Any:
        if len(value) <= _SHORT:
            return _parsed_header(name, value)
        has_parameters = name.lower() in ("content-type", "content-disposition")
        return super().header_fetch_parse(name, value[:_PARAMETERS] if has_parameters else value)


@lru_cache(maxsize=4096)
def _parsed_header(name: str, value: str) -> Any:
    return email.policy.default.header_fetch_parse(name, value)


_POLICY = cast("EmailPolicy[EmailMessage]", _Remembering())


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message."""

    name: str
    media_type: str
    data: bytes = field(repr=False)


def parse_mail(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read one message: shown headers, a blank line, the plain body (or the HTML body as text)."""
    parsed, attachments = read_message(data)
    return replace(parsed, notes=not_read([attachment.name for attachment in attachments]))


def not_read(names: list[str]) -> tuple[str, ...]:
    """The note that names attachments which were left out; none if there are none."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (f"Attachments were not read: {', '.join(names[:_NAMED])}{more}.",) if names else ()


def read_message(data: bytes) -> tuple[Parsed, list[Attachment]]:
    """Read one message and take out what is attached to it.

    Raises:
        UnreadableDocumentError: It is no message.
    """
    message = BytesParser(policy=_POLICY).parsebytes(data)
    headers = {name: _header(message, name) for name in _SHOWN}
    if not (headers["From"] or headers["Subject"]):
        raise UnreadableDocumentError(
            "The file has neither a From nor a Subject header, so it is not an e-mail.",
            remedy="Export the message again as .eml, or rename it to .txt.",
        )
    body = _body_part(message)
    text, language = _text_of(body) if body is not None else ("", None)
    texts, attachments, images = [text], [], 0
    for part, alternative in _leaves(message, False):
        name = _file_name(part)
        if part is body or (alternative and not name) or (part.get_content_maintype() == "multipart" and not name):
            continue
        if not name and part.get_content_maintype() == "image":
            images += 1
        elif not name and part.get_content_type() == "text/plain" and not _is_attached(part):
            texts.append(_text_of(part)[0])  # what some programs write below a picture, and lists below a message
        else:
            images += part.get_content_maintype() == "image"
            attachments.append(_attachment(part, name))
    head = "\n".join(f"{name}: {value}" for name, value in headers.items() if value)
    whole = "\n\n".join(part for part in (head, *texts) if part)
    return (
        Parsed(
            whole.strip(),
            "message/rfc822",
            title=headers["Subject"] or None,
            author=headers["From"] or None,
            published=_sent(message),
            language=language or as_language(_header(message, "Content-Language")),
            tags=as_tags(_header(message, "Keywords")),
            images=images,
        ),
        attachments,
    )


def split_mailbox(data: bytes) -> Iterator[bytes]:
    """Cut a mailbox into its messages, without the lines between them and the quoting of such lines in bodies.

    Raises:
        UnreadableDocumentError: It does not begin as a mailbox does.
    """
    data = data.replace(b"\r\n", b"\n").lstrip()
    starts = [m for m in _FROM_LINE.finditer(data) if m.start() == 0 or data[m.start() - 2 : m.start()] == b"\n\n"]
    if not starts or starts[0].start() != 0:
        raise UnreadableDocumentError(
            'The file does not begin with a "From " line, so it is not a mailbox.',
            remedy="Export the folder again as mbox, or rename a single message to .eml.",
        )
    ends = [m.start() for m in starts[1:]] + [len(data)]
    for start, end in zip(starts, ends, strict=True):
        yield _QUOTED_FROM.sub(rb"\1", data[start.end() : end].rstrip(b"\n") + b"\n")


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message[name] or "").split())
    except (ValueError, IndexError, AttributeError, TypeError):
        return ""  # the standard library's header parser gives up on some malformed addresses


def _sent(message: EmailMessage) -> date | None:
    try:
        sent = message["Date"].datetime
    except (ValueError, IndexError, AttributeError, TypeError, OverflowError):
        return None
    return sent.date() if sent is not None else None


def _leaves(part: EmailMessage, alternative: bool) -> Iterator[tuple[EmailMessage, bool]]:
    """The parts that hold something, and whether each is one of several forms of the same; messages in it are whole."""
    payload = part.get_payload() if part.is_multipart() else None
    if part.get_content_maintype() == "multipart" and isinstance(payload, list):
        forms = part.get_content_subtype() in ("alternative",)
        for child in payload:
            if isinstance(child, EmailMessage):
                yield from _leaves(child, alternative or forms)
    else:
        yield part, alternative


def _body_part(message: EmailMessage) -> EmailMessage | None:
    try:
        body = message.get_body(preferencelist=("plain", "html"))
    except (AttributeError, ValueError, TypeError):
        return None  # a multipart without parts
    return body if isinstance(body, EmailMessage) else None


def _is_attached(part: EmailMessage) -> bool:
    try:
        return part.get_content_disposition() == "attachment"
    except (AttributeError, ValueError, TypeError):
        return False


def _file_name(part: EmailMessage) -> str:
    try:
        name = part.get_filename() or ""
    except (AttributeError, ValueError, TypeError, LookupError):
        name = ""
    return "".join(c if c.isprintable() else " " for c in re.split(r"[/\\]", name)[-1]).strip()[:200]


def _attachment(part: EmailMessage, name: str) -> Attachment:
    kind = part.get_content_type()
    if kind == "message/rfc822":
        inner = part.get_payload()
        whole = inner[0] if isinstance(inner, list) and inner else None
        subject = _header(whole, "Subject") if isinstance(whole, EmailMessage) else ""
        safe = "".join(c if c.isprintable() and c not in "/\\" else " " for c in subject)[:80].strip()
        data = whole.as_bytes(policy=_AS_SENT) if isinstance(whole, EmailMessage) else b""
        return Attachment(name or f"{safe or 'message'}.eml", kind, data)
    payload = part.get_payload(decode=True)
    return Attachment(name or kind, kind, payload if isinstance(payload, bytes) else b"")


def _text_of(part: EmailMessage) -> tuple[str, str | None]:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    declared = decode_declared(raw, part.get_content_charset() or "utf-8")
    text = decode(raw)[0] if declared is None else declared.replace("\r\n", "\n").replace("\r", "\n")
    if part.get_content_type() == "text/html" and text.strip():
        page = html_text(text)
        return page.text, page.language
    return text.strip(), None
