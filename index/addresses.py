"""Web addresses in a text: they name a place, and say next to nothing of what the text is about."""

from __future__ import annotations

import re

_ADDRESS = re.compile(
    r"""(?<=\])\((?:[a-z][a-z+.-]*:|[./\#])[^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+"[^"\n]*")?\)  # [words](address)
    | \bhttps?://(?P<host>[\w.-]+)(?:(?::\d+)?[/?\#](?:[^\s<>"'`)\]}|]*[^\s<>"'`)\]}|.,;:!?])?)?""",
    re.VERBOSE | re.IGNORECASE,
)


def without_addresses(text: str) -> str:
    """Leave the web addresses out of a text; one that is nothing else stays as it is.

    That is the whole address behind the words of a Markdown link, with its brackets, and of any other one all but the
    host: of `https://www.who.int/news/item/5` what stays is `www.who.int`.
    """
    bare = _ADDRESS.sub(lambda match: match["host"] or "", text)
    return bare if bare.strip() else text
