"""As whom we come to a model's API: with client credentials, as Databricks wants them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.errors import Unavailable
from bot.ports import Turn
from tests.runtimes.talk import after, talked
from tests.runtimes.test_responses import HARNESS
from tests.standins.responses_server import ResponsesServer
from tests.standins.tokens import bearer, giving

SECRETS = {"ID": "desk", "SECRET": "sesame-open"}


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[ResponsesServer]:
    async with ResponsesServer(key="t0ken-one", folder=tmp_path) as platform:
        yield platform


def turn(platform: ResponsesServer, tmp_path: Path, oauth: dict[str, Any], **options: Any) -> Turn:
    made = HARNESS.turn(tmp_path / "s", platform.url, "!say one", options={"oauth": oauth, **options})
    return replace(made, environment=SECRETS)


async def test_a_token_is_fetched_once_for_all_turns_and_no_key_is_wanted(platform: ResponsesServer, tmp_path: Path) -> None:
    async with giving(bearer("t0ken-one")) as (tokens, oauth):
        first = await talked(turn(platform, tmp_path, oauth))
        second = await talked(after(first, "!say two"))

    assert (first.answered, second.answered) == ("one", "two")
    assert [fields for _, fields in tokens.asked] == [{"grant_type": "client_credentials", "scope": "a2a.call"}]
    assert {headers["Authorization"] for headers in platform.headers} == {"Bearer t0ken-one"}


async def test_a_token_that_is_not_good_any_more_is_fetched_anew(platform: ResponsesServer, tmp_path: Path) -> None:
    async with giving(bearer("t0ken-old"), bearer("t0ken-one")) as (tokens, oauth):
        talk = await talked(turn(platform, tmp_path, oauth))

    assert talk.answered == "one"
    assert not tokens.next


async def test_where_no_token_is_given_that_is_told_without_the_secret(platform: ResponsesServer, tmp_path: Path) -> None:
    async with giving(web.Response(status=401, text="not sesame-open")) as (_, oauth):
        with pytest.raises(Unavailable, match=r"gives us no token \(HTTP 401\): check options\.oauth") as caught:
            await talked(turn(platform, tmp_path, oauth))

    assert "sesame" not in str(caught.value)
