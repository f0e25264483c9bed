"""Issues at Linear, by its GraphQL API: https://linear.app/developers/graphql"""

import hashlib
import uuid
from typing import Any

import httpx

from bot.agent import Tickets
from bot.errors import BotError
from bot.improve.ticket import AGAIN, Draft

URL = "https://api.linear.app"
LOOK = """\
query Look($id: ID!, $team: String!) {
  issues(filter: {id: {eq: $id}}, includeArchived: true) { nodes { url identifier } }
  teams(filter: {key: {eq: $team}}) { nodes { id } }
}"""
FILE = "mutation File($input: IssueCreateInput!) { issueCreate(input: $input) { success issue { url identifier } } }"


class Linear:
    """One team."""

    def __init__(self, client: httpx.AsyncClient, where: Tickets, token: str) -> None:
        self.client, self.where = client, where
        self.path = f"{where.url or URL}/graphql"
        self.headers = {"Authorization": token if token.startswith("lin_api_") else f"Bearer {token}"}

    async def file(self, draft: Draft) -> tuple[str, str]:
        """The issue's address and name. We choose its id, so that there is never a second. Raises BotError, httpx.HTTPError."""
        id = _id(draft)
        told = await self._ask(LOOK, {"id": id, "team": self.where.linear})
        issues, teams = told["issues"]["nodes"], told["teams"]["nodes"]
        if issues:
            return issues[0]["url"], issues[0]["identifier"]
        if not teams:
            raise BotError(f"Linear has no team {self.where.linear} for the key in {self.where.token}: correct tickets.linear, or the key.")
        given = {"id": id, "teamId": teams[0]["id"], "title": draft.title, "description": draft.body}
        made = (await self._ask(FILE, {"input": given}))["issueCreate"]
        if not made["success"]:
            raise BotError(f"Linear did not file it, and does not say why. {AGAIN}")
        return made["issue"]["url"], made["issue"]["identifier"]

    async def _ask(self, query: str, variables: dict[str, Any]) -> Any:
        """Raises BotError."""
        reply = await self.client.post(self.path, headers=self.headers, json={"query": query, "variables": variables})
        try:
            told = reply.json()
        except ValueError:
            told = None
        if isinstance(told, dict) and (errors := told.get("errors")):
            raise BotError(self._words(errors[0]))
        if reply.status_code == 401:
            raise BotError(self._words({"extensions": {"code": "AUTHENTICATION_ERROR"}}))
        if reply.status_code != 200 or not isinstance(told, dict) or not isinstance(told.get("data"), dict):
            raise BotError(f"Linear answers with {reply.status_code}, which is no answer. {AGAIN}")
        return told["data"]

    def _words(self, error: dict[str, Any]) -> str:
        more = error.get("extensions") or {}
        match more.get("code"):
            case "AUTHENTICATION_ERROR":
                return f"Linear does not take the key in {self.where.token}: it has ended, or is none. Make another, and set it."
            case "RATELIMITED":
                return f"Linear lets us file nothing right now: too much was asked of it. {AGAIN}"
            case "FORBIDDEN":
                return f"Linear does not let the key in {self.where.token} file issues for {self.where.linear}. It needs the right to."
            case _:
                why = str(more.get("userPresentableMessage") or error.get("message") or "it does not say why")[:200]
                return f"Linear does not take this ticket ({why}). {AGAIN}"


def _id(draft: Draft) -> str:
    """The same for the same finding of this desk, and nobody else's."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"{draft.marker} {draft.at!r}".encode()).digest()[:16], version=4))
