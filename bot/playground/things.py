"""What a workspace is made of: people, channels, groups, files, views, streams, and what threads show."""

import re
import time
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
OFFSET = 3600  # of everybody's clock to UTC, in seconds


@dataclass(slots=True)
class Person:
    """Somebody with a user id; `team_id` differs from the workspace's for people of another company."""

    id: str
    name: str
    team_id: str
    is_admin: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_bot: bool = False
    bot_id: str = ""
    app_id: str = ""
    deleted: bool = False
    tz: str = "Europe/Berlin"

    @property
    def email(self) -> str:
        return f"{self.name.lower()}@example.com"

    def card(self) -> Json:
        """What a message in a shared channel tells of its author."""
        return {
            "avatar_hash": "", "image_72": "", "first_name": self.name.title(), "real_name": self.name.title(), "display_name": self.name,
            "team": self.team_id, "name": self.name, "is_restricted": self.is_restricted, "is_ultra_restricted": self.is_ultra_restricted,
        }  # fmt: skip

    def shown(self) -> Json:
        title = self.name.title()
        profile = {"real_name": title, "display_name": self.name, "email": self.email, "team": self.team_id}
        if self.is_bot:
            profile |= {"bot_id": self.bot_id, "api_app_id": self.app_id}
        if self.is_restricted:
            profile["guest_invited_by"] = "U0CARLA"
        return {
            "id": self.id, "team_id": self.team_id, "name": self.name, "real_name": title, "deleted": self.deleted,
            "tz": self.tz, "tz_label": "Central European Time", "tz_offset": OFFSET, "is_admin": self.is_admin, "is_owner": False,
            "is_primary_owner": False, "is_restricted": self.is_restricted, "is_ultra_restricted": self.is_ultra_restricted,
            "is_stranger": self.is_stranger, "is_bot": self.is_bot, "is_app_user": False, "updated": 1700000000, "profile": profile,
        }  # fmt: skip


@dataclass(slots=True)
class Channel:
    """A place to talk; `messages` by ts in the order of posting, `roots` the ts of those that the channel itself shows.

    `threads` has the replies' ts by the root's ts. All three are in order, so that a page of them is found without a walk.
    """

    id: str
    name: str
    kind: str = "channel"  # channel, group (private) or im
    members: dict[str, None] = field(default_factory=dict)
    is_ext_shared: bool = False
    is_pending_ext_shared: bool = False  # another company is invited, and has not come yet
    is_archived: bool = False
    partners: list[str] = field(default_factory=list)  # the other companies' workspaces that share it
    user: str = ""  # of an im: the person on the other side
    messages: dict[str, Json] = field(default_factory=dict)
    roots: list[str] = field(default_factory=list)
    threads: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_private(self) -> bool:
        return self.kind != "channel"

    @property
    def family(self) -> str:
        """The word that scopes and subscriptions use: channels, groups or im."""
        return {"channel": "channels", "group": "groups", "im": "im"}[self.kind]

    def shown(self, bot: str, team: str) -> Json:
        if self.kind == "im":
            return {
                "id": self.id, "created": 1700000000, "is_archived": False, "is_im": True, "is_org_shared": False,
                "user": self.user, "is_user_deleted": False, "priority": 0, "context_team_id": team,
            }  # fmt: skip
        return {
            "id": self.id, "name": self.name, "name_normalized": self.name, "is_channel": self.kind == "channel",
            "is_group": self.kind == "group", "is_im": False, "is_mpim": False, "is_private": self.is_private, "created": 1700000000,
            "is_archived": self.is_archived, "is_general": self.name == "general", "is_shared": self.is_ext_shared,
            "is_ext_shared": self.is_ext_shared, "is_org_shared": False, "is_pending_ext_shared": self.is_pending_ext_shared,
            "is_member": bot in self.members, "context_team_id": team, "shared_team_ids": [team, *self.partners],
            "connected_team_ids": self.partners, "internal_team_ids": [], "conversation_host_id": team, "creator": "U0CARLA",
            "num_members": len(self.members),
            "topic": {"value": "", "creator": "", "last_set": 0}, "purpose": {"value": "", "creator": "", "last_set": 0},
            "previous_names": [],
        }  # fmt: skip


@dataclass(slots=True)
class Group:
    """A user group, such as @platform."""

    id: str
    handle: str
    users: list[str]

    def shown(self, team: str, users: bool) -> Json:
        more = {"users": list(self.users)} if users else {}
        return {
            "id": self.id, "team_id": team, "is_usergroup": True, "name": self.handle.title(), "description": "", "handle": self.handle,
            "is_external": False, "date_create": 1700000000, "date_update": 1700000000, "date_delete": 0,
            "auto_type": None, "created_by": "U0CARLA", "user_count": len(self.users), **more,
        }  # fmt: skip


@dataclass(slots=True)
class View:
    """A modal or an App Home as a person has it before them; `body` is what Slack gives out, without its state."""

    id: str
    user: str
    body: Json
    state: dict[str, Json] = field(default_factory=dict)

    @property
    def type(self) -> str:
        return str(self.body["type"])

    def shown(self) -> Json:
        return {**self.body, "state": {"values": self.state}}


@dataclass(slots=True)
class File:
    """An uploaded file; `shared` once it is in a channel, `url` where the stand-in serves it."""

    id: str
    name: str
    url: str
    user: str
    content: bytes = b""
    mimetype: str = "application/octet-stream"
    title: str = ""
    channels: list[str] = field(default_factory=list)
    uploaded: bool = False
    length: int = 0  # of what is to be uploaded

    def shown(self) -> Json:
        ending = re.search(r"\.(\w{1,8})$", self.name)
        kind = ending[1].lower() if ending else "text"
        return {
            "id": self.id, "created": 1700000000, "timestamp": 1700000000, "name": self.name, "title": self.title or self.name,
            "mimetype": self.mimetype, "filetype": kind, "pretty_type": kind.upper(), "user": self.user, "size": len(self.content),
            "mode": "hosted", "is_external": False, "is_public": True, "url_private": self.url, "url_private_download": self.url + "?dl=1",
            "permalink": self.url, "channels": list(self.channels), "file_access": "visible",
        }  # fmt: skip


@dataclass(slots=True)
class Stream:
    """A message that is being streamed; `mode` is locked by the first call that brings text."""

    channel: str
    ts: str
    thread: str
    expires: float  # monotonic
    mode: str = ""  # markdown or chunks
    display: str = "timeline"
    parts: list[Json] = field(default_factory=list)  # blocks in the order of their first appearance
    state: str = "live"  # live, done, stopped (by the person)
    reader: str = ""  # in a channel, the one person who sees it grow
    first: Json = field(default_factory=dict)  # what the others see till it is done

    @property
    def live(self) -> bool:
        return self.state == "live" and time.monotonic() < self.expires


@dataclass(slots=True)
class Slot:
    """What a thread shows beside its messages: the free status text, and the agent session."""

    text: str = ""
    loading: list[str] = field(default_factory=list)
    expires: float = 0.0  # monotonic: the text goes by itself
    session: str = ""  # "", active, processing, suspended, closed
    title: str = ""


@dataclass(slots=True)
class Trigger:
    """A trigger_id: who may be shown a modal, once, and until when."""

    user: str
    expires: float  # monotonic
    view: str = ""  # the modal that it came from
    used: bool = False


@dataclass(slots=True)
class Hook:
    """A response_url: where its answers go, and how often it may still be used."""

    channel: str
    user: str
    expires: float  # monotonic
    ts: str = ""  # the message it came from, "" for a command
    thread: str = ""
    ephemeral: bool = False
    left: int = 5
