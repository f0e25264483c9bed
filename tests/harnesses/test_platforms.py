"""Agents that live elsewhere: the contract on stand-ins, and by real servers where they run on this machine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.event import Step, Usage
from bot.message import Answer
from bot.ports import Turn
from tests.harnesses.test_gateway import KEY, Proxy, serving
from tests.harnesses.test_hermes import gateway
from tests.runtimes.remote import Remote
from tests.runtimes.talk import after, talked
from tests.runtimes.test_http import TestHttp as TestHttp
from tests.runtimes.test_kelos_contract import TestKelos as TestKelos
from tests.runtimes.test_litellm_platform import TestLiteLLMPlatform as TestLiteLLMPlatform
from tests.runtimes.test_managed_agents import TestManagedAgents as TestManagedAgents
from tests.runtimes.test_responses import HARNESS, ask
from tests.runtimes.test_responses import TestChat as TestChat
from tests.runtimes.test_responses import TestResponses as TestResponses
from tests.standins.model import Model

WAYS = [{"api": "responses"}, {"api": "responses", "state": "ours"}, {"api": "chat"}]
NAMES = ["responses", "ours", "chat"]


@pytest.fixture
async def proxy(model: Model, tmp_path: Path) -> AsyncIterator[Proxy]:
    folder = tmp_path / "proxy"
    folder.mkdir()
    async with serving(model, folder) as proxy:
        yield proxy


def through(proxy: Proxy, tmp_path: Path, prompt: str, **options: object) -> Turn:
    return HARNESS.turn(tmp_path / "s", f"{proxy.url}/v1", prompt, options=options, environment={"OPENAI_API_KEY": KEY})


@pytest.mark.parametrize("way", WAYS, ids=NAMES)
async def test_a_conversation_goes_on_through_a_real_litellm(proxy: Proxy, model: Model, tmp_path: Path, way: dict[str, str]) -> None:
    first = await talked(through(proxy, tmp_path, "!think Hm.\n!usage 1000 100\n!say the first thing", **way))
    second = await talked(after(first, "!say the second thing"))

    used = first.all(Usage)
    assert (first.answered, second.answered) == ("the first thing", "the second thing")
    assert (sum(one.input_tokens for one in used), sum(one.output_tokens for one in used)) == (1000, 100)


@pytest.mark.parametrize("way", WAYS[1:], ids=NAMES[1:])
async def test_a_question_is_answered_through_a_real_litellm(proxy: Proxy, tmp_path: Path, way: dict[str, str]) -> None:
    first = await talked(through(proxy, tmp_path, f"{ask('Which colour?', ('Red', 'Blue'))}\n!toolresult", **way))
    question = await first.question()

    second = await talked(after(first, "", answer=Answer(question.id, {question.parts[0].id: ("Blue",)})))

    assert second.answered == "the tools said: Blue"


async def test_hermes_responses_are_heard_with_what_its_tools_do(model: Model, tmp_path: Path) -> None:
    harness = Remote("responses", HARNESS.shell, lambda url: {"OPENAI_API_KEY": "k" * 32}, model="hermes", options={"asks": False})
    async with gateway(model, tmp_path / "elsewhere") as url:
        first = await talked(harness.turn(tmp_path / "s", f"{url}/v1", '!tool terminal {"command": "echo it is 42"}\n!toolresult'))
        second = await talked(after(first, "!say the second thing"))

    assert "it is 42" in first.answered
    assert second.answered == "the second thing"
    assert any("it is 42" in str(asked.body) and "the second thing" in str(asked.body) for asked in model.log)
    assert [step.status for step in first.all(Step)][-1:] == ["completed"]
