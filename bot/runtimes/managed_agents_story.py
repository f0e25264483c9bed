"""What a managed agent tells, as our events: pieces and wholes, nothing twice. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.agent import Agent
from bot.event import Event, Finished, Notice, Step, StepStatus, Text, Thought, Usage
from bot.runtimes import claude_words as words
from bot.runtimes import managed_agents_questions as questions
from bot.runtimes.growing import Told

Json = dict[str, Any]
QUIET = ("user.", "system.", "span.", "agent.thread_", "session.thread_", "workflow_run.", "session.workflow", "session.updated")
BUSY = ("session.status_running", "session.status_rescheduled")


class Story:
    """One turn, event by event. `end` is set when it is over, and `sure` if that is certain; `busy` once the agent has begun."""

    def __init__(self, agent: Agent, folder: Path) -> None:
        self.agent, self.folder = agent, folder
        self.end: Finished | None = None
        self.busy = self.sure = False
        self.used: Json = {}
        self.odd: Json | None = None
        self.denied: set[str] = set()
        self._told = Told()
        self._steps: dict[str, Step] = {}
        self._open: set[str] = set()
        self._whole: set[str] = set()  # its pieces may come late, where the list of events had it first
        self._error = ""

    def know(self, call: Json) -> None:
        """A call of an earlier turn, of which this one tells how it ended."""
        self._steps[str(call["id"])] = self._step(call)

    def heard(self, answer: Json) -> None:
        """What a person has said to a call."""
        if answer.get("result") == "deny":
            self.denied.add(str(answer.get("tool_use_id")))

    def connected(self) -> None:
        """Pieces of a message that began on an earlier connection have a gap before them; it comes whole in the end."""
        self._open.clear()

    def tell(self, event: Json) -> Iterator[Event]:
        kind = str(event.get("type"))
        if kind in BUSY or (kind.startswith("agent.") and kind != questions.APPROVAL):
            self.busy, self.end = True, None
        match event:
            case {"type": "event_start", "event": {"id": str(id)}} if id not in self._whole:
                self._open.add(id)
            case {"type": "event_delta", "event_id": str(id), "delta": {"content": {"text": str(text)}}} if id in self._open:
                yield from self._told.piece(id, text)
            case {"type": "user.tool_confirmation"}:
                self.heard(event)
            case {"type": "agent.message"}:
                yield from self._said(event)
            case {"type": "agent.thinking"}:
                yield from [Thought(thought)] if (thought := str(event.get("thinking") or "")) else []
            case {"type": str(), "id": str(id)} if kind in questions.CALLS:
                yield from self._called(id, event)
            case {"type": "agent.tool_result" | "agent.mcp_tool_result"}:
                yield from self._returned(event)
            case {"type": str()} if kind.startswith("session."):
                yield from self._changed(kind, event)
            case _ if not kind.startswith((*QUIET, "event_")):
                self.odd = event
        self.sure = bool(self.end and event.get("id"))

    def _said(self, event: Json) -> Iterator[Text]:
        """A bridge whose messages have no ids tells them in pieces."""
        text = words.content(event.get("content"))
        if id := str(event.get("id") or ""):
            self._whole.add(id)
            self._open.discard(id)
            yield from self._told.message(id, text)
        else:
            yield from self._told.piece(str(event.get("partID") or event.get("messageID") or ""), text)

    def _called(self, id: str, call: Json) -> Iterator[Step]:
        if call["type"] in ("agent.custom_tool_use", questions.APPROVAL):
            return
        step = self._step(call)
        if step != self._steps.get(id):
            self._steps[id] = step
            yield step

    def _step(self, call: Json) -> Step:
        tool, given = questions.tool(call), questions.given(call)
        told = words.title(tool, given, self.folder), words.kind(tool)
        return Step(str(call["id"]), *told, "working", words.detail(tool, given, self.folder))

    def _returned(self, event: Json) -> Iterator[Step]:
        id = str(event.get("tool_use_id") or event.get("mcp_tool_use_id"))
        if not (step := self._steps.get(id)) or step.status != "working":
            return
        status: StepStatus = "denied" if id in self.denied else "failed" if event.get("is_error") or event.get("error") else "completed"
        lines = words.content(event.get("content")).strip().splitlines()[:4] if status == "failed" else []
        self._steps[id] = replace(step, status=status, detail=words.short("\n".join(lines), 300) or step.detail)
        yield self._steps[id]

    def _changed(self, kind: str, event: Json) -> Iterator[Event]:
        match event:
            case {"type": "session.error", "error": dict(error)}:
                yield from self._failed(error)
            case {"type": "session.status_idle"} if self.busy or event.get("made"):
                self._stopped(event.get("stop_reason") or {})
            case {"type": "session.status_terminated" | "session.deleted"}:
                self.end = Finished("failed", self._error or "The platform has ended the session, and did not say why.", "terminated")
            case {"type": "session.usage", "usage": dict(used)}:
                self.used = used
            case {"type": "session.status_idle" | "session.status_running" | "session.status_rescheduled"}:
                pass
            case _ if not kind.startswith(QUIET):
                self.odd = event

    def _failed(self, error: Mapping[str, Any]) -> Iterator[Notice]:
        said = words.short(" ".join(str(error.get("message") or "").split()), 300)
        retry = str((error.get("retry_status") or {}).get("type") or "")
        self._error = failure(str(error.get("type") or ""), said, self.agent.file)
        if retry == "retrying":
            yield Notice(f"The platform had an error, and tries again: {said}", "info")
        elif not retry:  # a bridge says no more after it
            self.end = Finished("failed", self._error, str(error.get("type") or "session.error"))

    def _stopped(self, reason: Mapping[str, Any]) -> None:
        match reason.get("type"):
            case "requires_action":
                self.end = Finished("input_required")
            case "retries_exhausted":
                self.end = Finished("failed", self._error or "The platform gave up after several tries.", "retries_exhausted")
            case "budget_reached":
                more = f"Raise `usd_per_session` under `budget:` in {self.agent.file}, and begin anew."
                self.end = Finished("failed", f"The session has used up its budget on the platform. {more}", "budget_reached")
            case "refusal":
                self.end = Finished("failed", "The model refused to go on with this.", "refusal")
            case _:
                self.end = (
                    Finished("failed", self._error, "session.error") if self._error and not self._told.whole else Finished("completed")
                )


def failure(kind: str, said: str, file: str) -> str:
    """Why the platform stopped, and what helps."""
    match kind:
        case "billing_error":
            return f"The platform's account cannot pay for this; look at its billing. It said: {said}"
        case "model_rate_limited_error" | "model_overloaded_error":
            return f"The model has no room now. Try again in a few minutes. It said: {said}"
        case "mcp_authentication_failed_error" | "mcp_connection_failed_error":
            return (
                f"An MCP server of the agent does not let it in; look at the agent's servers and vaults (options.vaults in {file}). {said}"
            )
        case _:
            return f"The platform stopped with an error: {said or kind or 'it does not say which'}"


def usage(used: Mapping[str, Any]) -> Usage:
    """All that a session has used."""
    made = used.get("cache_creation")
    written = sum(int(tokens or 0) for tokens in made.values()) if isinstance(made, dict) else 0
    cost = used.get("list_cost") or {}
    usd = float(cost.get("amount") or 0) / 100 if cost.get("currency") == "USD" else 0.0
    fresh = int(used.get("input_tokens") or 0) + written
    return Usage(fresh, int(used.get("output_tokens") or 0), int(used.get("cache_read_input_tokens") or 0), usd)


def less(used: Usage, before: Usage) -> Usage:
    """What was used since."""
    return Usage(
        max(0, used.input_tokens - before.input_tokens), max(0, used.output_tokens - before.output_tokens),
        max(0, used.cached_tokens - before.cached_tokens), max(0.0, used.usd - before.usd),
    )  # fmt: skip
