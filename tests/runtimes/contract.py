"""What every runtime has to do, whatever the agent runs on: each inherits this suite, and declares in words what it cannot.

A test here has one column of the table in the README: what a runtime declares shows there, and what fails does too.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import psutil
import pytest

from bot.agent import Agent
from bot.errors import RuntimeFailed
from bot.event import ALLOW, DENY, Finished, Item, Plan, Question, Started, Step, Thought, Usage
from bot.message import Answer
from bot.ports import Turn
from tests.standins.model import Model
from tests.standins.wait import until

from .talk import ANNA, Talk, after, moment, talked, talking

COLUMNS = {
    "text": "text", "thoughts": "thoughts", "steps": "steps", "plan": "plan", "question": "question", "typed": "free text",
    "approval": "approval", "refusal": "refusal", "steer": "steer", "stop": "stop", "resume": "resume", "restart": "answer after a restart",
    "error": "error", "usage": "usage", "cost": "cost", "flood": "flood", "garbage": "garbage", "death": "death",
    "trouble": "bad input",
}  # fmt: skip
BLUE = "Blue"
When = Literal["beginning", "working", "speaking", "asking"]
GONE = "killed|ended by itself|gone"
LONG = "tail -f /dev/null"  # some harnesses do not let their models sleep for long
SOON = 2.0  # seconds, in which a stop is over
NOISY = """#!{python} -ISu
import subprocess, sys
NOISE = b'this is no JSON\\n{{"half":\\n[1]\\nnull\\n"{{}}"\\n\\n\\xff\\xfe\\n' + b"[" * 100000 + b"\\n"
sys.stdout.buffer.write(NOISE)
with subprocess.Popen(["{binary}", *sys.argv[1:]], stdout=subprocess.PIPE) as real:
    for line in real.stdout:
        sys.stdout.buffer.write(line + NOISE)
sys.exit(real.returncode)
"""


@dataclass(frozen=True)
class Harness:
    """A runtime, and how its own model is made to do a thing: each function gives lines of a script (tests/standins/script.py).

    `environment` is what the agent's file would name, for a model at this address; `cannot` says why, for each column that is
    not kept. `marks` says whether a process belongs to the session of a folder; `binary` is the option that names the harness.
    """

    runtime: str
    shell: Callable[[str], str]
    environment: Callable[[str], Mapping[str, str]]
    ask: Callable[[str, tuple[str, ...]], str] = lambda text, options: ""
    plan: str = ""
    model: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    asks: Mapping[str, Any] = field(default_factory=dict)  # the options with which the shell asks a person
    cannot: Mapping[str, str] = field(default_factory=dict)
    binary: str = "path"
    parks: bool = False  # a question ends its turn, and the answer begins the next
    prepare: Callable[[Path, str], None] = lambda folder, url: None

    def turn(self, folder: Path, url: str, prompt: str, *, asks: bool = False, **more: Any) -> Turn:
        given = {"name": "coder", "version": "1", "description": "Codes.", "runtime": self.runtime, "model": self.model}
        options = {**self.options, **(self.asks if asks else {}), **more.pop("options", {})}
        folder.mkdir(exist_ok=True)
        self.prepare(folder, url)
        environment = {**self.environment(url), **more.pop("environment", {})}
        return Turn("s1", 1, Agent.model_validate({**given, "options": options}), prompt, folder=folder, person=ANNA,
                    environment=environment, **more)  # fmt: skip


def family(folder: Path) -> list[psutil.Process]:
    """All that runs for the session of this folder: what has it in its environment or works in it, and what that has begun."""
    found: set[psutil.Process] = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, FileNotFoundError):
            if process.pid != os.getpid() and any(place.startswith(str(folder)) for place in places(process)):
                found |= {process, *process.children(recursive=True)}
    return [process for process in found if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def places(process: psutil.Process) -> Iterator[str]:
    """What its environment names, and where it works; the one can be dropped without the other."""
    with suppress(psutil.Error, FileNotFoundError):
        yield process.cwd()
    with suppress(psutil.Error, FileNotFoundError):
        yield from process.environ().values()


def own(folder: Path) -> list[psutil.Process]:
    """The harness's own process, as we began it."""
    return [process for process in family(folder) if process.ppid() == os.getpid()]


async def left(folder: Path) -> list[psutil.Process]:
    """What still runs a moment later: to be killed and to have ended is not the same."""
    with suppress(TimeoutError):
        await until(lambda: not family(folder), 1)
    return family(folder)


async def dies(folder: Path) -> None:
    """The harness's own process, and none of those that it began, is killed at a random moment from now on."""
    await until(lambda: own(folder))
    await moment()
    [process] = own(folder)
    process.kill()


def done(talk: Talk) -> str:
    """What the last turn ended in, and that it ended once."""
    assert isinstance(talk.events[0], Started), talk.events[:3]
    assert [type(event) for event in talk.events].count(Finished) == 1
    return talk.finished.state


class Contract:
    """Inherit it, and say which `harness` it is."""

    harness: Harness

    @pytest.fixture(autouse=True)
    def _column(self, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
        column = str(request.function.column)
        record_property("contract", [self.harness.runtime if not hasattr(self, "name") else self.name, column])
        if why := self.harness.cannot.get(column):  # tried all the same: one that has learned it turns the table red
            request.applymarker(pytest.mark.xfail(reason=why, raises=(AssertionError, TimeoutError), strict=True))

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Iterator[Path]:
        yield tmp_path / "s"
        for process in family(tmp_path / "s"):  # of a test that failed
            with suppress(psutil.NoSuchProcess):
                process.kill()

    @staticmethod
    def _of(column: str) -> Any:
        def marked(test: Any) -> Any:
            test.column = column
            return test

        return marked

    @_of("text")
    async def test_it_starts_first_and_finishes_last_and_says_its_text_once(self, model: Model, folder: Path) -> None:
        talk = await talked(self.harness.turn(folder, model.url, "!say hello from the model"))

        assert done(talk) == "completed"
        assert talk.answered.strip() == "hello from the model"

    @_of("thoughts")
    async def test_its_thoughts_are_told(self, model: Model, folder: Path) -> None:
        talk = await talked(self.harness.turn(folder, model.url, "!think What is it?\n!say It is 42."))

        assert "".join(thought.text for thought in talk.all(Thought)).strip() == "What is it?"

    @_of("steps")
    async def test_a_tool_is_a_step_that_ends(self, model: Model, folder: Path) -> None:
        talk = await talked(self.harness.turn(folder, model.url, f"{self.harness.shell('echo it is 42')}\n!toolresult"))

        assert [(step.kind, step.status) for step in talk.steps.values()] == [("execute", "completed")]
        [step] = talk.steps.values()
        assert "echo it is 42" in step.title + step.detail
        assert next(each.status for each in talk.all(Step)) == "working"
        assert "it is 42" in talk.answered

    @_of("plan")
    async def test_its_plan_is_told(self, model: Model, folder: Path) -> None:
        talk = await talked(self.harness.turn(folder, model.url, f"{self.harness.plan}\n!say planned"))

        assert [plan.items for plan in talk.all(Plan)][-1:] == [(Item("Look", "in_progress"), Item("Mend"))]

    @_of("question")
    async def test_a_question_is_answered_by_an_option(self, model: Model, folder: Path) -> None:
        script = f"{self.harness.ask('Which colour?', ('Red', BLUE))}\n!toolresult"
        async with talking(self.harness.turn(folder, model.url, script)) as talk:
            question = await talk.question()

            assert question.parts[0].text == "Which colour?"
            assert {"Red", BLUE} <= {option.label for option in question.parts[0].options}
            talk = await self._answer(talk, question, BLUE)

        assert done(talk) == "completed"
        assert BLUE in talk.answered

    @_of("typed")
    async def test_a_question_is_answered_in_words_of_ones_own(self, model: Model, folder: Path) -> None:
        script = f"{self.harness.ask('Which colour?', ('Red', BLUE))}\n!toolresult"
        async with talking(self.harness.turn(folder, model.url, script)) as talk:
            question = await talk.question()
            assert question.parts[0].free_text
            talk = await self._answer(talk, question, "neither, take mauve")

        assert "mauve" in talk.answered

    @_of("approval")
    async def test_nothing_is_done_before_it_is_allowed(self, model: Model, folder: Path) -> None:
        script = f"{self.harness.shell('touch here.txt')}\n!say went on"
        async with talking(self.harness.turn(folder, model.url, script, asks=True)) as talk:
            question = await talk.question()
            assert question.kind == "permission"
            assert "touch here.txt" in question.detail
            assert not self._made(folder, "here.txt")

            talk = await self._answer(talk, question, ALLOW)

        assert self._made(folder, "here.txt")
        assert done(talk) == "completed"

    @_of("refusal")
    async def test_what_is_denied_is_not_done(self, model: Model, folder: Path) -> None:
        script = f"{self.harness.shell('touch here.txt')}\n!say went on"
        async with talking(self.harness.turn(folder, model.url, script, asks=True)) as talk:
            talk = await self._answer(talk, await talk.question(), DENY)

        assert not self._made(folder, "here.txt")
        assert [step.status for step in talk.steps.values()][:1] in (["denied"], ["failed"])
        assert done(talk) != "failed"

    @_of("steer")
    async def test_what_is_said_meanwhile_reaches_the_agent(self, model: Model, folder: Path) -> None:
        script = f"{self.harness.shell('sleep 1')}\n!slow 0.05\n!say {'word ' * 40}"
        async with talking(self.harness.turn(folder, model.url, script)) as talk:
            await talk.until(lambda: talk.all(Step))
            talk.inbox.say("and be quick about it")
            await talk.task

        assert done(talk) == "completed"
        assert any("and be quick about it" in str(asked.body) for asked in model.log)

    @_of("stop")
    @pytest.mark.parametrize("when", ["working", "speaking", "asking"])
    async def test_a_stop_leaves_nothing_behind(self, model: Model, folder: Path, when: When) -> None:
        async with talking(self._at(when, model, folder)) as talk:
            await self._reached(when, talk)
            assert family(folder) or self._parked(when)

            assert await talk.stop() < SOON

        assert not await left(folder)

    @_of("resume")
    async def test_the_next_turn_knows_what_was_said(self, model: Model, folder: Path) -> None:
        first = await talked(self.harness.turn(folder, model.url, "!say the first thing"))

        second = await talked(after(first, "!say the second thing"))

        assert done(second) == "completed"
        assert second.answered.strip() == "the second thing"
        assert any("the first thing" in str(asked.body) and "the second thing" in str(asked.body) for asked in model.log)

    @_of("restart")
    async def test_a_question_is_answered_after_a_restart(self, model: Model, folder: Path) -> None:
        script = f"{self.harness.ask('Which colour?', ('Red', BLUE))}\n!toolresult"
        turn = replace(self.harness.turn(folder, model.url, script), leaving=lambda: True)
        async with talking(turn) as talk:
            question = await talk.question()
        answer = Answer(question.id, {question.parts[0].id: (BLUE,)})
        words = f"You asked: Which colour?\nThe answer is: {BLUE}"

        again = replace(turn, resume=talk.resume, again=True, answer=answer, prompt=words, leaving=bool)
        async with talking(again) as talk:
            await talk.task

        assert done(talk) == "completed"
        assert BLUE in str(model.log[-1].body)

    @_of("error")
    async def test_an_error_of_the_model_is_told_in_words(self, model: Model, folder: Path) -> None:
        talk = await talked(self.harness.turn(folder, model.url, "!error 400 invalid_request_error"))

        assert done(talk) == "failed"
        assert "400" in talk.finished.reason + talk.finished.error

    @_of("usage")
    async def test_it_tells_what_this_turn_has_used(self, model: Model, folder: Path) -> None:
        first = await talked(self.harness.turn(folder, model.url, "!usage 1000 100\n!say one"))

        second = await talked(after(first, "!usage 2000 200\n!say two"))

        assert [self._used(talk) for talk in (first, second)] == [(1000, 100), (2000, 200)]

    @_of("cost")
    async def test_it_tells_what_this_turn_has_cost(self, model: Model, folder: Path) -> None:
        first = await talked(self.harness.turn(folder, model.url, "!usage 1000 100\n!say one"))

        second = await talked(after(first, "!usage 2000 200\n!say two"))

        before, then = (sum(used.usd for used in talk.all(Usage)) for talk in (first, second))
        assert then == pytest.approx(2 * before, rel=0.01)
        assert before > 0

    @_of("flood")
    async def test_a_flood_of_words_comes_whole(self, model: Model, folder: Path) -> None:
        words = "word " * 20_000

        talk = await talked(self.harness.turn(folder, model.url, f"!say {words}end"))

        assert talk.answered.strip() == f"{words}end"

    @_of("garbage")
    async def test_what_cannot_be_read_harms_nothing(self, model: Model, folder: Path, tmp_path: Path) -> None:
        """Before all that the harness says, and between its lines."""
        noisy = tmp_path / "noisy"
        noisy.write_text(NOISY.format(python=sys.executable, binary=self._binary()))
        noisy.chmod(0o755)

        talk = await talked(self.harness.turn(folder, model.url, "!say all the same", options={self.harness.binary: str(noisy)}))

        assert talk.answered.strip() == "all the same"

    @_of("death")
    @pytest.mark.parametrize("when", ["beginning", "working", "speaking", "asking"])
    async def test_where_it_dies_in_the_middle_that_is_told_and_nothing_stays(self, model: Model, folder: Path, when: When) -> None:
        async with talking(self._at(when, model, folder)) as talk:
            await self._reached(when, talk)
            if self._parked(when):
                await talk.task
            else:
                await dies(folder)
                with pytest.raises(RuntimeFailed, match=GONE):
                    await asyncio.wait_for(talk.task, 20)

        assert not await left(folder)

    async def _answer(self, talk: Talk, question: Question, words: str, note: str = "") -> Talk:
        """The turn that has the answer, when it is over."""
        answer = Answer(question.id, {question.parts[0].id: (words,)}, note)
        if not self.harness.parks:
            talk.inbox.say("", answer=answer)
        await talk.task
        return await talked(after(talk, words, answer=answer)) if self.harness.parks else talk

    def _at(self, when: When, model: Model, folder: Path) -> Turn:
        """A turn that stays there for long; it asks for leave, where its harness has no other questions."""
        script = {"speaking": f"!slow 0.05\n!say {'word ' * 400}"}.get(when, self.harness.shell(LONG))
        if when == "asking":
            asked = {"question", "approval"} - {*self.harness.cannot}
            script = self.harness.ask("Which colour?", ("Red", BLUE)) if "question" in asked else self.harness.shell("touch here.txt")
        return self.harness.turn(folder, model.url, f"{script}\n!say never", asks=when == "asking")

    async def _reached(self, when: When, talk: Talk) -> None:
        match when:
            case "working":
                await talk.until(lambda: talk.all(Step))
            case "speaking":
                await talk.until(lambda: talk.answered)
            case "asking":
                await talk.question()

    def _parked(self, when: When) -> bool:
        """Whether it is over then: there is nobody to stop, or to die, and the answer begins the next turn."""
        return self.harness.parks and when == "asking"

    def _made(self, folder: Path, name: str) -> bool:
        return any(folder.rglob(name))

    def _used(self, talk: Talk) -> tuple[int, int]:
        used = talk.all(Usage)
        return sum(each.input_tokens for each in used), sum(each.output_tokens for each in used)

    def _binary(self) -> str:
        """Where the real one is."""
        raise NotImplementedError
