"""What was said while nobody listened: found in Slack's history, and let in by the same door as everything else."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from slack_sdk.errors import SlackApiError

from bot import clock
from bot.slack import parse
from bot.slack.calls import SPARE, Client, call, error_of, refused
from bot.slack.directory import Directory
from bot.slack.limits import HISTORY, MINUTE, REPLIES
from bot.slack.outbox import delivery

log = logging.getLogger(__name__)
Message = dict[str, Any]
KINDS = "public_channel,private_channel,im,mpim"
MARGIN = 30.0  # seconds before the last sign of life that are looked at too: what was on its way then, or known only to who died
PAGE, PAGES = 200, 10  # messages of a page, and pages of one conversation: what is older is too much to answer unasked
META = {"include_all_metadata": True}
HURRY = 4  # times as often as the rest is looked at where somebody works
TICK = 1.0
PAUSE = 2.0  # seconds until a call is tried again that did not get through


class Known(Protocol):
    """The part of the journal that says what need not be looked for."""

    async def ours(self, delivery_ids: Collection[str]) -> set[str]: ...

    async def replies(self, threads: Collection[str]) -> Mapping[str, int]: ...

    async def busy(self, threads: Collection[str]) -> set[str]: ...


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread whose replies have to be looked at; `root` is its first message, where that is new too."""

    channel: str
    ts: str
    root: Message | None = None
    more: bool = True  # whether it has more replies than we know of
    busy: bool = False  # whether somebody works there


class CatchUp:
    """`hear` lets in one event as Slack would have delivered it, and says whether it was new."""

    def __init__(self, client: Client, directory: Directory, hear: Callable[[Message], Coroutine[Any, Any, bool]], known: Known) -> None:
        self.client, self.directory, self.hear, self.known = client, directory, hear, known
        self._looked: dict[str, float] = {}  # when each conversation and thread was, in the last minute

    async def look(self, since: float, threads: Mapping[str, float], most: int | None = None) -> int:
        """Let in what was said after `since` (Unix seconds) and never came; how many messages that were. Raises StoreFailed.

        `threads` are those that go on, with the time when something last happened there: the liveliest conversations come first,
        and with `most` only so many of them are looked at, each with those of its threads that have more than we know. Then come
        other threads in which somebody works. Whoever learns that there is more to look for cancels it, and begins anew.
        """
        found, oldest, rest = 0, since - MARGIN, dict[str, Thread]()
        works = {parse.place(thread)[0] for thread in await self.known.busy(threads)}
        async for place in self._by_turns(HISTORY, (await self._places(threads))[:most], works):
            started = [parse.place(each)[1] for each in threads if parse.place(each)[0] == place]
            new, inside = await self._skim(place, oldest, started)
            found += new + await self._read({name: each for name, each in inside.items() if each.more}, oldest)
            rest |= {name: each for name, each in inside.items() if not each.more}
        found += await self._read(rest, oldest)
        self._looked = {each: at for each, at in self._looked.items() if at > clock.now() - MINUTE}
        level = logging.WARNING if found else logging.INFO
        log.log(level, "caught_up", extra={"action": "caught_up", "found": found, "seconds": round(clock.now() - since, 1)})
        return found

    async def _by_turns(self, method: str, names: list[str], urgent: Collection[str]) -> AsyncIterator[str]:
        """The longest not looked at comes first, so that looks which begin anew get round to all; what is urgent waits more impatiently."""
        left = list(names)
        while left:
            if wait := self.client.budget.pace(method, SPARE):
                await asyncio.sleep(min(wait, TICK))
                continue
            now = clock.now()
            due = max(left, key=lambda each: (now - self._looked.get(each, 0.0)) * (HURRY if each in urgent else 1))
            left.remove(due)
            yield due
            self._looked[due] = clock.now()

    async def _places(self, threads: Mapping[str, float]) -> list[str]:
        """The conversations that the bot is in, the liveliest first."""
        lively: dict[str, float] = {}
        for thread, at in threads.items():
            channel = parse.place(thread)[0]
            lively[channel] = max(at, lively.get(channel, 0.0))
        places = [str(place["id"]) async for place in self._pages("users_conversations", "channels", types=KINDS, exclude_archived=True)]
        return sorted(places, key=lambda place: -lively.get(place, 0.0))

    async def _skim(self, channel: str, oldest: float, started: list[str]) -> tuple[int, dict[str, Thread]]:
        """Let in what began in a conversation after that time; and the threads there, by name, whose replies have to be looked at.

        Of what goes on there only a ❌ counts. What is new and has replies already waits for them: they may say that it was answered.
        """
        start = min([oldest, *(float(ts) - 1 for ts in started)])
        roots, counts = dict[str, Message](), dict[str, int]()
        asked = {"channel": channel, "oldest": f"{start:.6f}", **META}
        async for message in self._pages("conversations_history", "messages", **asked):
            roots[str(message["ts"])] = message
            if float(message.get("latest_reply") or oldest) > oldest:
                counts[str(message["ts"])] = int(message.get("reply_count") or 0)
        deep = await self._unheard(channel, counts)
        deep |= {self._name(channel, ts): Thread(channel, ts) for ts in started if ts not in roots}  # history ends before what is very old
        wait = {thread.ts for thread in deep.values() if thread.more} - set(started)
        new = [ts for ts in roots if float(ts) > oldest or (ts in started and _crosses(roots[ts]))]
        found = await self._let_in(channel, [roots[ts] for ts in new if ts not in wait])
        return found, {name: replace(thread, root=roots[thread.ts] if thread.ts in new else None) for name, thread in deep.items()}

    async def _read(self, threads: Mapping[str, Thread], oldest: float) -> int:
        """Let in what was said in threads after that time."""
        busy = {name for name, thread in threads.items() if thread.busy}
        return sum([await self._replies(threads[name], oldest) async for name in self._by_turns(REPLIES, list(threads), busy)])

    async def _replies(self, thread: Thread, oldest: float) -> int:
        asked = {"channel": thread.channel, "ts": thread.ts, "oldest": f"{oldest:.6f}", **META}
        pages = self._pages("conversations_replies", "messages", **asked)
        said = [thread.root] if thread.root else []
        return await self._let_in(thread.channel, said + [each async for each in pages if each["ts"] != thread.ts])

    async def _unheard(self, channel: str, counts: Mapping[str, int]) -> dict[str, Thread]:
        """The threads that have more replies than we know of, and those in which somebody works: a ❌ may stand there."""
        names = {self._name(channel, ts): ts for ts in counts}
        heard, busy = await self.known.replies(names), await self.known.busy(names)
        more = {name for name, ts in names.items() if heard.get(name, 0) != counts[ts]}
        return {name: Thread(channel, names[name], None, name in more, name in busy) for name in names if name in more or name in busy}

    def _name(self, channel: str, ts: str) -> str:
        return parse.thread(self.directory.team, channel, ts)

    async def _let_in(self, channel: str, said: list[Message]) -> int:
        """Those of them that nobody has answered yet; how many were new."""
        found, until = 0, await self._forgotten(said)
        for message in sorted(said, key=lambda each: float(each["ts"])):
            if float(message["ts"]) > until.get(_thread(message), 0.0) and not self._mine(message):
                found += await self._tell(channel, message)
        return found

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

    async def _tell(self, channel: str, message: Message) -> bool:
        kind = "im" if channel.startswith("D") else "channel"
        new = await self._hear({**message, "type": "message", "channel": channel, "channel_type": kind})
        item = {"type": "message", "channel": channel, "ts": message["ts"]}
        for user in _crosses(message):
            await self._hear({"type": "reaction_added", "reaction": "x", "user": user, "item": item})
        return new

    async def _hear(self, event: Message) -> bool:
        body = {"type": "event_callback", "team_id": self.directory.team, "event": event, "caught_up": True}
        return await asyncio.shield(self.hear(body))  # a look may be broken off, but not while something is kept

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
