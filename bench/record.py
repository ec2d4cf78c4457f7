"""What benchmarks measured: `--json bench/records/NAME.json` writes a record, `bench/readme_table.py` reads them.

A record says what was run, when, on which machine, with which versions, and has the figures as they were measured.
Every figure in `README.md` and `docs/performance.md` is made of a record that is committed.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RECORDS = ROOT / "bench" / "records"
PACKAGES = (
    "dossier",
    "chromadb",
    "llama-index-core",
    "numpy",
    "onnxruntime",
    "sentence-transformers",
    "tantivy",
    "torch",
)
_PLACES = ("--json", "--work", "--keep", "--library")  # say where something is kept, not what is measured
LOAD = os.getloadavg()[0] if hasattr(os, "getloadavg") else None  # before the benchmark itself is the load


def write_record(path: Path, name: str, figures: Any, arguments: list[str] | None = None) -> None:
    """Write a record; the file appears when it is complete.

    Args:
        path: The file.
        name: The benchmark: `bench/NAME.py`.
        figures: What it measured, as JSON takes it.
        arguments: Those of the benchmark; those of this process if `None`.
    """
    record = {
        "bench": name,
        "command": command(name, sys.argv[1:] if arguments is None else arguments),
        "measured": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "versions": {package: _version(package) for package in PACKAGES},
        "figures": figures,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    new.replace(path)


def read_record(name: str, folder: Path = RECORDS) -> dict[str, Any] | None:
    """Read a record; `None` if the benchmark has none.

    Raises:
        ValueError: The file is of another benchmark, or no record.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        return None
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if record.get("bench") != name or "figures" not in record:
        raise ValueError(f"{path} is no record of bench/{name}.py")
    return record


def command(name: str, arguments: list[str]) -> str:
    """The command line, without what only says where files go; paths are told from the project's folder."""
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if skip or argument in _PLACES:
            skip = not skip
        elif not argument.startswith(tuple(f"{place}=" for place in _PLACES)):
            kept.append(os.path.relpath(argument, ROOT) if os.path.isabs(argument) else argument)
    return " ".join(["python", f"bench/{name}.py", *kept])


def machine() -> dict[str, Any]:
    """Processor, cores, memory and system, and how loaded the machine was when the benchmark began."""
    memory = None
    with contextlib.suppress(OSError, ValueError, AttributeError):
        memory = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": memory,
        "system": platform.system(),
        "python": platform.python_version(),
        "load_before": LOAD,
    }


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def machine_line(record: dict[str, Any]) -> str:
    """The machine of a record in a phrase."""
    m = record["machine"]
    load = f", load {m['load_before']:.1f} before" if m.get("load_before") is not None else ""
    return f"{m['cores']} cores ({m['processor']}), no GPU used, Python {m['python']}{load}"
