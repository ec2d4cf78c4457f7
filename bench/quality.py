"""Every figure of quality in one run: `python bench/quality.py ../shared/data --work build/retrieval`.

Writes `docs/quality.md`: what `bench/grounding.py`, `bench/answers.py` and `bench/retrieval.py` measure, beside what
others have published on the same sets, with the digest of the data and of the models.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
from pathlib import Path

import answers
import grounding
import retrieval

from rag.grounding import PairModel

PAGE = Path(__file__).parent.parent / "docs" / "quality.md"
ANCHORS = """
| set | published |
| --- | --- |
| SQuAD 2.0 dev, F1 | MiniLM 6 layers 75.6, 12 layers 81.7 (130,000 questions); distilbert 68.2; test: BiDAF 62.1 |
| doc2dial validation, F1 | BERT-base fine-tuned on it 56.3 |
| MTRAG clapnq, all domains, R@5 / nDCG@5 | last turn, full corpora: BM25 .20/.18, BGE-base .30/.27, ELSER .49/.45 |
| NFCorpus, nDCG@10 | BM25 .322 to .325, BGE-base .374 |
| MTRAG faithfulness, 477 answers | RAGAS judge AUROC .816, Spearman .582; one rater against the two others .517 |
"""


def digest(data: Path) -> str:
    """SHA-256 over the names and bytes of all files measured on."""
    whole = hashlib.sha256()
    for path in sorted(p for p in data.rglob("*") if p.is_file() and p.suffix in (".gz", ".tsv")):
        whole.update(path.relative_to(data).as_posix().encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure everything, write docs/quality.md.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/retrieval"))
    parser.add_argument("--out", type=Path, default=PAGE)
    args = parser.parse_args()
    lines: list[str] = []

    def say(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    model = PairModel()
    say("# Quality\n")
    say("Written by `python bench/quality.py ../shared/data`: the shipped models, through the code that answers")
    say(
        "use. No language model takes part. The sets are the development sets of `../shared/data`; none was trained on."
    )
    say(f"\nData {digest(args.data)}, grounding model `{model.name}`, Python {platform.python_version()}, 2 cores.\n")
    say("## Published figures to hold these against")
    say(ANCHORS)
    say("## Reader: the right passage is given")
    grounding.reader(args.data, model, say)
    say("\n## Checks")
    grounding.verifier(args.data, model, say)
    grounding.reliability(args.data, model, say)
    grounding.edited(args.data, model, say)
    say("\n## Retrieval\n")
    retrieval.run(args.data, args.work, ["nfcorpus", "clapnq", "cloud"], say)
    say("\n## Whole answers")
    answers.squad(args.data, args.work, say)
    answers.abstention(args.data, args.work, say)
    say("\n## Cost")
    answers.cost(args.data, args.work, say)
    args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(json.dumps({"written": str(args.out)}), file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
