"""Pull requests at GitHub, by its REST API: https://docs.github.com/en/rest/pulls/pulls"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot import net
from bot.errors import BotError
from bot.improve.github import URL, headers, read, why

TOKEN = "AGENTS_TOKEN"
RIGHT = f"{TOKEN} has to be a token that may read and write contents and pull requests there."
AGAIN = "Try again in a while."


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
            raise BotError(f"GitHub does not answer ({said}). {AGAIN}") from error
        return str(made["html_url"])


def _read(reply: httpx.Response, pull: Pull, kind: type) -> Any:
    """Raises BotError."""
    denied = f"GitHub does not let this token open pull requests in {pull.repository}. {RIGHT}"
    words = {
        401: f"GitHub does not take the token in {TOKEN}: it has ended, or is none. {RIGHT}",
        429: f"GitHub lets us do nothing right now: too much was asked of it. {AGAIN}",
        301: f"{pull.repository} is called otherwise by now: set the remote of the agents' folder anew.",
        403: denied,
        404: denied,
        422: f"GitHub takes no pull request of {pull.branch} into {pull.base} ({why(reply)}). Open it by hand.",
    }
    return read(reply, kind, words, AGAIN)
