"""The only door to language models: any `llama_index.core.llms.LLM`, and how the ones of the settings are made."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from index.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from rag.settings import AnswerSettings
    from rag.writing.line import Line

KINDS = ("openai-like", "anthropic", "ollama")
_OPENAI, _OLLAMA, _ANTHROPIC = "https://api.openai.com/v1", "http://127.0.0.1:11434", "https://api.anthropic.com"
# Only variables made for this: whoever may set the address may have the key sent there.
_KEY_NAME = re.compile(r"DOSSIER_(?:[A-Z0-9_]*_)?KEY")
_WINDOW = 8_192  # tokens, where nothing is known of the model; Ollama reserves memory for as many as are asked for
_ANTHROPIC_WINDOW = 200_000  # what its models have read since Claude 2.1; its client knows only those of its own time
_current = threading.local()  # the `Line` of the request that this thread makes


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Model:
    """A language model: what streams it, and what is known of it.

    `place` is where it answers, without secrets; empty for an object that was passed in. `window` is how many tokens
    it reads and writes in one go, `output` how many it may write.
    """

    llm: Any
    name: str
    place: str
    window: int
    output: int

    @property
    def label(self) -> str:
        """The model in a sentence: its name and where it answers."""
        return f"{self.name} at {self.place}" if self.place else self.name

    def count(self, text: str) -> int:
        """Count tokens: with the model's tokenizer where it gives one, else an estimate that is rather too high."""
        tokenizer = getattr(self.llm, "_tokenizer", None)
        encode = getattr(tokenizer, "encode", None)
        if callable(encode):
            try:
                return len(encode(text))
            except Exception:  # noqa: S110  # any tokenizer, any error: the estimate is good enough
                pass
        plain = sum(c.isascii() for c in text)
        return plain // 3 + 2 * (len(text) - plain) + 1

    def stream(self, messages: Sequence[Message], line: Line) -> Iterator[str]:
        """Send a chat and give the answer's text as it comes, without the model's thoughts where it marks them.

        Args:
            messages: The chat.
            line: Learns of the connection, so that another thread can cut it, of a proper end, and of tokens.

        Raises:
            Exception: Whatever the client raises.
        """
        try:
            yield from self._stream(messages, line)
        except Exception as error:
            asked = getattr(self.llm, "additional_kwargs", {})
            if not _refuses_to_count(error) or asked.pop("stream_options", None) is None:
                raise
            yield from self._stream(messages, line)  # some servers take no field that they do not know

    def _stream(self, messages: Sequence[Message], line: Line) -> Iterator[str]:
        from llama_index.core.llms import ChatMessage

        _current.line = line
        before = 0
        replies = self.llm.stream_chat([ChatMessage(role=m.role, content=m.text) for m in messages])
        try:
            for reply in replies:
                framed, reason = _ending(reply.raw)
                line.framed, line.reason = line.framed or framed, reason or line.reason
                prompt, completion = _told_tokens(reply)
                line.prompt, line.completion = max(line.prompt, prompt), max(line.completion, completion)
                text = reply.delta
                if text is None:  # some clients give only the whole so far
                    whole = reply.message.content or ""
                    text, before = whole[before:], len(whole)
                if text:
                    yield text
        finally:
            close = getattr(replies, "close", None)
            if close is not None:
                close()


def _told_tokens(reply: Any) -> tuple[int, int]:
    """The tokens read and written that a server states in a piece of its reply; 0 where it does not."""
    raw = getattr(reply, "raw", None)
    told = (getattr(reply, "additional_kwargs", None), _of(raw, "usage"), _of(_of(raw, "message"), "usage"))
    found = []
    for names in (("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens")):
        values = [_of(usage, name) for usage in told for name in names]
        found.append(max((v for v in values if isinstance(v, int)), default=0))
    return found[0], found[1]


def _of(thing: Any, name: str) -> Any:
    """A field of a mapping or an object; `None` if it has none."""
    return thing.get(name) if isinstance(thing, dict) else getattr(thing, name, None)


def _refuses_to_count(error: Exception) -> bool:
    """Whether a server refused a request for the field that asks it to state the tokens."""
    return getattr(error, "status_code", None) in (400, 422) and "stream_options" in str(error)


def open_model(settings: AnswerSettings, llm: Any = None) -> Model | None:
    """Make the language model that the settings name.

    Args:
        settings: Which, where, and its limits.
        llm: A LlamaIndex `LLM` in its place.

    Returns:
        The model; `None` if there is to be none. Nothing is sent to it yet.

    Raises:
        ConfigError: A setting is missing or wrong.
        MissingExtraError: The package for it is not installed.
    """
    if llm is not None:
        meta = llm.metadata
        window = settings.llm_window or meta.context_window
        name = meta.model_name if meta.model_name not in ("", "unknown") else type(llm).__name__
        place = getattr(llm, "api_base", None) or getattr(llm, "base_url", None)
        return Model(llm, name, _shown(str(place)) if place else "", window, settings.llm_max_tokens)
    if not settings.llm:
        return None
    if settings.llm not in KINDS:
        raise ConfigError(
            f"The language model {settings.llm!r} is none of {', '.join(KINDS)}.",
            remedy='Set llm under [answer] to one of them, or to "" for none. Most servers speak "openai-like".',
        )
    if not settings.llm_model:
        raise ConfigError(
            f'llm is "{settings.llm}", but llm_model is empty.',
            remedy="Name the model: llm_model under [answer], DOSSIER_ANSWER_LLM_MODEL or --llm-model.",
        )
    url = settings.llm_url or {"openai-like": _OPENAI, "ollama": _OLLAMA, "anthropic": _ANTHROPIC}[settings.llm]
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"The address {_shown(url)!r} of the language model is not an http:// or https:// URL.",
            remedy="Set llm_url under [answer], such as http://127.0.0.1:8000/v1.",
        )
    if settings.llm_key and not _KEY_NAME.fullmatch(settings.llm_key):
        raise ConfigError(
            f"llm_key is {settings.llm_key!r}; it names an environment variable DOSSIER_…_KEY, not the key itself.",
            remedy="Put the key into such a variable, for example DOSSIER_LLM_KEY, where Dossier is started.",
        )
    make = {"openai-like": _openai_like, "anthropic": _anthropic, "ollama": _ollama}[settings.llm]
    made = make(settings, url)
    window = settings.llm_window or made.metadata.context_window
    return Model(made, settings.llm_model, _shown(url), window, settings.llm_max_tokens)


def list_windows(model: Model) -> dict[str, int | None]:
    """Ask a server of the OpenAI format which models it has, each with its window if it says; empty if it does not."""
    client = getattr(model.llm, "_get_client", None)
    if client is None:
        return {}
    _current.line = None
    try:
        return {m.id: (m.model_extra or {}).get("max_model_len") for m in client().models.list(timeout=5).data}
    except Exception:  # many servers have no such list, and nothing depends on it
        return {}


def read_key(settings: AnswerSettings, url: str) -> str:
    """The secret for a model, from the environment only; empty if there is none.

    The keys named after OpenAI, Anthropic and Ollama go to those companies' own addresses and nowhere else.

    Raises:
        ConfigError: `llm_key` names a variable that is not set.
    """
    key = os.environ.get(settings.llm_key or "DOSSIER_LLM_KEY", "")
    if settings.llm_key:
        if not key:
            raise ConfigError(
                f"The environment variable {settings.llm_key}, named by llm_key, is not set.",
                remedy="Set it where Dossier is started, and start Dossier again. Keys are never read from a file.",
            )
        return key
    host = urlsplit(url).hostname or ""
    if not key and settings.llm == "openai-like" and host.endswith("api.openai.com"):
        key = os.environ.get("OPENAI_API_KEY", "")
    if not key and settings.llm == "anthropic" and host.endswith("api.anthropic.com"):
        key = os.environ.get("ANTHROPIC_API_KEY", "")
    if not key and settings.llm == "ollama" and f".{host}".endswith(".ollama.com"):
        key = os.environ.get("OLLAMA_API_KEY", "")
    return key


def _required_key(settings: AnswerSettings, url: str, variable: str) -> str:
    key = read_key(settings, url)
    if not key:
        raise ConfigError(
            f"{_shown(url)} needs a key, and neither DOSSIER_LLM_KEY nor {variable} is set.",
            remedy=f"Set {variable} in the environment. Keys are never read from a file.",
        )
    return key


def _openai_like(settings: AnswerSettings, url: str) -> Any:
    from llama_index.llms.openai_like import OpenAILike
    from openai import DefaultHttpxClient

    own = (urlsplit(url).hostname or "").endswith("api.openai.com")
    key = _required_key(settings, url, "OPENAI_API_KEY") if own else read_key(settings, url)
    return OpenAILike(
        model=settings.llm_model,
        api_base=url,
        api_key=key or "none",  # the client wants one; servers without keys pay no heed
        temperature=settings.llm_temperature,
        max_tokens=settings.llm_max_tokens,
        context_window=settings.llm_window or _WINDOW,
        is_chat_model=True,
        max_retries=0,  # retries are made in rag/writing/stream.py, where they can be cancelled
        timeout=settings.llm_seconds,
        http_client=_http_client(settings, _http_library(DefaultHttpxClient())),
        additional_kwargs={"stream_options": {"include_usage": True}},
    )


def _anthropic(settings: AnswerSettings, url: str) -> Any:
    try:
        from llama_index.llms.anthropic import Anthropic
    except ImportError as error:
        raise _missing("anthropic") from error
    from llama_index.core.llms import LLMMetadata

    class AnyName(Anthropic):  # type: ignore[misc]  # untyped where the extra is not installed
        """Its metadata, which each request reads, refuse names of models that are newer than the package."""

        @property
        def metadata(self) -> LLMMetadata:
            try:
                known: LLMMetadata = super().metadata
            except ValueError:
                return LLMMetadata(context_window=_ANTHROPIC_WINDOW, is_chat_model=True, model_name=self.model)
            return known

    made = AnyName(
        model=settings.llm_model,
        base_url=url,
        api_key=_required_key(settings, url, "ANTHROPIC_API_KEY"),
        temperature=min(settings.llm_temperature, 1.0),  # the highest it takes
        max_tokens=settings.llm_max_tokens,
        max_retries=0,
        timeout=settings.llm_seconds,
    )
    # It takes no HTTP client of ours when it is made.
    own = made._client
    made._client = own.with_options(http_client=_http_client(settings, _http_library(own._client)))
    made._client.auth_token = None  # read from the environment, and sent to whatever address was set
    return made


def _ollama(settings: AnswerSettings, url: str) -> Any:
    try:
        from llama_index.llms.ollama import Ollama
        from ollama import Client
    except ImportError as error:
        raise _missing("ollama") from error
    key = read_key(settings, url)
    headers = {"authorization": f"Bearer {key}"} if key else None
    options = _http_options(settings, _http_library(Client(host=url)._client))
    client = Client(host=url, headers=headers, **options)
    if not key:  # it takes a key from the environment and sends it to whatever address was set
        client._client.headers.pop("authorization", None)
    return Ollama(
        model=settings.llm_model,
        base_url=url,
        temperature=settings.llm_temperature,
        context_window=settings.llm_window or _WINDOW,  # else it asks the server, before anything is asked of it
        request_timeout=settings.llm_seconds,
        additional_kwargs={"num_predict": settings.llm_max_tokens},
        client=client,
    )


def _ending(raw: Any) -> tuple[bool, str | None]:
    """Whether a piece of a reply is of a format that says how a reply ends, and how if this piece says so.

    OpenAI's chunks have a `finish_reason`, Anthropic's last event a `stop_reason`, Ollama's last line is `done`.
    """
    choices = getattr(raw, "choices", None)
    if choices is not None:
        return True, next((r for c in choices if (r := getattr(c, "finish_reason", None))), None)
    if not isinstance(raw, dict):
        return False, None
    if "done" in raw:
        return True, (raw.get("done_reason") or "stop") if raw["done"] else None
    if str(raw.get("type", "")).startswith(("content_block_", "message_")):
        return True, getattr(raw.get("delta"), "stop_reason", None)
    return False, None


def _missing(kind: str) -> MissingExtraError:
    return MissingExtraError(
        f'llm is "{kind}", but the package for it is not installed.', remedy=f"Run: pip install 'dossier[{kind}]'"
    )


def _http_library(client: Any) -> Any:
    """The library that an HTTP client comes from: httpx, or httpx2, which some vendors' packages have gone over to."""
    return import_module(next(c for c in type(client).__mro__ if c.__name__ == "Client").__module__.partition(".")[0])


def _http_client(settings: AnswerSettings, library: Any) -> Any:
    return library.Client(**_http_options(settings, library))


def _http_options(settings: AnswerSettings, library: Any) -> dict[str, Any]:
    """Options of an HTTP client that tells the thread's `Line` of its connections.

    None of them is kept, for a cut one cannot be used again.
    """

    def begin(request: Any) -> None:
        line = getattr(_current, "line", None)
        if line is not None:
            limits = {**request.extensions.get("timeout", {}), "connect": settings.llm_connect_seconds}
            request.extensions = {**request.extensions, "timeout": limits, "trace": line.trace}

    def watch(response: Any) -> None:
        line = getattr(_current, "line", None)
        if line is not None and "event-stream" in response.headers.get("content-type", ""):
            response.stream = _watched(response.stream, line.saw, library)

    return {
        "event_hooks": {"request": [begin], "response": [watch]},
        "limits": library.Limits(max_keepalive_connections=0),
        "follow_redirects": False,  # a key is sent nowhere but to the address that was set
        "timeout": settings.llm_seconds,
    }


def _watched(stream: Any, saw: Callable[[bytes], None], library: Any) -> Any:
    class Watched(library.SyncByteStream):  # type: ignore[misc]  # which library it is turns out when it runs
        """A response's bytes, shown to `saw` as they pass."""

        def __iter__(self) -> Iterator[bytes]:
            for piece in stream:
                saw(piece)
                yield piece

        def close(self) -> None:
            stream.close()

    return Watched()


def _shown(url: str) -> str:
    """An address without what may be secret in it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, (f"[{host}]" if ":" in host else host) + port, parts.path, "", ""))
