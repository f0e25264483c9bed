"""The inside's objects as rows, and back."""

import json
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from bot import event
from bot.event import Answered, Event, Question
from bot.journal import Delivery, Post
from bot.message import Message
from bot.ports import Asked, Feedback
from bot.session import Session

SESSION: TypeAdapter[Session] = TypeAdapter(Session)
MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)
QUESTION: TypeAdapter[Question] = TypeAdapter(Question)
ANSWERED: TypeAdapter[Answered] = TypeAdapter(Answered)
FEEDBACK: TypeAdapter[Feedback] = TypeAdapter(Feedback)
EVENTS: dict[str, TypeAdapter[Event]] = {kind.__name__: TypeAdapter(kind) for kind in event.Event.__args__}


def dump(adapter: TypeAdapter[Any], value: object) -> str:
    try:
        return adapter.dump_json(value, exclude_defaults=True).decode()
    except PydanticSerializationError:  # half of a pair of surrogates, where a runtime cut an emoji in two
        halves = json.dumps(adapter.dump_python(value, exclude_defaults=True), ensure_ascii=False, default=list)
        return halves.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def session(row: sa.Row[Any]) -> Session:
    return replace(SESSION.validate_json(row.data), muted=row.muted)


def told(row: sa.Row[Any]) -> Event:
    return EVENTS[row.type].validate_json(row.data)


def asked(row: sa.Row[Any]) -> Asked:
    answered = ANSWERED.validate_json(row.answered) if row.answered else None
    return Asked(row.session_id, row.turn, QUESTION.validate_json(row.data), answered)


def delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(row.key, row.kind, row.body, row.at, row.lane)


def post(row: sa.Row[Any]) -> Post:
    return Post(row.slot, row.session_id, row.thread, row.id, row.ts, row.shown)
