"""What Prometheus is told of a conversation: figures, and no word of it."""

import asyncio
import re

from bot import app
from bot.ops.ear import Ear, Ears
from bot.playground import Slack
from bot.runtimes.hermes import Hermes
from bot.runtimes.hermes_setting import Options
from bot.settings import Settings
from tests.ops.conftest import free, get, until
from tests.standins.postgres import cluster
from tests.standins.stage import agent
from tests.test_path import find, last, said


class Figures:
    """What /metrics says."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __getitem__(self, name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.text, re.MULTILINE)
        assert found, f"there is no {name} in\n{self.text}"
        return float(found[1])

    def sum(self, beginning: str) -> float:
        return sum(float(value) for value in re.findall(rf"^{re.escape(beginning)}.* (\S+)$", self.text, re.MULTILINE))


async def figures(settings: Settings) -> Figures:
    return Figures((await get(settings, "/metrics"))[1])


async def test_a_turn_is_counted_from_the_mention_to_the_last_word(served: Settings, slack: Slack) -> None:
    async with app.running(served) as desk:
        root = await slack.mention("!cost 0.25\n!say the secret word")
        await slack.until(lambda: said(slack, root) and "the secret word" in said(slack, root)[-1])
        await slack.until(lambda: not desk.engine.running)

        found = await figures(served)

    assert found.sum('frontdesk_deliveries_total{again="no",') == 1  # the mention, as an app_mention or as a message
    assert found["frontdesk_acknowledgement_seconds_count"] >= 1
    assert found['frontdesk_turns_finished_total{agent="helper",state="completed"}'] == 1
    assert found['frontdesk_turn_seconds_count{agent="helper"}'] == 1
    assert found['frontdesk_first_sign_seconds_count{agent="helper"}'] == 1
    assert found['frontdesk_last_word_seconds_count{agent="helper"}'] == 1
    assert found['frontdesk_slack_calls_total{method="chat.postMessage",outcome="ok"}'] == 1
    assert found['frontdesk_store_write_seconds_count{call="receive"}'] >= 1
    assert found['frontdesk_cost_usd_total{agent="helper"}'] == 0.25
    assert found["frontdesk_questions_open"] == 0
    assert found["frontdesk_replicas"] == 1
    assert "secret" not in found.text
    assert root["ts"] not in found.text
    assert slack.user("ana") not in found.text


async def test_a_turn_that_asks_is_seen_to_wait_for_a_person(served: Settings, slack: Slack) -> None:
    async with app.running(served) as desk:
        root = await slack.mention("!ask Which colour? | Red | Blue\n!say {answer}!")
        card = await slack.until(lambda: find(slack, root, "Which colour?"))
        async with asyncio.timeout(10):
            while not (asking := await figures(served))["frontdesk_questions_open"]:
                pass
        await slack.press(card, "Red", "ana")
        await slack.until(lambda: "Red!" in slack.text(last(slack, root)))
        await slack.until(lambda: not desk.engine.running)
        answered = await figures(served)

    assert asking["frontdesk_questions_open"] == 1
    assert answered['frontdesk_turns{agent="helper",state="asking"}'] == 0
    assert answered['frontdesk_turns{agent="helper",state="running"}'] == 0
    assert answered["frontdesk_questions_open"] == 0


async def test_what_slack_refuses_is_told_apart(served: Settings, slack: Slack) -> None:
    async with app.running(served) as desk:
        slack.fail("chat.postMessage", error="ratelimited", status=429, times=1)
        root = await slack.mention("hello")
        await slack.until(lambda: said(slack, root) and "You said: hello" in said(slack, root)[-1], 10)
        await slack.until(lambda: not desk.engine.running)

        found = await figures(served)

    assert found['frontdesk_slack_calls_total{method="chat.postMessage",outcome="ratelimited"}'] == 1


async def test_what_comes_twice_is_counted_as_such(served: Settings, slack: Slack) -> None:
    async with app.running(served) as desk:
        body = {"event": {"type": "app_home_opened", "user": slack.user("ana"), "tab": "home"}, "event_id": "Ev1", "type": "event_callback"}
        receive = desk.slack.receive
        await receive(body)
        await receive(body)

        found = await figures(served)

    assert found['frontdesk_deliveries_total{again="no",kind="app_home_opened"}'] == 1
    assert found['frontdesk_deliveries_total{again="yes",kind="app_home_opened"}'] == 1


async def test_while_the_database_is_away_it_counts_what_it_knows_without(served: Settings) -> None:
    async with app.running(served) as desk:
        await until(served, 200)
        await desk.store.close_all()

        status, text = await get(served, "/metrics")

    assert status == 200
    assert Figures(text)['frontdesk_slack_calls_total{method="auth.test",outcome="ok"}'] >= 1


async def test_replicas_on_one_database_are_ready_and_know_of_one_another(served: Settings, slack: Slack) -> None:
    with cluster() as made:
        await made.ready()
        one = served.model_copy(update={"database_url": await made.create()})
        other = one.model_copy(update={"http_port": free()})
        async with app.running(one), app.running(other):
            assert (await until(one, 200), await until(other, 200)) == ({}, {})

            assert (await figures(one))["frontdesk_replicas"] == 2
            assert (await figures(other))["frontdesk_replicas"] == 2
            made.kill()

            assert set(await until(one, 503)) >= {"database"}
            made.start()
            assert await until(one, 200) == {}


def test_what_a_runtime_says_of_itself_is_heard_through_an_ear() -> None:
    heard = Ears(Ear()).runtime(lambda agent: Hermes(Options()))(agent())

    assert (heard.tools, heard.reports, hasattr(heard, "elsewhere")) == (True, True, False)  # type: ignore[attr-defined]
