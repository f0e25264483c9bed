"""A session of play as one file, written as it goes: a header, then each deed, each call of the app, and what came into sight."""

import asyncio
import base64
import contextlib
import json
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from bot.errors import ConfigError
from bot.settings import Settings

from .feed import Watch
from .sights import Shown
from .tape import Row, Tape, news
from .things import Json
from .web import Call

log = logging.getLogger(__name__)
FORMAT = 1
MATTER = ("hold_minutes", "file_megabytes")  # settings that change what people see
FILE_BYTES = 1_000_000  # of a file that somebody gave; the rest of it is not kept
LONGEST = 300  # characters of an argument of a call
BREATH = 0.2  # seconds between two looks at what has come into sight
SECRET = re.compile(r"xox[a-z](?:\.[a-z]+)?-[\w.-]{6,}|xapp-[\w-]{6,}|sk-[\w-]{16,}|gh[a-z]_\w{20,}|AKIA[0-9A-Z]{16}")
NAMED = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|AUTH(?!OR)|COOKIE")
WITHIN = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")  # the password of an address
HIDDEN = "[secret]"
BULKY = {"blocks", "view", "attachments", "metadata", "chunks", "token"}


class Recorder:
    """Writes a tape into a file, whose lines are whole whenever it is left. `agents` reads the agents' files as they are now."""

    def __init__(self, tape: Tape, file: TextIO, agents: Callable[[], dict[str, str]], secrets: Iterable[str] = ()) -> None:
        self.tape, self.slack, self.file, self.agents = tape, tape.slack, file, agents
        self.secrets = sorted({secret for secret in secrets if len(secret) >= 6}, key=len, reverse=True)
        self._shown: dict[str, Shown] = {}
        self._agents: dict[str, str] = {}
        self._calls = 0
        tape.heard, tape.refused = self._heard, self._refused

    def begin(self, version: str, manifest: Json, settings: Json) -> None:
        self._agents = self.agents()
        self._write({"frontdesk_play": FORMAT, "version": version, "settings": settings, "agents": self._agents, "manifest": manifest})

    async def run(self) -> None:
        """Write what the app does, as it comes; until cancelled, or the stand-in stops."""
        async with aclosing(_each(self.slack.changes(size=1))) as changes:
            async for _ in changes:
                await asyncio.sleep(BREATH)
                self.look()

    def look(self) -> None:
        """Write what is new since the last look: changed agents, calls, and what came into sight."""
        self._look(self.tape.sight.now())

    def _look(self, now: dict[str, Shown]) -> None:
        agents = self.agents()
        if changed := {name: agents.get(name) for name in agents.keys() | self._agents if agents.get(name) != self._agents.get(name)}:
            self._write({"agents": changed})
        self._agents = agents
        self._calls = min(self._calls, len(self.slack.calls))  # the oldest may have gone
        for call in self.slack.calls[self._calls :]:
            self._write(self._call(call))
        self._calls = len(self.slack.calls)
        for place, shown in news(self._shown, now).items():
            self._write({"shown": place} | (asdict(shown) if shown else {}))
        self._shown = now

    def _heard(self, row: Row) -> None:
        self.look()
        args = row.args | (
            {"files": [_packed(name, data, self.secrets) for name, data in row.args["files"]]} if "files" in row.args else {}
        )
        self._write({"deed": row.deed, "at": round(row.at, 3), "by": row.by, "args": args} | ({"made": row.made} if row.made else {}))

    def _refused(self, row: Row) -> None:
        self._write({"refused": row.deed, "at": round(row.at, 3)})

    def _call(self, call: Call) -> Json:
        """A call with those of its arguments that are short; where it fell is told by names."""
        told = _hidden(call.args, self.secrets)  # before anything is cut, as half a secret is not found any more
        plain = {name: value[:LONGEST] if isinstance(value, str) else value for name, value in told.items()}
        args = {name: value for name, value in plain.items() if isinstance(value, str | int | float | bool) and name not in BULKY}
        error = {"error": call.response["error"]} if "error" in call.response else {}
        return {"call": call.method, "at": round(call.at - self.tape.began, 3), "status": call.status, "args": self._placed(args)} | error

    def _placed(self, args: Json) -> Json:
        """Names for the channel, and for the messages in it."""
        place = self.slack.world.channels.get(str(args.get("channel") or args.get("channel_id") or ""))
        if place is None:
            return args
        known = {name: self.tape.names.at(place, str(args[name])) for name in ("ts", "thread_ts") if args.get(name) in place.messages}
        return args | {name: self.tape.names.channel(place.id) for name in ("channel", "channel_id") if name in args} | known

    def _write(self, line: Json) -> None:
        if self.file.closed:
            return
        try:
            self.file.write(json.dumps(_hidden(line, self.secrets), ensure_ascii=False) + "\n")
            self.file.flush()
        except OSError as error:  # what is written so far is a good recording; the play goes on
            log.warning(f"{self.file.name}: the recording ends here: {error.strerror}", extra={"action": "recording_ended"})
            with contextlib.suppress(OSError):
                self.file.close()


@asynccontextmanager
async def recorded(tape: Tape, path: Path | None, settings: Settings, manifest: Json) -> AsyncIterator[None]:
    """What is done until the block is left is written to the file; without one, nothing is. Raises ConfigError for one that cannot be."""
    if path is None:
        yield
        return
    try:
        file = path.open("x", encoding="utf-8", errors="replace")
    except FileExistsError as error:
        raise ConfigError(f"--record: {path} is there already; name another file, or remove that one") from error
    except OSError as error:
        raise ConfigError(f"--record: {path} cannot be written: {error.strerror}") from error
    world = tape.slack.world
    tokens = {settings.slack_bot_token, settings.slack_app_token, world.bot_token, world.app_token}
    secrets = tokens | secrets_in({**settings.environment, "DATABASE_URL": settings.database_url})
    with file:
        recorder = Recorder(tape, file, lambda: texts(settings.agents_dir), secrets)
        recorder.begin(version("frontdesk"), manifest, {name: getattr(settings, name) for name in MATTER})
        work = asyncio.create_task(recorder.run())
        try:
            yield
        finally:
            recorder.look()
            work.cancel()
            await asyncio.wait([work])


def texts(folder: Path) -> dict[str, str]:
    """The agents' files as they are now, by name."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.md")):
        with contextlib.suppress(OSError):
            found[path.name] = path.read_text("utf-8", errors="replace")
    return found


async def _each(watch: Watch) -> AsyncGenerator[Json, None]:
    try:
        async for change in watch:
            yield change
    finally:
        watch.close()


def secrets_in(environment: Mapping[str, str]) -> set[str]:
    """The values of those variables whose names say that nobody else may know them, and the passwords of addresses."""
    within = {found[1] for value in environment.values() if (found := WITHIN.search(value))}
    return within | {value for name, value in environment.items() if NAMED.search(name.upper())}


def _hidden(thing: Any, secrets: Iterable[str]) -> Any:
    """The same without anything secret in any text of it."""
    match thing:
        case str():
            for secret in secrets:
                thing = thing.replace(secret, HIDDEN)
            return SECRET.sub(HIDDEN, thing)
        case dict():
            return {_hidden(name, secrets): _hidden(value, secrets) for name, value in thing.items()}
        case list() | tuple():
            return [_hidden(each, secrets) for each in thing]
    return thing


def _packed(name: str, data: bytes, secrets: Iterable[str]) -> Json:
    """A file: as text where it is text, so that what is secret in it can be hidden; nothing of another one that has a secret."""
    packed = {"name": name, "size": len(data)}
    try:
        return packed | {"text": _hidden(data.decode(), secrets)[:FILE_BYTES]}
    except UnicodeDecodeError:
        told = any(secret.encode() in data for secret in secrets)
        return packed | {"base64": "" if told else base64.b64encode(data[:FILE_BYTES]).decode()}
