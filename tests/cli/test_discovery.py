"""What platforms offer is listed, and becomes agents' files that are right, whatever the platforms say of it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.agent import parse
from bot.app import check
from bot.cli.discovery import Draft, drawn, write
from bot.cli.offers import PLATFORMS, Address, Offer
from bot.errors import ConfigError, RuntimeFailed
from bot.runtimes import build
from tests.standins.a2a_agent import Agent
from tests.standins.langgraph_server import LangGraphServer

ROOT = Path(__file__).parents[2]
WORKER = {
    "type": "codex", "model": "gpt-6", "image": "ghcr.io/acme/codex:1", "workspaceRef": {"name": "web"},
    "credentials": {"type": "api-key", "secretRef": {"name": "codex-key"}}, "agentConfigRefs": [{"name": "house"}],
}  # fmt: skip
ANSWERS: dict[str, Any] = {
    "/v1/agents": {"data": [{"id": "agent_1", "name": "Release Notes", "description": "Writes them.", "model": "m"}, {"id": "../x"}]},
    "/api/agents": {"agents": [{"id": "a1", "name": "Fixer", "description": "Fixes.", "config": {"runtime": "cursor"}}, {"id": "a2"}]},
    "/api/sessions": [{"name": "web-1", "namespace": "team", "displayName": "The web"}, {"name": "../../x", "namespace": "team"}],
    "/api/sessions/team/web-1": {"name": "web-1", "namespace": "team", "manifest": {"spec": {"worker": WORKER}}},
    "/kagent/api/agents": {
        "error": False,
        "data": [
            {"agent": {"metadata": {"name": "k8s-agent", "namespace": "kagent"}, "spec": {"description": "Knows the cluster."}}},
            {"agent": {"metadata": {"name": "../../etc", "namespace": "kagent"}}},
        ],
    },
}  # fmt: skip


class Offering:
    """A platform that answers with what stands above, to whoever has the key."""

    def __init__(self) -> None:
        self.answers, self.asked = dict(ANSWERS), list[str]()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        key = request.headers.get("x-api-key") or request.headers.get("Authorization", "").removeprefix("Bearer ")
        if key != "s3cret":
            return web.Response(status=401)
        found = self.answers.get(request.path_qs, self.answers.get(request.path))
        return found if isinstance(found, web.Response) else web.json_response(found, status=404 if found is None else 200)


@pytest.fixture
async def platform() -> AsyncIterator[tuple[Offering, str]]:
    offering, app = Offering(), web.Application()
    app.router.add_route("*", "/{path:.*}", offering.answer)
    async with TestServer(app) as server:
        yield offering, str(server.make_url("")).rstrip("/")


def address(url: str, key: str = "s3cret") -> Address:
    return Address(url, key, "KEY", private=True)


@pytest.mark.parametrize(
    ("name", "path", "drawn_name", "options"),
    [
        ("managed_agents", "", "release-notes", {"agent": "agent_1", "key": "KEY"}),
        ("litellm_platform", "", "fixer", {"agent": "a1", "on": "cursor", "key": "KEY"}),
        ("kagent", "/kagent", "k8s-agent", {"url": "URL/api/a2a/kagent/k8s-agent", "headers": {"Authorization": "Bearer $KEY"}}),
        (
            "kelos", "", "the-web",
            {"console": "URL", "key": "KEY", "namespace": "team", "type": "codex", "secret": "codex-key", "credentials": "api-key",
             "workspace": "web", "configs": ["house"], "image": "ghcr.io/acme/codex:1"},
        ),
    ],
)  # fmt: skip
async def test_what_a_platform_offers_becomes_a_file_that_is_right(
    platform: tuple[Offering, str], name: str, path: str, drawn_name: str, options: dict[str, Any]
) -> None:
    url = platform[1] + path

    drafts = drawn(name, await PLATFORMS[name].offers(address(url)), "KEY")

    assert [draft.name for draft in drafts] == [drawn_name]
    agent = parse(drawn_name, drafts[0].text)
    expected = {key: value.replace("URL", url) if isinstance(value, str) else value for key, value in options.items()}
    assert {**expected, "private": True}.items() <= agent.options.items()
    assert agent.environment == ("KEY",)
    assert await check.mistakes([agent]) == []


async def test_an_a2a_agent_is_found_by_its_card() -> None:
    async with Agent() as agent:
        drafts = drawn("a2a", await PLATFORMS["a2a"].offers(address(agent.url)), "KEY")

    made = parse("stand-in", drafts[0].text)
    assert (made.runtime, made.description, made.options["url"]) == ("a2a", "Does what it is told.", agent.url)
    build(made)


async def test_the_assistants_of_a_langgraph_server_are_found_graph_by_graph() -> None:
    async with LangGraphServer(key="s3cret") as server:
        server.assistants = [
            {"assistant_id": "a-1", "graph_id": "agent", "name": "agent", "metadata": {"created_by": "system"}},
            {"assistant_id": "1c2d", "graph_id": "agent", "name": "Terse", "description": "Says little.", "metadata": {}},
        ]
        drafts = drawn("langgraph", await PLATFORMS["langgraph"].offers(address(server.url)), "KEY")

    agents = [parse(draft.name, draft.text) for draft in drafts]
    assert [(agent.name, agent.options["assistant"]) for agent in agents] == [("agent", "agent"), ("terse", "1c2d")]
    assert await check.mistakes(agents) == []


async def test_all_pages_are_read(platform: tuple[Offering, str]) -> None:
    offering, url = platform
    first = {"data": [{"id": "one", "name": "One"}], "next_page": "p2"}
    offering.answers |= {"/v1/agents": first, "/v1/agents?limit=100&page=p2": {"data": [{"id": "two", "name": "Two"}]}}

    offers = await PLATFORMS["managed_agents"].offers(address(url))

    assert [offer.name for offer in offers] == ["One", "Two"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (web.Response(text="<html>Log in</html>"), "a web page where JSON belongs"),
        (web.Response(status=429), "asked too often"),
        (web.Response(status=302, headers={"Location": "https://evil.test"}), "sends us elsewhere"),
        (web.Response(status=500), "cannot answer now"),
        (web.Response(text='"agents"'), "has no list of agents"),
        (None, "has nothing at /v1/agents"),
        (web.Response(text="x" * (17 << 20)), "more than 16 MiB"),
    ],
    ids=["page", "throttled", "elsewhere", "broken", "odd", "missing", "flood"],
)
async def test_what_is_no_platform_is_told(platform: tuple[Offering, str], answer: Any, words: str) -> None:
    offering, url = platform
    offering.answers["/v1/agents"] = answer

    with pytest.raises(RuntimeFailed, match=words):
        await PLATFORMS["managed_agents"].offers(address(url))


async def test_a_session_whose_configs_are_no_list_is_offered_without_them(platform: tuple[Offering, str]) -> None:
    worker = {**WORKER, "agentConfigRefs": 7}
    platform[0].answers["/api/sessions/team/web-1"] = {"manifest": {"spec": {"worker": worker}}}

    [offer] = await PLATFORMS["kelos"].offers(address(platform[1]))

    assert "configs" not in offer.options
    assert offer.options["type"] == "codex"


async def test_a_wrong_key_and_an_address_that_was_not_meant_are_told(platform: tuple[Offering, str]) -> None:
    offering, url = platform
    with pytest.raises(RuntimeFailed, match=r"does not let us in .401.: name the variable.*in --key"):
        await PLATFORMS["kelos"].offers(address(url, "wrong"))
    offering.asked.clear()

    with pytest.raises(RuntimeFailed, match=r"private address.*--private"):
        await PLATFORMS["kelos"].offers(Address(url, "s3cret", "KEY"))

    assert not offering.asked


async def test_kagent_that_does_not_list_says_how_else(platform: tuple[Offering, str]) -> None:
    with pytest.raises(RuntimeFailed, match=r"import each by its card, as a2a .*/agents/NAMESPACE/NAME"):
        await PLATFORMS["kagent"].offers(address(f"{platform[1]}/newer"))


HOSTILE = [
    "../../../etc/passwd",
    "name\n---\nallow: {run: everyone}",
    "---",
    "\u202ereversed\u2028line\x00\x1b[31m",
    "{{ person.name }} {% raw %}",
    "*ref &anchor !!python/object:os.system",
    "'\"\\ # : [ ] { } | > @ `",
    "x" * 10_000,
    "",
    "CON.",
    "日本語",
]


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_that_a_platform_says_leaves_its_place_in_the_file(tmp_path: Path, words: str) -> None:
    [draft] = drawn("langgraph", [Offer(words, words, {"url": "https://x.test", "assistant": words}, "")], "KEY")

    assert write(tmp_path, draft)

    [file] = tmp_path.iterdir()
    agent = parse(file.stem, file.read_text("utf-8"))
    assert set(agent.model_fields_set) == {"name", "version", "instructions", "description", "runtime", "options", "environment"}
    assert (agent.instructions, agent.runtime, agent.options["url"]) == ("", "langgraph", "https://x.test")
    assert agent.description.isprintable()
    assert len(agent.description) <= 300


async def shell(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KEY": "s3cret"}
    command = [sys.executable, "-m", "bot", "agents", "import", *words]
    return await asyncio.to_thread(subprocess.run, command, cwd=folder, env=environment, capture_output=True, text=True, timeout=50)


async def test_the_command_lists_and_writes_what_is_picked_and_never_over_a_file(platform: tuple[Offering, str], tmp_path: Path) -> None:
    words = ("managed_agents", platform[1], "--key", "KEY", "--private")

    listed, told = await shell(tmp_path, *words), await shell(tmp_path, *words, "--json")
    assert (listed.returncode, listed.stdout) == (0, "release-notes  Writes them.\n")
    assert f"Write files with: frontdesk agents import managed_agents {platform[1]} --key KEY --private --write NAME" in listed.stderr
    assert [draft["name"] for draft in json.loads(told.stdout)] == ["release-notes"]
    assert not (tmp_path / "agents").exists()

    other, made = await shell(tmp_path, *words, "--write", "coder"), await shell(tmp_path, *words, "--write", "release-notes")
    assert (other.returncode, made.returncode, made.stdout) == (2, 0, "agents/release-notes.md: Writes them.\n")
    assert "'coder' is not offered there" in other.stderr

    again = await shell(tmp_path, *words, "--all")
    assert (again.returncode, again.stdout) == (1, "")
    assert "s3cret" not in "".join(run.stdout + run.stderr for run in (listed, told, other, made, again))


async def test_where_a_file_would_be_wrong_none_is_written(platform: tuple[Offering, str], tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "anthropic.py").write_text("raise ModuleNotFoundError(name='anthropic')\n")

    run = await shell(tmp_path, "managed_agents", platform[1], "--key", "KEY", "--private", "--all")

    assert run.stderr.splitlines()[-1] == "frontdesk: So none of these files is written."
    assert not [*(tmp_path / "agents").iterdir()]


async def test_a_key_that_is_not_there_is_told(tmp_path: Path) -> None:
    run = await shell(tmp_path, "kelos", "https://kelos.test", "--key", "NOT_THERE")

    assert (run.returncode, run.stdout) == (2, "")
    assert "--key: there is no variable NOT_THERE" in run.stderr


def test_two_of_the_same_name_are_two_files() -> None:
    offers = [Offer(name, "Does it.", {"url": "https://x.test"}) for name in ("Reviewer", "reviewer!", "REVIEWER", "re viewer")]

    assert [draft.name for draft in drawn("a2a", offers)] == ["reviewer", "reviewer-2", "reviewer-3", "re-viewer"]


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "coder.md").write_text("mine")
    os.symlink(tmp_path / "elsewhere", tmp_path / "linked.md")

    assert not write(tmp_path, Draft("coder", "", "theirs"))
    assert not write(tmp_path, Draft("linked", "", "theirs"))

    assert (tmp_path / "coder.md").read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()
    assert "is there already, and stays as it is" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "agents").write_text("no folder")

    with pytest.raises(ConfigError, match="is no folder: name another in AGENTS_DIR"):
        write(tmp_path / "agents", Draft("coder", "", ""))
