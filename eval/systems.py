"""What can be measured: anything that takes a question and the turns before it and gives an `Answer`."""

from __future__ import annotations

import dataclasses
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eval.types import Prices
from index.errors import ConfigError, LibraryError, ModelUnavailableError
from rag.records import answer_from_record
from rag.types import Answer, Conversation, Statement, Tokens

if TYPE_CHECKING:
    from rag.assistant import Assistant

History = Sequence[tuple[str, str]]
Ask = Callable[[str, History], "Answer | str"]
"""Takes a question and earlier `(question, answer)` pairs, the oldest first; gives an answer, or its bare text."""
Lookup = Callable[[str], "tuple[str, str] | None"]
"""Takes a document's id, gives its source and text; `None` if there is no such document."""


@dataclass(frozen=True, slots=True)
class System:
    """Something that answers.

    `config` is what has to be the same for two runs to be of the same system. `lookup` finds the documents that answers
    cite; without it, sources are those of the citations and nobody can tell whether quotes are true. `prices` make a
    cost of the tokens that answers say they took.
    """

    name: str
    ask: Ask
    lookup: Lookup | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    prices: Prices | None = None


def as_system(asked: System | Ask) -> System:
    """Make a system of a bare function."""
    return asked if isinstance(asked, System) else System(getattr(asked, "__qualname__", type(asked).__name__), asked)


def as_answer(question: str, given: Answer | str) -> Answer:
    """Make an answer of a bare text: one statement without citations; an abstention if it is empty."""
    if isinstance(given, Answer):
        return given
    text = given.strip()
    statements = (Statement(text, (), 0.0, "unsupported"),) if text else ()
    return Answer(question, question, statements, (), (), not text, 1.0 if text else 0.0, model="text")


def assistant_system(assistant: Assistant, name: str = "dossier") -> System:
    """Measure an assistant over its library."""
    library = assistant.library

    def ask(question: str, history: History) -> Answer:
        return assistant.ask(question, Conversation.from_pairs(history) if history else None)

    def lookup(document_id: str) -> tuple[str, str] | None:
        try:
            document = library.document(document_id)
        except LibraryError:
            return None
        return document.source, document.text

    settings = assistant.settings
    answering = dataclasses.asdict(settings)
    if assistant.writer is not None:
        answering |= {"llm_model": assistant.writer.model.name, "llm_url": assistant.writer.model.place}  # no secrets
    config = {
        "encoder": library.encoder.name,
        "library": dataclasses.asdict(library.settings),
        "answer": answering,
        "documents": len(library),
    }
    prices = Prices(settings.llm_price_prompt, settings.llm_price_completion)
    return System(name, ask, lookup, config, prices if prices.prompt or prices.completion else None)


def endpoint_system(
    url: str, *, model: str = "", key: str = "", timeout: float = 300.0, prices: Prices | None = None
) -> System:
    """Measure what answers at an HTTP address.

    An address that ends in `/chat/completions` is asked as OpenAI's interface is, the history as messages. Any other
    gets `{"question": …, "history": [[question, answer], …]}` and may give the answer as `dossier ask --json` does, or
    `{"answer": text}`. Tokens are those that the reply states under `usage`.

    Args:
        url: The address.
        model: Name of the model, for OpenAI's interface.
        key: Sent as a bearer token if given; it is not kept.
        timeout: Seconds.
        prices: Of the tokens that it says it used.

    Raises:
        ConfigError: The address is not http or https.
    """
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"{url!r} is not an http(s) address.", remedy="Write it as http://host:port/path.")
    as_chat = url.rstrip("/").endswith("/chat/completions")

    def ask(question: str, history: History) -> Answer:
        body: dict[str, Any] = {"question": question, "history": [list(turn) for turn in history]}
        if as_chat:
            messages = [
                {"role": role, "content": text}
                for turn in history
                for role, text in zip(("user", "assistant"), turn, strict=True)
                if text
            ]
            body = {"model": model, "temperature": 0, "messages": [*messages, {"role": "user", "content": question}]}
        return _read_reply(question, _post(url, body, key, timeout))

    return System(url, ask, None, {"url": url, "model": model}, prices)


def _post(url: str, body: dict[str, Any], key: str, timeout: float) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310  # http(s) was checked
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:  # noqa: S310
            data = json.loads(reply.read())
    except (urllib.error.URLError, ValueError) as error:
        raise ModelUnavailableError(f"{url} gave no answer: {error}.", remedy="Check that it runs.") from error
    if not isinstance(data, dict):
        raise ModelUnavailableError(f"{url} gave no JSON object.", remedy="See `eval.systems.endpoint_system`.")
    return data


def _read_reply(question: str, data: dict[str, Any]) -> Answer:
    if "statements" in data:
        return answer_from_record(data)
    spent = _read_tokens(data.get("usage"))
    if "choices" in data:
        message = data["choices"][0]["message"]
        if isinstance(message.get("dossier"), dict):
            return answer_from_record(message["dossier"])
        return dataclasses.replace(as_answer(question, str(message["content"] or "")), tokens=spent)
    return dataclasses.replace(as_answer(question, str(data["answer"])), tokens=spent)


def _read_tokens(usage: Any) -> Tokens | None:
    """The tokens that a reply says it took, as OpenAI's interface does; `None` if it does not."""
    told = usage if isinstance(usage, dict) else {}
    prompt, completion = told.get("prompt_tokens"), told.get("completion_tokens")
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return None
    return Tokens(prompt, completion, True)
