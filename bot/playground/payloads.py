"""The payloads of clicks, commands, shortcuts and forms, as Slack sends them."""

from . import modals
from .choice import Choice
from .elements import CHOSEN
from .events import VERIFICATION
from .things import Channel, Json, Person, View
from .world import APP, World, domain


def head(world: World, kind: str, person: Person) -> Json:
    user = {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team_id}
    home = {"id": world.team, "domain": world.domain}
    more = {"enterprise": None, "is_enterprise_install": False}
    return {"type": kind, "team": home, "user": user, "api_app_id": APP, "token": VERIFICATION, **more}


def in_view(world: World, kind: str, person: Person) -> Json:
    """In a view `team` is the person's own; the app's is `view.app_installed_team_id`."""
    return head(world, kind, person) | {"team": {"id": person.team_id, "domain": domain(person.team_id)}}


def place(channel: Channel) -> Json:
    return {"id": channel.id, "name": "directmessage" if channel.kind == "im" else channel.name}


def action(world: World, choice: Choice, entry: Json) -> Json:
    """One item of `actions`; `entry` is what the element now holds."""
    node = choice.node
    base = {"action_id": node["action_id"], "block_id": choice.block["block_id"], "type": node["type"], "action_ts": world.ts()}
    if node["type"] == "feedback_buttons":
        side = choice.option or node["positive_button"]
        return base | {"text": side["text"], "value": side["value"]}
    if node["type"] in CHOSEN:
        return base | entry | ({"placeholder": node["placeholder"]} if "placeholder" in node else {})
    return base | {name: node[name] for name in ("text", "value", "style", "url", "icon") if name in node}


def pressed_message(world: World, person: Person, channel: Channel, message: Json, action: Json) -> Json:
    ephemeral, thread = bool(message.get("is_ephemeral")), str(message.get("thread_ts") or "")
    hook = world.hook("actions", channel.id, person.id, ts=message["ts"], thread=thread, ephemeral=ephemeral)
    state = world.inputs.get((channel.id, message["ts"], person.id), {})
    more = {"trigger_id": world.trigger(person.id), "state": {"values": state}, "response_url": hook, "actions": [action]}
    return head(world, "block_actions", person) | beside_message(channel, message) | more


def pressed_view(world: World, person: Person, view: View, action: Json) -> Json:
    more = {"actions": [action], "trigger_id": world.trigger(person.id, view.id)}
    return in_view(world, "block_actions", person) | beside_view(view) | more


def submitted(world: World, person: Person, view: View) -> Json:
    trigger = world.trigger(person.id, view.id)
    return in_view(world, "view_submission", person) | {
        "trigger_id": trigger,
        "view": view.shown(),
        "response_urls": _urls(world, person, view),
    }


def _urls(world: World, person: Person, view: View) -> list[Json]:
    found = []
    for block, node in modals.inputs(view.body["blocks"]):
        where = view.state[block["block_id"]][node["action_id"]].get(CHOSEN[node["type"]])
        if node.get("response_url_enabled") and isinstance(where, str):
            ids = {"block_id": block["block_id"], "action_id": node["action_id"], "channel_id": where}
            found.append(ids | {"response_url": world.hook("actions", where, person.id)})
    return found


def closed(world: World, person: Person, view: View, cleared: bool) -> Json:
    return in_view(world, "view_closed", person) | {"view": view.shown(), "is_cleared": cleared}


def command(world: World, person: Person, channel: Channel, name: str, text: str) -> Json:
    return {
        "token": VERIFICATION, "team_id": world.team, "team_domain": world.domain, "channel_id": channel.id,
        "channel_name": place(channel)["name"],
        "user_id": person.id, "user_name": person.name, "command": name, "text": text, "api_app_id": APP,
        "is_enterprise_install": "false", "response_url": world.hook("commands", channel.id, person.id),
        "trigger_id": world.trigger(person.id),
    }  # fmt: skip


def shortcut(world: World, person: Person, callback: str) -> Json:
    return head(world, "shortcut", person) | {"callback_id": callback, "trigger_id": world.trigger(person.id), "action_ts": world.ts()}


def message_action(world: World, person: Person, channel: Channel, message: Json, callback: str) -> Json:
    thread = message.get("thread_ts", "")
    return head(world, "message_action", person) | {
        "callback_id": callback, "trigger_id": world.trigger(person.id), "action_ts": world.ts(), "channel": place(channel),
        "message_ts": message["ts"], "message": message,
        "response_url": world.hook("actions", channel.id, person.id, thread=thread),
    }  # fmt: skip


def beside_view(view: View) -> Json:
    return {"container": {"type": "view", "view_id": view.id}, "view": view.shown()}


def beside_message(channel: Channel, message: Json) -> Json:
    ephemeral = bool(message.get("is_ephemeral"))
    container = {"type": "message", "message_ts": message["ts"], "channel_id": channel.id, "is_ephemeral": ephemeral}
    thread = {"thread_ts": message["thread_ts"]} if message.get("thread_ts") else {}
    return {"container": container | thread, "channel": place(channel), **({} if ephemeral else {"message": message})}


def suggestion(world: World, person: Person, choice: Choice, text: str, where: Json) -> Json:
    ids = {"action_id": choice.node["action_id"], "block_id": choice.block["block_id"], "value": text}
    return head(world, "block_suggestion", person) | ids | where
