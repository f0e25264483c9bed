"""A text that is no agent's file yet is tried by itself only where it runs what people have allowed."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.agent import parse
from bot.app.lab import today
from bot.app.lent import Lent
from bot.app.rehearsal import Rehearsing
from bot.errors import ConfigError
from bot.line import Limits, Line, Ticket
from bot.runtimes import runtime_of
from bot.store.sql import SqlStore
from tests.app.test_lab import settings
from tests.cli.test_trials import ANA, HELPER, answer
from tests.standins.wait import until

OLD = parse("helper", HELPER)
BETTER = HELPER.replace("Help.", "Help well.")
DRAFT = parse("notes", HELPER.replace("Help.", "You write notes."))


async def everybody(threads: Iterable[str], here: str) -> dict[str, bool]:
    return {}


async def nobody(threads: Iterable[str], here: str) -> dict[str, bool]:
    return dict.fromkeys(threads, True)


@pytest.fixture
async def rehearsing(tmp_path: Path) -> AsyncIterator[Rehearsing]:
    given = settings(tmp_path)
    store, lending = SqlStore(given.database_url), Lent(given)
    await store.open()
    yield Rehearsing(given, lending, runtime_of, store, Line(Limits(turns=1)), everybody)
    await lending.close()
    await store.close_all()


async def test_other_words_are_tried_on_what_was_asked_and_the_trial_is_kept(rehearsing: Rehearsing) -> None:
    await answer(rehearsing.store)

    tried = await rehearsing.trial(OLD, parse("helper", BETTER), "U1")

    assert [run.new.text.strip() for run in tried.runs] == ["It is blue."]
    assert await rehearsing.store.trials("helper") == [tried]


@pytest.mark.parametrize(
    ("front", "what"),
    [
        ("runtime: stream_json\noptions: {command: [curl, https://example.com]}\n", "runtime and options"),
        ("runtime: echo\nenvironment: [OPENAI_API_KEY]\n", "environment"),
        ("runtime: echo\nworkspace: payroll\n", "workspace"),
    ],
)
async def test_what_nobody_has_allowed_yet_does_not_run_by_itself(rehearsing: Rehearsing, front: str, what: str) -> None:
    await answer(rehearsing.store)
    farther = parse("helper", BETTER.replace("runtime: echo\n", front))

    with pytest.raises(ConfigError, match=f"^people have not allowed its new {what} yet. Save the file, and try it with: frontdesk trial"):
        await rehearsing.trial(OLD, farther, "U1")


async def test_where_nothing_was_asked_there_is_nothing_to_try_it_on(rehearsing: Rehearsing) -> None:
    with pytest.raises(ConfigError, match=r"^nobody has asked helper anything yet\.$"):
        await rehearsing.trial(OLD, parse("helper", BETTER), "U1")


async def test_what_cannot_be_asked_again_is_not_tried(rehearsing: Rehearsing) -> None:
    await answer(rehearsing.store, " ")

    with pytest.raises(ConfigError, match=r"^nobody has asked helper anything yet that can be asked again, and all may read\.$"):
        await rehearsing.trial(OLD, parse("helper", BETTER), "U1")


async def test_what_not_everybody_could_read_is_told_to_no_text_that_nobody_has_allowed(rehearsing: Rehearsing) -> None:
    await answer(rehearsing.store)
    await answer(rehearsing.store, "!say Her pay is 7.", id="s2", private=True)

    tried = await rehearsing.trial(OLD, parse("helper", BETTER), "U1")

    assert [run.new.text.strip() for run in tried.runs] == ["It is blue."]
    assert tried.left == ("1 of what was asked where not everybody may read was left out.",)
    assert await rehearsing.store.trials("helper") == [tried]


async def test_what_was_asked_in_closed_channels_is_not_tried(rehearsing: Rehearsing) -> None:
    await answer(rehearsing.store)

    with pytest.raises(ConfigError, match=r"^nobody has asked helper anything yet that can be asked again, and all may read\.$"):
        await replace(rehearsing, closed=nobody).trial(OLD, parse("helper", BETTER), "U1")


async def test_what_trying_a_draft_costs_is_the_cost_of_the_agent_that_lends_it_all(rehearsing: Rehearsing) -> None:
    said = await rehearsing.ask(DRAFT, "!say It is blue.\n!cost 0.20", ANA, OLD)

    assert said.text.strip() == "It is blue."
    assert await today(rehearsing.store, "helper") == pytest.approx(0.2)
    [kept] = await rehearsing.store.trials("helper")
    assert [(run.asked, run.new.text) for run in kept.runs] == [("", "")]


async def test_a_draft_is_not_tried_once_that_agent_may_spend_no_more_today(rehearsing: Rehearsing) -> None:
    poor = {"budget": OLD.budget.model_copy(update={"usd_per_day": 0.1})}
    like, draft = OLD.model_copy(update=poor), DRAFT.model_copy(update=poor)
    await rehearsing.ask(draft, "!cost 0.20", ANA, like)

    with pytest.raises(ConfigError, match=r"budget of \$0.1 for one day is used up"):
        await rehearsing.ask(draft, "!say Again.", ANA, like)


async def test_a_draft_that_is_tried_waits_in_the_line_like_a_turn(rehearsing: Rehearsing) -> None:
    line = rehearsing.line
    async with line.stand(Ticket("s9", "helper", "U9", "C1")):
        waits = asyncio.create_task(rehearsing.ask(DRAFT, "!say Now.", ANA, OLD))
        await until(lambda: line.waiting)
        assert not waits.done()

    assert (await waits).text.strip() == "Now."
    assert line.running == 0
