"""What Echo finds in a digest, shown as an agent with a model would: for trying cards without any key."""

import json
import re
from itertools import islice

import httpx

from bot.ports import Turn

CALL = 30.0  # seconds
SHOWN = "What repeats most stands on its card."
REFUSED = "Somebody said not now to what repeats most; its card comes again once it hits more people."
NOTHING = "Nothing happened that could repeat, or I am not told: `digest: true` belongs into my file."


async def find(turn: Turn, said: str) -> str:
    """Report what repeats most in the digest under this title; what came of that."""
    title, what, change = [*(each.strip() for each in said.split("|", 2)), "", ""][:3]
    first = re.search(r"^## (\S+):.*\n- ([^:]*):.*\n  > \| (.*)\n  in (.*)$", turn.prompt, re.MULTILINE)
    if turn.tools is None or first is None:
        return NOTHING
    evidence = [each[0] for each in islice(re.finditer(r"(?:^|, )\w{8}-\d+", first[4]), 20)]
    found = {"agent": first[1], "title": title or "Something repeats", "what": what or f"{first[2]}: {first[3]}"}
    found |= {"change": change, "evidence": [each.removeprefix(", ") for each in evidence]}
    call = {"name": "report_findings", "arguments": {"findings": [found]}}
    headers = {**turn.tools.headers, "Accept": "application/json, text/event-stream"}
    async with httpx.AsyncClient(timeout=CALL, trust_env=False) as client:
        reply = await client.post(turn.tools.url, headers=headers, json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})
    told = next((line for line in reply.text.splitlines() if line.startswith("data: {")), f"data: {reply.text}")
    result = json.loads(told.removeprefix("data: "))["result"]
    words = str(result["content"][0]["text"])
    if result.get("isError"):
        return words
    return REFUSED if "said no to it" in words else SHOWN  # what the tool says is for the agent
