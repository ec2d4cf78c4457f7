"""The shipped encoder gives the vectors of the original, whatever it is given."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.embed import OnnxEncoder, SentenceTransformerEncoder, open_encoder, run_session
from index.embedded import embedded_texts
from index.errors import ModelUnavailableError
from index.models.build import OFFICIAL_SHA256, check_weights, find_weights
from index.split import HEADING_TOKENS, split
from index.types import Parsed
from tests.conftest import ROOT, SAMPLES

ENCODER = OnnxEncoder()


def sentences() -> list[str]:
    """Eighty varied texts: sentences of the samples, and some of other kinds."""
    from index.parse import parse
    from index.sentences import sentence_spans
    from index.settings import LibrarySettings

    found: list[str] = []
    for path in sorted(SAMPLES.iterdir()):
        text = parse(path, path.read_bytes(), LibrarySettings()).text
        found += [text[a:b] for a, b in sentence_spans(text)[3:10]]
    return [*found[:76], "Short.", "When does the berth open?", "x = f(y) + 1", "Übergrößenträger in 東京"]


@pytest.mark.timeout(120)
def test_vectors_are_those_of_the_original_model() -> None:
    """Cosine to the original weights under sentence-transformers: 0.99 on average, of sentences and passages."""
    texts = sentences()
    original = SentenceTransformerEncoder(str(find_weights()))
    passages = [" ".join(texts[i : i + 6]) for i in range(0, 72, 6)]
    for group, mean, lowest in ((texts, 0.99, 0.95), (passages, 0.99, 0.98)):
        cosines = (ENCODER.encode(group) * original.encode(group)).sum(axis=1)
        assert cosines.mean() >= mean
        assert cosines.min() >= lowest
    assert original.max_tokens == ENCODER.max_tokens
    assert original.token_offsets(texts[0]) == ENCODER.token_offsets(texts[0])


def test_order_norm_and_batching_are_kept() -> None:
    """Vectors come in the order of the texts, have norm 1, and hardly depend on their neighbours."""
    texts = sentences()
    together = ENCODER.encode(texts)
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-4)
    alone = np.concatenate([ENCODER.encode([t]) for t in texts])
    assert (together * alone).sum(axis=1).min() > 0.95
    assert (together @ alone.T).argmax(axis=1).tolist() == list(range(len(texts)))


@pytest.mark.parametrize("texts", [[], [""], ["   \n"], ["\ud800 lone"], ["\0"], ["word " * 50_000], ["🦆" * 1000]])
def test_odd_texts_are_encoded(texts: Sequence[str]) -> None:
    """Nothing is too empty, too long or too strange."""
    vectors = ENCODER.encode(texts)
    assert vectors.shape == (len(texts), ENCODER.dimension)
    assert np.isfinite(vectors).all()


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_token_offsets_of_any_text_are_in_order_and_in_range(text: str) -> None:
    """Offsets count the characters of the text as given."""
    at = 0
    for start, end in ENCODER.token_offsets(text):
        assert at <= start <= end <= len(text)
        at = start
    assert ENCODER.count_tokens(text) == len(ENCODER.token_offsets(text))


def test_offsets_of_a_long_text_are_those_of_its_parts() -> None:
    """Tokenising in slices changes nothing."""
    text = "The berth opens in June; über 東京. " * 8000
    offsets = ENCODER.token_offsets(text)
    period = ENCODER.count_tokens("The berth opens in June; über 東京. ")
    assert len(offsets) == 8000 * period
    assert text[offsets[-period][0] : offsets[-period][1]] == "The"


def test_what_is_embedded_always_fits_the_window() -> None:
    """Title, headings, passage and neighbours together are never longer than the encoder reads."""
    text = "The harbour master counted nine vessels at the outer berth on Tuesday. " * 200
    passages = split(Parsed(text, "text/plain"), "d", ENCODER, 200)
    for words in embedded_texts(text, "A rather long title " * 20, passages, ENCODER):
        assert ENCODER.count_tokens(words) <= ENCODER.max_tokens - ENCODER.special_tokens
    assert all(ENCODER.count_tokens(p.text) <= 254 - HEADING_TOKENS for p in passages)


def test_threads_share_one_encoder() -> None:
    """Loading and encoding from several threads gives the same vectors."""
    encoder = OnnxEncoder()
    results: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: results.append(encoder.encode(["One text."]))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    assert all(np.array_equal(r, results[0]) for r in results)


def test_build_refuses_other_weights(tmp_path: Path) -> None:
    """A changed or missing file is named with the hash it should have."""
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(ModelUnavailableError, match=OFFICIAL_SHA256):
        check_weights(tmp_path)
    with pytest.raises(ModelUnavailableError, match="does not exist"):
        check_weights(tmp_path / "none")


def test_missing_or_damaged_model_is_explained(tmp_path: Path) -> None:
    """An encoder that cannot be loaded says how to get one."""
    with pytest.raises(ModelUnavailableError, match="cannot be loaded"):
        OnnxEncoder(tmp_path)
    with pytest.raises(ModelUnavailableError, match="cannot be loaded") as caught:
        open_encoder(str(tmp_path / "no-model"))
    assert "folder" in caught.value.remedy


def test_shipped_file_is_the_one_its_config_names() -> None:
    """The identity a library remembers is that of the committed bytes."""
    import hashlib
    import json

    folder = Path(__file__).parent.parent / "index" / "models" / "all-MiniLM-L6-v2"
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest() == config["model_sha256"]


def test_models_run_in_turn_however_many_ask() -> None:
    """Many threads at once would take the memory of as many batches, and be no faster."""
    running, most, lock = 0, 0, threading.Lock()

    class Session:
        def run(self, outputs: list[str], inputs: dict[str, int]) -> list[int]:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.01)
            with lock:
                running -= 1
            if inputs["number"] == 13:
                raise ValueError("thirteen")
            return [inputs["number"], threading.get_ident()]

    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(run_session, Session(), ["x"], {"number": n}) for n in range(40)]
    found = [f.result() for f in asked if f.exception() is None]
    assert [n for n, _ in found] == [n for n in range(40) if n != 13]
    with pytest.raises(ValueError, match="thirteen"):
        asked[13].result()
    assert 1 <= most <= max(1, (os.cpu_count() or 1) // 2)
    assert len({thread for _, thread in found}) <= max(1, (os.cpu_count() or 1) // 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_models_run_in_a_forked_process() -> None:
    """A child has the pool of its parent, without its threads; onnxruntime itself promises nothing there."""
    code = (
        "import os; from index.embed import run_session\n"
        "class Session:\n"
        "    def run(self, outputs, inputs): return inputs['code']\n"
        "run_session(Session(), [], {'code': 1})\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(run_session(Session(), [], {'code': 7}))\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.stdout.strip() == "7", done.stderr
