"""agents/workspaces.yaml: the repositories that agents work in, read and found good."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import yaml
from pydantic import Field, ValidationError, field_validator

from bot import mistakes
from bot.agent import NAME, Agent, explain
from bot.errors import ConfigError
from bot.trigger import Strict

FILE = "agents/workspaces.yaml"
NAMED = re.compile(r"[A-Z_][A-Z0-9_]*|[a-z]+_proxy")  # what tokens look like is none of these
WHERE = re.compile(r"(https?|ssh|file)://\S+|[\w.-]+@[\w.-]+:\S+|/\S*")
REF = re.compile(r"[\w][\w./+@-]*")


class Workspace(Strict):
    """One repository, and how a session's copy of it is made ready.

    `token` names the variable that holds what the repository's host wants for a password. `environment` names those that git and
    the commands of `setup` are given. `files` are written before these are run; the folders in `cache` are brought from the last
    time that they were. `ref` is a branch, a tag or a commit; empty for the repository's own first branch.
    """

    repository: str
    ref: str = ""
    token: str = ""
    environment: tuple[str, ...] = ()
    files: Mapping[str, str] = Field(default_factory=dict)
    cache: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    setup_minutes: float = Field(default=15, gt=0)

    @field_validator("repository")
    @classmethod
    def _reachable(cls, repository: str) -> str:
        if not WHERE.fullmatch(repository):
            raise ValueError("write where it is: https://…, ssh://…, git@host:path, or a folder's whole path")
        where = urlsplit(repository) if "://" in repository else None
        if where and (where.password is not None or (where.username is not None and where.scheme != "ssh")):
            raise ValueError("a password must not stand in an address; put it into a variable, and name that in `token`")
        return repository

    @field_validator("ref")
    @classmethod
    def _plain(cls, ref: str) -> str:
        if ref and not REF.fullmatch(ref):
            raise ValueError("this is no branch, tag or commit")
        return ref

    @field_validator("token", "environment")
    @classmethod
    def _names(cls, names: Any) -> Any:
        for name in [names] if isinstance(names, str) else names:
            if name and not NAMED.fullmatch(name):
                raise ValueError("write the variable's name here, never what it holds")
        return names

    @field_validator("files", "cache")
    @classmethod
    def _inside(cls, paths: Any) -> Any:
        for path in paths:
            pure = PurePosixPath(path)
            if pure.is_absolute() or not pure.parts or {"..", ".git"} & set(pure.parts):
                raise ValueError(f"{path} does not lie in the workspace; write it as seen from there, without ..")
        return paths

    @property
    def title(self) -> str:
        """What people call it: acme/api."""
        return "/".join(re.split("[/:]", self.repository.rstrip("/").removesuffix(".git"))[-2:]).strip("/")


Known = dict[str, Workspace | str]
"""What the file says of each: a workspace, or what is wrong with it, which names the file, the key and the nearest right one."""


def renewed(known: Known, folder: Path) -> Known:
    """Those of a folder of agents as they are now; of what is wrong now, the last good version that is `known`. Raises ConfigError."""
    good = {name: about for name, about in known.items() if isinstance(about, Workspace)}
    try:
        found = read(folder)
    except ConfigError:
        if not good:
            raise
        return known
    return {name: good.get(name, about) if isinstance(about, str) else about for name, about in found.items()}


def read(folder: Path) -> Known:
    """Those of a folder of agents. Raises ConfigError where the file as a whole cannot be read."""
    try:
        text = (folder / "workspaces.yaml").read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{FILE}: it cannot be read ({error}); save it as UTF-8, where this user may read it") from error
    return parse(text)


def parse(text: str) -> Known:
    """Raises ConfigError."""
    try:
        found = mistakes.read(text) or {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = " ".join(str(error).split()).replace('in "<unicode string>", line', "in line")
        raise ConfigError(f"{FILE}: this is no YAML: {where}{mistakes.remedy(where)}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{FILE}: it has to be names, each with keys and values below it, like `repository: https://…`")
    return {str(name): _parse(str(name), about) for name, about in found.items()}


def _parse(name: str, about: object) -> Workspace | str:
    if not NAME.fullmatch(name):
        return f"{FILE}: {name}: a workspace's name has small letters, digits, - and _, at most 40 of them"
    if not isinstance(about, dict):
        return f"{FILE}: {name}: has to be keys and values, like `repository: https://…`"
    try:
        return Workspace.model_validate(about)
    except ValidationError as error:
        return "\n".join(f"{FILE}: {name}.{line.partition(' (it is ')[0]}" for line in explain(error, Workspace))  # it may be a secret


def find(known: Known, agent: Agent) -> Workspace:
    """The workspace that an agent's file names. Raises ConfigError."""
    if found := known.get(agent.workspace):
        if isinstance(found, str):
            raise ConfigError(found)
        return found
    near = get_close_matches(agent.workspace, known, 1)
    there = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known))}" if known else "it names none yet"
    raise ConfigError(f"{agent.file}: workspace: there is no {agent.workspace!r} in {FILE}; {there}")


def usable(known: Known, agent: Agent, environment: Mapping[str, str]) -> Workspace:
    """The same, where all the variables that it names are set. Raises ConfigError."""
    found = find(known, agent)
    if unset := [name for name in (*found.environment, found.token) if name and not environment.get(name)]:
        raise ConfigError(f"{FILE}: {agent.workspace}: the variable {unset[0]} is not set; set it where Frontdesk is started")
    return found


def mistakes_of(folder: Path, agents: Iterable[Agent]) -> list[str]:
    """What is wrong with the file, and with what agents' files say of it: each in a sentence."""
    try:
        known = read(folder)
    except ConfigError as error:
        return str(error).splitlines()
    found = [line for about in known.values() if isinstance(about, str) for line in about.splitlines()]
    for agent in agents:
        try:
            _ = agent.workspace and not isinstance(known.get(agent.workspace), str) and find(known, agent)
        except ConfigError as error:
            found.append(str(error))
    return found
