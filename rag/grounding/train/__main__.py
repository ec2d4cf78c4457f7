"""Train the grounding model: `python -m rag.grounding.train ../shared/data`.

Goes on from the last checkpoint in `--work`. About two hours on 2 cores that multiply bfloat16.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

from index.embed import OnnxEncoder, open_tokenizer
from index.models.build import find_weights
from rag.grounding.train.alone import sentences_alone
from rag.grounding.train.conversations import in_conversation, read_talks
from rag.grounding.train.examples import Example, Maker, Mix
from rag.grounding.train.export import OUT, export
from rag.grounding.train.loop import Plan, train
from rag.grounding.train.negatives import Asked, hard_negatives
from rag.grounding.train.network import load_encoder, load_weights, make_network, mix_weights, save_weights

_MEASURED = 200  # of so many questions one is used to measure how far activations reach


def _measured(maker: Maker) -> list[Example]:
    return [unit[0] for unit in islice(maker.reading({}, 0), 0, None, _MEASURED)]


def main() -> int:
    """Run the training from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m rag.grounding.train", description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path, help="folder with reader/ and verifier/")
    parser.add_argument("--work", type=Path, default=Path("build/grounding"), help="checkpoints (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=OUT, help="where the model goes (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--epochs", type=int, default=Plan().epochs)
    parser.add_argument("--start", type=Path, help="go on from weights.safetensors of an earlier training")
    parser.add_argument("--steps", type=int, default=Plan().steps, help="end after so many steps; 0 for all")
    parser.add_argument("--first-epoch", type=int, default=0, help="epochs before it are left out")
    parser.add_argument("--seed", type=int, default=Plan().seed)
    parser.add_argument("--rate", type=float, default=Plan().rate, help="highest learning rate (default: %(default)s)")
    parser.add_argument("--cool-down", type=float, default=Plan().cool_down, help="share of the steps it falls over")
    parser.add_argument("--wrong", type=float, default=Mix().wrong, help="see Mix")
    parser.add_argument("--unanswered", type=float, default=Mix().unanswered, help="see Mix")
    parser.add_argument("--checks", type=float, default=Mix().checks, help="see Mix")
    parser.add_argument("--others", type=float, default=Mix().others, help="see Mix")
    parser.add_argument("--about", type=float, default=Mix().about, help="see Mix")
    parser.add_argument("--talks", type=int, default=0, help="times an epoch that conversations are learned from")
    parser.add_argument("--dropout", type=float, default=0.0, help="share of a layer's output that is left out")
    parser.add_argument("--sentences", action="store_true", help="learn from sentences by themselves, too")
    parser.add_argument("--frozen", type=int, default=Plan().frozen, help="layers that stay as they are")
    parser.add_argument("--batch", type=float, default=1.0, help="size of a step beside the usual one")
    parser.add_argument("--keep", type=float, default=0.0, help="share of the weights of --start in what is written")
    parser.add_argument("--limit", type=int, default=0, help="only so many units of each kind, to try it out")
    parser.add_argument("--only-export", action="store_true", help="make the model of --start anew, without training")
    args = parser.parse_args()
    if args.start is None and (args.only_export or args.keep):
        parser.error("--only-export and --keep need --start weights.safetensors")
    args.work.mkdir(parents=True, exist_ok=True)
    plan = replace(
        Plan(),
        epochs=args.epochs,
        steps=args.steps,
        seed=args.seed,
        rate=args.rate,
        cool_down=args.cool_down,
        frozen=args.frozen,
        reading_tokens=int(Plan().reading_tokens * args.batch),
        support_tokens=int(Plan().support_tokens * args.batch),
    )

    import torch

    torch.manual_seed(plan.seed)
    weights = find_weights()
    tokenizer = open_tokenizer((weights / "tokenizer.json").read_text(encoding="utf-8"))
    mix = Mix(args.wrong, args.unanswered, args.checks, args.others, args.about)
    maker = Maker(args.data, tokenizer, plan.seed, mix)
    talks = read_talks(args.data) if args.talks else []
    network = make_network(args.dropout)
    load_encoder(network, weights)
    if args.start is not None:
        load_weights(network, args.start)
    if args.only_export:
        export(network.state_dict(), weights, args.out, _measured(maker))
        sys.stderr.write(f"written to {args.out}\n")
        return 0
    known = args.work / "negatives.json"
    if not known.is_file():
        sys.stderr.write("searching for passages that do not answer…\n")
        asked = [Asked(q["id"], q["question"], q["ctx_id"], [a["text"] for a in q["answers"]]) for q in maker.questions]
        asked += [Asked(turn.id, turn.rewrite, "", [turn.answer]) for talk in talks for turn in talk.turns]
        found = hard_negatives(maker, asked, OnnxEncoder())
        known.write_text(json.dumps(found), encoding="utf-8")
    negatives = json.loads(known.read_text(encoding="utf-8"))
    epochs = []
    for n in range(args.first_epoch, plan.epochs):
        reading, support = list(maker.reading(negatives, n)), list(maker.support(negatives, n))
        alone = list(sentences_alone(maker, negatives)) if args.sentences else []
        talked = [unit for _ in range(args.talks) for unit in in_conversation(maker, talks, negatives)]
        most = args.limit or None
        epochs.append((reading[:most], alone[:most], talked[:most], support[:most]))
        counts = zip(("texts", "sentences by themselves", "conversations", "checks"), epochs[-1], strict=True)
        sys.stderr.write(f"epoch {n}: units of " + ", ".join(f"{kind} {len(u):,}" for kind, u in counts) + "\n")
    started = {name: value.clone() for name, value in network.state_dict().items()}
    average = mix_weights(started, train(network, epochs, plan, args.work, args.threads), args.keep)
    export(average, weights, args.out, _measured(maker))
    save_weights(average, args.out / "weights.safetensors")
    sys.stderr.write(f"written to {args.out}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
