"""What an agent can do with our tools: ask people, tell them, give them a file, read the thread, say what was missing."""

import asyncio
import mimetypes
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot import clock, nofollow, prompt
from bot.agent import explain
from bot.aid import Talk
from bot.errors import BotError
from bot.event import ALLOW, APPROVE, DENY, Artifact, Improvement, ImprovementKind, Notice, Option, Part, Question, permission
from bot.found import Board, Found
from bot.message import Answer
from bot.plan import PROPOSAL, Plan, Plans, when
from bot.ports import Turn
from bot.trigger import Schedule

HOLD = 45.0  # seconds: some harnesses cut a call that takes a minute
OURS = "ask-"  # with which the ids of our questions begin, and no runtime's
LARGEST = 100 << 20  # bytes
MOST = 5  # questions that wait at once: each of them calls somebody
SHOWN = ("report_findings", "propose_schedule")  # what people see that no answer holds
ASKED = (
    "You asked, and nobody has answered yet. End your turn now, with a short word on what you wait for and without guessing the answer; "
    "it comes as the next message."
)


class Refused(Exception):
    """What the agent asked for cannot be done; `str()` tells it why."""


class Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Choice(Arguments):
    label: str = Field(min_length=1, max_length=75)
    description: str = ""


class AskUser(Arguments):
    """Ask the people in the thread a question, and wait for their answer. They choose one of your options or type their own words."""

    question: str = Field(min_length=1, description="The whole question; people see nothing else of what you think.")
    options: list[Choice | str] = Field(default=[], max_length=10, description="What they can choose from, each in a few words.")
    multiple: bool = Field(default=False, description="Whether they may choose several.")


class RequestApproval(Arguments):
    """Ask a person who may approve such things whether you may do something. Do it only if the answer says so."""

    action: str = Field(min_length=1, description="Exactly what you would do: the whole command, or the whole text.")
    reason: str = Field(default="", description="Why, in one sentence.")


class PostUpdate(Arguments):
    """Tell the people in the thread something that they should know before you are done."""

    text: str = Field(min_length=1, max_length=1000)


class UploadFile(Arguments):
    """Give the people in the thread a file that you have made."""

    path: str = Field(min_length=1, description="Where it is, in the folder that you work in.")
    name: str = Field(default="", max_length=150, description="What people see; by default what the file is called.")


class ProposeSchedule(Arguments):
    """Propose that you are asked the same again by yourself at certain times, as "every Monday at 9", where somebody in the thread wants
    that. A person has to approve it."""

    cron: str = Field(description="Five fields: minute hour day month weekday, as in 0 9 * * 1 for Monday at 9.")
    timezone: str = Field(description="Where that time is, like Europe/Berlin. Ask, if you cannot know it.")
    prompt: str = Field(
        min_length=1, max_length=3000, description="What you are asked each time; you remember nothing of this thread then."
    )
    words: str = Field(min_length=1, max_length=200, description="The times in people's words: every Monday at 9.")


class Finding(Arguments):
    agent: str = Field(description="Whose file, rights or surroundings are to change.")
    title: str = Field(min_length=1, max_length=120, description="What goes wrong, in one sentence.")
    what: str = Field(min_length=1, max_length=1200, description="How it shows, why it happens, and how sure you are.")
    change: str = Field(default="", max_length=2000, description="The exact words for which file, or the one right or setting.")
    evidence: list[str] = Field(min_length=1, max_length=100, description="All turns that show it, by their names in the digest.")
    again: str = Field(default="", max_length=20, description="The id that the digest gives it, if people know it already.")


class ReportFindings(Arguments):
    """Show people what repeats, each as a card with buttons by which they decide. Call this once, with all that you have found. Whom each
    hit and what it cost is counted from the turns that you name, and they are ranked by that."""

    findings: list[Finding] = Field(min_length=1, max_length=5)


class ReadThread(Arguments):
    """Read all that people have said in the thread."""


class ReportImprovement(Arguments):
    """Say what was missing, unclear, slow or denied, and would have made this work easier. Those who look after you read it; people in
    the thread do not see it."""

    kind: ImprovementKind
    text: str = Field(min_length=1, max_length=2000, description="What would have helped.")
    evidence: str = Field(default="", max_length=2000, description="What happened: the command, the error, the question.")


@dataclass(slots=True)
class Errand:
    """One turn, as the tools see it. After `close` nothing can be done in its name."""

    turn: Turn
    talk: Talk
    plans: Plans | None = None
    board: Board | None = None
    open: dict[str, Question] = field(default_factory=dict)
    _running: set["asyncio.Task[str]"] = field(default_factory=set)
    _over: bool = False

    async def call(self, name: str, arguments: dict[str, Any]) -> str:
        """What the agent is told. Raises Refused."""
        if name not in self.deeds:
            raise Refused(f"There is no tool {name!r}; there are {', '.join(self.deeds)}.")
        kind, deed = DEEDS[name]
        try:
            given = kind.model_validate(arguments)
        except ValidationError as error:
            raise Refused("; ".join(f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}" for wrong in error.errors())) from error
        work = asyncio.ensure_future(deed(self, given))
        self._running.add(work)
        try:
            return await work
        except BotError as error:
            raise Refused(str(error)) from error
        except asyncio.CancelledError:
            if not self._over:
                raise
            raise Refused("The turn in which you asked this is over.") from None
        finally:
            work.cancel()
            self._running.discard(work)

    @property
    def deeds(self) -> list[str]:
        """What the agent can do: findings are for those only that are told what happened, and people see nothing of a hidden turn."""
        if self.turn.number < 0:
            return [name for name in DEEDS if name not in SHOWN]
        return [name for name in DEEDS if name != "report_findings" or self.turn.agent.digest]

    def close(self) -> None:
        self._over = True
        for work in self._running:
            work.cancel()

    def same(self, asked: Question) -> Question:
        """The same question, asked again while nobody has answered it, is still the same."""
        return next((one for one in self.open.values() if (one.parts, one.detail) == (asked.parts, asked.detail)), asked)

    async def ask(self, asked: Question) -> Answer | None:
        """Raises Refused where too many wait already."""
        same = self.same(asked)
        if same.id not in self.open and len(self.open) >= MOST:
            raise Refused(f"{MOST} of your questions wait for an answer. End your turn now; the answers come as the next message.")
        self.open[same.id] = same
        answer = await self.talk.ask(same, HOLD)
        if answer is not None:
            self.open.pop(same.id, None)  # the same may have been asked twice at once
        return answer

    @property
    def work(self) -> Path:
        """The folder that the agent works in."""
        named = self.turn.agent.options.get("cwd")
        return self.turn.workspace or (Path(named).resolve() if isinstance(named, str) else self.turn.folder / "work")


async def ask_user(errand: Errand, given: AskUser) -> str:
    options = tuple(Option(one) if isinstance(one, str) else Option(one.label, one.description) for one in given.options)
    part = Part("answer", given.question, options, multi=given.multiple, free_text=True)
    answer = await errand.ask(Question(_id(), "question", (part,)))
    return ASKED if answer is None else prompt.answered({}, answer)


async def request_approval(errand: Errand, given: RequestApproval) -> str:
    answer = await errand.ask(permission(_id(), given.reason or "May I do this?", given.action))
    if answer is None:
        return f"{ASKED} Do not do it before."
    said = f" They said: {answer.note}" if answer.note else ""
    return ("Allowed: do exactly this." if answer.parts.get("decision") == (ALLOW,) else "Denied: do not do it.") + said


async def post_update(errand: Errand, given: PostUpdate) -> str:
    await errand.talk.tell(Notice(given.text))
    return "They see it."


async def upload_file(errand: Errand, given: UploadFile) -> str:
    name = Path(given.name or given.path).name or "file"
    kept = errand.turn.folder / "out" / f"{uuid4().hex[:8]}-{name}"
    try:
        await asyncio.to_thread(_keep, errand.work, given.path, kept)
    except OSError as error:
        raise Refused(f"{given.path} cannot be given to people: {error.strerror}. Only a file in {errand.work} can.") from error
    await errand.talk.tell(Artifact(name, mimetypes.guess_type(name)[0] or "application/octet-stream", str(kept)))
    return f"They are given {name}."


def _keep(work: Path, path: str, kept: Path) -> None:
    """From one opened file to another: what stands at their paths may change meanwhile."""
    with nofollow.opened(work, path) as source:
        if os.fstat(source.fileno()).st_size > LARGEST:
            raise Refused(f"{path} is larger than {LARGEST >> 20} MB; make it smaller.")
        kept.parent.mkdir(exist_ok=True)
        with nofollow.made(kept) as target:
            shutil.copyfileobj(source, target)


async def propose_schedule(errand: Errand, given: ProposeSchedule) -> str:
    session, person = errand.talk.session, errand.turn.person.id
    post_to = person if session.private else session.channel
    if errand.plans is None or not post_to:
        raise Refused("Nothing can begin by itself here; only in a Slack thread.")
    try:
        schedule = Schedule(cron=given.cron, timezone=given.timezone, post_to=post_to, prompt=given.prompt)
    except ValidationError as error:
        raise Refused("; ".join(explain(error, Schedule))) from error
    agent = errand.turn.agent.name.partition("@")[0]
    times = "\n".join(when(schedule, tick.timestamp()) for tick in islice(schedule.ticks(clock.now()), 3))
    detail = f"{given.cron} ({given.timezone}), next:\n{times}\n\n{given.prompt}"
    part = Part("decision", f"Shall I begin by myself {given.words}?", (Option(APPROVE), Option(DENY)))
    asked = errand.same(Question(f"{PROPOSAL}{uuid4().hex[:12]}", "permission", (part,), detail))
    name = _named(agent, asked.id)
    await errand.plans.keep(Plan(name, agent, schedule, asked=person or agent))
    answer = await errand.ask(asked)
    if answer is None:
        return f"{ASKED} Do not propose it again: it is kept as soon as somebody approves it."
    return await settle(errand.plans, agent, answer)


async def settle(plans: Plans, agent: str, answer: Answer) -> str:
    """What people said of a schedule that was proposed: if they approved it, it is due from now on."""
    name = _named(agent, answer.question)
    plan = await plans.get(name)
    if plan is None or answer.parts.get("decision") != (APPROVE,):
        return "Denied: it does not begin by itself." + (f" They said: {answer.note}" if answer.note else "")
    if not plan.due:
        plan = replace(plan, due=next(plan.schedule.ticks(clock.now())).timestamp())
        await plans.change(name, due=plan.due)
    return f"Approved. It is called {name}, and begins next {when(plan.schedule, plan.due)}. `remove schedule {name}` takes it away."


def _named(agent: str, question: str) -> str:
    return f"{agent}:p{question[-6:]}"


async def report_findings(errand: Errand, given: ReportFindings) -> str:
    if errand.board is None or not errand.talk.session.channel:
        raise Refused("Findings can be shown in a Slack thread only: write them into your answer.")
    found = [Found(each.agent, each.title, each.what, each.change, tuple(each.evidence), each.again) for each in given.findings]
    return await errand.board.report(errand.turn.agent.name.partition("@")[0], errand.talk.session, found)


async def read_thread(errand: Errand, _: ReadThread) -> str:
    return prompt.quoted(said) if (said := await errand.talk.said()) else "Nothing has been said in the thread beside what you were told."


async def report_improvement(errand: Errand, given: ReportImprovement) -> str:
    await errand.talk.tell(Improvement(given.kind, given.text, given.evidence))
    return "Thank you; it is kept."


def _id() -> str:
    return f"{OURS}{uuid4().hex[:12]}"


Deed = Callable[[Errand, Any], Awaitable[str]]
DEEDS: dict[str, tuple[type[Arguments], Deed]] = {
    "ask_user": (AskUser, ask_user),
    "request_approval": (RequestApproval, request_approval),
    "post_update": (PostUpdate, post_update),
    "upload_file": (UploadFile, upload_file),
    "propose_schedule": (ProposeSchedule, propose_schedule),
    "report_findings": (ReportFindings, report_findings),
    "read_thread": (ReadThread, read_thread),
    "report_improvement": (ReportImprovement, report_improvement),
}
