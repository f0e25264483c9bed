"""App Home, for those who run the bot: whether it is well, what each agent cost and was thought of, and what waits longest."""

from collections.abc import Iterator, Sequence

from bot.change import Proposal
from bot.glance import STUCK, Running, Share
from bot.session import Session
from bot.slack.markdown import mrkdwn
from bot.slack.view import Block, date, header, link, section

AGENTS, WRONG = 20, 8  # that are shown


def render(running: Running, site: str) -> Iterator[Block]:
    yield {"type": "divider"}
    yield header("For those who run Frontdesk")
    yield section("\n".join(_health(running)))
    yield section("\n".join(["*This month*", *_shares(running), *_rest(running.shares)]))
    stuck = [(at, _stuck(at, session, site)) for at, session in running.stuck]
    stuck += [(each.at, _undecided(each, site)) for each in running.proposals]
    longest = [words for _, words in sorted(stuck)[:STUCK]]
    yield section("\n".join(["*What waits longest*", *(longest or ["Nothing waits."])]))


def _health(running: Running) -> Iterator[str]:
    wrong = [*(f"{name}: {words}" for name, words in running.missing.items()), *running.problems]
    processes = "1 process serves" if running.replicas == 1 else f"{running.replicas} processes serve"
    well = "✓ *Slack is heard, the database takes what is written, and all agents' files are right.*"
    yield "⚠️ *Something is wrong*" if wrong else well
    yield from (f"⚠️ {mrkdwn(words, 300)}" for words in wrong[:WRONG])
    if len(wrong) > WRONG:
        yield f"There is more: {len(wrong) - WRONG}. `frontdesk check` lists what is wrong with files."
    yield f"{processes} this workspace."


def _shares(running: Running) -> Iterator[str]:
    """Each agent in a line, marked where its file is wrong."""
    for share in running.shares[:AGENTS]:
        yield ("⚠️ " if any(f"agents/{share.name}.md" in words for words in running.problems) else "") + _share(share)


def _share(share: Share) -> str:
    if not (share.turns or share.good or share.bad):
        return f"*{mrkdwn(share.name, 60)}*: not asked"
    parts = [f"{share.turns:,} turn{'' if share.turns == 1 else 's'}"] + ([f"{share.failed:,} failed"] if share.failed else [])
    parts += [f"${share.usd:,.2f}"] + ([f"👍 {share.good}"] if share.good else []) + ([f"👎 {share.bad}"] if share.bad else [])
    return f"*{mrkdwn(share.name, 60)}*: {' · '.join(parts)}"


def _rest(shares: Sequence[Share]) -> list[str]:
    if not shares:
        return ["There is no agent yet."]
    return [f"There are {len(shares) - AGENTS} more; `frontdesk usage` lists all."] if len(shares) > AGENTS else []


def _stuck(at: float, session: Session, site: str) -> str:
    """Neither words nor people: whoever runs the bot need not be where it was said."""
    what = "for a person" if session.state == "input_required" else "to begin"
    where = "in a private conversation" if session.private else link(session.thread, "there", site)
    return f"*{session.agent}* has waited {what} since {date(at)}, {where}"


def _undecided(proposal: Proposal, site: str) -> str:
    where = "in a private conversation" if proposal.private else link(proposal.thread, "there", site)
    return f"*{proposal.agent}*: a change of its file has waited for a decision since {date(proposal.at)}, {where}"
