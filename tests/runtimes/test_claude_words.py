"""What Claude Code does and wants, in words."""

import json
from pathlib import Path

import pytest
from claude_agent_sdk import PermissionUpdate

from bot.agent import Agent
from bot.ports import Turn
from bot.runtimes import claude_words as words
from bot.runtimes.claude_code import worded
from bot.runtimes.claude_memory import Memory, written
from bot.runtimes.claude_questions import for_session
from bot.runtimes.coding import AGAIN

WORK = Path("/srv/work")
LINES = "".join(f"line {number}\n" for number in range(500))
ISSUE = {"title": "e" * 9999, "labels": ["ä"]}


@pytest.mark.parametrize(
    ("tool", "given", "title", "kind"),
    [
        ("Read", {"file_path": "/srv/work/bot/app.py"}, "Read bot/app.py", "read"),
        ("Edit", {"file_path": "/etc/hosts", "old_string": "a" * 999}, "Edit /etc/hosts", "edit"),
        ("Bash", {"command": "make test"}, "Run: make test", "execute"),
        ("Bash", {"command": "make test\nmake lint"}, "Run: make test …", "execute"),
        ("Bash", {"command": "make test", "description": "Run the tests"}, "Run the tests", "execute"),
        ("Grep", {"pattern": "foo", "path": "/srv/work/bot"}, "Search for 'foo' in bot", "search"),
        ("WebFetch", {"url": "https://example.com", "prompt": "?"}, "Fetch https://example.com", "fetch"),
        ("Agent", {"description": "Look around", "prompt": "…"}, "Sub-agent: Look around", "agent"),
        ("mcp__github__create_issue", {"title": "x"}, "github: create issue", "other"),
        ("Bash", {}, "Run:", "execute"),
    ],
)
def test_a_step_has_a_title_that_people_understand(tool: str, given: dict[str, str], title: str, kind: str) -> None:
    assert words.title(tool, given, WORK) == title
    assert words.kind(tool) == kind


def test_a_title_is_short_however_long_the_command() -> None:
    assert len(words.title("Bash", {"command": "x" * 9999}, WORK)) == 80


@pytest.mark.parametrize(
    ("tool", "given", "shown"),
    [
        ("Bash", {"command": LINES, "dangerouslyDisableSandbox": True}, LINES + '\n\n{\n  "dangerouslyDisableSandbox": true\n}'),
        ("Write", {"file_path": "/a", "content": LINES}, f"/a\n\n{LINES}"),
        (
            "Edit",
            {"file_path": "/a", "old_string": "a\n" + "c" * 9999, "new_string": "b\n" + "d" * 9999, "replace_all": True},
            f"/a\n\n- a\n- {'c' * 9999}\n+ b\n+ {'d' * 9999}\n\n" + '{\n  "replace_all": true\n}',
        ),
        ("mcp__github__create_issue", ISSUE, json.dumps(ISSUE, indent=2, ensure_ascii=False)),
    ],
    ids=["command", "file", "change", "anything"],
)
def test_what_is_to_be_allowed_is_shown_whole(tool: str, given: dict[str, object], shown: str) -> None:
    assert words.exact(tool, given) == shown


def test_the_narrowest_of_what_is_suggested_is_allowed_for_the_session() -> None:
    rules = [{"toolName": "Bash", "ruleContent": "touch a *"}]
    rule = PermissionUpdate.from_dict({"type": "addRules", "rules": rules, "behavior": "allow", "destination": "localSettings"})
    mode = PermissionUpdate("setMode", mode="acceptEdits", destination="session")

    (narrow,) = for_session([rule, mode])

    assert (narrow.rules, narrow.destination) == (rule.rules, "session")
    assert for_session([mode]) == [mode]
    assert not for_session([PermissionUpdate("setMode", mode="bypassPermissions", destination="session")])


def test_a_rule_is_written_as_settings_hold_it() -> None:
    assert written("Bash", 'echo "(a)"') == r'Bash(echo "\(a\)")'
    assert written("WebSearch", None) == "WebSearch"


def test_a_memory_that_cannot_be_read_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "claude.json").write_text("{broken")

    assert Memory.read(tmp_path) == Memory()


def test_a_total_that_began_anew_is_all_new() -> None:
    memory = Memory(usd=0.5)

    assert memory.spend(0.75) == 0.25
    assert memory.spend(0.25) == 0.25


def test_what_was_asked_is_said_again_only_if_the_transcript_lacks_it(tmp_path: Path) -> None:
    agent = Agent(name="coder", version="1", description="Codes.", runtime="claude_code")
    turn = Turn("s", 1, agent, 'Mend "it"\nplease', resume="r", again=True)
    (holds := tmp_path / "a").write_text(json.dumps({"type": "user", "message": {"content": turn.prompt}}) + '\n{"type":"user","mess')
    (lacks := tmp_path / "b").write_text(json.dumps({"type": "user", "message": {"content": "Hello"}}))

    assert worded(turn, holds) == AGAIN
    assert worded(turn, lacks) == f"{AGAIN} The request was:\n\n{turn.prompt}"
    assert worded(turn, None) == turn.prompt


@pytest.mark.parametrize(("status", "told"), [(403, "credentials (403). Do."), (500, "Try again"), (None, "cannot be reached")])
def test_a_refusal_says_what_helps(status: int | None, told: str) -> None:
    assert told in words.failure("API Error", status, "agents/coder.md", "Do.")


def test_what_helps_with_a_key_is_what_has_not_been_done_yet() -> None:
    unnamed = Agent(name="coder", version="1", description="Codes.", runtime="claude_code")
    named = unnamed.model_copy(update={"environment": ("ANTHROPIC_API_KEY",)})

    assert words.missing(unnamed, {}).endswith("and name it under `environment:` in agents/coder.md.")
    assert words.missing(named, {}).startswith("Set ANTHROPIC_API_KEY in frontdesk's environment, where agents/coder.md expects it")
    assert "in place of the one that is there" in words.missing(named, {"ANTHROPIC_API_KEY": "sk-x"})
