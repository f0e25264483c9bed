"""What was measured: one line of the table for each figure, and how it is counted."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `met` is None where nothing is aimed at; `bare` is the same figure of the app that does nothing."""

    figure: str
    ours: str
    bare: str = ""
    aim: str = ""
    met: bool | None = None

    def dump(self) -> dict[str, Any]:
        return asdict(self)


def share(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of the values do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -(-len(ranked) * percent // 100) - 1).__int__())]


def millis(values: Sequence[float], *percents: float) -> str:
    """Seconds as milliseconds: "3.1 / 9.8"."""
    return " / ".join(f"{share(values, percent) * 1000:.1f}" for percent in percents) + " ms"


def table(rows: Sequence[Row]) -> str:
    """The rows, as Markdown."""
    heads = ("figure", "Frontdesk", "bare Bolt", "aim", "met")
    met = {True: "yes", False: "NO", None: ""}
    lines = [heads, *[(row.figure, row.ours, row.bare, row.aim, met[row.met]) for row in rows]]
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads))]
    told = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines]
    return "\n".join([told[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *told[1:]])
