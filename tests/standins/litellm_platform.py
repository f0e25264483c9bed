"""A stand-in for LiteLLM's agent control plane, after its source as of June 2026 (src/http/routes.rs and what that leads to).

Its sessions run on a runtime whose agents do what the messages say, as in managed_agents.py; what they are to be allowed goes
into its inbox (`!tool request_human_approval {...}`).
"""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.standins.managed_agents import ManagedAgents, Session
from tests.standins.model import Asked

Json = dict[str, Any]


class LiteLLMPlatform(ManagedAgents):
    """`async with LiteLLMPlatform() as platform:` serves on loopback. `inbox` is what people are to approve."""

    def __init__(self, key: str = "sk-test", **more: Any) -> None:
        self.inbox: dict[str, Json] = {}
        self.rest: dict[str, str] = {}
        self.fails = False
        super().__init__("bridge", key, **more)

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/api/agents/{agent}", self._agent)
        app.router.add_post("/session", self._begin)
        app.router.add_get("/session/{id}", self._look)
        app.router.add_get("/session/{id}/runtime_events/list", self._events)
        app.router.add_post("/session/{id}/prompt_async", self._prompt)
        app.router.add_post("/session/{id}/interrupt", self._abort)
        app.router.add_get("/api/approvals", self._approvals)
        app.router.add_post("/api/approvals/{item}/{verdict}", self._decide)

    def key_of(self, headers: Mapping[str, str]) -> str:
        return headers.get("Authorization", "").removeprefix("Bearer ")

    async def _agent(self, request: web.Request) -> web.Response:
        return web.json_response({"id": request.match_info["agent"], "model": "claude-sonnet-5"})

    async def _begin(self, request: web.Request) -> web.Response:
        session = Session(f"ses_{len(self.sessions) + 1}", await request.json(), [])
        self.sessions[session.id] = session
        return web.json_response({"id": session.id, "status": "idle"})

    async def _look(self, request: web.Request) -> web.Response:
        return web.json_response({"id": self._of(request).id, "status": "error" if self.fails else "idle", "time": {"updated": self.fails}})

    async def _events(self, request: web.Request) -> web.Response:
        """Those of some runtimes have no ids but those of calls."""
        kept = {"agent.tool_use": {"id"}}
        events = self._of(request).events
        bare = [{k: v for k, v in each.items() if k != "id" or k in kept.get(each["type"], ())} for each in events]
        return web.json_response({"data": bare})

    async def _prompt(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if not asked.get("model"):
            return web.json_response({"error": {"type": "gateway_error", "message": "missing model"}}, status=400)
        if "!fail" in asked["parts"][0]["text"]:
            self.fails = True
        else:
            self.prompted(self._of(request), asked["parts"][0]["text"])
        return web.Response(status=204)

    def prompted(self, session: Session, prompt: str) -> None:
        event = {"type": "user.message", "content": [{"type": "text", "text": prompt}]}
        self.tell(session, event)
        self._heard(session, event)

    async def _tool(self, session: Session, name: str, given: str) -> str:
        if name != "request_human_approval":
            return await super()._tool(session, name, given)
        asked = json.loads(given)
        item = {"id": f"inbox_{len(self.inbox) + 1}", "kind": "approval", "title": asked["title"], "body": asked.get("body"),
                "args_json": json.dumps(asked.get("arguments")), "session_id": session.id, "status": "pending"}  # fmt: skip
        self.inbox[item["id"]] = item
        self.rest[session.id] = asked.get("then", "!say went on")
        return f"approval {item['id']} is pending"

    async def _approvals(self, request: web.Request) -> web.Response:
        return web.json_response({"approvals": [item for item in self.inbox.values() if item["status"] == "pending"]})

    async def _decide(self, request: web.Request) -> web.Response:
        """It goes on with the session by itself."""
        item, given = self.inbox[request.match_info["item"]], await request.json()
        item["status"] = f"{request.match_info['verdict']}ed"
        self.log.append(Asked("", {}, {"item": item, **given}))
        rest = self.rest[item["session_id"]] if item["status"] == "accepted" else f"!say refused: {given['feedback']}"
        self.prompted(self.sessions[item["session_id"]], f"Human {item['status']} approval {item['id']}.\n{rest}")
        return web.json_response({"ok": True, "live": False})
