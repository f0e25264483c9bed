"""A Kelos Task for each turn: made by its name, followed by its phases and its log, told by its results."""

import asyncio
import base64
import binascii
import json
from collections.abc import AsyncGenerator, Iterator

from bot import net
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Finished, Notice, Started, Text, Usage
from bot.ports import Turn
from bot.runtimes import kelos_setting as setting
from bot.runtimes.kelos_place import CONTAINER
from bot.runtimes.kubernetes_line import Line, Missing, Taken
from bot.runtimes.shim_line import PASSING
from bot.runtimes.stream_json_story import Memory, Story
from bot.spoken import Json

KEPT = "kelos-task"
STOPPING = 1.5  # seconds
LOOK = 2.0  # seconds between two looks at a Task
LOST = "The Task in which this ran is not there any more, and what it did is not known: look in Kelos, or ask again."
TOLD = {"pr": "Pull request", "branch": "Branch", "commit": "Commit"}


class Work:
    """A Task asks nobody and hears nobody; it goes on without us, and any process finds it again."""

    def __init__(self, turn: Turn, options: setting.KelosOptions, line: Line) -> None:
        self.turn, self.options, self.line, self.name = turn, options, line, setting.name_of(turn, options)
        self.path = line.path("tasks", self.name, setting.API)
        self.story = Story(turn.folder, turn.agent.file, "", Memory())
        self.read, self.said, self.over = 0, "", False

    async def told(self) -> AsyncGenerator[Event, None]:
        found = await self._made()
        yield Started(json.dumps({"task": self.name}), self.name, self.turn.agent.model)
        try:
            while (phase := (found.get("status") or {}).get("phase")) not in ("Succeeded", "Failed"):
                for event in [*self._waits(found), *(await self._logged(found) if phase == "Running" else ())]:
                    yield event
                await asyncio.sleep(LOOK)
                found = await self._found()
            for event in [*await self._logged(found), *results(found)]:
                yield event
            self.over = True
        finally:
            await self._stop()

    async def _made(self) -> Json:
        """The Task of this turn. Raises Unavailable where Kelos, or a policy of the cluster, does not want it."""
        if self.turn.again and self.name in await self.turn.keep.load(KEPT):
            return await self._found()
        await self.turn.keep.append(KEPT, [self.name])
        words = [self.turn.instructions] if self.turn.instructions.strip() else []
        try:
            return await self.line.make(
                self.line.path("tasks", api=setting.API), setting.task(self.turn, self.options, "\n\n".join([*words, self.turn.prompt]))
            )
        except Taken:
            return await self.line.get(self.path)

    async def _found(self) -> Json:
        try:
            return await self.line.get(self.path)
        except Missing as error:
            self.over = True
            raise RuntimeFailed(LOST) from error
        except PASSING:
            return {}  # it goes on without us; look once more
        except Unavailable as error:
            raise RuntimeFailed(str(error)) from error

    def _waits(self, found: Json) -> Iterator[Event]:
        """Why it has not begun: it waits for others, for its branch, or for a budget."""
        status = found.get("status") or {}
        blocked = [each for each in status.get("conditions") or () if each.get("type") == "BudgetBlocked" and each.get("status") == "True"]
        words = str((blocked[0] if blocked else status).get("message") or "")
        if status.get("phase") in ("Waiting", "Pending") and words and words != self.said:
            self.said = words
            yield Notice(f"The Task waits{' for its budget' if blocked else ''}: {words}")

    async def _logged(self, found: Json) -> list[Event]:
        """What its harness has said since we last looked; Claude Code says it in a way that we can read."""
        pod = str((found.get("status") or {}).get("podName") or "")
        if not pod or self.options.type != "claude-code":
            return []
        try:
            log = await self.line.read(self.line.path("pods", f"{pod}/log"), {"container": CONTAINER})
        except Unavailable:
            return []  # a log is a help, and no more
        lines = log.split("\n")[:-1]
        fresh, self.read = lines[self.read :], max(len(lines), self.read)
        events = [event for line in fresh if line.startswith("{") for event in self._event(line)]
        return [event for event in events if not isinstance(event, Usage | Finished)]

    def _event(self, line: str) -> list[Event]:
        try:
            said = json.loads(line)
        except ValueError:
            return []
        return list(self.story.tell(said)) if isinstance(said, dict) else []

    async def _stop(self) -> None:
        if self.over or self.turn.leaving():
            return
        async with net.ending(STOPPING):
            await self.line.drop(self.path)


def results(found: Json) -> Iterator[Event]:
    """What came of it."""
    status = found.get("status") or {}
    told = status.get("results") or {}
    if response := _response(str(told.get("response") or "")):
        yield Text(response, final=True)
    used = status.get("usage") or {}
    if used:
        yield Usage(int(used.get("inputTokens") or 0), int(used.get("outputTokens") or 0), 0, amount(used.get("costUSD")))
    links = [f"{TOLD[key]}: {told[key]}" for key in TOLD if told.get(key)] or [str(each) for each in status.get("outputs") or ()]
    if links:
        yield Notice("\n".join(links))
    failed = status.get("phase") == "Failed"
    why = str(status.get("message") or "The Task failed, and does not say why: look at its log in Kelos.")
    yield Finished("failed", why, "Failed") if failed else Finished("completed")


def _response(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return encoded  # a harness of one's own may not know that it is to be encoded


def amount(quantity: object) -> float:
    """A Kubernetes quantity: 1, "0.25", "250m"."""
    said = str(quantity or "0")
    try:
        return float(said[:-1]) / 1000 if said.endswith("m") else float(said)
    except ValueError:
        return 0.0
