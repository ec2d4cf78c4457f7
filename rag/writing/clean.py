"""Make text harmless: what a model wrote, before it is shown; what a document holds, before a model reads it."""

from __future__ import annotations

import re
import unicodedata

_TLD = (
    "com|net|org|io|ai|app|dev|co|edu|gov|int|info|biz|xyz|site|online|me|ly|gg|link|click|top|eu|uk|de|fr|ru|cn|"
    "test|example|invalid"
)
URL = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,20}:)?//[^\s<>\"'“”‘’)\]】」]+|\bwww\.[^\s<>\"'“”‘’)\]]+|"
    r"\b(?:javascript|data|vbscript|mailto|tel|file|ftp)\s*:[^\s<>\"'“”)\]]+|"
    rf"\b(?:[a-z0-9-]+\.)+(?:{_TLD})\b(?:[:/?#][^\s<>\"'“”)\]]*)?",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"!\[[^\]\n]*\](?:\([^)\n]*\)?|\[[^\]\n]*\])?|!(?=\[)")
_LINK = re.compile(r"\[([^\[\]\n]{0,300})\]\s?\((?:[^()\n]|\([^()\n]*\))*\)?")
_OPEN_LINK = re.compile(r"\]\s?\([^)\s]*\)?")
_REFERENCE = re.compile(r"^\s*\[[^\]\n]+\]:\s.*$", re.MULTILINE)
_TAG = re.compile(r"<(?:!--.*?(?:-->|$)|[!/?]?[a-zA-Z][^<>]*(?:>|$))", re.DOTALL)
_SCRIPT = re.compile(r"<(script|style|template|svg|iframe|object)\b.*?(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
_EMPHASIS = re.compile(r"\*\*|__|`+|~~|(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*])")
_NUMBER_ONLY = re.compile(r"[\^#]?\d[\d,;\s–-]*")


def clean_output(text: str) -> str:
    """Take images, link targets, HTML and emphasis out of what a model wrote; addresses in plain sight stay for now.

    `[1](address)` becomes the marker `[1]`; any other link becomes its words.
    """
    text = visible_only(text)
    text = _SCRIPT.sub("", text)
    text = _REFERENCE.sub("", text)
    text = _IMAGE.sub("", text)
    text = _LINK.sub(lambda m: f"[{m[1]}]" if _NUMBER_ONLY.fullmatch(m[1]) else m[1], text)
    text = _TAG.sub("", text)
    text = _OPEN_LINK.sub("", text)
    return _EMPHASIS.sub("", text).replace("<", "‹")


def without_addresses(text: str, quotes: str = "") -> str:
    """Take out web and other addresses, except those that stand in the quotes."""
    kept = URL.sub(lambda m: m[0] if m[0].rstrip(".,;:!?") in quotes else "", text)
    return re.sub(r"\(\s*\)|\[\s*\]|\s+(?=[.,;:!?](?:\s|$))", "", re.sub(r"[ \t]{2,}", " ", kept)).strip()


def visible_only(text: str) -> str:
    """Leave out characters that nobody sees: zero-width, direction marks, tags, controls other than line ends.

    A joiner between letters that need one (Persian, Hindi, Emoji) stays.
    """
    if text.isascii() and text.isprintable():
        return text
    kept = []
    for i, c in enumerate(text):
        if c in "\n\t":
            kept.append(c)
        elif unicodedata.category(c) in ("Cf", "Cc", "Co", "Cn", "Cs"):
            if c in "\u200c\u200d" and 0 < i < len(text) - 1 and not (text[i - 1] + text[i + 1]).isascii():
                kept.append(c)
        else:
            kept.append(c)
    return "".join(kept)


_LOOKALIKES = str.maketrans({"＜": "<", "＞": ">", "﹤": "<", "﹥": ">", "⟨": "<", "⟩": ">", "《": "«", "》": "»"})


def as_data(text: str, nonce: str) -> str:
    """Prepare a document's text for a prompt: nothing in it looks like a delimiter, a role, or a citation marker."""
    text = visible_only(text).translate(_LOOKALIKES)
    text = re.sub(re.escape(nonce), "", text, flags=re.IGNORECASE)
    text = re.sub(r"<{2,}", lambda m: "‹" * len(m[0]), text)
    text = re.sub(r">{2,}", lambda m: "›" * len(m[0]), text)
    text = re.sub(r"<(?=[|/!?a-zA-Z])", "‹", text)
    text = re.sub(r"\|>", "|›", text)
    text = re.sub(r"\[(/?(?:INST|SYS|TOOL|ASSISTANT|SYSTEM|USER)[^\]\n]*)\]", r"(\1)", text, flags=re.IGNORECASE)
    return re.sub(r"[\[【［](\s*\^?\d[\d,;\s–-]*)[\]】］]", r"(\1)", text)
