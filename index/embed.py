"""Texts to vectors; the door of onnxruntime, tokenizers and sentence-transformers."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from index.batches import batches
from index.errors import ModelUnavailableError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np
    from numpy.typing import NDArray

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
_FOLDER = Path(__file__).parent / "models" / DEFAULT_ENCODER
_BATCH_TOKENS = 1_024  # padded tokens a batch; larger ones were measured to be no faster
_SLICE = 100_000  # characters tokenised at a time, so that a long text costs no more memory than its offsets
_PROBLEM = re.compile("[\ud800-\udfff]")


class Encoder(Protocol):
    """Turns texts into vectors. `name` is what a library remembers: vectors of different names do not mix."""

    @property
    def name(self) -> str:
        """Identity of the model, down to its weights."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def max_tokens(self) -> int:
        """Tokens the model reads, special ones included; it silently stops there."""

    @property
    def special_tokens(self) -> int:
        """How many of those are special."""

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Cut a text into tokens, however long it is: `(start, end)` of each in code points from 0, end exclusive."""

    def count_tokens(self, text: str) -> int:
        """Count the tokens of a text, without special ones."""

    def encode(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        """Encode texts.

        Args:
            texts: Any number of texts; what is longer than `max_tokens` is cut off there.
            progress: Called with the number of texts done, now and then.

        Returns:
            Shape `(len(texts), dimension)`, float32, each row of L2 norm 1, in the order of the texts.
        """


class PortableTokenizer:
    """A tokenizer without its model: what the splitter needs, small enough to be sent to a worker process.

    Args:
        definition: The text of a `tokenizer.json`.
        max_tokens: Tokens the encoder reads, special ones included.
        special_tokens: How many of those are special.
    """

    def __init__(self, definition: str, max_tokens: int, special_tokens: int) -> None:
        self._definition = definition
        self.max_tokens = max_tokens
        self.special_tokens = special_tokens
        self._tokenizer: Any = None

    def __reduce__(self) -> tuple[type[PortableTokenizer], tuple[str, int, int]]:
        return (type(self), (self._definition, self.max_tokens, self.special_tokens))

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """See `Encoder.token_offsets`."""
        if self._tokenizer is None:
            self._tokenizer = open_tokenizer(self._definition)
        return _offsets(self._tokenizer, text)

    def count_tokens(self, text: str) -> int:
        """See `Encoder.count_tokens`."""
        return len(self.token_offsets(text))


class OnnxEncoder:
    """The shipped all-MiniLM-L6-v2, int8, on the CPU. Loaded when first used; safe from several threads.

    Activations are quantised with one scale a batch, so a text's vector depends very slightly on the texts it is
    encoded with (cosine above 0.99 to itself alone; `bench/encoder.py` measures it).

    Args:
        folder: Folder with `model.onnx`, `tokenizer.json` and `config.json`; the shipped one if `None`.
        threads: Threads of one call; as many as there are cores if `None`.

    Raises:
        ModelUnavailableError: The folder's files are missing or damaged.
    """

    def __init__(self, folder: Path | None = None, threads: int | None = None) -> None:
        self._folder = folder or _FOLDER
        self._threads = threads or os.cpu_count() or 1
        try:
            config = json.loads((self._folder / "config.json").read_text(encoding="utf-8"))
            self.name = f"{config['name']}/int8-onnx@{config['model_sha256'][:12]}"
            self.dimension = int(config["dimension"])
            self.max_tokens = int(config["max_tokens"])
            self.special_tokens = int(config["special_tokens"])
        except (OSError, ValueError, KeyError) as error:
            raise _damaged(self._folder, error) from error
        self._lock = threading.Lock()
        self._session: Any = None
        self._tokenizer: Any = None

    def portable(self) -> PortableTokenizer:
        """Give the part that cuts texts into tokens, which can be sent to another process."""
        file = self._folder / "tokenizer.json"
        return PortableTokenizer(file.read_text(encoding="utf-8"), self.max_tokens, self.special_tokens)

    def _loaded(self) -> tuple[Any, Any]:
        """The model's session and tokenizer."""
        tokenizer = self._loaded_tokenizer()
        with self._lock:
            if self._session is None:
                self._session = open_session(self._folder / "model.onnx", self._threads)
            return self._session, tokenizer

    def _loaded_tokenizer(self) -> Any:
        with self._lock:
            if self._tokenizer is None:
                try:
                    self._tokenizer = open_tokenizer((self._folder / "tokenizer.json").read_text(encoding="utf-8"))
                except Exception as error:  # a type of its native part, or the file system's
                    raise _damaged(self._folder, error) from error
            return self._tokenizer

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """See `Encoder.token_offsets`."""
        return _offsets(self._loaded_tokenizer(), text)

    def count_tokens(self, text: str) -> int:
        """See `Encoder.count_tokens`."""
        return len(self.token_offsets(text))

    def encode(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        """See `Encoder.encode`. Batches hold texts of like length, at most 1,024 tokens with the padding."""
        import numpy as np

        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        done = 0
        for batch, found in self._run(texts):
            vectors[batch] = found
            done += len(batch)
            if progress is not None:
                progress(done)
        return vectors

    def _run(self, texts: Sequence[str]) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Run the model in batches; gives the texts of each and their vectors."""
        import numpy as np

        if not texts:
            return
        session, tokenizer = self._loaded()
        longest = self.max_tokens * 40  # characters; no text needs more for its first tokens, bar runs of blanks
        cut = [clean(" ".join(t[: longest * 4].split())[:longest]) for t in texts]
        ids = [self._truncated(e.ids) for e in tokenizer.encode_batch_fast(cut)]
        for batch in batches([len(i) for i in ids], _BATCH_TOKENS):
            width = len(ids[batch[-1]])
            tokens = np.zeros((len(batch), width), dtype=np.int64)
            mask = np.zeros((len(batch), width), dtype=np.int64)
            for row, i in enumerate(batch):
                tokens[row, : len(ids[i])] = ids[i]
                mask[row, : len(ids[i])] = 1
            (found,) = run_session(session, ["embedding"], {"input_ids": tokens, "attention_mask": mask})
            yield batch, found

    def _truncated(self, ids: list[int]) -> list[int]:
        return ids if len(ids) <= self.max_tokens else [*ids[: self.max_tokens - 1], ids[-1]]


class SentenceTransformerEncoder:
    """Any sentence-transformers model, by name or folder.

    Args:
        model: A folder, or a name of the model hub that is already on this machine or may be fetched.
        device: `cpu`, `cuda`, `mps`; on `cuda` it runs in half precision.
        batch_size: Texts a batch; 32 on a CPU and 256 on a GPU if `None`.

    Raises:
        ModelUnavailableError: The model is not there, or has no fast tokenizer.
    """

    special_tokens = 2

    def __init__(self, model: str, device: str = "cpu", batch_size: int | None = None) -> None:
        from sentence_transformers import SentenceTransformer

        try:
            self._model: Any = SentenceTransformer(model, device=device)
        except Exception as error:  # the hub client, torch and the file system each raise their own
            raise ModelUnavailableError(
                f"The encoder {model!r} cannot be loaded: {(str(error).splitlines() or ['no reason given'])[0][:300]}",
                remedy="Give the folder of a sentence-transformers model, or leave the encoder setting empty.",
            ) from error
        if device.startswith("cuda"):
            self._model.half()
        backend = getattr(self._model.tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise ModelUnavailableError(
                f"The encoder {model!r} has no fast tokenizer.", remedy="Choose a model that ships tokenizer.json."
            )
        self._tokenizer: Any = open_tokenizer(backend.to_str())  # a copy: ours must not truncate, the model's must
        self._batch_size = batch_size or (32 if device == "cpu" else 256)
        self.name = model
        self.dimension = int(self._model.get_embedding_dimension())
        self.max_tokens = int(self._model.max_seq_length or 512)

    def portable(self) -> PortableTokenizer:
        """Give the part that cuts texts into tokens, which can be sent to another process."""
        return PortableTokenizer(self._tokenizer.to_str(), self.max_tokens, self.special_tokens)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """See `Encoder.token_offsets`."""
        return _offsets(self._tokenizer, text)

    def count_tokens(self, text: str) -> int:
        """See `Encoder.count_tokens`."""
        return len(self.token_offsets(text))

    def encode(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        """See `Encoder.encode`."""
        import numpy as np

        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = self._model.encode(
            [clean(t) for t in texts],
            batch_size=self._batch_size,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        if progress is not None:
            progress(len(texts))
        return np.asarray(vectors, dtype=np.float32)


def open_encoder(model: str | None = None, device: str = "cpu") -> Encoder:
    """Open the encoder of a name.

    Args:
        model: `None`, an empty text or `all-MiniLM-L6-v2` for the one shipped; else a sentence-transformers model.
        device: Where a sentence-transformers model runs; with the shipped model, anything but `cpu` needs the
            original weights and says so.

    Raises:
        ModelUnavailableError: It cannot be loaded.
    """
    if not model or model == DEFAULT_ENCODER:
        return OnnxEncoder()
    return SentenceTransformerEncoder(model, device)


def open_session(file: Path, threads: int | None = None) -> Any:
    """Open an `onnxruntime.InferenceSession` on the CPU.

    Args:
        file: The model.
        threads: Threads of one call; as many as there are cores if `None`.

    Raises:
        ModelUnavailableError: The file is missing or damaged.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or os.cpu_count() or 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # keeps the memory of the largest batch for ever otherwise
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # a type of its native part
        raise _damaged(file.parent, error) from error


def run_session(session: Any, outputs: Sequence[str], inputs: Mapping[str, Any]) -> list[Any]:
    """Run a model, in its turn: half as many calls at a time as there are cores, by threads that do nothing else.

    A call uses every core, so more of them at a time are no faster and take the memory of as many batches. And the C
    library keeps freed memory for each thread that asked for it, which are these few, however many people ask.
    """
    found: list[Any] = _runners().submit(session.run, outputs, inputs).result()
    return found


@lru_cache(maxsize=1)
def _runners() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2), thread_name_prefix="model")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_runners.cache_clear)  # a child has the pool without its threads


def open_tokenizer(definition: str) -> Any:
    """Open a `tokenizers.Tokenizer` from the text of a `tokenizer.json`; it neither pads nor cuts off."""
    from tokenizers import Tokenizer

    tokenizer: Any = Tokenizer.from_str(definition)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _offsets(tokenizer: Any, text: str) -> list[tuple[int, int]]:
    text = clean(text)
    offsets: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        end = min(at + _SLICE, len(text))
        if end < len(text):
            space = max(text.rfind(" ", at, end), text.rfind("\n", at, end))
            end = space if space > at else end
        encoded = tokenizer.encode(text[at:end], add_special_tokens=False)
        offsets.extend((at + a, at + b) for a, b in encoded.offsets)
        at = end
    return offsets


def clean(text: str) -> str:
    """Replace lone surrogates, which cannot cross into the tokenizer; lengths stay."""
    return _PROBLEM.sub("\ufffd", text)


def _damaged(folder: Path, error: Exception) -> ModelUnavailableError:
    return ModelUnavailableError(
        f"The encoder in {folder} cannot be loaded: {str(error)[:300]}",
        remedy="Reinstall Dossier, or build the model again: python -m index.models.build",
    )
