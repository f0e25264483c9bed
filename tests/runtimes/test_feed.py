"""Streams, however they are cut into pieces."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest

from bot.runtimes.feed import Form, Raw, Stalled, Unread, events

LARGEST = 1000


async def chunks(pieces: Iterable[bytes], *, hang: bool = False) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
    if hang:
        await asyncio.Event().wait()


async def read(stream: bytes, form: Form = "sse", size: int = 0) -> list[Raw]:
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)] if size else [stream]
    return [raw async for raw in events(chunks(pieces), form, 5, LARGEST)]


STREAM = b'\xef\xbb\xbf: hello\n\nid: 1\nevent: said\ndata: {"text":\ndata: "h\xc3\xa9"}\nretry: 1500\n\ndata:[DONE]\n\ndata: "half'
TOLD = [Raw("said", {"text": "hé"}, "1", 1.5), Raw("", "[DONE]")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [0, 1, 2, 7])
async def test_events_are_the_same_however_they_are_cut(end: bytes, size: int) -> None:
    assert await read(STREAM.replace(b"\n", end), size=size) == TOLD


async def test_an_event_that_was_never_ended_is_not_told() -> None:
    assert await read(b'event: said\ndata: {"text": "half"}\n') == []


@pytest.mark.parametrize("size", [0, 1, 5])
async def test_lines_of_json_need_no_name(size: int) -> None:
    stream = b'{"type": "item"}\r\n\r\n data: 1\n'.replace(b" data", b"data") + b'{"type": "end"}'

    assert await read(stream, "lines", size) == [Raw("", {"type": "item"}), Raw("", 1), Raw("", {"type": "end"})]


async def test_one_json_is_the_reply() -> None:
    assert await read(b'[{"output": "hello"}]', "json") == [Raw("reply", [{"output": "hello"}])]


@pytest.mark.parametrize("form", ["sse", "lines", "json"])
async def test_an_event_that_is_too_large_is_refused_before_it_is_whole(form: Form) -> None:
    pieces = (b"data: " + b"x" * 600 for _ in range(1_000_000))

    with pytest.raises(Unread, match="more than 0 MiB"):
        async for _ in events(chunks(pieces), form, 5, LARGEST):
            pass


async def test_many_lines_do_not_make_an_event_larger_than_it_may_be() -> None:
    with pytest.raises(Unread, match="more than 0 MiB"):
        await read(b"data: " + b"x" * 100 + b"\n" + (b"data: " + b"x" * 100 + b"\n") * 20, size=50)


@pytest.mark.parametrize(("said", "words"), [(b"<!DOCTYPE html><p>", "a web page where JSON belongs"), (b"{half", "no JSON")])
async def test_what_is_no_json_is_told(said: bytes, words: str) -> None:
    with pytest.raises(Unread, match=words):
        await read(said, "json")


async def test_a_stream_that_stalls_is_told() -> None:
    with pytest.raises(Stalled, match=r"0\.05"):
        async for _ in events(chunks([b"data: 1\n\n"], hang=True), "sse", 0.05):
            pass


async def test_lines_without_words_do_not_grow_for_ever() -> None:
    with pytest.raises(Unread, match="in one event"):
        await read(b"data:\n" * (LARGEST + 1), size=60)


async def test_an_id_that_nobody_could_send_back_is_none() -> None:
    assert [raw async for raw in events(chunks([b"id: ", b"7" * 5000, b"\ndata: 1\n\n"]), "sse", 5)] == [Raw("", 1)]
