"""Our messages: what somebody deleted, what is said of it then, and where last words go that no thread takes any more."""

import pytest

from bot.message import Message, Person
from bot.playground import Slack
from bot.playground.things import Json
from bot.session import Session
from bot.slack.calls import Client
from bot.slack.outbox import Outbox
from bot.slack.stream import Streams
from bot.slack.view import View, markdown, section
from bot.slack.writer import Refused
from bot.store.sql import SqlStore
from tests.slack.conftest import talk, texts

OPEN, CLOSED = (View(text, (section(text),)) for text in ("Which?", "ana answered: B"))


@pytest.fixture
def outbox(client: Client, store: SqlStore) -> Outbox:
    return Outbox(client, store, Streams(client, client.budget, lambda: True, lambda thread: None))


async def said(slack: Slack, outbox: Outbox, slot: str) -> Json:
    """A message of ours; the root of its thread."""
    root = await slack.say("Look at this")
    session = Session("s1", "helper", f"slack:T1:{root['channel']}:{root['ts']}", Person("U1ANA"), str(root["channel"]))
    await outbox.open(session, 0)
    outbox.differs(slot, session, OPEN)
    await outbox.send(slot, OPEN)
    return root


async def said_and_deleted(slack: Slack, outbox: Outbox, slot: str) -> Json:
    """A message of ours that somebody deletes; the root of its thread."""
    root = await said(slack, outbox, slot)
    await outbox.client.chat_delete(channel=root["channel"], ts=outbox.posts[slot].ts)
    return root


async def archived(slack: Slack, outbox: Outbox) -> None:
    """Ana began a thread, Ben has asked in it, and then its channel was archived."""
    root = await slack.say("Look at this")
    ana, ben = (Person(slack.user(name)) for name in ("ana", "ben"))
    session = Session("s1", "helper", f"slack:T1:{root['channel']}:{root['ts']}", ana, str(root["channel"]))
    await outbox.open(session, 0)
    outbox.differs("s1:1:0", session.begin([Message("m1", session.thread, session.channel, ben, "Which?")]), CLOSED)
    await slack.archive("general")


def told(slack: Slack, name: str) -> list[str]:
    return [slack.text(message) for message in slack.messages(slack.dm(name))]


async def test_a_card_that_somebody_deleted_is_not_said_anew_however_often_it_changes(slack: Slack, outbox: Outbox) -> None:
    root = await said_and_deleted(slack, outbox, "s1:q:one")

    for _ in range(2):  # whoever takes the answer closes it, and so does the turn that goes on
        await outbox.send("s1:q:one", CLOSED)

    assert texts(slack, root) == []


async def test_an_answer_that_somebody_deleted_is_said_anew(slack: Slack, outbox: Outbox) -> None:
    root = await said_and_deleted(slack, outbox, "s1:1:0")

    with pytest.raises(Refused, match="message_not_found"):
        await outbox.send("s1:1:0", CLOSED)
    await outbox.send("s1:1:0", CLOSED)

    assert texts(slack, root) == ["ana answered: B"]


async def test_an_answer_whose_blocks_slack_does_not_replace_is_said_anew_and_stands_there_once(slack: Slack, outbox: Outbox) -> None:
    root = await said(slack, outbox, "s1:1:0")
    slack.fail("chat.update", error="block_mismatch")

    with pytest.raises(Refused, match="block_mismatch"):
        await outbox.send("s1:1:0", CLOSED)
    await outbox.send("s1:1:0", CLOSED)

    assert texts(slack, root) == ["ana answered: B"]


async def test_last_words_that_no_thread_takes_go_to_whoever_asked_this_time(slack: Slack, outbox: Outbox) -> None:
    await archived(slack, outbox)

    with pytest.raises(Refused, match="is_archived"):
        await outbox.send("s1:1:0", CLOSED)

    assert told(slack, "ana") == []
    assert ["This was for you" in text and "ana answered: B" in text for text in told(slack, "ben")] == [True]


async def test_last_words_that_cannot_be_brought_now_are_brought_later(slack: Slack, outbox: Outbox) -> None:
    await archived(slack, outbox)
    slack.fail("conversations.open", status=503)

    with pytest.raises(Refused) as refused:
        await outbox.send("s1:1:0", CLOSED)
    with pytest.raises(Refused, match="is_archived"):
        await outbox.send("s1:1:0", CLOSED)

    assert (refused.value.after, len(told(slack, "ben"))) == (1.0, 1)


@pytest.mark.parametrize("error", ["restricted_action_read_only_channel", "restricted_action_non_threadable_channel", "never_heard_of"])
async def test_last_words_that_a_channel_does_not_take_go_to_whoever_asked(slack: Slack, outbox: Outbox, error: str) -> None:
    await archived(slack, outbox)
    slack.fail("chat.postMessage", error=error)

    with pytest.raises(Refused, match=error):
        await outbox.send("s1:1:0", CLOSED)

    assert ["ana answered: B" in text for text in told(slack, "ben")] == [True]


async def test_last_words_are_brought_elsewhere_once_where_nobody_hears_that_they_were(slack: Slack, outbox: Outbox) -> None:
    root = await slack.say("Look at this")
    ana = Person(slack.user("ana"))
    session = Session("s1", "helper", f"slack:T1:{root['channel']}:{root['ts']}", ana, str(root["channel"]))
    await outbox.open(session, 0)
    outbox.differs("s1:1:0", session.begin([Message("m1", session.thread, session.channel, ana, "Which?")]), CLOSED)
    slack.fail("chat.postMessage", error="is_archived")
    slack.fail("chat.postMessage", after=True)
    with pytest.raises(Refused, match="internal_error"):
        await outbox.send("s1:1:0", CLOSED)
    slack.fail("chat.postMessage", error="is_archived")

    with pytest.raises(Refused, match="is_archived"):
        await outbox.send("s1:1:0", CLOSED)

    assert len(told(slack, "ana")) == 1


async def test_a_card_that_was_brought_elsewhere_shows_how_it_ended(slack: Slack, outbox: Outbox) -> None:
    root = await slack.say("Look at this")
    session = Session("s1", "helper", f"slack:T1:{root['channel']}:{root['ts']}", Person(slack.user("ben")), str(root["channel"]))
    await outbox.open(session, 0)
    for view in (OPEN, CLOSED):
        outbox.differs("s1:q:one", session, view)
        slack.fail("chat.postMessage", error="is_archived")
        with pytest.raises(Refused, match="is_archived"):
            await outbox.send("s1:q:one", view)

    assert ["ana answered: B" in text for text in told(slack, "ben")] == [True]


async def test_an_answer_whose_blocks_slack_refuses_is_said_in_plain_words_to_its_end(slack: Slack, outbox: Outbox) -> None:
    root = await slack.say("Look at this")
    session = Session("s1", "helper", f"slack:T1:{root['channel']}:{root['ts']}", Person("U1ANA"), str(root["channel"]))
    await outbox.open(session, 0)
    long = View("It begins", (markdown("It begins " + "and goes on " * 700 + "and ends."),))
    outbox.differs("s1:1:0", session, long)
    slack.fail("chat.postMessage", error="invalid_blocks")

    await outbox.send("s1:1:0", long)

    [message] = slack.thread(root)[1:]
    assert "".join(block["text"]["text"] for block in message["blocks"]).endswith("and ends.")


async def test_of_two_messages_that_replicas_sent_for_the_same_one_stays_and_shows_the_last_word(slack: Slack, outbox: Outbox) -> None:
    other = Outbox(outbox.client, outbox.journal, outbox.streams)
    root = await slack.say("Look at this")
    session = Session("s1", "helper", f"slack:T1:{root['channel']}:{root['ts']}", Person("U1ANA"), str(root["channel"]))
    for each in (outbox, other):
        each.differs("s1:1:0", session, OPEN)
    outbox.posts["s1:1:0"] = await outbox.journal.reserve("s1:1:0", "s1", session.thread)  # before the other has said it
    await other.send("s1:1:0", OPEN)

    with pytest.raises(Refused, match="another stands there"):
        await outbox.send("s1:1:0", CLOSED)
    await outbox.send("s1:1:0", CLOSED)

    assert texts(slack, root) == ["ana answered: B"]


async def test_what_is_found_again_at_the_end_of_a_very_long_thread_is_not_said_twice(slack: Slack, outbox: Outbox) -> None:
    root = await slack.say("Look at this")
    await talk(slack, root, 1400)
    session = Session("s1", "helper", f"slack:T1:{root['channel']}:{root['ts']}", Person("U1ANA"), str(root["channel"]))
    await outbox.open(session, 0)
    outbox.differs("s1:1:0", session, CLOSED)
    slack.fail("chat.postMessage", after=True)

    with pytest.raises(Refused, match="internal_error"):
        await outbox.send("s1:1:0", CLOSED)
    await outbox.send("s1:1:0", CLOSED)

    assert texts(slack, root).count("ana answered: B") == 1


@pytest.mark.parametrize("error", ["token_revoked", "token_expired", "account_inactive", "invalid_auth"])
async def test_last_words_wait_for_a_token_that_is_taken(slack: Slack, outbox: Outbox, error: str) -> None:
    root = await said(slack, outbox, "s1:1:0")
    slack.fail("chat.update", error=error)

    with pytest.raises(Refused) as refused:
        await outbox.send("s1:1:0", CLOSED)
    await outbox.send("s1:1:0", CLOSED)

    assert (refused.value.after, texts(slack, root)) == (15.0, ["ana answered: B"])
