"""The stand-in for Slack: one workspace on loopback, its Web API and Socket Mode, and the people in it."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

from aiohttp import web

from .click import Click
from .faults import Faults, Trouble
from .feed import Feed
from .limits import Rates
from .sight import Sight
from .socket import Hub
from .talk import Talk
from .things import Channel, Group, Json, Person
from .visit import Visit
from .web import Server
from .world import OTHER_TEAM, TEAM, World

MEMBERS = ("ana", "ben", "carla", "frontdesk")


class Slack(Talk, Click, Visit, Sight, Trouble):
    """`async with Slack() as slack:` serves at `slack.url` till the block is left.

    `rates` multiplies Slack's rate limits; None turns them off. `manifest` (an app manifest as a dict) says which events,
    commands, shortcuts and scopes the app has; without it, all. `ack_seconds` is how long an acknowledgement may take (an event
    that is not acknowledged comes again then, after a minute, and after five; at once with less than Slack's 3 seconds), and
    `stream_seconds` how long a stream lives. `team` is the workspace's id, for a second one. `routes` are served beside Slack's own.
    """

    def __init__(
        self, port: int = 0, *, manifest: Json | None = None, rates: float | None = 1.0, ack_seconds: float = 3.0,
        stream_seconds: float = 300.0, team: str = TEAM, routes: Sequence[web.AbstractRouteDef] = (),
    ) -> None:  # fmt: skip
        feed = Feed()
        self.world = World(feed, Hub(feed, ack_seconds), Rates(rates), team)
        self.world.stream_seconds = stream_seconds
        self.faults = Faults()
        self.server = Server(self.world, self.faults)
        self.routes: list[web.AbstractRouteDef] = list(routes)
        self._port = port
        self._runner: web.AppRunner | None = None
        settle(self.world)
        if manifest is not None:
            apply(self.world, manifest)

    @property
    def url(self) -> str:
        """The base URL for the Web API, with a slash at the end."""
        return self.world.url + "/api/"

    @property
    def bot_token(self) -> str:
        return self.world.bot_token

    @property
    def app_token(self) -> str:
        return self.world.app_token

    @property
    def bot(self) -> str:
        """The user id of the app's bot."""
        return self.world.bot.id

    @property
    def team(self) -> str:
        return self.world.team

    @property
    def scopes(self) -> set[str]:
        """What the bot's token may do; change it as you like."""
        return self.world.scopes

    @property
    def emoji(self) -> set[str]:
        """The names of the workspace's own emoji; change it as you like."""
        return self.world.emoji

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 28)
        app.add_routes([*self.server.routes(), *self.routes])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.world.url = f"http://127.0.0.1:{self._port}"

    async def stop_serving(self) -> None:
        await self.world.hub.close()
        self.world.feed.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop_serving()

    def add_person(self, name: str, **traits: Any) -> Person:
        """Somebody new; traits as in Person: is_admin, is_restricted, is_stranger, team_id, is_bot and bot_id …"""
        return self.world.add_person(name, **traits)

    def add_channel(self, name: str, members: Iterable[str] = MEMBERS, *, private: bool = False, shared: bool = False) -> Channel:
        """A new channel with these members; `shared` with another company."""
        return self.world.add_channel(name, members, kind="group" if private else "channel", is_ext_shared=shared)

    def add_group(self, handle: str, users: Iterable[str]) -> Group:
        return self.world.add_group(handle, users)

    def user(self, name: str) -> str:
        """A person's id."""
        return self.world.person(name).id

    def channel(self, name: str) -> str:
        """A channel's id."""
        return self.world.channel(name).id

    def dm(self, name: str) -> str:
        """The id of the direct messages between a person and the bot."""
        return self.world.dm(self.world.person(name)).id


def settle(world: World) -> None:
    """The people, channels and groups that every workspace begins with."""
    for name in ("ana", "ben"):
        world.add_person(name)
    world.add_person("carla", is_admin=True)
    world.add_person("dan", is_restricted=True)
    world.add_person("eve", team_id=OTHER_TEAM, is_stranger=True)
    world.add_person("deploybot", is_bot=True, bot_id="B0DEPLOYBOT", app_id="A0DEPLOYBOT")
    world.add_channel("general", (*MEMBERS, "dan", "deploybot"))
    for name in ("reviews", "triage"):
        world.add_channel(name, (*MEMBERS, "deploybot"))
    world.add_channel("random", MEMBERS)
    world.add_channel("secret", ("ana", "ben", "carla"), kind="group")
    world.add_channel("partners", (*MEMBERS, "eve"), is_ext_shared=True)
    world.add_group("platform", ("carla", "ben"))
    world.add_group("oncall", ("ben",))


def apply(world: World, manifest: Json) -> None:
    """Take the app as its manifest has it: events, commands, shortcuts, scopes, and whether it is an agent."""
    features, settings = manifest.get("features") or {}, manifest.get("settings") or {}
    scopes = ((manifest.get("oauth_config") or {}).get("scopes") or {}).get("bot")
    world.events = set((settings.get("event_subscriptions") or {}).get("bot_events") or ())
    world.commands = {each["command"] for each in features.get("slash_commands") or ()}
    world.shortcuts = {each["callback_id"]: each["type"] for each in features.get("shortcuts") or ()}
    world.scopes = set(scopes or ())
    world.agent = bool(features.get("agent_view"))
