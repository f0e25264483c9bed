"""A session works on its own copy of a repository, which is made before its turn and is still there at the next."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot import processes, sandbox
from bot.event import Event, Finished, Started, Text
from bot.message import Message
from bot.ports import Turn
from bot.session import Session
from bot.workspaces import lend
from bot.workspaces.lock import held
from tests.standins.running import running
from tests.standins.stage import agent
from tests.standins.wait import until
from tests.workspaces.conftest import Repository, Yard

DONE = Finished("completed")


class Works:
    """Does something in its workspace, and says what came of it."""

    def __init__(self, deed: Callable[[Path], str]) -> None:
        self.deed = deed
        self.turns: list[Turn] = []

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.turns.append(turn)
        yield Started("r1")
        assert turn.workspace is not None
        yield Text(await asyncio.to_thread(self.deed, turn.workspace))
        yield DONE


def reads(name: str) -> Works:
    return Works(lambda folder: (folder / name).read_text())


def titles(session: Session) -> list[str]:
    return [f"{step.title}: {step.status}" for step in session.steps]


async def test_an_agent_works_on_a_copy_of_the_repository_which_people_see_being_made(yard: Yard) -> None:
    session = await yard.run(reads("README.md"))

    assert (session.state, session.reason, session.answer) == ("completed", "", "The first.\n")
    assert titles(session) == ["Fetch acme/api: completed"]
    assert Repository.git(at(yard.place), "remote", "get-url", "origin") == yard.repository.url


async def test_it_is_still_there_at_the_next_turn_with_what_was_not_committed(yard: Yard) -> None:
    await yard.run(Works(lambda folder: str((folder / "new.txt").write_text("Half done."))))
    yard.repository.commit("README.md", "The second.\n")

    session = await yard.run(Works(lambda folder: (folder / "new.txt").read_text() + (folder / "README.md").read_text()))

    assert session.answer == "Half done.The first.\n"
    assert titles(session) == []


async def test_each_new_session_begins_with_what_is_newest(yard: Yard) -> None:
    await yard.run(reads("README.md"))
    yard.repository.commit("README.md", "The second.\n")
    yard.another()

    session = await yard.run(reads("README.md"))

    assert session.answer == "The second.\n"


@pytest.mark.parametrize("way", ["a branch", "a tag", "a commit"])
async def test_a_branch_a_tag_or_a_commit_can_be_named(yard: Yard, way: str) -> None:
    commit = yard.repository.git("rev-parse", "HEAD")
    yard.repository.git("tag", "v1")
    yard.repository.git("branch", "fix/it")
    yard.repository.commit("README.md", "The second.\n")
    yard.describe(f"ref: {dict(zip(['a branch', 'a tag', 'a commit'], ['fix/it', 'v1', commit], strict=True))[way]}")

    session = await yard.run(reads("README.md"))

    assert session.answer == "The first.\n"


async def test_it_is_set_up_with_files_and_commands_that_have_only_the_variables_named(yard: Yard) -> None:
    yard.environment |= {"COLOUR": "red", "OTHER": "blue"}
    yard.describe('environment: [COLOUR]\nfiles: {conf/.env: "A=1"}\nsetup:\n  - cat conf/.env > made\n  - echo "$COLOUR-$OTHER" >> made')

    session = await yard.run(reads("made"))

    assert session.answer == "A=1red-\n"
    assert titles(session)[1:] == ["Run: cat conf/.env > made: completed", 'Run: echo "$COLOUR-$OTHER" >> made: completed']


async def test_what_a_setup_made_is_brought_to_the_next_session(yard: Yard) -> None:
    yard.describe("cache: [deps]\nsetup: ['test -f deps/big && echo known > how || (mkdir -p deps; echo 1 > deps/big; echo made > how)']")
    first = await yard.run(reads("how"))
    yard.another()

    second = await yard.run(reads("how"))

    assert (first.answer, second.answer) == ("made\n", "known\n")


async def test_what_one_session_does_to_its_repository_no_other_sees(yard: Yard) -> None:
    def meddles(folder: Path) -> str:
        Repository.git(at(folder), "checkout", "-q", "-b", "mine")
        Repository.git(at(folder), "config", "core.editor", "mine")
        (folder / ".git" / "hooks").mkdir(exist_ok=True)
        return str((folder / ".git" / "hooks" / "post-checkout").write_text("#!/bin/sh\ntouch meddled\n"))

    await yard.run(Works(meddles))
    yard.another()

    session = await yard.run(Works(lambda folder: Repository.git(at(folder), "branch", "--list", "mine")))

    assert session.answer == ""
    assert "editor" not in (yard.place / ".git" / "config").read_text()
    assert not (yard.place / "meddled").exists()


async def test_hooks_are_not_run(yard: Yard, tmp_path: Path) -> None:
    await yard.run(reads("README.md"))
    [mirror] = yard.store.glob("*.git")
    (mirror / "hooks").mkdir(exist_ok=True)
    (mirror / "hooks" / "reference-transaction").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (mirror / "hooks" / "reference-transaction").chmod(0o755)
    yard.repository.commit("README.md", "The second.\n")
    yard.another()

    session = await yard.run(reads("README.md"))

    assert session.answer == "The second.\n"
    assert not (tmp_path / "ran").exists()


async def test_a_setup_that_fails_is_told_and_the_next_turn_tries_again(yard: Yard) -> None:
    yard.environment["NPM_TOKEN"] = "npm-secret"
    yard.describe("environment: [NPM_TOKEN]\nsetup: ['echo $NPM_TOKEN is refused; exit 3']")
    failed = await yard.run(reads("README.md"))
    yard.describe()

    session = await yard.run(reads("README.md"))

    assert failed.state == "failed"
    assert failed.reason == (
        "The workspace 'api' (acme/api) could not be made ready: `echo $NPM_TOKEN is refused; exit 3` failed. It said:\n••• is refused"
    )
    assert titles(failed)[-1] == "Run: echo $NPM_TOKEN is refused; exit 3: failed"
    assert session.answer == "The first.\n"


@pytest.mark.parametrize(
    ("url", "more", "words"),
    [
        ("file:///nowhere/at/all", "", "there is no git repository; correct `repository` in agents/workspaces.yaml."),
        ("http://127.0.0.1:9/acme/api", "", "its host cannot be reached; see whether it is up, or try again later."),
        ("", "ref: nowhere", "it has no branch, tag or commit of that name; correct `ref` in agents/workspaces.yaml."),
        ("", "token: NOT_SET", "agents/workspaces.yaml: api: the variable NOT_SET is not set; set it where Frontdesk is started"),
    ],
)
async def test_a_repository_that_cannot_be_had_is_told_in_the_thread(yard: Yard, url: str, more: str, words: str) -> None:
    yard.describe(more, url)
    runtime = reads("README.md")

    session = await yard.run(runtime)

    assert session.state == "failed"
    assert session.reason.endswith(words)
    assert runtime.turns == []
    assert not yard.place.exists() or more == "ref: nowhere"


async def test_a_turn_that_is_stopped_while_its_workspace_is_set_up_leaves_nothing_running(yard: Yard) -> None:
    yard.describe("setup: ['sleep 4321']")
    yard.stage.play(reads("README.md"))
    await yard.stage.say()
    await yard.stage.surface.until(lambda: any("Run: sleep 4321: working" in titles(each) for each in yard.stage.surface.shown))

    await yard.stage.stop()

    assert (await yard.stage.ended()).state == "canceled"
    assert not running("sleep", "4321")


async def test_what_a_setup_leaves_running_ends_with_it_and_is_not_waited_for(yard: Yard) -> None:
    yard.describe("setup: ['setsid sleep 4323 & echo over']\nsetup_minutes: 0.1")

    session = await yard.run(reads("README.md"))

    assert session.answer == "The first.\n"
    assert await until(lambda: not running("sleep", "4323"))


@pytest.mark.skipif(bool(sandbox.trouble(Path("/"))), reason="needs bubblewrap")
async def test_an_agent_in_a_sandbox_has_its_workspace_set_up_in_it(yard: Yard, tmp_path: Path) -> None:
    yard.stage.agent = agent(workspace="api", options={"sandbox": "bwrap"})
    (tmp_path / "sessions" / "s2").mkdir(parents=True)
    yard.describe(f"setup: ['(ls {tmp_path}/sessions; touch {tmp_path}/x; git log --format=%s) > made']")

    session = await yard.run(reads("made"))

    assert session.answer == "s1\nWrite README.md\n"
    assert not (tmp_path / "x").exists()


async def test_a_setup_has_no_more_memory_than_its_agent(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "WEIGH", 0.1)
    yard.stage.agent = agent(workspace="api", options={"memory_megabytes": 50})
    yard.describe("setup: ['x=$(head -c 200000000 /dev/zero | tr \"\\0\" x); sleep 60']")

    session = await yard.run(reads("README.md"))

    assert session.reason.endswith("It used more than 50 MiB of memory, so it was ended.")


async def test_a_folder_of_the_cache_that_leads_out_of_the_repository_is_not_kept(yard: Yard, tmp_path: Path) -> None:
    (tmp_path / "private" / "deps").mkdir(parents=True)
    (tmp_path / "private" / "deps" / "secret").touch()
    yard.describe(f"cache: [a/deps]\nsetup: ['ln -s {tmp_path}/private a']")

    session = await yard.run(reads("README.md"))

    assert "a/deps leads out of the repository" in session.reason
    assert not list(yard.store.rglob("secret"))


async def test_two_processes_never_work_in_the_same_workspace(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lend, "PATIENCE", 0.05)
    async with held(yard.place.with_name("api.lock"), 1):
        session = await yard.run(reads("README.md"))

    assert session.reason == (
        "The workspace 'api' of this session is still used by another process of Frontdesk. Try again in a minute, or stop that process."
    )


@pytest.mark.parametrize("part", ["workspace", "api"])
async def test_a_link_in_place_of_a_workspace_is_lent_to_nobody(yard: Yard, tmp_path: Path, part: str) -> None:
    await yard.run(reads("README.md"))
    moved = yard.place if part == "api" else yard.place.parent
    moved.rename(tmp_path / "moved")
    moved.symlink_to(tmp_path)
    (tmp_path / "api.ready").touch()
    again = reads("README.md")

    session = await yard.run(again)

    assert session.reason.endswith("a link stands where it was. Say `new` to begin with another.")
    assert again.turns == []


async def test_what_an_agent_in_a_sandbox_is_not_to_see_is_named_but_for_its_own_repository(yard: Yard, tmp_path: Path) -> None:
    yard.stage.aids = (replace(yard.lend(), hidden=(tmp_path / "frontdesk.db",)),)
    runtime = reads("README.md")

    await yard.run(runtime)

    assert runtime.turns[0].hidden == (yard.store, tmp_path / "frontdesk.db")
    assert runtime.turns[0].shown == tuple(yard.store.glob("*.git"))


async def test_what_is_hidden_is_hidden_without_a_workspace_too(yard: Yard) -> None:
    yard.stage.agent = agent()
    runtime = Works(lambda folder: "")

    await yard.run(runtime)

    assert (runtime.turns[0].hidden, runtime.turns[0].shown) == ((yard.store,), ())
    assert yard.store.is_dir()


async def test_an_agent_without_a_workspace_has_none(yard: Yard) -> None:
    yard.stage.agent = agent()
    runtime = Works(lambda folder: "")

    session = await yard.run(runtime)

    assert session.state == "failed"
    assert runtime.turns[0].workspace is None


def at(folder: Path) -> Repository:
    """The same, for a repository that is there."""
    made = Repository.__new__(Repository)
    made.folder = folder
    return made
