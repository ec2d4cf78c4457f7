"""How a language model fails, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator


class ModelFailure(Exception):
    """A request to a language model came to nothing.

    Args:
        what: What happened, as the middle of a sentence: "HTTP 500", "no word within 60 s".
        again: Whether the same request may succeed if it is sent again.
        after: Seconds that the server asks to wait before that; `None` if it does not say.
        status: The HTTP status, if that is what failed.
    """

    def __init__(
        self, what: str, *, again: bool = False, after: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(what)
        self.what, self.again, self.after, self.status = what, again, after, status
        self.times = 1

    def __str__(self) -> str:
        return self.what if self.times == 1 else f"{self.what}, {_TIMES.get(self.times, f'{self.times} times')}"


_MEANINGS = {
    400: ": it does not take this request",
    401: ": it does not take the key",
    403: ": it does not take the key",
    404: ": it has no such address or model",
    429: ": too many requests",
}
_TIMES = {2: "twice", 3: "three times", 4: "four times", 5: "five times"}


def describe(error: BaseException) -> ModelFailure:
    """Put an error of a client library into words; neither its text nor its headers are repeated, for they may hold
    what is secret."""
    if isinstance(error, ModelFailure):
        return error
    chain = list(_causes(error))
    names = {type(e).__name__ for e in chain}
    status = next((s for e in chain if isinstance(s := getattr(e, "status_code", None), int) and s >= 400), None)
    if status is not None:
        again = status in (408, 409, 425, 429) or status >= 500
        told = f"HTTP {status}{_MEANINGS.get(status, '')}"
        return ModelFailure(told, again=again, after=_retry_after(chain), status=status)
    if names & {"JSONDecodeError", "ValidationError", "DecodingError", "APIResponseValidationError"}:
        return ModelFailure("it sent what is not valid JSON")
    if names & {"UnicodeDecodeError"}:
        return ModelFailure("it sent what is not UTF-8")
    if names & {"ConnectTimeout"}:
        return ModelFailure("no connection in time", again=True)
    if names & {"ReadTimeout", "TimeoutException", "APITimeoutError", "TimeoutError"}:
        return ModelFailure("it did not answer in time", again=True)
    if names & {"ConnectError", "ConnectionRefusedError", "gaierror"}:
        return ModelFailure("it cannot be reached", again=True)
    if names & {"RemoteProtocolError", "ReadError", "ProtocolError", "ConnectionError", "ConnectionResetError",
                "APIConnectionError", "IncompleteRead", "BrokenPipeError", "WriteError"}:  # fmt: skip
        return ModelFailure("the connection broke", again=True)
    if names & {"ResponseError", "APIStatusError", "APIError"}:  # told in the stream, after a good status
        return ModelFailure("it reported an error", again=True)
    return ModelFailure(f"{type(error).__name__} in its client")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(6):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _retry_after(chain: list[BaseException]) -> float | None:
    """Seconds of a `Retry-After` header, given as a number or as a date."""
    from email.utils import parsedate_to_datetime
    from time import time

    for error in chain:
        headers = getattr(getattr(error, "response", None), "headers", None)
        value = headers.get("retry-after") if headers is not None else None
        if value:
            try:
                return max(float(value), 0.0)
            except ValueError:
                pass
            try:
                return max(parsedate_to_datetime(value).timestamp() - time(), 0.0)
            except (TypeError, ValueError):
                return None
    return None
