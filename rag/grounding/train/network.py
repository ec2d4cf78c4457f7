"""The grounding model while it is trained: one encoder, four heads. A door of torch.

The encoder is BERT as in all-MiniLM-L6-v2 (6 layers, 384 wide, 12 heads), written out so that attention runs as plain
batched products: on a CPU in bfloat16 their gradient takes a fifth of the time of torch's fused one. Parameter names
are those of transformers' `BertModel`, so that weights go both ways.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

LAYERS, WIDTH, HEADS, INNER, POSITIONS, VOCABULARY = 6, 384, 12, 1536, 512, 30522
OUTPUTS = ("relevance", "answerable", "span", "support")
SUPPORT_CLASSES = ("entailed", "neither", "contradicted")


def make_network(dropout: float = 0.0) -> Any:
    """Make the network with random weights, a `torch.nn.Module`.

    Args:
        dropout: Share of the channels that each half of a layer leaves out of what it adds while it is trained, other
            ones for each example; 0 to 1. Whole channels, because drawing single values takes a sixth of the time.

    Its `forward(ids, types, mask)` takes int64 of shape `(batch, length)` and gives a dict: `relevance` and
    `answerable`, log-odds of shape `(batch,)`; `span`, start and end logits of each token, shape `(batch, length, 2)`,
    where token 0 stands for "no answer here" and padding is at -1e4; `support`, logits of `SUPPORT_CLASSES`, shape
    `(batch, 3)`.
    """
    import torch
    from torch import nn

    size = WIDTH // HEADS

    class Attention(torch.autograd.Function):  # type: ignore[misc]  # torch is not followed by the type checker
        @staticmethod
        def forward(ctx: Any, q: Any, k: Any, v: Any, bias: Any) -> Any:
            batch, heads, length, width = q.shape
            q, k, v = (x.reshape(batch * heads, length, width) for x in (q, k, v))
            scores = torch.bmm(q, k.transpose(1, 2)).view(batch, heads, length, length)
            weights = torch.softmax(scores.mul_(width**-0.5).add_(bias), -1).view(batch * heads, length, length)
            out = torch.bmm(weights, v)
            ctx.save_for_backward(q, k, v, weights)
            return out.view(batch, heads, length, width)

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            q, k, v, weights = ctx.saved_tensors
            shape = gradient.shape
            gradient = gradient.reshape(q.shape)
            of_v = torch.bmm(weights.transpose(1, 2), gradient)
            of_weights = torch.bmm(gradient, v.transpose(1, 2))
            of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype).mul_(q.shape[-1] ** -0.5)
            of_q, of_k = torch.bmm(of_scores, k), torch.bmm(of_scores.transpose(1, 2), q)
            return of_q.view(shape), of_k.view(shape), of_v.view(shape), None

    def drop(x: Any, training: bool) -> Any:
        if not (dropout and training):
            return x
        kept = torch.rand(x.shape[0], 1, x.shape[2]) >= dropout
        return x * (kept / (1.0 - dropout)).to(x.dtype)

    class Layer(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
            self.output = nn.Linear(WIDTH, WIDTH)
            self.inner, self.outer = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
            self.norm1, self.norm2 = nn.LayerNorm(WIDTH, eps=1e-12), nn.LayerNorm(WIDTH, eps=1e-12)

        def forward(self, x: Any, bias: Any) -> Any:
            batch, length, _ = x.shape
            q, k, v = (
                f(x).view(batch, length, HEADS, size).transpose(1, 2) for f in (self.query, self.key, self.value)
            )
            seen = Attention.apply(q, k, v, bias.to(q.dtype)).transpose(1, 2).reshape(batch, length, WIDTH)
            x = self.norm1(x + drop(self.output(seen), self.training))
            return self.norm2(x + drop(self.outer(nn.functional.gelu(self.inner(x))), self.training))

    class Network(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(VOCABULARY, WIDTH)
            self.places = nn.Embedding(POSITIONS, WIDTH)
            self.types = nn.Embedding(2, WIDTH)
            self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
            self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
            self.heads = nn.ModuleDict({n: nn.Linear(WIDTH, s) for n, s in zip(OUTPUTS, (1, 1, 2, 3), strict=True)})

        def forward(self, ids: Any, types: Any, mask: Any) -> dict[str, Any]:
            place = torch.arange(ids.shape[1]).unsqueeze(0)
            x = self.norm(self.words(ids) + self.places(place) + self.types(types))
            bias = (1.0 - mask[:, None, None, :].float()) * -1e4
            for layer in self.layers:
                x = layer(x, bias)
            first = x[:, 0]
            span = self.heads["span"](x).float() + (1.0 - mask[:, :, None].float()) * -1e4
            return {
                "relevance": self.heads["relevance"](first).float().squeeze(-1),
                "answerable": self.heads["answerable"](first).float().squeeze(-1),
                "span": span,
                "support": self.heads["support"](first).float(),
            }

    return Network()


_FROZEN = ("words", "places", "types")
_LAYER_NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "output": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "norm2": "output.LayerNorm",
}


def bert_names() -> dict[str, str]:
    """Map names of the network's encoder parameters to those of transformers' `BertModel`."""
    names = {
        "words.weight": "embeddings.word_embeddings.weight",
        "places.weight": "embeddings.position_embeddings.weight",
        "types.weight": "embeddings.token_type_embeddings.weight",
        "norm.weight": "embeddings.LayerNorm.weight",
        "norm.bias": "embeddings.LayerNorm.bias",
    }
    for layer in range(LAYERS):
        for ours, theirs in _LAYER_NAMES.items():
            for kind in ("weight", "bias"):
                names[f"layers.{layer}.{ours}.{kind}"] = f"encoder.layer.{layer}.{theirs}.{kind}"
    return names


def save_weights(state: dict[str, Any], file: Path) -> None:
    """Write what training changes, in half precision: all but the embeddings, which stay those of the encoder."""
    from safetensors.torch import save_file

    save_file({n: v.half().contiguous() for n, v in state.items() if n.split(".")[0] not in _FROZEN}, file)


def load_weights(network: Any, file: Path) -> None:
    """Go on from weights that `save_weights` wrote; call `load_encoder` first.

    Raises:
        KeyError: The file lacks a parameter.
    """
    from safetensors.torch import load_file

    found = load_file(file)
    own = network.state_dict()
    own.update({n: found[n].float() for n in own if n.split(".")[0] not in _FROZEN})
    network.load_state_dict(own)


def mix_weights(start: dict[str, Any], trained: dict[str, Any], keep: float) -> dict[str, Any]:
    """Mix weights before and after a training, which often do better than either: what was learned stays, and what was
    known before is not lost. Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022.

    Args:
        start: State dict before.
        trained: State dict after, of the same names.
        keep: Share of `start`, 0 to 1.
    """
    return {name: keep * start[name] + (1.0 - keep) * value for name, value in trained.items()}


def load_encoder(network: Any, folder: Path) -> None:
    """Start the network from the weights of all-MiniLM-L6-v2.

    Args:
        network: Of `make_network`; its heads keep their random weights.
        folder: Holds `model.safetensors`.

    Raises:
        KeyError: The file lacks a parameter.
    """
    from safetensors.torch import load_file

    found = load_file(folder / "model.safetensors")
    own = network.state_dict()
    for ours, theirs in bert_names().items():
        own[ours] = found[theirs]
    network.load_state_dict(own)
