"""How a shim is reached, whatever lies between; and what goes wrong on that way."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from bot.breaker import Down
from bot.errors import Unavailable
from bot.net import Secrets
from bot.runtimes import feed
from bot.spoken import Json

Chunks = AsyncGenerator[bytes, None]
SAID = 4000  # bytes of a refusal that are read


class Cut(Down):
    """The connection broke, or fell silent; the shim knows what it has begun."""


class Busy(Unavailable):
    """It was asked too often."""


PASSING = (Down, Busy)
"""What another try may help against; each order may be sent again."""


def passing(place: str, code: int, told: str) -> Unavailable | None:
    """What is said of a refusal that another try may help against."""
    if code == 429:
        return Busy(f"{place} was asked too often (429): try again later.{told}")
    return Down(f"{place} cannot answer now ({code}): try again later.{told}") if code >= 500 else None


class AtOnce:
    """A way to containers that are made when they are asked for, as AgentCore's are."""

    async def ready(self) -> AsyncGenerator[str, None]:
        for nothing in list[str]():
            yield nothing


class Carrier(Protocol):
    """The way to one conversation's container. `place` is what people call it; `session` is the conversation's name there; `secrets` are
    what nobody may see of it.
    """

    place: str
    session: str
    secrets: Secrets

    def ready(self) -> AsyncGenerator[str, None]:
        """Make sure that there is one; what there is to say while that takes long is given in words. Raises Unavailable."""
        ...

    def opened(self, body: bytes, limit: float) -> AbstractAsyncContextManager[Chunks]:
        """What it answers to an order; `limit` are seconds until it begins to. Raises Unavailable, Cut where another try may help."""
        ...

    async def end(self) -> None:
        """Stop whatever runs there, where it does not listen any more. Never fails, and never takes long."""
        ...


class Harness(BaseModel):
    """The harness that runs in the container."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    runtime: str = "claude_code"
    """One of our local runtimes."""
    options: dict[str, Any] = {}
    """Its own options."""
    environment: tuple[str, ...] = ()
    """The variables of the container that it gets, and no others."""


class ShimOptions(BaseModel):
    """The options of whatever runs our harnesses elsewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    harness: Harness = Harness()
    """What runs there."""
    token: str = "SHIM_TOKEN"
    """The variable, named under `environment:`, that holds the shim's token."""
    private: bool = False
    """Whether the address may be a private one, as on this machine or in a company's network."""
    silence: float = Field(default=60, gt=0)
    """Seconds without a sign of life, after which the connection is made anew."""
    patience: float = Field(default=60, ge=0)
    """Seconds to get a lost connection back."""


async def spoken(chunks: Chunks, limit: float) -> Json:
    """An answer that is one JSON. Raises Cut."""
    try:
        said = feed.parsed(await feed.whole(chunks, limit, SAID))
    except (feed.Unread, feed.Stalled) as error:
        raise Cut(f"it {error}") from error
    return said if isinstance(said, dict) else {}
