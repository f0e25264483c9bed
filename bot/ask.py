"""Asks an agent in the terminal."""

import asyncio
import signal
import sys
import time
from uuid import uuid4

from bot import lent, upkeep
from bot.agent import Agent
from bot.engine.local import LocalEngine
from bot.line import Line
from bot.message import Message
from bot.runtimes import runtime_of
from bot.scratch import scratch
from bot.session import Session, heading
from bot.settings import Settings
from bot.triggers.terminal import TYPIST, Talk, Terminal, keyboard
from bot.turn import House, Turns

KEYS = (
    "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "CLAUDE_CODE_OAUTH_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL",
)  # fmt: skip


def made(settings: Settings, runtime: str, model: str) -> Agent:
    """An agent without a file: what is asked goes to the runtime as it is, which gets the usual keys of models that are set here."""
    keys = [name for name in KEYS if settings.environment.get(name)]
    given = {"name": "ask", "version": "", "description": "Asked in the terminal.", "runtime": runtime, "model": model}
    return Agent.model_validate({**given, "environment": keys})


async def converse(settings: Settings, agent: Agent, words: str) -> Session:
    message = Message(uuid4().hex, f"cli:{uuid4().hex}", "terminal", TYPIST, words, "cli", time.time(), agent=agent.name)
    session = Session(uuid4().hex, agent.name, message.thread, TYPIST, message.channel, title=heading(words), asked=message.at)
    terminal, stopped = Terminal(sys.stdout, sys.stderr, keyboard(sys.stdin)), asyncio.Event()
    gateway = (settings.litellm_api_base, settings.litellm_api_key)
    lending = lent.Lent(settings)
    house = House(settings.sessions_dir, settings.environment, settings.hold_minutes * 60, Line(), lending.aids, gateway)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopped.set()
        loop.remove_signal_handler(signal.SIGINT)  # whoever presses it again does not want to wait

    loop.add_signal_handler(signal.SIGINT, stop)
    with scratch() as folder:
        kept = settings.environment.get("DATABASE_URL")
        async with upkeep.opened(kept or f"sqlite+aiosqlite:///{folder}/ask.db", alone=True) as store:
            engine = LocalEngine(Turns(lambda _: agent, runtime_of, store, terminal, house).run)
            try:
                return await Talk(terminal, store, engine).run(session, message, stopped)
            finally:
                await engine.close(5)
                await lending.close()
