"""What we add to a harness: the time from its event until there is a view of it, and memory while it runs."""

import asyncio
import gc
import json
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from benchmarks.rows import Row, millis, share
from benchmarks.stage import ROOT, process, widen
from bot.agent import Agent
from bot.engine.local import LocalEngine
from bot.event import Answered, Question
from bot.line import Line
from bot.message import Attachment, Message, Person, Quote
from bot.ports import Mark, Show
from bot.processes import family
from bot.runtimes import runtime_of
from bot.session import Session
from bot.slack.views import session as view
from bot.store.sql import SqlStore
from bot.turn import House, Turns

SOON, LATE = 0.005, 0.020  # seconds
SMALL = 2.0  # MiB
EVERY = 0.1  # seconds between two pieces of what each harness says
KINDS = ("stream_json", "acp", "codex")
KEYS = {"OPENAI_API_KEY": "sk-test", "ANTHROPIC_API_KEY": "sk-test"}
HARNESSES = ROOT / ".harnesses"
MODEL = """
import asyncio
from tests.standins.model import Model

async def serve():
    async with Model() as model:
        print(model.url, flush=True)
        await asyncio.Event().wait()

asyncio.run(serve())
"""
TALE = "!slow 0.2\n!say " + "what goes on and on, " * 80  # half a minute


class Glass:
    """Implements the port Surface: makes each view as Slack's surface does, and notes when it would be given to the writer."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.seen: dict[str, int] = {}
        self.ended: dict[str, Session] = {}
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def follow(self, session: Session, agent: Agent, epoch: int) -> AsyncIterator[Show]:
        def show(session: Session) -> None:
            view.render(session, agent, time.time(), False)
            self._note(session, time.monotonic_ns())

        yield show

    def _note(self, session: Session, now: int) -> None:
        seen = self.seen.get(session.id, 0)
        self.late += [(now - int(stamp)) / 1e9 for stamp in session.answer[seen:].split() if stamp.isdigit()]
        self.seen[session.id] = len(session.answer)
        if session.ended:
            self.ended[session.id] = session
        self._changed.set()

    async def until(self, sessions: Sequence[str], length: int = 0) -> None:
        """All of them have ended; or have said so much."""
        async with asyncio.timeout(180):
            while not all(each in self.ended or 0 < length <= self.seen.get(each, 0) for each in sessions):
                self._changed.clear()
                await self._changed.wait()

    async def open(self, message: Message, agent: Agent) -> tuple[str, str]:
        return message.thread, message.channel

    async def said(self, session: Session, after: float, until: Sequence[Message]) -> tuple[Quote, ...]:
        return ()

    async def fetch(self, attachment: Attachment, folder: Path) -> Path:
        raise NotImplementedError

    async def compare(self, id: str, thread: str, sessions: Sequence[Session], votes: Sequence[int]) -> None: ...
    async def mark(self, message: Message, mark: Mark) -> None: ...
    async def settle(self, session: Session, question: Question, answered: Answered) -> None: ...


class Desk:
    """Runs turns of one agent, with a store on disk."""

    def __init__(self, agent: Agent, store: SqlStore, folder: Path, environment: Mapping[str, str]) -> None:
        self.agent, self.store, self.glass = agent, store, Glass()
        house = House(folder / "sessions", environment, line=Line())
        self.engine = LocalEngine(Turns(lambda _: agent, runtime_of, store, self.glass, house).run)

    async def ask(self, many: int, words: str) -> list[str]:
        """The sessions, each with its turn."""
        return [await self._ask(words) for _ in range(many)]

    async def _ask(self, words: str) -> str:
        asked, thread = Person(uuid4().hex, "Ana"), f"benchmark:{uuid4().hex}"
        message = Message(uuid4().hex, thread, "C1", asked, words, at=time.time(), agent=self.agent.name)
        session = Session(uuid4().hex, self.agent.name, thread, asked, "C1", asked=message.at)
        await self.store.start(session, message)
        await self.engine.submit(session.id)
        return session.id


@asynccontextmanager
async def desk(kind: str, options: Mapping[str, Any], more: Mapping[str, str], **given: str) -> AsyncIterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="frontdesk-benchmark-") as name:
        store, environment = SqlStore(f"sqlite+aiosqlite:///{name}/desk.db"), {**KEYS, **more}
        about = {"name": "coder", "version": "1", "description": "Codes.", "runtime": kind, **given}
        await store.open()
        made = Desk(Agent.model_validate({**about, "options": options, "environment": [*environment]}), store, Path(name), environment)
        try:
            yield made
        finally:
            await made.engine.close()
            await store.close_all()


async def measure(quick: bool) -> list[Row]:
    widen()
    pieces = 30 if quick else 200
    spoken = [row for many in (1, 10, 50) for row in await _at_once(many, pieces)]
    return spoken + await _real(3 if quick else 8)


async def _at_once(many: int, pieces: int) -> list[Row]:
    rows = [row for kind in KINDS for row in await _heard(kind, many, pieces)]
    return [*rows, Row(f"… until a process that does nothing else has read it, {many} at once", millis(await _read(many, pieces), 50, 99))]


async def _read(many: int, pieces: int) -> list[float]:
    """What of it is this machine's: the same harnesses, read and no more."""
    late: list[list[float]] = []

    async def read() -> None:
        words = (f"{ROOT}/benchmarks/talker.py", "stream_json", str(pieces), str(EVERY))
        child = await asyncio.create_subprocess_exec(sys.executable, "-I", *words, stdin=PIPE, stdout=PIPE)
        assert child.stdin
        assert child.stdout
        child.stdin.write(b"{}\n")
        child.stdin.close()
        late.append(mine := [])
        async for line in child.stdout:
            now, told = time.monotonic_ns(), json.loads(line)
            if told["type"] == "stream_event":
                mine.append((now - int(told["event"]["delta"]["text"])) / 1e9)
        await child.wait()

    await asyncio.gather(*(read() for _ in range(many)))
    return [seconds for mine in late for seconds in mine[5:]]


async def _heard(kind: str, many: int, pieces: int) -> list[Row]:
    """So many harnesses at once that tell when they told it."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-talker-") as folder:
        program = Path(folder) / "talker"
        program.write_text(f"#!/bin/sh\nexec {sys.executable} -I {ROOT}/benchmarks/talker.py {kind} {pieces} {EVERY}\n")
        program.chmod(0o755)
        options = {"path": str(program)} if kind == "codex" else {"command": [str(program)]}
        async with desk(kind, options, {}) as made:
            await made.glass.until(await made.ask(1, "Go"))  # what is loaded once is loaded
            gc.freeze()  # as the bot does once it is connected
            before = psutil.Process().memory_info().rss
            sessions = await made.ask(many, "Go")
            await made.glass.until(sessions, 60)  # all have begun: what is measured is not how this machine starts processes
            made.glass.late.clear()
            await made.glass.until(sessions, 20 * pieces // 2)
            each = (psutil.Process().memory_info().rss - before) / many / 2**20
            await made.glass.until(sessions)
            late, over = made.glass.late, [made.glass.ended[one].state for one in sessions]
    good = share(late, 50) < SOON and share(late, 99) < LATE and over == ["completed"] * many
    aim = f"p50 < {SOON * 1000:g} ms, p99 < {LATE * 1000:g} ms"
    rows = [Row(f"event to view, {many} at once over {kind}, p50 / p99", millis(late, 50, 99), "", aim, good)]
    return rows + ([Row(f"… memory of ours for each of {many}", f"{each:.2f} MiB", "", f"< {SMALL:g} MiB", each < SMALL)] * (many == 50))


async def _real(many: int) -> list[Row]:
    """Memory beside real harnesses, where they are installed."""
    if not HARNESSES.is_dir():
        return []
    codex, opencode = (str(HARNESSES / "node_modules" / ".bin" / name) for name in ("codex", "opencode"))
    async with process(("-c", MODEL), {"PATH": "/usr/bin:/bin"}) as model:
        assert model.stdout
        url = (await model.stdout.readline()).decode().strip()
        provider = {"npm": "@ai-sdk/openai-compatible", "options": {"baseURL": f"{url}/v1", "apiKey": "x"}, "models": {"stand-in": {}}}
        config = {"enabled_providers": ["fake"], "provider": {"fake": provider}}
        return [
            await _beside("claude_code", many, {}, {"ANTHROPIC_BASE_URL": url}, "claude-sonnet-5"),
            await _beside("codex", many, {"path": codex, "base_url": f"{url}/v1"}, {}, "gpt-5.4"),
            await _beside("opencode", many, {"path": opencode, "config": config}, {"OPENCODE_DISABLE_MODELS_FETCH": "1"}, "fake/stand-in"),
        ]


async def _beside(kind: str, many: int, options: Mapping[str, Any], environment: Mapping[str, str], model: str) -> Row:
    async with desk(kind, options, environment, model=model) as made:
        await made.glass.until(await made.ask(1, "!say hello"))
        before, others = psutil.Process().memory_info().rss, psutil.Process().children()
        sessions = await made.ask(many, TALE)
        await made.glass.until(sessions, 200)
        each = (psutil.Process().memory_info().rss - before) / many / 2**20
        theirs = [psutil.Process(pid) for child in psutil.Process().children() if child not in others for pid in family(child.pid)]
        own = sum(one.memory_full_info().pss for one in theirs if one.is_running()) / many / 2**20
        streaming = not made.glass.ended.keys() & set(sessions)
    figure = f"memory of ours for each of {many} sessions of {kind}, beside {own:.0f} MiB of its own"
    return Row(figure, f"{each:.2f} MiB", "", f"< {SMALL:g} MiB", each < SMALL and streaming)
