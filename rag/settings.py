"""Settings of answering. Section `[answer]` of `dossier.toml`, variables `DOSSIER_ANSWER_*`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """How an answer is made."""

    candidates: int = 30
    """Passages that the search gives, to be ranked by the grounding model."""
    passages: int = 5
    """Passages read for an answer, the best ranked."""
    each: int = 4
    """How many of the first passages of dense and of lexical search are ranked in any case."""
    statements: int = 4
    """Statements of an answer at most."""
    abstain_below: float = -1.0
    """Abstain when the documents hold the answer with less than this probability; negative for the fitted value."""
    history_weight: float = -1.0
    """How much of the earlier questions' mean vector is added to the question's; negative to let the switch decide."""
    carried_weight: float = 1.0
    """Weight, in lexical search, of words of earlier turns, times √ of the chance that a person would have repeated
    them. A word of the question has 1."""
    ranker: str = ""
    """A sentence-transformers CrossEncoder, by name or folder, that ranks passages in place of the shipped model."""
    answerability: str = ""
    """A CrossEncoder that judges whether a passage holds the answer, in place of the shipped model."""
    judge: str = ""
    """A CrossEncoder for natural language inference that checks statements, in place of the shipped model."""
    device: str = "cpu"
    """Where such cross-encoders run: cpu, cuda, mps."""
    max_question_chars: int = 4_000
    """Longest question, in characters."""
    llm: str = ""
    """The language model that writes answers: empty for none (the offline reader answers), openai-like (any server of
    the OpenAI format), anthropic, ollama."""
    llm_url: str = ""
    """Where it answers, such as `http://127.0.0.1:8000/v1`; empty for OpenAI, Anthropic or a local Ollama."""
    llm_model: str = ""
    """Its name there."""
    llm_key: str = ""
    """The environment variable that holds its key, `DOSSIER_…_KEY`; empty for DOSSIER_LLM_KEY or, at OpenAI's and
    Anthropic's own addresses, OPENAI_API_KEY and ANTHROPIC_API_KEY."""
    grounding: str = "flag"
    """What becomes of a sentence that no passage supports: flag (shown, and said so), strict (withheld), off (nothing
    is checked)."""
    llm_window: int = 0
    """Tokens the model reads and writes in one go; 0 for what its client says, or 8,192."""
    llm_max_tokens: int = 800
    """Tokens it writes at most."""
    llm_temperature: float = 0.0
    """How freely it chooses words, 0 to 2."""
    llm_connect_seconds: float = 5.0
    """Longest wait for a connection."""
    llm_first_seconds: float = 60.0
    """Longest wait for its first word."""
    llm_between_seconds: float = 20.0
    """Longest silence between two words."""
    llm_seconds: float = 300.0
    """Longest time for a whole reply."""
    llm_retries: int = 2
    """How often a request is sent again that failed before its first word."""
    llm_price_prompt: float = 0.0
    """What a million tokens cost that it reads, for the cost of an evaluation; 0 if that is not to be counted."""
    llm_price_completion: float = 0.0
    """What a million tokens cost that it writes."""
