"""Gradio comes in without its stub files, and nothing else is changed by that."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conftest import ROOT

CODE = """
import ast, collections, inspect
usual, parsed = inspect.getfile, collections.Counter()
real = ast.parse
def counting(*given, **more):
    parsed["all"] += 1
    return real(*given, **more)
ast.parse = counting
from ui.web.toolkit import gr
while_imported = parsed["all"]
assert inspect.getfile is usual
assert inspect.getfile(gr.HTML).endswith("html.py")
with gr.Blocks() as page:
    button = gr.Button("Press")
    shown = gr.HTML("<p>words</p>")
    button.click(lambda: "<p>others</p>", None, shown)
assert len(page.fns) == 1
print(while_imported)
"""


def test_gradio_is_whole_and_parsed_no_source_of_its_own() -> None:
    """Components and events work as ever; importing parses next to nothing (hundreds of files otherwise)."""
    environment = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 20
