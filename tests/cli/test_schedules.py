"""The command that lists what begins by itself, and changes that while the desk runs."""

import asyncio
import json
from pathlib import Path

import pytest

from bot import app
from bot.agent import parse
from bot.app import upkeep
from bot.cli import main, play
from bot.cli.notes import routes
from bot.cli.play import playing
from bot.cli.schedules import act
from bot.message import Person
from bot.plan import Plan
from bot.playground import Slack
from bot.session import Session
from bot.settings import Settings
from bot.store.schedules import Schedules
from bot.trigger import Schedule
from tests.cli.test_cli import HELPER
from tests.test_path import said

COUNTER = (
    "---\ndescription: Counts.\nruntime: echo\ntriggers:\n"
    "  - schedule: {cron: '0 9 * * 1', timezone: Europe/Berlin, post_to: '#random', prompt: '!say all is well'}\n---\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "counter.md").write_text(COUNTER)
    return tmp_path


def test_schedules_are_listed_before_any_desk_has_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["schedules"])

    [heads, row] = capsys.readouterr().out.splitlines()
    assert code == 0
    assert heads.split() == ["NAME", "CRON", "TIME", "ZONE", "WRITES", "TO", "NEXT", "LAST"]
    assert row.startswith("counter:1  0 9 * * 1  Europe/Berlin  #random    Mon ")


def test_it_is_said_whose_schedules_they_are(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    main(["schedules"])
    before = capsys.readouterr().err
    (folder / "play.db").touch()
    monkeypatch.setenv("DATABASE_URL", "sqlite:///play.db")
    main(["schedules"])
    after = capsys.readouterr().err

    assert before.startswith("frontdesk: no desk has run on frontdesk.db yet, so this is what the agents' files say;")
    assert after.startswith("frontdesk: this is what the desk on play.db has;")


async def test_the_schedules_of_a_desk_that_plays_are_found_by_the_address_that_it_says(folder: Path) -> None:
    async with playing(Settings(agents_dir=folder / "agents"), 0) as (_, desk):
        await desk.scheduler.tick()
        address = play.beside(desk).partition("DATABASE_URL=")[2]

        paused = await act(Settings(database_url=address), "pause", "counter")

        [plan] = await desk.scheduler.plans.all()
    assert paused == "counter:1 is paused. `resume schedule counter:1` lets it go on."
    assert plan.paused == "the shell"


async def test_what_people_thought_in_a_play_is_found_in_the_same_way(folder: Path) -> None:
    (folder / "agents" / "counter.md").write_text(HELPER)  # nothing begins by itself
    async with playing(Settings(agents_dir=folder / "agents"), 0) as (_, desk):
        address = play.beside(desk).partition("DATABASE_URL=")[2]

        async with upkeep.opened(address) as store:
            assert await store.feedback() == []


async def test_a_channel_has_the_name_by_which_agents_were_asked_there(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///desk.db")
    timed = Schedule(cron="0 9 * * 1", post_to="C0REVIEWS", prompt="Go.")
    secret = timed.model_copy(update={"post_to": "C0SECRET"})
    async with upkeep.opened("sqlite:///desk.db") as store:
        for place, name in (("C0REVIEWS", "reviews"), ("C0SECRET", "privategroup")):
            await store.start(Session(place, "counter", f"slack:T1:{place}:1.0", Person("U1"), place, name))
        plans = Schedules(store.db)
        await plans.keep(Plan("counter:p1", "counter", timed, 2e9, asked="U1", trouble="I could not write to C0REVIEWS."))
        await plans.keep(Plan("counter:p2", "counter", secret, 2e9, asked="U1"))

    await asyncio.to_thread(main, ["schedules"])

    said = capsys.readouterr().out
    assert "counter:p1  0 9 * * 1  UTC            #reviews" in said
    assert "counter:p1 could not begin: I could not write to #reviews.\n" in said
    assert "C0SECRET" in said


def test_schedules_are_listed_for_scripts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["schedules", "--json"])

    [row] = json.loads(capsys.readouterr().out)
    assert (row["name"], row["cron"], row["last"], row["paused"]) == ("counter:1", "0 9 * * 1", 0.0, "")


def test_what_to_pause_has_to_be_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["schedules", "pause"])

    assert code == 2
    assert "say which, as in: frontdesk schedules pause helper:1" in capsys.readouterr().err


def test_where_no_desk_has_run_nothing_can_be_paused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["schedules", "pause", "counter:1"])

    assert code == 2
    assert "it is made by: frontdesk run" in capsys.readouterr().err


async def test_a_schedule_is_run_paused_and_listed_while_the_desk_runs(slack: Slack, agents: Path, settings: Settings) -> None:
    (agents / "counter.md").write_text(COUNTER)
    async with app.running(settings) as desk:
        await desk.scheduler.tick()

        ran = await act(settings, "run", "counter")
        paused = await act(settings, "pause", "counter:1")

        [root] = await slack.until(
            lambda: [each for each in slack.messages("random", replies=False) if "counter:1" in slack.text(each)], 10
        )
        await slack.until(lambda: "all is well" in said(slack, root)[1:][-1])
        [plan] = await desk.scheduler.plans.all()
    assert ran == "counter:1 begins, in a thread under a message of its own."
    assert paused == "counter:1 is paused. `resume schedule counter:1` lets it go on."
    assert (plan.paused, plan.last > 0) == ("the shell", True)


def test_the_bench_says_how_to_have_it_at_once() -> None:
    counter = parse("counter", COUNTER)

    [route] = routes(counter, [counter], "@Frontdesk", "http://127.0.0.1:1")

    assert (route.words, route.text) == ("counter's schedule 0 9 * * 1 (Europe/Berlin) for #random", "@Frontdesk schedules")
