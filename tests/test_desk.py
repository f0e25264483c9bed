"""What the desk does beside answering: names that change, files that change, strangers, commands nobody has, time, and trouble."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from bot import app, clock
from bot.app import Frontdesk
from bot.dispatch import Desk
from bot.errors import StoreFailed
from bot.event import Finished, Part, Question, Started
from bot.playground import Slack
from bot.ports import Turn
from bot.settings import Settings
from bot.store.prune import prune
from tests.standins.stage import ANA, COLOUR, Parks, Stage, agent, lose, message, staged
from tests.standins.wait import until
from tests.test_path import find, last, said
from tests.test_turn import DONE, Says


class Hurries:
    """Asks a question that is over in a moment, and ends its turn."""

    async def run(self, turn: Turn, inbox: object):  # type: ignore[no-untyped-def]
        yield Started("r")
        yield Question("q", "question", (Part("a", "Quick: which?", free_text=True),), expires_at=1.0)
        yield Finished("input_required")


async def test_a_channel_that_gets_its_name_later_reaches_the_agent_that_names_it(slack: Slack, settings: Settings) -> None:
    (settings.agents_dir / "late.md").write_text("---\ndescription: x\nruntime: echo\ntriggers: [{mention: ['#launch']}]\n---\n")
    async with app.running(settings) as desk:
        await slack.rename("random", "launch")
        await slack.until(lambda: "#launch" in desk.directory.ids)

        root = await slack.mention("hello", channel="launch")

        await slack.until(lambda: said(slack, root) and "You said: hello" in said(slack, root)[-1])
        assert [session.agent for session in await desk.store.sessions()] == ["late"]


async def test_a_private_channel_into_which_the_bot_is_brought_reaches_the_agent_that_names_it(slack: Slack, settings: Settings) -> None:
    (settings.agents_dir / "late.md").write_text("---\ndescription: x\nruntime: echo\ntriggers: [{mention: ['#secret']}]\n---\n")
    async with app.running(settings) as desk:
        assert "#secret" not in desk.directory.ids

        await slack.invite("secret")

        await slack.until(lambda: "#secret" in desk.directory.ids)


async def test_rights_that_are_newer_stand_however_late_slack_tells_of_older_ones(
    desk: Frontdesk, agents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner, asked, answers = desk.directory.resolve, asyncio.Event(), asyncio.Event()

    async def slowly(names: Iterable[str]) -> None:
        if not asked.is_set():
            asked.set()
            await answers.wait()
        await inner(names)

    monkeypatch.setattr(desk.directory, "resolve", slowly)
    older = asyncio.create_task(desk.resolve())
    await asked.wait()
    (agents / "reviewer.md").write_text("---\ndescription: Reviews.\nruntime: echo\nallow: {run: [admins]}\n---\n")
    desk.files.load()
    newer = asyncio.create_task(desk.resolve())
    await asyncio.wait([newer], timeout=0.2)
    answers.set()
    await asyncio.gather(older, newer)

    assert desk.agent("reviewer").allow.run == ("admins",)


async def test_an_agents_file_that_is_new_answers_at_once(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    (agents / "fresh.md").write_text("---\ndescription: New here.\nruntime: echo\n---\n")
    await slack.until(lambda: any(agent.name == "fresh" for agent in desk.desk.agents), 10)

    root = await slack.mention("fresh: hello")

    await slack.until(lambda: said(slack, root) and "You said: hello" in said(slack, root)[-1])


async def test_a_broken_file_keeps_its_last_good_version(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    (agents / "reviewer.md").write_text("---\ndescripton: x\n---\n")
    await slack.until(lambda: desk.files.problems, 10)

    root = await slack.mention("reviewer: still there?")

    await slack.until(lambda: said(slack, root) and "You said: still there?" in said(slack, root)[-1])
    assert any("did you mean 'description'?" in problem for problem in desk.files.problems)


async def test_somebody_from_another_company_is_not_heard(slack: Slack, desk: Frontdesk) -> None:
    await slack.invite("partners")
    root = await slack.mention("hello", by="eve", channel="partners")

    await slack.until(lambda: any("members of this workspace" in slack.text(m) for m in slack.ephemerals("eve")))

    assert not said(slack, root)
    assert "agents/" not in slack.text(slack.ephemerals("eve")[-1])


async def test_a_command_that_no_agent_has_is_told(slack: Slack, desk: Frontdesk) -> None:
    await slack.command("/nothing", "hello", by="ana", channel="general")

    await slack.until(lambda: any("No agent answers the command /nothing" in slack.text(m) for m in slack.ephemerals("ana")))


async def test_home_shows_agents_and_conversations(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("hello")
    await slack.until(lambda: said(slack, root) and "You said: hello" in said(slack, root)[-1])

    await slack.open_home("ana")

    view = await slack.until(lambda: slack.home("ana"))
    await slack.until(lambda: "Says back what it is told" in slack.text(slack.home("ana") or {}))
    assert view


async def test_a_question_whose_time_is_over_says_so_and_how_to_go_on(slack: Slack, settings: Settings) -> None:
    file = "---\ndescription: x\nruntime: tests.test_desk:Hurries\n---\n"
    (settings.agents_dir / "hurried.md").write_text(file)
    async with app.running(settings):
        root = await slack.mention("hurried: go")

        await slack.until(lambda: find(slack, root, "Nobody answered in time"), 10)

    card = find(slack, root, "Nobody answered in time")
    assert not any(block["type"] == "actions" for block in card["blocks"])


async def test_chatter_beside_an_open_question_leaves_it_open(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!ask Which? | A | B\n!say {answer}!")
    card = await slack.until(lambda: find(slack, root, "Which?"))

    await slack.say("ana is at lunch, I think", thread=root, by="ben")
    await slack.until(lambda: any("I wait for one of these" in slack.text(m) for m in slack.ephemerals("ben")))
    await slack.press(card, "A", "ana")

    await slack.until(lambda: any("A!" in text for text in said(slack, root)))
    await slack.until(lambda: "You said: ana is at lunch" in said(slack, root)[-1])


async def test_who_may_not_answer_and_types_an_option_is_told(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!approve make deploy\n!say {answer}", channel="reviews")
    await slack.until(lambda: find(slack, root, "Permission needed"))

    await slack.say("allow", thread=root, by="ana", channel="reviews")

    await slack.until(lambda: any("You may not approve" in slack.text(m) for m in slack.ephemerals("ana")))
    assert "Permission needed" in slack.text(last(slack, root))


async def test_a_budget_that_is_used_up_is_told(slack: Slack, settings: Settings) -> None:
    file = "---\ndescription: x\nruntime: echo\nbudget: {usd_per_session: 1}\n---\n"
    (settings.agents_dir / "dear.md").write_text(file)
    async with app.running(settings):
        root = await slack.mention("dear: !cost 1.5\n!slow 20\n!say never")

        await slack.until(lambda: said(slack, root) and "The budget of $1 for one session is used up" in said(slack, root)[-1])


async def test_a_private_agent_that_watches_a_channel_does_not_say_that_it_was_asked(slack: Slack, settings: Settings) -> None:
    watching = 'triggers: [{messages: {channel: "#triage"}}, {reaction: eyes}]'
    (settings.agents_dir / "quiet.md").write_text(f"---\ndescription: x\nruntime: echo\nreply: private\n{watching}\n---\n")
    async with app.running(settings):
        message = await slack.say("the door is broken", channel="triage", by="ana")
        await slack.until(lambda: any("You wrote something for *quiet*" in slack.text(m) for m in slack.messages("@ana")))
        await slack.react(message, "eyes", by="ben")

        await slack.until(lambda: any("You reacted with :eyes: for *quiet*" in slack.text(m) for m in slack.messages("@ben")))


async def test_a_private_agent_answers_in_the_direct_message(slack: Slack, settings: Settings) -> None:
    file = "---\ndescription: x\nruntime: echo\nreply: private\n---\n"
    (settings.agents_dir / "quiet.md").write_text(file)
    async with app.running(settings):
        root = await slack.mention("quiet: between us")

        await slack.until(lambda: any("You said: between us" in slack.text(m) for m in slack.messages("@ana")))
        await slack.until(lambda: any("comes to you alone" in slack.text(m) for m in slack.ephemerals("ana")))

    assert not said(slack, root)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as stage:
        yield stage


class Away:
    """An engine whose database is away at the first calls; `submitted` is what it took after that."""

    def __init__(self, calls: int = 1) -> None:
        self.calls, self.submitted = calls, list[str]()

    async def submit(self, session_id: str) -> None:
        self.calls -= 1
        if self.calls >= 0:
            raise StoreFailed("The database does not answer.")
        self.submitted.append(session_id)


def on(stage: Stage, engine: Away) -> Desk:
    return Desk(lambda: [agent(triggers=[{"mention": ["*"]}])], stage.store, stage.surface, engine)


async def test_a_session_that_was_kept_and_not_begun_is_begun_when_its_message_is_dealt_with_again(stage: Stage) -> None:
    desk = on(stage, engine := Away())
    with pytest.raises(StoreFailed):
        await desk.hear(message("hello"))

    await desk.hear(message("hello"))

    assert engine.submitted == [session.id for session in await stage.store.sessions()]


async def test_a_session_whose_keeping_was_not_confirmed_is_begun_all_the_same(stage: Stage) -> None:
    desk = on(stage, engine := Away(0))
    lose(stage.store)

    await desk.hear(message("hello"))

    assert engine.submitted == [session.id for session in await stage.store.sessions()]


async def test_a_follow_up_that_nobody_was_told_of_is_told_when_it_is_dealt_with_again(stage: Stage) -> None:
    await stage.say(submit=False)
    desk = on(stage, engine := Away())
    with pytest.raises(StoreFailed):
        await desk.hear(message("more", "m2"))

    await desk.hear(message("more", "m2"))

    assert engine.submitted == ["s1"]


async def test_an_answer_that_nobody_was_told_of_is_told_when_it_is_dealt_with_again(stage: Stage) -> None:
    await stage.run(Parks())
    desk = on(stage, engine := Away())
    with pytest.raises(StoreFailed):
        await desk.questions.answer("s1", "q1", {"which": ("Red",)}, ANA, "click")

    said = await desk.questions.answer("s1", "q1", {"which": ("Red",)}, ANA, "click")

    assert (said, engine.submitted) == ("", ["s1"])


async def test_a_question_that_time_has_closed_while_nobody_could_be_told_is_gone_on_with(stage: Stage) -> None:
    stage.hold = 0.01
    await stage.run(Says(Started("r"), replace(COLOUR, expires_at=1.0), hangs=True))
    desk = on(stage, engine := Away())
    with pytest.raises(StoreFailed):
        await desk.questions.expire(2.0)

    await desk.questions.expire(4.0)

    assert engine.submitted == ["s1"]


async def test_a_stop_means_what_was_said_before_it_whatever_the_clocks_say(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_ahead", -300.0)
    await stage.say(submit=False)
    await stage.store.put("s1", replace(message("waits", "m2"), at=time.time()))

    await on(stage, Away(0)).stop(await stage.store.load("s1"), ANA, "stop:1")
    await stage.play(runtime := Says(DONE)).run("s1", asyncio.Event())

    assert runtime.turns == []
    assert await stage.store.unfinished() == []


async def test_who_asks_how_far_it_is_while_it_waits_for_room_is_told_its_place(slack: Slack, settings: Settings) -> None:
    async with app.running(settings.model_copy(update={"turns_at_once": 1})):
        first = await slack.mention("!slow 30\n!say never")
        await slack.until(lambda: said(slack, first))
        root = await slack.mention("hello")
        await slack.until(lambda: said(slack, root) and "Waiting for room, as the next" in said(slack, root)[-1])

        await slack.say("status", thread=root, by="ana")

        await slack.until(
            lambda: any("helper waits for room, as the next; asked " in text for text in [*said(slack, root), *whispers(slack)])
        )


def whispers(slack: Slack) -> list[str]:
    return [slack.text(each) for each in slack.ephemerals("ana")]


async def cleared(desk: Frontdesk) -> bool:
    return bool((await prune(desk.store.db, clock.now() + 60)).sessions)


@pytest.mark.parametrize("button", ["Steps", "Good", "Bad"])
async def test_a_button_of_what_was_pruned_says_so(slack: Slack, desk: Frontdesk, button: str) -> None:
    root = await slack.mention("!step one\n!step two\n!say done")
    await slack.until(lambda: "done" in said(slack, root)[-1] and slack.status(root)["session"] == "active")
    await until(lambda: cleared(desk))

    await slack.press(slack.thread(root)[-1], button, "ana")

    await slack.until(lambda: any("That is no longer known" in text for text in whispers(slack)))
