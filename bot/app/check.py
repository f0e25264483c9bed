"""What is wrong with agents, where it only shows when their runtimes are loaded and their templates filled in."""

import asyncio
import time
from collections.abc import Iterable
from itertools import product
from pathlib import Path

from bot import prompt
from bot.agent import Agent
from bot.errors import ConfigError
from bot.message import Person
from bot.runtimes import all_of
from bot.workspaces.files import mistakes_of

ASKING = {"acp", "claude_code", "codex", "hermes", "opencode", "pi", "stream_json"}  # whose harnesses ask leave, as they are set here
UNEQUIPPED = {"a2a", "deepagents", "echo", "http", "kelos", "langgraph", "litellm_platform", "managed_agents", "stream_json"}
SOMEBODY = Person("U0", "Somebody")


async def mistakes(agents: Iterable[Agent], folder: Path | None = None) -> list[str]:
    """Each mistake in a sentence: of these agents, and of what stands beside them in their folder.

    Never raises, though a runtime's module may do whatever it likes when it is imported.
    """
    agents = tuple(agents)
    found: list[str] = mistakes_of(folder, agents) if folder else []
    for agent, look in product(agents, (all_of, _filled, _equipped)):
        [said] = await asyncio.gather(asyncio.to_thread(look, agent), return_exceptions=True)
        match said:
            case ConfigError():
                found += str(said).splitlines()
            case BaseException():
                what = f"{type(said).__name__}: {said}"
                found.append(f"{agent.file}: the runtime {agent.runtime!r} broke as it was loaded ({what}); mend its module")
    return found


def unheard(agents: Iterable[Agent]) -> list[str]:
    """The agents that may ask leave of nobody, which is right where they ask none: each in a sentence."""
    say = "whatever it asks leave for can only be denied; name who may allow it, like `allow: {approve: [members]}`"
    return [f"{agent.file}: {say}" for agent in agents if not agent.allow.approve and ASKING & {each.runtime for each in agent.choices}]


def _filled(agent: Agent) -> str:
    return prompt.instructions(agent, SOMEBODY, "general", time.time())


def _equipped(agent: Agent) -> None:
    if agent.tools and (without := sorted({each.runtime for each in agent.choices} & UNEQUIPPED)):
        raise ConfigError(f"{agent.file}: tools: true gives nothing to {' and '.join(without)}: no tool of ours gets there; remove it")
