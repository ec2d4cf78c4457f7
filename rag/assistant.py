"""The assistant: a question and a conversation in, a checked, cited answer out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any

from index.errors import QuestionError
from index.library import Library, Progress
from index.settings import LibrarySettings, load_settings
from index.types import AddReport
from index.where import parse_where
from rag.asof import AsOf, inherited_limit, limit_to, limit_to_undated, parse_as_of
from rag.followup.narrow import both
from rag.followup.replies import ask_back, leave_out, put_last, reply_without_search, told
from rag.settings import AnswerSettings
from rag.stating import MODEL, open_writer, rewrite, state
from rag.types import (
    Answer,
    Conversation,
    Done,
    Event,
    Hits,
    Searching,
)

if TYPE_CHECKING:
    from index.embed import Encoder
    from index.where import Filter
    from rag.followup.understand import Understood
    from rag.grounding import Grounding
    from rag.reader.read import Selection
    from rag.standalone import Query
    from rag.writing.writer import Writer

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
        self._writer = open_writer(settings, llm)

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

    def change(self, settings: AnswerSettings) -> None:
        """Answer with other settings from now on; an answer on its way ends with the model it began with.

        Raises:
            ConfigError: A setting is wrong; nothing has changed then.
            MissingExtraError: The package of the language model is not installed.
        """
        writer = open_writer(settings, None)
        with self._opening:
            models = [(s.ranker, s.answerability, s.judge, s.device) for s in (self.settings, settings)]
            if models[0] != models[1]:
                self._grounding = None
            self.settings, self._writer = settings, writer

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
        self,
        question: str,
        conversation: Conversation | None = None,
        *,
        where: Filter | str | None = None,
        standalone: str | None = None,
    ) -> Answer:
        """Answer a question.

        Args:
            question: The question, as typed.
            conversation: The turns before it; a follow-up is understood from them.
            where: Only from documents that this filter lets through, such as `"type=pdf published>=2025-01"`.
            standalone: The question as the person has edited it to stand alone: searched as it is, without history.

        Returns:
            The answer: verbatim statements with citations, or an abstention with the nearest passages in `hits`; for a
            greeting, a question about the conversation or one that is not clear, see `Answer.kind` and `Answer.reply`.

        Raises:
            QuestionError: The question is empty or too long.
            ConfigError: The filter has a key or value that means nothing.
            LibraryError: The library cannot be read.
        """
        for event in self.stream(question, conversation, where=where, standalone=standalone):
            if isinstance(event, Done):
                return event.answer
        raise AssertionError("a stream ends with Done")

    def stream(
        self,
        question: str,
        conversation: Conversation | None = None,
        *,
        where: Filter | str | None = None,
        standalone: str | None = None,
    ) -> Iterator[Event]:
        """Answer a question step by step: `Searching`, `Hits`, a `Sentence` for each statement, `Done`.

        Args and errors as for `ask`. Closing the iterator stops the work at the next event. Where nothing is searched
        (a greeting, a question about the conversation) there is no `Searching` and no `Hits`.
        """
        question = self._checked(question)
        writer = self._writer
        clock = _Clock()
        turn = self._checked(standalone) if standalone is not None else question
        reply = reply_without_search(question, conversation, self.library) if standalone is None else None
        if reply is not None:
            yield from told(replace(reply, timings=clock.timings()))
            return
        query, scope = self._understand(turn, None if standalone is not None else conversation, where)
        if scope.searched and scope.turn.options:
            yield from told(replace(ask_back(question, scope.turn.options, scope.searched), timings=clock.timings()))
            return
        if scope.searched == 0:
            nothing = Answer(question, turn, (), (), (), True, 0.0, clock.timings(), MODEL, kind=scope.turn.kind)
            yield Searching(turn)
            yield Hits(())
            yield Done(self._abstain(nothing, scope))
            return
        assert query is not None

        from rag.ranking import find, rerank
        from rag.reader import Reader
        from rag.standalone import make_query
        from rag.writing.tally import Tally

        rewritten, trouble, tally = "", None, Tally()
        if standalone is None and query.kind != "topic-switch":
            rewritten, trouble = yield from rewrite(writer, scope.asked, conversation, tally)
        if rewritten:
            query = replace(make_query(rewritten, None, self.library, self.settings), kind=query.kind)
        # A date that only limits what is used is no other wording of the question.
        same = scope.rest and query.standalone_question == scope.asked
        standalone_question = turn if same else query.standalone_question
        clock.lap("query")
        yield Searching(standalone_question)
        hits = find(query, self.library, scope.where, candidates=self.settings.candidates, each=self.settings.each)
        documents = {info.id: info for info in self.library.documents([h.passage.document_id for h in hits])}
        titles = {name: info.title for name, info in documents.items()}
        clock.lap("search")
        grounding = self.grounding
        hits = rerank(query, hits, titles, grounding.ranker, self.library)
        hits = put_last(hits, scope.turn.avoid)[: max(self.settings.passages, _SHOWN)]
        clock.lap("rank")
        yield Hits(tuple(hits))
        threshold = 0.0 if scope.turn.chosen else self.settings.abstain_below

        @cache
        def read() -> Selection:
            return Reader(grounding.spans).read(
                query,
                # "The other one" is sought elsewhere; what says what was meant may stand beside what was not.
                leave_out(hits[: self.settings.passages], scope.turn.avoid),
                titles,
                self.library,
                limit=self.settings.statements,
                threshold=threshold if threshold >= 0 else None,
                avoid=scope.turn.avoid,
            )

        if writer is None:
            read()
        clock.lap("read")
        history = conversation if standalone is None and query.kind != "topic-switch" else None
        stated = yield from state(
            writer, history, query, hits, documents, read, trouble, self.library, grounding.verifier, tally
        )
        selection = read()
        statements = stated.statements
        clock.lap("check")
        answer = Answer(
            question,
            standalone_question,
            statements,
            stated.citations,
            tuple(hits),
            not statements,
            selection.confidence,
            clock.timings(),
            stated.model,
            scope.searched,
            selection.unknown if not statements else (),
            stated.disagreements,
            as_of=scope.limit,
            undated=scope.undated,
            notice=stated.notice,
            kind=query.kind,
            limited_to=scope.turn.limited_to,
            tokens=tally.tokens,
        )
        yield Done(answer if statements else self._abstain(answer, scope))

    @property
    def writer(self) -> Writer | None:
        """What has a language model write the answers; `None` if the offline reader gives them."""
        return self._writer

    def _understand(
        self, question: str, conversation: Conversation | None, where: Filter | str | None
    ) -> tuple[Query | None, _Scope]:
        """Find out what a question asks for and which documents may be used for it; no query if there are none."""
        from rag.followup.understand import Understood, understand
        from rag.standalone import query_for

        found = parse_as_of(question)
        asked, rest = self._without_limit(found, conversation) if found is not None else (question, True)
        given = str(parse_where(where) if isinstance(where, str) else where or "")
        if not len(self.library):
            return None, _Scope(Understood("question", asked), asked, where, 0, rest=rest)
        turn = understand(asked, conversation, self.library)
        query = query_for(turn, self.library, self.settings)
        joined = both(where, turn.where)
        limit = found.limit if found is not None else inherited_limit(asked, query.kind, conversation)
        chosen = limit_to(joined, limit) if limit is not None else joined
        searched = len(self.library.documents(where=chosen)) if chosen else len(self.library)
        undated = len(self.library.documents(where=limit_to_undated(joined))) if limit is not None else 0
        return query, _Scope(turn, asked, chosen, searched, limit, undated, rest, given)

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
        return replace(
            answer, as_of=scope.limit, undated=scope.undated, unread=unread, unread_count=count, where=scope.given
        )

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
    """What is asked, and of which documents.

    `turn` is the question as it was understood; `asked` the question without the date that limits the documents, `rest`
    whether it is what was typed but for that date; `searched` counts the documents that `where` lets through, `undated`
    those that only lack a date; `given` is the filter of the caller.
    """

    turn: Understood
    asked: str
    where: Filter | str | None
    searched: int
    limit: date | None = None
    undated: int = 0
    rest: bool = True
    given: str = ""


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
