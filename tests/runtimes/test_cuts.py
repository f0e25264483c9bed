"""A turn that is cut at a random moment, on each platform: our process, the stream, the platform.

It goes on, or ends in words, and no text is told twice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.breaker import BREAKER
from bot.errors import RuntimeFailed
from bot.event import Started
from bot.ports import Turn
from bot.runtimes import runtime_of
from bot.shim.server import Shim
from tests.standins.a2a_agent import Agent
from tests.standins.agentcore import AgentCoreDataPlane
from tests.standins.cluster import Cluster
from tests.standins.cutter import Cutter
from tests.standins.kelos import Kelos
from tests.standins.langgraph_server import LangGraphServer
from tests.standins.litellm_platform import LiteLLMPlatform
from tests.standins.managed_agents import ManagedAgents
from tests.standins.plain_platform import Platform
from tests.standins.responses_server import ResponsesServer

from . import (
    test_a2a_contract,
    test_agentcore,
    test_http,
    test_kelos,
    test_kubernetes,
    test_langgraph,
    test_litellm_platform,
    test_managed_agents,
    test_responses,
)
from .remote import answered_once
from .talk import Talk, chance, talking

LINES = ["First I look at what there is to do.", "Then it is done, step by step, with care.", "Last comes a word about it."]
SCRIPT = "\n".join(["!slow 0.03", *(f"!say {line}" for line in LINES)])
LONG = 1.0  # seconds: more than such a turn takes
Made = Callable[[str, Path], Turn]


@dataclass(frozen=True)
class Place:
    """Where a platform stands, a turn there by way of an address, and what it says in all."""

    url: str
    turn: Made
    whole: str = "\n\n".join(LINES)


def script(harness: Any, **options: Any) -> Made:
    return lambda url, folder: harness.turn(folder, url, SCRIPT, options=options)


@asynccontextmanager
async def managed(folder: Path, kind: Any) -> AsyncIterator[Place]:
    async with ManagedAgents(kind, folder=folder) as platform:
        yield Place(platform.url, script(test_managed_agents.HARNESS))


@asynccontextmanager
async def litellm(folder: Path) -> AsyncIterator[Place]:
    async with LiteLLMPlatform(folder=folder) as platform:
        yield Place(platform.url, script(test_litellm_platform.HARNESS))


@asynccontextmanager
async def responses(folder: Path, whole: str = "\n\n".join(LINES), **options: Any) -> AsyncIterator[Place]:
    async with ResponsesServer(folder=folder) as platform:
        yield Place(platform.url, script(test_responses.HARNESS, **options), whole)


@asynccontextmanager
async def profiled(folder: Path) -> AsyncIterator[Place]:
    async with Platform() as platform:
        yield Place(platform.url, script(test_http.HTTP), "".join(LINES))


@asynccontextmanager
async def a2a(folder: Path, **dialect: Any) -> AsyncIterator[Place]:
    async with Agent(**dialect) as agent:
        yield Place(agent.url, lambda url, folder: test_a2a_contract.A2A.turn(folder, agent.url, SCRIPT, options={"endpoint": f"{url}/"}))


@asynccontextmanager
async def langgraph(folder: Path) -> AsyncIterator[Place]:
    async with LangGraphServer() as server:
        server.next = test_langgraph.saying(*(f"{word} " for word in " ".join(LINES).split()))
        server.next.pause = 0.02
        yield Place(server.url, lambda url, folder: test_langgraph.turn(folder, url), f"{' '.join(LINES)} ")


@asynccontextmanager
async def shimmed(folder: Path, kind: str) -> AsyncIterator[Place]:
    shim = Shim(test_agentcore.TOKEN, folder / "container", runtime_of, {})
    await shim.start("127.0.0.1", 0)
    inner = f"http://127.0.0.1:{shim.port}"
    try:
        async with AgentCoreDataPlane(inner) as plane, Cluster(inner) as cluster:
            yield Place(cluster.url, clustered(cluster), SAID) if kind == "kubernetes" else Place(plane.url, told(), SAID)
    finally:
        await shim.close()


SAID = "".join(f"{line}\n" for line in LINES)
SPOKEN = SCRIPT.replace("0.03", "0.15")


def told() -> Made:
    return lambda url, folder: test_agentcore.turn(folder, url, SPOKEN)


def clustered(cluster: Cluster) -> Made:
    def made(url: str, folder: Path) -> Turn:
        cluster.url = url
        return test_kubernetes.turn(folder, cluster, SPOKEN)

    return made


@asynccontextmanager
async def kelos(folder: Path, way: str) -> AsyncIterator[Place]:
    async with Kelos() as server:

        def made(url: str, folder: Path) -> Turn:
            server.url = url
            return test_kelos.turn(folder, server, SPOKEN, way)

        yield Place(server.url, made, "\n\n".join(f"{line} " for line in LINES))


PLACES: dict[str, Callable[[Path], Any]] = {
    "managed_agents": lambda folder: managed(folder, "cloud"),
    "managed_agents, a bridge": lambda folder: managed(folder, "bridge"),
    "litellm_platform": litellm,
    "responses": responses,
    "responses, background": lambda folder: responses(folder, background=True),
    "responses, chat": lambda folder: responses(folder, "".join(LINES), api="chat"),
    "http": profiled,
    "a2a": a2a,
    "a2a, 0.3": lambda folder: a2a(folder, card="0.3", speaks="0.3"),
    "langgraph": langgraph,
    "agentcore": lambda folder: shimmed(folder, "agentcore"),
    "kubernetes": lambda folder: shimmed(folder, "kubernetes"),
    "kelos, exec": lambda folder: kelos(folder, "exec"),
    "kelos, console": lambda folder: kelos(folder, "console"),
}


@pytest.fixture(params=PLACES, autouse=True)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    (tmp_path / "s").mkdir()
    async with PLACES[request.param](tmp_path) as place:
        yield place
    BREAKER.forget()


async def ended(talk: Talk) -> str:
    """The words in which it failed; empty where it did not."""
    try:
        await asyncio.wait_for(talk.task, 20)
    except RuntimeFailed as error:
        return str(error)
    return "" if talk.finished.state == "completed" else talk.finished.reason or "nothing"


def judge(talk: Talk, words: str, whole: str) -> None:
    """It came whole, or as far as it did, and then why it ended; and nothing came twice."""
    assert answered_once(talk.events)
    assert talk.answered.split() == whole.split() or (words not in ("", "nothing") and whole.startswith(talk.answered.rstrip())), words


def port(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])


def through(cutter: Cutter, place: Place, folder: Path) -> Turn:
    return place.turn(place.url.replace(str(cutter.port), str(port(cutter.url))), folder)


async def test_a_stream_that_is_cut(place: Place, tmp_path: Path) -> None:
    cuts = chance()
    cutter = Cutter(port(place.url), (cuts.randrange(1, 6000) for _ in range(3)))
    async with cutter, talking(through(cutter, place, tmp_path / "s")) as talk:
        words = await ended(talk)

    judge(talk, words, place.whole)


async def test_a_platform_that_is_away_for_a_moment(place: Place, tmp_path: Path) -> None:
    when, cutter = chance(), Cutter(port(place.url), iter(()))
    async with cutter, talking(through(cutter, place, tmp_path / "s")) as talk:
        await asyncio.sleep(when.uniform(0, LONG))
        await cutter.away(when.uniform(0, 0.3))
        words = await ended(talk)

    judge(talk, words, place.whole)


async def test_our_process_that_ends(place: Place, tmp_path: Path) -> None:
    left = replace(place.turn(place.url, tmp_path / "s"), leaving=lambda: True)
    async with talking(left) as talk:
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(talk.task), chance().uniform(0, LONG))

    begun = talk.all(Started)
    async with talking(replace(left, again=True, resume=begun[-1].resume if begun else "", leaving=bool)) as again:
        words = await ended(again)

    judge(again, words, place.whole)
