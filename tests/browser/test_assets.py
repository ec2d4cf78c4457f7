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


def assets(paths: list[str]) -> list[str]:
    return [path.removeprefix("/assets/") for path in paths if path.startswith("/assets/")]


def load(chromium: Any, url: str, *, told: bool) -> list[str]:
    """Open the page in a new browser; gives the paths it asked for, in order. `told`: with the `Link` header."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    visit = Visit(context.new_page())
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(urlsplit(request.url).path))

    def without_link(route: Any) -> None:
        reply = route.fetch()
        route.fulfill(response=reply, headers={k: v for k, v in reply.headers.items() if k.lower() != "link"})

    if not told:
        visit.page.route(url, without_link)
    visit.open(url)
    visit.page.wait_for_timeout(2_000)  # the network is never idle: the page keeps a connection open
    context.close()
    assert visit.complaints == []
    return asked


def test_files_named_ahead_are_those_the_page_asks_for(chromium: Any, served: Served) -> None:
    """Neither more (it would be fetched in vain) nor less (it would be found late), and none twice."""
    found_out = assets(load(chromium, served.url, told=False))
    if os.environ.get("DOSSIER_WRITE_ASSETS") == "1":
        NAMES.write_text("\n".join(dict.fromkeys(found_out)) + "\n", encoding="utf-8")
    assert set(found_out) == set(NAMES.read_text(encoding="utf-8").split())
    asked = load(chromium, served.url, told=True)
    assert {name: count for name, count in Counter(assets(asked)).items() if count > 1} == {}
    assert set(assets(asked)) == set(found_out)
    # A browser reads the reply's head before the page, and so asks for all of them before what stands in the page.
    last = max(n for n, path in enumerate(asked) if path.startswith("/assets/"))
    assert last < asked.index(SCRIPT_OF_THE_PAGE)
