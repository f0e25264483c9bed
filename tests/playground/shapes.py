"""What Slack sends, as keys and types: written down from recorded payloads. More keys are allowed, fewer are not."""

import re
from collections.abc import Iterator
from typing import Any

Shape = Any  # a type, a pattern, a value, {key: Shape}, [Shape of each], or frozenset({one Shape, another})

TS = re.compile(r"\d{10}\.\d{6}")
TEAM, USER, BOT, APP, VIEW, FILE = (re.compile(letter + "[A-Z0-9]+") for letter in ("T", "U", "B", "A", "V", "F"))
PLACE, EVENT = re.compile("[CDG][A-Z0-9]+"), re.compile("Ev[A-Z0-9]+")
URL = re.compile(r"(http|ws)s?://\S+")
SOME = re.compile(".+", re.S)
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def wrong(shape: Shape, value: Any, at: str = "") -> Iterator[str]:
    """Where `value` is not as `shape` says."""
    match shape:
        case dict():
            if not isinstance(value, dict):
                yield f"{at}: an object is needed, not {value!r}"
                return
            yield from (f"{at}.{key} is missing" for key in shape if key not in value)
            for key in shape.keys() & value.keys():
                yield from wrong(shape[key], value[key], f"{at}.{key}")
        case [each]:
            if not isinstance(value, list) or not value:
                yield f"{at}: a list with something in it is needed, not {value!r}"
                return
            for index, item in enumerate(value):
                yield from wrong(each, item, f"{at}[{index}]")
        case _ if not simple(shape, value):
            yield f"{at}: {value!r} is not {shape}"


def simple(shape: Shape, value: Any) -> bool:
    if isinstance(shape, frozenset):
        return any(simple(each, value) for each in shape)
    if isinstance(shape, re.Pattern):
        return isinstance(value, str) and shape.fullmatch(value) is not None
    if isinstance(shape, type):
        return type(value) is shape
    return type(value) is type(shape) and bool(value == shape)


WORDS = {"type": "plain_text", "text": str, "emoji": bool}
OPTION = {"text": WORDS, "value": str}
RICH = {"type": "rich_text", "block_id": SOME, "elements": [{"type": SOME, "elements": [{"type": SOME}]}]}
STAMPED = {"type": "message", "ts": TS, "text": str}
TYPED = STAMPED | {"user": USER, "client_msg_id": UUID, "team": TEAM, "blocks": [RICH]}
PROFILE = {"id": BOT, "app_id": APP, "name": SOME, "deleted": bool, "team_id": TEAM}
POSTED = STAMPED | {"user": USER, "bot_id": BOT, "app_id": APP, "team": TEAM, "bot_profile": PROFILE}
REPLY = {"thread_ts": TS, "parent_user_id": USER}

INSTALLED = {"enterprise_id": None, "team_id": TEAM, "user_id": USER, "is_bot": True, "is_enterprise_install": False}
WRAPPED = {
    "token": SOME, "team_id": TEAM, "context_team_id": TEAM, "context_enterprise_id": None, "api_app_id": APP,
    "type": "event_callback", "event_id": EVENT, "event_time": int, "authorizations": [INSTALLED],
    "is_ext_shared_channel": bool, "event_context": SOME,
}  # fmt: skip
HEARD = {"channel": PLACE, "event_ts": TS}
HIDDEN = {"type": "message", "hidden": True, "channel": PLACE, "channel_type": SOME, "ts": TS, "event_ts": TS}
AUTHOR = {"real_name": str, "display_name": str, "team": TEAM, "name": str, "is_restricted": bool, "is_ultra_restricted": bool}
SHARED_FILE = {
    "id": FILE, "created": int, "timestamp": int, "name": SOME, "title": str, "mimetype": SOME, "filetype": SOME, "pretty_type": SOME,
    "user": USER, "size": int, "mode": SOME, "is_external": bool, "is_public": bool, "url_private": URL, "url_private_download": URL,
    "permalink": URL, "file_access": SOME,
}  # fmt: skip
CHANNEL_ENTITY = {"type": "slack#/types/channel_id", "value": PLACE, "team_id": TEAM}

EVENTS: dict[str, Shape] = {
    "message": TYPED | HEARD | {"channel_type": "channel"},
    "direct": TYPED | HEARD | {"channel_type": "im"},
    "reply": TYPED | HEARD | REPLY,
    "app_mention": TYPED | HEARD | {"type": "app_mention"},
    "shared": TYPED | HEARD | {"user_team": TEAM, "source_team": TEAM, "user_profile": AUTHOR},
    "file_share": TYPED | HEARD | {"subtype": "file_share", "files": [SHARED_FILE], "upload": bool, "display_as_bot": bool},
    "thread_broadcast": POSTED | HEARD | {"subtype": "thread_broadcast", "thread_ts": TS, "root": TYPED},
    "bot_message": STAMPED | HEARD | {"subtype": "bot_message", "bot_id": BOT, "username": SOME},
    "own": POSTED | HEARD | {"channel_type": "channel"},
    "message_changed": HIDDEN
    | {"subtype": "message_changed", "message": TYPED | {"edited": {"user": USER, "ts": TS}}, "previous_message": TYPED},
    "message_deleted": HIDDEN | {"subtype": "message_deleted", "deleted_ts": TS, "previous_message": TYPED},
    "reaction_added": {
        "type": "reaction_added", "user": USER, "reaction": SOME, "item": {"type": "message", "channel": PLACE, "ts": TS},
        "item_user": USER, "event_ts": TS,
    },
    "reaction_removed": {
        "type": "reaction_removed", "user": USER, "reaction": SOME, "item": {"type": "message", "channel": PLACE, "ts": TS},
        "item_user": USER, "event_ts": TS,
    },
    "member_joined_channel": {
        "type": "member_joined_channel", "user": USER, "channel": PLACE, "channel_type": "C", "team": TEAM, "inviter": USER, "event_ts": TS,
    },
    "member_left_channel": {
        "type": "member_left_channel", "user": USER, "channel": PLACE, "channel_type": "C", "team": TEAM, "event_ts": TS,
    },
    "channel_created": {
        "type": "channel_created", "event_ts": TS, "channel": {"id": PLACE, "name": SOME, "created": int, "creator": USER},
    },
    "channel_rename": {
        "type": "channel_rename", "event_ts": TS, "channel": {"id": PLACE, "name": SOME, "name_normalized": SOME, "created": int},
    },
    "channel_archive": {"type": "channel_archive", "channel": PLACE, "user": USER, "event_ts": TS},
    "app_home_opened": {"type": "app_home_opened", "user": USER, "channel": PLACE, "tab": "messages", "event_ts": TS},
    "app_context_changed": {
        "type": "app_context_changed", "channel": PLACE, "user": USER, "event_ts": TS, "context": {"entities": [CHANNEL_ENTITY]},
    },
    "app_context": TYPED | HEARD | {"channel_type": "im", "app_context": {"entities": [CHANNEL_ENTITY]}},
    "agent_session_stopped": {
        "type": "agent_session_stopped", "channel": PLACE, "thread_ts": TS, "user": USER, "event_ts": TS, "streaming_message_ts": [TS],
    },
    "agent_session_title_changed": {
        "type": "agent_session_title_changed", "channel": PLACE, "thread_ts": TS, "user": USER, "team_id": TEAM, "title": "New",
        "previous_title": str, "event_ts": TS,
    },
    "subteam_updated": {"type": "subteam_updated", "subteam": {"id": SOME, "handle": SOME, "users": [USER]}, "event_ts": TS},
}  # fmt: skip

PERSON = {"id": USER, "username": SOME, "name": SOME, "team_id": TEAM}
CLICKED = {
    "user": PERSON, "api_app_id": APP, "token": SOME, "team": {"id": TEAM, "domain": SOME}, "enterprise": None,
    "is_enterprise_install": False,
}  # fmt: skip
TRIGGER = re.compile(r"\d+\.\d+\.\w+")
ROOM = {"id": PLACE, "name": SOME}
ON_MESSAGE = {"type": "message", "message_ts": TS, "channel_id": PLACE, "is_ephemeral": False, "thread_ts": TS}
BUTTON = {"type": "button", "action_id": SOME, "block_id": SOME, "text": WORDS, "value": SOME, "style": SOME, "action_ts": TS}
FIELD = {
    "type": "input", "block_id": SOME, "label": WORDS, "optional": bool, "dispatch_action": bool,
    "element": {"type": "plain_text_input", "action_id": SOME},
}  # fmt: skip
ANY_VIEW = {
    "id": VIEW, "team_id": TEAM, "blocks": [{"type": SOME, "block_id": SOME}], "private_metadata": str, "callback_id": str,
    "state": {"values": dict}, "hash": SOME, "clear_on_close": bool, "notify_on_close": bool, "previous_view_id": None,
    "root_view_id": VIEW, "app_id": APP, "external_id": str, "app_installed_team_id": TEAM, "bot_id": BOT,
}  # fmt: skip
MODAL = ANY_VIEW | {"type": "modal", "blocks": [FIELD], "title": WORDS, "close": WORDS, "submit": WORDS}
HOME = ANY_VIEW | {"type": "home"}
FILLED = {"field": {"said": {"type": "plain_text_input", "value": "Hello"}}}

INTERACTIONS: dict[str, Shape] = {
    "message": CLICKED | {
        "type": "block_actions", "container": ON_MESSAGE, "trigger_id": TRIGGER, "channel": ROOM, "message": POSTED | REPLY,
        "state": {"values": dict}, "response_url": URL, "actions": [BUTTON],
    },
    "ephemeral": CLICKED | {
        "type": "block_actions", "container": {**ON_MESSAGE, "is_ephemeral": True}, "trigger_id": TRIGGER, "channel": ROOM,
        "state": {"values": dict}, "response_url": URL, "actions": [BUTTON],
    },
    "menu": CLICKED | {
        "type": "block_actions", "container": ON_MESSAGE, "response_url": URL,
        "actions": [{
            "type": "static_select", "action_id": SOME, "block_id": SOME, "selected_option": OPTION, "placeholder": WORDS, "action_ts": TS,
        }],
    },
    "feedback": CLICKED | {
        "type": "block_actions", "container": ON_MESSAGE,
        "actions": [{"type": "feedback_buttons", "action_id": SOME, "block_id": SOME, "text": WORDS, "value": "bad", "action_ts": TS}],
    },
    "modal": CLICKED | {
        "type": "block_actions", "container": {"type": "view", "view_id": VIEW}, "trigger_id": TRIGGER, "view": MODAL | {"blocks": list},
        "actions": [BUTTON],
    },
    "home": CLICKED | {
        "type": "block_actions", "container": {"type": "view", "view_id": VIEW}, "trigger_id": TRIGGER, "view": HOME, "actions": [BUTTON],
    },
    "submitted": CLICKED | {
        "type": "view_submission", "trigger_id": TRIGGER, "view": MODAL | {"state": {"values": FILLED}}, "response_urls": list,
    },
    "closed": CLICKED | {"type": "view_closed", "view": MODAL, "is_cleared": False},
    "shortcut": CLICKED | {"type": "shortcut", "callback_id": SOME, "trigger_id": TRIGGER, "action_ts": TS},
    "message_action": CLICKED | {
        "type": "message_action", "callback_id": SOME, "trigger_id": TRIGGER, "action_ts": TS, "message_ts": TS, "channel": ROOM,
        "message": TYPED, "response_url": URL,
    },
    "suggestion": CLICKED | {
        "type": "block_suggestion", "action_id": SOME, "block_id": SOME, "value": "front", "view": MODAL | {"blocks": list},
        "container": {"type": "view", "view_id": VIEW},
    },
    "message_suggestion": CLICKED | {
        "type": "block_suggestion", "action_id": SOME, "block_id": SOME, "value": "front", "container": ON_MESSAGE, "channel": ROOM,
        "message": POSTED,
    },
}  # fmt: skip

COMMAND = {
    "token": SOME, "team_id": TEAM, "team_domain": SOME, "channel_id": PLACE, "channel_name": SOME, "user_id": USER, "user_name": SOME,
    "command": re.compile(r"/\w+"), "text": str, "api_app_id": APP, "is_enterprise_install": "false", "response_url": URL,
    "trigger_id": TRIGGER,
}  # fmt: skip

HELLO = {
    "type": "hello", "num_connections": int, "connection_info": {"app_id": APP},
    "debug_info": {"host": SOME, "build_number": int, "approximate_connection_time": int},
}  # fmt: skip
DISCONNECT = {"type": "disconnect", "reason": SOME, "debug_info": {"host": SOME}}
