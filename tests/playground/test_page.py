"""The page as the server draws it: who may have it, what is on it, and that nothing on it can do harm."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, FormData
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack
from bot.playground.mrkdwn import Texts
from bot.playground.page import Page
from bot.playground.render import At, Renderer

from .screenshot import MANIFEST, feedback, plain, progress, question

Json = dict[str, Any]
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>&"
HARM = re.compile(r"<script(?! type=\"module\" src=\"static/page.js\")|<img|<iframe|\son\w+\s*=|javascript:alert|\sstyle=", re.IGNORECASE)


def harm(html: str) -> list[str]:
    """What could run or load: looked for in tags only, as texts may say anything."""
    return [tag for tag in re.findall(r"<[a-zA-Z/!][^<>]*>", html) if HARM.search(re.sub(r'"[^"]*"', quoted, tag))]


def quoted(found: re.Match[str]) -> str:
    return found[0] if found[0].lower().lstrip('"').startswith(("javascript:", "static/page.js", "module")) else '""'


@pytest.mark.parametrize(
    "html", ["<img src=x>", "<p style='a'>", "<b onclick=x>", '<a href="javascript:alert(1)">', "<script>", '<i data-x="" onload=y>']
)
def test_the_search_for_harm_finds_it(html: str) -> None:
    assert harm(html)


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    slack = Slack(ack_seconds=0.15)
    Page(slack, MANIFEST, token="secret")
    async with slack:
        yield slack


class Browser:
    """Asks for pages and does deeds, as the browser does."""

    def __init__(self, slack: Slack, http: ClientSession) -> None:
        self.base = slack.world.url + "/play/secret/"
        self.http = http

    async def page(self, **query: str) -> str:
        names = {"in_": "in", "by": "as"}
        async with self.http.get(self.base, params={names.get(key, key): each for key, each in query.items()}) as response:
            return await response.text()

    async def do(self, deed: str, by: str = "ana", **body: Any) -> Json:
        async with self.http.post(self.base + f"do/{deed}?as={by}", json=body) as response:
            return dict(await response.json())


@pytest.fixture
async def browser(slack: Slack, http: ClientSession) -> Browser:
    return Browser(slack, http)


def place(message: Any) -> Json:
    return {key: message[key] for key in ("channel", "ts", "is_ephemeral") if message.get(key)}


# ---- who may have the page ----


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("secret/", {}, 200),
        ("guess/", {}, 404),
        ("secret/", {"Host": "evil.example"}, 403),
        ("secret/", {"Origin": "http://evil.example"}, 403),
        ("secret/static/page.js", {"Origin": "null"}, 403),
        ("secret/static/..%2fpage.py", {}, 404),
        ("secret/static/nothing.js", {}, 404),
        ("secret/files/F1", {}, 404),
        ("guess/events", {}, 404),
    ],
)
async def test_only_its_own_address_gets_the_page(slack: Slack, http: ClientSession, path: str, headers: Json, status: int) -> None:
    async with http.get(f"{slack.world.url}/play/{path}", headers=headers) as response:
        assert response.status == status


async def test_other_sites_cannot_act(slack: Slack, http: ClientSession, browser: Browser) -> None:
    where = browser.base + "do/say?as=ana"

    async with http.post(where, json={"channel": "general", "text": "x"}, headers={"Origin": "http://evil.example"}) as response:
        assert (response.status, slack.messages("general")) == (403, [])


async def test_the_policy_lets_nothing_foreign_in(slack: Slack, http: ClientSession, browser: Browser) -> None:
    async with http.get(browser.base) as response:
        policy, sniffing = response.headers["Content-Security-Policy"], response.headers["X-Content-Type-Options"]

        assert (policy.startswith("default-src 'self';"), "unsafe" in policy, sniffing) == (True, False, "nosniff")


async def test_nobody_acts_as_the_bot(browser: Browser) -> None:
    assert await browser.do("say", by="frontdesk", channel="general", text="x") == {"error": "nobody to act for"}


# ---- what is on it ----


async def test_a_channel_is_shown(slack: Slack, browser: Browser) -> None:
    await slack.mention("hello *you*")

    html = await browser.page(by="ana", in_=slack.channel("general"))

    assert '<span class="mention">@Frontdesk</span> hello <strong>you</strong>' in html


async def test_a_thread_is_beside_the_channel(slack: Slack, client: AsyncWebClient, browser: Browser) -> None:
    asked = await slack.mention("hello")
    await client.chat_postMessage(channel=asked["channel"], text="the answer", thread_ts=asked["ts"])

    closed, opened = await browser.page(in_=asked["channel"]), await browser.page(in_=asked["channel"], thread=asked["ts"])

    assert ("1 reply" in closed, "the answer" in closed, "the answer" in opened) == (True, False, True)


async def test_each_person_sees_their_own(slack: Slack, client: AsyncWebClient, browser: Browser) -> None:
    await client.chat_postEphemeral(channel="general", user=slack.user("ben"), text="psst")

    pages = [await browser.page(by=name, in_=slack.channel("general")) for name in ("ana", "ben")]

    assert [("psst" in html, "Only visible to you" in html) for html in pages] == [(False, False), (True, True)]


async def test_a_guest_sees_their_channels_only(browser: Browser) -> None:
    html = await browser.page(by="dan", in_="C0SECRET")

    assert ("</span>general" in html, "</span>secret" in html, "#general</h1>" in html) == (True, False, True)


async def test_what_is_unread_is_counted_till_it_is_looked_at(slack: Slack, browser: Browser) -> None:
    await slack.say("news", by="ben", channel="random")

    before = await browser.page(in_=slack.channel("general"))
    await browser.page(in_=slack.channel("random"))
    after = await browser.page(in_=slack.channel("general"))

    assert ('aria-label="1 unread"' in before, 'aria-label="1 unread"' in after) == (True, False)


async def test_the_app_has_two_tabs(slack: Slack, client: AsyncWebClient, browser: Browser) -> None:
    view = {"type": "home", "blocks": [{"type": "header", "text": plain("Your sessions")}]}
    await client.views_publish(user_id=slack.user("ana"), view=view)
    await client.assistant_threads_setSuggestedPrompts(channel_id=slack.dm("ana"), prompts=[{"title": "Start", "message": "go"}])

    home, messages = await browser.page(in_="home"), await browser.page(in_="messages")

    assert ("Your sessions" in home, 'data-say="go"' in messages) == (True, True)


async def test_status_title_and_stop_button_are_in_the_thread(slack: Slack, client: AsyncWebClient, browser: Browser) -> None:
    asked = await slack.mention("hello")
    at = {"channel_id": asked["channel"], "thread_ts": asked["ts"]}
    await client.agents_sessions_setStatus(**at, status="processing", title="A long story")

    html = await browser.page(in_=asked["channel"], thread=asked["ts"])

    assert all(words in html for words in ("Frontdesk is working…", "A long story", 'data-do="stop"'))


async def test_behind_the_glass_are_calls_and_deliveries(slack: Slack, client: AsyncWebClient, browser: Browser) -> None:
    await client.auth_test()
    await slack.mention("hello")

    html = await browser.page(side="glass")

    assert ("<code>auth.test</code>" in html, "<code>app_mention</code>" in html) == (True, True)


# ---- every block ----

BOLD = {"type": "text", "text": "rich", "style": {"bold": True}}
TEXT = {"type": "rich_text_section", "elements": [BOLD, {"type": "user", "user_id": "U0ANA"}]}
RICH = {"type": "rich_text", "elements": [TEXT]}
OPTIONS = [{"text": plain("One"), "value": "1"}, {"text": plain("Two"), "value": "2"}]


def pressable(kind: str, **more: Any) -> Json:
    return {"type": "actions", "elements": [{"type": kind, "action_id": "s", **more}]}


KIT: list[tuple[Json, str]] = [
    ({"type": "section", "fields": [{"type": "mrkdwn", "text": "*a*"}]}, "<div><strong>a</strong></div>"),
    ({"type": "header", "text": plain("Top :eyes:")}, ">Top 👀</h3>"),
    ({"type": "divider"}, '<hr class="b">'),
    ({"type": "context", "elements": [{"type": "image", "image_url": "http://x/y.png", "alt_text": "a cat"}]}, "🖼 a cat"),
    ({"type": "image", "image_url": "http://x/y.png", "alt_text": "a dog"}, "🖼 a dog"),
    ({"type": "markdown", "text": "|a|\n|-:|\n|1|"}, '<td class="to-right">1</td>'),
    ({"type": "markdown", "text": "```py\na<b\n```"}, '<code class="language-py">a&lt;b'),
    (RICH, '<strong><span class="pre">rich</span></strong>'),
    ({"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "ordered", "elements": [TEXT]}]}, '<ol class="deep-0"><li>'),
    ({"type": "table", "rows": [[{"type": "raw_text", "text": "h"}], [RICH]]}, '<th class="to-left">h</th>'),
    (progress()[0], 'aria-label="in_progress"'),
    ({"type": "alert", "text": plain("careful"), "level": "warning"}, '<div class="b alert warning" role="note">careful</div>'),
    ({"type": "card", "title": plain("T"), "body": plain("B")}, '<div class="title">T</div>'),
    ({"type": "carousel", "elements": [{"type": "card", "title": plain("T")}]}, '<div class="b carousel">'),
    ({"type": "container", "block_id": "c", "title": plain("C"), "child_blocks": [{"type": "divider"}]}, "<summary>C</summary><hr"),
    ({**question()[1], "block_id": "b"}, 'data-action="no" data-block="b" data-press data-value="no"'),
    ({**feedback(), "block_id": "b"}, 'data-value="bad" aria-label="Bad"'),
    (pressable("overflow", options=OPTIONS), 'data-value="2" >Two'),
    ({"type": "section", "text": plain("x"), "accessory": {"type": "button", "action_id": "o", "text": plain("Go")}}, ">Go</button>"),
    (pressable("static_select", options=OPTIONS, initial_option=OPTIONS[1]), "selected>Two"),
    (pressable("checkboxes", options=OPTIONS), '<input type="checkbox"'),
    (pressable("radio_buttons", options=OPTIONS), '<input type="radio"'),
    (pressable("multi_static_select", options=OPTIONS), 'data-field="many"'),
    (pressable("users_select"), '<option value="U0ANA" >ana</option>'),
    ({"type": "input", "label": plain("L"), "element": {"type": "plain_text_input", "action_id": "t", "multiline": True}}, "<textarea"),
    ({"type": "input", "label": plain("L"), "element": {"type": "datepicker", "action_id": "t"}}, '<input type="date"'),
    ({"type": "video", "title": "x"}, "video: not drawn here"),
    ({"type": "rich_text", "elements": ["not a dict"]}, "not a dict"),
    ({"type": "table", "rows": 7}, "table: not drawn here"),
]  # fmt: skip


@pytest.mark.parametrize(("block", "shown"), KIT)
def test_each_block_is_drawn(block: Json, shown: str) -> None:
    html = Renderer(Slack().world, "/").block(block, At("U0ANA", {"ts": "1"}))

    assert shown in html


@pytest.mark.parametrize("block", [block for block, _ in KIT])
def test_hostile_words_do_no_harm_in_any_block(block: Json) -> None:
    html = Renderer(Slack().world, "/").block(poisoned(block), At("U0ANA", {"ts": EVIL}))

    assert (harm(html), "<script" in html.lower()) == ([], False)


def poisoned(node: Any, key: str = "") -> Any:
    """The same block with hostile words in each place where words can be."""
    if isinstance(node, dict):
        return {name: poisoned(each, name) for name, each in node.items()}
    if isinstance(node, list):
        return [poisoned(each, key) for each in node]
    if key in ("url", "image_url"):
        return "javascript:alert(1)"
    return EVIL if isinstance(node, str) and key != "type" else node


# ---- texts ----


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*b* _i_ ~s~ `c<d`", "<strong>b</strong> <em>i</em> <s>s</s> <code>c&lt;d</code>"),
        ("2*3*4 a_b_c", "2*3*4 a_b_c"),
        ("```\n<@U0ANA>\n```", "<pre><code>&lt;@U0ANA&gt;</code></pre>"),
        ("<@U0ANA> <#C0GENERAL> <!here> <!subteam^S0ONCALL>", "@ana #general @here @oncall"),
        ("<https://x.y/a_b_c|a &amp; b>", '<a href="https://x.y/a_b_c" target="_blank" rel="noopener noreferrer">a &amp; b</a>'),
        ("<javascript:alert(1)|click>", "click"),
        ("<data:text/html,x>", "&lt;data:text/html,x&gt;"),
        ("<!date^0^{date} {time}|old>", '<time datetime="1970-01-01T00:00:00+00:00">January 01, 1970 00:00</time>'),
        ("<!date^soon^{date}|old>", "old"),
        ("&gt; q\nr\n&gt;&gt;&gt; s\nt", "<blockquote>q</blockquote>r<blockquote>s<br>t</blockquote>"),
        (":eyes: :no_such:", "👀 :no_such:"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\ue0000\ue001 *x*", "0 <strong>x</strong>"),
    ],
)
def test_slacks_own_markup(text: str, html: str) -> None:
    drawn = Texts(Slack().world).mrkdwn(text)

    assert re.sub(r'</?span( class="mention[^>]*)?>', "", drawn) == html


@pytest.mark.parametrize(
    "text", ["[x](javascript:alert(1))", "![x](http://e/x.png)", EVIL, "<javascript:alert(1)>", "[x]: data:text/html,x\n[x]"]
)
def test_hostile_markdown_does_no_harm(text: str) -> None:
    assert harm(Texts(Slack().world).markdown(text)) == []


async def test_hostile_names_titles_and_files_do_no_harm(slack: Slack, client: AsyncWebClient, browser: Browser) -> None:
    slack.add_person(EVIL)
    slack.add_channel(EVIL, ("ana", EVIL, "frontdesk"))
    said = await slack.say(EVIL, by=EVIL, channel=EVIL, files=[(EVIL, EVIL.encode())])
    await client.chat_postMessage(channel=said["channel"], text=EVIL, username=EVIL, attachments=[{"text": EVIL, "title": EVIL}])
    await client.assistant_threads_setStatus(channel_id=said["channel"], thread_ts=said["ts"], status=EVIL)

    html = await browser.page(in_=said["channel"], thread=said["ts"])

    assert (harm(html), html.count("<script")) == ([], 1)


async def test_a_file_is_only_ever_kept(slack: Slack, http: ClientSession, browser: Browser) -> None:
    said = await slack.say("see", files=[("a/../<b>\r\n.html", b"<script>alert(1)</script>")])

    async with http.get(browser.base + "files/" + said["files"][0]["id"]) as response:
        assert response.content_type == "application/octet-stream"
        assert response.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''a%2F..%2F%3Cb%3E%0D%0A")


# ---- what people do ----


async def test_a_message_with_a_file_is_sent(slack: Slack, http: ClientSession, browser: Browser) -> None:
    form = FormData({"text": "@Frontdesk look", "channel": slack.channel("general"), "thread": ""})
    form.add_field("file", b"content", filename="notes.txt")

    async with http.post(browser.base + "do/say?as=ben", data=form) as response:
        assert response.status == 200

    said = slack.messages("general")[0]
    assert (said["text"], said["files"][0]["name"]) == (f"<@{slack.bot}> look", "notes.txt")


async def test_a_command_is_no_message(slack: Slack, browser: Browser) -> None:
    await browser.do("say", channel=slack.channel("general"), text="/desk hand me over")

    command = slack.envelopes[-1].payload
    assert (command["command"], command["text"], slack.messages("general")) == ("/desk", "hand me over", [])


async def test_a_command_in_a_thread_is_refused_as_in_slack(slack: Slack, browser: Browser) -> None:
    said = await slack.say("root")

    answer = await browser.do("say", channel=said["channel"], thread=said["ts"], text="/desk x")

    assert answer == {"error": "/desk is not supported in threads. Sorry!"}


async def test_a_reaction_comes_and_goes(slack: Slack, browser: Browser) -> None:
    said = await slack.say("root")

    await browser.do("react", surface=place(said), name="eyes")
    there = slack.message(said).get("reactions")
    await browser.do("react", surface=place(said), name="eyes")

    assert (there, slack.message(said).get("reactions")) == ([{"name": "eyes", "users": ["U0ANA"], "count": 1}], None)


async def test_people_change_their_own_words_only(slack: Slack, browser: Browser) -> None:
    said = await slack.say("mine", by="ben")

    mine, others = await browser.do("edit", "ben", surface=place(said), text="new"), await browser.do("delete", surface=place(said))

    assert (mine, others["error"], slack.message(said)["text"]) == ({}, "people can change their own messages only", "new")


async def test_what_is_typed_can_be_edited_as_it_was_typed(slack: Slack, browser: Browser) -> None:
    said = await slack.say("@ben & #general: see https://x.y/z?a=1&b=2")

    html = await browser.page(in_=said["channel"])

    assert "@ben &amp; #general: see https://x.y/z?a=1&amp;b=2</textarea>" in html


async def test_a_button_is_pressed_with_what_was_chosen_before(slack: Slack, client: AsyncWebClient, browser: Browser) -> None:
    fields = [{"type": "input", "block_id": "why", "label": plain("Why"), "element": {"type": "plain_text_input", "action_id": "t"}}]
    posted = await client.chat_postMessage(channel="general", text="?", blocks=[*fields, *question()])

    await browser.do("press", surface=place(posted), action="no", value="no", values={"why": "because"})

    payload = slack.envelopes[-1].payload
    assert (payload["actions"][0]["value"], payload["state"]["values"]["why"]["t"]["value"]) == ("no", "because")


async def test_of_two_menus_with_one_name_the_right_one_is_meant(slack: Slack, client: AsyncWebClient, browser: Browser) -> None:
    menus = [
        {"type": "actions", "block_id": name, "elements": [{"type": "static_select", "action_id": "pick", "options": OPTIONS}]}
        for name in ("first", "second")
    ]
    posted = await client.chat_postMessage(channel="general", text="?", blocks=menus)

    await browser.do("press", surface=place(posted), action="pick", block="second", value="2")

    assert slack.envelopes[-1].payload["actions"][0]["block_id"] == "second"


@pytest.mark.parametrize("deed", ["press", "react", "edit", "delete", "submit", "close", "stop", "fly"])
async def test_a_deed_without_its_parts_is_an_error_in_words(browser: Browser, deed: str) -> None:
    assert (await browser.do(deed))["error"]


# ---- what the page is told ----


async def test_the_page_is_told_what_is_new(slack: Slack, http: ClientSession, browser: Browser) -> None:
    async with http.get(browser.base + "events", params={"as": "ana", "in": slack.channel("general")}) as response:
        first = await told(response.content)
        await slack.say("news")
        then = await told(response.content)

    assert ("sidebar" in first, list(then), "news" in then["messages"][0][2]) == (True, ["messages"], True)


async def told(content: Any) -> Json:
    async for line in content:
        if line.startswith(b"data:"):
            return dict(json.loads(line[5:]))
    raise AssertionError("the stream has ended")
