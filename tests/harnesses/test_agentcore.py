"""Claude Code in AgentCore: AWS's own client, a stand-in for the data plane, our shim, and the real harness behind it."""

import asyncio
import socket
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bot.errors import RuntimeFailed
from tests.runtimes.talk import after, talked
from tests.runtimes.test_agentcore import turn
from tests.standins.agentcore import ARN, AgentCoreDataPlane
from tests.standins.wait import until

from . import ROOT
from .shimmed import Contained, shimmed


class TestAgentCore(Contained):
    name = "agentcore"
    harness = shimmed("agentcore")
    astray: ClassVar = {"url": "http://127.0.0.1:9"}

    @asynccontextmanager
    async def _platform(self, container: str) -> AsyncIterator[dict[str, Any]]:
        async with AgentCoreDataPlane(container) as plane:
            yield {"arn": ARN, "url": plane.url, "private": True}


@pytest.fixture
async def plane() -> AsyncIterator[AgentCoreDataPlane]:
    """The SDK's own container, behind the stand-in."""
    python = ROOT / "agentcore" / "bin" / "python"
    assert python.exists(), "run make test-harnesses, which installs it"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = Path(__file__).with_name("agentcore_container.py")
    process = await asyncio.create_subprocess_exec(python, file, str(port), stdout=DEVNULL, stderr=DEVNULL)
    try:
        await until(lambda: listens(port), 20)
        async with AgentCoreDataPlane(f"http://127.0.0.1:{port}") as plane:
            yield plane
    finally:
        process.terminate()
        await process.wait()


def listens(port: int) -> bool:
    with socket.socket() as door:
        return door.connect_ex(("127.0.0.1", port)) == 0


async def test_an_agent_made_with_the_sdk_is_asked_and_keeps_its_session(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    first = await talked(turn(tmp_path, plane.url, "how do you do?", speaks="plain"))

    second = await talked(after(first, "and now?"))

    assert (first.answered, second.answered) == ("how do you do? (1)", "and now? (2)")


async def test_its_error_is_told(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    with pytest.raises(RuntimeFailed, match="no such table"):
        await talked(turn(tmp_path, plane.url, "fail", speaks="plain"))
