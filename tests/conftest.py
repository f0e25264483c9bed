"""The whole bot on the playground's Slack, as the tests of its path use it."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot import app
from bot.app import Frontdesk
from bot.breaker import BREAKER
from bot.playground import Slack
from bot.settings import Settings
from tests.standins.blank import blank

AGENTS = {
    "helper": "description: Says back what it is told.\nruntime: echo\ntriggers: [{mention: ['*']}, {dm: true}]\n"
    "prompts: [{title: Say hello, message: hello}]",
    "reviewer": "description: Reviews.\nruntime: echo\ntriggers: [{mention: ['#reviews']}, {command: /review}]\n"
    "allow: {approve: ['@platform'], answer: [asker, '@oncall']}",
    "triage": "description: Triages.\nruntime: echo\n"
    "triggers: [{shortcut: {callback: triage, name: Triage}}, {command: /triage}, {reaction: ticket},"
    " {messages: {channel: '#triage', pattern: '(?i)stack trace'}}]",
    "listener": "description: Listens while it works.\nruntime: echo\noptions: {listen: true}",
}


@pytest.fixture(autouse=True)
def _answering() -> Iterator[None]:
    """No test leaves a platform behind that is held for broken."""
    yield
    BREAKER.forget()


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    """Nor a log that goes to a terminal which only that test had."""
    yield
    for handler in [handler for handler in logging.root.handlers if type(handler) is logging.StreamHandler]:
        logging.root.removeHandler(handler)


@pytest.fixture
def agents(tmp_path: Path) -> Path:
    folder = tmp_path / "agents"
    folder.mkdir()
    for name, front in AGENTS.items():
        (folder / f"{name}.md").write_text(f"---\n{front}\n---\nYou help {{{{ person.name }}}}.\n")
    return folder


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack(rates=None) as slack:
        yield slack


@pytest.fixture
def settings(slack: Slack, agents: Path, tmp_path: Path) -> Settings:
    return Settings(
        slack_bot_token=slack.bot_token,
        slack_app_token=slack.app_token,
        slack_api_url=slack.url,
        database_url=blank(tmp_path / "frontdesk.db"),
        agents_dir=agents,
        sessions_dir=tmp_path / "sessions",
        drain_seconds=0,
    )


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[Frontdesk]:
    async with app.running(settings) as desk:
        yield desk
