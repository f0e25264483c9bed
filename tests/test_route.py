"""Which agent is meant: by the door, by the place, or by its name."""

import pytest

from bot.agent import Agent, parse
from bot.message import Door, Message, Person
from bot.route import everywhere, misnamed, named, route

ANA = Person("U1", "Ana")


def agent(name: str, triggers: str) -> Agent:
    return parse(name, f"---\ndescription: Does things.\nruntime: echo\ntriggers: [{triggers}]\n---\nDo it.")


DESK = (
    agent("helper", "{mention: ['*']}"),
    agent("reviewer", "{mention: [C01]}, {command: /review}, {reaction: ':ticket:'}"),
    agent("watcher", "{messages: {channel: C2, pattern: '(?i)stack trace'}}, {shortcut: {callback: triage, name: Triage}}"),
    agent("friend", "{dm: true}"),
)


def said(text: str = "hello", door: Door = "mention", channel: str = "C09", name: str = "", root: bool = True) -> Message:
    return Message("m1", "slack:T1:C09:1", channel, ANA, text, door, name=name, root=root)


def meant(message: Message, desk: tuple[Agent, ...] = DESK) -> str:
    found = route(message, desk)
    return found.name if found else ""


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (said(channel="C01"), "reviewer"),
        (said(channel="C09"), "helper"),
        (said(door="direct"), "friend"),
        (said(door="command", name="/review"), "reviewer"),
        (said(door="command", name="/other"), ""),
        (said(door="shortcut", name="triage"), "watcher"),
        (said(door="shortcut", name="gone"), ""),
        (said(door="reaction", name="ticket"), "reviewer"),
        (said(door="reaction", name="eyes"), ""),
        (said("A Stack Trace, see", "message", "C2"), "watcher"),
        (said("nothing", "message", "C2"), ""),
        (said("a stack trace", "message", "C01"), ""),
        (said("a stack trace", "message", "C2", root=False), ""),
    ],
)
def test_the_door_and_the_place_say_who_is_meant(message: Message, name: str) -> None:
    assert meant(message) == name


def test_a_channel_of_its_own_goes_before_everywhere_in_whatever_order() -> None:
    assert meant(said(channel="C01"), DESK) == meant(said(channel="C01"), DESK[::-1]) == "reviewer"


def test_direct_messages_go_to_the_default_agent_where_none_asked_for_them() -> None:
    assert meant(said(door="direct"), DESK[:2]) == "helper"


def test_without_a_default_agent_nobody_is_meant() -> None:
    assert everywhere(DESK[1:]) is None
    assert meant(said(), DESK[1:]) == ""


def test_of_two_that_claim_a_place_the_first_has_it() -> None:
    twins = (agent("one", "{command: /go}"), agent("two", "{command: /go}"))

    assert meant(said(door="command", name="/go"), twins) == "one"


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("reviewer: look at this", "reviewer", "look at this"),
        ("  Reviewer:\nlook", "reviewer", "look"),
        ("reviewer:", "reviewer", ""),
        ("reviewer look", "", "reviewer look"),
        ("https://example.com", "", "https://example.com"),
        ("nobody: look", "", "nobody: look"),
    ],
)
def test_an_agent_can_be_called_by_its_name(text: str, name: str, rest: str) -> None:
    found, left = named(text, DESK)

    assert (found.name if found else "", left) == (name, rest)


def test_a_name_that_is_nearly_right_is_known() -> None:
    assert misnamed("reviewr: look", DESK) == "reviewer"
    assert misnamed("note: look", DESK) == ""
    assert misnamed("look at this", DESK) == ""
