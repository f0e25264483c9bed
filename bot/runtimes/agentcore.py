"""Harnesses in Bedrock AgentCore: our shim runs in its containers, and a session is a session there."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from hashlib import sha256
from typing import Literal

from pydantic import field_validator, model_validator

from bot import net
from bot.agent import Agent
from bot.event import Event
from bot.message import Message
from bot.ports import Turn
from bot.runtimes.agentcore_bearer import Bearer
from bot.runtimes.agentcore_harness import Harnessed
from bot.runtimes.agentcore_plain import Plain
from bot.runtimes.agentcore_signed import Signed
from bot.runtimes.agentcore_words import Absent, Place
from bot.runtimes.shim_line import ShimOptions
from bot.runtimes.shim_orders import orders
from bot.runtimes.shim_work import Work

ARN = re.compile(r"arn:aws[a-z-]*:bedrock-agentcore:([a-z0-9-]+):\d{12}:(runtime|harness)/[A-Za-z0-9_-]+")


class AgentCoreOptions(ShimOptions):
    """The `options` of an agent in AgentCore."""

    arn: str
    """The ARN of an agent runtime; or of a harness, which AgentCore itself runs."""
    qualifier: str = "DEFAULT"
    """Which of its endpoints."""
    key: net.Variable = ""
    """The variable, named under `environment:`, that holds a bearer token, where the runtime wants OAuth; without it requests are signed,
    with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN if the file names them, else by the role of this machine."""
    speaks: Literal["shim", "plain"] = "shim"
    """What its containers speak: our shim; or, as agents do that know nothing of us, a prompt is asked, and text is the answer."""
    asks: bool = False
    """Whether a harness is given a function to ask people, as its one tool of this call."""
    url: net.AnyUrl = ""
    """Where the data plane is, if it is not AWS's own."""

    @field_validator("arn")
    @classmethod
    def _named(cls, arn: str) -> str:
        if not ARN.fullmatch(arn):
            raise ValueError(f"{arn!r} is no ARN like arn:aws:bedrock-agentcore:eu-central-1:123456789012:runtime/coder-a1")
        return arn

    @model_validator(mode="after")
    def _together(self) -> "AgentCoreOptions":
        if ":harness/" in self.arn and self.key:
            raise ValueError("a harness wants signed requests: leave key out")
        return self


class AgentCore:
    """The runtime `agentcore`. Our workspaces stay on this machine."""

    Options = AgentCoreOptions
    elsewhere = True

    def __init__(self, options: AgentCoreOptions) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where there are no credentials, or AgentCore does not take them."""
        turn = Turn("doctor", 1, agent, "", environment=environment)
        session, ours = session_of(turn), ":harness/" not in self.options.arn and self.options.speaks == "shim"
        token = orders(turn, self.options, session).token if ours else ""
        async with self._carrier(turn, session, token) as carrier:
            with suppress(Absent):  # what is asked is to end a session that nobody has begun
                await carrier.reach()

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        given, session = self.options, session_of(turn)
        work = self._harnessed(turn, session) if ":harness/" in given.arn else self._contained(turn, session, inbox)
        async with aclosing(work) as events:
            async for event in events:
                yield event

    async def _harnessed(self, turn: Turn, session: str) -> AsyncGenerator[Event, None]:
        async with Signed(self._place(turn, session), turn, "") as client:
            work = Harnessed(turn, client, self.options.silence, asks=self.options.asks)
            async with aclosing(work.told()) as events:
                async for event in events:
                    yield event

    async def _contained(self, turn: Turn, session: str, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        told = orders(turn, self.options, session) if self.options.speaks == "shim" else None
        async with self._carrier(turn, session, told.token if told else "") as carrier:
            work = Work(turn, carrier, told).told(inbox) if told else Plain(turn, carrier, self.options.silence).told()
            async with aclosing(work) as events:
                async for event in events:
                    yield event

    def _carrier(self, turn: Turn, session: str, token: str) -> AbstractAsyncContextManager[Bearer | Signed]:
        place = self._place(turn, session)
        return Bearer(place, self.options.key, turn, token) if self.options.key else Signed(place, turn, token)

    def _place(self, turn: Turn, session: str) -> Place:
        given = self.options
        region = given.arn.split(":")[3]
        url = given.url or f"https://bedrock-agentcore.{region}.amazonaws.com"
        return Place(url, given.arn, given.qualifier, region, turn.agent.file, session, given.private)


def session_of(turn: Turn) -> str:
    """AgentCore wants 33 characters and more; any process that has our session finds the same."""
    return f"frontdesk-{sha256(f'{turn.session_id} {turn.agent.name}'.encode()).hexdigest()[:40]}"
