"""A managed agent's work is found again: after the line broke, after our restart, and after the platform's; nothing is told twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import cast

import pytest
from aiohttp import web

from bot.agent import Agent
from bot.errors import RuntimeFailed
from bot.event import ALLOW, Notice, Question, Started, Step, Text, Thought, Usage
from bot.message import Answer
from bot.ports import Turn
from bot.runtimes.managed_agents_story import Story
from bot.runtimes.unknown import FILE
from tests.runtimes.remote import answered_once, restarted
from tests.runtimes.talk import after, talked, talking
from tests.runtimes.test_managed_agents import HARNESS, ask
from tests.standins.managed_agents import Kind, ManagedAgents
from tests.standins.wait import until

WORDS = ["First I look at what there is to do.", "Then it is done, step by step, with care.", "Last comes a word about how well that went."]
STORY = "\n".join(f'!say {words}\n!tool bash {{"command": "true"}}' for words in WORDS)
WHOLE = "\n\n".join(WORDS)


@pytest.fixture(params=["cloud", "bridge"])
async def platform(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ManagedAgents]:
    async with ManagedAgents(cast(Kind, request.param), folder=tmp_path) as platform:
        yield platform


def turn(platform: ManagedAgents, tmp_path: Path, prompt: str, **options: object) -> Turn:
    return HARNESS.turn(tmp_path / "s", platform.url, prompt, options=options)


@pytest.mark.parametrize("seed", range(6))
async def test_a_line_that_breaks_at_any_moment_is_taken_up_again(platform: ManagedAgents, tmp_path: Path, seed: int) -> None:
    platform.cut_after = Random(seed).randrange(1, 20)

    talk = await talked(turn(platform, tmp_path, STORY))

    assert talk.answered == WHOLE
    assert answered_once(talk.events)
    assert (len(talk.steps), talk.finished.state) == (3, "completed")


@pytest.mark.parametrize("seed", range(4))
async def test_after_our_restart_at_any_moment_the_turn_goes_on(platform: ManagedAgents, tmp_path: Path, seed: int) -> None:
    left = replace(turn(platform, tmp_path, f"!usage 10 5\n{STORY}"), leaving=lambda: True)
    several = Random(seed).randrange(1, 6)
    async with talking(left) as talk:
        await talk.until(lambda: len(talk.events) >= several)

    again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert again.answered == WHOLE
    assert not platform.stopped
    assert sum("!usage" in str(asked.body.get("prompt")) for asked in platform.log) == 1


async def test_after_our_restart_nothing_is_lost_where_the_platform_leaves_out_what_came_just_before(tmp_path: Path) -> None:
    """It lists by when things were made there, and says only when they were done."""
    async with ManagedAgents(folder=tmp_path) as platform:
        first = await talked(turn(platform, tmp_path, "!say zero"))
        left = replace(after(first, STORY), leaving=lambda: True)
        async with talking(left) as talk:
            await talk.until(lambda: talk.answered)
        last = json.loads(talk.resume)["after"]
        platform.session.events[:] = [event for event in platform.session.events if event["id"] != last]

        again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert again.answered == WHOLE
    assert [asked.body["prompt"] for asked in platform.log if "prompt" in asked.body] == ["!say zero", STORY]


class Breaking(ManagedAgents):
    """It hears the first message, and breaks the line before it says so."""

    whole = False

    async def _send(self, request: web.Request) -> web.Response:
        answer = await super()._send(request)
        if not self.whole and request.transport:
            self.whole = True
            request.transport.abort()
        return answer


async def test_a_bridge_without_memory_that_may_have_heard_is_asked_to_do_nothing_twice(tmp_path: Path) -> None:
    async with Breaking("forgetful", folder=tmp_path) as platform:
        await talked(turn(platform, tmp_path, "!say one"))

    first, second = [asked.body["prompt"] for asked in platform.log if "prompt" in asked.body]
    assert first == "!say one"
    assert "do nothing twice" in second


async def test_what_was_counted_before_a_restart_is_not_counted_again(tmp_path: Path) -> None:
    async with ManagedAgents() as platform:
        first = await talked(HARNESS.turn(tmp_path, platform.url, "!usage 10 5\n!say one"))
        again = await talked(replace(first.turn, again=True, resume=first.resume))

    assert [talk.all(Usage) for talk in (first, again)] == [[Usage(10, 5, usd=0.35)], []]
    assert again.answered == "one"


async def test_a_platform_that_comes_back_is_waited_for(platform: ManagedAgents, tmp_path: Path) -> None:
    talk = await restarted(platform, turn(platform, tmp_path, "!say one\n!hold\n!say two"))

    assert talk.answered == "one\n\ntwo"


async def test_an_answer_for_which_nobody_waits_is_told_though_the_platform_is_silent(tmp_path: Path) -> None:
    async with ManagedAgents() as platform, talking(turn(platform, tmp_path, "!odd last\n!hold")) as talk:
        await talk.until(lambda: talk.all(Notice))
        talk.inbox.say("", answer=Answer("another", {"0": ("yes",)}))
        async with asyncio.timeout(2):
            await talk.until(lambda: talk.all(Notice)[1:])

    assert "did not wait for it" in talk.all(Notice)[1].text


async def test_a_platform_that_has_lost_the_session_says_so(platform: ManagedAgents, tmp_path: Path) -> None:
    async with talking(turn(platform, tmp_path, "!say one\n!hold")) as talk:
        await talk.until(lambda: talk.answered == "one")
        lost = platform.sessions.popitem()[1]
        platform.cut()

        with pytest.raises(RuntimeFailed, match="does not know the session"):
            await talk.task

    assert lost.work
    lost.work.cancel()
    await asyncio.wait([lost.work])


async def test_a_conversation_that_the_platform_has_lost_begins_anew(platform: ManagedAgents, tmp_path: Path) -> None:
    first = await talked(turn(platform, tmp_path, "!say one"))
    platform.sessions.clear()

    second = await talked(after(first, "!say two"))

    assert second.answered == "two"
    assert "not on this machine any more" in second.all(Notice)[0].text


async def test_a_stream_that_stalls_is_opened_anew(platform: ManagedAgents, tmp_path: Path) -> None:
    async with talking(turn(platform, tmp_path, "!say one\n!hold\n!say two", silence=0.2)) as talk:
        await talk.until(lambda: talk.answered == "one")
        streams = sum(path.endswith("/stream") for _, path, _ in platform.requests)
        await until(lambda: sum(path.endswith("/stream") for _, path, _ in platform.requests) > streams)
        platform.hold.set()
        await talk.task

    assert talk.answered == "one\n\ntwo"


async def test_two_calls_that_wait_are_asked_one_after_the_other(tmp_path: Path) -> None:
    async with ManagedAgents(folder=tmp_path) as platform:
        first = await talked(HARNESS.turn(tmp_path, platform.url, ask("Which?", ("Red",)), asks=True))
        session = platform.session
        other = platform.tell(session, {"type": "agent.tool_use", "name": "bash", "input": {"command": "rm -rf here"}})
        both = [first.all(Question)[0].id, other]
        platform.tell(session, {"type": "session.status_idle", "stop_reason": {"type": "requires_action", "event_ids": both}})
        session.answers[other] = asyncio.get_running_loop().create_future()

        second = await talked(after(first, "Red", answer=Answer(both[0], {"answer": ("Red",)})))
        [leave] = second.all(Question)

        assert (leave.id, leave.detail, leave.kind) == (other, "rm -rf here", "permission")
        assert second.finished.state == "input_required"


async def test_an_answer_to_another_question_is_not_given_to_this_one(tmp_path: Path) -> None:
    async with ManagedAgents(folder=tmp_path) as platform:
        script = '!tool bash {"command": "touch done"}\n!say went on'
        first = await talked(HARNESS.turn(tmp_path, platform.url, script, asks=True))

        second = await talked(after(first, ALLOW, answer=Answer("another", {"decision": (ALLOW,)})))

        assert second.all(Question) == first.all(Question)
        assert "did not wait for it" in second.all(Notice)[0].text
        assert not (tmp_path / "done").exists()


async def test_what_is_said_instead_of_an_answer_is_no_leave(tmp_path: Path) -> None:
    async with ManagedAgents(folder=tmp_path) as platform:
        first = await talked(HARNESS.turn(tmp_path, platform.url, '!tool bash {"command": "touch done"}\n!toolresult', asks=True))

        second = await talked(after(first, ALLOW))

        assert "They said: Allow once" in second.answered
        assert second.steps[first.all(Question)[0].id].status == "denied"
        assert not (tmp_path / "done").exists()


async def test_a_bridge_that_keeps_nothing_is_heard_as_it_speaks(tmp_path: Path) -> None:
    async with ManagedAgents("forgetful", folder=tmp_path) as platform:
        talk = await talked(HARNESS.turn(tmp_path, platform.url, f"!think Hm.\n{STORY}"))

    assert talk.answered == WHOLE
    assert talk.all(Thought) == [Thought("Hm.")]


async def test_a_bridge_that_keeps_nothing_is_asked_to_go_on_after_our_restart(tmp_path: Path) -> None:
    async with ManagedAgents("forgetful", folder=tmp_path) as platform:
        left = replace(HARNESS.turn(tmp_path, platform.url, "!say one\n!hold"), leaving=lambda: True)
        async with talking(left) as talk:
            await talk.until(lambda: talk.answered == "one")

        await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

        assert "restarted in the middle" in str(platform.log[-1].body)


async def test_a_bridge_is_stopped_in_its_own_way(tmp_path: Path) -> None:
    async with ManagedAgents("bridge") as platform:
        async with talking(HARNESS.turn(tmp_path, platform.url, "!say one\n!hold")) as talk:
            await talk.until(lambda: talk.all(Text))
        await until(lambda: platform.stopped)

    assert platform.requests[-1][1].endswith("/abort")


async def test_events_that_nobody_knows_are_kept_and_told_once(platform: ManagedAgents, tmp_path: Path) -> None:
    talk = await talked(turn(platform, tmp_path, "!odd dream\n!odd dream\n!odd leap\n!say one"))

    assert [notice.text.partition("(")[2].partition(")")[0] for notice in talk.all(Notice)] == ["agent.dream", "agent.leap"]
    assert "agent.dream" in (talk.turn.folder / FILE).read_text()
    assert talk.answered == "one"


async def test_an_event_that_is_far_too_large_ends_in_words(tmp_path: Path) -> None:
    async with ManagedAgents() as platform:
        platform.noise = b"data: " + b"x" * (17 << 20)
        with pytest.raises(RuntimeFailed, match="MiB in one event"):
            await talked(HARNESS.turn(tmp_path, platform.url, "!say never"))


async def test_what_stands_in_our_environment_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Theirs: secret")
    async with ManagedAgents() as platform:
        await talked(
            HARNESS.turn(tmp_path, platform.url, "!say one", options={"headers": {"X-Ours": "${TEAM}"}}, environment={"TEAM": "a"})
        )

    assert {headers["X-Ours"] for headers in platform.headers} == {"a"}
    assert not any("X-Theirs" in headers for headers in platform.headers)


async def test_a_key_that_expires_in_the_middle_ends_in_words(platform: ManagedAgents, tmp_path: Path) -> None:
    async with talking(turn(platform, tmp_path, "!say one\n!hold")) as talk:
        await talk.until(lambda: talk.answered == "one")
        platform.refuse(401, b'{"error": {"message": "expired: sk-test"}}', {})
        platform.cut()

        with pytest.raises(RuntimeFailed, match=r"does not accept the credentials \(401\)") as caught:
            await talk.task

    assert "sk-test" not in str(caught.value)


async def test_pictures_and_texts_go_along_and_the_rest_is_told(tmp_path: Path) -> None:
    files = tuple(tmp_path / name for name in ("notes.txt", "plan.png", "song.mp3"))
    for file in files:
        file.write_bytes(b"hello")
    async with ManagedAgents() as platform:
        given = replace(HARNESS.turn(tmp_path / "s", platform.url, "look"), files=files)
        talk = await talked(given)

        message = next(body for _, path, body in platform.requests if path.endswith("/events") and body)["events"][0]

    assert [block["type"] for block in message["content"]] == ["text", "document", "image"]
    assert message["content"][1]["source"] == {"type": "text", "media_type": "text/plain", "data": "hello"}
    assert "song.mp3" in talk.all(Notice)[0].text


@pytest.mark.parametrize(("stop", "words"), [("budget_reached", "used up its budget"), ("refusal", "refused to go on")])
async def test_why_the_platform_stopped_is_told(tmp_path: Path, stop: str, words: str) -> None:
    async with ManagedAgents() as platform:
        talk = await talked(HARNESS.turn(tmp_path, platform.url, f"!say one\n!stop {stop}"))

    assert talk.finished.state == "failed"
    assert words in talk.finished.reason


async def test_the_budget_and_the_instructions_go_along(tmp_path: Path) -> None:
    async with ManagedAgents() as platform:
        given = HARNESS.turn(tmp_path, platform.url, "!say one")
        agent = given.agent.model_copy(update={"budget": given.agent.budget.model_copy(update={"usd_per_session": 5.0})})
        first = await talked(replace(given, agent=agent, instructions="Be kind."))
        await talked(after(first, "!say two"))

        prompts = [asked.body["prompt"] for asked in platform.log]
        assert platform.session.asked["budget"] == {"type": "limit", "max_list_cost": {"amount": "500", "currency": "USD"}}
        assert prompts == ["Be kind.\n\n!say one", "!say two"]


async def test_the_first_event_is_told_once_however_often_the_line_breaks(platform: ManagedAgents, tmp_path: Path) -> None:
    async with talking(turn(platform, tmp_path, "!say one\n!hold\n!tool bash {}\n!say two")) as talk:
        await talk.until(lambda: talk.answered == "one")
        platform.cut()
        platform.hold.set()
        await talk.task

    assert len(talk.all(Started)) == 1
    assert [step.status for step in talk.all(Step)] == ["working", "completed"]


async def test_an_answer_is_given_once_though_we_restart_after_it(tmp_path: Path) -> None:
    async with ManagedAgents(folder=tmp_path) as platform:
        script = '!tool bash {"command": "touch done"}\n!hold\n!say went on'
        first = await talked(HARNESS.turn(tmp_path, platform.url, script, asks=True))
        answer = Answer(first.all(Question)[0].id, {"decision": (ALLOW,)})
        left = replace(after(first, ALLOW, answer=answer), leaving=lambda: True)
        async with talking(left) as talk:
            await talk.until(lambda: any(step.status == "completed" for step in talk.all(Step)))

        again = replace(left, again=True, resume=talk.resume, leaving=bool)
        async with talking(again) as talk:
            await talk.until(lambda: talk.all(Step))
            platform.hold.set()
            await talk.task

    assert talk.answered == "went on"
    assert [event["type"] for event in platform.session.events].count("user.tool_confirmation") == 1


async def test_what_is_said_meanwhile_is_answered_in_the_same_turn(tmp_path: Path) -> None:
    async with ManagedAgents(folder=tmp_path) as platform, talking(turn(platform, tmp_path, "!say one\n!hold\n!say two")) as talk:
        await talk.until(lambda: talk.answered == "one")
        talk.inbox.say("!say three")
        await until(lambda: platform.session.queue)
        platform.hold.set()
        await talk.task

    assert talk.answered == "one\n\ntwo\n\nthree"
    assert answered_once(talk.events)
    assert not talk.all(Notice)


async def test_where_the_platform_drops_what_was_said_meanwhile_that_is_told(tmp_path: Path) -> None:
    async with ManagedAgents(folder=tmp_path) as platform, talking(turn(platform, tmp_path, "!say one\n!hold\n!error 500")) as talk:
        await talk.until(lambda: talk.answered == "one")
        talk.inbox.say("!say three")
        await until(lambda: platform.session.queue)
        platform.session.queue.clear()
        platform.hold.set()
        await talk.task

    assert talk.finished.state == "failed"
    assert [notice.text for notice in talk.all(Notice)] == ["The agent may not have read what was said meanwhile: say it again."]


async def test_a_bridge_is_told_nothing_meanwhile_so_that_it_waits_for_the_next_turn(tmp_path: Path) -> None:
    bridge = ManagedAgents("bridge", folder=tmp_path)
    async with bridge, talking(turn(bridge, tmp_path, "!say one\n!hold\n!say two", steers=None)) as talk:
        await talk.until(lambda: talk.answered == "one")
        talk.inbox.say("!say three")
        bridge.hold.set()
        await talk.task

    assert not talk.inbox.empty()


@pytest.mark.parametrize("more", [False, True], ids=["sent", "heard"])
async def test_what_people_said_to_a_process_that_ended_is_said_by_the_next_and_once(tmp_path: Path, more: bool) -> None:
    async with ManagedAgents(folder=tmp_path) as platform:
        left = replace(turn(platform, tmp_path, "!say one\n!hold\n!say two"), leaving=lambda: True)
        async with talking(left) as talk:
            await talk.until(lambda: talk.answered == "one")
            talk.inbox.say("!say three")
            await until(lambda: platform.session.queue)
        for lost in [{"heard": "m0", "words": "!say four", "turn": 1}] if more else []:
            await left.keep.append("unsaid", [json.dumps(lost)])

        async with talking(replace(left, again=True, resume=talk.resume, leaving=bool)) as again:
            await again.until(lambda: again.answered == "one")
            await until(lambda: len(platform.session.queue) == 1 + more)
            platform.hold.set()
            await again.task

    assert again.answered == "one\n\ntwo\n\nthree" + "\n\nfour" * more


def test_pieces_of_a_message_that_the_history_had_whole_are_not_told_again(tmp_path: Path) -> None:
    story = Story(Agent(name="coder", version="1", description="Codes.", runtime="managed_agents"), tmp_path)
    delta = {"type": "content_delta", "index": 0, "content": {"type": "text", "text": "Hello"}}
    told = [
        {"type": "agent.message", "id": "m1", "content": [{"type": "text", "text": "Hello"}]},
        {"type": "event_start", "event": {"id": "m1", "type": "agent.message"}},
        {"type": "event_delta", "event_id": "m1", "delta": delta},
    ]

    assert [event for each in told for event in story.tell(each)] == [Text("Hello")]
