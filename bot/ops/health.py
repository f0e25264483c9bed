"""Whether this process can do its work now, and in words what keeps it from that."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.errors import BotError

log = logging.getLogger(__name__)
Look = Callable[[], Awaitable[str]]
"""What is wrong, in words; empty where nothing is."""
PATIENCE = 3.0  # seconds that one look may take


@dataclass(frozen=True, slots=True)
class Health:
    """`looks` by what they look at. `broken` are the tasks that ended by an error: only a new process brings them back."""

    looks: Mapping[str, Look]
    broken: list[str] = field(default_factory=list)

    def guard(self, task: "asyncio.Task[None]") -> None:
        """The process is of no use without this task."""
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()):
            log.critical("task_broke", exc_info=error, extra={"action": "task_broke", "task": task.get_name()})
            self.broken.append(task.get_name())

    async def missing(self) -> dict[str, str]:
        """What is wrong, by what was looked at; empty where this process is ready."""
        found = await asyncio.gather(*(_look(look) for look in self.looks.values()))
        return {name: words for name, words in zip(self.looks, found, strict=True) if words}


async def _look(look: Look) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            return await look()
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    except BotError as error:
        return str(error)
