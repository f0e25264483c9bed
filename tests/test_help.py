"""What is said to somebody who asks for help, or how things stand."""

import pytest

from bot.agent import parse
from bot.message import Person
from bot.session import Session, State
from bot.words import status, usage


def test_nothing_in_a_description_is_live() -> None:
    agent = parse("helper", "---\ndescription: '<!channel> <https://evil.example|https://good.example>'\nruntime: echo\n---\n")

    assert "<" not in usage([agent], None)


@pytest.mark.parametrize(
    ("state", "muted", "told"),
    [
        ("completed", False, "helper has finished after 1 min."),
        ("canceled", False, "helper was stopped after 1 min."),
        ("failed", True, "helper has failed after 1 min. It is muted here; `unmute` lets it listen again."),
    ],
)
def test_how_a_session_that_is_over_stands(state: State, muted: bool, told: str) -> None:
    session = Session("s1", "helper", "slack:T1:C1:1.0", Person("U1"), state=state, asked=100.0, ended=160.0, muted=muted)

    assert status(session, 0) == told
