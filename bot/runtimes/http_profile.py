"""Platforms as profiles: files that say how to ask one, and what its events mean."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.errors import ConfigError
from bot.event import End as Ended
from bot.event import QuestionKind, StepKind, StepStatus
from bot.mistakes import explain
from bot.mistakes import read as written
from bot.runtimes import http_values as values
from bot.runtimes.feed import Form

SHIPPED = files("bot.runtimes") / "profiles"
FOLDERS = [Path("agents"), Path()]
"""Where profiles of one's own are looked for: beside the agents' files (AGENTS_DIR), then where frontdesk was started."""
GIVEN = ("prompt", "words", "instructions", "model", "session", "turn", "person", "once", "secret")
"""What every request may name: `words` are the prompt, after the instructions where the conversation begins; `once` is the same for the
same turn; `secret` is what options.key names."""
ANSWERED = ("question", "answer", "answers", "decision", "note")
"""What the answer to a question may name beside these."""
TOLD = ("event", "id", "data", "item", "nth")
"""What the table of events may name beside these: an event's name, id and data, one of the items that `each` finds, and the how many
of its name it is in this turn."""
STATES: dict[str, Ended] = {
    "completed": "completed", "success": "completed", "succeeded": "completed", "finished": "completed", "done": "completed",
    "canceled": "canceled", "cancelled": "canceled", "aborted": "canceled", "rejected": "rejected", "input_required": "input_required",
}  # fmt: skip
STATUS: dict[str, StepStatus] = {
    "completed": "completed", "success": "completed", "succeeded": "completed", "finished": "completed", "done": "completed",
    "failed": "failed", "error": "failed", "failure": "failed", "denied": "denied", "rejected": "denied", "cancelled": "failed",
}  # fmt: skip
ITEMS: dict[str, Literal["pending", "in_progress", "done"]] = {
    "in_progress": "in_progress", "running": "in_progress", "completed": "done", "done": "done", "cancelled": "done",
}  # fmt: skip
KINDS: dict[str, StepKind] = {
    "read": "read", "edit": "edit", "write": "edit", "execute": "execute", "bash": "execute", "shell": "execute", "terminal": "execute",
    "search": "search", "grep": "search", "glob": "search", "fetch": "fetch", "think": "think", "agent": "agent",
}  # fmt: skip
"""What platforms call it, and what it is here; an end of any other word is a failure, and anything else is under way."""
VERBS = ("get", "post", "put", "patch", "delete")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Call(Strict):
    """One request. `keep` says what of its answer is remembered; `safe`, that it may be sent twice; `form`, how its answer comes."""

    get: str | None = None
    post: str | None = None
    put: str | None = None
    patch: str | None = None
    delete: str | None = None
    query: dict[str, Any] = {}
    headers: dict[str, str] = {}
    body: Any = None
    keep: dict[str, str] = {}
    safe: bool = False
    form: Form = "json"

    @property
    def verb(self) -> str:
        return next(verb for verb in VERBS if getattr(self, verb) is not None)

    @property
    def path(self) -> str:
        return str(getattr(self, self.verb))

    @property
    def twice(self) -> bool:
        """Whether it does no harm to send it again where nobody knows what became of it."""
        return self.safe or self.verb == "get"

    @model_validator(mode="after")
    def _one(self) -> "Call":
        if sum(getattr(self, verb) is not None for verb in VERBS) != 1:
            raise ValueError(f"a request has exactly one of {', '.join(VERBS)}")
        return self


class Stream(Call):
    """Where events are heard. `first` opens it before anything is sent; `cursor` is the header that takes the last event's id where
    it can be opened again; `replays` says that it then tells all from the beginning.
    """

    form: Form = "sse"
    first: bool = False
    cursor: str = ""
    replays: bool = False


class Step(Strict):
    id: str
    title: str = ""
    kind: str = "other"
    status: str = "working"
    detail: str = ""


class Ask(Strict):
    """A question; `each` finds those of a form. `options` are words, or objects with label and description.

    `session`: what a permission for the whole session would allow, in words; without it there is none.
    """

    id: str
    kind: QuestionKind = "question"
    each: str = ""
    text: str = ""
    detail: str = ""
    options: Any = None
    multi: Any = False
    session: Any = ""


class Plan(Strict):
    each: str
    text: str = "$"
    status: str = "pending"


class Used(Strict):
    """What something has cost; with an `id`, once for each."""

    id: str = ""
    input: str = ""
    output: str = ""
    cached: str = ""
    usd: str = ""


class End(Strict):
    state: str = "completed"
    reason: str = ""


class Rule(Strict):
    """What the events of some names mean, `if` that holds, for `each` of the things in them; known and ignored if it says nothing else.

    `text` is the next piece of the answer, of the message `part`; `whole` is all of it so far.
    """

    on: tuple[str, ...]
    when: str = Field(default="", alias="if")
    each: str = ""
    text: str = ""
    part: str = ""
    whole: str = ""
    thought: str = ""
    notice: str = ""
    step: Step | None = None
    plan: Plan | None = None
    question: Ask | None = None
    usage: Used | None = None
    end: End | None = None
    keep: dict[str, str] = {}

    @model_validator(mode="before")
    @classmethod
    def _short(cls, rule: Any) -> Any:
        """`on: done` is `on: [done]`, and `end: failed` is `end: {state: failed}`."""
        if not isinstance(rule, dict):
            return rule
        on, end = rule.get(True, rule.get("on")), rule.get("end")  # YAML reads on as true
        more = {"on": [on] if isinstance(on, str) else on} | ({"end": {"state": end}} if isinstance(end, str) else {})
        return {**{key: value for key, value in rule.items() if key is not True}, **more}


class Profile(Strict):
    """One platform.

    `values` are what options.values may say, with what holds otherwise; null has to be said. `kind` is where an event's name stands,
    where its stream does not say it; `mine` where the conversation does: others are an error, or nothing where the stream is `shared`.
    `begin` stands in for `send` while there is no conversation; `recall` is asked before each `send`, where there is one.
    `ends`: the end of the stream is the end of the turn. `history` says what became of it: it is heard as the event `history`.
    """

    name: str
    source: str = ""
    url: str = ""
    values: dict[str, Any] = {}
    headers: dict[str, str] = {}
    auth: Literal["", "google"] = ""
    check: Call | None = None
    start: Call | None = None
    begin: Call | None = None
    recall: Call | None = None
    send: Call
    stream: Stream | None = None
    answer: dict[QuestionKind, Call] = {}
    cancel: Call | None = None
    history: Call | None = None
    kind: str = "$.type"
    mine: str = ""
    shared: bool = False
    ends: bool = False
    events: tuple[Rule, ...]

    @property
    def calls(self) -> Mapping[str, Call]:
        named = {name: getattr(self, name) for name in ("check", "start", "begin", "recall", "send", "stream", "cancel", "history")}
        return {name: call for name, call in named.items() if call} | {f"answer.{kind}": call for kind, call in self.answer.items()}

    @property
    def lasting(self) -> list[str]:
        """The names of what is remembered from turn to turn."""
        return sorted(self.kept - (self.recall.keep.keys() if self.recall else set()))

    @property
    def kept(self) -> set[str]:
        """The names of all that is remembered."""
        return {name for call in self.calls.values() for name in call.keep} | {name for rule in self.events for name in rule.keep}


def load(name: str) -> Profile:
    """The profile of this name, or in this file: one of ours, or a path from one of the folders. Raises ConfigError."""
    shipped = SHIPPED / f"{name}.yaml"
    if "/" not in name and shipped.is_file():
        return read(shipped.read_text("utf-8"), f"the profile {name}")
    for file in (folder / name for folder in FOLDERS):
        if file.is_file():
            return read(file.read_text("utf-8"), str(file))
    names = sorted(one.name.removesuffix(".yaml") for one in SHIPPED.iterdir() if one.name.endswith(".yaml"))
    near = get_close_matches(name, names, 1, 0.7)
    meant = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}."
    raise ConfigError(f"options.profile: there is no {name!r}; {meant} A file of yours is looked for beside the agents' files, and here")


def read(text: str, place: str) -> Profile:
    """The profile that this text describes. Raises ConfigError, which names the key."""
    try:
        profile = Profile.model_validate(written(text))
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{place} is no YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise ConfigError("\n".join(f"{place}: {line}" for line in explain(error, Profile))) from error
    if wrong := list(mistakes(profile)):
        raise ConfigError("\n".join(f"{place}: {line}" for line in wrong))
    return profile


def strange(rule: Rule) -> Iterator[str]:
    """Words that stand where one of a few belongs, and are none of them."""
    told = [
        ("end.state", rule.end.state if rule.end else "", {*STATES, "failed", "failure", "error"}),
        ("step.status", rule.step.status if rule.step else "", {*STATUS, "working"}),
        ("step.kind", rule.step.kind if rule.step else "", {*KINDS, "other"}),
        ("plan.status", rule.plan.status if rule.plan else "", {*ITEMS, "pending"}),
    ]
    for where, said, known in told:
        if said and values.plain(said) and said.lower() not in known:
            near = get_close_matches(said.lower(), known, 1)
            meant = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known))}, or a path like $.status"
            yield f"{where}: {said!r} is no such word; {meant}"


def mistakes(profile: Profile) -> Iterator[str]:
    """Names that nothing sets, and values that cannot be read."""
    known = {*GIVEN, *profile.values, *profile.kept}
    yield from values.check(profile.headers, known, "headers")
    for name, call in profile.calls.items():
        more = {*ANSWERED} if name.startswith("answer") else set()
        yield from values.check(call.model_dump(exclude={"keep"}), known | more, name)
        yield from values.check(call.keep, known | more | {"data"}, f"{name}.keep")
    for number, rule in enumerate(profile.events):
        told = known | {*TOLD}
        yield from values.check(rule.model_dump(exclude={"on", "when"}), told, f"events.{number}")
        yield from values.check(f"{{{{ {rule.when} }}}}" if rule.when else "", told, f"events.{number}.if")
        yield from (f"events.{number}.{line}" for line in strange(rule))
    if not any(rule.end for rule in profile.events) and not profile.ends:
        yield "events: no rule has an `end`; if the end of the stream is the end of the turn, say `ends: true`"
