"""git, as it is run here: it asks nobody, runs nothing that a repository brings, and says in words what went wrong."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.errors import RuntimeFailed
from bot.workspaces.files import FILE, Workspace
from bot.workspaces.shell import Broke, Command, Hear, nobody, run

USUAL = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
QUIET = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
}
CONFIG = {"core.hooksPath": "/dev/null", "core.fsmonitor": "false", "gc.auto": "0", "maintenance.auto": "false"}
LOGIN = "its host does not let Frontdesk in; put a token that may read it into a variable, and name that variable as `token`"
REFUSED = "its host does not take what {} holds; that may have expired, or may not read this repository"
KEY = re.compile("`(token|repository|ref)`")
WORDS = {  # what git says, and what to do about it; the first that fits
    "cannot be started": "git is not installed here; install it (apt-get install git)",
    "could not read username": LOGIN,
    "authentication failed": LOGIN,
    "returned error: 403": LOGIN,
    "permission denied (publickey": "its host does not know this machine's SSH key; give it one, or use an https address with `token`",
    "host key verification failed": "this machine does not know the host's key; add it to ~/.ssh/known_hosts of Frontdesk's user",
    "could not resolve host": "its host's name is not known here; correct `repository`, or see to this machine's network",
    "failed to connect": "its host cannot be reached; see whether it is up, or try again later",
    "connection refused": "its host cannot be reached; see whether it is up, or try again later",
    "connection timed out": "its host cannot be reached; see whether it is up, or try again later",
    "took longer than": "its host is too slow; try again later",
    "repository not found": "there is no such repository, or the token may not see it; correct `repository`",
    "not found": "there is no such repository, or the token may not see it; correct `repository`",
    "does not appear to be a git repository": "there is no git repository; correct `repository`",
    "does not exist": "there is no such repository; correct `repository`",
    "dubious ownership": "it belongs to another user of this machine; give it to the user who runs Frontdesk",
    "no space left": "this machine's disk is full; take old ones away with `frontdesk prune`, or make room",
    "invalid reference": "it has no branch, tag or commit of that name; correct `ref`",
    "yet to be born": "it has no commit, or no branch that is its first; name one as `ref`",
    "unable to read tree": "it has no branch, tag or commit of that name; correct `ref`",
}


@dataclass(frozen=True, slots=True)
class Git:
    """git for one workspace; `given` are the variables that its file names, `token` what is shown to the repository's host."""

    name: str
    workspace: Workspace
    given: Mapping[str, str]
    token: str = ""
    seconds: float = 1800.0

    async def __call__(self, *words: str, folder: Path, hear: Hear = nobody, token: bool = False) -> str:
        """What it wrote. Raises RuntimeFailed."""
        try:
            return await run(Command(("git", *words), folder, self._environment(token), self.seconds), hear)
        except Broke as error:
            raise RuntimeFailed(f"{self.broken} {self.why(error.said)}.") from error

    @property
    def broken(self) -> str:
        at = f" at {self.workspace.ref}" if self.workspace.ref else ""
        return f"The workspace {self.name!r} ({self.workspace.title}{at}) could not be made ready:"

    def _environment(self, token: bool) -> dict[str, str]:
        """Nothing of it is written into a file, an address or a command line."""
        where = urlsplit(self.workspace.repository)
        login = b64encode(f"x-access-token:{self.token}".encode()).decode()
        header = {f"http.{where.scheme}://{where.netloc}/.extraHeader": f"Authorization: Basic {login}"}
        config = CONFIG | (header if token and self.token and where.scheme in ("http", "https") else {})
        keys = {f"GIT_CONFIG_KEY_{n}": key for n, key in enumerate(config)}
        values = {f"GIT_CONFIG_VALUE_{n}": value for n, value in enumerate(config.values())}
        return {**USUAL, **self.given, **QUIET, "GIT_CONFIG_COUNT": str(len(config)), **keys, **values}

    def why(self, said: str) -> str:
        """What git's complaint means, and what to do."""
        low = said.lower()
        for sign, words in WORDS.items():
            if sign in low and words == LOGIN and self.token:
                return REFUSED.format(self.workspace.token)
            if sign in low:
                return KEY.sub(rf"`\1` in {FILE}", words)
        lines = [line for line in said.splitlines() if line.startswith(("fatal:", "error:"))] or said.splitlines()
        return f"git said: {hidden(lines[0] if lines else 'nothing', [self.token, *self.given.values()])[:300].rstrip('.')}"


def hidden(text: str, secrets: Sequence[str]) -> str:
    """The text without what may be secret in it."""
    for secret in sorted(filter(lambda secret: len(secret) > 5, secrets), key=len, reverse=True):
        text = text.replace(secret, "•••")
    return text
