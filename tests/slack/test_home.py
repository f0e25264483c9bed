"""App Home: what each person finds there, and nothing else; and that it stays so while they look."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import clock
from bot.app import Frontdesk
from bot.change import Proposal
from bot.journal import Delivery
from bot.message import Person
from bot.past import Finding
from bot.playground import Slack
from bot.slack import home
from bot.slack.budget import Local
from bot.store.proposals import Proposals
from tests.test_path import find, last, said

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "EVERY", 0.02)
    monkeypatch.setattr(home, "APART", 0.1)


def words(slack: Slack, who: str) -> str:
    """What stands in somebody's Home, block by block."""
    blocks = (slack.home(who) or {}).get("blocks") or ()
    return "\n".join(str(block.get("text", {}).get("text", block.get("elements", ""))) for block in blocks)


def line(slack: Slack, who: str, part: str) -> Json:
    """The block that says this."""
    return next(block for block in (slack.home(who) or {})["blocks"] if part in str(block))


async def opened(slack: Slack, who: str) -> str:
    """What stands there once it is shown."""
    before = len(slack.made("views.publish"))
    await slack.open_home(who)
    await slack.until(lambda: len(slack.made("views.publish")) > before and slack.home(who))
    return words(slack, who)


async def test_what_runs_stands_first_and_is_stopped_there(slack: Slack, desk: Frontdesk) -> None:
    running = await slack.mention("!slow 60\n!say never")
    await slack.until(lambda: said(slack, running))
    done = await slack.mention("hello")
    await slack.until(lambda: "You said: hello" in said(slack, done)[-1])

    text = await opened(slack, "ana")
    assert text.index("!slow 60") < text.index("hello")
    await slack.press(slack.home("ana") or {}, "Stop", "ana")

    await slack.until(lambda: "⏹" in words(slack, "ana"))
    assert "Stop" not in str(slack.home("ana"))
    await slack.until(lambda: "Stopped by" in said(slack, running)[-1])


async def test_what_goes_on_meanwhile_shows_without_opening_it_again(slack: Slack, desk: Frontdesk) -> None:
    assert "None yet." in await opened(slack, "ana")

    root = await slack.mention("!ask Which colour? | Red | Blue\n!say {answer}!")
    await slack.until(lambda: "Waiting for you" in words(slack, "ana"))
    assert "|Which colour?>" in words(slack, "ana")
    await slack.press(await slack.until(lambda: find(slack, root, "Which colour?")), "Red", "ana")

    await slack.until(lambda: "Waiting for you" not in words(slack, "ana") and "✓ *helper*" in words(slack, "ana"))


async def test_who_is_to_approve_finds_the_question_without_its_words(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!approve rm -rf secret", channel="reviews", by="ana")
    await slack.until(lambda: find(slack, root, "Permission needed"))

    text = await opened(slack, "carla")

    assert f"/p{root['ts'].replace('.', '')}|Permission needed in another's conversation>" in text
    assert "secret" not in text


async def test_a_question_in_a_private_conversation_is_nobody_elses(slack: Slack, desk: Frontdesk) -> None:
    await slack.open_messages("ana")
    root = await slack.direct("reviewer: !approve rm -rf secret", by="ana")
    await slack.until(lambda: find(slack, root, "Permission needed"))

    text = await opened(slack, "carla")

    assert "Waiting for you" not in text
    assert "*reviewer* has waited for a person since" in text
    assert text.rstrip().endswith("in a private conversation")
    assert "secret" not in text
    assert root["channel"] not in text


async def test_nobody_finds_what_is_others(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!ask Which secret? | A | B", by="ana")
    await slack.until(lambda: find(slack, root, "Which secret?"))

    for who in ("ben", "dan"):
        text = await opened(slack, who)
        assert "None yet." in text
        assert "secret" not in text
        assert "For those who run" not in text


async def test_a_guest_finds_no_agent_that_they_may_not_ask(slack: Slack, desk: Frontdesk) -> None:
    assert "There is no agent that you may ask yet." in await opened(slack, "dan")


async def test_an_agent_is_tried_where_nobody_else_sees_it(slack: Slack, desk: Frontdesk) -> None:
    await opened(slack, "ben")

    await slack.press(slack.home("ben") or {}, "Try it", "ben", "helper")
    form = await slack.until(lambda: slack.modals("ben")[-1])
    assert "hello" in str(form["blocks"])
    await slack.submit(form, {"What shall helper do?": "good day"}, "ben")

    direct = slack.world.dm(slack.world.person("ben")).id
    [root] = await slack.until(lambda: [m for m in slack.messages(direct) if "You asked *helper*:" in slack.text(m)])
    await slack.until(lambda: "You said: good day" in said(slack, root)[-1])


async def test_what_was_thought_leads_to_the_answer_and_is_taken_back(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("hello")
    await slack.until(lambda: "You said: hello" in said(slack, root)[-1])
    answer = last(slack, root)
    await opened(slack, "ben")

    await slack.press(answer, "Good", "ben")
    await slack.until(lambda: "👍 *helper*: " in words(slack, "ben"))
    assert f"p{answer['ts'].replace('.', '')}?thread_ts={root['ts']}&cid={root['channel']}|hello>" in words(slack, "ben")
    await slack.press(slack.home("ben") or {}, "Take it back", "ben")

    await slack.until(lambda: "👍" not in words(slack, "ben"))
    assert await desk.store.feedback() == []


async def test_the_months_use_is_told(slack: Slack, desk: Frontdesk) -> None:
    for number, cost in enumerate((0.25, 0.5)):
        root = await slack.mention(f"!cost {cost}\n!say {number}.")
        await slack.until(lambda root=root, number=number: f"{number}." in said(slack, root)[-1])  # type: ignore[misc]

    assert "in the conversations that you began: 2 turns, $0.75." in await opened(slack, "ana")


async def test_whoever_runs_it_sees_how_it_is_and_what_each_agent_came_to(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!cost 0.25\n!say done.")
    await slack.until(lambda: "done." in said(slack, root)[-1])
    await slack.press(last(slack, root), "Good", "ben")
    await slack.until(lambda: any("it is noted" in slack.text(m) for m in slack.ephemerals("ben")))

    text = await opened(slack, "carla")

    assert "✓ *Slack is heard," in text
    assert "1 process serves this workspace." in text
    assert "*helper*: 1 turn · $0.25 · 👍 1" in text
    assert "*listener*: not asked" in text
    assert "Nothing waits." in text


async def test_a_change_waits_for_whoever_decides_it_until_that_is_done(slack: Slack, desk: Frontdesk) -> None:
    assert "Nothing waits." in await opened(slack, "carla")
    ana, proposals = Person(slack.user("ana"), "ana"), Proposals(desk.store.db)
    thread = f"slack:{slack.team}:{slack.channel('general')}:1.5"
    shown = Proposal("p1", "reviewer", Finding("f1", "reviewer", "No links", "Why"), ana, thread, "improver", "", "shown", at=clock.now())

    await proposals.begin(shown)
    await slack.until(lambda: "Waiting for you" in words(slack, "carla"))
    assert "/p15|A change of its file, for you to decide>" in words(slack, "carla")
    assert "*reviewer*: a change of its file has waited for a decision since" in words(slack, "carla")
    assert "Waiting for you" not in await opened(slack, "dan")

    await proposals.move(shown, replace(shown, state="done"))
    await slack.until(lambda: "Nothing waits." in words(slack, "carla") and "Waiting for you" not in words(slack, "carla"))


async def test_calls_that_a_file_cannot_be_filled_in_with_are_not_well(slack: Slack, desk: Frontdesk) -> None:
    await desk.store.receive(Delivery("held:1", "held", '{"agent": "helper"}', 1.0))

    text = await opened(slack, "carla")

    assert "files are right" not in text
    assert "⚠️ agents/helper.md: calls of its webhooks are kept, because the prompt cannot be filled in with them: 1." in text


async def test_a_file_that_is_wrong_stands_there_beside_its_agent(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    assert "⚠️" not in await opened(slack, "carla")

    (agents / "helper.md").write_text("---\ndescription: Helps.\nruntime: ecko\n---\nYou help.\n")

    await slack.until(lambda: "⚠️ agents/helper.md: runtime:" in words(slack, "carla"), 10)
    assert "⚠️ *helper*: not asked" in words(slack, "carla")


async def test_a_channel_that_two_files_claim_is_told_once_by_its_name(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    (agents / "second.md").write_text("---\ndescription: Reviews too.\nruntime: echo\ntriggers: [{mention: ['#reviews']}]\n---\n")
    await slack.until(lambda: any(agent.name == "second" for agent in desk.desk.agents), 10)

    await opened(slack, "carla")

    await slack.until(lambda: "⚠️ *second*: not asked" in words(slack, "carla"))
    assert words(slack, "carla").count("claim") == 1
    assert "both claim mentions in #reviews" in words(slack, "carla")


async def test_what_changes_for_others_changes_what_whoever_runs_it_sees(slack: Slack, desk: Frontdesk) -> None:
    await opened(slack, "carla")

    root = await slack.mention("hello")
    await slack.until(lambda: "You said: hello" in said(slack, root)[-1])

    await slack.until(lambda: "*helper*: 1 turn" in words(slack, "carla"))


async def test_slack_is_asked_to_show_only_what_is_new(slack: Slack, desk: Frontdesk) -> None:
    await opened(slack, "ana")
    await opened(slack, "ben")
    published = len(slack.made("views.publish"))

    root = await slack.mention("!step One\n!step Two\n!step Three\n!say done.")
    await slack.until(lambda: "done." in said(slack, root)[-1])
    await slack.until(lambda: "✓ *helper*" in words(slack, "ana"))
    await slack.until(lambda: not any(seen.stale for seen in desk.homes._seen.values()))

    calls = slack.made("views.publish")[published:]
    assert {call.args["user_id"] for call in calls} == {slack.user("ana")}
    assert len(calls) <= 3  # begun, perhaps working, and done


class Scarce(Local):
    """Slack takes few calls more, which are left to people; `waits` are the methods for which somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []

    async def take(self, key: str, keep: int = 0, need: int = 1) -> float:
        if key != "views.publish" or not keep:
            return await super().take(key, keep, need)
        self.waits.append(key)
        return 60.0


async def test_where_slack_takes_few_calls_more_whoever_opens_it_comes_first(slack: Slack, desk: Frontdesk) -> None:
    assert "None yet." in await opened(slack, "ana")
    desk.surface.client.budget = scarce = Scarce()

    root = await slack.mention("hello")
    await slack.until(lambda: "You said: hello" in said(slack, root)[-1])
    await slack.until(lambda: scarce.waits)

    assert "None yet." in await opened(slack, "ben")
    assert "None yet." in words(slack, "ana")
    assert "✓ *helper*" in await opened(slack, "ana")
