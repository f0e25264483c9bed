"""A real LiteLLM between Claude Code and its model: what it counts, and for whom."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from bot.event import Usage
from bot.runtimes import gateway
from tests.harnesses import harness
from tests.runtimes.talk import after, talked, turn
from tests.standins.model import Model

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

    async def counted(self, calls: int) -> list[dict[str, Any]]:
        """It counts a call a moment after it has answered it."""
        async with asyncio.timeout(20):
            while len(self.spent()) < calls:
                await asyncio.to_thread(self.folder.stat)
        return self.spent()


@pytest.fixture
async def proxy(model: Model, tmp_path: Path) -> AsyncIterator[Proxy]:
    folder = tmp_path / "proxy"
    folder.mkdir()
    (folder / "counted.py").write_text(COUNTED)
    given = {"api_base": model.url, "api_key": "x"}
    prices = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}
    models = [
        {"model_name": "claude-sonnet-5", "litellm_params": {"model": "anthropic/claude-sonnet-5", **given, **prices}},
        {"model_name": "stand-in", "litellm_params": {"model": "openai/stand-in", **given, "api_base": f"{model.url}/v1", **prices}},
    ]
    settings = {"telemetry": False, "drop_params": True, "callbacks": "counted.counted"}
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


async def test_each_call_is_counted_for_its_session_agent_person_and_channel(model: Model, proxy: Proxy, tmp_path: Path) -> None:
    prompt = '!usage 1000 100\n!tool Bash {"command": "echo hi"}\n!usage 1000 100\n!toolresult'
    task = turn(tmp_path / "s", "", prompt, gateway=(proxy.url, KEY), channel="C1", options={"tools": ["Bash"]})

    first = await talked(task)
    then = await talked(after(first, "!usage 500 50\n!say thanks"))
    counted = await proxy.counted(3)

    assert first.answered == "the tools said: hi"
    assert then.answered == "thanks"
    assert all({"session:s1", "agent:coder", "person:U1", "channel:C1"} <= set(call["tags"]) for call in counted)
    assert {call["person"] for call in counted} == {"U1"}
    assert [call["cost"] for call in counted] == pytest.approx([1.2, 1.2, 0.6])
    assert [(sum(used.input_tokens for used in talk.all(Usage))) for talk in (first, then)] == [2000, 500]


async def test_a_key_that_it_does_not_know_is_told_with_the_remedy(proxy: Proxy, tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path / "s", "", "!say never", gateway=(proxy.url, "sk-wrong")))

    assert talk.finished.state == "failed"
    assert "LITELLM_API_KEY" in talk.finished.reason


@pytest.mark.parametrize(("path", "asked"), [("chat/completions", "messages"), ("responses", "input")])
async def test_clients_of_openais_apis_go_through_it_too(proxy: Proxy, tmp_path: Path, path: str, asked: str) -> None:
    way = gateway.of(turn(tmp_path / "s", "", "", gateway=(proxy.url, KEY), channel="C1"))
    assert way
    body = {"model": "stand-in", asked: [{"role": "user", "content": "!usage 1000 100\n!say hello"}]}

    headers = {**way.headers, "Authorization": f"Bearer {way.key}"}
    async with aiohttp.ClientSession() as http, http.post(f"{way.openai}/{path}", json=body, headers=headers) as response:
        answer = await response.text()
    [call] = await proxy.counted(1)

    assert "hello" in answer
    assert "session:s1" in call["tags"]
    assert call["cost"] == pytest.approx(1.2)
