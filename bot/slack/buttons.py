"""What buttons, menus and forms do: each by its name, beside the views that show them."""

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot import policy
from bot.change import Decisions
from bot.dispatch import Desk
from bot.errors import ConfigError, Denied
from bot.event import DENY
from bot.found import Board
from bot.message import Message, Person
from bot.ports import Feedback, Store
from bot.slack import calls
from bot.slack.making import Making
from bot.slack.trying import Trying
from bot.slack.view import Block
from bot.slack.views import change, feedback, home, question, schedule, triage
from bot.slack.views import session as turn
from bot.timetable import Timetable
from bot.words import usage


@dataclass(frozen=True, slots=True)
class Press:
    """One press of one button, or one form sent. `id` is the same if it is delivered again; `value` is what the view gave it."""

    id: str
    name: str
    value: str
    by: Person
    trigger: str = ""
    at: float = field(default_factory=time.time)
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Room:
    """What a handler may use."""

    desk: Desk
    store: Store
    client: AsyncWebClient
    timetable: Timetable
    making: Making
    board: Board
    trying: Trying
    decisions: Decisions

    async def show(self, press: Press, view: Block) -> str:
        """Open a form; what to tell the person where that could not be done."""
        return await calls.opened(self.client, press.trigger, view)


Handler = Callable[[Press, Room], Awaitable[str]]


async def answered(press: Press, room: Room) -> str:
    """An option of a question's card."""
    session_id, _, rest = press.value.partition(" ")
    question_id, _, n = rest.rpartition(" ")
    asked = await room.store.asked(session_id, question_id)
    if asked is None:
        return "That question is no longer known."
    part = asked.question.parts[0]
    return await room.desk.questions.answer(session_id, question_id, {part.id: (part.options[int(n)].label,)}, press.by, press.id)


async def asked_more(press: Press, room: Room) -> str:
    """The button that opens a question as a form."""
    session_id, _, question_id = press.value.partition(" ")
    if (refusal := await _refusal(press, room, session_id, question_id)) is not None:
        return refusal
    asked = await room.store.asked(session_id, question_id)
    return await room.show(press, question.form(asked.question, press.value)) if asked else "That question is no longer known."


async def _refusal(press: Press, room: Room, session_id: str, question_id: str, label: str = "") -> str | None:
    """Say at once, and not after a form was filled in, that this person may not answer (with this label). Raises Denied."""
    asked = await room.store.asked(session_id, question_id)
    if asked is None or asked.answered:
        return await room.desk.questions.answer(session_id, question_id, {}, press.by, press.id)
    await room.desk.questions.allowed(session_id, asked.question, press.by, {"": (label,)})
    return None


async def replied(press: Press, room: Room) -> str:
    """A question's form."""
    session_id, _, question_id = press.value.partition(" ")
    asked = await room.store.asked(session_id, question_id)
    if asked is None:
        return "That question is no longer known."
    parts: dict[str, tuple[str, ...]] = {}
    for part in asked.question.parts:
        typed, picked = press.values.get(f"text:{part.id}", ()), press.values.get(f"part:{part.id}", ())
        words = tuple(part.options[int(n)].label for n in picked if n.isdigit()) + typed
        parts |= {part.id: words} if words else {}
    if not parts:
        return "Nothing was chosen, so nothing was answered."
    return await room.desk.questions.answer(session_id, question_id, parts, press.by, press.id)


async def denied(press: Press, room: Room) -> str:
    """The button that opens the form for a reason."""
    session_id, _, question_id = press.value.partition(" ")
    refusal = await _refusal(press, room, session_id, question_id, DENY)
    return await room.show(press, question.why(press.value)) if refusal is None else refusal


async def refused(press: Press, room: Room) -> str:
    """The form with the reason."""
    session_id, _, question_id = press.value.partition(" ")
    note = next(iter(press.values.get("reason", ())), "")
    asked = await room.store.asked(session_id, question_id)
    part = asked.question.parts[0].id if asked else "decision"
    return await room.desk.questions.answer(session_id, question_id, {part: (DENY,)}, press.by, press.id, note)


async def stopped(press: Press, room: Room) -> str:
    return await room.desk.stop(await room.store.load(press.value), press.by, press.id)


async def retried(press: Press, room: Room) -> str:
    session_id, number = press.value.split(" ")
    return await room.desk.retry(session_id, int(number), press.by, press.id)


async def looked(press: Press, room: Room) -> str:
    """The button that shows all steps."""
    session_id, number = press.value.split(" ")
    return await room.show(press, turn.steps(await room.desk.steps(session_id, int(number), press.by)))


async def rated(press: Press, room: Room) -> str:
    """Thumbs up or down; down asks why, and counts even if that is not said."""
    rating, session_id, number = press.value.split(" ")
    given = Feedback(session_id, int(number), press.by.id, "good" if rating == "good" else "bad", at=press.at)
    await room.desk.rate(given)
    if given.rating == "bad":
        return await room.show(press, feedback.form(f"{session_id} {number}"))
    return "Thank you, it is noted."


async def unrated(press: Press, room: Room) -> str:
    """Take back what one thought of an answer."""
    session_id, number = press.value.split(" ")
    await room.store.unrate(session_id, int(number), press.by.id)
    return ""


async def tried(press: Press, room: Room) -> str:
    """The button beside an agent in App Home."""
    agent = room.desk.agent(press.value)
    policy.check(agent, press.by, "run")
    return await room.show(press, home.trial(agent))


async def begun(press: Press, room: Room) -> str:
    """Its form: the agent answers where only this person sees it."""
    words = next(iter(press.values.get("words", ())), "")
    return await room.desk.hear(Message(press.id, "", "", press.by, words, "shortcut", press.at, agent=press.value, private=True))


async def voted(press: Press, room: Room) -> str:
    """Which of two answers to the same is better."""
    choice, id, thread, *session_ids = press.value.split(" ")
    for session_id in session_ids:
        await room.desk.steps(session_id, 1, press.by)  # raises Denied for who may not ask the agent
    return await room.desk.comparison.vote(id, thread, session_ids, int(choice), press.by, press.at)


async def preferred(press: Press, room: Room) -> str:
    """Which answer of a trial is better."""
    return await room.trying.prefer(press.value, press.by, press.at)


async def timed(press: Press, room: Room) -> str:
    """A schedule is paused, goes on, begins now, or is removed."""
    verb, name = press.value.split(" ")
    return await room.timetable.asked(verb, name, press.by, press.id)


async def decided(press: Press, room: Room) -> str:
    """What is to come of a finding: a ticket, a change, or nothing for now."""
    verb, id = press.value.split(" ")
    return await room.board.press(verb, id, press.by, press.id)


async def explained(press: Press, room: Room) -> str:
    """The form that says what was wrong."""
    session_id, number = press.value.split(" ")
    text = next(iter(press.values.get("text", ())), "")
    given = Feedback(session_id, int(number), press.by.id, "bad", press.values.get("reasons", ()), text, at=press.at)
    await room.desk.rate(given)
    return "Thank you. It was kept with the conversation, for whoever makes this agent better."


async def started(press: Press, room: Room) -> str:
    """The form of a message shortcut."""
    about = json.loads(press.value)
    agent = next(iter(press.values.get("agent", ())), "")
    private = press.values.get("where", ("thread",))[0] == "private"
    note = next(iter(press.values.get("note", ())), "")
    text = note or "Look at what was said in this thread, and deal with it."
    message = Message(press.id, about["thread"], about["channel"], press.by, text, "shortcut", press.at, root=False)
    return await room.desk.hear(replace(message, name=about["name"], agent=agent, private=private, channel_name=about["place"]))


async def opened(press: Press, room: Room, name: str, about: dict[str, Any], title: str, quote: str, author: str) -> str:
    """A message shortcut opens its form."""
    agents = room.desk.agents_for(press.by)
    first = next((a for a in agents for t in a.triggers if t.shortcut and t.shortcut.callback == name), None)
    view = triage.form(title, quote, author, agents, first, json.dumps(about)) if agents else triage.nobody()
    return await room.show(press, view)


async def commanded(press: Press, room: Room) -> str:
    """The desk's own slash command."""
    match press.value.strip().lower():
        case "new":
            return await room.show(press, await room.making.form(press.by))
        case "schedule":
            return await replanned(replace(press, value=""), room)
    return usage(room.desk.agents_for(press.by), None)


async def planned(press: Press, room: Room) -> str:
    """Its form: an agent begins by itself from now on."""
    name, given = schedule.planned(press.values)
    try:
        await room.making.beside.enter(given["post_to"])
        return await room.timetable.plan(name, given, press.by, press.id)
    except (ConfigError, Denied) as wrong:
        await room.making.beside.letter(f"plan:{press.id}", press.by.id, schedule.unplanned(str(wrong), press.values))
    return ""


async def replanned(press: Press, room: Room) -> str:
    """That form, filled in as the press has it."""
    agents, zone = room.timetable.plannable(press.by), await room.making.beside.directory.zone(press.by.id)
    return await room.show(press, schedule.form(agents, zone, schedule.unpacked(press.value)) if agents else schedule.nobody())


async def drafted(press: Press, room: Room) -> str:
    """The form of a new agent."""
    return await room.making.drafted(press.id, press.by, press.value, press.values)


async def reworked(press: Press, room: Room) -> str:
    """The same form once more, filled in."""
    return await room.show(press, await room.making.form(press.by, press.value))


async def sampled(press: Press, room: Room) -> str:
    """The form in which its author tries it."""
    return await room.show(press, room.making.sample(press.value, press.by))


async def rehearsed(press: Press, room: Room) -> str:
    return await room.making.tried(press.value, press.by, next(iter(press.values.get("words", ())), ""), press.id)


async def judged(press: Press, room: Room) -> str:
    """A change of an agent's file is allowed, or not; or somebody wants to see all of it."""
    verb, id, mark = (*press.value.split(" "), "")[:3]
    if verb != "look":
        return await room.decisions.decide("approve" if verb == "approve" else "reject", id, mark, press.by, press.id)
    sheet = await room.decisions.look(id, press.by)
    return await room.show(press, change.whole(sheet)) if sheet else "That proposal is no longer known."


async def proposed(press: Press, room: Room) -> str:
    return await room.making.proposed(press.value)


async def settled(press: Press, room: Room) -> str:
    """A new agent is allowed, or not."""
    return await room.making.settled(press.value, press.by, press.id)


PRESSED: dict[str, Handler] = {
    "answer": answered, "reply": asked_more, "deny": denied, "stop": stopped, "retry": retried, "steps": looked,
    "feedback": rated, "unrate": unrated, "try": tried, "vote": voted, "prefer": preferred, "schedule": timed, "finding": decided,
    "rework": reworked, "replan": replanned, "propose": proposed, "settle": settled, "sample": sampled, "proposal": judged,
}  # fmt: skip
SENT: dict[str, Handler] = {
    "reply": replied, "deny": refused, "feedback": explained, "triage": started, "try": begun, "schedule": planned,
    "new": drafted, "sample": rehearsed,
}  # fmt: skip
"""Buttons and forms by name. To add one: write its handler, and its line here."""
