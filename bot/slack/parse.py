"""Slack's payloads in the desk's words. Pure."""

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.message import NOBODY, Attachment, Door, Message

Payload = Mapping[str, Any]
BY_ID = "slack-file:"  # stands for the address of a file of which Slack tells the id only
UNSAID = {"", "This content can't be displayed.", "[no preview available]"}  # what Slack itself says where an app gave blocks alone
HEARD = {None, "", "file_share", "thread_broadcast", "bot_message", "me_message"}


def kind(body: Payload) -> str:
    """What sort of thing was delivered: the event's type, or the payload's own."""
    event = body.get("event")
    if isinstance(event, dict):
        if (event.get("message") or {}).get("subtype") == "tombstone":
            return "message_deleted"  # so Slack tells of a root that has replies
        return str(event.get("subtype") if event.get("subtype") in ("message_changed", "message_deleted") else event.get("type"))
    return "command" if body.get("command") else str(body.get("type") or "unknown")


def key(body: Payload) -> str:
    """The same for the same thing, however often and in whichever shape it is delivered."""
    event = body.get("event")
    if isinstance(event, dict):
        if kind(body) in ("message", "app_mention") and event.get("ts"):
            return f"message:{event.get('channel')}:{event['ts']}"
        return f"event:{body.get('event_id') or json.dumps(event, sort_keys=True)}"
    if body.get("trigger_id"):
        return f"{kind(body)}:{body['trigger_id']}"
    return f"{kind(body)}:{json.dumps(body, sort_keys=True, default=str)[:2000]}"


def at(body: Payload) -> float:
    """When it was said or done (Unix seconds, by Slack's clock); 0 where Slack does not say."""
    event, actions = body.get("event"), body.get("actions") or [{}]
    told = event.get("ts") or event.get("event_ts") if isinstance(event, dict) else actions[0].get("action_ts")
    return float(told or 0)


def lane(body: Payload) -> str:
    """Where it happened: what happens in one thread must keep its order.

    Of a reaction Slack does not say the thread: one to a reply may overtake it, and is looked for when the reply comes.
    """
    event = body.get("event")
    if not isinstance(event, dict):
        return ""
    inner = event.get("message") or event.get("previous_message") or event
    item = event.get("item") or {}
    ts = inner.get("thread_ts") or inner.get("ts") or item.get("ts") or ""
    return f"{event.get('channel') or item.get('channel')}:{ts}" if ts else ""


def thread(team: str, channel: str, ts: str) -> str:
    return f"slack:{team}:{channel}:{ts}"


def place(session_thread: str) -> tuple[str, str]:
    """The channel and the ts of a thread."""
    _, _, channel, ts = session_thread.split(":")
    return channel, ts


def direct(thread: str) -> bool:
    """Whether it stands in somebody's direct messages with us."""
    return place(thread)[0].startswith("D")


def message(event: Payload, team: str, bot: str) -> Message | None:
    """What somebody said, without its author, whom only the directory knows; None where it is nobody's."""
    author = event.get("user") or event.get("bot_id")
    if event.get("subtype") not in HEARD or not author or not event.get("ts"):
        return None
    channel, ts, text = str(event["channel"]), str(event["ts"]), str(event.get("text") or "")
    mentioned = f"<@{bot}>" in text or f"<@{bot}|" in text or event.get("type") == "app_mention"
    direct = event.get("channel_type") == "im" or channel.startswith("D")
    door: Door = "direct" if direct else "mention" if mentioned else "message"
    root = event.get("thread_ts") in (None, "", ts)
    own = re.sub(rf"<@{re.escape(bot)}(\|[^>]*)?>", "", text, count=1).strip() if mentioned else text
    said = plain(words({**event, "text": own, "blocks": event.get("blocks") if text in UNSAID else ()}))
    return Message(
        f"{channel}:{ts}", thread(team, channel, str(event.get("thread_ts") or ts)), channel, NOBODY, said, door, float(ts), root=root,
        files=files(event),
    )  # fmt: skip


def words(message: Payload) -> str:
    """All that a message says, in Slack's markup: its text, and below it what was passed on with it, or what an alert says in cards."""
    text = str(message.get("text") or "")
    text = (_shown(message.get("blocks")) or text) if text in UNSAID else text
    brought = [_brought(each) for each in message.get("attachments") or ()]
    return "\n\n".join([*([text] if text not in UNSAID or not any(brought) else []), *filter(None, brought)])


def _shown(blocks: Any) -> str:
    """The words of blocks, for a message that says all in them; what is on buttons is not said."""
    lines = (
        ("" if block.get("type") == "rich_text" else " ").join(_strings(block)).strip()
        for block in blocks or ()
        if block.get("type") != "actions"
    )
    return "\n".join(filter(None, lines))


def _strings(part: Any) -> Iterator[str]:
    match part:
        case list():
            yield from (text for each in part for text in _strings(each))
        case {"type": "link", "url": str(url)}:
            yield f"<{url}|{part['text']}>" if part.get("text") else f"<{url}>"
        case {"type": "user", "user_id": str(id)}:
            yield f"<@{id}>"
        case {"text": str(text)}:
            yield text
        case dict():
            yield from (text for key in ("text", "fields", "elements") for text in _strings(part.get(key)))
            yield "\n" if part.get("type") in ("rich_text_section", "rich_text_preformatted", "rich_text_quote") else ""


def _brought(attachment: Payload) -> str:
    """What stands in an attachment: quoted, where it is somebody else's message. The preview of a link says nothing."""
    if attachment.get("from_url") and not attachment.get("is_share"):
        return ""
    lines = [str(attachment[key]) for key in ("pretext", "title", "text") if attachment.get(key)]
    lines += [f"{field.get('title') or ''}: {field.get('value') or ''}" for field in attachment.get("fields") or ()]
    passed = [(each.get("message") or {}).get("blocks") for each in attachment.get("message_blocks") or ()]
    lines = lines or [*filter(None, map(_shown, (attachment.get("blocks"), *passed)))]
    text = "\n".join(lines or [str(attachment.get("fallback") or "")])
    if not attachment.get("is_share"):
        return "" if text in UNSAID else text
    author = " ".join(str(attachment.get("author_name") or "somebody").split())
    return "\n".join([f"Passed on, as {author} wrote it:", *(f"> {line}" for line in text.splitlines())])


def _all_files(message: Payload) -> Iterator[Payload]:
    yield from message.get("files") or ()
    for attachment in message.get("attachments") or ():
        yield from (attachment.get("files") or ()) if attachment.get("is_share") else ()


def files(event: Payload) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(
            str(file.get("name") or file.get("title") or "file"),
            str(file.get("mimetype") or "application/octet-stream"),
            int(file.get("size") or 0),
            str(file.get("url_private_download") or file.get("url_private") or (f"{BY_ID}{file['id']}" if file.get("id") else "")),
        )
        for file in _all_files(event)
        if file.get("mode") != "tombstone"
    )


def plain(text: str) -> str:
    """Slack's markup as people would write it: links by their address, mentions by their name or id."""
    text = re.sub(
        r"<(https?:[^|>]+|mailto:[^|>]+)(?:\|([^>]*))?>", lambda m: m[1] if m[2] in (None, "", m[1]) else f"{m[2]} ({m[1]})", text
    )
    text = re.sub(r"<!date\^[^|>]*\|([^>]*)>", lambda m: m[1], text)
    text = re.sub(r"<!(?:subteam\^)?([\w-]+)(?:\^[^|>]*)?(?:\|@?([^>]*))?>", lambda m: f"@{m[2] or m[1]}", text)
    text = re.sub(r"<([@#])(\w+)(?:\|([^>]*))?>", lambda m: f"{m[1]}{m[3] or m[2]}", text)
    return html.unescape(text)


ONE = ("selected_user", "selected_conversation", "selected_time")


def values(view: Payload) -> dict[str, tuple[str, ...]]:
    """What was filled in, by the block's id: what was typed, or the values chosen."""
    found: dict[str, tuple[str, ...]] = {}
    for block, elements in ((view.get("state") or {}).get("values") or {}).items():
        for element in elements.values():
            chosen = element.get("selected_options") or ([element["selected_option"]] if element.get("selected_option") else [])
            one = next((element[key] for key in ("value", *ONE) if element.get(key)), "")
            typed = (str(one),) if one else ()
            found[block] = tuple(str(option["value"]) for option in chosen) or typed
    return found


def chosen(action: Payload) -> str:
    """The value of what was pressed or picked."""
    return str((action.get("selected_option") or {}).get("value") or action.get("value") or "")
