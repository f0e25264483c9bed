"""Who may run, answer, approve and stop; and within which budget."""

from collections.abc import Sequence
from typing import Literal

from bot.agent import Agent
from bot.errors import Denied
from bot.event import Event, Finished, Question, Text, Usage
from bot.message import Person
from bot.plan import PROPOSAL
from bot.session import Session

LONGEST = 500_000  # characters of one answer
Deed = Literal["run", "answer", "approve", "stop"]
DEEDS = {
    "run": "ask {agent}",
    "answer": "answer {agent}'s questions",
    "approve": "approve what {agent} wants to do",
    "stop": "stop {agent}",
}
WORDS = {
    "members": "members of this workspace",
    "admins": "admins",
    "guests": "guests",
    "everyone": "everybody",
    "asker": "the person who asked",
}


def may(agent: Agent, person: Person, deed: Deed, asker: str = "") -> bool:
    """Whether one of the agent's rules lets this person through. A bot only ever by its own id."""
    if person.kind == "bot":
        return deed == "run" and person.id in agent.allow.bots
    if not asker and deed != "run" and may(agent, person, "run"):
        asker = person.id  # nobody asked for what a schedule began: whoever may ask counts as the one who did
    return any(_fits(rule, person, asker) for rule in getattr(agent.allow, deed))


def _fits(rule: str, person: Person, asker: str) -> bool:
    match rule:
        case "everyone":
            return True
        case "members":
            return person.inside
        case "admins":
            return person.kind == "admin"
        case "guests":
            return person.kind == "guest"
        case "asker":
            return person.id == asker
        case _:
            return rule == person.id or rule in person.groups


def grants(agent: Agent, person: Person, author: str) -> bool:
    """Whether this person may let there be an agent like that, or let this one have more rights, as `author` (an id) wants.

    That is an admin, or another whom its file names.
    """
    named = {person.id, *person.groups} & {*agent.allow.approve}
    return person.inside and (person.kind == "admin" or (bool(named) and person.id != author))


def trusted(agent: Agent, question: Question) -> Agent:
    """The agent as it is for this question: a schedule that it proposes may be approved by admins, where its file names nobody."""
    if agent.allow.approve or not question.id.startswith(PROPOSAL):
        return agent
    return agent.model_copy(update={"allow": agent.allow.model_copy(update={"approve": ("admins",)})})


def check(agent: Agent, person: Person, deed: Deed, asker: str = "", what: str = "") -> None:
    """Raise Denied, in words that say who may, unless this person may. `what` they wanted, if that is called otherwise."""
    if not may(agent, person, deed, asker):
        said = f"You may not {what or DEEDS[deed].format(agent=agent.name)}. {who(agent, deed, asker)}"
        raise Denied(said if person.inside else said.partition(" The list stands")[0])


def who(agent: Agent, deed: Deed, asker: str = "") -> str:
    """Who may, as a sentence. People and groups stand as `<@U1>` and `<!subteam^S1>`, which only show, in a private sentence."""
    rules: tuple[str, ...] = getattr(agent.allow, deed)
    if not rules:
        return f"Nobody may yet: {named(agent, deed)}"
    words = [f"the person who asked (<@{asker}>)" if rule == "asker" and asker else _word(rule) for rule in rules]
    return f"Allowed: {', '.join(words)}. The list stands in {agent.file}, under `allow.{deed}`."


def named(agent: Agent, deed: Deed) -> str:
    """How somebody becomes one who may."""
    return f"its author has to name who, with `allow: {{{deed}: [...]}}` in {agent.file}."


def _word(rule: str) -> str:
    if rule in WORDS:
        return WORDS[rule]
    if rule.startswith("S"):
        return f"<!subteam^{rule}>"
    return rule if rule.startswith("@") else f"<@{rule}>"


def broke(agent: Agent, session: Session, today: float) -> str:
    """Why no more may be spent, in words; empty while it may. `today` is what this agent has cost today, in US dollars."""
    each, day = agent.budget.usd_per_session, agent.budget.usd_per_day
    if each is not None and (used := session.spent.usd) >= each:
        return f"The budget of ${each:g} for one session is used up (${used:.2f}, {agent.file}). Begin another with `new`."
    if day is not None and today >= day:
        return f"{agent.name}'s budget of ${day:g} for one day is used up (${today:.2f}, {agent.file}). It starts again at midnight UTC."
    return ""


def end(batch: Sequence[Event] | None, session: Session, agent: Agent, today: float) -> Finished | None:
    """How a turn ends in which this comes next, None for nothing in its time: by itself, or because it took or cost too much."""
    if batch is None:
        return Finished(
            "failed", f"This took longer than the {agent.budget.minutes_per_turn:g} minutes that {agent.file} allows for one turn."
        )
    for event in batch:
        if isinstance(event, Finished):
            return event
    if len(session.answer) + sum(len(event.text) for event in batch if isinstance(event, Text)) > LONGEST:
        return Finished("failed", f"The agent wrote more than {LONGEST:,} characters and did not stop, so it was stopped.")
    used = sum(event.usd for event in batch if isinstance(event, Usage))
    if used and (why := broke(agent, session.fold([e for e in batch if isinstance(e, Usage)], 0), today + session.usage.usd + used)):
        return Finished("failed", why)
    return None
