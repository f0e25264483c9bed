"""The app manifest that agents' files need, and what Slack would refuse."""

from pathlib import Path

import pytest
import yaml

from bot.agent import Agent, parse
from bot.app import Frontdesk
from bot.errors import ConfigError
from bot.playground import Slack
from bot.slack.manifest import EVENTS, SCOPES, at, lag, manifest, prompts, text

ROOT = Path(__file__).parents[2]
AGAIN = "write it again with: frontdesk manifest --write"


def agent(name: str = "helper", *triggers: str, more: str = "", description: str = "Helps.") -> Agent:
    return parse(name, f"---\ndescription: {description}\nruntime: echo\ntriggers: [{', '.join(triggers)}]\n{more}\n---\nHelp.")


def suggest(*titles: str) -> str:
    return f"prompts: [{', '.join(f'{{title: {title}, message: Do {title}}}' for title in titles)}]"


TRIAGE = "{shortcut: {callback: triage, name: Triage}}"


def refused(*agents: Agent) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        manifest(agents)
    return str(caught.value).splitlines()


def test_commands_and_shortcuts_come_from_the_triggers() -> None:
    made = manifest([agent("helper", "{command: /help-me}", "{dm: true}"), agent("sorter", "{command: /a}", TRIAGE)])

    assert [each["command"] for each in at(made, "features.slash_commands")] == ["/a", "/frontdesk", "/help-me"]
    assert at(made, "features.slash_commands")[0] == {
        "command": "/a",
        "description": "Helps.",
        "usage_hint": "what you want, in plain words",
        "should_escape": True,
    }
    assert at(made, "features.shortcuts") == [
        {"name": "Triage", "type": "message", "callback_id": "triage", "description": "Helps."},
    ]


def test_the_desk_has_a_command_of_its_own_and_no_empty_list_of_shortcuts() -> None:
    made = manifest([agent()])

    assert [each["command"] for each in at(made, "features.slash_commands")] == ["/frontdesk"]
    assert "shortcuts" not in made["features"]


def test_the_app_is_an_agent_with_a_home_a_bot_and_a_socket() -> None:
    made = manifest([agent()])

    assert at(made, "features.agent_view.agent_description")
    assert at(made, "features.app_home.messages_tab_read_only_enabled") is False
    assert at(made, "features.bot_user.always_online") is True
    assert at(made, "settings.socket_mode_enabled") is True
    assert at(made, "settings.interactivity.is_enabled") is True
    assert at(made, "settings.token_rotation_enabled") is False
    assert at(made, "settings.org_deploy_enabled") is False


def test_each_event_has_its_scope_and_nothing_is_asked_for_twice() -> None:
    made = manifest([agent()])

    assert at(made, "settings.event_subscriptions.bot_events") == list(EVENTS)
    assert at(made, "oauth_config.scopes.bot") == sorted(SCOPES)
    assert {scope for scope in EVENTS.values() if scope} <= set(SCOPES)
    assert len(set(SCOPES)) == len(SCOPES)


def test_the_app_is_told_of_what_means_something_to_it_and_of_nothing_else(desk: Frontdesk) -> None:
    unasked = {"command", "block_actions", "message_action", "view_submission", "fired"}
    messages = {"message_changed": "message", "message_deleted": "message"}

    means = {messages.get(kind, kind) for kind in desk.listeners.handlers} - unasked

    assert {event.partition(".")[0] for event in EVENTS} == means


def test_the_direct_messages_own_agent_suggests_first_and_others_are_called_by_name() -> None:
    coder, helper = agent("coder", more=suggest("Fix", "Explain")), agent("helper", "{dm: true}", more=suggest("One", "Two", "Three"))

    assert prompts([coder, helper]) == [
        {"title": "One", "message": "Do One"},
        {"title": "Two", "message": "Do Two"},
        {"title": "Three", "message": "Do Three"},
        {"title": "Fix", "message": "coder: Do Fix"},
    ]


def test_a_long_description_is_shortened_where_slack_takes_less() -> None:
    made = manifest([agent("sorter", TRIAGE, "{command: /sort}", description="word " * 59)])

    shortened = at(made, "features.shortcuts")[0]["description"]
    assert (len(shortened) <= 150, shortened[-5:]) == (True, "word…")
    assert at(made, "features.slash_commands")[1]["description"] == ("word " * 59).strip()


def test_more_than_fifty_commands_are_refused() -> None:
    many = agent("helper", *(f"{{command: /c{n}}}" for n in range(50)))

    assert refused(many) == [
        "manifest: features.slash_commands has 51 slash commands, and Slack takes 50; remove 1 from the agents' files",
    ]
    assert manifest([agent("helper", *(f"{{command: /c{n}}}" for n in range(49)))])


def test_more_than_ten_shortcuts_are_refused() -> None:
    many = agent("helper", *(f"{{shortcut: {{callback: c{n}, name: N{n}}}}}" for n in range(11)))

    assert refused(many) == ["manifest: features.shortcuts has 11 shortcuts, and Slack takes 10; remove 1 from the agents' files"]


@pytest.mark.parametrize(
    ("front", "sentence"),
    [
        ("triggers: [{shortcut: {callback: c, name: 1234567890123456789012345}}]", "triggers.0.shortcut.name: "),
        (f"triggers: [{{shortcut: {{callback: {'c' * 256}, name: N}}}}]", "triggers.0.shortcut.callback: String should have at most 255"),
        (f"triggers: [{{command: /{'c' * 32}}}]", "triggers.0.command: "),
        (f"prompts: [{', '.join(['{title: t, message: m}'] * 5)}]", "prompts: Tuple should have at most 4 items"),
        (f"prompts: [{{title: {'t' * 61}, message: m}}]", "prompts.0.title: String should have at most 60 characters"),
    ],
)
def test_what_is_too_long_is_refused_in_the_file_itself(front: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse("helper", f"---\ndescription: Helps.\nruntime: echo\n{front}\n---\n")

    assert str(caught.value).startswith(f"agents/helper.md: {sentence}")


def test_a_description_of_more_than_300_characters_is_refused() -> None:
    with pytest.raises(ConfigError, match="description: String should have at most 300 characters"):
        agent(description="x" * 301)


def test_a_name_that_its_owner_made_too_long_is_refused() -> None:
    mine = {"display_information": {"name": "x" * 36}}

    with pytest.raises(ConfigError) as caught:
        manifest([agent()], mine)

    assert str(caught.value) == f"manifest: display_information.name '{'x' * 36}' has 36 characters, and Slack takes 35; shorten it"


def test_the_text_reads_back_as_it_was_and_never_changes_its_order() -> None:
    made = manifest([agent("helper", "{command: /a}", description="'What? Is: this # - {x}'")])

    assert yaml.safe_load(text(made)) == made
    assert text(made) == text(manifest([agent("helper", "{command: /a}", description="'What? Is: this # - {x}'")]))


def test_the_manifest_that_comes_along_is_not_behind() -> None:
    agents = [parse(path.stem, path.read_text()) for path in sorted((ROOT / "agents").glob("*.md")) if path.stem != "README"]

    assert lag(agents, (ROOT / "manifest.yaml").read_text()) == []


def test_a_manifest_of_yesterday_is_told_what_it_lacks_and_has_too_much() -> None:
    old = text(manifest([agent("helper", "{command: /old}", "{command: /same}")]))
    old = old.replace("- reactions:read", "- admin").replace("socket_mode_enabled: true", "socket_mode_enabled: false")

    told = lag([agent("helper", "{command: /new}", "{command: /same}", description="Other.")], old)

    assert told == [
        f"manifest.yaml lacks the command /new; {AGAIN}",
        f"manifest.yaml has another text for the command /same than the agents' files; {AGAIN}",
        f"manifest.yaml has the command /old, which no agent needs; {AGAIN}",
        f"manifest.yaml lacks the scope reactions:read; {AGAIN}",
        f"manifest.yaml has the scope admin, which no agent needs; {AGAIN}",
        f"manifest.yaml: settings.socket_mode_enabled has to be true; {AGAIN}",
    ]


def test_the_name_and_the_descriptions_are_the_owners() -> None:
    mine = manifest([agent()])
    mine["display_information"] = {"name": "Desk of Acme", "description": "Ours.", "background_color": "#123456"}
    mine["features"]["bot_user"]["display_name"] = "acme"
    mine["features"]["agent_view"]["agent_description"] = "Ask Acme."

    again = manifest([agent("helper", "{command: /new}")], mine)

    assert lag([agent()], text(mine)) == []
    assert again["display_information"] == mine["display_information"]
    assert at(again, "features.bot_user.display_name") == "acme"
    assert at(again, "features.agent_view.agent_description") == "Ask Acme."


@pytest.mark.parametrize("broken", ["", "- a", "a: [", "when: 2025-13-45"])
def test_a_file_that_is_no_manifest_is_told(broken: str) -> None:
    with pytest.raises(ConfigError, match=r"manifest\.yaml: this is no "):
        lag([agent()], broken)


async def test_the_stand_in_for_slack_takes_it_as_the_app() -> None:
    made = manifest([agent("helper", "{command: /a}", TRIAGE)])

    async with Slack(manifest=made) as slack:
        assert slack.scopes == set(SCOPES)
        assert slack.world.commands == {"/a", "/frontdesk"}
        assert slack.world.shortcuts == {"triage": "message"}
        assert slack.world.agent
