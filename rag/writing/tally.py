"""The tokens of all requests that one answer takes: question, answer, repair."""

from __future__ import annotations

from rag.types import Tokens


class Tally:
    """Adds up; one of them goes with an answer through all that asks the language model for it."""

    def __init__(self) -> None:
        self._prompt = self._completion = 0
        self._exact = True

    def add(self, prompt: int, completion: int, *, exact: bool) -> None:
        """Add a request.

        Args:
            prompt: Tokens sent.
            completion: Tokens written, thoughts included where they are seen.
            exact: Whether the server said so; else they were counted here.
        """
        self._prompt += prompt
        self._completion += completion
        self._exact = self._exact and exact

    @property
    def tokens(self) -> Tokens | None:
        """The sum; `None` if no request brought anything."""
        if not self._prompt and not self._completion:
            return None
        return Tokens(self._prompt, self._completion, self._exact)
