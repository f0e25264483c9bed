"""The page: Slack's client for the stand-in, on the same address, behind a token of its own."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import web
from markupsafe import Markup

from .control import Control
from .deeds import Deeds
from .emoji import EMOJI
from .feed import Watch
from .glass import Glass
from .panes import Spot
from .render import Renderer, picture
from .scene import Scene, version
from .tape import Tape
from .things import Json
from .window import Eye

if TYPE_CHECKING:
    from .slack import Slack

STATIC = Path(__file__).parent / "static"
FRAME_SECONDS = 0.05  # between two pictures, so that a fast stream does not redraw the page for each word
AGAIN_SECONDS = 10.0  # a status goes by itself, and a closed browser is noticed only by writing to it
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
}  # fmt: skip
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Page:
    """`Page(slack)` before `slack` starts puts the page beside Slack's own routes; then it is at `page.url`.

    `manifest` (the app's, as a dict) gives shortcuts and commands their names.
    """

    def __init__(self, slack: "Slack", manifest: Json | None = None, token: str = "") -> None:
        self.slack = slack
        self.token = token or secrets.token_urlsafe(16)
        self.base = f"/play/{self.token}/"
        self.renderer = Renderer(slack.world, self.base)
        self.scene = Scene(slack, self.renderer, manifest or {})
        self.deeds = Deeds(slack)
        self.tape = Tape(slack)  # what people do, here and elsewhere
        self.glass = Glass(slack, self.renderer, self.tape)
        self.scene.panes["glass"] = self.glass.pane
        self.deeds.known |= self.glass.deeds
        self.eyes: dict[str, Eye] = {}
        slack.routes.extend([*self.routes(), *Control(self.tape).routes(self._guarded)])

    @property
    def url(self) -> str:
        """The one address for people, once the stand-in runs."""
        return self.slack.world.url + self.base

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/play/{token}/", self._guarded(self.index)),
            web.get("/play/{token}/events", self._guarded(self.events)),
            web.get("/play/{token}/static/{name}", self._guarded(self.static)),
            web.get("/play/{token}/files/{file}", self._guarded(self.file)),
            web.get("/play/{token}/emoji", self._guarded(self.emoji)),
            web.post("/play/{token}/look/{eye}", self._guarded(self.look)),
            web.post("/play/{token}/do/{deed}", self._guarded(self.do)),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        """Only this page's own address, with its token; other hosts (DNS rebinding) and other sites are refused."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            port = self.slack.world.url.rpartition(":")[2]
            hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
            origin = request.headers.get("Origin")
            foreign = origin is not None and origin not in {f"http://{host}" for host in hosts}
            if request.host not in hosts or foreign:
                return web.Response(status=403, text="This page is for its own address only.", headers=HEADERS)
            if not secrets.compare_digest(request.match_info["token"].encode(), self.token.encode()):
                return web.Response(status=404, text="There is no such page.", headers=HEADERS)
            return await handler(request)

        return guarded

    async def index(self, request: web.Request) -> web.StreamResponse:
        spot = self.scene.settled(Spot.asked(request.query))
        parts, _ = self.scene.parts(spot)

        def pieces(name: str) -> Markup:
            return Markup().join(_wrapped(key, html) for key, html in parts[name].items())

        html = self.renderer.page(
            "index.html", spot=spot, pieces=pieces, panes=self.scene.panes, scene=self.scene, look=request.cookies.get("look")
        )
        return web.Response(text=str(html), content_type="text/html", headers=HEADERS)

    async def static(self, request: web.Request) -> web.StreamResponse:
        path = STATIC / request.match_info["name"]
        if path.parent != STATIC or path.suffix not in KINDS or not path.is_file():
            return web.Response(status=404, headers=HEADERS)
        return web.Response(text=path.read_text(encoding="utf-8"), content_type=KINDS[path.suffix], headers=HEADERS)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file to keep, never shown as it is, as it may be a hostile page; only what is a picture by its own bytes may be seen."""
        file = self.slack.world.files.get(request.match_info["file"])
        if file is None:
            return web.Response(status=404, headers=HEADERS)
        kind = picture(file.content)
        if kind and "show" in request.query:
            return web.Response(body=file.content, content_type=kind, headers=HEADERS)
        keep = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='', errors='replace')}"}
        return web.Response(body=file.content, content_type="application/octet-stream", headers=HEADERS | keep)

    async def emoji(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(EMOJI, headers=HEADERS)

    async def look(self, request: web.Request) -> web.StreamResponse:
        """An open page has scrolled: it wants the messages around another one, or the newest."""
        eye = self.eyes.get(request.match_info["eye"])
        if eye is None:
            return web.Response(status=404, headers=HEADERS)
        try:
            body = await _body(request)
        except ValueError:
            return web.json_response({"error": "not JSON"}, status=400, headers=HEADERS)
        eye.at[str(body.get("list"))] = str(body.get("at") or "")
        eye.watch.push({"kind": "look"})
        return web.Response(status=204, headers=HEADERS)

    async def do(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await _body(request)
        except ValueError:
            return web.json_response({"error": "not JSON"}, status=400, headers=HEADERS)
        person = self.slack.world.find_person(request.query.get("as", ""))
        if person is None or person is self.slack.world.bot:
            return web.json_response({"error": "nobody to act for"}, status=400, headers=HEADERS)
        answer = await self.deeds.do(request.match_info["deed"], person.id, body)
        wrong = answer.keys() & {"error", "errors"}
        return web.json_response(answer, status=422 if wrong else 200, headers=HEADERS)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """What the page has to change, as one stream of events: at first everything, then what is new."""
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        try:
            await response.prepare(request)
        except ConnectionError:
            return response  # the page is gone already
        watch = self.slack.changes(size=1)
        eye = Eye(Spot.asked(request.query), watch)
        name = request.query.get("eye") or secrets.token_hex(8)
        self.eyes[name] = eye
        self.scene.opened(eye)
        try:
            async with aclosing(_ticks(watch)) as ticks:
                await self._tell(response, name, eye, ticks)
        except ConnectionError:
            pass
        finally:
            if self.eyes.get(name) is eye:
                del self.eyes[name]
        return response

    async def _tell(self, response: web.StreamResponse, name: str, eye: Eye, ticks: AsyncIterator[None]) -> None:
        """Write what is new at each tick."""
        sent = Sent()
        async for _ in ticks:
            if self.eyes.get(name) is not eye:
                return  # the page looks elsewhere now, which its closed stream does not tell
            news = sent.news(*self.scene.parts(self.scene.settled(eye.spot), eye))
            await response.write(f"data: {json.dumps(news)}\n\n".encode() if news else b": still here\n\n")
            await asyncio.sleep(FRAME_SECONDS)


async def _ticks(watch: Watch) -> AsyncGenerator[None, None]:
    """Now, after each change (many at once count as one), and now and then; ends when the stand-in stops."""
    try:
        yield
        while await _changed(watch):
            yield
    finally:
        watch.close()


async def _changed(watch: Watch) -> bool:
    """Waits for a change, or for a while; False when there will be none any more."""
    try:
        async with asyncio.timeout(AGAIN_SECONDS):
            await anext(watch)
    except TimeoutError:
        return True
    except StopAsyncIteration:
        return False
    return True


def _wrapped(key: str, html: str) -> Markup:
    return Markup('<div class="piece" data-key="{}" data-v="{}">{}</div>').format(key, version(html), Markup(html))


class Sent:
    """What one page has been told, so that it is told only what is new."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[str, str]] = {}
        self._lists: Json = {}

    def news(self, parts: dict[str, dict[str, str]], lists: Json) -> Json:
        """{part: [[key, version, html; null where the page has it]]} of the parts that differ; `lists` where they do."""
        news: Json = {}
        for name, pieces in parts.items():
            before, now = self._parts.get(name), {key: version(html) for key, html in pieces.items()}
            if before != now or (before is not None and list(before) != list(now)):
                had = before or {}
                news[name] = [[key, new, None if had.get(key) == new else pieces[key]] for key, new in now.items()]
            self._parts[name] = now
        if lists != self._lists:
            news["lists"] = lists
        self._lists = lists
        return news


async def _body(request: web.Request) -> Json:
    """JSON; or a form with files, as [(name, bytes)] under `files`. Raises ValueError."""
    if request.content_type != "multipart/form-data":
        body = await request.json()
        if not isinstance(body, dict):
            raise ValueError
        return body
    form = await request.post()
    found: Json = {name: value for name, value in form.items() if isinstance(value, str)}
    files = [each for each in form.getall("file", []) if isinstance(each, web.FileField) and each.filename]
    return found | {"files": [(each.filename, each.file.read()) for each in files]}
