"""Reading a pickle that an untrusted process wrote: only data comes out of it, no call of anything that acts."""

from __future__ import annotations

import dataclasses
import enum
import io
import pickle
import sys
from typing import Any

_PLAIN = {
    "builtins": {"set", "frozenset", "complex", "range", "slice"},
    "datetime": {"date", "datetime", "time", "timedelta", "timezone"},
    "collections": {"OrderedDict", "deque"},
    "decimal": {"Decimal"},
    "pathlib": {"Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"},
}
_PLAIN["pathlib._local"] = _PLAIN["pathlib"]  # where Python 3.13 says they are


class _Reader(pickle.Unpickler):
    def __init__(self, data: bytes | bytearray, package: str) -> None:
        super().__init__(io.BytesIO(data))
        self._packages = {package, "index"}

    def find_class(self, module: str, name: str) -> Any:
        if name in _PLAIN.get(module, ()):
            return getattr(sys.modules.get(module) or __import__(module), name)
        if (module, name) == ("index.errors", "_rebuild"):
            return super().find_class(module, name)
        if module.split(".")[0] in self._packages and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and (
                dataclasses.is_dataclass(found) or issubclass(found, (Exception, enum.Enum)) or _is_named_tuple(found)
            ):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is not plain data")


def loads(data: bytes | bytearray, package: str) -> Any:
    """Read a pickle of plain values.

    Args:
        data: The pickle.
        package: The top-level package whose data classes, named tuples, enumerations and errors it may hold beside
            those of `index`, and beside numbers, texts, bytes, dates, paths and containers of them.

    Returns:
        The object.

    Raises:
        pickle.UnpicklingError: It holds anything else. A damaged pickle may raise any exception.
    """
    return _Reader(data, package).load()


def _is_named_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields")
