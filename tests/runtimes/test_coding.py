"""What OpenCode and Pi have in common: tools in words, and how people's words are put to them."""

from pathlib import Path
from typing import Any

import pytest

from bot.agent import Agent
from bot.message import Answer, Message, Person
from bot.ports import Turn
from bot.runtimes.coding import AGAIN, begun, heard, said, title, unheard

ANNA = Person("U1", "Anna")
AGENT = Agent.model_validate({"name": "coder", "version": "1", "description": "Codes.", "runtime": "pi"})


def turn(**more: Any) -> Turn:
    return Turn("s1", 1, AGENT, "Mend it", person=ANNA, **more)


@pytest.mark.parametrize(
    ("tool", "given", "words"),
    [
        ("bash", {"command": "ls\nls"}, "Run: ls …"),
        ("bash", {"command": "ls", "description": "Look around"}, "Look around"),
        ("read", {"filePath": "/repo/a.py"}, "Read a.py"),
        ("write", {"path": "/etc/hosts"}, "Write /etc/hosts"),
        ("grep", {"pattern": "def x", "path": "/repo/bot"}, "Search for 'def x' in bot"),
        ("find", {"pattern": "*.py"}, "Look for files like *.py"),
        ("ls", {}, "List ."),
        ("webfetch", {"url": "https://example.com"}, "Fetch https://example.com"),
        ("apply_patch", {"patchText": "…"}, "Edit files"),
        ("deploy_now", {}, "deploy now"),
    ],
)
def test_a_step_is_a_few_words(tool: str, given: dict[str, Any], words: str) -> None:
    assert title(tool, given, Path("/repo")) == words


def test_a_turn_begins_with_what_was_asked() -> None:
    assert begun(turn(), found=True, known=False) == "Mend it"


def test_a_turn_that_was_cut_goes_on_without_the_request_where_the_agent_knows_it() -> None:
    assert begun(turn(again=True), found=True, known=True) == AGAIN


def test_a_turn_that_was_cut_before_the_agent_knew_the_request_goes_on_with_it() -> None:
    assert begun(turn(again=True), found=True, known=False) == f"{AGAIN} The request was:\n\nMend it"


def test_a_turn_that_was_cut_while_it_waited_goes_on_with_the_answer() -> None:
    assert begun(turn(again=True, answer=Answer("q1")), found=True, known=False) == f"{AGAIN}\n\nMend it"


def test_a_turn_whose_conversation_is_lost_begins_anew() -> None:
    assert begun(turn(again=True), found=False, known=False) == "Mend it"


def test_who_asked_needs_no_name_and_others_do() -> None:
    mine, others = (Message("m1", "t", "c", person, "Be quick") for person in (ANNA, Person("U2", "Bert")))

    assert (said(turn(), mine), said(turn(), others)) == ("Be quick", "Bert says: Be quick")


def test_what_was_left_unsaid_is_known_until_a_turn_has_said_it(tmp_path: Path) -> None:
    with heard(turn(folder=tmp_path), ["look at Y too"]):
        pass
    begun_only = unheard(turn(folder=tmp_path))
    with heard(turn(folder=tmp_path, leaving=lambda: True), []):
        pass
    cut = unheard(turn(folder=tmp_path))
    with heard(turn(folder=tmp_path), []):
        pass

    assert (begun_only, cut, unheard(turn(folder=tmp_path))) == (["look at Y too"], ["look at Y too"], [])
