"""A server whose answers stop after their first sentence: `python -m tests.browser.slow_server LIBRARY PORT [quick]`.

For tests that end it in the middle of an answer. With `quick` it goes on to the end.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from index.library import Library
from rag.assistant import Assistant
from rag.settings import AnswerSettings
from rag.types import Answer, Citation, Conversation, Done, Event, Searching, Sentence, Statement
from tests.fakes import FakeEncoder


class Stalling(Assistant):
    """Says one sentence and then nothing for a minute."""

    quick = False

    def stream(self, question: str, conversation: Conversation | None = None, **options: Any) -> Iterator[Event]:
        yield Searching(question)
        document = self.library.documents()[0]
        citation = Citation(1, document.id, document.title, document.source, None, None, 0, 5, "First")
        said = Statement("First part.", (1,), 1.0, "supported")
        yield Sentence(said, (citation,))
        if not self.quick:
            time.sleep(60)
        yield Done(Answer(question, question, (said,), (citation,), (), False, 1.0))


def main() -> None:
    """Serve until killed."""
    import uvicorn

    from ui.web.server import build_app

    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    Stalling.quick = "quick" in sys.argv
    with Library.open(folder, encoder=FakeEncoder()) as library:
        if not len(library):
            (folder / "note.txt").write_text("First part of a note.\n", encoding="utf-8")
            library.add(folder / "note.txt")
        app = build_app(Stalling(library, AnswerSettings()))
        uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    main()
