"""The connection to LiteLLM's agent control plane: its sessions, and what people are to approve there."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from bot import net
from bot.errors import RuntimeFailed
from bot.runtimes import sdk_wire
from bot.runtimes.sdk_wire import Json, Place

LOOK, RARELY = 0.5, 2.0  # seconds between two looks, while something happens and while nothing does
STOPPING = 1.0  # seconds
MADE = "made"


class Line:
    """It speaks as Line of managed_agents does; its list of events is the truth, so it is looked at and nothing is streamed."""

    takes_files = False

    def __init__(self, url: str, key: str, where: str, headers: Mapping[str, str], model: str, *, private: bool) -> None:
        self.place = Place(url, where, (key, *headers.values()))
        self.model, self._before = model, dict[str, Any]()
        self._http = sdk_wire.client(url, where, private=private, headers=headers)
        self._headers = {"Authorization": f"Bearer {key}", **headers}

    async def close(self) -> None:
        await self._http.aclose()

    async def _call(self, verb: str, path: str, gone: str, body: Json | None = None) -> Any:
        with self.place.asked(gone):
            response = await self._http.request(verb, self.place.url + path, json=body, headers=self._headers, timeout=sdk_wire.timeout())
            response.raise_for_status()
            return sdk_wire.read(response) if response.content else {}

    async def model_of(self, agent: str) -> str:
        """What this agent runs on: the platform wants it said with every message."""
        return str((await self._call("GET", f"/api/agents/{agent}", f"an agent {agent!r}")).get("model") or "")

    async def begin(self, asked: Json) -> str:
        return str((await self._call("POST", "/session", "the agent or the runtime", asked))["id"])

    async def history(self, session: str, since: str = "") -> list[Json] | None:
        """Numbered where the platform gives no ids; what people are to approve comes in it as a call that waits."""
        try:
            found = await self._call("GET", f"/session/{session}/runtime_events/list", "the session")
        except RuntimeFailed as error:
            if sdk_wire.status(error) == 404:
                return None
            raise
        data = found.get("data")
        events = [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []
        numbered = [each if each.get("id") else {**each, "id": f"event-{number}"} for number, each in enumerate(events)]
        idle = len(numbered) - (numbered[-1:] != [] and numbered[-1].get("type") == "session.status_idle")
        return [*numbered[:idle], *await self._approvals(session), *numbered[idle:]]  # what waits for a person is not idle

    async def _approvals(self, session: str) -> list[Json]:
        found = (await self._call("GET", "/api/approvals", "approvals")).get("approvals")
        items = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        mine = [each for each in items if each.get("session_id") == session and each.get("status") == "pending"]
        waits = {"type": "requires_action", "event_ids": [str(each["id"]) for each in mine]}
        calls = [{"type": "agent.approval", "id": str(each["id"]), "input": each, MADE: True} for each in mine]
        return [*calls, {"type": "session.status_idle", "id": f"waits {waits}", "stop_reason": waits, MADE: True}] if calls else []

    @asynccontextmanager
    async def stream(self, session: str) -> AsyncIterator[AsyncGenerator[Json, None]]:
        async with aclosing(self._looked(session)) as events:
            yield events

    async def _looked(self, session: str) -> AsyncGenerator[Json, None]:
        """All events, look by look; whoever listens knows which of them are new."""
        number, pause = 0, LOOK
        while True:
            await asyncio.sleep(pause)
            events = await self.history(session)
            if events is None:
                return
            pause, number = LOOK if len(events) != number else min(pause * 2, RARELY), len(events)
            for each in events:
                yield each
            state = await self._state(session) if pause == RARELY else {}
            if state.get("status") == "error" and state != self._before:  # a message that cannot be given on leaves no event
                yield {"type": "session.error", "id": f"status-{number}", "error": {"message": "the session is in error"}}

    async def _state(self, session: str) -> Json:
        found = await self._call("GET", f"/session/{session}", "the session")
        return {name: found.get(name) for name in ("status", "time")}

    async def send(self, session: str, events: Sequence[Json]) -> list[str]:
        for event in events:
            match event:
                case {"type": "user.message", "content": content}:
                    self._before = await self._state(session)
                    body = {"model": {"modelID": self.model}, "parts": content}
                    await self._call("POST", f"/session/{session}/prompt_async", "the session", body)
                case {"type": "user.approval", "approval_id": id, "accepted": True}:
                    await self._call("POST", f"/api/approvals/{id}/accept", "the approval", {})
                case {"type": "user.approval", "approval_id": id}:
                    await self._call("POST", f"/api/approvals/{id}/reject", "the approval", {"feedback": event.get("feedback")})
        return []

    async def used(self, session: str) -> Json:
        """It counts only by the gateway's log."""
        return {}

    async def stop(self, session: str) -> None:
        async with net.ending(STOPPING):
            await self._call("POST", f"/session/{session}/interrupt", "the session")
