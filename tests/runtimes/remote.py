"""The contract for what runs elsewhere: no process of ours is to be ended, but theirs has to be."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Notice, Text
from bot.ports import Turn
from bot.report import ASK
from tests.standins.wait import until

from .contract import SOON, Contract, Harness, done
from .talk import Talk, after, moment, talked, talking

CHANCE = 11  # characters that may well be said twice
Lines = dict[str, list[str]]
REFUSALS: Mapping[str, tuple[int, dict[str, str], bytes, str]] = {
    "credentials": (401, {}, b'{"error": {"message": "invalid key: KEY"}}', r"does not accept the credentials \(401\)"),
    "throttled": (429, {"Retry-After": "70"}, b"{}", r"\(429\)\. Try again in 70 seconds"),
    "busy": (503, {}, b"<html>busy</html>", r"cannot do it now \(503\)"),
    "redirect": (307, {"Location": "https://elsewhere.example/"}, b"", r"sends us on to elsewhere\.example"),
    "page": (200, {"Content-Type": "text/html"}, b"<html>Log in</html>", r"web page|with a stream"),
}
"""What a platform may answer in place of what it is asked, and what is then said."""
NOISE = b': hello\n\ndata: this is no JSON\n\nevent: odd\ndata: {"half":\n\ndata: [1]\n\nid: 7\n\n'


class Kept:
    """What the store keeps for runtimes."""

    def __init__(self) -> None:
        self.lines: Lines = {}

    async def load(self, key: str) -> list[str]:
        return list(self.lines.get(key, ()))

    async def append(self, key: str, lines: Sequence[str]) -> None:
        self.lines.setdefault(key, []).extend(lines)


def ask(text: str, options: tuple[str, ...]) -> str:
    return f"!tool ask_user {json.dumps({'question': text, 'options': options})}"


@dataclass(frozen=True)
class Remote(Harness):
    """A harness whose address is an option, and which is on this machine in tests only."""

    def turn(self, folder: Path, url: str, prompt: str, *, asks: bool = False, **more: Any) -> Turn:
        options = {"url": url, "private": True, **more.pop("options", {})}
        return super().turn(folder, url, prompt, asks=asks, options=options, **{"keep": Kept(), **more})


class Troubled(Contract):
    """`door` answers in the platform's place, and goes down; `worded` is what is said otherwise of a refusal."""

    secret = "sk-test"
    worded: Mapping[str, str] = {}

    @Contract._of("resume")
    async def test_it_is_asked_what_would_have_helped_and_the_conversation_goes_on(self, model: Any, folder: Path) -> None:
        first = await talked(self.harness.turn(folder, model.url, "!say the first thing"))

        asked = await talked(replace(after(first, ASK), number=-1))
        second = await talked(replace(after(first, "!say the second thing"), resume=asked.resume))

        assert (done(asked), done(second)) == ("completed", "completed")
        assert not [notice for talk in (asked, second) for notice in talk.all(Notice) if notice.level == "warning"]
        assert second.answered.strip() == "the second thing"

    @Contract._of("trouble")
    async def test_one_that_is_not_there_is_told_before_anything_has_begun(self, door: Any, folder: Path) -> None:
        await door.down()

        with pytest.raises(Unavailable, match=self.worded.get("gone", r"does not answer.*options\.url")):
            await talked(self.harness.turn(folder, door.url, "!say never"))

    @Contract._of("trouble")
    async def test_a_private_address_is_left_alone_unless_the_file_allows_it(self, door: Any, folder: Path) -> None:
        with pytest.raises(Unavailable, match=r"private address.*options\.private"):
            await talked(self.harness.turn(folder, door.url, "!say never", options={"private": False}))

    @Contract._of("trouble")
    @pytest.mark.parametrize("what", [*REFUSALS])
    async def test_what_it_refuses_is_told_before_anything_has_begun_and_without_the_key(self, door: Any, folder: Path, what: str) -> None:
        status, headers, body, words = REFUSALS[what]
        door.refuse(status, body.replace(b"KEY", self.secret.encode()), headers)

        with pytest.raises(Unavailable, match=self.worded.get(what, words)) as caught:
            await talked(self.harness.turn(folder, door.url, "!say never"))

        assert self.secret not in str(caught.value)


class Elsewhere(Troubled):
    """`model` is a stand-in for the platform: it says what was `stopped`, makes `noise`, and goes `down`.

    `slow` is a script that says "one", and then takes long.
    """

    slow = "!say one\n!hold\n!say never"

    @pytest.fixture
    def door(self, model: Any) -> Any:
        return model

    @Contract._of("stop")
    async def test_a_stop_leaves_nothing_behind(self, model: Any, folder: Path) -> None:
        async with talking(
            self.harness.turn(folder, model.url, f"{self.harness.shell('sleep 300')}\n!slow 1\n!say {'never ' * 50}")
        ) as talk:
            await talk.until(lambda: len(talk.events) > 1)

            assert await talk.stop() < SOON

        assert await until(lambda: model.stopped)

    @Contract._of("garbage")
    async def test_what_cannot_be_read_harms_nothing(self, model: Any, folder: Path, tmp_path: Path) -> None:
        model.noise = NOISE

        talk = await talked(self.harness.turn(folder, model.url, "!say all the same"))

        assert talk.answered.strip() == "all the same"

    @Contract._of("death")
    async def test_where_it_dies_in_the_middle_that_is_told_and_nothing_stays(self, model: Any, folder: Path) -> None:
        turn = self.harness.turn(folder, model.url, self.slow, options={"patience": 0.3})
        async with talking(turn) as talk:
            await talk.until(lambda: talk.answered)
            await moment()
            await model.down()

            with pytest.raises(RuntimeFailed, match="connection") as caught:
                await talk.task

        assert not isinstance(caught.value, Unavailable)
        assert talk.answered.strip() == "one"


async def restarted(platform: Any, turn: Turn) -> Talk:
    """A turn that says "one", and goes on when its platform, which goes down then, is back."""
    async with talking(turn) as talk:
        await talk.until(lambda: talk.answered == "one")
        await platform.restart()
        platform.hold.set()
        await talk.task
    return talk


def answered_once(events: Sequence[Event]) -> bool:
    """Whether no piece of the answer was told that had been told before."""
    said = ""
    for event in events:
        if isinstance(event, Text) and not event.final and len(event.text) > CHANCE and event.text in said:
            return False
        said += event.text if isinstance(event, Text) else ""
    return True
