"""Issues at GitHub, by its REST API: https://docs.github.com/en/rest/issues/issues"""

import time
from collections.abc import Mapping
from typing import Any

import httpx

from bot.agent import Tickets
from bot.errors import BotError
from bot.improve.ticket import AGAIN, Draft

URL = "https://api.github.com"
PAGE, PAGES = 100, 10  # issues that are looked through before one is filed: those since the finding is known
DAY = 86400.0  # seconds: nobody's clock is further away
SAME = {307: 301, 308: 301, 410: 404}  # statuses that say the same
RIGHT = "It has to be one that may read and write issues there."


class GitHub:
    """One repository."""

    def __init__(self, client: httpx.AsyncClient, where: Tickets, token: str) -> None:
        self.client, self.where = client, where
        self.path = f"{where.url or URL}/repos/{where.github}/issues"
        self.headers = headers(token)

    async def file(self, draft: Draft) -> tuple[str, str]:
        """The issue's address and name: ours, if one is there. Raises BotError, httpx.HTTPError."""
        issue = await self._ours(draft)
        if issue is None:
            made = await self.client.post(self.path, headers=self.headers, json={"title": draft.title, "body": draft.body})
            issue = self._read(made, dict)
        return str(issue["html_url"]), f"{self.where.github}#{issue['number']}"

    async def _ours(self, draft: Draft) -> dict[str, Any] | None:
        """The issue that was filed for this, if one was: nobody may have learnt of it. The list knows it at once, the search later."""
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(draft.at - DAY))
        asked = {"state": "all", "sort": "created", "direction": "desc", "per_page": str(PAGE), "since": since}
        for page in range(1, PAGES + 1):
            issues = self._read(await self.client.get(self.path, headers=self.headers, params={**asked, "page": str(page)}), list)
            if found := next((issue for issue in issues if draft.marker in str(issue.get("body"))), None):
                return dict(found)
            if len(issues) < PAGE:
                return None
        return None

    def _read(self, reply: httpx.Response, kind: type) -> Any:
        """Raises BotError."""
        repo, token = self.where.github, self.where.token
        words = {
            401: f"GitHub does not take the token in {token}: it has ended, or is none. {RIGHT}",
            429: f"GitHub lets us file nothing right now: too much was asked of it. {AGAIN}",
            403: f"GitHub does not let the token in {token} file issues in {repo} ({why(reply)}). {RIGHT}",
            301: f"{repo} is called otherwise by now: correct tickets.github in the agent's file.",
            404: f"There are no issues of {repo} for the token in {token}: correct tickets.github, or the token. {RIGHT}",
            422: f"GitHub does not take this ticket ({why(reply)}). File it by hand, and say *Not now* here.",
        }
        return read(reply, kind, words, AGAIN)


def read(reply: httpx.Response, kind: type, words: Mapping[int, str], again: str) -> Any:
    """Its JSON, of this kind. `words` say what is wrong by status. Raises BotError."""
    status = reply.status_code
    if status in (200, 201) and isinstance(told := told_in(reply), kind):
        return told
    if status == 403 and (reply.headers.get("Retry-After") or reply.headers.get("X-RateLimit-Remaining") == "0"):
        status = 429
    raise BotError(words.get(SAME.get(status, status)) or f"GitHub answers with {status}, which is no answer. {again}")


def headers(token: str) -> dict[str, str]:
    known = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28", "User-Agent": "frontdesk"}
    return {"Authorization": f"Bearer {token}", **known}


def told_in(reply: httpx.Response) -> Any:
    """Its JSON; None where it is none."""
    try:
        return reply.json()
    except ValueError:
        return None


def why(reply: httpx.Response) -> str:
    """What it says is wrong, which may stand below its message."""
    told = told_in(reply)
    if not isinstance(told, dict):
        return f"it says {reply.status_code}"
    more = [str(each["message"]) for each in told.get("errors") or () if isinstance(each, dict) and each.get("message")]
    return "; ".join([str(told.get("message")), *more])[:300]
