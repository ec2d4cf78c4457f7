"""What the page names to the browser ahead of time is what the browser needs, and is fetched once.

After an update of Gradio, or with a new kind of component on the page,
`DOSSIER_WRITE_ASSETS=1 pytest tests/browser/test_assets.py` writes the list anew.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import Served, Visit
from ui.web.assets import NAMES

pytestmark = pytest.mark.browser
SCRIPT_OF_THE_PAGE = "/static/js/iframeResizer.contentWindow.min.js"


def test_files_named_ahead_are_those_the_page_asks_for(chromium: Any, served: Served) -> None:
    """Neither more (it would be fetched in vain) nor less (it would be found late), and none twice."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    visit = Visit(context.new_page())
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.open(served.url)
    visit.page.wait_for_timeout(6_000)  # after some seconds Chromium complains of what was fetched in vain
    context.close()
    names = [path.removeprefix("/assets/") for url in asked if (path := urlsplit(url).path).startswith("/assets/")]
    if os.environ.get("DOSSIER_WRITE_ASSETS") == "1":
        NAMES.write_text("\n".join(dict.fromkeys(names)) + "\n", encoding="utf-8")
    assert set(names) == set(NAMES.read_text(encoding="utf-8").split())
    assert {name: count for name, count in Counter(names).items() if count > 1} == {}
    assert visit.complaints == []
    # A browser reads the reply's head before the page, and so asks for all of them before what stands in the page.
    paths = [urlsplit(url).path for url in asked]
    assert max(n for n, path in enumerate(paths) if path.startswith("/assets/")) < paths.index(SCRIPT_OF_THE_PAGE)
