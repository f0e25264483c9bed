"""The catalogue: agents that come with Frontdesk, listed, and copied to where the desk reads them."""

import asyncio
import json
import re
import sys
from argparse import Namespace
from difflib import get_close_matches
from pathlib import Path

import bot
from bot.agent import Agent, parse
from bot.app import ready
from bot.cli.discovery import SHOWN, Draft, Verb, put, write
from bot.errors import ConfigError
from bot.settings import Settings
from bot.slack import doctor, manifest
from bot.store.files import Agents
from bot.trigger import PLACE

CATALOGUE = Path(bot.__file__).parent / "catalogue"
MANIFEST = Path("manifest.yaml")
NEEDED = re.compile(r"^# workspace: .*# needed", re.M)
HOMELESS = "{}: it needs a repository to work in; put one into agents/workspaces.yaml, and its name into this file, as `workspace:`"
LOOSE = re.compile(r"[^\W_][\w-]*")  # a channel's name without its mark, which a shell would take for a comment's
OPTIONAL = {"ANTHROPIC_BASE_URL"}  # only those set it who reach models in another way


def verbs(action: Verb) -> None:
    """`frontdesk agents catalogue` and `frontdesk agents add`."""
    action("catalogue", _list, "list the agents that come with frontdesk; all are off until they are added")
    made = action("add", _add, "copy one of the catalogue to the agents' files, and say what it still needs")
    made.add_argument("name", nargs="?", metavar="NAME", help="which one; without it they are listed")
    made.add_argument("--channel", nargs="+", action="extend", default=[], metavar="'#x'", help="the channels that it is for")
    made.add_argument("--as", dest="called", default="", metavar="NEWNAME", help="what it is to be called here")


def _list(settings: Settings, given: Namespace) -> int:
    agents = [parse(name, file.read_text("utf-8")) for name, file in offered().items()]
    if given.json:
        print(json.dumps([{"name": agent.name, "description": agent.description} for agent in agents], ensure_ascii=False, indent=2))
        return 0
    width = max(len(agent.name) for agent in agents)
    for agent in agents:
        print(f"{agent.name.ljust(width)}  {agent.description[:SHOWN]}")
    print("\nCopy one with: frontdesk agents add NAME", file=sys.stderr)
    return 0


def offered() -> dict[str, Path]:
    """The catalogue's files by the names of their agents. Raises ConfigError."""
    files = {file.stem: file for file in sorted(CATALOGUE.glob("*.md"))}
    if not files:
        raise ConfigError(f"the catalogue is not where it belongs, in {CATALOGUE}; install frontdesk again")
    return files


def _add(settings: Settings, given: Namespace) -> int:
    if not given.name:
        if given.channel or given.called:
            raise ConfigError("say which agent first, as in: frontdesk agents add dependency-review --channel '#deps'")
        return _list(settings, given)
    file = _file(given.name)
    text, name = file.read_text("utf-8"), given.called or given.name
    text = placed(parse(name, text), text, given.channel)
    agent = parse(name, text)
    if not write(settings.agents_dir, Draft(name, agent.description, text)):
        return 1
    put(settings.agents_dir / f"{name}.trial.yaml", file.with_suffix(".trial.yaml").read_text("utf-8"))
    found = [*_missing(settings, agent), *([HOMELESS.format(agent.file)] if NEEDED.search(text) else [])]
    for problem in found:
        print(f"frontdesk: {problem}", file=sys.stderr)
    return 1 if found else 0


def _file(name: str) -> Path:
    """Raises ConfigError."""
    files = offered()
    if name not in files:
        near = get_close_matches(name, files, 1)
        say = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(files)}"
        raise ConfigError(f"there is no {name!r} in the catalogue; {say}")
    return files[name]


def placed(agent: Agent, text: str, channels: list[str]) -> str:
    """The file with these channels in place of its own; asked for at a terminal. Raises ConfigError."""
    own = next((place for trigger in agent.triggers for place in trigger.places), "")
    if not own:
        if channels:
            raise ConfigError(f"{agent.name} has no channel: people reach it by {' and '.join(agent.claims())}; leave --channel out")
        return text
    channels = [each if each == "*" else channel(each) for each in channels or _asked(own)]
    head, mark, body = text.partition("\n---\n")
    head = head.replace(json.dumps([own]), json.dumps(channels, ensure_ascii=False))
    return head.replace(json.dumps(own), json.dumps(channels[0], ensure_ascii=False)) + mark + body


def channel(given: str) -> str:
    """As files write it. Raises ConfigError."""
    if LOOSE.fullmatch(given) and given == given.lower():
        return f"#{given}"
    if not PLACE.fullmatch(given):
        raise ConfigError(f"{given!r} is no channel: write its name in small letters, like '#deps' or deps, or its id")
    return given


def _asked(own: str) -> list[str]:
    where = "everywhere" if own == "*" else own
    if not sys.stdin.isatty():
        print(f"It answers in {where}, as its file says; for other channels: --channel '#one' '#two'")
        return [own]
    try:
        said = input(f"Which channels is it for, like #one #two? Enter alone for {where}: ")
    except EOFError:
        said = ""
    return said.replace(",", " ").split() or [own]


def _missing(settings: Settings, agent: Agent) -> list[str]:
    """What keeps it from working here, each in a sentence."""
    folder = Agents(settings.agents_dir)
    folder.load()
    found = [problem for problem in folder.problems if agent.file in problem]
    examined = asyncio.run(ready.examined(settings, [agent]))
    found += [f"{each.name}: {each.words}\n      {each.remedy}" for each in examined if not each.ok]
    found += asyncio.run(doctor.unknown(settings, [agent]))
    found += manifest.lag(folder.agents, MANIFEST.read_text("utf-8")) if MANIFEST.exists() else []
    unset = [name for name in agent.environment if name not in OPTIONAL and not settings.environment.get(name)]
    return [*found, *([f"not set in this environment: {', '.join(unset)}"] if unset else [])]
