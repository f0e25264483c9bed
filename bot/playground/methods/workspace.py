"""auth.test, team.info and apps.connections.open."""

from ..things import Json
from ..world import APP, World

NAME = "Frontdesk Playground"


def test(world: World, args: Json) -> Json:
    return {
        "url": f"https://{world.domain}.slack.com/", "team": NAME, "user": world.bot.name, "team_id": world.team,
        "user_id": world.bot.id, "bot_id": world.bot.bot_id, "is_enterprise_install": False,
    }  # fmt: skip


def team(world: World, args: Json) -> Json:
    return {
        "team": {"id": world.team, "name": NAME, "domain": world.domain, "email_domain": "example.com", "icon": {"image_default": True}}
    }


def connect(world: World, args: Json) -> Json:
    url = world.url.replace("http://", "ws://", 1)
    return {"url": f"{url}/link/?ticket={world.hub.ticket()}&app_id={APP}"}
