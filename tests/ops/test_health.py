"""A process says whether it is alive, and whether it is ready, in words for whoever runs it."""

import asyncio
import socket

import pytest
import sqlalchemy as sa

from bot import app
from bot.errors import ConfigError
from bot.ops.health import Health
from bot.playground import Slack
from bot.settings import Settings
from tests.ops.conftest import get, ready, until


async def test_a_bot_that_is_connected_is_alive_and_ready(served: Settings, slack: Slack) -> None:
    async with app.running(served):
        await slack.until(lambda: slack.sockets)

        assert (await get(served, "/healthz"))[0] == 200
        assert await until(served, 200) == {}


async def test_without_a_socket_it_is_alive_but_not_ready(served: Settings) -> None:
    async with app.running(served) as desk:
        await until(served, 200)
        await desk.slack.close()

        assert await ready(served) == (503, {"slack": "no socket to Slack is open"})
        assert (await get(served, "/healthz"))[0] == 200


async def test_a_process_in_which_something_broke_for_good_asks_to_be_started_anew(
    served: Settings, slack: Slack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(now: float) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(app, "CLOCK", 0.01)
    async with app.running(served) as desk:
        monkeypatch.setattr(desk.desk.questions, "expire", broken)

        await slack.until(lambda: desk.watch.health.broken)

        assert await get(served, "/healthz") == (503, '{"alive": false, "broken": ["clock"]}')
        assert "task_broke" in [record.getMessage() for record in caplog.records if record.levelname == "CRITICAL"]


async def test_without_a_database_it_is_not_ready(served: Settings) -> None:
    async with app.running(served) as desk:
        await until(served, 200)
        await desk.store.close_all()

        status, missing = await ready(served)

        assert (status, missing["database"]) == (503, "The database is closed.")


async def test_a_schema_that_is_too_old_is_told_and_a_newer_one_is_an_upgrade_under_way(served: Settings) -> None:
    async with app.running(served) as desk:
        await until(served, 200)

        await stamp(desk, "0000")
        assert "the database has schema 0000, and this frontdesk needs " in (await ready(served))[1]["migrations"]

        await stamp(desk, "9999")
        assert await ready(served) == (200, {})


async def stamp(desk: app.Frontdesk, version: str) -> None:
    def work(connection: sa.Connection) -> None:
        connection.execute(sa.text(f"UPDATE alembic_version SET version_num = '{version}'"))

    await desk.store.db.write(work)


async def test_a_bot_that_goes_away_says_so_before_it_stops_hearing(served: Settings, slack: Slack) -> None:
    async with app.running(served) as desk:
        await until(served, 200)
        desk.watch.leaving = True

        assert await ready(served) == (503, {"process": "it is going away"})
        assert slack.sockets == 1


async def test_a_port_that_is_taken_is_one_sentence(served: Settings) -> None:
    with socket.create_server(("127.0.0.1", served.http_port)), pytest.raises(ConfigError) as refused:
        async with app.running(served):
            pass

    taken = f"HTTP_PORT: port {served.http_port} is taken, perhaps by another frontdesk; name a free one, or 0 to serve nothing"
    assert str(refused.value) == taken


async def test_an_address_that_is_none_of_ours_is_one_sentence(served: Settings) -> None:
    with pytest.raises(ConfigError) as refused:
        async with app.running(served.model_copy(update={"http_host": "192.0.2.1"})):
            pass

    assert str(refused.value).startswith(f"HTTP_PORT: nothing can be served on 192.0.2.1:{served.http_port} (")


async def test_nothing_is_served_unless_it_is_asked_for(settings: Settings) -> None:
    async with app.running(settings) as desk:
        assert desk.watch.server is None
        assert desk.surface.outbox.journal is desk.store


async def test_a_look_that_hangs_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang() -> str:
        await asyncio.Event().wait()
        return ""

    monkeypatch.setattr("bot.ops.health.PATIENCE", 0.01)

    assert await Health({"database": hang}).missing() == {"database": "no answer within 0.01 s"}
