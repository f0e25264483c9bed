"""A stand-in for Kelos, from its CRDs and its session runtime's protocol (kelos-dev/kelos 77d9ad8e): Sessions, their journal, and Tasks.

A turn does what the lines of its message say: !say, !step, !ask QUESTION | option | option, !slow SECONDS, !hold, !fail, !use IN OUT, !odd.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import WSMsgType, web

from .cluster import READY, Cluster, status

Json = dict[str, Any]
SPEC = {"worker", "suspend", "initialBranch", "initialPrompt", "volumeClaimTemplate", "idlePolicy"}
WORKER = {"type", "credentials", "model", "effort", "image", "workspaceRef", "agentConfigRefs", "podOverrides"}
TASK = {"worker", "workerPoolRef", "prompt", "dependsOn", "branch", "upstreamRepo", "ttlSecondsAfterFinished", "podFailurePolicy"}
IDLE = {"suspendAfterSeconds", "deleteAfterSeconds"}


class Journal:
    """The session runtime of one Session: what it has told, by number, and who listens."""

    def __init__(self, id: str = "j1") -> None:
        self.id, self.events = id, list[Json]()
        self.listeners: set[asyncio.Queue[Json]] = set()
        self.inputs: dict[str, asyncio.Future[Json]] = {}
        self.asked: list[Json] = []
        self.used = [0, 0]
        self.turn: asyncio.Task[None] | None = None
        self.reject: list[str] = []
        self.answered = ""
        self.go = asyncio.Event()

    def tell(self, kind: str, **more: Any) -> None:
        self.events.append({"id": len(self.events) + 1, "type": kind, **more})
        for listener in self.listeners:
            listener.put_nowait(self.events[-1])

    def usage(self) -> Json:
        read, written = self.used
        return {
            "type": "runtime.status",
            "runtime": {"usage": {"inputTokens": read, "outputTokens": written, "totalTokens": read + written}},
        }

    def history(self, since: int, journal: str) -> list[Json]:
        reset = journal not in ("", self.id) or (since > 0 and not journal) or since > len(self.events)
        start = {"type": "history.start", "firstEventId": 1, "lastEventId": len(self.events), "journalId": self.id, "reset": reset}
        return [start, *(event for event in self.events if event["id"] > (0 if reset else since)), self.usage(), {"type": "history.end"}]

    def take(self, asked: Json) -> Json | None:
        """What a client asks; the answer, where it goes to that client alone."""
        self.asked.append(asked)
        match asked:
            case _ if self.reject and asked["type"] == "message":
                return {"type": "error", "status": "rejected", "requestId": asked["requestId"], "text": self.reject.pop(0)}
            case {"type": "message"}:
                number = sum(event["type"] == "user.message" for event in self.events) + 1
                self.tell("user.message", requestId=asked["requestId"], turnId=f"turn-{number}", text=asked["text"])
                self.turn = asyncio.create_task(self._turn(f"turn-{number}", asked["text"]))
            case {"type": "input", "inputId": id} if id not in self.inputs or self.inputs[id].done():
                words = f'input request "{id}" is not pending'
                return {"type": "error", "status": "rejected", "requestId": asked.get("requestId"), "text": words}
            case {"type": "input", "inputId": id}:
                self.tell("input.resolved", inputId=id, status="cancelled" if asked.get("cancel") else "answered")
                self.inputs[id].set_result(asked.get("answers") or {})
            case {"type": "interrupt"} if self.turn:
                self.tell("turn.interrupting", status="interrupting")
                self.turn.cancel()
        return None

    async def _turn(self, id: str, text: str) -> None:
        self.tell("turn.started", turnId=id, status="running")
        try:
            for number, line in enumerate(line for line in text.splitlines() if line.startswith("!")):
                if await self._do(id, number, *line[1:].partition(" ")[::2]):
                    return self.tell("turn.completed", turnId=id, status="failed")
        except asyncio.CancelledError:
            return self.tell("turn.completed", turnId=id, status="interrupted")
        self.tell("turn.completed", turnId=id, status="completed")

    async def _do(self, turn: str, number: int, verb: str, rest: str) -> bool:
        match verb:
            case "say" | "toolresult":
                await self._say(turn, rest or self.answered)
            case "step":
                call = {"turnId": turn, "toolId": f"{turn}.{number}", "toolName": rest}
                self.tell("tool.started", **call, status="running")
                self.tell("tool.completed", **call, status="completed", output="fine")
            case "ask":
                answers = await self._ask(turn, f"input-{turn}-{number}", rest)
                self.answered = f"You took {', '.join(answers.get('q1', ['nothing']))}."
                self.tell("assistant.message", turnId=turn, text=self.answered)
            case "slow":
                await asyncio.sleep(float(rest))
            case "hold":
                await self.go.wait()
            case "use" | "usage":
                self.used = [had + int(more) for had, more in zip(self.used, rest.split(), strict=True)]
                for listener in self.listeners:
                    listener.put_nowait(self.usage())
            case "odd":
                self.tell("sparkle", turnId=turn, colour=rest)
            case "fail" | "error":
                self.tell("error", turnId=turn, text=rest, status="failed")
        return verb in ("fail", "error")

    async def _say(self, turn: str, text: str) -> None:
        pieces = text.split(" ")
        size = len(pieces) // 200 + 1
        for number in range(0, len(pieces), size):
            self.tell("assistant.delta", turnId=turn, text=" ".join(pieces[number : number + size]) + " ")
            await asyncio.sleep(0)
        self.tell("assistant.message", turnId=turn, text=text + " ")

    async def _ask(self, turn: str, id: str, rest: str) -> Json:
        text, *options = (part.strip() for part in rest.split("|"))
        question = {"id": "q1", "header": "Choose", "question": text, "options": [{"label": option} for option in options]}
        self.inputs[id] = asyncio.get_running_loop().create_future()
        self.tell("input.requested", turnId=turn, inputId=id, questions=[question], status="pending")
        return await self.inputs[id]


class Kelos(Cluster):
    """Such a cluster; with `console` it has Kelos' console too. `cut` is after how many events a connection breaks, once for each;
    the first `mute` of them never answer a ping.
    """

    def __init__(self, console: str = "") -> None:
        super().__init__()
        self.console, self.journals = console, dict[str, Journal]()
        self.named, self.mute = "j1", 0
        self.phase = "Ready"
        self.message = ""
        self.task: Json = {}
        self.kinds |= {"Session": session, "Task": task}
        self.changed = self._begun
        self.app.router.add_get("/api/v1/namespaces/desk/pods/{name}/exec", self._exec)
        self.app.router.add_get("/api/sessions", self._summaries)
        self.app.router.add_post("/api/sessions", self._created)
        self.app.router.add_post("/api/sessions/desk/{name}/resume", self._resumed)
        self.app.router.add_get("/api/sessions/desk/{name}/connect", self._connect)
        self.app.router.add_patch("/apis/{group}/{version}/namespaces/desk/{kind}/{name}", self._patched)

    @property
    def journal(self) -> Journal:
        return next(iter(self.journals.values()))

    def _begun(self, thing: Json) -> None:
        name = thing["metadata"]["name"]
        if thing["kind"] == "Session":
            self.journals.setdefault(name, Journal(self.named))
            thing["status"] = {"phase": self.phase, "podName": f"{name}-0", "message": self.message}
            self.put_pod(f"{name}-0", {})["status"] = READY
        else:
            thing["status"] = dict(self.task)

    async def _patched(self, request: web.Request) -> web.Response:
        thing = self.objects[request.match_info["kind"], request.match_info["name"]]
        notes = thing["metadata"].setdefault("annotations", {})
        notes.update((await request.json())["metadata"]["annotations"])
        if thing["status"]["phase"] == "Suspended" and notes.get("kelos.dev/session-idle-resume-request"):
            thing["status"]["phase"] = "Ready"
        return web.json_response(thing)

    async def _summaries(self, request: web.Request) -> web.Response:
        found = []
        for each in self.all("sessions"):
            told = {"name": each["metadata"]["name"], "namespace": "desk", "message": each["status"]["message"]}
            phase = each["status"]["phase"]
            found.append({**told, "phase": phase, "idleSuspended": phase == "Suspended"})
        return web.json_response(found)

    async def _created(self, request: web.Request) -> web.Response:
        asked = await request.json()
        name, spec = asked.pop("name"), {key: value for key, value in asked.items() if key != "namespace"}
        thing = {"apiVersion": "kelos.dev/v1alpha2", "kind": "Session", "metadata": {"name": name}, "spec": spec}
        if why := session(thing):
            return web.json_response({"error": why}, status=409)
        self.objects["sessions", name] = thing
        self._begun(thing)
        return web.json_response({"name": name}, status=201)

    async def _resumed(self, request: web.Request) -> web.Response:
        self.objects["sessions", request.match_info["name"]]["status"]["phase"] = "Ready"
        return web.json_response({})

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, request.match_info["name"], channels=False)

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        command = ["/kelos/bin/kelos-session-runtime", "client"]
        if request.query.getall("command") != command or request.query["container"] != "kelos-agent":
            return status(400, "no such command")
        return await self._serve(request, request.match_info["name"].removesuffix("-0"), channels=True)

    async def _serve(self, request: web.Request, name: str, *, channels: bool) -> web.WebSocketResponse:
        self.mute -= 1
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",) if channels else (), autoping=self.mute < 0)
        await socket.prepare(request)
        journal, queue = self.journals[name], asyncio.Queue[Json]()
        left = self.cut.pop(0) if self.cut else 1 << 40

        async def tell() -> None:
            for _ in range(left):
                line = json.dumps(await queue.get())
                await (socket.send_bytes(b"\x01" + line.encode() + b"\n") if channels else socket.send_str(line))
            if request.transport:
                request.transport.abort()

        telling = asyncio.create_task(tell())
        async with listened(telling):
            async for frame in socket:
                said = frame.data.encode() if frame.type is WSMsgType.TEXT else frame.data[1:]
                for line in filter(None, said.split(b"\n")):
                    self._said(journal, queue, json.loads(line))
        journal.listeners.discard(queue)
        return socket

    def _said(self, journal: Journal, queue: "asyncio.Queue[Json]", asked: Json) -> None:
        if queue not in journal.listeners:
            bounds = asked["type"] == "subscribe" and asked.get("historyBounds")
            for event in journal.history(asked.get("since", 0), asked.get("journalId", "")) if bounds else journal.history(0, "")[1:]:
                queue.put_nowait(event)
            journal.listeners.add(queue)
        if asked["type"] != "subscribe" and (answer := journal.take(asked)):
            queue.put_nowait(answer)


@asynccontextmanager
async def listened(telling: "asyncio.Task[None]") -> AsyncIterator[None]:
    try:
        yield
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError, ConnectionError):
            await telling


def session(thing: Json) -> str:
    """What is wrong with a Session."""
    spec = thing["spec"]
    odd = (spec.keys() - SPEC) | (spec["worker"].keys() - WORKER) | (spec.get("idlePolicy", {}).keys() - IDLE)
    if odd:
        return f"unknown fields: {sorted(odd)}"
    if spec["worker"].get("type") not in ("claude-code", "codex", "opencode"):
        return "spec.worker.type: Unsupported value"
    return worker(spec["worker"])


def task(thing: Json) -> str:
    """What is wrong with a Task."""
    spec = thing["spec"]
    if odd := (spec.keys() - TASK) | (spec.get("worker", {}).keys() - WORKER):
        return f"unknown fields: {sorted(odd)}"
    if "workerPoolRef" in spec and len(spec) > 2:
        return "workerPoolRef is mutually exclusive with inline worker"
    return "" if "workerPoolRef" in spec else worker(spec["worker"])


def worker(spec: Json) -> str:
    credentials = spec.get("credentials") or {}
    if credentials.get("type") not in ("api-key", "oauth", "none"):
        return "worker.credentials is required for inline execution"
    return "" if credentials["type"] == "none" or credentials.get("secretRef") else "credentials.secretRef is required"
