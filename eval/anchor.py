"""Give the quotes of a cases file their offsets: `python -m eval.anchor CASES.jsonl DOCS`.

A person writes quotes; this finds each in the parsed document, any run of white space equal to any other, and writes
back its exact words with start and end. A quote that is not there, or there more than once, is reported and nothing is
written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from eval.cases import find_quote
from index.parse import is_supported, parse
from index.settings import LibrarySettings


def anchor(cases: Path, docs: Path) -> list[str]:
    """Anchor the quotes of a file in place; returns a sentence for each that could not be found."""
    settings = LibrarySettings()
    texts = {p.name: parse(p, p.read_bytes(), settings).text for p in sorted(docs.iterdir()) if is_supported(p)}
    problems: list[str] = []
    lines: list[str] = []
    for line in cases.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        for e in case["evidence"]:
            span = find_quote(texts.get(e["source"], ""), e["quote"])
            if span is None:
                problems.append(f"{case['id']}: {e['source']} does not say once: {e['quote'][:90]}")
                continue
            e["start"], e["end"] = span
            e["quote"] = texts[e["source"]][span[0] : span[1]]
        lines.append(json.dumps(case, ensure_ascii=False))
    if not problems:
        cases.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return problems


if __name__ == "__main__":
    found = anchor(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stderr.write("".join(f"{problem}\n" for problem in found))
    raise SystemExit(1 if found else 0)
