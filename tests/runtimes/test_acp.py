"""Agents that speak ACP, tried with one that nobody knows: tests/standins/acp_agent.py."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.agent import Agent, parse
from bot.errors import RuntimeFailed, Unavailable
from bot.event import ALLOW, ALLOW_SESSION, DENY, Finished, Item, Notice, Plan, Started, Usage
from bot.message import Answer, Person
from bot.ports import Turn
from tests.standins import acp_agent

from .contract import family
from .talk import ANNA, after, gone, talked, talking


def turn(folder: Path, prompt: str, **more: Any) -> Turn:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, acp_agent.__file__, str(folder)]
    given = {"name": "stranger", "version": "1", "description": "Nobody knows it.", "runtime": "acp", "model": more.pop("model", "")}
    agent = Agent.model_validate({**given, "options": {"command": command, **more.pop("options", {})}})
    return Turn("s1", 1, agent, prompt, folder=folder, person=ANNA, **more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "s"


async def test_three_lines_in_an_agents_file_are_enough(tmp_path: Path) -> None:
    folder = tmp_path
    command = f"[{sys.executable}, {acp_agent.__file__}, {folder}]"
    file = f"---\ndescription: Nobody knows it.\nruntime: acp\noptions: {{command: {command}}}\n---\nBe brief.\n"

    talk = await talked(Turn("s1", 1, parse("stranger", file), "!say hello", folder=folder, person=ANNA))

    assert isinstance(talk.events[0], Started)
    assert (talk.answered, talk.finished) == ("hello", Finished("completed"))


@pytest.mark.parametrize(("label", "chosen"), [(ALLOW, "allow_once"), (ALLOW_SESSION, "allow_always")])
async def test_a_permission_is_given_by_its_kind(folder: Path, label: str, chosen: str) -> None:
    async with talking(turn(folder, "!run touch a.txt")) as talk:
        question = await talk.question()
        assert question.detail == "touch a.txt"
        talk.answer(question, decision=label)
        await talk.task

    assert talk.answered.strip() == f"chosen: {chosen}"
    assert talk.steps["c1"].title == "Run: touch a.txt"
    assert talk.steps["c1"].status == "completed"


async def test_a_turn_that_ends_without_a_word_after_a_refusal_says_so(folder: Path) -> None:
    async with talking(turn(folder, "!run rm -rf a")) as talk:
        talk.answer(await talk.question(), decision=DENY)
        await talk.task

    assert talk.steps["c1"].status == "denied"
    assert talk.answered == "That was denied, so the agent stopped here. Say how to go on."


async def test_what_a_person_adds_to_a_refusal_is_told_to_the_agent(folder: Path) -> None:
    async with talking(turn(folder, "!run rm -rf a")) as talk:
        talk.answer(await talk.question(), note="take the other one", decision=DENY)
        await talk.task

    assert talk.answered.endswith("you said: take the other one")


async def test_a_form_is_a_question_whose_answers_have_the_forms_own_values(folder: Path) -> None:
    async with talking(turn(folder, "!ask")) as talk:
        question = await talk.question()
        assert [part.text for part in question.parts] == ["Before I begin\nWhich colour?", "How many?"]
        assert [option.label for option in question.parts[0].options] == ["Red", "Blue"]
        talk.answer(question, colour="Blue", many="3")
        await talk.task

    assert json.loads(talk.answered) == {"action": "accept", "content": {"colour": "b", "many": 3}}


async def test_its_plan_is_told(folder: Path) -> None:
    talk = await talked(turn(folder, "!plan"))

    assert talk.all(Plan) == [Plan((Item("Look", "in_progress"), Item("Mend")))]


async def test_what_is_said_meanwhile_is_the_next_prompt_in_its_authors_name(folder: Path) -> None:
    async with talking(turn(folder, "!run a")) as talk:
        question = await talk.question()
        talk.inbox.say("and be quick", author=Person("U2", "Ben"))
        talk.inbox.say("", answer=Answer(question.id, {"decision": (ALLOW,)}))
        await talk.task

    assert talk.answered.endswith("you said: Ben says: and be quick")


async def test_the_next_turn_goes_on_and_nothing_is_told_twice(folder: Path) -> None:
    first = await talked(turn(folder, "!say one"))

    second = await talked(after(first, "!history"))

    assert second.answered == "!say one | !history"


async def test_a_conversation_that_is_lost_is_begun_anew_and_that_is_said(folder: Path) -> None:
    talk = await talked(turn(folder, "!say all the same", resume="nobody"))

    assert talk.answered == "all the same"
    assert "is lost to stranger" in talk.all(Notice)[0].text


async def test_costs_that_add_up_are_told_as_this_turns(folder: Path) -> None:
    first = await talked(turn(folder, "!cost 0.5"))

    second = await talked(after(first, "!cost 0.75"))

    assert [sum(used.usd for used in talk.all(Usage)) for talk in (first, second)] == [0.5, 0.25]


async def test_instructions_are_given_once(folder: Path) -> None:
    first = await talked(turn(folder, "!say one", instructions="Be brief."))

    second = await talked(after(first, "!history"))

    assert second.answered.count("Be brief.") == 1


async def test_an_error_is_told_in_words(folder: Path) -> None:
    talk = await talked(turn(folder, "!error the model is gone"))

    assert talk.finished == Finished("failed", "stranger could not go on: the model is gone")


async def test_a_stop_is_told_to_the_agent_and_leaves_nothing_behind(folder: Path) -> None:
    async with talking(turn(folder, "!say it begins\n!wait")) as talk:
        await talk.until(lambda: talk.answered)
        ours = family(folder)

    assert (folder / "cancelled").exists()
    assert ours
    assert await gone(ours, 2)


async def test_a_death_in_the_middle_is_told(folder: Path) -> None:
    with pytest.raises(RuntimeFailed, match="stranger ended by itself with code 3"):
        await talked(turn(folder, "!die"))


async def test_it_sees_no_variable_of_our_own_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_SECRET", "1")

    talk = await talked(turn(folder, "!environment", environment={"GIVEN": "1"}))

    assert "OUR_SECRET" not in talk.answered
    assert "GIVEN" in talk.answered


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"environment": {"STRANGER_LOGIN": "1"}}, "stranger asks to log in"),
        ({"environment": {"STRANGER_VERSION": "0"}}, "bring it up to date"),
        ({"options": {"command": ["/nowhere/agent"]}}, "/nowhere/agent"),
        ({"options": {"command": []}}, "write `command:` under `options:`"),
        ({"model": "gpt-0"}, "lets nobody choose a model over ACP: take 'gpt-0' out of"),
    ],
)
async def test_one_that_cannot_begin_says_what_to_do(folder: Path, more: dict[str, Any], words: str) -> None:
    with pytest.raises(Unavailable) as caught:
        await talked(turn(folder, "!say never", **more))

    assert words in str(caught.value)


async def test_an_answer_that_nobody_waits_for_is_said(folder: Path) -> None:
    async with talking(turn(folder, "!run a")) as talk:
        question = await talk.question()
        talk.inbox.say("", answer=Answer("another", {"decision": (ALLOW,)}))
        await talk.until(lambda: talk.all(Notice))
        talk.answer(question, decision=ALLOW)
        await talk.task

    assert "did not wait" in talk.all(Notice)[0].text
