"""Trained weights to the int8 ONNX file that ships: the same steps as for the encoder. A door of torch and onnx."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from index.models.build import even_out, fuse, quantise, shrink_embeddings
from rag.grounding.train.examples import Example
from rag.grounding.train.loop import tensors
from rag.grounding.train.network import OUTPUTS, WIDTH, bert_names

OUT = Path(__file__).parent.parent / "model"


def export(average: dict[str, Any], weights: Path, out: Path, examples: Sequence[Example]) -> None:
    """Write `model.onnx`, `tokenizer.json` and `config.json`.

    Args:
        average: Trained weights, a state dict of the network.
        weights: Folder of the encoder that training started from: its configuration and tokenizer.
        out: Folder to write to; made if missing.
        examples: Pairs over which the reach of activations is measured.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        exported, fused, evened, small = (Path(scratch) / f"{n}.onnx" for n in ("exported", "fused", "evened", "small"))
        _export(average, weights, exported)
        fuse(exported, fused)
        even_out(fused, evened, [_feed(example) for example in examples])
        quantise(evened, small, keep=_heads(evened))
        shrink_embeddings(small, out / "model.onnx")
    shutil.copyfile(weights / "tokenizer.json", out / "tokenizer.json")
    digest = hashlib.sha256((out / "model.onnx").read_bytes()).hexdigest()
    config = {"name": "dossier-grounding", "max_tokens": 512, "model_sha256": digest}
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _feed(example: Example) -> dict[str, Any]:
    """An example as the model's inputs, a batch of one."""
    ids, types, mask = tensors([(example,)])
    return {"input_ids": ids.numpy(), "attention_mask": mask.numpy(), "token_type_ids": types.numpy()}


def _export(average: dict[str, Any], weights: Path, path: Path) -> None:
    import torch
    from transformers import BertModel

    bert = BertModel.from_pretrained(weights, attn_implementation="eager", add_pooling_layer=False)
    bert.load_state_dict({theirs: average[ours] for ours, theirs in bert_names().items()}, strict=False)

    class Heads(torch.nn.Module):  # type: ignore[misc]  # torch is not followed by the type checker
        def __init__(self) -> None:
            super().__init__()
            self.bert = bert
            self.heads = torch.nn.ModuleDict()
            for name in OUTPUTS:
                weight = average[f"heads.{name}.weight"]
                self.heads[name] = torch.nn.Linear(WIDTH, weight.shape[0])
                self.heads[name].load_state_dict({"weight": weight, "bias": average[f"heads.{name}.bias"]})

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            hidden = self.bert(
                input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
            ).last_hidden_state
            first = hidden[:, 0]
            return (
                self.heads["relevance"](first).squeeze(-1),
                self.heads["answerable"](first).squeeze(-1),
                self.heads["span"](hidden),
                self.heads["support"](first),
            )

    ids = torch.tensor([[101, 2023, 2003, 1037, 3231, 102], [101, 2178, 102, 2178, 102, 0]])
    types = torch.tensor([[0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0]])
    names = ("input_ids", "attention_mask", "token_type_ids")
    torch.onnx.export(
        Heads().eval(),
        (ids, (ids > 0).long(), types),
        str(path),
        input_names=list(names),
        output_names=list(OUTPUTS),
        dynamic_axes={
            **{n: {0: "batch", 1: "length"} for n in (*names, "span")},
            **{n: {0: "batch"} for n in OUTPUTS if n != "span"},
        },
        opset_version=17,
        dynamo=False,
    )


def _heads(path: Path) -> list[str]:
    """Names of the heads' products: too small to gain from int8, and their logits are the results."""
    import onnx

    model = onnx.load(str(path))
    small = {i.name for i in model.graph.initializer if min(i.dims, default=0) <= 3}
    return [n.name for n in model.graph.node if n.op_type in ("MatMul", "Gemm") and small & set(n.input)]
