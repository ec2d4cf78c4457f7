"""Dialogs as HTML: forms whose fields the page's script sends back. Pure; everything from outside is escaped, once."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rag.llm import KINDS
from rag.types import Answer, Turn
from ui.web.checkup import Choice
from ui.web.render import place_and_time
from ui.web.render_why import plain
from ui.web.strings import count, say


def _dialog(title: str, body: str, *, act: str = "", save: str = "", more: str = "", **hidden: str) -> str:
    """A dialog: with `act`, a form that sends its fields; else something to read and close; `more` are buttons."""
    kept = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in hidden.items())
    close = escape(say("dialog.cancel" if act else "dialog.close"))
    done = f'<button class="primary">{escape(say(save))}</button>' if act else ""
    return (
        f'<form data-form="{act}" novalidate><h2 id="dialog-title">{escape(title)}</h2>{kept}{body}'
        f'<div class="buttons">{f"""<span class="more">{more}</span>""" if more else ""}'
        f'<button type="button" data-act="close-dialog">{close}</button>{done}</div></form>'
    )


def _text(name: str, label: str, value: str = "", *, lines: int = 1, about: str = "") -> str:
    told = f"<small>{escape(say(about))}</small>" if about else ""
    field = (
        f'<textarea name="{name}" rows="{lines}" dir="auto">{escape(value)}</textarea>'
        if lines > 1
        else f'<input name="{name}" value="{escape(value)}" dir="auto" autocomplete="off">'
    )
    return f'<label class="field"><span>{escape(say(label))}</span>{field}{told}</label>'


def render_rename(talk: str, title: str) -> str:
    """Ask for another title of a conversation."""
    return _dialog(
        say("rename.title"), _text("title", "rename.label", title), act="rename", save="rename.save", id=talk
    )


def render_rate(turn: int, rating: int) -> str:
    """Ask for a comment on a rating."""
    title = say("rate.good" if rating > 0 else "rate.bad")
    body = _text("comment", "rate.comment", lines=3)
    return _dialog(title, body, act="rate", save="rate.save", turn=str(turn), rating=str(rating))


def render_edit(turn: int, question: Turn, after: int = 0) -> str:
    """Ask for another wording of a question, or of the question as it was searched; `after` counts those after it."""
    standalone = question.standalone_question or ""
    shown = standalone if standalone != question.question else ""
    body = _text("question", "edit.question", question.question, lines=3) + _text(
        "standalone", "edit.standalone", shown, lines=2, about="edit.standalone.about"
    )
    if after:
        body = f'<p class="about">{escape(count("edit.after", after))}</p>{body}'
    return _dialog(say("edit.title"), body, act="edit", save="edit.save", turn=str(turn))


def render_test(turn: int, answer: Answer) -> str:
    """Ask what is right about an answer, to keep it as a case of evaluation."""
    exact = next((s.text[s.highlight[0] : s.highlight[1]] for s in answer.statements if s.highlight), "")
    places = "".join(
        f'<label class="check"><input type="checkbox" name="evidence" value="{c.marker}"'
        f"{' checked' if c.marker == 1 else ''}>"
        f'<span><b dir="auto">{escape(plain(c.title))}</b> <i>{escape(place_and_time(c))}</i>'
        f'<q dir="auto">{escape(plain(c.quote)[:300])}</q></span></label>'
        for c in answer.citations
    )
    fields = f"<fieldset><legend>{escape(say('test.evidence'))}</legend>{places}</fieldset>" if places else ""
    checked = "" if answer.abstained else " checked"
    body = (
        f'<p class="about">{escape(say("test.about"))}</p>'
        f"{_text('question', 'test.question', answer.question, lines=2)}"
        f'<label class="check"><input type="checkbox" name="answerable" value="1"{checked}>'
        f"<span>{escape(say('test.answerable'))}</span></label>{_text('reference', 'test.reference', exact)}{fields}"
    )
    return _dialog(say("test.title"), body, act="test", save="test.save", turn=str(turn))


def render_settings(
    sections: Sequence[tuple[str, Sequence[tuple[str, str]]]],
    form: Sequence[Choice] = (),
    *,
    has_key: bool = False,
    file: str = "",
) -> str:
    """Show settings, and a button that tries them; with a form, to be changed.

    Args:
        sections: Title and rows of label and value, none of them secret; the first is what the form is about.
        form: What can be changed; empty for those who may not.
        has_key: Whether the environment holds the key that the settings name.
        file: Name of the file that they are saved in.
    """
    parts = [_choices(form, has_key)] if form else []
    for title, rows in sections[1:] if form else sections:
        listed = "".join(f'<dt>{escape(label)}</dt><dd dir="auto">{escape(value)}</dd>' for label, value in rows)
        parts.append(f"<h3>{escape(title)}</h3><dl>{listed}</dl>")
    tested = '<div id="tested" role="status"></div>'
    test = f'<button type="button" data-act="try-settings">{escape(say("settings.test"))}</button>'
    about = say("settings.about.form", file=file) if form else say("settings.about")
    body = f'<p class="about">{escape(about)}</p>{"".join(parts)}{tested}'
    if form:
        return _dialog(say("settings.title"), body, act="settings", save="settings.save", more=test)
    return _dialog(say("settings.title"), body, more=test)


def _choices(form: Sequence[Choice], has_key: bool) -> str:
    by_name = {choice.name: choice for choice in form}
    kinds = [("", say("settings.llm.none")), *((kind, say(f"settings.llm.{kind}")) for kind in KINDS)]
    modes = [(mode, say(f"settings.mode.{mode}")) for mode in ("flag", "strict", "off")]
    key = by_name["llm_key"].value or "DOSSIER_LLM_KEY"
    about = {
        "llm_url": say("settings.llm_url.about"),
        "llm_model": say("settings.llm_model.about"),
        "llm_key": say(f"settings.llm_key.{'set' if has_key else 'unset'}", name=key),
    }
    model = "".join(_changeable(by_name[name], f"settings.{name}", told) for name, told in about.items())
    return (
        f"{_changeable(by_name['llm'], 'settings.llm', say('settings.llm.about'), kinds)}"
        f'<div class="model">{model}'
        f"{_changeable(by_name['grounding'], 'settings.mode', say('settings.mode.about'), modes)}</div>"
    )


def _changeable(choice: Choice, label: str, about: str, options: Sequence[tuple[str, str]] = ()) -> str:
    """A field of the form, to type into or, with options, to choose from; closed if the environment decides."""
    closed = " disabled" if choice.fixed_by else ""
    if options:
        listed = "".join(
            f'<option value="{escape(value)}"{" selected" if value == choice.value else ""}>{escape(text)}</option>'
            for value, text in options
        )
        field = f'<select name="{choice.name}"{closed}>{listed}</select>'
    else:
        field = (
            f'<input name="{choice.name}" value="{escape(choice.value)}" dir="auto" autocomplete="off" '
            f'autocapitalize="none" spellcheck="false"{closed}>'
        )
    told = say("settings.fixed", name=choice.fixed_by) if choice.fixed_by else about
    small = f"<small>{escape(told)}</small>" if told else ""
    return f'<label class="field"><span>{escape(say(label))}</span>{field}{small}</label>'


def render_tried(lines: Sequence[tuple[bool, str, str]]) -> str:
    """Draw what came of trying the settings: whether it is well, what was found, what to do."""
    rows = "".join(
        f'<li class="{"well" if well else "failed"}">'
        f'<span class="sign" aria-hidden="true">{"✓" if well else "!"}</span>'
        f"<span>{escape(text)}{f'<small>{escape(remedy)}</small>' if remedy else ''}</span></li>"
        for well, text, remedy in lines
    )
    return f'<ul class="tried">{rows}</ul>'


_KEYS = (
    (("/",), "help.slash"), (("n",), "help.n"), (("j", "k"), "help.j"), (("Enter",), "help.enter"),
    (("f",), "help.f"), (("←", "→"), "help.page"), (("+", "−"), "help.zoom"), (("Esc",), "help.esc"),
    (("?",), "help.question"),
)  # fmt: skip


def render_help() -> str:
    """Show the keys and what the marks mean."""
    keys = "".join(
        f"<dt>{' '.join(f'<kbd>{escape(key)}</kbd>' for key in names)}</dt><dd>{escape(say(label))}</dd>"
        for names, label in _KEYS
    )
    marks = "".join(
        f"<dt>{sign}</dt><dd>{escape(say(f'verdict.{name}'))}</dd>"
        for sign, name in (("✓", "supported"), ("≈", "weak"), ("!", "unsupported"))
    )
    split = f'<p class="about">{escape(say("help.split"))}</p>'
    body = f'<dl class="keys">{keys}</dl>{split}<h3>{escape(say("help.marks"))}</h3><dl class="keys">{marks}</dl>'
    return _dialog(say("help.title"), body)
