"""Floors: the lowest value each metric may have."""

from __future__ import annotations

from collections.abc import Mapping

from eval.types import Report


def find_breaches(report: Report, floors: Mapping[str, float]) -> list[str]:
    """Compare a report with floors.

    Args:
        report: What was measured.
        floors: Lowest value by metric.

    Returns:
        A sentence for each metric below its floor or without a value, and one if any case failed.
    """
    breaches = [f"{report.errors} of {report.cases} cases failed."] if report.errors else []
    for metric, floor in floors.items():
        value = report.value(metric)
        if value is None:
            breaches.append(f"{metric} has no value; its floor is {floor:.3f}.")
        elif value < floor:
            breaches.append(f"{metric} is {value:.3f}, below its floor of {floor:.3f}.")
    return breaches
