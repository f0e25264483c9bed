"""Schedules as agents' files write them: what is wrong with one is said in words, before it ever has to begin."""

import pytest

from bot.agent import Agent, parse
from bot.errors import ConfigError

GOOD = {"cron": '"0 9 * * 1-5"', "timezone": "Europe/Berlin", "post_to": '"#reviews"', "prompt": "'Which pull requests wait?'"}


def agent(**given: str) -> Agent:
    schedule = ", ".join(f"{key}: {value}" for key, value in (GOOD | given).items() if value)
    return parse("reviewer", f"---\ndescription: x\nruntime: echo\ntriggers:\n  - schedule: {{{schedule}}}\n---\n")


def told(**given: str) -> str:
    with pytest.raises(ConfigError) as found:
        agent(**given)
    return str(found.value).removeprefix("agents/reviewer.md: triggers.0.schedule.")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"cron": '"0 0 31 2 *"'}, "cron: '0 0 31 2 *' names no time that comes (bad day-of-month)"),
        ({"cron": '"0 0 */30 2 1#2"'}, "cron: '0 0 */30 2 1#2' never comes: there is no such day"),
        ({"cron": '"0 25 * * *"'}, "cron: '0 25 * * *' names no time that comes (bad hour)"),
        ({"cron": '"@daily"'}, "cron: '@daily' has to be five fields (minute hour day month weekday)"),
        ({"cron": '"0 0 9 * * *"'}, "cron: '0 0 9 * * *' has to be five fields (minute hour day month weekday)"),
        ({"cron": ""}, "cron: is missing"),
        ({"timezone": "Berlin"}, "timezone: 'Berlin' is no time zone: write it like Europe/Berlin, America/New_York or UTC"),
        ({"timezone": "../etc/passwd"}, "timezone: '../etc/passwd' is no time zone"),
        ({"post_to": "reviews"}, "post_to: 'reviews' is neither a channel nor a person: write \"#reviews\" (in quotes), or an id"),
        ({"prompt": '""'}, "prompt: is empty"),
        ({"missed": "ask"}, "missed: has to be 'tell', 'run' or 'skip'"),
        ({"timzone": "UTC"}, "timzone: unknown key; did you mean 'timezone'?"),
    ],
)
def test_each_mistake_in_a_schedule_is_told(given: dict[str, str], sentence: str) -> None:
    assert told(**given).startswith(sentence)


def test_a_question_without_quotes_is_told_with_its_remedy() -> None:
    assert "put the text in quotes, since it has a question mark in it" in told(prompt="Which pull requests wait?")


def test_an_agent_knows_its_schedules_by_name_and_the_channels_they_write_to() -> None:
    found = agent()

    assert list(found.schedules) == ["reviewer:1"]
    assert found.names() == {"#reviews"}
    assert found.resolved({"#reviews": "C7"}).schedules["reviewer:1"].post_to == "C7"
    assert found.claims() == ["reviewer's schedule 0 9 * * 1-5 (Europe/Berlin) for #reviews"]


def test_a_schedule_without_a_time_zone_is_in_utc() -> None:
    assert agent(timezone="").schedules["reviewer:1"].timezone == "UTC"
