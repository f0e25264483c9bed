"""chat.*Stream: a message that grows while the agent writes."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .. import blocks as kit
from .. import events, posting
from ..refusal import Refusal, invalid
from ..things import Channel, Json, Stream
from ..world import World
from . import agents
from .asked import inside, load, needed
from .chat import LONGEST_MARKDOWN, content_of, guise, lively

STATES = ("pending", "in_progress", "complete", "error")
CHUNKS = ("markdown_text", "task_update", "plan_update", "blocks")
DISPLAYS = ("timeline", "plan", "dense")
LONGEST_TITLE = 256


def start(world: World, args: Json) -> Json:
    channel = lively(inside(world, args))
    thread = str(args.get("thread_ts") or "")
    if channel.kind == "im" and not thread:
        raise Refusal("channel_type_not_supported")
    for name in ("recipient_team_id", "recipient_user_id"):
        if channel.kind != "im" and not args.get(name):
            raise Refusal(f"missing_{name}")
    reader = str(args.get("recipient_user_id") or "")
    person = world.people.get(reader)
    if reader and (person is None or args.get("recipient_team_id") not in (None, "", person.team_id)):
        raise Refusal("user_not_found")
    display = str(args.get("task_display_mode") or "timeline")
    if display not in DISPLAYS:
        raise invalid(f"must be one of {', '.join(DISPLAYS)} [json-pointer:/task_display_mode]")
    stream = Stream(channel.id, "", thread, time.monotonic() + world.stream_seconds, display=display, reader=reader)
    blocks = _grow(world, stream, args, required=False)
    message = events.from_bot(world.bot, _text(stream), blocks=blocks, streaming_state="in_progress", **guise(world, args))
    message = posting.post(world, channel, message, thread)
    stream.ts, stream.first = message["ts"], {"text": message["text"], "blocks": message["blocks"]}
    world.streams[channel.id, stream.ts] = stream
    if world.agent:
        agents.enter(world, channel.id, thread or stream.ts, "processing")
    return {"channel": channel.id, "ts": stream.ts}


def append(world: World, args: Json) -> Json:
    channel, stream = _live(world, args)
    blocks = _grow(world, stream, args, required=True)
    change = {"text": _text(stream), "blocks": blocks}
    posting.edit(world, channel, stream.ts, change, silent=True)
    return {"channel": channel.id, "ts": stream.ts}


def stop(world: World, args: Json) -> Json:
    channel, stream = _live(world, args)
    content = content_of(world, {key: args.get(key) for key in ("blocks", "metadata")})
    state = str(args.get("session_status") or "active")
    if state not in agents.STATES:
        raise Refusal("invalid_arguments")
    blocks = _grow(world, stream, args, required=False, below=content.pop("blocks", []))
    stream.state = "done"
    change = {"text": _text(stream), "blocks": blocks, "streaming_state": "completed", **content}
    message = posting.edit(world, channel, stream.ts, change)
    if world.agent:
        agents.enter(world, channel.id, stream.thread or stream.ts, state)
    return {"channel": channel.id, "ts": stream.ts, "message": message}


def _live(world: World, args: Json) -> tuple[Channel, Stream]:
    needed(args, "channel", "ts")
    channel, ts = inside(world, args), str(args["ts"])
    if ts not in channel.messages:
        raise Refusal("message_not_found")
    if channel.messages[ts].get("bot_id") != world.bot.bot_id:
        raise Refusal("message_not_owned_by_app")
    stream = world.streams.get((channel.id, ts))
    if stream is not None and stream.state == "stopped":
        raise Refusal("stopped_by_user")
    if stream is None or not stream.live:
        raise Refusal("message_not_in_streaming_state")
    return channel, stream


def _grow(world: World, stream: Stream, args: Json, required: bool, below: Sequence[Json] = ()) -> list[Json]:
    """Take what a call brings into the stream, and give its blocks; nothing is taken when any of it is refused."""
    text, chunks = args.get("markdown_text"), load(args, "chunks", "invalid_chunks")
    if text and chunks:
        raise Refusal("cannot_provide_both_markdown_text_and_chunks")
    if required and not text and not chunks:
        raise Refusal("markdown_text_or_chunks_required")
    mode = "markdown" if text else "chunks" if chunks else stream.mode
    if stream.mode and stream.mode != mode:
        raise Refusal("streaming_mode_mismatch")
    parts = [dict(part) for part in stream.parts]
    for chunk in [{"type": "markdown_text", "text": str(text)}] if text else _chunks(chunks or []):
        _take(parts, chunk)
    streamed = _blocks(world, replace(stream, parts=parts))
    if len(streamed) > kit.MOST_BLOCKS:
        raise Refusal("msg_blocks_too_many")
    blocks = [*streamed, *below]
    kit.check_message(blocks, 2 * kit.MOST_BLOCKS)  # as many again may come at the end
    stream.mode, stream.parts = mode, parts
    return blocks


def _chunks(chunks: Any) -> list[Json]:
    if not isinstance(chunks, list) or any(not isinstance(each, dict) or each.get("type") not in CHUNKS for each in chunks):
        raise Refusal("invalid_chunks")
    for each in chunks:
        _check(each)
    return chunks


def _check(chunk: Json) -> None:
    kind = chunk["type"]
    title = kind in ("task_update", "plan_update") and not (isinstance(chunk.get("title"), str) and len(chunk["title"]) <= LONGEST_TITLE)
    task = kind == "task_update" and (not chunk.get("id") or chunk.get("status") not in STATES)
    if title or task or (kind == "markdown_text" and not isinstance(chunk.get("text"), str)):
        raise Refusal("invalid_chunks")
    if kind == "blocks":
        kit.check_message(chunk.get("blocks"))


def _take(parts: list[Json], chunk: Json) -> None:
    """Text goes on where text was last; a task or the plan's title replaces what it had before."""
    last = parts[-1] if parts else {}
    if chunk["type"] == "markdown_text":
        if len(chunk["text"]) > LONGEST_MARKDOWN:
            raise Refusal("msg_too_long")
        if last.get("type") == "markdown_text":
            last["text"] += chunk["text"]
        else:
            parts.append({"type": "markdown_text", "text": chunk["text"]})
        return
    key = (chunk["type"], chunk.get("id"))
    same = next((part for part in parts if (part["type"], part.get("id")) == key), None)
    if same is None or chunk["type"] == "blocks":
        parts.append(dict(chunk))
    else:
        same.update(chunk)


def _text(stream: Stream) -> str:
    return "\n".join(part["text"] for part in stream.parts if part["type"] == "markdown_text")


def _blocks(world: World, stream: Stream) -> list[Json]:
    """What is seen of the stream; the tasks are one plan with `task_display_mode` plan, else a card each."""
    found: list[Json] = []
    plan: Json = {"type": "plan", "block_id": "plan", "title": "Plan", "tasks": []}
    tasks = plan["tasks"] if stream.display == "plan" else found
    for index, part in enumerate(stream.parts):
        match part["type"]:
            case "markdown_text" if part["text"]:
                found.append({"type": "markdown", "block_id": f"text-{index}", "text": part["text"]})
            case "blocks":
                part["blocks"] = kit.filled(part["blocks"], world.id)
                found += part["blocks"]
            case "plan_update":
                plan["title"] = part["title"]
            case "task_update":
                tasks.append(_card(part, index))
    return found if not plan["tasks"] and plan["title"] == "Plan" else [plan, *found]


def _card(part: Json, index: int) -> Json:
    card = {"type": "task_card", "block_id": f"task-{index}", "task_id": part["id"], "title": part["title"], "status": part["status"]}
    more = {name: _rich(part[name]) for name in ("details", "output") if part.get(name)}
    return card | more | ({"sources": part["sources"]} if part.get("sources") else {})


def _rich(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}]}
