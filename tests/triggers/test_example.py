"""A call at a webhook, as `frontdesk play` and its page print it: what is printed is run here by a real shell, and begins a session."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.agent import parse
from bot.app import Frontdesk
from bot.cli import notes
from bot.cli.bench import Kept
from bot.cli.play import playing
from bot.playground.page import Page
from bot.settings import Settings
from bot.triggers.example import curl
from bot.triggers.hook import hooks
from tests.test_path import said

SECRET = "p ä$s'w\"ord"  # what a shell could stumble over
PROMPT = "!say {{ body.%s }} it is"
FILES = {
    "github": "source: github, events: [issues.labeled], filter: \"body.label.name == 'bug'\"",
    "linear": "source: linear, events: [Issue]",
    "generic": "source: generic, filter: \"body.kind == 'alert'\"",
}
THERE = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="the lines need curl and openssl")
Play = tuple[Page, Frontdesk]


def file(asks: str, prompt: str = PROMPT % "issue.title") -> str:
    hook = f"webhook: {{{asks}, secret: $HOOK, post_to: '#random', prompt: '{prompt}'}}"
    return f"---\ndescription: Listens.\nruntime: echo\ntriggers:\n  - {hook}\n---\n"


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    folder = tmp_path / "agents"
    folder.mkdir()
    for name, asks in FILES.items():
        (folder / f"{name}.md").write_text(file(asks))
    async with playing(Settings(agents_dir=folder, environment={"HOOK": SECRET}), 0) as (page, desk):
        await page.slack.until(lambda: len(desk.desk.agents) == 3)
        yield page, desk


async def run(line: str) -> str:
    """What a shell says in which the secret is set."""
    env = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOOK": SECRET}
    process = await asyncio.create_subprocess_exec("sh", "-c", line.replace("curl ", "curl -sS "), env=env, stdout=asyncio.subprocess.PIPE)
    out, _ = await asyncio.wait_for(process.communicate(), 20)
    return out.decode()


@THERE
@pytest.mark.parametrize("name", FILES)
async def test_what_is_printed_begins_a_session(play: Play, name: str) -> None:
    page, desk = play
    [hook] = [hook for hook in hooks(desk.files.agents) if hook.agent.name == name]

    answer = await run(curl(hook, page.slack.world.url))

    assert answer == "Taken."
    roots = await page.slack.until(lambda: page.slack.messages("random", replies=False))
    await page.slack.until(lambda: '"an example of title" it is' in said(page.slack, roots[0])[-1])


async def test_the_page_has_it_beside_the_agent(play: Play) -> None:
    page, desk = play
    assert isinstance(desk.store, Kept)

    [route] = desk.store.bench.agents()[0].routes

    assert route.hint.startswith(f'curl {page.slack.world.url}/hooks/generic/generic -H "Content-Type: application/json"')
    assert SECRET not in route.hint


async def test_a_call_without_the_secret_is_refused_in_play_too(play: Play) -> None:
    page, _ = play
    url, wrong = f"{page.slack.world.url}/hooks/generic/generic", {"Authorization": "Bearer x"}
    async with aiohttp.ClientSession() as http, http.post(url, json={}, headers=wrong) as reply:
        assert reply.status == 401


async def test_play_says_where_a_secret_is_missing(tmp_path: Path) -> None:
    (tmp_path / "helper.md").write_text(file(FILES["github"]))
    async with playing(Settings(agents_dir=tmp_path), 0) as (page, desk):
        assert isinstance(desk.store, Kept)
        bench = desk.store.bench
        await page.slack.until(lambda: bench.agents())

        [card] = bench.agents()

    assert [problem.partition(",")[0] for problem in card.problems] == [
        "agents/helper.md: its github webhook refuses all calls where $HOOK is not set"
    ]


def test_what_a_prompt_speaks_of_is_said_in_the_call() -> None:
    helper = parse("helper", file('source: generic, filter: body.kind == "alert"', "{{ body.title }} {{ body.by.name }} {{ body.by }}"))

    [line] = [curl(hook, "http://127.0.0.1:1") for hook in hooks([helper])]

    assert line.endswith("""-d '{"title": "An example", "kind": "alert", "by": {"name": "an example of name"}}'""")


def test_each_webhook_of_a_file_has_its_own_line() -> None:
    one, other = (file(FILES[name]).split("triggers:\n")[1].removesuffix("---\n") for name in ("github", "generic"))
    helper = parse("helper", f"---\ndescription: x\nruntime: echo\ntriggers:\n{one}{other}---\n")

    hints = [route.hint for route in notes.routes(helper, [helper], "@Frontdesk", "http://127.0.0.1:1")]

    assert ["X-Hub-Signature-256" in hint for hint in hints] == [True, False]
