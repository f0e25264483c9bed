"""Harnesses in Kubernetes: each session has a Job or an agent-sandbox of its own, in whose pod our shim runs."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from hashlib import sha256
from typing import Any, Literal

from pydantic import Field

from bot import clock
from bot.agent import Agent
from bot.breaker import Down
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event
from bot.message import Message
from bot.net import Secrets
from bot.ports import Turn
from bot.runtimes import kubernetes_pod as pods
from bot.runtimes.kubernetes_line import ClusterOptions, Line, Missing, Taken
from bot.runtimes.shim_line import Chunks, Cut, ShimOptions
from bot.runtimes.shim_orders import orders
from bot.runtimes.shim_work import Work
from bot.spoken import SESSION, Json

LOOK = 0.5  # seconds between two looks at a pod
TOLD = 3.0  # seconds after which it is said that nothing has come yet
MODEST: Mapping[str, Any] = {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "4Gi"}}
KINDS = {"job": ("jobs", pods.BATCH), "sandbox": ("sandboxes", pods.SANDBOX)}


class KubernetesOptions(ShimOptions, ClusterOptions):
    """The `options` of an agent in Kubernetes."""

    image: str
    """The shim's image, as deploy/agentcore/Dockerfile makes it."""
    secret: str
    """The Secret whose keys are the container's environment: SHIM_TOKEN, and what the harness is to have."""
    kind: Literal["job", "sandbox"] = "job"
    """A Job; or a Sandbox of agent-sandbox, where that is installed."""
    account: str = ""
    """The service account of the pod; without it the pod may do nothing in the cluster."""
    claim: str = ""
    """A volume claim in which conversations are kept when their pod has gone; without it they are lost with it."""
    resources: Mapping[str, Any] = MODEST
    """What the pod takes, as Kubernetes writes it."""
    hours: float = Field(default=24, gt=0)
    """How old a pod may become."""
    idle_minutes: float = Field(default=30, gt=0)
    """How long it is kept when nobody needs it."""
    start_seconds: float = Field(default=300, gt=0)
    """How long it may take to start."""


class Kubernetes:
    """The runtime `kubernetes`. Our workspaces stay on this machine."""

    Options = KubernetesOptions
    reports = True
    elsewhere = True

    def __init__(self, options: KubernetesOptions) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where the cluster is not there, or does not let us in."""
        async with Line(self.options, agent.file) as line:
            await line.get(line.path("pods"), {"limit": "1"})

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        name = name_of(turn)
        told = orders(turn, self.options, name)
        async with Line(self.options, turn.agent.file) as line:
            work = Work(turn, Pod(self.options, line, name, turn.agent.name, told.token), told)
            async with aclosing(work.told(inbox)) as events:
                async for event in events:
                    yield event


def name_of(turn: Turn) -> str:
    """Any process that has our session finds the same."""
    return f"frontdesk-{sha256(f'{turn.session_id} {turn.agent.name}'.encode()).hexdigest()[:24]}"


class Pod:
    """The way to a session's pod: through the API server, so that it needs no address of its own."""

    def __init__(self, options: KubernetesOptions, line: Line, session: str, agent: str, token: str) -> None:
        self.options, self.line, self.session = options, line, session
        self.place, self.secrets = f"the pod of {session}", Secrets.of([token])
        self.kind, self.api = KINDS[options.kind]
        self.wanted = pods.Wanted(
            options.image, options.secret, options.account, options.claim, options.resources, options.hours, options.idle_minutes,
            {"frontdesk/agent": pods.named(agent)},
        )  # fmt: skip
        self.name = ""

    async def ready(self) -> AsyncGenerator[str, None]:
        await self._made()
        begun, said, last = time.monotonic(), "", ""
        while not self.name:
            pod = await self._pod()
            if pod and pods.ready(pod):
                self.name = str(pod["metadata"]["name"])
                return
            if pod and (why := pods.broken(pod)):
                raise Unavailable(f"The pod of {self.session} will not come: {why}")
            waited = time.monotonic() - begun
            last = (pods.waits(pod) if pod else await self._without()) or last
            if waited > self.options.start_seconds:
                raise Unavailable(f"The pod of {self.session} was not ready within {self.options.start_seconds:g} seconds. {last}".strip())
            if waited > TOLD and (words := last or "The pod is not ready yet.") != said:
                said = words
                yield words
            await asyncio.sleep(LOOK)

    @asynccontextmanager
    async def opened(self, body: bytes, limit: float) -> AsyncIterator[Chunks]:
        path = self.line.path("pods", f"{self.name}:{pods.PORT}/proxy/invocations")
        try:
            async with self.line.posted(
                path, body, {SESSION: self.session, "Accept": "text/event-stream, application/json"}, limit
            ) as chunks:
                yield chunks
        except (Missing, Down) as error:
            raise await self._ended(error) from error
        except Unavailable as error:
            if "not the token" in str(error):
                raise Unavailable(
                    f"The shim in {self.place} does not accept the token: options.token is not what its Secret holds."
                ) from error
            raise

    async def end(self) -> None:
        with suppress(RuntimeFailed):
            await self.line.drop(self.line.path(self.kind, self.session, self.api))

    async def _ended(self, error: Unavailable) -> Unavailable:
        """Why the pod does not answer: it may have gone."""
        with suppress(Down):
            pod = await self._pod()
            if why := pods.broken(pod) if pod else "it was taken away":
                return Unavailable(f"The pod of {self.session} is not there any more: {why}")
        return error if isinstance(error, Down) else Cut(str(error))

    async def _made(self) -> None:
        """There is one; what is over is made anew, by the same name."""
        path = self.line.path(self.kind, self.session, self.api)
        until = time.monotonic() + self.options.start_seconds
        while (found := await self.line.find(path)) is None or pods.over(found):
            if found is None and await self._make():
                return
            if found and not found["metadata"].get("deletionTimestamp"):
                await self.line.drop(path)
            if time.monotonic() > until:
                raise Unavailable(f"{self.session} is over ({pods.over(found or {})}), and is not taken away: look at it in the cluster.")
            await asyncio.sleep(LOOK)

    async def _make(self) -> bool:
        wanted = pods.job(self.session, self.wanted) if self.options.kind == "job" else pods.sandbox(self.session, self.wanted, clock.now())
        with suppress(Taken):
            await self.line.make(self.line.path(self.kind, api=self.api), wanted)
            return True
        return False

    async def _pod(self) -> Json | None:
        found = await self.line.get(self.line.path("pods"), {"labelSelector": f"{pods.LABEL}={self.session}"})
        living = [pod for pod in found.get("items") or () if not pod["metadata"].get("deletionTimestamp")]
        return max(living, key=lambda pod: str(pod["metadata"].get("creationTimestamp") or ""), default=None)

    async def _without(self) -> str:
        """Why there is no pod at all. Raises Unavailable, where there will be none."""
        found = await self.line.find(self.line.path(self.kind, self.session, self.api))
        if found and (why := pods.over(found)):
            raise Unavailable(f"{self.session} has no pod: {why}")
        return ""
