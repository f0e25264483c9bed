"""What people do meanwhile, and what each of them has a right to see in the end."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.playground import Slack
from bot.playground.things import Json

PEOPLE = ("ana", "ben", "carla")
PATIENCE = 4.0  # seconds after which somebody presses a button again that did nothing
COMMAND, SHORTCUT, FORM = "/helper", "look", "Write an answer"


@dataclass
class Ask:
    """One thing asked in a thread: `answer` is to be seen there once, `never` not at all.

    The thread of a command has no ts here: what the app says begins it. What was not `said` as a message came by a command or a form.
    """

    token: str
    root: Json
    answer: str
    said: str = ""  # the ts of what was asked
    never: str = ""
    stop: str = ""  # the ts of the word that stops it, if it is one
    done: bool = True  # whether people have done their own part of it
    sure: bool = True  # whether Slack told the person that it went through; else it may have, once


@dataclass
class People:
    """They speak, answer and stop, by the dice of `seed`; what they expect stands in `asks`, in the order of asking."""

    slack: Slack
    seed: int
    channels: list[str]
    asks: list[Ask] = field(default_factory=list)
    broke: list[str] = field(default_factory=list)
    _tasks: set[asyncio.Future[None]] = field(default_factory=set)
    # Who fills in a form fills in no other.
    _hands: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    async def speak(self) -> None:
        """One of the things that people do."""
        deeds: list[tuple[int, Callable[[str], Awaitable[None]]]] = [
            (5, self.mention), (4, self.follow), (3, self.ask), (2, self.stop), (1, self.direct), (2, self.command), (2, self.write),
            (1, self.shortcut),
        ]  # fmt: skip
        deed = self.dice.choices([deed for _, deed in deeds], [weight for weight, _ in deeds])[0]
        await deed(f"T{len(self.asks) + 1}x")

    async def mention(self, token: str) -> None:
        root = await self.slack.mention(self._script(token), self.dice.choice(PEOPLE), self.dice.choice(self.channels))
        self.asks.append(Ask(token, root, f"done {token}", str(root["ts"])))

    async def direct(self, token: str) -> None:
        root = await self.slack.direct(self._script(token), self.dice.choice(PEOPLE))
        self.asks.append(Ask(token, root, f"done {token}", str(root["ts"])))

    async def follow(self, token: str) -> None:
        """Somebody goes on in a thread, whether the bot still works there or not."""
        known = [ask.root for ask in self.asks if ask.said and not ask.never and "chose" not in ask.answer]
        if not known:
            return await self.mention(token)
        root = self.dice.choice(known[-10:])
        said = await self.slack.say(f"!say done {token}", str(root["user"]), root["channel"], root)
        self.asks.append(Ask(token, root, f"done {token}", str(said["ts"])))

    async def ask(self, token: str) -> None:
        script = f"!ask Which {token}? | Red | Blue\n!say chose {token} {{answer}}."
        root = await self.slack.mention(script, self.dice.choice(PEOPLE), self.dice.choice(self.channels))
        self.asks.append(ask := Ask(token, root, f"chose {token} Red.", str(root["ts"]), done=False))
        self._soon(self._choose(ask, self.dice.uniform(0, 2)))

    async def stop(self, token: str) -> None:
        root = await self.slack.mention(
            f"!step One\n!slow 40\n!say never {token}", self.dice.choice(PEOPLE), self.dice.choice(self.channels)
        )
        self.asks.append(ask := Ask(token, root, "Stopped by", str(root["ts"]), f"never {token}", done=False))
        self._soon(self._stop(ask, self.dice.choice(("word", "button", "cross")), self.dice.uniform(0, 3)))

    async def command(self, token: str) -> None:
        by, channel = self.dice.choice(PEOPLE), self.slack.channel(self.dice.choice(self.channels))
        self.asks.append(ask := Ask(token, {"channel": channel, "ts": ""}, f"done {token}", done=False))
        self._soon(self._command(ask, by))

    async def write(self, token: str) -> None:
        """Something is asked that is answered by a form."""
        script = f"!ask Which {token}?\n!say chose {token} {{answer}}."
        root = await self.slack.mention(script, self.dice.choice(PEOPLE), self.dice.choice(self.channels))
        self.asks.append(ask := Ask(token, root, f"chose {token} Red.", str(root["ts"]), done=False))
        self._soon(self._write(ask, self.dice.uniform(0, 2)))

    async def shortcut(self, token: str) -> None:
        """Something is said to nobody; then the app is called on it."""
        root = await self.slack.say(f"Look at {token}", self.dice.choice(PEOPLE), self.dice.choice(self.channels))
        self.asks.append(ask := Ask(token, root, f"done {token}", done=False))
        self._soon(self._shortcut(ask, self.dice.uniform(0, 1)))

    def _script(self, token: str) -> str:
        slow = self.dice.choice((0, 0.05, 0.3, 1))
        return f"!slow {slow}\n!step Looking\n!step Thinking\n!say done {token}"

    async def _choose(self, ask: Ask, wait: float) -> None:
        """Press the button until the card says that it was."""
        await asyncio.sleep(wait)
        while not self._says(ask, "chose") and not self._says(ask, "answered: Red"):
            if card := self._live(ask, "Red"):
                await asyncio.gather(self.slack.press(card, "Red", str(ask.root["user"])), return_exceptions=True)
            await asyncio.sleep(PATIENCE / 4)
        ask.done = True

    async def _stop(self, ask: Ask, how: str, wait: float) -> None:
        await asyncio.sleep(wait)
        by, root = str(ask.root["user"]), ask.root
        if how == "word":
            ask.stop = str((await self.slack.say("stop", by, root["channel"], root))["ts"])
        elif how == "cross":
            await self.slack.react(root, "x", by)
        else:
            while not self._says(ask, "Stopped by"):
                if message := self._live(ask, "Stop"):
                    await asyncio.gather(self.slack.press(message, "Stop", by), return_exceptions=True)
                await asyncio.sleep(PATIENCE)
        ask.done = True

    async def _command(self, ask: Ask, by: str) -> None:
        script = f"!say done{{answer}} {ask.token}"  # what the app repeats of it at the top of the thread is not the answer
        sent = await self.slack.command(COMMAND, script, by, ask.root["channel"])
        ask.sure, ask.done = sent.state == "acked", True

    async def _write(self, ask: Ask, wait: float) -> None:
        """Open the form and send it until the card says that it was answered."""
        await asyncio.sleep(wait)
        by = str(ask.root["user"])
        while not self._says(ask, "chose") and not self._says(ask, "answered: Red"):
            async with self._hands[by]:
                if card := self._live(ask, FORM):
                    await asyncio.gather(self.slack.press(card, FORM, by), return_exceptions=True)
                    await self._send(by, {"text:answer": "Red"})
            await asyncio.sleep(PATIENCE / 4)
        ask.done = True

    async def _shortcut(self, ask: Ask, wait: float) -> None:
        await asyncio.sleep(wait)
        by, sent = str(ask.root["user"]), ""
        while not sent:
            async with self._hands[by]:
                await self.slack.shortcut(SHORTCUT, ask.root, by)
                sent = await self._send(by, {"agent": "helper", "note": f"!say done {ask.token}", "where": "thread"})
            await asyncio.sleep(PATIENCE / 4)
        ask.sure, ask.done = sent == "sent", True

    async def _send(self, by: str, values: Json) -> str:
        """Fill in and send the form that has just been opened: "sent", or "in doubt", and then it is closed; empty where none comes."""
        until = time.monotonic() + PATIENCE  # Slack opens none so late
        while not (stack := self.slack.modals(by)):
            if time.monotonic() > until:
                return ""
            await asyncio.sleep(0.1)
        if "error" not in await self.slack.submit(stack[-1], values, by):
            return "sent"
        await self.slack.close(stack[-1], by)
        return "in doubt"

    def roots(self, ask: Ask) -> list[Json]:
        """Where the threads of it begin; there is to be one."""
        if ask.root["ts"]:
            return [ask.root]
        return [said for said in self.slack.messages(ask.root["channel"], replies=False) if f" {ask.token}" in self.slack.text(said)]

    def seen(self, ask: Ask) -> list[str]:
        """All that the bot shows in the thread, message by message."""
        replies = [message for root in self.roots(ask) for message in self.slack.thread(root)[1:]]
        return [self.slack.text(message) for message in replies if message.get("bot_id")]

    def _says(self, ask: Ask, *words: str) -> bool:
        return any(all(word in text for word in words) for text in self.seen(ask))

    def _live(self, ask: Ask, label: str) -> Json | None:
        """The message of the bot that has this button still."""
        for message in reversed(self.slack.thread(ask.root)[1:]):
            if label in buttons(message):
                return message | {"channel": ask.root["channel"]}
        return None

    def _soon(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: "asyncio.Future[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.broke.append(f"somebody could not go on: {error!r}")

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def buttons(message: Json) -> list[str]:
    """The labels of the buttons that a message has."""
    parts = [element for block in message.get("blocks") or [] for element in block.get("elements") or [] if block["type"] == "actions"]
    return [str(part["text"]["text"]) for part in parts if part["type"] == "button"]
