"""Agents on any platform that speaks HTTP, by a profile: a file that says how it is asked, and what its events mean."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing

from bot.agent import Agent
from bot.errors import ConfigError
from bot.event import Event
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import http_setting as setting
from bot.runtimes.http_line import Line
from bot.runtimes.http_profile import load
from bot.runtimes.http_work import Work


class Http:
    """The runtime `http`. What people say meanwhile is what is asked next, in the same turn."""

    Options = setting.Options

    def __init__(self, options: setting.Options) -> None:
        self.options, self.profile = options, load(options.profile)
        if wrong := setting.missing(options, self.profile):
            raise ConfigError("\n".join(wrong))

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        given = setting.setting(self.options, self.profile, turn)
        async with Line(given) as line, aclosing(Work(turn, line, self.options.patience).told(inbox)) as events:
            async for event in events:
                yield event

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Whether it is there, and lets us in where the profile can ask that. Raises Unavailable."""
        turn = Turn("", 0, agent, "", environment=environment)
        async with Line(setting.setting(self.options, self.profile, turn)) as line:
            scope = setting.scope(turn, self.profile, line.setting.values)
            await (line.call(self.profile.check, scope) if self.profile.check else line.reach())
