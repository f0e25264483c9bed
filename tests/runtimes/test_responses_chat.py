"""What others than OpenAI tell by Chat Completions."""

from typing import Any

import pytest

from bot.event import Text, Thought
from bot.runtimes.responses_chat import Chat


def chunk(content: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": content}}]}


@pytest.mark.parametrize(
    "thought",
    [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
    ],
)
def test_a_list_of_parts_is_read(thought: dict[str, Any]) -> None:
    chat = Chat("agents/x.md")

    events = [*chat.tell(chunk([thought])), *chat.tell(chunk([{"type": "text", "text": "Hello"}])), *chat.tell(chunk("!"))]

    assert events == [Thought("Hm."), Text("Hello"), Text("!")]
    assert chat.text == "Hello!"


def test_an_error_in_mere_words_is_told() -> None:
    chat = Chat("agents/x.md")

    assert [*chat.tell({"error": "the model has gone"})] == []
    assert chat.failed is not None
    assert "the model has gone" in chat.failed.reason
