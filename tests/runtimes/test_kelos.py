"""Turns in Kelos Sessions: Kubernetes' own client and pods/exec, or the console's WebSocket, before a stand-in for Kelos."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, cast

import aiohttp
import pytest

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Notice, Question, Started, Step, Text, Usage
from bot.message import Answer
from bot.ports import Turn
from bot.runtimes import kelos_session, runtime_of
from bot.runtimes.kelos import Kelos as Runtime
from bot.runtimes.kelos_place import Wire
from bot.runtimes.unknown import FILE
from tests.standins.kelos import Kelos
from tests.standins.wait import until

from .remote import Kept
from .talk import ANNA, Talk, after, talked, talking

KEY = "the-cluster-token"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits as people would."""
    monkeypatch.setattr(kelos_session, "LOOK", 0.02)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not ready is told at once."""
    monkeypatch.setattr(kelos_session, "TOLD", 0.0)


@pytest.fixture
async def kelos() -> AsyncIterator[Kelos]:
    async with Kelos() as kelos:
        yield kelos


@pytest.fixture(params=["exec", "console"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def turn(folder: Path, kelos: Kelos, prompt: str = "!say hello", way: str = "exec", *, key: str = KEY, **options: Any) -> Turn:
    place = {"kubeconfig": str(kelos.kubeconfig(folder / "kubeconfig"))}
    if way == "console":
        place = {"console": kelos.url, "key": "KELOS_TOKEN", "private": True}
    given = {**place, "namespace": "desk", "secret": "claude", **options}
    agent = Agent.model_validate({"name": "coder", "version": "1", "description": "Codes.", "runtime": "kelos", "options": given})
    return Turn("s1", 1, agent, prompt, folder=folder, person=ANNA, environment={"KELOS_TOKEN": key}, keep=Kept())


async def test_a_turn_is_told(kelos: Kelos, tmp_path: Path, way: str) -> None:
    talk = await talked(turn(tmp_path, kelos, "!say hello there\n!step Bash\n!say and bye", way))

    assert (talk.answered, talk.finished.state) == ("hello there \n\nand bye ", "completed")
    assert [(step.title, step.kind, step.status) for step in talk.all(Step)] == [
        ("Bash", "execute", "working"), ("Bash", "execute", "completed"),
    ]  # fmt: skip


async def test_an_answer_that_comes_in_pieces_is_read_to_its_end(kelos: Kelos, tmp_path: Path, way: str) -> None:
    first = await talked(turn(tmp_path, kelos, "!say one", way))
    [session] = kelos.all("sessions")
    session["status"]["message"] = "long " * 200_000

    second = await talked(after(first, "!say two"))

    assert second.answered == "two "


async def test_an_event_without_end_is_left_before_it_fills_the_memory() -> None:
    async def frames() -> AsyncIterator[aiohttp.WSMessage]:
        while True:
            yield aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, b"\x01" + b"x" * 4095, None)

    with pytest.raises(Unavailable, match="more than 16 MiB in one event"):
        await anext(Wire(cast(Any, frames()), channels=True).told())


async def test_the_next_turn_has_the_same_session_and_tells_nothing_again(kelos: Kelos, tmp_path: Path, way: str) -> None:
    first = await talked(turn(tmp_path, kelos, "!say one", way))

    second = await talked(after(first, "!say two"))

    assert (second.answered, len(kelos.all("sessions"))) == ("two ", 1)


async def test_a_question_ends_the_turn_and_its_answer_goes_on_with_it(kelos: Kelos, tmp_path: Path, way: str) -> None:
    asked = turn(tmp_path, kelos, "!say Well\n!ask Which? | Red | Blue\n!say done", way)
    talk = await talked(asked)
    [question] = talk.all(Question)
    assert talk.finished.state == "input_required"
    assert [option.label for option in question.parts[0].options] == ["Red", "Blue"]

    answer = Answer(question.id, {"q1": ("Blue",)})
    talk = await talked(replace(asked, resume=talk.resume, again=True, answer=answer, prompt="Blue"))

    assert talk.answered == "Well \n\nYou took Blue.\n\ndone "
    assert not talk.all(Question)


async def test_two_questions_are_answered_one_after_the_other(kelos: Kelos, tmp_path: Path) -> None:
    asked = turn(tmp_path, kelos, "!ask Which? | Red\n!ask And? | Green\n!say done")
    talk = await talked(asked)

    for words in ("Red", "Green"):
        answer = Answer(talk.all(Question)[0].id, {"q1": (words,)})
        talk = await talked(replace(asked, resume=talk.resume, again=True, answer=answer, prompt=words))

    assert talk.answered == "You took Red.\n\nYou took Green.\n\ndone "


async def test_an_answer_that_somebody_gave_elsewhere_is_told(kelos: Kelos, tmp_path: Path) -> None:
    asked = turn(tmp_path, kelos, "!ask Which? | Red\n!say done")
    talk = await talked(asked)
    [question] = talk.all(Question)
    kelos.journal.take({"type": "input", "inputId": question.id, "answers": {"q1": ["Red"]}})

    talk = await talked(replace(asked, resume=talk.resume, again=True, answer=Answer(question.id, {"q1": ("Blue",)}), prompt="Blue"))

    assert talk.answered == "You took Red.\n\ndone "


async def test_whoever_asks_anew_takes_the_question_back(kelos: Kelos, tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path, kelos, "!ask Which? | Red"))

    talk = await talked(after(talk, "!say other"))

    assert talk.answered == "other "
    assert any(asked.get("cancel") for asked in kelos.journal.asked)


@pytest.mark.parametrize("seed", range(8))
async def test_a_connection_that_is_cut_at_any_moment_goes_on_with_no_text_twice(kelos: Kelos, tmp_path: Path, way: str, seed: int) -> None:
    chance = Random(seed)
    kelos.cut = [chance.randint(0, 14) for _ in range(3)]

    talk = await talked(turn(tmp_path, kelos, "!say one two three\n!step Read\n!say four five", way))

    assert talk.answered == "one two three \n\nfour five "
    assert [asked["type"] for asked in kelos.journal.asked] == ["message"]


async def test_a_process_that_leaves_lets_it_go_on_and_the_next_one_tells_it_anew(kelos: Kelos, tmp_path: Path, way: str) -> None:
    left = replace(turn(tmp_path, kelos, "!use 5 2\n!say one\n!hold\n!use 10 4\n!say two", way), leaving=lambda: True)
    async with talking(left) as talk:
        await talk.until(lambda: talk.all(Text))
    kelos.journal.go.set()

    again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert again.answered == "one \n\ntwo "
    assert again.all(Usage) == [Usage(15, 6)]
    assert [asked["type"] for asked in kelos.journal.asked] == ["message"]


async def test_a_turn_is_counted_for_itself(kelos: Kelos, tmp_path: Path) -> None:
    first = await talked(turn(tmp_path, kelos, "!use 100 10\n!say one"))
    second = await talked(after(first, "!use 200 20\n!say two"))

    assert [talk.all(Usage) for talk in (first, second)] == [[Usage(100, 10)], [Usage(200, 20)]]


async def test_a_session_that_shows_no_sign_of_life_is_asked_anew(kelos: Kelos, tmp_path: Path, way: str) -> None:
    kelos.mute = 1

    talk = await talked(turn(tmp_path, kelos, "!say one\n!slow 0.6\n!say two", way, silence=0.4))

    assert talk.answered == "one \n\ntwo "
    assert "was lost" in talk.all(Notice)[0].text
    assert [asked["type"] for asked in kelos.journal.asked] == ["message"]


async def test_what_the_session_tells_somebody_else_is_not_shown(kelos: Kelos, tmp_path: Path) -> None:
    async with talking(turn(tmp_path, kelos, "!say one\n!hold\n!say two")) as talk:
        await talk.until(lambda: talk.all(Text))
        kelos.journal.tell("assistant.message", turnId="turn-9", text="What they asked in the console.")
        kelos.journal.go.set()
        await talk.task

    assert talk.answered == "one \n\ntwo "


async def test_a_stop_interrupts_it(kelos: Kelos, tmp_path: Path, way: str) -> None:
    async with talking(turn(tmp_path, kelos, "!say one\n!hold\n!say two", way)) as talk:
        await talk.until(lambda: talk.all(Text))

    assert kelos.journal.asked[-1]["type"] == "interrupt"
    await until(lambda: kelos.journal.events[-1].get("status") == "interrupted")


async def test_a_stop_is_a_stop_whatever_is_told_meanwhile(kelos: Kelos, tmp_path: Path) -> None:
    async with talking(turn(tmp_path, kelos, "!say one\n!hold")) as talk:
        await talk.until(lambda: talk.all(Text))
        kelos.journal.take = lambda asked: {"type": "turn.completed", "id": "seven"}  # type: ignore[method-assign]

    assert talk.task.cancelled()


async def test_a_session_that_sleeps_is_woken(kelos: Kelos, tmp_path: Path, way: str) -> None:
    talk = await talked(turn(tmp_path, kelos, "!say one", way))
    kelos.all("sessions")[0]["status"]["phase"] = "Suspended"

    talk = await talked(after(talk, "!say two"))

    assert talk.answered == "two "


async def test_one_that_somebody_has_suspended_stays_so(kelos: Kelos, tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path, kelos))
    session = kelos.all("sessions")[0]
    session["status"]["phase"], session["spec"]["suspend"] = "Suspended", True

    with pytest.raises(Unavailable, match="resume it in Kelos"):
        await talked(after(talk, "!say two"))


@pytest.mark.usefixtures("impatient")
async def test_what_it_waits_for_is_told(kelos: Kelos, tmp_path: Path, way: str) -> None:
    kelos.phase, kelos.message = "Pending", "waiting for a volume"
    async with talking(turn(tmp_path, kelos, way=way)) as talk:
        await talk.until(lambda: Notice("waiting for a volume") in talk.events)
        kelos.all("sessions")[0]["status"]["phase"] = "Ready"
        await talk.task

    assert isinstance(talk.events[0], Started)
    assert talk.answered == "hello "
    assert '"journal": "j1"' in talk.all(Started)[-1].resume


async def test_one_that_has_failed_is_told(kelos: Kelos, tmp_path: Path, way: str) -> None:
    kelos.phase, kelos.message = "Failed", "image not found"

    with pytest.raises(Unavailable, match="has failed: image not found"):
        await talked(turn(tmp_path, kelos, way=way))


async def test_an_error_of_the_agent_is_told(kelos: Kelos, tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path, kelos, "!fail API Error: 400"))

    assert (talk.finished.state, talk.finished.reason) == ("failed", "API Error: 400")


async def test_a_message_that_is_refused_is_told(kelos: Kelos, tmp_path: Path) -> None:
    await talked(turn(tmp_path, kelos))
    kelos.journal.reject = ["Session already has a pending command or message"]

    talk = await talked(replace(turn(tmp_path, kelos), number=2))

    assert talk.finished.reason == "The session refused it: Session already has a pending command or message"


async def test_one_that_is_made_anew_is_asked_again(kelos: Kelos, tmp_path: Path) -> None:
    await talked(turn(tmp_path, kelos))
    kelos.journal.reject = ["Session provider is restarting; retry after it reconnects"]

    talk = await talked(replace(turn(tmp_path, kelos, "!say again"), number=2))

    assert talk.answered == "again "


async def test_a_session_that_was_reset_in_the_middle_is_told(kelos: Kelos, tmp_path: Path) -> None:
    async with talking(turn(tmp_path, kelos, "!say one\n!hold")) as talk:
        await talk.until(lambda: talk.all(Text))
        kelos.journal.id = "j2"
        await drop(talk, kelos)
        with pytest.raises(RuntimeFailed, match="was reset in the middle"):
            await talk.task


async def test_a_session_that_was_taken_away_since_is_told_and_begun_anew(kelos: Kelos, tmp_path: Path, way: str) -> None:
    first = await talked(replace(turn(tmp_path, kelos, "!say one", way), instructions="Be kind."))
    kelos.objects.clear()
    kelos.journals.clear()
    kelos.named = "j2"

    second = await talked(after(first, "!say two"))

    assert isinstance(second.events[0], Started)
    assert "taken away since" in second.all(Notice)[0].text
    assert kelos.journal.asked[0]["text"] == "Be kind.\n\n!say two"


async def drop(talk: Talk, kelos: Kelos) -> None:
    """The connection breaks."""
    for connection in list(kelos._runner.server.connections if kelos._runner.server else ()):
        if connection.transport:
            connection.transport.abort()


async def test_what_nobody_knows_is_said_once_and_kept(kelos: Kelos, tmp_path: Path) -> None:
    given = turn(tmp_path, kelos, "!odd blue\n!odd red\n!say hello")

    talk = await talked(given)

    assert len(talk.all(Notice)) == 1
    assert "sparkle" in (given.folder / FILE).read_text()
    assert talk.answered == "hello "


async def test_a_token_that_is_wrong_is_told_and_not_shown(kelos: Kelos, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"options\.key in agents/coder\.md is not the console's token") as caught:
        await talked(turn(tmp_path, kelos, way="console", key="an-old-token"))

    assert "an-old-token" not in str(caught.value)


@pytest.mark.parametrize("mode", ["session", "task"])
async def test_the_doctor_says_whether_it_is_there(kelos: Kelos, tmp_path: Path, mode: str) -> None:
    given = turn(tmp_path, kelos, mode=mode)
    runtime = cast(Runtime, runtime_of(given.agent))
    await runtime.reach(given.agent, {})
    kelos.refuse = [(403, "forbidden")]

    with pytest.raises(Unavailable, match="does not allow it"):
        await runtime.reach(given.agent, {})


async def test_a_private_console_is_refused_unless_the_file_allows_it(kelos: Kelos, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="private address"):
        await talked(turn(tmp_path, kelos, way="console", private=False))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"type": "gemini"}, "no Sessions with gemini"),
        ({"pool": "p"}, "a pool does Tasks"),
        ({"mode": "task", "pool": "p"}, "leave secret out"),
        ({"secret": ""}, "name the Secret"),
        ({"console": "https://kelos.example.com"}, "belong together"),
    ],
)
async def test_options_that_do_not_go_together_are_told(kelos: Kelos, tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(Exception, match=words):
        await talked(turn(tmp_path, kelos, **options))
