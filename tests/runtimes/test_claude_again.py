"""Claude Code goes on in another process, and on another machine: with its question, with what was allowed, with the conversation."""

import json
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bot.errors import RuntimeFailed
from bot.event import ALLOW, Item, Notice, Plan, Question, Started, Usage
from bot.message import Answer
from bot.ports import Turn
from tests.standins.model import Model

from .talk import Talk, after, processes, talked, talking, turn

OPTIONS = [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]
ASK = "!tool AskUserQuestion " + json.dumps({"questions": [{"question": "Which colour?", "header": "Colour", "options": OPTIONS}]})
WORDS = "You asked: Which colour?\nThe answer is: Red"
TOUCH = '!tool Bash {"command": "touch a"}'


class Shelf:
    """What all replicas can reach."""

    def __init__(self) -> None:
        self.lines: dict[str, list[str]] = {}

    async def load(self, key: str) -> list[str]:
        return list(self.lines.get(key, []))

    async def append(self, key: str, lines: Sequence[str]) -> None:
        self.lines.setdefault(key, []).extend(lines)


def answered(talk: Talk, question: Question, *words: str) -> Turn:
    """The turn as the next process has it, once that question is answered."""
    return after(talk, WORDS, again=True, answer=Answer(question.id, {question.parts[0].id: words} if words else {}))


async def asked(task: Turn, count: int = 1) -> tuple[Talk, list[Question]]:
    """A turn that ended while its questions were open."""
    async with talking(task) as talk:
        await talk.question(count)
    return talk, talk.all(Question)


async def test_a_question_outlives_the_process_and_its_answer_is_the_answer(model: Model, tmp_path: Path) -> None:
    talk, [question] = await asked(turn(tmp_path / "s", model.url, f"{ASK}\n!toolresult"))
    left = processes(tmp_path / "s")

    then = await talked(answered(talk, question, "Red"))

    assert not left
    assert isinstance(then.events[0], Started)
    assert then.resume == talk.resume
    assert '"Which colour?"="Red"' in then.answered
    assert not then.all(Question)
    assert WORDS not in json.dumps(model.log[-1].body["messages"])


async def test_what_is_said_after_such_an_answer_is_a_turn_like_any_other(model: Model, tmp_path: Path) -> None:
    talk, [question] = await asked(turn(tmp_path / "s", model.url, f"!usage 1000 100\n{ASK}\n!usage 1000 100\n!toolresult"))
    then = await talked(answered(talk, question, "Red"))

    last = await talked(after(then, "!usage 1000 100\n!say thanks", again=False, answer=None))

    assert last.answered == "thanks"
    before, now = (sum(used.usd for used in each.all(Usage)) for each in (then, last))
    assert before == pytest.approx(2 * now)  # what it had cost to ask is told with the answer


async def test_a_question_that_expired_meanwhile_is_not_asked_again(model: Model, tmp_path: Path) -> None:
    talk, [question] = await asked(turn(tmp_path / "s", model.url, f"{ASK}\n!toolresult"))

    then = await talked(answered(talk, question))

    assert "did not answer" in then.answered


async def test_whoever_stops_a_question_can_say_something_else(model: Model, tmp_path: Path) -> None:
    talk, _ = await asked(turn(tmp_path / "s", model.url, f"{ASK}\n!say as you like"))

    then = await talked(after(talk, "!say something else"))

    assert not then.all(Question)
    assert then.answered.endswith("something else")
    assert "did not answer this" in json.dumps(model.log[-1].body["messages"])


async def test_several_questions_are_answered_in_words(model: Model, tmp_path: Path) -> None:
    talk, questions = await asked(turn(tmp_path / "s", model.url, f"{ASK}\n{ASK}\n!toolresult"), 2)

    then = await talked(answered(talk, questions[0], "Red"))

    assert then.answered.startswith("echo: The process that you ran in was restarted")
    assert then.answered.endswith(WORDS)


async def test_a_question_whose_process_was_killed_is_answered_in_words(model: Model, tmp_path: Path) -> None:
    async with talking(turn(tmp_path / "s", model.url, f"{ASK}\n!toolresult")) as talk:
        question = await talk.question()
        for process in processes(tmp_path / "s"):
            with suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
        with pytest.raises(RuntimeFailed):
            await talk.task

    then = await talked(answered(talk, question, "Red"))

    assert then.answered.endswith(WORDS)


async def test_what_was_allowed_after_the_process_had_ended_is_done_once_unasked(model: Model, tmp_path: Path) -> None:
    talk, [question] = await asked(turn(tmp_path / "s", model.url, TOUCH))

    async with talking(replace(answered(talk, question, ALLOW), prompt=f"{TOUCH}\n!say and\n{TOUCH}\n!say done")) as then:
        again = await then.question()
        made = (tmp_path / "s" / "work" / "a").exists()

    assert made
    assert again.detail == "touch a"


async def test_another_command_than_the_one_that_was_allowed_is_asked_for(model: Model, tmp_path: Path) -> None:
    talk, [question] = await asked(turn(tmp_path / "s", model.url, TOUCH))

    async with talking(replace(answered(talk, question, ALLOW), prompt='!tool Bash {"command": "touch b"}\n!say done')) as then:
        other = await then.question()

    assert other.detail == "touch b"


async def test_another_replica_goes_on_with_the_conversation(model: Model, tmp_path: Path) -> None:
    plan = '!usage 1000 100\n!tool TaskCreate {"subject": "Look", "description": "."}\n!usage 1000 100\n!say one'
    first = await talked(turn(tmp_path / "here", model.url, plan, keep=(shelf := Shelf())))
    shutil.rmtree(tmp_path / "here")
    (tmp_path / "there").mkdir()

    done = '!usage 1000 100\n!tool TaskUpdate {"taskId": "1", "status": "completed"}\n!usage 1000 100\n!history'
    second = await talked(after(first, done, folder=tmp_path / "there"))

    assert shelf.lines[first.resume]
    assert second.resume == first.resume
    assert second.answered.startswith("2 messages")
    assert not second.all(Notice)
    assert second.all(Plan)[-1] == Plan((Item("Look", "done"),))
    before, then = (sum(used.usd for used in talk.all(Usage)) for talk in (first, second))
    assert then == pytest.approx(before)


async def test_a_replica_that_was_passed_over_takes_up_what_the_other_did(model: Model, tmp_path: Path) -> None:
    first = await talked(turn(tmp_path / "here", model.url, "!say one", keep=Shelf()))
    (tmp_path / "there").mkdir()
    second = await talked(after(first, "!say two", folder=tmp_path / "there"))

    third = await talked(after(second, "!history", folder=tmp_path / "here"))

    assert third.answered.startswith("3 messages")


async def test_a_question_is_answered_on_another_replica(model: Model, tmp_path: Path) -> None:
    talk, [question] = await asked(turn(tmp_path / "here", model.url, f"{ASK}\n!toolresult", keep=Shelf()))
    shutil.rmtree(tmp_path / "here")
    (tmp_path / "there").mkdir()

    then = await talked(replace(answered(talk, question, "Red"), folder=tmp_path / "there"))

    assert '"Which colour?"="Red"' in then.answered
