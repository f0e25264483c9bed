"""Mistakes that only show when a runtime is loaded are told by `check`, and in the log of a bot that runs."""

from pathlib import Path

import pytest

from bot import app
from bot.agent import Agent, parse, remains
from bot.app import check
from bot.playground import Slack
from bot.settings import Settings
from bot.store.files import Agents


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


async def test_all_that_is_wrong_with_a_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "helper.md").write_text(
        "---\nruntime: pi\nmodle: m\noptions: {aks: [bash]}\nfallback: [{runtime: codex, options: {aproval: x}}, echo]\n---\n{{ user }}\n"
    )
    folder = Agents(tmp_path)

    folder.load()
    found = [*folder.problems, *await check.mistakes(folder.remains)]

    assert not folder.agents
    assert [line.partition("; ")[0] for line in found] == [
        "agents/helper.md: description: is missing",
        "agents/helper.md: modle: unknown key",
        "agents/helper.md: options.aks: unknown key",
        "agents/helper.md: fallback (codex): options.aproval: unknown key",
        "agents/helper.md: 'user' is undefined",
    ]


@pytest.mark.parametrize("head", ["runtime: [echo]", "description: Helps.", "- runtime", "runtime: {", "True: x"])
def test_of_a_file_that_names_no_runtime_nothing_is_left(head: str) -> None:
    assert remains("helper", f"---\n{head}\n---\nHelp.\n") is None


def test_a_model_that_what_stands_in_does_not_get_is_hinted_at() -> None:
    allow = "\nallow: {approve: [members]}"
    hints = check.hints([
        agent("runtime: claude_code\nmodel: claude-sonnet-5\nfallback: [codex, echo, {runtime: pi, model: gpt-5.5}]" + allow),
        agent("runtime: claude_code\nfallback: [codex]" + allow),
    ])  # fmt: skip

    assert hints == [
        "agents/helper.md: `model: claude-sonnet-5` does not hold on codex, which takes its own; to name one, write: "
        "fallback: [{runtime: codex, model: …}]"
    ]


@pytest.mark.parametrize(
    ("runtime", "usual"), [("pi", "{ask: [bash, edit, write]}"), ("codex", "{approvals: on-request}"), ("hermes", "{sandbox: none}")]
)
async def test_what_is_to_hold_on_what_stands_in_is_said_as_it_can_be_written(runtime: str, usual: str) -> None:
    said = await check.mistakes(
        [agent(f"runtime: claude_code\noptions: {{ask: [Bash]}}\nfallback: [{{runtime: {runtime}, options: {{}}}}]")]
    )

    mended = await check.mistakes(
        [agent(f"runtime: claude_code\noptions: {{ask: [Bash]}}\nfallback: [{{runtime: {runtime}, options: {usual}}}]")]
    )

    assert said[0].endswith(f"; write what does under `fallback`, as it does by itself: {{runtime: {runtime}, options: {usual}}}")
    assert not mended


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


@pytest.mark.parametrize(
    ("runtime", "options"), [("a2a", "{url: 'https://agents.example'}"), ("hermes", "{url: 'https://hermes.example', key: KEY}")]
)
async def test_tools_that_a_runtime_cannot_take_are_told(runtime: str, options: str) -> None:
    found = await check.mistakes([agent(f"runtime: {runtime}\ntools: true\noptions: {options}")])

    assert found == [f"agents/helper.md: tools: true gives nothing to {runtime}: no tool of ours gets there; remove it"]


def test_a_webhook_whose_secret_is_not_set_here_is_hinted_at() -> None:
    hook = "webhook: {source: github, secret: $HOOK, post_to: '#random', prompt: Look}"
    helper = agent(f"runtime: echo\ntriggers: [{hook}]")

    [hint] = check.secretless([helper], {"OTHER": "x"})

    assert hint.startswith("agents/helper.md: its github webhook refuses all calls where $HOOK is not set, as here; set it to what")
    assert check.secretless([helper], {"HOOK": "x"}) == []


def test_tickets_whose_token_is_not_set_here_are_hinted_at() -> None:
    improver = agent("runtime: echo\ntickets: {github: acme/agents, token: GITHUB_TOKEN}")

    [hint] = check.secretless([improver], {"OTHER": "x"})

    assert hint == "agents/helper.md: no ticket can be filed where $GITHUB_TOKEN is not set, as here; set it"
    assert check.secretless([improver], {"GITHUB_TOKEN": "x"}) == []
