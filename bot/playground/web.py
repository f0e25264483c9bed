"""The stand-in's HTTP side: each Web API call from its bytes to its answer, and the record of it."""

import json
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .faults import CUT, Fault, Faults
from .hooks import answered
from .methods import METHODS, Method, chat, files
from .methods.asked import scope
from .refusal import Refusal
from .things import Json
from .world import World

KEPT = 100_000
LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body></body></html>"


@dataclass(frozen=True, slots=True)
class Call:
    """One Web API call: `at` in monotonic seconds when it came, `status` of HTTP (0: the connection was cut), `took` seconds."""

    method: str
    args: Json
    at: float
    status: int
    response: Json
    took: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    body: Json
    status: int = 200
    headers: dict[str, str] | None = None


class Server:
    """Slack's HTTP end points."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.world = world
        self.faults = faults
        self.calls: list[Call] = []

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", "/api/{method}", self.call),
            web.get("/link/", self.world.hub.connect),
            web.post("/{kind:actions|commands}/{team}/{key}/play", self.respond),
            web.post("/upload/v1/{file}", self.upload),
            web.get("/files-pri/{file}/{name}", self.download),
        ]

    async def call(self, request: web.Request) -> web.StreamResponse:
        """One call of a method; all errors of Slack's kind are in the answer."""
        at, name = time.monotonic(), request.match_info["method"]
        args = await arguments(request)
        token = _token(request, args)
        answer = self._answer(name, token, args)
        self.calls.append(Call(name, args, at, answer.status, answer.body, time.monotonic() - at))
        if len(self.calls) > KEPT:
            del self.calls[: KEPT // 2]
        self.world.feed.tell("call", method=name, args=args, status=answer.status, response=answer.body, at=at)
        return self._send(request, answer)

    def _send(self, request: web.Request, answer: Answer) -> web.Response:
        if answer.status == CUT:
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        text = json.dumps(answer.body)
        return web.Response(text=text, status=answer.status, headers=answer.headers, content_type="application/json")

    def _answer(self, name: str, token: str, args: Json) -> Answer:
        if self.faults.down():
            return Answer(Refusal("service_unavailable").body(), 503)
        fault = self.faults.take(name)
        if fault is not None and not fault.after:
            return _broken(fault)
        try:
            answer = self._run(name, token, args)
        except Refusal as refusal:
            answer = Answer(refusal.body(), refusal.status, refusal.headers)
        return answer if fault is None else _broken(fault)

    def _run(self, name: str, token: str, args: Json) -> Answer:
        method = METHODS.get(name)
        if method is None:
            raise Refusal("unknown_method", req_method=name)
        self._known(method, token)
        place = chat.addressed(self.world, args) if name == "chat.postMessage" else None
        wait = self.world.rates.take(name, method.limit, place.id if place else "")
        if wait:
            raise Refusal("ratelimited", 429, {"Retry-After": str(wait)})
        if method.scope:
            scope(self.world, method.scope)
        headers = {"x-oauth-scopes": ",".join(sorted(self.world.scopes))} if not method.app else {"x-oauth-scopes": "connections:write"}
        return Answer({"ok": True, **method.run(self.world, args)}, headers=headers)

    def _known(self, method: Method, token: str) -> None:
        if method.free:
            return
        if not token:
            raise Refusal("not_authed")
        if token not in (self.world.bot_token, self.world.app_token):
            raise Refusal("invalid_auth")
        if method.app != (token == self.world.app_token):
            raise Refusal("not_allowed_token_type")

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """A post to a response_url."""
        if self.faults.down():
            return web.Response(status=503)
        at, args, path = time.monotonic(), await arguments(request), request.path.lstrip("/")
        fault = self.faults.take("response_url")
        before = fault is not None and not fault.after
        answer = _broken(fault) if fault is not None and before else self._responded(path, args, fault)
        self.calls.append(Call("response_url", args, at, answer.status, answer.body, time.monotonic() - at))
        self.world.feed.tell("call", method="response_url", args=args, status=answer.status, response=answer.body, at=at)
        if answer.body.get("ok") is True:
            return web.Response(text="ok", content_type="text/html")
        return self._send(request, answer)

    def _responded(self, path: str, args: Json, fault: Fault | None) -> Answer:
        try:
            answered(self.world, path, args)
        except Refusal as refusal:
            return Answer(refusal.body(), refusal.status)
        return Answer({"ok": True}) if fault is None else _broken(fault)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        content = await _content(request)
        if self.faults.down() or not files.received(self.world, request.match_info["file"], content):
            return web.Response(status=503 if self.faults.down() else 404, text="not found")
        return web.Response(text=f"OK - {len(content)}")

    async def download(self, request: web.Request) -> web.StreamResponse:
        """A file's bytes; without the right token the login page, with status 200 as in Slack."""
        if self.faults.down():
            return web.Response(status=503)
        file = self.world.files.get(request.match_info["file"])
        granted = _token(request, {}) == self.world.bot_token and "files:read" in self.world.scopes
        if not granted:
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        if file is None:
            return web.Response(status=404, text="file not found")
        return web.Response(body=file.content, content_type=file.mimetype)


def _broken(fault: Fault) -> Answer:
    return Answer(fault.body, fault.status, fault.headers)


def _token(request: web.Request, args: Json) -> str:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else str(args.pop("token", ""))


async def arguments(request: web.Request) -> Json:
    """The arguments of a call, from its query and its body: JSON, form or multipart."""
    args: Json = dict(request.query)
    if request.method == "POST":
        args |= await _body(request)
    args.pop("team_id", None)
    return args


async def _body(request: web.Request) -> Json:
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    raw: Any = await request.read()
    try:
        found = json.loads(raw) if raw else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


async def _content(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    for part in (await request.post()).values():
        if isinstance(part, web.FileField):
            return part.file.read()
    return b""
