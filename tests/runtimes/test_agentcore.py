"""Turns in AgentCore: AWS's own client, a stand-in for its data plane, and our shim with a harness that needs no model."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Artifact, Notice, Question, Started, Text, Usage
from bot.message import Answer
from bot.ports import Turn
from bot.runtimes.agentcore import session_of
from bot.shim.server import Shim
from tests.standins.agentcore import ARN, AgentCoreDataPlane

from .conftest import TOKEN
from .remote import Kept
from .talk import ANNA, after, talked, talking

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI", "SHIM_TOKEN": TOKEN}


@pytest.fixture
async def plane(shim: Shim) -> AsyncIterator[AgentCoreDataPlane]:
    async with AgentCoreDataPlane(f"http://127.0.0.1:{shim.port}") as plane:
        yield plane


def content(path: str) -> str:
    return Path(path).read_text("utf-8")


def turn(
    folder: Path, url: str, prompt: str = "hello", *, environment: dict[str, str] | None = None, listen: bool = False, **options: Any
) -> Turn:
    harness = {"runtime": "echo", "options": {"listen": listen}}
    given = {"arn": ARN, "url": url, "private": True, "harness": harness, **options}
    agent = Agent.model_validate({"name": "coder", "version": "1", "description": "Codes.", "runtime": "agentcore", "options": given})
    return Turn("s1", 1, agent, prompt, folder=folder, person=ANNA, environment=KEYS if environment is None else environment, keep=Kept())


async def test_a_turn_is_told_from_a_container(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path, plane.url, "!think Hm.\n!step Look\n!cost 0.5\n!say hello"))

    assert (talk.finished.state, talk.answered) == ("completed", "hello\n")
    assert isinstance(talk.events[0], Started)
    assert [used.usd for used in talk.all(Usage)] == [0.5]
    assert all(len(session) >= 33 for session in plane.sessions)


async def test_the_same_by_a_bearer_token(shim: Shim, tmp_path: Path) -> None:
    async with AgentCoreDataPlane(f"http://127.0.0.1:{shim.port}", bearer="a.jwt.token") as plane:
        given = {"SHIM_TOKEN": TOKEN, "JWT": "a.jwt.token"}

        talk = await talked(turn(tmp_path, plane.url, environment=given, key="JWT"))

    assert talk.answered == "You said: hello\n"


async def test_the_next_turn_has_the_same_session(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path, plane.url))

    await talked(after(talk, "and more"))

    assert len(plane.sessions) == 1
    assert plane.asked[-1]["resume"]


async def test_a_question_ends_the_turn_and_its_answer_begins_the_next(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path, plane.url, "!ask Which? | Red | Blue\n!say You took {answer}"))
    [question] = talk.all(Question)
    assert talk.finished.state == "input_required"

    answered = replace(after(talk, "Blue", answer=Answer(question.id, {"answer": ("Blue",)})), resume=talk.all(Started)[-1].resume)
    talk = await talked(answered)

    assert talk.answered == "You took Blue\n"


async def test_what_is_said_meanwhile_reaches_the_harness(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    async with talking(turn(tmp_path, plane.url, "!say one\n!slow 0.3\n!say two", listen=True)) as talk:
        await talk.until(lambda: talk.all(Text))
        talk.inbox.say("and three")
        await talk.task

    assert "(You added: and three)" in talk.answered


async def test_an_answer_that_reaches_nobody_is_told_though_the_container_is_silent(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    async with talking(turn(tmp_path, plane.url, "!say one\n!slow 30\n!say two", listen=True)) as talk:
        await talk.until(lambda: talk.all(Text))
        plane.refuse = [("ValidationException", 400)]
        talk.inbox.say("", answer=Answer("another", {"0": ("yes",)}))
        async with asyncio.timeout(2):
            await talk.until(lambda: talk.all(Notice))

    assert "did not wait for it" in talk.all(Notice)[0].text


@pytest.mark.parametrize("seed", range(8))
async def test_a_stream_that_is_cut_at_any_moment_goes_on_with_no_text_twice(plane: AgentCoreDataPlane, tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    plane.cut = [chance.randint(0, 1200) for _ in range(3)]

    talk = await talked(turn(tmp_path, plane.url, "!say one\n!say two\n!step Look\n!cost 1\n!say three"))

    assert talk.answered == "one\ntwo\nthree\n"
    assert len(talk.all(Usage)) == 1
    assert talk.finished.state == "completed"


async def test_a_process_that_leaves_lets_it_go_on_and_the_next_one_tells_it_anew(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    left = replace(turn(tmp_path, plane.url, "!cost 1\n!say one\n!slow 0.2\n!say two"), leaving=lambda: True)
    async with talking(left) as talk:
        await talk.until(lambda: talk.all(Text))

    again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert again.answered == "one\ntwo\n"
    assert again.all(Usage) == []  # it was counted in the process before
    assert [order["op"] for order in plane.asked] == ["run", "run"]


async def test_a_container_that_is_lost_is_told(plane: AgentCoreDataPlane, shim: Shim, tmp_path: Path) -> None:
    left = replace(turn(tmp_path, plane.url, "!say one\n!slow 10\n!say two"), leaving=lambda: True)
    async with talking(left) as talk:
        await talk.until(lambda: talk.all(Text))
    for conversation in shim.conversations.values():
        await conversation.close()
    shim.conversations.clear()

    with pytest.raises(RuntimeFailed, match="ended in its middle"):
        await talked(replace(left, again=True, resume=talk.resume, leaving=bool))


async def test_a_stop_stops_the_harness(plane: AgentCoreDataPlane, shim: Shim, tmp_path: Path) -> None:
    async with talking(turn(tmp_path, plane.url, "!say one\n!slow 30\n!say two")) as talk:
        await talk.until(lambda: talk.all(Text))

    assert plane.asked[-1]["op"] == "stop"
    assert not any(conversation.busy for conversation in shim.conversations.values())


async def test_where_the_shim_does_not_stop_it_the_session_is_stopped(plane: AgentCoreDataPlane, shim: Shim, tmp_path: Path) -> None:
    async with talking(turn(tmp_path, plane.url, "!say one\n!slow 30\n!say two")) as talk:
        await talk.until(lambda: talk.all(Text))
        plane.container = "http://127.0.0.1:1"

    assert plane.stopped == list(plane.sessions)


async def test_files_go_there_and_come_back(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("Look here.")

    talk = await talked(replace(turn(tmp_path, plane.url, f"!file made.txt from {note}"), files=(note,)))

    [artifact] = talk.all(Artifact)
    assert Path(artifact.path).is_relative_to(tmp_path / "out")
    said = content(artifact.path).removeprefix("from ")
    assert str(note) != said
    assert content(said) == "Look here."


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (("ExpiredTokenException", 403), "credentials have expired: renew AWS_ACCESS_KEY_ID"),
        (("AccessDeniedException", 403), "does not let us in"),
        (("SignatureDoesNotMatch", 403), "clock is right"),
        (("ResourceNotFoundException", 404), "look at options.arn"),
        (("ValidationException", 400), "refused what it was asked"),
    ],
)
async def test_a_refusal_is_told_with_the_remedy(plane: AgentCoreDataPlane, tmp_path: Path, refusal: tuple[str, int], words: str) -> None:
    plane.refuse = [refusal]

    with pytest.raises(Unavailable, match=words) as caught:
        await talked(turn(tmp_path, plane.url))

    assert not any(secret in str(caught.value) for secret in KEYS.values())


async def test_credentials_that_expire_in_the_middle_are_told(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    plane.cut = [700]
    async with talking(turn(tmp_path, plane.url, "!say one\n!say two\n!slow 0.1\n!say three")) as talk:
        await talk.until(lambda: talk.all(Text))
        plane.refuse = [("ExpiredTokenException", 403)] * 9
        with pytest.raises(RuntimeFailed, match="credentials have expired: renew AWS_ACCESS_KEY_ID") as caught:
            await talk.task

    assert not isinstance(caught.value, Unavailable)


async def test_a_platform_that_is_crowded_is_asked_again(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    plane.refuse = [("ThrottlingException", 429), ("InternalServerException", 500)]

    talk = await talked(turn(tmp_path, plane.url))

    assert talk.finished.state == "completed"


async def test_one_that_stays_crowded_is_told(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    plane.refuse = [("ThrottlingException", 429)] * 9

    with pytest.raises(Unavailable, match=r"asked too often.*Rate exceeded"):
        await talked(turn(tmp_path, plane.url))


async def test_a_token_that_the_shim_does_not_accept_is_told_and_not_shown(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"options.token in agents/coder.md is not its SHIM_TOKEN") as caught:
        await talked(turn(tmp_path, plane.url, environment={**KEYS, "SHIM_TOKEN": "another-one-altogether"}))

    assert "another-one" not in str(caught.value)


async def test_a_web_page_in_place_of_events_is_told(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    plane.page = True

    with pytest.raises(Unavailable, match="web page where JSON belongs"):
        await talked(turn(tmp_path, plane.url))


async def test_a_harness_that_is_not_there_is_told_before_anything_has_begun(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await talked(turn(tmp_path, plane.url, harness={"runtime": "codex", "options": {"path": "/nowhere/codex"}}))


async def test_nobody_who_listens_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 cannot be reached"):
        await talked(turn(tmp_path, "http://127.0.0.1:1"))


async def test_a_private_address_is_refused_unless_the_file_allows_it(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="private address"):
        await talked(turn(tmp_path, plane.url, private=False))


async def test_without_its_token_nothing_is_asked(plane: AgentCoreDataPlane, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="needs SHIM_TOKEN"):
        await talked(turn(tmp_path, plane.url, environment={}))

    assert plane.asked == []


async def test_a_bearer_token_that_is_not_taken_is_told_and_not_shown(shim: Shim, tmp_path: Path) -> None:
    async with AgentCoreDataPlane(f"http://127.0.0.1:{shim.port}", bearer="a.jwt.token") as plane:
        with pytest.raises(Unavailable, match=r"look at the variable JWT, which options\.key") as caught:
            await talked(turn(tmp_path, plane.url, environment={"SHIM_TOKEN": TOKEN, "JWT": "an.old.token"}, key="JWT"))

    assert "an.old.token" not in str(caught.value)


@pytest.mark.parametrize("seed", range(4))
async def test_by_a_bearer_token_too_a_cut_stream_goes_on(shim: Shim, tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    async with AgentCoreDataPlane(f"http://127.0.0.1:{shim.port}", bearer="a.jwt.token") as plane:
        plane.cut = [chance.randint(0, 1200) for _ in range(3)]
        given = {"SHIM_TOKEN": TOKEN, "JWT": "a.jwt.token"}

        talk = await talked(turn(tmp_path, plane.url, "!say one\n!say two\n!say three", environment=given, key="JWT"))

    assert talk.answered == "one\ntwo\nthree\n"


async def test_by_a_bearer_token_too_a_web_page_is_told(shim: Shim, tmp_path: Path) -> None:
    async with AgentCoreDataPlane(f"http://127.0.0.1:{shim.port}", bearer="a.jwt.token") as plane:
        plane.page = True
        with pytest.raises(Unavailable, match="web page where JSON belongs"):
            await talked(turn(tmp_path, plane.url, environment={"SHIM_TOKEN": TOKEN, "JWT": "a.jwt.token"}, key="JWT"))


def test_a_session_is_always_called_the_same_there(tmp_path: Path) -> None:
    first, second = turn(tmp_path, "http://127.0.0.1:1"), replace(turn(tmp_path, "http://127.0.0.1:1"), session_id="s2")

    assert session_of(first) == session_of(replace(first, number=7)) != session_of(second)
    assert 33 <= len(session_of(first)) <= 100
