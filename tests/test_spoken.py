"""Events as JSON, and back."""

import pytest

from bot import spoken
from bot.event import Answered, Event, Finished, Item, Option, Part, Plan, Question, Started, Step, Text, Usage, permission

QUESTION = Question("q1", "question", (Part("which", "Which?", (Option("Red"), Option("Blue", "as the sky")), multi=True),), expires_at=5.0)


@pytest.mark.parametrize(
    "event",
    [
        Started("r", "n", "m"), Text("hello", final=True), Step("c", "Run: ls", "execute", "denied", "ls"), Plan((Item("Look", "done"),)),
        QUESTION, permission("q2", "May I?", "rm -rf x"), Answered("q1", "answered", "Ana", ("Red",)), Usage(1, 2, 3, 0.5, "gateway"),
        Finished("failed", "why", "Error"),
    ],
    ids=lambda event: type(event).__name__,
)  # fmt: skip
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    assert spoken.load(spoken.dump(event)) == event


def test_half_an_emoji_does_not_break_the_line() -> None:
    assert spoken.line(spoken.dump(Text("\ud83d"))) == '{"type": "Text", "text": "�"}'


@pytest.mark.parametrize("data", [{}, {"type": "Sparkle"}, {"type": "Text", "words": "x"}, {"type": "Finished", "state": "odd"}])
def test_what_this_version_does_not_know_is_none(data: spoken.Json) -> None:
    assert spoken.load(data) is None
