"""Logs are structured, and no token stands in them."""

import json
import logging

import pytest

from bot import logs
from bot.settings import Settings
from bot.tools.server import ToolServer


@pytest.fixture(autouse=True)
def restored() -> object:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_of_json_has_its_action(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin(Settings(log_format="json"))

    logging.getLogger("bot.x").warning("refused", extra={"action": "refused", "slot": "s1"})

    line = json.loads(capsys.readouterr().err)
    assert (line["action"], line["slot"], line["levelname"]) == ("refused", "s1", "WARNING")


@pytest.mark.parametrize("shape", ["json", "text"])
def test_no_token_is_logged_wherever_it_stands(capsys: pytest.CaptureFixture[str], shape: str) -> None:
    logs.begin(Settings(log_format=shape))
    token = "xoxb-123-secret"

    try:
        raise ValueError(f"it was {token}")
    except ValueError:
        logging.getLogger("slack_sdk").exception("posting with %s", token, extra={"action": "x", "header": f"Bearer {token}"})

    assert "secret" not in capsys.readouterr().err


def test_what_libraries_say_of_payloads_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin(Settings(log_level="INFO"))

    logging.getLogger("slack_bolt.of_its_own").info("payload: hello")

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("shape", ["json", "text"])
def test_the_time_says_that_it_is_utc(capsys: pytest.CaptureFixture[str], shape: str) -> None:
    logs.begin(Settings(log_format=shape))
    record = {"name": "bot.x", "levelname": "INFO", "levelno": 20, "msg": "hello", "created": 1763640000.25, "msecs": 250.0}

    logging.getLogger("bot.x").handle(logging.makeLogRecord(record))

    assert "2025-11-20T12:00:00.250Z" in capsys.readouterr().err


async def test_what_serves_our_tools_says_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin(Settings())
    server = ToolServer(lambda token: None)

    await server.start()
    await server.close()

    assert capsys.readouterr().err == ""


def test_the_queue_tells_nothing_of_each_turn(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin(Settings())

    logging.getLogger("procrastinate.worker.worker").info("Starting job session[1](session_id=s)")

    assert capsys.readouterr().err == ""
