"""Forms: what is told where Slack does not open one."""

import pytest

from bot.playground import Slack
from bot.slack.calls import Client, opened
from bot.slack.views import feedback

LATE = "That form could not be opened in time. Press it once more."


@pytest.mark.parametrize("fault", [{"error": "expired_trigger_id"}, {"error": "exchanged_trigger_id"}, {"status": 503}])
async def test_what_came_too_late_may_be_pressed_once_more(slack: Slack, client: Client, fault: dict[str, object]) -> None:
    slack.fail("views.open", **fault)  # type: ignore[arg-type]

    assert await opened(client, "1.2", feedback.form("s1 1")) == LATE


@pytest.mark.parametrize("error", ["missing_scope", "invalid_arguments", "token_revoked", "never_heard_of"])
async def test_what_slack_does_not_let_us_open_is_not_pressed_in_vain(
    slack: Slack, client: Client, caplog: pytest.LogCaptureFixture, error: str
) -> None:
    slack.fail("views.open", error=error)

    assert "Slack does not let me" in await opened(client, "1.2", feedback.form("s1 1"))
    assert error in str(caplog.records[-1].__dict__["error"])
