"""What is known of an answer is shown in every form: exact answer, doubt, sources, disagreement, date."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from index.types import Hit, Passage, Signals
from rag import Answer, Citation, Claim, Conversation, Disagreement, Statement
from rag.records import (
    answer_from_record,
    answer_record,
    conversation_from_json,
    conversation_to_json,
    conversation_to_markdown,
)
from tests.test_render import HOSTILE, Shape, assert_harmless
from ui.cli.questions import format_answer
from ui.cli.terminal import bold, wrap
from ui.web.render import View, render_conversation, render_pending

MARCH = Citation(1, "a" * 16, "March report", "/march.md", date(2026, 3, 2), None, 0, 9, "There are 12 vessels.")
JUNE = Citation(2, "b" * 16, "June report", "/june.pdf", date(2026, 6, 11), 4, 3, 9, "There are 15 vessels.")
ANSWER = Answer(
    question="As of July 2026, how many vessels are there?",
    standalone_question="As of July 2026, how many vessels are there?",
    statements=(
        Statement("There are 12 vessels.", (1,), 1.0, "supported", (10, 12), sources=3),
        Statement("There are 15 vessels.", (2,), 0.4, "weak", (10, 12), reason="15 is not in the source; it says 16."),
    ),
    citations=(MARCH, JUNE),
    hits=(),
    abstained=False,
    confidence=0.9,
    searched=2,
    disagreements=(Disagreement("number", (Claim("15", 2), Claim("12", 1))),),
    as_of=date(2026, 7, 31),
    undated=1,
)
ABSTENTION = Answer(
    "Who won?", "Who won?", (), (), (), True, 0.1, searched=12, unknown_terms=("won", "chess"),
    as_of=date(2026, 7, 31), undated=2, unread=("a.pdf", "b.pdf", "c.pdf"), unread_count=7,
)  # fmt: skip
LIMIT = "Only documents published by 31 July 2026 were used. 1 document without a date was left out."
DIFFERS = "The sources disagree: “15” (June report, 2026-06-11) [2]; “12” (March report, 2026-03-02) [1]."


def text_of(html: str) -> str:
    import re
    from html import unescape

    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_text_ends_with_the_disagreement_and_the_date() -> None:
    """Each value stands with its own source, and nothing is blended."""
    assert ANSWER.text == f"There are 12 vessels. [1] There are 15 vessels. [2] {DIFFERS} {LIMIT}"


@pytest.mark.parametrize("answer", [ANSWER, ABSTENTION])
def test_record_holds_all_that_is_known_of_an_answer(answer: Answer) -> None:
    """It goes through JSON and comes back as it was."""
    assert answer_from_record(json.loads(json.dumps(answer_record(answer)))) == answer
    conversation = Conversation().add(answer)
    assert conversation_from_json(conversation_to_json(conversation)).turns[0].answer == answer


def test_record_of_an_older_version_is_read() -> None:
    """What it does not hold keeps its default."""
    data = answer_record(ANSWER)
    for name in ("disagreements", "as_of", "undated", "unread", "unread_count"):
        del data[name]
    for statement in data["statements"]:
        for name in ("highlight", "reason", "sources"):
            del statement[name]
    back = answer_from_record(data)
    assert (back.disagreements, back.as_of, back.unread, back.undated, back.unread_count) == ((), None, (), 0, 0)
    assert back.statements[0] == Statement("There are 12 vessels.", (1,), 1.0, "supported")


def test_markdown_export_says_what_is_known() -> None:
    """The exact answer is bold, and the disagreement leads to the same footnotes as the statements."""
    text = conversation_to_markdown(Conversation().add(ANSWER).add(ANSWER))
    assert "There are **12** vessels.[^1] There are **15** vessels.[^2]" in text
    assert "“15” (June report, 2026-06-11) [^4]; “12” (March report, 2026-03-02) [^3]." in text
    assert "*Weakly supported: “There are 15 vessels.” (15 is not in the source; it says 16.)*" in text
    assert f"*{LIMIT}*" in text


def test_terminal_shows_values_side_by_side() -> None:
    """Values stand in a column, then the date, the sources and the doubt."""
    lines = format_answer(ANSWER, {}).split("\n")
    assert lines[0] == "There are 12 vessels. [1] There are 15 vessels. [2] (weakly supported)"
    assert lines[2:5] == [
        "The sources disagree:",
        "    “15”  June report, 2026-06-11, p. 4 [2]",
        "    “12”  March report, 2026-03-02 [1]",
    ]
    assert lines[6] == LIMIT
    assert "    3 independent sources say so" in lines
    assert lines[-1] == (
        "Weakly supported by what it cites: “There are 15 vessels.” — 15 is not in the source; it says 16."
    )


def test_exact_answer_is_bold_at_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe gets no escape sequences; a document cannot make its own."""
    hostile = replace(
        ANSWER.statements[0], text="It \x1b[31mis \x02twelve\x03 now", highlight=(4, 18), citations=(1,), sources=1
    )
    piped = format_answer(replace(ANSWER, statements=(hostile,), disagreements=()), {})
    assert not any(ord(c) < 32 and c != "\n" for c in piped)
    assert wrap(f"It is {bold('twelve')} now") == "It is twelve now"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert wrap(f"It is {bold('twelve')} now") == "It is \x1b[1mtwelve\x1b[0m now"
    lines = format_answer(replace(ANSWER, statements=(hostile,), disagreements=()), {})
    assert lines.count("\x1b") == 2


def test_page_shows_exact_answer_doubt_and_sources() -> None:
    """In words as well as in colour and weight."""
    html = render_conversation(Conversation().add(ANSWER))
    assert '<b class="exact">12</b>' in html
    told = " ".join(text_of(html).replace("\u2060", " ").split())
    assert "There are 12 vessels. 1 ✓ 3 sources say so" in told
    assert "2 ≈ weak 15 is not in the source; it says 16." in told
    assert LIMIT in told
    assert '<b class="exact">12</b>' in render_pending("Why?", ANSWER.statements, ANSWER.citations, 0)


def test_page_sets_disagreeing_values_side_by_side() -> None:
    """Each row leads to the place in its own document."""
    html = render_conversation(Conversation().add(ANSWER))
    assert "≠ The sources disagree 15 June report 11 Jun 2026 · p. 4 2 12 March report 2 Mar 2026 1" in text_of(html)
    rows = [a for tag, a in Shape(html).tags if tag == "button" and "differs" in (a.get("data-key") or "")]
    assert [(a["data-document"], a["data-start"]) for a in rows] == [(JUNE.document_id, "3"), (MARCH.document_id, "0")]
    keys = [a["data-key"] for _, a in Shape(html).tags if "data-key" in a]
    assert len(keys) == len(set(keys))


def test_page_of_an_abstention_says_what_was_not_searched() -> None:
    """Terms found nowhere, undated documents and unread files, each with its label."""
    told = text_of(render_conversation(Conversation().add(ABSTENTION)))
    assert "Not in these documents. 12 documents published by 31 July 2026 were searched" in told
    assert "Found nowhere won , chess" in told
    assert "Left out 2 documents without a date" in told
    assert "Not readable a.pdf, b.pdf, c.pdf and 4 more" in told


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words_in_all_of_it(words: str) -> None:
    """No value, reason, name or term can add a tag or an attribute to the page."""
    cited = replace(MARCH, title=words, quote=words)
    hit = Hit(Passage("a" * 16, 0, len(words), words, None, words), 1.0, 1, Signals())
    answers = [
        replace(
            ANSWER,
            statements=(Statement(words, (1,), 0.0, "unsupported", (1, len(words) - 1), words, 2),),
            citations=(cited, replace(cited, marker=2)),
            disagreements=(Disagreement("name", (Claim(words, 2), Claim(words, 1))),),
        ),
        replace(ABSTENTION, unknown_terms=(words,), unread=(words,), hits=(hit,)),
    ]
    for answer in answers:
        assert_harmless(render_conversation(Conversation().add(answer), "", View(titles={"a" * 16: words})))
        assert not any(ord(c) < 32 and c != "\n" for c in format_answer(answer, {}))
