"""One line per target, one table per benchmark."""

import dataclasses
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
