"""The authors' bench on the page: what it draws of what it is told, and what its buttons ask for."""

from collections.abc import Sequence

import pytest

from bot.playground import Slack
from bot.playground.bench import Card, Desk, Line, Route, Run, Story, Told
from bot.playground.page import Page
from bot.playground.panes import Spot

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"
HARMLESS = "&lt;script&gt;"
ROOT = "1700000000.000001"


class Memory:
    """A bench that tells what it was given, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.cards: list[Card] = []
        self.wrong: list[str] = []
        self.kept: list[Told] = []
        self.asked: list[tuple[str, str, int]] = []

    def agents(self) -> Sequence[Card]:
        return self.cards

    def problems(self) -> Sequence[str]:
        return self.wrong

    def sessions(self, place: str = "", thread: str = "") -> Sequence[Told]:
        return [each for each in self.kept if not thread or (each.place, each.thread) == (place, thread)]

    def again(self, session: str, turn: int) -> None:
        if turn != 1:
            raise ValueError("It runs already.")
        self.asked.append(("again", session, turn))

    def halt(self, session: str, turn: int) -> None:
        self.asked.append(("halt", session, turn))


@pytest.fixture
def bench() -> Memory:
    return Memory()


@pytest.fixture
def page(bench: Memory) -> Page:
    page = Page(Slack())
    Desk(page, bench)
    return page


def told(*turns: Story, place: str = "C0GENERAL", agent: str = "helper", title: str = "A title") -> Told:
    return Told("s1", place, ROOT, agent, "echo", "completed", title, "echo", "ana", 0.25, 1100, turns)


def agents(page: Page) -> str:
    spot = page.scene.settled(Spot(user="ana", side="agents"))
    return "".join(page.scene.panes["agents"].draw(spot).values())


def session(page: Page, thread: str = ROOT) -> str:
    return "".join(page.glass.tabs["session"].draw(Spot(page.slack.user("ana"), "C0GENERAL", thread, "glass", tab="session")).values())


def test_a_route_opens_the_right_place_with_the_composer_filled(page: Page, bench: Memory) -> None:
    ways = (Route("mentions in #reviews", "#reviews", "@frontdesk "), Route("direct messages", "messages"), Route("mentions in #no", "#no"))
    bench.cards = [Card("helper", "agents/helper.md", "Helps.", "echo", "v1", ways)]

    drawn = agents(page)

    assert 'href="?as=U0ANA&amp;in=C0REVIEWS" data-go data-try="@frontdesk " data-in="C0REVIEWS"' in drawn
    assert 'href="?as=U0ANA&amp;in=messages" data-go data-try="" data-in="D0ANA"' in drawn
    assert drawn.count("data-try") == 2


def test_what_is_wrong_stands_on_its_card_or_above_all(page: Page, bench: Memory) -> None:
    bench.cards = [Card("helper", "agents/helper.md", "Helps.", "echo", "v1", problems=["agents/helper.md: options.x: unknown key"])]
    bench.wrong = ["agents/new.md: the front matter is no YAML, in line 3"]

    drawn = agents(page)

    assert drawn.index("agents/new.md") < drawn.index("agents/helper.md: options.x")


def test_what_is_to_be_written_is_shown_as_code(page: Page, bench: Memory) -> None:
    route = Route("helper's schedule", "*", hint="It begins by itself; `Run now` has it now.")
    bench.cards = [Card("helper", "agents/helper.md", "Helps.", "echo", "v1", (route,), problems=["write `<b>command:` under `options:`"])]

    drawn = agents(page)

    assert "<li>write <code>&lt;b&gt;command:</code> under <code>options:</code></li>" in drawn
    assert "; <code>Run now</code> has it now." in drawn


def test_without_an_agent_the_pane_says_so(page: Page) -> None:
    assert "No agent can be asked yet." in agents(page)


def test_a_session_shows_its_state_its_cost_and_each_turn(page: Page, bench: Memory) -> None:
    lines = [Line(1700000000.0, "step", "Look around"), Line(1700000001.0, "text", "Done.")]
    bench.kept = [told(Story(1, Run("v1", "completed", "the instructions", "Done.", lines=lines, seconds=2.5, usd=0.25), "the prompt"))]

    drawn = session(page)

    for words in ("completed", "$0.2500", "1,100 tokens", "2.5 s", "Look around", "the prompt", "the instructions", "Run again"):
        assert words in drawn


def test_the_old_answer_stands_before_the_new_one(page: Page, bench: Memory) -> None:
    bench.kept = [told(Story(1, Run("v1", "completed", answer="The old one."), again=Run("v2", "completed", answer="The new one.")))]

    drawn = session(page)

    assert drawn.index("The old one.") < drawn.index("The new one.")


def test_while_it_is_run_again_it_can_be_stopped_and_not_begun_once_more(page: Page, bench: Memory) -> None:
    bench.kept = [told(Story(1, Run("v1", "completed"), again=Run("v2", "working")))]

    drawn = session(page)

    assert 'data-do="halt"' in drawn
    assert 'data-do="again"' not in drawn


def test_a_turn_that_cannot_be_run_again_says_why(page: Page, bench: Memory) -> None:
    bench.kept = [told(Story(1, Run("v1", "completed"), final="Its file is gone."))]

    drawn = session(page)

    assert "Its file is gone." in drawn
    assert "data-do" not in drawn


def test_where_no_thread_is_open_all_sessions_are_links(page: Page, bench: Memory) -> None:
    bench.kept = [told(), told(place="D0ANA")]

    drawn = session(page, thread="")

    assert f'href="?as=U0ANA&amp;in=C0GENERAL&amp;thread={ROOT}&amp;side=glass&amp;tab=session"' in drawn
    assert f"in=messages&amp;thread={ROOT}" in drawn


def test_only_the_newest_of_very_many_events_are_drawn(page: Page, bench: Memory) -> None:
    lines = [Line(0.0, "text", f"line {n}.") for n in range(1000)]
    bench.kept = [told(Story(1, Run("v1", "working", lines=lines)))]

    drawn = session(page)

    assert "800 earlier ones are not shown" in drawn
    assert "line 799." not in drawn
    assert "line 999." in drawn


def test_nothing_that_an_agent_or_its_author_wrote_becomes_html(page: Page, bench: Memory) -> None:
    run = Run(EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, [Line(0.0, EVIL, EVIL)])
    bench.kept = [told(Story(1, run, EVIL, EVIL, again=run), agent=EVIL, title=EVIL)]
    bench.cards = [Card(EVIL, EVIL, EVIL, EVIL, EVIL, [Route(EVIL, "#general", EVIL, EVIL)], [EVIL], [EVIL])]
    bench.wrong = [EVIL]

    for drawn in (agents(page), session(page), session(page, thread="")):
        assert "<script" not in drawn
        assert "<img" not in drawn
        assert HARMLESS in drawn


async def test_the_buttons_ask_for_what_they_say(page: Page, bench: Memory) -> None:
    await page.deeds.do("again", "U0ANA", {"session": "s1", "turn": "1"})
    await page.deeds.do("halt", "U0ANA", {"session": "s1", "turn": "1"})
    refused = await page.deeds.do("again", "U0ANA", {"session": "s1", "turn": "2"})

    assert bench.asked == [("again", "s1", 1), ("halt", "s1", 1)]
    assert refused == {"error": "It runs already."}
