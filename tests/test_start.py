"""What stands in the way of starting is told in one sentence, with its remedy."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from bot import app
from bot.errors import ConfigError
from bot.playground import Slack
from bot.settings import Settings, read


async def refusal(settings: Settings) -> str:
    with pytest.raises(ConfigError) as caught:
        async with app.running(settings):
            pass
    return str(caught.value)


async def test_a_bot_token_that_slack_does_not_know(settings: Settings) -> None:
    said = await refusal(settings.model_copy(update={"slack_bot_token": "xoxb-wrong"}))

    assert said == "SLACK_BOT_TOKEN: Slack refuses it (invalid_auth). Copy it anew from the app's page: OAuth & Permissions."


async def test_an_app_token_that_slack_does_not_know(settings: Settings) -> None:
    said = await refusal(settings.model_copy(update={"slack_app_token": "xapp-wrong"}))

    assert said.startswith("SLACK_APP_TOKEN: Slack refuses it (invalid_auth).")


async def test_tokens_in_each_others_place(settings: Settings) -> None:
    swapped = {"slack_bot_token": settings.slack_app_token, "slack_app_token": settings.slack_bot_token}

    said = await refusal(settings.model_copy(update=swapped))

    assert said.startswith("SLACK_BOT_TOKEN begins with 'xapp-'; it has to be the token that begins with xoxb-")


async def test_no_token(settings: Settings) -> None:
    said = await refusal(settings.model_copy(update={"slack_bot_token": ""}))

    assert said.startswith("SLACK_BOT_TOKEN is not set; it has to be the token that begins with xoxb-")


async def test_no_slack_there(settings: Settings) -> None:
    said = await refusal(settings.model_copy(update={"slack_api_url": "http://127.0.0.1:9/api/"}))

    assert said == "Slack cannot be reached at http://127.0.0.1:9/api/. Check the network, and SLACK_API_URL."


async def test_slack_in_trouble_of_its_own_is_no_wrong_token(slack: Slack, settings: Settings) -> None:
    slack.fail("auth.test", status=500)

    assert await refusal(settings) == "Slack is in trouble of its own (internal_error). Start again in a minute."


async def test_a_socket_that_slack_does_not_open_at_once_is_asked_for_again(
    slack: Slack, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.connect.PING", 0.01)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(begun(settings))
        await slack.until(lambda: slack.made("apps.connections.open"))  # to see whether the token is right
        slack.fail("apps.connections.open", status=500, times=2)

    assert [call.status for call in slack.made("apps.connections.open")][1:] == [500, 500, 200]


async def begun(settings: Settings) -> None:
    async with app.running(settings):
        pass


async def test_two_processes_on_one_database(slack: Slack, settings: Settings) -> None:
    async with app.running(settings):
        said = await refusal(settings)

    assert "is in use by another frontdesk; stop that one, or give this one its own DATABASE_URL" in said


def test_a_setting_that_is_none() -> None:
    with pytest.raises(ConfigError) as caught:
        read({"LOG_FORMAT": "xml"})

    assert str(caught.value).startswith("LOG_FORMAT: ")


def test_the_command_says_it_in_one_line_and_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\ndescription: x\nruntime: echo\n---\n")
    environment = {"PATH": "/usr/bin:/bin", "SLACK_BOT_TOKEN": "no", "SLACK_APP_TOKEN": "no", "AGENTS_DIR": str(tmp_path)}

    ended = subprocess.run(
        [sys.executable, "-m", "bot", "run"], env=environment, cwd=Path.cwd(), capture_output=True, text=True, timeout=30
    )

    assert ended.returncode == 2
    assert "SLACK_BOT_TOKEN begins with 'no'" in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_a_token_in_the_environment_too_is_no_warning(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", settings.slack_bot_token)

    async with app.running(settings):
        pass

    assert [record.getMessage() for record in caplog.records if record.name.startswith("slack_bolt")] == []
