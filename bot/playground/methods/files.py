"""files.*: upload in three steps, and what is known of a file."""

import mimetypes

from .. import events, posting
from ..refusal import Refusal, invalid
from ..things import Channel, File, Json
from ..world import World
from .asked import inside, load, needed
from .chat import content_of


def new(world: World, name: str, user: str, content: bytes = b"", kind: str = "") -> File:
    key = world.id("F")
    guess = kind or mimetypes.guess_type(name)[0] or "text/plain"
    file = File(key, name, f"{world.url}/files-pri/{key}/{name.replace('/', '_')}", user, content, guess, uploaded=bool(content))
    world.files[key] = file
    return file


def upload_url(world: World, args: Json) -> Json:
    needed(args, "filename", "length")
    if not str(args["length"]).isdigit() or int(args["length"]) < 1:
        raise invalid("must be greater than 0 [json-pointer:/length]")
    file = new(world, str(args["filename"]), world.bot.id)
    file.length = int(args["length"])
    return {"upload_url": f"{world.url}/upload/v1/{file.id}", "file_id": file.id}


def received(world: World, key: str, content: bytes) -> bool:
    """Bytes came to an upload URL. False when there is no such upload, or they are more or fewer than was said."""
    file = world.files.get(key)
    if file is None or file.channels or len(content) != file.length:
        return False
    file.content, file.uploaded = content, True
    return True


def complete(world: World, args: Json) -> Json:
    asked = load(args, "files")
    if not isinstance(asked, list) or not asked or any(not isinstance(each, dict) for each in asked):
        raise invalid("missing required field: files")
    files = []
    for each in asked:
        file = world.files.get(str(each.get("id")))
        if file is None or not file.uploaded:
            raise Refusal("file_not_found")
        file.title = str(each.get("title") or file.name)
        files.append(file)
    wanted = [part for part in (args.get("channel_id"), *str(args.get("channels") or "").split(",")) if part]
    if len(wanted) > 100:
        raise Refusal("channels_limit_exceeded")
    places = [inside(world, {"channel": name}) for name in wanted]
    if any(channel.is_archived for channel in places):
        raise Refusal("posting_to_channel_denied")
    for channel in places:
        share(world, channel, files, args)
    return {"files": [file.shown() for file in files]}


def share(world: World, channel: Channel, files: list[File], args: Json) -> Json:
    for file in files:
        file.channels.append(channel.id)
    message = events.from_bot(world.bot, str(args.get("initial_comment") or ""), files=[file.shown() for file in files], upload=False)
    return posting.post(world, channel, message | content_of(world, {"blocks": args.get("blocks")}), str(args.get("thread_ts") or ""))


def info(world: World, args: Json) -> Json:
    needed(args, "file")
    file = world.files.get(str(args["file"]))
    if file is None:
        raise Refusal("file_not_found")
    return {"file": file.shown(), "comments": [], "response_metadata": {"next_cursor": ""}}
