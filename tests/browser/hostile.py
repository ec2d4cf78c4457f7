"""Forty documents that try to execute or fetch something, or to break the layout: in text, titles and file names."""

from __future__ import annotations

from pathlib import Path

_AWAY = "https://evil.example/pixel.png"
_SCRIPTS = (
    "<script>window.hacked=1</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "<img src=x onerror='window.hacked=2'>",
    f"<img src={_AWAY}>",
    "<svg onload='window.hacked=3'><animate onbegin='window.hacked=4' attributeName=x dur=1s></svg>",
    "<svg><script>window.hacked=5</script></svg>",
    "<a href='javascript:window.hacked=6'>press</a>",
    "<iframe srcdoc='<script>parent.hacked=7</script>'></iframe>",
    "<iframe src='https://evil.example/'></iframe>",
    "<body onload='window.hacked=8'>",
    "<details open ontoggle='window.hacked=9'>x</details>",
    "<input autofocus onfocus='window.hacked=10'>",
    "<video><source onerror='window.hacked=11'></video>",
    "<math><mtext><img src=x onerror='window.hacked=12'></mtext></math>",
    "<style>body{display:none}*{background:url(https://evil.example/css)}</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<base href=https://evil.example/>",
    "<form action=https://evil.example/><button>Send</button></form>",
    "<object data=https://evil.example/x.swf></object><embed src=https://evil.example/x>",
    f"![a picture]({_AWAY})",
    "[press](javascript:window.hacked=13)",
    f'<p style="position:fixed;inset:0;background:url({_AWAY})">over everything</p>',
    "${window.hacked=14} `${window.hacked=15}`",
    "{{constructor.constructor('window.hacked=16')()}}",
    '"><img src=x onerror=window.hacked=17>',
    "' onmouseover='window.hacked=18' x='",
    "</mark></p></article></div><script>window.hacked=19</script>",
    "<!--><script>window.hacked=20</script>-->",
    "&lt;script&gt;window.hacked=21&lt;/script&gt;",
)
_LAYOUT = (
    "w" * 50_000,
    "<b>" + "x" * 50_000,
    "\u202egnitirw fo noitcerid eht snrut siht \u2066 and never ends",
    "\u2067\u2067\u2067 isolates that are left open",
    "\u05d0" * 3_000,
    "\u0671\u0644\u0652\u0639\u064e\u0631\u064e\u0628\u0650\u064a\u064e\u0651\u0629 " * 400,
    "Z" + "\u0351\u036b\u0353\u036a\u0302\u0319\u0324\u031e" * 40 + "algo " * 60,
    "| a | " * 300,
    "\t" * 2_000 + "after many tabs",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 2_000,
)
NAMES = (
    "<img src=x onerror=window.hacked=22>.md",
    "\u202egpj.exe.md",
    "a'b\"c&d;${window.hacked=23}.md",
    "x" * 180 + ".md",
)
CASES = (*_SCRIPTS, *_LAYOUT)


def write_hostile(folder: Path) -> int:
    """Write the documents, each with its case in title and text; gives how many."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, words in enumerate(CASES):
        name = NAMES[number] if number < len(NAMES) else f"hostile-{number:02}.md"
        title = words.replace("'", "''").replace("\n", " ").replace("\t", " ")[:3_000]
        text = (
            f"---\ntitle: '{title}'\ntags: ['{title[:60]}']\n---\n\n# Beacon {number:02} {words}\n\n"
            f"The beacon number {number:02} of Quillfeather is kept by Marta Oldwin. {words}\n\n"
            f"Its lamp was lit in 19{number:02} {words} and shines 1{number} miles.\n"
        )
        if number % 3 == 2:
            (folder / name).with_suffix(".html").write_text(
                f"<html><head><title>{words}</title></head><body><article><h1>Beacon {number:02}</h1><p>The beacon "
                f"number {number:02} of Quillfeather is kept by Marta Oldwin.</p><p>{words}</p><p>Its lamp was lit in "
                f"19{number:02} and shines 1{number} miles, as everybody there knows.</p></article></body></html>",
                encoding="utf-8",
            )
        else:
            (folder / name).write_text(text, encoding="utf-8")
    return len(CASES)
