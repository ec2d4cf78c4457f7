"""The grounding model: reads a question or statement together with a stretch of text."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from index.batches import batches
from index.embed import clean, open_session, open_tokenizer, run_session
from index.errors import ModelUnavailableError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "model"
_CLS, _SEP = 101, 102
_MAX_FIRST = 72  # tokens of the question or statement; training cut it there, too
_BATCH_TOKENS = 2_048  # padded tokens a batch; larger ones were measured to be no faster


@dataclass(frozen=True, slots=True)
class Read:
    """What the model sees of a question in one passage.

    `relevance` is the log-odds that the passage helps to answer, `answerable` that it holds the answer. `starts` and
    `ends` are the span head's logits of each token, shape `(tokens,)`, less the logit of "not here"; `offsets` are the
    tokens' places in the passage, code points from 0, end exclusive.
    """

    relevance: float
    answerable: float
    starts: NDArray[np.float32]
    ends: NDArray[np.float32]
    offsets: Sequence[tuple[int, int]]


class Ranker(Protocol):
    """Judges whether passages help to answer a question."""

    def relevance(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """Give log-odds, shape `(len(passages),)`, higher for better."""


class SpanReader(Protocol):
    """Finds where in passages the answer is."""

    def read(self, question: str, passages: Sequence[str]) -> list[Read]:
        """Read a question in each passage; what is longer than the model reads is cut off."""


class Judge(Protocol):
    """Judges whether evidence supports a statement."""

    def support(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """Give the chances that a statement is entailed, neither, or contradicted.

        Args:
            pairs: `(statement, evidence)`.

        Returns:
            Shape `(len(pairs), 3)`, float32, each row sums to 1.
        """


class PairModel:
    """The shipped grounding model, int8, on the CPU: a `Ranker`, a `SpanReader` and a `Judge` in one.

    Loaded when first used; safe from several threads.

    Args:
        folder: Folder with `model.onnx`, `tokenizer.json` and `config.json`; the shipped one if `None`.
        threads: Threads of one call; as many as there are cores if `None`.

    Raises:
        ModelUnavailableError: The folder's files are missing or damaged.
    """

    def __init__(self, folder: Path | None = None, threads: int | None = None) -> None:
        self._folder = folder or FOLDER
        self._threads = threads
        try:
            config = json.loads((self._folder / "config.json").read_text(encoding="utf-8"))
            self.name = f"{config['name']}@{config['model_sha256'][:12]}"
            self.max_tokens = int(config["max_tokens"])
        except (OSError, ValueError, KeyError) as error:
            raise _damaged(self._folder, error) from error
        self._lock = threading.Lock()
        self._session: Any = None
        self._tokenizer: Any = None

    def _loaded(self) -> tuple[Any, Any]:
        with self._lock:
            if self._session is None:
                try:
                    self._tokenizer = open_tokenizer((self._folder / "tokenizer.json").read_text(encoding="utf-8"))
                except Exception as error:  # a type of its native part, or the file system's
                    raise _damaged(self._folder, error) from error
                self._session = open_session(self._folder / "model.onnx", self._threads)
            return self._session, self._tokenizer

    def relevance(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """See `Ranker.relevance`."""
        import numpy as np

        scores = np.zeros(len(passages), dtype=np.float32)
        for rows, (found,), _ in self._run([(question, p) for p in passages], ["relevance"]):
            scores[rows] = found
        return scores

    def support(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """See `Judge.support`."""
        import numpy as np

        chances = np.zeros((len(pairs), 3), dtype=np.float32)
        for rows, (found,), _ in self._run(pairs, ["support"]):
            shifted = np.exp(found - found.max(axis=1, keepdims=True))
            chances[rows] = shifted / shifted.sum(axis=1, keepdims=True)
        return chances

    def read(self, question: str, passages: Sequence[str]) -> list[Read]:
        """See `SpanReader.read`."""
        return self.read_pairs([(question, p) for p in passages])

    def read_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[Read]:
        """Read each pair of a question and a passage."""
        reads: dict[int, Read] = {}
        outputs = ["relevance", "answerable", "span"]
        for rows, (relevance, answerable, span), places in self._run(pairs, outputs):
            for n, (row, (boundary, offsets)) in enumerate(zip(rows, places, strict=True)):
                own = span[n, boundary : boundary + len(offsets)] - span[n, 0]
                reads[row] = Read(float(relevance[n]), float(answerable[n]), own[:, 0], own[:, 1], offsets)
        return [reads[i] for i in range(len(pairs))]

    def _run(
        self, pairs: Sequence[tuple[str, str]], outputs: list[str]
    ) -> Iterator[tuple[list[int], list[Any], list[tuple[int, list[tuple[int, int]]]]]]:
        """Run the model in batches of like length.

        Gives the rows of each batch, its outputs, and for each row the index of the passage's first token and the
        places of its tokens.
        """
        import numpy as np

        if not pairs:
            return
        session, tokenizer = self._loaded()
        firsts = {text: None for text, _ in pairs}
        seconds = {text: None for _, text in pairs}
        known = {
            text: encoded
            for texts in (firsts, seconds)
            for text, encoded in zip(
                texts, tokenizer.encode_batch([clean(t) for t in texts], add_special_tokens=False), strict=True
            )
        }
        made: list[tuple[list[int], int, list[tuple[int, int]]]] = []
        for first, second in pairs:
            head = list(known[first].ids[:_MAX_FIRST])
            room = self.max_tokens - len(head) - 3
            tail = known[second].ids[:room]
            made.append(([_CLS, *head, _SEP, *tail, _SEP], len(head) + 2, known[second].offsets[:room]))
        for rows in batches([len(tokens) for tokens, _, _ in made], _BATCH_TOKENS):
            width = len(made[rows[-1]][0])
            ids = np.zeros((len(rows), width), dtype=np.int64)
            mask, types = np.zeros_like(ids), np.zeros_like(ids)
            for n, row in enumerate(rows):
                tokens, boundary, _ = made[row]
                ids[n, : len(tokens)] = tokens
                mask[n, : len(tokens)] = 1
                types[n, boundary : len(tokens)] = 1
            inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
            found = run_session(session, outputs, inputs)
            yield rows, found, [(made[row][1], made[row][2]) for row in rows]


def _damaged(folder: Path, error: Exception) -> ModelUnavailableError:
    return ModelUnavailableError(
        f"The grounding model in {folder} is missing or damaged: {error}",
        remedy="Install Dossier again, or train it: python -m rag.grounding.train DATA.",
    )
