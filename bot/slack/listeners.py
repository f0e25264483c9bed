"""What Slack tells, kind by kind, and what the desk is asked then."""

import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from slack_sdk.errors import SlackApiError

from bot import clock
from bot.change import Decisions
from bot.dispatch import Desk
from bot.errors import BotError, Denied
from bot.found import Board
from bot.journal import Delivery, Journal
from bot.message import Message, Person
from bot.ports import Store
from bot.prompt import line
from bot.slack import backfill, buttons, manifest, parse
from bot.slack.buttons import Press, Room
from bot.slack.calls import call, error_of, refused
from bot.slack.directory import Directory
from bot.slack.door import Body, Handler
from bot.slack.firing import Firing
from bot.slack.home import Homes
from bot.slack.making import Making
from bot.slack.markdown import mrkdwn
from bot.slack.surface import SlackSurface
from bot.slack.trying import Trying
from bot.slack.views import schedule
from bot.slack.views.amiss import amiss
from bot.timetable import Timetable
from bot.words import scheduled

log = logging.getLogger(__name__)
EDITED = "I go by what this message said at first. Say in its thread what is different, and I take that in."
LATE = 2.0  # seconds after which a message has certainly not come at once
RENAMED = ("channel_rename", "group_rename", "channel_created", "subteam_updated", "subteam_created", "subteam_members_changed")


class Listeners:
    """What each kind of delivery means. What is not known means nothing."""

    def __init__(
        self,
        desk: Desk,
        store: Store,
        journal: Journal,
        surface: SlackSurface,
        directory: Directory,
        renamed: Callable[[], Awaitable[None]],
        timetable: Timetable,
        making: Making,
        homes: Homes,
        board: Board,
        trying: Trying,
        decisions: Decisions,
    ) -> None:
        self.homes = homes
        self.desk, self.journal, self.surface, self.directory, self.renamed = desk, journal, surface, directory, renamed
        self.client = surface.client
        self.room = Room(desk, store, surface.client, timetable, making, board, trying, decisions)
        self.handlers: Mapping[str, Handler] = {
            "message": self.said, "app_mention": self.said, "message_changed": self.edited, "message_deleted": self.deleted,
            "reaction_added": self.reacted, "app_home_opened": self.entered, "agent_session_stopped": self.halted,
            "command": self.commanded,
            "block_actions": self.pressed, "view_submission": self.sent, "message_action": self.shortcut, "user_change": self.changed,
            "member_joined_channel": self.joined, "fired": Firing(desk, surface.beside, directory, timetable).fired,
        } | dict.fromkeys(RENAMED, self.moved)  # fmt: skip

    async def answer(self, body: Body, text: str) -> None:
        """Say something to the person who caused this, and to nobody else."""
        event = body.get("event") or {}
        channel = event.get("channel") or body.get("channel_id") or (body.get("channel") or {}).get("id") or ""
        channel = channel or (event.get("item") or {}).get("channel") or ""
        user = event.get("user") or body.get("user_id") or (body.get("user") or {}).get("id") or ""
        thread = event.get("thread_ts") or (body.get("container") or {}).get("thread_ts") or ""
        if text and isinstance(user, str) and user:
            await self.surface.beside.whisper(channel or user, user, text, thread)

    def amiss(self, body: Body) -> dict[str, str]:
        """What is wrong with a form that was sent, by its fields."""
        if parse.kind(body) != "view_submission":
            return {}
        view, names = body["view"], [agent.name for agent in self.desk.agents]
        return amiss(str(view.get("callback_id")), str(body["user"]["id"]), parse.values(view), names)

    async def said(self, delivery: Delivery, body: Body) -> None:
        event = body["event"]
        message = parse.message(event, self.directory.team, self.directory.bot)
        if message is None or self._mine(event):
            return
        await self._hear(message, body, event)
        late = message.root and clock.now() - message.at > LATE and not body.get("caught_up")  # else what was behind it is found as it was
        if (late or await self.journal.overtaken(message.id, delivery.at)) and await self.journal.heard(message.id):
            await self._overtaken(message, body)

    def _mine(self, event: Body) -> bool:
        return event.get("user") == self.directory.bot or event.get("bot_id") == self.directory.bot_id != ""

    async def _overtaken(self, message: Message, body: Body) -> None:
        """Slack keeps no order: a reply or a ❌ may have come before the message that it belongs to, and meant nothing then."""
        channel, ts = parse.place(message.thread)
        for said in await self._behind(channel, ts, message.at):
            event = {**said, "channel": channel, "channel_type": "im" if channel.startswith("D") else "channel"}
            reply = parse.message(event, self.directory.team, self.directory.bot)
            if reply and reply.id == message.id:
                await self._crossed_out(message, event)
            elif reply and message.root and not self._mine(said) and not await self.journal.heard(reply.id):
                await self._hear(reply, {**body, "event": event}, event)

    async def _behind(self, channel: str, ts: str, at: float) -> list[Body]:
        """What stands in a thread from then on. Raises SlackApiError where it can be tried again, else BotError."""
        try:
            return await backfill.replies(self.client, channel, ts, f"{at - 1e-6:.6f}")
        except BotError as error:
            cause = error.__cause__
            raise cause if isinstance(cause, SlackApiError) and refused(cause).after is not None else error from None

    async def _crossed_out(self, message: Message, event: Body) -> None:
        """Take it back, where somebody who may has put a ❌ on it already."""
        for user in [user for each in event.get("reactions") or () if each["name"] == "x" for user in each["users"]]:
            with contextlib.suppress(Denied):
                await self.desk.withdraw(message.id, await self.directory.person(user), f"stop:{user}:{message.id}", deleted=False)

    async def _hear(self, message: Message, body: Body, event: Body) -> None:
        author = await self._author(event, body)
        name, late = await self.directory.channel(message.channel), bool(body.get("caught_up"))
        text = await self.directory.named(message.text)
        message = replace(message, text=text, author=author, channel_name=name, late=late)
        if message.door in ("mention", "direct") and (wish := scheduled(message.text)):
            await self._timed(message, body, *wish)
            return
        await self.answer(body, await self.desk.hear(message))

    async def _timed(self, message: Message, body: Body, verb: str, name: str) -> None:
        """What somebody wants of the schedules."""
        if verb:
            await self.answer(body, await self.room.timetable.asked(verb, name, message.author, message.id))
            return
        view = schedule.render(await self.room.timetable.listed(message.author))
        channel, ts = parse.place(message.thread)
        await self.surface.beside.whisper(channel, message.author.id, view.text, "" if message.root else ts, view.blocks)

    async def _author(self, event: Body, body: Body) -> Person:
        if event.get("bot_id") and (event.get("subtype") == "bot_message" or not event.get("user")):
            return Person(str(event["bot_id"]), str(event.get("username") or "a bot"), "bot")
        shared = {key: event[key] for key in ("user_team", "source_team") if event.get(key)}
        person = await self.directory.person(str(event["user"]), shared)
        return replace(person, id=str(event["bot_id"]), kind="bot") if event.get("bot_id") else person

    async def edited(self, delivery: Delivery, body: Body) -> None:
        """An edit begins nothing twice; but one that mentions us for the first time is heard."""
        event, now = body["event"], body["event"].get("message") or {}
        before = str((event.get("previous_message") or {}).get("text") or "")
        inner = {**now, "channel": event["channel"], "channel_type": event.get("channel_type"), "type": "message"}
        message = parse.message(inner, self.directory.team, self.directory.bot)
        if message is None or now.get("bot_id") or not now.get("user") or now.get("text") == before:
            return
        if message.door == "mention" and f"<@{self.directory.bot}" not in before:
            await self._hear(message, {**body, "event": inner}, inner)
        elif await self.journal.heard(message.id):
            await self.answer({**body, "event": inner}, EDITED)

    async def deleted(self, delivery: Delivery, body: Body) -> None:
        event = body["event"]
        before = event.get("previous_message") or {}
        by = await self.directory.person(str(before["user"])) if before.get("user") else Person("", "somebody")
        ts = event.get("deleted_ts") or before.get("ts")
        await self.desk.withdraw(f"{event['channel']}:{ts}", by, f"stop:{delivery.key}", deleted=True)

    async def reacted(self, delivery: Delivery, body: Body) -> None:
        event, item = body["event"], body["event"].get("item") or {}
        if item.get("type") != "message":
            return
        by, id = await self.directory.person(str(event["user"])), f"{item['channel']}:{item['ts']}"
        if event.get("reaction") == "x":
            await self.answer(body, await self._crossed(id, item, by, delivery))
            return
        if not any(t.reaction == event.get("reaction") for agent in self.desk.agents for t in agent.triggers):
            return
        said = await call(self.client.conversations_replies(channel=item["channel"], ts=item["ts"], limit=1, inclusive=True))
        for message in (said.get("messages") or [])[:1]:
            inner = {**message, "channel": item["channel"], "user": message.get("user") or event["user"]}
            if heard := parse.message(inner, self.directory.team, self.directory.bot):
                await self.answer(body, await self.desk.hear(await self._marked(heard, message, str(event["reaction"]), by)))

    async def _marked(self, message: Message, said: Body, name: str, by: Person) -> Message:
        """What a reaction asks for. The words it stands under are somebody else's, so the agent is given them as a quote."""
        marked = await backfill.quote(said, self.directory)
        text = f"Look at what {line(marked.author)} wrote at {time.strftime('%H:%M UTC', time.gmtime(marked.at))}, and deal with it."
        return replace(
            message, id=f"reaction:{name}:{message.id}", door="reaction", name=name, author=by, root=False, text=text, at=clock.now()
        )

    async def _crossed(self, id: str, item: Body, by: Person, delivery: Delivery) -> str:
        if post := await self.journal.post_at(item["channel"], item["ts"]):
            session = await self.room.store.load(post.session_id) if post.session_id else None
            return await self.desk.stop(session, by, f"stop:{delivery.key}") if session and not session.over else ""
        return await self.desk.withdraw(id, by, f"stop:{delivery.key}", deleted=False)

    async def commanded(self, delivery: Delivery, body: Body) -> None:
        by = await self.directory.person(str(body["user_id"]), {"user_team": body.get("team_id")})
        text = await self.directory.named(parse.plain(str(body.get("text") or "")))
        message = Message(
            delivery.key, "", str(body["channel_id"]), by, text, "command", clock.now(), name=str(body["command"]),
            channel_name=str(body.get("channel_name") or ""),
        )  # fmt: skip
        if message.name == manifest.OWN["command"] and (wish := scheduled(text)):
            return await self._timed(replace(message, thread=parse.thread(self.directory.team, message.channel, "")), body, *wish)
        if message.name == manifest.OWN["command"]:
            press = Press(delivery.key, "", text, by, str(body.get("trigger_id") or ""), delivery.at)
            return await self.answer(body, await buttons.commanded(press, self.room))
        said = await self.desk.hear(message)
        await self.answer(body, said or f"On it: the answer comes in a thread here, for `{message.name} {mrkdwn(text, 100)}`.")

    async def _press(self, delivery: Delivery, body: Body, name: str, value: str) -> Press:
        by = await self.directory.person(str(body["user"]["id"]), {"user_team": body["user"].get("team_id")})
        return Press(delivery.key, name, value, by, str(body.get("trigger_id") or ""), delivery.at)

    async def pressed(self, delivery: Delivery, body: Body) -> None:
        for action in body.get("actions") or ():
            press = await self._press(delivery, body, str(action.get("action_id", "")).partition(":")[0], parse.chosen(action))
            if handler := buttons.PRESSED.get(press.name):
                await self.answer(body, await handler(press, self.room))
        if (body.get("view") or {}).get("type") == "home":
            await self.homes.touched(str(body["user"]["id"]))

    async def sent(self, delivery: Delivery, body: Body) -> None:
        view = body["view"]
        press = await self._press(delivery, body, str(view.get("callback_id")), str(view.get("private_metadata") or ""))
        if handler := buttons.SENT.get(press.name):
            said = await handler(replace(press, values=parse.values(view)), self.room)
            await self.answer({**body, **await self._place(press.value)}, said)

    async def _place(self, about: str) -> Body:
        """Where a form was opened, which Slack does not say again."""
        with contextlib.suppress(LookupError):
            channel, ts = parse.place((await self.room.store.load(about.split(" ")[0])).thread)
            return {"channel": {"id": channel}, "container": {"thread_ts": ts}}
        return {"channel": {"id": json.loads(about)["channel"]}} if about.startswith("{") else {}

    async def shortcut(self, delivery: Delivery, body: Body) -> None:
        message, channel, name = body.get("message") or {}, body["channel"]["id"], str(body.get("callback_id"))
        press = await self._press(delivery, body, name, "")
        found = [t.shortcut for agent in self.desk.agents for t in agent.triggers if t.shortcut and t.shortcut.callback == name]
        if not found:
            await self.answer(
                body, f"No agent answers the shortcut {name!r} any more. Whoever runs Frontdesk can update the app's manifest."
            )
            return
        root = str(message.get("thread_ts") or message.get("ts"))
        about = {"name": name, "channel": channel, "ts": message.get("ts"), "thread": parse.thread(self.directory.team, channel, root)}
        about["place"] = str(body["channel"].get("name") or channel)
        author = (
            (await self.directory.person(str(message["user"]))).name if message.get("user") else str(message.get("username") or "Somebody")
        )
        quote = (await self.directory.named(parse.plain(parse.words(message))))[:2500]
        await self.answer(body, await buttons.opened(press, self.room, name, about, found[0].name, quote, author))

    async def halted(self, delivery: Delivery, body: Body) -> None:
        event = body["event"]
        by = await self.directory.person(str(event["user"]))
        thread = parse.thread(self.directory.team, str(event["channel"]), str(event["thread_ts"]))
        await self.answer(body, await self.desk.halt(thread, by, f"stop:{delivery.key}"))

    async def entered(self, delivery: Delivery, body: Body) -> None:
        event = body["event"]
        if event.get("tab") != "messages":
            return await self.homes.opened(str(event["user"]))
        prompts = manifest.prompts(self.desk.agents_for(await self.directory.person(str(event["user"]))))
        try:
            if prompts:
                await call(self.client.assistant_threads_setSuggestedPrompts(channel_id=event["channel"], prompts=prompts, thread_ts=None))
        except SlackApiError as error:
            log.warning("not_shown", extra={"action": "not_shown", "tab": event.get("tab"), "error": error_of(error)})

    async def changed(self, delivery: Delivery, body: Body) -> None:
        user = body["event"].get("user") or {}
        self.directory.forget(str(user.get("id") if isinstance(user, dict) else user))

    async def joined(self, delivery: Delivery, body: Body) -> None:
        """A private channel has a name for us only from then on."""
        if body["event"].get("user") == self.directory.bot:
            await self.moved(delivery, body)

    async def moved(self, delivery: Delivery, body: Body) -> None:
        self.directory.renamed()
        await self.renamed()
