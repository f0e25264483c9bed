"""A picture of what each version came to: a PNG that a phone shows, whatever the figures are."""

import struct

import pytest

from bot.improve.history import Version
from bot.improve.plot import plot


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
