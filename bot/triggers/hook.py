"""A webhook of an agent's file, and what it makes of a call."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bot.agent import Agent
from bot.fired import Fired, delivery
from bot.journal import Delivery
from bot.trigger import Webhook
from bot.triggers.call import Call
from bot.triggers.template import fill, fits


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook: the `number`-th of its agent's file."""

    agent: Agent
    number: int
    asks: Webhook = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.agent.name}:{self.number}"

    @property
    def path(self) -> str:
        return f"/hooks/{self.agent.name}/{self.asks.source}"

    @property
    def variable(self) -> str:
        """The one that holds its secret."""
        return self.asks.secret.removeprefix("$")

    def key(self, id: str) -> str:
        return f"webhook:{self.name}:{id}"

    def wants(self, call: Call) -> bool:
        """Raises Unfilled where its filter cannot say so."""
        meant = call.among(self.asks.events) if self.asks.events else not call.ping
        return meant and fits(self.asks.filter, call)

    def fired(self, call: Call, at: float) -> Fired:
        """What begins then. Raises Unfilled where its prompt cannot be filled in."""
        return Fired(self.key(call.id), self.agent.name, self.asks.post_to, call.headline, fill(self.asks.prompt, call), at)

    def delivery(self, call: Call, at: float) -> Delivery:
        """The same, to be kept. Raises Unfilled."""
        return delivery(self.fired(call, at), self.key(call.hash) if call.hash else "")

    def word(self, id: str, words: str, at: float) -> Fired:
        """A word to those who would have seen a session: once for this id."""
        return Fired(self.key(id), self.agent.name, self.asks.post_to, words, "", at)


def hooks(agents: Iterable[Agent]) -> Iterator[Hook]:
    """All webhooks of all agents."""
    for agent in agents:
        found = (trigger.webhook for trigger in agent.triggers if trigger.webhook)
        yield from (Hook(agent, number, webhook) for number, webhook in enumerate(found, 1))


def meant(agents: Iterable[Agent], name: str, which: str) -> list[Hook]:
    """Those at /hooks/name/which: one by its number, or all of a source."""
    return [hook for hook in hooks(agents) if hook.agent.name == name and which in (str(hook.number), hook.asks.source)]
