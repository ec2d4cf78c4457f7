"""Search hits in the order of how well they help to answer, as the grounding model sees it.

The model reads the question with each passage, which no vector can; its judgement is mixed with the two rankings of
the search, because it was trained on less than the encoder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from index.addresses import without_addresses
from index.search import lean
from index.sentences import sentence_spans
from index.types import Hit
from rag.followup.named import only
from rag.followup.narrow import both
from rag.grounding.windows import best_window
from rag.linear import standard
from rag.widen import is_topic, widened

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.library import Library
    from index.where import Filter
    from rag.grounding.pairs import Ranker
    from rag.standalone import Query

READ = 12
"""Hits the model reads, those that the search ranks first. The others count as relevant as the least of these: on MTRAG
clapnq nDCG@5 was .452 with 12, .446 with 10, .437 with 8 in one run."""
ROOM = 1080
"""Tokens of passages read to rank them, all together. Longer passages are read at their best sentences. With 90 tokens
a passage R@5 / nDCG@5 was .485 / .451 on MTRAG clapnq and .701 / .626 on govt. Chosen with the weights before those:
.473 / .444, .699 / .627, and 169 of 181 questions on dev_squad2 with their passage first; with 45 tokens .465 / .435,
.690 / .616 and 166; whole passages no better. The first 67 tokens instead were better on clapnq (.480 / .454), whose
questions are of a subject, and worse where a detail is asked for (.687 / .605 and 159)."""
RELEVANCE, DENSE, LEXICAL, FUSED = 0.65, 1.0, 0.6, 0.4
"""Weights of `blend`, chosen on NFCorpus, MTRAG clapnq and govt, and the golden set; around them is a plateau."""
CARRIED = 0.3
"""In the place of `LEXICAL` where words of earlier turns are searched for, some wrongly, beside several of the own.
R@5 / nDCG@5 of all follow-ups with .6, .45, .3 and .15: .436 / .414, .442 / .417, .461 / .427 and .452 / .420 on MTRAG
clapnq, .658 / .584, .665 / .589, .669 / .592 and .672 / .588 on govt. Other questions want their words: with .3 on
clapnq .613 / .557 instead of .631 / .558, and with less weight five of the golden set's 82 needs fall out of the first
ten. "Did that happen?" wants the carried ones, since it has no others."""
WIDENED = 1.0
"""In the place of `LEXICAL` for a topic that is searched for with further words (`rag.widen`)."""
FEEDBACK, FIRST = 0.4, 3
"""How far the query leans towards how many of the first passages before cosines are measured again; chosen likewise.
R@5 / nDCG@5 with .3 and .4: .484 / .453 and .490 / .457 on MTRAG clapnq, .696 / .627 and .695 / .627 on govt."""
FAVOURED = 2.0
"""What is added to the score, whose parts have standard deviation 1, of passages of a document that is surely meant."""
_MEANT = 4  # passages of the documents that are meant which are ranked in any case
_CHARS = 4.3  # characters a token, on the whole


def find(query: Query, library: Library, where: Filter | str | None, *, candidates: int, each: int) -> list[Hit]:
    """Search the passages that are to be ranked: the best of all, and the best of the documents that are meant.

    A topic is searched for twice, the second time with words of what it finds, see `rag.widen`.

    Args:
        query: The question.
        library: What is searched.
        where: Only documents that this filter lets through.
        candidates: How many of all.
        each: How many of the first of each method must be among them.

    Returns:
        Hits, ranks and scores as the search gives them; those of documents that are meant come last.
    """
    hits = library.search_vector(query.vector, query.terms, candidates, each=each, where=where)
    if hits and is_topic(query):
        hits = library.search_vector(query.vector, widened(query, hits, library), candidates, each=each, where=where)
    meant = only(query.favoured)
    if meant is not None:
        known = {hit.passage.id for hit in hits}
        more = library.search_vector(query.vector, query.terms, _MEANT, where=both(where, meant))
        hits += [hit for hit in more if hit.passage.id not in known]
    return hits


def rerank(query: Query, hits: Sequence[Hit], titles: Mapping[str, str], ranker: Ranker, library: Library) -> list[Hit]:
    """Put hits in a new order.

    Args:
        query: The question.
        hits: Passages as the search gives them.
        titles: Title of each document, by id.
        ranker: Judges passages.
        library: Gives vectors of passages and index terms.

    Returns:
        The same hits with new scores and ranks, the best first; `signals.reranker` is the ranker's log-odds, `None` for
        hits beyond the first `READ` of the search.
    """
    import numpy as np

    if not hits:
        return []
    vectors = vectors_of(hits, titles, library)
    dense = (vectors @ query.vector).astype(np.float64)
    lexical = np.array([h.signals.lexical or 0.0 for h in hits])
    fused = np.array([h.score for h in hits])
    carried = len(query.own_terms) > 1 and any(weight != 1.0 for weight in query.terms.values())
    words = WIDENED if is_topic(query) else CARRIED if carried else LEXICAL
    meant = FAVOURED * np.array([query.favoured.get(h.passage.document_id, 0.0) for h in hits])
    unread = np.zeros(len(hits))
    read = np.argsort(-(blend(unread, dense, lexical, fused, words) + meant), kind="stable")[:READ]
    judged = ranker.relevance(query.standalone_question, excerpts(query, [hits[i] for i in read], titles, library))
    relevance = np.full(len(hits), judged.min(), dtype=np.float64)
    relevance[read] = judged
    first = np.argsort(-blend(relevance, dense, lexical, fused, words), kind="stable")[:FIRST]
    moved = lean(query.vector, list(vectors[first]), FEEDBACK)
    scores = blend(relevance, (vectors @ moved).astype(np.float64), lexical, fused, words) + meant
    log_odds = dict(zip(read.tolist(), judged.tolist(), strict=True))
    order = np.argsort(-scores, kind="stable")
    return [
        replace(
            hits[i],
            score=float(scores[i]),
            rank=rank,
            signals=replace(hits[i].signals, dense=float(dense[i]), reranker=log_odds.get(int(i))),
        )
        for rank, i in enumerate(order, 1)
    ]


def vectors_of(hits: Sequence[Hit], titles: Mapping[str, str], library: Library) -> NDArray[np.float32]:
    """Give the vectors of hits, shape `(hits, dimension)`, float32, L2-normalised.

    While documents are being added some are not stored yet. Those are made here, without the neighbours that
    `index.embedded` puts around a passage: a passage without a vector would rank behind all that have one.
    """
    import numpy as np

    known = dict(library.vectors.get([h.passage.id for h in hits]))
    missing = [h.passage for h in hits if h.passage.id not in known]
    if missing:
        texts = ["\n".join(filter(None, (titles.get(p.document_id), p.heading, p.text))) for p in missing]
        known.update(zip((p.id for p in missing), library.encoder.encode(texts), strict=True))
    return np.array([known[h.passage.id] for h in hits], dtype=np.float32)


def blend(
    relevance: NDArray[np.float64],
    dense: NDArray[np.float64],
    lexical: NDArray[np.float64],
    fused: NDArray[np.float64],
    words: float,
) -> NDArray[np.float64]:
    """Mix the ranker's log-odds with cosine, BM25 and the fused score; all of shape `(hits,)`.

    Each is first brought to mean 0 and standard deviation 1 over the hits: what counts is how far a passage stands out.
    `words` is the weight of BM25.
    """
    import numpy as np

    parts = ((RELEVANCE, relevance), (DENSE, dense), (words, lexical), (FUSED, fused))
    return np.asarray(sum(weight * standard(x) for weight, x in parts), dtype=np.float64)


def excerpts(query: Query, hits: Sequence[Hit], titles: Mapping[str, str], library: Library) -> list[str]:
    """Cut hits to what the ranker has time to read: whole if they are short, else the sentences nearest in words."""
    room = ROOM / len(hits)
    texts = []
    for hit in hits:
        title = titles.get(hit.passage.document_id, "")
        text = without_addresses(hit.passage.text)
        if len(text) / _CHARS > room:
            spans = sentence_spans(text)
            terms = [set(library.lexical.terms(text[a:b])) for a, b in spans]
            weights = [sum(w for t, w in query.rarity.weights.items() if t in held) for held in terms]
            first, last = best_window([int((b - a) / _CHARS) + 1 for a, b in spans], weights, int(room))
            start, size = spans[first][0], room * _CHARS
            longest = max(spans[last - 1][1] - start, int(size))  # a heading before a long sentence says too little
            text = text[start : start + min(longest, int(size * 1.5))]
        texts.append(f"{title}. {text}" if title else text)
    return texts
