"""What Hermes tells, as our events: tools come without a call's id, so each end is taken for that of the oldest of its name. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

from bot.agent import Agent
from bot.event import ALLOW, Event, Finished, Question, Step, StepKind, Text, Usage, permission
from bot.message import Answer
from bot.runtimes.claude_words import first, short

Json = dict[str, Any]
KINDS: dict[str, StepKind] = {
    "terminal": "execute", "process": "execute", "execute_code": "execute", "read_file": "read", "write_file": "edit", "patch": "edit",
    "search_files": "search", "web_search": "search", "session_search": "search", "web_extract": "fetch", "delegate_task": "agent",
}  # fmt: skip
TITLES = {
    "terminal": "Run", "execute_code": "Run code", "read_file": "Read", "write_file": "Write", "patch": "Edit", "web_extract": "Fetch",
    "search_files": "Search for", "web_search": "Search the web for", "delegate_task": "Sub-agent",
}  # fmt: skip
LONG = 80


class Story:
    """The runs of one turn. `waiting` are the approvals that Hermes waits for, in its order; `end` is set when a run is over."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.end: Finished | None = None
        self.waiting: list[str] = []
        self._given: dict[str, Answer] = {}
        self._numbers = count(1)
        self._open: list[tuple[str, Step]] = []
        self._denied = False
        self._text = ""

    def tell(self, event: Json) -> Iterator[Event]:
        match event:
            case {"event": "message.delta", "delta": str(text)}:
                yield from self._said(text)
            case {"event": "tool.started", "tool": str(tool), "run_id": run}:
                step = Step(f"{run}/{next(self._numbers)}", title(tool, event.get("preview")), KINDS.get(tool, "other"))
                step = replace(step, detail=short(str(event.get("preview") or ""), 200))
                self._open.append((tool, step))
                yield step
            case {"event": "tool.completed", "tool": str(tool)}:
                yield from self._ended(tool, failed=bool(event.get("error")))
            case {"event": "approval.request"}:
                yield self._asked(event)
            case {"event": "run.completed" | "run.failed" | "run.cancelled"}:
                yield from self._over(event)

    def begin(self) -> None:
        """Another run of the same turn."""
        self.end, self._text = None, "\n\n" if self._text else ""
        self.waiting.clear()

    def due(self, answer: Answer) -> Iterator[Answer]:
        """The answers that Hermes can be given now: it takes each for that to the oldest of its questions."""
        self._given[answer.question] = answer
        while self.waiting and self.waiting[0] in self._given:
            yield self._given.pop(self.waiting.pop(0))

    def choice(self, answer: Answer) -> str:
        """A person's decision as Hermes names it."""
        decided = next((words[0] for words in answer.parts.values() if words), "")
        choice = "once" if decided == ALLOW else "deny"  # its "session" is all that looks alike, and ends with the turn
        self._denied = choice == "deny"
        return choice

    def _said(self, text: str) -> Iterator[Event]:
        fresh = text.lstrip("\n") if not self._text else text  # it parts its messages by lines, and begins with them
        if not fresh:
            return
        lead = "\n\n" if self._text == "\n\n" else ""
        self._text += fresh
        yield Text(lead + fresh)

    def _ended(self, tool: str, *, failed: bool) -> Iterator[Event]:
        place = next((place for place, (name, _) in enumerate(self._open) if name == tool), None)
        if place is None:
            return
        _, step = self._open.pop(place)
        denied, self._denied = self._denied, False
        yield replace(step, status="denied" if denied else "failed" if failed else "completed")

    def _asked(self, event: Json) -> Question:
        id = f"{event.get('run_id')}/ask{next(self._numbers)}"
        self.waiting.append(id)
        why = f" ({event['description']})" if event.get("description") else ""
        return permission(id, f"Run this command?{why}", str(event.get("command") or "(Hermes did not say what)"))

    def _over(self, event: Json) -> Iterator[Event]:
        match event:
            case {"event": "run.completed"}:
                used = event.get("usage") or {}
                yield Usage(int(used.get("input_tokens") or 0), int(used.get("output_tokens") or 0))
                output = str(event.get("output") or "")
                if event.get("unheard") or not self._text.strip():
                    yield from self._said(missing(self._text, output))
                self.end = Finished("completed")
            case {"event": "run.cancelled"}:
                self.end = Finished("canceled")
            case _:
                self.end = Finished("failed", failure(str(event.get("error") or ""), self.agent))


def missing(said: str, output: str) -> str:
    """What of the last message was not heard, as the connection had broken."""
    if not said.strip():
        return output
    heard = next((size for size in range(min(len(said), len(output)), 0, -1) if said.endswith(output[:size])), 0)
    return output[heard:] if heard or not output else f"\n\n{output}"


def title(tool: str, preview: Any) -> str:
    what = first(preview)
    words = TITLES.get(tool, tool.replace("_", " "))
    return short(f"{words}: {what}" if what and tool in ("terminal", "delegate_task") else f"{words} {what}".strip(), LONG)


def failure(error: str, agent: Agent) -> str:
    """Why Hermes stopped, and what helps."""
    said = short(" ".join(error.split()), 300) or "nothing"
    lower = said.lower()
    if any(word in lower for word in ("401", "403", "api key", "unauthorized", "no inference provider", "credentials")):
        key = f"Put a valid key into frontdesk's environment, and name it under `environment:` in {agent.file}."
        return f"Hermes has no credentials that the model's provider accepts. {key} It said: {said}"
    if "404" in lower:
        return f"The provider does not know what it was asked (404), mostly the model; correct `model:` in {agent.file}. It said: {said}"
    if "429" in lower:
        return f"The rate limit of the model's provider is used up (429). Try again later, or raise the limit. It said: {said}"
    if "connection error" in lower:
        place = f"the network, and the address of the model's provider in `options.config` in {agent.file}"
        return f"Hermes does not reach the model's provider. Look at {place}. It said: {said}"
    return f"Hermes stopped with an error. It said: {said}"
