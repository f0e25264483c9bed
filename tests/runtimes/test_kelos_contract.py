"""Kelos Sessions, held against the contract of all runtimes: what a stand-in for the session runtime does, as Kelos would tell it."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from bot.breaker import BREAKER
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Step, Text
from bot.ports import Turn
from tests.standins.front import Front
from tests.standins.kelos import Kelos
from tests.standins.wait import until

from .contract import SOON, Contract, Harness
from .remote import Kept, Troubled
from .talk import moment, talked, talking

NOT_TOLD = "A Session tells nothing of it."


class Platform(Kelos):
    """`log` has what its agents were asked, as the agents of other platforms know it."""

    @property
    def log(self) -> list[Any]:
        asked = [str(event) for journal in self.journals.values() for event in journal.events if event["type"] != "runtime.status"]
        return [SimpleNamespace(body=asked)]


@dataclass(frozen=True)
class Consoled(Harness):
    def turn(self, folder: Path, url: str, prompt: str, *, asks: bool = False, **more: Any) -> Turn:
        place = {"console": url, "key": "KELOS_TOKEN", "private": True, "namespace": "desk", "secret": "claude", "patience": 1}
        options = {**place, **more.pop("options", {})}
        return super().turn(folder, url, prompt, asks=asks, options=options, **{"keep": Kept(), **more})


class TestKelos(Troubled):
    name = "kelos"
    secret = "the-cluster-token"
    worded: ClassVar = {
        "gone": r"cannot be reached.*options\.console",
        "credentials": r"does not let us in \(401\).*options\.key",
        "throttled": r"asked too often \(429\): try again later",
        "busy": r"cannot answer now \(503\): try again later",
    }
    harness = Consoled(
        "kelos",
        shell=lambda command: "!step Bash",
        environment=lambda url: {"KELOS_TOKEN": "the-cluster-token"},
        ask=lambda text, options: f"!ask {' | '.join([text, *options])}",
        parks=True,
        cannot={
            "thoughts": NOT_TOLD,
            "steps": "A Session tells the names of tools and what they gave, and not what they were given.",
            "plan": NOT_TOLD,
            "approval": "Kelos runs its agents so that they may do everything in their pod.",
            "refusal": "Kelos runs its agents so that they may do everything in their pod.",
            "steer": "What is said meanwhile is a Session's next turn, and ours.",
            "cost": "A Session tells tokens, and no cost.",
        },
    )

    @pytest.fixture
    async def model(self) -> AsyncIterator[Platform]:
        async with Platform() as kelos:
            yield kelos
        BREAKER._places.clear()

    @pytest.fixture
    async def door(self, model: Platform) -> AsyncIterator[Front]:
        async with Front(model.url) as front:
            yield front

    @Contract._of("stop")
    async def test_a_stop_leaves_nothing_behind(self, model: Any, folder: Path) -> None:
        async with talking(self.harness.turn(folder, model.url, "!step Bash\n!hold\n!say never")) as talk:
            await talk.until(lambda: talk.all(Step))

            assert await talk.stop() < SOON

        await until(lambda: model.journal.events[-1].get("status") == "interrupted")

    @Contract._of("garbage")
    async def test_what_cannot_be_read_harms_nothing(self, model: Any, folder: Path, tmp_path: Path) -> None:
        talk = await talked(self.harness.turn(folder, model.url, "!odd blue\n!odd red\n!say all the same"))

        assert talk.answered.strip() == "all the same"

    @Contract._of("death")
    async def test_where_it_dies_in_the_middle_that_is_told_and_nothing_stays(self, model: Any, folder: Path) -> None:
        async with talking(self.harness.turn(folder, model.url, "!say one\n!hold\n!say never")) as talk:
            await talk.until(lambda: talk.all(Text))
            await moment()
            with suppress(RuntimeError):
                await model._runner.cleanup()

            with pytest.raises(RuntimeFailed, match=r"did not come back") as caught:
                await talk.task

        assert not isinstance(caught.value, Unavailable)
        assert talk.answered.strip() == "one"
