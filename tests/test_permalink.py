"""Links to a span: their text form, and finding the quote again after the document has changed."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import DocumentError
from index.permalink import Located, Permalink, hash_quote, locate, make_permalink, parse_permalink

ABOUT = (
    "harbour vessel crane cargo berth pilot storm signal engine anchor ledger inspector contract dredger channel "
    "ferry timetable passenger lighthouse keeper insurance salvage warehouse customs officer container tide survey"
).split()
OTHER = (
    "violin orchard recipe galaxy protein sonata marble glacier democracy photon bakery cathedral alphabet molecule "
    "tournament pottery vaccine sculpture hypothesis mushroom verse telescope enzyme parliament saffron quilt"
).split()
DOCUMENT = (
    "The Strait Authority was founded in 1962.\n\n"
    "It operates 14 patrol vessels and two tugs from the north harbour. "
    "In March the inspector found cracks in the second crane, and the work on the pier was suspended. "
    "Nobody was hurt.\n\n"
    "The ferry runs twice a day in winter. The ferry runs four times a day in summer.\n"
)


def sentence(words: list[str], chance: random.Random, length: int) -> str:
    return " ".join(chance.choice(words) for _ in range(length)).capitalize() + "."


def prose(words: list[str], seed: int, sentences: int = 12) -> list[str]:
    chance = random.Random(seed)
    made = dict.fromkeys(sentence(words, chance, chance.randrange(9, 16)) for _ in range(sentences))
    return list(made)


def state(found: Located | None) -> str:
    return "gone" if found is None else found.state


@given(st.text("0123456789abcdef", min_size=16, max_size=16), st.integers(0, 10**9), st.integers(1, 10**6), st.text())
def test_text_form_reads_back(document_id: str, start: int, length: int, quote: str) -> None:
    """A link written out and read again is the same link, and knows its quote."""
    link = make_permalink(document_id, start, start + length, quote)
    assert parse_permalink(f" {link}\n") == link
    assert link.names(quote)
    assert not link.names(quote + " more")


def test_text_form_is_as_published() -> None:
    """Other programs hold links; their form does not change."""
    link = Permalink("0123456789abcdef", 12, 30, hash_quote("two  tugs\nfrom the north"))
    assert str(link) == "dossier://0123456789abcdef/12-30#" + hash_quote("two tugs from the north")
    assert hash_quote("abc") == "ba7816bf8f01cfea"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dossier://",
        "http://0123456789abcdef/1-2#0123456789abcdef",
        "dossier://0123456789abcde/1-2#0123456789abcdef",
        "dossier://0123456789abcdef/2-2#0123456789abcdef",
        "dossier://0123456789abcdef/-1-2#0123456789abcdef",
        "dossier://0123456789abcdef/1-2#0123456789abcdef/..",
        "dossier://0123456789abcdef/1-2",
        "dossier://0123456789abcdef/1-" + "9" * 40 + "#0123456789abcdef",
    ],
)
def test_what_is_no_link_is_refused(text: str) -> None:
    """A cut-off or foreign address is named in the error."""
    with pytest.raises(DocumentError, match="not a link"):
        parse_permalink(text)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 11), st.data())
def test_quote_survives_changes_elsewhere(seed: int, other: int, which: int, data: st.DataObject) -> None:
    """Whatever is put in or taken out before and after a sentence, it is found with its exact offsets."""
    sentences = prose(ABOUT, seed)
    quote = sentences[which % len(sentences)]
    before, after = " ".join(sentences[:which]), " ".join(sentences[which + 1 :])
    hint = len(before) + 1 if before else 0
    cut = data.draw(st.integers(0, len(before)))
    inserted = " ".join(prose(OTHER, other, data.draw(st.integers(0, 8))))
    kept = before[cut:] if data.draw(st.booleans()) else before
    text = f"{inserted} {kept} {quote} {after[: data.draw(st.integers(0, len(after)))]}"
    found = locate(quote, text, hint)
    assert found is not None
    assert text[found.start : found.end] == quote
    assert found.state == ("same" if found.start == hint else "moved")


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 11), st.integers(0, 8), st.sampled_from(OTHER), st.booleans())
def test_one_edited_word_leads_to_the_edited_sentence(seed: int, which: int, word: int, new: str, insert: bool) -> None:
    """A word replaced or put in: the link says so and shows exactly the sentence as it is now."""
    sentences = prose(ABOUT, seed)
    which %= len(sentences)
    quote, hint = sentences[which], len(" ".join(sentences[:which])) + (which > 0)
    words = quote.rstrip(".").split()
    word = max(word, 1) if insert else word  # put in before the first word, it leaves the quote as it was
    words[word : word + (0 if insert else 1)] = [new.capitalize() if word == 0 else new]
    edited = " ".join(words) + "."
    sentences[which] = edited
    text = " ".join([*prose(OTHER, seed, 3), *sentences])
    found = locate(quote, text, hint)
    assert found is not None
    assert (found.state, text[found.start : found.end]) == ("changed", edited)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 5000))
def test_unrelated_text_does_not_hold_the_quote(seed: int, hint: int) -> None:
    """A text about something else: gone."""
    assert locate(prose(ABOUT, seed)[0], " ".join(prose(OTHER, seed, 30)), hint) is None


@settings(deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 3), min_size=2, max_size=6), st.data())
def test_repeated_quote_is_found_nearest_to_its_old_place(seed: int, gaps: list[int], data: st.DataObject) -> None:
    """Of equal sentences the one nearest to the old offset is meant."""
    quote = prose(ABOUT, seed)[0]
    text = "".join(" ".join(prose(OTHER, seed + i, gap + 1)) + f" {quote}\n" for i, gap in enumerate(gaps))
    places = [i for i in range(len(text)) if text.startswith(quote, i)]
    hint = data.draw(st.integers(-5, len(text) + 50))
    found = locate(quote, text, hint)
    assert found is not None
    assert found.start in places
    assert abs(found.start - hint) == min(abs(place - hint) for place in places)


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("the pier was suspended", "In March the pier\n   was sus-\npended."),
        ('He said "no" - twice', "He said “no” — twice…"),
        ("an efficient office", "an e\ufb03cient o\ufb03ce"),
        ("well-known harbours", "many well\u2011known\u00a0harbours"),
        ("co\u00adoperation began", "the cooperation\u200b began"),
        ("a dossier of e\ufb03", "a  dossier of effi"),
    ],
)
def test_other_typography_is_no_change(quote: str, text: str) -> None:
    """Line breaks, hyphens, quotes, ligatures and invisible characters do not make other words of it."""
    found = locate(quote, text, 400)
    assert found is not None
    assert found.state == "moved"
    assert text[found.start : found.end].split()[0][:1] == quote[:1]
    assert not text[found.start : found.end].startswith(" ")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("14 patrol vessels and two tugs", "17 patrol vessels and two tugs", "changed"),
        ("found cracks in", "found dangerous cracks along and in", "changed"),
        (", and the work on the pier was suspended", "", "changed"),
        ("It operates 14 patrol vessels and two tugs from the north harbour. ", "", "gone"),
        ("The ferry runs twice a day in winter. ", "", "gone"),
        ("The Strait Authority was founded in 1962.", "The Strait Authority has a new chairman.", "gone"),
        ("Nobody was hurt.", "Everybody was paid.", "gone"),
    ],
)
def test_edit_of_a_sentence_is_told_from_its_removal(old: str, new: str, expected: str) -> None:
    """A corrected number or clause is a change; another sentence on the same topic is not."""
    quotes = [s for p in DOCUMENT.split("\n\n") for s in p.strip().replace(". ", ".\0").split("\0")]
    quote = next(q for q in quotes if old.strip()[:30] in q)
    text = DOCUMENT.replace(old, new)
    assert text != DOCUMENT
    if "twice" in old:
        # The summer timetable differs in two words, one of them the only one that matters.
        found = locate(quote, text, DOCUMENT.index(quote))
        assert found is None or text[found.start : found.end] == "The ferry runs four times a day in summer."
        return
    assert state(locate(quote, text, DOCUMENT.index(quote))) == expected


def test_changed_sentence_is_shown_whole() -> None:
    """The span after a change begins and ends with the sentence."""
    quote = "It operates 14 patrol vessels and two tugs from the north harbour."
    text = "A new preface.\n\n" + DOCUMENT.replace("14 patrol", "a fleet of 17 patrol")
    found = locate(quote, text, DOCUMENT.index(quote))
    assert found is not None
    assert text[found.start : found.end] == (
        "It operates a fleet of 17 patrol vessels and two tugs from the north harbour."
    )


def test_part_of_a_word_is_not_the_quote() -> None:
    """ "art" is not found in "party"."""
    assert locate("art", "The party started apart.", 50) is None
    assert locate("art", "The party is art.", 0) == Located(13, 16, "moved")


@pytest.mark.parametrize("quote", ["", "  \n", "\u00ad"])
def test_quote_without_words_is_gone(quote: str) -> None:
    """Nothing to look for is nowhere."""
    assert locate(quote, DOCUMENT, 3) is None


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=400), st.integers(-10, 500))
def test_any_input_gives_a_span_of_the_text(quote: str, text: str, hint: int) -> None:
    """No input breaks it, and what it gives is a place in the text."""
    found = locate(quote, text, hint)
    if found is not None:
        assert 0 <= found.start < found.end <= len(text)
        if found.state == "same":
            assert (found.start, text[found.start : found.end]) == (hint, quote)


def test_long_text_is_searched_without_comparing_everything() -> None:
    """In a text of a million characters the edited sentence is found by its rarer words, not by trying each place."""
    chance = random.Random(3)
    body = [sentence(ABOUT + OTHER, chance, 12) for _ in range(11_000)]
    quote = "The quarterly dredging programme moved 48,200 tonnes of sediment off the eastern approach."
    edited = quote.replace("48,200", "51,900")
    text = " ".join([*body[:7_000], edited, *body[7_000:]])
    started = time.process_time()
    found = locate(quote, text, 1_000)
    assert found is not None
    assert text[found.start : found.end] == edited
    assert time.process_time() - started < 3.0  # 0.1 s measured; comparing everything takes minutes
