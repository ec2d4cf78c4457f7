"""One question back: which of several documents a question such as "what about the policy?" means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.followup.history import History
from rag.types import Answer, Option
from rag.words import STOP_WORDS

if TYPE_CHECKING:
    from index.library import Library

_VAGUE = re.compile(
    r"^\W*(?:(?:and|so|ok|okay|please|hi|hello)\W+)*(?:"
    r"what about|how about|(?:can|could|would) you (?:please )?(?:tell me (?:more )?about|explain|"
    r"describe|summari[sz]e|"
    r"show me)|tell me (?:more |something |everything )?about|i (?:want|would like|need|'d like) (?:to know (?:more |"
    r"something )?about|information (?:on|about))|(?:please )?(?:explain|describe|summari[sz]e|show me|give me|"
    r"(?:information|info|details) (?:on|about))|what (?:does|do|did) (?=.*\b(?:say|says|state|"
    r"contain|cover|mean)\W*$)|"
    r"what(?: is|'s| are|was|were)? (?:in|with)|what do you know about|anything (?:on|about))\s+(?P<what>.+)$",
    re.IGNORECASE,
)
_BARE = re.compile(r"^\W*(?P<what>(?:the|our|this) [\w-]+(?: [\w-]+)?)\s*\?*$", re.IGNORECASE)
_EMPTY = frozenset("say says state contain cover mean more details information main content contents summary".split())
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_ORDINALS = {
    "first": 0, "1st": 0, "one": 0, "1": 0, "second": 1, "2nd": 1, "two": 1, "2": 1, "third": 2, "3rd": 2, "three": 2,
    "3": 2, "fourth": 3, "4th": 3, "four": 3, "4": 3, "fifth": 4, "5th": 4, "five": 4, "5": 4, "sixth": 5, "six": 5,
    "6": 5, "last": -1, "latter": -1, "former": 0,
}  # fmt: skip
_CHOICE = re.compile(
    r"^\W*(?:(?:i mean|i meant|yes|ok|okay|please|sorry|take|give me|let's take|about)\W+)*(?:the |"
    r"number |no\.? |option |#|\()*"
    r"(?P<which>\w+)\)?(?: (?:one|ones|document|option|please))*(?:\W+|$)(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_FETCHED, _MOST = 200, 6
_WORDS = 2  # a question of more telling words is no longer vague


def find_options(question: str, history: History, library: Library) -> tuple[Option, ...]:
    """Find what a vague question may mean.

    Args:
        question: As typed.
        history: What was said before; a question about the only one of the documents that was cited is not vague.
        library: Whose documents and headings are looked through.

    Returns:
        At least two documents, or headings, that have all telling words of the question in their titles; empty if the
        question is plain enough.
    """
    match = _VAGUE.match(question) or (_BARE.match(question) if not history.questions else None)
    if match is None:
        return ()
    words = [m.group() for m in _WORD.finditer(match["what"])]
    words = [w for w in words if w.lower() not in STOP_WORDS and w.lower() not in _EMPTY]
    terms = {t for w in words for t in library.lexical.terms(w)}
    if not terms or len(words) > _WORDS:
        return ()
    said = {t for q in history.questions for t in library.lexical.terms(q)}
    options = _titled(terms, library) or ([] if history.questions else _headed(terms, library))
    cited = {c.document_id for t in history.turns if t.answer is not None for c in t.answer.citations}
    meant = [option for option in options if option.document_id in cited]
    if len(options) < 2 or len(meant) == 1 or (terms <= said and meant):
        return ()
    return tuple(options[:_MOST])


def _titled(terms: set[str], library: Library) -> list[Option]:
    """Documents with all terms in their titles, the most telling first."""
    found = library.lexical.search(dict.fromkeys(terms, 1.0), _FETCHED)
    ids = list(dict.fromkeys(name.rsplit(":", 1)[0] for name, _ in found))
    infos = {info.id: info for info in library.documents(ids)} if ids else {}
    held = [infos[i] for i in ids if i in infos and terms <= set(library.lexical.terms(infos[i].title))]
    titles = [info.title for info in held]
    options = []
    for info in held:
        when = f" ({info.published.isoformat()})" if titles.count(info.title) > 1 and info.published else ""
        options.append(Option(f"{info.title}{when}", info.id))
    return options


def _headed(terms: set[str], library: Library) -> list[Option]:
    """Headings that have all terms, each of another document."""
    names = [name for name, _ in library.lexical.search(dict.fromkeys(terms, 1.0), _FETCHED)]
    passages = library.catalog.get_passages(names) if names else {}
    found: dict[str, Option] = {}
    for name in names:
        passage = passages.get(name)
        if passage is None or passage.document_id in found:
            continue
        last = passage.heading.rsplit(" › ", 1)[-1]
        if last and terms <= set(library.lexical.terms(last)):
            found[passage.document_id] = Option(last, passage.document_id, last)
    infos = {info.id: info.title for info in library.documents(list(found))} if len(found) > 1 else {}
    return [Option(f"{o.text} ({infos[o.document_id]})", o.document_id, o.heading) for o in found.values() if infos]


def question_back(options: Sequence[Option]) -> str:
    """Ask which of the options is meant."""
    listed = [f"({n}) “{option.text.strip('“”')}”" for n, option in enumerate(options, 1)]
    return f"Which one do you mean: {', '.join(listed[:-1])} or {listed[-1]}?"


def choose(question: str, answer: Answer, library: Library) -> tuple[Option, str] | None:
    """Read the reply to a question back.

    Args:
        question: What the person typed next.
        answer: The clarification.
        library: Gives index terms.

    Returns:
        The option that is meant, by its number or by words that no other option has, and what else was asked; `None`
        if the person asked something else.
    """
    options = answer.clarify
    match = _CHOICE.match(question)
    if match is not None:
        number = _ORDINALS.get(match["which"].lower())
        if number is not None and number < len(options):
            return options[number], match["rest"].strip()
    head, rest = re.match(r"\s*([^.?!:;]*)[.?!:;]*\s*(.*)", question, re.DOTALL).groups()  # type: ignore[union-attr]  # matches any text
    own = {
        t for m in _WORD.finditer(head) if m.group().lower() not in STOP_WORDS for t in library.lexical.terms(m.group())
    }
    held = [set(library.lexical.terms(option.text)) for option in options]
    shared = set.intersection(*held) if held else set()
    own -= shared
    scores = [len(own & terms) for terms in held]
    best = max(scores, default=0)
    if best == 0 or scores.count(best) > 1 or len(own) - best > max(1, best):
        return None
    more = rest.strip() or (question if len(own) > best else "")
    return options[scores.index(best)], more
