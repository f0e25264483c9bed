"""In its sandbox a harness can write only where it is to, and sees nobody else's work."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot import sandbox
from bot.agent import Agent
from bot.errors import Unavailable
from bot.ports import Turn
from bot.runtimes.child import Child
from bot.runtimes.home import Home, Options, contained
from tests.cli.test_cli import Shell, shell
from tests.standins.running import running
from tests.standins.wait import until

__all__ = ["shell"]

WHY = sandbox.trouble(Path("/"))
needs = pytest.mark.skipif(bool(WHY), reason=WHY)
AGENT = Agent(name="coder", version="1", description="Codes.", runtime="acp")


def home(folder: Path, **options: object) -> Home:
    session = folder / "sessions" / "s1"
    session.mkdir(parents=True, exist_ok=True)
    made = Home(Turn("s1", 1, AGENT, "", folder=session), Options.model_validate({"sandbox": "bwrap", **options}), "sh")
    made.prepare()
    return made


@asynccontextmanager
async def begun(home: Home, script: str) -> AsyncIterator[Child]:
    child = Child(home.command("The shell", "sh", "-c", f"exec 2>&1; {script}", remedy="install it"))
    await child.start()
    try:
        yield child
    finally:
        await child.close()


async def says(home: Home, script: str) -> str:
    async with begun(home, script) as child:
        return b"".join([line async for line in child.lines()]).decode().strip()


@needs
async def test_it_writes_where_it_works_and_what_it_keeps(tmp_path: Path) -> None:
    place = home(tmp_path)

    said = await says(place, 'pwd; echo done > made.txt; echo kept > "$HOME/kept.txt"; echo there > /tmp/there')

    assert said == str(place.work)
    assert (place.work / "made.txt").read_text() == "done\n"
    assert (place.turn.folder / "home" / "kept.txt").read_text() == "kept\n"


@needs
async def test_it_writes_nowhere_else(tmp_path: Path) -> None:
    said = await says(home(tmp_path), f"touch /etc/x {tmp_path}/x {Path.home()}/x; echo over")

    assert said.count("touch: cannot touch") >= 2
    assert said.endswith("over")
    assert not (tmp_path / "x").exists()
    assert not (Path.home() / "x").exists()


@needs
async def test_what_the_desk_reads_it_cannot_change_nor_put_a_link_in_its_place(tmp_path: Path) -> None:
    place = home(tmp_path)
    session = place.turn.folder
    (session / "codex.json").write_text("{}")

    said = await says(
        place,
        f"cd {session}; mv work w2; mv home h2; rm codex.json; ln -s {tmp_path} out; ln -s {tmp_path} workspace; ln -s / codex.json.new; "
        f"mkdir in; echo over",
    )

    assert said.endswith("over")
    assert sorted(file.name for file in session.iterdir()) == ["codex.json", "home", "sh", "tmp", "work"]


@needs
@pytest.mark.parametrize("part", ["home", "tmp", "sh", "work"])
async def test_a_link_that_was_left_in_place_of_a_folder_of_its_own_is_not_followed(tmp_path: Path, part: str) -> None:
    place = home(tmp_path)
    (place.turn.folder / part).rmdir()
    (place.turn.folder / part).symlink_to(tmp_path)

    with pytest.raises(Unavailable, match=rf"{part} has become a link; say `new`"):
        place.prepare()


@needs
async def test_what_the_turn_says_is_hidden_is_not_seen_but_for_what_is_shown(tmp_path: Path) -> None:
    (tmp_path / "frontdesk.db").write_text("all that was said")
    (tmp_path / "store" / "other.git").mkdir(parents=True)
    (tmp_path / "store" / "own.git").mkdir()
    made = home(tmp_path)
    turn = replace(made.turn, hidden=(tmp_path / "frontdesk.db", tmp_path / "store"), shown=(tmp_path / "store" / "own.git",))

    said = await says(replace(made, turn=turn), f"exec 2>&-; cd {tmp_path}; cat frontdesk.db; ls store; touch store/own.git/x; echo over")

    assert said.splitlines() == ["own.git", "over"]
    assert not (tmp_path / "store" / "own.git" / "x").exists()


@needs
async def test_a_folder_of_its_file_that_holds_the_sessions_shows_no_other(tmp_path: Path) -> None:
    (tmp_path / "sessions" / "s2").mkdir(parents=True)

    said = await says(home(tmp_path, cwd=tmp_path), "ls sessions")

    assert said == "s1"


@needs
@pytest.mark.skipif(not (WHY or sandbox.sizes(shutil.which("bwrap") or "")), reason="bubblewrap is older than 0.7")
@pytest.mark.parametrize("place", ["/tmp", "/run", "/dev/shm"])
async def test_what_lies_in_memory_has_an_end(tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SPACE", 1 << 20)

    said = await says(home(tmp_path), f"head -c 2M /dev/zero > {place}/x; stat -c %s {place}/x")

    assert "No space left on device" in said
    assert int(said.splitlines()[-1]) <= 1 << 20


@needs
async def test_it_writes_nothing_beside_the_devices(tmp_path: Path) -> None:
    said = await says(home(tmp_path), "echo x > /dev/null && echo good; touch /dev/x")

    assert said.startswith("good\n")
    assert "Read-only file system" in said


@needs
async def test_sockets_of_the_machines_own_services_are_not_reached(tmp_path: Path) -> None:
    said = await says(home(tmp_path), "cat /etc/resolv.conf > /dev/null && echo named; find /run/ ! -type d ! -name '*resolv*'")

    assert said == "named"


@needs
async def test_it_sees_neither_other_sessions_nor_other_processes(tmp_path: Path) -> None:
    (tmp_path / "sessions" / "s2").mkdir(parents=True)
    place = home(tmp_path)

    said = await says(place, f"ls {place.turn.folder.parent}; ls /proc | grep -c '^[0-9]'")

    sessions, processes = said.splitlines()
    assert sessions == "s1"
    assert int(processes) < 8


@needs
async def test_a_folder_that_its_file_names_is_its_to_write_in(tmp_path: Path) -> None:
    (tmp_path / "named").mkdir()

    await says(home(tmp_path, cwd=tmp_path / "named"), "echo done > made.txt")

    assert (tmp_path / "named" / "made.txt").read_text() == "done\n"


@needs
async def test_a_checkout_below_tmp_has_a_sandbox_that_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There its harnesses are; of what else stands there it sees as little as elsewhere."""
    (checkout := tmp_path / "checkout").mkdir()
    (harness := checkout / "harness").write_text('#!/bin/sh\nexec sh "$@"\n')
    harness.chmod(0o755)
    (tmp_path / "other").touch()
    (checkout / "sessions" / "s2").mkdir(parents=True)
    monkeypatch.setattr(sandbox, "SERVICES", (str(tmp_path), *sandbox.SERVICES))
    monkeypatch.chdir(checkout)

    said = await says(home(checkout, path=harness), f"ls {tmp_path}; ls {checkout}; ls {checkout}/sessions; touch here {checkout}/x")

    *seen, refused = said.splitlines()
    assert seen == ["checkout", "harness", "sessions", "s1"]
    assert refused.endswith("Read-only file system")
    assert (checkout / "sessions" / "s1" / "work" / "here").exists()


def test_a_program_that_the_sandbox_hides_is_told(tmp_path: Path) -> None:
    program = tmp_path / "harness"
    program.touch()
    made = replace(home(tmp_path), options=Options(sandbox="bwrap", path=program))

    with pytest.raises(Unavailable, match=f"The thing cannot be begun in its sandbox, which hides {program}; put it elsewhere"):
        made.command("The thing", "harness", remedy="install it")


@needs
@pytest.mark.parametrize(("network", "links"), [(True, False), (False, True)])
async def test_the_network_is_there_unless_its_file_says_not(tmp_path: Path, network: bool, links: bool) -> None:
    said = await says(home(tmp_path, network=network), "cat /proc/net/route | wc -l; ls /proc/self/ns/net; readlink /proc/self/ns/net")

    ours = await asyncio.to_thread(Path("/proc/self/ns/net").readlink)
    assert (said.splitlines()[-1] != str(ours)) is links


@needs
async def test_it_ends_with_all_that_it_began(tmp_path: Path) -> None:
    async with begun(home(tmp_path), "setsid sleep 4322 & echo ready; sleep 4322") as child:
        await anext(child.lines())
        await until(lambda: len(running("sleep", "4322")) == 2)

    assert await until(lambda: not running("sleep", "4322"))


@needs
async def test_it_cannot_be_taken_apart_from_within_also_as_root(tmp_path: Path) -> None:
    (tmp_path / "sessions" / "s2").mkdir(parents=True)
    place = home(tmp_path)
    sessions = place.turn.folder.parent

    apart = f"umount {place.turn.folder} {sessions}; mount -o remount,bind,rw /; touch {tmp_path}/x; ls {sessions}"

    said = await says(place, f"{apart}; unshare -Urm sh -c '{apart}'; {apart}; grep CapEff /proc/self/status")

    assert said.splitlines()[-2:] == ["s1", "CapEff:\t0000000000000000"]
    assert not (tmp_path / "x").exists()


@needs
async def test_it_does_not_outlive_the_desk_however_that_ends(tmp_path: Path) -> None:
    command = home(tmp_path).command("The shell", "sh", "-c", "sleep 4329", remedy="install it")
    desk = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])", *command.words, cwd=command.folder
    )
    await until(lambda: running("sleep", "4329"))

    desk.kill()
    await desk.wait()

    assert await until(lambda: not running("sleep", "4329"))


def test_without_bubblewrap_the_agent_does_not_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unavailable, match=r"bubblewrap is not installed \(bwrap is not found in PATH\); install it \(apt-get install"):
        home(tmp_path).command("The shell", "sh", remedy="install it")
    assert sandbox.trouble(tmp_path).startswith("bubblewrap is not installed")


def test_a_machine_that_forbids_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    said = sandbox.trouble(tmp_path)

    assert said.startswith("bubblewrap may not make a sandbox on this machine (No permissions to create new namespace); allow user")


@needs
def test_what_is_in_force_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    here = Options(sandbox="bwrap", network=False, memory_megabytes=512)

    assert contained(here) == "in bubblewrap without network, with at most 512 MiB"
    assert contained(Options(memory_megabytes=0)) == "in no sandbox of ours, with any memory"
    assert contained(None) == ""


def test_a_harness_that_runs_as_root_is_said_to_see_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert contained(Options()) == "in no sandbox of ours and as root, so it can read frontdesk's own secrets, with at most 4096 MiB"


@needs
def test_the_doctor_says_what_is_in_force(shell: Shell) -> None:
    shell.write("agents/helper.md", "---\ndescription: Helps.\nruntime: acp\noptions: {command: ['true'], sandbox: bwrap}\n---\nHelp.\n")
    (shell.folder / "bare").mkdir()

    here, bare = [json.loads(shell.run("doctor", "--no-wait", "--json", **more).stdout)[-1] for more in ({}, {"PATH": "bare"})]

    assert (here["ok"], here["words"]) == (True, "acp is ready; in bubblewrap, with at most 4096 MiB")
    assert (bare["ok"], bare["words"].partition(" (")[0]) == (False, "bubblewrap is not installed")


def test_a_workspace_is_where_a_harness_works(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    place = Home(Turn("s1", 1, AGENT, "", folder=tmp_path, workspace=tmp_path / "api"), Options(cwd=tmp_path), "sh")

    place.prepare()

    assert place.command("The shell", "sh", remedy="install it").folder == tmp_path / "api"
    assert not (tmp_path / "work").exists()
