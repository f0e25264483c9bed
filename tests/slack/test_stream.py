"""Answers that grow in direct messages: one message each, whole in the end whatever happens to its stream, and harmless all the time."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.event import Event, Finished, Item, Notice, Option, Part, Plan, Question, Step, Text
from bot.message import Message, Person
from bot.playground import Slack
from bot.playground.things import Json
from bot.session import Session
from bot.slack.calls import Client
from bot.slack.directory import Directory
from bot.slack.limits import APPEND, POST, START, STOP, UPDATE
from bot.slack.markdown import safe
from bot.slack.outbox import delivery
from bot.slack.stream import Live
from bot.slack.surface import SlackSurface
from bot.slack.view import Flow
from bot.store.sql import SqlStore
from tests.standins.stage import agent

DONE = Finished("completed")
STREAMED = {START, APPEND, STOP, POST, UPDATE}
WHICH = Question("q1", "question", (Part("which", "Which colour?", (Option("Red"), Option("Blue"))),))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.writer.GLANCE", 0.0)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


@pytest.fixture
async def surface(slack: Slack, store: SqlStore, http: aiohttp.ClientSession) -> AsyncIterator[SlackSurface]:
    async with process(slack, store, http) as surface:
        yield surface


@asynccontextmanager
async def process(slack: Slack, store: SqlStore, http: aiohttp.ClientSession) -> AsyncIterator[SlackSurface]:
    """As each process has it, with a budget of its own; nothing is said any more in the end."""
    client = Client(slack.bot_token, slack.url, http, lambda method, outcome, seconds: None)
    directory = Directory(client)
    await directory.whoami()
    surface = SlackSurface(client, store, directory)
    running = asyncio.create_task(surface.run())
    yield surface
    running.cancel()
    await asyncio.wait([running])


class Talk:
    """One turn in one thread, as its agent tells it."""

    def __init__(self, slack: Slack, root: Json, id: str = "s1") -> None:
        self.slack, self.root = slack, root
        thread, asker = f"slack:T1:{root['channel']}:{root['ts']}", Person("U1ANA")
        self.session = Session(id, "helper", thread, asker, str(root["channel"]))
        self.asked = Message(f"m-{id}", thread, self.session.channel, asker, "Look at this", at=100.0)
        self.at = 101.0

    @asynccontextmanager
    async def on(self, surface: SlackSurface) -> AsyncIterator["Talk"]:
        async with surface.follow(self.session, agent(), 0) as self.show:
            self.surface = surface
            self.session = self.session.resumed() if self.session.number else self.session.begin([self.asked])
            self.show(self.session)
            yield self

    def tell(self, *events: Event) -> None:
        self.session = self.session.fold(events, self.at)
        self.show(self.session)

    async def told(self, *events: Event) -> None:
        """Until people see it."""
        self.tell(*events)
        await self.surface.writer.settled(self.session.id + ":")

    @property
    def said(self) -> list[str]:
        return [self.slack.text(message) for message in self.messages]

    @property
    def messages(self) -> list[Json]:
        return self.slack.thread(self.root)[1:]

    @property
    def called(self) -> list[str]:
        return [call.method for call in self.slack.calls if call.method in STREAMED]

    @property
    def written(self) -> str:
        """All the text that stands in the messages, without their other blocks."""
        return "".join(block["text"] for message in self.messages for block in message["blocks"] if block["type"] == "markdown")


@pytest.fixture
async def talk(slack: Slack) -> Talk:
    return Talk(slack, await slack.direct("Look at this", by="ana"))


async def test_an_answer_grows_and_is_one_message(surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Text("one\n"))
        await talk.told(Text("two\nthr"))
        before = talk.said
        await talk.told(Text("ee"), DONE)

    assert before == ["one\ntwo"]
    assert talk.written == "one\ntwo\nthree"
    assert talk.called == [START, APPEND, STOP]


async def test_a_message_that_grew_has_what_belongs_under_an_answer_and_its_id(surface: SlackSurface, talk: Talk, store: SqlStore) -> None:
    async with talk.on(surface):
        await talk.told(Text("one\n"))
        await talk.told(DONE)

    [message] = talk.messages
    [post] = [post for post in await store.posts("s1") if post.slot == "s1:1:0"]
    assert message["blocks"][-1]["type"] == "context_actions"
    assert (post.ts, post.id) == (message["ts"], delivery(message))


async def test_nothing_spins_after_an_answer_that_grew(slack: Slack, surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Text("one\n"))
        before = slack.status(talk.root)["session"]
        await talk.told(DONE)
    await surface.status.settled()

    assert (before, slack.status(talk.root)["session"]) == ("processing", "active")


async def test_what_is_answered_at_once_is_one_post(surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Text("one"), DONE)

    assert talk.called == [POST]


async def test_steps_and_the_plan_are_cards(surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Plan((Item("Look", "in_progress"),)), Step("c1", "Reading"))
        await talk.told(Plan((Item("Look", "done"),)), Step("c1", "Reading", status="completed"), Step("c2", "Running"))

        cards = [(card["title"], card["status"]) for card in talk.messages[0]["blocks"] if card["type"] == "task_card"]
        await talk.told(DONE)

    assert cards == [("Look", "complete"), ("Reading", "complete"), ("Running", "in_progress")]
    assert talk.called[:2] == [START, APPEND]


async def test_a_warning_is_seen_before_anything_grows(surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Notice("Nothing to worry about."))
        quiet = talk.said
        await talk.told(Notice("The model's API fails; trying again.", "warning"))
        [warned] = talk.said
        await talk.told(DONE)

    assert not quiet
    assert "The model's API fails; trying again." in warned


async def test_nothing_is_called_where_nothing_can_be_seen_to_grow(surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Text("one\n"))
        before = surface.writer.budget.room(APPEND)
        for word in ("half", " a ", "line"):
            await talk.told(Text(word))

        after = surface.writer.budget.room(APPEND)
        await talk.told(DONE)

    assert before == after
    assert talk.called == [START, STOP]


async def test_many_steps_share_the_last_card(surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        for n in range(1, 42):
            await talk.told(Step(f"c{n}", f"Step {n}", status="completed"))

        cards = [card["title"] for card in talk.messages[0]["blocks"] if card["type"] == "task_card"]
        await talk.told(DONE)

    assert (len(cards), cards[-1]) == (13, "29 more: Step 41")


async def test_what_came_of_steps_stands_below_them(surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Step("c1", "Reading", status="completed"))
        await talk.told(Step("c2", "Running", status="completed"), Text("It is red."), DONE)

    assert shown(talk) == ["Reading", "Running", "It is red."]
    assert talk.called == [START, STOP]


async def test_what_is_said_before_a_step_stands_above_it(surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Text("I look.\n"), Step("c1", "Reading"))
        before = shown(talk)
        await talk.told(Step("c1", "Reading", status="completed"), Text("It is red.\n"), DONE)

    assert before == ["I look.", "Reading"]


async def test_no_card_of_a_plan_goes_on_after_the_end(surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Plan((Item("Look", "in_progress"), Item("Answer"))))
        before = shown(talk)
        await talk.told(Text("one"), DONE)

    assert before == ["Look", "Answer"]
    assert shown(talk) == ["one"]


def shown(talk: Talk) -> list[str]:
    """The text and the cards of the message, as they stand one below the other."""
    return [str(block.get("title") or block["text"]) for block in talk.messages[0]["blocks"] if block["type"] in ("markdown", "task_card")]


async def test_text_that_cards_have_cut_is_put_together_in_the_end(surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Text("I look.\n"))
        await talk.told(Step("c1", "Reading", status="completed"))
        await talk.told(Text("It is red.\n"))
        await talk.told(DONE)

    assert talk.written == "I look.\nIt is red."
    assert len(talk.messages) == 1


async def test_a_stream_that_expires_loses_nothing(slack: Slack, surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Text("one\n"))
        slack.expire_streams()
        await talk.told(Text("two\n"))
        before = talk.said
        await talk.told(Text("three\n"), DONE)

    assert "one\ntwo" in before[0]
    assert (talk.written, len(talk.messages)) == ("one\ntwo\nthree", 1)


async def test_a_stream_that_gets_old_goes_on_by_edits(surface: SlackSurface, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    async with talk.on(surface):
        await talk.told(Text("one\n"))
        monkeypatch.setattr("bot.slack.stream.OLDEST", 0.0)
        await talk.told(Text("two\n"))
        working = talk.slack.status(talk.root)["session"]
        await talk.told(Text("three\n"), DONE)

    assert talk.called == [START, STOP, UPDATE, UPDATE]
    assert (working, talk.written, len(talk.messages)) == ("processing", "one\ntwo\nthree", 1)


FAULTS: list[Json] = [
    {"status": 500},
    {"status": 500, "after": True},
    {"status": 0},
    {"status": 0, "after": True},
    {"retry_after": 1},
    {"error": "message_not_in_streaming_state"},
    {"error": "invalid_chunks"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("method", [APPEND, STOP])
async def test_whatever_is_refused_in_the_middle_is_said_once_and_whole(
    slack: Slack, surface: SlackSurface, talk: Talk, method: str, fault: dict[str, Any]
) -> None:
    async with talk.on(surface):
        await talk.told(Text("one\n"))
        slack.fail(method, **fault)
        await talk.told(Text("two\n"))
        await talk.told(Text("three\n"), DONE)

    assert (talk.written, len(talk.messages)) == ("one\ntwo\nthree", 1)


async def test_an_end_that_fails_again_and_again_is_said_in_the_end(slack: Slack, surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Text("one\n"))
        slack.fail(STOP, status=503, times=2)
        await talk.told(Text("two\n"), DONE)

    assert (talk.written, len(talk.messages)) == ("one\ntwo", 1)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_beginning_that_is_refused_or_lost_is_one_message(
    slack: Slack, surface: SlackSurface, talk: Talk, fault: dict[str, Any]
) -> None:
    slack.fail(START, **fault)
    async with talk.on(surface):
        await talk.told(Text("one\n"))
        await talk.told(Text("two\n"), DONE)

    assert (talk.written, len(talk.messages)) == ("one\ntwo", 1)
    assert slack.status(talk.root)["session"] == "active"


@pytest.mark.parametrize("error", ["unknown_method", "not_allowed_token_type", "missing_scope"])
async def test_where_slack_lets_nobody_stream_it_is_asked_once(slack: Slack, surface: SlackSurface, talk: Talk, error: str) -> None:
    slack.fail(START, error=error)
    async with talk.on(surface):
        await talk.told(Text("one\n"))
        await talk.told(Text("two\n"), DONE)
    second = Talk(slack, await slack.direct("And this", by="ben"), "s2")
    async with second.on(surface):
        await second.told(Text("one\n"))
        await second.told(DONE)

    assert talk.called.count(START) == 1
    assert second.written == "one"


async def test_where_the_app_is_no_agent_nothing_grows(slack: Slack, surface: SlackSurface, talk: Talk) -> None:
    slack.world.agent = False
    async with talk.on(surface):
        await slack.until(lambda: not surface.status.agent)
        await talk.told(Text("one\n"))
        await talk.told(DONE)

    assert talk.called == [POST, UPDATE]


async def test_in_a_channel_nothing_grows(slack: Slack, surface: SlackSurface) -> None:
    talk = Talk(slack, await slack.mention("Look at this"))
    async with talk.on(surface):
        await talk.told(Text("one\n"))
        await talk.told(DONE)

    assert talk.called == [POST, UPDATE]


@pytest.mark.parametrize("method", [START, STOP])
async def test_where_nothing_is_left_of_a_budget_there_are_edits(surface: SlackSurface, talk: Talk, method: str) -> None:
    await surface.writer.budget.pause(method, 60.0)
    async with talk.on(surface):
        await talk.told(Text("one\n"))
        await talk.told(DONE)

    assert talk.called == [POST, UPDATE]


async def test_the_next_process_goes_on_with_the_message_by_edits(
    slack: Slack, store: SqlStore, http: aiohttp.ClientSession, talk: Talk
) -> None:
    async with process(slack, store, http) as first:
        cut = talk.on(first)
        await cut.__aenter__()
        await talk.told(Text("one\n"))
    async with process(slack, store, http) as second:
        async with talk.on(second):
            await talk.told(Text("one\ntwo\n"))
            await talk.told(DONE)
        await second.status.settled()

    assert (talk.written, len(talk.messages)) == ("one\ntwo", 1)
    assert slack.status(talk.root)["session"] == "active"


async def test_a_beginning_of_which_the_process_never_heard_is_found_by_the_next(
    slack: Slack, store: SqlStore, http: aiohttp.ClientSession, talk: Talk
) -> None:
    async with process(slack, store, http) as first:
        slack.fail(START, status=0, after=True)
        cut = talk.on(first)
        await cut.__aenter__()
        talk.tell(Text("one\n"))
        await slack.until(lambda: talk.messages)
    async with process(slack, store, http) as second, talk.on(second):
        await talk.told(Text("one\ntwo\n"), DONE)

    assert (talk.written, len(talk.messages)) == ("one\ntwo", 1)


async def test_whoever_has_the_session_no_more_lets_nothing_grow(
    surface: SlackSurface, talk: Talk, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with talk.on(surface):
        await talk.told(Text("one\n"))

        async def lost(session_id: str, epoch: int) -> bool:
            return False

        monkeypatch.setattr(store, "holds", lost)
        await talk.told(Text("two\n"))
        await talk.told(DONE)

    assert talk.said == ["one"]


HOSTILE = (
    "Hello <!channel> and <@U2BEN>, <!sub\nteam^S1>\n\n```\n[bank.example](https://evil.example)\n<!here>\n"
    "```\n[bank.example](https://evil.example) `a <!everyone>\n` b](c) &lt;!channel&gt;\n\n[x]: https://evil.example\n"
)


@pytest.mark.parametrize("size", [7, 40])
async def test_nothing_live_passes_however_the_text_is_cut(slack: Slack, surface: SlackSurface, talk: Talk, size: int) -> None:
    seen = []
    async with talk.on(surface):
        for at in range(0, len(HOSTILE), size):
            await talk.told(Text(HOSTILE[at : at + size]))
            seen.append(talk.written)
        await talk.told(DONE)

    alive = [re.sub(r"```.*?(```|$)", "", text, flags=re.DOTALL) for text in (*seen, talk.written)]
    assert START in talk.called
    assert not [text for text in alive if "<" in text or "[bank.example](https" in text]


def test_what_grows_is_at_every_point_what_would_be_said_as_a_whole() -> None:
    live, grown = Live(), ""
    for at in range(len(HOSTILE)):
        flow = Flow(HOSTILE[: HOSTILE.rfind("\n", 0, at) + 1].strip())
        if (more := live.more(flow)) is None:
            break
        grown += "".join(chunk["text"] for chunk in more[0])
        live.grown(flow, more[1], more[2], more[0])
        assert grown == safe(flow.text)

    assert "team^S1" in grown


async def test_a_card_in_a_fence_lets_no_link_out_of_it(slack: Slack, surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Text("```\n"))
        await talk.told(Step("c1", "<!channel>", status="completed"))
        await talk.told(Text("[bank.example](https://evil.example)\n"))
        seen = str(talk.messages)
        await talk.told(Text("```\n"), DONE)

    assert "<!channel>" not in seen
    assert "[bank.example](https://evil.example)" not in seen
    assert len(talk.messages) == 1


async def test_an_answer_that_is_changed_is_edited(surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Text("I think that it is red.\n"))
        await talk.told(Text("It is blue.", final=True), DONE)

    assert (talk.written, len(talk.messages)) == ("It is blue.", 1)


async def test_a_long_answer_is_whole(surface: SlackSurface, talk: Talk) -> None:
    lines = [f"{n}" + " word" * 20 for n in range(200)]
    async with talk.on(surface):
        for at in range(0, len(lines), 50):
            await talk.told(Text("\n\n".join(lines[at : at + 50]) + "\n\n"))
        await talk.told(DONE)

    assert [int(line.split()[0]) for text in talk.said for line in text.splitlines() if line.endswith("word")] == [*range(200)]


async def test_an_answer_that_came_all_the_time_stays_where_it_is(surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Text("one\n"))
        talk.at = 190.0
        await talk.told(Text("two\n"), DONE)

    assert (talk.written, len(talk.messages)) == ("one\ntwo", 1)


async def test_an_answer_after_a_pause_is_a_new_message(surface: SlackSurface, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    async with talk.on(surface):
        await talk.told(Text("I look.\n"))
        monkeypatch.setattr("bot.slack.stream.LATE", 0.0)
        talk.at = 190.0
        await talk.told(Text("two\n"), DONE)

    assert "The answer stands below" in talk.said[0]
    assert (talk.written, len(talk.messages)) == ("I look.\ntwo", 2)


async def test_a_turn_that_somebody_stops_says_so(slack: Slack, surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Text("one\n"))
        await slack.stop(talk.root["channel"], talk.root["ts"])
        await talk.told(Text("two\n"))
        await talk.told(Finished("canceled", "Stopped by ana."))
    await surface.status.settled()

    assert ("Stopped by ana" in talk.said[0], talk.written, len(talk.messages)) == (True, "one\ntwo", 1)
    assert slack.status(talk.root)["session"] == "active"


async def test_a_question_in_the_middle_ends_what_grew(slack: Slack, surface: SlackSurface, talk: Talk) -> None:
    async with talk.on(surface):
        await talk.told(Text("It depends.\n"))
        await talk.told(WHICH, Finished("input_required"))
    await surface.status.settled()

    assert talk.written == "It depends."
    assert "Which colour?" in talk.said[1]
    assert slack.status(talk.root)["session"] == "suspended"
