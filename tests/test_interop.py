"""Dossier works as a part of LlamaIndex, and LlamaIndex's documents feed it."""

from __future__ import annotations

from llama_index.core.schema import Document, MetadataMode

from index.library import Library
from rag.assistant import Assistant
from rag.interop import DossierQueryEngine, DossierRetriever, add_documents


def test_retriever_gives_nodes_with_exact_offsets(samples: Assistant) -> None:
    """A node's text is the document's text between its offsets; scores fall with the rank."""
    nodes = DossierRetriever(samples.library, top_k=4).retrieve("How much does the programme cost?")
    assert len(nodes) == 4
    for found in nodes:
        text = samples.library.document(found.node.metadata["document_id"]).text
        assert text[found.node.start_char_idx : found.node.end_char_idx] == found.node.get_content(MetadataMode.NONE)
    scores = [found.score for found in nodes]
    assert scores == sorted(scores, reverse=True)


def test_query_engine_answers_with_its_quotes_as_sources(samples: Assistant) -> None:
    """The response's source nodes are the citations of the answer."""
    question = "What is the maximum load of the crane?"
    response = DossierQueryEngine(samples).query(question)
    answer = samples.ask(question)
    assert str(response) == answer.text
    assert [n.node.get_content(MetadataMode.NONE) for n in response.source_nodes] == [c.quote for c in answer.citations]
    assert response.metadata["abstained"] is answer.abstained


def test_documents_of_a_reader_are_added_with_what_they_state(library: Library) -> None:
    """Path, title and date come from the metadata; a bad date is no date."""
    report = add_documents(
        library,
        [
            Document(
                text="The berth is open.", metadata={"file_path": "/x/a.txt", "title": "Berth", "date": "2026-01-05"}
            ),
            Document(text="The berth is shut.", metadata={"file_path": "/x/b.txt", "date": "soon"}),
        ],
    )
    assert len(report.added) == 2
    found = {d.source: d for d in library.documents()}
    assert (found["/x/a.txt"].title, str(found["/x/a.txt"].published)) == ("Berth", "2026-01-05")
    assert found["/x/b.txt"].published is None
