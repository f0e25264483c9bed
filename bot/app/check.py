"""What is wrong with agents, where it only shows when their runtimes are loaded and their templates filled in."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from bot import prompt
from bot.agent import Agent
from bot.errors import ConfigError
from bot.message import Person
from bot.runtimes import build
from bot.triggers.hook import hooks
from bot.workspaces.files import mistakes_of

ASKING = {"acp", "claude_code", "codex", "hermes", "opencode", "pi", "stream_json"}  # whose harnesses ask leave, as they are set here
UNEQUIPPED = {"a2a", "deepagents", "echo", "http", "kelos", "langgraph", "litellm_platform", "managed_agents", "stream_json"}
MODELLESS = {"a2a", "echo"}
SOMEBODY = Person("U0", "Somebody")


async def mistakes(agents: Iterable[Agent], folder: Path | None = None) -> list[str]:
    """Each mistake in a sentence: of these agents, and of what stands beside them in their folder.

    Never raises, though a runtime's module may do whatever it likes when it is imported.
    """
    agents = tuple(agents)
    found: list[str] = mistakes_of(folder, agents) if folder else []
    for agent in agents:
        first, *others = agent.choices
        looks: list[Callable[[], object]] = [partial(build, first), *(partial(build, other, "fallback") for other in others)]
        looks += [partial(_filled, agent), partial(_equipped, agent)]
        for look in looks:
            answers = await asyncio.gather(asyncio.to_thread(look), return_exceptions=True)
            found += _worded(agent, answers[0])
    return list(dict.fromkeys(found))


def _worded(agent: Agent, said: object) -> list[str]:
    match said:
        case ConfigError():
            return str(said).splitlines()
        case BaseException():
            what = f"{type(said).__name__}: {said}"
            return [f"{agent.file}: the runtime {agent.runtime!r} broke as it was loaded ({what}); mend its module"]
        case _:
            return []


def hints(agents: Sequence[Agent]) -> list[str]:
    """What is no mistake, and mostly not meant."""
    return [*unheard(agents), *unnamed(agents), *unjudged(agents)]


def unnamed(agents: Iterable[Agent]) -> list[str]:
    """The models that what stands in does not get, as each runtime has names of its own for them."""
    return [
        f"{agent.file}: `model: {agent.model}` does not hold on {other.runtime}, which takes its own; to name one, write: "
        f"fallback: [{{runtime: {other.runtime}, model: …}}]"
        for agent in agents if agent.model
        for other in agent.choices[1:] if not other.model and other.runtime not in MODELLESS
    ]  # fmt: skip


def unheard(agents: Iterable[Agent]) -> list[str]:
    """The agents that may ask leave of nobody, which is right where they ask none: each in a sentence."""
    say = "whatever it asks leave for can only be denied; name who may allow it, like `allow: {approve: [members]}`"
    return [f"{agent.file}: {say}" for agent in agents if not agent.allow.approve and ASKING & {each.runtime for each in agent.choices}]


def unjudged(agents: Iterable[Agent]) -> list[str]:
    """The agents whose judge there is not: each in a sentence."""
    known = tuple(agents)
    names = {agent.name for agent in known}
    say = "{}: `judge: {}` is no agent here, so nobody judges its trials; there are {}"
    return [say.format(agent.file, agent.judge, ", ".join(sorted(names))) for agent in known if agent.judge and agent.judge not in names]


def secretless(agents: Collection[Agent], environment: Mapping[str, str]) -> list[str]:
    """The webhooks that refuse all calls, and the tickets that cannot be filed, because a variable is not set here: each in a sentence."""
    say = "{}: its {} webhook refuses all calls where ${} is not set, as here; set it to what the sender signs with, or sends as its token"
    unset = [hook for hook in hooks(agents) if not environment.get(hook.variable)]
    filing = [(agent, agent.tickets.token) for agent in agents if agent.tickets and not environment.get(agent.tickets.token)]
    filed = [f"{agent.file}: no ticket can be filed where ${token} is not set, as here; set it" for agent, token in filing]
    return [*(say.format(hook.agent.file, hook.asks.source, hook.variable) for hook in unset), *filed]


def _filled(agent: Agent) -> str:
    return prompt.instructions(agent, SOMEBODY, "general", time.time())


def _equipped(agent: Agent) -> None:
    elsewhere = {each.runtime for each in agent.choices if each.runtime == "hermes" and each.options.get("url")}
    if agent.tools and (without := sorted({each.runtime for each in agent.choices} & UNEQUIPPED | elsewhere)):
        raise ConfigError(f"{agent.file}: tools: true gives nothing to {' and '.join(without)}: no tool of ours gets there; remove it")
