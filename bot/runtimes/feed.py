"""What comes over a stream, event by event: server-sent events, lines of JSON, or one JSON. It is bounded, and never waits for ever."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

from bot.net import LARGEST

Form = Literal["sse", "lines", "json"]
LONGEST = 1000  # bytes of an id that can be sent back


class Unread(ValueError):
    """What came is no event, or too large for one. `str()` completes the sentence "it …"."""


class Stalled(TimeoutError):
    """Nothing came for too long, not even a comment."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One event as the platform sent it. `id` is its own, if it has one; `retry` in seconds."""

    name: str
    data: Any
    id: str = ""
    retry: float = 0.0


async def lines(chunks: AsyncIterator[bytes], silence: float, largest: int = LARGEST) -> AsyncGenerator[bytes, None]:
    """Line by line; CR, LF and CRLF all end one, wherever the chunks are cut."""
    held, half = bytearray(), False
    while chunk := await _next(chunks, silence):
        held += chunk.removeprefix(b"\n") if half else chunk
        half = chunk.endswith(b"\r")
        if len(held) > largest:
            raise Unread(f"said more than {largest >> 20} MiB in one event")
        if b"\n" not in chunk and b"\r" not in chunk:
            continue
        *ended, rest = bytes(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        held = bytearray(rest)
        del chunk  # while the platform is silent nothing is held
        for line in ended:
            yield line
        del ended
    if held:
        yield bytes(held)


async def _next(chunks: AsyncIterator[bytes], silence: float) -> bytes:
    try:
        async with asyncio.timeout(silence):
            return await anext(chunks, b"")
    except TimeoutError as error:
        raise Stalled(f"{silence:g}") from error


async def events(chunks: AsyncIterator[bytes], form: Form, silence: float, largest: int = LARGEST) -> AsyncGenerator[Raw, None]:
    """Raises Unread and Stalled. The last event of a stream that was cut in its middle is not told."""
    if form == "json":
        yield Raw("reply", parsed(await whole(chunks, silence, largest)))
        return
    source = _sse(lines(chunks, silence, largest), largest) if form == "sse" else _jsons(lines(chunks, silence, largest))
    async with aclosing(source):
        async for raw in source:
            yield raw


async def whole(chunks: AsyncIterator[bytes], silence: float, largest: int = LARGEST) -> bytes:
    held = bytearray()
    while chunk := await _next(chunks, silence):
        held += chunk
        if len(held) > largest:
            raise Unread(f"answered with more than {largest >> 20} MiB")
    return bytes(held)


async def _jsons(source: AsyncGenerator[bytes, None]) -> AsyncGenerator[Raw, None]:
    async with aclosing(source):
        async for line in source:
            if data := line.removeprefix(b"data:").strip():  # some say that they send events, and send lines
                yield Raw("", parsed(data))


async def _sse(source: AsyncGenerator[bytes, None], largest: int) -> AsyncGenerator[Raw, None]:
    name, id, retry, data, size = "", "", 0.0, list[bytes](), 0
    async with aclosing(source):
        async for line in source:
            field, _, value = line.removeprefix(b"\xef\xbb\xbf").partition(b":")
            value = value.removeprefix(b" ")
            match field:
                case b"data":
                    data.append(value)
                    size += len(value) + 1
                case b"event":
                    name = value.decode("utf-8", "replace")
                case b"id" if b"\0" not in value and len(value) <= LONGEST:
                    id = value.decode("utf-8", "replace")
                case b"retry" if value.isdigit():
                    retry = int(value) / 1000
            if size > largest:
                raise Unread(f"said more than {largest >> 20} MiB in one event")
            if line:
                continue
            if data:
                yield Raw(name, _data(b"\n".join(data)), id, retry)
            name, id, retry, data, size = "", "", 0.0, [], 0


def _data(data: bytes) -> Any:
    """JSON, or plain words where it is none: many streams end with [DONE]."""
    try:
        return parsed(data)
    except Unread:
        return data.decode("utf-8", "replace")


def parsed(data: bytes) -> Any:
    """Raises Unread."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        page = data.lstrip()[:200].lower().startswith((b"<!doctype", b"<html", b"<head"))
        raise Unread("answered with a web page where JSON belongs" if page else "answered with something that is no JSON") from error
