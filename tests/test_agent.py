"""What people get wrong in an agent's file, and the sentence that they are told."""

import re
from pathlib import Path

import pytest

from bot.agent import Agent, parse
from bot.errors import ConfigError
from bot.route import conflicts
from bot.runtimes import build
from bot.store.files import Agents

GOOD = """\
---
description: Reviews pull requests.
runtime: echo
triggers:
  - mention: ["#reviews", C0123ABCD]
  - command: /review
allow: {approve: ["@platform"]}
---
You review for {{ person.name }}.
"""


def file(front: str, body: str = "Be kind.") -> str:
    return f"---\ndescription: Reviews.\nruntime: echo\n{front}\n---\n{body}\n"


def told(text: str, name: str = "reviewer") -> str:
    """What a file's author is told."""
    with pytest.raises(ConfigError) as caught:
        parse(name, text)
    return str(caught.value)


def test_a_good_file_is_an_agent() -> None:
    agent = parse("reviewer", GOOD)

    assert (agent.name, agent.runtime, agent.instructions) == ("reviewer", "echo", "You review for {{ person.name }}.")
    assert agent.claims() == ["mentions in #reviews", "mentions in C0123ABCD", "the command /review"]
    assert agent.names() == {"#reviews", "@platform"}


@pytest.mark.parametrize(("front", "improve"), [("budget: {}", None), ("improve: false", False), ("improve: true", True)])
def test_a_file_says_whether_its_agent_is_asked_what_would_have_helped(front: str, improve: bool | None) -> None:
    assert parse("reviewer", file(front)).improve is improve


def test_the_version_changes_with_every_letter() -> None:
    assert parse("reviewer", GOOD).version != parse("reviewer", GOOD + "!").version


def test_a_file_of_windows_is_read_as_any_other() -> None:
    agent = parse("reviewer", "\ufeff" + GOOD.replace("\n", "\r\n"))

    assert agent.instructions == "You review for {{ person.name }}."


def test_names_become_ids_and_a_name_without_one_stays() -> None:
    agent = parse("reviewer", GOOD).resolved({"#reviews": "C1"})

    assert agent.triggers[0].mention == ("C1", "C0123ABCD")
    assert agent.allow.approve == ("@platform",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("You review.", "the first line has to be ---, then keys and values, then --- again, then what the agent is told"),
        ("---\ndescription: x\n", "the front matter that begins with --- has no second --- to end it"),
        ("---\n- a\n---\n", "the front matter has to be keys and values, like `description: Answers questions.`"),
        ("---\nruntime: echo\n---\n", "description: is missing"),
        ("---\ndescription: x\n---\n", "runtime: is missing"),
        ("---\ndescription:\nruntime: echo\n---\n", "description: is empty"),
        (file("triggers:\n  mention: x"), "triggers: has to be a list: begin each line with `- `"),
        (file("triggers:\n  - mention: #reviews"), "triggers.0.mention: is empty (a text that begins with # has to be in quotes)"),
        (file("budget: 5"), "budget: has to be keys and values, like `key: value`, each in a line of its own (it is 5)"),
        (file("descripton: y"), "descripton: unknown key; did you mean 'description'?"),
        (file("trigger: []"), "trigger: unknown key; did you mean 'triggers'?"),
        (file("name: other"), "name: the agent is called like its file, 'reviewer'; remove the key, or rename the file"),
        (file("version: 1"), "version: not a key of an agent's file; the text below the front matter is the instructions"),
        (
            file("options: {a: &a [x, y], b: *a}"),
            "the front matter is no YAML: *a stands for something else in line 4, column 28: options",
        ),
        (file("model: 5"), "model: has to be a text: put it in quotes (it is 5)"),
        (file("tools: yes please"), "tools: has to be true or false (it is 'yes please')"),
        (file("reply: loud"), "reply: has to be 'thread' or 'private' (it is 'loud')"),
        (file("budget: {usd_per_day: 0}"), "budget.usd_per_day: has to be greater than 0 (it is 0)"),
        (file("budget: {usd_pro_day: 1}"), "budget.usd_pro_day: unknown key; did you mean 'usd_per_day'?"),
        (file("triggers: [{}]"), "triggers.0: each trigger has exactly one key: mention, messages, dm, command, shortcut, reaction,"),
        (file("triggers: [{mentoin: x}]"), "triggers.0.mentoin: unknown key; did you mean 'mention'?"),
        (
            file("triggers: [{command: Review}]"),
            "triggers.0.command: 'Review' is no command: it is written /like-this, in small letters, at most 32 characters",
        ),
        (
            file("triggers: [{messages: {channel: C1, pattern: '('}}]"),
            "triggers.0.messages.pattern: '(' is no regular expression: missing ), unterminated subpattern at position 0 (it is '(')",
        ),
        (
            file("triggers: [{shortcut: {callback: t, name: A name that is far too long}}]"),
            "triggers.0.shortcut.name: String should have at most 24 characters (it is 'A name that is far too long')",
        ),
        (
            file("allow: {run: [member]}"),
            "allow.run: 'member' is nobody; did you mean 'members'?: say members, admins, guests, everyone, asker, @group or an id",
        ),
    ],
)
def test_each_mistake_is_told_with_its_place(text: str, sentence: str) -> None:
    assert told(text).removeprefix("agents/reviewer.md: ").startswith(sentence)


def test_front_matter_that_is_no_yaml_says_where() -> None:
    sentence = told("---\nruntime: echo\ndescription: [x\n---\n")

    assert sentence.startswith("agents/reviewer.md: the front matter is no YAML: while parsing a flow sequence in line 3, column 14")


@pytest.mark.parametrize(
    ("front", "remedy"),
    [
        ("model: fast: very", "put a text that has a colon in it in quotes, and begin keys that belong together in one column"),
        ("  model: fast", "put a text that has a colon in it in quotes, and begin keys that belong together in one column"),
        ("model: fast\nmodel: slow", "the first would not count: make one of them"),
        ("budget: {usd_per_day: 1, usd_per_day: 2}", "the first would not count: make one of them"),
        ("triggers:\n\t- dm: true", "begin lines with spaces, not tabs"),
        ("triggers:\n  - mention: [#reviews]\n  - dm: true", 'put what begins with # in quotes, like ["#reviews"]'),
        ("triggers:\n  - mention: [*]", 'put the * in quotes, like ["*"]'),
        ("allow: {approve: @platform}", "put it in quotes"),
        ("allow: {approve: [“@platform”]}", 'use straight quotes (")'),
        ("triggers:\n  - mention: [“*”]", 'use straight quotes (")'),
    ],
)
def test_what_is_no_yaml_is_told_with_its_remedy(front: str, remedy: str) -> None:
    assert told(file(front)).endswith(f"; {remedy}")


def test_a_broken_template_is_told_before_anybody_asks() -> None:
    text = file("", "Hello.\n{{ person.name }\nBye.")

    sentence = told(text)

    assert sentence.startswith("agents/reviewer.md: the text below the front matter is no template: ")
    assert sentence.endswith(f"line {text.splitlines().index('{{ person.name }') + 1}")


@pytest.mark.parametrize(
    ("runtime", "front"),
    [
        ("echo", "environment: [OPENAI_API_KEY=sk-a-secret]"),
        ("echo", "triggers: [{webhook: {source: github, secret: sk-a-secret, post_to: C1, prompt: Look}}]"),
        ("codex", "options: {key: sk-a-secret}"),
        ("http", "options: {profile: cursor, key: sk-a-secret}"),
        ("responses", "options: {key: sk-a-secret}"),
    ],
)
def test_a_secret_that_stands_where_a_variable_belongs_is_refused_and_not_said_again(runtime: str, front: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(parse("reviewer", file(front).replace("runtime: echo", f"runtime: {runtime}")))

    assert re.search("name the variable that|write the variable's name here", str(caught.value))
    assert "sk-a-secret" not in str(caught.value)


def test_a_file_name_that_cannot_be_a_name_is_told() -> None:
    sentence = told(GOOD, "My Reviewer")

    assert sentence.startswith("agents/My Reviewer.md: an agent's name is its file's: small letters, digits, - and _, at most 40 of them")
    assert sentence.endswith("; rename the file")


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    lines = told(file("reply: loud\ncolour: red")).splitlines()

    assert len(lines) == 2
    assert all(line.startswith("agents/reviewer.md: ") for line in lines)


def test_a_place_that_two_agents_claim_names_both_files() -> None:
    one, other = parse("one", file("triggers: [{command: /go}, {dm: true}]")), parse("other", file("triggers: [{command: /go}]"))

    assert conflicts([one, other]) == ["agents/one.md and agents/other.md both claim the command /go; remove it from one of them"]


def test_the_agents_that_come_along_are_good() -> None:
    folder = Agents(Path(__file__).parents[1] / "agents")

    folder.load()

    assert not folder.problems
    assert all(isinstance(agent, Agent) for agent in folder.agents)
    assert {"helper", "coder", "triage"} <= {agent.name for agent in folder.agents}
