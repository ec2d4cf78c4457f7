"""The assistant: a question and a conversation in, a checked, cited answer out."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any

from index.errors import QuestionError
from index.library import Library, Progress
from index.settings import LibrarySettings, load_settings
from index.types import AddReport
from rag.asof import AsOf, limit_to, limit_to_undated, parse_as_of
from rag.settings import AnswerSettings
from rag.types import (
    Answer,
    Citation,
    Conversation,
    Disagreement,
    Done,
    Event,
    Hits,
    Searching,
    Sentence,
    Statement,
    Waiting,
)

if TYPE_CHECKING:
    from index.embed import Encoder
    from index.types import DocumentInfo, Hit
    from index.where import Filter
    from rag.grounding import Grounding
    from rag.reader.read import Selection
    from rag.standalone import Query
    from rag.writing.writer import Writer, Written

MODEL = "offline reader"
_SHOWN = 10  # hits that come with an answer, at least


class Assistant:
    """Answers questions over one library. Make one with `Assistant.open`; safe from several threads.

    There are no asynchronous twins: without a language model everything here is computation, which `await` would not
    make concurrent. From asyncio use `await asyncio.to_thread(assistant.ask, question)`.
    """

    def __init__(
        self, library: Library, settings: AnswerSettings, grounding: Grounding | None = None, llm: Any = None
    ) -> None:
        self.library = library
        self.settings = settings
        self._grounding = grounding
        self._opening = Lock()
        self._writer = _open_writer(settings, llm)

    @property
    def grounding(self) -> Grounding:
        """What ranks, reads and checks; opened when first used.

        Raises:
            ModelUnavailableError: A model that the settings name cannot be loaded.
        """
        from rag.grounding import open_grounding

        with self._opening:
            if self._grounding is None:
                chosen = self.settings
                self._grounding = open_grounding(
                    chosen.ranker, chosen.answerability, chosen.judge, device=chosen.device
                )
            return self._grounding

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        config: str | Path | None = None,
        create: bool = True,
        settings: AnswerSettings | None = None,
        library_settings: LibrarySettings | None = None,
        encoder: Encoder | None = None,
        grounding: Grounding | None = None,
        llm: Any = None,
    ) -> Assistant:
        """Open the library in a folder and an assistant on it.

        Args:
            path: The library's folder; made if missing and `create`.
            config: A settings file in place of the library's `dossier.toml`.
            create: Whether a missing library is made.
            settings: Settings of answering; read from file and environment if `None`.
            library_settings: The same for the library.
            encoder: An encoder object in place of the one the settings name.
            grounding: Models that rank, read and check, in place of those the settings name.
            llm: Any `llama_index.core.llms.LLM` that writes the answers, in place of the one the settings name.

        Returns:
            The assistant; close it, or use it in a `with` block.

        Raises:
            ConfigError: A setting is wrong.
            MissingExtraError: The package of the language model is not installed.
            LibraryError: The library cannot be opened; its subclasses say why.
        """
        folder = Path(path).expanduser()
        if settings is None:
            file = Path(config) if config is not None else None
            settings = load_settings(AnswerSettings, "answer", library=folder, config=file)
        library = Library.open(folder, settings=library_settings, config=config, encoder=encoder, create=create)
        try:
            return cls(library, settings, grounding, llm)
        except BaseException:
            library.close()
            raise

    def close(self) -> None:
        """Close the library."""
        self.library.close()

    def __enter__(self) -> Assistant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(
        self, paths: Iterable[str | Path] | str | Path, progress: Progress | None = None, *, embed: bool = True
    ) -> AddReport:
        """Add files and folders to the library; see `Library.add`."""
        return self.library.add(paths, progress, embed=embed)

    def warm_up(self) -> None:
        """Load models and indexes now, so that the first question does not wait for them."""
        from rag.reader.weights import load_weights

        load_weights()
        self.grounding.ranker.relevance("warm up", ["warm up"])
        self.library.search("warm up", 1)

    def ask(
        self, question: str, conversation: Conversation | None = None, *, where: Filter | str | None = None
    ) -> Answer:
        """Answer a question.

        Args:
            question: The question, as typed.
            conversation: The turns before it; a follow-up is understood from them.
            where: Only from documents that this filter lets through, such as `"type=pdf published>=2025-01"`.

        Returns:
            The answer: verbatim statements with citations, or an abstention with the nearest passages in `hits`.

        Raises:
            QuestionError: The question is empty or too long.
            ConfigError: The filter has a key or value that means nothing.
            LibraryError: The library cannot be read.
        """
        for event in self.stream(question, conversation, where=where):
            if isinstance(event, Done):
                return event.answer
        raise AssertionError("a stream ends with Done")

    def stream(
        self, question: str, conversation: Conversation | None = None, *, where: Filter | str | None = None
    ) -> Iterator[Event]:
        """Answer a question step by step: `Searching`, `Hits`, a `Sentence` for each statement, `Done`.

        Args and errors as for `ask`. Closing the iterator stops the work at the next event.
        """
        question = self._checked(question)
        clock = _Clock()
        scope = self._scope(question, conversation, where)
        if scope.searched == 0:
            yield Searching(question)
            yield Hits(())
            yield Done(self._abstain(Answer(question, question, (), (), (), True, 0.0, clock.timings(), MODEL), scope))
            return

        from rag.ranking import rerank
        from rag.reader import Reader
        from rag.standalone import make_query

        rewritten, trouble = yield from self._rewrite(scope.asked, conversation)
        earlier = None if rewritten else conversation
        query = make_query(rewritten or scope.asked, earlier, self.library, self.settings)
        # A date that only limits what is used is no other wording of the question.
        same = scope.rest and query.standalone_question == scope.asked
        standalone_question = question if same else query.standalone_question
        clock.lap("query")
        yield Searching(standalone_question)
        hits = self.library.search_vector(
            query.vector, query.terms, self.settings.candidates, each=self.settings.each, where=scope.where
        )
        documents = {info.id: info for info in self.library.documents([h.passage.document_id for h in hits])}
        titles = {name: info.title for name, info in documents.items()}
        clock.lap("search")
        grounding = self.grounding
        hits = rerank(query, hits, titles, grounding.ranker, self.library)[: max(self.settings.passages, _SHOWN)]
        clock.lap("rank")
        yield Hits(tuple(hits))
        threshold = self.settings.abstain_below
        selection = Reader(grounding.spans).read(
            query,
            hits[: self.settings.passages],
            titles,
            self.library,
            limit=self.settings.statements,
            threshold=threshold if threshold >= 0 else None,
        )
        clock.lap("read")
        told = yield from self._tell(question, conversation, query, scope, hits, documents, selection, trouble)
        statements = told.statements
        clock.lap("check")
        answer = Answer(
            question,
            standalone_question,
            statements,
            told.citations,
            tuple(hits),
            not statements,
            selection.confidence,
            clock.timings(),
            told.model,
            scope.searched,
            selection.unknown if not statements else (),
            told.disagreements,
            as_of=scope.limit,
            undated=scope.undated,
            notice=told.notice,
        )
        yield Done(answer if statements else self._abstain(answer, scope))

    def _rewrite(
        self, question: str, conversation: Conversation | None
    ) -> Generator[Event, None, tuple[str, Written | None]]:
        """Have the language model write the standalone question; with what went wrong, if it cannot be reached."""
        from rag.writing.failure import ModelFailure

        if self._writer is None:
            return "", None
        text = ""
        try:
            for got in self._writer.question(question, conversation):
                if isinstance(got, Waiting):
                    yield got
                else:
                    text = got
        except ModelFailure as failure:
            return "", self._writer.failed(failure)
        return text, None

    def _tell(
        self,
        question: str,
        conversation: Conversation | None,
        query: Query,
        scope: _Scope,
        hits: Sequence[Hit],
        documents: Mapping[str, DocumentInfo],
        selection: Selection,
        written: Written | None,
    ) -> Generator[Event, None, _Told]:
        """State the answer: the language model if there is one and it does not fail, else the offline reader."""
        from rag.telling import Telling

        verifier = self.grounding.verifier
        if self._writer is not None and written is None:
            for event in self._writer.write(
                query.standalone_question, conversation, hits, documents, self.library, verifier
            ):
                if isinstance(event, (Sentence, Waiting)):
                    yield event
                else:
                    written = event
        if self._writer is not None and written is not None and not written.failed:
            return _Told(written.statements, written.citations, (), written.notice, self._writer.model.name)
        statements: list[Statement] = list(written.statements) if written is not None else []
        citations: list[Citation] = list(written.citations) if written is not None else []
        telling = Telling(scope.asked, query.standalone_question, hits, documents, self.library, verifier)
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
        model = f"{self._writer.model.name}, then {MODEL}" if self._writer is not None and begun else MODEL
        notice = written.notice if written is not None else ""
        return _Told(tuple(statements), tuple(citations), disagreements, notice, model)

    def _scope(self, question: str, conversation: Conversation | None, where: Filter | str | None) -> _Scope:
        """Find out which documents may be used for a question, and what is asked of them."""
        found = parse_as_of(question)
        if found is None:
            searched = len(self.library.documents(where=where)) if where else len(self.library)
            return _Scope(question, where, searched)
        limited = limit_to(where, found.limit)
        searched = len(self.library.documents(where=limited))
        undated = len(self.library.documents(where=limit_to_undated(where)))
        asked, rest = self._without_limit(found, conversation)
        return _Scope(asked, limited, searched, found.limit, undated, rest)

    def _without_limit(self, found: AsOf, conversation: Conversation | None) -> tuple[str, bool]:
        """What an "as of" question asks; if that is nothing ("And as of May?"), what the one before it asked."""
        from rag.words import STOP_WORDS

        if any(w.strip("?!.,").lower() not in STOP_WORDS for w in found.question.split() if w.strip("?!.,")):
            return found.question, True
        if conversation is None or not conversation.turns:
            return found.question or "?", True
        before = conversation.turns[-1].question
        earlier = parse_as_of(before)
        return (earlier.question if earlier is not None else before), False

    def _abstain(self, answer: Answer, scope: _Scope) -> Answer:
        """Add to an abstention what was searched and what could not be."""
        from rag.unread import unread_files

        unread, count = unread_files(self.library)
        return replace(answer, as_of=scope.limit, undated=scope.undated, unread=unread, unread_count=count)

    def _checked(self, question: str) -> str:
        text = question.replace("\0", " ").strip()
        if not any(c.isalnum() for c in text):
            raise QuestionError("The question is empty.", remedy="Type what you want to know.")
        if len(text) > self.settings.max_question_chars:
            raise QuestionError(
                f"The question is {len(text):,} characters long; the limit is {self.settings.max_question_chars:,}.",
                remedy="Shorten it. Longer text belongs in a document: add it to the library and ask about it.",
            )
        return text.encode("utf-8", errors="replace").decode("utf-8")


@dataclass(frozen=True, slots=True)
class _Scope:
    """Which documents a question is asked of.

    `asked` is the question without the date that limits them, `rest` whether it is what was typed but for that date;
    `searched` counts the documents that `where` lets through, `undated` those that only lack a date.
    """

    asked: str
    where: Filter | str | None
    searched: int
    limit: date | None = None
    undated: int = 0
    rest: bool = True


@dataclass(frozen=True, slots=True)
class _Told:
    """What an answer says, who wrote it, and what is to be known of that."""

    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    disagreements: tuple[Disagreement, ...]
    notice: str
    model: str


def _open_writer(settings: AnswerSettings, llm: Any) -> Writer | None:
    """The language model of the settings, ready to write; `None` if there is to be none."""
    if llm is None and not settings.llm and settings.grounding == "flag":
        return None  # nothing to look at: importing costs
    from rag.llm import open_model
    from rag.writing.writer import Writer, check_grounding

    check_grounding(settings.grounding)
    model = open_model(settings, llm)
    return Writer(model, settings) if model is not None else None


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self._laps: list[tuple[str, float]] = []
        self._started = self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._laps.append((stage, now - self._last))
        self._last = now

    def timings(self) -> tuple[tuple[str, float], ...]:
        return (*self._laps, ("total", time.perf_counter() - self._started))
