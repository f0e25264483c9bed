"""Two sessions side by side, asked the same: where they are, and which one people find better."""

from collections.abc import Sequence

from bot.session import Session
from bot.slack import parse
from bot.slack.markdown import mrkdwn
from bot.slack.view import View, actions, button, context, section


def render(id: str, thread: str, sessions: Sequence[Session], votes: Sequence[int], site: str) -> View:
    """`site` is the workspace's address, such as https://example.slack.com/."""
    names = [mrkdwn(session.agent, 100) for session in sessions]
    links = [f"• <{site}{_path(session)}|{name}>" for name, session in zip(names, sessions, strict=True)]
    about = " ".join([id, thread, *(session.id for session in sessions)])
    choices = [button(f"vote:{n}", f"{session.agent} ({votes[n]})", f"{n} {about}") for n, session in enumerate(sessions)]
    said = section("*The same was asked of both*\n" + "\n".join(links))
    blocks = (said, context("Which answer is better? One vote for each person who may ask both."), actions(*choices))
    return View(f"The same was asked of {' and '.join(names)}.", blocks, 0)


def _path(session: Session) -> str:
    channel, ts = parse.place(session.thread)
    return f"archives/{channel}/p{ts.replace('.', '')}"
