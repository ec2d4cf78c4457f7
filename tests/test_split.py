"""The splitter and the sentence cutter hold their guarantees on any text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from index.sentences import sentence_spans
from index.split import HEADING_TOKENS, split
from index.types import Heading, Parsed
from tests.fakes import FakeEncoder

WORDS = st.sampled_from(
    "The berth opened. It cost 1.2 million; see Fig. 3 (or not). “Why?” he asked… U.S. vessels e.g. two\n- item\n"
    "was built . '' `` Then ? \" Go ! 1990 . "
    "## Part\n| a | b |\n\n\n über 東京。今日は 👩‍👩‍👧 e\u0301 \u00a0 \t x".split(" ")
)
TEXTS = st.one_of(
    st.lists(WORDS, max_size=120).map(" ".join),
    st.text(max_size=400),
    st.text(alphabet="ab. \n", max_size=300),
)
ENCODER = FakeEncoder(max_tokens=64)
LIMIT = ENCODER.max_tokens - ENCODER.special_tokens - HEADING_TOKENS


@st.composite
def parsed_documents(draw: st.DrawFn) -> Parsed:
    text = draw(TEXTS)
    size = len(text)
    places = sorted(set(draw(st.lists(st.integers(0, max(size - 1, 0)), max_size=4)))) if size else []
    headings = tuple(Heading(p, min(p + 5, size), draw(st.integers(1, 4)), f"h{p}") for p in places)
    cuts = sorted(draw(st.lists(st.integers(0, size), max_size=4)))
    skipped = tuple(zip(cuts[::2], cuts[1::2], strict=False))
    return Parsed(text, "text/plain", headings=headings, skipped=skipped)


@given(parsed_documents(), st.integers(1, 100))
@settings(max_examples=300, deadline=None)
def test_passages_of_any_document_are_exact_ordered_complete_and_short(parsed: Parsed, chunk_size: int) -> None:
    """Offsets are exact, passages do not overlap, nothing but blanks and skipped spans is lost, none is too long."""
    passages = split(parsed, "d", ENCODER, chunk_size)
    at = 0
    covered = bytearray(len(parsed.text))
    for passage in passages:
        assert passage.text == parsed.text[passage.start : passage.end] != ""
        assert at <= passage.start < passage.end
        assert ENCODER.count_tokens(passage.text) <= LIMIT or passage.end - passage.start == 1
        covered[passage.start : passage.end] = b"\1" * (passage.end - passage.start)
        at = passage.end
    for start, end in parsed.skipped:
        covered[start:end] = b"\1" * (end - start)
    assert all(covered[i] or char.isspace() for i, char in enumerate(parsed.text))


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_sentences_of_any_text_are_ordered_and_lose_only_line_marks(text: str) -> None:
    """Sentence spans are trimmed, in order, without overlap; what lies between them is blank or a line's mark."""
    at = 0
    for start, end in sentence_spans(text):
        assert at <= start < end <= len(text)
        assert not text[start].isspace()
        assert not text[end - 1].isspace()
        assert not any(c.isalnum() for c in text[at:start])
        at = end
    assert not any(c.isalnum() for c in text[at:])


def cut(text: str) -> list[str]:
    return [text[a:b] for a, b in sentence_spans(text)]


def test_abbreviations_initials_and_decimals_do_not_end_sentences() -> None:
    """What only looks like an end is none."""
    assert cut("Dr. J. Smith paid 1.5 million to the U.S. Navy on 3 Jan. 2026. It was late.") == [
        "Dr. J. Smith paid 1.5 million to the U.S. Navy on 3 Jan. 2026.",
        "It was late.",
    ]
    assert cut("See Fig. 3 and No. 12. Then stop.") == ["See Fig. 3 and No. 12.", "Then stop."]


def test_stops_with_blanks_around_them_end_sentences() -> None:
    """Text that a tokeniser took apart (as in Natural Questions) is read in sentences, too."""
    assert cut("The yard is old . It has 2 cranes ( built in 1990 ) . `` Why ? '' he asked . Nobody said . ''") == [
        "The yard is old .",
        "It has 2 cranes ( built in 1990 ) .",
        "`` Why ? '' he asked .",
        "Nobody said . ''",
    ]
    assert cut('She said " It is late . " Then she left .') == ['She said " It is late . "', "Then she left ."]
    assert cut("They sold fish , crabs etc . There was a plan B . The port stayed open .") == [
        "They sold fish , crabs etc .",
        "There was a plan B .",
        "The port stayed open .",
    ]


def test_a_stop_apart_that_is_no_end_ends_no_sentence() -> None:
    """Shares, years of birth, initials, enumerators and dot leaders."""
    for text in (
        "The team was above . 500 by June .",
        "Ann Lowe ( b . 1894 ) designed it .",
        "J . Smith and Dr . Jones came .",
        "1 . Scope of the rules",
        "Scope . . . . . . . 12",
    ):
        assert cut(text) == [text]


def test_a_line_of_a_hundred_thousand_stops_is_cut_at_once() -> None:
    """Every mark is looked at once, and not far back."""
    for text in ("A . " * 100_000, '" . ' * 100_000, ". ' ' " * 100_000):
        assert cut(text)


def test_wrapped_lines_are_joined_and_list_items_are_not() -> None:
    """A sentence goes on over a wrapped line; a bullet starts a new one without its mark."""
    wrapped = (
        "The ministry said on Monday that the new berth\nwould open in June. Work began.\n\n- two cranes\n- one tug\n"
    )
    assert cut(wrapped) == [
        "The ministry said on Monday that the new berth\nwould open in June.",
        "Work began.",
        "two cranes",
        "one tug",
    ]


def test_quotes_and_foreign_stops_end_sentences() -> None:
    """A closing quote belongs to its sentence; Chinese and Japanese stops need no space."""
    assert cut("“It is done.” She left. 今日は晴れ。明日は雨。") == [
        "“It is done.”",
        "She left.",
        "今日は晴れ。",
        "明日は雨。",
    ]


def test_equal_table_rows_are_all_covered() -> None:
    """Repetitive text, on which searching for a piece's offset goes wrong, is covered like any other."""
    text = "| berth | 12 | open |\n" * 200
    passages = split(Parsed(text, "text/plain"), "d", FakeEncoder(), 40)
    assert "".join(p.text for p in passages).replace("\n", "") == text.replace("\n", "")
    assert len({p.start for p in passages}) == len(passages)


def passages_of(text: str, headings: tuple[Heading, ...] = (), chunk_size: int = 24) -> list[str]:
    parsed = Parsed(text, "text/plain", headings=headings)
    return [p.text for p in split(parsed, "d", ENCODER, chunk_size)]


def test_a_title_is_no_passage_of_its_own() -> None:
    """It goes with the long section, or the long sentence, after it; a short section keeps to itself."""
    sentences = " ".join(f"The berth number {n} was opened late." for n in range(6))
    for title in ("# Harbour\n\n", "# Harbour\n\n## Berths\n\n"):
        starts = [i for i, c in enumerate(title) if c == "#" and title[i - 1 : i] != "#"]
        headings = tuple(Heading(a, title.index("\n", a), n, "h") for n, a in enumerate(starts, 1))
        assert passages_of(title + sentences, headings)[0].endswith("was opened late.")
    assert passages_of("Harbour\n" + "cranes and " * 11 + "one tug.")[0].endswith("one tug.")
    text = "# Contact\nCall the desk.\n# Berths\n" + sentences
    headings = (Heading(0, 9, 1, "Contact"), Heading(25, 33, 1, "Berths"))
    assert passages_of(text, headings)[0] == "# Contact\nCall the desk."


def test_headings_are_carried_as_a_path() -> None:
    """A passage knows the headings above it, the highest first."""
    text = "# Port\n\nIntro text here.\n\n## Berths\n\n" + "Nine berths are open. " * 30
    headings = (Heading(0, 7, 1, "Port"), Heading(text.index("##"), text.index("##") + 9, 2, "Berths"))
    passages = split(Parsed(text, "text/markdown", headings=headings), "d", FakeEncoder(), 30)
    assert passages[0].heading == "Port"
    assert passages[-1].heading == "Port › Berths"


def test_a_passage_that_begins_with_title_and_section_is_of_the_section() -> None:
    """Where nothing stands between the two; with a text between, or two sections on a level, it is of the first."""
    body = "Nine berths are open. " * 3

    def heading(text: str, level: int) -> str:
        starts = [i for i, c in enumerate(text) if c == "#" and text[i - 1 : i] != "#"]
        ends = [text.index("\n", a) for a in starts]
        headings = tuple(
            Heading(a, b, n, text[a:b].strip("# ")) for a, b, n in zip(starts, ends, (1, level), strict=True)
        )
        return split(Parsed(text, "text/markdown", headings=headings), "d", FakeEncoder(), 30)[0].heading

    assert heading("# Port\n\n## Berths\n\n" + body, 2) == "Port › Berths"
    assert heading("# Port\n\nAll.\n\n## Berths\n\n" + body, 2) == "Port"
    assert heading("# Port\n\n# Berths\n\n" + body, 1) == "Port"
