"""What Codex asks, and who answers: a person, or what a person has said before; without Codex."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from bot.agent import Agent
from bot.event import ALLOW, ALLOW_SESSION, Answered, Event, Question
from bot.message import Answer, Message
from bot.ports import Turn
from bot.runtimes.codex_questions import Questions
from bot.runtimes.codex_setting import Memory

from .talk import ANNA

COMMAND, CHANGE = "item/commandExecution/requestApproval", "item/fileChange/requestApproval"
TOUCH = {"turnId": "t1", "itemId": "c1", "startedAtMs": 1, "command": "touch a", "cwd": "/w", "kind": "command"}
LATER = {"turnId": "t2", "itemId": "c7", "startedAtMs": 2}


def turn(folder: Path, answer: Answer | None = None) -> Turn:
    agent = Agent.model_validate({"name": "coder", "version": "1", "description": "Codes.", "runtime": "codex"})
    return Turn("s1", 1, agent, "Hello", folder=folder, person=ANNA, answer=answer)


class Desk:
    """A turn's questions, and a person who answers each of them with the same word, or not at all."""

    def __init__(self, turn: Turn, word: str = ALLOW) -> None:
        self.told: list[Event] = []
        self.word, self.heard = word, asyncio.Event()
        self.questions = Questions(turn, Path("/w"), self._say, self.told.append, self._steer)
        self.questions.memory = Memory.read(turn.folder)

    async def serve(self, method: str, params: Mapping[str, Any], request: int = 0) -> Any:
        async with asyncio.timeout(5):
            return await self.questions.serve(request, method, dict(params))

    @property
    def asked(self) -> list[Question]:
        return [event for event in self.told if isinstance(event, Question)]

    async def _say(self, event: Event) -> None:
        self.told.append(event)
        self.heard.set()
        if isinstance(event, Question) and self.word:
            answer = Answer(event.id, {"decision": (self.word,)})
            await self.questions.answer(Message("m", "t", "c", ANNA, "", answer=answer))

    async def _steer(self, text: str) -> None:
        raise AssertionError(text)


async def test_what_is_allowed_for_the_session_is_allowed_in_the_next_process(tmp_path: Path) -> None:
    await Desk(turn(tmp_path), ALLOW_SESSION).serve(COMMAND, TOUCH)
    desk = Desk(turn(tmp_path))

    assert await desk.serve(COMMAND, {**TOUCH, **LATER}) == {"decision": "acceptForSession"}
    assert not desk.asked


async def test_what_is_allowed_once_is_asked_again(tmp_path: Path) -> None:
    await Desk(turn(tmp_path), ALLOW).serve(COMMAND, TOUCH)
    desk = Desk(turn(tmp_path))

    await desk.serve(COMMAND, {**TOUCH, **LATER})

    assert len(desk.asked) == 1


async def test_the_same_command_with_more_rights_is_another_one(tmp_path: Path) -> None:
    await Desk(turn(tmp_path), ALLOW_SESSION).serve(COMMAND, TOUCH)
    desk = Desk(turn(tmp_path))

    await desk.serve(COMMAND, {**TOUCH, **LATER, "additionalPermissions": {"network": True}})
    await desk.serve(COMMAND, {**TOUCH, **LATER, "cwd": "/etc"}, 1)

    assert len(desk.asked) == 2


async def test_a_file_is_allowed_for_the_session_whatever_changes_in_it(tmp_path: Path) -> None:
    await changed(Desk(turn(tmp_path), ALLOW_SESSION), "/w/a", type="update")
    desk = Desk(turn(tmp_path))

    await changed(desk, "/w/a", type="update")

    assert not desk.asked


async def test_a_file_that_is_allowed_is_not_moved_elsewhere_without_asking(tmp_path: Path) -> None:
    await changed(Desk(turn(tmp_path), ALLOW_SESSION), "/w/a", type="update")
    desk = Desk(turn(tmp_path))

    await changed(desk, "/w/a", type="update", move_path="/etc/a")
    await changed(desk, "/w/b", type="update")

    assert len(desk.asked) == 2


async def test_what_is_typed_into_a_command_is_asked_each_time(tmp_path: Path) -> None:
    await Desk(turn(tmp_path), ALLOW_SESSION).serve(COMMAND, {**TOUCH, "kind": "writeStdin"})
    desk = Desk(turn(tmp_path))

    await desk.serve(COMMAND, {**TOUCH, "kind": "writeStdin"})

    assert len(desk.asked) == 1


async def test_what_the_process_before_has_asked_is_answered_by_what_the_turn_begins_with(tmp_path: Path) -> None:
    before = Desk(turn(tmp_path))
    await before.serve(COMMAND, TOUCH, 3)
    [question] = before.asked
    desk = Desk(turn(tmp_path, Answer(question.id, {"decision": (ALLOW,)})))

    assert await desk.serve(COMMAND, TOUCH, 3) == {"decision": "accept"}
    assert desk.told == [Answered(question.id, "answered", "Anna", (ALLOW,))]


async def test_an_answer_to_something_else_allows_nothing(tmp_path: Path) -> None:
    desk = Desk(turn(tmp_path, Answer("t1-4", {"decision": (ALLOW,)})), "deny")

    assert await desk.serve(COMMAND, TOUCH, 3) == {"decision": "decline"}


async def test_a_question_that_codex_takes_back_is_not_one_that_somebody_is_still_asked(tmp_path: Path) -> None:
    desk, asking = await nobody_answers(tmp_path)

    desk.questions.note("serverRequest/resolved", {"requestId": 0})
    await asyncio.wait([asking])

    assert not desk.questions.cut
    assert [event.outcome for event in desk.told if isinstance(event, Answered)] == ["canceled"]


async def test_a_question_that_ends_with_us_is_one_that_somebody_is_still_asked(tmp_path: Path) -> None:
    desk, asking = await nobody_answers(tmp_path)

    asking.cancel()
    await asyncio.wait([asking])

    assert desk.questions.cut == 1


async def changed(desk: Desk, path: str, **kind: str) -> None:
    change = {"path": path, "kind": kind, "diff": uuid4().hex}
    desk.questions.note("item/started", {"item": {"type": "fileChange", "id": path, "changes": [change]}})
    await desk.serve(CHANGE, {"turnId": "t1", "itemId": path}, len(desk.asked))


async def nobody_answers(folder: Path) -> tuple[Desk, asyncio.Task[Any]]:
    desk = Desk(turn(folder), "")
    asking = asyncio.create_task(desk.serve(COMMAND, TOUCH))
    async with asyncio.timeout(5):
        await desk.heard.wait()
    return desk, asking
