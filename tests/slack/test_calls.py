"""What comes of calls that something else than Slack has answered."""

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError

from bot.slack.calls import UNREACHABLE, Client, call, error_of, refused

WORDS = "upstream connect error or disconnect/reset before headers"


async def refusal(answer: web.Response) -> SlackApiError:
    """What a call raises that is answered so."""

    async def answered(request: web.Request) -> web.Response:
        return answer

    app = web.Application()
    app.router.add_get("/api/users.info", answered)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession() as http:
            client = Client("xoxb-1", f"http://127.0.0.1:{runner.addresses[0][1]}/api/", http, lambda method, outcome, seconds: None)
            with pytest.raises(SlackApiError) as told:
                await call(client.users_info(user="U1"))
            return told.value
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [(503, WORDS, "text/plain"), (200, "OK", "text/plain"), (200, "[]", "application/json"), (502, '"down"', "application/json")],
)
async def test_what_is_no_answer_of_slacks_is_worth_another_try(status: int, text: str, kind: str) -> None:
    error = await refusal(web.Response(status=status, text=text, content_type=kind))

    assert error_of(error) == UNREACHABLE
    assert refused(error).after is not None


async def test_a_pause_asked_for_in_plain_words_is_kept() -> None:
    error = await refusal(web.Response(status=429, text="slow down", content_type="text/plain", headers={"Retry-After": "7"}))

    assert refused(error).after == 7


@pytest.mark.parametrize("error", ["rate_limited", "team_added_to_org", "org_login_required"])
async def test_what_slack_refuses_for_a_while_is_worth_another_try(error: str) -> None:
    told = await refusal(web.json_response({"ok": False, "error": error}))

    assert refused(told).after is not None


@pytest.mark.parametrize("error", ["token_revoked", "token_expired", "account_inactive", "invalid_auth", "not_authed"])
async def test_what_is_to_be_said_waits_for_a_token_that_slack_takes(error: str) -> None:
    told = await refusal(web.json_response({"ok": False, "error": error}))

    assert refused(told).after == 15
