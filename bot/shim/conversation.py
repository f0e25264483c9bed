"""One conversation in a container: its folder, and its turns, one at a time."""

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from itertools import count
from pathlib import Path

from pydantic import ValidationError

from bot.agent import Agent, explain
from bot.errors import BotError, ConfigError
from bot.event import Finished
from bot.message import Answer, Message, Person
from bot.ports import Runtime, Tools, Turn
from bot.shim.work import Work
from bot.spoken import File, Given, Run, Say

KEPT = 3  # turns that can be heard again
LEFT = Finished("failed", "The container in which this ran was told to end: ask again, and it goes on in another.")


class Conversation:
    """`build` makes a runtime for an agent; `environment` is the container's, of which a harness gets what is named."""

    def __init__(self, id: str, folder: Path, build: Callable[[Agent], Runtime], environment: Mapping[str, str]) -> None:
        self.id, self.build, self.environment = id, build, environment
        self.folder = folder / sha256(id.encode()).hexdigest()[:32]
        self.works: list[Work] = []
        self._one = asyncio.Lock()

    @property
    def busy(self) -> bool:
        return any(work.busy for work in self.works)

    async def run(self, asked: Run) -> Work | None:
        """The turn that is meant: the one of this name, the one that asked what is answered here, or a new one. None where it is lost."""
        async with self._one:
            if found := self._named(asked.turn) or self._asker(asked):
                return found
            return None if asked.known else await self._begin(asked)

    def say(self, said: Say) -> bool:
        work, message = self._named(said.turn), Message(said.id, "", "", Person(""), said.text, answer=_answer(said.answer))
        return work.say(message) if work else False

    async def stop(self, turn: str) -> bool:
        async with self._one:
            if work := self._named(turn):
                await work.stop()
            return work is not None

    async def close(self) -> None:
        for work in self.works:
            await work.stop(LEFT)

    def _named(self, turn: str) -> Work | None:
        return next((work for work in self.works if work.name == turn), None)

    def _asker(self, asked: Run) -> Work | None:
        """The turn that still holds the question open gets its answer, and goes on."""
        answer = _answer(asked.answer)
        work = next((work for work in self.works if answer and not work.end and answer.question in work.open), None)
        if work:
            work.say(Message(asked.turn, "", "", Person(""), "", answer=answer))
            work.name = asked.turn
        return work

    async def _begin(self, asked: Run) -> Work:
        """Raises BotError, where there is no such runtime or its options are wrong."""
        runtime = self.build(agent := _agent(asked))
        for work in self.works:
            await work.stop()  # whoever asks anew does not wait for what was before
        turn = await asyncio.to_thread(self._turn, asked, agent)
        first = self.works[-1].next if self.works else 1
        self.works = [*self.works, Work(asked.turn, runtime, turn, first)][-KEPT:]
        return self.works[-1]

    def _turn(self, asked: Run, agent: Agent) -> Turn:
        try:
            (self.folder / "in").mkdir(parents=True, exist_ok=True)
            paths = {file.path: self._bring(file, name) for file, name in zip(asked.files, _names(asked.files), strict=True)}
        except OSError as error:
            raise BotError(f"The container cannot keep anything in {self.folder}: {error.strerror}. Give it room.") from error
        prompt = asked.prompt
        for before, path in paths.items():
            prompt = prompt.replace(before, str(path))
        return Turn(
            self.id, asked.number, agent, prompt, asked.instructions, asked.resume, asked.again, _answer(asked.answer),
            folder=self.folder.resolve(), files=tuple(paths.values()), person=Person(*asked.person),
            environment={name: self.environment[name] for name in asked.environment if name in self.environment},
            tools=Tools(asked.tools.url, asked.tools.token.get_secret_value()) if asked.tools else None,
        )  # fmt: skip

    def _bring(self, file: File, name: str) -> Path:
        path = (self.folder / "in" / name).resolve()
        try:
            path.write_bytes(base64.b64decode(file.data, validate=True))
        except binascii.Error as error:
            raise BotError(f"{path.name} came broken; send it again.") from error
        return path


def _names(files: Sequence[File]) -> list[str]:
    """What they are called in here: two of the same name stay two."""
    names: list[str] = []
    for file in files:
        path = Path(Path(file.path).name or "file")
        tries = (path.name if number == 1 else f"{path.stem}-{number}{path.suffix}" for number in count(1))
        names.append(next(name for name in tries if name not in names))
    return names


def _answer(given: Given | None) -> Answer | None:
    return Answer(given.question, given.parts, given.note) if given else None


def _agent(asked: Run) -> Agent:
    given = {"name": asked.agent, "version": "", "description": "Asked from elsewhere.", "runtime": asked.runtime, "model": asked.model}
    try:
        return Agent.model_validate({**given, "options": asked.options})
    except ValidationError as error:
        raise ConfigError("; ".join(explain(error, Agent))) from error
