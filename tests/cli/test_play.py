"""`frontdesk play` in a folder of agents: what is in it works at once, and what is wrong with it is told."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.app import Frontdesk
from bot.cli.bench import Kept
from bot.cli.play import playing
from bot.errors import ConfigError
from bot.playground.page import Page
from bot.settings import Settings
from tests.test_path import said

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "agents"


def write(folder: Path, name: str, front: str = "triggers: [{mention: ['*']}]", runtime: str = "echo") -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(f"---\ndescription: Helps.\nruntime: {runtime}\n{front}\n---\nHelp.\n")


@asynccontextmanager
async def played(folder: Path, port: int = 0) -> AsyncIterator[tuple[Page, Frontdesk]]:
    async with playing(Settings(agents_dir=folder), port) as (page, desk):
        yield page, desk


def problems(desk: Frontdesk) -> list[str]:
    assert isinstance(desk.store, Kept)
    return list(desk.store.bench.problems())


async def test_an_agent_that_is_written_meanwhile_works_at_once_with_its_command_and_its_channel(folder: Path) -> None:
    write(folder, "helper")
    async with played(folder) as (page, desk):
        slack = page.slack
        write(folder, "newcomer", "triggers: [{mention: '#brand-new'}, {command: /fresh}, {shortcut: {callback: fresh, name: Fresh}}]")
        await slack.until(lambda: len(desk.desk.agents) == 2)

        root = await slack.mention("hello", channel="brand-new")
        await slack.until(lambda: "You said: hello" in said(slack, root)[-1])
        assert [each.agent for each in await desk.store.sessions()] == ["newcomer"]
        await slack.command("/fresh", "go")
        assert [each["command"] for each in page.scene.commands] == ["/fresh", "/frontdesk"]
        assert [each["callback_id"] for each in page.scene.shortcuts] == ["fresh"]


async def test_a_command_that_is_taken_out_of_its_file_is_gone(folder: Path) -> None:
    write(folder, "helper", "triggers: [{command: /help-me}]")
    async with played(folder) as (page, _):
        write(folder, "helper")

        await page.slack.until(lambda: page.slack.world.commands == {"/frontdesk"})

        assert [each["command"] for each in page.scene.commands] == ["/frontdesk"]


async def test_a_channel_that_is_named_by_its_id_is_there(folder: Path) -> None:
    write(folder, "helper", "triggers: [{mention: [C0123ABCD]}]")
    async with played(folder) as (page, _):
        root = await page.slack.mention("hello", channel="C0123ABCD")

        await page.slack.until(lambda: "You said: hello" in said(page.slack, root)[-1])


async def test_a_folder_that_is_not_there_is_told_and_works_once_it_is(folder: Path) -> None:
    async with played(folder) as (page, desk):
        assert problems(desk)[0].startswith(f"AGENTS_DIR: there is no folder {folder}; make it")

        write(folder, "helper")
        await page.slack.until(lambda: desk.desk.agents)

        assert problems(desk) == []


async def test_a_folder_without_an_agent_says_what_to_put_into_it(tmp_path: Path) -> None:
    async with played(tmp_path) as (_, desk):
        assert problems(desk) == [f"{tmp_path} has no agent yet; put a file into it, like {tmp_path / 'helper.md'}"]


async def test_a_broken_file_is_told_with_its_line_and_the_others_work(folder: Path) -> None:
    write(folder, "helper")
    (folder / "broken.md").write_text("---\ndescription: x\nruntime: echo\ntriggers: [\n---\n")
    async with played(folder) as (page, desk):
        root = await page.slack.mention("hello")

        await page.slack.until(lambda: "You said: hello" in said(page.slack, root)[-1])

        assert problems(desk)[0].startswith("agents/broken.md: the front matter is no YAML: ")
        assert "in line 4" in problems(desk)[0]


async def test_a_name_that_no_channel_can_have_is_told(folder: Path) -> None:
    write(folder, "helper", "triggers: [{mention: '#Reviews'}]")
    async with played(folder) as (_, desk):
        [card] = desk.store.bench.agents() if isinstance(desk.store, Kept) else []

    assert card.problems == ["agents/helper.md: no channel can be called #Reviews; Slack's names have small letters, digits, - and _"]


async def test_more_commands_than_slack_takes_are_told_and_what_was_there_goes_on(folder: Path) -> None:
    write(folder, "helper", "triggers: [{command: /one}]")
    async with played(folder) as (page, desk):
        write(folder, "many", f"triggers: [{', '.join(f'{{command: /c{n}}}' for n in range(60))}]")

        [problem] = await page.slack.until(lambda: problems(desk))

    assert problem.startswith("manifest: features.slash_commands has 62 slash commands, and Slack takes 50")


async def test_two_plays_in_one_folder(folder: Path) -> None:
    write(folder, "helper")
    async with played(folder) as (one, _), played(folder) as (other, _):
        for slack in (one.slack, other.slack):
            root = await slack.mention("hello")
            await slack.until(lambda slack=slack, root=root: "You said: hello" in said(slack, root)[-1])  # type: ignore[misc]


async def test_the_second_play_on_a_port_says_how_to_choose_another(folder: Path) -> None:
    write(folder, "helper")
    async with played(folder) as (page, _):
        port = int(page.slack.world.url.rpartition(":")[2])

        with pytest.raises(ConfigError) as caught:
            async with played(folder, port):
                pass

    assert str(caught.value) == (
        f"port {port} is taken, perhaps by another `frontdesk play`; choose another with --port, or let --port 0 take one that is free"
    )


async def test_a_number_that_is_no_port(folder: Path) -> None:
    with pytest.raises(ConfigError, match="--port: 70000 is no port; it has to be a number from 0 to 65535"):
        async with played(folder, 70000):
            pass


HANGS = """
import asyncio
from pathlib import Path
from bot.event import Started, Text


class Hangs:
    async def run(self, turn, inbox):
        try:
            yield Started("x")
            yield Text("I am at it.")
            await asyncio.Event().wait()
        finally:
            Path("stopped").write_text(str(turn.leaving()))
"""


@pytest.fixture
async def process(folder: Path, tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Play as a shell begins it, with an agent that does not end by itself."""
    write(folder, "helper", runtime="hangs:Hangs")
    (tmp_path / "hangs.py").write_text(HANGS)
    path, pipe = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{tmp_path}"}, asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "bot", "play", "--port", "0")
    process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, env=path, stdout=pipe, stderr=pipe)
    yield process
    if process.returncode is None:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGHUP])
async def test_ctrl_c_ends_it_at_once_and_stops_what_runs_for_good(
    process: asyncio.subprocess.Process, tmp_path: Path, by: signal.Signals
) -> None:
    assert process.stdout
    told = ""
    while not (found := re.search(r"http://\S+", told)):
        told = (await process.stdout.readline()).decode()
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{found[0]}do/say?as=ana", json={"text": "@frontdesk hello", "channel": "C0GENERAL"}) as answer:
            root = (await answer.json())["ts"]
        async with http.get(f"{found[0]}events?as=ana&in=C0GENERAL&thread={root}", timeout=aiohttp.ClientTimeout(20)) as stream:
            while b"I am at it." not in await stream.content.readuntil(b"\n\n"):
                pass

            process.send_signal(by)
            _, errors = await asyncio.wait_for(process.communicate(), 10)

    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert (tmp_path / "stopped").read_text() == "False"
