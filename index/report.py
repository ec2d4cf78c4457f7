"""Reports of adding and syncing as JSON, and back."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from index.types import AddReport, Failure


def to_json(report: AddReport) -> str:
    """Write a report down."""
    return json.dumps(dataclasses.asdict(report), ensure_ascii=False)


def from_json(text: str) -> AddReport:
    """Read a report; what an older version did not write keeps its default."""
    known = {f.name for f in dataclasses.fields(AddReport)}
    values: dict[str, Any] = {name: value for name, value in json.loads(text).items() if name in known}
    for name, value in values.items():
        if isinstance(value, list):
            values[name] = tuple(tuple(v) if isinstance(v, list) else v for v in value)
    values["failed"] = tuple(Failure(**f) for f in values.get("failed", ()))
    return AddReport(**values)


def is_nothing(report: AddReport) -> bool:
    """Whether nothing happened that is worth telling."""
    changed = report.added or report.updated or report.moved or report.removed or report.duplicates or report.embedded
    return not (changed or report.failed or report.notes)
