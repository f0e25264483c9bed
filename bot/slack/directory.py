"""Who and what there is in the workspace: people, channels and user groups, looked up and remembered for a while."""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import BotError
from bot.message import Kind, Person
from bot.slack.calls import call, error_of

log = logging.getLogger(__name__)
ID = re.compile(r"(?<!\w)@([UW](?=[A-Z]*\d)[A-Z0-9]{4,})\b")
MENTIONS = 20  # people whose names are looked up for one text
FRESH = 600.0  # seconds that what was looked up is believed
SOON = 0.5  # seconds that a message waits for the name of its channel, and a form for those of the admins
PAGES = 10  # of 1,000 people each, among whom admins are looked for
STRANGE = {"user_not_found", "users_not_found", "user_not_visible"}  # said of a person; all else is said of us
SHARED = ("is_shared", "is_ext_shared", "is_pending_ext_shared")  # with another company, or soon


@dataclass(frozen=True, slots=True)
class Room:
    """Who reads a channel: `public` says that everybody here may, `ours` that nobody else does. Neither where Slack has not `told`."""

    public: bool = False
    ours: bool = False
    told: bool = False


UNTOLD, OURS = Room(), Room(ours=True, told=True)


class Directory:
    """`ids` maps the names that agents' files use (#reviews, @platform) to Slack's ids."""

    def __init__(self, client: AsyncWebClient) -> None:
        self.client = client
        self.team = self.bot = self.bot_id = self.site = ""
        self.ids: dict[str, str] = {}
        self._people: dict[str, tuple[float, dict[str, Any]]] = {}
        self._names: dict[str, str] = {}
        self._rooms: dict[str, tuple[float, Room]] = {}
        self._asking: dict[str, asyncio.Task[Any]] = {}
        self._members: dict[str, frozenset[str]] = {}
        self._admins: tuple[float, list[str]] = (0.0, [])

    async def whoami(self) -> None:
        """Raises SlackApiError for a token that Slack does not know."""
        said = await self.client.auth_test()
        self.team, self.bot, self.bot_id, self.site = (str(said.get(key) or "") for key in ("team_id", "user_id", "bot_id", "url"))

    async def resolve(self, names: Iterable[str]) -> None:
        """Look up these names again; one that is not found is no longer in `ids`.

        Raises BotError where Slack does not say; of a group whose people it does not tell, those count whom it told before.
        """
        try:
            await self._resolve(names)
        except SlackApiError as error:
            raise BotError(f"Slack does not tell which channels and groups there are ({error_of(error)}).") from error

    async def _resolve(self, names: Iterable[str]) -> None:
        wanted = set(names)
        found: dict[str, str] = {}
        if any(name.startswith("#") for name in wanted):
            found |= await self._channels()
        if any(name.startswith("@") for name in wanted):
            found |= await self._groups()
        ids = {name: found[name] for name in wanted if name in found}
        members, untold = dict[str, frozenset[str]](), list[SlackApiError]()
        for id in (id for name, id in sorted(ids.items()) if name.startswith("@")):
            try:
                members[id] = frozenset((await call(self.client.usergroups_users_list(usergroup=id))).get("users") or ())
            except SlackApiError as error:
                members[id] = self._members.get(id, frozenset())
                untold.append(error)
        self.ids, self._members = ids, members  # at once: nobody loses a right meanwhile
        for name in sorted(wanted - self.ids.keys()):
            what = "channel" if name.startswith("#") else "user group"
            log.warning(f"An agent's file names {name}, but no {what} is called that.", extra={"action": "name_unknown"})
        if untold:
            raise untold[0]  # so that it is asked again, and only now: no other name has to suffer for it

    async def place(self, name: str) -> str:
        """The id of a channel that may stand there by its name; empty where there is none of that. Raises SlackApiError."""
        if not name.startswith("#"):
            return name
        return self.ids.get(name) or (await self._channels()).get(name, "")

    async def _channels(self) -> dict[str, str]:
        found, cursor = {}, ""
        while True:
            said = await call(
                self.client.conversations_list(types="public_channel,private_channel", exclude_archived=True, limit=1000, cursor=cursor)
            )
            for channel in said.get("channels") or ():
                found[f"#{channel.get('name')}"] = str(channel["id"])
                self._note(channel)
            cursor = (said.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return found

    async def _groups(self) -> dict[str, str]:
        said = await call(self.client.usergroups_list())
        return {f"@{group.get('handle')}": str(group["id"]) for group in said.get("usergroups") or ()}

    def forget(self, user: str) -> None:
        self._people.pop(user, None)

    async def person(self, id: str, hints: Mapping[str, Any] | None = None) -> Person:
        """Somebody by id. `hints` is the event, whose teams tell who comes from elsewhere. Whom Slack does not know is external.

        Raises SlackApiError where another try may help.
        """
        hints = hints or {}
        user = await self._user(id)
        groups = frozenset(group for group, members in self._members.items() if id in members)
        return Person(id, _called(user) or str(hints.get("username") or id), self._kind(user, hints), groups)

    def written(self, text: str) -> str:
        """The same with names, as agents' files write them, where those ids stand."""
        for name, id in self.ids.items():
            text = text.replace(id, name)
        return text

    async def admins(self) -> list[str]:
        """Their names, as far as Slack tells them soon."""
        if time.monotonic() - self._admins[0] > FRESH or not self._admins[1]:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SOON):
                    await self._once("admins", self._look_round)
        return self._admins[1]

    async def _look_round(self) -> None:
        found, cursor = list[str](), ""
        with contextlib.suppress(SlackApiError):
            for _ in range(PAGES):
                said = await call(self.client.users_list(limit=1000, cursor=cursor))
                people = [user for user in said.get("members") or () if not user.get("deleted")]
                found += [_called(user) for user in people if self._kind(user, {}) == "admin"]
                if not (cursor := (said.get("response_metadata") or {}).get("next_cursor") or ""):
                    break
        self._admins = (time.monotonic(), found)

    async def zone(self, id: str) -> str:
        """Somebody's time zone, such as Europe/Berlin. Raises SlackApiError as `person` does."""
        return str((await self._user(id)).get("tz") or "UTC")

    async def named(self, text: str) -> str:
        """The same with people's names where only ids stand; an id stays where its name cannot be had."""
        for id in list(dict.fromkeys(ID.findall(text)))[:MENTIONS]:
            with contextlib.suppress(SlackApiError):
                text = re.sub(rf"@{id}\b", f"@{(await self.person(id)).name}".replace("\\", ""), text)
        return text

    def _kind(self, user: Mapping[str, Any], hints: Mapping[str, Any]) -> Kind:
        teams = {str(hints.get(key)) for key in ("user_team", "team", "source_team") if hints.get(key)} | {
            str(user.get("team_id") or self.team)
        }
        if user.get("is_bot") and not user.get("is_workflow_bot"):
            return "bot"
        if user.get("unknown") or user.get("is_stranger") or (self.team and teams - {self.team}):
            return "external"
        if user.get("is_restricted") or user.get("is_ultra_restricted"):
            return "guest"
        return "admin" if user.get("is_admin") or user.get("is_owner") else "member"

    async def _user(self, id: str) -> dict[str, Any]:
        at, user = self._people.get(id, (0.0, {}))
        if time.monotonic() - at < FRESH and user:
            return user
        try:
            user = dict((await self._once(id, lambda: call(self.client.users_info(user=id)))).get("user") or {"id": id})
        except SlackApiError as error:
            if error_of(error) not in STRANGE:
                raise  # who somebody is must not be guessed because Slack was busy, or has taken a right from us
            log.warning("person_unknown", extra={"action": "person_unknown", "error": error_of(error)})
            return {"id": id, "unknown": True}
        self._people[id] = (time.monotonic(), user)
        return user

    async def channel(self, id: str) -> str:
        """A channel's name; its id where it has none, may not be seen, or is not told soon: nobody waits long for a name."""
        if id not in self._names and not id.startswith("D"):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SOON):
                    await self._once(id, lambda: self._learn(id))
        return self._names.get(id, id)

    async def room(self, id: str) -> Room:
        """Who reads a channel."""
        at, room = self._rooms.get(id, (0.0, UNTOLD))
        if room.told and time.monotonic() - at < FRESH:
            return room
        self._rooms.pop(id, None)
        await self._once(id, lambda: self._learn(id))
        return self._rooms.get(id, (0.0, UNTOLD))[1]

    async def _learn(self, id: str) -> None:
        with contextlib.suppress(SlackApiError):
            self._note({"id": id, **((await call(self.client.conversations_info(channel=id))).get("channel") or {})})

    def _note(self, channel: Mapping[str, Any]) -> None:
        """What Slack says of a channel."""
        id, public = str(channel["id"]), bool(channel.get("is_channel")) and not channel.get("is_private", True)
        self._names[id] = str(channel.get("name") or id)
        self._rooms[id] = (time.monotonic(), Room(public, not any(channel.get(key) for key in SHARED), told=True))

    async def _once(self, id: str, ask: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """What Slack says; a crowd that asks the same at the same time is one call."""
        if id not in self._asking:
            self._asking[id] = asyncio.create_task(ask())
            self._asking[id].add_done_callback(lambda _: self._asking.pop(id))
        return await asyncio.shield(self._asking[id])

    def renamed(self) -> None:
        self._names.clear()


def _called(user: Mapping[str, Any]) -> str:
    """A person's name; empty where they have none."""
    return str((user.get("profile") or {}).get("display_name") or user.get("real_name") or user.get("name") or "")
