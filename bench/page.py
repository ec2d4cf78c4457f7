"""The chat page under load: `python bench/page.py [--people 20] [--passages 10000] [--library DIR] [--json FILE]`.

Starts `dossier ui` on a library of that size (made of text of its own, unless one is given), and then measures

- from starting the program to its address being printed, and from there to the page being usable in Chromium (without
  Chromium and playwright: to its HTML being served);
- from Enter to the first sentence and to the whole answer, one person alone;
- the same with many people who ask at once, over the queue that the page itself uses;
- and how long the page's own calls (a source being opened) take meanwhile.

Prints each target with what was measured and "pass" or "miss"; the exit status is 1 if one is missed. On 2 idle cores
it takes about five minutes, most of which is making the library: give `--library DIR` to keep that. Times depend on
what else the machine does: look at the load average and the processor time, too.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from record import write_record

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
SAMPLES = ROOT / "samples" / "strait"
QUESTIONS = (
    "Which patrol vessel escorted the Perrin Dawn to Port Ansel?",
    "How many people were injured when the crane fell?",
    "How much of the work on the North Pier had been completed on the day of the inspection?",
    "When was the cable laid?",
    "Who is the spokesman for the Corvane Strait Authority?",
    "Who won the football world cup in Brazil?",
)


def make_documents(folder: Path, passages: int) -> None:
    """Write documents of invented sentences, about thirty passages each."""
    names = (
        "Ansel Brackmoor Corvane Dunlow Ester Fenwick Garrow Hollin Ister Jarrow Kelm Lodden Marrick Norwell".split()
    )
    things = "harbour bridge lighthouse ferry survey budget contract inspector crane pilot cable warehouse".split()
    dice = random.Random(7)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(max(1, passages // 30)):
        lines = [f"# Report {number} of {dice.choice(names)}", ""]
        for _ in range(40):
            lines.append(
                " ".join(
                    f"The {dice.choice(things)} of {dice.choice(names)} took {dice.randint(2, 999)} days and cost "
                    f"{dice.randint(1, 99)} million crowns, said the office in {dice.choice(names)}."
                    for _ in range(6)
                )
            )
            lines.append("")
        (folder / f"report-{number:05}.md").write_text("\n".join(lines), encoding="utf-8")


class Client:
    """One browser tab's worth of requests, over plain HTTP.

    Args:
        url: The page's address.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.session = uuid.uuid4().hex[:11]
        self.config = json.load(urllib.request.urlopen(f"{self.url}/config"))
        targets = {d["id"]: d.get("targets", []) for d in self.config["dependencies"]}
        self.ask_id = next(i for i, t in targets.items() if any(event == "submit" for _, event in t))
        self.panel = next(c["id"] for c in self.config["components"] if "act" in (c["props"].get("server_fns") or []))

    def _post(self, path: str, data: dict[str, Any]) -> Any:
        body = json.dumps(data).encode()
        request = urllib.request.Request(f"{self.url}{path}", body, {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=120))

    def ask(self, question: str) -> tuple[float, float]:
        """Ask a question; gives the seconds to the first sentence and to the end. Raises if it went wrong."""
        started, first = time.perf_counter(), 0.0
        data = {"data": [question, "", "", ""], "fn_index": self.ask_id, "session_hash": self.session}
        self._post("/gradio_api/queue/join", data)
        shown = ""
        with urllib.request.urlopen(
            f"{self.url}/gradio_api/queue/data?session_hash={self.session}", timeout=180
        ) as events:
            for line in events:
                if not line.startswith(b"data:"):
                    continue
                event = json.loads(line[5:])
                shown += json.dumps(event.get("output", ""))
                if not first and any(mark in shown for mark in ('class=\\"statement', "abstained")):
                    first = time.perf_counter() - started
                if event["msg"] == "process_completed":
                    if not event.get("success") or "problem" in shown or not first:
                        raise RuntimeError(f"no answer: {shown[-300:]}")
                    break
        return first, time.perf_counter() - started

    def look(self, document: str) -> float:
        """Open a document in the source panel; gives the seconds."""
        started = time.perf_counter()
        act = {"act": "source", "document": document, "start": 0, "end": 9}
        data = {"data": act, "fn_name": "act", "component_id": self.panel, "session_hash": self.session}
        reply = self._post("/gradio_api/component_server", data)
        assert "html" in reply, reply
        return time.perf_counter() - started


def quantile(values: list[float], share: float) -> float:
    """The value that a share of the others do not exceed."""
    return round(sorted(values)[min(len(values) - 1, round(share * (len(values) - 1)))], 2)


def start(library: Path) -> tuple[subprocess.Popen[str], str, float]:
    """Start the program; gives it, its address, and the seconds until that was printed."""
    command = [sys.executable, "-m", "ui.cli", "--library", str(library), "ui", "--port", "0"]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    for line in process.stdout:
        if "http://" in line:
            url = line[line.index("http://") :].split()[0]
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return process, url, time.perf_counter() - began
    raise RuntimeError("the server did not start")


def usable(url: str) -> tuple[float, str]:
    """Open the page; gives the seconds until somebody can type a question, and what was looked at it with."""
    binary = next((b for name in ("chromium", "chromium-browser", "google-chrome") if (b := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        binary = None
    if binary is None:
        started = time.perf_counter()
        urllib.request.urlopen(url).read()
        return time.perf_counter() - started, "served"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=flags)
        page = browser.new_page()
        started = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.wait_for_selector("#question textarea")
        page.wait_for_selector("#conversation .welcome")
        page.wait_for_function("() => window.dossier")
        seconds = time.perf_counter() - started
        browser.close()
    return seconds, "usable"


def crowd(url: str, people: int, document: str) -> dict[str, Any]:
    """Let many people ask at once; meanwhile somebody reads a source again and again."""
    firsts: list[float] = []
    wholes: list[float] = []
    errors: list[str] = []
    looks: list[float] = []
    done = threading.Event()
    clients = [Client(url) for _ in range(people)]

    def one(number: int) -> None:
        try:
            first, whole = clients[number].ask(QUESTIONS[number % len(QUESTIONS)])
            firsts.append(first)
            wholes.append(whole)
        except Exception as error:
            errors.append(str(error)[:300])

    def reader() -> None:
        client = Client(url)
        while not done.is_set():
            looks.append(client.look(document))
            done.wait(0.25)

    watching = threading.Thread(target=reader)
    watching.start()
    asking = [threading.Thread(target=one, args=(n,)) for n in range(people)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    done.set()
    watching.join()
    return {
        "people": people, "errors": errors, "first_sentence_p95_s": quantile(firsts or [0], 0.95),
        "answer_p50_s": quantile(wholes or [0], 0.5), "answer_p95_s": quantile(wholes or [0], 0.95),
        "source_opened_p50_s": quantile(looks, 0.5), "source_opened_p95_s": quantile(looks, 0.95),
    }  # fmt: skip


def measure(library: Path, people: int) -> dict[str, Any]:
    """Start the program on a library and measure; gives all figures by name."""
    from index.library import Library

    with Library.open(library) as opened:
        documents, passages = opened.catalog.count()
        document = opened.documents()[0].id
    process, url, announced = start(library)
    try:
        opened_s, how = usable(url)
        time.sleep(5)  # models load behind the page
        early = Client(url).ask(QUESTIONS[0])
        alone = [Client(url).ask(question) for question in QUESTIONS * 2]
        load = os.getloadavg()[0]
        together = crowd(url, people, document)
    finally:
        process.terminate()
        process.wait(20)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "documents": documents, "passages": passages, "cores": os.cpu_count(), "load_average": round(load, 1),
        "address_printed_s": round(announced, 2), f"page_{how}_s": round(opened_s, 2),
        "early_answer_s": round(early[1], 2),
        "alone_first_sentence_p50_s": quantile([f for f, _ in alone], 0.5),
        "alone_first_sentence_p95_s": quantile([f for f, _ in alone], 0.95),
        "alone_answer_p50_s": quantile([w for _, w in alone], 0.5), **together,
        "server_processor_s": round(used.ru_utime + used.ru_stime, 1),
    }  # fmt: skip


def judge(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Compare what was measured with what is wanted."""
    page = "page_usable_s" if "page_usable_s" in told else "page_served_s"
    wanted = (
        ("address printed after the start", "address_printed_s", 5.0),
        (f"page {page.split('_')[1]} after that", page, 2.0),
        ("first sentence, alone, median", "alone_first_sentence_p50_s", 1.0),
        ("first sentence, alone, p95", "alone_first_sentence_p95_s", 1.0),
        (f"errors of {told['people']} people at once", "errors", 0),
        (f"whole answer, {told['people']} at once, p95", "answer_p95_s", 20.0),
        ("source opened meanwhile, p95", "source_opened_p95_s", 1.0),
    )
    rows = []
    for label, name, limit in wanted:
        value = len(told[name]) if name == "errors" else told[name]
        rows.append({"target": label, "value": value, "limit": limit, "pass": value <= limit})
    return rows


def table(figures: dict[str, Any]) -> str:
    """What was measured, and each target."""
    lines = [f"{name:32} {value}" for name, value in figures.items() if name != "targets"]
    lines += [
        f"{'pass' if row['pass'] else 'MISS'}  {row['target']:36} {row['value']:>8}  (at most {row['limit']})"
        for row in figures["targets"]
    ]
    return "\n".join(lines)


def main() -> int:
    """Measure and print; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--library", type=Path, help="a library to use; made there if it is missing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep a record of all figures there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = options.library or Path(folder) / "library"
        began = time.perf_counter()
        if not (library / "catalog.sqlite").is_file():
            from index.library import Library

            make_documents(Path(folder) / "docs", options.passages)
            with Library.open(library) as made:
                made.add([SAMPLES, Path(folder) / "docs"])
        made_s = round(time.perf_counter() - began, 1)
        print(f"the library took {made_s} s", file=sys.stderr, flush=True)
        told = {"library_made_s": made_s, **measure(library, options.people)}
    rows = judge(told)
    if options.json is not None:
        write_record(options.json, "page", {**told, "targets": rows})
    print(table({**told, "targets": rows}))
    return 0 if all(row["pass"] for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
