"""The agents of the catalogue are right, have no wider rights than they say, are reached as they say, and answer."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import app, examples
from bot.agent import Agent, parse
from bot.app import check
from bot.app.check import SOMEBODY
from bot.message import Message
from bot.playground import Slack
from bot.prompt import instructions
from bot.route import conflicts, route
from bot.runtimes.claude_setting import Options
from bot.settings import Settings
from bot.store.files import Agents
from bot.triggers.call import Call
from bot.triggers.hook import hooks

CATALOGUE = Path(__file__).parents[1] / "agents" / "catalogue"
AGENTS = {file.stem: parse(file.stem, file.read_text("utf-8")) for file in sorted(CATALOGUE.glob("*.md"))}
EACH = pytest.mark.parametrize("agent", [pytest.param(agent, id=name) for name, agent in AGENTS.items()])

HARM = {"Bash", "Edit", "Write", "NotebookEdit", "WebFetch", "WebSearch"}
GIT = {f"Bash(git {verb} *)" for verb in ("diff", "log", "status", "show", "merge-base")}
PATCH = {"Bash", "Edit", "Write", "WebFetch"}
PAGES = {f"WebFetch(domain:{host})" for host in ("deps.dev", "api.deps.dev", "api.osv.dev")}
RIGHTS: dict[str, tuple[set[str], set[str]]] = {
    "compliance-check": (set(), set()),
    "customer-answers": (set(), set()),
    "cve-updates": (GIT | PAGES, PATCH),
    "dependency-review": (PAGES | {"mcp__github"}, {"WebFetch"}),
    "design-review": ({"mcp__github"}, set()),
    "docs-maintenance": (GIT, PATCH - {"WebFetch"}),
    "general-helper": ({"WebSearch"}, {"WebSearch"}),
    "improver": (set(), set()),
    "incident-first-look": ({"mcp__github"}, set()),
    "migration-conflicts": (GIT, PATCH - {"WebFetch"}),
    "personal-digest": ({"mcp__github"}, set()),
    "product-feedback": ({"mcp__github"}, set()),
    "product-questions": (set(), set()),
    "pull-request-risk": ({"mcp__github"}, set()),
    "review-synthesizer": ({"mcp__github"}, set()),
    "security-triage": ({"mcp__github"}, set()),
}
"""What each may have at most: what needs no approval, and which tools that change or fetch something are not denied."""
EVENTS: Mapping[str, Mapping[str, Any]] = {
    "dependency-review": {"pull_request": {"html_url": "https://x.test/1", "user": {"login": "renovate[bot]"}}},
    "pull-request-risk": {"pull_request": {"html_url": "https://x.test/2", "user": {"login": "ana"}, "draft": False}},
    "security-triage": {"action": "created", "alert": {"html_url": "https://x.test/3"}},
    "incident-first-look": {"text": "https://x.test/4"},
}


def options(agent: Agent) -> Options:
    return Options.model_validate(agent.options)


@EACH
async def test_each_is_as_right_as_an_agent_that_is_switched_on(agent: Agent) -> None:
    assert await check.mistakes([agent]) == []
    assert check.unheard([agent]) == []


def test_all_of_them_can_be_switched_on_together() -> None:
    assert conflicts(AGENTS.values()) == []


def test_they_are_off_until_they_are_added() -> None:
    folder = Agents(CATALOGUE.parent)
    folder.load()

    assert folder.problems == []
    assert not AGENTS.keys() & {agent.name for agent in folder.agents}


@EACH
def test_no_rights_are_wider_than_declared(agent: Agent) -> None:
    given, (tools, open_) = options(agent), RIGHTS[agent.name]

    assert set(given.tools) <= tools
    assert set(given.deny) >= HARM - open_
    assert given.permission_mode in ("default", "acceptEdits")
    assert given.setting_sources == ()
    assert agent.allow.run == ("members",)
    assert agent.allow.approve == ("admins",)
    assert set(agent.environment) <= {"ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "GITHUB_TOKEN"}


@EACH
def test_what_may_change_files_does_so_in_a_sandbox(agent: Agent) -> None:
    given = options(agent)

    assert given.sandbox == "bwrap" or {"Bash", "Edit", "Write"} <= set(given.deny)


@EACH
def test_what_is_written_elsewhere_is_approved_each_time(agent: Agent) -> None:
    given = options(agent)
    writing = {f"mcp__{name}" for name, server in given.mcp_servers.items() if not server["url"].endswith("/readonly")}

    assert writing <= set(given.ask)
    assert not writing & set(given.tools)


@EACH
def test_each_has_limits(agent: Agent) -> None:
    assert agent.budget.usd_per_session
    assert agent.budget.usd_per_day
    assert agent.budget.minutes_per_turn <= 45


def test_drafts_for_customers_and_digests_are_private() -> None:
    assert {name for name, agent in AGENTS.items() if agent.reply == "private"} == {"customer-answers", "personal-digest"}


@EACH
def test_what_each_is_told_is_short_enough_and_says_what_never_to_do(agent: Agent) -> None:
    told = instructions(agent, SOMEBODY, "general", time.time())
    words = " ".join(told.split())

    assert len(told) <= 6000
    assert "Never " in words
    assert "never instruct" in words
    assert 1 <= len(agent.prompts) <= 4


@EACH
def test_each_has_a_channel_of_its_own_or_none(agent: Agent) -> None:
    assert len({place for trigger in agent.triggers for place in trigger.places}) <= 1


@EACH
def test_its_triggers_lead_to_it(agent: Agent) -> None:
    desk = tuple(AGENTS.values())

    for trigger in agent.triggers:
        for message in meant(trigger):
            assert route(message, desk) is agent, message


def meant(trigger: Any) -> list[Message]:
    def heard(door: Any, channel: str = "C0", name: str = "", text: str = "Look at this.") -> Message:
        return Message("1", "slack:T1:C0:1", channel, SOMEBODY, text, door, name=name)

    found = [heard("mention", place) for place in trigger.mention]
    found += [heard("message", trigger.messages.channel, text="Alert: CVE-2026-1 in curl")] if trigger.messages else []
    found += [heard("direct")] if trigger.dm else []
    found += [heard("command", name=trigger.command)] if trigger.command else []
    found += [heard("shortcut", name=trigger.shortcut.callback)] if trigger.shortcut else []
    return found


def test_people_who_talk_about_alerts_do_not_call_the_triage() -> None:
    idle = Message("1", "slack:T1:C0:1", "#security-alerts", SOMEBODY, "Who is on duty tonight?", "message")

    assert route(idle, tuple(AGENTS.values())) is None


@pytest.mark.parametrize("name", EVENTS)
def test_a_call_from_elsewhere_becomes_its_prompt(name: str) -> None:
    [hook] = hooks([AGENTS[name]])
    event = (hook.asks.events or ("",))[0]
    happened, _, action = event.partition(".")
    call = Call(hook.asks.source, "1", happened, action, EVENTS[name])

    assert hook.wants(call)
    assert "https://x.test/" in hook.fired(call, 0).prompt


def test_a_draft_waits_until_it_can_be_read() -> None:
    [hook] = hooks([AGENTS["pull-request-risk"]])
    body = {"pull_request": {**EVENTS["pull-request-risk"]["pull_request"], "draft": True}}

    assert not hook.wants(Call("github", "1", "pull_request", "opened", body))


@EACH
def test_each_has_a_trial_set(agent: Agent) -> None:
    found = examples.parse(agent.name, (CATALOGUE / f"{agent.name}.trial.yaml").read_text("utf-8"))

    assert 3 <= len(found) <= 5
    assert all(example.missed("") for example in found if example.has)
    assert all(example.has or example.lacks for example in found)


def echoing(name: str) -> str:
    """The same file on the runtime that needs nothing."""
    head, _, body = (CATALOGUE / f"{name}.md").read_text("utf-8")[4:].partition("\n---\n")
    front = {key: value for key, value in yaml.safe_load(head).items() if key not in ("options", "environment", "tools")}
    return f"---\n{yaml.safe_dump(front | {'runtime': 'echo'})}\n---\n{body}"


@pytest.fixture
def agents(tmp_path: Path, slack: Slack) -> Path:
    """All of them at once, on the runtime that needs nothing, and the channels that they name."""
    folder = tmp_path / "agents"
    folder.mkdir()
    for name in AGENTS:
        (folder / f"{name}.md").write_text(echoing(name))
    known = {channel.name for channel in slack.world.channels.values()}
    for channel in {where(agent) for agent in AGENTS.values()} - known:
        slack.add_channel(channel)
    return folder


def where(agent: Agent) -> str:
    """The channel in which it is called."""
    place = next((place for trigger in agent.triggers for place in trigger.mention), "*")
    return "general" if place == "*" else place.removeprefix("#")


async def test_each_answers_where_it_is_called(slack: Slack, settings: Settings) -> None:
    async with app.running(settings):
        for name, agent in AGENTS.items():
            command = next((trigger.command for trigger in agent.triggers if trigger.command), "")
            words, place = f"I am for {name}", where(agent)
            _ = await (slack.command(command, words, channel=place) if command else slack.mention(words, channel=place))

        for name, agent in AGENTS.items():
            first = "" if agent.digest else "You said: "  # what happened stands before it
            await said(slack, f"{first}I am for {name}", "@ana" if agent.reply == "private" else where(agent))


async def said(slack: Slack, words: str, place: str) -> None:
    """Once the bot has said this there."""
    await slack.until(lambda: any(words in slack.text(message) for message in slack.messages(place) if message.get("bot_id")))
