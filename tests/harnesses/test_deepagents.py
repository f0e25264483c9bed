"""A graph of DeepAgents on a real LangGraph server, against the contract, and what the contract does not hold."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.agent import Agent
from bot.errors import Unavailable
from bot.event import Question, Step, Text
from bot.message import Answer
from bot.ports import Turn
from bot.runtimes.child import Child
from bot.runtimes.deepagents_setting import Options, Setting
from bot.runtimes.loopback import Loopback, free
from tests.runtimes.contract import Contract, Harness, family, left
from tests.runtimes.hardship import Hardship
from tests.runtimes.talk import ANNA, after, talked, talking
from tests.standins.model import Model

from . import harness

GRAPH = Path(__file__).parents[1] / "standins" / "deepagent.py"
PLAN = {"todos": [{"content": "Look", "status": "in_progress"}, {"content": "Mend", "status": "pending"}]}


def shell(command: str) -> str:
    return f"!tool execute {json.dumps({'command': command})}"


def ask(text: str, options: tuple[str, ...]) -> str:
    return f"!tool ask {json.dumps({'question': text, 'options': options})}"


def environment(url: str) -> dict[str, str]:
    return {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "sk-test"}


DEEPAGENTS = Harness(
    "deepagents", shell=shell, environment=environment, ask=ask, plan=f"!tool write_todos {json.dumps(PLAN)}", parks=True,
    options={"path": harness("langgraph"), "graph": f"{GRAPH}:graph"}, asks={"graph": f"{GRAPH}:asking"},
    cannot={
        "steer": "a run takes no words; what is said meanwhile waits for the next turn",
        "cost": "LangGraph counts tokens, and does not know what they cost",
    },
)  # fmt: skip


class TestDeepAgents(Hardship):
    name = "deepagents"
    harness = DEEPAGENTS

    def _binary(self) -> str:
        return harness("langgraph")

    @Contract._of("stop")
    async def test_nobody_else_is_served(self, model: Model, folder: Path) -> None:
        async with talking(self.harness.turn(folder, model.url, f"{shell('sleep 300')}\n!say never")) as talk:
            await talk.until(lambda: talk.all(Step))
            [words] = [process.cmdline() for process in family(folder) if "--port" in process.cmdline()]
            url = f"http://127.0.0.1:{words[words.index('--port') + 1]}"
            async with httpx.AsyncClient(trust_env=False) as stranger:
                answer = await stranger.post(f"{url}/threads/search", json={})

        assert answer.status_code == httpx.codes.UNAUTHORIZED

    @Contract._of("steps")
    async def test_a_sub_agents_steps_stand_under_its_own(self, model: Model, folder: Path) -> None:
        task = {"description": f"{shell('echo from within')}\n!say I am within", "subagent_type": "general-purpose"}

        talk = await talked(self.harness.turn(folder, model.url, f"!tool task {json.dumps(task)}\n!say all done"))

        agent, command = talk.steps.values()
        assert (agent.kind, agent.status, command.parent, command.status) == ("agent", "completed", agent.call_id, "completed")
        assert talk.answered.strip() == "all done"

    @Contract._of("error")
    async def test_a_graph_that_cannot_be_loaded_is_told_before_anything_has_begun(
        self, model: Model, folder: Path, tmp_path: Path
    ) -> None:
        broken = tmp_path / "broken.py"
        broken.write_text("import nothing_like_it\ngraph = None\n")

        with pytest.raises(Unavailable, match="nothing_like_it"):
            await talked(self.harness.turn(folder, model.url, "!say never", options={"graph": f"{broken}:graph"}))

        assert not await left(folder)

    @Contract._of("question")
    async def test_several_questions_at_once_are_asked_one_after_the_other(self, model: Model, folder: Path) -> None:
        script = f"{ask('Which colour?', ('Red', 'Blue'))}\n{ask('Which shape?', ('Round', 'Square'))}\n!toolresult"
        first = await talked(self.harness.turn(folder, model.url, script))
        [colour] = first.all(Question)

        second = await talked(after(first, "Blue", answer=Answer(colour.id, {"answer": ("Blue",)})))
        [shape] = second.all(Question)
        third = await talked(after(second, "Round", answer=Answer(shape.id, {"answer": ("Round",)})))

        assert {colour.parts[0].text, shape.parts[0].text} == {"Which colour?", "Which shape?"}
        assert "Blue" in third.answered
        assert "Round" in third.answered

    @Contract._of("question")
    async def test_what_is_said_instead_of_an_answer_is_the_answer(self, model: Model, folder: Path) -> None:
        first = await talked(self.harness.turn(folder, model.url, f"{ask('Which colour?', ('Red', 'Blue'))}\n!toolresult"))

        second = await talked(after(first, "ask my sister"))

        assert "ask my sister" in second.answered


def remote(folder: Path, url: str, prompt: str, **more: Any) -> Turn:
    given = {
        "name": "coder",
        "version": "1",
        "description": "Codes.",
        "runtime": "langgraph",
        "options": {"url": url, "private": True, "key": "KEY"},
    }
    return Turn("s1", 1, Agent.model_validate(given), prompt, folder=folder, person=ANNA, environment={"KEY": "k"}, **more)


async def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        await talked(remote(tmp_path, "http://127.0.0.1:9", "hello"))


async def test_on_a_server_of_others_the_work_outlives_us_and_is_told_whole(model: Model, tmp_path: Path) -> None:
    local = DEEPAGENTS.turn(tmp_path / "server", model.url, "")
    port = free()
    server = Loopback(Child(Setting(local, Options.model_validate(local.agent.options)).begun(port, "k")), f"http://127.0.0.1:{port}")
    words = "word " * 40
    try:
        await server.start("/ok", 60)
        left = remote(tmp_path, server.url, f"!slow 0.1\n!say {words}end", leaving=lambda: True)
        async with talking(left) as talk:
            await talk.until(lambda: len(talk.all(Text)) > 2)
        again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))
    finally:
        await server.close()

    assert again.answered == f"{words}end"
    assert len(model.log) == 1


async def test_a_question_on_a_server_of_others_is_answered_by_another_process(model: Model, tmp_path: Path) -> None:
    local = DEEPAGENTS.turn(tmp_path / "server", model.url, "")
    port = free()
    server = Loopback(Child(Setting(local, Options.model_validate(local.agent.options)).begun(port, "k")), f"http://127.0.0.1:{port}")
    try:
        await server.start("/ok", 60)
        first = await talked(remote(tmp_path, server.url, f"{ask('Which colour?', ('Red', 'Blue'))}\n!toolresult"))
        [question] = first.all(Question)
        second = await talked(after(first, "Blue", answer=Answer(question.id, {"answer": ("Blue",)})))
    finally:
        await server.close()

    assert "Blue" in second.answered
