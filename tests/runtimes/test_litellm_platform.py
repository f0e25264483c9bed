"""Agents on LiteLLM's platform, on a stand-in for it: the contract, and what that does not hold."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bot.errors import RuntimeFailed, Unavailable
from bot.event import ALLOW, DENY, Notice
from bot.message import Answer
from bot.ports import Turn
from tests.runtimes.contract import Contract, done
from tests.runtimes.remote import Elsewhere, Remote, answered_once, restarted
from tests.runtimes.talk import Talk, after, talked, talking
from tests.standins.litellm_platform import LiteLLMPlatform

NO_QUESTION = "the platform knows approvals, and no questions"
NO_COUNT = "the platform tells no figures; its gateway's log has them"
HARNESS = Remote(
    "litellm_platform",
    shell=lambda command: f"!tool bash {json.dumps({'command': command})}",
    environment=lambda url: {"LITELLM_PLATFORM_KEY": "sk-test"},
    options={"agent": "agent_1", "on": "opencode"},
    cannot={
        "plan": "the platform has no word for a plan",
        "question": NO_QUESTION,
        "typed": NO_QUESTION,
        "steer": "what is said meanwhile waits for the next turn",
        "usage": NO_COUNT,
        "cost": NO_COUNT,
    },
    parks=True,
)
WORDS = ["First I look at what there is to do.", "Then it is done, step by step, with care."]


def approval(then: str = "!say went on") -> str:
    asked = {"title": "Deploy to production?", "body": "Version 7.", "arguments": {"version": 7}, "then": then}
    return f"!tool request_human_approval {json.dumps(asked)}"


class TestLiteLLMPlatform(Elsewhere):
    name = "litellm_platform"
    harness = HARNESS

    @pytest.fixture
    async def model(self, tmp_path: Path) -> AsyncIterator[LiteLLMPlatform]:
        async with LiteLLMPlatform(folder=tmp_path / "s") as platform:
            yield platform

    @Contract._of("approval")
    async def test_nothing_is_done_before_it_is_allowed(self, model: LiteLLMPlatform, folder: Path) -> None:
        first = await talked(HARNESS.turn(folder, model.url, approval(HARNESS.shell("touch here.txt"))))
        question = await first.question()
        assert (question.kind, question.parts[0].text) == ("permission", "Deploy to production?")
        assert question.detail == 'Deploy to production?\n\nVersion 7.\n\n{"version": 7}'
        assert not (folder / "here.txt").exists()

        second = await decided(first, ALLOW)

        assert done(second) == "completed"
        assert (folder / "here.txt").exists()

    @Contract._of("refusal")
    async def test_what_is_denied_is_not_done(self, model: LiteLLMPlatform, folder: Path) -> None:
        first = await talked(HARNESS.turn(folder, model.url, approval(HARNESS.shell("touch here.txt"))))

        second = await decided(first, DENY)

        assert second.answered.startswith("refused: A person denied this")
        assert not (folder / "here.txt").exists()

    @Contract._of("restart")
    async def test_a_question_is_answered_after_a_restart(self, model: LiteLLMPlatform, folder: Path) -> None:
        first = await talked(replace(HARNESS.turn(folder, model.url, approval()), leaving=lambda: True))

        answer = Answer((await first.question()).id, {"decision": (ALLOW,)})
        second = await talked(replace(first.turn, resume=first.resume, again=True, answer=answer, prompt="Allow once", leaving=bool))

        assert second.answered == "went on"


async def decided(talk: Talk, word: str) -> Talk:
    question = await talk.question()
    return await talked(after(talk, word, answer=Answer(question.id, {"decision": (word,)})))


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[LiteLLMPlatform]:
    async with LiteLLMPlatform(folder=tmp_path) as platform:
        yield platform


def turn(platform: LiteLLMPlatform, tmp_path: Path, prompt: str, **options: object) -> Turn:
    return HARNESS.turn(tmp_path / "s", platform.url, prompt, options=options)


@pytest.mark.parametrize("seed", range(3))
async def test_after_our_restart_at_any_moment_the_turn_goes_on(platform: LiteLLMPlatform, tmp_path: Path, seed: int) -> None:
    script = "\n".join(f'!say {words}\n!tool bash {{"command": "true"}}' for words in WORDS)
    left = replace(turn(platform, tmp_path, script), leaving=lambda: True)
    several = Random(seed).randrange(1, 5)
    async with talking(left) as talk:
        await talk.until(lambda: len(talk.events) >= several)

    again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert again.answered == "\n\n".join(WORDS)
    assert answered_once(again.events)
    assert len(platform.log) == 1 + len(WORDS)
    assert not platform.stopped


async def test_a_platform_that_restarts_is_waited_for(platform: LiteLLMPlatform, tmp_path: Path) -> None:
    talk = await restarted(platform, turn(platform, tmp_path, "!say one\n!hold\n!say two"))

    assert talk.answered == "one\n\ntwo"


async def test_a_message_that_the_platform_cannot_give_on_ends_in_words(platform: LiteLLMPlatform, tmp_path: Path) -> None:
    talk = await talked(turn(platform, tmp_path, "!fail"))

    assert talk.finished.state == "failed"
    assert "the session is in error" in talk.finished.reason


async def test_a_key_that_expires_in_the_middle_ends_in_words(platform: LiteLLMPlatform, tmp_path: Path) -> None:
    async with talking(turn(platform, tmp_path, "!say one\n!hold")) as talk:
        await talk.until(lambda: talk.answered == "one")
        platform.refuse(401, b'{"error": "sk-test has expired"}', {})
        with pytest.raises(RuntimeFailed, match=r"does not accept the credentials \(401\)") as caught:
            await talk.task

    assert not isinstance(caught.value, Unavailable)
    assert "sk-test" not in str(caught.value)


async def test_an_approval_of_another_session_is_not_ours(platform: LiteLLMPlatform, tmp_path: Path) -> None:
    platform.inbox["theirs"] = {"id": "theirs", "title": "Delete it all?", "session_id": "ses_9", "status": "pending"}

    talk = await talked(turn(platform, tmp_path, "!say one"))

    assert (talk.finished.state, talk.answered) == ("completed", "one")


async def test_the_model_and_the_settings_go_along(platform: LiteLLMPlatform, tmp_path: Path) -> None:
    await talked(turn(platform, tmp_path, "!say one", settings={"repository": "https://git.example/a"}))

    begun = next(body for verb, path, body in platform.requests if (verb, path) == ("POST", "/session"))
    asked = next(body for _, path, body in platform.requests if path.endswith("prompt_async"))
    assert (begun["agent_id"], begun["runtime"]) == ("agent_1", "opencode")
    assert begun["environment"] == {"repository": "https://git.example/a"}
    assert asked["model"] == {"modelID": "claude-sonnet-5"}


async def test_a_session_that_the_platform_has_lost_is_told(platform: LiteLLMPlatform, tmp_path: Path) -> None:
    first = await talked(turn(platform, tmp_path, "!say one"))
    platform.sessions.clear()

    second = await talked(after(first, "!say two"))

    assert second.answered == "two"
    assert "not on this machine any more" in second.all(Notice)[0].text


async def test_a_session_that_is_lost_in_the_middle_ends_in_words(platform: LiteLLMPlatform, tmp_path: Path) -> None:
    async with talking(turn(platform, tmp_path, "!say one\n!hold")) as talk:
        await talk.until(lambda: talk.answered == "one")
        lost = platform.sessions.popitem()[1]

        with pytest.raises(RuntimeFailed, match="does not know the session"):
            await talk.task

    assert lost.work
    lost.work.cancel()
    await asyncio.wait([lost.work])
