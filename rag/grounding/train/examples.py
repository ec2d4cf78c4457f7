"""Training examples, made of public data: what the reader and the checks are to learn, as token ids.

Every random choice comes from one seed, so the same data gives the same examples.
"""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from index.sentences import sentence_spans
from rag.grounding.edits import KINDS, edit, edit_question
from rag.grounding.train.wording import names_of, reworded, subject_first

CLS, SEP = 101, 102
MAX_TOKENS = 288
MAX_FIRST = 72
ENTAILED, NEITHER, CONTRADICTED, NOT_ENTAILED, NO_SUPPORT = 0, 1, 2, -2, -1
NO_SPAN = (-1, -1)
_TITLED = ("qed_nq", "squadshifts_new_wiki", "squad2_half_dev")


@dataclass(frozen=True, slots=True)
class Example:
    """A pair of texts as token ids, `[CLS] first [SEP] second [SEP]`, and what is to be learned from it.

    `boundary` is the index of the second text's first token. `relevance` and `answerable` are 0 or 1, `None` where
    nothing is known. `span` are indices of the first and last token of the answer, `(0, 0)` for "not here", `NO_SPAN`
    where nothing is known; `within` says that the answer lies somewhere in it. `support` is a class of the support
    head, `NOT_ENTAILED` for "neither or contradicted", `NO_SUPPORT` where nothing is known.
    """

    ids: tuple[int, ...]
    boundary: int
    relevance: int | None = None
    answerable: int | None = None
    span: tuple[int, int] = NO_SPAN
    support: int = NO_SUPPORT
    within: bool = False


Unit = tuple[Example, ...]
"""Examples that stay in one batch: a question with the text that answers it and, after it, texts that do not."""


@dataclass(frozen=True, slots=True)
class Mix:
    """How often a question of the second and later epochs comes with what does not answer it; shares, 0 to 1.

    `wrong`: a passage that a search finds. `unanswered`: the question or its passage changed so that it has no answer.
    `checks`: the part of the support head's examples that is used. `others`: the part of the questions that is used of
    sets other than Natural Questions, whose questions were asked before anybody saw the text. `about`: a question with
    its subject in front, as follow-ups are asked ("About Saturn: how many rings has it?").
    """

    wrong: float = 0.5
    unanswered: float = 0.4
    checks: float = 1.0
    others: float = 1.0
    about: float = 0.0


@dataclass(slots=True)
class Context:
    """A text cut into tokens and sentences; `sentences` are token ranges, end exclusive."""

    name: str
    title: str
    text: str
    ids: list[int] = field(default_factory=list)
    offsets: list[tuple[int, int]] = field(default_factory=list)
    sentences: list[tuple[int, int]] = field(default_factory=list)

    def tokens(self, start: int, end: int) -> tuple[int, int] | None:
        """Indices of the first and last token that touch `text[start:end]`; `None` if none does."""
        found = [i for i, (a, b) in enumerate(self.offsets) if a < end and b > start]
        return (found[0], found[-1]) if found else None

    def answer(self, answer: Mapping[str, Any]) -> tuple[int, int] | None:
        """Indices of the first and last token of an answer as the data has it, `start` in characters and `text`."""
        return self.tokens(answer["start"], answer["start"] + len(answer["text"]))

    def words(self, start: int, end: int) -> str:
        """The text of a token range, end exclusive."""
        return self.text[self.offsets[start][0] : self.offsets[end - 1][1]]


def held_out(name: str) -> bool:
    """Tell whether a text or judgement is kept from training, one in twenty: thresholds are fitted on those."""
    return zlib.crc32(name.encode()) % 20 == 0


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read a gzipped JSON Lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


class Maker:
    """Makes examples of one data folder.

    Args:
        data: The folder, with `reader/` and `verifier/`.
        tokenizer: A `tokenizers.Tokenizer` that neither pads nor cuts off.
        seed: Of every random choice.
        mix: How often what.
    """

    def __init__(self, data: Path, tokenizer: Any, seed: int, mix: Mix = Mix()) -> None:
        self._data, self._tokenizer, self._mix = data, tokenizer, mix
        self.rng = random.Random(seed)
        self.contexts: dict[str, Context] = {}
        self.questions = self._read("train")
        self.adversarial = self._read("train_unanswerable")
        self._first = self._encode_all({q["question"] for q in (*self.questions, *self.adversarial)})
        self.names = names_of(c.text[:4_000] for c in self.contexts.values())
        self.of_context: dict[str, list[dict[str, Any]]] = {}
        for question in self.questions:
            self.of_context.setdefault(question["ctx_id"], []).append(question)

    def _read(self, name: str) -> list[dict[str, Any]]:
        records = read_lines(self._data / "reader" / f"{name}.contexts.jsonl.gz")
        encoded = self._tokenizer.encode_batch([r["text"] for r in records], add_special_tokens=False)
        for record, found in zip(records, encoded, strict=True):
            title = record["title"] if record["ctx_id"].startswith(_TITLED) else ""
            context = Context(record["ctx_id"], title.replace("_", " "), record["text"], found.ids, found.offsets)
            context.sentences = _token_sentences(context)
            self.contexts[context.name] = context
        questions = read_lines(self._data / "reader" / f"{name}.questions.jsonl.gz")
        return [q for q in questions if not held_out(q["ctx_id"])]

    def _encode_all(self, texts: set[str]) -> dict[str, list[int]]:
        ordered = sorted(texts)
        found = self._tokenizer.encode_batch(ordered, add_special_tokens=False)
        return {text: e.ids for text, e in zip(ordered, found, strict=True)}

    def ids(self, text: str) -> list[int]:
        """Token ids of a text, without special ones."""
        known = self._first.get(text)
        return list(self.encode(text).ids) if known is None else known

    def reading(self, negatives: dict[str, list[str]], epoch: int) -> Iterator[Unit]:
        """Make one epoch of the reader's units.

        Args:
            negatives: For each question's id, names of contexts that a search finds and that do not answer it.
            epoch: From 0. From the second on, wrong passages give way to questions without an answer, as `Mix` says.
        """
        rng = self.rng
        for question in self.drawn():
            right = self._answered(question)
            if right is None:
                continue
            wrong = negatives.get(question["id"], [])
            if wrong and (epoch == 0 or rng.random() < self._mix.wrong):
                deep = wrong if rng.random() < 0.5 else wrong[:8]
                yield (right, self.wrong(question["question"], self.contexts[rng.choice(deep)]))
            else:
                yield (right,)
            if epoch > 0 and rng.random() < self._mix.unanswered:
                missing = self._unanswered(question)
                if missing is not None:
                    yield (missing,)
        for question in self.adversarial:
            for _ in range(1 + epoch % 2):
                made = self._refused(question) if question["impossible"] else self._answered(question)
                if made is not None:
                    yield (made,)

    def drawn(self) -> Iterator[dict[str, Any]]:
        """The questions, of other sets than Natural Questions a part."""
        for question in self.questions:
            if question["src"] == "qed_nq" or self._mix.others >= 1.0 or self.rng.random() < self._mix.others:
                yield question

    def pair(self, first: str, second: list[int]) -> tuple[tuple[int, ...], int]:
        """Put a text and tokens together as an `Example` has them, cut to size: ids and `boundary`."""
        head = self.ids(first)[:MAX_FIRST]
        room = MAX_TOKENS - len(head) - 3
        return (CLS, *head, SEP, *second[:room], SEP), len(head) + 2

    def titled(self, title: str) -> list[int]:
        """The title as it stands before a text, every other time."""
        return self.ids(f"{title}.") if title and self.rng.random() < 0.5 else []

    def encode(self, text: str) -> Any:
        """A text's `tokenizers.Encoding`, without special tokens."""
        return self._tokenizer.encode(text, add_special_tokens=False)

    def _size(self) -> int:
        return self.rng.randint(60, 160) if self.rng.random() < 0.5 else MAX_TOKENS

    def asked(self, question: dict[str, Any]) -> str:
        """The question, now and then as in a conversation: with its subject in front, or after an earlier question."""
        asked: str = question["question"]
        if self.rng.random() < self._mix.about:
            return subject_first(asked, self.contexts[question["ctx_id"]].title, self.rng)
        if self.rng.random() < 0.12:
            others = [q["question"] for q in self.of_context.get(question["ctx_id"], ()) if q is not question]
            if others:
                return f"{self.rng.choice(others)} {asked}"
        return asked

    def _answered(self, question: dict[str, Any]) -> Example | None:
        context = self.contexts[question["ctx_id"]]
        answer = self.rng.choice(question["answers"])
        span = context.answer(answer)
        if span is None or span[1] - span[0] > 60:
            return None
        asked, head = self.asked(question), self.titled(context.title)
        room = MAX_TOKENS - min(len(self.ids(asked)), MAX_FIRST) - 3 - len(head)
        start, end = _window(context, span, min(self._size(), room), self.rng)
        ids, boundary = self.pair(asked, [*head, *context.ids[start:end]])
        shift = boundary + len(head) - start
        return Example(ids, boundary, 1, 1, (span[0] + shift, span[1] + shift))

    def wrong(self, asked: str, context: Context) -> Example:
        """A text that has nothing to do with what is asked."""
        head = self.titled(context.title)
        start, end = _window(context, None, self._size(), self.rng)
        ids, boundary = self.pair(asked, [*head, *context.ids[start:end]])
        return Example(ids, boundary, 0, 0, (0, 0))

    def _refused(self, question: dict[str, Any]) -> Example:
        context = self.contexts[question["ctx_id"]]
        ids, boundary = self.pair(question["question"], [*self.titled(context.title), *context.ids])
        return Example(ids, boundary, None, 0, (0, 0))

    def _unanswered(self, question: dict[str, Any]) -> Example | None:
        """The right passage with the question changed, or with the sentence that answers it taken out."""
        context = self.contexts[question["ctx_id"]]
        answer = question["answers"][0]
        span = context.answer(answer)
        if span is None:
            return None
        start, end = _window(context, span, self._size(), self.rng)
        if self.rng.random() < 0.5:
            changed = edit_question(question["question"], self.names, self.rng)
            if changed is None:
                return None
            ids, boundary = self.pair(changed, context.ids[start:end])
            return Example(ids, boundary, None, 0, (0, 0))
        sentence = next(((a, b) for a, b in context.sentences if a <= span[0] < b), None)
        if sentence is None or span[1] >= sentence[1]:
            return None
        left = [*context.ids[start : max(start, sentence[0])], *context.ids[min(end, sentence[1]) : end]]
        rest = context.text[: context.offsets[sentence[0]][0]] + context.text[context.offsets[sentence[1] - 1][1] :]
        if len(left) < 25 or any(a["text"].lower() in rest.lower() for a in question["answers"]):
            return None
        ids, boundary = self.pair(question["question"], left)
        return Example(ids, boundary, None, 0, (0, 0))

    def support(self, negatives: dict[str, list[str]], epoch: int) -> Iterator[Unit]:
        """Make one epoch of the support head's units: human judgements, and statements made of the reader's texts."""
        for unit in self._checks(negatives, epoch):
            if self._mix.checks >= 1.0 or self.rng.random() < self._mix.checks:
                yield unit

    def _checks(self, negatives: dict[str, list[str]], epoch: int) -> Iterator[Unit]:
        for record in read_lines(self._data / "verifier" / "train.jsonl.gz"):
            if held_out(record["premise"]) or (epoch > 0 and record["src"] == "snli"):
                continue
            yield (self._judged(record),)
        contexts = [c for c in self.contexts.values() if len(c.sentences) > 1 and not held_out(c.name)]
        for context in self.rng.sample(contexts, min(len(contexts), 5_000)):
            yield from self._stated(context)
        for question in self.rng.sample(self.questions, min(len(self.questions), 6_000)):
            yield from self._claimed(question, negatives)

    def _judged(self, record: dict[str, Any]) -> Example:
        kinds = {
            "SUPPORTS": ENTAILED,
            "SUPPORT": ENTAILED,
            "entailment": ENTAILED,
            "neutral": NEITHER,
            "NEI": NEITHER,
            "contradiction": CONTRADICTED,
            "CONTRADICT": CONTRADICTED,
        }
        kind = kinds.get(record["label_raw"], ENTAILED if record["label"] else NOT_ENTAILED)
        ids, boundary = self.pair(record["hypothesis"], self.ids(record["premise"]))
        return Example(ids, boundary, support=kind)

    def _stated(self, context: Context) -> Iterator[Unit]:
        """A sentence of a text against the text, as it is and edited, and against the text without it."""
        rng = self.rng
        span = rng.choice(context.sentences)
        if not 6 <= span[1] - span[0] <= 60:
            return
        statement = reworded(context.words(*span), rng)
        start, end = _window(context, (span[0], span[1] - 1), self._size(), rng)
        evidence = context.ids[start:end]
        ids, boundary = self.pair(statement, evidence)
        yield (Example(ids, boundary, support=ENTAILED),)
        kinds = list(KINDS)
        rng.shuffle(kinds)
        made = next((e for k in kinds if (e := edit(statement, k, self.names, rng)) is not None), None)
        if made is not None:
            ids, boundary = self.pair(made.text, evidence)
            yield (Example(ids, boundary, support=CONTRADICTED),)
        left = [*context.ids[start : span[0]], *context.ids[span[1] : end]]
        if len(left) >= 25 and rng.random() < 0.5:
            ids, boundary = self.pair(statement, left)
            yield (Example(ids, boundary, support=NEITHER),)

    def _claimed(self, question: dict[str, Any], negatives: dict[str, list[str]]) -> Iterator[Unit]:
        """A question with its answer as a claim: right, with another answer, and against another text."""
        rng = self.rng
        context = self.contexts[question["ctx_id"]]
        answer = question["answers"][0]
        span = context.answer(answer)
        if span is None or span[1] - span[0] > 30:
            return
        start, end = _window(context, span, self._size(), rng)
        claim = f"{question['question']} {answer['text']}"
        ids, boundary = self.pair(claim, context.ids[start:end])
        yield (Example(ids, boundary, support=ENTAILED),)
        said = {a["text"].lower() for a in question["answers"]}
        others = [
            q["answers"][0]["text"]
            for q in self.of_context[question["ctx_id"]]
            if not any(q["answers"][0]["text"].lower() in s or s in q["answers"][0]["text"].lower() for s in said)
        ]
        wrong = negatives.get(question["id"], [])
        if others and rng.random() < 0.6:
            ids, boundary = self.pair(f"{question['question']} {rng.choice(others)}", context.ids[start:end])
            yield (Example(ids, boundary, support=NOT_ENTAILED),)
        elif wrong:
            other = self.contexts[rng.choice(wrong)]
            start, end = _window(other, None, self._size(), rng)
            ids, boundary = self.pair(claim, other.ids[start:end])
            yield (Example(ids, boundary, support=NEITHER),)


def _token_sentences(context: Context) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    at, count = 0, len(context.offsets)
    for start, end in sentence_spans(context.text):
        while at < count and context.offsets[at][0] < start:
            at += 1
        first = at
        while at < count and context.offsets[at][0] < end:
            at += 1
        if at > first:
            ranges.append((first, at))
    return ranges


def _window(context: Context, span: tuple[int, int] | None, size: int, rng: random.Random) -> tuple[int, int]:
    """Choose a token range of at most `size` that starts and, if it can, ends with a sentence and holds the span."""
    count = len(context.ids)
    starts = [a for a, _ in context.sentences] or [0]
    if span is None:
        fitting = [a for a in starts if a + size // 2 <= count] or [0]
        start = rng.choice(fitting)
    else:
        fitting = [a for a in starts if a <= span[0] and span[1] - a < size]
        start = rng.choice(fitting) if fitting else max(0, span[1] - size + 1)
        start = min(start, span[0])
    end = min(start + size, count)
    ends = [b for _, b in context.sentences if start < b <= end and (span is None or b > span[1])]
    return start, ends[-1] if ends else end
