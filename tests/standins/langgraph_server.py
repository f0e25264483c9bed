"""A stand-in for a LangGraph server: one thread after the other, whose runs tell what a test says."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.standins.site import Site

Json = dict[str, Any]


@dataclass
class Run:
    """`parts` are its events: a name and data. It waits for `more` before each from `held` on, and so many seconds, its `pause`, before
    each; `cut` breaks the connection there, once.
    """

    id: str
    asked: Json
    parts: list[tuple[str, Any]]
    held: int = 999
    pause: float = 0.0
    cut: int = 999
    status: str = "success"
    interrupts: list[Json] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)


class LangGraphServer(Site):
    """`async with LangGraphServer() as server:` serves on loopback. `next` is what it does next; `joined` the events that listeners had.

    `streams` answers listeners in its place, `refusals` are told them first, and `cut_refusals` after a connection was cut.
    """

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.threads: dict[str, Json] = {}
        self.runs: list[Run] = []
        self.next = Run("", {}, [])
        self.canceled: list[str] = []
        self.joined: list[str] = []
        self.streams: Any = None
        self.assistants: list[Json] = [{"assistant_id": "a1", "graph_id": "agent"}]
        self.refusals: list[int] = []
        self.cut_refusals: list[int] = []
        self.app = app = web.Application(middlewares=[self._known])
        app.router.add_post("/assistants/search", self._assistants)
        app.router.add_post("/threads", self._thread)
        app.router.add_get("/threads/{thread}", self._state)
        app.router.add_get("/threads/{thread}/runs", self._runs)
        app.router.add_post("/threads/{thread}/runs", self._run)
        app.router.add_get("/threads/{thread}/runs/{run}", self._status)
        app.router.add_get("/threads/{thread}/runs/{run}/stream", self._stream)
        app.router.add_post("/threads/{thread}/runs/{run}/cancel", self._cancel)

    @web.middleware
    async def _known(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.key and request.headers.get("x-api-key") != self.key:
            return web.json_response({"detail": "who are you?"}, status=401)
        return await handler(request)  # type: ignore[no-any-return]

    async def _assistants(self, request: web.Request) -> web.Response:
        wanted = (await request.json()).get("graph_id")
        return web.json_response([one for one in self.assistants if wanted in (None, one["graph_id"])])

    async def _thread(self, request: web.Request) -> web.Response:
        id = f"t{len(self.threads) + 1}"
        self.threads[id] = {"thread_id": id, "status": "idle", "values": {}, "interrupts": {}}
        return web.json_response(self.threads[id])

    async def _state(self, request: web.Request) -> web.Response:
        thread = self.threads.get(request.match_info["thread"])
        return web.json_response(thread or {"detail": "none"}, status=200 if thread else 404)

    async def _runs(self, request: web.Request) -> web.Response:
        return web.json_response([{"run_id": run.id, "metadata": run.asked["metadata"]} for run in reversed(self.runs)])

    async def _run(self, request: web.Request) -> web.Response:
        run, self.next = self.next, Run("", {}, [])
        run.id, run.asked = f"r{len(self.runs) + 1}", await request.json()
        self.threads[request.match_info["thread"]]["interrupts"] = {"task": run.interrupts} if run.interrupts else {}
        self.runs.append(run)
        return web.json_response({"run_id": run.id})

    def _of(self, request: web.Request) -> Run:
        return next(run for run in self.runs if run.id == request.match_info["run"])

    async def _status(self, request: web.Request) -> web.Response:
        run = self._of(request)
        return web.json_response({"run_id": run.id, "status": run.status})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        run, last = self._of(request), request.headers.get("Last-Event-ID", "")
        self.joined.append(last)
        if self.streams:
            return await self.streams(request)  # type: ignore[no-any-return]
        if self.refusals:
            return web.json_response({}, status=self.refusals.pop(0))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        begun = 0 if last in ("", "-1") else int(last.partition("-")[0]) + 1
        for number, (event, data) in enumerate(run.parts[begun:], begun):
            if number >= run.held:
                await run.more.wait()
            if number == run.cut:
                run.cut, self.refusals = 999, self.cut_refusals
                assert request.transport
                request.transport.close()
                return response
            await asyncio.sleep(run.pause)
            await response.write(f"id: {number}-0\nevent: {event}\ndata: {json.dumps(data)}\n\n".encode())
        return response

    async def _cancel(self, request: web.Request) -> web.Response:
        self.canceled.append(self._of(request).id)
        return web.json_response({})
