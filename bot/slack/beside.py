"""Messages of ours that belong to no session: what begins a thread, a word to one person, a comparison."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.agent import Agent
from bot.errors import BotError, ConfigError
from bot.fired import Fired
from bot.found import Card
from bot.message import Message, Person
from bot.session import Session
from bot.slack import parse
from bot.slack.calls import Client, call, error_of, refused
from bot.slack.directory import OURS, Directory
from bot.slack.markdown import brief, mrkdwn
from bot.slack.outbox import Outbox
from bot.slack.view import Block, View, section
from bot.slack.views import compare, finding

log = logging.getLogger(__name__)
AWAY = "This channel is shared with another company, so I do not show here what was found elsewhere. Ask me in one of your own."
OUTSIDE = "I am not in it. Invite me there: `/invite @Frontdesk`"
SHUT = {
    "not_in_channel": OUTSIDE,
    "channel_not_found": OUTSIDE,
    "is_archived": "it is archived. Choose another channel, or take it out of the archive",
    "restricted_action": "only some may write there. An admin of the workspace can let me",
    "restricted_action_read_only_channel": "only some may write there. An admin of the workspace can let me",
    "restricted_action_thread_only_channel": "there one may only write in threads",
}


class Beside:
    """Each is posted once, whatever happens to the process."""

    def __init__(self, client: Client, outbox: Outbox, directory: Directory) -> None:
        self.client, self.outbox, self.directory = client, outbox, directory

    async def open(self, message: Message, agent: Agent) -> tuple[str, str]:
        """Begin a thread for what somebody asked: the thread, and its channel.

        Raises BotError; SlackApiError where another try is worth it.
        """
        said = "\n".join(f">{mrkdwn(line, 500)}" for line in message.text.splitlines()[:20]) or "> (nothing more)"
        name = f"*{mrkdwn(message.author.name, 100)}*" if not message.private else "You"
        about = f" in <#{message.channel}>" if message.private and message.channel else ""
        did = {"message": "wrote something for", "reaction": f"reacted with :{mrkdwn(message.name, 100)}: for"}.get(message.door, "asked")
        text = f"{name} {did} *{agent.name}*{about}:\n{said}"
        view = View(mrkdwn(brief(f"{message.author.name} asked {agent.name}: {message.text}", 300)), (section(text),), 0)
        channel = await self._direct(message.author.id) if message.private else message.channel
        slot = f"open:{message.id}"
        try:
            ts = await self.outbox.root(slot, channel, view)
        except SlackApiError as error:
            if error_of(error) not in SHUT:
                raise _told(error, "I could not begin a thread") from error
            channel = await self._direct(message.author.id)
            ts = await self.outbox.root(slot, channel, view)
        return parse.thread(self.directory.team, channel, ts), channel

    async def begin(self, fired: Fired) -> tuple[str, Person]:
        """Post what a session lives under that nobody asked for: its thread, and whose it is: the person's to whom it is written.

        Raises BotError where that cannot be done, SlackApiError where another try is worth it.
        """
        place = await self.directory.place(fired.post_to)
        if not place:
            raise BotError(f"No channel is called {fired.post_to}; correct that in agents/{fired.agent}.md, or invite the bot.")
        view = View(mrkdwn(brief(fired.headline, 300)), (section(mrkdwn(fired.headline, 2900)),), 0)
        author = await self.directory.person(place) if place[0] in "UW" else Person("", f"a {fired.door}")
        channel = await self._direct(place) if author.id else place
        try:
            ts = await self.outbox.root(f"fired:{fired.key}", channel, view)
        except SlackApiError as error:
            raise _told(error, f"I could not write to {fired.post_to}") from error
        return parse.thread(self.directory.team, channel, ts), author

    async def compare(self, id: str, thread: str, sessions: Sequence[Session], votes: Sequence[int]) -> None:
        """Show the sessions side by side, with what people think of them. Raises as `open` does."""
        view, (channel, ts) = compare.render(id, thread, sessions, votes, self.directory.site), parse.place(thread)
        try:
            await self.outbox.once(f"compare:{id}", channel, ts, view)
        except SlackApiError as error:
            raise _told(error, "I could not show that") from error

    async def finding(self, card: Card) -> None:
        """Show a finding as it is now, once in its thread, and edit that from then on. Raises as `open` does."""
        view, (channel, ts) = finding.render(card, self.directory.site), parse.place(card.thread)
        room = await self.directory.room(channel)
        if room.told and not room.ours and any(parse.place(thread)[0] != channel for thread in card.threads):
            raise ConfigError(AWAY)
        try:
            await self.outbox.once(f"finding:{card.id}:{card.times}", channel, ts, view)
        except SlackApiError as error:
            raise _told(error, "I could not show that finding") from error

    def link(self, thread: str) -> str:
        """The address of a thread."""
        channel, ts = parse.place(thread)
        return f"{self.directory.site}archives/{channel}/p{ts.replace('.', '')}"

    async def public(self, channel: str) -> bool:
        """Whether everybody here may read a channel; not where Slack does not say."""
        return (await self.directory.room(channel)).public

    async def closed(self, threads: Iterable[str], here: str = "") -> dict[str, bool]:
        """Of these threads those that not everybody may read who reads another, or belongs to us; and of each whether Slack says so.

        Who reads a channel that is shared with another company may not.
        """
        places = {thread: parse.place(thread)[0] for thread in threads if thread}
        at = parse.place(here)[0] if here else ""
        asked = [*dict.fromkeys((*places.values(), *filter(None, (at,))))]
        rooms = dict(zip(asked, await asyncio.gather(*map(self.directory.room, asked)), strict=True))
        reader = rooms.get(at, OURS)
        shut = {thread: rooms[place] for thread, place in places.items() if place != at and not (reader.ours and rooms[place].public)}
        return {thread: reader.told and room.told for thread, room in shut.items()}

    async def enter(self, channel: str) -> None:
        """Raise ConfigError where we are not in it, as `open` does where Slack does not say."""
        try:
            said = (await call(self.client.conversations_info(channel=channel))).get("channel") or {}
        except SlackApiError as error:
            if error_of(error) not in SHUT:
                raise _told(error, f"I could not look at <#{channel}>") from error
            said = {}
        if not said.get("is_member"):
            raise ConfigError(f"I am not in <#{channel}>, so I could not write there. Invite me first: `/invite @Frontdesk`.")

    async def letter(self, slot: str, user: str, view: View) -> None:
        """Write to a person directly, once, and edit that from then on. Raises as `open` does."""
        try:
            await self.outbox.once(slot, await self._direct(user), "", view)
        except SlackApiError as error:
            raise _told(error, "I could not write to them directly") from error

    async def _direct(self, user: str) -> str:
        try:
            said = await call(self.client.conversations_open(users=user))
        except SlackApiError as error:
            raise _told(error, "I could not write to you directly") from error
        return str((said.get("channel") or {}).get("id") or user)

    async def whisper(self, channel: str, user: str, text: str, thread: str = "", blocks: Sequence[Block] = ()) -> None:
        """Say something to one person, there if that can be done, else in their direct message.

        Raises SlackApiError where another try is worth it.
        """
        if channel == user:  # they did it in no channel
            return await self._write_to(user, text, blocks)
        more: dict[str, Any] = {"thread_ts": thread} if thread else {}
        more |= {"blocks": list(blocks)} if blocks else {}
        try:
            await call(self.client.chat_postEphemeral(channel=channel, user=user, text=text[:3900], **more))
        except SlackApiError as error:
            if refused(error).after is not None:
                raise
            log.info("not_whispered", extra={"action": "not_whispered", "error": error_of(error)})
            await self._write_to(user, text, blocks)

    async def _write_to(self, user: str, text: str, blocks: Sequence[Block]) -> None:
        more: dict[str, Any] = {"blocks": list(blocks)} if blocks else {}
        with contextlib.suppress(BotError, SlackApiError):
            await call(
                self.client.chat_postMessage(
                    channel=await self._direct(user), text=text[:3900], unfurl_links=False, unfurl_media=False, **more
                )
            )


def _told(error: SlackApiError, what: str) -> Exception:
    """In words, unless Slack may let us in a moment: then it is tried again, and nobody has to."""
    if refused(error).after is not None:
        return error
    why = SHUT.get(error_of(error), f"{error_of(error)}. Try again")
    return BotError(f"{what}: {why}.")
