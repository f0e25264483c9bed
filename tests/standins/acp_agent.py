"""An agent that speaks ACP and that nobody knows: `python acp_agent.py FOLDER`. It does what the prompt's `!` lines say.

!say TEXT · !elsewhere TEXT · !run COMMAND (asks first) · !ask · !plan · !error TEXT · !die · !warn TEXT · !wait · !cost USD · !history
!environment · !meta
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import acp
from acp import schema as given

FORM = {
    "colour": {"type": "string", "title": "Which colour?", "oneOf": [{"const": "r", "title": "Red"}, {"const": "b", "title": "Blue"}]},
    "many": {"type": "integer", "title": "How many?"},
}


class Stranger(acp.Agent):
    """Keeps its sessions as files in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client: Any = None
        self.stopped = asyncio.Event()
        self.meta: dict[str, Any] = {}

    def on_connect(self, conn: Any) -> None:
        self.client = conn

    async def initialize(self, protocol_version: int, **more: Any) -> acp.InitializeResponse:
        version = int(os.environ.get("STRANGER_VERSION", protocol_version))
        ways = [given.AuthMethodAgent(id="chat", name="Chat"), given.AuthMethodAgent(id="stranger-api-key", name="API key")]
        can = given.AgentCapabilities(load_session=True)
        return acp.InitializeResponse(protocol_version=version, agent_capabilities=can, auth_methods=ways)

    async def authenticate(self, method_id: str, **more: Any) -> acp.AuthenticateResponse:
        if method_id != "stranger-api-key" or "STRANGER_KEY" not in os.environ:
            raise acp.RequestError.auth_required()
        del os.environ["STRANGER_LOGIN"]
        return acp.AuthenticateResponse()

    async def new_session(
        self, cwd: str, additional_directories: Any = None, mcp_servers: Any = None, **meta: Any
    ) -> acp.NewSessionResponse:
        if "STRANGER_LOGIN" in os.environ:
            raise acp.RequestError.auth_required()
        session, self.meta = uuid4().hex, meta
        self._file(session).write_text("[]")
        return acp.NewSessionResponse(session_id=session)

    async def load_session(self, cwd: str, session_id: str, **more: Any) -> acp.LoadSessionResponse:
        if not self._file(session_id).exists():
            raise acp.RequestError.resource_not_found(session_id)
        for text in json.loads(self._file(session_id).read_text()):
            await self._tell(session_id, acp.update_user_message_text(text))
            await self._tell(session_id, acp.update_agent_message_text("this was said before"))
        return acp.LoadSessionResponse()

    async def cancel(self, session_id: str, **more: Any) -> None:
        self.folder.joinpath("cancelled").touch()
        self.stopped.set()

    async def prompt(self, session_id: str, prompt: list[Any], **more: Any) -> acp.PromptResponse:
        text = "\n".join(block.text for block in prompt)
        known = [*json.loads(self._file(session_id).read_text()), text]
        self._file(session_id).write_text(json.dumps(known))
        for line in text.splitlines():
            verb, _, rest = line.partition(" ")
            await self._do(session_id, verb, rest, known)
        return acp.PromptResponse(stop_reason="cancelled" if self.stopped.is_set() else "end_turn")

    async def _do(self, session: str, verb: str, rest: str, known: list[str]) -> None:
        match verb:
            case "!run":
                await self._run(session, rest)
            case "!ask":
                await self._ask(session)
            case "!plan":
                entries = [acp.plan_entry("Look", status="in_progress"), acp.plan_entry("Mend")]
                await self._tell(session, acp.update_plan(entries))
            case "!error":
                raise acp.RequestError.internal_error({"details": rest})
            case "!die":
                os._exit(3)
            case "!wait":
                await self.stopped.wait()
            case "!cost":
                cost = given.Cost(amount=float(rest), currency="USD")
                await self._tell(session, given.UsageUpdate(session_update="usage_update", used=1, size=2, cost=cost))
            case "!elsewhere":
                await self._tell("another", acp.update_agent_message_text(rest))
            case "!say" | "!history" | "!environment" | "!meta":
                asked = {"!history": " | ".join(known), "!environment": " ".join(sorted(os.environ)), "!meta": json.dumps(self.meta)}
                said = asked.get(verb, rest)
                await self._tell(session, acp.update_agent_message_text(said))
            case _:
                await self._tell(session, acp.update_agent_message_text(f"you said: {verb} {rest}".strip()))

    async def _run(self, session: str, command: str) -> None:
        call = acp.start_tool_call("c1", command, kind="execute", status="pending", raw_input={"command": command})
        await self._tell(session, call)
        options = [
            given.PermissionOption(option_id=kind, name=kind, kind=kind)  # type: ignore[arg-type]
            for kind in ("allow_once", "allow_always", "reject_once")
        ]
        answer = await self.client.request_permission(session, given.ToolCallUpdate(tool_call_id="c1"), options)
        chosen = getattr(answer.outcome, "option_id", "nothing")
        status = "failed" if chosen in ("reject_once", "nothing") else "completed"
        await self._tell(session, acp.update_tool_call("c1", status=status))  # type: ignore[arg-type]
        if status == "completed":
            await self._tell(session, acp.update_agent_message_text(f"chosen: {chosen}"))

    async def _ask(self, session: str) -> None:
        mode = {
            "mode": "form",
            "sessionId": session,
            "message": "Before I begin",
            "requestedSchema": {"type": "object", "properties": FORM},
        }
        answer = await self.client._conn.send_request("elicitation/create", mode)
        await self._tell(session, acp.update_agent_message_text(json.dumps(answer)))

    async def _tell(self, session: str, update: Any) -> None:
        await self.client.session_update(session, update)

    def _file(self, session: str) -> Path:
        return self.folder / f"{session}.json"


if __name__ == "__main__":
    print('hello, this is no JSON\n[1]\n{"half":\n' + json.dumps({"jsonrpc": "2.0", "id": [1], "result": 1}), flush=True)
    asyncio.run(acp.run_agent(Stranger(Path(sys.argv[1]))))
