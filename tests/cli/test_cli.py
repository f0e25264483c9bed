"""The commands of the shell, as a shell runs them: what they print, and the code they end with."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.agent import parse
from bot.breaker import BREAKER, FAILURES, Down
from bot.event import Finished, Improvement, Started, Text, Usage
from bot.message import Message, Person
from bot.ops.health import Health
from bot.ops.server import Server
from bot.ports import Feedback
from bot.session import Session
from bot.store.sql import SqlStore
from tests.standins.postgres import cluster, database

ROOT = Path(__file__).parents[2]
HELPER = "---\ndescription: Helps.\nruntime: echo\ntriggers: [{mention: ['*']}, {command: /help-me}]\n---\nHelp {{ person.name }}.\n"
VERBS = ("sessions", "usage", "feedback", "reports")


@dataclass(frozen=True)
class Shell:
    """A folder with agents in it, in which commands are run."""

    folder: Path

    def run(self, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return subprocess.run(
            [sys.executable, "-m", "bot", *words],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=50,
        )

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "agents").mkdir()
    shell = Shell(tmp_path)
    shell.write("agents/helper.md", HELPER)
    return shell


def test_a_runtime_is_asked_without_an_agents_file(shell: Shell) -> None:
    asked = shell.run("ask", "--runtime", "echo", "!say", "as it is")

    assert (asked.returncode, asked.stdout) == (0, "as it is\n")


def test_who_is_asked_nothing_is_told_how(shell: Shell) -> None:
    asked = shell.run("ask", "helper")

    assert asked.returncode == 2
    assert asked.stderr == "frontdesk: say what helper is to do, as in: frontdesk ask helper Which tests fail?\n"


def test_it_says_its_version_and_its_commands(shell: Shell) -> None:
    assert shell.run("--version").stdout == "frontdesk 0.1.0\n"

    helped = shell.run("--help")

    assert helped.returncode == 0
    assert all(verb in helped.stdout for verb in ("play", "run", "check", "doctor", "manifest", "ask", "sessions", "usage", "feedback"))


def test_a_command_that_there_is_not_is_a_mistake_in_the_call(shell: Shell) -> None:
    assert shell.run("serve").returncode == 2
    assert shell.run().returncode == 2


def test_the_manifest_is_written_and_then_all_is_well(shell: Shell) -> None:
    before = shell.run("check", "--manifest", "manifest.yaml")
    written = shell.run("manifest", "--write", "manifest.yaml")
    after = shell.run("check", "--manifest", "manifest.yaml")

    assert before.returncode == 1
    assert before.stderr == "frontdesk: manifest.yaml is not there; for Slack, write it with: frontdesk manifest --write manifest.yaml\n"
    assert (written.returncode, written.stdout) == (0, "")
    assert (after.returncode, after.stderr) == (0, "")
    assert after.stdout.splitlines() == [
        "WHAT COMES BY         GOES TO  ON",
        "mentions everywhere   helper   echo",
        "the command /help-me  helper   echo",
    ]


def test_who_only_plays_is_told_of_the_manifest_and_needs_none(shell: Shell) -> None:
    without = shell.run("check")
    shell.run("manifest", "--write")
    shell.write("agents/a.md", HELPER.replace("'*'", "C01").replace("/help-me", "/a"))
    old = shell.run("check", "--json")

    lacks = "manifest.yaml lacks the command /a; write it again with: frontdesk manifest --write"
    assert without.returncode == old.returncode == 0
    assert without.stderr.startswith("frontdesk: a hint: manifest.yaml is not there; ")
    assert lacks in json.loads(old.stdout)["hints"]


def test_an_old_manifest_is_wrong_where_slack_is_connected(shell: Shell) -> None:
    shell.run("manifest", "--write")
    shell.write("agents/a.md", HELPER.replace("'*'", "C01").replace("/help-me", "/a"))

    looked = shell.run("check", SLACK_BOT_TOKEN="xoxb-1", SLACK_API_URL="http://127.0.0.1:1/")

    assert looked.returncode == 1
    assert "frontdesk: manifest.yaml lacks the command /a; write it again with: frontdesk manifest --write\n" in looked.stderr


def test_check_finds_what_is_wrong_and_names_the_file(shell: Shell) -> None:
    shell.run("manifest", "--write", "manifest.yaml")
    shell.write("agents/a.md", HELPER.replace("echo", "ecko").replace("'*'", "C01").replace("/help-me", "/a"))
    shell.write("agents/b.md", HELPER.replace("person.name", "user").replace("'*'", "C02").replace("/help-me", "/b"))

    found = json.loads(shell.run("check", "--json", "--manifest", "manifest.yaml").stdout)

    assert found["ok"] is False
    assert [agent["name"] for agent in found["agents"]] == ["a", "b", "helper"]
    assert found["problems"][0].startswith("agents/a.md: runtime: there is no 'ecko'; did you mean 'echo'?")
    assert found["problems"][1:] == [
        "agents/b.md: 'user' is undefined; a template may use person.name, person.id, channel.name, agent.name and date",
        "manifest.yaml lacks the command /a; write it again with: frontdesk manifest --write",
        "manifest.yaml lacks the command /b; write it again with: frontdesk manifest --write",
    ]


def test_a_mistake_in_the_set_up_is_one_line_without_a_traceback(shell: Shell) -> None:
    no_folder = shell.run("check", AGENTS_DIR="nowhere")
    no_number = shell.run("check", HTTP_PORT="many", LOG_FORMAT="xml")
    no_database = shell.run("sessions", DATABASE_URL="mysql://localhost/x")
    nothing_yet = shell.run("sessions")

    assert {each.returncode for each in (no_folder, no_number, no_database, nothing_yet)} == {2}
    assert no_folder.stderr == ("frontdesk: AGENTS_DIR: there is no folder nowhere; make it, or name the one that has the agents' files\n")
    assert sorted(line.split(": ")[1] for line in no_number.stderr.splitlines()) == ["HTTP_PORT", "LOG_FORMAT"]
    assert no_database.stderr.startswith("frontdesk: DATABASE_URL: ")
    assert nothing_yet.stderr == "frontdesk: DATABASE_URL: there is no frontdesk.db yet; it is made by: frontdesk run\n"


def test_an_agent_answers_in_the_terminal(shell: Shell) -> None:
    asked = shell.run("ask", "helper", "!step Look around\n!say Hello.")

    assert (asked.returncode, asked.stdout) == (0, "Hello.\n")
    assert "✓ Look around" in asked.stderr


def test_an_agent_that_fails_says_why(shell: Shell) -> None:
    asked = shell.run("ask", "helper", "!fail The disk is gone.")

    assert (asked.returncode, asked.stdout) == (1, "")
    assert "failed. The disk is gone." in asked.stderr


def test_a_question_that_nobody_can_answer_ends_it_with_words(shell: Shell) -> None:
    asked = shell.run("ask", "helper", "!ask Which? | Red | Blue")

    assert asked.returncode == 1
    assert asked.stderr.endswith("frontdesk: The agent asks: Which? Nobody can answer it here; run this in a terminal, or ask in Slack.\n")


def test_an_agent_that_there_is_not_is_told_with_those_there_are(shell: Shell) -> None:
    asked = shell.run("ask", "helpr", "hello")

    assert (asked.returncode, asked.stderr) == (2, "frontdesk: there is no agent 'helpr'; there are helper\n")


@pytest.fixture
def kept(shell: Shell) -> Shell:
    """A shell beside a database in which one session was kept, and rated."""
    asyncio.run(keep(f"sqlite+aiosqlite:///{shell.folder}/frontdesk.db"))
    return shell


async def keep(url: str) -> None:
    store = SqlStore(url)
    await store.open()
    ana = Person("U1", "Ana")
    message = Message("m1", "t1", "C1", ana, "Which door?", at=1763640000.0)
    session = Session("s1", "helper", "t1", ana, "C1")
    await store.start(session, message)
    session, epoch = await store.begin("s1")
    session = session.begin([message])
    await store.take("s1", epoch, session, parse("helper", HELPER), ["m1"])
    told = [
        Started("r1"),
        Text("The red one."),
        Usage(100, 20, 0, 0.25),
        Improvement("missing", "A map.", "No door."),
        Finished("completed"),
    ]
    await store.save(epoch, session.fold(told, 1763640009.0), told, 1763640009.0)
    await store.rate(Feedback("s1", 1, "U1", "bad", ("wrong",), "It was blue.", at=1763640010.0))
    await store.close_all()


def test_sessions_costs_and_opinions_are_read_from_the_store(kept: Shell) -> None:
    sessions = json.loads(kept.run("sessions", "--json").stdout)
    usage = json.loads(kept.run("usage", "--json").stdout)
    feedback = json.loads(kept.run("feedback", "--json").stdout)
    reports = json.loads(kept.run("reports", "--json", "--days=9999").stdout)

    assert [(s["id"], s["agent"], s["state"], s["by"], s["usd"], s["title"]) for s in sessions] == [
        ("s1", "helper", "completed", "Ana", 0.25, "Which door?"),
    ]
    assert usage == [{"agent": "helper", "input_tokens": 100, "output_tokens": 20, "cached_tokens": 0, "usd": 0.25}]
    assert [(f["agent"], f["rating"], f["reasons"], f["text"]) for f in feedback] == [("helper", "bad", "wrong", "It was blue.")]
    assert [(r["session"], r["turn"], r["kind"], r["text"], r["evidence"]) for r in reports] == [("s1", 1, "missing", "A map.", "No door.")]


def test_what_is_kept_on_postgresql_is_read_as_well(shell: Shell) -> None:
    async def read() -> list[str]:
        async with database(made) as url:
            await keep(url)
            return [await asyncio.to_thread(lambda verb=verb: shell.run(verb, DATABASE_URL=url).stdout) for verb in VERBS]

    with cluster() as made:
        sessions, usage, feedback, _ = asyncio.run(read())

    assert "Which door?" in sessions
    assert "$0.25" in usage
    assert "It was blue." in feedback


def test_people_get_tables_and_may_look_while_the_bot_runs(kept: Shell) -> None:
    async def beside() -> tuple[str, str]:
        store = SqlStore(f"sqlite+aiosqlite:///{kept.folder}/frontdesk.db")
        await store.open()
        try:
            listed, live = await asyncio.to_thread(kept.run, "sessions"), await asyncio.to_thread(kept.run, "sessions", "--live")
        finally:
            await store.close_all()
        return listed.stdout, live.stdout

    listed, live = asyncio.run(beside())

    assert listed.splitlines()[0].split() == ["ID", "AGENT", "STATE", "ASKED", "BY", "USD", "TITLE"]
    assert listed.splitlines()[1].endswith("Ana  $0.25  Which door?")
    assert len(live.splitlines()) == 1


def test_the_doctor_says_what_is_missing_and_what_to_do(shell: Shell) -> None:
    looked = shell.run("doctor", "--no-wait", "--json")

    found = {each["name"]: each for each in json.loads(looked.stdout)}
    assert looked.returncode == 1
    assert (found["bot token"]["ok"], found["bot token"]["words"]) == (False, "SLACK_BOT_TOKEN is not set")
    assert found["bot token"]["remedy"].startswith("set SLACK_BOT_TOKEN to the xoxb- token at ")
    assert found["database"]["ok"]
    assert found["agent helper"]["ok"]


def test_the_doctor_says_of_a_damaged_database_what_helps(shell: Shell) -> None:
    shell.write("frontdesk.db", "this was never a database " * 2000)

    found = {each["name"]: each for each in json.loads(shell.run("doctor", "--no-wait", "--json").stdout)}

    assert found["database"]["words"].endswith("Restore it from a backup.")
    assert found["database"]["remedy"] == ""


async def test_the_doctor_says_what_the_bot_that_runs_leaves_alone(shell: Shell) -> None:
    served = Server(Health({}), lambda: asyncio.sleep(0, b""))
    await served.start("127.0.0.1", 0)
    for _ in range(FAILURES):
        with pytest.raises(Down), BREAKER.through("acme.example"):
            raise Down("nobody answers")

    looked = await asyncio.to_thread(shell.run, "doctor", "--no-wait", "--json", HTTP_PORT=str(served.port))
    BREAKER.forget()
    await served.close()

    [platform] = [each for each in json.loads(looked.stdout) if each["name"] == "platform"]
    assert not platform["ok"]
    assert platform["words"].startswith("acme.example does not answer since ")


def test_the_doctor_looks_at_the_others_where_one_file_is_wrong(shell: Shell) -> None:
    shell.write("agents/a.md", HELPER.replace("description", "descriptoin"))

    found = {each["words"]: each for each in json.loads(shell.run("doctor", "--no-wait", "--json").stdout)}

    assert not found["agents/a.md: descriptoin: unknown key; did you mean 'description'?"]["ok"]
    assert found["echo is ready"]["name"] == "agent helper"


def test_a_file_that_is_wrong_is_told_once(shell: Shell) -> None:
    shell.write("agents/a.md", HELPER.replace("description", "descriptoin"))

    looked = shell.run("check")

    assert looked.stderr.count("descriptoin") == 1
    assert "agents_file_wrong" not in looked.stderr


def test_where_no_file_is_right_there_is_no_empty_table(shell: Shell) -> None:
    shell.write("agents/helper.md", HELPER.replace("description", "descriptoin"))

    looked = shell.run("check")

    assert (looked.returncode, looked.stdout) == (1, "")


CODER = "---\ndescription: Codes.\nruntime: claude_code\nenvironment: [ANTHROPIC_API_KEY]\n---\nCode.\n"


def test_the_doctor_says_that_nobody_is_logged_in(shell: Shell) -> None:
    shell.write("agents/coder.md", CODER)

    without, there = (
        json.loads(shell.run("doctor", "--no-wait", "--json", **key).stdout)[-2] for key in ({}, {"ANTHROPIC_API_KEY": "sk-x"})
    )

    assert (without["name"], without["ok"], there["ok"]) == ("agent coder", False, True)
    assert without["words"].startswith("Claude Code has no credentials. Set ANTHROPIC_API_KEY in frontdesk's environment, ")


def test_a_module_of_ones_own_is_found_where_frontdesk_is_started(shell: Shell) -> None:
    shell.write("mine.py", "class Mine:\n    async def run(self, turn, inbox):\n        yield None\n")
    shell.write("agents/a.md", HELPER.replace("echo", "mine:Mine").replace("'*'", "C01").replace("/help-me", "/a"))
    shell.write("agents/b.md", HELPER.replace("echo", "yours:Yours").replace("'*'", "C02").replace("/help-me", "/b"))
    shell.run("manifest", "--write")

    found = json.loads(shell.run("check", "--json", PYTHONSAFEPATH="1").stdout)

    assert found["problems"] == [
        "agents/b.md: the runtime 'yours:Yours' cannot be loaded; no module is called 'yours';"
        " put its file where frontdesk is started, or name its folder in PYTHONPATH"
    ]


def test_no_place_for_temporary_files_is_one_sentence(shell: Shell) -> None:
    program = "import sys, tempfile; tempfile.tempdir = '/proc'; from bot.cli import main; sys.exit(main(['ask', 'helper', 'hello']))"
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}

    asked = subprocess.run([sys.executable, "-c", program], cwd=shell.folder, env=kept, capture_output=True, text=True, timeout=50)

    assert asked.returncode == 2
    assert asked.stderr == (
        "frontdesk: There is no folder for temporary files. Give the process a /tmp that it may write to, or name one in TMPDIR.\n"
    )
