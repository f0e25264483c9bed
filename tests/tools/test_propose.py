"""An agent proposes that it begins by itself, as people in the thread want it; somebody who may approve it says so."""

import pytest

from bot import policy, words
from bot.event import APPROVE, DENY, Option, Part, Question
from bot.message import Answer, Person
from bot.plan import PROPOSAL
from bot.session import Session
from bot.slack.views import question as card
from bot.store.schedules import Schedules
from bot.tools import deeds
from bot.tools.lend import Lending
from tests.standins.stage import ANA, THREAD, Stage, agent
from tests.tools.conftest import Acts
from tests.tools.test_deeds import asked, does

MONDAYS = {"cron": "0 9 * * 1", "timezone": "Europe/Berlin", "prompt": "Which pull requests wait?", "words": "every Monday at 9"}
PROPOSES = does("propose_schedule", **MONDAYS)


@pytest.fixture
def plans(stage: Stage) -> Schedules:
    [lending] = stage.aids
    assert isinstance(lending, Lending)
    lending.plans = Schedules(stage.store.db)
    return Schedules(stage.store.db)


async def test_a_schedule_that_is_approved_is_kept(stage: Stage, plans: Schedules) -> None:
    stage.play(Acts(PROPOSES))
    await stage.say()
    question = await asked(stage)
    before = await plans.all()

    await stage.answer(question, APPROVE, part="decision")

    ended = await stage.ended()
    [plan] = await plans.all()
    assert before == []
    assert ended.answer.startswith(f"Approved. It is called {plan.name}, and begins next Mon ")
    assert (plan.agent, plan.asked, plan.schedule.post_to, plan.schedule.cron) == ("helper", "U1", "C1", "0 9 * * 1")
    assert plan.due


async def test_people_see_when_it_would_begin_and_what_it_would_be_asked(stage: Stage, plans: Schedules) -> None:
    stage.play(Acts(PROPOSES))
    await stage.say()
    await asked(stage)

    [question] = stage.surface.last.open

    assert question.parts[0].text == "Shall I begin by myself every Monday at 9?"
    assert question.detail.startswith("0 9 * * 1 (Europe/Berlin), next:\nMon ")
    assert question.detail.count(" 09:00 CE") == 3
    assert question.detail.endswith("Which pull requests wait?")


async def test_a_schedule_that_is_denied_is_not_kept(stage: Stage, plans: Schedules) -> None:
    stage.play(Acts(PROPOSES))
    await stage.say()

    await stage.answer(await asked(stage), DENY, part="decision")

    assert (await stage.ended()).answer == "Denied: it does not begin by itself."
    assert await plans.all() == []


async def test_a_schedule_that_is_approved_hours_later_is_kept_by_whoever_runs_the_next_turn(
    stage: Stage, plans: Schedules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deeds, "HOLD", 0.05)
    runtime = Acts(PROPOSES, does("post_update", text="Thank you."))
    stage.play(runtime)
    await stage.say()
    parked = await stage.ended()

    await stage.answer(parked.open[0].id, APPROVE, part="decision")

    await stage.ended(2)
    assert (parked.state, [plan.schedule.cron for plan in await plans.all()]) == ("input_required", ["0 9 * * 1"])


async def test_what_was_taken_away_does_not_come_back_when_the_turn_is_run_again(stage: Stage, plans: Schedules) -> None:
    stage.play(Acts(PROPOSES))
    await stage.say()
    await stage.answer(question := await asked(stage), APPROVE, part="decision")
    await stage.ended()
    [plan] = await plans.all()
    await plans.remove(plan.name)

    await deeds.settle(plans, "helper", Answer(question, {"decision": (APPROVE,)}))

    assert await plans.all() == []


async def test_a_schedule_that_cannot_be_is_refused_with_the_reason(stage: Stage, plans: Schedules) -> None:
    session = await stage.run(Acts(does("propose_schedule", **MONDAYS | {"timezone": "Berlin"})))

    assert session.answer.startswith("WRONG timezone: 'Berlin' is no time zone: write it like Europe/Berlin")


async def test_where_nothing_keeps_schedules_none_can_be_proposed(stage: Stage) -> None:
    session = await stage.run(Acts(PROPOSES))

    assert session.answer == "WRONG Nothing can begin by itself here; only in a Slack thread."


PROPOSED = Question(f"{PROPOSAL}1", "permission", (Part("decision", "Shall I?", (Option(APPROVE), Option(DENY))),))
ADMIN, MEMBER = Person("U7", "Carla", "admin"), Person("U80", "Dan")


def test_admins_approve_where_the_file_names_nobody() -> None:
    helper = policy.trusted(agent(), PROPOSED)

    assert policy.may(helper, ADMIN, "approve", ANA.id)
    assert not policy.may(helper, MEMBER, "approve", ANA.id)


def test_whom_the_file_names_approve_and_admins_do_not() -> None:
    helper = policy.trusted(agent(allow={"approve": ["U80"]}), PROPOSED)

    assert policy.may(helper, MEMBER, "approve", ANA.id)
    assert not policy.may(helper, ADMIN, "approve", ANA.id)


def test_the_card_can_be_approved_where_the_file_names_nobody() -> None:
    view = card.render(Session("s1", "helper", THREAD, ANA, "C1"), PROPOSED, None, agent())

    assert "'text': 'Approve'" in str(view.blocks)
    assert "Nobody may allow this" not in str(view.blocks)


def test_the_word_approves_it() -> None:
    assert words.typed(PROPOSED, "approve") == {"decision": (APPROVE,)}
    assert words.typed(PROPOSED, "ok") is None
