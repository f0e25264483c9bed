"""Platforms that say only when they say it: python elsewhere.py PLACES PIECES SECONDS, each at a port of its own, with five protocols."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

Json = dict[str, Any]


class Place:
    """One platform; whoever asks it is told `pieces`, one each so many `seconds`."""

    def __init__(self, pieces: int, seconds: float) -> None:
        self.pieces, self.seconds = pieces, seconds
        self.asked = asyncio.Event()
        self.app = web.Application()
        self.app.add_routes([
            web.post("/send", self.profiled),
            web.post("/v1/responses", self.responses), web.post("/v1/chat/completions", self.chat),
            web.post("/v1/sessions", self.found), web.get("/v1/sessions/{id}", self.found),
            web.get("/v1/sessions/{id}/events", self.found), web.post("/v1/sessions/{id}/events", self.begun),
            web.get("/v1/sessions/{id}/events/stream", self.managed),
            web.post("/assistants/search", self.listed), web.post("/threads", self.found), web.get("/threads/{id}", self.found),
            web.post("/threads/{id}/runs", self.found), web.get("/threads/{id}/runs/{run}", self.found),
            web.get("/threads/{id}/runs/{run}/stream", self.langgraph),
        ])  # fmt: skip

    async def found(self, _: web.Request) -> web.Response:
        ids = {"id": "s1", "thread_id": "t1", "run_id": "r1"}
        return web.json_response({**ids, "status": "success", "data": [], "values": {}, "interrupts": {}})

    async def listed(self, _: web.Request) -> web.Response:
        return web.json_response([{"assistant_id": "a1", "graph_id": "agent"}])

    async def begun(self, request: web.Request) -> web.Response:
        self.asked.set()
        return await self.found(request)

    async def stamps(self) -> AsyncIterator[str]:
        """The time as each piece is written; the clock is the same in all processes of a machine."""
        began = time.monotonic()
        for number in range(self.pieces):
            await asyncio.sleep(max(0.0, began + number * self.seconds - time.monotonic()))
            yield f"{time.monotonic_ns()} "

    async def profiled(self, request: web.Request) -> web.StreamResponse:
        response = await opened(request)
        async for stamp in self.stamps():
            await tell(response, {"text": stamp}, "said")
        return response

    async def responses(self, request: web.Request) -> web.StreamResponse:
        response, answer = await opened(request), {"id": "r1", "status": "in_progress", "output": []}
        await tell(response, {"type": "response.created", "response": answer})
        async for stamp in self.stamps():
            await tell(response, {"type": "response.output_text.delta", "item_id": "m1", "content_index": 0, "delta": stamp})
        await tell(response, {"type": "response.completed", "response": {**answer, "status": "completed"}})
        return response

    async def chat(self, request: web.Request) -> web.StreamResponse:
        response = await opened(request)
        async for stamp in self.stamps():
            await tell(response, {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": stamp}}]})
        await tell(response, {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        return response

    async def managed(self, request: web.Request) -> web.StreamResponse:
        response, said = await opened(request), ""
        await response.write(b": here\n\n")
        await self.asked.wait()
        self.asked.clear()
        await tell(response, {"type": "session.status_running", "id": "e1"})
        await tell(response, {"type": "event_start", "event": {"id": "m1", "type": "agent.message"}})
        async for stamp in self.stamps():
            said += stamp
            delta = {"type": "content_delta", "index": 0, "content": {"type": "text", "text": stamp}}
            await tell(response, {"type": "event_delta", "event_id": "m1", "delta": delta})
        await tell(response, {"type": "agent.message", "id": "m1", "content": [{"type": "text", "text": said}]})
        await tell(response, {"type": "session.status_idle", "id": "e2", "stop_reason": {"type": "end_turn"}})
        return response

    async def langgraph(self, request: web.Request) -> web.StreamResponse:
        response = await opened(request)
        async for stamp in self.stamps():
            await tell(response, [{"type": "AIMessageChunk", "id": "m1", "content": stamp}, {}], "messages")
        return response


async def opened(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    return response


async def tell(response: web.StreamResponse, data: Any, name: str = "") -> None:
    lead = f"event: {name}\n" if name else ""
    await response.write(f"{lead}data: {json.dumps(data)}\n\n".encode())


async def serve(places: int, pieces: int, seconds: float) -> None:
    """Says the ports, and serves until it is ended."""
    ports = []
    for _ in range(places):
        runner = web.AppRunner(Place(pieces, seconds).app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
