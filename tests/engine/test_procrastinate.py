"""Sessions over replicas: each is served, by one at a time, whoever dies meanwhile."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from procrastinate.exceptions import ConnectorException

from bot.bell import Bell
from bot.engine import procrastinate as queue
from bot.engine.procrastinate import ProcrastinateEngine
from bot.errors import StoreFailed
from tests.standins.postgres import Cluster, cluster
from tests.standins.wait import until


@pytest.fixture(scope="module")
def postgres() -> Iterator[Cluster]:
    with cluster(options=()) as made:  # it is killed, and keeps what it has
        yield made


@pytest.fixture
async def url(postgres: Cluster) -> str:
    await postgres.ready()
    return (await postgres.create()).replace("+psycopg", "")


class Replica:
    """An engine whose sessions only note that they run; one that is in `hold` goes on until that is set."""

    def __init__(self, url: str, ran: list[tuple[str, str]], name: str) -> None:
        self.ran, self.name = ran, name
        self.hold: dict[str, asyncio.Event] = {}
        self.woken: Counter[str] = Counter()
        self.running: set[str] = set()
        self.bell = Bell("https://desk.example")
        self.engine = ProcrastinateEngine(url, self._run, self.bell)

    async def _run(self, session_id: str, wake: asyncio.Event) -> None:
        self.ran.append((self.name, session_id))
        self.running.add(session_id)
        try:
            while session_id in self.hold and not self.hold[session_id].is_set():
                await wake.wait()
                wake.clear()
                self.woken[session_id] += 1
        finally:
            self.running.discard(session_id)


@asynccontextmanager
async def replicas(url: str, *names: str) -> AsyncIterator[tuple[list[Replica], list[tuple[str, str]]]]:
    ran: list[tuple[str, str]] = []
    made = [Replica(url, ran, name) for name in names]
    for replica in made:
        await replica.engine.open()
    try:
        yield made, ran
    finally:
        for replica in made:
            await replica.engine.close()


async def test_a_ring_that_comes_to_another_replica_is_heard_by_the_one_that_waits(url: str) -> None:
    async with replicas(url, "a", "b") as ((a, b), _):
        with a.bell.hung("token") as rope:
            assert rope

            async def rung() -> bool:
                assert await b.bell.rung({"X-A2A-Notification-Token": "token"})
                return rope.known

            await until(rung)  # again, as they may not listen yet


async def test_each_session_is_served(url: str) -> None:
    async with replicas(url, "a", "b") as ((a, b), ran):
        for number in range(20):
            await (a, b)[number % 2].engine.submit(f"s{number}")
        await until(lambda: {session for _, session in ran} == {f"s{number}" for number in range(20)})


async def test_one_replica_at_a_time_has_a_session_and_hears_of_it_at_once_from_the_other(url: str) -> None:
    async with replicas(url, "a", "b") as ((a, b), ran):
        a.hold["s"] = b.hold["s"] = done = asyncio.Event()
        await a.engine.submit("s")
        await until(lambda: len(ran) == 1)
        has = a if ran[0][0] == "a" else b
        other = b if has is a else a

        await other.engine.submit("s")

        await until(lambda: has.woken["s"] > 0)
        assert ran == [(has.name, "s")]
        done.set()
        has.engine.local.wake("s")
        await until(lambda: len(ran) == 2)  # what was submitted meanwhile is looked at once more


async def test_what_a_dead_replica_had_goes_on_elsewhere(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "DEAD", 1.5)
    monkeypatch.setattr(queue, "BEAT", 0.3)
    async with replicas(url, "a") as ((a,), ran):
        a.hold["s"] = asyncio.Event()
        await a.engine.submit("s")
        await until(lambda: ran == [("a", "s")])
        for task in a.engine._tasks:
            task.cancel()  # no sign of life from now on
        await freeze(a)
        async with replicas(url, "b") as (_, others):
            await until(lambda: others == [("b", "s")])


async def freeze(replica: Replica) -> None:
    """Its job stays as it is, as after kill -9."""
    await replica.engine._app.close_async()


async def test_a_replica_that_leaves_hands_on_what_it_has_not_finished(url: str) -> None:
    async with replicas(url, "a", "b") as ((a, b), ran):
        a.hold["s"] = b.hold["s"] = asyncio.Event()
        await a.engine.submit("s")
        await until(lambda: len(ran) == 1)
        first = ran[0][0]

        await (a if first == "a" else b).engine.close()

        await until(lambda: len(ran) == 2)
        assert ran[1] == ("b" if first == "a" else "a", "s")


async def test_a_job_that_ends_while_the_database_is_away_keeps_its_session_from_nothing(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away: list[object] = []
    async with replicas(url, "a") as ((a,), ran):
        connector = a.engine._app.connector
        execute = connector.execute_query_async

        async def fails_once(query: str, **given: object) -> None:
            if query == queue.END and not away:
                away.append(given)
                raise ConnectorException
            await execute(query, **given)

        monkeypatch.setattr(connector, "execute_query_async", fails_once)
        await a.engine.submit("s")
        await until(lambda: away)

        await a.engine.submit("s")

        await until(lambda: len(ran) == 2)
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_whoever_was_taken_for_dead_takes_the_job_from_nobody_when_it_ends(url: str) -> None:
    async with replicas(url, "a") as ((a,), ran):
        a.hold["s"] = asyncio.Event()
        await a.engine.submit("s")
        await until(lambda: len(ran) == 1)
        execute = a.engine._app.connector.execute_query_async
        await execute("UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL, scheduled_at = now() + interval '1 hour'")

        a.hold["s"].set()
        a.engine.local.wake("s")
        await until(lambda: not a.engine._worker._running_jobs)  # type: ignore[union-attr]

        await execute("UPDATE procrastinate_jobs SET scheduled_at = now()")
        await until(lambda: len(ran) == 2)


async def test_it_goes_on_when_the_database_was_away(postgres: Cluster, url: str) -> None:
    async with replicas(url, "a") as ((a,), ran):
        postgres.kill()
        with pytest.raises(StoreFailed, match="The database does not answer"):
            await a.engine.submit("lost")
        postgres.start()
        await postgres.ready()

        await until_submitted(a, "s")

        await until(lambda: ("a", "s") in ran)


async def until_submitted(replica: Replica, session_id: str) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                return await replica.engine.submit(session_id)
            except StoreFailed:
                await asyncio.sleep(0.1)


async def test_without_a_database_it_says_so() -> None:
    async def nothing(session_id: str, wake: asyncio.Event) -> None: ...

    with pytest.raises(StoreFailed, match="The database does not answer"):
        await ProcrastinateEngine("postgresql://nobody@127.0.0.1:1/none", nothing).open()


async def test_what_cannot_be_submitted_any_more_is_told_so_that_it_is_tried_elsewhere() -> None:
    async def nothing(session_id: str, wake: asyncio.Event) -> None: ...

    closed = ProcrastinateEngine("postgresql://nobody@127.0.0.1:1/none", nothing)

    with pytest.raises(StoreFailed, match="The database does not answer"):
        await closed.submit("s")


async def test_whoever_opens_it_is_given_the_tasks_without_which_it_is_of_no_use(url: str) -> None:
    engine = Replica(url, [], "a").engine

    tasks = await engine.open()

    assert [task.get_name() for task in tasks] == ["engine_work", "engine_listen", "engine_take_over"]
    await engine.close()
