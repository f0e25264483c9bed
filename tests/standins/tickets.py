"""GitHub's issues and Linear's, as their documentation describes them: https://docs.github.com/en/rest/issues/issues and
https://linear.app/developers/graphql. What is filed stays there while they are down."""

import json
import uuid
from typing import Any

from aiohttp import web

from tests.standins.site import Shaky

TOKEN, KEY = "ghp_0123456789abcdef", "lin_api_0123456789abcdef"


class GitHub(Shaky):
    """One repository. With `silent` it files what it is told, and hangs up before it says so."""

    def __init__(self, repo: str = "acme/agents") -> None:
        super().__init__()
        self.repo, self.silent = repo, False
        self.issues: list[dict[str, Any]] = []
        self.again()

    def again(self) -> None:
        self.app = web.Application()
        self.app.router.add_get("/repos/{owner}/{name}/issues", self.listed)
        self.app.router.add_post("/repos/{owner}/{name}/issues", self.filed)

    def _wrong(self, request: web.Request) -> web.Response | None:
        if refused := self.refused():
            return refused
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"message": "Bad credentials", "status": "401"}, status=401)
        if not request.headers.get("User-Agent"):
            return web.Response(status=403, text="Request forbidden by administrative rules.")
        known = f"{request.match_info['owner']}/{request.match_info['name']}" == self.repo
        return None if known else web.json_response({"message": "Not Found", "status": "404"}, status=404)

    async def listed(self, request: web.Request) -> web.Response:
        """The newest first, so many to a page: at most 100."""
        size, page = min(int(request.query.get("per_page", 30)), 100), int(request.query.get("page", 1))
        shown = list(reversed(self.issues))[size * (page - 1) : size * page]
        return self._wrong(request) or web.json_response(shown)

    async def filed(self, request: web.Request) -> web.Response:
        if wrong := self._wrong(request):
            return wrong
        given = await request.json()
        if not given.get("title"):
            return web.json_response({"message": "Validation Failed", "errors": [{"field": "title", "code": "missing_field"}]}, status=422)
        number = len(self.issues) + 1
        self.issues.append({**given, "number": number, "html_url": f"https://github.test/{self.repo}/issues/{number}", "state": "open"})
        if self.silent and request.transport:
            request.transport.close()
        return web.json_response(self.issues[-1], status=201)


class Linear(Shaky):
    """One workspace with one team."""

    def __init__(self, team: str = "ENG") -> None:
        super().__init__()
        self.team, self.silent = team, False
        self.issues: dict[str, dict[str, Any]] = {}
        self.again()

    def again(self) -> None:
        self.app = web.Application()
        self.app.router.add_post("/graphql", self.asked)

    async def asked(self, request: web.Request) -> web.Response:
        if refused := self.refused():
            return refused
        if request.headers.get("Authorization") != KEY:
            return self._error("Authentication required, not authenticated", "AUTHENTICATION_ERROR", 401)
        told = json.loads(await request.text())
        if "issueCreate" not in told["query"]:
            return web.json_response({"data": self._look(**told["variables"])})
        return self._file(request, told["variables"]["input"])

    def _look(self, id: str, team: str) -> dict[str, Any]:
        found = [{key: self.issues[id][key] for key in ("url", "identifier")}] if id in self.issues else []
        teams = [{"id": f"id-of-{team}"}] if team == self.team else []
        return {"issues": {"nodes": found}, "teams": {"nodes": teams}}

    def _file(self, request: web.Request, given: dict[str, Any]) -> web.Response:
        if uuid.UUID(given["id"]).version != 4 or given["id"] in self.issues or given["teamId"] != f"id-of-{self.team}":
            return self._error("Argument Validation Error", "INVALID_INPUT", 400)
        identifier = f"{self.team}-{len(self.issues) + 1}"
        self.issues[given["id"]] = {**given, "identifier": identifier, "url": f"https://linear.test/acme/issue/{identifier}"}
        if self.silent and request.transport:
            request.transport.close()
        issue = {key: self.issues[given["id"]][key] for key in ("url", "identifier")}
        return web.json_response({"data": {"issueCreate": {"success": True, "issue": issue}}})

    def _error(self, message: str, code: str, status: int) -> web.Response:
        more = {"code": code, "type": code.lower().replace("_", " ")}
        return web.json_response({"errors": [{"message": message, "extensions": more}], "data": None}, status=status)
