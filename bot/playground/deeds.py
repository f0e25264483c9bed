"""What comes from the page, done in the stand-in as the person who is acted for."""

import re
from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from .choice import Invalid
from .scene import HOME, MESSAGES
from .things import Json

if TYPE_CHECKING:
    from .slack import Slack
    from .talk import Upload

COMMAND = re.compile(r"(/[A-Za-z][\w-]*)(?:\s+(.*))?$", re.S)


class Deeds:
    """One method a deed; each takes who does it and the page's JSON, and returns JSON. Raises ValueError with words for the person."""

    def __init__(self, slack: "Slack") -> None:
        self.slack = slack
        self.known: dict[str, Callable[[str, Json], Awaitable[Json | None]]] = {
            "open": self.open, "say": self.say, "edit": self.edit, "delete": self.delete, "react": self.react, "press": self.press,
            "submit": self.submit, "close": self.close, "shortcut": self.shortcut, "stop": self.stop, "invite": self.invite,
            "suggest": self.suggest, "retitle": self.retitle,
        }  # fmt: skip

    async def do(self, name: str, by: str, body: Json) -> Json:
        """{} or what the deed has to say; {"error": …} or {"errors": {block: …}} where Slack would not let a person do it."""
        if name not in self.known:
            return {"error": f"there is no deed {name!r}"}
        try:
            return await self.known[name](by, body) or {}
        except Invalid as wrong:
            return {"errors": wrong.errors}
        except KeyError as missing:
            return {"error": f"{name}: {missing} is missing, or not there any more"}
        except ValueError as wrong:
            return {"error": str(wrong)}
        except (TypeError, AttributeError) as wrong:
            return {"error": f"{name}: something in it is not of the right kind ({wrong})"}

    async def open(self, by: str, body: Json) -> None:
        if body["tab"] == HOME:
            await self.slack.open_home(by)
        elif body["tab"] == MESSAGES:
            await self.slack.open_messages(by)

    async def say(self, by: str, body: Json) -> Json:
        text, channel, thread = _typed(body.get("text")), str(body["channel"]), str(body.get("thread") or "")
        files: list[Upload] = body.get("files") or []
        command = COMMAND.match(text)
        if command and not files:
            await self.slack.command(command[1], command[2] or "", by, channel, thread or None)
            return {}
        if not text and not files:
            raise ValueError("there is nothing to send yet")
        message = await self.slack.say(self._live(text), by, channel, thread or None, files)
        return {"ts": message["ts"], "channel": message["channel"]}

    def _live(self, text: str) -> str:
        """The bot is mentioned by the name that people see, however they write it."""
        bot = self.slack.world.bot
        return re.sub(rf"(?<!\w)@{re.escape(bot.name)}\b", f"<@{bot.id}>", text, flags=re.IGNORECASE)

    async def edit(self, by: str, body: Json) -> None:
        await self.slack.edit(self._own(by, body), self._live(_typed(body["text"])))

    async def delete(self, by: str, body: Json) -> None:
        await self.slack.delete(self._own(by, body))

    def _own(self, by: str, body: Json) -> Json:
        message = self.slack.message(body["surface"])
        if message.get("user") != by:
            raise ValueError("people can change their own messages only")
        return message

    async def react(self, by: str, body: Json) -> None:
        """The reaction comes, or goes when it is there already."""
        message, name = self.slack.message(body["surface"]), str(body["name"])
        mine = any(each["name"] == name and by in each["users"] for each in message.get("reactions", []))
        await (self.slack.unreact if mine else self.slack.react)(message, name, by)

    async def press(self, by: str, body: Json) -> None:
        surface, values = body["surface"], body.get("values") or {}
        if values:
            await self.slack.fill(surface, _filled(values), by)
        block = str(body.get("block") or "")
        await self.slack.press(surface, str(body["action"]), by, body.get("value"), block)

    async def submit(self, by: str, body: Json) -> Json:
        """What the app answered; a form that is not complete, or that the app finds wrong, comes back with `errors`."""
        ack = await self.slack.submit(body["surface"], _filled(body.get("values") or {}), by)
        if ack.get("response_action") == "errors":
            return {"errors": ack["errors"]}
        return {"error": "We had some trouble connecting. Try again?"} if ack.get("error") else {}

    async def close(self, by: str, body: Json) -> None:
        await self.slack.close(body["surface"], by)

    async def shortcut(self, by: str, body: Json) -> None:
        surface = body.get("surface")
        await self.slack.shortcut(str(body["name"]), surface if surface and "ts" in surface else None, by)

    async def stop(self, by: str, body: Json) -> None:
        await self.slack.stop(str(body["channel"]), str(body["thread"]), by)

    async def invite(self, by: str, body: Json) -> None:
        await self.slack.invite(str(body["channel"]), by=by)

    async def suggest(self, by: str, body: Json) -> Json:
        """The options that the app has for what was typed into an external menu."""
        found = await self.slack.suggest(
            body["surface"], str(body["action"]), str(body.get("text") or ""), by, str(body.get("block") or "")
        )
        return {"options": found}

    async def retitle(self, by: str, body: Json) -> None:
        title = _typed(body["title"])
        if not title:
            raise ValueError("a session needs a title")
        await self.slack.retitle(str(body["channel"]), str(body["thread"]), title, by)


def _typed(text: object) -> str:
    return str(text or "").replace("\r\n", "\n").strip()  # forms with files have the line ends of mail


def _filled(values: Json) -> Json:
    """What was filled in, by block_id; {"rich": text} is the text of a rich_text_input, {"files": [{name, data: base64}]} files."""
    return {name: _held(value) for name, value in values.items()}


def _held(value: Any) -> Any:
    if isinstance(value, dict) and "rich" in value:
        return _rich(value["rich"])
    if isinstance(value, dict) and "files" in value:
        return [(str(each["name"]), b64decode(each["data"])) for each in value["files"]]
    return value


def _rich(text: str) -> Any:
    if not text:
        return None
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}]}
