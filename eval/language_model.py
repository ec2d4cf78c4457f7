"""The language model of the settings for judges and drafts: one prompt, one reply, at temperature 0."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from index.errors import ConfigError, ModelUnavailableError

if TYPE_CHECKING:
    from rag.settings import AnswerSettings
    from rag.types import Tokens


class LanguageModel:
    """A `Complete` of `eval.judged` and `eval.draft`, with the limits of time of the settings.

    Args:
        settings: Which model, and where.
        llm: A LlamaIndex `LLM` in its place; its temperature is its own.

    Raises:
        ConfigError: The settings name no model, or something of it is wrong.
        MissingExtraError: The package for it is not installed.
    """

    def __init__(self, settings: AnswerSettings, llm: Any = None) -> None:
        from rag.llm import open_model
        from rag.writing.tally import Tally
        from rag.writing.writer import Writer

        settings = replace(settings, llm_temperature=0.0)
        model = open_model(settings, llm)
        if model is None:
            raise ConfigError(
                "No language model is named.",
                remedy="Give --llm, --llm-url and --llm-model, or set llm under [answer] in dossier.toml.",
            )
        self._model, self._limits, self._tally = model, Writer(model, settings).limits, Tally()

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def label(self) -> str:
        """Its name and where it answers."""
        return self._model.label

    @property
    def tokens(self) -> Tokens | None:
        """What all prompts so far took; `None` if nothing came back yet."""
        return self._tally.tokens

    def __call__(self, prompt: str) -> str:
        """Send a prompt, give the reply.

        Raises:
            ModelUnavailableError: The model failed.
        """
        from rag.writing.complete import complete
        from rag.writing.failure import ModelFailure

        try:
            return complete(self._model, prompt, self._limits, self._tally)
        except ModelFailure as failure:
            raise ModelUnavailableError(
                f"The language model {self.label} failed: {failure}.", remedy="See: dossier doctor --llm"
            ) from failure
