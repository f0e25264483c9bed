"""What each session that streams costs: many, of an A2A agent in another process."""

import asyncio
import socket
import time
from contextlib import suppress

import psutil

from benchmarks.rows import Row
from benchmarks.seen import final
from benchmarks.stage import Bot, Stage, bot, pace, process, stage, widen

AGENT = "description: Streams.\nruntime: a2a\noptions: {{url: '{url}', private: true}}\ntriggers: [{{mention: ['*']}}]"
SMALL = 60.0  # KiB
PIECES = 5.0  # seconds between two pieces of what each session says
SCRIPT = f"!slow {PIECES:g}\n!say " + "what goes on and on, " * 20
WATCHED = 10.0  # seconds


async def measure(quick: bool) -> list[Row]:
    many = 100 if quick else 1000
    widen()
    port = _port()
    agents = {"streamer": AGENT.format(url=f"http://127.0.0.1:{port}")}
    standin = ("-m", "tests.standins.a2a_agent", "--port", str(port))
    async with stage(agents=agents) as place, process(standin, place.environment()) as agent:
        assert agent.stdout
        await agent.stdout.readline()  # it says where it listens
        async with bot(place) as ours:
            return await _stream(place, ours, port, many)


async def _stream(place: Stage, ours: Bot, port: int, many: int) -> list[Row]:
    slack = place.slack
    warm = await slack.mention("!say hello", channel="general")  # the SDK is imported, and one session has been all the way
    await slack.until(lambda: final(slack, warm, "hello") is not None, 30)
    await asyncio.sleep(3)
    (before, _), began = ours.memory(), time.monotonic()
    for number in range(many):
        if number % 5 == 0:
            slack.add_channel(f"stream-{number // 5}")  # a channel takes one message a second
        await pace(began, number, 40)
        await slack.mention(SCRIPT, channel=f"stream-{number // 5}")
    streaming = await _count(ours, port, many)
    cpu, since = ours.cpu(), time.monotonic()
    await asyncio.sleep(WATCHED)
    used = (ours.cpu() - cpu) / (time.monotonic() - since)
    each = (ours.memory()[0] - before) * 1024 / streaming
    return [
        Row(f"memory for each of {streaming} A2A sessions", f"{each:.0f} KiB", "", f"< {SMALL:g} KiB", each < SMALL and streaming == many),
        Row(f"CPU with them, {streaming / PIECES:.0f} pieces/s in all", f"{used:.0%} of a core"),
    ]


async def _count(ours: Bot, port: int, many: int) -> int:
    """Wait until all stream, as far as they do; each has a connection of its own."""
    count = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(60):
            while count < many:
                await asyncio.sleep(0.5)
                lines = ours.process.net_connections("tcp")
                count = sum(1 for line in lines if line.raddr and line.raddr.port == port and line.status == psutil.CONN_ESTABLISHED)
    return count


def _port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
