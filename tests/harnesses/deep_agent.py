"""A DeepAgents graph served over ACP, as its owner would write it; with `--asks` every command needs leave."""

import asyncio
import os
import sys

from acp import run_agent
from deepagents import create_deep_agent
from deepagents.backends import LocalShellBackend
from deepagents_acp.server import AgentServerACP
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import MemorySaver

graph = create_deep_agent(
    model=ChatOpenAI(model="stand-in", use_responses_api=False, max_retries=0),
    checkpointer=MemorySaver(),
    backend=LocalShellBackend(root_dir=os.getcwd(), inherit_env=True),
    interrupt_on={"execute": True} if "--asks" in sys.argv else None,
)
asyncio.run(run_agent(AgentServerACP(graph)))
