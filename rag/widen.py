"""A topic without a question, searched for with the words of what it finds.

Somebody who types "vitamin D deficiency" wants what there is about it, whatever words it uses. So the words that the
first passages found have in common are searched for as well (pseudo relevance feedback). A question wants one passage,
and such words speak for the others: where the 28 first questions of MTRAG clapnq were searched for with them, too,
nDCG@5 of all 208 turns fell from .457 to between .444 and .453.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.followup.kinds import follows
from rag.rarity import measure_rarity
from rag.words import QUESTION_WORD

if TYPE_CHECKING:
    from index.library import Library
    from index.types import Hit
    from rag.standalone import Query

_FIRST, _WORDS = 5, 15
"""How many passages words are taken from, and how many words. Chosen on NFCorpus, which finds little difference between
three passages with ten words and five with thirty."""
_OWN = 0.5  # share of the topic's own words in the weight of all
_ASKED = re.compile(
    r"\?|^\W*(?:is|are|am|was|were|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must|"
    r"list|name|give|show|tell|find|count|compare|explain|describe|define|summari[sz]e|quote|please)\b",
    re.IGNORECASE,
)


def is_topic(query: Query) -> bool:
    """Whether a query names what it is about and asks nothing of it; what leans on earlier turns is never one."""
    if follows(query.kind) or not query.own_terms:
        return False
    return not any(pattern.search(query.question) for pattern in (_ASKED, QUESTION_WORD))


def widened(query: Query, hits: Sequence[Hit], library: Library) -> dict[str, float]:
    """Add to the terms of a topic those that its first passages have in common.

    Lavrenko and Croft, "Relevance-Based Language Models", SIGIR 2001, as in Abdul-Jaleel et al., "UMass at TREC 2004"
    (RM3), with each term weighed by how rare it is.

    Args:
        query: The topic.
        hits: What it finds, the best first.
        library: Counts terms.

    Returns:
        Index terms with weights, 1 all together; the topic's own ones as they are if the hits hold no words.
    """
    shares: defaultdict[str, float] = defaultdict(float)
    for hit in hits[:_FIRST]:
        terms = [t for t in library.lexical.terms(hit.passage.text) if len(t) > 2 and not t.isdigit()]
        for term, count in Counter(terms).items():
            shares[term] += count / len(terms)
    rarity = measure_rarity(list(shares), library)
    telling = {t: share * rarity.weights[t] for t, share in shares.items()}
    added = sorted(telling, key=lambda t: (-telling[t], t))[:_WORDS]
    if not added:
        return query.terms
    total, own = math.fsum(telling[t] for t in added), math.fsum(query.terms.values())
    weights = {t: _OWN * weight / own for t, weight in query.terms.items()}
    for term in added:
        weights[term] = weights.get(term, 0.0) + (1.0 - _OWN) * telling[term] / total
    return weights
