"""How Slack says no: an error's name, and what comes with it."""

from typing import Any


class Refusal(Exception):
    """Raised by a Web API method; becomes HTTP `status` (200, as in Slack) and {"ok": false, "error": …, **more}."""

    def __init__(self, error: str, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.headers = headers or {}
        self.more = more

    def body(self) -> dict[str, Any]:
        return {"ok": False, "error": self.error, **self.more}


def invalid(*messages: str, error: str = "invalid_arguments") -> Refusal:
    """A refusal that names what is wrong, as Slack does in `response_metadata.messages`."""
    return Refusal(error, response_metadata={"messages": [f"[ERROR] {message}" for message in messages]})
