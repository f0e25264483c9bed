"""A graph of DeepAgents as its owner would write it, for a server of LangGraph; `asking` is the same, and asks before commands."""

import os
from typing import Any

from deepagents import create_deep_agent
from deepagents.backends import LocalShellBackend
from langchain.agents.middleware import TodoListMiddleware
from langchain_anthropic import ChatAnthropic
from langgraph.types import interrupt


def ask(question: str, options: list[str]) -> str:
    """Ask a person."""
    return f"The answer is: {interrupt({'question': question, 'options': options})}"


def made(**more: Any) -> Any:
    return create_deep_agent(
        model=ChatAnthropic(model="stand-in", max_retries=0, max_tokens=8000, streaming=True),
        tools=[ask],
        middleware=[TodoListMiddleware()],
        backend=LocalShellBackend(root_dir=os.environ["WORKSPACE"], inherit_env=True),
        **more,
    )


graph = made()
asking = made(interrupt_on={"execute": True})
