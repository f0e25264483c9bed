"""The runtimes by name. To add one: write its file, and its line here."""

import sys
from importlib import import_module
from pathlib import Path
from typing import cast

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.agent import Agent, explain
from bot.errors import ConfigError
from bot.ports import Runtime
from bot.runtimes.fallback import Fallback

RUNTIMES = {
    "echo": "bot.runtimes.echo:Echo",
    "claude_code": "bot.runtimes.claude_code:ClaudeCode",
    "opencode": "bot.runtimes.opencode:OpenCode",
    "pi": "bot.runtimes.pi:Pi",
    "codex": "bot.runtimes.codex:Codex",
    "hermes": "bot.runtimes.hermes:Hermes",
    "deepagents": "bot.runtimes.deepagents:DeepAgents",
    "langgraph": "bot.runtimes.langgraph:LangGraph",
    "stream_json": "bot.runtimes.stream_json:StreamJson",
    "a2a": "bot.runtimes.a2a:A2A",
    "acp": "bot.runtimes.acp:ACP",
}
EXTRAS = {"claude_agent_sdk": "claude", "a2a": "a2a", "acp": "acp", "langgraph_sdk": "langgraph"}


class Nothing(BaseModel):
    """The options of a runtime that has none."""

    model_config = ConfigDict(extra="forbid")


def runtime_of(agent: Agent) -> Runtime:
    """Where an agent runs: on what its file asks for, or on what that names to stand in for it. Raises ConfigError, with the remedy."""
    return Fallback(agent, build) if agent.fallback else build(agent)


def all_of(agent: Agent) -> list[Runtime]:
    """What its file asks for, and all that may stand in. Raises ConfigError for the first that cannot be loaded."""
    return [build(choice) for choice in Fallback(agent, build).choices]


def build(agent: Agent) -> Runtime:
    """The runtime of this name, or of this "package.module:Class". Raises ConfigError, with the remedy."""
    module, _, name = RUNTIMES.get(agent.runtime, agent.runtime).partition(":")
    if not name:
        raise ConfigError(f"{agent.file}: runtime: there is no {agent.runtime!r}; there are {', '.join(RUNTIMES)}, or write module:Class")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)  # a module of one's own stands beside the folder of agents
    try:
        made = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        mine = "; put its file where frontdesk is started, or name its folder in PYTHONPATH" if module.startswith(error.name or " ") else ""
        remedy = f"install it with: pip install 'frontdesk[{extra}]'" if extra else f"no module is called {error.name!r}{mine}"
        raise ConfigError(f"{agent.file}: the runtime {agent.runtime!r} cannot be loaded; {remedy}") from error
    except AttributeError as error:
        raise ConfigError(f"{agent.file}: runtime: {module} has no {name!r}") from error
    options = _options(agent, made)
    return cast(Runtime, made(options) if hasattr(made, "Options") else made())


def _options(agent: Agent, made: type) -> BaseModel:
    model: type[BaseModel] = getattr(made, "Options", Nothing)
    try:
        return model.model_validate(agent.options)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{agent.file}: options.{line}" for line in explain(error, model))) from error
