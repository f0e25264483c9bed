"""App Home: what waits for a person, their conversations, the agents that they may ask, what they thought, and what it came to."""

from collections.abc import Iterator, Sequence

from bot.agent import Agent
from bot.change import Proposal
from bot.event import Question
from bot.glance import CONVERSATIONS, QUESTIONS, Glance, Opinion, Share, Waiting
from bot.session import Session
from bot.slack.markdown import brief, mrkdwn
from bot.slack.view import Block, button, context, header, link, modal, plain, section
from bot.slack.views import home_desk
from bot.slack.views.feedback import REASONS
from bot.slack.views.question import TITLE

STATE = {"submitted": "◐", "working": "◐", "input_required": "❓", "completed": "✓", "failed": "⚠️", "canceled": "⏹", "rejected": "⚠️"}
AGENTS = 30  # that are shown: Slack takes 100 blocks


def render(glance: Glance, site: str) -> Block:
    """`site` is the workspace's address, such as https://example.slack.com/."""
    blocks = [
        *_waiting(glance.waiting, glance.proposals, site), *_sessions(glance, site), *_agents(glance.agents),
        *_opinions(glance.opinions, site), *_used(glance.used), *map(_trouble, glance.troubles[:5]),
        *(home_desk.render(glance.running, site) if glance.running else ()),
    ]  # fmt: skip
    return {"type": "home", "blocks": blocks}


def _waiting(waiting: Sequence[Waiting], proposals: Sequence[Proposal], site: str) -> Iterator[Block]:
    if waiting or proposals:
        yield header("Waiting for you")
    for one in waiting[:QUESTIONS]:
        session = one.session
        what = _asks(one.question) if one.mine else f"{TITLE[one.question.kind]} in another's conversation"
        yield section(f"❓ *{session.agent}*: {link(session.thread, what, site)}")
    for each in proposals[:QUESTIONS]:
        yield section(f"✏️ *{each.agent}*: {link(each.thread, 'A change of its file, for you to decide', site)}")
    if len(waiting) > QUESTIONS or len(proposals) > QUESTIONS:
        yield context("There are more: they show here when these are answered.")


def _asks(question: Question) -> str:
    return brief(question.parts[0].text, 150) or TITLE[question.kind]


def _sessions(glance: Glance, site: str) -> Iterator[Block]:
    yield header("Your conversations")
    for session in glance.sessions[:CONVERSATIONS]:
        stop = {"accessory": button("stop", "Stop", session.id)} if session.id in glance.stops else {}
        yield section(f"{STATE[session.state]} *{session.agent}*: {_titled(session, site)}", **stop)
    if not glance.sessions:
        yield context("None yet." + (" Mention me in a channel, or write to me under Messages." if glance.agents else ""))
    if len(glance.sessions) > CONVERSATIONS:
        yield context("There are more, which are older.")


def _titled(session: Session, site: str) -> str:
    return link(session.thread, brief(session.title, 100), site)


def _agents(agents: Sequence[Agent]) -> Iterator[Block]:
    yield header("Agents")
    for agent in agents[:AGENTS]:
        yield section(f"*{agent.name}*\n{mrkdwn(agent.description, 400)}", accessory=button("try", "Try it", agent.name))
    if not agents:
        yield section("There is no agent that you may ask yet. Whoever runs Frontdesk can change that.")
    if len(agents) > AGENTS:
        yield context(f"There are {len(agents) - AGENTS} more; say `help` under Messages to see them all.")


def _opinions(opinions: Sequence[Opinion], site: str) -> Iterator[Block]:
    if opinions:
        yield header("What you thought")
    for one in opinions:
        given, about = one.feedback, f"{one.feedback.session_id} {one.feedback.turn}"
        why = "; ".join([*(REASONS.get(reason, reason) for reason in given.reasons), given.text][:6])
        sign = "👍" if given.rating == "good" else "👎"
        line = f"{sign} *{given.agent}*: {link(one.thread, brief(one.title, 100), site, one.post)}"
        told = f"\n{mrkdwn(brief(why, 200), 500)}" if why.strip() else ""
        yield section(line + told, accessory=button("unrate", "Take it back", about))
    if opinions:
        yield context("To change one, go to the answer, and press the other thumb.")


def _used(used: Share) -> Iterator[Block]:
    if used.turns:
        turns = "1 turn" if used.turns == 1 else f"{used.turns:,} turns"
        yield context(f"This month, in the conversations that you began: {turns}, ${used.usd:,.2f}.")


def _trouble(words: str) -> Block:
    return context(f"⚠️ {mrkdwn(words, 200)}")


def trial(agent: Agent) -> Block:
    """The form in which somebody tries an agent."""
    first = {"initial_value": agent.prompts[0].message[:3000]} if agent.prompts else {}
    element = {"type": "plain_text_input", "action_id": "value", "multiline": True, "max_length": 3000, **first}
    asked = {"type": "input", "block_id": "words", "label": plain(f"What shall {agent.name} do?", 2000), "element": element}
    blocks = [section(mrkdwn(agent.description, 400)), asked, context("Only you see the answer: it comes under Messages.")]
    return modal("try", "Try an agent", "Ask", blocks, agent.name)
