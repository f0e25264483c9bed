"""What Claude Code wrote down of a conversation, in a folder in which its agent can write too."""

import os
from pathlib import Path

import pytest
from claude_agent_sdk import project_key_for_directory

from bot.errors import Unavailable
from bot.runtimes.claude_transcript import Transcript, knows

from .test_claude_again import Shelf

LINES = ['{"type": "user", "message": {"content": "Hello"}}', "{}"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the transcript of s1 belongs."""
    return tmp_path / "claude" / "projects" / project_key_for_directory(tmp_path) / "s1.jsonl"


async def restored(tmp_path: Path) -> bool:
    shelf = Shelf()
    await shelf.append("s1", LINES)
    (tmp_path / "claude").mkdir(exist_ok=True)
    return await Transcript(tmp_path / "claude", "s1", tmp_path).restore(shelf)


def linked(place: Path, to: Path) -> Path:
    place.parent.mkdir(parents=True)
    place.symlink_to(to)
    return to


def read(file: Path) -> list[str]:
    return file.read_text().splitlines()


async def test_what_another_replica_has_added_is_written_down(tmp_path: Path, file: Path) -> None:
    assert await restored(tmp_path)
    assert not await restored(tmp_path)
    assert read(file) == LINES
    assert knows(file, "Hello")


async def test_a_link_that_was_left_in_its_place_is_not_written_through(tmp_path: Path, file: Path) -> None:
    outside = linked(file, tmp_path / "outside")

    assert await restored(tmp_path)

    assert not outside.exists()
    assert read(file) == LINES


@pytest.mark.parametrize("up", [0, 1])
async def test_a_link_that_was_left_in_place_of_its_folder_is_not_followed(tmp_path: Path, file: Path, up: int) -> None:
    (outside := linked(file.parents[up], tmp_path / "outside")).mkdir()

    with pytest.raises(Unavailable, match="has become a link; say `new`"):
        await restored(tmp_path)

    assert not list(outside.iterdir())


async def test_a_pipe_that_was_left_in_its_place_is_not_waited_for(tmp_path: Path, file: Path) -> None:
    file.parent.mkdir(parents=True)
    os.mkfifo(file)

    assert not knows(file, "Hello")
    assert await restored(tmp_path)
