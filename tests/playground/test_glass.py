"""Behind the glass, as the server draws it: calls and envelopes, limits, what makes Slack misbehave, and the test of it all."""

import re
from html import unescape
from typing import Any

import pytest
from aiohttp import ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack
from bot.playground.glass import NEWEST, masked
from bot.playground.switches import switches

from .conftest import Listen
from .test_page import EVIL, Browser, harm, slack

__all__ = ["slack"]
Json = dict[str, Any]


class Glass(Browser):
    """The browser with the pane open."""

    async def tab(self, name: str = "") -> str:
        return await self.page(side="glass", tab=name)

    async def rows(self) -> list[str]:
        """The rows of the calls' tab, newest first."""
        return re.findall(r"<details.*?</details>", await self.tab(), re.DOTALL)

    async def source(self) -> str:
        """The test as it can be copied."""
        return unescape(re.findall(r'id="source"[^>]*>(.*?)</pre>', await self.tab("test"), re.DOTALL)[0])

    async def switch(self, name: str, **fields: Any) -> Json:
        return await self.do("misbehave", switch=name, **{"verb": "do"} | fields)

    async def now(self, name: str) -> str:
        """How a switch is on."""
        found = re.search(rf'id="switch-{name}">[^<]*<span class="switched">([^<]*)', await self.tab("misbehave"))
        return found[1] if found else ""


@pytest.fixture
async def glass(slack: Slack, http: ClientSession) -> Glass:
    return Glass(slack, http)


async def refused(client: AsyncWebClient, method: str, **args: Any) -> str:
    with pytest.raises(SlackApiError) as wrong:
        await client.api_call(method, json=args)
    return str(wrong.value.response["error"])


# ---- calls and envelopes ----


async def test_a_call_shows_when_it_came_how_long_it_took_and_what_came_of_it(client: AsyncWebClient, glass: Glass) -> None:
    await client.chat_postMessage(channel="general", text="posted")

    [_, call] = await glass.rows()

    assert re.search(r"\d\d:\d\d:\d\d\.\d{3}</time>.*<code>chat.postMessage</code>.*200\s+ok · \d+\.\d ms", call, re.DOTALL)
    assert '"text": "posted"' in unescape(call)


async def test_a_call_that_failed_is_marked_and_says_why(slack: Slack, client: AsyncWebClient, glass: Glass) -> None:
    await refused(client, "chat.update", channel=slack.channel("general"), ts="1.1", text="no")

    [call] = await glass.rows()

    assert ('class="row bad"' in call, "message_not_found" in call) == (True, True)


async def test_an_envelope_shows_its_socket_and_when_it_was_acknowledged(slack: Slack, glass: Glass, listen: Listen) -> None:
    await listen()
    await slack.mention("hello")
    await slack.until(lambda: slack.envelopes[-1].state == "acked")

    envelope = (await glass.rows())[0]

    assert re.search(r"<code>app_mention</code>.*acked · [\d.]+ ms.*sent over socket 1.*acknowledged", envelope, re.DOTALL)


async def test_an_envelope_that_nobody_acknowledges_shows_how_often_it_came_again(slack: Slack, glass: Glass, listen: Listen) -> None:
    await listen(acks=False)
    await slack.say("hello")
    await slack.until(lambda: slack.envelopes[-1].state == "lost")

    envelope = (await glass.rows())[0]

    assert ("retry 2" in envelope, envelope.count("sent over socket 1"), "never acknowledged" in envelope) == (True, 3, True)


async def test_an_envelope_without_a_socket_says_so(slack: Slack, glass: Glass) -> None:
    await slack.say("hello")

    assert "never sent: there was no open socket" in (await glass.rows())[0]


async def test_only_the_newest_are_shown(slack: Slack, client: AsyncWebClient, glass: Glass) -> None:
    await client.auth_test()
    slack.calls.extend(slack.calls * NEWEST)
    await client.users_list()

    rows = await glass.rows()

    assert (len(rows) <= NEWEST, "users.list" in rows[0]) == (True, True)


async def test_a_huge_payload_is_cut_and_given_out_whole_when_asked_for(client: AsyncWebClient, glass: Glass) -> None:
    await client.chat_postMessage(channel="general", text="x" * 3900 + "END")
    call = (await glass.rows())[-1]
    of = re.findall(r'data-whole="args" data-of="([^"]*)"', call)

    answer = await glass.do("whole", of=of[0], part="args")

    assert ("END" in call, "END" in answer["text"]) == (False, True)


@pytest.mark.parametrize(("of", "part"), [("c1", "args"), ("", "response"), ("e1", "__class__")])
async def test_a_payload_that_is_gone_is_told(glass: Glass, of: str, part: str) -> None:
    assert "no longer among the newest" in (await glass.do("whole", of=of, part=part))["error"]


async def test_no_token_is_shown(slack: Slack, glass: Glass, listen: Listen, http: ClientSession) -> None:
    await listen()
    async with http.post(slack.url + "auth.test?token=xoxb-of-somebody", headers={"Authorization": "Bearer xoxb-wrong-1"}):
        pass

    html = await glass.tab()

    assert ("xoxb-of-somebody" in html, bool(re.search(r"ticket=[0-9a-f]", html)), "ticket=…" in html) == (False, False, True)


def test_what_only_looks_like_a_token_stays() -> None:
    assert masked("desk-1, task-2, xoxb-3-4, Bearer abc") == '"desk-1, task-2, xoxb-…, Bearer …"'


async def test_nothing_that_comes_from_models_or_people_can_do_harm(
    slack: Slack, client: AsyncWebClient, glass: Glass, listen: Listen
) -> None:
    await listen()
    await slack.mention(EVIL, files=[(EVIL, b"x")])
    await client.chat_postMessage(channel="general", text=EVIL * 200)
    await refused(client, "chat.postMessage", channel="general", blocks=[{"type": EVIL, "block_id": EVIL}])
    await refused(client, EVIL.replace("/", ""), channel=EVIL)
    await refused(client, "chat.postMessage", channel=EVIL, text=EVIL)
    slack.fail(EVIL, retry_after=1)

    pages = [await glass.tab(name) for name in ("calls", "limits", "misbehave", "test", EVIL)]

    assert [harm(html) for html in pages] == [[]] * 5
    assert all("alert(1)" in unescape(html) for html in pages[:4])


# ---- limits ----


async def test_a_bar_shows_what_is_used_of_a_methods_limit(client: AsyncWebClient, glass: Glass) -> None:
    for _ in range(3):
        await client.users_list()

    html = await glass.tab("limits")

    assert re.search(r'<code>users.list</code>.*<meter min="0" max="20" [^>]*value="3" aria-label="users.list">3 of 20', html, re.DOTALL)


async def test_a_channel_that_is_full_shows_what_was_refused(client: AsyncWebClient, glass: Glass) -> None:
    for _ in range(10):
        await client.chat_postMessage(channel="general", text="posted")
    await refused(client, "chat.postMessage", channel="general", text="too much")

    html = await glass.tab("limits")

    assert ("<b>1 refused</b>" in html, "<code>#general</code>" in html, "10 of 10" in html) == (True, True, True)


async def test_a_channel_is_one_whether_it_is_posted_to_by_name_or_id(slack: Slack, client: AsyncWebClient, glass: Glass) -> None:
    await client.chat_postMessage(channel="general", text="by name")
    await client.chat_postMessage(channel=slack.channel("general"), text="by id")

    html = await glass.tab("limits")

    assert (html.count("<code>#general</code>"), "2 of 10" in html) == (1, True)


async def test_it_says_so_where_limits_are_off(slack: Slack, glass: Glass) -> None:
    slack.world.rates.factor = None

    assert "Rate limits are off" in await glass.tab("limits")


# ---- misbehave ----


@pytest.mark.parametrize(
    ("name", "fields", "now"),
    [
        ("refuse", {"times": "4"}, "next 4 refused"),
        ("delay", {"seconds": "2.5"}, "2.5 s late"),
        ("twice", {}, "everything comes twice"),
        ("limit", {"method": "chat.update", "wait": "7", "times": "2"}, "next 2 of chat.update: HTTP 429, Retry-After 7"),
        ("break", {"method": "*", "status": "503", "times": "3"}, "next 3 of any method: HTTP 503"),
        ("cut", {"method": "chat.postMessage", "when": "after", "times": "1"}, "next 1 of chat.postMessage: cut after the work"),
        ("cut", {"method": "response_url", "when": "before", "times": "1"}, "next 1 of response_url: cut before the work"),
        ("scope", {"verb": "revoke", "scope": "files:read"}, "without files:read"),
        ("down", {"seconds": "60"}, "down for 60 s more"),
    ],
)
async def test_a_switch_says_how_it_is_on_and_can_be_undone(glass: Glass, name: str, fields: Json, now: str) -> None:
    await glass.switch(name, **fields)
    on = await glass.now(name)
    await glass.switch(name, off="off")

    assert (on, await glass.now(name)) == (now, "")


async def test_all_is_well_again_with_one_button(slack: Slack, client: AsyncWebClient, glass: Glass, listen: Listen) -> None:
    ear = await listen()
    for name, fields in (("twice", {}), ("delay", {"seconds": 1}), ("half", {}), ("scope", {"verb": "revoke", "scope": "chat:write"})):
        await glass.switch(name, **fields)
    await glass.switch("limit", method="*", wait="60", times="99")
    assert "<strong>On now:</strong> Half-open sockets, Deliver late, Deliver twice, Rate limit, Scopes." in await glass.tab("misbehave")

    await glass.do("well")

    assert "All is well." in await glass.tab("misbehave")
    await client.chat_postMessage(channel="general", text="posted")
    await slack.until(lambda: ear.envelopes)


async def test_the_sockets_are_dropped(slack: Slack, glass: Glass, listen: Listen) -> None:
    ear = await listen()

    await glass.switch("drop")

    await slack.until(lambda: ear.ws.closed)


async def test_the_sockets_are_asked_to_leave(slack: Slack, glass: Glass, listen: Listen) -> None:
    ear = await listen()

    await glass.switch("disconnect", reason="warning")

    await slack.until(lambda: ear.frames[-1].get("reason") == "warning")


async def test_a_stream_dies_of_old_age(slack: Slack, client: AsyncWebClient, glass: Glass) -> None:
    root = await slack.mention("hello")
    stream = await client.chat_startStream(
        channel=root["channel"], thread_ts=root["ts"], recipient_team_id=slack.team, recipient_user_id=slack.user("ana")
    )

    await glass.switch("expire")

    assert await refused(client, "chat.appendStream", channel=root["channel"], ts=stream["ts"], markdown_text="more")


async def test_a_scope_that_was_taken_is_given_back(slack: Slack, glass: Glass) -> None:
    await glass.switch("scope", verb="revoke", scope="chat:write")

    await glass.switch("scope", verb="grant", scope="chat:write")

    assert "chat:write" in slack.scopes


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("delay", {"seconds": "soon"}, "Seconds must be a number from 0.1 to 60."),
        ("delay", {}, "Seconds must be a number from 0.1 to 60."),
        ("down", {"seconds": "1e9"}, "Seconds must be a number from 1 to 600."),
        ("limit", {"method": EVIL, "wait": 1, "times": 1}, "Method: there is no"),
        ("twice", {"verb": "thrice"}, "Deliver twice: there is no 'thrice' to choose."),
        ("nothing", {}, "'nothing' is missing"),
    ],
)
async def test_what_cannot_be_switched_is_told(glass: Glass, name: str, fields: Json, words: str) -> None:
    assert words in (await glass.switch(name, **fields))["error"]


async def test_each_switch_says_what_it_does_and_what_should_be_seen(slack: Slack) -> None:
    assert [each for each in switches(slack).values() if not (each.does.endswith(".") and each.seen.endswith("."))] == []


# ---- copy as test ----


async def test_what_people_do_becomes_a_test(slack: Slack, client: AsyncWebClient, glass: Glass) -> None:
    root = await slack.mention("hello")
    await client.chat_postMessage(channel=root["channel"], thread_ts=root["ts"], text="You said: hello")

    source = await glass.source()

    assert 'root = await slack.mention("hello")' in source
    assert 'await slack.until(lambda: "You said: hello" in said(slack, root)[-1])' in source


async def test_the_test_begins_at_the_mark(slack: Slack, glass: Glass) -> None:
    await slack.mention("before")
    await glass.do("mark")
    assert "Nothing was done since the mark" in await glass.tab("test")
    await slack.mention("after")

    source = await glass.source()

    assert ('mention("before")' in source, 'mention("after")' in source) == (False, True)


async def test_the_test_goes_back_to_the_start(slack: Slack, glass: Glass) -> None:
    await slack.mention("before")
    await glass.do("mark")

    await glass.do("mark", all="yes")

    assert 'mention("before")' in await glass.source()
