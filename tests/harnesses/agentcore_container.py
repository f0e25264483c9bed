"""An agent in AgentCore as people write them with its SDK: run by `python agentcore_container.py PORT`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

from bedrock_agentcore.runtime import BedrockAgentCoreApp  # type: ignore[import-not-found,unused-ignore]

app = BedrockAgentCoreApp()
seen: dict[str, int] = {}


@app.entrypoint  # type: ignore[misc,unused-ignore]
async def invoke(payload: dict[str, Any], context: Any) -> AsyncIterator[Any]:
    """Says back what it is told, word by word, and how often it was asked in this session."""
    seen[context.session_id] = seen.get(context.session_id, 0) + 1
    if payload["prompt"] == "fail":
        raise RuntimeError("no such table")
    for word in payload["prompt"].split():
        yield {"data": word + " "}
        await asyncio.sleep(60 if word == "wait" else 0)
    yield f"({seen[context.session_id]})"


if __name__ == "__main__":
    app.run(port=int(sys.argv[1]), host="127.0.0.1")
