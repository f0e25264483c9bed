"""A proposal: what would change in an agent's file, what a trial said of it, and buttons for whoever decides; and all of it to look at."""

from collections.abc import Sequence

from bot.change import SETTLED, Sheet
from bot.slack.markdown import brief, mrkdwn
from bot.slack.view import Block, View, actions, button, context, plain, section, visible
from bot.slack.views.new import pages

MOST = 4500  # characters of a diff on a card: three screens of a phone
BLOCKS = 100  # that Slack shows in a form
LARGE = "The file with what changes in it is longer than Slack can show people at once: make it shorter, or change less of it."
WIDER = 12  # rights that stand on a card
HEADS = {"done": "✅ Changed", "rejected": "✖️ Rejected", "failed": "⚠️ Failed"}


def render(sheet: Sheet) -> View:
    """The card. While nobody has decided it mentions who may."""
    proposal = sheet.proposal
    name, what = mrkdwn(proposal.agent, 60), mrkdwn(brief(proposal.finding.title, 200), 250)
    head = f"*{HEADS.get(proposal.state, 'A change')}: `agents/{name}.md`*\n{what}"
    why = [section(f">{mrkdwn(proposal.why, 900)}")] if proposal.why else []
    body = (section(head), *why, *_rights(sheet.wider), *_diff(sheet.diff), context(tried(sheet)))
    text = f"{HEADS.get(proposal.state, 'A change')}: {name}: {what}"
    if proposal.state in SETTLED:
        return View(text, (*body, actions(_whole(proposal.id)), context(mrkdwn(proposal.outcome, 1500))))
    trouble = [section(f"⚠️ {mrkdwn(proposal.outcome, 1500)}")] if proposal.outcome else []
    choices = (
        button("proposal:approve", "Approve", f"approve {proposal.id} {proposal.change.mark}", "primary"),
        button("proposal:reject", "Reject", f"reject {proposal.id} {proposal.change.mark}", "danger"),
    )
    who = f"<@{proposal.by.id}> wants this, and `{mrkdwn(proposal.writer, 60)}` wrote it. {_judges(sheet)}"
    return View(text, (*body, *trouble, actions(*choices, _whole(proposal.id)), context(who)))


def _whole(id: str) -> Block:
    return button("proposal:look", "Whole file", f"look {id}")


def _rights(wider: Sequence[str]) -> list[Block]:
    if not wider:
        return []
    more = [f"*… and {len(wider) - WIDER} more*"] if len(wider) > WIDER else []
    lines = [f"*• {mrkdwn(visible(line), 180).replace('*', '∗')}*" for line in wider[:WIDER]]
    return [section("\n".join(["*⚠️ This gives it more than it has:*", *lines, *more]))]


def _diff(lines: Sequence[str]) -> list[Block]:
    text, shown = "\n".join(lines), _cut(lines)
    left = len(lines) - len(shown)
    more = [section(f"*⚠️ {left} lines more of this are not shown here: press “Whole file” before you decide.*")] if left else []
    return [*pages("\n".join(shown) if left else text), *more]


def _cut(lines: Sequence[str]) -> Sequence[str]:
    """As many whole lines as there is room for."""
    room = MOST
    for n, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return lines[:n]
    return lines


def tried(sheet: Sheet) -> str:
    """What a trial said, in one line."""
    if (found := sheet.tried) is None:
        return mrkdwn(sheet.proposal.trial or "Not tried.", 900)
    missed = sum(run.new.state == "completed" and bool(run.missed) for run in found.runs)
    wrong = [found.failed] if found.failed else []
    wrong += [f"{missed} not answered as its trial set wants"] if missed else []
    fine = ["all were answered"] if found.runs and not wrong else []
    said = [f"{len(found.runs)} tried", *wrong, *fine, f"${found.usd:.2f}"]
    for judge, who in ((False, "people"), (True, "a judge (an LLM)")):
        votes = [f"{count} {choice}" for choice in ("new", "old", "same") if (count := found.count(choice, judge=judge))]
        said += [f"better by {who}: {', '.join(votes)}"] if votes else []
    return f"Tried on what was asked before: {'; '.join(said)}. {mrkdwn(' '.join(found.left), 500)}".rstrip()


def _judges(sheet: Sheet) -> str:
    """Who may approve; it mentions whom it can."""
    words = {
        "asker": f"<@{sheet.proposal.by.id}>",
        "admins": "an admin",
        "members": "any member",
        "everyone": "everybody",
        "guests": "guests",
    }
    named = [
        words.get(rule) or (f"<!subteam^{rule}>" if rule[0] == "S" else rule if rule[0] == "@" else f"<@{rule}>")
        for rule in sheet.approvers
    ]
    return f"It can be approved by {' or '.join(named)}." if named else "Its agent is gone, so nobody can approve it."


def whole(sheet: Sheet) -> Block:
    """The diff and the file, all of both, as a form to look at."""
    blocks = [section("*What changes*"), *pages("\n".join(sheet.diff)), section("*The whole file*"), *pages(sheet.proposal.new)]
    title = plain(f"agents/{sheet.proposal.agent}.md", 24)
    return {"type": "modal", "callback_id": "look", "title": title, "close": plain("Close", 24), "blocks": blocks}


def hidden(sheet: Sheet) -> list[str]:
    """Why not all of it could be shown, in a sentence; nothing where it can."""
    return [] if len(whole(sheet)["blocks"]) <= BLOCKS else [LARGE]
