"""What Slack delivers, in the desk's words: what it is, whether it came before, where it happened, and what was said."""

from typing import Any

import pytest

from bot.message import Attachment
from bot.slack import parse

Json = dict[str, Any]
TEAM, BOT = "T1", "U0BOT"


def event(**more: Any) -> Json:
    said = {"type": "message", "user": "U1", "ts": "1767326125.870439", "text": "hello", "channel": "C1", "channel_type": "channel"}
    return said | more


def body(inner: Json, id: str = "Ev1") -> Json:
    return {"type": "event_callback", "team_id": TEAM, "event_id": id, "event": inner}


ACTION: Json = {
    "type": "block_actions", "trigger_id": "10215.39.2e25", "user": {"id": "U1"}, "channel": {"id": "C1"},
    "actions": [{"type": "button", "action_id": "stop", "value": "s1", "action_ts": "1.0"}],
}  # fmt: skip
COMMAND: Json = {"command": "/review", "text": "", "channel_id": "C1", "user_id": "U1", "trigger_id": "10520.10.2e21"}
SHORTCUT: Json = {"type": "message_action", "callback_id": "triage", "trigger_id": "7.7", "message": {"ts": "1.0", "text": "hi"}}
SUBMISSION: Json = {"type": "view_submission", "trigger_id": "8.8", "view": {"callback_id": "feedback", "state": {"values": {}}}}
REACTION = {"type": "reaction_added", "user": "U1", "reaction": "x", "item": {"type": "message", "channel": "C1", "ts": "5.0"}}
DELETED = {"type": "message", "subtype": "message_deleted", "channel": "C1", "ts": "9.0", "deleted_ts": "5.0",
           "previous_message": {"ts": "5.0", "thread_ts": "4.0"}}  # fmt: skip
CHANGED = {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "9.0", "message": {"ts": "5.0", "text": "new"}}


@pytest.mark.parametrize(
    ("delivered", "kind"),
    [
        (body(event()), "message"),
        (body(event(type="app_mention")), "app_mention"),
        (body(event(subtype="file_share")), "message"),
        (body(CHANGED), "message_changed"),
        (body(DELETED), "message_deleted"),
        (body({**CHANGED, "message": {"type": "message", "subtype": "tombstone", "ts": "5.0"}}), "message_deleted"),
        (body(REACTION), "reaction_added"),
        (body({"type": "app_home_opened"}), "app_home_opened"),
        (body({"type": "something_new"}), "something_new"),
        (COMMAND, "command"),
        (ACTION, "block_actions"),
        (SHORTCUT, "message_action"),
        (SUBMISSION, "view_submission"),
        ({"type": "something_else"}, "something_else"),
        ({}, "unknown"),
    ],
)
def test_each_thing_has_a_kind_also_one_that_is_new(delivered: Json, kind: str) -> None:
    assert parse.kind(delivered) == kind


def test_a_mention_has_one_key_in_both_of_its_shapes() -> None:
    as_message = body(event(text="<@U0BOT> hi"), "Ev1")
    as_mention = body({"type": "app_mention", "user": "U1", "ts": "1767326125.870439", "channel": "C1", "text": "<@U0BOT> hi"}, "Ev2")

    assert parse.key(as_message) == parse.key(as_mention) == "message:C1:1767326125.870439"


def test_a_redelivery_has_the_same_key_and_nothing_else_has() -> None:
    all_of_it = [body(event()), body(event(ts="2.0")), body(CHANGED, "Ev3"), body(CHANGED, "Ev4"), body(REACTION, "Ev5"), COMMAND, ACTION,
                 SHORTCUT, SUBMISSION, {"type": "a"}, {"type": "b"},
                 body({"type": "x", "n": 1}, ""), body({"type": "x", "n": 2}, "")]  # fmt: skip

    keys = [parse.key(each) for each in all_of_it]

    assert keys == [parse.key(dict(reversed(each.items()))) for each in all_of_it]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("delivered", "lane"),
    [
        (body(event()), "C1:1767326125.870439"),
        (body(event(ts="6.0", thread_ts="5.0")), "C1:5.0"),
        (body(CHANGED), "C1:5.0"),
        (body(DELETED), "C1:4.0"),
        (body(REACTION), "C1:5.0"),
        (body({"type": "app_home_opened", "channel": "D1"}), ""),
        (COMMAND, ""),
        (ACTION, ""),
    ],
)
def test_what_happens_in_one_thread_has_one_lane(delivered: Json, lane: str) -> None:
    assert parse.lane(delivered) == lane


def test_a_place_is_found_again_in_its_thread() -> None:
    assert parse.place(parse.thread("T1", "C1", "5.0")) == ("C1", "5.0")


def test_a_mention_is_a_message_without_the_name_that_it_calls() -> None:
    said = parse.message(event(text="<@U0BOT> look at this"), TEAM, BOT)

    assert said
    assert (said.id, said.thread, said.channel) == ("C1:1767326125.870439", "slack:T1:C1:1767326125.870439", "C1")
    assert (said.text, said.door, said.root, said.at) == ("look at this", "mention", True, 1767326125.870439)


@pytest.mark.parametrize(
    ("more", "door"),
    [
        ({}, "message"),
        ({"text": "hi <@U0BOT|frontdesk>"}, "mention"),
        ({"type": "app_mention", "text": "hi"}, "mention"),
        ({"text": "<@U0OTHER> hi"}, "message"),
        ({"channel": "D1", "channel_type": "im"}, "direct"),
        ({"channel": "D1", "channel_type": None}, "direct"),
        ({"channel": "D1", "text": "<@U0BOT> hi"}, "direct"),
    ],
)
def test_a_message_comes_by_one_door(more: Json, door: str) -> None:
    said = parse.message(event(**more), TEAM, BOT)

    assert said
    assert said.door == door


def test_a_reply_is_in_its_thread_and_no_root() -> None:
    said, root = parse.message(event(thread_ts="5.0"), TEAM, BOT), parse.message(event(ts="5.0", thread_ts="5.0"), TEAM, BOT)

    assert said
    assert root
    assert (said.thread, said.root, root.root) == ("slack:T1:C1:5.0", False, True)


@pytest.mark.parametrize("more", [{"subtype": "channel_join"}, {"subtype": "message_changed"}, {"user": None}, {"ts": None}])
def test_what_nobody_said_is_no_message(more: Json) -> None:
    assert parse.message(event(**more), TEAM, BOT) is None


@pytest.mark.parametrize("more", [{"subtype": "bot_message", "user": None, "bot_id": "B1"}, {"subtype": "me_message"}])
def test_what_others_say_in_other_ways_is_one(more: Json) -> None:
    assert parse.message(event(**more), TEAM, BOT)


def test_only_the_first_call_is_taken_out_and_others_stay_readable() -> None:
    said = parse.message(event(text="<@U0BOT> ask <@U0BOT> or <@U2|ben> in <#C2|general>"), TEAM, BOT)

    assert said
    assert said.text == "ask @U0BOT or @ben in #general"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("<https://x.example>", "https://x.example"),
        ("<https://x.example|https://x.example>", "https://x.example"),
        ("<https://x.example/?a=1&amp;b=2|the docs>", "the docs (https://x.example/?a=1&b=2)"),
        ("<mailto:ana@x.example|ana@x.example>", "ana@x.example (mailto:ana@x.example)"),
        ("<!here> <!channel|channel>", "@here @channel"),
        ("<!subteam^S1> <!subteam^S1|@platform>", "@S1 @platform"),
        ("&lt;!channel&gt;", "<!channel>"),
        ("&amp;lt;", "&lt;"),
        ("1 < 2 > 1", "1 < 2 > 1"),
    ],
)
def test_markup_is_read_as_people_would_write_it(text: str, plain: str) -> None:
    assert parse.plain(text) == plain


def test_a_date_is_no_mention() -> None:
    assert parse.plain("by <!date^1392734382^{date}|Feb 18>") == "by Feb 18"


def test_files_are_told_by_name_and_place_and_those_that_are_gone_are_not() -> None:
    files = [
        {"name": "a.txt", "mimetype": "text/plain", "size": 3, "url_private": "https://x/a", "url_private_download": "https://x/a/get"},
        {"title": "Plan", "url_private": "https://x/b", "size": None},
        {"id": "F1", "mode": "tombstone"},
        {},
    ]

    said = parse.message(event(subtype="file_share", text="", files=files), TEAM, BOT)

    assert said
    assert said.files == (
        Attachment("a.txt", "text/plain", 3, "https://x/a/get"),
        Attachment("Plan", url="https://x/b"),
        Attachment("file"),
    )


SHARED = {
    "is_share": True, "author_name": "Ben", "from_url": "https://x.example/p1", "text": "It is <@U0BOT> who broke it\nsince noon",
    "files": [{"name": "log.txt", "url_private": "https://x/log"}],
}  # fmt: skip


def test_a_message_that_is_passed_on_is_quoted_below_what_is_said_of_it() -> None:
    said = parse.message(event(text="Look at this", attachments=[SHARED]), TEAM, BOT)

    assert said
    assert said.text == "Look at this\n\nPassed on, as Ben wrote it:\n> It is @U0BOT who broke it\n> since noon"
    assert (said.door, [file.name for file in said.files]) == ("message", ["log.txt"])


def test_what_an_alert_says_in_its_card_is_what_it_says() -> None:
    card = {"title": "Disk full", "text": "on db1", "fields": [{"title": "Since", "value": "noon"}], "fallback": "Disk full on db1"}

    said = [parse.words({"text": "", "attachments": [each]}) for each in (card, {"fallback": "Disk full on db1"})]

    assert said == ["Disk full\non db1\nSince: noon", "Disk full on db1"]


def test_a_message_that_says_all_in_blocks_is_read_from_them() -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Disk full"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "on *db1*"}, "fields": [{"type": "mrkdwn", "text": "since noon"}]},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "90 %"}, {"type": "mrkdwn", "text": "high"}]},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
            {"type": "text", "text": "look "}, {"type": "text", "text": "at it", "style": {"bold": True}}, {"type": "text", "text": ": "},
            {"type": "link", "url": "https://x.example"}, {"type": "user", "user_id": "U2"}]}]},
        {"type": "rich_text", "elements": [{"type": "rich_text_list", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": name}]} for name in ("one", "two")]}]},
        {"type": "divider"},
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Silence"}}]},
    ]  # fmt: skip

    told = "Disk full\non *db1* since noon\n90 % high\nlook at it: <https://x.example><@U2>\none\ntwo"
    assert [parse.words({"text": text, "blocks": blocks}) for text in ("", "This content can't be displayed.")] == [told, told]
    assert parse.words({"text": "Disk full", "blocks": blocks}) == "Disk full"
    said = parse.message(event(text="This content can't be displayed.", blocks=blocks), TEAM, BOT)
    assert said
    assert said.text.startswith("Disk full\non *db1*")


def test_an_alert_whose_card_is_all_blocks_is_read_from_them() -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*DB down*"}}]
    card = {"color": "#f00", "blocks": blocks, "fallback": "[no preview available]"}
    passed = {"is_share": True, "author_name": "Ben", "message_blocks": [{"message": {"blocks": blocks}}]}

    said = [parse.words({"text": "This content can't be displayed.", "attachments": [each]}) for each in (card, passed)]

    assert said == ["*DB down*", "Passed on, as Ben wrote it:\n> *DB down*"]


def test_the_preview_of_a_link_is_not_what_somebody_said() -> None:
    assert (
        parse.words({"text": "<https://x.example>", "attachments": [{"from_url": "https://x.example", "text": "Buy!"}]})
        == "<https://x.example>"
    )


def test_what_was_filled_in_is_told_by_its_block() -> None:
    values = {
        "message": {"value": {"type": "plain_text_input", "value": "Hello!"}},
        "empty": {"value": {"type": "plain_text_input", "value": None}},
        "category": {"value": {"type": "static_select", "selected_option": {"value": "feature"}}},
        "nothing": {"value": {"type": "static_select", "selected_option": None}},
        "reasons": {"reasons": {"type": "checkboxes", "selected_options": [{"value": "wrong"}, {"value": "slow"}]}},
        "none": {"reasons": {"type": "checkboxes", "selected_options": []}},
    }

    assert parse.values({"state": {"values": values}}) == {
        "message": ("Hello!",), "empty": (), "category": ("feature",), "nothing": (), "reasons": ("wrong", "slow"), "none": (),
    }  # fmt: skip
    assert parse.values({}) == parse.values({"state": None}) == {}


@pytest.mark.parametrize(
    ("action", "value"),
    [({"value": "s1"}, "s1"), ({"selected_option": {"value": "s1 q1 2"}}, "s1 q1 2"), ({"selected_option": None}, ""), ({}, "")],
)
def test_what_was_pressed_or_picked_is_its_value(action: Json, value: str) -> None:
    assert parse.chosen(action) == value
