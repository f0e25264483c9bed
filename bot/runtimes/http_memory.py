"""What a platform's next process has to know: how far a turn had come, and what is kept of the conversation."""

import json
from typing import Any

from bot.ports import Turn
from bot.runtimes.http_profile import Profile
from bot.runtimes.http_story import Story

Json = dict[str, Any]
SENT = "http-sent"


async def note(turn: Turn, story: Story, *, done: bool) -> None:
    """That it is being sent, or was."""
    line = {"turn": turn.number, "done": done, "kept": story.resume, "before": story.before}
    await turn.keep.append(SENT, [json.dumps(line)])


async def sent(turn: Turn) -> Json:
    """What this turn had come to, in a process that ended."""
    notes = [json.loads(line) for line in await turn.keep.load(SENT)] if turn.again else []
    return next((note for note in reversed(notes) if note["turn"] == turn.number), {})


def kept(text: str, profile: Profile) -> Json:
    """What an earlier turn has kept; nothing where the conversation was another runtime's."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return {name: value for name, value in found.items() if name in profile.kept} if isinstance(found, dict) else {}
