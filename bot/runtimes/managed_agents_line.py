"""The connection to Claude Managed Agents, or to a bridge that speaks as they do: agents, sessions, and what happens in them."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from anthropic import APIConnectionError, APIStatusError, AsyncAnthropic

from bot import net
from bot.errors import RuntimeFailed
from bot.runtimes import sdk_wire
from bot.runtimes.sdk_wire import Json, Place, read

HOME = "api.anthropic.com"
STOPPING = 1.0  # seconds
DELTAS: Any = ["agent.message"]
NONE = (400, 404, 405, 501)  # what bridges answer to what they have not


class Line:
    takes_files = True

    def __init__(self, url: str, key: str, where: str, headers: Mapping[str, str], *, private: bool, silence: float) -> None:
        self.place = Place(url, where, (key, *headers.values()), APIStatusError, APIConnectionError)
        self.silence = silence
        self._http = sdk_wire.client(url, where, private=private, headers=headers)
        bridge = {} if self.place.host == HOME else {"x-api-key": key or "none"}  # that is where bridges look for the key
        self._client = AsyncAnthropic(
            base_url=url, api_key=key or "none", default_headers={**bridge, **headers}, http_client=self._http, max_retries=0,
            timeout=sdk_wire.timeout(), open_telemetry=False,
        )  # fmt: skip
        self._beta = self._client.beta

    async def close(self) -> None:
        await self._http.aclose()

    async def reach(self, agent: str) -> None:
        """Raises Unavailable. Some bridges cannot tell of their agents; that they answer is enough."""
        agents = self._beta.agents.with_raw_response
        with self.place.asked(f"an agent {agent!r}" if agent else "agents"):
            try:
                await (agents.retrieve(agent) if agent and self.place.host == HOME else agents.list(limit=1))
            except APIStatusError as error:
                if self.place.host == HOME or error.status_code not in NONE:
                    raise

    async def agent(self, name: str, made: Json) -> str:
        """The id of the agent of this name, made if there is none."""
        known = await self._named("agents", name)
        if known:
            return known
        with self.place.asked("what an agent is made with"):
            return str(read((await self._beta.agents.with_raw_response.create(name=name, **made)).http_response)["id"])

    async def environment(self, name: str) -> str:
        """The same for the environment in which sessions run."""
        known = await self._named("environments", name)
        if known:
            return known
        with self.place.asked("environments"):
            asked = self._beta.environments.with_raw_response.create(name=name, config={"type": "cloud"})
            return str(read((await asked).http_response)["id"])

    async def _named(self, kind: str, name: str) -> str:
        """Empty where there is none of this name; some bridges cannot even tell."""
        page, kinds = "", getattr(self._beta, kind).with_raw_response
        while True:
            try:
                with self.place.asked(kind):
                    found = read((await kinds.list(**({"page": page} if page else {}), limit=100)).http_response)
            except RuntimeFailed as error:
                if sdk_wire.status(error) in NONE:
                    return ""
                raise
            ids = [each["id"] for each in _data(found) if each.get("name") == name and not each.get("archived_at")]
            if ids or not (page := str(found.get("next_page") or "")):
                return str(ids[0]) if ids else ""

    async def begin(self, asked: Json) -> str:
        with self.place.asked("the agent or the environment"):
            return str(read((await self._beta.sessions.with_raw_response.create(**asked)).http_response)["id"])

    async def history(self, session: str, since: str = "") -> list[Json] | None:
        """What has happened there, from this time on if the platform can tell; None where it does not know the session."""
        events: list[Json] = []
        asked: Json = {"limit": 100, "order": "asc"} | ({"created_at_gte": since} if since else {})
        while True:
            try:
                with self.place.asked("the session"):
                    found = read((await self._beta.sessions.events.with_raw_response.list(session, **asked)).http_response)
            except RuntimeFailed as error:
                if sdk_wire.status(error) == 404:
                    return None
                raise
            events += _data(found)
            if not (page := str(found.get("next_page") or "")):
                return events
            asked["page"] = page

    @asynccontextmanager
    async def stream(self, session: str) -> AsyncIterator[AsyncGenerator[Json, None]]:
        """What happens there from when it is entered; a bridge first tells all that has happened."""
        opening = self._beta.sessions.events.with_streaming_response.stream(
            session, event_deltas=DELTAS, timeout=sdk_wire.timeout(self.silence)
        )
        with self.place.asked("the session"):
            response = await opening.__aenter__()
        try:
            with self.place.heard("the session"):
                await sdk_wire.telling(response.http_response)
            async with aclosing(self._heard(response.http_response)) as events:
                yield events
        finally:
            await opening.__aexit__(None, None, None)

    async def _heard(self, response: sdk_wire.Response) -> AsyncGenerator[Json, None]:
        with self.place.heard("the session"):
            async with aclosing(sdk_wire.events(response, self.silence)) as events:
                async for name, data in events:  # a bridge says only in the event's name what it is
                    yield {"type": name, **data}

    async def send(self, session: str, events: Sequence[Json]) -> list[str]:
        """Their ids, where the platform gives them some."""
        with self.place.asked("the session"):
            sent = await self._beta.sessions.events.with_raw_response.send(session, events=list(events))  # type: ignore[arg-type]
            return [str(each["id"]) for each in _data(read(sent.http_response)) if each.get("id")]

    async def used(self, session: str) -> Json:
        """All that the session has used; nothing where the platform does not count."""
        try:
            with self.place.asked("the session"):
                return dict(read((await self._beta.sessions.with_raw_response.retrieve(session)).http_response).get("usage") or {})
        except RuntimeFailed:
            return {}

    async def stop(self, session: str) -> None:
        """Interrupt it; bridges that know no such event have another way."""
        async with net.ending(STOPPING):
            try:
                await self.send(session, [{"type": "user.interrupt"}])
            except RuntimeFailed:
                with self.place.asked("the session"):
                    await self._client.post(f"/v1/sessions/{session}/abort", cast_to=object, body={})


def _data(found: Json) -> list[Json]:
    data = found.get("data")
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []
