"""An agent that is told the digest by its schedule has pictures with it, of the agents that were changed lately."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot import clock
from bot.event import Artifact, Event
from bot.improve.lab import Alone
from bot.improve.pictures import Pictures, news, versions_of
from bot.message import NOBODY
from bot.past import Past
from bot.ports import Turn
from bot.runtimes.echo import Echo, EchoOptions
from bot.session import Session
from tests.improve.test_history import version
from tests.improve.test_trial import agent

DIGEST = agent(more="digest: true\n")


class Told(Alone):
    def __init__(self, source: str) -> None:
        super().__init__(Session("s1", "improver", "", NOBODY, source=source))
        self.events = list[Event]()

    async def tell(self, event: Event) -> None:
        self.events.append(event)


class Remembered:
    """Turns that are over."""

    def __init__(self, *past: Past) -> None:
        self.known = past

    async def past(self, agent: str = "", since: float = 0.0, until: float = 0.0, limit: int = 0) -> Sequence[Past]:
        return self.known

    async def figures(self, agent: str = "", since: float = 0.0, limit: int = 0) -> Sequence[Past]:
        return [one for one in self.known if one.at >= since]


def past(agent: str, name: str, ago: float) -> Past:
    return Past(f"s{ago}", 1, agent, name, "echo", "", "", "", "", "completed", usd=0.1, seconds=9.0, at=clock.now() - ago)


async def shown(folder: Path, turn: Turn, source: str, *known: Past) -> list[Event]:
    talk = Told(source)
    async with Pictures(Remembered(*known)).lend(replace(turn, folder=folder), Echo(EchoOptions()), talk):
        return talk.events


CHANGED = (past("helper", "a", 3000.0), past("helper", "b", 1000.0), past("other", "a", 1000.0))


async def test_a_changed_agent_is_drawn(tmp_path: Path) -> None:
    found = await shown(tmp_path, Turn("s1", 1, DIGEST, ""), "schedule:improver:1", *CHANGED)

    assert found == [Artifact("helper.png", "image/png", str(tmp_path / "helper.png"))]
    assert (tmp_path / "helper.png").read_bytes()[1:4] == b"PNG"


async def test_a_link_that_an_agent_left_there_is_not_followed(tmp_path: Path) -> None:
    (mine := tmp_path / "mine").write_text("Mine.")
    (session := tmp_path / "session").mkdir()
    (session / "helper.png").symlink_to(mine)

    await shown(session, Turn("s1", 1, DIGEST, ""), "schedule:improver:1", *CHANGED)

    assert mine.read_text() == "Mine."
    assert (session / "helper.png").read_bytes()[1:4] == b"PNG"


@pytest.mark.parametrize(
    ("turn", "source"),
    [
        (Turn("s1", 1, agent(), ""), "schedule:improver:1"),
        (Turn("s1", 2, DIGEST, ""), "schedule:improver:1"),
        (Turn("s1", 1, DIGEST, ""), "C1:1.0"),
    ],
    ids=["another agent", "a later turn", "a person asked"],
)
async def test_nobody_else_has_pictures(tmp_path: Path, turn: Turn, source: str) -> None:
    assert await shown(tmp_path, turn, source, *CHANGED) == []


def test_the_news_are_changes_since_then_those_used_most_first() -> None:
    found = {
        "old": [version("a", 1.0), version("b", 2.0)],
        "new": [version("a", 1.0), version("b", 20.0, turns=1)],
        "busy": [version("a", 1.0), version("b", 20.0, turns=9)],
        "first": [version("a", 20.0)],
    }

    assert [name for name, _ in news(found, 10.0)] == ["busy", "new"]


def test_what_was_only_compared_is_no_change() -> None:
    assert [*versions_of([past("helper", "a", 1.0), past("helper@codex", "a", 1.0)])] == ["helper"]
