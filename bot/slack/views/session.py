"""A session's turn as messages in its thread: how it goes, then what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.agent import Agent
from bot.event import Event, Improvement, Item, Notice, Step
from bot.session import Session
from bot.slack.markdown import PIECE, brief, mrkdwn, pieces, safe
from bot.slack.view import Block, CardStatus, Flow, Task, View, actions, button, context, markdown, section
from bot.slack.views import feedback
from bot.words import SOON, place, span, ungiven

LATE = 20.0  # seconds after which an answer is a new message, since an edit notifies nobody
WHOLE = 12_000  # characters of an answer above which it is attached as a file too
SHORT = 4_500  # characters of what a turn had said that stand in one message with the words of its failure
MOST = 6  # messages that one answer takes at the most; the file has the rest
LINKS, ROOM = 5, 1_800  # links to files under an answer, and characters of them all; Slack takes 2,000 in one line of that kind
STEP = {"working": "◐", "completed": "✓", "failed": "✗", "denied": "⊘"}
ITEM = {"pending": "☐", "in_progress": "◐", "done": "☑"}
CARD: Mapping[str, CardStatus] = {
    "pending": "pending", "in_progress": "in_progress", "done": "complete", "working": "in_progress", "completed": "complete",
    "failed": "error", "denied": "error",
}  # fmt: skip
CARDS = 12  # steps with a card of their own in a message that grows; one more tells of the rest


def render(session: Session, agent: Agent, now: float, split: bool) -> dict[str, View]:
    """The current turn's messages by their slots. `split` says that the answer stands apart from how it went."""
    slot = f"{session.id}:{session.number}"
    if not session.ended:
        return {f"{slot}:0": progress(session, now)} if session.number else {}
    answer = _answer(session, split)
    stage = "links" if session.over else f"links {len(session.questions)}"  # those of before a question stand above it
    links = {f"{slot}:{stage}:{n}": view for n, view in enumerate(_below(session))}
    if not answer:
        return {f"{slot}:0": folded(session)} | links
    head = {f"{slot}:0": folded(session)} if split else {}
    first = 1 if split else 0
    return head | {f"{slot}:{first + n}": view for n, view in enumerate(answer)} | links


def late(session: Session) -> bool:
    """Whether an edit would be overlooked: the answer comes late, or below a question that was asked meanwhile."""
    return session.ended - session.asked > LATE or (session.waited and session.over)


def progress(session: Session, now: float) -> View:
    """The plan, the last steps, what is going on now, and for how long."""
    doing = [step for step in session.steps if step.status == "working"]
    recent = [step for step in session.steps if step.status != "working"][-(3 - min(2, len(doing))) :] + doing[-4:]
    blocks: list[Block] = []
    if session.plan:
        blocks.append(section("\n".join(_item(item) for item in _window(session.plan))))
    if recent:
        blocks.append(section("\n".join(_step(step) for step in recent)))
    if session.answer.strip():
        blocks.append(markdown(_tail(session.answer)))
    elif session.thought.strip() and not doing:
        blocks.append(context(f"_{mrkdwn(brief(session.thought[-200:], 160), 400)}_"))
    blocks += warned(session)[-1:]
    line = f"Waiting for room, {place(session.queued)}" if session.queued else _doing(session, int(now - session.asked))
    blocks += [context(line), actions(button("stop", "Stop", session.id))]
    first = not session.steps and not session.answer and not session.plan
    lines = session.answer[: session.answer.rfind("\n") + 1].strip()
    tasks = _tasks(session)
    return View(f"{session.agent}: {line}", tuple(blocks), 1 if first else 2, Flow(lines, tasks) if lines or tasks else None)


def _tasks(session: Session) -> tuple[Task, ...]:
    """The plan, then the steps, as cards."""
    plan = [Task(f"plan {n}", _title(item.text), CARD[item.status]) for n, item in enumerate(session.plan[:CARDS])]
    first = session.count - len(session.steps)
    steps = [Task(f"step {n}", _title(step.title), CARD[step.status]) for n, step in enumerate(session.steps, first)]
    rest = session.count - CARDS
    more = [replace(steps[-1], id="more", title=_title(f"{rest} more: {session.steps[-1].title}"))] if rest > 0 else []
    return (*plan, *steps[: max(CARDS - first, 0)], *more)


def _title(text: str) -> str:
    return mrkdwn(brief(text, 120), 250)


def _doing(session: Session, elapsed: int) -> str:
    coarse = elapsed // 5 * 5 if elapsed < 60 else elapsed // 60 * 60
    what = "Waiting for an answer" if session.state == "input_required" else "Working" if session.state == "working" else "On it"
    return f"{what}…" + (f" {span(coarse)}" if coarse >= 5 else "") + (f" · {session.count} steps" if session.count > 3 else "")


def _window(plan: Sequence[Item]) -> Sequence[Item]:
    """The part of a long plan around what is being done."""
    at = next((n for n, item in enumerate(plan) if item.status != "done"), len(plan))
    start = max(0, min(at - 3, len(plan) - 12))
    return plan[start : start + 12]


def _item(item: Item) -> str:
    text = mrkdwn(brief(item.text, 150), 400)
    return f"{ITEM[item.status]} {f'~{text}~' if item.status == 'done' else f'*{text}*' if item.status == 'in_progress' else text}"


def _step(step: Step) -> str:
    return f"{STEP[step.status]} {mrkdwn(brief(step.title, 150), 400)}"


def _tail(answer: str) -> str:
    last = pieces(answer[-1500:], 1500)[-1]
    return safe(("…" + last) if len(answer) > 1500 else last)


def _answer(session: Session, split: bool) -> list[View]:
    """What the turn came to, as messages: the answer or why there is none, and the buttons under it."""
    text, about = session.answer.strip(), f"{session.id} {session.number}"
    if session.state == "completed":
        parts = _parts(safe(text)) if text else ["_Done; the agent had nothing more to say._"]
        views = [View(brief(part, 300), (markdown(part), *_notices(session, n)), 0) for n, part in enumerate(parts)]
        last = views[-1]
        undone = any(item.status != "done" for item in session.plan)  # its cards would spin for ever: an edit takes them away
        flow = Flow(text, _tasks(session)) if text and len(parts) == 1 and not undone else None
        views[-1] = View(last.text, (*last.blocks, *_foot(session, split), feedback.buttons(about)), 0, flow)
        return views
    if session.state == "input_required":
        return [View(mrkdwn(brief(text, 300)), (markdown(part),), 0) for part in pieces(safe(text), PIECE)] if text else []
    return _undone(session, safe(text), about)


def _parts(text: str) -> list[str]:
    """An answer as it stands in messages, and where the rest is."""
    parts = pieces(text, PIECE)
    return [*parts[:MOST], "_The rest stands in the file below._"] if len(parts) > MOST else parts


def _undone(session: Session, text: str, about: str) -> list[View]:
    """A turn that failed or was stopped: why, and what was done until then; below what it had said, where that is long."""
    word = {"failed": "⚠️ That did not work", "rejected": "⚠️ That was not begun", "canceled": "⏹ Stopped"}[session.state]
    why = session.reason or "no reason was given"
    why = f"*{word}.* {mrkdwn(why)}" if session.state != "canceled" else f"*{mrkdwn(why)}*"
    done = [_step(step) for step in session.steps if step.status == "completed"][-5:]
    cut = [step for step in session.steps if step.status == "working"][-5:]
    blocks: list[Block] = [section(why)]
    if done:
        more = session.count - len(done) - len(cut)
        blocks.append(section("Done until then:\n" + "\n".join(done) + (f"\n… and {_counted(more, 'more ')}" if more > 0 else "")))
    if cut:
        blocks.append(section("Was in the middle of:\n" + "\n".join(map(_step, cut))))
    if session.state == "canceled" and not session.count and not text:
        blocks.append(context(f"Nothing had been done by then ({span(session.ended - session.asked)})."))
    if text and len(text) <= SHORT:
        blocks.append(markdown(text))
        text = ""
    elements = [button("steps", "Steps", about)] if session.count else []
    if session.state != "canceled":
        elements.insert(0, button("retry", "Try again", about))
    blocks += [*_notices(session, 0), *([actions(*elements)] if elements else [])]
    said = [View(brief(part, 300), (markdown(part),), 0) for part in _parts(text)] if text else []
    return [*said, View(mrkdwn(brief(f"{word}. {session.reason}", 300)), tuple(blocks), 0)]


def _notices(session: Session, n: int) -> list[Block]:
    if n:
        return []
    return [context(text) for text in (*map(_notice, session.notices[-3:]), *_links(session))]


def _links(session: Session) -> list[str]:
    """The files that are had by a link, if they fit under the answer; else all of them stand below it."""
    links = [f"📎 {mrkdwn(made.name, 150)}: {mrkdwn(made.url)}" for made in session.artifacts if made.url]
    return links if session.over and len(links) <= LINKS and sum(map(len, links)) <= ROOM else []


def _below(session: Session) -> list[View]:
    """The links for which there is no room elsewhere, and how many files are not given at all."""
    links = [] if _links(session) else [made for made in session.artifacts if made.url]
    lines = [f"- {brief(made.name, 150)}: {brief(made.url, 4000)}" for made in links]
    if lines:
        lines.insert(0, f"📎 {len(lines)} file{'s' if len(lines) != 1 else ''}, by their links:\n")
    parts = pieces(safe("\n".join(lines)), PIECE) if lines else []
    parts = [*parts[:MOST], "⚠️ More links than these do not fit here. Ask for what you need of them."] if len(parts) > MOST else parts
    parts += [f"⚠️ {ungiven(session)}"] if session.more else []
    return [View(brief(part, 300), (markdown(part),), 0) for part in parts]


def warned(session: Session) -> list[Block]:
    """What people have to know while it works."""
    return [context(_notice(each)) for each in session.notices if each.level == "warning"]


def _notice(notice: Notice) -> str:
    return f"{'⚠️' if notice.level == 'warning' else 'ℹ️'} {mrkdwn(notice.text, 900)}"


def _foot(session: Session, split: bool) -> list[Block]:
    if not session.count and not session.usage.usd and session.ended - session.asked < SOON:
        return []
    elements = [actions(button("steps", "Steps", f"{session.id} {session.number}"))] if session.count and not split else []
    return [context(_sum(session)), *elements]


def folded(session: Session) -> View:
    """How it went, in one line; what was done stands behind a button."""
    if session.state == "input_required":
        took = session.ended - session.asked
        line = "Asked" + (f" after {span(took)}" if took >= SOON else "") + (f" · {_counted(session.count)}" if session.count else "")
        return View(line, (context(line),), 1)
    line = _sum(session)
    if session.state == "completed":  # what it took stands once, under the answer
        line = "The answer stands below" + (f" · {_counted(session.count)}" if session.count else "")
    blocks = [context(line)] + ([actions(button("steps", "Steps", f"{session.id} {session.number}"))] if session.count else [])
    return View(line, tuple(blocks), 1)


def _sum(session: Session) -> str:
    word = {"completed": "Done", "failed": "Failed", "canceled": "Stopped", "rejected": "Not begun"}.get(session.state, "Waiting")
    parts = [f"{word} {'in' if word == 'Done' else 'after'} {span(session.ended - session.asked)}"]
    parts += [_counted(session.count)] if session.count else []
    parts += [f"${session.usage.usd:.2f}"] if session.usage.usd else []
    return " · ".join(parts)


def _counted(count: int, more: str = "") -> str:
    return f"{count} {more}step{'s' if count != 1 else ''}"


def steps(told: Sequence[Event]) -> Block:
    """All that was done in a turn, as a form to look at."""
    lines = [_step(step) + _detail(step) for step in told if isinstance(step, Step)]
    lines = [*(lines or ["No steps were told."]), *_helpful(told)]
    texts, page = [], ""
    for line in lines:
        if len(page) + len(line) > 2800:
            texts.append(page)
            page = ""
        page = f"{page}\n{line}" if page else line
    blocks = [section(text) for text in [*texts, page][-90:]]
    title = {"type": "plain_text", "text": "What was done"}
    return {"type": "modal", "callback_id": "steps", "title": title, "close": {"type": "plain_text", "text": "Close"}, "blocks": blocks}


def _helpful(told: Sequence[Event]) -> list[str]:
    """What the agent said of its turn, for whoever looks."""
    said = [f"• {each.kind}: {mrkdwn(brief(each.text, 400), 800)}" for each in told if isinstance(each, Improvement)]
    return ["\n*What would have helped, as the agent says*", *said] if said else []


def _detail(step: Step) -> str:
    return f"\n      `{mrkdwn(brief(step.detail, 120), 300).replace('`', '')}`" if step.detail else ""
