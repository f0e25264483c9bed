"""Which messages of a list are shown: the newest, or those around one."""

import pytest

from bot.playground.window import SHOWN, window

KEYS = [f"{number:04}" for number in range(1000)]


@pytest.mark.parametrize(
    ("at", "first", "above", "below"),
    [
        ("", 900, 900, 0),
        ("0999", 900, 900, 0),
        ("0500", 450, 450, 450),
        ("0003", 0, 0, 900),
        ("gone", 900, 900, 0),
        ("0500.5", 451, 451, 449),
    ],
)
def test_a_window_is_around_a_message_or_at_the_end(at: str, first: int, above: int, below: int) -> None:
    seen = window(KEYS, at)

    assert (seen.keys[0], len(seen.keys), seen.above, seen.below) == (KEYS[first], SHOWN, above, below)


def test_a_short_list_is_shown_whole() -> None:
    seen = window(KEYS[:3], "0001")

    assert (list(seen.keys), seen.above, seen.below) == (KEYS[:3], 0, 0)
