"""The control API: all that people can do, look at and switch in the stand-in, over HTTP, for tests in any language."""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, is_dataclass
from inspect import Parameter, getdoc, signature
from typing import Any

from aiohttp import web

from .choice import Invalid
from .socket import Envelope
from .tape import FAULTS, FURNITURE, PEOPLE, Tape
from .things import Json
from .words import visible

LOOKS = (
    "thread", "messages", "message", "ephemerals", "modals", "home", "status", "prompts", "calls", "made", "envelopes", "sockets",
    "titles", "budgets", "text", "picture",
)  # fmt: skip
SHORT = ("people", "channels", "rows")
OWN = (*SHORT, "until", "reset")
KINDS = {"do": PEOPLE, "look": LOOKS, "fault": FAULTS, "add": FURNITURE}
LONGEST = 60.0  # seconds that `until` waits at most
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Wrong(ValueError):
    """The request itself is wrong, whatever Slack would say to it."""


class Control:
    """Each operation is a method of Slack, of the same name and arguments, at `/play/{token}/control/{operation}`; a few are here.

    Where a method takes a message, thread or view, the JSON of it will do as it was given out, and so will its name (see Names).
    """

    def __init__(self, tape: Tape) -> None:
        self.tape, self.slack = tape, tape.slack
        methods = {name: (kind, getattr(type(self.slack), name)) for kind, names in KINDS.items() for name in names}
        methods |= {name: ("own", getattr(self, name)) for name in OWN}
        # What there is, by name: its kind, its arguments with what they are when left out, and what it is for.
        self.operations = {name: _described(kind, method) for name, (kind, method) in methods.items()}

    def routes(self, guarded: Callable[[Handler], Handler]) -> list[web.RouteDef]:
        """To be served beside the page; `guarded` lets only those in who have its token."""
        return [
            web.get("/play/{token}/control/", guarded(self.index)),
            web.post("/play/{token}/control/{operation}", guarded(self.operate)),
        ]

    async def index(self, request: web.Request) -> web.StreamResponse:
        return _answer(self.operations)

    async def operate(self, request: web.Request) -> web.StreamResponse:
        """One operation: its arguments as a JSON object, its result as {"result": …}; {"error": …} in words where it cannot be done."""
        name = request.match_info["operation"]
        if name not in self.operations:
            return _answer({"error": f"there is no operation {name!r}; there are {', '.join(self.operations)}"}, 404)
        try:
            return _answer({"result": await self.run(name, await _arguments(request))})
        except Wrong as wrong:
            return _answer({"error": str(wrong)}, 400)
        except Invalid as wrong:
            return _answer({"error": str(wrong), "errors": wrong.errors}, 422)
        except ValueError as wrong:
            return _answer({"error": str(wrong)}, 422)
        except KeyError as missing:
            return _answer({"error": f"{name}: {missing} is missing, or not there any more"}, 422)
        except LookupError as missing:
            return _answer({"error": str(missing)}, 422)
        except TimeoutError as late:
            return _answer({"error": str(late)}, 408)

    async def run(self, name: str, args: Json) -> Any:
        """What an operation gives, as JSON. Raises Wrong, ValueError, LookupError or TimeoutError."""
        try:
            done = self._called(name, args)
            return shown(await done if isinstance(done, Awaitable) else done)
        except (TypeError, AttributeError) as error:
            raise Wrong(f"{name}: an argument is not of the right kind ({error})") from error

    def _called(self, name: str, args: Json) -> Any:
        method = getattr(self if name in OWN else self.slack, name)
        if not callable(method):
            return method
        given = self.tape.names.resolved(args)
        if name in ("thread", "status") and "message" in given:
            given["channel"] = given.pop("message")
        if "files" in given:
            given["files"] = [_file(each) for each in given["files"]]
        try:
            signature(method).bind(**given)
        except TypeError as error:
            raise Wrong(f"{name}: {error}; it takes {json.dumps(self.operations[name]['arguments'])}") from error
        return method(**given)

    def people(self) -> list[Json]:
        """Everybody: id, name and traits."""
        return [asdict(person) for person in self.slack.world.people.values()]

    def channels(self) -> list[Json]:
        """All channels: id, name, kind, and the names of their members."""
        world = self.slack.world
        return [
            {"id": place.id, "name": place.name, "kind": place.kind, "members": [world.people[user].name for user in place.members]}
            for place in world.channels.values()
        ]

    def rows(self) -> list[Json]:
        """What people did up to now, as it would be recorded."""
        return [{"at": row.at, "deed": row.deed, "by": row.by, "args": shown(row.args), "made": row.made} for row in self.tape.rows]

    async def until(
        self, look: str, text: str = "", equals: Json | None = None, count: int = 1, seconds: float = 5.0, **args: Any
    ) -> Any:  # fmt: skip
        """Wait till a look, with its arguments beside it, shows this text, has these values, or at least so many entries; gives it."""
        if look not in (*LOOKS, *SHORT):
            raise Wrong(f"until: there is no look {look!r}; there are {', '.join((*LOOKS, *SHORT))}")

        def seen() -> list[Any]:
            found = shown(self._called(look, args))
            held = {key: found.get(key) for key in equals or {}} if isinstance(found, dict) else {}
            many = found is not None and (len(found) if isinstance(found, list) else found if isinstance(found, int) else count) >= count
            return [found] if many and held == (equals or {}) and text in _read(found) else []

        return (await self.slack.until(seen, min(seconds, LONGEST)))[0]

    def reset(self) -> None:
        """Take away what was said, done and switched; people and channels stay, and what the app knows. Names begin anew with m1."""
        self.tape.reset()


def _described(kind: str, method: Any) -> Json:
    if isinstance(method, property):
        return {"kind": kind, "arguments": {}, "about": getdoc(method) or ""}
    parameters = [each for each in signature(method).parameters.values() if each.name != "self"]
    arguments = {each.name: "needed" if each.default is Parameter.empty else shown(each.default) for each in parameters}
    more = {each.name: "more, by name" for each in parameters if each.kind is Parameter.VAR_KEYWORD}
    return {"kind": kind, "arguments": arguments | more, "about": getdoc(method) or ""}


async def _arguments(request: web.Request) -> Json:
    """The body as JSON, whatever type it claims to have, as curl says it is a form."""
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise Wrong(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Wrong("the body has to be a JSON object with the arguments by name")
    return body


def _answer(body: Json, status: int = 200) -> web.Response:
    return web.json_response(body, status=status, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})


def _file(file: Any) -> Any:
    """A file's name, or its name and content."""
    match file:
        case str():
            return file
        case {"name": str(name), "text": str(text)}:
            return name, text.encode()
        case {"name": str(name), "base64": str(data)}:
            try:
                return name, base64.b64decode(data, validate=True)
            except binascii.Error as error:
                raise Wrong(f"the file {name} is not base64: {error}") from error
    raise Wrong('a file is its name, or {"name": …, "text": …}, or {"name": …, "base64": …}')


def _read(found: Any) -> str:
    """All text that people see of what was looked at."""
    if isinstance(found, list):
        return "\n".join(_read(each) for each in found)
    seen = visible(found) if isinstance(found, dict) and found.keys() & {"blocks", "text"} else ""
    return seen or (found if isinstance(found, str) else json.dumps(found, ensure_ascii=False))


def shown(thing: Any) -> Any:
    """Whatever the stand-in gives, as JSON."""
    match thing:
        case Envelope():
            told = ("envelope_id", "type", "state", "attempts", "ack", "payload")
            return {name: shown(getattr(thing, name)) for name in told}
        case dict():
            return {" ".join(key) if isinstance(key, tuple) else str(key): shown(value) for key, value in thing.items()}
        case list() | tuple() | set() | frozenset():
            return [shown(each) for each in thing]
        case bytes():
            return base64.b64encode(thing).decode()
    return shown(asdict(thing)) if is_dataclass(thing) and not isinstance(thing, type) else thing
