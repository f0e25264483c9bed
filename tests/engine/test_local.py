"""Sessions in one process: a task for each that has something to do, and for no other."""

import asyncio

import pytest

from bot.engine.local import LocalEngine
from bot.errors import Superseded
from tests.standins.wait import until


class Loses:
    """Runs a session that somebody else takes over meanwhile, while more is said to it."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    async def run(self, session_id: str, wake: asyncio.Event) -> None:
        self.ran.append(session_id)
        if len(self.ran) == 1:
            wake.set()
            raise Superseded(session_id)


async def test_a_session_that_was_lost_is_not_begun_again_by_what_was_said_to_it_meanwhile() -> None:
    turns = Loses()
    engine = LocalEngine(turns.run)

    await engine.serve("s")

    assert turns.ran == ["s"]


async def test_who_goes_away_lets_what_only_looks_back_give_way() -> None:
    async def run(session_id: str, wake: asyncio.Event) -> None:
        wake.clear()
        looks.append(session_id)
        if len(looks) == 1:
            await wake.wait()

    looks: list[str] = []
    engine = LocalEngine(run)
    await engine.submit("a")
    await until(lambda: looks)

    async with asyncio.timeout(5):
        await engine.close(60)

    assert (looks, engine.running) == (["a", "a"], 0)


async def test_who_goes_away_says_how_many_sessions_are_left_to_others(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    async def run(session_id: str, wake: asyncio.Event) -> None:
        await asyncio.Event().wait()

    engine = LocalEngine(run)
    for name in ("a", "b"):
        await engine.submit(name)

    await engine.close(0.01)

    assert [vars(record)["sessions"] for record in caplog.records if vars(record).get("action") == "handed_over"] == [2]
