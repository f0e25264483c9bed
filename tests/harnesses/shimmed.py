"""The contract for harnesses of ours that run elsewhere behind our shim: what it says of them holds there as here."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bot.breaker import BREAKER
from bot.errors import Unavailable
from bot.message import Answer
from bot.ports import Turn
from bot.runtimes import runtime_of
from bot.runtimes.claude_setting import BUNDLED
from bot.shim.server import Shim
from tests.runtimes.contract import BLUE, Contract, Harness, done
from tests.runtimes.hardship import Hardship
from tests.runtimes.remote import Kept
from tests.runtimes.talk import talked, talking
from tests.standins.model import Model

from .test_claude_code import PLAN, ask, shell

TOKEN = "a-token-for-this-shim"
SECRETS = {"SHIM_TOKEN": TOKEN, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI"}
CLAUDE = {"ANTHROPIC_BASE_URL": "", "ANTHROPIC_API_KEY": "sk-test", "CLAUDE_CODE_MAX_RETRIES": "0"}


@dataclass(frozen=True)
class Shimmed(Harness):
    """Claude Code in a container: its options stand in those of the runtime that reaches it. `place` are the runtime's own."""

    place: dict[str, Any] = field(default_factory=dict)

    def turn(self, folder: Path, url: str, prompt: str, *, asks: bool = False, **more: Any) -> Turn:
        inner = {**({"tools": []} if asks else {"tools": ["Bash"]}), **more.pop("options", {})}
        harness = {"runtime": "claude_code", "options": inner, "environment": list(CLAUDE)}
        return super().turn(folder, url, prompt, options={"harness": harness}, **{"keep": Kept(), **more})


def shimmed(runtime: str, **more: Any) -> Shimmed:
    return Shimmed(runtime, shell=shell, environment=lambda url: SECRETS, ask=ask, plan=PLAN, model="claude-sonnet-5", **more)


class Contained(Hardship):
    """A subclass gives `_platform`, a context in which it stands before the shim: the options that lead there; `astray` lead nowhere."""

    astray: Mapping[str, Any]

    @pytest.fixture
    async def shim(self, model: Model, folder: Path) -> AsyncIterator[Shim]:
        shim = Shim(TOKEN, folder / "container", runtime_of, {**CLAUDE, "ANTHROPIC_BASE_URL": model.url})
        await shim.start("127.0.0.1", 0)
        yield shim
        await shim.close()

    @pytest.fixture(autouse=True)
    async def _stands(self, shim: Shim) -> AsyncIterator[None]:
        async with self._platform(f"http://127.0.0.1:{shim.port}") as options:
            self.harness = replace(self.harness, options=options)
            yield
        BREAKER._places.clear()

    @Contract._of("restart")
    async def test_a_question_that_was_held_too_long_is_answered_all_the_same(self, model: Model, folder: Path, shim: Shim) -> None:
        script = f"{self.harness.ask('Which colour?', ('Red', BLUE))}\n!toolresult"
        turn = self.harness.turn(folder, model.url, script)
        async with talking(turn) as talk:
            question = await talk.question()
        assert not shim.busy
        answer = Answer(question.id, {question.parts[0].id: (BLUE,)})

        words = f"You asked: Which colour?\nThe answer is: {BLUE}"
        talk = await talked(replace(turn, resume=talk.resume, again=True, answer=answer, prompt=words))

        assert done(talk) == "completed"
        assert BLUE in str(model.log[-1].body)

    @Contract._of("trouble")
    async def test_a_token_that_its_shim_does_not_take_is_told_and_not_shown(self, model: Model, folder: Path) -> None:
        with pytest.raises(Unavailable, match=r"options\.token") as caught:
            await talked(self.harness.turn(folder, model.url, "!say never", environment={"SHIM_TOKEN": "another-one-altogether"}))

        assert "another-one" not in str(caught.value)

    @Contract._of("trouble")
    async def test_a_platform_that_is_not_there_is_told_with_the_remedy(self, model: Model, folder: Path) -> None:
        self.harness = replace(self.harness, options={**self.harness.options, **self.astray})

        with pytest.raises(Unavailable, match=r"look at options\..* in agents/coder\.md"):
            await talked(self.harness.turn(folder, model.url, "!say never"))

    def _platform(self, container: str) -> Any:
        raise NotImplementedError

    def _binary(self) -> str:
        return str(BUNDLED)
