"""A change where git looks after the agents: a branch of the remote and a pull request; the folder itself is not touched."""

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.app.better import client
from bot.app.changes import Pushing, Repository, host
from bot.app.shelf import Folder
from bot.change import Note, Stale
from bot.errors import BotError, ConfigError
from bot.past import Change
from bot.workspaces.files import Workspace
from tests.app.conftest import BETTER, REVIEWER
from tests.standins.pulls import Pulls
from tests.standins.tickets import TOKEN
from tests.workspaces.conftest import Repository as Work

NOTE = Note("p1", "No links", "ana", "carla", "https://example.slack.com/archives/C1/p1")
CHANGE = Change("reviewer", REVIEWER, BETTER, "It now gives links, @everyone: fixes #12.", "improver")
BRANCH = f"frontdesk/reviewer-p1-{CHANGE.mark}"


@dataclass(frozen=True, slots=True)
class Yard:
    """A clone with the agents' folder, in which somebody is at work, and its remote: bare, on disk."""

    work: Work
    bare: Path

    @property
    def agents(self) -> Path:
        return self.work.folder / "desk" / "agents"

    def shelf(self, token: str = "", api: str = "") -> Folder:
        return Folder(self.agents, Repository(self.agents, client, {}, token, api))

    def there(self, *words: str) -> str:
        return self.work.git("-C", str(self.bare), *words)

    @property
    def state(self) -> str:
        """All that somebody at work in the folder would see."""
        return "\n".join(self.work.git(*words) for words in (["status", "--porcelain"], ["branch", "-a", "-v"], ["stash", "list"]))


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    bare = tmp_path / "acme" / "agents.git"
    work = Work(tmp_path / "work")
    work.commit("desk/agents/reviewer.md", REVIEWER)
    work.git("clone", "-q", "--bare", str(work.folder), str(bare))
    work.git("remote", "add", "origin", str(bare))
    work.git("fetch", "-q")
    work.git("branch", "-q", "--set-upstream-to=origin/main")
    (work.folder / "desk" / "notes.txt").write_text("I am at work here.\n")
    return Yard(work, bare)


@pytest.fixture
async def github() -> AsyncIterator[Pulls]:
    async with Pulls() as github:
        yield github


async def test_a_change_is_a_branch_that_says_why_and_the_folder_is_not_touched(yard: Yard) -> None:
    before = yard.state

    said = await yard.shelf().put(CHANGE, NOTE)

    assert said.startswith(f"The branch `{BRANCH}` of acme/agents has it. Merge that into main, and bring the folder here")
    assert yard.there("show", f"{BRANCH}:desk/agents/reviewer.md") == BETTER.strip()
    assert yard.there("diff", "--stat", f"main..{BRANCH}").splitlines()[-1].strip().startswith("1 file changed")
    message = yard.there("log", "-1", "--format=%B", BRANCH)
    assert "Change agents/reviewer.md: No links" in message
    assert "Wanted by ana, written by improver, approved by carla:\nhttps://example.slack.com/archives/C1/p1" in message
    assert "@everyone" not in message
    assert "#12" not in message
    assert (yard.state, (yard.agents / "reviewer.md").read_text()) == (before, REVIEWER)


async def test_at_github_it_is_a_pull_request_once(yard: Yard, github: Pulls, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shelf = yard.shelf(TOKEN, github.url)

    said = [await shelf.put(CHANGE, NOTE), await shelf.put(CHANGE, NOTE)]

    [pull] = github.pulls
    assert (pull["head"], pull["base"], pull["title"]) == (BRANCH, "main", "Change agents/reviewer.md: No links")
    assert "> It now gives links" in pull["body"]
    assert NOTE.link in pull["body"]
    assert all(pull["html_url"] in words for words in said)
    assert TOKEN not in caplog.text + str(pull) + "".join(said)


async def test_a_github_that_is_down_loses_nothing(yard: Yard, github: Pulls) -> None:
    shelf = yard.shelf(TOKEN, github.url)
    await github.down()

    with pytest.raises(BotError, match=r"of acme/agents.* has it, but there is no pull request yet: GitHub does not answer"):
        await shelf.put(CHANGE, NOTE)
    await github.up(int(github.url.rpartition(":")[2]))
    said = await shelf.put(CHANGE, NOTE)

    assert github.pulls[0]["html_url"] in said


async def test_what_was_written_anew_is_a_branch_of_its_own(yard: Yard, github: Pulls) -> None:
    shelf, other = yard.shelf(TOKEN, github.url), replace(CHANGE, new=BETTER + "Be brief.\n")
    await github.down()
    with pytest.raises(BotError, match="there is no pull request yet"):
        await shelf.put(CHANGE, NOTE)
    await github.up(int(github.url.rpartition(":")[2]))

    await shelf.put(other, NOTE)

    [pull] = github.pulls
    assert "Be brief." in yard.there("show", f"{pull['head']}:desk/agents/reviewer.md")


async def test_a_copy_that_cannot_be_written_is_told(yard: Yard) -> None:
    yard.work.git("rm", "-q", "desk/agents/reviewer.md")
    yard.work.commit("desk/agents/reviewer.md/odd", "A folder by that name.")
    yard.work.git("push", "-q")

    with pytest.raises(ConfigError, match=r"could not be written into a copy \(Is a directory\): see to it that the folder for temporary"):
        await yard.shelf().put(CHANGE, NOTE)


async def test_a_token_that_is_refused_is_told_with_what_it_needs(yard: Yard, github: Pulls) -> None:
    with pytest.raises(BotError, match="GitHub does not take the token in AGENTS_TOKEN: it has ended, or is none") as told:
        await yard.shelf("ghp_another_token", github.url).put(CHANGE, NOTE)

    assert "ghp_another_token" not in str(told.value)


@pytest.mark.parametrize(
    ("status", "body", "headers", "words"),
    [
        (429, b"{}", {"Retry-After": "60"}, "GitHub lets us do nothing right now: too much was asked of it. Try again in a while."),
        (404, b"{}", {}, "GitHub does not let this token open pull requests in acme/agents. AGENTS_TOKEN has to be a token"),
        (301, b"{}", {}, "acme/agents is called otherwise by now: set the remote of the agents' folder anew"),
        (
            422,
            b'{"message": "No", "errors": [{"message": "Base"}]}',
            {},
            f"no pull request of {BRANCH} into main (No; Base). Open it by hand",
        ),
        (503, b"<html>", {}, "GitHub answers with 503, which is no answer. Try again in a while."),
        (200, b"{}", {}, "GitHub answers with 200, which is no answer."),
    ],
)
async def test_what_github_answers_is_told_in_words(
    yard: Yard, github: Pulls, status: int, body: bytes, headers: dict[str, str], words: str
) -> None:
    github.refuse(status, body, headers)

    with pytest.raises(BotError, match=re.escape(words)):
        await yard.shelf(TOKEN, github.url).put(CHANGE, NOTE)


async def test_without_a_token_it_is_said_how_pull_requests_come_by_themselves(yard: Yard, github: Pulls) -> None:
    said = await yard.shelf("", github.url).put(CHANGE, NOTE)

    assert said.endswith("Set AGENTS_TOKEN, and I open pull requests by myself.")
    assert github.pulls == []


@pytest.mark.parametrize(
    ("said", "token", "words"),
    [
        ("fatal: could not read Username", "", "set AGENTS_TOKEN to a token that may write there, or give this machine an SSH key"),
        ("fatal: Authentication failed", TOKEN, "does not take what AGENTS_TOKEN holds; that may have expired, or may not write there"),
        ("Permission denied (publickey)", "", "give it one, or use an https address with AGENTS_TOKEN"),
        ("fatal: unable to access: Could not resolve host", "", "correct the remote of the agents' folder, or see to this machine's"),
    ],
)
def test_what_git_complains_of_is_told_with_what_to_do_here(said: str, token: str, words: str) -> None:
    at = Workspace(repository="https://github.com/acme/agents", token="AGENTS_TOKEN")

    assert words in Pushing("agents", at, {}, token).why(said)


async def test_what_others_have_pushed_meanwhile_is_not_taken_away(yard: Yard, tmp_path: Path) -> None:
    other = Work(tmp_path / "other")
    other.git("pull", "-q", str(yard.bare), "main", "--allow-unrelated-histories", "--no-rebase", "--no-edit", "-X", "theirs")
    other.commit("desk/agents/reviewer.md", REVIEWER + "Be kind.\n")
    other.git("push", "-q", "--force", str(yard.bare), "HEAD:main")

    with pytest.raises(Stale) as changed:
        await yard.shelf().put(CHANGE, NOTE)

    assert changed.value.text == REVIEWER + "Be kind.\n"
    assert BRANCH not in yard.there("branch", "--list")


async def test_a_new_agent_is_a_branch_too_and_is_never_put_over_another(yard: Yard) -> None:
    shelf = yard.shelf()

    await shelf.put(notes := Change("notes", "", BETTER, "Writes notes.", "ana"), replace(NOTE, id="n1"))

    assert yard.there("show", f"frontdesk/notes-n1-{notes.mark}:desk/agents/notes.md") == BETTER.strip()
    assert not (yard.agents / "notes.md").exists()
    with pytest.raises(ConfigError, match="is there already, and stays as it is"):
        await shelf.put(Change("reviewer", "", BETTER, "", "ana"), NOTE)


async def test_without_a_remote_the_branch_is_in_the_repository_itself(yard: Yard) -> None:
    yard.work.git("remote", "remove", "origin")

    await yard.shelf().put(CHANGE, NOTE)

    assert yard.work.git("show", f"{BRANCH}:desk/agents/reviewer.md") == BETTER.strip()
    assert (yard.agents / "reviewer.md").read_text() == REVIEWER


async def test_a_remote_that_is_away_is_told_and_can_be_tried_again(yard: Yard) -> None:
    yard.work.git("remote", "set-url", "origin", str(yard.bare.parent / "gone.git"))

    with pytest.raises(BotError, match="The change could not be taken to acme/gone: there is no such repository"):
        await yard.shelf().put(CHANGE, NOTE)


async def test_a_password_in_a_remotes_address_is_refused_and_not_shown(yard: Yard) -> None:
    yard.work.git("remote", "set-url", "origin", "https://ana:hunter2222@example.com/acme/agents.git")

    with pytest.raises(ConfigError, match="a password must not stand in an address") as told:
        await yard.shelf().put(CHANGE, NOTE)

    assert "hunter2222" not in str(told.value)


async def test_a_folder_that_git_does_not_look_after_is_written(tmp_path: Path, yard: Yard) -> None:
    beside = yard.work.folder / "untracked"
    beside.mkdir()
    (beside / "reviewer.md").write_text(REVIEWER)

    said = await Folder(beside, Repository(beside, client)).put(CHANGE, NOTE)

    assert said == "agents/reviewer.md is written, and counts from now on."
    assert (beside / "reviewer.md").read_text() == BETTER


async def test_a_link_in_the_repository_is_not_written_through(yard: Yard) -> None:
    (yard.agents / "reviewer.md").rename(yard.agents / "real.txt")
    (yard.agents / "reviewer.md").symlink_to("real.txt")
    yard.work.git("add", "-A", "desk/agents")
    yard.work.git("commit", "-q", "-m", "A link")
    yard.work.git("push", "-q")

    with pytest.raises(ConfigError, match=r"agents/reviewer\.md is a link in the repository; change the file that it leads to"):
        await yard.shelf().put(CHANGE, NOTE)


async def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "reviewer.md").mkdir()

    with pytest.raises(ConfigError, match=r"agents/reviewer\.md cannot be read \(Is a directory\); give this user the right to"):
        await Folder(tmp_path).read("reviewer")


async def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text(REVIEWER)
    (tmp_path / "reviewer.md").symlink_to(tmp_path / "real.txt")

    with pytest.raises(ConfigError, match="is a link here; change the file that it leads to"):
        await Folder(tmp_path).put(CHANGE, NOTE)

    assert (tmp_path / "real.txt").read_text() == REVIEWER


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/a/b.git", "github.com"),
        ("git@github.com:a/b.git", "github.com"),
        ("ssh://git@x.org:22/a/b", "x.org"),
        ("/a/b", ""),
    ],
)
def test_the_host_of_a_remote(url: str, name: str) -> None:
    assert host(url) == name
