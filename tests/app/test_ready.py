"""Whether agents can begin is known before somebody asks them, and nothing is made by looking."""

import os
import sys
from pathlib import Path

import pytest

from bot import sandbox
from bot.agent import parse
from bot.app import ready
from bot.settings import Settings

KEY = {"OPENAI_API_KEY": "sk-x"}


async def told(folder: Path, front: str, **environment: str) -> tuple[bool, str]:
    """What is found of an agent whose file says this."""
    (folder / "agents").mkdir(exist_ok=True)
    agent = parse("coder", f"---\ndescription: Codes.\nenvironment: [OPENAI_API_KEY, PATH]\n{front}\n---\nCode.\n")
    found = await ready.examined(Settings(agents_dir=folder / "agents", environment=environment), [agent])
    return all(each.ok for each in found), "\n".join(each.words for each in found)


def program(folder: Path, name: str, script: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.mark.parametrize("runtime", ["opencode", "pi", "hermes", "codex", "stream_json", "deepagents", "acp"])
async def test_a_path_where_nothing_is(tmp_path: Path, runtime: str) -> None:
    (tmp_path / "g.py").touch()
    more = {"stream_json": ", command: [agent]", "deepagents": f", graph: '{tmp_path}/g.py:graph'", "acp": ", harness: opencode"}

    ok, said = await told(tmp_path, f"runtime: {runtime}\noptions: {{path: /nope/it{more.get(runtime, '')}}}", **KEY)

    assert not ok
    assert said.startswith("There is no /nope/it, which options.path names; ")


@pytest.mark.parametrize(
    ("front", "words"),
    [
        ("runtime: acp\noptions: {harness: gemini}", "Gemini CLI is not installed (gemini is not found in PATH); install it with: npm "),
        ("runtime: acp\noptions: {command: [agent-x]}", "coder is not installed (agent-x is not found in PATH); install it, or correct "),
        ("runtime: stream_json\noptions: {command: [agent-x, -p]}", "agent-x is not installed (agent-x is not found in PATH); "),
        ("runtime: acp", "agents/coder.md: options: nothing says what to begin; write `command:` under `options:`, "),
        ("runtime: deepagents\noptions: {graph: 'nofile.py:graph'}", "There is no file "),
        ("runtime: echo\nworkspace: api", "agents/coder.md: workspace: there is no 'api' in agents/workspaces.yaml; it names none yet"),
        ("runtime: claude-code", "agents/coder.md: runtime: there is no 'claude-code'; did you mean 'claude_code'?"),
        ("runtime: echo\nfallback: [codx]", "agents/coder.md: fallback: there is no 'codx'; did you mean 'codex'?"),
        ("runtime: stream_json\noptions: {command: [sh], cwd: /nope}", "There is no folder /nope, which options.cwd in agents/coder.md "),
    ],
)
async def test_what_keeps_an_agent_from_beginning(tmp_path: Path, front: str, words: str) -> None:
    ok, said = await told(tmp_path, front, **KEY, PATH="/usr/bin:/bin")

    assert (ok, said[: len(words)]) == (False, words)


@pytest.mark.parametrize(("name", "title"), [("opencode", "OpenCode"), ("pi", "Pi"), ("hermes", "Hermes")])
async def test_one_that_has_no_key(tmp_path: Path, name: str, title: str) -> None:
    path = program(tmp_path, name, "echo 1.99.0")

    ok, said = await told(tmp_path, f"runtime: {name}\noptions: {{path: {path}}}", PATH="/usr/bin:/bin")

    assert not ok
    assert said.startswith(f"{title} has no key of a model. Put one into frontdesk's environment, and name it under `environment:` in ")


async def test_one_that_has_all_that_it_needs(tmp_path: Path) -> None:
    path = program(tmp_path, "opencode", "echo 1.18.33")

    ok, said = await told(tmp_path, f"runtime: opencode\noptions: {{path: {path}}}", **KEY)

    assert (ok, said.partition(";")[0]) == (True, "opencode is ready")


async def test_one_whose_questions_nobody_may_allow_is_ready_and_a_hint_says_so() -> None:
    asks = "---\ndescription: Codes.\nruntime: stream_json\noptions: {command: [sh]}\n"
    agents = [parse("coder", f"{asks}{more}\n---\nCode.\n") for more in ("", "allow: {approve: [members]}")]

    alone, allowed = [each.remedy for each in await ready.examined(Settings(), agents) if each.ok]

    assert alone.startswith("agents/coder.md: whatever it asks leave for can only be denied; name who may allow it")
    assert not allowed


@pytest.mark.parametrize(
    ("name", "script", "words"),
    [
        ("opencode", "echo 1.2.9", "OpenCode 1.2.9 is too old; 1.18 or newer is needed: install it with: npm install -g opencode-ai"),
        ("codex", "echo codex-cli 0.99.0", "Codex 0.99.0 is too old; 0.163 or newer is needed: "),
        (
            "pi",
            "echo 'Node.js v20.20.2'; exit 1",
            "Pi needs Node 22.19 or newer, and found 20.20.2; put a newer one first in PATH, ",
        ),
        (
            "hermes",
            "echo no module; exit 1",
            "Hermes does not run: {path} --version ended with code 1. It said: no module\ninstall it ",
        ),
        (
            "codex",
            "echo Not logged in; exit 1",
            "Codex does not run: {path} --version ended with code 1. It said: Not logged in\nPut its key into frontdesk's environment",
        ),
    ],
)
async def test_one_that_is_too_old_or_broken(tmp_path: Path, name: str, script: str, words: str) -> None:
    path = program(tmp_path, name, script)

    ok, said = await told(tmp_path, f"runtime: {name}\noptions: {{path: {path}}}", **KEY)

    assert not ok
    assert said.startswith(words.format(path=path))


async def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    (file := tmp_path / "codex").touch()

    ok, said = await told(tmp_path, f"runtime: codex\noptions: {{path: {file}}}", **KEY)

    assert (ok, said) == (False, f"{file}, which options.path names, cannot be run; allow it with: chmod +x {file}")


async def test_one_that_its_sandbox_hides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path, "codex", "echo codex-cli 0.169.0")
    monkeypatch.setattr(sandbox, "SERVICES", (str(tmp_path), *sandbox.SERVICES))
    front = f"runtime: codex\noptions: {{path: {path}, sandbox: bwrap"

    ok, said = await told(tmp_path, f"{front}}}", **KEY)
    _, shown = await told(tmp_path, f"{front}, cwd: {tmp_path}}}", **KEY)

    assert (ok, said) == (False, f"Codex cannot be begun in its sandbox, which hides {path}; put it elsewhere than there.")
    assert "hides" not in shown


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ("{repository: nonsense}", "agents/workspaces.yaml: api.repository: write where it is: "),
        ("{repository: /srv/api, token: API_TOKEN}", "agents/workspaces.yaml: api: the variable API_TOKEN is not set; set it where "),
    ],
)
async def test_one_whose_workspace_cannot_be_made(tmp_path: Path, about: str, words: str) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "workspaces.yaml").write_text(f"api: {about}\n")

    ok, said = await told(tmp_path, "runtime: echo\nworkspace: api")
    _, given = await told(tmp_path, "runtime: echo\nworkspace: api", API_TOKEN="t")

    assert (ok, said[: len(words)], "\n" in said) == (False, words, False)
    assert given == ("echo is ready; not set: OPENAI_API_KEY, PATH" if "API_TOKEN" in about else said)


async def test_each_that_may_stand_in_is_looked_at(tmp_path: Path) -> None:
    front = (
        f"runtime: stream_json\noptions: {{command: ['{sys.executable}']}}\nfallback: [{{runtime: codex, options: {{path: /nope/codex}}}}]"
    )

    ok, said = await told(tmp_path, front, **KEY)

    assert not ok
    assert "There is no /nope/codex" in said


async def test_to_look_at_a_database_makes_none(tmp_path: Path) -> None:
    found = await ready.database(Settings(database_url=f"sqlite:///{tmp_path}/frontdesk.db"))

    assert (found.ok, found.words, os.listdir(tmp_path)) == (True, "frontdesk.db is made by: frontdesk run", [])


async def test_where_a_database_cannot_be_made_is_said(tmp_path: Path) -> None:
    found = await ready.database(Settings(database_url=f"sqlite:///{tmp_path}/away/frontdesk.db"))

    assert (found.ok, found.words) == (False, f"{tmp_path}/away/frontdesk.db cannot be made")
