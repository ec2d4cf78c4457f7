"""Verbs about questions: search and ask."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import ConfigError
from rag.records import answer_record, hit_record
from rag.types import Answer, Conversation, Statement, as_of_text, limited_text, page_name
from ui.cli.opening import open_assistant, open_library
from ui.cli.terminal import bold, one_line, print_json, say, visible, wrap

if TYPE_CHECKING:
    from datetime import date

    from index.library import Library
    from index.types import DocumentInfo, Hit

_NEAREST = 3
_SNIPPET = 240
_SHAPE = 'Write the earlier turns as [["first question", "its answer"], ["second question", "its answer"]].'


def run_search(options: argparse.Namespace) -> int:
    """Print the passages that match a query."""
    with open_library(options) as library:
        hits = library.search(options.query, options.top_k, where=options.where)
        found = documents_of(hits, library)
        also = library.documents([i for hit in hits for i in hit.also])
        _say_pending(library)
    if options.json:
        print_json([hit_record(hit, found[hit.passage.document_id].source) for hit in hits])
    elif hits:
        print("\n".join(format_hits(hits, {**found, **{info.id: info for info in also}})))
    else:
        say("Nothing was found.")
    return 0


def run_ask(options: argparse.Namespace) -> int:
    """Answer one question; "not in these documents" is an answer."""
    question = options.question
    if question == "-":
        question = sys.stdin.buffer.read().decode("utf-8", errors="replace")
    conversation = _read_history(options.history) if options.history else None
    with open_assistant(options) as assistant:
        answer = assistant.ask(question, conversation, where=options.where)
        _say_pending(assistant.library)
        if options.json:
            print_json(answer_record(answer))
        else:
            print(format_answer(answer, nearest_documents(answer, assistant.library)))
    return 0


def run_resolve(options: argparse.Namespace) -> int:
    """Tell where a permalink leads now; exit status 1 if nowhere."""
    with open_library(options) as library:
        found = library.resolve(options.link)
        infos = library.documents([found.document_id]) if found.document_id else []
        now = library.document(found.document_id).text[found.start : found.end] if found.document_id else ""
    if options.json:
        page = {"page": found.page.number, "page_label": found.page.label} if found.page else {"page": None}
        places = {"document_id": found.document_id, "start": found.start, "end": found.end, "source": found.source}
        print_json({"state": found.state, **places, **page, "quote": found.quote, "text": now})
    else:
        print(wrap(f"{found.state}: {_STATES[found.state]}"))
        if found.quote and found.state in ("changed", "gone"):
            print(wrap(f"was: “{one_line(found.quote)}”"))
        if now:
            page_text = page_name(found.page.number, found.page.label) if found.page else ""
            print(wrap(f"{format_place(infos[0].title, infos[0].published, page_text)} — “{one_line(now)}”"))
            print(f"    {visible(found.source)} ({found.document_id} {found.start}–{found.end})")
    return 1 if found.state == "gone" else 0


_STATES = {
    "same": "the words stand where they stood.",
    "moved": "the same words stand elsewhere in the document now.",
    "changed": "the document has changed; this is what comes nearest to the words.",
    "gone": "the words are in the library no more.",
}


def _say_pending(library: Library) -> None:
    """Tell that some documents are found by their words only so far."""
    pending = library.catalog.count_pending()
    if pending:
        say(
            f"Note: {pending:,} of {library.catalog.count()[1]:,} passages have no vector yet and are found by their "
            "words only; dossier sync or dossier add goes on making them."
        )


def documents_of(hits: Iterable[Hit], library: Library) -> dict[str, DocumentInfo]:
    """Look up the documents of hits, by id."""
    return {info.id: info for info in library.documents([hit.passage.document_id for hit in hits])}


def nearest_documents(answer: Answer, library: Library) -> dict[str, DocumentInfo]:
    """Look up the documents of the passages that an abstention shows; nothing for any other answer."""
    return documents_of(answer.hits[:_NEAREST], library) if answer.abstained else {}


def _read_history(path: Path) -> Conversation:
    try:
        turns = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"The history {path} cannot be read: {error.strerror}.", remedy="Check the path given to --history."
        ) from error
    except ValueError as error:
        raise ConfigError(f"The history {path} is not JSON: {error}.", remedy=_SHAPE) from error
    if not isinstance(turns, list):
        raise ConfigError(f"The history {path} is not a list of [question, answer] pairs.", remedy=_SHAPE)
    for number, pair in enumerate(turns, 1):
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)):
            raise ConfigError(f"Turn {number} of the history {path} is not a pair of texts.", remedy=_SHAPE)
    return Conversation.from_pairs((question, answer) for question, answer in turns)


def format_answer(answer: Answer, documents: Mapping[str, DocumentInfo]) -> str:
    """Set an answer in plain text: statements with markers, then a footnote for each citation.

    Args:
        answer: The answer.
        documents: The documents of its first hits, by id; used for the nearest passages of an abstention.

    Returns:
        Lines without escape sequences, whatever the documents hold.
    """
    if answer.abstained:
        lines = [wrap(one_line(answer.text)), ""]
        hits = [h for h in answer.hits[:_NEAREST] if h.passage.document_id in documents]
        lines += ["Nearest passages:", *format_hits(hits, documents)] if hits else []
        return "\n".join(lines).rstrip("\n")
    lead = [one_line(answer.reply)] if answer.reply else []
    lines = [wrap(" ".join([*lead, *map(format_statement, answer.statements)])), "", *format_remarks(answer)]
    lines += format_footnotes(answer)
    return "\n".join(lines).rstrip("\n")


def format_statement(statement: Statement) -> str:
    """Set a statement with its markers on one line; its exact answer is bold at a terminal."""
    start, end = statement.highlight or (0, 0)
    before, exact, after = statement.text[:start], statement.text[start:end], statement.text[end:]
    text = f"{_flat(before)}{bold(_flat(exact))}{_flat(after)}".strip()
    doubt = {"weak": " (weakly supported)", "unsupported": " (not supported)"}.get(statement.verdict, "")
    return f"{text} {''.join(f'[{n}]' for n in statement.citations)}".strip() + doubt


def _flat(text: str) -> str:
    """Put a piece of a sentence on one line, with the blanks at its ends."""
    line = one_line(text)
    return f"{' ' if text[:1].isspace() else ''}{line}{' ' if line and text[-1:].isspace() else ''}"


def format_remarks(answer: Answer) -> list[str]:
    """Set what is to be said of an answer as a whole, each followed by an empty line: disagreement, date."""
    lines = []
    by_marker = {c.marker: c for c in answer.citations}
    for disagreement in answer.disagreements:
        values = [f"“{one_line(c.value)}”" for c in disagreement.claims]
        width = max(map(len, values))
        lines.append("The sources disagree:")
        for claim, value in zip(disagreement.claims, values, strict=True):
            c = by_marker[claim.marker]
            lines.append(f"    {value:<{width}}  {format_place(c.title, c.published, c.page_name)} [{c.marker}]")
        lines.append("")
    if answer.notice:
        lines += [wrap(one_line(answer.notice)), ""]
    if answer.as_of is not None:
        lines += [wrap(as_of_text(answer.as_of, answer.undated)), ""]
    if answer.limited_to:
        lines += [wrap(visible(limited_text(answer.limited_to))), ""]
    return lines


def format_footnotes(answer: Answer) -> list[str]:
    """Set what an answer rests on, one footnote a citation, and name the statements that do not rest on it firmly."""
    lines = []
    said_by = {n: s.sources for s in reversed(answer.statements) for n in s.citations[:1]}
    for c in answer.citations:
        lines.append(wrap(f"[{c.marker}] {format_place(c.title, c.published, c.page_name)} — “{one_line(c.quote)}”"))
        lines.append(f"    {visible(c.source)} ({c.document_id} {c.start}–{c.end})")
        if c.also:
            lines.append(wrap(f"also in {'; '.join(visible(title) for title in c.also)}", "    "))
        if said_by.get(c.marker, 1) > 1:
            lines.append(f"    {said_by[c.marker]} independent sources say so")
    for s in answer.statements:
        if s.verdict != "supported":
            how = "Weakly supported" if s.verdict == "weak" else "Not supported"
            why = f" — {one_line(s.reason)}" if s.reason else ""
            lines.append(wrap(f"{how} by what it cites: “{one_line(s.text)}”{why}"))
    return lines


def format_hits(hits: Iterable[Hit], documents: Mapping[str, DocumentInfo]) -> list[str]:
    """Set passages in plain text: rank, where each stands, how it begins."""
    lines = []
    for hit in hits:
        passage, info = hit.passage, documents[hit.passage.document_id]
        heading = f" › {one_line(passage.heading)}" if passage.heading else ""
        lines.append(wrap(f"{hit.rank}. {format_place(info.title, info.published, page_name(passage.page))}{heading}"))
        lines.append(wrap(one_line(passage.text, _SNIPPET), "    "))
        also = [visible(documents[i].title) for i in hit.also if i in documents]
        if also:
            lines.append(wrap(f"also in {'; '.join(also)}", "    "))
        lines.append(f"    {visible(info.source)} ({passage.document_id} {passage.start}–{passage.end})")
    return lines


def format_place(title: str, published: date | None, page: str) -> str:
    """Name a place in a document: title, date, page."""
    facts = [visible(title), published.isoformat() if published else "", page]
    return ", ".join(fact for fact in facts if fact)
