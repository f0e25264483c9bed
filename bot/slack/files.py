"""Files: from Slack to a session's folder, and from there into its thread."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import BotError
from bot.event import Artifact
from bot.message import Attachment
from bot.slack import parse
from bot.slack.calls import TOKEN, UNCONNECTED, call, error_of, refused

PIECE = 1 << 16
PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds until a file is brought again, each time
FULL = (
    "{name} could not be kept ({why}), so the agent was not given it. "
    "Whoever runs Frontdesk has to see to it that SESSIONS_DIR has room and can be written to; then upload it again."
)


async def fetch(client: AsyncWebClient, attachment: Attachment, folder: Path, limit: int) -> Path:
    """Bring a file; at most `limit` bytes. Raises BotError, in words."""
    if attachment.url.startswith(parse.BY_ID):
        attachment = await _looked_up(client, attachment)
    name = attachment.name
    if attachment.size > limit:
        raise BotError(f"{name} is too large ({attachment.size >> 20} MB; at most {limit >> 20} MB), so the agent was not given it.")
    if not ours(client, attachment.url):
        raise BotError(f"{name} does not lie in Slack, so the agent was not given it. Upload it here.")
    try:
        path = free(folder, name)
        async with asyncio.timeout(120):
            await _download(client, attachment, path, limit)
        return path
    except (aiohttp.ClientError, TimeoutError) as error:
        raise BotError(f"{name} could not be fetched from Slack ({type(error).__name__}), so the agent was not given it.") from error
    except OSError as error:
        raise BotError(FULL.format(name=name, why=error.strerror)) from error


async def _looked_up(client: AsyncWebClient, attachment: Attachment) -> Attachment:
    """In channels that companies share an event tells no more than a file's id. Raises BotError."""
    try:
        told = await call(client.files_info(file=attachment.url.removeprefix(parse.BY_ID)))
    except SlackApiError as error:
        raise BotError(f"A file could not be fetched from Slack ({error_of(error)}), so the agent was not given it.") from error
    return next(iter(parse.files({"files": [told.get("file") or {}]})), attachment)


async def _download(client: AsyncWebClient, attachment: Attachment, path: Path, limit: int) -> None:
    headers = {"Authorization": f"Bearer {client.token}"}
    async with aiohttp.ClientSession() as http, http.get(attachment.url, headers=headers, allow_redirects=False) as reply:
        login = reply.content_type == "text/html" and "html" not in attachment.media_type  # Slack's answer where the token is not enough
        if reply.status != 200 or login:
            raise BotError(f"{attachment.name} could not be fetched: Frontdesk may not read files (scope files:read), or it is gone.")
        await _keep(reply.content, attachment.name, path, limit)


async def _keep(content: aiohttp.StreamReader, name: str, path: Path, limit: int) -> None:
    """All of it, or nothing."""
    size = 0
    with ExitStack() as undone, path.open("wb") as file:
        undone.callback(path.unlink)
        async for piece in content.iter_chunked(PIECE):
            size += len(piece)
            if size > limit:
                raise BotError(f"{name} is larger than {limit >> 20} MB, so the agent was not given it.")
            file.write(piece)
        file.flush()  # here a full disk is known at the latest
        undone.pop_all()


def ours(client: AsyncWebClient, url: str) -> bool:
    """Whether the bot's token may be shown to this address."""
    asked, home = urlsplit(url), urlsplit(client.base_url)
    if (asked.scheme, asked.netloc) == (home.scheme, home.netloc):
        return True
    return asked.scheme == "https" and bool(re.search(r"(^|\.)(slack\.com|slack-files\.com)$", asked.hostname or ""))


def free(folder: Path, name: str) -> Path:
    """A path in this folder for a file that somebody else named; it cannot lead out of it."""
    safe = re.sub(r"[^\w .()+-]", "_", Path(name).name).strip(" .").encode()[:200].decode(errors="ignore") or "file"
    path, n = folder / safe, 1
    while path.exists():
        n += 1
        path = folder / f"{n}-{safe}"
    return path


async def upload(
    client: AsyncWebClient, channel: str, thread_ts: str, name: str, content: bytes, there: Callable[[], Awaitable[bool]]
) -> None:  # fmt: skip
    """Where Slack is in trouble of its own it is tried again, unless the file is `there` after all. Raises SlackApiError.

    `there` raises BotError where nobody knows: then nothing is brought until somebody does.
    """
    shown, pauses, doubt = name[:150], iter(PAUSES), False
    while True:
        try:
            if not (doubt and await there()):
                await call(client.files_upload_v2(channel=channel, thread_ts=thread_ts, filename=shown, title=shown, content=content))
            return
        except SlackApiError as error:
            failed, no = error, refused(error)
            doubt |= no.error not in (*TOKEN, "ratelimited", UNCONNECTED)
        except BotError:
            pass
        pause = no.after if no.error in TOKEN else next(pauses, None)
        if no.after is None or pause is None:
            raise failed
        await asyncio.sleep(max(no.after, pause))


def content(artifact: Artifact, limit: int) -> bytes:
    """What an agent made. Raises BotError, in words."""
    try:
        path = Path(artifact.path)
        if path.stat().st_size > limit:
            raise BotError(f"{artifact.name} is larger than {limit >> 20} MB, so it was not uploaded.")
        return path.read_bytes()
    except OSError as error:
        raise BotError(f"{artifact.name} could not be read: {error.strerror}.") from error
