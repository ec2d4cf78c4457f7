"""Questions about the conversation itself, answered from its own statements and citations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from rag.words import STOP_WORDS

if TYPE_CHECKING:
    from index.library import Library
    from rag.types import Answer, Citation, Conversation, Statement

_RECAP = re.compile(
    r"\b(?:summar(?:y|ise|ize|ies)|recap|sum (?:\w+ )?up|tl;?dr|wrap (?:\w+ )?up|repeat|remind me|"
    r"go over|say (?:\w+ )?again|"
    r"in (?:short|a nutshell|brief))\b|\bwhat (?:have|did|do) (?:we|you|i)(?: all| already)? "
    r"(?:cover|covered|discuss|discussed|talk|talked|say|said|tell|told|establish|established|learn|"
    r"learned|learnt|know|"
    r"find|found|ask|asked)\b",
    re.IGNORECASE,
)
_SOURCES = re.compile(
    r"\b(?:where|how) (?:did|do|have|would) you (?:get|got|find|found|read|take|taken|know|learn|see|seen)\b|"
    r"\bwhere (?:is|are|was|were|does|do|did) (?:all |any )?(?:that|this|it|these|those)(?: (?:all|information))? "
    r"(?:from|come|written|said|stated)\b|\b(?:what|which) (?:is|are|was|were|documents?|sources?|files?|papers?)\b.*"
    r"\b(?:sources?|based on|from|come from|use[ds]?|used|references?|cite[ds]?)\b|\b(?:your|"
    r"the) (?:sources?|references?)\b"
    r"|\bwhat(?:'s| is) (?:that|this|it|your answer) based on\b|\bwhat makes you (?:say|think|believe)\b|"
    r"\b(?:says who|who says (?:so|that|this)|source\?|sources\?|according to (?:whom|who|what))|\bcitations?\b|"
    r"\bon what basis\b",
    re.IGNORECASE,
)
_SURE = re.compile(
    r"\bhow (?:sure|certain|confident|reliable|trustworthy|solid)\b|\bare you (?:\w+ )?(?:sure|"
    r"certain|confident|positive)\b|"
    r"\bis (?:that|this|it) (?:\w+ )?(?:sure|certain|reliable|correct|right|true|confirmed)\b|"
    r"\bcan (?:i|we|one) (?:trust|rely on|believe)\b|\bdo you (?:trust|believe)\b|\breally\?\s*$",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"\b(?:you|we|i)(?:'ve| have| had| did)?(?: just| already| all)?(?: been)? (?:told|said|tell|"
    r"talked|talking|discussed|"
    r"discuss|covered|cover|established|learned|learnt|found|answered|asked)|(?:this|"
    r"our) (?:conversation|chat|discussion)|"
    r"\bso far\b|\buntil now\b",
    re.IGNORECASE,
)
_ALL = re.compile(r"\b(?:all|everything|so far|conversation|chat|discussion|each|every)\b", re.IGNORECASE)
_VOCABULARY = frozenset(
    "makes say saying tell thinking summary summarise summarize summaries recap sum tldr wrap repeat "
    "remind short nutshell brief "
    "briefly sentence sentences "
    "cover covered discuss discussed talk talked talking told said established learned learnt found "
    "asked answered answer "
    "answers far point points main key bullet list source sources document documents file files paper papers reference "
    "references citation citations cite cited base based basis come comes came read written stated "
    "information info figure "
    "figures number numbers claim statement sure certain confident positive reliable trustworthy "
    "solid correct right true "
    "confirmed trust rely believe think know learn see seen take taken find conversation chat discussion together "
    "everything whole previous last earlier above quickly possible basically exactly actually far already again until "
    "words word please kindly quick absolutely completely totally quite bit let's 100".split()
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_EACH = 2  # statements told again of each answer in a summary

MetaKind = Literal["recap", "sources", "sure"]


@dataclass(frozen=True, slots=True)
class Retold:
    """What a question about the conversation is answered with: words, and statements with their citations."""

    reply: str
    statements: tuple[Statement, ...] = ()
    citations: tuple[Citation, ...] = ()


def meta_kind(question: str) -> tuple[MetaKind, tuple[str, ...]] | None:
    """Tell whether a question is about the conversation itself.

    Returns:
        What it wants, and the words of a subject it is limited to ("what you told me about the crane"); `None` if it
        is a question to the documents.
    """
    found: MetaKind | None = None
    if _RECAP.search(question):
        found = "recap"
    elif _SURE.search(question):
        found = "sure"
    elif _SOURCES.search(question):
        found = "sources"
    if found is None:
        return None
    words = [match.group().lower().replace("’", "'") for match in _WORD.finditer(question)]
    subject = tuple(w for w in words if w not in STOP_WORDS and w not in _VOCABULARY)
    if subject and not (found == "recap" and _TOLD.search(question)):
        return None
    return found, subject


def retell(question: str, conversation: Conversation | None, library: Library) -> Retold | None:
    """Answer a question about the conversation.

    Args:
        question: What the person typed.
        conversation: The turns before it.
        library: Statements of documents that it no longer holds are left out.

    Returns:
        The answer, its citations numbered anew from 1; `None` if the question is one to the documents.
    """
    kind = meta_kind(question)
    if kind is None:
        return None
    answers = [t.answer for t in conversation.turns if t.answer is not None] if conversation is not None else []
    answers = [a for a in answers if a.kind not in ("meta", "small talk", "clarification")]
    if not answers:
        if conversation is None or not conversation.turns:
            return None
        return Retold("There is no answer in this conversation yet that I could go by.")
    every = kind[0] == "recap" or _ALL.search(question) is not None
    chosen = [a for a in (answers if every else answers[-1:]) if not a.abstained]
    if not chosen:
        return Retold(f"I found no answer to “{answers[-1].question}” in the documents, so there is nothing to go by.")
    told = _told(chosen, kind[1], library, _EACH if kind[0] == "recap" else None)
    if not told.statements:
        return Retold("Nothing of that was said in this conversation, or its documents are no longer in the library.")
    lead = {"recap": _recap_lead, "sources": _sources_lead, "sure": _sure_lead}[kind[0]]
    return replace(told, reply=lead(chosen, told))


def _told(answers: Sequence[Answer], subject: Sequence[str], library: Library, most: int | None) -> Retold:
    """Collect the statements of answers about a subject, nothing twice, with citations numbered anew."""
    statements: list[Statement] = []
    citations: list[Citation] = []
    taken: dict[tuple[str, int, int], int] = {}
    held: dict[str, bool] = {}
    for answer in answers:
        by_marker = {c.marker: c for c in answer.citations}
        for statement in answer.statements[:most]:
            cited = [by_marker[m] for m in statement.citations if m in by_marker]
            for c in cited:
                held.setdefault(c.document_id, library.catalog.has_document(c.document_id))
            spans = [(c.document_id, c.start, c.end) for c in cited]
            known = bool(spans) and all(span in taken for span in spans)
            if known or not all(held[c.document_id] for c in cited) or not _about(answer, statement, subject):
                continue
            for c, span in zip(cited, spans, strict=True):
                if span not in taken:
                    taken[span] = len(citations) + 1
                    citations.append(replace(c, marker=taken[span]))
            statements.append(replace(statement, citations=tuple(dict.fromkeys(taken[s] for s in spans))))
    return Retold("", tuple(statements), tuple(citations))


def _about(answer: Answer, statement: Statement, subject: Sequence[str]) -> bool:
    text = f"{answer.standalone_question} {statement.text}".lower()
    return all(word.rstrip("s") in text for word in subject)


def _titles(citations: Iterable[Citation]) -> list[str]:
    return list(dict.fromkeys(c.title for c in citations))


def _recap_lead(answers: Sequence[Answer], told: Retold) -> str:
    return f"So far, {_counted(len(answers), 'question')} answered:"


def _sources_lead(answers: Sequence[Answer], told: Retold) -> str:
    titles = [f"“{title.strip('“”')}”" for title in _titles(told.citations)]
    listed = " and ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)
    return f"From {listed}, in these words:"


def _sure_lead(answers: Sequence[Answer], told: Retold) -> str:
    supported = sum(s.verdict == "supported" for s in told.statements)
    sources = max(s.sources for s in told.statements)
    share = f"{supported} of {len(told.statements)}" if supported < len(told.statements) else "all"
    said = f"I put the chance that the documents answer this at {answers[-1].confidence:.0%}"
    words = (
        f"the words cited support {share} of the statements"
        if len(told.statements) > 1
        else (
            "the words cited support the statement"
            if supported
            else "the words cited do not fully support the statement"
        )
    )
    more = f"; up to {sources} independent documents say the same" if sources > 1 else ""
    warn = ". The sources disagree on it" if answers[-1].disagreements else ""
    return f"{said}, and {words}{more}{warn}:"


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word if number == 1 else word + 's'}"
