"""The Web API's methods: what each needs, how often it may be called, and the function that does it."""

from collections.abc import Callable
from dataclasses import dataclass

from ..limits import SPECIAL, TIER_2, TIER_3, TIER_4, WORKSPACE_POSTS
from ..things import Json
from ..world import World
from . import agents, chat, conversations, files, kit, reactions, streams, users, views, workspace

__all__ = ["METHODS", "Method"]


@dataclass(frozen=True, slots=True)
class Method:
    """`run` gives the answer without its `ok`, or raises Refusal; `scope` is "" where none is needed or `run` looks itself."""

    run: Callable[[World, Json], Json]
    limit: int  # calls in 60 seconds
    scope: str = ""
    app: bool = False  # takes the app's token, not the bot's
    free: bool = False  # takes none


METHODS: dict[str, Method] = {
    "auth.test": Method(workspace.test, SPECIAL),
    "apps.connections.open": Method(workspace.connect, TIER_3, app=True),
    "blocks.validate": Method(kit.validate, SPECIAL, free=True),
    "chat.postMessage": Method(chat.post_message, WORKSPACE_POSTS, "chat:write"),
    "chat.postEphemeral": Method(chat.post_ephemeral, TIER_4, "chat:write"),
    "chat.update": Method(chat.update, TIER_3, "chat:write"),
    "chat.delete": Method(chat.delete, TIER_3, "chat:write"),
    "chat.getPermalink": Method(chat.permalink, SPECIAL),
    "chat.startStream": Method(streams.start, TIER_2, "chat:write"),
    "chat.appendStream": Method(streams.append, TIER_4, "chat:write"),
    "chat.stopStream": Method(streams.stop, TIER_2, "chat:write"),
    "conversations.list": Method(conversations.listing, TIER_2),
    "conversations.info": Method(conversations.info, TIER_3),
    "conversations.members": Method(conversations.members, TIER_4),
    "conversations.history": Method(conversations.history, TIER_3),
    "conversations.replies": Method(conversations.replies, TIER_3),
    "conversations.open": Method(conversations.opened, TIER_3),
    "conversations.join": Method(conversations.join, TIER_3),
    "users.info": Method(users.info, TIER_4, "users:read"),
    "users.list": Method(users.listing, TIER_2, "users:read"),
    "users.lookupByEmail": Method(users.by_email, TIER_3, "users:read.email"),
    "bots.info": Method(users.bot, TIER_3, "users:read"),
    "team.info": Method(workspace.team, TIER_3, "team:read"),
    "users.conversations": Method(conversations.of_user, TIER_3),
    "usergroups.list": Method(users.groups, TIER_2, "usergroups:read"),
    "usergroups.users.list": Method(users.group_users, TIER_2, "usergroups:read"),
    "reactions.add": Method(reactions.add, TIER_3, "reactions:write"),
    "reactions.remove": Method(reactions.remove, TIER_2, "reactions:write"),
    "reactions.get": Method(reactions.get, TIER_3, "reactions:read"),
    "files.getUploadURLExternal": Method(files.upload_url, TIER_4, "files:write"),
    "files.completeUploadExternal": Method(files.complete, TIER_4, "files:write"),
    "files.info": Method(files.info, TIER_4, "files:read"),
    "views.open": Method(views.opened, TIER_4),
    "views.push": Method(views.pushed, TIER_4),
    "views.update": Method(views.updated, TIER_4),
    "views.publish": Method(views.published, TIER_4),
    "assistant.threads.setStatus": Method(agents.status, SPECIAL, "chat:write"),
    "assistant.threads.setTitle": Method(agents.title, TIER_4, "assistant:write"),
    "assistant.threads.setSuggestedPrompts": Method(agents.prompts, TIER_4, "assistant:write"),
    "agents.sessions.setStatus": Method(agents.session, TIER_3, "chat:write"),
    "agents.sessions.rename": Method(agents.rename, TIER_3, "chat:write"),
}
