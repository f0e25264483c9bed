"""Pull requests at GitHub, by its REST API: https://docs.github.com/en/rest/pulls/pulls"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot import net
from bot.errors import BotError
from bot.improve.github import URL, headers, told_in, why

TOKEN = "AGENTS_TOKEN"
RIGHT = f"{TOKEN} has to be a token that may read and write contents and pull requests there."


@dataclass(frozen=True, slots=True)
class Pull:
    """What is asked: that `branch` of `repository` (owner/name) be merged into `base`."""

    repository: str
    branch: str
    base: str
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Pulls:
    """`url` is the API's address; `client` is made for each call, and says whether that may lie in our own network."""

    client: Callable[[bool], httpx.AsyncClient]
    token: str = field(repr=False)
    url: str = URL

    async def open(self, pull: Pull) -> str:
        """The address of the pull request of this branch: the one that there is, or a new one. Raises BotError."""
        path, owner = f"{self.url.rstrip('/')}/repos/{pull.repository}/pulls", pull.repository.partition("/")[0]
        ours = headers(self.token)
        given = {"title": pull.title, "body": pull.body, "head": pull.branch, "base": pull.base}
        try:
            async with self.client(self.url.rstrip("/") != URL) as client:
                found = _read(await client.get(path, headers=ours, params={"head": f"{owner}:{pull.branch}", "state": "all"}), pull, list)
                made = found[0] if found else _read(await client.post(path, headers=ours, json=given), pull, dict)
        except httpx.HTTPError as error:
            said = net.Secrets.of([self.token]).mask(str(error)) or type(error).__name__
            raise BotError(f"GitHub does not answer ({said}). Try again in a while.") from error
        return str(made["html_url"])


def _read(reply: httpx.Response, pull: Pull, kind: type) -> Any:
    """Raises BotError."""
    match reply.status_code:
        case 200 | 201 if isinstance(told := told_in(reply), kind):
            return told
        case 401:
            raise BotError(f"GitHub does not take the token in {TOKEN}: it has ended, or is none. {RIGHT}")
        case 403 | 429 if reply.headers.get("Retry-After") or reply.headers.get("X-RateLimit-Remaining") == "0":
            raise BotError("GitHub lets us do nothing right now: too much was asked of it. Try again in a while.")
        case 301 | 307 | 308:
            raise BotError(f"{pull.repository} is called otherwise by now: set the remote of the agents' folder anew.")
        case 403 | 404:
            raise BotError(f"GitHub does not let this token open pull requests in {pull.repository}. {RIGHT}")
        case 422:
            raise BotError(f"GitHub takes no pull request of {pull.branch} into {pull.base} ({why(reply)}). Open it by hand.")
        case status:
            raise BotError(f"GitHub answers with {status}, which is no answer. Try again in a while.")
