"""Agents' files for what platforms offer: listed, and written for those that somebody picks."""

import asyncio
import json
import re
import shlex
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from bot import net
from bot.agent import parse
from bot.app import check
from bot.cli.offers import PLATFORMS, Address, Offer, spoken
from bot.errors import ConfigError
from bot.settings import Settings

Verb = Callable[..., ArgumentParser]
LONGEST, SHOWN = 300, 100  # characters of a description: in a file, and on the screen
MORE = '# People reach it by its name. Other ways: triggers: [{mention: ["#channel"]}], and who may: allow.\n'


@dataclass(frozen=True, slots=True)
class Draft:
    """An agent's file as it would be written."""

    name: str
    description: str
    text: str


def verbs(verb: Verb) -> Verb:
    """The command for it. What is given back adds another to `frontdesk agents`."""
    actions = verb("agents", _import, "bring in agents of the catalogue, or of a platform").add_subparsers(required=True, metavar="ACTION")

    def action(name: str, run: Callable[[Settings, Namespace], int | None], words: str) -> ArgumentParser:
        made = actions.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
        made.set_defaults(run=run)
        made.add_argument("--json", action="store_true", help="print JSON, for scripts")
        return made

    made = action("import", _import, "list the agents that a platform offers, and write files for those that are named")
    made.add_argument("platform", choices=PLATFORMS, metavar="PLATFORM", help=", ".join(PLATFORMS))
    made.add_argument("url", metavar="URL", help="its address; for a2a the agent's")
    made.add_argument("--write", nargs="+", default=[], metavar="NAME", help="write files for these; else they are only listed")
    made.add_argument("--all", action="store_true", help="write a file for each")
    made.add_argument("--key", default="", metavar="VARIABLE", help="the variable that holds the platform's key")
    made.add_argument("--private", action="store_true", help="the address is one of your own network")
    return action


def _import(settings: Settings, given: Namespace) -> int:
    address = _address(given, settings.environment)
    drafts = drawn(given.platform, asyncio.run(PLATFORMS[given.platform].offers(address)), address.variable)
    if not given.write and not given.all:
        _show(drafts, given)
        return 0
    if strangers := sorted(set(given.write) - {draft.name for draft in drafts}):
        raise ConfigError(f"{strangers[0]!r} is not offered there; list what is with: {_again(given)}")
    picked = [draft for draft in drafts if given.all or draft.name in given.write]
    _check(picked)
    written = [write(settings.agents_dir, draft) for draft in picked]
    return 0 if all(written) else 1


def _address(given: Namespace, environment: Mapping[str, str]) -> Address:
    if given.key and not environment.get(given.key, "").strip():
        raise ConfigError(f"--key: there is no variable {given.key}, or it is empty; set it to the platform's key")
    try:
        return Address(net.checked(given.url), environment.get(given.key, "").strip(), given.key, given.private)
    except ValueError as error:
        raise ConfigError(f"URL: {spoken(error)}") from error


def drawn(platform: str, offers: Iterable[Offer], variable: str = "") -> list[Draft]:
    """A file for each, under a name of its own. What platforms say is put into quotes, and cut to what a file may have."""
    drafts: dict[str, Draft] = {}
    for offer in offers:
        bare = re.sub(r"[^a-z0-9_-]+", "-", offer.name.lower()).strip("-_")[:36].rstrip("-_") or platform.replace("_", "-")
        name = next(name for name in _numbered(bare) if name not in drafts)
        described = _plain(offer.description) or f"{_plain(offer.name)[:80] or name}, on {platform}."
        front = {"description": described, "runtime": PLATFORMS[platform].runtime}
        front |= {"model": offer.model} if offer.model else {}
        front |= {"options": _clean(offer.options)} | ({"environment": [variable]} if variable else {})
        drafts[name] = Draft(name, described, f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=10**6)}{MORE}---\n")
    return list(drafts.values())


def _numbered(name: str) -> Iterable[str]:
    yield name
    yield from (f"{name}-{number}" for number in range(2, 1000))


def _plain(words: str) -> str:
    """One line of letters that are seen."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"


def _clean(value: Any) -> Any:
    match value:
        case str():
            return _plain(value)
        case Mapping():
            return {str(key): _clean(one) for key, one in value.items()}
        case list() | tuple():
            return [_clean(one) for one in value]
        case _:
            return value


def _check(drafts: Iterable[Draft]) -> None:
    """Raises ConfigError where a file would not be right; then none is written."""
    problems = asyncio.run(check.mistakes([parse(draft.name, draft.text) for draft in drafts]))
    if problems:
        raise ConfigError("\n".join([*problems, "So none of these files is written."]))


def write(folder: Path, draft: Draft) -> bool:
    """Whether it was: a file that is there stays as it is. Raises ConfigError."""
    file = folder / f"{draft.name}.md"
    if written := put(file, draft.text):
        print(f"{file}: {draft.description[:SHOWN]}")
    return written


def put(file: Path, text: str) -> bool:
    """Whether it was written, as above. Raises ConfigError."""
    folder = file.parent
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True)
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError as error:
        if not folder.is_dir():
            raise ConfigError(f"{folder} is no folder: name another in AGENTS_DIR") from error
        print(f"frontdesk: {file} is there already, and stays as it is; rename it to have another", file=sys.stderr)
        return False
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
    return True


def _show(drafts: list[Draft], given: Namespace) -> None:
    if given.json:
        print(json.dumps([asdict(draft) for draft in drafts], ensure_ascii=False, indent=2))
        return
    width = max((len(draft.name) for draft in drafts), default=0)
    for draft in drafts:
        print(f"{draft.name.ljust(width)}  {draft.description[:SHOWN]}")
    if not drafts:
        print(f"{net.host_of(given.url)} offers no agents.")
        return
    print(f"\nWrite files with: {_again(given)} --write NAME …", file=sys.stderr)


def _again(given: Namespace) -> str:
    """How the same is asked once more."""
    more = [*(["--key", given.key] if given.key else []), *(["--private"] if given.private else [])]
    return shlex.join(["frontdesk", "agents", "import", given.platform, given.url, *more])
