"""One line per target, one table per benchmark."""

import dataclasses
import json
from typing import Optional


@dataclasses.dataclass
class Line:
    """A figure against its target. Spreads are (min, median, max); `met` is None for "shown only"
    or for a condition that did not hold."""

    row: str
    figure: str
    echo: Optional[tuple]
    arka: Optional[tuple]
    target: str
    result: str
    met: Optional[bool]

    def verdict(self):
        return {True: "met", False: "MISSED", None: "-"}[self.met]


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread_text(spread):
    if spread is None:
        return ""
    if spread[0] == spread[2]:
        return number(spread[1])
    return f"{number(spread[1])} ({number(spread[0])} .. {number(spread[2])})"


def table(lines, peer="echo"):
    """`peer` is what Arka is held against, in the columns called echo."""
    header = ("row", "figure", f"{peer}: median (min .. max)", "arka: median (min .. max)")
    header += ("target", "result", "")
    rows = [header]
    shown = None
    for line in lines:
        name = "" if line.row == shown else line.row
        shown = line.row
        rows.append(
            (
                name,
                line.figure,
                spread_text(line.echo),
                spread_text(line.arka),
                line.target,
                line.result,
                line.verdict(),
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    text = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |" for row in rows]
    text.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(text)


def publish(output, bench, about, started, lines, runs, void, quick=False, peer="echo"):
    """Prints what was measured, and leaves all of it in the file `output`."""
    print(
        f"\nArka {about['revision']} on {about['cores']} x {about['processor']},"
        f" {started:%Y-%m-%d %H:%M}{', QUICK: one short run, no judgement' if quick else ''}"
    )
    last = bench.probes[-1]
    for size in ("4k", "1m"):
        first = bench.probes[0][size]
        print(
            f"disk, fdatasync after {size}: {first['ops_per_s']:,.0f}/s,"
            f" {first['mb_per_s']:,.0f} MB/s, p50 {first['p50_us']:.0f} us, p99"
            f" {first['p99_us']:.0f} us (at the end p50 {last[size]['p50_us']:.0f} us)"
        )
    print("\n" + table(lines, peer))
    for warning in bench.warnings:
        print(f"warning: {warning}")
    document = {
        "started": started.isoformat(timespec="seconds"),
        "machine": about,
        "plan": dataclasses.asdict(bench.plan),
        "probes": bench.probes,
        "lines": [{**dataclasses.asdict(line), "verdict": line.verdict()} for line in lines],
        "warnings": bench.warnings,
        "void": void,
        "runs": runs,
    }
    output.write_text(json.dumps(document, indent=1))
    print(f"every run: {output}")
