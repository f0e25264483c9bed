"""Agents that speak ACP, tried with one that nobody knows: tests/standins/acp_agent.py."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from acp.schema import PermissionOption, ToolCallUpdate

from bot.agent import Agent, parse
from bot.errors import ConfigError, RuntimeFailed, Unavailable
from bot.event import ALLOW, ALLOW_SESSION, DENY, Event, Finished, Item, Notice, Plan, Question, Started, Usage
from bot.message import Answer, Message, Person
from bot.ports import Turn
from bot.runtimes import acp, acp_questions, build
from bot.runtimes.acp_memory import Memory
from bot.runtimes.acp_questions import Questions
from bot.runtimes.acp_setting import PRESETS
from bot.runtimes.acp_story import Story
from bot.slack.view import plain
from bot.tools.deeds import DEEDS
from bot.words import picked, typed
from tests.standins import acp_agent

from .contract import family
from .talk import ANNA, Late, Talk, after, gone, talked, talking


def turn(folder: Path, prompt: str, **more: Any) -> Turn:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-P", acp_agent.__file__, str(folder)]
    given = {"name": "stranger", "version": "1", "description": "Nobody knows it.", "runtime": "acp", "model": more.pop("model", "")}
    agent = Agent.model_validate({**given, "options": {"command": command, **more.pop("options", {})}})
    return Turn("s1", 1, agent, prompt, folder=folder, person=ANNA, **more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "s"


async def test_three_lines_in_an_agents_file_are_enough(tmp_path: Path) -> None:
    folder = tmp_path
    command = f"[{sys.executable}, -P, {acp_agent.__file__}, {folder}]"
    file = f"---\ndescription: Nobody knows it.\nruntime: acp\noptions: {{command: {command}}}\n---\nBe brief.\n"

    talk = await talked(Turn("s1", 1, parse("stranger", file), "!say hello", folder=folder, person=ANNA))

    assert isinstance(talk.events[0], Started)
    assert (talk.answered, talk.finished) == ("hello", Finished("completed"))


@pytest.mark.parametrize(("label", "chosen"), [(ALLOW, "allow_once"), (ALLOW_SESSION, "allow_always")])
async def test_a_permission_is_given_by_its_kind(folder: Path, label: str, chosen: str) -> None:
    async with talking(turn(folder, "!run touch a.txt")) as talk:
        question = await talk.question()
        assert question.detail == "touch a.txt"
        assert "as far as the agent itself takes that" in question.parts[0].options[1].description
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


OURS = {"toolCallId": "c1", "title": "mcp__frontdesk__post_update", "kind": "other", "rawInput": {"text": "half done"}}
ONCE = [PermissionOption(option_id="once", name="Allow", kind="allow_once")]


async def asked(call: dict[str, Any], lent: bool = True) -> bool:
    """Whether people are asked before such a call is done."""
    told: list[Event] = []
    said = asyncio.Event()

    async def say(event: Event) -> None:
        told.append(event)
        said.set()

    questions = Questions(Story(PRESETS["claude"], Path("/w"), Memory(), "agents/a.md"), say, told.append, lent)
    asking = asyncio.create_task(questions.request_permission("s", ToolCallUpdate.model_validate(call), ONCE))
    waiting = asyncio.create_task(said.wait())
    await asyncio.wait([asking, waiting], return_when=asyncio.FIRST_COMPLETED, timeout=5)
    for task in (asking, waiting):
        task.cancel()
    return bool(told)


async def decided(options: list[PermissionOption], label: str) -> tuple[Question, Any]:
    """What people are asked where an agent offers this, and what the agent hears once somebody has chosen."""
    told: asyncio.Queue[Event] = asyncio.Queue()
    questions = Questions(Story(PRESETS["claude"], Path("/w"), Memory(), "agents/a.md"), told.put, told.put_nowait, False)
    call = ToolCallUpdate.model_validate({"toolCallId": "c1", "title": "Which database?"})
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(questions.request_permission("s", call, options))
        question = await told.get()
        assert isinstance(question, Question)
        await questions.answer(Message("m1", "t", "c", ANNA, "", answer=Answer(question.id, {"decision": (label,)})))
    return question, asking.result().outcome


def options(*names: str) -> list[PermissionOption]:
    """Ways to do it once, and one not to."""
    once = [PermissionOption(option_id=f"o{n}", name=name, kind="allow_once") for n, name in enumerate(names)]
    return [*once, PermissionOption(option_id="no", name="Neither", kind="reject_once")]


@pytest.mark.parametrize(("label", "chosen"), [("Allow once: Use Postgres", "o0"), ("Allow once: Use SQLite", "o1"), (DENY, "no")])
async def test_of_several_ways_to_do_it_people_choose_by_the_agents_own_names(label: str, chosen: str) -> None:
    question, outcome = await decided(options("Use Postgres", "Use SQLite"), label)

    assert [option.label for option in question.parts[0].options] == ["Allow once: Use Postgres", "Allow once: Use SQLite", DENY]
    assert outcome.option_id == chosen


async def test_an_agents_name_for_an_option_counts_as_no_other_decision() -> None:
    question, outcome = await decided(options("Deny", "Allow once", "Deny", ""), DENY)

    assert [option.label for option in question.parts[0].options] == [
        "Allow once: Deny", "Allow once: Allow once", "Allow once: Deny (3)", "Allow once: o3", DENY,
    ]  # fmt: skip
    assert outcome.option_id == "no"
    assert [typed(question, said) for said in ("allow", "allow once", "ok")] == [None] * 3
    assert typed(question, "allow once: deny (3)") == {"decision": ("Allow once: Deny (3)",)}
    assert typed(question, "deny") == {"decision": (DENY,)}
    assert [picked(question, said) for said in ("allow once: deny (3)", "deny", "allow", "ok")] == [True, True, True, False]


async def test_no_option_takes_the_label_of_another() -> None:
    question, outcome = await decided(options("X (3)", "X", "X", "x"), "Allow once: X (4)")

    assert [option.label for option in question.parts[0].options] == [
        "Allow once: X (3)", "Allow once: X", "Allow once: X (4)", "Allow once: x (5)", DENY,
    ]  # fmt: skip
    assert outcome.option_id == "o2"


async def test_names_that_look_alike_on_buttons_can_be_told_apart_and_too_many_are_told() -> None:
    question, outcome = await decided(options(*(f"{'Use ' * 20}{n}" for n in range(12))), f"Allow once: {('Use ' * 20)[:54].strip()}… (2)")
    [part] = question.parts

    assert len(part.options) == 11
    assert part.options[1].description == f"{'Use ' * 20}1"
    assert "knows 12 ways to do it, and the first 10 can be chosen here" in part.text
    assert outcome.option_id == "o1"
    assert len({plain(option.label)["text"] for option in part.options}) == 11


async def test_our_own_tools_need_no_leave_as_they_ask_people_themselves() -> None:
    assert not await asked(OURS)


@pytest.mark.parametrize(
    "call",
    [
        {"kind": "execute", "rawInput": {"command": "rm -rf ~"}},
        {"kind": "edit", "rawInput": {"file_path": "/etc/passwd"}},
        {"content": [{"type": "diff", "path": "/etc/passwd", "newText": ""}]},
        {"title": "mcp__frontdesk__rm"},
        {"title": "post_update"},
    ],
)
async def test_what_only_bears_the_name_of_our_tools_is_asked(call: dict[str, Any]) -> None:
    assert await asked({**OURS, **call})


async def test_where_no_tools_were_lent_nothing_is_one_of_ours() -> None:
    assert await asked(OURS, lent=False)


def test_the_names_of_our_tools_are_known() -> None:
    assert tuple(DEEDS) == acp_questions.DEEDS


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


async def test_what_is_told_of_another_session_is_no_answer(folder: Path) -> None:
    talk = await talked(turn(folder, "!say one\n!elsewhere two\n!say three"))

    assert "two" not in talk.answered
    assert talk.answered.endswith("three")


async def hurried(turn: Turn) -> Talk:
    """Ben says something while it waits for leave, which it then gets."""
    async with talking(turn) as talk:
        question = await talk.question()
        talk.inbox.say("and be quick", author=Person("U2", "Ben"))
        talk.inbox.say("", answer=Answer(question.id, {"decision": (ALLOW,)}))
        await talk.task
    return talk


async def test_what_is_said_meanwhile_is_the_next_prompt_in_its_authors_name(folder: Path) -> None:
    talk = await hurried(turn(folder, "!run a"))

    assert talk.answered.endswith("you said: Ben says: and be quick")


async def test_what_is_said_to_a_turn_that_fails_is_given_to_the_next(folder: Path) -> None:
    talk = await hurried(turn(folder, "!run a\n!error it broke"))

    second = await talked(after(talk, "!say two"))

    assert talk.finished.state == "failed"
    assert second.answered.startswith("you said: Ben says: and be quick")
    assert second.answered.endswith("two")


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


async def test_one_that_wants_to_be_told_to_use_its_key_is_told(folder: Path) -> None:
    talk = await talked(turn(folder, "!say hello", environment={"STRANGER_LOGIN": "1", "STRANGER_KEY": "k"}))

    assert talk.answered == "hello"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"environment": {"STRANGER_LOGIN": "1"}}, "stranger asks to log in"),
        ({"environment": {"STRANGER_VERSION": "0"}}, "bring it up to date"),
        ({"options": {"command": ["/nowhere/agent"]}}, "/nowhere/agent"),
        ({"model": "gpt-0"}, "lets nobody choose a model over ACP: take 'gpt-0' out of"),
    ],
)
async def test_one_that_cannot_begin_says_what_to_do(folder: Path, more: dict[str, Any], words: str) -> None:
    with pytest.raises(Unavailable) as caught:
        await talked(turn(folder, "!say never", **more))

    assert words in str(caught.value)


async def test_one_that_ends_before_it_is_greeted_has_not_begun(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acp, "Child", Late)

    with pytest.raises(Unavailable, match=r"ended by itself with code 2\. It said: no such option: --acp\nPerhaps it is too old"):
        await talked(turn(folder, "!say never", options={"command": ["/bin/sh", "-c", "echo 'no such option: --acp' >&2; exit 2"]}))


@pytest.mark.parametrize(
    "words", [("gemini", "gemini --acp"), ("copilot", "copilot --acp"), ("goose", "goose acp"), ("cursor", "agent acp")]
)
async def test_one_that_no_test_has_run_is_begun_as_its_makers_say(tmp_path: Path, folder: Path, words: tuple[str, str]) -> None:
    """Here another stands in for it, by its name."""
    harness, command = words
    (tmp_path / "bin").mkdir()
    stand_in = tmp_path / "bin" / command.partition(" ")[0]
    stand_in.write_text(f'#!/bin/sh\necho "${{0##*/}} $*" > {tmp_path}/begun\nexec {sys.executable} -P {acp_agent.__file__} {folder}\n')
    stand_in.chmod(0o755)
    environment = {"PATH": str(stand_in.parent)}

    talk = await talked(turn(folder, "!say hello", options={"harness": harness, "command": []}, environment=environment))

    assert talk.answered == "hello"
    assert (tmp_path / "begun").read_text().strip() == command


@pytest.mark.parametrize("options", [{}, {"command": []}, {"harness": "deepagents"}])
def test_a_file_that_does_not_say_what_to_begin_is_wrong(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"^agents/stranger.md: options: nothing says what to begin; write `command:` under `options:`"):
        build(Agent.model_validate({"name": "stranger", "version": "1", "description": "?", "runtime": "acp", "options": options}))


async def test_an_answer_that_nobody_waits_for_is_said(folder: Path) -> None:
    async with talking(turn(folder, "!run a")) as talk:
        question = await talk.question()
        talk.inbox.say("", answer=Answer("another", {"decision": (ALLOW,)}))
        await talk.until(lambda: talk.all(Notice))
        talk.answer(question, decision=ALLOW)
        await talk.task

    assert "did not wait" in talk.all(Notice)[0].text


DEAF = """
import json, sys, time
for result in ({"protocolVersion": 1}, {"sessionId": "s1"}):
    asked = json.loads(sys.stdin.readline())
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
time.sleep(300)
"""


async def test_one_that_hears_nothing_any_more_is_stopped_all_the_same(folder: Path) -> None:
    async with talking(turn(folder, "x" * 1_000_000, options={"command": [sys.executable, "-c", DEAF]})) as talk:
        await talk.until(lambda: talk.all(Started))
        ours = family(folder)

        assert await talk.stop() < 2

    assert await gone(ours, 2)


async def test_a_repositorys_own_settings_do_not_count_where_a_harness_can_be_told_so(folder: Path) -> None:
    talk = await talked(turn(folder, "!meta"))

    assert json.loads(talk.answered) == {"claudeCode": {"options": {"settingSources": ["user"], "strictMcpConfig": True}}}


async def test_a_server_that_it_begins_beside_has_a_password(folder: Path) -> None:
    talk = await talked(turn(folder, "!environment"))

    assert {"OPENCODE_SERVER_PASSWORD", "OPENCODE_DISABLE_PROJECT_CONFIG"} <= set(talk.answered.split())
