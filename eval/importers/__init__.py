"""Public data sets as cases and, where they bring them, documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from eval.cases import write_cases
from eval.importers.reading import Imported
from eval.types import Case
from index.errors import ConfigError

__all__ = ["Imported", "load", "write_imported"]


def load(kind: str, path: Path, *, split: str = "test", docs: Path | None = None) -> Imported:
    """Read a data set.

    Args:
        kind: `beir`, `squad`, `mtrag`, `clapnq`, `llamaindex`, `ragas` or `csv`.
        path: Its file or folder; files may be gzipped.
        split: Which judgements of BEIR.
        docs: Folder of documents in which the quotes of a CSV are looked up.

    Raises:
        ConfigError: It is not there, or not of this format.
    """
    from eval.importers import ranked, reading, tables, texts

    readers: dict[str, Callable[[], Imported]] = {
        "beir": lambda: ranked.beir(path, split),
        "mtrag": lambda: ranked.mtrag(path),
        "squad": lambda: texts.squad(path),
        "clapnq": lambda: texts.clapnq(path),
        "llamaindex": lambda: tables.llamaindex(path),
        "ragas": lambda: tables.ragas(path),
        "csv": lambda: tables.csv_file(path, docs),
    }
    try:
        found = readers[kind]()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ConfigError(
            f"{path} is not a data set of the format {kind}: {type(error).__name__}: {error}.",
            remedy="docs/evaluation.md shows what each format looks like.",
        ) from error
    except OSError as error:
        raise reading.unreadable(path, error) from error
    if not found.cases:
        raise ConfigError(f"{path} holds no case.", remedy="docs/evaluation.md shows what each format looks like.")
    return _unique(found)


def _unique(found: Imported) -> Imported:
    """Number ids that come twice, so that no case hides another."""
    import dataclasses

    seen: dict[str, int] = {}
    cases: list[Case] = []
    for case in found.cases:
        seen[case.id] = seen.get(case.id, 0) + 1
        cases.append(case if seen[case.id] == 1 else dataclasses.replace(case, id=f"{case.id}#{seen[case.id]}"))
    return dataclasses.replace(found, cases=tuple(cases))


def write_imported(found: Imported, out: Path) -> None:
    """Write `cases.jsonl` and, if there are texts, `documents.jsonl`."""
    write_cases(out / "cases.jsonl", found.cases)
    if found.documents:
        with (out / "documents.jsonl").open("w", encoding="utf-8") as stream:
            for source, (title, text) in found.documents.items():
                stream.write(json.dumps({"source": source, "title": title, "text": text}, ensure_ascii=False) + "\n")
