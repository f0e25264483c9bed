"""The app as Slack has to know it: what the agents' files need, as an app manifest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from bot.agent import Agent
from bot.errors import ConfigError
from bot.trigger import Trigger

Json = dict[str, Any]
NAME = "Frontdesk"
DESCRIPTION = "The front desk of your company's agents."
ABOUT = "Ask in plain words: the desk finds the agent that is meant, shows what it does, and brings you its questions."
REMEDY = "write it again with: frontdesk manifest --write"

# https://docs.slack.dev/reference/events: each event, and the scope without which Slack does not send it.
EVENTS = {
    "agent_session_stopped": "chat:write",
    "app_home_opened": "",
    "app_mention": "app_mentions:read",
    "channel_created": "channels:read",
    "channel_rename": "channels:read",
    "group_rename": "groups:read",
    "member_joined_channel": "channels:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "reaction_added": "reactions:read",
    "subteam_created": "usergroups:read",
    "subteam_members_changed": "usergroups:read",
    "subteam_updated": "usergroups:read",
    "user_change": "users:read",
}
# What the desk calls needs these besides.
CALLS = ("assistant:write", "chat:write", "commands", "files:read", "files:write", "im:read", "im:write", "mpim:read", "reactions:write")
SCOPES = tuple(sorted({scope for scope in EVENTS.values() if scope} | set(CALLS)))

DOES = "Make an agent, or let one begin by itself."
OWN = {"command": "/frontdesk", "description": DOES, "usage_hint": "new, schedule, schedules, or help", "should_escape": True}

# https://docs.slack.dev/reference/app-manifest: where it stands, and how many characters (or entries) it may have.
LENGTHS = {
    "display_information.name": 35,
    "display_information.description": 140,
    "display_information.long_description": 4000,
    "features.bot_user.display_name": 80,
    "features.agent_view.agent_description": 300,
    "features.slash_commands.command": 32,
    "features.slash_commands.description": 2000,
    "features.slash_commands.usage_hint": 1000,
    "features.shortcuts.name": 24,
    "features.shortcuts.callback_id": 255,
    "features.shortcuts.description": 150,
}
COUNTS = {
    "features.slash_commands": (50, "slash commands"),
    "features.shortcuts": (10, "shortcuts"),
    "features.agent_view.suggested_prompts": (4, "suggested prompts"),
}


def manifest(agents: Sequence[Agent], now: Mapping[str, Any] | None = None) -> Json:
    """The app's manifest; of the one there is `now` the name and the descriptions stay. Raises ConfigError past Slack's limits."""
    now, view = now or {}, {"agent_description": ABOUT, "suggested_prompts": prompts(agents)}
    features: Json = {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
        "bot_user": {"display_name": at(now, "features.bot_user.display_name") or NAME, "always_online": True},
        "agent_view": view | {"agent_description": at(now, "features.agent_view.agent_description") or ABOUT},
        "slash_commands": commands(agents),
        "shortcuts": shortcuts(agents),
    }
    made: Json = {
        "display_information": at(now, "display_information") or {"name": NAME, "description": DESCRIPTION},
        "features": {key: value for key, value in features.items() if value},  # an empty list is an error to Slack
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }
    if wrong := list(excess(made)):
        raise ConfigError("\n".join(wrong))
    return made


def commands(agents: Sequence[Agent]) -> list[Json]:
    made = {str(OWN["command"]): dict(OWN)} | {
        trigger.command: {
            "command": trigger.command,
            "description": agent.description,
            "usage_hint": "what you want, in plain words",
            "should_escape": True,
        }
        for agent, trigger in triggers(reversed(agents))
        if trigger.command
    }
    return [made[command] for command in sorted(made)]


def shortcuts(agents: Sequence[Agent]) -> list[Json]:
    made = {
        shortcut.callback: {
            "name": shortcut.name,
            "type": "message",
            "callback_id": shortcut.callback,
            "description": short(agent.description, LENGTHS["features.shortcuts.description"]),
        }
        for agent, trigger in triggers(reversed(agents))
        if (shortcut := trigger.shortcut)
    }
    return [made[callback] for callback in sorted(made)]


def prompts(agents: Sequence[Agent]) -> list[Json]:
    """What the direct message suggests: first what its own agent does, then others, called by their names."""
    own = [agent for agent in agents if any(trigger.dm for trigger in agent.triggers)][:1]
    others = sorted((agent for agent in agents if agent not in own), key=lambda agent: agent.name)
    made = [{"title": prompt.title, "message": prompt.message} for agent in own for prompt in agent.prompts]
    made += [{"title": prompt.title, "message": f"{agent.name}: {prompt.message}"} for agent in others for prompt in agent.prompts]
    return made[: COUNTS["features.agent_view.suggested_prompts"][0]]


def triggers(agents: Iterable[Agent]) -> Iterator[tuple[Agent, Trigger]]:
    return ((agent, trigger) for agent in agents for trigger in agent.triggers)


def short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def at(tree: Any, path: str) -> Any:
    """What stands at a path like features.bot_user; None where nothing does."""
    for step in path.split("."):
        tree = tree.get(step) if isinstance(tree, Mapping) else None
    return tree


def excess(made: Json) -> Iterator[str]:
    """Each place where the manifest has more than Slack takes, in words."""
    for path, (most, what) in COUNTS.items():
        if (count := len(at(made, path) or [])) > most:
            yield f"manifest: {path} has {count} {what}, and Slack takes {most}; remove {count - most} from the agents' files"
    for path, most in LENGTHS.items():
        above, _, key = path.rpartition(".")
        found = at(made, above)
        for entry in found if isinstance(found, list) else [found or {}]:
            if len(text := str(entry.get(key, ""))) > most:
                yield f"manifest: {path} {short(text, 40)!r} has {len(text)} characters, and Slack takes {most}; shorten it"


def text(manifest: Json) -> str:
    """The manifest as YAML, always in the same order."""
    return yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=120)


def read(file: str) -> Json:
    """The manifest in a file's text. Raises ConfigError."""
    try:
        found = yaml.safe_load(file)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"manifest.yaml: this is no YAML: {' '.join(str(error).split())}; {REMEDY}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"manifest.yaml: this is no app manifest; {REMEDY}")
    return found


def lag(agents: Sequence[Agent], file_text: str) -> list[str]:
    """What manifest.yaml lacks or has too much, beside what these agents need, in words. Its name and descriptions are its owner's."""
    have = read(file_text)
    need = manifest(agents, have)
    found = [*excess(have)]
    for path, key, what in LISTS:
        found += differences(what, keyed(at(have, path), key), keyed(at(need, path), key))
    for path in SWITCHES:
        if at(have, path) != (right := at(need, path)):
            found.append(f"manifest.yaml: {path} has to be {str(right).lower()}; {REMEDY}")
    return found


LISTS = (
    ("features.slash_commands", "command", "the command"),
    ("features.shortcuts", "callback_id", "the shortcut"),
    ("features.agent_view.suggested_prompts", "title", "the suggested prompt"),
    ("oauth_config.scopes.bot", "", "the scope"),
    ("settings.event_subscriptions.bot_events", "", "the event"),
)
SWITCHES = (
    "features.app_home.home_tab_enabled",
    "features.app_home.messages_tab_enabled",
    "features.app_home.messages_tab_read_only_enabled",
    "settings.interactivity.is_enabled",
    "settings.socket_mode_enabled",
    "settings.token_rotation_enabled",
)


def keyed(entries: Any, key: str) -> dict[str, Any]:
    listed = entries if isinstance(entries, list) else []
    return {str(at(entry, key) if key else entry): entry for entry in listed}


def differences(what: str, have: Mapping[str, Any], need: Mapping[str, Any]) -> Iterator[str]:
    for name in need:
        if name not in have:
            yield f"manifest.yaml lacks {what} {name}; {REMEDY}"
        elif have[name] != need[name]:
            yield f"manifest.yaml has another text for {what} {name} than the agents' files; {REMEDY}"
    for name in have:
        if name not in need:
            yield f"manifest.yaml has {what} {name}, which no agent needs; {REMEDY}"
