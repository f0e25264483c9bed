"""Where an A2A agent waits for a person, as our question. Pure."""

import hashlib
from typing import Any

from a2a.types import TaskState, TaskStatus

from bot.event import Part, Question
from bot.runtimes import a2a_human
from bot.runtimes.a2a_parts import part_of, plain


def id_of(task: str, said: str, answered: str) -> str:
    """The same for the same question, also told anew; another where an agent asks again in a message of the same id, or of none.

    It is short, whatever the agent's ids are: buttons have it in them, and it is part of the id of the answer, which names the next one.
    """
    return f"{task[:80]}:{hashlib.sha256(f'{said} {answered}'.encode()).hexdigest()[:16]}"


def asked(id: str, status: TaskStatus) -> Question:
    """The agent's words, or the data beside them: kagent's, {question, options, multi} or {questions: [...]}."""
    if wait := a2a_human.waits(status.message):
        return a2a_human.question(id, wait)
    pieces = status.message.parts
    given: list[dict[str, Any]] = [data for piece in pieces if isinstance(data := plain(piece.data), dict)]
    words = "\n".join(piece.text for piece in pieces if piece.text.strip())
    if status.state == TaskState.TASK_STATE_AUTH_REQUIRED:
        links = [str(link) for data in given for link in data.values()] + [piece.url for piece in pieces]
        links = [link for link in links if link.startswith(("https://", "http://")) and link not in words]
        text = "\n".join([words or "The agent needs you to sign in, and to say here when you have.", *links])
        return Question(id, "auth", (Part("answer", text, free_text=True),))
    data = next((data for data in given if {"question", "questions"} & data.keys()), {})
    several = data.get("questions")
    listed = [one for one in several if isinstance(one, dict)] if isinstance(several, list) else []
    parts = [part_of(str(number), one, "") for number, one in enumerate(listed, 1)]
    return Question(id, "question", tuple(parts) or (part_of("answer", data, words),))
