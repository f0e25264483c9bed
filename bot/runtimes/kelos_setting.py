"""What Kelos is asked for: Sessions and Tasks, as an agent's file describes them. Pure."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Literal

from pydantic import Field, model_validator

from bot import net
from bot.ports import Turn
from bot.runtimes.kubernetes_line import ClusterOptions
from bot.runtimes.kubernetes_pod import named
from bot.spoken import Json

API = "apis/kelos.dev/v1alpha2"
CONVERSE = ("claude-code", "codex", "opencode")
DAY = 86400


class KelosOptions(ClusterOptions):
    """The `options` of an agent on Kelos."""

    mode: Literal["session", "task"] = "session"
    """A Session, with which people converse; or for each turn a Task, which does one job and remembers nothing."""
    type: Literal["claude-code", "codex", "opencode", "gemini", "cursor"] = "claude-code"
    """Which harness; Sessions have the first three."""
    secret: str = ""
    """The Secret with its credentials."""
    credentials: Literal["api-key", "oauth", "none"] = "api-key"
    """What kind of credentials those are."""
    workspace: str = ""
    """The Workspace in which it works."""
    configs: tuple[str, ...] = ()
    """The AgentConfigs that it has, in their order."""
    pool: str = ""
    """The WorkerPool that does Tasks, in place of all that stands above."""
    branch: str = ""
    """The branch on which it works."""
    effort: str = ""
    """How hard it thinks."""
    image: str = ""
    """Its image, if not Kelos' own."""
    labels: Mapping[str, str] = {}
    """Labels of what is made: by these a TaskBudget counts it."""
    pod: Mapping[str, Any] = {}
    """Its podOverrides, as Kelos writes them."""
    keep_days: float = Field(default=7, gt=0)
    """How long it is kept when nobody needs it; then Kelos takes it away."""
    suspend_minutes: float = Field(default=60, gt=0)
    """How long a Session's pod runs when nobody needs it; then it sleeps."""
    start_seconds: float = Field(default=300, gt=0)
    """How long it may take to be ready."""
    console: net.AnyUrl = ""
    """The console's address, where Sessions are reached by that and not by the cluster itself."""
    key: net.Variable = ""
    """The variable, named under `environment:`, that holds the console's token."""
    private: bool = False
    """Whether the console's address may be a private one."""
    silence: float = Field(default=60, gt=0)
    """Seconds without a sign of life, after which the connection is made anew."""
    patience: float = Field(default=60, ge=0)
    """Seconds to get a lost connection back."""

    @model_validator(mode="after")
    def _together(self) -> "KelosOptions":
        if self.mode == "session" and self.type not in CONVERSE:
            raise ValueError(f"Kelos has no Sessions with {self.type}; set mode to task, or type to one of {', '.join(CONVERSE)}")
        if self.pool and self.mode == "session":
            raise ValueError("a pool does Tasks and no Sessions: set mode to task, or leave pool out")
        beside = [name for name in ("secret", "workspace", "configs", "branch", "image", "effort", "pod") if getattr(self, name)]
        if self.pool and beside:
            raise ValueError(f"a pool has all that in itself: leave {', '.join(beside)} out, or the pool")
        if not self.pool and self.credentials != "none" and not self.secret:
            raise ValueError("name the Secret with the harness's credentials as secret, or set credentials to none")
        if bool(self.console) != bool(self.key):
            raise ValueError("console and key belong together: the address, and the variable that holds its token")
        return self


def name_of(turn: Turn, options: KelosOptions) -> str:
    """Any process that has our session, and for a Task our turn, finds the same."""
    parts = [turn.session_id, turn.agent.name, *([str(turn.number)] if options.mode == "task" else [])]
    return f"frontdesk-{sha256(' '.join(parts).encode()).hexdigest()[:24]}"


def session(turn: Turn, options: KelosOptions) -> Json:
    idle = {"suspendAfterSeconds": int(options.suspend_minutes * 60), "deleteAfterSeconds": int(options.keep_days * DAY)}
    branch = {"initialBranch": options.branch} if options.branch else {}
    return {**_meta("Session", turn, options), "spec": {"worker": _worker(turn, options), **branch, "idlePolicy": idle}}


def task(turn: Turn, options: KelosOptions, prompt: str) -> Json:
    made = _meta("Task", turn, options)
    if options.pool:
        return {**made, "spec": {"workerPoolRef": {"name": options.pool}, "prompt": prompt}}
    branch = {"branch": options.branch} if options.branch else {}
    kept = {"ttlSecondsAfterFinished": int(options.keep_days * DAY)}
    return {**made, "spec": {"worker": _worker(turn, options), "prompt": prompt, **branch, **kept}}


def _meta(kind: str, turn: Turn, options: KelosOptions) -> Json:
    labels = {**options.labels, "app.kubernetes.io/managed-by": "frontdesk", "frontdesk/agent": named(turn.agent.name)}
    return {"apiVersion": "kelos.dev/v1alpha2", "kind": kind, "metadata": {"name": name_of(turn, options), "labels": labels}}


def _worker(turn: Turn, options: KelosOptions) -> Json:
    """A Task may not take longer than the file's budget says; a Session goes on."""
    secret = {"secretRef": {"name": options.secret}} if options.secret else {}
    limit = {"activeDeadlineSeconds": int(turn.agent.budget.minutes_per_turn * 60)} if options.mode == "task" else {}
    pod = {**limit, **options.pod}
    given: Json = {
        "type": options.type,
        "credentials": {"type": options.credentials, **secret},
        "model": turn.agent.model,
        "effort": options.effort,
        "image": options.image,
        "workspaceRef": {"name": options.workspace} if options.workspace else None,
        "agentConfigRefs": [{"name": name} for name in options.configs],
        "podOverrides": pod,
    }
    return {name: value for name, value in given.items() if value}
