"""What each version of an agent came to, as a picture for a phone."""

import time
from collections.abc import Callable, Sequence
from io import BytesIO
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bot.improve.history import Version, dollars, span

MOST = 6  # versions: more cannot be told apart on a phone
BRIEF = 7  # characters of a version
INK, PALE, NEW, RULE = "#1d1c1d", "#616061", "#1264a3", "#dddddd"
OLD = "#9db8cc"
Measure = Callable[[Version], float | None]


def plot(agent: str, found: Sequence[Version], verdict: str) -> bytes:
    """A PNG."""
    picture = BytesIO()
    figure(agent, found, verdict).savefig(picture, format="png")
    return picture.getvalue()


def figure(agent: str, found: Sequence[Version], verdict: str) -> Figure:
    """A row of bars for each figure, a bar for each version, the newest in its own colour."""
    shown = found[-MOST:]
    rows: list[tuple[str, Measure, Callable[[Version], str], float]] = [
        ("Bad among rated answers", lambda one: one.bad / one.rated if one.rated else None, lambda one: f"{one.bad} of {one.rated}", 1.0),
        ("Failed turns", lambda one: one.failed / one.turns, lambda one: f"{one.failed} of {one.turns}", 1.0),
        ("Cost of a turn", lambda one: round(one.each, 4), lambda one: dollars(one.each), 0.0),  # as it is told: $0.0000 is no bar
        ("Median time of a turn", lambda one: round(one.seconds), lambda one: span(one.seconds), 0.0),
    ]
    made = Figure(figsize=(6, 8), dpi=140, facecolor="white")
    FigureCanvasAgg(made)
    for place, (title, measure, words, whole) in enumerate(rows, 1):
        _bars(made.add_subplot(len(rows), 1, place), title, [measure(one) for one in shown], [words(one) for one in shown], whole)
    last = made.axes[-1]
    last.set_xticks(range(len(shown)), [f"{one.version[:BRIEF]}\n{time.strftime('%d %b', time.localtime(one.first))}" for one in shown])
    made.text(0.05, 0.975, _plain(agent, 40), size=19, weight="bold", color=INK, va="top")
    made.text(0.05, 0.93, fill(_plain(_short(verdict, found), 160), 56), size=12, color=PALE, va="top", linespacing=1.3)
    made.subplots_adjust(left=0.05, right=0.95, bottom=0.07, top=0.81, hspace=0.75)
    return made


def _bars(axes: Axes, title: str, heights: Sequence[float | None], words: Sequence[str], whole: float) -> None:
    """`whole` is what all would be; 0 where nothing is, and the highest bar is only higher than the others."""
    alone = not whole and len(heights) == 1  # it would be as high as can be, whatever it is
    high = [0.0 if alone else height or 0.0 for height in heights]
    top = whole or max(high) or 1.0
    axes.set_title(title, loc="left", size=13, color=INK, pad=14)
    axes.bar(range(len(high)), high, width=0.55, color=[*[OLD] * (len(high) - 1), NEW])
    if whole:
        axes.axhline(whole, color=RULE, linewidth=1, linestyle=(0, (2, 3)), zorder=0)
        axes.set_title("dotted line: all", loc="right", size=10, color=PALE, pad=14)
    for place, (height, said) in enumerate(zip(heights, words, strict=True)):
        text = said if height is not None else "none rated"
        axes.text(place, high[place] + top * 0.05, text, ha="center", va="bottom", size=12, color=INK if height is not None else PALE)
    axes.set_ylim(0, top * 1.25)
    axes.set_xlim(-0.6, max(len(heights), 3) - 0.4)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.tick_params(axis="x", length=0, labelsize=11, labelcolor=PALE)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(RULE)


def _short(verdict: str, found: Sequence[Version]) -> str:
    """Without figures, which the bars have, and with versions as they stand below these."""
    said = verdict.partition(":")[0]
    for one in found:
        said = said.replace(one.version, one.version[:BRIEF]) if one.version else said
    return said


def _plain(text: str, limit: int) -> str:
    """Words and no formula, which a $ would begin."""
    return text[:limit].replace("$", r"\$")
