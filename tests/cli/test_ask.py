"""An agent asked in the terminal leaves nothing behind, but for what it made for the person."""

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import processes
from bot.cli import ask
from bot.errors import ConfigError
from bot.settings import Settings
from bot.store.database import lock

ROOT = Path(__file__).parents[2]
HELPER = "---\ndescription: Helps.\nruntime: echo\n---\nHelp.\n"
ACME = "---\ndescription: Sells.\nruntime: echo\ntriggers: [{command: /acme}]\n---\nSell.\n"
SLOW = """
import json, sys, time
sys.stdin.readline()
print(json.dumps({"type": "system", "subtype": "init", "session_id": "p1"}), flush=True)
print(json.dumps({"type": "assistant", "message": {"content": [
    {"type": "tool_use", "id": "c1", "name": "Bash", "input": {"description": "Think for long"}}]}}), flush=True)
time.sleep(60)
"""


@dataclass(frozen=True)
class Asking:
    """A folder in which `frontdesk ask` is run, with its own place for temporary files."""

    folder: Path

    def begin(self, *words: str, **more: str) -> "subprocess.Popen[str]":
        given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(self.folder / "tmp"), **more}
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([sys.executable, "-m", "bot", "ask", *words], cwd=self.folder, env=given, text=True, **pipes)  # type: ignore[call-overload,no-any-return]

    def run(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        with self.begin(*words, **more) as begun:
            out, err = begun.communicate(timeout=50)
        return subprocess.CompletedProcess([], begun.returncode, out, err)

    @property
    def left(self) -> list[str]:
        return sorted(str(each.relative_to(self.folder)) for each in self.folder.glob("*/*"))


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "slow.py").write_text(SLOW)
    yield Asking(tmp_path)
    for mark in processes.marks(tmp_path / "tmp"):
        processes.end_all(mark)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_ends_it_ends_its_agent_too(asking: Asking, by: signal.Signals) -> None:
    command = f"command=['{sys.executable}', '{asking.folder}/slow.py']"
    with asking.begin("--runtime", "stream_json", "--option", command, "hello") as begun:
        assert begun.stderr
        assert "Think for long" in begun.stderr.readline()
        begun.send_signal(by)
        begun.wait(20)

    assert begun.returncode == 130
    assert (asking.left, processes.marks(asking.folder / "tmp")) == ([], set())


def test_what_was_only_said_leaves_no_folder(asking: Asking) -> None:
    asked = asking.run("--runtime", "echo", "!say hello")

    assert (asked.stdout, asking.left) == ("hello\n", [])


@pytest.mark.parametrize("words", [("helper",), ("--runtime", "echo")])
def test_it_works_beside_the_desk_whose_file_it_leaves_alone(asking: Asking, words: tuple[str, ...]) -> None:
    (asking.folder / "agents").mkdir()
    (asking.folder / "agents" / "helper.md").write_text(HELPER)
    with lock(asking.folder / "desk.db"):
        asked = asking.run(*words, "!say hello", DATABASE_URL=f"sqlite:///{asking.folder}/desk.db")

    assert (asked.stdout, asked.stderr) == ("hello\n", "")
    assert not (asking.folder / "desk.db").exists()


@pytest.mark.parametrize(("words", "kept"), [(("helper",), True), (("--runtime", "echo"), False)])
def test_what_an_agent_was_asked_is_kept_where_the_desks_file_is_free(asking: Asking, words: tuple[str, ...], kept: bool) -> None:
    (asking.folder / "agents").mkdir()
    (asking.folder / "agents" / "helper.md").write_text(HELPER)

    asking.run(*words, "!say hello", DATABASE_URL=f"sqlite:///{asking.folder}/desk.db")

    assert (asking.folder / "desk.db").exists() == kept


def test_what_is_wrong_with_others_files_does_not_stop_it(asking: Asking) -> None:
    (agents := asking.folder / "agents").mkdir()
    (agents / "helper.md").write_text(HELPER)
    (agents / "acme.md").write_text(ACME)
    (agents / "big.md").write_text(ACME)

    asked = asking.run("helper", "!say hello")

    assert asked.stdout == "hello\n"
    assert asked.stderr == "frontdesk: agents/acme.md and agents/big.md both claim the command /acme; remove it from one of them\n"


def test_what_is_wrong_with_its_own_file_stops_it(asking: Asking) -> None:
    (agents := asking.folder / "agents").mkdir()
    (agents / "helper.md").write_text("---\nruntime: echo\n---\nHelp.\n")

    asked = asking.run("helper", "hello")

    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr.startswith("frontdesk: agents/helper.md: description: ")


def test_what_it_made_is_kept_where_it_says(asking: Asking) -> None:
    asked = asking.run("--runtime", "echo", "!file a.txt here")

    named, kept = asked.stderr.strip().splitlines()[-2:]
    [folder] = (asking.folder / "sessions").iterdir()
    assert named == f"a.txt: sessions/{folder.name}/out/a.txt"
    assert kept == f"What it made is in sessions/{folder.name}; take that away when you need it no more."
    assert (folder / "out" / "a.txt").read_text().strip() == "here"


@pytest.fixture
def other_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "rename", refuse)


@pytest.mark.usefixtures("other_disk")
def test_what_it_made_is_moved_to_another_disk_without_its_pipes_and_sockets(tmp_path: Path) -> None:
    (made := tmp_path / "work").mkdir()
    (made / "a.txt").write_text("here")
    (made / "link").symlink_to("a.txt")
    os.mkfifo(made / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(made / "socket"))

        assert ask.moved(made, tmp_path / "kept") == []

    assert sorted(file.name for file in (tmp_path / "kept").iterdir()) == ["a.txt", "link"]
    assert not made.exists()


@pytest.mark.usefixtures("other_disk")
def test_what_cannot_be_moved_is_named_and_all_else_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(made: str, kept: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", kept)

    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "a.txt").write_text("here")
    monkeypatch.setattr(shutil, "copy2", fill)

    assert ask.moved(tmp_path / "work", tmp_path / "kept") == [f"[Errno 28] No space left on device: '{tmp_path}/kept/a.txt'"]


@pytest.mark.parametrize(
    ("runtime", "options", "words"),
    [
        ("codx", (), "--runtime: there is no 'codx'; did you mean 'codex'?"),
        ("", (), "--runtime: there is no ''; there are echo, "),
        ("echo", ("lsiten=true",), "--option lsiten: unknown key; did you mean 'listen'?"),
        ("echo", ("listen",), "--option: 'listen' is none; write it as in: --option url=http://127.0.0.1:2024"),
        ("echo", ("listen=[",), "--option listen: '[' is no YAML; put it in quotes, "),
        ("acp", (), "--option: nothing says what to begin; write `--option command=…`, "),
    ],
)
def test_what_is_wrong_with_the_call_is_said_of_the_call(runtime: str, options: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ask.made(Settings(), runtime, "", options)

    assert str(caught.value).startswith(words)


def test_an_agent_without_a_file_is_called_an_agent(asking: Asking) -> None:
    asked = asking.run("--runtime", "acp", "--option", "command=[/nope]", "hello")

    wrong = "agent is not installed (/nope is not found in PATH); install it, or correct `--option command=…`."
    assert (asked.returncode, asked.stderr) == (1, f"failed. {wrong}\n")


def test_a_runtime_with_options_gets_them_and_the_variables_that_they_name() -> None:
    settings = Settings(environment={"LANGGRAPH_KEY": "secret", "OPENAI_API_KEY": "", "OTHER": "x", "PATH": "/mine:/bin"})

    agent = ask.made(settings, "langgraph", "", ("url=http://127.0.0.1:2024", "key=LANGGRAPH_KEY", "configurable={depth: 2}"))

    assert agent.options == {"url": "http://127.0.0.1:2024", "key": "LANGGRAPH_KEY", "configurable": {"depth": 2}}
    assert agent.environment == ("LANGGRAPH_KEY", "PATH")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("correct `model:` in the command line. It said: no", "correct `--model`. It said: no"),
        ("put a newer one first in PATH, and name PATH under `environment:` in the command line.", "put a newer one first in PATH."),
        ("Put a valid key into frontdesk's environment, and name it under `environment:` in the command line.",
         "Put a valid key into frontdesk's environment."),
        ("There is no folder /x, which options.cwd in the command line names; make it.",
         "There is no folder /x, which `--option cwd=…` names; make it."),
    ],
)  # fmt: skip
def test_no_file_is_named_where_there_is_none(said: str, meant: str) -> None:
    assert ask.plain(said) == meant
