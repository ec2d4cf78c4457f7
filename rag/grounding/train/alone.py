"""Training examples of sentences read by themselves, as the reader looks closer at the likely ones.

Read within its text, every sentence of a text on the matter seems to answer. By itself it shows whether it does, if the
model has learned to read it so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rag.grounding.train.examples import Context, Example, Maker, Unit

OTHERS = 2  # sentences of the same text beside the one that answers
_BEFORE = 90  # tokens of a sentence that goes before
_COMMON = 2_100  # the tokenizer numbers words about by how common they are: below are "the", "of", "was", …
_LONGEST = 120  # tokens


def sentences_alone(maker: Maker, negatives: Mapping[str, Sequence[str]]) -> Iterator[Unit]:
    """Make units of a question with the sentence that answers it and with others.

    The others are of the same text, and one of a text that a search finds; those that share words with the question
    are preferred, none holds the answer. Now and then each comes after the first sentence of its text, or the one
    before it, or the title, as it does when an answer is read.

    Args:
        maker: Holds questions and texts.
        negatives: For each question's id, names of texts that do not answer it, the nearest first.
    """
    for question in maker.drawn():
        context = maker.contexts[question["ctx_id"]]
        span = context.answer(question["answers"][0])
        if span is None or span[1] - span[0] > 60:
            continue
        right = next((s for s in context.sentences if s[0] <= span[0] and span[1] < s[1]), None)
        if right is None or right[1] - right[0] > _LONGEST:
            continue
        said = [a["text"].lower() for a in question["answers"]]
        form = maker.rng.choice(("itself", "before", "before", "opening"))
        titled = maker.rng.random() < 0.25
        asked = maker.asked(question)
        unit = [_example(maker, asked, context, right, (form, titled), said, span)]
        rest = [s for s in _candidates(context, said) if s != right]
        telling = {i for i in maker.ids(asked) if i > _COMMON}
        rest.sort(key=lambda s: -_shared(context, s, telling) - maker.rng.random())
        unit += [_example(maker, asked, context, s, (form, titled), said, None) for s in rest[:OTHERS]]
        wrong = negatives.get(question["id"], ())
        if wrong:
            other = maker.contexts[maker.rng.choice(list(wrong[:8]))]
            found = max(_candidates(other, said), key=lambda s: _shared(other, s, telling), default=None)
            if found is not None:
                unit.append(_example(maker, asked, other, found, (form, titled), said, None, relevance=0))
        if len(unit) > 1:
            yield tuple(unit)


def _candidates(context: Context, said: Sequence[str]) -> list[tuple[int, int]]:
    """Sentences that are neither scraps nor hold one of the answers."""
    return [
        s
        for s in context.sentences
        if 5 <= s[1] - s[0] <= _LONGEST and not any(a in context.words(*s).lower() for a in said)
    ]


def _shared(context: Context, sentence: tuple[int, int], telling: set[int]) -> int:
    return len(telling & set(context.ids[sentence[0] : sentence[1]]))


def _example(
    maker: Maker,
    asked: str,
    context: Context,
    sentence: tuple[int, int],
    form: tuple[str, bool],
    said: Sequence[str],
    span: tuple[int, int] | None,
    relevance: int | None = None,
) -> Example:
    """A sentence after what `form` says; `span` is the answer in it, in tokens of the text, `None` for none."""
    at = context.sentences.index(sentence)
    before = {"before": at - 1, "opening": 0}.get(form[0], at)
    head: list[int] = []
    if 0 <= before < at:
        start, end = context.sentences[before]
        start = max(start, end - _BEFORE)
        if span is not None or not any(a in context.words(start, end).lower() for a in said):
            head = context.ids[start:end]
    if form[1] and context.title:
        head = [*maker.ids(f"{context.title}."), *head]
    ids, boundary = maker.pair(asked, [*head, *context.ids[sentence[0] : sentence[1]]])
    if span is None:
        return Example(ids, boundary, relevance, 0, (0, 0))
    shift = boundary + len(head) - sentence[0]
    return Example(ids, boundary, 1, 1, (span[0] + shift, span[1] + shift))
