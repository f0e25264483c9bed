"""What people say to the desk about schedules, and the buttons under the list of them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import app, clock, policy
from bot.app import Frontdesk
from bot.message import Person
from bot.playground import Slack
from bot.settings import Settings
from tests.standins.wait import until
from tests.test_path import said

COUNTER = (
    "---\ndescription: Counts.\nruntime: echo\nallow: {stop: ['@oncall'], approve: ['@platform']}\ntriggers:\n"
    "  - schedule: {cron: '0 9 * * *', timezone: Europe/Berlin, post_to: '#random', prompt: '!say all is well'}\n---\n"
)


@pytest.fixture
async def desk(slack: Slack, agents: Path, settings: Settings) -> AsyncIterator[Frontdesk]:
    (agents / "counter.md").write_text(COUNTER)
    async with app.running(settings) as desk:
        await desk.scheduler.tick()
        yield desk


async def paused(desk: Frontdesk) -> str:
    [plan] = await desk.scheduler.plans.all()
    return plan.paused


def told(slack: Slack, words: str, person: str = "ben") -> dict[str, Any] | None:
    return next((message for message in slack.ephemerals(person) if words in slack.text(message)), None)


async def test_whoever_asks_sees_what_begins_by_itself_and_when(slack: Slack, desk: Frontdesk) -> None:
    await slack.mention("schedules", by="ben")

    listed = await slack.until(lambda: told(slack, "counter:1"))

    assert "0 9 * * *" in slack.text(listed)
    assert "Europe/Berlin" in slack.text(listed)
    assert slack.channel("random") in slack.text(listed)


async def test_a_schedule_is_paused_and_goes_on_by_a_button(slack: Slack, desk: Frontdesk) -> None:
    await slack.mention("schedules", by="ben")
    listed = await slack.until(lambda: told(slack, "counter:1"))

    await slack.press(listed, "Pause", "ben")
    await until(lambda: is_paused(desk, "ben"))
    await slack.mention("schedules", by="ben")
    listed = await slack.until(lambda: told(slack, "paused by ben"))
    await slack.press(listed, "Resume", "ben")

    await until(lambda: is_paused(desk, ""))


async def is_paused(desk: Frontdesk, by: str) -> bool:
    return await paused(desk) == by


async def test_the_command_lists_and_pauses_schedules(slack: Slack, desk: Frontdesk) -> None:
    await slack.command("/frontdesk", "schedules", by="ben")
    await slack.press(await slack.until(lambda: told(slack, "counter:1")), "Pause", "ben")
    await until(lambda: is_paused(desk, "ben"))

    await slack.command("/frontdesk", "resume schedule counter:1", by="ben")

    await until(lambda: is_paused(desk, ""))


async def test_a_schedule_is_paused_in_words(slack: Slack, desk: Frontdesk) -> None:
    await slack.mention("pause schedule counter", by="ben")

    await slack.until(lambda: told(slack, "counter:1 is paused"))

    assert await paused(desk) == "ben"


async def test_what_is_paused_does_not_begin(slack: Slack, desk: Frontdesk) -> None:
    await slack.direct("pause schedule counter:1", by="ben")
    await slack.until(lambda: told(slack, "counter:1 is paused"))
    await desk.scheduler.plans.change("counter:1", due=clock.now() - 1)
    before = await desk.scheduler.plans.all()

    await desk.scheduler.tick()

    assert await desk.scheduler.plans.all() == before


async def test_what_came_while_it_was_paused_is_not_made_up_for(slack: Slack, desk: Frontdesk) -> None:
    [plan] = await desk.scheduler.plans.all()
    await desk.scheduler.plans.change(plan.name, paused="ben", due=plan.due - 30 * 86400)

    await slack.mention("resume schedule counter:1", by="ben")
    await slack.until(lambda: told(slack, "counter:1 goes on: next"))

    assert await desk.scheduler.plans.all() == [replace(plan, paused="")]


async def test_a_schedule_is_run_now(slack: Slack, desk: Frontdesk) -> None:
    await slack.mention("run schedule counter:1", by="ben")

    [root] = await slack.until(lambda: [each for each in slack.messages("random", replies=False) if "counter:1" in slack.text(each)])
    await slack.until(lambda: "all is well" in said(slack, root)[1:][-1])

    [plan] = await desk.scheduler.plans.all()
    assert plan.last


async def test_whoever_may_stop_an_agent_but_not_ask_it_does_not_begin_it(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    (agents / "counter.md").write_text(COUNTER.replace("{stop:", "{run: [admins], stop:"))
    await slack.until(lambda: not policy.may(desk.desk.agent("counter"), Person("U0", "Ben"), "run"), 15)

    await slack.mention("run schedule counter:1", by="ben")
    await slack.until(lambda: told(slack, "You may not ask counter"))
    await slack.mention("pause schedule counter:1", by="ben")
    await slack.until(lambda: told(slack, "counter:1 is paused"))

    assert await desk.store.sessions() == []


async def test_whoever_may_do_nothing_with_an_agent_learns_of_no_schedule(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    (agents / "counter.md").write_text(COUNTER.replace("{stop:", "{run: [admins], stop:"))
    await slack.until(lambda: not policy.may(desk.desk.agent("counter"), Person("U0", "Ana"), "run"), 15)

    await slack.mention("run schedule x", by="ana")

    await slack.until(lambda: told(slack, "There is no schedule 'x', nor any other.", "ana"))


async def test_whoever_may_approve_may_pause(slack: Slack, desk: Frontdesk) -> None:
    await slack.mention("pause schedule counter:1", by="carla")

    await slack.until(lambda: told(slack, "counter:1 is paused", "carla"))

    assert await paused(desk) == "carla"


PLAN = {"Which agent?": "counter", "On which days?": ["Monday"], "Where does it write?": "random", "What is it asked?": "!say hello"}


async def planned(slack: Slack, by: str, **more: str) -> str:
    """A form is opened, filled in and sent; what is said to that."""
    await slack.command("/frontdesk", "schedule", by=by)
    await slack.submit(await slack.until(lambda: slack.modals(by)[-1]), PLAN | more, by)
    return slack.text(await slack.until(lambda: slack.messages(f"@{by}")[-1]))


async def test_a_schedule_is_planned_in_a_form_by_whoever_may_approve_it(slack: Slack, desk: Frontdesk) -> None:
    said = await planned(slack, "carla")

    [_, plan] = await desk.scheduler.plans.all()
    assert said.startswith(f"It is called {plan.name}, and begins next Mon ")
    assert (plan.agent, plan.schedule.cron, plan.schedule.timezone) == ("counter", "0 9 * * 1", "Europe/Berlin")
    assert (plan.schedule.post_to, plan.schedule.prompt, plan.asked) == (slack.channel("random"), "!say hello", slack.user("carla"))


async def test_what_comes_of_a_form_that_no_channel_has_is_said_directly_at_once(slack: Slack, desk: Frontdesk) -> None:
    await planned(slack, "carla")

    assert slack.made("chat.postEphemeral") == []


async def test_whoever_may_plan_none_of_the_agents_is_told_who_may(slack: Slack, desk: Frontdesk) -> None:
    await slack.command("/frontdesk", "schedule", by="ana")

    shown = await slack.until(lambda: slack.modals("ana")[-1])

    assert "There is no agent that you may plan." in str(shown)


async def test_help_says_how_one_is_planned(slack: Slack, desk: Frontdesk) -> None:
    await slack.mention("help", by="ana")

    await slack.until(lambda: told(slack, "`/frontdesk new` makes an agent, `/frontdesk schedule` lets one begin by itself", "ana"))


async def test_only_agents_that_one_may_plan_are_offered(slack: Slack, desk: Frontdesk) -> None:
    await slack.command("/frontdesk", "schedule", by="ben")

    shown = str(await slack.until(lambda: slack.modals("ben")[-1]))

    assert "'counter'" in shown
    assert "'helper'" not in shown


async def test_whoever_may_no_longer_approve_it_plans_nothing(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    await slack.command("/frontdesk", "schedule", by="carla")
    shown = await slack.until(lambda: slack.modals("carla")[-1])
    (agents / "counter.md").write_text(COUNTER.replace("['@platform']", "[guests]"))
    await slack.until(lambda: desk.desk.agent("counter").allow.approve == ("guests",), 15)

    await slack.submit(shown, PLAN, "carla")

    refusal = "You may not let counter begin by itself. Allowed: guests."
    await slack.until(lambda: refusal in slack.text(slack.messages("@carla")[-1]))
    assert len(await desk.scheduler.plans.all()) == 1


async def test_a_time_zone_that_there_is_not_is_told_at_its_field_with_how_it_is_written(slack: Slack, desk: Frontdesk) -> None:
    await slack.command("/frontdesk", "schedule", by="carla")
    form = await slack.until(lambda: slack.modals("carla")[-1])

    answer = await slack.submit(form, PLAN | {"In which time zone?": "Berlin"}, "carla")

    assert answer["errors"] == {"zone": "'Berlin' is no time zone: write it like Europe/Berlin, America/New_York or UTC"}
    assert len(slack.modals("carla")) == 1
    await slack.submit(form, {"In which time zone?": "Europe/Rome"}, "carla")
    await until(lambda: kept(desk, 2))


async def test_what_was_typed_stands_in_the_form_again(slack: Slack, desk: Frontdesk) -> None:
    await planned(slack, "carla", **{"Where does it write?": "secret"})

    await slack.press(slack.messages("@carla")[-1], "Change it", "carla")
    await slack.submit(await slack.until(lambda: slack.modals("carla")[-1]), {"Where does it write?": "random"}, "carla")
    await until(lambda: kept(desk, 2))

    [_, plan] = await desk.scheduler.plans.all()
    assert (plan.agent, plan.schedule.cron, plan.schedule.timezone) == ("counter", "0 9 * * 1", "Europe/Berlin")
    assert (plan.schedule.post_to, plan.schedule.prompt) == (slack.channel("random"), "!say hello")


async def test_more_than_a_button_can_carry_is_said_again(slack: Slack, desk: Frontdesk) -> None:
    said = await planned(slack, "carla", **{"Where does it write?": "secret", "What is it asked?": "„" * 1999})

    assert f"You asked:\n```\n{'„' * 1999}\n```" in said


async def test_nothing_is_planned_where_the_bot_is_not(slack: Slack, desk: Frontdesk) -> None:
    said = await planned(slack, "carla", **{"Where does it write?": "secret"})

    assert f"I am not in <#{slack.channel('secret')}>, so I could not write there. Invite me first: `/invite @Frontdesk`." in said
    assert len(await desk.scheduler.plans.all()) == 1


async def test_what_is_planned_in_a_private_channel_is_not_told_to_others(slack: Slack, desk: Frontdesk) -> None:
    slack.add_channel("board", ("carla", "frontdesk"), private=True)
    await planned(slack, "carla", **{"Where does it write?": "board", "What is it asked?": "Who leaves?"})
    await planned(slack, "carla")
    await until(lambda: kept(desk, 3))

    await slack.mention("schedules", by="ana")

    listed = slack.text(await slack.until(lambda: told(slack, "counter:1", "ana")))
    assert "!say hello" in listed
    assert "Who leaves?" not in listed


async def test_where_the_bot_was_let_out_the_list_says_what_to_do(slack: Slack, desk: Frontdesk) -> None:
    slack.add_channel("board", ("carla", "frontdesk"), private=True)
    await planned(slack, "carla", **{"Where does it write?": "board"})
    await slack.kick("board")
    name = next(plan.name for plan in await desk.scheduler.plans.all() if plan.asked)

    await slack.mention(f"run schedule {name}", by="carla")
    await until(lambda: troubled(desk, name))
    await slack.mention("schedules", by="carla")

    where = f"<#{slack.channel('board')}>"
    await slack.until(lambda: told(slack, f"I could not write to {where}: I am not in it. Invite me there", "carla"))


async def kept(desk: Frontdesk, number: int) -> bool:
    return len(await desk.scheduler.plans.all()) == number


async def troubled(desk: Frontdesk, name: str) -> bool:
    plan = await desk.scheduler.plans.get(name)
    return bool(plan and plan.trouble)


async def test_whoever_may_neither_stop_nor_approve_is_told_who_may(slack: Slack, desk: Frontdesk) -> None:
    await slack.mention("pause schedule counter:1", by="ana")

    await slack.until(lambda: told(slack, "You may not pause counter:1. Allowed: <!subteam^", "ana"))

    assert await paused(desk) == ""


async def test_a_schedule_that_there_is_not_is_told_with_those_that_there_are(slack: Slack, desk: Frontdesk) -> None:
    await slack.mention("run schedule conter:1", by="ben")

    await slack.until(lambda: told(slack, "There is no schedule 'conter:1': say which, of `counter:1`"))

    assert len(await desk.store.sessions()) == 0


async def test_what_stands_in_a_file_is_removed_there(slack: Slack, desk: Frontdesk) -> None:
    await slack.mention("remove schedule counter:1", by="ben")

    await slack.until(lambda: told(slack, "it is removed there"))

    assert len(await desk.scheduler.plans.all()) == 1


async def test_whoever_may_ask_no_agent_of_them_sees_no_schedules(slack: Slack, desk: Frontdesk) -> None:
    await slack.mention("schedules", by="dan")

    await slack.until(lambda: told(slack, "There is no schedule", "dan"))

    assert not told(slack, "counter:1", "dan")
