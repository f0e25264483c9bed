"""What we add to platforms: the time from an event of theirs until there is a view of it, twenty of them at once."""

import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.overhead import EVERY, LATE, SOON, Desk
from benchmarks.rows import Row, millis, share
from benchmarks.stage import ROOT, process, widen
from bot.agent import Agent
from bot.store.sql import SqlStore

PLACES = 20
PROFILE = """
name: Talker
send: {post: /send, form: sse, body: {text: "{{ prompt }}"}}
ends: true
events: [{on: said, text: $.text}]
"""
KINDS: Mapping[str, Mapping[str, Any]] = {
    "http": {},
    "responses": {"key": ""},
    "responses, chat": {"key": "", "api": "chat"},
    "managed_agents": {"key": "", "agent": "a1", "environment": "e1"},
    "langgraph": {},
}


async def measure(quick: bool) -> list[Row]:
    widen()
    pieces = 30 if quick else 200
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    async with process((f"{ROOT}/benchmarks/elsewhere.py", str(PLACES), str(pieces), str(EVERY)), environment) as elsewhere:
        assert elsewhere.stdout
        ports = json.loads(await elsewhere.stdout.readline())
        async with desks(ports) as made:
            for desk, sessions in [(desk, await desk.ask(1, "Go")) for desk in made[: len(KINDS)]]:  # what is loaded once is loaded
                await desk.glass.until(sessions)
            asked = [(desk, await desk.ask(1, "Go")) for desk in made]
            for desk, sessions in asked:  # all have begun
                await desk.glass.until(sessions, 60)
            for desk in made:
                desk.glass.late.clear()
            for desk, sessions in asked:
                await desk.glass.until(sessions)
            return list(rows(made, [desk.glass.ended[session].state for desk, sessions in asked for session in sessions]))


def rows(made: list[Desk], over: list[str]) -> list[Row]:
    late = [seconds for desk in made for seconds in desk.glass.late]
    good = share(late, 50) < SOON and share(late, 99) < LATE and over == ["completed"] * PLACES
    aim = f"p50 < {SOON * 1000:g} ms, p99 < {LATE * 1000:g} ms"
    each = [Row(f"… over {kind}", millis(mine, 50, 99)) for kind, mine in by_kind(made)]
    return [Row(f"event to view, sessions on {PLACES} platforms at once, p50 / p99", millis(late, 50, 99), "", aim, good), *each]


def by_kind(made: list[Desk]) -> list[tuple[str, list[float]]]:
    return [(kind, [seconds for desk in made[number :: len(KINDS)] for seconds in desk.glass.late]) for number, kind in enumerate(KINDS)]


@asynccontextmanager
async def desks(ports: list[int]) -> AsyncIterator[list[Desk]]:
    """One for each platform, with one store; the kinds take turns."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-benchmark-") as name:
        store, kinds = SqlStore(f"sqlite+aiosqlite:///{name}/desk.db"), list(KINDS)
        (Path(name) / "talker.yaml").write_text(PROFILE)
        await store.open()
        made = [Desk(agent(kinds[number % len(kinds)], port, Path(name)), store, Path(name), {}) for number, port in enumerate(ports)]
        try:
            yield made
        finally:
            for desk in made:
                await desk.engine.close()
            await store.close_all()


def agent(kind: str, port: int, folder: Path) -> Agent:
    runtime, url = kind.partition(",")[0], f"http://127.0.0.1:{port}"
    more = {"profile": str(folder / "talker.yaml")} if runtime == "http" else {}
    options = {"url": f"{url}/v1" if runtime == "responses" else url, "private": True, **KINDS[kind], **more}
    about = {"name": f"coder-{port}", "version": "1", "description": "Codes.", "runtime": runtime, "model": "none"}
    return Agent.model_validate({**about, "options": options})
