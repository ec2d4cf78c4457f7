"""The page's parts: library, conversation and source side by side, and which event each of them sends where."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from ui.web.icons import icon
from ui.web.page import Page
from ui.web.strings import say, script_texts
from ui.web.toolkit import gr

_HERE = Path(__file__).parent
_SCRIPTS = ("ask_server", "source", "cards", "panes", "talks", "acts", "uploads", "keys", "alive")
_STYLES = ("base", "library", "talk", "source", "dialogs", "narrow")


def read_style() -> str:
    """The page's style sheet."""
    return "\n".join((_HERE / "style" / f"{name}.css").read_text(encoding="utf-8") for name in _STYLES)


def _script() -> str:
    """The page's script; it runs once, inside the component that holds the source panel."""
    texts = f"const TEXTS = {json.dumps(script_texts())};\n"
    return texts + "\n".join((_HERE / "script" / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)


def _html(value: str = "", *, element: str | None = None, **options: Any) -> Any:
    return gr.HTML(value, elem_id=element, apply_default_css=False, **{"js_on_load": None, **options})


# The names in quotes are the events this component sends, see gr.HTML. "refresh" draws the list of documents anew.
_FOLLOW = (
    "watch('value', () => window.dossier?.follow());"
    "window.dossierSend = (name, data) => trigger({again: 'again', resume: 'resume', refresh: 'refresh'}"
    "[name], data);"
)


def build_blocks(page: Page, *, signed_in: bool = False) -> Any:
    """Build the Gradio blocks of a page.

    Args:
        page: What its events do.
        signed_in: Whether people sign in, and so can sign out.
    """

    def act(data: dict[str, Any], request: gr.Request) -> dict[str, Any]:
        return page.acts.do(page.who(request), data if isinstance(data, dict) else {})

    with gr.Blocks(title="Dossier", fill_width=True, analytics_enabled=False) as blocks:
        conversation_id = gr.Textbox(visible="hidden", elem_id="conversation-id")
        chosen = gr.Textbox(visible="hidden", elem_id="chosen")
        with gr.Row(elem_id="house"):
            with gr.Column(elem_id="library-pane", scale=0, min_width=0):
                _html(_brand(), element="brand")
                new = gr.Button(say("new"), elem_id="new", size="sm")
                _html(_tabs(), element="tabs")
                where = gr.Textbox(
                    elem_id="filter",
                    label=say("docs.filter"),
                    show_label=False,
                    container=False,
                    placeholder=say("docs.filter.hint"),
                    max_lines=1,
                    html_attributes=gr.InputHTMLAttributes(autocomplete="off", spellcheck=False),
                )
                filter_note = _html(element="filter-note")
                library = _html(element="library")
                status = _html(element="status")
                seen = gr.State("")
                _html(_uploads(), element="uploads")
            with gr.Column(elem_id="talk-pane", scale=1, min_width=0):
                _html(_top_bar(signed_in), element="top-bar")
                conversation = _html(element="conversation", js_on_load=_FOLLOW)
                box = gr.Textbox(
                    elem_id="question",
                    label=say("question"),
                    placeholder=say("question.hint"),
                    show_label=False,
                    container=False,
                    submit_btn=True,
                    autofocus=True,
                    max_lines=6,
                    html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
                )
            with gr.Column(elem_id="source-pane", scale=0, min_width=0):
                panel = f'<aside id="source" aria-label="{escape(say("pane.source"))}" tabindex="-1"></aside>'
                _html(panel, js_on_load=_script(), server_functions=[act])
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        talk = [conversation, conversation_id, box]
        opening = blocks.load(page.open, None, [conversation, conversation_id, library, status, seen], **private)
        ticks = [library, status, conversation, seen]
        gr.Timer(2.0).tick(page.tick, [seen, where, conversation_id], ticks, **private)
        where.change(page.filter, where, [library, filter_note], trigger_mode="always_last", **private)
        # How many answers are made at once is decided in the page, so that those who wait are told so.
        answering: dict[str, Any] = {"concurrency_limit": 100, "concurrency_id": "answers", **private}
        asking = box.submit(page.ask, [box, conversation_id, where, chosen], talk, **answering)
        again = conversation.again(page.again, [conversation_id, where, chosen], talk, **answering)
        # The listener that cancels has no function of its own: Gradio would run that first.
        stopping = box.stop(None, None, None, cancels=[asking, again], **private)
        stopping.then(page.stop, conversation_id, [conversation, box], **private)
        leave = "() => window.dossier?.startAnew()"
        leaving = new.click(None, None, None, cancels=[asking, again], js=leave, **private)
        leaving.then(page.start_anew, None, talk, **private)
        resuming = conversation.resume(page.resume, None, talk, **private)
        for shown in (opening, resuming):  # an answer may be on its way, asked for before
            shown.then(page.watch, conversation_id, talk, **answering)
        conversation.refresh(page.filter, where, [library, filter_note], trigger_mode="always_last", **private)
        conversation_id.change(None, conversation_id, None, js="(id) => window.dossier?.link(id)", **private)
    return blocks


def _button(act: str, name: str, label: str, about: str = "") -> str:
    told = escape(say(about or label))
    return (
        f'<button type="button" class="icon" data-act="{act}" aria-label="{told}" title="{told}">{icon(name)}</button>'
    )


def _brand() -> str:
    close = escape(say("top.close"))
    return (
        f'<div class="brand"><b>Dossier</b><span>{escape(say("brand.claim"))}</span></div>'
        f'<button type="button" class="close drawer" data-drawer aria-label="{close}">×</button>'
    )


def _tabs() -> str:
    tabs = "".join(
        f'<button type="button" role="tab" id="tab-{name}" data-tab="{name}" aria-controls="{panel}" '
        f'aria-selected="{"true" if name == "documents" else "false"}">{escape(say(f"tab.{name}"))}</button>'
        for name, panel in (("documents", "library"), ("talks", "talks"))
    )
    search = escape(say("talks.search"))
    return (
        f'<div role="tablist" aria-label="{escape(say("pane.library"))}">{tabs}</div>'
        f'<div id="talks" role="tabpanel" aria-labelledby="tab-talks" hidden><input type="search" id="talks-search" '
        f'placeholder="{search}" aria-label="{search}" autocomplete="off"><div id="talks-list"></div></div>'
    )


def _uploads() -> str:
    return (
        f'<p id="chosen-note" role="status" hidden><span></span> '
        '<button type="button" class="small" data-act="choose-all">'
        f"{escape(say('docs.all'))}</button></p>"
        f'<button type="button" id="upload" data-act="upload">{escape(say("docs.add"))}</button>'
        '<input type="file" id="upload-files" multiple hidden tabindex="-1" aria-hidden="true">'
        f'<div id="outcomes" role="status"></div><div id="drop" hidden>{escape(say("docs.drop"))}</div>'
    )


def _top_bar(signed_in: bool) -> str:
    label = escape(say("top.open"))
    leave = (
        f'<form method="post" action="/logout"><button class="icon" aria-label="{escape(say("top.leave"))}" '
        f'title="{escape(say("top.leave"))}">{icon("leave")}</button></form>'
        if signed_in
        else ""
    )
    return (
        f'<button type="button" class="icon menu" data-drawer aria-label="{label}" aria-expanded="false" '
        f'aria-controls="library-pane">{icon("menu")}</button><b>Dossier</b><span class="space"></span>'
        f"{_button('share', 'share', 'top.share', 'top.share.about')}"
        f"{_button('export', 'export', 'top.export', 'top.export.about')}"
        f"{_button('settings', 'settings', 'top.settings')}{_button('help', 'help', 'top.help')}{leave}"
    )
