"""Each of our harnesses, itself, behind the shim: what runs here runs there too."""

from hashlib import sha256
from pathlib import Path

import pytest

from bot.agent import Agent
from bot.event import Step
from bot.ports import Turn
from bot.runtimes import runtime_of
from bot.runtimes.agentcore import session_of
from bot.shim.server import Shim
from tests.runtimes.contract import Harness
from tests.runtimes.remote import Kept
from tests.runtimes.talk import ANNA, talked
from tests.standins.agentcore import ARN, AgentCoreDataPlane
from tests.standins.model import Model

from . import test_codex, test_hermes, test_opencode, test_pi
from .shimmed import SECRETS, TOKEN

HARNESSES = [test_codex.TestCodex.harness, test_hermes.TestHermes.harness, test_opencode.TestOpenCode.harness, test_pi.TestPi.harness]


@pytest.mark.parametrize("harness", HARNESSES, ids=lambda harness: harness.runtime)
async def test_it_runs_there_as_it_does_here(harness: Harness, model: Model, tmp_path: Path) -> None:
    environment = harness.environment(model.url)
    shim = Shim(TOKEN, tmp_path / "container", runtime_of, environment)
    await shim.start("127.0.0.1", 0)
    try:
        async with AgentCoreDataPlane(f"http://127.0.0.1:{shim.port}") as plane:
            inner = {"runtime": harness.runtime, "options": {**harness.options}, "environment": list(environment)}
            given = {"arn": ARN, "url": plane.url, "private": True, "harness": inner}
            agent = Agent(name="coder", version="1", description="Codes.", runtime="agentcore", model=harness.model, options=given)
            script = f"{harness.shell('echo it is 42')}\n!toolresult"
            turn = Turn("s1", 1, agent, script, folder=tmp_path, person=ANNA, environment=SECRETS, keep=Kept())
            there = tmp_path / "container" / sha256(session_of(turn).encode()).hexdigest()[:32]
            there.mkdir(parents=True)
            harness.prepare(there, model.url)
            talk = await talked(turn)
    finally:
        await shim.close()

    assert talk.finished.state == "completed"
    assert "it is 42" in talk.answered
    assert [step.status for step in {step.call_id: step for step in talk.all(Step)}.values()] == ["completed"]
