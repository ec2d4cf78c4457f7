"""What can be left out of web addresses, so that a model reads words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.addresses import without_addresses

WRITTEN = {
    "See [the guide](https://a.org/b_(c)/d) now.": "See [the guide] now.",
    'See [the guide](../d.md "A guide") now.': "See [the guide] now.",
    "See [the guide](#section-2), [this](mailto:a@b.org).": "See [the guide], [this].",
    "From https://www.who.int/news/item/5, read.": "From www.who.int, read.",
    "(https://a.org:8080/x?y=1#z) and <http://b.org>.": "(a.org) and <b.org>.",
    "f(x)[2](y) and [1] (see below)": "f(x)[2](y) and [1] (see below)",
    "The ratio is 3/4, the file /etc/hosts.": "The ratio is 3/4, the file /etc/hosts.",
}


@pytest.mark.parametrize("text", WRITTEN)
def test_only_words_stay(text: str) -> None:
    """The words of a link and the host of an address."""
    assert without_addresses(text) == WRITTEN[text]


@given(st.text(alphabet="htps:/.[]()#ab \n", max_size=60))
def test_nothing_is_added(text: str) -> None:
    """What is left stands in the text, in the same order, and not all is left out."""
    bare, signs = without_addresses(text), iter(text)
    assert all(sign in signs for sign in bare)
    assert bool(bare.strip()) == bool(text.strip())


def test_long_text_of_brackets_takes_no_time() -> None:
    """Half a million characters that could begin a link each."""
    assert without_addresses("](/a(" * 100_000).startswith("](/a(")
