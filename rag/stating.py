"""State an answer: a language model if there is one and it does not fail, else the offline reader."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.settings import AnswerSettings
from rag.types import Citation, Conversation, Disagreement, Event, Sentence, Statement, Waiting

if TYPE_CHECKING:
    from index.library import Library
    from index.types import DocumentInfo, Hit
    from rag.grounding.verify import Verifier
    from rag.reader.read import Selection
    from rag.standalone import Query
    from rag.writing.writer import Writer, Written

MODEL = "offline reader"


@dataclass(frozen=True, slots=True)
class Stated:
    """What an answer says, who wrote it, and what is to be known of that."""

    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    disagreements: tuple[Disagreement, ...]
    notice: str
    model: str


def open_writer(settings: AnswerSettings, llm: Any) -> Writer | None:
    """The language model of the settings, ready to write; `None` if there is to be none."""
    if llm is None and not settings.llm and settings.grounding == "flag":
        return None  # nothing to look at: importing costs
    from rag.llm import open_model
    from rag.writing.writer import Writer, check_grounding

    check_grounding(settings.grounding)
    model = open_model(settings, llm)
    return Writer(model, settings) if model is not None else None


def rewrite(
    writer: Writer | None, question: str, conversation: Conversation | None
) -> Generator[Event, None, tuple[str, Written | None]]:
    """Have the language model write the standalone question; with what went wrong, if it cannot be reached."""
    from rag.writing.failure import ModelFailure

    if writer is None:
        return "", None
    text = ""
    try:
        for got in writer.question(question, conversation):
            if isinstance(got, Waiting):
                yield got
            else:
                text = got
    except ModelFailure as failure:
        return "", writer.failed(failure)
    return text, None


def state(
    writer: Writer | None,
    conversation: Conversation | None,
    query: Query,
    hits: Sequence[Hit],
    documents: Mapping[str, DocumentInfo],
    read: Callable[[], Selection],
    written: Written | None,
    library: Library,
    verifier: Verifier,
) -> Generator[Event, None, Stated]:
    """State the answer: the language model if there is one and it does not fail, else the offline reader.

    What the reader finds (`read`) is wanted in any case, for how sure the answer is; a model does not wait for it.
    """
    from rag.telling import Telling

    if writer is not None and written is None:
        for event in writer.write(query.standalone_question, conversation, hits, documents, library, verifier, read):
            if isinstance(event, (Sentence, Waiting)):
                yield event
            else:
                written = event
    if writer is not None and written is not None and not written.failed:
        return Stated(written.statements, written.citations, (), written.notice, writer.model.name)
    statements: list[Statement] = list(written.statements) if written is not None else []
    citations: list[Citation] = list(written.citations) if written is not None else []
    selection = read()
    telling = Telling(query.question, query.standalone_question, hits, documents, library, verifier)
    sentences = telling.sentences(() if selection.abstained else selection.chosen)
    begun = bool(statements)
    if written is not None and begun:
        from rag.writing.going_on import go_on

        sentences = go_on(sentences, written)
    for sentence in sentences:
        statements.append(sentence.statement)
        citations.extend(sentence.citations)
        yield sentence
    disagreements = () if begun else telling.disagreements
    model = f"{writer.model.name}, then {MODEL}" if writer is not None and begun else MODEL
    notice = written.notice if written is not None else ""
    return Stated(tuple(statements), tuple(citations), disagreements, notice, model)
