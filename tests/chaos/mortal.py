"""The bot, but it can be made to die at a named point: before or after the n-th write to the database or call of Slack."""

import asyncio
import itertools
import os
import signal
import sys
from typing import Any

from bot import cli
from bot.slack.calls import Client
from bot.store.database import Database, Write


def doom(point: str) -> None:
    """`point` is like write:before:17 or call:after:3."""
    what, when, number = point.split(":")
    counted = itertools.count(1)

    def dies(now: str, at: int) -> None:
        if now == when and at == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    if what == "write":
        write = Database._transact

        def writing(self: Database, group: list[Write]) -> list[Any]:
            dies("before", at := next(counted))
            done = write(self, group)
            dies("after", at)
            return done

        Database._transact = writing  # type: ignore[method-assign]
    else:
        call = Client.api_call

        async def calling(self: Client, method: str, **given: Any) -> Any:
            dies("before", at := next(counted))
            done = await call(self, method, **given)
            dies("after", at)
            return done

        Client.api_call = calling  # type: ignore[method-assign]


def confess(*_: object) -> None:
    """Say on SIGUSR1 what each task waits for."""
    for task in asyncio.all_tasks():
        waits, frame = [], task.get_coro()
        while frame is not None:
            code = getattr(frame, "cr_frame", None) or getattr(frame, "ag_frame", None)
            waits += [f"{code.f_code.co_qualname}:{code.f_lineno}"] if code else []
            frame = getattr(frame, "cr_await", None) or getattr(frame, "ag_await", None)
        print(task.get_name(), " > ".join(waits), file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, confess)
    if point := os.environ.pop("CHAOS_DIES_AT", ""):
        doom(point)
    sys.exit(cli.main(["run"]))
