"""Where a Kelos Session is found and spoken with: by the cluster itself, or by Kelos' console."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol, Self
from uuid import uuid4

import aiohttp

from bot import net
from bot.breaker import BREAKER, Down
from bot.errors import Unavailable
from bot.ports import Turn
from bot.runtimes import feed
from bot.runtimes import kelos_setting as setting
from bot.runtimes.claude_words import short
from bot.runtimes.kubernetes_line import Line, Taken
from bot.runtimes.shim_line import SAID, Cut, passing
from bot.spoken import Json

CONTAINER = "kelos-agent"
COMMAND = ("/kelos/bin/kelos-session-runtime", "client")
WAKE, WOKEN = "kelos.dev/session-idle-resume-request", "kelos.dev/session-idle-resume-acknowledgement"
STDIN, STDOUT, STDERR, STATUS = range(4)
Socket = aiohttp.ClientWebSocketResponse


class Wire:
    """Lines of JSON, both ways; with `channels` each frame begins with the number of its stream, as in pods/exec."""

    def __init__(self, socket: Socket, *, channels: bool) -> None:
        self.socket, self.channels = socket, channels

    async def send(self, what: Json) -> None:
        """Raises Cut."""
        line = json.dumps(what)
        try:
            await (self.socket.send_bytes(bytes([STDIN]) + line.encode() + b"\n") if self.channels else self.socket.send_str(line))
        except (aiohttp.ClientError, OSError) as error:
            raise Cut(f"The connection to the session broke ({type(error).__name__}).") from error

    async def told(self) -> AsyncGenerator[Json, None]:
        """Raises Cut when the connection ends, however it does."""
        held = bytearray()
        async for frame in self.socket:
            seen = len(held)
            if frame.type is aiohttp.WSMsgType.TEXT:
                held += frame.data.encode() + (b"" if self.channels else b"\n")
            elif frame.type is aiohttp.WSMsgType.BINARY and frame.data[:1] == bytes([STDOUT]):
                held += frame.data[1:]
            if len(held) > net.LARGEST:
                raise Unavailable(f"The session said more than {net.LARGEST >> 20} MiB in one event.")
            if held.find(b"\n", seen) < 0:
                continue
            *lines, held = held.split(b"\n")
            for line in filter(None, lines):
                yield _read(bytes(line))
        raise Cut("The session ended the connection.")


def _read(line: bytes) -> Json:
    try:
        said = json.loads(line)
    except ValueError as error:
        raise Unavailable("The session answers with something that is no JSON: is that Kelos?") from error
    return said if isinstance(said, dict) else {"type": type(said).__name__}


class Place(Protocol):
    """`find` gives phase, message and whether somebody, or idleness, has suspended it; None where there is no Session.
    `secrets` are what nobody may see of it.
    """

    secrets: net.Secrets

    async def find(self) -> Json | None: ...
    async def make(self, spec: Json) -> None: ...
    async def wake(self) -> None: ...
    def opened(self) -> Any: ...


class ByCluster:
    """The cluster's own API, and pods/exec."""

    def __init__(self, line: Line, name: str, silence: float) -> None:
        self.line, self.name, self.silence = line, name, silence
        self.pod = self.asked = ""
        self.secrets = net.Secrets()

    @property
    def path(self) -> str:
        return self.line.path("sessions", self.name, setting.API)

    async def find(self) -> Json | None:
        if not (found := await self.line.find(self.path)):
            return None
        status, meta = found.get("status") or {}, found.get("metadata") or {}
        self.pod, self.asked = str(status.get("podName") or ""), str((meta.get("annotations") or {}).get(WAKE) or "")
        phase = "Pending" if status.get("phase") == "Ready" and not self.pod else status.get("phase")
        idle = phase == "Suspended" and not (found.get("spec") or {}).get("suspend")
        return {"phase": phase, "message": status.get("message"), "idle": idle, "gone": bool(meta.get("deletionTimestamp"))}

    async def make(self, spec: Json) -> None:
        try:
            await self.line.make(self.line.path("sessions", api=setting.API), spec)
        except Taken:
            return

    async def wake(self) -> None:
        if not self.asked:
            self.asked = uuid4().hex
            await self.line.patch(self.path, {"metadata": {"annotations": {WAKE: self.asked, WOKEN: None}}})

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Wire]:
        if not self.pod:
            raise Cut("The session has no pod now.")
        async with self.line.attached(self.pod, CONTAINER, COMMAND, self.silence / 2) as socket:
            if self.asked:
                await self.line.patch(self.path, {"metadata": {"annotations": {WOKEN: self.asked}}})
                self.asked = ""
            yield Wire(socket, channels=True)


class ByConsole:
    """Open it before use."""

    def __init__(self, options: setting.KelosOptions, turn: Turn, name: str) -> None:
        self.options, self.file, self.name = options, turn.agent.file, name
        self.host = net.host_of(options.console)
        if not (key := turn.environment.get(options.key, "").strip()):
            raise Unavailable(
                f"{self.file}: options.key needs {options.key}: name it under `environment:`, and set it where frontdesk runs."
            )
        self.headers, self.secrets = {"Authorization": f"Bearer {key}"}, net.Secrets.of([key])
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            self._http = await self._stack.enter_async_context(net.session(self.options.console, self.options.private))
        except net.Forbidden as error:
            raise Unavailable(f"{self.host}: {error} in {self.file}.") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def find(self) -> Json | None:
        found = await self._called("GET", f"?namespace={self.options.namespace}")
        every: Sequence[Any] = found if isinstance(found, list) else found.get("sessions") or ()
        mine = (each for each in every if each.get("name") == self.name and each.get("namespace") == self.options.namespace)
        if not (session := next(mine, None)):
            return None
        return {"phase": session.get("phase"), "message": session.get("message"), "idle": bool(session.get("idleSuspended")), "gone": False}

    async def make(self, spec: Json) -> None:
        await self._called("POST", "", {"name": self.name, "namespace": self.options.namespace, **spec["spec"]})

    async def wake(self) -> None:
        await self._called("POST", f"/{self.options.namespace}/{self.name}/resume", {})

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Wire]:
        url = f"{self.options.console}/api/sessions/{self.options.namespace}/{self.name}/connect"
        await net.pace(self.host)
        async with AsyncExitStack() as stack:
            with BREAKER.through(self.host):
                socket = await self._connected(stack, url)
            yield Wire(socket, channels=False)

    async def _connected(self, stack: AsyncExitStack, url: str) -> Socket:
        made = self._http.ws_connect(url, headers=self.headers, heartbeat=self.options.silence / 2, max_msg_size=net.LARGEST)
        try:
            async with asyncio.timeout(net.CALL):
                return await stack.enter_async_context(made)
        except aiohttp.WSServerHandshakeError as error:
            raise self._said(error.status, "") from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from error

    async def _called(self, verb: str, path: str, body: Json | None = None) -> Any:
        await net.pace(self.host)
        with BREAKER.through(self.host):
            return await self._asked(verb, f"{self.options.console}/api/sessions{path}", body)

    async def _asked(self, verb: str, url: str, body: Json | None) -> Any:
        timeout = aiohttp.ClientTimeout(total=net.CALL, connect=net.CONNECTING)
        try:
            async with self._http.request(verb, url, json=body, headers=self.headers, timeout=timeout) as response:
                said = await feed.whole(response.content.iter_any(), net.CALL)
                if response.status >= 300:
                    raise self._said(response.status, said[:SAID].decode("utf-8", "replace"))
                return feed.parsed(said or b"{}")
        except feed.Unread as error:
            raise Unavailable(f"{self.host} {error}: look at options.console in {self.file}.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from error

    def _said(self, code: int, said: str) -> Unavailable:
        told = f" It said: {short(self.secrets.mask(said), 300)}" if said and "<html" not in said.lower() else ""
        match code:
            case 401 | 403:
                return Unavailable(f"{self.host} does not let us in ({code}): options.key in {self.file} is not the console's token.{told}")
            case 409:
                return Cut(f"The session is not ready ({code}).{told}")
        return passing(self.host, code, told) or Unavailable(f"{self.host} refused it ({code}): look at the options in {self.file}.{told}")

    def _broken(self, error: Exception) -> Unavailable:
        match error:
            case net.Onward():
                return Unavailable(
                    f"{self.host} sends us on to {error}, where our token does not belong: correct options.console in {self.file}."
                )
            case aiohttp.ClientConnectorError(os_error=net.Forbidden()):
                return Unavailable(f"{self.host}: {error.os_error} in {self.file}.")
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
                return Unavailable(f"{self.host} cannot be trusted: look at options.console in {self.file}, and SSL_CERT_FILE.")
        return Down(f"{self.host} cannot be reached ({type(error).__name__}): look at options.console in {self.file}.")
