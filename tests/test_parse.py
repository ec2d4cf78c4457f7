"""Each format gives its text, title, author and date."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest

from index.errors import DocumentTooLargeError, UnreadableDocumentError
from index.parse import parse
from index.parse.html import html_text
from index.parse.pdf import find_boxes, render_page
from index.parse.text import decode
from index.settings import LibrarySettings
from index.types import Parsed
from tests.conftest import DATA, SAMPLES

SETTINGS = LibrarySettings()


def read(path: Path) -> Parsed:
    return parse(path, path.read_bytes(), SETTINGS)


@pytest.mark.parametrize(
    ("name", "title", "published"),
    [
        ("note.txt", "The tide mill at Penmorrow", date(2025, 3, 3)),
        ("latin.txt", "Le moulin à marée de Penmorrow", None),
        ("utf16.txt", "Γραφή and other scripts", date(2023, 5, 7)),
        ("page.html", "Visiting the mill", date(2025, 4, 18)),
        ("guide.md", "Running the mill", date(2025, 2, 1)),
        ("report.pdf", "Survey of the dam at Penmorrow", date(2024, 9, 9)),
        ("mail.eml", "Die alte Mühle: key to the sluice", date(2024, 11, 5)),
    ],
)
def test_format_gives_title_and_date(name: str, title: str, published: date | None) -> None:
    """What the document states of itself is read."""
    parsed = read(DATA / "formats" / name)
    assert (parsed.title, parsed.published) == (title, published)


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda p: p.name)
def test_sample_states_title_and_the_date_in_its_name(path: Path) -> None:
    """Every sample document is dated as its file name says."""
    parsed = read(path)
    assert parsed.title
    assert parsed.published is not None
    assert path.name.startswith(parsed.published.isoformat())


def test_html_boilerplate_is_left_out_and_headings_are_kept() -> None:
    """Navigation, footers and scripts are no text of the page."""
    parsed = read(SAMPLES / "2026-02-09-ministry-programme.html")
    assert "cookie" not in parsed.text.lower()
    assert "<" not in parsed.text
    assert len(parsed.headings) >= 5


def test_section_whose_heading_sounds_like_a_part_of_a_site_is_text() -> None:
    """Its id is made of its heading; a menu, and a box of links to share the page, stay out."""
    page = """<h1>Manual</h1>
    <section id="how-do-i-share-global-variables"><h2>How do I share global variables?¶</h2>
    <p>By a module.</p></section>
    <section id="navigation"><h2>Navigation</h2><p>Ships keep to the right.</p></section>
    <div class="section" id="related-work"><h2>Related work</h2><p>Others measured less.</p></div>
    <h2 id="social-security-and-you-in-2026">Social security</h2><p>It is paid monthly.</p>
    <div id="menu"><h2>Menu</h2><p>Start here.</p></div>
    <section id="share"><h2>Tell your friends</h2><p>Post it.</p></section>
    <div class="related" id="related-pages"><h2>Related pages</h2><p>Read on.</p></div>"""
    parsed = html_text(page)
    for said in ("By a module.", "Ships keep to the right.", "Others measured less.", "It is paid monthly."):
        assert said in parsed.text
    for said in ("Start here.", "Post it.", "Read on."):
        assert said not in parsed.text
    assert [h.title for h in parsed.headings if "global" in h.title] == ["How do I share global variables?¶"]


def test_hidden_and_hostile_html_gives_only_visible_text() -> None:
    """Scripts, styles and hidden elements are dropped; deep nesting is no crash."""
    page = (
        "<p>Seen.</p><script>x=1</script><p style='display: none'>Hidden.</p><p hidden>Also.</p><template>T</template>"
    )
    assert html_text(page).text == "Seen."
    assert "deep" in html_text("<div>" * 5000 + "deep" + "</div>" * 5000).text


def test_pdf_text_has_whole_sentences_and_running_heads_are_set_apart() -> None:
    """Wrapped lines are joined; what stands on every page is marked to be skipped."""
    parsed = read(SAMPLES / "2026-04-24-north-pier-inspection.pdf")
    assert len(parsed.pages) == 4
    assert all(parsed.pages[i].end < parsed.pages[i + 1].start for i in range(3))
    assert len(parsed.skipped) >= 4
    long_lines = [line for line in parsed.text.split("\n") if len(line) > 200]
    assert long_lines, "paragraphs are still cut into lines"


def test_pdf_boxes_cover_the_quote_on_its_page() -> None:
    """A quote's boxes lie on the page, one a line, and hold dark pixels; the page next to it has none of them."""
    import io

    from PIL import Image

    path = SAMPLES / "2026-04-24-north-pier-inspection.pdf"
    data, parsed = path.read_bytes(), read(path)
    page = parsed.pages[1]
    start = parsed.text.index(". ", page.start + 400) + 2
    end = parsed.text.index(". ", start + 150) + 1
    boxes = find_boxes(data, page, start, end)
    assert len(boxes) >= 2
    picture = Image.open(io.BytesIO(render_page(data, 2, width=1000))).convert("L")
    for box in boxes:
        assert 0 <= box.left < box.left + box.width <= 1
        assert 0 <= box.top < box.top + box.height <= 1
        w, h = picture.size
        area = picture.crop(
            (
                int(box.left * w),
                int(box.top * h),
                int((box.left + box.width) * w) + 1,
                int((box.top + box.height) * h) + 1,
            )
        )
        darkest, _ = area.getextrema()
        assert darkest < 128, "a box without ink"
    assert find_boxes(data, parsed.pages[0], start, end) == ()


def test_gzip_around_a_file_is_opened_and_a_bomb_refused(tmp_path: Path) -> None:
    """`.pdf.gz` and the like are read; one that unpacks beyond the limit is not."""
    good = tmp_path / "note.txt.gz"
    good.write_bytes(gzip.compress(b"The berth is open."))
    assert read(good).text == "The berth is open."
    bomb = gzip.compress(b"a" * (2 * 2**20))
    with pytest.raises(DocumentTooLargeError):
        parse(tmp_path / "bomb.txt.gz", bomb, LibrarySettings(max_file_mb=1))
    with pytest.raises(UnreadableDocumentError, match="gzip"):
        parse(tmp_path / "bad.txt.gz", b"not gzip", SETTINGS)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain", "plain"),
        ("caf\u00e9".encode(), "café"),
        (b"\xef\xbb\xbfbom", "bom"),
        ("wide".encode("utf-16"), "wide"),
        ("wide text here".encode("utf-16-le"), "wide text here"),
        (b"\x93quoted\x94 \x96 text", "“quoted” – text"),
        (b"one\r\ntwo\rthree", "one\ntwo\nthree"),
    ],
)
def test_text_in_any_encoding_is_read(data: bytes, text: str) -> None:
    """Unicode with and without mark, the Windows code page, all line ends."""
    assert decode(data)[0] == text


def test_text_never_holds_what_cannot_be_stored(tmp_path: Path) -> None:
    """NUL characters become one other character, so that offsets stay."""
    parsed = parse(tmp_path / "a.txt", b"The berth \x00 is open. " + b"The crane is up. " * 30, SETTINGS)
    assert "\0" not in parsed.text
    assert parsed.text.index("is open") == len("The berth \x00 ")


def test_manual_page_without_links_is_kept_whole_and_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search for the main text takes half of the time of reading a page, and loses parts of references."""
    import trafilatura

    asked: list[str] = []
    search = trafilatura.bare_extraction
    monkeypatch.setattr(
        trafilatura, "bare_extraction", lambda source, **more: asked.append(source) or search(source, **more)
    )
    entries = "".join(f"<h4>Macro DREDGE_{n}</h4><pre>#define DREDGE_{n}</pre><p>Depth {n}.</p>" for n in range(30))
    page = "<html><body><div class='navfooter'><a href='a'>Up</a></div><h1>Dredge</h1>{}{}</body></html>"
    text = parse(Path("manual.html"), page.format(entries, "").encode(), LibrarySettings()).text
    assert asked == []
    assert all(f"Macro DREDGE_{n}\n" in text for n in range(30))
    assert "Up" not in text
    for more in (
        f"<ul>{'<li><a href=x>Other harbours of the north</a></li>' * 9}</ul>",
        f"<div class='relatedposts'>{'<p>Other harbours of the north.</p>' * 9}</div>",
    ):
        parse(Path("news.html"), page.format(entries, more).encode(), LibrarySettings())
    assert len(asked) == 2
