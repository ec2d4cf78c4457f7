"""Dossier and a plain LlamaIndex + Chroma chat engine on the same cases: `python bench/side_by_side.py`.

Both are asked the golden set through `eval.evaluate`; `eval.compare` holds the runs against each other, and the table
goes into `docs/quality.md`. No language model takes part, so this is what the LlamaIndex engine is:

* `VectorStoreIndex` over Chroma, all-MiniLM-L6-v2 through `HuggingFaceEmbedding` (the original weights, on disk),
  `SentenceSplitter(chunk_size=256, chunk_overlap=20)`, over the very texts that Dossier's parsers read.
* `index.as_chat_engine(chat_mode="context", similarity_top_k=10)` with `MockLLM`, given the earlier turns as messages.
  The mock only echoes; what counts are the engine's source nodes. Of each of the first four, LlamaIndex's own
  `SentenceEmbeddingOptimizer` picks the sentence nearest to the question: these four sentences are its answer, each
  with its place in the node as citation.
* It cannot rewrite a follow-up (that takes a language model) and never refuses; the best similarity is its confidence.
"""

from __future__ import annotations

import argparse
import copy
import os
from pathlib import Path
from typing import Any

from llamaindex_ask import weights
from quality_page import put_section

from eval import RunFolder, System, assistant_system, compare, evaluate
from eval.checks import shipped_checks
from eval.llamaindex import hit_citation, node_hits
from eval.summary import AURC, summarise, usage
from eval.table import markdown_comparison, markdown_summary
from rag import Answer, Assistant, Statement

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

ROOT = Path(__file__).parent.parent
SENTENCES, HITS = 4, 10
METRICS = (
    "evidence_recall@1", "evidence_recall@5", "evidence_recall@10", "evidence_IoU@1000t",
    "answered_with_evidence_first", "answered_with_evidence", "contains_reference", "token_F1",
    "ROUGE-L", "citation_validity", "citation_F1_evidence", "citation_IoU_evidence",
    "faithfulness", "answered_when_answerable", "abstained_when_not",
    "abstention_balanced_accuracy", AURC,
)  # fmt: skip
TESTED = tuple(m for m in METRICS if m not in (AURC, "citation_validity", "faithfulness"))


def llamaindex_system(assistant: Assistant) -> System:
    """A chat engine over the texts of Dossier's library."""
    import chromadb
    from llama_index.core import Document, MockEmbedding, Settings, StorageContext, VectorStoreIndex
    from llama_index.core.llms import MockLLM
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.vector_stores.chroma import ChromaVectorStore

    Settings.llm, Settings.embed_model = MockLLM(), MockEmbedding(embed_dim=384)  # nothing may reach for a remote one
    embedding = HuggingFaceEmbedding(model_name=weights(), device="cpu")
    library = assistant.library
    documents = [
        Document(text=library.document(info.id).text, id_=info.id, metadata={"document_id": info.id},
                 excluded_embed_metadata_keys=["document_id"], excluded_llm_metadata_keys=["document_id"])
        for info in library.documents()
    ]  # fmt: skip
    collection = chromadb.EphemeralClient().get_or_create_collection("side-by-side")
    index = VectorStoreIndex.from_documents(
        documents,
        storage_context=StorageContext.from_defaults(vector_store=ChromaVectorStore(chroma_collection=collection)),
        embed_model=embedding,
        transformations=[SentenceSplitter(chunk_size=256, chunk_overlap=20)],
    )
    ours = assistant_system(assistant)

    def ask(question: str, history: Any) -> Answer:
        from llama_index.core.llms import ChatMessage

        engine = index.as_chat_engine(chat_mode="context", llm=MockLLM(), similarity_top_k=HITS)
        messages = [
            ChatMessage(role=role, content=text)
            for turn in history
            for role, text in zip(("user", "assistant"), turn, strict=True)
        ]
        nodes = engine.chat(question, messages).source_nodes
        hits = node_hits(nodes)
        chosen = [nearest_sentence(node, question, embedding) for node in nodes[:SENTENCES]]
        pairs = list(dict.fromkeys(zip(chosen, hits, strict=False)))
        citations = tuple(hit_citation(n, hit, said, ours.lookup) for n, (said, hit) in enumerate(pairs, 1))
        statements = tuple(Statement(c.quote, (c.marker,), 0.0, "unsupported") for c in citations)
        top = max(float(node.score or 0.0) for node in nodes)
        return Answer(
            question, question, statements, citations, hits, False, top, model="llamaindex context chat engine"
        )

    return System("llamaindex", ask, ours.lookup, {"chunk_size": 256, "chunk_overlap": 20, "sentences": SENTENCES})


def nearest_sentence(found: Any, question: str, embedding: Any) -> str:
    """What LlamaIndex's optimizer leaves of a node when it may keep one sentence."""
    from llama_index.core.postprocessor import SentenceEmbeddingOptimizer
    from llama_index.core.schema import MetadataMode, QueryBundle

    probe = SentenceEmbeddingOptimizer(embed_model=embedding, percentile_cutoff=1.0, context_before=0, context_after=0)
    sentences = len(probe._tokenizer_fn(found.node.get_content(metadata_mode=MetadataMode.LLM)))
    one = SentenceEmbeddingOptimizer(
        embed_model=embedding, percentile_cutoff=1.0001 / sentences, context_before=0, context_after=0
    )
    left = one.postprocess_nodes([copy.deepcopy(found)], query_bundle=QueryBundle(question))
    return str(left[0].node.get_content(metadata_mode=MetadataMode.NONE)).strip()


def section(a: Path, b: Path) -> str:
    """The tables of two runs."""
    first, second = RunFolder(a), RunFolder(b)
    reports = {"LlamaIndex + Chroma": summarise(first), "Dossier": summarise(second)}
    found = compare(first, second, metrics=TESTED)
    costs = [usage(first), usage(second)]
    about = " ".join(line.strip() for line in (__doc__ or "").split("\n\n", 1)[1].splitlines())
    lead, *points = about.split(" * ")
    return "\n".join(
        [
            f"{lead}\n",
            *(f"* {p.strip()}" for p in points),
            "\nEach figure with its 95% interval, conversations resampled:\n",
            markdown_summary(reports, METRICS),
            "\nThe same, paired over the cases: sign flips, Holm over these metrics. Bold: not by chance at 0.05. "
            "Least: the smallest true difference that four of five such comparisons would find.\n",
            markdown_comparison(found, ("LlamaIndex", "Dossier"), 0.05),
            f"\nMedian seconds a case, on a machine that others used, too: {costs[0].p50:.2f} and {costs[1].p50:.2f}.",
        ]
    )


def run(work: Path, say: Any = print) -> str:
    """Ask both, or go on; gives the section of the page."""
    library = work / "library"
    with Assistant.open(library) as assistant:
        assistant.add(ROOT / "samples" / "strait")
        cases = ROOT / "eval" / "golden" / "samples.jsonl"
        checks = shipped_checks(assistant.grounding.verifier)
        for name, make in (("llamaindex", llamaindex_system), ("dossier", assistant_system)):
            report = evaluate(cases, make(assistant), work / name, checks=checks)
            say(f"{name}: {report.asked} of {report.cases} asked, {report.errors} errors")
    return section(work / "llamaindex", work / "dossier")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure Dossier and LlamaIndex + Chroma on the same cases.")
    parser.add_argument("--work", type=Path, default=Path("build/side-by-side"), help="where the runs are kept")
    args = parser.parse_args()
    put_section("side-by-side", run(args.work))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
