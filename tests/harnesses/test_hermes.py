"""Hermes itself, against the contract, and what the contract does not hold."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Unavailable
from bot.event import ALLOW, Text
from bot.message import Answer
from bot.ports import Turn
from bot.runtimes.child import Child
from bot.runtimes.hermes_setting import Options, Setting
from bot.runtimes.loopback import Loopback, free
from tests.runtimes.contract import Harness
from tests.runtimes.hardship import Hardship
from tests.runtimes.talk import after, talked, talking
from tests.runtimes.test_langgraph import Kept
from tests.standins.model import Model

from . import harness

CONFIG = {"model": {"provider": "custom", "base_url": "${OPENAI_BASE_URL}", "api_key": "${OPENAI_API_KEY}"}}
TODOS = [{"id": "1", "content": "Look", "status": "in_progress"}, {"id": "2", "content": "Mend", "status": "pending"}]
NO_QUESTION = "Hermes' API tells of no question"


def shell(command: str) -> str:
    """Hermes asks only where it sees danger."""
    risk = " && rm -rf nothing-there" if command.startswith("touch") else ""
    return f"!tool terminal {json.dumps({'command': command + risk})}"


def ask(text: str, options: tuple[str, ...]) -> str:
    """Its own question, of which its API tells nobody."""
    return f"!tool clarify {json.dumps({'question': text, 'choices': options})}"


def environment(url: str) -> Mapping[str, str]:
    return {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "sk-test"}


HERMES = Harness(
    "hermes",
    shell=shell,
    environment=environment,
    model="stand-in",
    options={"path": harness("hermes"), "config": CONFIG},
    ask=ask,
    plan=f"!tool todo {json.dumps({'todos': TODOS})}",
    cannot={
        "thoughts": "Hermes' API does not tell them",
        "plan": "Hermes' API does not tell it",
        "question": NO_QUESTION,
        "typed": NO_QUESTION,
        "restart": NO_QUESTION,
        "cost": "Hermes' API counts tokens only",
    },
)


class TestHermes(Hardship):
    name = "hermes"
    harness = HERMES

    def _binary(self) -> str:
        return harness("hermes")


@asynccontextmanager
async def gateway(model: Model, folder: Path) -> AsyncIterator[str]:
    """One that runs elsewhere, whose key is `k` and some more."""
    turn, port = HERMES.turn(folder, model.url, ""), free()
    command = Setting(turn, Options.model_validate(turn.agent.options)).begun(port, "k" * 32)
    server = Loopback(Child(command), f"http://127.0.0.1:{port}")
    try:
        await server.start("/v1/health", 60)
        yield server.url
    finally:
        await server.close()


def made(folder: Path, name: str) -> bool:
    return any(folder.rglob(name))


def remote(folder: Path, url: str, prompt: str, key: str = "k" * 32, **more: Any) -> Turn:
    turn = HERMES.turn(folder, url, prompt, environment={"KEY": key}, keep=Kept(), **more)
    agent = turn.agent.model_copy(update={"options": {"url": url, "key": "KEY", "private": True}})
    return replace(turn, agent=agent)


async def test_on_a_gateway_elsewhere_the_work_outlives_us_and_is_told_whole(model: Model, tmp_path: Path) -> None:
    words = "word " * 40
    async with gateway(model, tmp_path / "elsewhere") as url:
        left = remote(tmp_path / "s", url, f"!slow 0.1\n!say {words}end", leaving=lambda: True)
        async with talking(left) as talk:
            await talk.until(lambda: len(talk.all(Text)) > 2)
        again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert again.answered == f"{words}end"
    assert sum("!slow 0.1" in str(asked.body.get("messages", [])[-1:]) for asked in model.log) == 1


async def test_on_a_gateway_elsewhere_a_conversation_goes_on(model: Model, tmp_path: Path) -> None:
    async with gateway(model, tmp_path / "elsewhere") as url:
        first = await talked(remote(tmp_path / "s", url, "!say the first thing"))
        second = await talked(after(first, "!say the second thing"))

    assert second.answered == "the second thing"
    assert any("the first thing" in str(asked.body) and "the second thing" in str(asked.body) for asked in model.log)


async def test_a_permission_on_a_gateway_elsewhere_is_given_by_another_process(model: Model, tmp_path: Path) -> None:
    async with gateway(model, tmp_path / "elsewhere") as url:
        left = remote(tmp_path / "s", url, f"{shell('touch here.txt')}\n!say went on", leaving=lambda: True)
        async with talking(left) as talk:
            question = await talk.question()
        answer = Answer(question.id, {"decision": (ALLOW,)})
        again = await talked(replace(left, again=True, resume=talk.resume, answer=answer, leaving=bool))

    assert again.answered == "went on"
    assert made(tmp_path, "here.txt")


async def test_a_gateway_elsewhere_that_does_not_take_the_key_is_told(model: Model, tmp_path: Path) -> None:
    async with gateway(model, tmp_path / "elsewhere") as url:
        with pytest.raises(Unavailable, match="does not accept the key"):
            await talked(remote(tmp_path / "s", url, "hello", key="wrong"))


async def test_a_gateway_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        await talked(remote(tmp_path / "s", "http://127.0.0.1:9", "hello"))
