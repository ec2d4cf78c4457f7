"""A real model in a real server: tiny, random, made on the spot, served by `transformers serve`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import Assistant, Done
from rag.settings import AnswerSettings
from tests.fakes import FakeEncoder

TEXT = "The crane fell on the north pier. Nine people were injured in the accident. Work on the pier was stopped."


def make_model(folder: Path) -> None:
    """Save a Llama of two layers with random weights, and a byte-level tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(0)
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    inner.train_from_iterator(
        [TEXT], trainers.BpeTrainer(vocab_size=300, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet)
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", eos_token="</s>", pad_token="</s>")
    tokenizer.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=8192,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of the server, and the model's folder, which is its name there."""
    folder = tmp_path_factory.mktemp("tiny")
    make_model(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = str(Path(sys.executable).with_name("transformers"))
    command = [program, "serve", "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    log = (folder / "serve.log").open("w+")
    server = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    try:
        deadline = time.monotonic() + 240
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None, (folder / "serve.log").read_text()
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.3)
        yield f"http://127.0.0.1:{port}/v1", folder
    finally:
        server.terminate()
        server.wait(20)
        log.close()


@pytest.mark.slow
@pytest.mark.parametrize("grounding", ["flag", "strict"])
def test_random_model_in_a_real_server_cannot_break_the_answer(
    served: tuple[str, Path], tmp_path: Path, grounding: str
) -> None:
    """What it writes is noise: no failure, exact quotes, nothing unsupported in strict mode."""
    url, folder = served
    settings = AnswerSettings(
        llm="openai-like", llm_url=url, llm_model=str(folder), llm_max_tokens=60, grounding=grounding,
        llm_first_seconds=120.0, llm_between_seconds=60.0,
    )  # fmt: skip
    (tmp_path / "crane.md").write_text(TEXT, encoding="utf-8")
    with Assistant.open(tmp_path / "library", encoder=FakeEncoder(), settings=settings) as assistant:
        assistant.add(tmp_path / "crane.md")
        done = list(assistant.stream("How many people were injured?"))[-1]
        assert isinstance(done, Done)
        answer = done.answer
        assert "failed" not in answer.notice, answer.notice
        assert answer.model == str(folder)
        for c in answer.citations:
            assert assistant.library.document(c.document_id).text[c.start : c.end] == c.quote
        assert {m for s in answer.statements for m in s.citations} == {c.marker for c in answer.citations}
        assert grounding == "flag" or all(s.verdict != "unsupported" for s in answer.statements)
