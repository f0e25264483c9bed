"""Agents where they really live, all the way to Slack: Claude Code's own binary against a stand-in model, and a real A2A server."""

import html
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import app
from bot.app import Frontdesk
from bot.playground import Slack
from bot.settings import Settings
from tests.standins.a2a_agent import Agent
from tests.standins.model import Model
from tests.test_path import find, last, said

CODER = """---
description: Writes code.
runtime: claude_code
environment: [ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY]
triggers: [{mention: ["*"]}]
allow: {approve: [asker]}
---
You write code for {{ person.name }}.
"""
FAR = """---
description: Lives elsewhere.
runtime: a2a
options: {url: "URL", private: true}
triggers: [{mention: ["*"]}]
---
"""


@pytest.fixture
async def coder(settings: Settings, agents: Path) -> AsyncIterator[Settings]:
    (agents / "helper.md").unlink()
    (agents / "coder.md").write_text(CODER)
    async with Model() as model:
        environment = {"ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_API_KEY": "none", "SECRET_OF_OURS": "x", "PATH": "/usr/bin:/bin"}
        yield settings.model_copy(update={"environment": environment})


@pytest.fixture
async def far(settings: Settings, agents: Path) -> AsyncIterator[Frontdesk]:
    (agents / "helper.md").unlink()
    async with Agent() as agent:
        (agents / "far.md").write_text(FAR.replace("URL", agent.url))
        async with app.running(settings) as desk:
            yield desk


async def test_claude_code_works_asks_for_permission_and_answers(slack: Slack, coder: Settings) -> None:
    async with app.running(coder):
        root = await slack.mention(
            '!tool Bash {"command": "touch made && echo hello-from-bash", "description": "Make a file"}\n!toolresult'
        )
        card = await slack.until(lambda: find(slack, root, "Permission needed"), 30)
        assert "touch made && echo hello-from-bash" in html.unescape(slack.text(card))

        await slack.press(card, "Allow once", "ana")

        await slack.until(lambda: "hello-from-bash" in said(slack, root)[-1] or "hello-from-bash" in said(slack, root)[0], 20)


async def test_claude_code_asks_and_goes_on_in_the_thread(slack: Slack, coder: Settings) -> None:
    question = (
        '{"questions": [{"question": "Which colour?", "header": "Colour", "multiSelect": false,'
        ' "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]}]}'
    )
    async with app.running(coder):
        root = await slack.mention(f"!tool AskUserQuestion {question}\n!toolresult")
        card = await slack.until(lambda: find(slack, root, "Which colour?"), 30)

        await slack.press(card, "Blue", "ana")

        await slack.until(lambda: '="Blue"' in said(slack, root)[-1] and "Bad" in said(slack, root)[-1], 20)
        more = await slack.say("!say thank you", thread=root)
        await slack.until(lambda: any("thank you" in text for text in said(slack, root)), 30)
        assert more


async def test_a_question_of_claude_code_is_answered_after_a_restart(slack: Slack, coder: Settings) -> None:
    async with app.running(coder):
        root = await slack.mention('!tool Bash {"command": "touch made", "description": "Make a file"}\n!toolresult')
        card = await slack.until(lambda: find(slack, root, "Permission needed"), 30)

    async with app.running(coder) as desk:
        await slack.press(card, "Allow once", "ana")
        await slack.until(lambda: "answered: *Allow once*" in slack.text(slack.message(card)), 20)
        await slack.until(lambda: "The answer is: Allow once" in said(slack, root)[-1], 30)
        assert len(await desk.store.sessions()) == 1


async def test_claude_code_is_stopped(slack: Slack, coder: Settings) -> None:
    async with app.running(coder):
        root = await slack.mention("!slow 0.5\n!say " + "word " * 200)
        await slack.until(lambda: "word word" in said(slack, root)[-1], 30)

        await slack.say("stop", thread=root)

        await slack.until(lambda: "Stopped by ana" in said(slack, root)[-1], 10)


async def test_an_a2a_agent_streams_and_answers(slack: Slack, far: Frontdesk) -> None:
    root = await slack.mention("!say hello from afar")

    await slack.until(lambda: "hello from afar" in said(slack, root)[-1], 10)


async def test_an_a2a_agent_asks_and_goes_on_with_the_answer(slack: Slack, far: Frontdesk) -> None:
    root = await slack.mention("!ask Which colour? | Red | Blue\n!answer")
    card = await slack.until(lambda: find(slack, root, "Which colour?"), 10)

    await slack.press(card, "Blue", "ana")

    await slack.until(lambda: "Blue" in slack.text(last(slack, root)) and "Which colour" not in slack.text(last(slack, root)), 10)


async def test_an_a2a_agent_that_is_gone_is_told_in_words(slack: Slack, settings: Settings, agents: Path) -> None:
    (agents / "helper.md").unlink()
    (agents / "far.md").write_text(FAR.replace("URL", "http://127.0.0.1:9/"))
    async with app.running(settings):
        root = await slack.mention("hello")

        await slack.until(lambda: "That did not work" in said(slack, root)[-1], 15)

    assert "agents/far.md" in said(slack, root)[-1]
    assert "127.0.0.1:9" in said(slack, root)[-1]


async def test_an_a2a_task_outlives_a_restart_of_ours(slack: Slack, settings: Settings, agents: Path) -> None:
    (agents / "helper.md").unlink()
    async with Agent() as agent:
        (agents / "far.md").write_text(FAR.replace("URL", agent.url))
        async with app.running(settings):
            root = await slack.mention("!say begun \n!slow 0.1\n!say " + "on " * 60 + "\n!say the end")
            await slack.until(lambda: said(slack, root) and "begun" in said(slack, root)[-1], 10)

        async with app.running(settings):
            await slack.until(lambda: "the end" in said(slack, root)[-1], 20)

        assert not agent.canceled
        assert said(slack, root)[-1].count("begun") == 1
