"""What people do with the app's surfaces: press, choose, fill in, send; commands and shortcuts."""

from typing import Any

from . import choice as choices
from . import form, modals, payloads
from .choice import Choice
from .elements import CHOSEN, options, static_select
from .hooks import tell
from .refusal import Refusal
from .socket import Envelope
from .things import Channel, Hook, Json, Person, View
from .world import HOOK_SECONDS, World

TROUBLE = "We had some trouble connecting. Try again?"
LEAST_QUERY = 3


class Click:
    """Each waits for the app's acknowledgement (3 s at most) and returns the envelope.

    Raises ValueError where Slack's client would not let a person do it. An envelope whose state is not "acked" was not
    acknowledged in time; then Slack has told the person so (see `ephemerals`). Part of Slack.
    """

    world: World

    async def command(
        self, name: str, text: str = "", by: str = "ana", channel: str = "general", thread: str | Json | None = None
    ) -> Envelope:  # fmt: skip
        """A slash command; what the acknowledgement says is shown to the person, or to all with response_type in_channel."""
        person, place = self.world.installed(self.world.person(by)), self.world.channel(channel)
        if thread:
            raise ValueError(f"{name} is not supported in threads. Sorry!")
        if self.world.commands is not None and name not in self.world.commands:
            raise ValueError(f"{name} is not a command of the app; it has {', '.join(sorted(self.world.commands))}")
        if person.id not in place.members:
            raise ValueError(f"{person.name} is not in #{place.name}")
        envelope = self.world.hub.send("slash_commands", payloads.command(self.world, person, place, name, text), accepts=True)
        if await self._acked(envelope, person, place.id, name) and (envelope.ack or {}).keys() & {"text", "blocks", "attachments"}:
            try:
                tell(self.world, Hook(place.id, person.id, HOOK_SECONDS), envelope.ack or {})
            except Refusal as refusal:
                self.world.warn(person.id, place.id, f'{name} failed with the error "{refusal.error}"')
        return envelope

    async def shortcut(self, callback_id: str, message: Json | None = None, by: str = "ana") -> Envelope:
        """A message shortcut on a message, or without one a global shortcut."""
        person, kind = self.world.installed(self.world.person(by)), "message" if message else "global"
        if self.world.shortcuts is not None and self.world.shortcuts.get(callback_id) != kind:
            raise ValueError(f"the app has no {kind} shortcut {callback_id!r}")
        if message is None:
            payload, place = payloads.shortcut(self.world, person, callback_id), ""
        else:
            channel, current = self._message(message, person)
            if current.get("is_ephemeral"):
                raise ValueError("there are no shortcuts on what only one person sees")
            payload, place = payloads.message_action(self.world, person, channel, current, callback_id), channel.id
        envelope = self.world.hub.send("interactive", payload)
        await self._acked(envelope, person, place, "The shortcut")
        return envelope

    async def press(self, message: Json, what: str, by: str | None = None, value: Any = None, block: str = "") -> Envelope:
        """Press a button, or choose in a message, modal or App Home.

        `what` is an action_id, a button's text, or an option's text or value; `value` tells apart buttons with the same action_id,
        and is what to choose: an option's text or value, a name, a date, a text; a list of them where many may be chosen.
        `block` is the block_id of the one block to look in.
        """
        if message.get("type") in ("modal", "home"):
            view, person = self._view(message, by)
            found = self._find(view.body["blocks"], message, what, value, person, block)
            entry = self._choose(person, found, value, view.state)
            payload, place = payloads.pressed_view(self.world, person, view, payloads.action(self.world, found, entry)), ""
        else:
            person = self.world.person(by or self._reader(message))
            channel, current = self._message(message, person)
            found = self._find(current.get("blocks") or [], message, what, value, person, block)
            state = self._inputs(channel, current, person)
            entry = self._choose(person, found, value, state)
            payload = payloads.pressed_message(self.world, person, channel, current, payloads.action(self.world, found, entry))
            place = channel.id
        envelope = self.world.hub.send("interactive", payload)
        await self._acked(envelope, person, place, "The button")
        return envelope

    async def suggest(self, message: Json, action_id: str, text: str = "", by: str | None = None, block: str = "") -> list[Json]:
        """The options that the app gives for what is typed into an external select; after that they can be chosen.

        Slack asks the app from `min_query_length` letters on (3 without it); none come when the app gives no answer in time.
        """
        if message.get("type") in ("modal", "home"):
            view, person = self._view(message, by)
            blocks, where, place = view.body["blocks"], payloads.beside_view(view), ""
        else:
            person = self.world.person(by or self._reader(message))
            channel, current = self._message(message, person)
            blocks, where, place = current.get("blocks") or [], payloads.beside_message(channel, current), channel.id
        found = self._find(blocks, message, action_id, None, person, block)
        if "external" not in found.node["type"]:
            raise ValueError(f"{action_id!r} has options of its own; nothing is asked for it")
        if len(text) < int(found.node.get("min_query_length", LEAST_QUERY)):
            return []
        envelope = self.world.hub.send("interactive", payloads.suggestion(self.world, person, found, text, where), accepts=True)
        await self._acked(envelope, person, place, "The menu")
        answer = envelope.ack if envelope.state == "acked" and envelope.ack else {}
        offered = options(answer)
        if offered and any(static_select(answer, "")):
            self.world.warn(person.id, place, 'The menu failed with the error "invalid_options"')
            offered = []
        known = self.world.offers.setdefault((person.id, found.node["action_id"]), {})
        known |= {option["value"]: option for option in offered}
        return offered

    async def fill(self, message: Json, values: Json, by: str | None = None) -> None:
        """Fill in fields (block_id, label or action_id: value) without sending anything; the next press or submit carries them."""
        if message.get("type") in ("modal", "home"):
            view, person = self._view(message, by)
            form.fill(self.world, person, view.body["blocks"], view.state, values)
        else:
            person = self.world.person(by or self._reader(message))
            channel, current = self._message(message, person)
            form.fill(self.world, person, current.get("blocks") or [], self._inputs(channel, current, person), values)

    async def submit(self, view: Json, values: Json | None = None, by: str | None = None) -> Json:
        """Fill in and send the topmost modal. Returns what the app acknowledged: {} (the modal goes), or a `response_action` with its
        `errors` or `view`; {"error": …} when Slack could do nothing with it. Raises Invalid, with `errors` by block_id, for a form
        that Slack's client would not send.
        """
        shown, person = self._view(view, by)
        if shown.type != "modal" or not shown.body.get("submit"):
            raise ValueError("this view cannot be submitted")
        form.fill(self.world, person, shown.body["blocks"], shown.state, values or {})
        form.validate(shown.body["blocks"], shown.state)
        envelope = self.world.hub.send("interactive", payloads.submitted(self.world, person, shown), accepts=True)
        if not await self._acked(envelope, person, "", TROUBLE):
            return {"error": "operation_timeout"}
        try:
            self._respond(person, shown, envelope.ack or {})
        except Refusal as refusal:
            self.world.warn(person.id, "", TROUBLE)
            return refusal.body()
        return envelope.ack or {}

    def _respond(self, person: Person, shown: View, ack: Json) -> None:
        stack = self.world.modals.get(person.id, [])
        match ack.get("response_action"):
            case None:
                if shown in stack:
                    modals.gone(self.world, person.id, 1)
            case "errors":
                fields = {block["block_id"] for block in shown.body["blocks"] if block["type"] == "input"}
                if not ack.get("errors") or not set(ack["errors"]) <= fields:
                    raise Refusal("invalid_arguments")
            case "update":
                modals.replace(self.world, shown, modals.checked(ack.get("view"), "modal"))
            case "push" if len(stack) < modals.MOST_VIEWS:
                modals.show(self.world, person.id, modals.checked(ack.get("view"), "modal"), stack)
            case "push":
                raise Refusal("push_limit_reached")
            case "clear":
                modals.gone(self.world, person.id, len(stack))
            case _:
                raise Refusal("invalid_arguments")

    async def close(self, view: Json, by: str | None = None) -> None:
        """Close the topmost modal with its close button; the app is told if the view asks for it."""
        shown, person = self._view(view, by)
        if shown.type != "modal":
            raise ValueError("the App Home cannot be closed")
        cleared = bool(shown.body.get("clear_on_close"))
        for gone in modals.gone(self.world, person.id, modals.MOST_VIEWS if cleared else 1):
            if gone.body.get("notify_on_close"):
                envelope = self.world.hub.send("interactive", payloads.closed(self.world, person, gone, cleared))
                await self._acked(envelope, person, "", "")

    async def _acked(self, envelope: Envelope, person: Person, channel: str, what: str) -> bool:
        """Wait for the acknowledgement; where there is none, Slack tells the person."""
        assert envelope.answer is not None
        await envelope.answer
        if envelope.state == "acked":
            return True
        error = "operation_timeout" if envelope.sent_at else "dispatch_failed"
        if what and envelope.state != "forgotten":
            self.world.warn(person.id, channel, what if what == TROUBLE else f'{what} failed with the error "{error}"')
        return False

    def _reader(self, message: Json) -> str:
        """Who sees an ephemeral message; ana for the others."""
        notes = self.world.ephemerals.items()
        return next((user for user, seen in notes if any(note["ts"] == message.get("ts") for note in seen)), "ana")

    def _message(self, message: Json, person: Person) -> tuple[Channel, Json]:
        """The newest version of a message, if the person sees it."""
        channel = self.world.channel(message["channel"])
        if person.id not in channel.members:
            raise ValueError(f"{person.name} is not in #{channel.name}")
        mine = {note["ts"]: note for note in self.world.ephemerals.get(person.id, [])}
        seen = mine if message.get("is_ephemeral") else channel.messages
        if message["ts"] not in seen:
            raise ValueError(f"{person.name} sees no message {message['ts']} in #{channel.name}")
        return channel, seen[message["ts"]]

    def _view(self, view: Json, by: str | None) -> tuple[View, Person]:
        shown = self.world.views.get(view["id"])
        if shown is None:
            raise ValueError(f"the view {view['id']} is not open any more")
        person = self.world.person(by or shown.user)
        if person.id != shown.user:
            raise ValueError(f"{person.name} does not see that view")
        if shown.type == "modal" and self.world.modals[person.id][-1] is not shown:
            raise ValueError("another modal lies on top of that one")
        return shown, person

    def _find(self, blocks: list[Json], given: Json, what: str, value: Any, person: Person, block: str) -> Choice:
        found = choices.find(blocks, what, value, person.id, block)
        if found is not None:
            return found
        if choices.find(given.get("blocks") or [], what, value, person.id, block) is not None:
            raise ValueError(f"{what!r} was there before, but is not on the newest version; there is {choices.labels(blocks)}")
        raise ValueError(f"there is no {what!r} that {person.name} could press; there is {choices.labels(blocks)}")

    def _inputs(self, channel: Channel, message: Json, person: Person) -> dict[str, Json]:
        """What a person has chosen in a message: `state.values`; what is new in the message is as it begins."""
        state = self.world.inputs.setdefault((channel.id, message["ts"], person.id), {})
        for block, actions in modals.begun(message.get("blocks") or []).items():
            state[block] = actions | state.get(block, {})
        return state

    def _choose(self, person: Person, found: Choice, value: Any, state: dict[str, Json]) -> Json:
        """What the pressed element now holds; kept in `state` where Slack keeps it."""
        kind = found.node["type"]
        if kind not in CHOSEN:
            return {}
        block, action = found.block["block_id"], found.node["action_id"]
        before = state.get(block, {}).get(action, {}).get(CHOSEN[kind])
        entry = {"type": kind, CHOSEN[kind]: form.chosen(self.world, person, found, value, before)}
        if kind != "overflow":
            state[block] = {**state.get(block, {}), action: entry}
        return entry
