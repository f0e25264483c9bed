"""Which messages of a list are shown: the newest, or those around one; and their order, kept while messages come and go."""

import pytest

from bot.playground.things import Channel
from bot.playground.window import SHOWN, Order, window

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


def say(place: Channel, ts: str, **more: str) -> None:
    place.messages[ts] = {"ts": ts, **more}


def test_the_order_follows_what_comes_and_goes() -> None:
    place, order = Channel("C1", "one"), Order()
    seen = [list(order.of(place))]
    say(place, "1")
    say(place, "2")
    seen.append(list(order.of(place)))
    del place.messages["1"]
    say(place, "3")
    seen.append(list(order.of(place)))
    for ts in "23":
        del place.messages[ts]
    for ts in "456":
        say(place, ts)
    seen.append(list(order.of(place)))
    place.messages.clear()
    seen.append(list(order.of(place)))

    assert seen == [[], ["1", "2"], ["2", "3"], ["4", "5", "6"], []]


def test_replies_are_in_their_thread_only() -> None:
    place, order = Channel("C1", "one"), Order()
    say(place, "1", thread_ts="1")
    say(place, "2", thread_ts="1")
    say(place, "3", thread_ts="1", subtype="thread_broadcast")

    assert order.of(place) == ["1", "3"]
