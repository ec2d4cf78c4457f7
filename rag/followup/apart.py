"""Whether a question is about something else than the conversation, as the library shows.

"Why does Python use indentation?" after questions about a package manager says by itself what it asks, and the passages
that say so have no word of the conversation. "How many rings has it?" leans on what was said, and so does "How much are
the repairs?" where the passages about repairs are those about the cable asked about before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from rag.followup.kinds import leans
from rag.rarity import measure_rarity

if TYPE_CHECKING:
    from index.library import Library

FEWEST, SAID, BETTER = 3, 0.7, 0.1
"""How many telling words a question must have to stand by itself ("Regional differences" does not), the share of them,
weighted by rarity, that a passage without a word of the conversation must have, and by how much it must be more than
in any passage with one. Chosen looking at MTRAG (`python bench/followup.py ../shared/data --sets switches`)."""
_LOOKED_AT = 30  # passages with its words, and as many with its words and those of the conversation


def stands_apart(question: str, own: Collection[str], carried: Collection[str], library: Library) -> bool:
    """Tell whether what a question asks stands where nothing of the conversation does.

    Args:
        question: As typed.
        own: Its index terms, stop words left out.
        carried: Index terms of the words that it would take along.
        library: Whose passages are looked at.

    Returns:
        False for a question of few words, one whose wording points back, or without words to take along.
    """
    if not carried or _points_back(question):
        return False
    terms = list(own)
    rarity = measure_rarity(terms, library)
    if len(set(terms) - rarity.unknown) < FEWEST:
        return False
    words = dict.fromkeys(terms, 1.0)
    hits = [
        *library.lexical.search(words, _LOOKED_AT),
        *library.lexical.search({**dict.fromkeys(carried, 0.5), **words}, _LOOKED_AT),
    ]
    passages = library.catalog.get_passages(list(dict.fromkeys(name for name, _ in hits))).values()
    titles = {info.id: info.title for info in library.documents(list({p.document_id for p in passages}))}
    shares: dict[bool, list[float]] = {False: [0.0], True: [0.0]}
    for passage in passages:
        held = _terms((titles.get(passage.document_id, ""), passage.heading, passage.text), library)
        shares[not held.isdisjoint(carried)].append(rarity.share(held, terms))
    apart, together = max(shares[False]), max(shares[True])
    return apart >= SAID and apart - together > BETTER


def _points_back(question: str) -> bool:
    """Tell whether a question's wording leans on what was said; "Why does Python …?" does not, though "Why?" does."""
    return leans(question[3:] if question[:4].lower() == "why " else question)


def _terms(texts: Iterable[str], library: Library) -> set[str]:
    return {term for text in texts for term in library.lexical.terms(text)}
