"""Gradio, without writing its stub files: `from ui.web.toolkit import gr`.

While Gradio is imported, each component reads and parses its own source file to write a stub file (`.pyi`) for editors
beside it. Nothing that runs needs those, and they are nearly half of the time of the import (`python bench/page.py`
shows the time to the address). Gradio leaves them out for a class whose file cannot be found, so none is.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def _without_stubs() -> Iterator[None]:
    """No file is found for Gradio's classes meanwhile; all others are found as usual."""
    usual = inspect.getfile

    def getfile(found: Any) -> str:
        if inspect.isclass(found) and found.__module__.startswith("gradio."):
            raise OSError("not looked for while Gradio is imported")
        return usual(found)

    inspect.getfile = getfile  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = usual


try:
    with _without_stubs():
        import gradio as gr
except OSError:  # another version of Gradio, which must find its files
    for name in [n for n in sys.modules if n.partition(".")[0] == "gradio"]:
        del sys.modules[name]
    import gradio as gr

__all__ = ["gr"]
