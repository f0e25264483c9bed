"""Tries a profile of the runtime http, against a recorded stream or the platform itself, and shows what it makes of each event."""

import asyncio
import json
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import fields
from pathlib import Path
from typing import TextIO, get_args

from pydantic import ValidationError

from bot.agent import Agent, explain
from bot.cli.offers import spoken
from bot.errors import BotError, ConfigError
from bot.event import Event, Finished
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import http_setting as setting
from bot.runtimes.claude_words import short
from bot.runtimes.feed import Form, Raw, Unread, events
from bot.runtimes.http_line import Line
from bot.runtimes.http_profile import Profile, load
from bot.runtimes.http_story import Story
from bot.runtimes.http_work import Work
from bot.runtimes.unknown import FILE
from bot.scratch import scratch
from bot.settings import Settings

LONG = 160
QUIET = {"on", "when", "each", "keep"}
Verb = Callable[[str, Callable[[Settings, Namespace], int | None], str], ArgumentParser]


def verbs(verb: Verb) -> None:
    """The command for it."""
    trial = verb("profile", _run, "try a profile of the runtime http, and show what it makes of each event")
    trial.add_argument("action", choices=["test"])
    trial.add_argument("file", metavar="FILE", help="the profile: a file, or one of ours by its name")
    trial.add_argument("stream", metavar="STREAM", nargs="?", type=Path, help="what was recorded of a platform; without it, it is asked")
    trial.add_argument("--url", default="", help="the platform's address")
    trial.add_argument("--key", default="", metavar="VARIABLE", help="the variable that holds the credentials")
    trial.add_argument("--value", action="append", default=[], metavar="NAME=VALUE", help="what the profile wants to know; may be repeated")
    trial.add_argument("--private", action="store_true", help="the address may be of your own network, or this machine")
    trial.add_argument("--say", default="Say hello.", metavar="WORDS", help="what is asked (Say hello.)")


def _run(settings: Settings, given: Namespace) -> int:
    profile = _profile(given.file)
    with scratch() as folder:
        turn = Turn("trial", 1, _agent(given), given.say, folder=folder, environment=settings.environment)
        told = replayed(profile, given.stream, folder) if given.stream else asked(profile, _options(given, profile), turn)
        return asyncio.run(show(told, _story(profile, folder).name, sys.stdout))


def _profile(name: str) -> Profile:
    try:
        return load(name)
    except ConfigError as error:
        raise ConfigError(str(error).removeprefix("options.profile: ")) from error


def _agent(given: Namespace) -> Agent:
    named = [given.key] if given.key else []
    about = {"name": "trial", "version": "", "description": "A trial.", "runtime": "http", "environment": named}
    try:
        return Agent.model_validate(about)
    except ValidationError as error:
        raise ConfigError("--key: write the variable's name here, and never what it holds") from error


def _options(given: Namespace, profile: Profile) -> setting.Options:
    values = dict(value.partition("=")[::2] for value in given.value)
    try:
        options = setting.Options(profile=given.file, url=given.url, key=given.key, values=values, private=given.private)
    except ValidationError as error:
        raise ConfigError("\n".join(f"--{spoken(line)}" for line in explain(error, setting.Options))) from error
    if wrong := setting.missing(options, profile):
        raise ConfigError("\n".join(wrong).replace("options.values.", "--value ").replace("options.", "--"))
    return options


def _spoken(words: str) -> str:
    """The same for whoever has a command line before them, and no agent's file."""
    words = re.sub(r"(options\.(?:url|key)|--\w+)( in agents/trial\.md)?", r"\1", spoken(words.removeprefix("agents/trial.md: ")))
    words = (
        re.sub(r"options\.(url|key)\b", r"--\1", words).replace("options.values", "--value").replace("agents/trial.md", "the agent's file")
    )
    words = words.replace("name it under `environment:`, and set it where frontdesk runs", "set it where you call this")
    return words.partition(f"; it was kept in {FILE}")[0]


async def replayed(profile: Profile, file: Path, folder: Path) -> AsyncGenerator[Raw | Event | str, None]:
    """What would have been told, had this been heard. Raises ConfigError."""
    story = _story(profile, folder)
    for raw in await _recorded(profile, file):
        yield raw
        known, before, told = story.name(raw) in story.known, story.end, list(story.tell(raw))
        for event in told if known else ():
            yield event
        silent = not known or (not told and story.end is before)
        if silent and (why := _silent(profile, story, raw)):
            yield why
    if not story.end and profile.ends:
        for event in story.close(Finished("completed")):
            yield event
    if story.end:
        yield story.end


def _story(profile: Profile, folder: Path) -> Story:
    return Story(profile, dict.fromkeys(profile.kept) | profile.values | {"session": "trial", "turn": 1, "once": "trial"}, folder, str)


async def _recorded(profile: Profile, file: Path) -> list[Raw]:
    """The events in it. Raises ConfigError."""
    place, call = ("stream", profile.stream) if profile.stream else ("send", profile.send)
    try:
        data = await asyncio.to_thread(file.read_bytes)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    read = {form: await _events(data, form) for form in get_args(Form)}
    if read[call.form]:
        return read[call.form]
    looks = ", ".join(form for form, found in read.items() if found)
    meant = f"it looks like `form: {looks}`, which is said under `{place}`" if looks else "nor in any other form"
    raise ConfigError(f"{file} has no event in the form {call.form}, as the profile has it; {meant}")


async def _events(data: bytes, form: Form) -> list[Raw]:
    async def chunks() -> AsyncIterator[bytes]:
        yield data

    try:
        return [raw async for raw in events(chunks(), form, 60)]
    except Unread:
        return []


def _silent(profile: Profile, story: Story, raw: Raw) -> str:
    """Why nothing is told of an event; nothing where that is meant."""
    name = story.name(raw)
    if name not in story.known:
        nameless = raw.name in ("", "message") and name == "message"
        where = f"; it has no name, which is looked for at `kind`: {profile.kind}" if nameless else ""
        there = ", ".join(sorted(story.known))
        return f"no rule is `on: {name}`, so people are told only that it is not known; there are rules on {there}{where}"
    rules = [rule.model_dump(exclude=QUIET, exclude_defaults=True) for rule in profile.events if name in rule.on]
    said = [f"`{key}: {value}`" if isinstance(value, str) else f"`{key}`" for rule in rules for key, value in rule.items()]
    return f"nothing: {' and '.join(said)} of its rules find nothing here, or nothing new" if said else ""


async def asked(profile: Profile, options: setting.Options, turn: Turn) -> AsyncGenerator[Raw | Event | str, None]:
    """What a platform tells now, with what is made of it."""
    heard: list[Raw] = []
    async with (
        Line(setting.setting(options, profile, turn)) as line,
        aclosing(Work(turn, line, options.patience, heard.append).told(Silence())) as events,
    ):
        async for event in events:
            while heard:
                yield heard.pop(0)
            yield event


class Silence:
    """An inbox that nobody writes into."""

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


async def show(told: AsyncGenerator[Raw | Event | str, None], name: Callable[[Raw], str], out: TextIO) -> int:
    """0 if the turn ended well; 1 if it failed, or nothing says how it ended."""
    end: Finished | None = None
    try:
        async with aclosing(told):
            async for one in told:
                print(_line(one, name), file=out)
                end = one if isinstance(one, Finished) else end
    except ConfigError as error:
        raise ConfigError(_spoken(str(error))) from error
    except BotError as error:
        print(f"    → it fails: {_spoken(str(error))}", file=out)
        return 1
    if end is None:
        print("    → nothing says how it ended: is there a rule with an `end` for it?", file=out)
    return 0 if end and end.state in ("completed", "input_required") else 1


def _line(one: Raw | Event | str, name: Callable[[Raw], str]) -> str:
    if isinstance(one, Raw):
        return f"{name(one)} {short(json.dumps(one.data, ensure_ascii=False), LONG)}"
    return f"    → {one if isinstance(one, str) else _spoken(_worded(one))}"


def _worded(event: Event) -> str:
    """An event with what it says, without what it leaves out."""
    said = ((field.name, getattr(event, field.name), field.default) for field in fields(event))
    return f"{type(event).__name__}({', '.join(f'{name}={short(repr(value), LONG)}' for name, value, usual in said if value != usual)})"
