"""assistant.threads.* and agents.sessions.*: what a thread shows beside its messages."""

import time

from ..refusal import Refusal, invalid
from ..things import Channel, Json, Slot
from ..world import World
from .asked import inside, load, needed

STATUS_SECONDS = 120.0
STATES = ("active", "processing", "suspended", "closed")


def status(world: World, args: Json) -> Json:
    """Free text under the thread; gone when the app posts there, or after two minutes; "" takes it away."""
    _agent(world)
    needed(args, "channel_id", "thread_ts")
    if "status" not in args:
        needed(args, "status")
    channel, thread = _thread(world, args)
    loading = load(args, "loading_messages") or []
    if not isinstance(loading, list) or len(loading) > 10:
        raise invalid("no more than 10 items allowed [json-pointer:/loading_messages]")
    slot = world.slot(channel.id, thread)
    slot.text, slot.loading, slot.expires = str(args["status"] or ""), list(loading), time.monotonic() + STATUS_SECONDS
    _told(world, channel, thread, slot)
    return {}


def title(world: World, args: Json) -> Json:
    _agent(world)
    needed(args, "channel_id", "thread_ts", "title")
    channel, thread = _thread(world, args)
    slot = world.slot(channel.id, thread)
    slot.title = str(args["title"])
    _told(world, channel, thread, slot)
    return {}


def prompts(world: World, args: Json) -> Json:
    """At the top of the Messages tab. With `thread_ts` the call does nothing and says ok, as in Slack."""
    _agent(world)
    needed(args, "channel_id")
    channel = inside(world, args, "channel_id")
    given = load(args, "prompts")
    if not isinstance(given, list) or not 1 <= len(given) <= 4:
        raise invalid("must have 1 to 4 items [json-pointer:/prompts]")
    if any(not isinstance(each, dict) or not each.get("title") or not each.get("message") for each in given):
        raise invalid("missing required field: title, message [json-pointer:/prompts]")
    if not args.get("thread_ts"):
        world.prompts[channel.id] = {"title": args.get("title") or "", "prompts": given}
        world.feed.tell("prompts", channel=channel.id, prompts=given)
    return {}


def session(world: World, args: Json) -> Json:
    """agents.sessions.setStatus: makes the session where there is none."""
    _agent(world)
    needed(args, "channel_id", "status")
    if args["status"] not in STATES:
        raise invalid(f"must be one of {', '.join(STATES)} [json-pointer:/status]")
    channel, thread = _thread(world, args)
    slot = world.slot(channel.id, thread)
    if args.get("title") and not slot.session:
        slot.title = _titled(args)
    enter(world, channel.id, thread, str(args["status"]))
    answer: Json = {"status": slot.session, "agent_status": slot.session, "title": slot.title}
    if world.events is not None and "agent_session_stopped" not in world.events:
        answer["response_metadata"] = {"warnings": ["missing_agent_session_stopped_event_subscription"]}
    return answer


def enter(world: World, channel: str, thread: str, state: str) -> None:
    """The session of a thread comes into a state; it writes the same slot as the free status text."""
    slot = world.slot(channel, thread)
    slot.session, slot.text = state, ""
    world.feed.tell("status", channel=channel, thread=thread, text=slot.text, session=slot.session, title=slot.title)


def rename(world: World, args: Json) -> Json:
    _agent(world)
    needed(args, "channel_id", "title")
    channel, thread = inside(world, args, "channel_id"), str(args.get("thread_ts") or "")
    slot = world.slots.get((channel.id, thread))
    if slot is None or not slot.session:
        raise Refusal("session_not_found")
    slot.title = _titled(args)
    _told(world, channel, thread, slot)
    return {"title": slot.title}


def _titled(args: Json) -> str:
    if not 1 <= len(str(args["title"])) <= 200:
        raise invalid("must be between 1 and 200 characters [json-pointer:/title]")
    return str(args["title"])


def _agent(world: World) -> None:
    if not world.agent:
        raise Refusal("not_authorized")


def _thread(world: World, args: Json) -> tuple[Channel, str]:
    channel, thread = inside(world, args, "channel_id"), str(args.get("thread_ts") or "")
    if thread not in channel.messages if thread else channel.kind == "im":
        raise Refusal("invalid_thread_ts")
    return channel, thread


def _told(world: World, channel: Channel, thread: str, slot: Slot) -> None:
    shown = {"text": slot.text, "loading": slot.loading, "session": slot.session, "title": slot.title}
    world.feed.tell("status", channel=channel.id, thread=thread, **shown)
