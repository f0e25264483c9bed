"""A folder of agents' files while people edit it: nothing that worked stops working because a file broke."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.store.files import Agents


def write(folder: Path, name: str, front: str = "runtime: echo", body: str = "Help.") -> Path:
    path = folder / f"{name}.md"
    path.write_text(f"---\ndescription: Helps.\n{front}\n---\n{body}\n")
    return path


def names(agents: Agents) -> list[str]:
    return [agent.name for agent in agents.agents]


@pytest.fixture
def agents(tmp_path: Path) -> Agents:
    return Agents(tmp_path, look=0.2)


def test_each_file_is_an_agent_but_the_readme_and_drafts(agents: Agents, tmp_path: Path) -> None:
    write(tmp_path, "helper")
    write(tmp_path, "coder")
    write(tmp_path, "_draft", "nonsense: 1")
    (tmp_path / "README.md").write_text("How to write an agent.")
    (tmp_path / "notes.txt").write_text("Not one.")

    agents.load()

    assert names(agents) == ["coder", "helper"]
    assert agents.problems == []


def test_a_missing_folder_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Agents(tmp_path / "gone").load()

    assert str(caught.value) == (f"AGENTS_DIR: there is no folder {tmp_path / 'gone'}; make it, or name the one that has the agents' files")


def test_an_empty_folder_says_what_to_put_into_it(agents: Agents, tmp_path: Path) -> None:
    agents.load()

    assert agents.problems == [f"{tmp_path} has no agent yet; put a file into it, like {tmp_path / 'helper.md'}"]


def test_a_broken_file_does_not_hide_the_others(agents: Agents, tmp_path: Path) -> None:
    write(tmp_path, "helper")
    write(tmp_path, "coder", "runtme: echo")

    agents.load()

    assert names(agents) == ["helper"]
    assert agents.problems == [
        "agents/coder.md: runtime: is missing",
        "agents/coder.md: runtme: unknown key; did you mean 'runtime'?",
    ]


def test_a_file_that_breaks_keeps_its_last_good_version(
    agents: Agents, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    write(tmp_path, "helper", body="The first.")
    agents.load()

    write(tmp_path, "helper", "runtime: echo\nreply: loud")
    with caplog.at_level(logging.WARNING):
        agents.load()
        agents.load()

    sentence = "agents/helper.md: reply: has to be 'thread' or 'private' (it is 'loud'); "
    assert agents.problems == [sentence + "until that is right, its last good version goes on"]
    assert [agent.instructions for agent in agents.agents] == ["The first."]
    assert len(caplog.records) == 1


def test_a_file_that_is_put_right_is_read_anew(agents: Agents, tmp_path: Path) -> None:
    write(tmp_path, "helper", "reply: loud")
    agents.load()

    write(tmp_path, "helper", body="The second.")
    agents.load()

    assert [agent.instructions for agent in agents.agents] == ["The second."]
    assert agents.problems == []


def test_a_file_that_is_removed_is_gone_even_if_it_was_broken(agents: Agents, tmp_path: Path) -> None:
    write(tmp_path, "coder")
    path = write(tmp_path, "helper")
    agents.load()
    path.write_text("broken")
    agents.load()

    path.unlink()
    agents.load()

    assert names(agents) == ["coder"]
    assert agents.problems == []


def test_whoever_claimed_a_place_first_keeps_it(agents: Agents, tmp_path: Path) -> None:
    claim = "runtime: echo\ntriggers: [{command: /go}]"
    write(tmp_path, "zoe", claim)
    agents.load()

    write(tmp_path, "adam", claim)
    agents.load()

    assert names(agents) == ["zoe", "adam"]
    assert agents.problems == ["agents/zoe.md and agents/adam.md both claim the command /go; remove it from one of them"]


def test_what_cannot_be_read_is_a_problem_and_no_crash(agents: Agents, tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "latin.md").write_bytes("---\ndescription: Für alle.\nruntime: echo\n---\n".encode("latin-1"))
    (tmp_path / "lost.md").symlink_to(tmp_path / "nowhere")
    write(tmp_path, "dated", "runtime: echo\nbudget: 2025-13-45")

    agents.load()

    assert agents.agents == ()
    assert agents.problems == [
        "agents/dated.md: the front matter is no YAML: month must be in 1..12",
        "agents/folder.md: this is a folder; an agent is one file, and what is not an agent's ends otherwise than in .md",
        "agents/latin.md: this is not UTF-8; save it as UTF-8",
        "agents/lost.md: it cannot be read (No such file or directory); give this user the right to, or remove it",
    ]


@asynccontextmanager
async def watched(agents: Agents) -> AsyncIterator["asyncio.Queue[list[str]]"]:
    """While it lasts the folder is watched; each change puts the names of the agents there are."""
    agents.load()
    changes: asyncio.Queue[list[str]] = asyncio.Queue()

    async def changed() -> None:
        await changes.put(names(agents))

    task = asyncio.create_task(agents.watch(changed))
    try:
        yield changes
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(changes: "asyncio.Queue[list[str]]", wanted: list[str]) -> None:
    async with asyncio.timeout(20):
        while await changes.get() != wanted:
            pass


async def test_a_new_file_is_an_agent_at_once_and_a_removed_one_is_none(agents: Agents, tmp_path: Path) -> None:
    write(tmp_path, "helper")

    async with watched(agents) as changes:
        path = write(tmp_path, "coder")
        await until(changes, ["helper", "coder"])

        path.unlink()
        await until(changes, ["helper"])


async def test_the_agents_go_on_when_the_whole_folder_is_moved_away(agents: Agents, tmp_path: Path) -> None:
    folder = tmp_path / "agents"
    folder.mkdir()
    write(folder, "helper")
    agents = Agents(folder, look=0.2)

    async with watched(agents) as changes:
        folder.rename(tmp_path / "elsewhere")
        await until(changes, ["helper"])

    assert agents.problems == [
        f"AGENTS_DIR: there is no folder {folder}; make it, or name the one that has the agents' files; until then its last agents go on"
    ]


@pytest.mark.parametrize("name", ["coder.md.txt", "coder.MD", "coder.markdown", "coder.md.docx"])
def test_a_file_that_editors_named_otherwise_is_told_with_its_right_name(agents: Agents, tmp_path: Path, name: str) -> None:
    write(tmp_path, "helper")
    write(tmp_path, "coder").rename(tmp_path / name)
    (tmp_path / "README.md.txt").write_text("How to write an agent.")
    (tmp_path / "_coder.md.txt").write_text("A draft.")
    (tmp_path / "helper.md.bak").write_text("An editor's.")

    agents.load()

    assert names(agents) == ["helper"]
    assert agents.problems == [f"agents/{name}: an agent's file ends in .md; name it coder.md, or put _ before its name if it is none"]


def test_a_file_that_cannot_be_meant_is_not_read(agents: Agents, tmp_path: Path) -> None:
    write(tmp_path, "helper")
    agents.load()
    for name in ("coder", "helper"):
        write(tmp_path, name, body="Help. " * 500_000)

    agents.load()

    said = "this is 2 MB large, and an agent's file at most 1 MB; take out what need not be told each time"
    assert agents.agents[0].instructions.strip() == "Help."
    assert agents.problems == [
        f"agents/coder.md: {said}",
        f"agents/helper.md: {said}; until that is right, its last good version goes on",
    ]


def test_what_is_no_file_is_not_waited_for(agents: Agents, tmp_path: Path) -> None:
    write(tmp_path, "coder")
    os.mkfifo(tmp_path / "pipe.md")

    agents.load()

    assert names(agents) == ["coder"]
    assert agents.problems == ["agents/pipe.md: this is no file, but a pipe, a socket or a device; remove it"]
