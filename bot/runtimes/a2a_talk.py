"""What an A2A agent says in one turn, as events: nothing twice, nothing lost."""

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from a2a.types import Artifact as Made
from a2a.types import Message, Role, StreamResponse, Task, TaskState, TaskStatus
from a2a.types import Part as Piece
from pydantic import BaseModel, Field

from bot.errors import RuntimeFailed
from bot.event import Artifact, End, Event, Finished, Notice, Started, Step, Text, Thought
from bot.runtimes import a2a_human, a2a_questions, claude_words
from bot.runtimes.a2a_parts import keep, line, mark_of, partial, plain, safe, said, thinks, tool, usage, written

ENDS: dict[int, End] = {
    TaskState.TASK_STATE_COMPLETED: "completed",
    TaskState.TASK_STATE_FAILED: "failed",
    TaskState.TASK_STATE_CANCELED: "canceled",
    TaskState.TASK_STATE_REJECTED: "rejected",
}
WAITING = (TaskState.TASK_STATE_INPUT_REQUIRED, TaskState.TASK_STATE_AUTH_REQUIRED)
BLAND = "Task completed successfully"  # what LangGraph's tasks say in place of the answer, which then ends their history
NO_CHANCE = 16  # characters from which on a repeated beginning is a snapshot


class Past(BaseModel):
    """What finds the work again: context and task, the message that is being answered, how much of each artifact earlier turns told,
    and the token with which the agent rings.
    """

    context: str = ""
    task: str = ""
    message: str = ""
    told: dict[str, int] = {}
    token: str = Field(default="", repr=False)


@dataclass(slots=True)
class Talk:
    """One turn's talk. `message` is the id of what was asked, `folder` takes files; `count` grows with all that is told.

    `texts` holds what each artifact says so far, in order; the talk of a status that grows stands in it as if it were one.
    `pieces` says that a status is being told piece by piece, `made` that an artifact has told some of the answer.
    """

    message: str
    folder: Path
    context: str = ""
    task: str = ""
    token: str = ""
    notices: list[Notice] = field(default_factory=list)
    begun: bool = False
    over: bool = False
    count: int = 0
    texts: dict[str, str] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    steps: dict[str, Step] = field(default_factory=dict)
    status: tuple[str, str] = ("", "")
    chain: int = 0
    grown: int = 0
    asked: str = ""
    pieces: bool = False
    made: bool = False
    strayed: bool = False

    def know(self, task: Task) -> None:
        """All that the task holds by now was told in an earlier turn; its question is being answered."""
        self.asked = task.status.message.message_id
        for artifact in task.artifacts:
            self.texts[artifact.artifact_id] = text = said(artifact.parts)
            self.told[artifact.artifact_id] = len(text)
            self.seen |= {mark_of(artifact.artifact_id, part) for part in artifact.parts}

    def ends(self, response: StreamResponse) -> bool:
        """Whether this says that the task has been done, and no more."""
        update = response.status_update
        return update.task_id == self.task and update.status.state == TaskState.TASK_STATE_COMPLETED

    def compare(self, task: Task) -> list[Event]:
        """What the artifacts are in the end, where they are another thing than what was told."""
        return [event for artifact in task.artifacts for event in self._artifact(artifact, append=False)]

    def tell(self, response: StreamResponse) -> list[Event]:
        """The events that this response means, if any. Raises RuntimeFailed where it is not for us at all."""
        events = list(self._strayed() if self._strange(response) else self._tell(response))
        self.count += len(events)
        self.over = any(isinstance(event, Finished) for event in events)
        return events

    def _strange(self, response: StreamResponse) -> bool:
        """Whether it tells of another task than ours."""
        told = getattr(response, str(response.WhichOneof("payload")))
        task = told.id if isinstance(told, Task) else told.task_id
        if self.begun or self.task:
            return bool(self.task and task and task != self.task)
        if self.context and told.context_id and told.context_id != self.context:
            raise RuntimeFailed(
                "The agent answered in another conversation than the one it was asked in; nothing of that is shown. Ask again."
            )
        return False

    def _strayed(self) -> Iterator[Event]:
        if not self.begun:
            raise RuntimeFailed("The agent told of another task than the one it was asked for; nothing of that is shown. Ask again.")
        if not self.strayed:
            self.strayed = True
            yield Notice("The agent told of another task than this one; that is not shown.", "warning")

    def _tell(self, response: StreamResponse) -> Iterator[Event]:
        match response.WhichOneof("payload"):
            case "task":
                task = response.task
                yield from self._begin(task.context_id, task.id)
                for artifact in task.artifacts or _told(task):
                    yield from self._artifact(artifact, append=False)
                if not (self.asked and self.asked == task.status.message.message_id):
                    yield from self._status(task.status, task.metadata)
            case "message":
                letter = response.message
                yield from self._begin(letter.context_id, letter.task_id)
                yield from self._artifact(Made(artifact_id=letter.message_id or "message", parts=letter.parts), append=False)
                yield from self._end(TaskState.TASK_STATE_COMPLETED, "", letter.metadata)
            case "artifact_update":
                made = response.artifact_update
                yield from self._begin(made.context_id, made.task_id)
                yield from self._artifact(made.artifact, made.append)
            case "status_update":
                update = response.status_update
                yield from self._begin(update.context_id, update.task_id)
                yield from self._status(update.status, update.metadata)

    def _begin(self, context: str, task: str) -> Iterator[Event]:
        if self.begun:
            return
        self.begun, self.context, self.task = True, context or self.context, task or self.task
        past = Past(context=self.context, task=self.task, message=self.message, told=self.told, token=self.token)
        yield Started(past.model_dump_json(exclude_defaults=True), self.task or self.context)
        yield from self.notices

    def _status(self, status: TaskStatus, metadata: Any) -> Iterator[Event]:
        if status.state in WAITING:
            yield from self._settle()
            yield from usage(metadata, status.message.metadata)
            yield a2a_questions.asked(a2a_questions.id_of(self.task, status.message.message_id, self.message), status)
            yield Finished("input_required")
        elif status.state in ENDS:
            for part in status.message.parts:
                yield from self._file(status.message.message_id, part)
            yield from self._end(status.state, said(status.message.parts, "\n"), metadata, status.message.metadata)
        elif (key := hash(status.message.SerializeToString(deterministic=True))) not in self.seen:
            self.seen.add(key)
            yield from self._progress(status.message, piece=partial(metadata, status.message.metadata))

    def _progress(self, message: Message, *, piece: bool) -> Iterator[Event]:
        thinking, words = thinks(message), ""
        for part in message.parts:
            match part.WhichOneof("content"):
                case "text" if thinking or thinks(part):
                    yield from [] if self.pieces and not piece else [Thought(part.text)]  # the whole thought, after its pieces
                case "text" if piece or self.pieces:
                    words += part.text
                case "text" if part.text.strip():
                    yield from self._say(part.text, message.message_id)
                case "data":
                    yield from self._call(plain(part.data))
                case _:
                    yield from self._file(message.message_id, part)
        if words or (piece and thinking):
            yield from self._piece(words, append=piece)
            self.pieces = piece

    def _piece(self, text: str, *, append: bool) -> Iterator[Event]:
        """The answer piece by piece, as ADK tells it by the status, and then whole; unless an artifact tells it."""
        if self.made or not text:
            return
        if not self.pieces:
            yield from self._settle(only="status ")
            self.chain += 1
        yield from self._text(f"status {self.chain}", text, append)

    def _say(self, text: str, id: str) -> Iterator[Event]:
        """A status in words is a step; one that keeps growing is the answer, which some agents (LangGraph) tell in snapshots."""
        before, last = self.status
        if text == before or (self.made and len(text) >= NO_CHANCE and text.strip() in self._whole()):
            return
        grows = bool(before) and text.startswith(before)
        self.status = (text, id)
        self.grown = self.grown + (2 if id and id == last else 1) if grows else 0
        self.chain += not grows
        key = f"status {self.chain}"
        if self.grown < 2:
            if not grows:
                yield from self._settle(only="status ")
            yield self._step(Step(key, line(text), "other", "working", text if len(text) > 100 else ""))
            return
        if self.steps.pop(key, None):
            yield Step(key, "Answers", "think", "completed")
        yield from self._text(key, text, append=False)

    def _call(self, data: Any) -> Iterator[Event]:
        """A tool in one of the shapes that are around: {tool, input}, {id, name, args}, {id, name, response}."""
        if not (name := tool(data)) or a2a_human.confirms(data):
            return
        given = next((data[key] for key in ("input", "args", "arguments") if key in data), "")
        got = next((data[key] for key in ("response", "result", "output") if key in data), None)
        key = str(data.get("id") or data.get("call_id") or (name if got is not None else f"{name} {written(given)}"[:200]))
        key = key if got is None or key in self.steps else next((old for old, step in self.steps.items() if step.title == line(name)), key)
        old = self.steps.get(key, Step(key, line(name), claude_words.kind(name), detail=written(given)[:2000]))
        yield from self._settle(only="status ")
        yield self._step(old if got is None else replace(old, status="completed", detail=old.detail or written(got)[:2000]))

    def _step(self, step: Step) -> Step:
        if step.status == "working":
            self.steps[step.call_id] = step
        else:
            self.steps.pop(step.call_id, None)
        return step

    def _settle(self, only: str = "", failed: bool = False) -> Iterator[Event]:
        """Close the steps under way: A2A has no word for their end."""
        for step in [step for key, step in self.steps.items() if key.startswith(only)]:
            yield self._step(replace(step, status="failed" if failed else "completed"))

    def _artifact(self, artifact: Made, append: bool) -> Iterator[Event]:
        if text := said(artifact.parts):
            self.made = True
            yield from self._settle(only="status ")
            yield from self._text(artifact.artifact_id, text, append)
        for part in artifact.parts:
            if part.WhichOneof("content") == "data":
                yield from self._call(plain(part.data))
            yield from self._file(artifact.artifact_id, part)

    def _text(self, key: str, text: str, append: bool) -> Iterator[Event]:
        """What is new in an artifact's text, be it told in pieces or in snapshots."""
        last = next(reversed(self.texts), "")
        if last.startswith("status ") and key not in self.texts and text.startswith(self.texts[last]):
            self.texts[key], last = self.texts.pop(last), key  # the artifact says again what the status has said
        old = self.texts.get(key, "")
        if append and not (len(text) > len(old) >= NO_CHANCE and text.startswith(old)):
            text = old + text
        if last == key and text.startswith(old) and old[self.told.get(key, 0) :].strip():
            self.texts[key] = text
            yield from [Text(text[len(old) :])] if len(text) > len(old) else []
            return
        before = self._whole()
        self.texts[key] = text
        if (after := self._whole()) != before:
            yield Text(after[len(before) :]) if after.startswith(before) else Text(after, final=True)

    def _whole(self) -> str:
        """This turn's whole answer so far."""
        return "\n\n".join(new for key, text in self.texts.items() if (new := text[self.told.get(key, 0) :]).strip())

    def _file(self, key: str, piece: Piece) -> Iterator[Event]:
        if piece.WhichOneof("content") not in ("raw", "url") or (mark := mark_of(key, piece)) in self.seen:
            return
        self.seen.add(mark)
        name = safe(piece.filename or (urlsplit(piece.url).path if piece.url else ""))
        kind = piece.media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        if not piece.url:
            try:
                yield Artifact(name, kind, path=str(keep(self.folder / "out", name, piece.raw)))
            except OSError as error:
                yield Notice(f"The agent sent the file {name}, which could not be kept: {error.strerror}.", "warning")
        elif urlsplit(piece.url).scheme in ("http", "https"):
            yield Artifact(name, kind, url=piece.url)
        else:
            yield Notice(f"The agent made the file {name}, but at an address that only it can open.", "warning")

    def _end(self, state: int, words: str, *metadata: Any) -> Iterator[Event]:
        yield from self._settle(failed=state == TaskState.TASK_STATE_FAILED)
        if state == TaskState.TASK_STATE_COMPLETED and not self._whole() and (answer := words or self.status[0]):
            self.texts["end"] = words = answer
            yield Text(answer)
        yield from usage(*metadata)
        reason = "" if words in self._whole() or words == BLAND else words
        if state != TaskState.TASK_STATE_COMPLETED:
            reason = words or f"The agent ended this as {ENDS[state]}, and did not say why."
        yield Finished(ENDS[state], reason)


def _told(task: Task) -> list[Made]:
    if said(task.status.message.parts) != BLAND or not task.history or task.history[-1].role != Role.ROLE_AGENT:
        return []
    return [Made(artifact_id=task.history[-1].message_id, parts=task.history[-1].parts)]
