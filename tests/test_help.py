"""What is said to somebody who asks for help."""

from bot.agent import parse
from bot.words import usage


def test_nothing_in_a_description_is_live() -> None:
    agent = parse("helper", "---\ndescription: '<!channel> <https://evil.example|https://good.example>'\nruntime: echo\n---\n")

    assert "<" not in usage([agent], None)
