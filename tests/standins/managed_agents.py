"""A stand-in for Claude Managed Agents, after the types of anthropic 2.11.0, and for the bridges of LiteLLM's agent control plane,
after their templates (openclaw and opencode, as of June 2026). What its agents do is said in the messages: see script.py.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from aiohttp import web

from tests.standins.model import Asked
from tests.standins.script import LINE
from tests.standins.site import Shaky

Json = dict[str, Any]
Kind = Literal["cloud", "bridge", "forgetful"]
PIECE = 12


@dataclass
class Session:
    """`held` makes it wait before an act of that number for `more`; `counted` is what it has used: tokens in and out."""

    id: str
    asked: Json
    tools: list[Json]
    events: list[Json] = field(default_factory=list)
    ears: list[asyncio.Queue[Json | None]] = field(default_factory=list)
    answers: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    counted: list[int] = field(default_factory=lambda: [0, 0])
    queue: list[Json] = field(default_factory=list)
    work: "asyncio.Task[None] | None" = None

    @property
    def usage(self) -> Json:
        given, told = self.counted
        cents = str(given + told * 5)
        return {
            "input_tokens": given,
            "output_tokens": told,
            "cache_read_input_tokens": 0,
            "list_cost": {"amount": cents, "currency": "USD"},
        }


class ManagedAgents(Shaky):
    """`async with ManagedAgents() as platform:` serves on loopback. `folder` is where its agents' commands run.

    A `bridge` says what an event is only in its name, tells all on connecting, and knows /abort in place of an interrupt;
    a `forgetful` one keeps no events, whose messages come in pieces without ids.
    """

    def __init__(self, kind: Kind = "cloud", key: str = "sk-test", folder: Path = Path()) -> None:
        self.kind, self.key, self.folder = kind, key, folder
        super().__init__()
        self.log: list[Asked] = []
        self.requests: list[tuple[str, str, Json]] = []
        self.headers: list[Mapping[str, str]] = []
        self.made: dict[str, list[Json]] = {"agents": [], "environments": []}
        self.sessions: dict[str, Session] = {}
        self.stopped: list[str] = []
        self.hold = asyncio.Event()
        self._numbers = count(1)
        self.again()
        self.hold.set()

    def again(self) -> None:
        """Ready to go up, the first time or after it went down."""
        self.app = web.Application(middlewares=[self._known], client_max_size=64 << 20)
        self.routes(self.app)

    def routes(self, app: web.Application) -> None:
        for what in self.made:
            app.router.add_get(f"/v1/{what}", self._list)
            app.router.add_post(f"/v1/{what}", self._make)
        app.router.add_post("/v1/sessions", self._begin)
        app.router.add_get("/v1/sessions/{id}", self._look)
        app.router.add_get("/v1/sessions/{id}/events", self._events)
        app.router.add_post("/v1/sessions/{id}/events", self._send)
        app.router.add_post("/v1/sessions/{id}/abort", self._abort)
        app.router.add_get("/v1/sessions/{id}/events/stream", self._stream)

    def key_of(self, headers: Mapping[str, str]) -> str:
        return headers.get("x-api-key", "")

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for session in self.sessions.values():
            if session.work:
                end(session.work)
                await asyncio.wait([session.work])
        await self.down()

    @property
    def session(self) -> Session:
        return list(self.sessions.values())[-1]

    @web.middleware
    async def _known(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.headers.append(request.headers)
        if no := self.refused():
            return no
        if (key := self.key_of(request.headers)) != self.key:
            return refused(401, "authentication_error", f"no such key: {key}")
        if self.kind == "cloud" and "managed-agents" not in request.headers.get("anthropic-beta", ""):
            return refused(400, "invalid_request_error", "the beta header is missing")
        if "id" in request.match_info and request.match_info["id"] not in self.sessions:
            return refused(404, "not_found_error", "no such session")
        self.requests.append((request.method, request.path, await request.json() if request.can_read_body else {}))
        return await handler(request)  # type: ignore[no-any-return]

    async def _list(self, request: web.Request) -> web.Response:
        what = request.path.rpartition("/")[2]
        if self.kind != "cloud" and what == "environments":
            return refused(405, "error", "Method Not Allowed")
        return web.json_response({"data": self.made[what], "next_page": None})

    async def _make(self, request: web.Request) -> web.Response:
        what = request.path.rpartition("/")[2]
        self.made[what].append({**await request.json(), "id": f"{what[:-1]}_{len(self.made[what]) + 1}"})
        return web.json_response(self.made[what][-1])

    async def _begin(self, request: web.Request) -> web.Response:
        asked = await request.json()
        agent = next((agent for agent in self.made["agents"] if agent["id"] == asked["agent"]), None)
        if agent is None:
            return refused(404, "not_found_error", f"no agent {asked['agent']}")
        session = Session(f"sesn_{len(self.sessions) + 1}", asked, agent.get("tools") or [])
        self.sessions[session.id] = session
        return web.json_response({"id": session.id, "status": "idle"})

    def _of(self, request: web.Request) -> Session:
        return self.sessions[request.match_info["id"]]

    async def _look(self, request: web.Request) -> web.Response:
        if self.kind != "cloud":
            return refused(404, "error", "Not Found")
        return web.json_response({"id": self._of(request).id, "usage": self._of(request).usage})

    async def _events(self, request: web.Request) -> web.Response:
        """Two on a page, so that pages are turned."""
        events = [] if self.kind == "forgetful" else self._of(request).events
        if self.kind != "cloud":
            return web.json_response({"data": events})
        since = [each for each in events if (each["processed_at"] or "later") >= request.query.get("created_at[gte]", "")]
        begin = int(request.query.get("page") or 0)
        return web.json_response({"data": since[begin : begin + 20], "next_page": str(begin + 20) if begin + 20 < len(since) else None})

    async def _send(self, request: web.Request) -> web.Response:
        session, sent = self._of(request), list[Json]()
        for event in (await request.json())["events"]:
            if event["type"] == "user.interrupt" and self.kind != "cloud":
                return refused(400, "error", "no user.message parts")
            busy = event["type"] == "user.message" and session.work and not session.work.done()
            if self.kind != "forgetful":
                sent.append({**event, "id": self.tell(session, {**event, "processed_at": None} if busy else event)})
            if busy and self.kind == "cloud":
                session.queue.append(session.events[-1])
            else:
                self._heard(session, event)
        return web.json_response({"data": sent} if self.kind == "cloud" else {"ok": True}, status=200 if self.kind == "cloud" else 202)

    def _heard(self, session: Session, event: Json) -> None:
        match event:
            case {"type": "user.message", "content": content}:
                prompt = "\n".join(block["text"] for block in content if block["type"] == "text")
                session.work = asyncio.create_task(self._play(session, prompt))
            case {"type": "user.interrupt"}:
                self._stop(session)
            case {"tool_use_id": id} | {"custom_tool_use_id": id}:
                session.answers.pop(id).set_result(event)

    async def _abort(self, request: web.Request) -> web.Response:
        self._stop(self._of(request))
        return web.json_response({"aborted": True})

    def _stop(self, session: Session) -> None:
        self.stopped.append(session.id)
        if session.work:
            end(session.work)

    def tell(self, session: Session, event: Json, *, kept: bool = True) -> str:
        """What happens in a session, told to whoever listens."""
        number = next(self._numbers)
        if kept and self.kind != "forgetful":
            event = {"id": f"sevt_{number}", "processed_at": f"2026-11-21T00:00:00.{number:06d}Z", **event}
            session.events.append(event)
        for ear in session.ears:
            ear.put_nowait(event)
        return str(event.get("id", ""))

    async def _play(self, session: Session, prompt: str) -> None:
        self.log.append(Asked("", {}, {"events": [*session.events], "prompt": prompt}))
        self.tell(session, {"type": "session.status_running"})
        stop = {"type": "end_turn"}
        with suppress(asyncio.CancelledError):
            stop = await self._acts(session, LINE.findall(prompt) or [("say", f"echo: {prompt}")])
        if self.kind == "cloud":
            self.tell(session, {"type": "session.usage", "usage": session.usage})
        self.tell(session, {"type": "session.status_idle", "stop_reason": stop})
        if session.queue:
            queued = session.queue.pop(0)
            queued["processed_at"] = f"2026-11-21T00:00:00.{next(self._numbers):06d}Z"
            self._heard(session, queued)

    async def _acts(self, session: Session, script: list[tuple[str, str]]) -> Json:
        last, delay = "", 0.0
        for name, rest in script:
            match name:
                case "say" | "toolresult":
                    await self._say(session, rest.strip() if name == "say" else f"the tools said: {last}", delay)
                case "think":
                    self.tell(session, {"type": "agent.thinking", **({} if self.kind == "cloud" else {"thinking": rest.strip()})})
                case "tool":
                    last = await self._tool(session, *rest.strip().partition(" ")[::2])
                case "usage":
                    session.counted = [had + int(more) for had, more in zip(session.counted, rest.split(), strict=True)]
                case "slow":
                    delay = float(rest)
                case "hold":
                    self.hold.clear()
                    await self.hold.wait()
                case "odd":
                    self.tell(session, {"type": f"agent.{rest.strip()}"})
                case "stop":
                    return {"type": rest.strip()}
                case "error":
                    error = {"type": "model_request_failed_error", "message": f"the model said {rest.strip()}"}
                    again = {"retry_status": {"type": "exhausted"}} if self.kind == "cloud" else {}
                    self.tell(session, {"type": "session.error", "error": error | again})
                    return {"type": "retries_exhausted"}
        return {"type": "end_turn"}

    async def _say(self, session: Session, text: str, delay: float) -> None:
        pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
        if self.kind == "forgetful":
            for piece in pieces:
                self.tell(session, {"type": "agent.message", "partID": text[:20], "content": [{"type": "text", "text": piece}]})
                await asyncio.sleep(delay)
            self.tell(session, {"type": "session.status_idle", "stop_reason": {"type": "end_turn"}})  # after each of its steps
            return
        id = f"sevt_m{next(self._numbers)}"
        for piece in pieces if self.kind == "cloud" else ():
            if piece is pieces[0]:
                self.tell(session, {"type": "event_start", "event": {"id": id, "type": "agent.message"}}, kept=False)
            delta = {"type": "content_delta", "index": 0, "content": {"type": "text", "text": piece}}
            self.tell(session, {"type": "event_delta", "event_id": id, "delta": delta}, kept=False)
            await asyncio.sleep(delay)
        self.tell(session, {"id": id, "type": "agent.message", "content": [{"type": "text", "text": text}]})

    async def _tool(self, session: Session, name: str, given: str) -> str:
        """What came of it."""
        input = json.loads(given or "{}")
        if any(tool["type"] == "custom" and tool["name"] == name for tool in session.tools):
            answer = await self._asked(session, self.tell(session, {"type": "agent.custom_tool_use", "name": name, "input": input}))
            return "".join(block["text"] for block in answer["content"])
        id = self.tell(session, {"type": "agent.tool_use", "name": name, "input": input})
        answer = await self._asked(session, id) if self._wary(session, name) else {"result": "allow"}
        self.log.append(Asked("", {}, {"answer": answer}))
        text = await self._run(input.get("command", "true")) if answer["result"] == "allow" else answer["deny_message"]
        result = {"tool_use_id": id, "is_error": answer["result"] != "allow", "content": [{"type": "text", "text": text}]}
        self.tell(session, {"type": "agent.tool_result", **result})
        return text

    def _wary(self, session: Session, name: str) -> bool:
        kits = [tool for tool in session.tools if tool["type"].startswith("agent_toolset")]
        configs = [config for kit in kits for config in (*kit.get("configs", ()), kit["default_config"])]
        mine = [config["permission_policy"]["type"] for config in configs if config.get("name", name) == name]
        return mine[:1] == ["always_ask"]

    async def _asked(self, session: Session, id: str) -> Json:
        answer = session.answers[id] = asyncio.get_running_loop().create_future()
        self.tell(session, {"type": "session.status_idle", "stop_reason": {"type": "requires_action", "event_ids": [id]}})
        given = await answer
        self.log.append(Asked("", {}, given))
        self.tell(session, {"type": "session.status_running"})
        return given

    async def _run(self, command: str) -> str:
        process = await asyncio.create_subprocess_shell(f"exec {command}", cwd=self.folder, stdout=asyncio.subprocess.PIPE)
        try:
            told, _ = await process.communicate()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()
        return told.decode().strip()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        session, ear = self._of(request), asyncio.Queue[Json | None]()
        for event in session.events if self.kind == "bridge" else ():
            ear.put_nowait(event)
        session.ears.append(ear)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        assert request.transport
        self._wires.append(request.transport)
        with suppress(ConnectionError):
            await response.write(self.noise)
            async for event in heard(ear):
                await response.write(self._frame(event))
                self.told()
        session.ears.remove(ear)
        return response

    def _frame(self, event: Json) -> bytes:
        data = event if self.kind == "cloud" else {name: value for name, value in event.items() if name != "type"}
        return f"event: {event['type']}\ndata: {json.dumps(data)}\n\n".encode()


def end(work: "asyncio.Task[None]") -> None:
    """Once: it may be busy ending what it had begun."""
    if not work.cancelling():
        work.cancel()


async def heard(ear: "asyncio.Queue[Json | None]") -> AsyncIterator[Json]:
    while (event := await ear.get()) is not None:
        yield event


def refused(status: int, kind: str, words: str) -> web.Response:
    return web.json_response({"type": "error", "error": {"type": kind, "message": words}}, status=status)
