"""Claude Code itself, asked by people, with a model that does what the prompt says."""

import json
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.event import Finished, Item, Notice, Plan, Question, Started, Step, Text, Thought, Usage
from bot.message import Person
from bot.runtimes import runtime_of
from tests.standins.model import Model

from .talk import after, talked, talking, turn

BASH = {"tools": ["Bash"]}
OURS = ("TMPDIR", "FRONTDESK_HARNESS")  # folders of the session


async def test_a_turn_is_told_from_its_start_to_its_end(model: Model, tmp_path: Path) -> None:
    prompt = '!think What is it?\n!say I look.\n!tool Bash {"command": "echo it is 42", "description": "Look it up"}\n!say It is 42.'

    talk = await talked(turn(tmp_path / "s", model.url, prompt, instructions="You serve the API team.", options=BASH))

    assert talk.events[0] == Started(talk.resume, talk.resume, "claude-sonnet-5")
    assert "".join(thought.text for thought in talk.all(Thought)) == "What is it?"
    assert "".join(text.text for text in talk.all(Text) if not text.final) == "I look.\n\nIt is 42."
    assert talk.all(Text)[-1] == Text("It is 42.", final=True)
    assert [(step.title, step.kind, step.status, step.detail) for step in talk.all(Step)] == [
        ("Look it up", "execute", "working", "echo it is 42"),
        ("Look it up", "execute", "completed", "echo it is 42"),
    ]
    assert talk.finished == Finished("completed")
    assert model.log[0].system.endswith("You serve the API team.")
    assert "Claude Code" in model.log[0].system


async def test_the_next_turn_goes_on_with_the_conversation_and_costs_only_itself(model: Model, tmp_path: Path) -> None:
    first = await talked(turn(tmp_path / "s", model.url, "!usage 1000 100\n!say one", instructions="Anna asks."))

    second = await talked(after(first, "!usage 2000 200\n!history", instructions="Bert asks."))

    assert second.resume == first.resume
    assert second.answered == "2 messages, the newest: !usage 2000 200\n!history"
    assert model.log[-1].system.endswith("Bert asks.")
    (before,), (then,) = first.all(Usage), second.all(Usage)
    assert (before.input_tokens, before.output_tokens) == (1000, 100)
    assert (then.input_tokens, then.output_tokens) == (2000, 200)
    assert then.usd == pytest.approx(2 * before.usd)


async def test_nothing_of_our_own_environment_reaches_the_agent(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    monkeypatch.setenv("CLAUDE_CODE_USE_BEDROCK", "1")

    prompt = '!tool Bash {"command": "env"}\n!toolresult'

    talk = await talked(turn(tmp_path / "s", model.url, prompt, options=BASH, environment={"MINE": "yes"}))

    seen = dict(line.split("=", 1) for line in talk.answered.partition("said: ")[2].splitlines() if "=" in line)
    known = ("CLAUDE", "ANTHROPIC", "AI_AGENT", "NoDefaultCurrentDirectoryInExePath", "COREPACK", "GIT_EDITOR", "OTEL_", "SHELL", "SHLVL")
    assert seen["MINE"] == "yes"
    assert seen["HOME"] == str(tmp_path / "s" / "home")
    assert {name for name in seen if not name.startswith(known)} <= {"MINE", "HOME", "PATH", "PWD", "OLDPWD", "LANG", "_", *OURS}
    assert not {"SLACK_BOT_TOKEN", "CLAUDE_CODE_USE_BEDROCK"} & seen.keys()


async def test_steps_say_what_is_done_in_which_folder(model: Model, tmp_path: Path) -> None:
    work = tmp_path / "s" / "work"
    work.mkdir(parents=True)
    (work / "a.py").write_text("x = 1\n")
    prompt = f'!tool Read {{"file_path": "{work}/a.py"}}\n!tool Bash {{"command": "ls nowhere"}}\n!say seen'

    talk = await talked(turn(tmp_path / "s", model.url, prompt, options=BASH))

    read, run = talk.steps.values()
    assert (read.title, read.kind, read.status) == ("Read a.py", "read", "completed")
    assert (run.title, run.status) == ("Run: ls nowhere", "failed")
    assert "nowhere" in run.detail


async def test_the_plan_is_kept_over_the_turns(model: Model, tmp_path: Path) -> None:
    prompt = '!tool TaskCreate {"subject": "Look", "description": "."}\n!tool TaskCreate {"subject": "Mend", "description": "."}\n!say ok'
    first = await talked(turn(tmp_path / "s", model.url, prompt))

    second = await talked(after(first, '!tool TaskUpdate {"taskId": "1", "status": "completed"}\n!say done'))

    assert first.all(Plan)[-1] == Plan((Item("Look"), Item("Mend")))
    assert second.all(Plan)[-1] == Plan((Item("Look", "done"), Item("Mend")))
    assert not first.steps
    assert not second.steps


@pytest.mark.parametrize("background", [True, False])
async def test_a_sub_agent_is_waited_for_and_its_steps_stand_under_it(model: Model, tmp_path: Path, background: bool) -> None:
    inner = '!tool Bash {"command": "echo hi", "description": "Say hi"}\n!say found'
    given = {"description": "Look around", "prompt": inner, "subagent_type": "general-purpose", "run_in_background": background}

    talk = await talked(turn(tmp_path / "s", model.url, f"!tool Agent {json.dumps(given)}\n!say started", options=BASH))

    outer, under = talk.steps.values()
    assert (outer.title, outer.kind, outer.status) == ("Sub-agent: Look around", "agent", "completed")
    assert (under.title, under.parent, under.status) == ("Say hi", outer.call_id, "completed")
    assert talk.events.index(outer) > talk.events.index(under)
    assert talk.finished == Finished("completed")


async def test_what_is_said_meanwhile_reaches_the_running_turn(model: Model, tmp_path: Path) -> None:
    async with talking(turn(tmp_path / "s", model.url, '!tool Bash {"command": "touch a"}\n!say done')) as talk:
        question = await talk.question()
        talk.inbox.say("Be quick about it", Person("U2", "Bert"))
        talk.answer(question, decision="Allow once")
        await talk.task

    assert "Bert says: Be quick about it" in json.dumps(model.log[-1].body["messages"])
    assert talk.answered == "done"
    assert len(talk.all(Usage)) == 1


async def test_what_is_said_too_late_is_answered_in_the_same_turn(model: Model, tmp_path: Path) -> None:
    async with talking(turn(tmp_path / "s", model.url, f"!slow 0.05\n!say {'word ' * 30}")) as talk:
        await talk.until(lambda: talk.all(Text))
        talk.inbox.say("!say And this.")
        await talk.task

    assert talk.answered == f"{('word ' * 30).strip()}\n\nAnd this."
    assert len(talk.all(Usage)) == 2
    assert [event for event in talk.events if isinstance(event, Finished)] == [Finished("completed")]


async def test_what_people_write_is_no_command_and_names_no_file(model: Model, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")

    talk = await talked(turn(tmp_path / "s", model.url, f"/clear @{secret}"))

    assert talk.answered == f"echo: /clear @{secret}"
    assert "hunter2" not in json.dumps([asked.body for asked in model.log])


async def test_a_turn_that_was_cut_goes_on_where_it_was(model: Model, tmp_path: Path) -> None:
    async with talking(turn(tmp_path / "s", model.url, '!tool Bash {"command": "touch a"}\n!say done')) as cut:
        await cut.question()

    again = await talked(after(cut, cut.turn.prompt, again=True))

    assert again.resume == cut.resume
    assert again.answered.startswith("echo: The process that you ran in was restarted")
    assert model.log[-1].people[0] == cut.turn.prompt
    assert not any(cut.turn.prompt in said for said in model.log[-1].people[1:])


async def test_a_turn_that_was_cut_before_it_began_begins_anew(model: Model, tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path / "s", model.url, "!history", again=True))

    assert talk.answered == "1 messages, the newest: !history"
    assert not talk.all(Notice)


async def test_a_conversation_that_is_lost_is_said_to_be(model: Model, tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path / "s", model.url, "!history", resume="5d0ff357-a0cc-4a5e-8a3c-d03a94e1a1d0"))

    assert talk.resume != "5d0ff357-a0cc-4a5e-8a3c-d03a94e1a1d0"
    assert "not on this machine" in talk.all(Notice)[0].text
    assert talk.answered == "1 messages, the newest: !history"


async def test_files_that_came_with_the_message_can_be_read_unasked(model: Model, tmp_path: Path) -> None:
    given = tmp_path / "s" / "in" / "log.txt"
    given.parent.mkdir(parents=True)
    given.write_text("it broke")

    talk = await talked(turn(tmp_path / "s", model.url, f'!tool Read {{"file_path": "{given}"}}\n!toolresult', files=(given,)))

    assert "it broke" in talk.answered
    assert not talk.all(Question)


async def test_instructions_may_stand_in_place_of_claude_codes_own(model: Model, tmp_path: Path) -> None:
    await talked(turn(tmp_path / "s", model.url, "!say hi", instructions="You are a bot.", options={"system_prompt": "replace"}))

    assert "You are a bot." in model.log[0].system
    assert "interactive" not in model.log[0].system


def test_a_misspelt_option_is_told_with_the_nearest(tmp_path: Path) -> None:
    wrong = turn(tmp_path / "s", "", "", options={"tool": ["Bash"]})

    with pytest.raises(ConfigError, match="did you mean 'tools'"):
        runtime_of(wrong.agent)
