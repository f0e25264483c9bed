"""GitHub's pull requests, beside its issues, as its documentation describes them: https://docs.github.com/en/rest/pulls/pulls"""

from typing import Any

from aiohttp import web

from tests.standins.tickets import GitHub


class Pulls(GitHub):
    """One repository, whose pull requests stay while it is down."""

    def __init__(self, repo: str = "acme/agents") -> None:
        self.pulls: list[dict[str, Any]] = []
        super().__init__(repo)

    def again(self) -> None:
        super().again()
        self.app.router.add_get("/repos/{owner}/{name}/pulls", self.found)
        self.app.router.add_post("/repos/{owner}/{name}/pulls", self.opened)

    async def found(self, request: web.Request) -> web.Response:
        head = request.query.get("head", "").rpartition(":")[2]
        return self._wrong(request) or web.json_response([pull for pull in self.pulls if pull["head"] == head])

    async def opened(self, request: web.Request) -> web.Response:
        if wrong := self._wrong(request):
            return wrong
        given = await request.json()
        if any(pull["head"] == given["head"] for pull in self.pulls):
            errors = [{"message": f"A pull request already exists for acme:{given['head']}."}]
            return web.json_response({"message": "Validation Failed", "errors": errors}, status=422)
        number = len(self.pulls) + 1
        self.pulls.append({**given, "number": number, "html_url": f"https://github.test/{self.repo}/pull/{number}"})
        return web.json_response(self.pulls[-1], status=201)
