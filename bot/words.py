"""What Frontdesk itself says, and the words that it understands in a thread."""

import re
from collections.abc import Collection, Sequence

from bot import clock
from bot.agent import Agent
from bot.event import ALLOW, ALLOW_SESSION, DENY, Question, Queued
from bot.session import MADE, Session

ENDED = {"completed": "has finished", "failed": "has failed", "canceled": "was stopped", "rejected": "was not begun"}
APART = "On it: the answer comes to you alone, in a direct message."
COMMANDS = {
    "stop": "stop what runs here",
    "status": "say how far it is",
    "mute": "stay quiet here, and answer only when I am mentioned, until somebody says `unmute`",
    "unmute": "listen again",
    "new": "forget what was said, and begin anew in this thread",
    "help": "show this",
}
SOON = 5.0  # seconds that are not worth a word
SAID = {
    "allow": ALLOW, "approve": ALLOW, "allow once": ALLOW, "allow for this session": ALLOW_SESSION, "deny": DENY, "refuse": DENY,
}  # fmt: skip


def command(text: str) -> str:
    """The word of COMMANDS that this text is, if it is nothing else."""
    word = text.strip().strip(".!").lower()
    return word if word in COMMANDS else ""


COMPARE = re.compile(r"\s*compare\s+([\w-]+(?:(?:\s*,\s*|\s+)[\w-]+){0,4})\s*:(.*)|\s*compare\s+([\w-]+\s+[\w-]+)", re.I | re.S)
HOW = "Write `compare ONE OTHER: what both are asked`, with two of these: {}."


def compared(text: str, known: Collection[str]) -> tuple[list[str], str] | None:
    """The names, and what they are asked, in `compare claude_code codex: Which tests fail?`; None where it names none that is `known`."""
    if not (found := COMPARE.match(text)):
        return None
    names = [name for name in re.findall(r"[\w-]+", (found[1] or found[3]).lower()) if name not in ("and", "with")]
    meant = [name for name in names if name in known]
    return (names, (found[2] or "").strip()) if meant and (found[1] or meant == names) else None


def incomparable(names: Sequence[str], prompt: str, known: Collection[str], runtimes: Collection[str]) -> str:
    """What is wrong with a comparison, and how it is written; empty where nothing is. `runtimes` are those that there are."""
    wrong = _incomparable(names, prompt, known, runtimes)
    return wrong and f"{wrong} {HOW.format(', '.join(f'`{name}`' for name in known))}"


def _incomparable(names: Sequence[str], prompt: str, known: Collection[str], runtimes: Collection[str]) -> str:
    homeless = next((name for name in names if name in runtimes and name not in known), "")
    strange = next((name for name in names if name not in known), "")
    if homeless:
        return f"`{homeless}` is a runtime, on which the agent of this place would be tried; but no agent answers this place."
    if strange:
        return f"There is no agent and no runtime `{strange}`."
    if len(names) != 2:
        return f"Two are compared, and you named {len(names)}."
    if names[0] == names[1]:
        return f"`{names[0]}` cannot be compared with itself."
    return "" if prompt else "You did not say what both are asked."


SCHEDULE = re.compile(r"\s*(?:schedules|(pause|resume|run|remove)\s+schedule\s+`?([\w:-]+)`?)[.!]?\s*", re.I)


def scheduled(text: str) -> tuple[str, str] | None:
    """What somebody wants of the schedules: to `pause`, `resume`, `run` or `remove` one by its name, or, both empty, to see them."""
    found = SCHEDULE.fullmatch(text)
    return ((found[1] or "").lower(), (found[2] or "").lower()) if found else None


def aside(text: str) -> bool:
    return text.lstrip().lower().startswith("(aside)")


def usage(agents: Sequence[Agent], here: Agent | None) -> str:
    """What a person sees who asks for help, or says nothing."""
    if not agents:
        return "There is no agent that you may ask here. Whoever runs Frontdesk can change that."
    lines = ["Mention me and say what you need. I answer in a thread, and in that thread you go on without a mention.", "*Who is here*"]
    asked = here.name if here else ""
    told = {agent.name: agent.description.replace("<", "‹") for agent in agents}  # it must not pretend to be a link
    lines += [f"• *{name}*{' (the one you asked)' if name == asked else ''}: {about}" for name, about in told.items()]
    lines.append(f"Pick one by its name: `@Frontdesk {agents[0].name}: …`")
    lines.append("*In a thread you can say*")
    lines += [f"• `{word}`: {meaning}" for word, meaning in COMMANDS.items()]
    lines.append("• `schedules`: what begins by itself, and when; `run schedule NAME`, `pause …`, `resume …`, `remove …`")
    lines.append("• `/frontdesk new` makes an agent, `/frontdesk schedule` lets one begin by itself; write these anywhere but in a thread")
    lines.append("• a line that begins with `(aside)` is not for me")
    return "\n".join(lines)


def status(session: Session, waiting: int) -> str:
    """How far a session is, in a sentence or two."""
    match session.state:
        case "submitted" if session.queued:
            text = f"{session.agent} waits for room, {place(session.queued)}; asked {span(clock.now() - session.asked)} ago"
        case "submitted" | "working":
            doing = next((step.title for step in reversed(session.steps) if step.status == "working"), "")
            text = f"{session.agent} has been working for {span(clock.now() - session.asked)}" + (f": {doing}" if doing else "")
        case "input_required":
            text = (
                f"{session.agent} waits for an answer: {session.open[0].parts[0].text}"
                if session.open
                else f"{session.agent} waits for you"
            )
        case _:
            text = f"{session.agent} {ENDED[session.state]} after {span(session.ended - session.asked)}"
    text = text.replace("<", "‹")  # a step's title must not ping
    more = f" {waiting} more {'message waits its' if waiting == 1 else 'messages wait their'} turn." if waiting else ""
    return f"{text}.{more}" + (" It is muted here; `unmute` lets it listen again." if session.muted else "")


def place(queued: Queued) -> str:
    """Where one stands in the line, and for about how long."""
    before = "as the next" if not queued.ahead else f"behind {queued.ahead} other{'s' if queued.ahead > 1 else ''}"
    return before + (f", for about {span(queued.seconds)}" if queued.seconds >= SOON else "")


def ungiven(session: Session) -> str:
    """How many files are not to be had, and what to do."""
    files = f"{session.more} more file{'s' if session.more > 1 else ''}"
    return f"{files} came after the first {MADE}, and {'are' if session.more > 1 else 'is'} not given here. Ask for what you need of them."


def span(seconds: float) -> str:
    """A length of time as people say it."""
    seconds = max(0, int(seconds))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def picked(question: Question, text: str) -> bool:
    """Whether a reply names an option, so that it can have been meant for nothing else."""
    part, said = question.parts[0], text.strip().lower().rstrip(".!")
    labels = {option.label.lower() for option in part.options} | {*(SAID if question.kind == "permission" else ())}
    return len(question.parts) == 1 and said in labels


def waits(question: Question) -> str:
    """What is said to somebody who says something else while a question is open."""
    if question.kind == "permission" or len(question.parts) > 1:
        return "I wait for an answer to the question above; what you said comes after it. `stop` ends it."
    options = ", ".join(f"`{option.label}`" for option in question.parts[0].options[:6]).replace("<", "‹")
    return f"I wait for one of these: {options}. Press it, or write just that. What you said comes after it. `stop` ends it."


def typed(question: Question, text: str) -> dict[str, tuple[str, ...]] | None:
    """What a typed reply answers, if it can be an answer: an option by its label or number, or free text."""
    if len(question.parts) != 1:
        return None
    part, said = question.parts[0], text.strip()
    labels = {option.label.lower(): option.label for option in part.options}
    if question.kind == "permission":  # an "ok" to somebody else must not allow anything
        labels |= {word: label for word, label in SAID.items() if label.lower() in labels}
    else:
        labels |= {str(n): option.label for n, option in enumerate(part.options, 1)}
    pieces = [piece.strip().lower() for piece in said.split(",")] if part.multi else [said.lower().rstrip(".!")]
    if all(piece in labels for piece in pieces):
        return {part.id: tuple(labels[piece] for piece in pieces)}
    free = question.kind != "permission" and (part.free_text or not part.options)
    return {part.id: (said,)} if free and said else None
