"""A real LiteLLM between the real harnesses and their models: what it counts, for whom, and what of it reaches the turn."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yaml

from bot.aid import Talk as Desk
from bot.event import Event, Usage
from bot.ports import Turn
from bot.runtimes import runtime_of
from bot.runtimes.gateway_server import GatewayServer
from tests.runtimes.contract import Harness
from tests.runtimes.talk import Talk, after, talked
from tests.standins.model import Model

from . import harness, test_acp, test_claude_code, test_codex, test_deepagents, test_hermes, test_opencode, test_pi, test_stream_json

KEY = "sk-master"
COUNTED = """
import json
from litellm.integrations.custom_logger import CustomLogger

class Counted(CustomLogger):
    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        told = kwargs["standard_logging_object"]
        kept = {"cost": told["response_cost"], "tags": told["request_tags"], "person": told["end_user"], "call": told["call_type"]}
        with open("spent", "a") as file:
            file.write(json.dumps(kept) + "\\n")

counted = Counted()
"""


@dataclass(frozen=True)
class Proxy:
    url: str
    folder: Path

    def spent(self) -> list[dict[str, Any]]:
        """What it has counted so far, call by call."""
        with suppress(FileNotFoundError):
            return [json.loads(line) for line in (self.folder / "spent").read_text().splitlines()]
        return []

    async def counted(self, tag: str, calls: int = 1) -> list[dict[str, Any]]:
        """It counts a call a moment after it has answered it."""
        async with asyncio.timeout(20):
            while len(found := [call for call in self.spent() if tag in call["tags"]]) < calls:
                await asyncio.to_thread(self.folder.stat)
        return found


class Till(Desk):
    """What is told beside the runtime."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.priced = lambda usage: usage

    async def tell(self, event: Event) -> None:
        self.told.append(event)

    def sum(self, talk: Talk) -> Usage:
        """What the turn has used and cost, as the desk would count it."""
        used = [event for event in (*self.told, *map(self.priced, talk.all(Usage))) if isinstance(event, Usage)]
        return Usage(sum(one.input_tokens for one in used), sum(one.output_tokens for one in used), 0, sum(one.usd for one in used))


@asynccontextmanager
async def serving(model: Model, folder: Path, **more: Any) -> AsyncIterator[Proxy]:
    (folder / "counted.py").write_text(COUNTED)
    given = {"api_key": "x", "input_cost_per_token": 0.001, "output_cost_per_token": 0.002}
    claude = {"model": "anthropic/claude-sonnet-5", "api_base": model.url, **given}
    other = {"model": "openai/stand-in", "api_base": f"{model.url}/v1", **given}
    models = [{"model_name": name, "litellm_params": other} for name in ("stand-in", "gpt-5.4", "gpt-5.5")]
    models += [{"model_name": name, "litellm_params": claude} for name in ("claude-*", "claude-sonnet-5")]
    settings = {"telemetry": False, "drop_params": True, "callbacks": "counted.counted", **more}
    (folder / "config.yaml").write_text(
        yaml.safe_dump({"model_list": models, "general_settings": {"master_key": KEY}, "litellm_settings": settings})
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            harness("litellm"), "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port),
            cwd=folder, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        await up(f"http://127.0.0.1:{port}", process, folder)
        yield Proxy(f"http://127.0.0.1:{port}", folder)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def up(url: str, process: asyncio.subprocess.Process, folder: Path) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(60):
        while process.returncode is None:
            with suppress(aiohttp.ClientError):
                async with http.get(f"{url}/health/liveliness") as response:
                    if response.status == 200:
                        return
            await asyncio.to_thread(folder.stat)
    raise AssertionError((folder / "log").read_text()[-2000:])


@asynccontextmanager
async def lent(proxy: Proxy, turn: Turn, key: str = KEY) -> AsyncIterator[tuple[Turn, Till]]:
    """The turn with its way to LiteLLM, as the desk lends it."""
    server, till = GatewayServer(proxy.url, key), Till()
    try:
        async with server.lend(turn, runtime_of(turn.agent), till) as given:
            yield given, till
    finally:
        await server.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Proxy]:
    """One for all harnesses: it takes ten seconds to start, and one of them waits for it."""
    async with Model() as model, serving(model, tmp_path_factory.mktemp("litellm")) as proxy:
        yield proxy


def calm(given: Harness, environment: Mapping[str, str] | None = None, **more: Any) -> Harness:
    """Without a way of its own to a model, and without settings of its own."""
    return replace(given, environment=lambda _: {"CLAUDE_CODE_MAX_RETRIES": "0", **(environment or {})}, prepare=lambda *_: None, **more)


CLAUDE = calm(test_claude_code.TestClaudeCode.harness)
OFFLINE = {"OPENCODE_DISABLE_MODELS_FETCH": "1"}
NODE = {"PATH": f"{Path(harness('node')).parent}:/usr/bin:/bin"}
TOLD: Mapping[str, Harness] = {  # LiteLLM tells what their calls cost by itself
    "codex": calm(test_codex.CODEX),
    "opencode": calm(test_opencode.OPENCODE, OFFLINE, model="stand-in", options={"path": harness("opencode")}),
    "pi": calm(test_pi.PI, NODE, model="stand-in"),
    "hermes": calm(test_hermes.HERMES, options={"path": harness("hermes")}),
    "acp: Codex": calm(test_acp.TestCodex.harness, {"CODEX_PATH": harness("codex")}, model="gpt-5.5"),
    "acp: OpenCode": calm(test_acp.TestOpenCode.harness, OFFLINE, model="litellm/stand-in"),
}
SAID: Mapping[str, Harness] = {  # theirs are streams of Anthropic's API, or of a client that asks for no figures
    "claude_code": CLAUDE,
    "deepagents": calm(test_deepagents.DEEPAGENTS),
    "stream_json": calm(test_stream_json.TestStreamJson.harness),
    "acp: Claude Code": calm(test_acp.TestClaude.harness),
    "acp: DeepAgents": calm(test_acp.TestDeepAgents.harness),
}


async def hello(proxy: Proxy, asked: Harness, folder: Path) -> tuple[list[dict[str, Any]], Usage]:
    """What LiteLLM has counted of a turn, and what the turn tells that it has cost."""
    before = len(proxy.spent())
    turn = replace(asked.turn(folder, "", "!usage 1000 100\n!say hello"), session_id=f"s{before}", channel="C1")
    async with lent(proxy, turn) as (given, till):
        talk = await talked(given)
    assert talk.answered.strip() == "hello"
    counted = await proxy.counted(f"session:s{before}")
    return counted, till.sum(talk)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", [*TOLD, *SAID])
async def test_each_harnesss_calls_are_counted_for_whom_they_are(proxy: Proxy, tmp_path: Path, name: str) -> None:
    counted, _ = await hello(proxy, {**TOLD, **SAID}[name], tmp_path / "s")

    assert all({"agent:coder", "person:U1", "channel:C1"} <= set(call["tags"]) for call in counted)
    assert {call["person"] for call in counted} == {"U1"}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", TOLD)
async def test_what_it_tells_of_the_cost_is_the_turns(proxy: Proxy, tmp_path: Path, name: str) -> None:
    _, used = await hello(proxy, TOLD[name], tmp_path / "s")

    assert used.usd == pytest.approx(1.2 * max(round(used.usd / 1.2), 1))  # each call 1.2; some let a title be made too


@pytest.mark.asyncio(loop_scope="module")
async def test_where_it_does_not_tell_it_what_the_harness_says_counts(proxy: Proxy, tmp_path: Path) -> None:
    _, used = await hello(proxy, CLAUDE, tmp_path / "s")

    assert used.usd == pytest.approx(0.003, rel=0.5)  # by Claude Code's own prices


@pytest.mark.parametrize("asked", [test_opencode.OPENCODE, test_pi.PI], ids=lambda asked: asked.runtime)
async def test_all_calls_of_models_go_through_it_though_the_harness_knows_another_way(model: Model, tmp_path: Path, asked: Harness) -> None:
    turn = asked.turn(tmp_path / "s", "http://127.0.0.1:9", "!say by the gateway")

    talk = await talked(replace(turn, gateway=(model.url, "sk-gateway")))

    assert talk.answered == "by the gateway"
    assert model.log[-1].headers["Authorization"] == "Bearer sk-gateway"


async def test_of_claude_codes_calls_it_tells_the_cost_where_it_is_set_so(model: Model, tmp_path: Path) -> None:
    prompt = '!usage 1000 100\n!tool Bash {"command": "echo hi"}\n!usage 1000 100\n!toolresult'
    task = replace(CLAUDE.turn(tmp_path / "s", "", prompt, options={"tools": ["Bash"]}), channel="C1")

    async with serving(model, tmp_path, include_cost_in_streaming_usage=True) as proxy:
        async with lent(proxy, task) as (given, till):
            first = await talked(given)
        used = till.sum(first)
        async with lent(proxy, after(first, "!usage 500 50\n!say thanks")) as (given, till):
            then = await talked(given)
        counted = await proxy.counted("session:s1", 3)

    assert (first.answered, then.answered) == ("the tools said: hi", "thanks")
    assert [call["cost"] for call in counted] == pytest.approx([1.2, 1.2, 0.6])
    assert (used.usd, till.sum(then).usd) == pytest.approx((2.4, 0.6))
    assert (used.input_tokens, till.sum(then).input_tokens) == (2000, 500)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_key_that_it_does_not_know_is_told_with_the_remedy(proxy: Proxy, tmp_path: Path) -> None:
    async with lent(proxy, CLAUDE.turn(tmp_path / "s", "", "!say never"), "sk-wrong") as (given, _):
        talk = await talked(given)

    assert talk.finished.state == "failed"
    assert "LITELLM_API_KEY" in talk.finished.reason
