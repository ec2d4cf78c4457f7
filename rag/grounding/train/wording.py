"""The same said otherwise: questions as they come in a conversation, and statements with the same meaning."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable

from rag.followup.wording import with_subject
from rag.words import STOP_WORDS, WORD

_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-zé]{2,}(?: [A-Z][a-zé]{2,})*")
_ARTICLES = frozenset("a an the this that your my their new".split())


def subject_first(question: str, title: str, rng: random.Random) -> str:
    """Say the subject before the question and a pronoun in its place; the question itself if it names none.

    Args:
        question: A question.
        title: Of the text it is about; taken for the subject where the question has it, whatever the case.
        rng: Chooses.
    """
    subject = re.sub(r" \(.*", "", title)
    found = re.search(rf"\b(?:the )?{re.escape(subject)}\b", question, re.IGNORECASE) if subject else None
    found = found or _NAME.search(question)
    if found is None or len(question) - len(found.group()) < 12:
        return question
    before, after = (WORD.findall(t.lower()) for t in (question[: found.start()], question[found.end() :]))
    if not question[found.end() :].startswith((" ", "?", "'s", "’s")) or (before and before[-1] in _ARTICLES):
        return question
    if after and question[found.end()] == " " and after[0] not in STOP_WORDS:  # a part of "the Brita filter"
        return question
    pronoun = rng.choice(("it", "it", "they", "he", "she"))
    owner = {"it": "its", "they": "their", "he": "his", "she": "her"}[pronoun]
    rest = question[found.end() :]
    put = f"{owner}{rest[2:]}" if rest[:2] in ("'s", "’s") else f"{pronoun}{rest}"
    return with_subject(f"{question[: found.start()]}{put}", found.group().split(), [found.group()])


def names_of(texts: Iterable[str]) -> list[str]:
    """List the names in texts, each once, in order: what is put in the place of other names."""
    return sorted({m for text in texts for m in _NAME.findall(text)})


def reworded(sentence: str, rng: random.Random) -> str:
    """Say a sentence a little otherwise, with the same meaning."""
    text = " ".join(sentence.split())
    if rng.random() < 0.5:
        text = re.sub(r" \([^()]*\)", "", text)
    moved = re.match(r"((?:In|On|At|During|By|After|Before|Since) [^,]{3,40}), ([a-zA-Z].{15,}?)([.!]?)$", text)
    if moved and rng.random() < 0.6:
        text = f"{moved.group(2)} {moved.group(1)[0].lower()}{moved.group(1)[1:]}{moved.group(3)}"
    if rng.random() < 0.15:
        text = f"{rng.choice(('According to the document,', 'The text says that', 'Yes,', 'Note that'))} {text}"
    if rng.random() < 0.2:
        text = text.rstrip(".")
    return text
