"""Servers that run already, reached by their profiles: OpenCode's and Hermes', the real ones, against the contract."""

import asyncio
import base64
import json
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from bot.errors import RuntimeFailed
from bot.event import Text
from bot.ports import Turn
from bot.runtimes.loopback import free
from tests.runtimes.contract import SOON, Contract, family
from tests.runtimes.remote import NOISE, Kept, Remote, Troubled
from tests.runtimes.talk import moment, talked, talking
from tests.standins.front import Front
from tests.standins.model import Model
from tests.standins.noisy import Noisy
from tests.standins.wait import until

from . import harness
from .test_hermes import HERMES
from .test_opencode import CONFIG, OPENCODE

RULES = {"bash": {"*": "allow", "touch *": "ask"}}


class Server:
    """A harness's server, which talks to a stand-in for models whose `log` says what it was asked."""

    def __init__(self, model: Model, folder: Path, url: str, process: psutil.Process) -> None:
        self.log, self.folder, self.url, self.process = model.log, folder, url, process

    @property
    def stopped(self) -> bool:
        """Whether no command runs there."""
        return not any("sleep" in process.name() for process in family(self.folder))

    async def down(self) -> None:
        for process in family(self.folder):
            with suppress(psutil.NoSuchProcess):
                process.kill()


@asynccontextmanager
async def served(
    model: Model, folder: Path, words: tuple[str, ...], port: int, environment: Mapping[str, str], look: str
) -> AsyncIterator[Server]:
    work = folder / "work"
    await asyncio.to_thread(work.mkdir, parents=True)
    child = await asyncio.create_subprocess_exec(
        *words, cwd=work, env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment}, start_new_session=True,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    server = Server(model, folder, f"http://127.0.0.1:{port}", psutil.Process(child.pid))
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            await until(lambda: listens(http, server.url + look), 60)
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()
        await server.down()


async def listens(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code < httpx.codes.INTERNAL_SERVER_ERROR
    except httpx.TransportError:
        return False


@dataclass(frozen=True)
class Serving(Remote):
    """A server at this address, by a profile."""

    def turn(self, folder: Path, url: str, prompt: str, *, asks: bool = False, **more: Any) -> Turn:
        return super().turn(folder, url, prompt, environment=dict(self.environment(url)), **{"keep": Kept(), **more})


class Served(Troubled):
    """What the contract holds for processes of ours holds for theirs otherwise."""

    @pytest.fixture
    async def door(self, model: Server) -> AsyncIterator[Front]:
        async with Front(model.url) as front:
            yield front

    @Contract._of("stop")
    async def test_a_stop_leaves_nothing_behind(self, model: Server, folder: Path) -> None:  # type: ignore[override]
        async with talking(self.harness.turn(folder, model.url, f"{self.harness.shell('sleep 300')}\n!say never")) as talk:
            await talk.until(lambda: talk.steps)
            await until(lambda: not model.stopped)

            assert await talk.stop() < SOON

        assert await until(lambda: model.stopped)

    @Contract._of("death")
    async def test_where_it_dies_in_the_middle_that_is_told_and_nothing_stays(self, model: Server, folder: Path) -> None:  # type: ignore[override]
        turn = self.harness.turn(folder, model.url, f"!slow 0.2\n!say {'word ' * 60}", options={"patience": 0.5})
        async with talking(turn) as talk:
            await talk.until(lambda: talk.all(Text))
            await moment()
            await model.down()

            with pytest.raises(RuntimeFailed, match="did not come back"):
                await talk.task

    @Contract._of("garbage")
    async def test_what_cannot_be_read_harms_nothing(self, model: Server, folder: Path, tmp_path: Path) -> None:  # type: ignore[override]
        async with Noisy(model.url, NOISE) as noisy:
            talk = await talked(self.harness.turn(folder, noisy.url, "!say all the same"))

        assert talk.answered.strip() == "all the same"
        assert noisy.made

    async def test_a_turn_that_is_cut_is_told_whole_by_the_next_process(self, model: Server, folder: Path) -> None:
        words = "word " * 20
        left = replace(self.harness.turn(folder, model.url, f"!slow 0.1\n!say {words}end"), leaving=lambda: True)
        async with talking(left) as talk:
            await talk.until(lambda: len(talk.all(Text)) > 2)

        again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

        assert again.answered.strip() == f"{words}end"
        assert len(model.log) < 4

    test_a_turn_that_is_cut_is_told_whole_by_the_next_process.column = "resume"  # type: ignore[attr-defined]


def basic(_: str) -> Mapping[str, str]:
    return {"KEY": base64.b64encode(b"opencode:pass-word").decode()}


class TestOpenCode(Served):
    name = "http: OpenCode"
    secret = basic("")["KEY"]
    harness = Serving(
        "http", shell=OPENCODE.shell, environment=basic, ask=OPENCODE.ask, plan=OPENCODE.plan, model="stand-in",
        options={"profile": "opencode", "key": "KEY", "values": {"provider": "fake"}},
    )  # fmt: skip

    @pytest.fixture
    async def model(self, folder: Path) -> AsyncIterator[Server]:
        async with Model() as model:
            port, config = free(), {**CONFIG, "permission": RULES, "share": "disabled"}
            environment = {
                "MODEL_URL": model.url, "OPENCODE_CONFIG_CONTENT": json.dumps(config), "OPENCODE_SERVER_PASSWORD": "pass-word",
                "OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
            }  # fmt: skip
            words = (harness("opencode"), "serve", "--hostname", "127.0.0.1", "--port", str(port))
            async with served(model, folder, words, port, environment, "/global/health") as server:
                yield server


def bearer(_: str) -> Mapping[str, str]:
    return {"KEY": "k" * 32}


class TestHermes(Served):
    name = "http: Hermes"
    secret = bearer("")["KEY"]
    harness = Serving(
        "http", shell=HERMES.shell, environment=bearer, options={"profile": "hermes", "key": "KEY"},
        ask=HERMES.ask, plan=HERMES.plan, cannot=HERMES.cannot,
    )  # fmt: skip

    @pytest.fixture
    async def model(self, folder: Path) -> AsyncIterator[Server]:
        async with Model() as model:
            port, kept = free(), folder / "hermes"
            config = {
                "approvals": {"mode": "manual", "timeout": 600, "gateway_timeout": 600}, "terminal": {"cwd": str(folder / "work")},
                "model": {"provider": "custom", "base_url": f"{model.url}/v1", "api_key": "sk-test", "default": "stand-in"},
            }  # fmt: skip
            await asyncio.to_thread(kept.mkdir, parents=True)
            await asyncio.to_thread((kept / "config.yaml").write_text, json.dumps(config))
            environment = {
                "HERMES_HOME": str(kept), "API_SERVER_ENABLED": "true", "API_SERVER_HOST": "127.0.0.1", "API_SERVER_PORT": str(port),
                "API_SERVER_KEY": "k" * 32,
            }  # fmt: skip
            async with served(model, folder, (harness("hermes"), "gateway", "run"), port, environment, "/v1/health") as server:
                yield server
