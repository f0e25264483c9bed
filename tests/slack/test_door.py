"""What comes in is dealt with once it is kept: whatever breaks over it, and whatever was not confirmed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ConfigError
from bot.journal import Delivery
from bot.slack.door import Door
from bot.store import replicas
from bot.store.sql import SqlStore
from tests.standins.blank import blank
from tests.standins.stage import lose
from tests.standins.wait import until

BODY = {"event": {"type": "message", "channel": "C1", "ts": "5.0", "user": "U1", "text": "hello"}}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(blank(tmp_path / "desk.db"))
    await store.open()
    await replicas.beat(store.db, store.replica, "", first=True)
    yield store
    await store.close_all()


class Inside:
    """What is behind the door: it breaks with this error, if there is one; and people cannot be reached if it is `mute`."""

    def __init__(self, error: Exception | None = None, *, mute: bool = False) -> None:
        self.error, self.mute = error, mute
        self.dealt: list[str] = []
        self.said: list[str] = []

    async def deal(self, delivery: Delivery, body: dict[str, Any]) -> None:
        self.dealt.append(delivery.key)
        if self.error:
            raise self.error

    async def answer(self, body: dict[str, Any], text: str) -> None:
        self.said.append(text)
        if self.mute:
            raise KeyError("user")


def door(store: SqlStore, inside: Inside) -> Door:
    return Door(store, {"message": inside.deal}, inside.answer)


async def test_what_breaks_is_told_and_done(store: SqlStore) -> None:
    inside = Inside(ZeroDivisionError("oh"))
    made = door(store, inside)

    await made.keep(BODY)
    await until(lambda: inside.said)
    await made.close()

    assert inside.said == ["Something in me broke over this; the log of Frontdesk says what. Try it another way."]
    assert await store.adopt() == []


@pytest.mark.parametrize("error", [ZeroDivisionError("oh"), ConfigError("The file is gone.")])
async def test_what_breaks_is_done_also_where_nobody_can_be_told(
    store: SqlStore, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    inside = Inside(error, mute=True)
    made = door(store, inside)

    await made.keep(BODY)
    await until(lambda: inside.said)
    await made.close()

    assert len(inside.said) == 1
    assert await store.adopt() == []
    assert "not_said" in caplog.messages


async def test_a_claim_that_was_not_confirmed_is_taken_up_again(store: SqlStore) -> None:
    inside = Inside()
    made = door(store, inside)
    made.gate.clear()
    await made.keep(BODY)
    lose(store)

    made.gate.set()
    async with asyncio.timeout(10):
        while not inside.dealt:
            await made.adopt()  # as each sign of life does

    await made.close()
    assert inside.dealt == ["message:C1:5.0"]


async def test_what_is_being_dealt_with_is_not_adopted(store: SqlStore) -> None:
    inside, go = Inside(), asyncio.Event()

    async def deal(delivery: Delivery, body: dict[str, Any]) -> None:
        await inside.deal(delivery, body)
        await go.wait()

    made = Door(store, {"message": deal}, inside.answer)
    await made.keep(BODY)
    await until(lambda: inside.dealt)

    await made.adopt()
    free = await store.claim("C1:5.0")
    go.set()
    await made.close()

    assert free is None
    assert inside.dealt == ["message:C1:5.0"]
