"""People say which answer of a trial is better: cards in a channel, and the votes on them."""

import logging
from collections.abc import Mapping

from bot import policy
from bot.dispatch import Desk
from bot.errors import BotError
from bot.journal import Delivery
from bot.message import Person
from bot.past import Choice, Run, Trials, Tried, Vote
from bot.slack import parse
from bot.slack.beside import Beside
from bot.slack.door import Body, Handler
from bot.slack.views import trial

log = logging.getLogger(__name__)
CHOICES: Mapping[str, Choice] = {"old": "old", "new": "new", "same": "same"}
GONE = "That trial is no longer known."


class Trying:
    """Only what everybody there could have read before is shown: nothing private, nothing of another channel that is, and where another
    company reads along nothing of any other."""

    def __init__(self, desk: Desk, beside: Beside, trials: Trials) -> None:
        self.desk, self.beside, self.trials = desk, beside, trials
        self.handlers: Mapping[str, Handler] = {"trial": self.called}

    async def called(self, delivery: Delivery, body: Body) -> None:
        """Somebody who may reach the database wants people to vote."""
        try:
            await self.show(str(body["trial"]), str(body["place"]))
        except BotError as error:  # nobody in Slack has asked
            log.error(str(error), extra={"action": "trial_not_shown", "trial": body["trial"]})

    async def show(self, id: str, place: str) -> str:
        """Show a trial's runs in a channel (#name or id), each with buttons: the thread. Safe to repeat. Raises BotError, SlackApiError."""
        tried, channel = await self.trials.trial(id), await self.beside.directory.place(place)
        if tried is None or not channel:
            raise BotError(f"No channel is called {place}, or I am not in it; invite me, and try again." if tried else GONE)
        runs = [run for run in tried.runs if await self._fit(run, channel)]
        if not runs:
            raise BotError(f"Nothing of this trial can be shown in {place}: all was private, or asked where not everybody there can read.")
        ts = await self.beside.outbox.root(f"trial:{id}:{channel}", channel, trial.root(tried, len(runs)))
        thread = parse.thread(self.beside.directory.team, channel, ts)
        for run in runs:
            await self._card(tried, run, thread)
        return thread

    async def prefer(self, value: str, by: Person, at: float) -> str:
        """Somebody finds an answer better; another vote of theirs takes the place of the first. Raises Denied."""
        choice, id, run_id, thread = value.split(" ")
        if (tried := await self.trials.trial(id)) is None:
            return GONE
        policy.check(self.desk.agent(tried.agent), by, "run")
        await self.trials.prefer(id, Vote(run_id, CHOICES[choice], by.id, at=at))
        voted = await self.trials.trial(id) or tried
        for run in voted.runs:
            if run.id == run_id:
                await self._card(voted, run, thread)
        return "Thank you, it is noted."

    async def _card(self, tried: Tried, run: Run, thread: str) -> None:
        channel, ts = parse.place(thread)
        await self.beside.outbox.once(f"trial:{tried.id}:{run.id}:{channel}", channel, ts, trial.card(tried, run, thread))

    async def _fit(self, run: Run, channel: str) -> bool:
        if run.old is None or run.private:
            return False
        ours = (await self.beside.directory.room(channel)).ours
        return run.channel == channel or (ours and await self.beside.public(run.channel))
