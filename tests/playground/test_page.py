"""The page as the server draws it: who may have it, what is on it, and that nothing on it can do harm."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientSession, FormData
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack
from bot.playground.mrkdwn import Texts
from bot.playground.page import Page
from bot.playground.render import At, Renderer

from .screenshot import MANIFEST, crowd, feedback, plain, progress, question

Json = dict[str, Any]
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>&"
OURS = {f'<script type="module" src="static/{name}.js">' for name in ("page", "glass", "bench")}
HARM = re.compile(
    r"<script(?! type=\"module\" src=\"static/\w+.js\")|<img(?! src=\"files/)|<iframe|\son\w+\s*=|javascript:alert|\sstyle=", re.IGNORECASE
)


def harm(html: str) -> list[str]:
    """What could run or load: looked for in tags only, as texts may say anything."""
    return [tag for tag in re.findall(r"<[a-zA-Z/!][^<>]*>", html) if HARM.search(re.sub(r'"[^"]*"', quoted, tag))]


def quoted(found: re.Match[str]) -> str:
    return found[0] if found[0].lower().lstrip('"').startswith(("javascript:", "static/", "files/", "module")) else '""'


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
    await client.chat_postEphemeral(channel=slack.channel("general"), user=slack.user("ben"), text="psst")

    pages = [await browser.page(by=name, in_=slack.channel("general")) for name in ("ana", "ben")]

    assert [("psst" in html, "Only visible to you" in html) for html in pages] == [(False, False), (True, True)]


async def test_a_guest_sees_their_channels_only(browser: Browser) -> None:
    html = await browser.page(by="dan", in_="C0SECRET")

    assert ("<span>general</span>" in html, "<span>secret</span>" in html, "#general</h1>" in html) == (True, False, True)


async def test_what_is_unread_is_counted_till_it_is_looked_at(slack: Slack, http: ClientSession, browser: Browser) -> None:
    await slack.say("news", by="ben", channel="random")

    before = await browser.page(in_=slack.channel("general"))
    async with http.get(browser.base + "events", params={"as": "ana", "in": slack.channel("random")}) as response:
        await told(response.content)
    after = await browser.page(in_=slack.channel("general"))

    assert ('aria-label="1 unread"' in before, 'aria-label="1 unread"' in after) == (True, False)


async def test_who_writes_has_read_what_was_before(slack: Slack, browser: Browser) -> None:
    await slack.say("news", by="ben", channel="random")
    await slack.say("I know", by="ana", channel="random")
    await slack.say("so what?", by="ben", channel="random")

    html = await browser.page(in_=slack.channel("general"))

    assert 'aria-label="1 unread"' in html


async def test_a_reply_makes_no_channel_unread(slack: Slack, browser: Browser) -> None:
    root = await slack.say("I know", by="ana", channel="random")
    await slack.say("so what?", by="ben", channel="random", thread=root)

    assert "unread" not in await browser.page(in_=slack.channel("general"))


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
    ({"type": "context", "elements": [{"type": "image", "image_url": "http://x/y.png", "alt_text": "a cat"}]}, ">a cat</a>"),
    ({"type": "image", "image_url": "http://x/y.png", "alt_text": "a dog"}, ">a dog</a>"),
    ({"type": "markdown", "text": "|a|\n|-:|\n|1|"}, '<td class="to-right">1</td>'),
    ({"type": "markdown", "text": "```py\na<b\n```"}, '<span class="language">py</span>'),
    (RICH, '<strong><span class="pre">rich</span></strong>'),
    ({"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "ordered", "elements": [TEXT]}]}, '<ol class="deep-0"><li>'),
    ({"type": "table", "rows": [[{"type": "raw_text", "text": "h"}], [RICH]]}, '<th class="to-left">h</th>'),
    (progress()[0], 'aria-label="in_progress"'),
    ({"type": "alert", "text": plain("careful"), "level": "warning"}, 'alert warning" role="note"><span>careful<'),
    ({"type": "card", "title": plain("T"), "body": plain("B")}, '<div class="title">T</div>'),
    ({"type": "carousel", "elements": [{"type": "card", "title": plain("T")}]}, '<div class="b carousel" tabindex="0"'),
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
    ({"type": "input", "label": plain("L"), "element": {"type": "datetimepicker", "action_id": "t"}}, '<input type="datetime-local"'),
    ({"type": "input", "label": plain("L"), "element": {"type": "number_input", "action_id": "t"}}, '<input type="number"'),
    ({"type": "input", "label": plain("L"), "element": {"type": "email_text_input", "action_id": "t"}}, '<input type="email"'),
    ({"type": "input", "label": plain("L"), "element": {"type": "url_text_input", "action_id": "t"}}, '<input type="url"'),
    ({"type": "input", "label": plain("L"), "element": {"type": "rich_text_input", "action_id": "t"}}, 'data-field="rich"'),
    ({"type": "input", "label": plain("L"), "element": {"type": "file_input", "action_id": "t", "filetypes": ["csv"]}}, 'accept=".csv"'),
    (pressable("external_select", initial_option=OPTIONS[0]), 'aria-label="Take away One"'),
    (pressable("multi_external_select", min_query_length=1), 'data-many data-least="1"'),
    ({"type": "video", "title": plain("Film"), "title_url": "http://x/y", "alt_text": "a film"}, 'aria-label="a film"'),
    ({"type": "file", "external_id": "E1", "source": "remote"}, "<small>E1</small>"),
    ({"type": "data_table", "rows": [[{"type": "raw_number", "value": 7}]]}, '<th class="to-right">7</th>'),
    ({"type": "container", "title": plain("C"), "is_collapsible": False, "child_blocks": []}, '<div class="title">C</div>'),
    ({"type": "hologram", "depth": 3}, "hologram: not drawn here"),
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
        ("<@U0ANA> <#C0GENERAL> <!here> <!subteam^S0ONCALL>", "@ana #general @here @oncall"),
        ("<https://x.y/a_b_c|a &amp; b>", '<a href="https://x.y/a_b_c" target="_blank" rel="noopener noreferrer">a &amp; b</a>'),
        ("<javascript:alert(1)|click>", "click"),
        ("<data:text/html,x>", "&lt;data:text/html,x&gt;"),
        (
            "<!date^0^{date} {time}|old>",
            '<time datetime="1970-01-01T00:00:00+00:00" data-form="{date} {time}">January 01, 1970 00:00</time>',
        ),
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


@pytest.mark.parametrize("text", ["`a &lt; b &amp;&amp; c`", "```\na &lt; b &amp;&amp; c\n```"])
def test_slacks_entities_are_read_in_code_too(text: str) -> None:
    assert "<code>a &lt; b &amp;&amp; c</code>" in Texts(Slack().world).markdown(text)


async def test_hostile_names_titles_and_files_do_no_harm(slack: Slack, client: AsyncWebClient, browser: Browser) -> None:
    slack.add_person(EVIL)
    slack.add_channel(EVIL, ("ana", EVIL, "frontdesk"))
    said = await slack.say(EVIL, by=EVIL, channel=EVIL, files=[(EVIL, EVIL.encode())])
    await client.chat_postMessage(channel=said["channel"], text=EVIL, username=EVIL, attachments=[{"text": EVIL, "title": EVIL}])
    await client.assistant_threads_setStatus(channel_id=said["channel"], thread_ts=said["ts"], status=EVIL)

    html = await browser.page(in_=said["channel"], thread=said["ts"])

    assert (harm(html), set(re.findall("<script[^>]*>", html)) - OURS) == ([], set())


async def test_hostile_sessions_reactions_groups_and_commands_do_no_harm(slack: Slack, client: AsyncWebClient, browser: Browser) -> None:
    slack.add_group(EVIL, ["ana"])
    asked = await slack.mention("hello")
    where = {"channel_id": asked["channel"], "thread_ts": asked["ts"]}
    await client.agents_sessions_setStatus(**where, status="active", title=EVIL)
    place = slack.world.channel(asked["channel"])
    place.messages[asked["ts"]] |= {"reactions": [{"name": EVIL, "users": [EVIL, "U0BEN"], "count": 2}]}

    for query in (
        {"in_": asked["channel"], "thread": asked["ts"]},
        {"in_": "sessions"},
        {"in_": EVIL, "thread": EVIL, "at": EVIL, "tab": EVIL},
    ):
        html = await browser.page(**query)
        assert (harm(html), set(re.findall("<script[^>]*>", html)) - OURS) == ([], set())


@pytest.mark.parametrize(
    "link", ['https://frontdesk-play.slack.com/archives/C1/p1700000000000001"><b>', "https://evil.example/archives/C1/p1700000000000001"]
)
def test_only_this_workspaces_links_stay_in_the_page(link: str) -> None:
    texts = Texts(Slack().world)

    assert all("data-here" not in html and harm(html) == [] for html in (texts.mrkdwn(f"<{link}>"), texts.markdown(f"[x](<{link}>)")))


def test_a_link_to_a_message_stays_in_the_page() -> None:
    link = "https://frontdesk-play.slack.com/archives/C0GENERAL/p1700000000000001?thread_ts=1600000000.000001&cid=C0GENERAL"

    html = Texts(Slack().world).mrkdwn(f"<{link.replace('&', '&amp;')}|there>")

    assert html == '<a href="?in=C0GENERAL&amp;at=1700000000.000001&amp;thread=1600000000.000001" data-here>there</a>'


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"\x89PNG\r\n\x1a\n...", "image/png"), (b"GIF89a...", "image/gif"), (b"<svg onload=alert(1)>", "application/octet-stream")],
)
async def test_only_real_pictures_are_shown(slack: Slack, http: ClientSession, browser: Browser, content: bytes, kind: str) -> None:
    said = await slack.say("see", files=[("a.png", content)])

    async with http.get(browser.base + f"files/{said['files'][0]['id']}?show") as response:
        assert response.content_type == kind


async def test_a_file_is_only_ever_kept(slack: Slack, http: ClientSession, browser: Browser) -> None:
    said = await slack.say("see", files=[("a/../<b>\r\n.html", b"<script>alert(1)</script>")])

    async with http.get(browser.base + "files/" + said["files"][0]["id"]) as response:
        assert response.content_type == "application/octet-stream"
        assert response.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''a%2F..%2F%3Cb%3E%0D%0A")


async def test_half_an_emoji_breaks_nothing(slack: Slack, client: AsyncWebClient, http: ClientSession, browser: Browser) -> None:
    await client.chat_postMessage(channel="general", text="cut \ud83d")
    said = await slack.say("see", files=[("half \ud83d.txt", b"x")])

    assert "cut ?" in await browser.page(in_=said["channel"])
    async with http.get(browser.base + "files/" + said["files"][0]["id"]) as response:
        assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''half%20%3F.txt"


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


async def test_a_text_that_slack_would_not_take_is_refused_in_words(slack: Slack, browser: Browser) -> None:
    answer = await browser.do("say", channel=slack.channel("general"), text="x" * 40_001)

    words = "this has 40,001 characters, and Slack takes 40,000 in one message: shorten it, or attach it as a file"
    assert (answer, slack.messages("general")) == ({"error": words}, [])


async def test_a_session_needs_a_title(slack: Slack, browser: Browser) -> None:
    assert await browser.do("retitle", channel=slack.channel("general"), thread="1", title=" ") == {"error": "a session needs a title"}


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


@pytest.mark.parametrize("deed", ["press", "react", "edit", "delete", "submit", "close"])
async def test_a_deed_on_nothing_is_an_error_in_words(browser: Browser, deed: str) -> None:
    answer = await browser.do(deed, surface=None, name="eyes", text="x", action="go")

    assert answer["error"].startswith(f"{deed}: something in it is not of the right kind")


# ---- what the page is told ----


async def test_the_page_is_told_what_is_new(slack: Slack, http: ClientSession, browser: Browser) -> None:
    async with http.get(browser.base + "events", params={"as": "ana", "in": slack.channel("general")}) as response:
        first = await told(response.content)
        await slack.say("news")
        then = await told(response.content)

    assert ("sidebar" in first, list(then), "news" in then["messages"][0][2]) == (True, ["messages"], True)


async def test_a_page_that_scrolls_is_told_of_older_messages(slack: Slack, http: ClientSession, browser: Browser) -> None:
    ts = crowd(slack, 1000)[10]
    async with http.get(browser.base + "events", params={"as": "ana", "in": slack.channel("general"), "eye": "e1"}) as response:
        first = await told(response.content)
        async with http.post(browser.base + "look/e1", json={"list": "messages", "at": ts}) as answer:
            assert answer.status == 204
        then = await told(response.content)

    assert (len(first["messages"]), first["lists"]["messages"]["above"], then["lists"]["messages"]["above"]) == (100, 900, 0)


@pytest.mark.parametrize(("eye", "body", "status"), [("nobody", "{}", 404), ("e1", "[", 400)])
async def test_a_look_that_cannot_be(slack: Slack, http: ClientSession, browser: Browser, eye: str, body: str, status: int) -> None:
    async with http.get(browser.base + "events", params={"eye": "e1"}) as response:
        await told(response.content)
        async with http.post(browser.base + f"look/{eye}", data=body, headers={"Content-Type": "application/json"}) as answer:
            assert answer.status == status


async def test_the_chosen_look_comes_with_the_page(http: ClientSession, browser: Browser) -> None:
    found = []
    for look in ("dark", EVIL.replace(";", "")):
        async with http.get(browser.base, headers={"Cookie": f"look={quote(look)}"}) as response:
            found.append("data-look" in (await response.text()).partition("<head>")[0])

    assert found == [True, False]


async def told(content: Any) -> Json:
    async for line in content:
        if line.startswith(b"data:"):
            return dict(json.loads(line[5:]))
    raise AssertionError("the stream has ended")


async def test_a_page_that_is_gone_at_once_is_no_error(slack: Slack, browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    host = slack.world.url.removeprefix("http://")
    for _ in range(10):
        _, gone = await asyncio.open_connection(*host.split(":"))
        gone.write(f"GET /play/secret/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        gone.close()

    await browser.page()

    assert caplog.messages == []
