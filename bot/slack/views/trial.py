"""A trial in Slack: what was tried, and for each question both answers, of which nobody is told which is the new one."""

import hashlib

from bot.past import Choice, Outcome, Run, Tried
from bot.slack.markdown import brief, mrkdwn
from bot.slack.view import View, actions, button, context, section

LONG = 2600  # characters of an answer; the rest is where it was given
BLIND = "One vote for each person who may ask it; which answer is the new one is not shown. `frontdesk history {}` says what came of it."


def root(tried: Tried, count: int) -> View:
    """The message under which the cards stand."""
    name, asked = mrkdwn(tried.agent, 100), f"{count} past question{'' if count == 1 else 's'}"
    text = f"*A change of {name} was tried on {asked}.* Which answers are better?"
    return View(f"A change of {name} was tried.", (section(text), context(BLIND.format(name))), 0)


def card(tried: Tried, run: Run, thread: str) -> View:
    """One question, with both answers in an order that is the run's own."""
    first, second = order(tried, run)
    about = f"{tried.id} {run.id} {thread}"
    voted = sum(vote.run == run.id and not vote.judge for vote in tried.votes)
    choices = [
        button(f"prefer:{first}", "A is better", f"{first} {about}"),
        button(f"prefer:{second}", "B is better", f"{second} {about}"),
        button("prefer:same", "No difference", f"same {about}"),
    ]
    blocks = (
        section(f"*Asked*\n{_quoted(run.asked)}"),
        section(f"*Answer A*\n{_words(run, first)}"),
        section(f"*Answer B*\n{_words(run, second)}"),
        actions(*choices),
        *([context(f"{voted} {'person has' if voted == 1 else 'people have'} voted.")] if voted else []),
    )
    return View(f"Which answer is better? {mrkdwn(brief(run.asked, 200))}", blocks, 0)


def order(tried: Tried, run: Run) -> tuple[Choice, Choice]:
    """Which answer stands first: the same for everybody, and not to be guessed."""
    swapped = hashlib.sha256(f"{tried.id} {run.id}".encode()).digest()[0] % 2
    return ("new", "old") if swapped else ("old", "new")


def _words(run: Run, which: Choice) -> str:
    outcome: Outcome = run.old if which == "old" and run.old else run.new
    return mrkdwn(outcome.text.strip(), LONG) or f"_(No answer: {mrkdwn(outcome.reason or outcome.state, 300)})_"


def _quoted(text: str) -> str:
    return "\n".join(f">{line}" for line in mrkdwn(text.strip(), 1500).splitlines()[:20])
