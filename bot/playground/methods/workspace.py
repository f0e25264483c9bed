"""auth.test and apps.connections.open."""

from ..things import Json
from ..world import APP, DOMAIN, TEAM, World


def test(world: World, args: Json) -> Json:
    return {
        "url": f"https://{DOMAIN}.slack.com/", "team": "Frontdesk Playground", "user": world.bot.name, "team_id": TEAM,
        "user_id": world.bot.id, "bot_id": world.bot.bot_id, "is_enterprise_install": False,
    }  # fmt: skip


def connect(world: World, args: Json) -> Json:
    url = world.url.replace("http://", "ws://", 1)
    return {"url": f"{url}/link/?ticket={world.hub.ticket()}&app_id={APP}"}
