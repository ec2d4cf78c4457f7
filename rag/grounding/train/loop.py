"""The training loop: batches of like length, of each kind of examples some in every step, checkpoints."""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rag.grounding.train.examples import CONTRADICTED, ENTAILED, NEITHER, NO_SPAN, NO_SUPPORT, NOT_ENTAILED, Unit

Batch = list[Unit]
Epoch = tuple[list[Unit], ...]
"""Units of texts to read, of sentences to read by themselves, of conversations, and of checks."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the weights are trained.

    `reading_tokens` are the padded tokens of whole texts in a step and of sentences by themselves, `support_tokens` of
    checks. The rate rises over `warm_up` steps, stays, and falls to nothing over the last `cool_down` (a share) of
    them. `steps` ends training early; 0 for all. The first `frozen` layers stay as they are.
    """

    seed: int = 0
    epochs: int = 2
    steps: int = 0
    rate: float = 1.3e-4
    head_rate: float = 6e-4
    decay: float = 0.01
    warm_up: int = 120
    cool_down: float = 0.4
    reading_tokens: int = 4_600
    support_tokens: int = 2_300
    average: float = 0.998
    clip: float = 1.0
    frozen: int = 0


def make_batches(units: Sequence[Unit], tokens: int, rng: random.Random) -> list[Batch]:
    """Pack units of like length into batches of at most `tokens` padded tokens, in random order."""
    keyed = sorted(units, key=lambda u: max(len(e.ids) for e in u) + rng.random() * 8)
    batches: list[Batch] = []
    batch: Batch = []
    rows = longest = 0
    for unit in keyed:
        width = max(longest, *(len(e.ids) for e in unit))
        if batch and (rows + len(unit)) * width > tokens:
            batches.append(batch)
            batch, rows, width = [], 0, max(len(e.ids) for e in unit)
        batch.append(unit)
        rows += len(unit)
        longest = width
    if batch:
        batches.append(batch)
    rng.shuffle(batches)
    return batches


def train(network: Any, epochs: Sequence[Epoch], plan: Plan, work: Path, threads: int) -> Any:
    """Train a network; goes on from the last checkpoint in `work`, if there is one.

    Args:
        network: Of `make_network`, started from the encoder's weights. Its word embeddings stay as they are.
        epochs: What is learned from in each.
        plan: How.
        work: Folder of the checkpoint, `checkpoint.pt`.
        threads: Threads to compute with.

    Returns:
        The averaged weights, a state dict.
    """
    import torch

    torch.set_num_threads(threads)
    steps = [step for n, epoch in enumerate(epochs) for step in _steps(epoch, plan, plan.seed + n)]
    random.Random(plan.seed).shuffle(steps)  # so that a run that ends early has seen every kind
    steps = steps[: plan.steps or len(steps)]
    still = (network.norm, *network.layers[: plan.frozen]) if plan.frozen else ()
    for part in (network.words, network.places, network.types, *still):
        part.requires_grad_(False)
    body = [p for n, p in network.named_parameters() if p.requires_grad and not n.startswith("heads.")]
    heads = [p for n, p in network.named_parameters() if n.startswith("heads.")]
    groups = [{"params": body, "peak": plan.rate}, {"params": heads, "peak": plan.head_rate}]
    optimiser = torch.optim.AdamW(groups, lr=plan.rate, weight_decay=plan.decay, betas=(0.9, 0.98), fused=True)
    average = {n: p.detach().clone() for n, p in network.named_parameters()}
    file = work / "checkpoint.pt"
    first = 0
    if file.is_file():
        saved = torch.load(file, weights_only=True)
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        average, first = saved["average"], saved["step"]
    network.train()
    began, seen, sums = time.monotonic(), 0, dict[str, list[float]]()
    for step in range(first, len(steps)):
        left = (len(steps) - step) / (plan.cool_down * len(steps))
        factor = min((step + 1) / plan.warm_up, 1.0, left)
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * factor
        for batch in steps[step]:
            loss, size = _loss(network, batch, sums)
            loss.backward()
            seen += size
        torch.nn.utils.clip_grad_norm_([*body, *heads], plan.clip)
        optimiser.step()
        optimiser.zero_grad()
        keep = min(plan.average, (step + 1) / (step + 10))
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                if parameter.requires_grad:
                    average[name].lerp_(parameter, 1.0 - keep)
        if (step + 1) % 50 == 0 or step + 1 == len(steps):
            rate = seen / (time.monotonic() - began)
            _report(step + 1, len(steps), rate, sums)
        if (step + 1) % 200 == 0 or step + 1 == len(steps):
            _save(file, network, optimiser, average, step + 1, plan)
    return average


def _steps(epoch: Epoch, plan: Plan, seed: int) -> list[list[Batch]]:
    """Deal the kinds of batches out evenly: each step has one of texts to read, and its share of the others."""
    rng = random.Random(seed)
    sizes = (*[plan.reading_tokens] * (len(epoch) - 1), plan.support_tokens)
    reading, *others = (make_batches(units, size, rng) for units, size in zip(epoch, sizes, strict=True))
    steps: list[list[Batch]] = [[batch] for batch in reading]
    for batches in others:
        for i, batch in enumerate(batches):
            steps[math.floor(i * len(steps) / len(batches))].append(batch)
    return steps


@lru_cache(maxsize=1)
def _multiplies_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself; where it does not, torch takes a hundred times as long."""
    import torch

    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, name, lambda: False)()) for name in checks)


def tensors(batch: Batch) -> tuple[Any, Any, Any]:
    """Token ids, types and mask of a batch's examples, int64 of shape `(examples, length)`, padded with 0."""
    import torch

    examples = [e for unit in batch for e in unit]
    width = max(len(e.ids) for e in examples)
    ids = torch.zeros((len(examples), width), dtype=torch.long)
    types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, example in enumerate(examples):
        size = len(example.ids)
        ids[row, :size] = torch.tensor(example.ids)
        types[row, example.boundary : size] = 1
        mask[row, :size] = 1
    return ids, types, mask


def _loss(network: Any, batch: Batch, sums: dict[str, list[float]]) -> tuple[Any, int]:
    """The sum of the heads' losses over what is known in a batch, and its padded tokens."""
    import torch
    from torch.nn import functional

    examples = [e for unit in batch for e in unit]
    ids, types, mask = tensors(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=_multiplies_bfloat16()):
        out = network(ids, types, mask)
    parts: dict[str, Any] = {}

    def binary(name: str) -> None:
        known = [i for i, e in enumerate(examples) if getattr(e, name) is not None]
        if known:
            target = torch.tensor([float(getattr(examples[i], name)) for i in known])
            parts[name] = functional.binary_cross_entropy_with_logits(out[name][known], target)

    binary("relevance")
    binary("answerable")
    starts = [i for i, e in enumerate(examples) if e.span != NO_SPAN]
    if starts:
        spans = torch.tensor([examples[i].span for i in starts])
        places, boundaries = torch.arange(ids.shape[1]), torch.tensor([[examples[i].boundary] for i in starts])
        outside = (places > 0) & (places < boundaries)
        logits = out["span"][starts].masked_fill(outside.unsqueeze(-1), -1e4)
        chances = torch.log_softmax(logits, 1)
        wide = torch.tensor([examples[i].within for i in starts]).unsqueeze(-1)
        inside = wide & (places >= spans[:, :1]) & (places <= spans[:, 1:])
        first = torch.where(wide, inside, places == spans[:, :1])
        last = torch.where(wide, inside, places == spans[:, 1:])
        right = torch.stack([first, last], -1)
        parts["span"] = -chances.masked_fill(~right, -1e4).logsumexp(1).mean()
    orders, at = [], 0
    for unit in batch:
        if len(unit) > 1:
            head = "answerable" if any(e.relevance is None for e in unit) else "relevance"
            orders.append(-torch.log_softmax(out[head][at : at + len(unit)], 0)[0])
        at += len(unit)
    if orders:
        parts["order"] = 0.5 * torch.stack(orders).mean()
    judged = [i for i, e in enumerate(examples) if e.support != NO_SUPPORT]
    if judged:
        chances = torch.log_softmax(out["support"][judged], -1)
        rest = torch.logsumexp(chances[:, [NEITHER, CONTRADICTED]], -1)
        columns = torch.cat([chances, rest.unsqueeze(-1)], -1)
        places = {ENTAILED: 0, NEITHER: 1, CONTRADICTED: 2, NOT_ENTAILED: 3}
        chosen = torch.tensor([places[examples[i].support] for i in judged])
        parts["support"] = -columns.gather(1, chosen.unsqueeze(-1)).mean()
    for name, value in parts.items():
        sums.setdefault(name, []).append(float(value.detach()))
    return sum(parts.values()), ids.numel()


def _report(step: int, total: int, rate: float, sums: dict[str, list[float]]) -> None:
    means = ", ".join(f"{name} {sum(values) / len(values):.3f}" for name, values in sorted(sums.items()))
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} step {step} of {total}, {rate:,.0f} tokens/s: {means}\n")
    sys.stderr.flush()
    sums.clear()


def _save(file: Path, network: Any, optimiser: Any, average: dict[str, Any], step: int, plan: Plan) -> None:
    import torch

    fresh = file.with_suffix(".new")
    torch.save(
        {
            "network": network.state_dict(),
            "optimiser": optimiser.state_dict(),
            "average": average,
            "step": step,
            "plan": asdict(plan),
        },
        fresh,
    )
    fresh.replace(file)
