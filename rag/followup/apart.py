"""Whether a question names what only other documents than those of the conversation speak of."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from index.lexical import Limits
from rag.followup.carry import NAME

if TYPE_CHECKING:
    from index.library import Library

_LOOKED_AT = 60  # passages of a name


def names_another(question: str, carried: Collection[str], library: Library) -> bool:
    """Tell whether a question names something of which no document speaks that has a word of the conversation.

    "What does the Standards-Version field say?" after questions about North Korea is about another subject, though
    nothing in its wording says so.

    Args:
        question: As typed.
        carried: Index terms of the words that it would take along, at least one.
        library: Tells what stands together in one document.

    Returns:
        False if it has no name, or one that occurs nowhere.
    """
    documents: set[str] = set()
    for name in NAME.findall(question):
        terms = set(library.lexical.terms(name))
        hits = library.lexical.search(dict.fromkeys(terms, 1.0), _LOOKED_AT)
        for passage in library.catalog.get_passages([passage_id for passage_id, _ in hits]).values():
            if len(terms) == 1 or terms <= set(library.lexical.terms(passage.text)):
                documents.add(passage.document_id)
    if not documents:
        return False
    return not library.lexical.search(dict.fromkeys(carried, 1.0), 1, Limits(documents=tuple(documents)))
