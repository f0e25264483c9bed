"""A model's answer is found again, or what became of it is told: after the line broke, after our restart, and after the platform's."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bot.errors import RuntimeFailed, Unavailable
from bot.event import ALLOW, Notice, Question, Text, Usage
from bot.message import Answer
from bot.ports import Tools, Turn
from bot.runtimes.unknown import FILE
from tests.runtimes.remote import answered_once
from tests.runtimes.talk import after, talked, talking
from tests.runtimes.test_responses import CHAT, HARNESS, ask
from tests.standins.responses_server import ResponsesServer
from tests.standins.wait import until

WORDS = ["First I look at what there is to do.", "Then it is done, step by step, with care.", "Last comes a word about how well that went."]
STORY = "\n".join(f"!say {words}" for words in WORDS)
WHOLE = "\n\n".join(WORDS)
SLOW = f"!slow 0.02\n{STORY}"
AWAY = "!say one\n!slow 9\n!say never and more"


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[ResponsesServer]:
    async with ResponsesServer(folder=tmp_path) as platform:
        yield platform


def turn(platform: ResponsesServer, tmp_path: Path, prompt: str, **options: object) -> Turn:
    return HARNESS.turn(tmp_path / "s", platform.url, prompt, options=options)


@pytest.mark.parametrize("seed", range(6))
async def test_in_the_background_a_line_that_breaks_at_any_moment_is_taken_up_again(
    platform: ResponsesServer, tmp_path: Path, seed: int
) -> None:
    platform.cut_after = Random(seed).randrange(1, 25)

    talk = await talked(turn(platform, tmp_path, STORY, background=True))

    assert talk.answered == WHOLE
    assert answered_once(talk.events)
    assert len(platform.log) == 1


@pytest.mark.parametrize("seed", range(4))
async def test_in_the_background_the_work_outlives_us_and_is_told_whole(platform: ResponsesServer, tmp_path: Path, seed: int) -> None:
    left = replace(turn(platform, tmp_path, SLOW, background=True), leaving=lambda: True)
    several = Random(seed).randrange(2, 9)
    async with talking(left) as talk:
        await talk.until(lambda: len(talk.events) >= several)

    again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert again.answered == WHOLE
    assert answered_once(again.events)
    assert len(platform.log) == 1
    assert not platform.stopped


@pytest.mark.parametrize("seed", range(4))
async def test_an_answer_that_is_cut_is_told_from_what_the_platform_kept_or_ends_in_words(
    platform: ResponsesServer, tmp_path: Path, seed: int
) -> None:
    platform.cut_after = Random(seed).randrange(1, 25)
    platform.answers.clear()
    talk = talking(turn(platform, tmp_path, STORY))
    async with talk as said:
        await asyncio.wait([said.task])

    assert answered_once(said.events)
    assert said.answered == WHOLE or "say how to go on" in str(said.task.exception())


async def test_what_was_cut_is_said_again_with_the_next_message(platform: ResponsesServer, tmp_path: Path) -> None:
    async with talking(turn(platform, tmp_path, AWAY)) as talk:
        await talk.until(lambda: talk.answered == "one")
        platform.keeps = False
        platform.cut()
        with pytest.raises(RuntimeFailed, match="cannot take it up again"):
            await talk.task
    platform.keeps = True

    await talked(after(talk, "!say two"))

    assert [item["content"] for item in platform.log[-1].body["input"]] == [AWAY, "one", "!say two"]


async def test_after_our_restart_an_answer_that_nobody_kept_is_asked_for_again(tmp_path: Path) -> None:
    async with ResponsesServer(keeps=False) as platform:
        left = replace(turn(platform, tmp_path, SLOW), leaving=lambda: True)
        async with talking(left) as talk:
            await talk.until(lambda: talk.all(Text))

        again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert "restarted in the middle" in platform.log[-1].body["input"][-1]["content"]
    assert again.answered == WHOLE


async def test_what_was_over_before_a_restart_is_told_without_asking_again(platform: ResponsesServer, tmp_path: Path) -> None:
    first = await talked(turn(platform, tmp_path, ask("Which?", ("Red",))))
    again = await talked(replace(first.turn, again=True, resume=first.resume))

    assert again.all(Question) == first.all(Question)
    assert [len(talk.all(Usage)) for talk in (first, again)] == [1, 0]
    assert len(platform.log) == 1


async def test_a_platform_that_comes_back_is_waited_for(platform: ResponsesServer, tmp_path: Path) -> None:
    async with talking(turn(platform, tmp_path, "!say one\n!slow 0.5\n!say two", background=True)) as talk:
        await talk.until(lambda: talk.answered == "one")
        await platform.restart()
        await talk.task

    assert talk.answered == "one\n\ntwo"


async def test_a_stream_that_stalls_is_opened_anew(platform: ResponsesServer, tmp_path: Path) -> None:
    talk = await talked(turn(platform, tmp_path, "!say one\n!slow 0.5\n!say two", background=True, silence=0.2))

    assert talk.answered == "one\n\ntwo"


async def test_a_conversation_that_the_platform_has_lost_begins_anew(platform: ResponsesServer, tmp_path: Path) -> None:
    first = await talked(turn(platform, tmp_path, "!say one"))
    platform.answers.clear()

    second = await talked(after(first, "!say two"))

    assert second.answered == "two"
    assert "not on this machine any more" in second.all(Notice)[0].text


async def test_several_questions_at_once_are_one_form(platform: ResponsesServer, tmp_path: Path) -> None:
    script = f"{ask('Which colour?', ('Red', 'Blue'))}\n{ask('Which shape?', ())}\n!toolresult"
    first = await talked(turn(platform, tmp_path, script))
    [form] = first.all(Question)
    answers = {form.parts[0].id: ("Blue",), form.parts[1].id: ("round",)}

    second = await talked(after(first, "", answer=Answer(form.id, answers)))

    assert second.answered == "the tools said: Blue | round"


async def test_an_answer_to_another_question_is_not_given_to_this_one(platform: ResponsesServer, tmp_path: Path) -> None:
    given = replace(turn(platform, tmp_path, HARNESS.shell("touch done"), **HARNESS.asks))
    first = await talked(given)

    second = await talked(after(first, ALLOW, answer=Answer("another", {"decision": (ALLOW,)})))

    assert second.all(Question) == first.all(Question)
    assert len(platform.log) == 1


async def test_what_is_said_instead_of_an_answer_is_no_leave(platform: ResponsesServer, tmp_path: Path) -> None:
    first = await talked(turn(platform, tmp_path, f"{HARNESS.shell('touch done')}\n!toolresult", **HARNESS.asks))

    second = await talked(after(first, ALLOW))

    assert "They said: Allow once" in second.answered
    assert not (tmp_path / "done").exists()


async def test_an_answer_for_other_work_ends_in_words(platform: ResponsesServer, tmp_path: Path) -> None:
    other = {"type": "response.in_progress", "response": {"id": "resp_other", "status": "in_progress"}}
    platform.noise = (
        f"data: {json.dumps({'type': 'response.created', 'response': {'id': 'resp_1'}})}\n\ndata: {json.dumps(other)}\n\n".encode()
    )

    with pytest.raises(RuntimeFailed, match=r"answers for other work than was asked \(resp_other\)"):
        await talked(turn(platform, tmp_path, "!say one"))


async def test_events_that_nobody_knows_are_kept_and_told_once(platform: ResponsesServer, tmp_path: Path) -> None:
    platform.noise = b'data: {"type": "dream.begun"}\n\ndata: {"type": "dream.begun"}\n\ndata: {"type": "keepalive"}\n\n'

    talk = await talked(turn(platform, tmp_path, "!say one"))

    assert ["dream.begun" in notice.text for notice in talk.all(Notice)] == [True]
    assert "dream.begun" in (talk.turn.folder / FILE).read_text()


async def test_an_event_that_is_far_too_large_ends_in_words(platform: ResponsesServer, tmp_path: Path) -> None:
    platform.noise = b"data: " + b"x" * (17 << 20)

    with pytest.raises(RuntimeFailed, match="MiB in one event"):
        await talked(turn(platform, tmp_path, "!say never"))


async def test_one_that_cannot_stream_is_heard_all_the_same(platform: ResponsesServer, tmp_path: Path) -> None:
    message = {"type": "message", "id": "m1", "role": "assistant", "content": [{"type": "output_text", "text": "all at once"}]}
    whole = {"id": "resp_1", "object": "response", "status": "completed", "output": [message], "usage": {"input_tokens": 7, "cost": 0.5}}
    platform.refuse(200, json.dumps(whole).encode(), {"Content-Type": "application/json"})

    talk = await talked(turn(platform, tmp_path, "hello"))

    assert (talk.answered, talk.all(Usage)) == ("all at once", [Usage(7, usd=0.5)])


async def test_what_stands_in_our_environment_is_not_sent(
    platform: ResponsesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "theirs")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Theirs: secret")

    await talked(turn(platform, tmp_path, "!say one"))

    assert not {"X-Theirs", "OpenAI-Organization"} & set(platform.headers[0])


async def test_where_a_gateway_is_set_models_are_reached_through_it(platform: ResponsesServer, tmp_path: Path) -> None:
    given = replace(turn(platform, tmp_path, "!say one"), gateway=(platform.url, "sk-test"), environment={})
    agent = given.agent.model_copy(update={"options": {}})

    assert (await talked(replace(given, agent=agent))).answered == "one"


async def test_our_tools_go_along_as_a_server_that_asks_by_itself(platform: ResponsesServer, tmp_path: Path) -> None:
    lent = replace(turn(platform, tmp_path, "hello"), tools=Tools("https://desk.example/tools", "of this turn"))

    await talked(lent)

    [server] = [tool for tool in platform.log[-1].body["tools"] if tool["type"] == "mcp"]
    assert (server["server_url"], server["authorization"]) == ("https://desk.example/tools", "of this turn")
    assert server["require_approval"] == "never"


async def test_a_model_has_to_be_named(platform: ResponsesServer, tmp_path: Path) -> None:
    given = turn(platform, tmp_path, "!say one")

    with pytest.raises(Unavailable, match=r"say which `model:` it is"):
        await talked(replace(given, agent=given.agent.model_copy(update={"model": ""})))


async def test_a_chat_that_is_cut_ends_in_words_and_goes_on_with_what_came(platform: ResponsesServer, tmp_path: Path) -> None:
    async with talking(CHAT.turn(tmp_path, platform.url, AWAY)) as talk:
        await talk.until(lambda: talk.answered == "one")
        platform.cut()
        with pytest.raises(RuntimeFailed, match="say how to go on"):
            await talk.task

    await talked(after(talk, "!say two"))

    assert [message["content"] for message in platform.log[-1].body["messages"]] == [AWAY, "one", "!say two"]


async def test_a_chat_that_was_cut_with_us_is_asked_again_and_told_once(platform: ResponsesServer, tmp_path: Path) -> None:
    left = replace(CHAT.turn(tmp_path, platform.url, SLOW), leaving=lambda: True)
    async with talking(left) as talk:
        await talk.until(lambda: talk.all(Text))
    await until(lambda: platform.stopped)

    again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert again.answered.replace("\n\n", "") == "".join(WORDS)
    assert [message["role"] for message in platform.log[-1].body["messages"]] == ["user"]


async def test_a_chats_instructions_come_first_and_once(platform: ResponsesServer, tmp_path: Path) -> None:
    first = await talked(replace(CHAT.turn(tmp_path, platform.url, "!say one"), instructions="Be kind."))
    await talked(after(first, "!say two"))

    assert [message["role"] for message in platform.log[-1].body["messages"]] == ["system", "user", "assistant", "user"]


async def test_pictures_and_texts_go_along(platform: ResponsesServer, tmp_path: Path) -> None:
    files = tuple(tmp_path / name for name in ("notes.txt", "plan.png"))
    for file in files:
        file.write_bytes(b"hello")

    for given in (turn(platform, tmp_path, "look"), CHAT.turn(tmp_path / "s", platform.url, "look")):
        await talked(replace(given, files=files))

    responses, chat = (asked.body for asked in platform.log)
    assert [part["type"] for part in responses["input"][-1]["content"]] == ["input_text", "input_file", "input_image"]
    assert [part["type"] for part in chat["messages"][-1]["content"]] == ["text", "file", "image_url"]
    assert chat["messages"][-1]["content"][1]["file"] == {"filename": "notes.txt", "file_data": "data:text/plain;base64,aGVsbG8="}


async def test_an_answer_is_given_once_though_we_restart_after_it(platform: ResponsesServer, tmp_path: Path) -> None:
    first = await talked(
        turn(platform, tmp_path, f"{ask('Which?', ('Red',))}\n!slow 0.05\n!toolresult\n!say {WHOLE[:90]}", background=True)
    )
    answer = Answer(first.all(Question)[0].id, {first.all(Question)[0].parts[0].id: ("Red",)})
    left = replace(after(first, "Red", answer=answer), leaving=lambda: True)
    async with talking(left) as talk:
        await talk.until(lambda: talk.all(Text))

    again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert again.answered.startswith("the tools said: Red\n\nFirst")
    assert len(platform.log) == 2
