"""A process of ours in which Codex asks a person, until its input ends: `python -m tests.harnesses.asking FOLDER URL SCRIPT`."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

from bot.ports import Turn
from tests.runtimes.talk import talking

from .test_codex import CODEX


def turn(folder: Path, url: str, script: str) -> Turn:
    return CODEX.turn(folder, url, script, asks=True, options={"daemon_hours": 1})


async def main(folder: str, url: str, script: str) -> None:
    async with talking(replace(turn(Path(folder), url, script), leaving=lambda: True)) as talk:
        question = await talk.question()
        print(json.dumps([talk.resume, question.id, question.parts[0].id]), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
