"""Where agents' files are tried, put together: in a sandbox, with the keys of models and nothing else that opens a door."""

import os
import pwd
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot import clock
from bot.agent import Agent
from bot.aid import Aid
from bot.app import lent
from bot.errors import ConfigError
from bot.improve.lab import Lab
from bot.ports import Runtime
from bot.runtimes import RUNTIMES, build, runtime_of
from bot.runtimes.echo import Echo
from bot.runtimes.home import Options
from bot.sandbox import trouble
from bot.settings import Settings
from bot.store.sql import SqlStore
from bot.workspaces.lend import Workspaces

MODELS = re.compile(
    r"(ANTHROPIC|CLAUDE_CODE|OPENAI|AZURE_OPENAI|GEMINI|OPENROUTER|MISTRAL|DEEPSEEK|GROQ|XAI|CEREBRAS|TOGETHER|FIREWORKS)_\w+|IS_SANDBOX"
    r"|PATH|LANG|TZ|(?i:(https?|no|all)_proxy)|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS"
)
KEYS = (  # where people and programs keep theirs, in a home
    ".ssh", ".gnupg", ".netrc", ".git-credentials", ".config/git", ".config/gh", ".config/glab-cli", ".config/hub", ".config/gcloud",
    ".aws", ".azure", ".kube", ".docker", ".npmrc", ".pypirc", ".config/op",
    ".password-store", ".claude/.credentials.json", ".codex/auth.json",
)  # fmt: skip
DOORS = ("mcp_servers", "mcp", "setting_sources", "project_config", "daemon_hours", "cwd")  # options that reach what is not its own
ELSEWHERE = (
    "{}: it runs on {!r}, where no sandbox of ours reaches: what it did when it was first asked, it would do again. "
    "Where that does no harm: frontdesk trial --unboxed."
)
WHERE = "What you usually work on is in {}: here you can read it, and what you write goes into a folder of your own."


def lab(settings: Settings, lending: lent.Lent, *, unboxed: bool = False) -> Lab:
    """Without our tools, which speak with people. `unboxed` leaves agents all that their files give them."""
    aids: Sequence[Aid] = [aid for aid in lending.aids if isinstance(aid, Workspaces) or aid is lending.gateway]
    names = [name for name in settings.environment if unboxed or MODELS.fullmatch(name)]
    given = {name: settings.environment[name] for name in names}
    hidden = (settings.sessions_dir.resolve(), *lent.database(settings), *keys())
    return Lab(_plain if unboxed else boxed, runtime_of, given, aids, hidden)


def keys() -> list[Path]:
    """What would let somebody in elsewhere, and lies where it usually does: of all users, as ssh looks there whatever HOME says."""
    homes = {str(Path.home()), *(user.pw_dir for user in pwd.getpwall())}
    found = [os.path.join(home, name) for home in sorted(homes) for name in KEYS]
    return [*map(Path, filter(os.path.exists, found)), *sorted(Path.cwd().glob(".env*"))]


async def today(store: SqlStore, agent: str) -> float:
    """What an agent has cost today, trials with it, in US dollars. Raises StoreFailed."""
    since = clock.midnight()
    return (await store.spent(agent, since)).usd + await store.trying(agent, since)


def _plain(agent: Agent) -> Agent:
    return agent.model_copy(update={"tools": False})


def boxed(agent: Agent) -> Agent:
    """Itself, without what it could reach others by. Raises ConfigError, with the remedy, where it cannot be kept from that."""
    first = agent.choices[0].model_copy(update={"tools": False})
    made: Runtime = build(first)
    if isinstance(made, Echo):
        return first
    if not issubclass(getattr(type(made), "Options", object), Options) or first.options.get("url"):
        raise ConfigError(ELSEWHERE.format(agent.file, agent.runtime if agent.runtime in RUNTIMES else agent.runtime[:80]))
    if why := trouble(Path.cwd()):
        why = why.replace("leave options.sandbox out", "use: frontdesk trial --unboxed")
        raise ConfigError(f"{agent.file} is tried in a sandbox. {why}")
    kept = _shut(first.options) | ({"config": _shut(config)} if isinstance(config := first.options.get("config"), dict) else {})
    where = WHERE.format(Path(str(cwd)).absolute()) if (cwd := first.options.get("cwd")) else ""
    instructions = "\n\n".join(filter(None, [first.instructions, where]))
    return first.model_copy(update={"options": {**kept, "sandbox": "bwrap"}, "instructions": instructions})


def _shut(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key not in DOORS}
