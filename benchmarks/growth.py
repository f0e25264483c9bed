"""What a million stored events, and as many deliveries, cost: the same figures with them and without."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import sqlalchemy as sa

from benchmarks import acknowledge, sign
from benchmarks.rows import Row, share
from benchmarks.seen import STATUS, delivered, final
from benchmarks.stage import Stage, bot, postgres, stage
from bot.message import Person
from bot.session import Session
from bot.store import rows
from bot.store.database import parse

WORSE, NOTHING = 1.2, 0.001  # times; and seconds, or a thousandth of anything, that are no difference
EACH = 20  # events of one session
OLD, RECENT = 90 * 86400, 40 * 3600  # seconds: what sessions said is kept so long, and what was delivered not longer than two days
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {many}) "
KNOWN = Session("ID", "helper", "slack:T0:C0OLD:1.0", Person("U0OLD", "olga"), "C0OLD", "Of old", state="completed", number=1)
FILL = (
    """INSERT INTO sessions (id, thread, agent, asker, state, current, muted, epoch, sequence, changed, data)
    SELECT 's' || i, 'slack:T0:C0OLD:' || i, 'helper', 'U0OLD', 'completed', true, false, 1, {each}, {now} - {old} + i * {step}, '{data}'
    FROM n WHERE i < {many} / {each}""",
    """INSERT INTO inbox (id, session_id, at, turn, done, data)
    SELECT 'C0OLD:' || i, 's' || i, {now} - {old} + i * {step}, 1, true, '{{}}' FROM n WHERE i < {many} / {each}""",
    """INSERT INTO turns (session_id, number, agent, runtime, model, version, state, began, ended,
    input_tokens, output_tokens, cached_tokens, usd)
    SELECT 's' || i, 1, 'helper', 'echo', '', '', 'completed', {now} - {old} + i * {step}, {now} - {old} + i * {step} + 5, 9, 9, 0, 0
    FROM n WHERE i < {many} / {each}""",
    """INSERT INTO posts (slot, session_id, thread, id, ts, shown, at)
    SELECT 's' || i || ':1:0', 's' || i, 'slack:T0:C0OLD:' || i, 'p' || i, i || '.5', 'x', {now} - {old} + i * {step}
    FROM n WHERE i < {many} / {each}""",
    """INSERT INTO events (session_id, sequence, turn, at, type, data)
    SELECT 's' || (i / {each}), i - i / {each} * {each}, 1, {now} - {old} + i, 'Text',
    '{{"text":"A line of what an agent once had to tell."}}' FROM n""",
    """INSERT INTO deliveries (key, kind, at, done, body, lane, owner)
    SELECT 'message:C0OLD:' || i, 'message', {now} - {recent} - 60 + i * {often}, true, '', 'C0OLD:' || i, '' FROM n""",
)
Figures = dict[str, list[float]]


async def measure(quick: bool) -> list[Row]:
    many = 20_000 if quick else 1_000_000
    async with postgres() as made:
        urls = {"SQLite": ("", ""), "PostgreSQL": (await made.create(), await made.create())}
        return [row for kind, both in urls.items() for row in await _compare(kind, *both, many, 1 if quick else 3)]


async def _compare(kind: str, empty: str, full: str, many: int, rounds: int) -> list[Row]:
    async with AsyncExitStack() as stack:
        places = [await stack.enter_async_context(stage(url=url)) for url in (empty, full)]
        for place in places:
            async with bot(place):  # the tables are there now
                pass
        await asyncio.to_thread(_fill, places[1], many)
        before, after = Figures(), Figures()
        await _by_turns(places, (before, after), rounds, _start)
        bots = [await stack.enter_async_context(bot(place)) for place in places]
        await _by_turns(places, (before, after), rounds, _load)
        for found, each in zip((before, after), bots, strict=True):
            found["memory, MiB"] = [each.memory()[0]]
    return [_row(f"{kind}, {many:,} events: {name}", before[name], after[name]) for name in before]


def _row(figure: str, before: list[float], after: list[float]) -> Row:
    less, more = share(before, 50), share(after, 50)
    scale, unit = (1, "") if "MiB" in figure else (1000, " ms")
    told = f"{more * scale:.1f}{unit} (without {less * scale:.1f})"
    return Row(f"{figure}, p50", told, "", f"< {WORSE:g} times", more < less * WORSE + NOTHING)


async def _by_turns(places: list[Stage], found: tuple[Figures, Figures], rounds: int, look: Callable[[Stage], Awaitable[Figures]]) -> None:
    """The first round only warms up."""
    for turn in range(rounds + 1):
        for place, figures in zip(places, found, strict=True):
            for name, values in (await look(place)).items():
                figures[name] = figures.get(name, []) + (values if turn else [])


async def _start(place: Stage) -> Figures:
    async with bot(place) as started:
        return {"start until connected": [started.start]}


async def _load(place: Stage) -> Figures:
    acks = await acknowledge.load(place, 200, 3, mention=False)
    _, *roots = await sign.ask(place, 10, 2.0, "!say the last word of {}")
    asked = delivered(place.slack)
    signs = [sign.soon(place, root, *STATUS, "chat.postMessage") for root in roots]
    ends = [(final(place.slack, root, f"the last word of {n}") or 0) - asked[str(root["ts"])] for n, root in enumerate(roots)]
    return {"acknowledgement at 200/s": acks, "first sign": signs, "answer": ends}


def _fill(place: Stage, many: int) -> None:
    engine = sa.create_engine(parse(place.environment()["DATABASE_URL"]), poolclass=sa.NullPool)
    words: dict[str, float] = {"many": many, "each": EACH, "now": int(time.time()), "old": OLD, "recent": RECENT}
    words |= {"step": OLD // (many // EACH), "often": RECENT / many}
    with engine.begin() as connection:
        for statement in FILL:
            connection.exec_driver_sql(NUMBERS.format(many=many) + statement.format(**words, data=rows.dump(rows.SESSION, KNOWN)))
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE")  # as its own housekeeping does before long
