"""Dossier inside LlamaIndex: a retriever, a query engine and a way to feed it LlamaIndex documents.

    from rag import Assistant
    from rag.interop import DossierQueryEngine, DossierRetriever

    assistant = Assistant.open("my-library")
    nodes = DossierRetriever(assistant.library, top_k=5).retrieve("When does the berth open?")
    response = DossierQueryEngine(assistant).query("When does the berth open?")

Importing this module imports llama-index-core.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import Response
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import Document, NodeWithScore, QueryBundle, TextNode

from index.ingest import SourceText
from index.library import Library
from index.types import AddReport, DocumentInfo
from rag.assistant import Assistant


class DossierRetriever(BaseRetriever):  # type: ignore[misc]  # llama-index is not followed by the type checker
    """Hybrid search of a library as a LlamaIndex retriever.

    Args:
        library: The library to search.
        top_k: Nodes at most. Each carries `document_id`, `title`, `source`, `published`, `page` in its metadata, and
            its offsets in the document's text as `start_char_idx` and `end_char_idx`.
    """

    def __init__(self, library: Library, top_k: int = 10) -> None:
        super().__init__()
        self._library = library
        self._top_k = top_k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        hits = self._library.search(query_bundle.query_str, self._top_k)
        found = {info.id: info for info in self._library.documents([h.passage.document_id for h in hits])}
        nodes = []
        for hit in hits:
            passage = hit.passage
            info = found[passage.document_id]
            node = TextNode(
                id_=passage.id,
                text=passage.text,
                start_char_idx=passage.start,
                end_char_idx=passage.end,
                metadata=_metadata(info, passage.page),
                excluded_embed_metadata_keys=["document_id", "source"],
            )
            nodes.append(NodeWithScore(node=node, score=hit.score))
        return nodes


class DossierQueryEngine(BaseQueryEngine):  # type: ignore[misc]  # as above
    """An assistant as a LlamaIndex query engine.

    The response's text carries markers; its source nodes are the cited quotes, in the order of their markers; its
    metadata hold `abstained`, `confidence`, `as_of` and `disagreements`, a list of `{value, marker}` each.

    Args:
        assistant: Whom to ask.
    """

    def __init__(self, assistant: Assistant) -> None:
        super().__init__(callback_manager=None)
        self._assistant = assistant

    def _query(self, query_bundle: QueryBundle) -> Response:
        answer = self._assistant.ask(query_bundle.query_str)
        nodes = [
            NodeWithScore(
                node=TextNode(
                    id_=f"{c.document_id}:{c.start}-{c.end}",
                    text=c.quote,
                    start_char_idx=c.start,
                    end_char_idx=c.end,
                    metadata={
                        "document_id": c.document_id,
                        "title": c.title,
                        "source": c.source,
                        "published": c.published.isoformat() if c.published else None,
                        "page": c.page,
                    },
                ),
                score=next((s.support for s in answer.statements if c.marker in s.citations), None),
            )
            for c in answer.citations
        ]
        about = {
            "abstained": answer.abstained,
            "confidence": answer.confidence,
            "as_of": answer.as_of.isoformat() if answer.as_of else None,
            "disagreements": [[{"value": c.value, "marker": c.marker} for c in d.claims] for d in answer.disagreements],
        }
        return Response(response=answer.text, source_nodes=nodes, metadata=about)

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return await asyncio.to_thread(self._query, query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


def add_documents(library: Library, documents: Iterable[Document]) -> AddReport:
    """Add what any LlamaIndex reader gives to a library.

    Args:
        library: The library.
        documents: LlamaIndex documents. `file_path`, `title` or `file_name`, `author` and an ISO `date` are taken from
            their metadata where they stand there.

    Returns:
        What was added, as for `Library.add`.
    """
    return library.add_texts(_source_text(document) for document in documents)


def _source_text(document: Document) -> SourceText:
    about: dict[str, Any] = document.metadata or {}
    return SourceText(
        source=str(about.get("file_path") or about.get("source") or document.id_),
        text=document.text,
        title=str(about.get("title") or about.get("file_name") or ""),
        published=_date(about.get("date") or about.get("published")),
        author=str(about["author"]) if about.get("author") else None,
    )


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None


def _metadata(info: DocumentInfo, page: int | None) -> dict[str, Any]:
    return {
        "document_id": info.id,
        "title": info.title,
        "source": info.source,
        "published": info.published.isoformat() if info.published else None,
        "page": page,
    }
