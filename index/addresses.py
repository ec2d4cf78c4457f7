"""Web addresses in a text: they name a place, and say next to nothing of what the text is about."""

from __future__ import annotations

import re

from index.sentences import Span

_ADDRESS = re.compile(
    r"""(?<=\])\((?:[a-z][a-z+.-]*:|[./\#])[^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+"[^"\n]*")?\)  # [words](address)
    | (?P<scheme>\bhttps?://)[\w.-]+(?P<rest>(?::\d+)?[/?\#](?:[^\s<>"'`)\]}|]*[^\s<>"'`)\]}|.,;:!?])?)?""",
    re.VERBOSE | re.IGNORECASE,
)


def address_spans(text: str) -> list[Span]:
    """Find what can be left out of the web addresses of a text.

    That is the whole address behind the words of a Markdown link, with its brackets, and of any other one all but the
    host: of `https://www.who.int/news/item/5` what stays is `www.who.int`.

    Args:
        text: Any text.

    Returns:
        Spans `(start, end)`, 0-based, in order, without overlaps.
    """
    spans = []
    for match in _ADDRESS.finditer(text):
        if match["scheme"] is None:
            spans.append(match.span())
        else:
            spans += [match.span(name) for name in ("scheme", "rest") if match[name]]
    return spans


def without_addresses(text: str) -> str:
    """Leave the web addresses out of a text, see `address_spans`; one that is nothing else stays as it is."""
    spans = address_spans(text)
    if not spans:
        return text
    kept, at = [], 0
    for start, end in spans:
        kept.append(text[at:start])
        at = end
    kept.append(text[at:])
    bare = "".join(kept)
    return bare if bare.strip() else text
