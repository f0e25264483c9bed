"""App Home: a person's sessions, and the agents that they may ask."""

from collections.abc import Sequence

from bot.agent import Agent
from bot.breaker import BREAKER
from bot.session import Session
from bot.slack import parse
from bot.slack.markdown import mrkdwn
from bot.slack.view import Block, actions, button, context, section

STATE = {"submitted": "◐", "working": "◐", "input_required": "❓", "completed": "✓", "failed": "⚠️", "canceled": "⏹", "rejected": "⚠️"}


def render(sessions: Sequence[Session], agents: Sequence[Agent], site: str) -> Block:
    """`site` is the workspace's address, such as https://example.slack.com/."""
    blocks: list[Block] = [{"type": "header", "text": {"type": "plain_text", "text": "Agents"}}]
    blocks += [section(f"*{agent.name}*\n{mrkdwn(agent.description, 400)}") for agent in agents[:30]]
    blocks += [] if agents else [section("There is no agent that you may ask yet.")]
    blocks += [context(f"⚠️ {mrkdwn(place.words, 200)}") for place in BREAKER.troubles()[:5]]
    blocks.append({"type": "header", "text": {"type": "plain_text", "text": "Your conversations"}})
    for session in sorted(sessions, key=lambda one: one.over)[:10]:
        channel, ts = parse.place(session.thread)
        link = f"<{site}archives/{channel}/p{ts.replace('.', '')}|{mrkdwn(session.title, 200) or '(no words)'}>"
        blocks.append(section(f"{STATE[session.state]} *{session.agent}*: {link}"))
        if not session.over:
            blocks.append(actions(button("stop", "Stop", session.id)))
    blocks += [] if sessions else [context("None yet. Mention me in a channel, or write to me under Messages.")]
    return {"type": "home", "blocks": blocks[:100]}
