"""The commands of the shell.

cli/ask.py        asks an agent in the terminal
cli/play.py       the desk beside a stand-in for Slack, with a page
cli/replay.py     does a recorded play again
cli/bench.py      looks on for authors, and runs a turn again
cli/notes.py      what it has seen, in words
cli/trials.py     tries an agent's file on what was asked before
cli/history.py    what each version of it came to
cli/reports.py    what agents said would have helped them
cli/profile.py    tries a profile, and shows what it makes of a stream
cli/offers.py     what platforms offer
cli/discovery.py  agents' files made of that
cli/add.py        agents of the catalogue
cli/schedules.py  what begins by itself
cli/container.py  the same process as the inside of a container
"""

import asyncio
import json
import logging
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from bot import app, processes
from bot.agent import Agent
from bot.app import check, ready, upkeep
from bot.cli import add, ask, container, discovery, history, play, profile, replay, reports, schedules, trials
from bot.errors import BotError, ConfigError
from bot.ops.server import left_alone
from bot.runtimes import http_profile
from bot.settings import Settings, load
from bot.slack import doctor, manifest
from bot.slack.doctor import Finding
from bot.store.database import there
from bot.store.files import Agents
from bot.store.sql import SqlStore

T = TypeVar("T")
GONE = 130  # what a shell gives for Ctrl-C
UNREAD = 141  # and where nobody reads any more, as after `| head`
CODES = "It ends with 0 where all is well, 1 where something was found wrong, 2 where it was called or set up wrongly."


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    processes.hide()
    processes.first()
    logging.getLogger("bot.store.files").addHandler(logging.NullHandler())  # what it finds wrong is said by the command itself
    try:
        settings = load()
        http_profile.FOLDERS[0] = settings.agents_dir
        code = int(given.run(settings, given) or 0)
        sys.stdout.flush()
        return code
    except ConfigError as error:
        return fail(error, 2)
    except BotError as error:
        return fail(error, 1)
    except KeyboardInterrupt:
        return GONE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains once more as it ends
        return UNREAD


def fail(error: BotError, code: int) -> int:
    for line in str(error).splitlines():
        print(f"frontdesk: {line}", file=sys.stderr)
    return code


def parser() -> ArgumentParser:
    top = ArgumentParser("frontdesk", description="One Slack app that is the front desk of a company's agents.", epilog=CODES)
    top.add_argument("--version", action="version", version=f"frontdesk {version('frontdesk')}")
    verbs = top.add_subparsers(required=True, metavar="COMMAND")

    def verb(name: str, run: Callable[[Settings, Namespace], int | None], words: str, script: bool = False) -> ArgumentParser:
        made = verbs.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
        made.set_defaults(run=run)
        if script:
            made.add_argument("--json", action="store_true", help="print JSON, for scripts")
        return made

    play = verb("play", _play, "try it here, with a stand-in for Slack and without any key")
    play.add_argument("--port", type=int, default=8765, help="where the page is (8765); 0 takes one that is free")
    way = play.add_mutually_exclusive_group()
    way.add_argument("--record", type=Path, metavar="FILE", help="write down what is done there, and what came of it")
    way.add_argument("--replay", type=Path, metavar="FILE", help="do again what was recorded, and say whether the same came of it")
    verb("run", _run, "connect to Slack, and serve")
    check = verb("check", _check, "look whether all agents' files are right, and say what goes where", script=True)
    check.add_argument("--manifest", type=Path, help="this app manifest has to be right; else manifest.yaml, if SLACK_BOT_TOKEN is set")
    look = verb("doctor", _doctor, "look whether Slack, the database and the runtimes are set up right", script=True)
    look.add_argument("--wait", type=float, default=60, metavar="SECONDS", help="how long to wait for a mention (60)")
    look.add_argument("--no-wait", dest="wait", action="store_const", const=0.0, help="ask nobody for a mention")
    made = verb("manifest", _manifest, "print the Slack app manifest that the agents' files need")
    made.add_argument("--write", type=Path, nargs="?", const=Path("manifest.yaml"), help="write it there; names that stand there stay")
    asked = verb("ask", _ask, "ask an agent here in the terminal")
    asked.add_argument("agent", metavar="AGENT", help="an agent's name; left out with --runtime")
    asked.add_argument("words", nargs="*", metavar="WORDS")
    asked.add_argument("--runtime", help="ask this runtime itself, without an agent's file")
    asked.add_argument("--model", default="", help="and this model of it")
    more = "and give it this option, as in: --option url=http://127.0.0.1:2024; the value is YAML, and there may be several"
    asked.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help=more)
    _kept(verb)
    add.verbs(discovery.verbs(verb))
    schedules.verbs(verb)
    upkeep.verbs(verb)
    container.verbs(verb)
    profile.verbs(verb)
    trials.verbs(verb)
    history.verbs(verb)
    return top


def _kept(verb: Callable[..., ArgumentParser]) -> None:
    sessions = verb("sessions", _sessions, "list the newest sessions", script=True)
    sessions.add_argument("--limit", type=int, default=20)
    sessions.add_argument("--live", action="store_true", help="only those that run or wait")
    usage = verb("usage", _usage, "say what each agent has cost", script=True)
    usage.add_argument("--days", type=float, default=30, help="since so many days ago (30)")
    feedback = verb("feedback", _feedback, "list what people thought of the answers", script=True)
    feedback.add_argument("--agent", default="", help="only of this agent")
    feedback.add_argument("--limit", type=int, default=100)
    reports.verbs(verb)


def _play(settings: Settings, given: Namespace) -> int:
    if given.replay:
        return 0 if asyncio.run(replay.show(given.replay, settings, given.port)) else 1
    asyncio.run(play.play(settings, given.port, given.record))
    return 0


def _run(settings: Settings, given: Namespace) -> None:
    asyncio.run(app.run(settings))


# what stands in files


def _check(settings: Settings, given: Namespace) -> int:
    folder = Agents(settings.agents_dir)
    folder.load()
    problems = [*folder.problems, *asyncio.run(check.mistakes([*folder.agents, *folder.remains], folder.folder))]
    problems.sort(key=lambda line: line.partition(":")[0])  # by file
    behind = [] if folder.problems else _behind(folder.agents, given.manifest or Path("manifest.yaml"))
    strict = given.manifest or settings.slack_bot_token  # who only plays needs no manifest
    problems += [*(behind if strict else []), *asyncio.run(doctor.unknown(settings, folder.agents))]
    hints = [*check.hints(folder.agents), *check.secretless(folder.agents, settings.environment), *([] if strict else behind)]
    if given.json:
        show = [{"name": a.name, "file": a.file, "runtime": a.runtime, "version": a.version, "claims": a.claims()} for a in folder.agents]
        _dump({"ok": not problems, "problems": problems, "hints": hints, "agents": show})
    else:
        rows = [(claim, agent.name, agent.runtime) for agent in folder.agents for claim in agent.claims() or ["by its name only"]]
        if rows:
            _table(("WHAT COMES BY", "GOES TO", "ON"), sorted(rows))
        for problem in problems:
            print(f"frontdesk: {problem}", file=sys.stderr)
        for hint in hints:
            print(f"frontdesk: a hint: {hint}", file=sys.stderr)
    return 1 if problems else 0


def _behind(agents: Sequence[Agent], file: Path) -> list[str]:
    if not file.exists():
        return [f"{file} is not there; for Slack, write it with: frontdesk manifest --write {file}"]
    try:
        return manifest.lag(agents, file.read_text("utf-8"))
    except ConfigError as error:
        return str(error).splitlines()


def _manifest(settings: Settings, given: Namespace) -> None:
    agents = _agents(settings)
    if given.write is None:
        print(manifest.text(manifest.manifest(agents)), end="")
        return
    now = manifest.read(given.write.read_text("utf-8")) if given.write.exists() else None
    try:
        given.write.write_text(manifest.text(manifest.manifest(agents, now)), "utf-8")
    except OSError as error:
        raise ConfigError(f"{given.write} cannot be written: {error.strerror}") from error


def _agents(settings: Settings) -> tuple[Agent, ...]:
    """All agents. Raises ConfigError if any file is wrong."""
    folder = Agents(settings.agents_dir)
    folder.load()
    if folder.problems:
        raise ConfigError("\n".join(folder.problems))
    return folder.agents


# what the world says


def _doctor(settings: Settings, given: Namespace) -> int:
    found = asyncio.run(_examine(settings, given.wait))
    if given.json:
        _dump([asdict(each) for each in found])
    else:
        for each in found:
            print(f"{'ok   ' if each.ok else 'WRONG'} {each.name}: {each.words}" + (f"\n      {each.remedy}" if each.remedy else ""))
    return 0 if all(each.ok for each in found) else 1


async def _examine(settings: Settings, wait: float) -> list[Finding]:
    folder = Agents(settings.agents_dir)
    folder.load()
    found = await doctor.examine(settings, folder.agents, wait, lambda line: print(line, file=sys.stderr, flush=True))
    away = await left_alone(settings.http_port) if settings.http_port else []
    found += [Finding("platform", False, words, "look there; it is asked again by itself") for words in away]
    found += [Finding("agents", False, words) for words in folder.problems]  # with what to do
    return [*found, await ready.database(settings), *await ready.examined(settings, folder.agents)]


def _ask(settings: Settings, given: Namespace) -> int:
    itself = given.runtime is not None
    words = [given.agent, *given.words] if itself else given.words
    if not words:
        raise ConfigError(f"say what {given.agent} is to do, as in: frontdesk ask {given.agent} Which tests fail?")
    if not itself and (given.model or given.option):
        raise ConfigError(f"--model and --option go with --runtime; what {given.agent} runs on stands in its file")
    agent = ask.made(settings, given.runtime, given.model, given.option) if itself else ask.called(settings, given.agent)
    session = asyncio.run(ask.converse(settings, agent, " ".join(words)))
    return {"completed": 0, "canceled": GONE}.get(session.state, 1)


# what was kept


def _sessions(settings: Settings, given: Namespace) -> None:
    found = _read(settings, lambda store: store.sessions(given.limit, live=given.live))
    rows = [(s.id, s.agent, s.state, _when(s.asked), s.asker.name or s.asker.id, s.spent.usd, s.title) for s in found]
    _tell(given, ("id", "agent", "state", "asked", "by", "usd", "title"), rows)


def _usage(settings: Settings, given: Namespace) -> None:
    agents, since = _agents(settings), time.time() - given.days * 86400

    async def read(store: SqlStore) -> list[tuple[str, int, int, int, float]]:
        spent = [(agent.name, await store.spent(agent.name, since)) for agent in agents]
        return [(name, used.input_tokens, used.output_tokens, used.cached_tokens, float(used.usd)) for name, used in spent]

    _tell(given, ("agent", "input_tokens", "output_tokens", "cached_tokens", "usd"), _read(settings, read))


def _feedback(settings: Settings, given: Namespace) -> None:
    found = _read(settings, lambda store: store.feedback(given.agent, given.limit))
    rows = [(_when(f.at), f.agent, f.version, f.rating, ", ".join(f.reasons), f.session_id, f.turn, f.text) for f in found]
    _tell(given, ("at", "agent", "version", "rating", "reasons", "session", "turn", "text"), rows)


def _read(settings: Settings, query: Callable[[SqlStore], Awaitable[T]]) -> T:
    """What a query finds, while the bot may be running beside it."""
    there(settings.database_url)

    async def read() -> T:
        async with upkeep.opened(settings.database_url) as store:
            return await query(store)

    return asyncio.run(read())


# how it is told


def _tell(given: Namespace, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    if given.json:
        _dump([dict(zip(heads, row, strict=True)) for row in rows])
    else:
        _table([head.upper() for head in heads], rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    lines = [heads, *[[f"${cell:.2f}" if isinstance(cell, float) else _plain(str(cell)) for cell in row] for row in rows]]
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _plain(text: str) -> str:
    """One line, in which what a terminal would obey shows itself as nothing."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _dump(found: Any) -> None:
    print(json.dumps(found, ensure_ascii=False, indent=2))


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at)) if at else "-"
