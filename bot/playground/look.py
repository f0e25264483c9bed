"""How things of the stand-in look to people: who wrote a message, who replied, what its author typed, which sessions there are."""

import re

from .mrkdwn import Texts
from .things import Channel, Json, Person
from .words import unescape
from .world import World

ENTITY = re.compile(r"<([@#!])(?:subteam\^)?([^<>|]+)(?:\|[^<>]*)?>|<((?:https?|mailto):[^<>|]+)(?:\|[^<>]*)?>")
FACES = 5
RECENT = 30  # replies among which the faces are looked for
UNTITLED = "Untitled session"


def author(world: World, texts: Texts, message: Json) -> Json:
    app = bool(message.get("bot_id")) and not message.get("system")
    user = str(message.get("user") or "")
    name = message.get("username") or (texts.name(user) if user else "") or "unknown"
    own = not app and user in world.people
    return {"name": "Slackbot" if user == "USLACKBOT" else name, "app": app, "own": own, "bot": app and user == world.bot.id}


def repliers(world: World, place: Channel, replies: list[str]) -> list[Json]:
    """Those who wrote the newest replies, each once: {name, bot}."""
    found: dict[str, Json] = {}
    for ts in reversed(replies[-RECENT:]):
        message = place.messages[ts]
        user = str(message.get("user") or message.get("bot_id") or "")
        person = world.people.get(user)
        found.setdefault(user, {"name": person.name if person else str(message.get("username") or "?"), "bot": person is world.bot})
    return list(found.values())[:FACES]


def editable(world: World, text: str) -> str:
    """A message's text as its author typed it."""

    def typed(found: re.Match[str]) -> str:
        mark, key, url = found.groups()
        if url:
            return str(url)
        person, place, group = world.people.get(key), world.channels.get(key), world.groups.get(key)
        return (mark if mark != "!" else "@") + (person.name if person else place.name if place else group.handle if group else key)

    return unescape(ENTITY.sub(typed, text))


def sessions(world: World, person: Person) -> list[Json]:
    """The agent sessions in this person's places, newest first: {place, name, thread, title, state}."""
    found = [
        {"place": "messages" if place.kind == "im" else place.id, "name": "" if place.kind == "im" else place.name,
         "channel": place.id, "thread": thread, "title": slot.title or UNTITLED, "state": slot.session}
        for (key, thread), slot in world.slots.items()
        if slot.session and (place := world.channels[key]) and person.id in place.members and thread in place.messages
    ]  # fmt: skip
    return sorted(found, key=lambda each: str(each["thread"]), reverse=True)
