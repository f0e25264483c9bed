"""Tries an agent's file on what was asked before, and shows its answers beside those of then."""

import asyncio
import json
import shutil
import sys
import textwrap
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from functools import partial
from itertools import zip_longest
from pathlib import Path

from bot import examples
from bot.agent import Agent, parse
from bot.app import lent, upkeep
from bot.app.lab import lab, today
from bot.cli.add import channel
from bot.cli.schedules import places
from bot.errors import ConfigError
from bot.examples import Example
from bot.improve.history import compared, count, dollars, span, trial_words
from bot.improve.judge import judged
from bot.improve.trial import MOST, chosen, delivery, trial
from bot.past import Choice, Outcome, Past, Run, Tried
from bot.settings import Settings
from bot.store.database import there
from bot.store.files import Agents
from bot.store.sql import SqlStore

BY = "the shell"
NOTHING = "{0}: there is nothing to try it on: no past turn of {2} {1}, and no {2}.trial.yaml; look further back with --since, as in 90d"
UNCHANGED = "{} has not changed: this shows how much its answers differ by themselves, and is no trial of a change"
UNKNOWN = "no agent's file names {0}, and nobody has asked an agent there; {1} Where there is no such channel, nobody votes"
FOUND: Mapping[Choice, str] = {
    "new": "the new answer better", "old": "the old answer better", "same": "neither answer better", "good": "it good", "bad": "it bad",
}  # fmt: skip
Verb = Callable[..., ArgumentParser]


def verbs(verb: Verb) -> None:
    """The command for it."""
    made = verb("trial", _trial, "try an agent's file on what was asked before; nobody in Slack hears of it without --vote", script=True)
    made.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="the file, called like its agent; it need not be among those that are used; or an agent's name",
    )
    made.add_argument("--since", type=upkeep.age, default=upkeep.age("14d"), metavar="AGE", help="of past turns, those since then (14d)")
    made.add_argument("--most", type=int, default=MOST, metavar="N", help=f"at most so many past turns, those with thumbs first ({MOST})")
    made.add_argument("--usd", type=float, default=1.0, metavar="DOLLARS", help="what all of it may cost (1); so much again for a judge")
    made.add_argument("--minutes", type=float, default=30.0, help="how long all of it may take (30)")
    made.add_argument(
        "--judge", default="", metavar="AGENT", help="an agent that says which answer is better; by default the file's `judge`"
    )
    made.add_argument("--vote", default="", metavar="CHANNEL", help="let people there say so, as in --vote '#agents'")
    made.add_argument(
        "--unboxed", action="store_true", help="in no sandbox, with all that the file gives the agent: it may do again what it did"
    )


@dataclass(frozen=True, slots=True)
class Trial:
    """What is compared, and with what. `hints` are told before anything is paid for."""

    old: Agent
    new: Agent
    past: Sequence[Past]
    examples: Sequence[Example]
    judge: Agent | None
    hints: Sequence[str]


def _trial(settings: Settings, given: Namespace) -> int:
    there(settings.database_url)
    given.vote = given.vote and channel(given.vote)
    tried = asyncio.run(_try(settings, given))
    if given.json:
        print(json.dumps(asdict(tried), ensure_ascii=False, indent=2))
    else:
        _sum(tried, given.vote)
    return 0 if tried.runs and all(run.new.state == "completed" and not run.missed for run in tried.runs) else 1


async def _try(settings: Settings, given: Namespace) -> Tried:
    lending = lent.Lent(settings)
    async with upkeep.opened(settings.database_url) as store:
        wanted = await _wanted(settings, store, given)
        for hint in wanted.hints:
            print(f"frontdesk: {hint}", file=sys.stderr)
        room = replace(lab(settings, lending, unboxed=given.unboxed), usd=given.usd, minutes=given.minutes)
        room = replace(room, today=await today(store, wanted.new.name))
        if wanted.judge:
            room.box(wanted.judge)  # one that cannot be held is told before anything is paid for
        show = (lambda run: None) if given.json else partial(_show, {example.name: example for example in wanted.examples})
        try:
            tried = await trial(wanted.old, wanted.new, wanted.past, room, wanted.examples, given.most, BY, show)
            await store.keep_trial(tried)
            if wanted.judge:
                tried = await judged(tried, wanted.judge, room, wanted.examples)
                await store.keep_trial(tried)
        finally:
            await lending.close()
        if given.vote:
            await store.receive(delivery(tried, given.vote))  # a desk that runs finds it there
    return tried


async def _wanted(settings: Settings, store: SqlStore, given: Namespace) -> Trial:
    """Raises ConfigError."""
    file = _file(settings, given.file)
    new = parse(file.stem, _text(file))
    folder = Agents(settings.agents_dir)
    folder.load()
    known = {agent.name: agent for agent in folder.agents}
    past = await store.past(new.name, time.time() - given.since)
    old = known.get(new.name, new)
    if old.version == new.version:  # the file was changed where it stands
        before = next((one.version for one in past if one.version != new.version), past[0].version if past else "")
        old = old.model_copy(update={"version": before})
    found = _examples(settings, file)
    if not (chosen(past, given.most) or found):
        again = "that can be asked again " if past else ""
        raise ConfigError(NOTHING.format(file, f"{again}in that time", new.name))
    name = given.judge or new.judge
    if name and name not in known:
        raise ConfigError(f"there is no agent {name!r} to judge; there are {', '.join(sorted(known))}")
    hints = [*_unchanged(old, new, given.vote), *_unknown(given.vote, folder.agents, (await places(store)).values())]
    return Trial(old, new, past, found, known.get(name), hints)


def _file(settings: Settings, given: Path) -> Path:
    """The file that is meant, also by an agent's name alone. Raises ConfigError where another may be."""
    if given.is_file():
        return given
    near = {file.stem: file for file in settings.agents_dir.glob("*.md")}
    if not given.suffix and str(given) in near:
        return near[str(given)]
    if found := get_close_matches(given.stem, near, 1):
        raise ConfigError(f"{given} is not there; did you mean {near[found[0]]}?")
    return given


def _unchanged(old: Agent, new: Agent, vote: str) -> list[str]:
    if old.version != new.version:
        return []
    if vote:
        raise ConfigError(f"{new.file} has not changed, so there is nothing to vote on; leave --vote out")
    return [UNCHANGED.format(new.file)]


def _unknown(vote: str, agents: Sequence[Agent], asked: Iterable[str]) -> list[str]:
    """That nobody here knows where people are to vote: only Slack knows all channels, and the desk asks it."""
    known = {name for agent in agents for name in agent.names()} | {*asked}
    if not vote.startswith("#") or vote in known:
        return []
    near = get_close_matches(vote, [name for name in known if name.startswith("#")], 1)
    return [UNKNOWN.format(vote, f"did you mean {near[0]}?" if near else "is it written right?")]


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is no text in UTF-8") from error


def _examples(settings: Settings, file: Path) -> Sequence[Example]:
    """The trial set beside the file, else the one among the agents' files."""
    name = f"{file.stem}.trial.yaml"
    found = next((path for path in (file.with_name(name), settings.agents_dir / name) if path.exists()), None)
    return examples.parse(file.stem, _text(found)) if found else ()


# how it is told


def _show(examples: Mapping[str, Example], run: Run) -> None:
    width = max(60, min(shutil.get_terminal_size().columns, 160))
    print(f"\n{run.id}. {_line(run.name or run.asked, width - 4)}")
    if run.old:
        old = [f"THEN ({run.old.version})", _figures(run.old), "", *_words(run.old)]
        print(columns(old, [f"NOW ({run.new.version})", _figures(run.new), "", *_words(run.new)], width), flush=True)
        return
    print(
        columns([f"EXAMPLE ({run.new.version})", _figures(run.new), *(f"✗ it {one}" for one in run.missed)], _words(run.new), width),
    )
    for known, words in (("good", examples[run.name].good), ("bad", examples[run.name].bad)):
        for one in words:
            print(textwrap.fill(_plain(f"{known}: {one}"), width, subsequent_indent="  "), flush=True)


def _figures(outcome: Outcome) -> str:
    return f"{outcome.state}, {dollars(outcome.usd)}, {span(outcome.seconds)}"


def _words(outcome: Outcome) -> list[str]:
    said = [outcome.text.strip(), f"({outcome.reason})" if outcome.reason else ""]
    text = "\n\n".join(filter(None, said)) or "(no answer)"
    return [_plain(line) for line in text.splitlines()]


def columns(left: Sequence[str], right: Sequence[str], width: int) -> str:
    """Lines side by side, broken where they are too long."""
    half = (width - 3) // 2
    rows = zip_longest(_broken(left, half), _broken(right, half), fillvalue="")
    return "\n".join(f"{one.ljust(half)} │ {other}".rstrip() for one, other in rows)


def _broken(lines: Sequence[str], width: int) -> list[str]:
    return [piece for line in lines for piece in textwrap.wrap(line, width, drop_whitespace=False) or [""]]


def _line(text: str, width: int) -> str:
    return textwrap.shorten(_plain(text), width, placeholder="…")


def _plain(text: str) -> str:
    """What terminals would obey shows itself as nothing."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _sum(tried: Tried, voting: str) -> None:
    judging = f", and {dollars(tried.judging)} for its judge" if tried.judging else ""
    print(f"\n{tried.agent} {compared(tried)}: {count(tried)}, ${tried.usd:.2f}{judging}; {trial_words(tried)}.")
    for vote in tried.votes:
        print(f"  {vote.run}. {vote.by} (an LLM) finds {FOUND[vote.choice]}")
    for why in tried.left:
        print(f"frontdesk: {_plain(why)}", file=sys.stderr)
    if voting:
        print(f"People in {voting} are asked as soon as a desk runs; what they say is told by: frontdesk history {tried.agent}")
