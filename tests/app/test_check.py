"""Mistakes that only show when a runtime is loaded are told by `check`, and in the log of a bot that runs."""

from pathlib import Path

import pytest

from bot import app
from bot.agent import Agent, parse
from bot.app import check
from bot.playground import Slack
from bot.settings import Settings


def agent(front: str, body: str = "Help.") -> Agent:
    return parse("helper", f"---\ndescription: Helps.\n{front}\n---\n{body}\n")


async def test_a_runtime_that_there_is_not_and_a_word_that_there_is_not() -> None:
    found = await check.mistakes([agent("runtime: ecko", "Help {{ user }}.")])

    assert found[0].startswith("agents/helper.md: runtime: there is no 'ecko'")
    assert found[1].startswith("agents/helper.md: 'user' is undefined; a template may use ")


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ("{sandbox: bwrap, network: false}", "network: false takes the network from claude_code too, which reaches its model over it"),
        ("{network: false}", "network: false holds only in a sandbox; write sandbox: bwrap too"),
        ("{sandbox: yes}", "sandbox: write bwrap, which is bubblewrap, or none (it is True)"),
    ],
)
async def test_a_sandbox_that_cannot_be_meant_is_told_in_words(options: str, wrong: str) -> None:
    [said] = await check.mistakes([agent(f"runtime: claude_code\noptions: {options}")])

    assert said.startswith(f"agents/helper.md: options.{wrong}")


def test_an_agent_that_nobody_may_allow_anything_is_hinted_at() -> None:
    three = agent("runtime: acp\noptions: {command: [newthing]}")

    [hint] = check.unheard([three, agent("runtime: acp\nallow: {approve: [members]}"), agent("runtime: echo")])
    [stood_in] = check.unheard([agent("runtime: echo\nfallback: [pi]")])

    assert hint.startswith("agents/helper.md: whatever it asks leave for can only be denied; name who may allow it")
    assert stood_in == hint


async def test_a_runtime_whose_module_breaks_is_a_mistake_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_runtime.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)

    found = await check.mistakes([agent("runtime: broken_runtime:Mine"), agent("runtime: ecko")])

    assert found[0] == (
        "agents/helper.md: the runtime 'broken_runtime:Mine' broke as it was loaded (ZeroDivisionError: division by zero); mend its module"
    )
    assert len(found) == 2


async def test_a_bot_that_runs_logs_them_once_and_goes_on(
    slack: Slack, settings: Settings, agents: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def logged() -> list[str]:
        return [record.getMessage() for record in caplog.records if getattr(record, "action", "") == "agent_problem"]

    async with app.running(settings):
        (agents / "reviewer.md").write_text("---\ndescription: Reviews.\nruntime: echo\noptions: {sloow: 1}\n---\nReview.\n")
        await slack.until(logged)
        (agents / "helper.md").write_text("---\ndescription: Helps anew.\nruntime: ecko\n---\nHelp.\n")
        await slack.until(lambda: len(logged()) > 1)

    assert logged()[0] == "agents/reviewer.md: options.sloow: unknown key; did you mean 'slow'?"
    assert logged()[1].startswith("agents/helper.md: runtime: there is no 'ecko'")
    assert len(logged()) == 2


async def test_tools_that_a_runtime_cannot_take_are_told() -> None:
    found = await check.mistakes([agent("runtime: a2a\ntools: true\noptions: {url: 'https://agents.example'}")])

    assert found == ["agents/helper.md: tools: true gives nothing to a2a: no tool of ours gets there; remove it"]
