"""With the digest come pictures, of the agents whose files were changed lately: what each version came to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec

from bot import clock, nofollow
from bot.aid import Talk
from bot.event import Artifact
from bot.improve.history import Version, helped, versions
from bot.past import Memory, Past
from bot.ports import Runtime, Turn

LATELY, LONG = 7 * 86400.0, 60 * 86400.0  # seconds: since when a change is news, and with what it is compared
MOST = 3  # pictures


class Pictures:
    """Lent to agents that are told the digest; without the extra `plot` there are none."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    @asynccontextmanager
    async def lend(self, turn: Turn, runtime: Runtime, talk: Talk) -> AsyncIterator[Turn]:
        """Raises StoreFailed."""
        if turn.agent.digest and turn.number == 1 and talk.session.source.startswith("schedule:") and find_spec("matplotlib"):
            for name, found in news(versions_of(await self.memory.figures(since=clock.now() - LONG)), clock.now() - LATELY):
                await talk.tell(await asyncio.to_thread(_drawn, turn, name, found))
        yield turn


def versions_of(past: Sequence[Past]) -> dict[str, list[Version]]:
    """Those of each agent, by its name; what was only compared is left out."""
    by: dict[str, list[Past]] = {}
    for one in past:
        by.setdefault(one.agent, []).append(one)
    return {name: versions(turns) for name, turns in sorted(by.items()) if "@" not in name}


def news(found: dict[str, list[Version]], since: float) -> list[tuple[str, list[Version]]]:
    """The agents with a change since then, those with most turns on it first."""
    changed = [(name, each) for name, each in found.items() if len(each) > 1 and each[-1].first >= since]
    return sorted(changed, key=lambda one: -one[1][-1].turns)[:MOST]


def _drawn(turn: Turn, name: str, found: Sequence[Version]) -> Artifact:
    path = turn.folder / f"{name}.png"
    path.unlink(missing_ok=True)
    with nofollow.made(path) as file:
        file.write(import_module("bot.improve.plot").plot(name, found, helped(found)))
    return Artifact(path.name, "image/png", str(path))
