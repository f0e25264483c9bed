"""What the desk and a shim say to each other: events, messages and orders as JSON, and back."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

from bot import event
from bot.event import Event

Json = dict[str, Any]
SESSION = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"  # AgentCore's name for it; Kubernetes does not mind
LARGEST = 8 << 20  # bytes of a file that goes along
EVENTS: Mapping[str, TypeAdapter[Any]] = {kind.__name__: TypeAdapter(kind) for kind in event.Event.__args__}


class Spoken(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class File(Spoken):
    """`path` is where the sender has it, and what words call it; `data` is base64."""

    path: str
    data: str


class Given(Spoken):
    """An answer."""

    question: str
    parts: Mapping[str, tuple[str, ...]] = {}
    note: str = ""


class Lent(Spoken):
    """Our tools: where they are, and the token that opens them."""

    url: str
    token: SecretStr


class Order(Spoken):
    """All that can be asked of a shim. `turn` is the sender's own name for the turn, so that whatever is sent twice is done once."""

    token: SecretStr = SecretStr("")
    turn: str = Field(min_length=1, max_length=400)


class Run(Order):
    """Begin this turn, unless it is known, and tell all of it that came after the record `after`. `known`: never begin it."""

    op: Literal["run"]
    after: int = Field(default=0, ge=0)
    known: bool = False
    agent: str = "agent"
    runtime: str = "claude_code"
    model: str = ""
    options: Json = {}
    environment: tuple[str, ...] = ()
    number: int = 1
    prompt: str = ""
    instructions: str = ""
    resume: str = ""
    answer: Given | None = None
    again: bool = False
    files: tuple[File, ...] = ()
    tools: Lent | None = None
    person: tuple[str, str] = ("", "")


class Say(Order):
    """What somebody says meanwhile. `id` is the message's own."""

    op: Literal["say"]
    id: str
    text: str = ""
    answer: Given | None = None


class Stop(Order):
    op: Literal["stop"]


ORDER: TypeAdapter[Run | Say | Stop] = TypeAdapter(Annotated[Run | Say | Stop, Field(discriminator="op")])


def line(value: Json) -> str:
    """As JSON, also where a runtime cut an emoji in two."""
    return json.dumps(value, ensure_ascii=False, default=list).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def dump(told: Event) -> Json:
    kind = type(told).__name__
    return {"type": kind, **EVENTS[kind].dump_python(told, exclude_defaults=True)}


def load(data: Json) -> Event | None:
    """The event; None where this version knows no such thing."""
    if not (adapter := EVENTS.get(str(data.get("type")))):
        return None
    try:
        found: Event = adapter.validate_python({key: value for key, value in data.items() if key != "type"})
    except ValidationError:
        return None
    return found
