"""How a turn on Claude Code ends before its time: by a person, by an error, by a limit, by its process."""

import asyncio
import json
import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from bot.errors import RuntimeFailed, Unavailable
from bot.event import Finished, Notice, Started, Step, Text, Usage
from bot.runtimes import runtime_of
from tests.standins.model import Model

from .talk import Inbox, Talk, after, gone, processes, running, talked, talking, turn

FOREVER = '!say Here I go.\n!tool Bash {"command": "tail -f /dev/null"}\n!say never'
BASH = {"tools": ["Bash"]}


async def at_work(talk: Talk) -> list[psutil.Process]:
    """Wait until the command runs; every process that there is then."""
    await talk.until(lambda: talk.all(Step))
    while not running(talk.turn.folder, "/dev/null") or len(there := processes(talk.turn.folder)) < 3:
        await asyncio.to_thread(os.sched_yield)
    return there


async def test_closing_the_turn_ends_the_process_and_all_that_it_began(model: Model, tmp_path: Path) -> None:
    events = runtime_of((task := turn(tmp_path / "s", model.url, FOREVER, options=BASH)).agent).run(task, Inbox())
    async for event in events:
        if isinstance(event, Step):
            break
    while not running(task.folder, "/dev/null") or len(there := processes(task.folder)) < 3:
        await asyncio.to_thread(os.sched_yield)

    async with asyncio.timeout(5):  # 0.3 s on an idle machine
        await events.aclose()  # type: ignore[attr-defined]

    assert len(there) >= 3
    assert await gone(there)


async def test_cancelling_who_listens_ends_it_too_and_the_conversation_can_go_on(model: Model, tmp_path: Path) -> None:
    async with talking(turn(tmp_path / "s", model.url, FOREVER, options=BASH)) as talk:
        there = await at_work(talk)
        async with asyncio.timeout(5):
            await talk.stop()

    then = await talked(after(talk, "!history"))

    assert await gone(there)
    assert talk.task.cancelled()
    assert then.resume == talk.resume
    assert "the newest: !history" in then.answered


async def test_a_process_that_is_killed_is_told_in_words_and_leaves_nothing(
    model: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with talking(turn(tmp_path / "s", model.url, FOREVER, options=BASH)) as talk:
        there = await at_work(talk)
        claude = min(there, key=lambda process: process.pid)
        os.kill(claude.pid, signal.SIGKILL)
        with pytest.raises(RuntimeFailed, match=r"was killed \(signal 9\).*no memory"):
            await talk.task

    assert await gone(there)
    assert "Fatal error" not in caplog.text  # the turn tells it, and of which session


async def test_what_a_killed_bot_left_behind_is_ended_by_the_next_turn(model: Model, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    environment = {"FRONTDESK_HARNESS": str(tmp_path / "s" / "claude")}
    left = await asyncio.create_subprocess_exec("/bin/sleep", "1000", env=environment, start_new_session=True)

    await talked(turn(tmp_path / "s", model.url, "!say hi"))

    assert await left.wait() == -signal.SIGKILL


async def test_what_runs_in_the_background_ends_with_the_turn(model: Model, tmp_path: Path) -> None:
    prompt = '!tool Bash {"command": "tail -f /dev/null", "run_in_background": true}\n!say started'
    async with talking(turn(tmp_path / "s", model.url, prompt, options=BASH)) as talk:
        there = await at_work(talk)
        await talk.task

    assert talk.answered == "started"
    assert await gone(there)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "did not accept the credentials.*ANTHROPIC_API_KEY.*`environment:` in agents/coder.md"),
        (404, "`model:` in agents/coder.md"),
        (429, "rate limit is used up"),
        (529, "overloaded.*try again in a few minutes"),
        (400, "refused the request.*the script says 400"),
    ],
)
async def test_an_error_of_the_model_is_no_answer(model: Model, tmp_path: Path, status: int, told: str) -> None:
    talk = await talked(turn(tmp_path / "s", model.url, f"!error {status}"))

    assert talk.finished.state == "failed"
    assert re.search(told, talk.finished.reason)
    assert not talk.all(Text)
    assert talk.all(Usage)


async def test_without_a_key_it_is_said_what_to_do(model: Model, tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path / "s", model.url, "hello", environment={"ANTHROPIC_API_KEY": ""}))

    assert re.search(r"not logged in.*ANTHROPIC_API_KEY.*agents/coder\.md", talk.finished.reason)


async def test_another_try_is_told_as_long_as_there_is_one(model: Model, tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path / "s", model.url, "!error 529", environment={"CLAUDE_CODE_MAX_RETRIES": "1"}))

    assert "overloaded" in talk.finished.reason
    assert talk.all(Notice) == [Notice("Claude's API fails (529); trying again.", "warning")]


async def test_a_key_that_is_refused_is_not_tried_for_minutes(model: Model, tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path / "s", model.url, "!error 401", environment={"CLAUDE_CODE_MAX_RETRIES": "10"}))

    assert "did not accept the credentials" in talk.finished.reason
    assert len(model.log) < 5


async def test_too_many_rounds_end_the_turn(model: Model, tmp_path: Path) -> None:
    options = {"tools": ["Bash"], "max_turns": 1}

    talk = await talked(turn(tmp_path / "s", model.url, '!tool Bash {"command": "ls"}\n!say more', options=options))

    assert talk.finished.state == "failed"
    assert "`options.max_turns` in agents/coder.md" in talk.finished.reason


@pytest.mark.parametrize("cli", ["/nowhere/claude", "/etc/hostname"])
async def test_where_there_is_no_claude_code_it_is_said_what_to_do(tmp_path: Path, cli: str) -> None:
    async with talking(turn(tmp_path / "s", "http://localhost", "hi", options={"path": cli})) as talk:
        with pytest.raises(Unavailable, match=r"options\.path"):
            await talk.task

    assert not talk.events


async def test_a_claude_code_that_does_not_start_is_given_up(tmp_path: Path) -> None:
    hanging = tmp_path / "claude"
    hanging.write_text("#!/bin/sh\nexec /bin/sleep 1000\n")
    hanging.chmod(0o755)

    async with talking(turn(tmp_path / "s", "http://localhost", "hi", options={"path": str(hanging), "start_seconds": 0.2})) as talk:
        with pytest.raises(Unavailable, match=r"did not start within 0\.2 seconds"):
            await talk.task

    assert await gone(processes(tmp_path / "s"))


@pytest.mark.parametrize("code", [3, 0])
async def test_a_claude_code_that_refuses_to_start_says_why(model: Model, tmp_path: Path, code: int) -> None:
    refusing = tmp_path / "claude"
    refusing.write_text(f"#!/bin/sh\nread line\necho 'this machine is too old' >&2\nexit {code}\n")
    refusing.chmod(0o755)

    async with talking(turn(tmp_path / "s", model.url, "hi", options={"path": str(refusing)})) as talk:
        with pytest.raises(Unavailable, match=rf"code {code}.*this machine is too old"):
            await talk.task


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    async with talking(turn(tmp_path / "s", "http://localhost", "hi", options={"cwd": "/nowhere/at/all"})) as talk:
        with pytest.raises(Unavailable, match=r"/nowhere/at/all.*agents/coder\.md"):
            await talk.task


async def test_who_listens_slowly_misses_nothing(model: Model, tmp_path: Path) -> None:
    task = turn(tmp_path / "s", model.url, f"!say {'word ' * 600}")
    told: list[str] = []

    async for event in runtime_of(task.agent).run(task, Inbox()):
        await asyncio.to_thread(json.dumps, {})
        told += [event.text] if isinstance(event, Text) and not event.final else []

    assert "".join(told) == ("word " * 600).strip()
    assert isinstance(event, Finished)
    assert not isinstance(event, Started)
