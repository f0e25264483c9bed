"""The runtimes by name. To add one: write its file, and its line here."""

import sys
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import cast

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.agent import Agent, explain
from bot.errors import ConfigError
from bot.ports import Runtime
from bot.runtimes import fallback, home
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
    "managed_agents": "bot.runtimes.managed_agents:ManagedAgents",
    "responses": "bot.runtimes.responses:Responses",
    "litellm_platform": "bot.runtimes.litellm_platform:LiteLLMPlatform",
    "agentcore": "bot.runtimes.agentcore:AgentCore",
    "kelos": "bot.runtimes.kelos:Kelos",
    "kubernetes": "bot.runtimes.kubernetes:Kubernetes",
    "a2a": "bot.runtimes.a2a:A2A",
    "acp": "bot.runtimes.acp:ACP",
    "http": "bot.runtimes.http:Http",
}
EXTRAS = {
    "claude_agent_sdk": "claude", "a2a": "a2a", "acp": "acp", "langgraph_sdk": "langgraph", "anthropic": "managed-agents",
    "httpx2": "litellm-platform", "openai": "responses", "aiobotocore": "agentcore", "botocore": "agentcore",
    "kubernetes_asyncio": "kubernetes",
}  # fmt: skip
SHUT: set[Path] = set()  # folders where agents write: nothing there is loaded, whatever a file says


class Nothing(BaseModel):
    """The options of a runtime that has none."""

    model_config = ConfigDict(extra="forbid")


def runtime_of(agent: Agent) -> Runtime:
    """Where an agent runs: on what its file asks for, or on what that names to stand in for it. Raises ConfigError, with the remedy."""
    return Fallback(agent, build) if agent.fallback else build(agent)


def build(agent: Agent, key: str = "runtime") -> Runtime:
    """The runtime of this name, or of this "package.module:Class", which stands under `key`. Raises ConfigError, with the remedy."""
    module, _, name = RUNTIMES.get(agent.runtime, agent.runtime).partition(":")
    if not name:
        raise ConfigError(f"{agent.file}: {key}: {_nobody(agent.runtime)}")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)  # a module of one's own stands beside the folder of agents
    if agent.runtime not in RUNTIMES and _left(module):
        raise ConfigError(f"{agent.file}: {key}: {module} is where agents write; keep modules of your own outside the sessions' folder")
    try:
        made = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        mine = "; put its file where frontdesk is started, or name its folder in PYTHONPATH" if module.startswith(error.name or " ") else ""
        remedy = f"install it with: pip install 'frontdesk[{extra}]'" if extra else f"no module is called {error.name!r}{mine}"
        raise ConfigError(f"{agent.file}: the runtime {agent.runtime!r} cannot be loaded; {remedy}") from error
    except AttributeError as error:
        raise ConfigError(f"{agent.file}: {key}: {module} has no {name!r}") from error
    options = _options(agent, made, "" if key == "runtime" else f"{key} ({agent.runtime}): ")
    try:
        return cast(Runtime, made(options) if hasattr(made, "Options") else made())
    except ConfigError as error:
        raise ConfigError("\n".join(f"{agent.file}: {line}" for line in str(error).splitlines())) from error


def _left(module: str) -> bool:
    """Whether an agent may have left it in its session."""
    places = [Path(place).resolve().joinpath(*module.split(".")) for place in sys.path]
    return any(place.is_relative_to(folder) for place in places for folder in SHUT)


def _nobody(name: str) -> str:
    """What is said of a name that no runtime has."""
    near = get_close_matches(name.lower().replace("-", "_"), RUNTIMES, 1, 0.5)
    meant = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(RUNTIMES)}, or write module:Class"
    return f"there is no {name!r}; {meant}"


def _options(agent: Agent, made: type, where: str) -> BaseModel:
    model: type[BaseModel] = getattr(made, "Options", Nothing)
    try:
        options = model.model_validate(fallback.options(agent, model))
        if why := home.cut(agent.runtime, options):
            raise ConfigError(f"{where}options.{why}")
        return options
    except ConfigError as error:
        raise ConfigError(f"{agent.file}: {error}") from error
    except ValidationError as error:
        raise ConfigError("\n".join(f"{agent.file}: {where}{line}" for line in explain(error, model, "options"))) from error
