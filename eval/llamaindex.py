"""The door of LlamaIndex: its engines as systems to measure, and its evaluators as judged metrics.

Importing this module does not import llama-index; using it does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from eval.judged import Judgement
from eval.systems import History, Lookup, System
from index.types import Hit, Passage, Signals
from rag.types import Answer, Citation, Statement


def engine_system(
    engine: Any, name: str = "llamaindex", *, lookup: Lookup | None = None, config: dict[str, Any] | None = None
) -> System:
    """Measure a LlamaIndex query engine or chat engine.

    The response's text becomes one statement that cites all of its source nodes, as the engine does not say which
    sentence rests on which. A chat engine gets the earlier turns as messages; a query engine does not see them. Neither
    can refuse: an empty response, or LlamaIndex's own "Empty Response", counts as one.

    Args:
        engine: Has `chat(message, chat_history)` or `query(text)`.
        name: What the system is called.
        lookup: Gives source and text of a node's document, by `document_id` of its metadata or its `ref_doc_id`.
        config: What is to be kept in `run.json`.
    """

    def ask(question: str, history: History) -> Answer:
        response = engine.chat(question, _messages(history)) if hasattr(engine, "chat") else engine.query(question)
        return response_answer(question, str(response), response.source_nodes, lookup)

    return System(name, ask, lookup, {"engine": type(engine).__name__, **(config or {})})


def response_answer(question: str, text: str, nodes: Sequence[Any], lookup: Lookup | None) -> Answer:
    """Make an answer of a response's text and its source nodes."""
    hits = node_hits(nodes)
    refused = not text.strip() or text.strip() == "Empty Response"
    citations = (
        () if refused else tuple(hit_citation(n, hit, hit.passage.text, lookup) for n, hit in enumerate(hits, 1))
    )
    statements = () if refused else (Statement(text.strip(), tuple(c.marker for c in citations), 0.0, "unsupported"),)
    top = max((float(h.score) for h in hits), default=0.0)
    return Answer(question, question, statements, citations, hits, refused, top, model="llamaindex")


def node_hits(nodes: Sequence[Any]) -> tuple[Hit, ...]:
    """Source nodes as hits; a node without offsets starts at 0."""
    hits = []
    for rank, found in enumerate(nodes, 1):
        node = found.node
        start = node.start_char_idx or 0
        end = node.end_char_idx if node.end_char_idx is not None else start + len(node.get_content())
        document = str(node.metadata.get("document_id") or node.ref_doc_id or node.node_id)
        score = float(found.score) if found.score is not None else 0.0
        hits.append(
            Hit(Passage(document, start, end, node.get_content(), None, ""), score, rank, Signals(dense=found.score))
        )
    return tuple(hits)


def hit_citation(marker: int, hit: Hit, quote: str, lookup: Lookup | None) -> Citation:
    """Cite words of a hit; where they stand in it is looked up, and if they do not, its own span is taken."""
    passage = hit.passage
    at = passage.text.find(quote)
    start = passage.start + max(at, 0)
    end = start + len(quote) if at >= 0 else passage.end
    there = lookup(passage.document_id) if lookup is not None else None
    source = there[0] if there is not None else passage.document_id
    return Citation(marker, passage.document_id, source, source, None, None, start, end, quote)


def evaluator_judge(evaluator: Any, name: str) -> Callable[[str, str, Sequence[str], Sequence[str]], Judgement]:
    """Use a LlamaIndex evaluator, such as `FaithfulnessEvaluator(llm=…)`, in an `eval.judged.LlmScorer`.

    Args:
        evaluator: Has `aevaluate(query, response, contexts, reference)`.
        name: The language model behind it; it becomes part of the metric's scorer.
    """

    def judge(question: str, answer: str, contexts: Sequence[str], references: Sequence[str]) -> Judgement:
        more = {"reference": references[0]} if references else {}
        work = evaluator.aevaluate(query=question, response=answer, contexts=list(contexts), **more)
        with ThreadPoolExecutor(1) as thread:  # the caller may be in an event loop of its own, such as a notebook's
            found = thread.submit(asyncio.run, work).result()
        if getattr(found, "invalid_result", False) or (found.score is None and found.passing is None):
            raise ValueError(f"the evaluator gave no verdict: {found.invalid_reason or found.feedback}")
        value = float(found.score) if found.score is not None else float(bool(found.passing))
        return Judgement(value, str(found.feedback or ""))

    judge.__name__ = f"{type(evaluator).__name__} {name}"
    return judge


def _messages(history: History) -> list[Any]:
    from llama_index.core.llms import ChatMessage, MessageRole

    return [
        ChatMessage(role=role, content=text)
        for turn in history
        for role, text in zip((MessageRole.USER, MessageRole.ASSISTANT), turn, strict=True)
        if text
    ]
