"""Behind the glass: the pane in which an engineer sees every call and envelope, and can make Slack misbehave."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from .as_test import as_test
from .limits import CHANNEL_BURST
from .panes import Pane, Pieces, Spot
from .render import Renderer, pretty
from .socket import Envelope
from .switches import given, switches
from .tape import Tape
from .things import Json
from .web import Call

if TYPE_CHECKING:
    from .slack import Slack

AGAIN = 1.0  # seconds until what runs out by itself is drawn again
NEWEST = 500  # calls and envelopes that are shown
MUCH = 3000  # characters of a payload before it is cut
SECRET = re.compile(r"(?<![A-Za-z0-9])(xox[a-z]-|xox[a-z]\.xox[a-z]-|xapp-|sk-|gh[opsu]_|Bearer\s+|ticket=)[\w.%-]+")


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of the pane: `draw` gives keyed pieces of escaped HTML, as a Pane's does."""

    title: str
    draw: Callable[[Spot], Pieces]


class Glass:
    """Draws the pane, and does what its buttons ask for."""

    def __init__(self, slack: "Slack", renderer: Renderer, tape: Tape) -> None:
        self.slack = slack
        self.tape = tape
        self.mark = 0  # the test begins with this row of the tape
        self.renderer = renderer
        self.switches = switches(slack)
        self.began, self.clock = time.monotonic(), time.time() - time.monotonic()
        self.tabs: dict[str, Tab] = {  # by their name in &tab=; the first is shown where none is asked for
            "calls": Tab("Calls", self.calls),
            "limits": Tab("Limits", self.limits),
            "misbehave": Tab("Misbehave", self.misbehave),
            "test": Tab("Copy as test", self.copied),
        }
        self.deeds: dict[str, Callable[[str, Json], Awaitable[Json | None]]] = {
            "misbehave": self.misbehaved, "well": self.healed, "whole": self.whole, "mark": self.marked,
        }  # fmt: skip
        self.pane = Pane("Behind the glass", "🔍", self.draw, ("glass.css", "glass.js"))
        self._drawn: dict[str, tuple[Any, str]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def draw(self, spot: Spot) -> Pieces:
        """The tabs, and below them what the chosen one shows."""
        name = spot.tab if spot.tab in self.tabs else next(iter(self.tabs))
        links = self._page("glass.html", spot=spot, tabs=self.tabs, chosen=name)
        return {"tabs": links} | self.tabs[name].draw(spot)

    def _page(self, template: str, **facts: Any) -> str:
        return str(self.renderer.page(template, glass=self, **facts))

    # ---- calls and envelopes ----

    def calls(self, spot: Spot) -> Pieces:
        """The newest calls of the app and what was sent to it, newest first; each drawn again only when it has changed."""
        rows = sorted(self._rows(), key=lambda row: row[1].at, reverse=True)[:NEWEST]
        drawn = {key: self._row(key, each) for key, each in rows}
        self._drawn = {key: self._drawn[key] for key in drawn}
        return {"tools": self._page("glass_tools.html", most=NEWEST)} | drawn

    def _rows(self) -> list[tuple[str, Call | Envelope]]:
        calls = [(f"c{each.at:.6f}", each) for each in islice(reversed(self.slack.calls), NEWEST)]
        return [*calls, *((f"e{each.envelope_id}", each) for each in islice(reversed(self.slack.envelopes), NEWEST))]

    def _row(self, key: str, each: Call | Envelope) -> str:
        source = (each.state, len(each.sent_at), each.acked_at) if isinstance(each, Envelope) else ()
        kept = self._drawn.get(key)
        if kept is None or kept[0] != source:
            template = "glass_call.html" if isinstance(each, Call) else "glass_envelope.html"
            self._drawn[key] = (source, self._page(template, key=key, it=each))
        return self._drawn[key][1]

    def when(self, at: float) -> Markup:
        """The time of day of something, with the seconds since the start as its title."""
        wall = at + self.clock
        shown = time.strftime("%H:%M:%S", time.localtime(wall)) + f".{int(wall % 1 * 1000):03d}"
        return Markup("<time>{}</time> <span class='since'>+{:.2f} s</span>").format(shown, max(0.0, at - self.began))

    def lasted(self, seconds: float) -> str:
        return f"{seconds * 1000:.{1 if seconds < 0.01 else 0}f} ms"

    def payload(self, key: str, part: str, node: Any) -> Markup:
        """JSON to read: tokens masked, and cut where it is huge."""
        text = masked(node)
        if len(text) <= MUCH:
            return Markup('<pre tabindex="0">{}</pre>').format(text)
        more = Markup('<button type="button" class="small" data-whole="{}" data-of="{}">Show all {:,} characters</button>')
        return Markup('<pre tabindex="0">{}\n…</pre>{}').format(text[:MUCH], more.format(part, key, len(text)))

    async def whole(self, by: str, body: Json) -> Json:
        """All of a payload that was cut."""
        found = next((each for key, each in self._rows() if key == body["of"]), None)
        if found is None or body["part"] not in ("args", "response", "payload", "ack"):
            raise ValueError("that one is no longer among the newest")
        return {"text": masked(getattr(found, body["part"]))}

    # ---- limits ----

    def limits(self, spot: Spot) -> Pieces:
        """What is used of the rate limits: of each method that was called, and of each channel posted to."""
        self._soon()
        budgets = sorted(self.slack.budgets().items(), key=lambda item: (-item[1]["used"] / item[1]["limit"], item[0]))
        pieces = {"limits": self._page("glass_limits.html", any=bool(budgets), off=self.slack.world.rates.factor is None)}
        pieces |= {f"method {name}": self._bar(name, **budget) for name, budget in budgets}
        posts = self.slack.world.rates.posts().items()
        pieces |= {"posts": self._page("glass_posts.html", burst=CHANNEL_BURST)} if posts else {}
        return pieces | {f"posts {key}": self._bar(self._place(key), used, CHANNEL_BURST) for key, used in posts}

    def _place(self, key: str) -> str:
        place = self.slack.world.find_channel(key)
        return key if place is None else f"#{place.name}"

    def _bar(self, name: str, used: int, limit: int, refused: int | None = None) -> str:
        return self._page("glass_bar.html", name=name, used=used, limit=limit, refused=refused)

    # ---- misbehave ----

    def misbehave(self, spot: Spot) -> Pieces:
        """The switches, each a form of its own; above them what is on."""
        self._soon()
        on = [each.title for each in self.switches.values() if each.now()]
        pieces = {"on": self._page("glass_on.html", on=on, sockets=self.slack.sockets)}
        return pieces | {f"switch {name}": self._page("glass_switch.html", name=name, it=each) for name, each in self.switches.items()}

    async def misbehaved(self, by: str, body: Json) -> None:
        """Turn a switch on, or with `off` off. Raises ValueError with words for the person."""
        switch = self.switches[str(body["switch"])]
        if body.get("off"):
            switch.off()
        else:
            switch.do(given(switch, body))
        self._changed()

    async def healed(self, by: str, body: Json) -> None:
        """All well again."""
        for switch in self.switches.values():
            if switch.now():
                switch.off()
        self._changed()

    # ---- copy as test ----

    def copied(self, spot: Spot) -> Pieces:
        """What people did since the mark, as a test."""
        rows, start = self.tape.rows, min(self.mark, len(self.tape.rows))
        try:
            source = as_test(rows, self.tape.sight.now(), start) if rows[start:] else ""
        except ValueError as wrong:
            source = f"# {wrong}"
        tools = self._page("glass_test.html", count=len(rows) - start, marked=bool(start))
        return {"test": tools} | (
            {"source": str(Markup('<pre class="source" id="source" tabindex="0">{}</pre>').format(source))} if source else {}
        )

    async def marked(self, by: str, body: Json) -> None:
        """The test begins here, or again with everything."""
        self.mark = 0 if body.get("all") else len(self.tape.rows)
        self._changed()

    def _soon(self) -> None:
        """Draw again in a while: budgets fill up again, and a Slack that is down comes back, without anybody's doing."""
        loop = asyncio.get_running_loop()
        if self._timer is None or self._timer.when() <= loop.time():
            self._timer = loop.call_later(AGAIN, self._changed)

    def _changed(self) -> None:
        self.slack.world.feed.tell("trouble")


def masked(node: Any) -> str:
    """A payload as JSON to read, without tokens."""
    return SECRET.sub(lambda found: f"{found[1]}…", pretty(node))
