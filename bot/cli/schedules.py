"""What begins by itself, and when; and to pause that, let it go on, begin it now, or take it away."""

import asyncio
import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from bot.agent import Agent
from bot.app import upkeep
from bot.errors import ConfigError
from bot.fired import Fired, delivery
from bot.plan import Plan, when
from bot.settings import Settings
from bot.store.database import parse, there
from bot.store.files import Agents
from bot.store.schedules import Schedules
from bot.store.sql import SqlStore
from bot.timetable import VERBS, Timetable
from bot.triggers.schedule import planned

HERE = "the shell"  # as whoever does it here is named in Slack
LATELY = 1000  # sessions whose channels' names are known
NAMELESS = {"", "directmessage", "privategroup"}  # what Slack's commands say of a place that they do not name


def verbs(verb: Callable[..., ArgumentParser]) -> None:
    """The command for it."""
    made = verb("schedules", _schedules, "list what begins by itself, and when; or pause, resume, run or remove one", script=True)
    made.add_argument("do", nargs="?", choices=VERBS, metavar="|".join(VERBS), help="what to do, also while the bot runs")
    made.add_argument("name", nargs="?", metavar="NAME", help="with which: helper:1, or the agent's name where it has one only")


def _schedules(settings: Settings, given: Namespace) -> None:
    if given.do and not given.name:
        raise ConfigError(f"say which, as in: frontdesk schedules {given.do} helper:1")
    print(f"frontdesk: {_where(settings)}", file=sys.stderr)
    if given.do:
        there(settings.database_url)
        print(asyncio.run(act(settings, given.do, given.name)))
        return
    plans, names = asyncio.run(_plans(settings))
    _dump(plans) if given.json else _show(plans, names)


def _where(settings: Settings) -> str:
    """Which database it is; a desk that plays has one of its own."""
    url = parse(settings.database_url)
    file = (url.database or "") if url.get_backend_name() == "sqlite" else ""
    other = "set DATABASE_URL for another, of which `frontdesk play` says its own"
    if file and not Path(file).exists():
        return f"no desk has run on {file} yet, so this is what the agents' files say; {other}"
    return f"this is what the desk on {file or url.render_as_string()} has; {other}"


async def act(settings: Settings, verb: str, name: str) -> str:
    """What came of it. Raises ConfigError where there is no such schedule."""
    async with upkeep.opened(settings.database_url) as store:

        async def fire(fired: Fired) -> None:
            await store.receive(delivery(fired))  # a desk that runs finds it there

        timetable = Timetable(lambda: (), plans := Schedules(store.db), fire)
        return await timetable.do(verb, timetable.find(name, await plans.all()), HERE, uuid4().hex)


async def _plans(settings: Settings) -> tuple[list[Plan], dict[str, str]]:
    """What is kept, and what the files say that no desk has read yet; and the channels' names."""
    plans = {plan.name: plan for plan in planned(_agents(settings), time.time())}
    try:
        there(settings.database_url)
    except ConfigError:
        return [*plans.values()], {}  # no desk has run yet
    async with upkeep.opened(settings.database_url) as store:
        kept, names = {plan.name: plan for plan in await Schedules(store.db).all()}, await places(store)
    return [replace(plan, schedule=plans.get(plan.name, plan).schedule) for _, plan in sorted((plans | kept).items())], names


async def places(store: SqlStore) -> dict[str, str]:
    """The channels in which agents were asked lately, by their ids: as files write them."""
    asked = [each for each in await store.sessions(LATELY) if each.channel_name not in {*NAMELESS, each.channel}]
    return {each.channel: f"#{each.channel_name}" for each in reversed(asked)}  # the newest name


def _agents(settings: Settings) -> Sequence[Agent]:
    folder = Agents(settings.agents_dir)
    folder.load()
    return folder.agents


def _dump(plans: Sequence[Plan]) -> None:
    rows = [
        {"name": plan.name, "agent": plan.agent, "next": 0.0 if plan.paused else plan.due, "last": plan.last, "paused": plan.paused,
         "asked": plan.asked, "trouble": plan.trouble, **plan.schedule.model_dump()}
        for plan in plans
    ]  # fmt: skip
    print(json.dumps(rows, ensure_ascii=False, indent=2))


def _show(plans: Sequence[Plan], names: Mapping[str, str]) -> None:
    if not plans:
        print("Nothing begins by itself: no agent's file has a schedule under triggers.")
        return
    heads = ("NAME", "CRON", "TIME ZONE", "WRITES TO", "NEXT", "LAST")
    rows = [heads, *(_row(plan, names) for plan in plans)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for plan in plans:
        if plan.trouble:
            print(f"{plan.name} could not begin: {plan.trouble.replace(plan.schedule.post_to, _place(plan, names))}")


def _row(plan: Plan, names: Mapping[str, str]) -> tuple[str, ...]:
    timed = plan.schedule
    return (plan.name, timed.cron, timed.timezone, _place(plan, names), _next(plan), when(timed, plan.last))


def _place(plan: Plan, names: Mapping[str, str]) -> str:
    return names.get(plan.schedule.post_to, plan.schedule.post_to)


def _next(plan: Plan) -> str:
    return f"paused by {plan.paused}" if plan.paused else when(plan.schedule, plan.due)
