"""A stand-in for an agent platform of no maker: sessions, runs, server-sent events with ids, questions. It does what `!` lines ask for.

Its API is our own invention, for the profile in tests/runtimes/platform.yaml, which is how one would write down a platform that
nobody has shipped a profile for.
"""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.standins.site import Site

from .script import acts

Json = dict[str, Any]


@dataclass
class Run:
    """`events` are what it told so far, with what comes of it; `answers` come from people."""

    id: str
    session: str
    events: list[tuple[str, Json]] = field(default_factory=list)
    state: str = "running"
    more: asyncio.Event = field(default_factory=asyncio.Event)
    answers: "asyncio.Queue[Json]" = field(default_factory=asyncio.Queue)
    task: "asyncio.Task[None] | None" = None

    def tell(self, event: str, **data: Any) -> None:
        self.events.append((event, data))
        self.more.set()


@dataclass(frozen=True)
class Asked:
    body: Json


class Platform(Site):
    """`async with Platform() as platform:` serves on loopback. `cut` breaks the stream after so many events, once; `joined` are the
    cursors that listeners came with; `log` is what it was told, with all that was said in the session before; `noise` goes before
    each stream; `stopped` are the runs that were canceled.
    """

    def __init__(self, key: str = "sk-test") -> None:
        self.key, self.cut = key, 0
        self.runs: list[Run] = []
        self.said: dict[str, list[str]] = {}
        self.log: list[Asked] = []
        self.joined: list[str] = []
        self.noise = b""
        self.stopped: list[str] = []
        self._refusal: web.Response | None = None
        self.app = app = web.Application(middlewares=[self._known])
        app.router.add_post("/sessions", self._session)
        app.router.add_post("/sessions/{session}/runs", self._run)
        app.router.add_get("/runs/{run}", self._status)
        app.router.add_get("/runs/{run}/events", self._events)
        app.router.add_post("/runs/{run}/answers/{question}", self._answer)
        app.router.add_post("/runs/{run}/cancel", self._cancel)

    def refuse(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Answer all requests with this from now on."""
        kind = {"Content-Type": "application/json", **headers}
        self._refusal = web.Response(status=status, body=body, headers=kind)

    async def down(self) -> None:
        """Go away in the middle of whatever is told."""
        for run in self.runs:
            await self._end(run)
        await super().down()

    @web.middleware
    async def _known(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self._refusal:
            return web.Response(status=self._refusal.status, body=self._refusal.body, headers=self._refusal.headers)
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": f"unknown token {request.headers.get('Authorization')}"}, status=401)
        return await handler(request)

    async def _session(self, request: web.Request) -> web.Response:
        id = f"session-{len(self.said) + 1}"
        self.said[id] = []
        return web.json_response({"session": {"id": id}}, status=201)

    async def _run(self, request: web.Request) -> web.Response:
        body, session = await request.json(), request.match_info["session"]
        self.said[session].append(body["text"])
        self.log.append(Asked({"said": list(self.said[session]), **body}))
        run = Run(f"run-{len(self.runs) + 1}", session)
        self.runs.append(run)
        run.task = asyncio.create_task(self._work(run, body))
        return web.json_response({"run": run.id}, status=202)

    async def _status(self, request: web.Request) -> web.Response:
        run = self._of(request)
        text = "".join(data["text"] for name, data in run.events if name == "said")
        error = next((data["error"] for name, data in run.events if name == "over"), "")
        return web.json_response({"state": run.state, "text": text, "error": error})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        run, last = self._of(request), request.headers.get("Last-Event-ID", "")
        self.joined.append(last)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(self.noise)
        async for number, (name, data) in self._from(run, int(last or 0)):
            await response.write(f"id: {number}\r\nevent: {name}\r\ndata: {json.dumps(data)}\r\n\r\n".encode())
            if self.cut and number >= self.cut and request.transport:
                self.cut = 0
                request.transport.abort()
        return response

    async def _from(self, run: Run, place: int) -> AsyncIterator[tuple[int, tuple[str, Json]]]:
        while True:
            run.more.clear()
            for event in run.events[place:]:
                place += 1
                yield place, event
            if run.state != "running" and place == len(run.events):
                return
            await run.more.wait()

    async def _answer(self, request: web.Request) -> web.Response:
        await self._of(request).answers.put({"question": request.match_info["question"], **await request.json()})
        return web.json_response({})

    async def _cancel(self, request: web.Request) -> web.Response:
        await self._end(run := self._of(request))
        self.stopped.append(run.id)
        return web.json_response({})

    def _of(self, request: web.Request) -> Run:
        found = next((run for run in self.runs if run.id == request.match_info["run"]), None)
        if found is None:
            raise web.HTTPNotFound
        return found

    async def _end(self, run: Run) -> None:
        if run.task:
            run.task.cancel()
            await asyncio.wait([run.task])

    async def _work(self, run: Run, body: Json) -> None:
        """The script, line by line."""
        delay, results, error, used = 0.0, list[str](), "", (0, 0)
        for name, rest in [line for turn in acts(body["text"]) for line in turn]:
            match name:
                case "slow":
                    delay = float(rest)
                case "hold":
                    await asyncio.Event().wait()
                case "think":
                    run.tell("thought", text=rest)
                case "say":
                    await self._say(run, rest, delay)
                case "toolresult":
                    await self._say(run, "the tools said: " + " | ".join(results), delay)
                case "usage":
                    used = (int(rest.split()[0]), int(rest.split()[1]))
                case "error":
                    error = f"the model's provider answered {rest}"
                case "odd":
                    run.tell("odd", rest=rest)
                case "tool":
                    tool, _, given = rest.partition(" ")
                    results.append(await self._tool(run, tool, json.loads(given), body))
        run.state = "failed" if error else "done"
        run.tell("over", state=run.state, error=error, input=used[0], output=used[1], usd=used[0] / 1e6)

    async def _say(self, run: Run, text: str, delay: float) -> None:
        words = text.split(" ")
        for place, word in enumerate(words):
            await asyncio.sleep(delay)
            run.tell("said", text=word + (" " if place < len(words) - 1 else ""))

    async def _tool(self, run: Run, tool: str, given: Json, body: Json) -> str:
        id = f"call-{len(run.events)}"
        if tool == "plan":
            run.tell("plan", steps=given["steps"])
            return "planned"
        if tool == "ask":
            run.tell("asks", id=id, kind="question", text=given["text"], options=given["options"])
            return str((await run.answers.get())["answer"])
        if body.get("asks"):
            run.tell("asks", id=id, kind="permission", text="Run this?", command=given["command"])
            if (await run.answers.get())["decision"] == "deny":
                run.tell("tool", id=id, name="shell", command=given["command"], status="denied")
                return "denied"
        run.tell("tool", id=id, name="shell", command=given["command"], status="running")
        said = await _ran(given["command"], Path(body["folder"]))
        run.tell("tool", id=id, name="shell", command=given["command"], status="done")
        return said


async def _ran(command: str, folder: Path) -> str:
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    environment = {"PATH": os.defpath, "FOLDER": str(folder)}
    child = await asyncio.create_subprocess_shell(
        command, stdout=asyncio.subprocess.PIPE, cwd=folder, env=environment, start_new_session=True
    )
    try:
        said, _ = await child.communicate()
        return said.decode().strip()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()
