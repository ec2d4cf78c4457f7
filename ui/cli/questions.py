"""Verbs about questions: search and ask."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from index.errors import ConfigError
from rag.records import answer_record, hit_record
from rag.types import Answer, Conversation
from ui.cli.opening import open_assistant, open_library
from ui.cli.terminal import one_line, print_json


def run_search(options: argparse.Namespace) -> int:
    """Print the passages that match a query."""
    with open_library(options) as library:
        hits = library.search(options.query, options.top_k)
        found = {info.id: info for info in library.documents([h.passage.document_id for h in hits])}
    if options.json:
        print_json([hit_record(hit, found[hit.passage.document_id].source) for hit in hits])
        return 0
    for hit in hits:
        passage = hit.passage
        where = f", p. {passage.page}" if passage.page else ""
        print(
            f"{hit.rank:>3}. {one_line(found[passage.document_id].title)}{where}  [{passage.document_id} {passage.start}–{passage.end}]"
        )
        print(f"     {one_line(passage.text)[:300]}\n")
    return 0


def run_ask(options: argparse.Namespace) -> int:
    """Answer one question."""
    question = sys.stdin.read() if options.question == "-" else options.question
    conversation = _read_history(options.history) if options.history else None
    with open_assistant(options) as assistant:
        answer = assistant.ask(question, conversation)
        if options.json:
            print_json(answer_record(answer))
        else:
            titles = {
                i.id: i.title for i in assistant.library.documents([h.passage.document_id for h in answer.hits[:3]])
            }
            print(format_answer(answer, titles))
    return 0


def _read_history(path: Path) -> Conversation:
    try:
        return Conversation.from_pairs([(str(q), str(a)) for q, a in json.loads(path.read_text(encoding="utf-8"))])
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"{path} is not a list of [question, answer] pairs: {error}.",
            remedy='Write it like this: [["first question", "its answer"], ["second question", "its answer"]]',
        ) from error


def format_answer(answer: Answer, titles: dict[str, str]) -> str:
    """Set an answer in plain text: statements with markers, then a footnote for each citation.

    Args:
        answer: The answer.
        titles: Title of each hit's document, by id; used for the nearest passages of an abstention.

    Returns:
        Lines without escape sequences, whatever the documents hold.
    """
    lines = [one_line(answer.text)]
    if answer.abstained and answer.hits:
        lines += ["", "Nearest passages:"]
        for hit in answer.hits[:3]:
            where = f", p. {hit.passage.page}" if hit.passage.page else ""
            lines.append(
                f"  - {one_line(titles.get(hit.passage.document_id, ''))}{where}: “{one_line(hit.passage.text)[:200]}…”"
            )
    if answer.citations:
        lines.append("")
    for c in answer.citations:
        facts = [one_line(c.title), c.published.isoformat() if c.published else "", f"p. {c.page}" if c.page else ""]
        lines.append(f"[{c.marker}] {', '.join(f for f in facts if f)} — “{one_line(c.quote)}”")
        lines.append(f"    {one_line(c.source)} ({c.document_id} {c.start}–{c.end})")
    return "\n".join(lines)
