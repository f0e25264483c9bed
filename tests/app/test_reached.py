"""Before anybody asks an agent that lives elsewhere, it is known whether it is there and lets us in; and nothing is done there for that."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from bot.agent import parse
from bot.app import ready
from bot.settings import Settings
from tests.standins.a2a_agent import Agent as A2AAgent
from tests.standins.agentcore import ARN, AgentCoreDataPlane
from tests.standins.langgraph_server import LangGraphServer
from tests.standins.litellm_platform import LiteLLMPlatform
from tests.standins.managed_agents import ManagedAgents
from tests.standins.responses_server import ResponsesServer

NOWHERE = "http://127.0.0.1:9"  # nobody listens there


@dataclass(frozen=True)
class Kind:
    """A runtime, what its agent's file says beside the address, and a stand-in; `refused` is what is said of the wrong key."""

    runtime: str
    platform: type[AbstractAsyncContextManager[Any]]
    given: Mapping[str, Any] = field(default_factory=dict)
    named: Mapping[str, Any] = field(default_factory=lambda: {"key": "KEY"})
    model: str = "stand-in"
    refused: str = "(401)"


KINDS = [
    Kind("a2a", A2AAgent, named={"headers": {"Authorization": "Bearer $KEY"}}, refused="does not let us in (HTTP 401)"),
    Kind("langgraph", LangGraphServer),
    Kind("managed_agents", ManagedAgents),
    Kind("responses", ResponsesServer),
    Kind("litellm_platform", LiteLLMPlatform, {"agent": "agent_1", "on": "opencode"}),
    Kind("agentcore", AgentCoreDataPlane, {"arn": ARN, "speaks": "plain"}, refused="does not let us in"),
]
EACH = pytest.mark.parametrize("kind", KINDS, ids=[kind.runtime for kind in KINDS])


async def told(kind: Kind, url: str, *, key: str = "sk-test", **front: Any) -> tuple[bool, str]:
    """What is found of an agent whose file says this."""
    head = {"description": "Codes.", "runtime": kind.runtime, "model": kind.model, "environment": ["KEY"], **front}
    head["options"] = {"url": url, "private": True, **kind.given, **kind.named}
    agent = parse("coder", f"---\n{yaml.safe_dump(head)}---\nCode.\n")
    [found] = await ready.examined(Settings(environment={"KEY": key} if key else {}), [agent])
    return found.ok, found.words


def platform(kind: Kind) -> Any:
    """The stand-in, to which sk-test is the key."""
    if kind.platform is AgentCoreDataPlane:
        return AgentCoreDataPlane(NOWHERE, bearer="sk-test")
    return A2AAgent(token="sk-test") if kind.platform is A2AAgent else kind.platform(key="sk-test")  # type: ignore[call-arg]


@EACH
async def test_nobody_is_there(kind: Kind) -> None:
    ok, said = await told(kind, NOWHERE)

    assert not ok
    assert "does not answer" in said or "cannot be reached" in said
    assert "options.url" in said
    assert "agents/coder.md" in said


@EACH
async def test_the_key_is_not_there(kind: Kind) -> None:
    ok, said = await told(kind, NOWHERE, key="")

    assert not ok
    assert said.startswith("agents/coder.md: options.")
    assert "KEY: name it under `environment:`, and set it where frontdesk runs" in said


@EACH
async def test_the_key_is_wrong(kind: Kind) -> None:
    async with platform(kind) as site:
        ok, said = await told(kind, site.url, key="sk-wrong-one")

    assert not ok
    assert kind.refused in said
    assert "sk-wrong-one" not in said


@EACH
async def test_all_is_well_and_nothing_is_begun_there(kind: Kind) -> None:
    async with platform(kind) as site:
        ok, said = await told(kind, site.url)

    begun = [getattr(site, name, None) for name in ("letters", "sessions", "runs", "answers", "asked", "made", "threads")]
    assert (ok, said.partition(";")[0]) == (True, f"{kind.runtime} is ready")
    assert not any(any(each.values()) if isinstance(each, dict) else each for each in begun)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.runtime in ("managed_agents", "responses")], ids=lambda kind: kind.runtime)
async def test_nothing_says_which_model(kind: Kind) -> None:
    ok, said = await told(kind, NOWHERE, model="")

    assert not ok
    assert said.startswith("agents/coder.md: say which ")
    assert "`model:`" in said


async def test_a_graph_that_is_not_served_there() -> None:
    async with LangGraphServer() as site:
        ok, said = await told(Kind("langgraph", LangGraphServer, {"assistant": "agnet"}), site.url)

    assert (ok, said) == (False, f"{site.url} serves no graph 'agnet'; look at options.url and options.key in agents/coder.md, "
                          "and at what that server serves.")  # fmt: skip


async def test_a_card_whose_agent_is_elsewhere_and_not_there() -> None:
    """It is read, but what it names answers nobody: the usual card behind a proxy."""
    async with A2AAgent() as site:
        ok, said = await told(Kind("a2a", A2AAgent, {"endpoint": NOWHERE}, {}), site.url)

    assert not ok
    assert "cannot be reached" in said


class Hanging:
    """A runtime that cannot even be looked at."""

    async def reach(self, agent: object, environment: object) -> None:
        await asyncio.Event().wait()


async def test_one_that_never_answers_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "LONGEST", 0.01)
    agents = [
        parse(name, f"---\ndescription: Codes.\nruntime: {runtime}\n---\nCode.\n")
        for name, runtime in (("slow", f"{__name__}:Hanging"), ("quick", "echo"))
    ]

    slow, quick = await ready.examined(Settings(), agents)

    assert (slow.ok, slow.words) == (False, f"{__name__}:Hanging cannot be looked at within 0.01 seconds")
    assert slow.remedy == "look whether it hangs, or correct agents/slow.md, or what it names"
    assert (quick.name, quick.ok) == ("agent quick", True)


async def test_an_option_that_yaml_takes_for_a_truth_is_what_it_was_meant_to_be() -> None:
    plain = parse("coder", "---\ndescription: Codes.\nruntime: litellm_platform\noptions: {url: 'https://a.example', on: opencode}\n---\n")

    assert plain.options["on"] == "opencode"
