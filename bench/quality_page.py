"""The page `docs/quality.md` in sections, so that one can be measured anew without the others."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "quality.md"


def put_section(name: str, text: str, page: Path = PAGE) -> None:
    """Replace what stands between the marks of a section.

    Args:
        name: The section: `<!-- NAME -->` to `<!-- end NAME -->` in the page.
        text: Its new text.
        page: The page.

    Raises:
        ValueError: The page has no such section.
    """
    whole = page.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end {re.escape(name)} -->)", re.DOTALL)
    if pattern.search(whole) is None:
        raise ValueError(f"{page} has no section {name!r}")
    body = f"{text.strip(chr(10))}\n" if text.strip() else ""
    made = pattern.sub(lambda m: f"{m.group(1)}{body}{m.group(2)}", whole)
    page.write_text(made, encoding="utf-8")
