"""A picture of what each version came to: a PNG that a phone shows, whatever the figures are."""

import struct

import pytest

from bot.improve.history import Version
from bot.improve.plot import figure, plot


def version(n: int, **more: float) -> Version:
    given = {"turns": 10, "rated": 5, "bad": n % 5, "failed": 1, "usd": 3.0, "seconds": 40.0 * n, **more}
    return Version(f"{n:012x}", n * 86400.0, n * 86400.0, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "found",
    [
        [version(1)],
        [version(n) for n in range(1, 10)],
        [version(1, rated=0, bad=0, failed=0, usd=0.0, seconds=0.0)],
    ],
    ids=["one", "many", "nothing"],
)
def test_any_figures_make_a_picture_that_is_higher_than_wide(found: list[Version]) -> None:
    picture = plot("helper", found, "It costs $1 {more} and $2 less: so it is.")

    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", picture[16:24]) == (840, 1120)


def test_other_figures_are_another_picture() -> None:
    assert plot("helper", [version(1), version(2)], "") != plot("helper", [version(1), version(2, bad=0)], "")


def bars(*found: Version) -> list[list[float]]:
    """How high the bars of each row are, as a share of the room that the row has."""
    rows = figure("helper", found, "").axes
    return [[patch.get_bbox().height / row.get_ylim()[1] for patch in row.patches] for row in rows]


def test_a_part_of_something_is_lower_than_all_of_it() -> None:
    [thumbs], [failed], *_ = bars(version(1, rated=1, bad=1, turns=4, failed=2))

    assert thumbs == pytest.approx(2 * failed)


def test_what_is_told_as_nothing_has_no_bar() -> None:
    before, after = version(1, seconds=0.2, usd=0.0001), version(2, seconds=0.4, usd=0.0002)

    assert bars(before, after)[2:] == [[0, 0], [0, 0]]


def test_what_one_version_took_has_nothing_to_be_higher_than() -> None:
    assert bars(version(1))[2:] == [[0], [0]]
