"""A run as one HTML file: figures, plots, worst cases, every case in full. Nothing in it is fetched or executed.

All text of documents, cases and systems is escaped; there is no script, and a policy in the head forbids loading
anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path

from eval.plots import depth_plot, interval_plot, risk_plot, seconds_plot
from eval.store import RunFolder
from eval.summary import about_metric, group_of, is_lower_better, slices, summarise, usage
from eval.table import format_tokens, format_usage, interval
from eval.types import Case, Output, Report, Score, Summary

WORST = ("answered_with_evidence", "evidence_recall@5", "recall@5", "token_F1", "citation_precision", "faithfulness",
         "worst_statement")  # fmt: skip
_WORST_SHOWN = 15


def write_report(folder: RunFolder, out: Path) -> None:
    """Write the report of a run.

    Args:
        folder: The run, with its texts.
        out: The file; it appears when it is complete.

    Raises:
        ConfigError: There is no run, or it was kept without its texts.
    """
    cases, outputs = folder.cases(), folder.outputs()
    scores: dict[str, list[Score]] = {}
    for s in folder.scores():
        scores.setdefault(s.case, []).append(s)
    report = summarise(folder)
    parts = [
        _head(folder, report),
        _figures(report),
        _plots(folder, report, cases, scores),
        _worst(cases, scores, report),
        "<section><h2>Every case</h2>",
        *(_case(c, outputs.get(c.id), scores.get(c.id, [])) for c in cases),
        "</section></main></body></html>",
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    new = out.with_name(f"{out.name}.new")
    new.write_text("\n".join(parts), encoding="utf-8", errors="replace")
    new.replace(out)


def _head(folder: RunFolder, report: Report) -> str:
    style = resources.files("eval").joinpath("report.css").read_text(encoding="utf-8")
    about = folder.about()
    config = about.get("config") or {}
    rows = {
        "system": about.get("system", ""),
        "language model": (config.get("answer") or {}).get("llm_model", ""),
        "asked": "the human rewrites" if config.get("asked") == "rewrite" else "",
        "cases": f"{report.cases}, of {len({c['conversation'] for c in about['cases']})} conversations",
        "answers": report.asked,
        "errors": report.errors,
        "cases digest": str(about.get("cases_sha256", ""))[:16],
        "dossier": about.get("dossier", ""),
        "Python": about.get("python", ""),
        "begun": about.get("begun", ""),
        "took": format_usage(usage(folder)),
    }
    cells = "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in rows.items() if v != "")
    title = f"Run {folder.path.name}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body><main>"
        f"<header><h1>{escape(title)}</h1><dl>{cells}</dl></header>"
    )


def _figures(report: Report) -> str:
    groups: dict[str, list[Summary]] = {}
    for s in report.summaries:
        if s.cases or s.errors:
            groups.setdefault(group_of(s.metric), []).append(s)
    parts = ["<section><h2>Figures</h2><p>The mean over the cases a metric applies to, with its 95% interval: "
             "conversations resampled. “n/a” and errors are in no mean.</p>"]  # fmt: skip
    for group, rows in groups.items():
        body = "".join(
            f"<tr><th scope=row>{_breakable(s.metric)}<small>{escape(about_metric(s.metric))}</small></th>"
            f"<td class=n>{'n/a' if s.value is None else f'{s.value:.3f}'}</td><td class=n>{escape(interval(s))}</td>"
            f"<td class=plot>{interval_plot(s.value, s.low, s.high)}</td>"
            f"<td class=n>{s.cases}</td><td class=n>{s.not_applicable}</td><td class=n>{s.errors}</td></tr>"
            for s in rows
        )
        parts.append(
            f"<table class=figures><caption>{escape(group)}</caption><thead><tr><th>metric<th class=n>value"
            "<th class=n>95% interval<th class=axis><span>0</span><span>1</span>"
            f"<th class=n>cases<th class=n>n/a<th class=n>errors</thead><tbody>{body}</tbody></table>"
        )
    return "".join(parts) + "</section>"


def _breakable(metric: str) -> str:
    """A metric's name that a narrow column may break after an underscore and before "@"."""
    return escape(metric).replace("_", "_<wbr>").replace("@", "<wbr>@")


def _plots(folder: RunFolder, report: Report, cases: Sequence[Case], scores: Mapping[str, Sequence[Score]]) -> str:
    parts = []
    sure = [
        (s.value, 0.0 if c.answerable else 1.0)
        for c in cases
        for s in scores.get(c.id, ())
        if s.metric == "confidence" and s.value is not None
    ]
    if sure and len({wrong for _, wrong in sure}) == 2:
        about = "Of the questions answered first by confidence, the share without an answer. Dashed: that of all."
        parts.append(_figure("Risk at each coverage", about, risk_plot(sure)))
    seconds = [row["seconds"] for row in folder.output_rows() if not row.get("error")]
    if seconds:
        parts.append(_figure("Seconds a case", "How many cases took how long.", seconds_plot(seconds)))
    depths = slices(cases, "depth")
    shown = [m for m in WORST if (report.value(m) is not None)][:3]
    if len(depths) > 1 and shown:
        by_depth = {name: summarise(folder, ids) for name, ids in depths.items()}
        parts.append(_figure("By turn of the conversation", "With 95% intervals.", depth_plot(by_depth, shown)))
    return f"<section><h2>Plots</h2><div class=plots>{''.join(parts)}</div></section>" if parts else ""


def _figure(title: str, about: str, plot: str) -> str:
    return f"<figure><figcaption><b>{escape(title)}</b> {escape(about)}</figcaption>{plot}</figure>"


def _worst(cases: Sequence[Case], scores: Mapping[str, Sequence[Score]], report: Report) -> str:
    """Failed cases first, then those with the lowest mean over a few metrics."""
    rows = []
    for case in cases:
        mine = {s.metric: s for s in scores.get(case.id, ())}
        failed = mine.get("*")
        if failed is not None and failed.state == "error":
            rows.append((-1.0, case, f"error: {failed.reason}"))
            continue
        values = {m: s.value for m in (*WORST, "abstained_when_not") if (s := mine.get(m)) and s.value is not None}
        if values:
            said = ", ".join(f"{m} {v:.2f}" for m, v in values.items() if v < 1)
            rows.append((sum(values.values()) / len(values), case, said))
    rows = sorted((r for r in rows if r[0] < 1), key=lambda r: r[0])[:_WORST_SHOWN]
    items = "".join(
        f'<tr><td><a href="#{_anchor(c.id)}">{escape(c.id)}</a></td>'
        f"<td>{escape(c.question)}</td><td>{escape(said)}</td></tr>"
        for _, c, said in rows
    )
    return f"<section><h2>Worst cases</h2><table class=worst><tbody>{items}</tbody></table></section>" if items else ""


def _case(case: Case, output: Output | None, scores: Sequence[Score]) -> str:
    state = "not asked" if output is None else "error" if output.answer is None else ""
    if not state and output is not None and output.answer is not None:
        state = "refused" if output.answer.abstained else "answered"
    right = state in ("answered", "refused") and (state == "answered") == case.answerable
    turns = "".join(f"<p class=turn>{escape(q)}</p><p class='turn said'>{escape(a)}</p>" for q, a in case.history)
    references = "".join(f"<li>{escape(r)}</li>" for r in case.references)
    evidence = "".join(
        f"<li><q>{escape(' '.join(e.quote.split()))}</q> <small>{escape(e.source)} {e.start}–{e.end}</small></li>"
        for e in case.evidence
    )
    wanted = (f"<h4>Reference</h4><ul>{references}</ul>" if references else "") + (
        f"<h4>Evidence</h4><ul>{evidence}</ul>" if evidence else ""
    )
    if not case.answerable:
        wanted = "<h4>Right</h4><p>To say that the documents do not hold it.</p>"
    said = _answer(output) if output is not None else "<p>Not asked yet.</p>"
    table = "".join(
        f"<tr class={_state(s)}><th scope=row>{escape(s.metric)}</th>"
        f"<td>{f'{s.value:.3f}' if s.value is not None else escape(f'{s.state}: {s.reason}')}</td></tr>"
        for s in scores
        if s.state != "n/a"
    )
    tags = "".join(f"<i>{escape(t)}</i>" for t in case.tags)
    return (
        f'<details id="{_anchor(case.id)}"><summary><span class=id>{escape(case.id)}</span>'
        f"<span class=q>{escape(case.question)}</span>"
        f"<span class='state {'good' if right else 'bad'}'>{state}</span></summary>"
        f"<div class=case>{turns}<p class=tags>{tags}</p><div class=columns><div>{said}</div><div>{wanted}</div></div>"
        f"<table class=scores><tbody>{table}</tbody></table></div></details>"
    )


def _answer(output: Output) -> str:
    if output.answer is None:
        return f"<h4>Error</h4><p class=error>{escape(output.error)}</p>"
    answer = output.answer
    if answer.abstained:
        said = f"<p>{escape(answer.text)}</p>"
    else:
        said = "".join(
            f"<p class=statement><span class='verdict {escape(s.verdict)}'>{escape(s.verdict)} {s.support:.2f}</span> "
            f"{escape(s.text)} {''.join(f'[{n}]' for n in s.citations)}"
            f"{f' <small>{escape(s.reason)}</small>' if s.reason else ''}</p>"
            for s in answer.statements
        )
    citations = "".join(
        f"<li value={c.marker}><q>{escape(' '.join(c.quote.split()))}</q> <small>{escape(c.source.rsplit('/', 1)[-1])} "
        f"{c.start}–{c.end}{f', {output.found[n]}' if n < len(output.found) else ''}</small></li>"
        for n, c in enumerate(answer.citations)
    )
    hits = "".join(
        f"<li><small>{escape(output.sources.get(h.passage.document_id, h.passage.document_id).rsplit('/', 1)[-1])} "
        f"{h.passage.start}–{h.passage.end}</small> {escape(' '.join(h.passage.text.split())[:160])}</li>"
        for h in answer.hits
    )
    more = (
        f"<details class=hits><summary>{len(answer.hits)} passages found</summary><ol>{hits}</ol></details>"
        if hits
        else ""
    )
    took = f", {format_tokens(output.tokens)}" if output.tokens is not None else ""
    about = f"{output.seconds:.2f} s, {answer.model}, confidence {answer.confidence:.2f}{took}"
    return f"<h4>Answer <small>{escape(about)}</small></h4>{said}<ol class=citations>{citations}</ol>{more}"


def _state(score: Score) -> str:
    if score.value is None:
        return "error"
    if score.metric in _NEVER_HIGH:
        return "fine"
    return "low" if (score.value > 0.5 if is_lower_better(score.metric) else score.value < 0.5) else "fine"


_NEVER_HIGH = {"confidence", "evidence_precision@1000t", "evidence_IoU@1000t"}
"""What is low of a good answer, too."""


def _anchor(case: str) -> str:
    return "case-" + "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}" for c in case)
