"""Turns over many replicas on one PostgreSQL: a job for each session that has something to do, and one replica that runs it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import procrastinate
import psycopg
from procrastinate.exceptions import AlreadyEnqueued, AppNotOpen, ConnectorException, UniqueViolation
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job, Status
from procrastinate.worker import Worker

from bot.bell import Bell
from bot.engine.local import LocalEngine, Run
from bot.errors import StoreFailed, away

log = logging.getLogger(__name__)
BROKEN = (psycopg.Error, AppNotOpen, ConnectorException, OSError)
MANY = 10_000  # jobs at once: how many turns may run is not the queue's business
BEAT, DEAD = 2.0, 8.0  # seconds between two signs of life, and without one until a replica's jobs are given to another
PAUSE = 1.0  # seconds until what broke is tried again
ENDS = 5.0  # seconds in which the jobs of a replica that leaves are handed on
QUEUE, SPOKEN = "sessions", "frontdesk_session"  # SPOKEN is where replicas tell one another that a session has something to read
RUNG = "frontdesk_rung"  # and that somebody has rung for a turn that may run elsewhere (bot/bell.py)
NOTIFY = "SELECT pg_notify(%(channel)s, %(told)s)"
SCHEMA = 7_305_117  # the key of the lock under which one replica lays out the queue's tables
END = "DELETE FROM procrastinate_jobs WHERE id = %(id)s AND worker_id = %(worker)s AND status = 'doing'"  # another may have it by now


class Patient(Worker):
    """Ends its own jobs and no other's, also where the database was away just then: as long as we show life nobody else would.

    Procrastinate itself takes a job away whoever has it by now; if that one dies too, nobody goes on with the session.
    """

    async def _process_job(self, context: JobContext) -> None:
        lost = await _away(super()._process_job(context))
        while lost:
            await asyncio.sleep(PAUSE)
            lost = await _away(self._persist_job_status(context.job))

    async def _persist_job_status(self, job: Job, *_: object, **__: object) -> None:
        await self.app.connector.execute_query_async(END, id=job.id, worker=self.worker_id)


class ProcrastinateEngine:
    """Implements the port Engine. A job's `lock` is its session, so that one turn of it runs, wherever that is.

    The job only stands for the session's task in this process: a job that is lost with its connection leaves the task to itself,
    and the epoch in the store decides who goes on.
    """

    def __init__(self, url: str, run: Run, bell: Bell | None = None, pause: float = 3.0) -> None:
        """`url`: postgresql://…, as libpq takes it. `pause`: seconds until a turn is tried again that could not be kept."""
        self.url, self.bell = url, bell or Bell()
        self.bell.others = self.ring
        self.local = LocalEngine(run, pause)
        connector = procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=4, timeout=3.0, reconnect_timeout=PAUSE)
        self._app = procrastinate.App(connector=connector)
        self._job = self._app.task(name="session", queue=QUEUE)(self._serve)
        self._worker: Worker | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False

    @property
    def running(self) -> int:
        return self.local.running

    async def open(self) -> "list[asyncio.Task[None]]":
        """Begin to take jobs: the tasks without which none is taken. Raises StoreFailed where the database is not there."""
        try:
            await self._lay_out()
            await self._app.open_async()
        except BROKEN as error:
            raise _failed(error) from error
        works = (self._work, self._listen, self._take_over)
        self._tasks = [asyncio.create_task(self._for_ever(work), name=f"engine{work.__name__}") for work in works]
        return self._tasks

    async def _lay_out(self) -> None:
        """The queue's own tables, made once among all replicas."""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA,))
            found = await (await connection.execute("SELECT to_regclass('procrastinate_jobs')")).fetchone()
            if found is None or found[0] is None:
                await connection.execute(self._app.schema_manager.get_schema())

    async def submit(self, session_id: str) -> None:
        try:
            await self._defer(session_id)
            await self._app.connector.execute_query_async(NOTIFY, channel=SPOKEN, told=session_id)
        except BROKEN as error:
            raise _failed(error) from error

    async def ring(self, mark: str) -> None:
        """Let the replica know that waits for this, whichever it is. Raises StoreFailed."""
        try:
            await self._app.connector.execute_query_async(NOTIFY, channel=RUNG, told=mark)
        except BROKEN as error:
            raise _failed(error) from error

    async def _defer(self, session_id: str) -> None:
        try:
            await self._job.configure(lock=session_id, queueing_lock=session_id).defer_async(session_id=session_id)
        except AlreadyEnqueued:
            pass  # whoever takes that job reads all that is there

    async def close(self, seconds: float = 0.0) -> None:
        """Take nothing new, let what runs go on for so long, then cut it: another replica goes on with it."""
        self._closed = True
        if self._worker:
            self._worker.shutdown_graceful_timeout = None
            self._worker.stop()  # type: ignore[no-untyped-call]
        await self.local.close(seconds)
        if self._tasks:
            await asyncio.wait(self._tasks[:1], timeout=ENDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(self._app.close_async(), return_exceptions=True)

    async def _serve(self, session_id: str) -> None:
        """The job: as long as the session's task in this process."""
        await self.local.serve(session_id)
        if self._closed:
            await self._defer(session_id)  # for whoever stays

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it, and again when the connection broke."""
        while not self._closed:
            outcome = (await asyncio.gather(work(), return_exceptions=True))[0]
            if isinstance(outcome, BaseException) and not isinstance(outcome, BROKEN):
                raise outcome
            if not self._closed:
                log.warning("database_away", extra={"action": "database_away", "work": work.__name__, "error": str(outcome)})
                await asyncio.sleep(PAUSE)

    async def _work(self) -> None:
        self._worker = Patient(
            self._app, [QUEUE], concurrency=MANY, delete_jobs="always", install_signal_handlers=False, shutdown_graceful_timeout=PAUSE,
            fetch_job_polling_interval=PAUSE, update_heartbeat_interval=BEAT, stalled_worker_timeout=DEAD,
        )  # fmt: skip
        await self._worker.run()  # type: ignore[no-untyped-call]

    async def _listen(self) -> None:
        """What was said meanwhile to a session that runs here, and who has rung for it, whichever replica heard it."""
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            await connection.execute(f"LISTEN {SPOKEN}")
            await connection.execute(f"LISTEN {RUNG}")
            self.local.wake()  # what was said before we listened
            async for heard in connection.notifies():
                if heard.channel == RUNG:
                    self.bell.pull(heard.payload)
                else:
                    self.local.wake(heard.payload)

    async def _take_over(self) -> None:
        """Give the jobs of replicas that show no life to whoever is free."""
        manager = self._app.job_manager
        while True:
            if self._closed and self._worker and self._worker.worker_id:
                await manager.update_heartbeat(self._worker.worker_id)  # one that leaves does not do so itself any more
            for job in await manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=DEAD):
                log.warning("taken_over", extra={"action": "taken_over", "session": job.lock})
                await self._free(job)
            await asyncio.sleep(BEAT)

    async def _free(self, job: Job) -> None:
        assert job.id
        try:
            await self._app.job_manager.retry_job(job)
        except UniqueViolation:  # the session has a newer job already
            await self._app.job_manager.finish_job_by_id_async(job.id, Status.ABORTED, delete_job=True)
        except ConnectorException:
            pass  # another replica was quicker; or the connection broke, then the next look says so


async def _away(work: Awaitable[None]) -> bool:
    """Whether the database was away for it."""
    try:
        await work
    except BROKEN:
        return True
    return False


def _failed(error: BaseException) -> StoreFailed:
    return StoreFailed(away(error.__cause__ or error))
