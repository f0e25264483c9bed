"""What comes of a schedule whose time has come: on time, late, after a long absence, and in the nights when clocks change."""

from datetime import datetime

import pytest

from bot.plan import MANY, Plan, deal
from bot.trigger import Schedule


def at(words: str) -> float:
    return datetime.fromisoformat(words).timestamp()


def plan(cron: str, due: str, missed: str = "tell", timezone: str = "Europe/Berlin") -> Plan:
    schedule = Schedule.model_validate({"cron": cron, "timezone": timezone, "post_to": "#reviews", "prompt": "Go.", "missed": missed})
    return Plan("helper:1", "helper", schedule, at(due))


def times(cron: str, after: str, count: int, timezone: str = "Europe/Berlin") -> list[str]:
    ticks = plan(cron, after, timezone=timezone).schedule.ticks(at(after))
    return [next(ticks).isoformat() for _ in range(count)]


def test_a_time_that_has_come_begins_a_session() -> None:
    fired, due = deal(plan("0 9 * * *", "2026-11-23T09:00+01:00"), at("2026-11-23T09:00:01+01:00"))

    assert fired
    assert fired.key == "schedule:helper:1:2026-11-23T09:00:00+01:00"
    assert (fired.agent, fired.post_to, fired.prompt) == ("helper", "#reviews", "Go.")
    assert due == at("2026-11-24T09:00+01:00")


def test_a_restart_at_the_hour_misses_nothing() -> None:
    fired, _ = deal(plan("0 9 * * *", "2026-11-23T09:00+01:00"), at("2026-11-23T09:04+01:00"))

    assert fired
    assert fired.prompt == "Go."
    assert "missed" not in fired.headline


def test_what_was_missed_is_told_and_not_done() -> None:
    fired, due = deal(plan("0 9 * * *", "2026-11-20T09:00+01:00"), at("2026-11-22T12:00+01:00"))

    assert fired
    assert not fired.prompt
    assert "3 times were missed" in fired.headline
    assert "run schedule helper:1" in fired.headline
    assert due == at("2026-11-23T09:00+01:00")


def test_what_was_missed_is_done_once_where_the_file_says_run() -> None:
    fired, _ = deal(plan("0 9 * * *", "2026-11-20T09:00+01:00", "run"), at("2026-11-22T12:00+01:00"))

    assert fired
    assert fired.key == "schedule:helper:1:2026-11-20T09:00:00+01:00"
    assert fired.prompt == "Go."
    assert "3 times were missed" in fired.headline


def test_what_was_missed_is_forgotten_where_the_file_says_skip() -> None:
    fired, due = deal(plan("0 9 * * *", "2026-11-20T09:00+01:00", "skip"), at("2026-11-22T12:00+01:00"))

    assert fired is None
    assert due == at("2026-11-23T09:00+01:00")


@pytest.mark.parametrize("missed", ["tell", "run", "skip"])
def test_the_newest_time_begins_a_session_whatever_was_missed_before(missed: str) -> None:
    fired, _ = deal(plan("*/10 * * * *", "2026-11-23T09:00+01:00", missed), at("2026-11-23T09:31+01:00"))

    assert fired
    assert fired.key == "schedule:helper:1:2026-11-23T09:30:00+01:00"
    assert fired.prompt == "Go."
    assert ("3 times were missed" in fired.headline) == (missed != "skip")


def test_a_year_of_minutes_is_not_counted_to_its_end() -> None:
    fired, due = deal(plan("* * * * *", "2025-11-23T09:00+01:00"), at("2026-11-23T09:00:30+01:00"))

    assert fired
    assert fired.key == "schedule:helper:1:2026-11-23T09:00:00+01:00"
    assert f"{MANY} times and more were missed" in fired.headline
    assert due == at("2026-11-23T09:01+01:00")


def test_a_clock_that_was_set_back_begins_nothing() -> None:
    fired, due = deal(plan("0 9 * * *", "2026-11-23T09:00+01:00"), at("2026-11-23T08:00+01:00"))

    assert fired is None
    assert due == at("2026-11-23T09:00+01:00")


def test_a_time_that_the_clock_leaves_out_comes_when_it_has_jumped() -> None:
    assert times("30 2 * * *", "2026-03-28T12:00+01:00", 2) == ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]


def test_a_time_that_there_is_twice_comes_once() -> None:
    assert times("30 2 * * *", "2026-10-24T12:00+02:00", 2) == ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]


def test_a_time_that_there_is_twice_does_not_come_again_for_whoever_starts_between() -> None:
    assert times("30 2 * * *", "2026-10-25T02:10+01:00", 1) == ["2026-10-26T02:30:00+01:00"]


def test_what_comes_every_half_hour_goes_on_while_clocks_change() -> None:
    assert times("*/30 * * * *", "2026-10-25T01:45+02:00", 4) == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T02:30:00+01:00",
    ]


def test_missed_times_are_counted_through_the_night_when_clocks_change() -> None:
    fired, _ = deal(plan("30 2 * * *", "2026-10-24T02:30+02:00"), at("2026-10-26T12:00+01:00"))

    assert fired
    assert "3 times were missed" in fired.headline
