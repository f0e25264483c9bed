"""The door: what Slack delivers is kept, only then acknowledged, and then dealt with, in its order and whatever happens."""

import asyncio
import contextlib
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from slack_bolt import BoltResponse
from slack_sdk.errors import SlackApiError

from bot import clock
from bot.errors import BotError, StoreFailed
from bot.fired import Fired, delivery
from bot.journal import Delivery, Journal
from bot.slack import parse
from bot.slack.calls import refused

log = logging.getLogger(__name__)
Body = dict[str, Any]
Handler = Callable[[Delivery, Body], Awaitable[None]]
AGAIN, SELDOM = 1.0, 15.0  # seconds until Slack or the database is tried again, at first and at the most
GRACE = 2.0  # seconds that what was received may still take when the process ends
NOT_KEPT = (
    "I can keep nothing right now, so I have not begun. {why} Whoever runs Frontdesk has to mend that. "
    "Slack tells me once more in a minute and in five; if nothing comes of that, ask again."
)


class Door:
    """One middleware hears everything: what is known is dealt with, and what is not is acknowledged all the same.

    `answer` says something to the person who caused a delivery, `amiss` what is wrong with a form, by its fields: that goes back to them.
    While the `gate` is shut, something older may still be found.
    """

    def __init__(
        self,
        journal: Journal,
        handlers: Mapping[str, Handler],
        answer: Callable[[Body, str], Coroutine[Any, Any, None]],
        amiss: Callable[[Body], dict[str, str]] = lambda body: {},
    ) -> None:
        self.journal, self.handlers, self.answer, self.amiss = journal, handlers, answer, amiss
        self.gate = asyncio.Event()
        self.gate.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes: Counter[str] = Counter()  # how many tasks look into each
        self._closed = False

    async def receive(self, body: Body) -> BoltResponse | None:
        """Keep it, and only then acknowledge it. What cannot be kept is not acknowledged, so that Slack sends it again."""
        if self._closed:
            return BoltResponse(status=503, body="")
        if wrong := self.amiss(body):
            return BoltResponse(status=200, body={"response_action": "errors", "errors": wrong})
        try:
            await self.keep(body)
        except StoreFailed as error:
            log.error("not_kept", extra={"action": "not_kept", "kind": parse.kind(body), "error": str(error)})
            self._spawn(self._say(body, NOT_KEPT.format(why=error)))
            return BoltResponse(status=500, body="")
        return BoltResponse(status=200, body="")

    async def keep(self, body: Body) -> bool:
        """Deal with it from now on, whatever happens to this process; False if it was known. Raises StoreFailed."""
        key = parse.key(body)
        lane = parse.lane(body) or key
        return await self.take(Delivery(key, parse.kind(body), json.dumps(body), parse.at(body) or clock.now(), lane))

    async def fire(self, fired: Fired) -> None:
        """Let something outside Slack begin a session, once for its key, whatever happens to this process. Raises StoreFailed."""
        await self.journal.receive(kept := delivery(fired))
        await self.begin(kept)  # also what was kept before, with the schedule's next time

    async def begin(self, delivery: Delivery) -> None:
        """Deal with what has been kept."""
        self._spawn(self._serve(delivery.lane))

    async def take(self, delivery: Delivery) -> bool:
        """The same for what is no event of Slack's: False if it was known. Raises StoreFailed."""
        if new := await self.journal.receive(delivery):
            self._spawn(self._serve(delivery.lane))
        return new

    async def adopt(self) -> None:
        """Deal with what a process was given that is no more, and did not get to. Raises StoreFailed."""
        for lane in await self.journal.adopt([lane for lane, tasks in self._lanes.items() if tasks]):
            self._spawn(self._serve(lane))

    async def close(self) -> None:
        self._closed = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE)
        for task in self._tasks:
            task.cancel()  # it is not done, so another process deals with it
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, lane: str) -> None:
        """What comes of one thread is dealt with in its order, one at a time among all replicas."""
        await self.gate.wait()
        self._lanes[lane] += 1
        try:
            while not self._closed and (delivery := await self.journal.claim(lane)):
                await self._handle(delivery)
        except StoreFailed:
            pass  # then it is adopted later
        finally:
            self._lanes -= Counter([lane])

    async def _handle(self, delivery: Delivery) -> None:
        """Deal with one thing, and say so where something broke over it."""
        body = json.loads(delivery.body)
        if handler := self.handlers.get(delivery.kind):
            outcomes = await asyncio.gather(self._deal(handler, delivery, body), return_exceptions=True)
            if isinstance(outcomes[0], Exception):
                log.error("delivery_broke", exc_info=outcomes[0], extra={"action": "delivery_broke", "kind": delivery.kind})
                await self._say(body, "Something in me broke over this; the log of Frontdesk says what. Try it another way.")
        await self._done(delivery)

    async def _say(self, body: Body, text: str) -> None:
        """What cannot be said keeps nothing from being done: else it would be dealt with again, for ever."""
        outcomes = await asyncio.gather(self.answer(body, text), return_exceptions=True)
        if isinstance(outcomes[0], Exception):
            log.error("not_said", exc_info=outcomes[0], extra={"action": "not_said"})

    async def _deal(self, handler: Handler, delivery: Delivery, body: Body) -> None:
        """For as long as Slack or the database is away; what comes behind it waits."""
        pause = AGAIN
        while True:
            try:
                return await handler(delivery, body)
            except (SlackApiError, StoreFailed) as error:
                log.warning("again", extra={"action": "again", "kind": delivery.kind, "error": str(error)[:300]})
                if isinstance(error, SlackApiError) and refused(error).after is None:
                    return await self._say(body, "I could not take that in: Slack does not let me. The log of Frontdesk says why.")
            except BotError as error:
                return await self._say(body, str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, SELDOM)

    async def _done(self, delivery: Delivery) -> None:
        while True:
            with contextlib.suppress(StoreFailed):
                return await self.journal.done(delivery.key)
            await asyncio.sleep(AGAIN)
