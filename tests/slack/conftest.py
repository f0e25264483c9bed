"""A store and a client, for what keeps in the one what it says by the other; and a thread in which somebody was asked."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.message import Message, Person
from bot.playground import Slack
from bot.playground.things import Json
from bot.session import Session
from bot.slack.calls import Client
from bot.store.sql import SqlStore
from tests.standins.blank import blank


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(blank(tmp_path / "desk.db"))
    await store.open()
    yield store
    await store.close_all()


@pytest.fixture
async def client(slack: Slack) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as http:
        yield Client(slack.bot_token, slack.url, http, lambda method, outcome, seconds: None)


def another(client: Client) -> Client:
    """As the next process has it, with a budget of its own."""
    assert client.token
    assert client.session
    return Client(client.token, client.base_url, client.session, client._called)


async def asked(slack: Slack) -> tuple[Json, Session]:
    """What ana has asked, as a session whose turn has begun."""
    root = await slack.say("Look at this", "ana", "general")
    session = Session("s1", "helper", f"slack:T1:{root['channel']}:{root['ts']}", Person("U1ANA"), str(root["channel"]))
    return root, session.begin([Message("m1", session.thread, session.channel, session.asker, "Look at this", at=100.0)])


def texts(slack: Slack, root: Json) -> list[str]:
    """What stands in a thread below its root."""
    return [slack.text(message) for message in slack.thread(root)[1:]]


async def talk(slack: Slack, root: Json, replies: int) -> None:
    """That many replies of people in a thread."""
    for n in range(replies):
        await slack.say(f"reply {n}", "ben", "general", root)
