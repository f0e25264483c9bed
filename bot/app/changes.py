"""The folder of agents, where it is in a git repository: a change is a branch of its remote, and at GitHub a pull request."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError

from bot.agent import explain
from bot.change import Note, Stale
from bot.errors import BotError, ConfigError, RuntimeFailed
from bot.improve.github import URL
from bot.improve.pull import TOKEN, Pull, Pulls
from bot.improve.ticket import harmless, quoted
from bot.past import Change
from bot.scratch import scratch
from bot.workspaces.files import FILE, Workspace
from bot.workspaces.git import LOGIN, Git

GIVEN = ("HOME", "SSH_AUTH_SOCK", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
WHO = ("-c", "user.name=Frontdesk", "-c", "user.email=frontdesk@localhost")
ROOM = "see to it that the folder for temporary files has room and can be written to, and approve it once more."
SECONDS = 300.0  # that a whole exchange with a remote may take
OURS = {
    f"`repository` in {FILE}": "the remote of the agents' folder",
    f"`token` in {FILE}": TOKEN,
    "may not read this repository": "may not write there",
}
"""What git's words about workspaces are here."""
HOST = re.compile(r"(?:\w+://)?(?:[^@/]+@)?([\w.-]+)[:/]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the folder is: in a repository whose remote is `url`, at `prefix`; changes are for `base`, or the remote's first branch."""

    url: str
    prefix: str
    base: str = ""


@dataclass(frozen=True, slots=True)
class Pushing(Git):
    """git, where a change is taken to a remote."""

    @property
    def broken(self) -> str:
        return f"The change could not be taken to {self.workspace.title or 'its repository'}:"

    def why(self, said: str) -> str:
        words = Git.why(self, said)
        if words.startswith(LOGIN.partition(";")[0]):
            return f"its host does not let Frontdesk in; set {TOKEN} to a token that may write there, or give this machine an SSH key"
        for theirs, ours in OURS.items():
            words = words.replace(theirs, ours)
        return words


@dataclass(frozen=True, slots=True)
class Repository:
    """What is done is done in a copy that is thrown away: neither the folder nor its branches are touched.

    `token` is shown to the remote's host, and to GitHub's API: at `api`, or where github.com has it. `client` is made to speak with that.
    """

    folder: Path
    client: Callable[[bool], httpx.AsyncClient]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)
    api: str = ""

    async def place(self) -> Place | None:
        """Where it is; None where git does not look after it. Raises RuntimeFailed where git cannot say."""
        folder = self.folder.resolve()
        if not any((up / ".git").exists() for up in (folder, *folder.parents)):
            return None
        git = self._git("/")
        if not await git("ls-files", "--", ".", folder=folder):
            return None
        prefix = await git("rev-parse", "--show-prefix", folder=folder)
        remotes = (await git("remote", folder=folder)).split()
        upstream = await _maybe(git("rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}", folder=folder))
        name = next((name for name in remotes if upstream.startswith(f"{name}/")), "")
        if not remotes:  # then the repository is its own
            return Place(await git("rev-parse", "--show-toplevel", folder=folder), prefix)
        first = name or ("origin" if "origin" in remotes else remotes[0])
        url = await git("remote", "get-url", "--push", first, folder=folder)
        return Place(url, prefix, upstream.removeprefix(f"{name}/") if name else "")

    async def propose(self, place: Place, change: Change, note: Note) -> str:
        """Safe to repeat. Where it is, in words for people. Raises Stale, BotError."""
        git, branch = self._git(place.url), f"frontdesk/{change.agent}-{note.id}-{change.mark}"
        try:
            base = await self._pushed(git, branch, place, change, note)
        except OSError as error:
            raise ConfigError(f"The change could not be written into a copy ({error.strerror}): {ROOM}") from error
        return await self._asked(git.workspace, branch, base, change, note)

    async def _pushed(self, git: Git, branch: str, place: Place, change: Change, note: Note) -> str:
        """The name of the branch that it is made from."""
        with scratch() as work:
            copy = work / "copy"
            base = await self._copied(git, place, copy)
            if not await git("ls-remote", "--heads", "--", place.url, f"refs/heads/{branch}", folder=work, token=True):
                await self._committed(git, copy, f"{place.prefix}{change.agent}.md", change, note)
                await git("push", "--quiet", "--", place.url, f"HEAD:refs/heads/{branch}", folder=copy, token=True)
        return base

    async def _copied(self, git: Git, place: Place, copy: Path) -> str:
        """The name of the branch that is copied; only its newest commit, and none of its files."""
        at = ("--branch", place.base) if place.base else ()
        clone = ("clone", "--quiet", "--depth=1", "--no-checkout", "--template=", *at, "--", place.url, str(copy))
        await git(*clone, folder=copy.parent, token=True)
        await git("reset", "--quiet", folder=copy)
        return await git("rev-parse", "--abbrev-ref", "HEAD", folder=copy)

    async def _committed(self, git: Git, copy: Path, path: str, change: Change, note: Note) -> None:
        if await git("ls-files", "--", path, folder=copy):
            await git("checkout", "--quiet", "HEAD", "--", path, folder=copy)
        await asyncio.to_thread(_write, copy / path, change)
        words = copy.parent / "message"
        await asyncio.to_thread(words.write_text, message(change, note), "utf-8")
        await git("add", "--", path, folder=copy)
        await git(*WHO, "commit", "--quiet", "-F", str(words), folder=copy)

    async def _asked(self, at: Workspace, branch: str, base: str, change: Change, note: Note) -> str:
        """Raises BotError."""
        pushed = f"The branch `{branch}` of {at.title} has it"
        api = self.api or (URL if host(at.repository) == "github.com" else "")
        if not api or not self.token:
            more = f" Set {TOKEN}, and I open pull requests by myself." if api else ""
            return f"{pushed}. Merge that into {base}, and bring the folder here up to date: from then on it counts.{more}"
        subject, _, rest = message(change, note).partition("\n\n")
        try:
            url = await Pulls(self.client, self.token, api).open(Pull(at.title, branch, base, subject, body(rest)))
        except BotError as error:
            raise BotError(f"{pushed}, but there is no pull request yet: {error} Then approve it once more.") from error
        return f"It is proposed as {url} . Once that is merged, and the folder here is up to date, it counts."

    def _git(self, url: str) -> Git:
        given = {name: self.environment[name] for name in GIVEN if self.environment.get(name)}
        try:
            workspace = Workspace(repository=url, token=TOKEN)
        except ValidationError as error:
            why = "; ".join(line.partition(" (it is ")[0] for line in explain(error, Workspace))  # it may be a secret
            raise ConfigError(f"The remote of the agents' folder cannot be used: {why}. Set another with: git remote set-url") from error
        return Pushing("agents", workspace, given, self.token, SECONDS)


async def _maybe(said: Awaitable[str]) -> str:
    try:
        return await said
    except RuntimeFailed:
        return ""


def _write(file: Path, change: Change) -> None:
    """Raises Stale, ConfigError."""
    if file.is_symlink():
        raise ConfigError(f"agents/{file.name} is a link in the repository; change the file that it leads to.")
    differs(change, text(file))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(change.new.encode())


def text(file: Path) -> str:
    """As it stands there, line ends and all; empty where there is none."""
    return file.read_bytes().decode(errors="replace") if file.exists() else ""


def differs(change: Change, there: str) -> None:
    """Raises Stale, and ConfigError for a new agent's file, where something else stands there."""
    if there and not change.old:
        raise ConfigError(f"agents/{change.agent}.md is there already, and stays as it is.")
    if there != change.old:
        raise Stale(there)


def message(change: Change, note: Note) -> str:
    """Of the commit: what, why, who and where."""
    verb = "Change" if change.old else "Add"
    subject = f"{verb} agents/{change.agent}.md: {_plain(note.title)}"
    who = f"Wanted by {_plain(note.asked)}, written by {_plain(change.by)}, approved by {_plain(note.allowed)}"
    return "\n\n".join([subject[:100], *filter(None, [_plain(change.why)]), f"{who}:\n{note.link}"]) + "\n"


def body(rest: str) -> str:
    """Of the pull request, in Markdown: what an agent wrote stands behind marks."""
    *why, who = rest.rstrip().split("\n\n")
    return "\n\n".join([*map(quoted, why), who, "Frontdesk made this; nothing counts before somebody merges it."])


def _plain(text: str) -> str:
    """On one line; it calls nobody, and closes no issue."""
    return " ".join(harmless(text).replace("://", ":\u200b//").split())


def host(url: str) -> str:
    """Of a remote, also as git@host:owner/name."""
    found = urlsplit(url).hostname if "://" in url else (HOST.match(url) or [None, ""])[1]
    return str(found or "")
