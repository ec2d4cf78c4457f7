"""Workbooks: each sheet a section, each row a line that repeats its headers; the door of openpyxl."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from index.errors import DocumentTooLargeError, UnreadableDocumentError
from index.parse.ooxml import read_properties
from index.parse.package import Package, first_line
from index.parse.paragraphs import Paragraphs
from index.parse.table import row_lines
from index.settings import LibrarySettings
from index.types import Parsed

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MAX_CELLS = 20_000_000  # read, blank ones included: a sheet may claim millions of columns
_PERCENT = re.compile(r"0(?:\.(0+))?\s*%")


def parse_xlsx(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read an Excel workbook; formulas by the values that were last saved with them."""
    package = Package(data, "workbook", settings)
    for name in package.names:
        if name.endswith((".xml", ".rels")):
            _refuse_entities(package, name)
    out = Paragraphs()
    for title, rows in _sheets(data):
        lines = list(row_lines(rows, sure=True))
        if lines:
            out.add(title, level=1)
        for line in lines:
            out.add(line)
    stated = read_properties(package)
    images = sum(1 for name in package.names if name.startswith(("xl/media/", "xl/charts/chart")))
    return Parsed(
        out.text,
        _XLSX,
        title=stated.title,
        author=stated.author if stated.author != "openpyxl" else None,
        published=stated.saved,
        language=stated.language,
        headings=tuple(out.headings),
        tags=stated.tags,
        images=images,
        notes=(f"{images} image{'s' if images > 1 else ''} or charts passed over.",) if images else (),
    )


def _refuse_entities(package: Package, name: str) -> None:
    """openpyxl opens the parts itself, so that what it must not meet is looked for first."""
    if b"<!ENTITY" in package.read(name).replace(b"\0", b""):
        raise UnreadableDocumentError(
            f"The part {name!r} of the workbook declares XML entities, which no ordinary workbook does.",
            remedy="Leave it out, or open it in Excel or Calc and save it again.",
        )


def _sheets(data: bytes) -> Iterator[tuple[str, list[list[str]]]]:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about features of Excel that are not read anyway
        try:
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            room = _MAX_CELLS
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # what the file claims of its size may be wrong
                rows: list[list[str]] = []
                for row in sheet.iter_rows():
                    room -= len(row) + 1
                    if room < 0:
                        raise DocumentTooLargeError(
                            f"The workbook has more than {_MAX_CELLS:,} cells.", remedy="Split it into several."
                        )
                    cells = [_shown(cell) for cell in row]
                    if any(cells):
                        rows.append(cells)
                yield sheet.title, rows
            book.close()
        except DocumentTooLargeError:
            raise
        except Exception as error:  # openpyxl raises whatever the broken part made it raise
            raise UnreadableDocumentError(
                f"The workbook cannot be read: {first_line(error)}.",
                remedy="Open it in Excel or Calc and save it again as .xlsx.",
            ) from error


def _shown(cell: Any) -> str:
    """A cell's value as a person writes it: ISO dates, numbers without a trailing zero, percentages as such."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        whole = value.time() == time(0)
        return value.date().isoformat() if whole else value.isoformat(" ", "minutes" if not value.second else "seconds")
    if isinstance(value, (date, time)):
        return value.isoformat() if isinstance(value, date) or value.second else value.isoformat("minutes")
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, (int, float)):
        percent = _PERCENT.search(cell.number_format or "")
        if percent is not None:
            return f"{value * 100:.{len(percent.group(1) or '')}f}%"
        return f"{value:.15g}" if isinstance(value, float) and abs(value) < 1e15 else str(value)
    return str(value)
