"""What was said while nobody listened: found in Slack's history, and let in by the same door as everything else."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from typing import Any, Protocol

from slack_sdk.errors import SlackApiError

from bot import clock
from bot.slack import parse
from bot.slack.calls import Client, call, error_of, refused
from bot.slack.directory import Directory
from bot.slack.outbox import delivery

log = logging.getLogger(__name__)
Message = dict[str, Any]
KINDS = "public_channel,private_channel,im,mpim"
MARGIN = 30.0  # seconds before the last sign of life that are looked at too: what was on its way then, or known only to who died
PAGE, PAGES = 200, 10  # messages of a page, and pages of one conversation: what is older is too much to answer unasked
META = {"include_all_metadata": True}
PAUSE = 2.0  # seconds until a call is tried again that did not get through


class Known(Protocol):
    """The part of the journal that says what need not be looked for."""

    async def ours(self, delivery_ids: Collection[str]) -> set[str]: ...

    async def replies(self, threads: Collection[str]) -> Mapping[str, int]: ...

    async def busy(self, threads: Collection[str]) -> set[str]: ...


class CatchUp:
    """`hear` lets in one event as Slack would have delivered it, and says whether it was new."""

    def __init__(self, client: Client, directory: Directory, hear: Callable[[Message], Awaitable[bool]], known: Known) -> None:
        self.client, self.directory, self.hear, self.known = client, directory, hear, known
        self._alone = asyncio.Lock()

    async def look(self, since: float, threads: Mapping[str, float], most: int | None = None) -> int:
        """Let in what was said after `since` (Unix seconds) and never came; how many messages that were. Raises StoreFailed.

        `threads` are those that go on, with the time when something last happened there: the liveliest conversations come first,
        and with `most` only so many of them are looked at.
        """
        async with self._alone:
            found = 0
            for place in (await self._places(threads))[:most]:
                found += await self._read(
                    place, since - MARGIN, [parse.place(each)[1] for each in threads if parse.place(each)[0] == place]
                )
            level = logging.WARNING if found else logging.INFO
            log.log(level, "caught_up", extra={"action": "caught_up", "found": found, "seconds": round(clock.now() - since, 1)})
            return found

    async def _places(self, threads: Mapping[str, float]) -> list[str]:
        """The conversations that the bot is in."""
        lively: dict[str, float] = {}
        for thread, at in threads.items():
            channel = parse.place(thread)[0]
            lively[channel] = max(at, lively.get(channel, 0.0))
        places = [str(place["id"]) async for place in self._pages("users_conversations", "channels", types=KINDS, exclude_archived=True)]
        return sorted(places, key=lambda place: -lively.get(place, 0.0))

    async def _read(self, channel: str, oldest: float, threads: list[str]) -> int:
        """One conversation, oldest first: what began after that time, and what was said since in threads that began before."""
        start = min([oldest, *(float(ts) - 1 for ts in threads)])
        said, counts, seen = [], dict[str, int](), set()
        async for message in self._pages("conversations_history", "messages", channel=channel, oldest=f"{start:.6f}", **META):
            seen.add(str(message["ts"]))
            if float(message["ts"]) > oldest or (message["ts"] in threads and _crosses(message)):
                said.append(message)
            if float(message.get("latest_reply") or oldest) > oldest:
                counts[str(message["ts"])] = int(message.get("reply_count") or 0)
        roots = await self._unheard(channel, counts)
        for root in [*roots, *(ts for ts in threads if ts not in seen)]:  # history ends before what is very old
            there = {"channel": channel, "ts": root, "oldest": f"{oldest:.6f}", **META}
            async for message in self._pages("conversations_replies", "messages", **there):
                if message["ts"] != root:
                    said.append(message)
        found, until = 0, await self._forgotten(said)
        for message in sorted(said, key=lambda each: float(each["ts"])):
            if float(message["ts"]) > until.get(_thread(message), 0.0):
                found += await self._let_in(channel, message)
        return found

    async def _unheard(self, channel: str, counts: Mapping[str, int]) -> list[str]:
        """The threads that have more replies than we know of, and those in which somebody works: a ❌ may stand there."""
        names = {parse.thread(self.directory.team, channel, ts): ts for ts in counts}
        heard, busy = await self.known.replies(names), await self.known.busy(names)
        return [ts for name, ts in names.items() if name in busy or heard.get(name, 0) != counts[ts]]

    async def _forgotten(self, said: list[Message]) -> dict[str, float]:
        """The threads in which we have answered and know nothing of it, and until when: the database was restored, or is another one."""
        posted = [(delivery(message), message) for message in said if self._mine(message) and delivery(message)]
        known = await self.known.ours([id for id, _ in posted]) if posted else set()
        until: dict[str, float] = {}
        for id, message in posted:
            if id not in known:
                until[_thread(message)] = max(float(message["ts"]), until.get(_thread(message), 0.0))
        return until

    def _mine(self, message: Message) -> bool:
        return bool(self.directory.bot == message.get("user") or self.directory.bot_id == message.get("bot_id") != "")

    async def _let_in(self, channel: str, message: Message) -> bool:
        if self._mine(message):
            return False
        kind = "im" if channel.startswith("D") else "channel"
        new = await self._hear({**message, "type": "message", "channel": channel, "channel_type": kind})
        item = {"type": "message", "channel": channel, "ts": message["ts"]}
        for user in _crosses(message):
            await self._hear({"type": "reaction_added", "reaction": "x", "user": user, "item": item})
        return new

    async def _hear(self, event: Message) -> bool:
        return await self.hear({"type": "event_callback", "team_id": self.directory.team, "event": event, "caught_up": True})

    async def _pages(self, method: str, what: str, **asked: Any) -> AsyncIterator[Message]:
        """All that Slack has, page by page; nothing where it does not let us look."""
        cursor = ""
        for _ in range(PAGES):
            said = await self._patiently(method, limit=PAGE, cursor=cursor or None, **asked)
            for each in said.get(what) or ():
                yield each
            cursor = (said.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def _patiently(self, method: str, **asked: Any) -> Any:
        """For as long as it takes: what is not found now is not found at all."""
        while True:
            await self.client.spare(method.replace("_", ".", 1))
            try:
                return await call(getattr(self.client, method)(**asked))
            except SlackApiError as error:
                after = refused(error).after
                if after is None:
                    log.warning("not_caught_up", extra={"action": "not_caught_up", "method": method, "error": error_of(error)})
                    return {}
                await asyncio.sleep(max(after, PAUSE if error_of(error) != "ratelimited" else 0))


def _thread(message: Message) -> str:
    return str(message.get("thread_ts") or message["ts"])


def _crosses(message: Message) -> list[str]:
    """Who has put a ❌ on it, to take it back."""
    return [user for each in message.get("reactions") or () if each["name"] == "x" for user in each["users"]]
