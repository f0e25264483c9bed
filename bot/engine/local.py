"""Turns as tasks of this process, one at a time for each session."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.errors import BotError, StoreFailed, Superseded

log = logging.getLogger(__name__)
TRIES = 3  # of a turn that broke over a mistake of ours
Run = Callable[[str, asyncio.Event], Awaitable[None]]


class LocalEngine:
    """`submit` starts a session's task, or wakes it; what was submitted while it ended is read by the next one."""

    def __init__(self, run: Run, pause: float = 3.0) -> None:
        """`pause`: seconds until a turn is tried again that could not be kept."""
        self._run, self._pause = run, pause
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wakes: dict[str, asyncio.Event] = {}
        self._closed = False

    @property
    def running(self) -> int:
        return len(self._tasks)

    async def open(self) -> "list[asyncio.Task[None]]":
        """Nothing has to be there."""
        return []

    async def submit(self, session_id: str) -> None:
        if self._closed:
            return self.wake(session_id)  # nothing is begun any more: it is in the inbox, and the next process reads it
        self._wakes.setdefault(session_id, asyncio.Event()).set()
        if session_id not in self._tasks:
            self._tasks[session_id] = asyncio.create_task(self._serve(session_id), name=f"session-{session_id}")

    async def serve(self, session_id: str) -> None:
        """The same, and wait until its task has ended. Whoever stops waiting stops nothing."""
        for _ in range(2 if session_id in self._tasks else 1):  # one that runs may have lost the session: then it is begun anew
            await self.submit(session_id)
            if task := self._tasks.get(session_id):
                await asyncio.wait([task])

    def wake(self, session_id: str = "") -> None:
        """Let the session look into its inbox again, if it runs here; without an id, every session that does."""
        for name in [session_id] if session_id else [*self._tasks]:
            if name in self._tasks:
                self._wakes[name].set()

    async def close(self, seconds: float = 0.0) -> None:
        """Take nothing new, let what runs go on for so long, then cut it: the next process goes on with it."""
        self._closed = True
        self.wake()  # what looks back at a turn that is over gives way
        if self._tasks and seconds:
            await asyncio.wait(self._tasks.values(), timeout=seconds)
        log.info("handed over", extra={"action": "handed_over", "sessions": len(self._tasks)})
        for task in list(self._tasks.values()):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=10)

    async def _serve(self, session_id: str) -> None:
        wake = self._wakes[session_id]
        try:
            tries = 0
            while wake.is_set():
                wake.clear()
                await self._try(session_id, wake, tries)
                tries += 1
        finally:
            del self._tasks[session_id], self._wakes[session_id]

    async def _try(self, session_id: str, wake: asyncio.Event, tries: int) -> None:
        outcome = (await asyncio.gather(self._run(session_id, wake), return_exceptions=True))[0]
        match outcome:
            case Superseded():
                wake.clear()  # whatever was said is for whoever has the session now
                log.info("superseded", extra={"action": "superseded", "session": session_id})
            case StoreFailed():
                log.error("turn_not_kept", extra={"action": "turn_not_kept", "session": session_id, "error": str(outcome)})
                await asyncio.sleep(self._pause)
                wake.set()  # what it had is in the inbox still
            case BotError():
                log.error("turn_not_begun", extra={"action": "turn_not_begun", "session": session_id, "error": str(outcome)})
            case BaseException():  # a mistake of ours: what it had is in the inbox, and so it is in the end for the next start to try
                log.critical("turn_broke", exc_info=outcome, extra={"action": "turn_broke", "session": session_id})
                if tries < TRIES:
                    await asyncio.sleep(self._pause * 2**tries)
                    wake.set()
            case _:
                pass
