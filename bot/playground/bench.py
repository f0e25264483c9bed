"""The authors' bench: the agents with their routes and problems, a thread's session, and a turn run again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .glass import Tab
from .panes import Pane, Pieces, Spot
from .scene import MESSAGES
from .things import Json

if TYPE_CHECKING:
    from .page import Page

LINES = 200  # events of a turn that are shown


@dataclass(frozen=True, slots=True)
class Route:
    """One way to an agent, in the words of `frontdesk check`. `place` opens (a #channel, an id, or messages), `text` is filled in there."""

    words: str
    place: str = ""
    text: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """An agent as its file now says. `unset` are the variables that it names and that are not set."""

    name: str
    file: str
    description: str
    runtime: str
    version: str
    routes: Sequence[Route] = ()
    problems: Sequence[str] = ()
    unset: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened, at that time (Unix seconds)."""

    at: float
    kind: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a prompt: in the thread, or when it was run again; `instructions` as they were filled in for it."""

    version: str
    state: str
    instructions: str = ""
    answer: str = ""
    reason: str = ""
    asks: str = ""
    lines: Sequence[Line] = ()
    seconds: float = 0.0
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Story:
    """One turn: what the agent was told, and what it did; `again` the newest run with the file as it is now.

    `final` is why it cannot be run again, in words; empty where it can. `stale` says that the agent's file has changed since.
    """

    number: int
    run: Run
    prompt: str = ""
    model: str = ""
    stale: bool = False
    final: str = ""
    again: Run | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A session; `place` and `thread` say where in Slack. Its turns are in order."""

    id: str
    place: str
    thread: str
    agent: str
    runtime: str
    state: str
    title: str = ""
    model: str = ""
    asker: str = ""
    usd: float = 0.0
    tokens: int = 0
    turns: Sequence[Story] = ()


class Bench(Protocol):
    """What the page asks of whoever runs the agents. Everything is text to be shown, and none of it is to be trusted."""

    def agents(self) -> Sequence[Card]: ...

    def problems(self) -> Sequence[str]:
        """What is wrong, and belongs to no agent."""
        ...

    def sessions(self, place: str = "", thread: str = "") -> Sequence[Told]:
        """Those of a thread, with their turns; where no thread is given all, without their turns. The newest first."""
        ...

    def again(self, session: str, turn: int) -> None:
        """Begin to run a turn's prompt with the agent's file as it is now, without a word in Slack. Raises ValueError, with words."""
        ...

    def halt(self, session: str, turn: int) -> None:
        """Stop that, if it still runs."""
        ...


class Desk:
    """The bench on the page: the pane of agents, and the glass's tab for the session of the thread that is open."""

    def __init__(self, page: "Page", bench: Bench) -> None:
        self.scene, self.bench = page.scene, bench
        page.scene.panes["agents"] = Pane("Agents", "🧩", self.agents, ("bench.css", "bench.js"))
        page.glass.tabs["session"] = Tab("Session", self.session)
        page.deeds.known |= {"again": self.again, "halt": self.halt}

    def agents(self, spot: Spot) -> Pieces:
        """What is wrong, then a card for each agent."""
        cards = {f"agent {card.name}": self._page("bench_agent.html", spot, card=card, desk=self) for card in self.bench.agents()}
        return {"problems": self._page("bench_problems.html", spot, problems=self.bench.problems(), count=len(cards))} | cards

    def session(self, spot: Spot) -> Pieces:
        """The sessions of the open thread; of all threads where none is open, as links."""
        here = self.bench.sessions(self.scene.place(spot).id, spot.thread) if spot.thread else ()
        if not here:
            return {"sessions": self._page("bench_sessions.html", spot, sessions=self.bench.sessions())}
        pieces: Pieces = {}
        for each in here:
            pieces[f"session {each.id}"] = self._page("bench_session.html", spot, it=each)
            for turn in reversed(each.turns):
                pieces[f"turn {each.id} {turn.number}"] = self._page("bench_turn.html", spot, it=each, turn=turn, most=LINES)
        return pieces

    def _page(self, template: str, spot: Spot, **facts: Any) -> str:
        return str(self.scene.renderer.page(template, spot=spot, **facts))

    def where(self, spot: Spot, route: Route) -> tuple[str, str]:
        """The page's place for a route, and its channel; empty where this workspace has none."""
        if route.place == MESSAGES:
            return MESSAGES, self.scene.world.dm(self.scene.world.people[spot.user]).id
        found = self.scene.world.find_channel(route.place)
        return (found.id, found.id) if found else ("", "")

    async def again(self, by: str, body: Json) -> None:
        self.bench.again(str(body["session"]), int(body["turn"]))

    async def halt(self, by: str, body: Json) -> None:
        self.bench.halt(str(body["session"]), int(body["turn"]))
