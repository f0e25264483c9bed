"""What changes in a file, and what its agent may do more: nothing that could be a right is hidden."""

import pytest

from bot.agent import Agent, parse
from bot.improve.diff import lines, wider

OLD = (
    "description: Reviews.\nruntime: claude_code\nenvironment: [ANTHROPIC_API_KEY]\noptions: {deny: [Bash, Edit], turns: 5}\n"
    "triggers: [{mention: ['#reviews']}]\nreply: private\nallow: {approve: [admins], run: [U0ANA]}\n"
    "budget: {usd_per_day: 5, minutes_per_turn: 10}"
)


def agent(*changes: tuple[str, str], body: str = "You review.") -> Agent:
    front = OLD
    for old, new in changes:
        assert old in front
        front = front.replace(old, new)
    return parse("reviewer", f"---\n{front}\n---\n{body}\n")


def test_a_diff_has_what_changes_and_a_little_around_it() -> None:
    old = "\n".join(["one", "two", "three", "four", "five", "six"])

    assert lines(old, old.replace("six", "6")) == ["@@ -4,3 +4,3 @@", " four", " five", "-six", "+6"]


def test_the_same_text_has_none() -> None:
    assert lines("one\n", "one\n") == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("approve: [admins]", "approve: [admins, members]", "members may approve what it wants to do, and this file"),
        ("run: [U0ANA]", "run: [everyone]", "everyone may ask it"),
        (", run: [U0ANA]", "", "members may ask it"),
        ("[ANTHROPIC_API_KEY]", "[ANTHROPIC_API_KEY, GITHUB_TOKEN]", "it sees the variable GITHUB_TOKEN"),
        ("deny: [Bash, Edit]", "deny: [Edit]", "options.deny: no longer Bash"),
        ("deny: [Bash, Edit], ", "", "options.deny: no longer Bash"),
        ("turns: 5", "turns: 50", "options.turns: 5 becomes 50"),
        ("turns: 5", "turns: 5, allow: [Bash]", 'options.allow: nothing becomes ["Bash"]'),
        ("usd_per_day: 5", "usd_per_day: 50", "budget.usd_per_day: 5 becomes 50"),
        ("usd_per_day: 5, ", "", "budget.usd_per_day: 5 becomes no limit"),
        ("reply: private", "reply: thread", "all see its answers"),
        ("reply: private", "reply: private\ntools: true", "it gets our tools"),
        ("reply: private", "reply: private\nworkspace: api", "workspace: nothing becomes api"),
        ("'#reviews'", "'#reviews', '*'", "it begins by mentions everywhere"),
        ("claude_code", "codex", "runtime: claude_code becomes codex"),
    ],
)
def test_each_right_that_is_more_is_said(old: str, new: str, said: str) -> None:
    assert said in wider(agent(), agent((old, new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("description: Reviews.", "description: Reviews pull requests."),
        ("usd_per_day: 5", "usd_per_day: 1"),
        ("deny: [Bash, Edit]", "deny: [Bash, Edit, Write]"),
        ("[ANTHROPIC_API_KEY]", "[]"),
        ("reply: private", "reply: private\nprompts: [{title: Hello, message: hello}]"),
    ],
)
def test_less_is_no_more(old: str, new: str) -> None:
    assert wider(agent(), agent((old, new), body="You review with care.")) == []
