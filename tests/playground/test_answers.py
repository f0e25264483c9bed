"""Contract: each answer of the Web API has at least the keys and types of Slack's own."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack

from .conftest import Json
from .shapes import BOT, FILE, HOME, MODAL, PLACE, POSTED, REPLY, SOME, TEAM, TS, TYPED, URL, USER, Shape, wrong
from .test_clicks import actions, button
from .test_contract import FIELD, FORM, posted

Call = Callable[[Slack, AsyncWebClient], Awaitable[Any]]

TEXT = {"type": "markdown_text", "text": "I am"}
OK = {"ok": True}
PAGED = OK | {"response_metadata": {"next_cursor": str}}
TOPIC = {"value": str, "creator": str, "last_set": int}
CHANNEL = {
    "id": PLACE, "name": SOME, "is_channel": bool, "is_group": bool, "is_im": bool, "is_mpim": bool, "is_private": bool, "created": int,
    "is_archived": bool, "is_general": bool, "name_normalized": SOME, "is_shared": bool, "is_org_shared": bool,
    "is_pending_ext_shared": bool, "context_team_id": TEAM, "creator": USER, "is_ext_shared": bool, "shared_team_ids": [TEAM],
    "is_member": bool, "topic": TOPIC, "purpose": TOPIC, "previous_names": list,
}  # fmt: skip
PROFILE = {"real_name": SOME, "display_name": str, "email": SOME, "team": TEAM}
PERSON = {
    "id": USER, "team_id": TEAM, "name": SOME, "deleted": bool, "real_name": SOME, "tz": SOME, "tz_label": SOME, "tz_offset": int,
    "profile": PROFILE, "is_admin": bool, "is_owner": bool, "is_primary_owner": bool, "is_restricted": bool, "is_ultra_restricted": bool,
    "is_bot": bool, "is_app_user": bool, "updated": int,
}  # fmt: skip
GROUP = {
    "id": SOME, "team_id": TEAM, "is_usergroup": True, "name": SOME, "description": str, "handle": SOME, "is_external": bool,
    "date_create": int, "date_update": int, "date_delete": int, "created_by": USER, "user_count": int,
}  # fmt: skip
FILED = {"id": FILE, "created": int, "name": SOME, "title": str, "mimetype": SOME, "size": int, "url_private": URL, "permalink": URL}
ROOT = TYPED | {"reply_count": 1, "reply_users_count": 1, "latest_reply": TS, "reply_users": [USER], "is_locked": bool, "subscribed": bool}


async def thread(slack: Slack) -> Json:
    """The ids of a thread with one reply of a person."""
    root = await slack.mention("hello")
    await slack.say("and?", by="ben", thread=root)
    return {"channel": root["channel"], "thread_ts": root["ts"]}


async def tested(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.auth_test()


async def connected(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.apps_connections_open(app_token=slack.app_token)


async def sent(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.chat_postMessage(**await thread(slack), text="hello", blocks=actions(button("Go", "go")))


async def whispered(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.chat_postEphemeral(channel=slack.channel("general"), user=slack.user("ana"), text="hello")


async def updated(slack: Slack, client: AsyncWebClient) -> Any:
    message = await posted(slack, client, *actions(button("Go", "go")))
    return await client.chat_update(channel=message["channel"], ts=message["ts"], text="done")


async def deleted(slack: Slack, client: AsyncWebClient) -> Any:
    message = await posted(slack, client, *actions(button("Go", "go")))
    return await client.chat_delete(channel=message["channel"], ts=message["ts"])


async def linked(slack: Slack, client: AsyncWebClient) -> Any:
    root = await slack.mention("hello")
    return await client.chat_getPermalink(channel=root["channel"], message_ts=root["ts"])


async def started(slack: Slack, client: AsyncWebClient) -> Any:
    ids, who = await thread(slack), slack.user("ana")
    place = {"channel": ids["channel"], "thread_ts": ids["thread_ts"]}
    return await client.chat_startStream(**place, recipient_team_id=slack.team, recipient_user_id=who, chunks=[TEXT])


async def appended(slack: Slack, client: AsyncWebClient) -> Any:
    stream = await started(slack, client)
    return await client.chat_appendStream(channel=stream["channel"], ts=stream["ts"], chunks=[TEXT])


async def finished(slack: Slack, client: AsyncWebClient) -> Any:
    stream = await started(slack, client)
    return await client.chat_stopStream(channel=stream["channel"], ts=stream["ts"], chunks=[TEXT])


async def listed(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.conversations_list()


async def known(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.conversations_info(channel=slack.channel("partners"))


async def joined(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.conversations_members(channel=slack.channel("general"))


async def remembered(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.conversations_history(channel=(await thread(slack))["channel"])


async def followed(slack: Slack, client: AsyncWebClient) -> Any:
    ids = await thread(slack)
    return await client.conversations_replies(channel=ids["channel"], ts=ids["thread_ts"], oldest=ids["thread_ts"])


async def opened(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.conversations_open(users=slack.user("ana"), return_im=True)


async def met(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.users_info(user=slack.user("ana"))


async def counted(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.users_list()


async def found(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.users_conversations(user=slack.user("ana"))


async def grouped(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.usergroups_list(include_users=True)


async def in_group(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.usergroups_users_list(usergroup=slack.world.group("platform").id)


async def reacted(slack: Slack, client: AsyncWebClient) -> Any:
    root = await slack.mention("hello")
    return await client.reactions_add(channel=root["channel"], timestamp=root["ts"], name="eyes")


async def reactions(slack: Slack, client: AsyncWebClient) -> Any:
    root = await slack.mention("hello")
    await slack.react(root, "eyes")
    return await client.reactions_get(channel=root["channel"], timestamp=root["ts"])


async def promised(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.files_getUploadURLExternal(filename="log.txt", length=4)


async def uploaded(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.files_upload_v2(content="boom", filename="log.txt", channel=slack.channel("general"))


async def asked(slack: Slack, client: AsyncWebClient) -> Any:
    await slack.shortcut("ask")
    return await client.views_open(trigger_id=slack.envelopes[-1].payload["trigger_id"], view=FORM | {"blocks": [FIELD]})


async def changed(slack: Slack, client: AsyncWebClient) -> Any:
    view = (await asked(slack, client))["view"]
    return await client.views_update(view_id=view["id"], hash=view["hash"], view=FORM | {"blocks": [FIELD]})


async def published(slack: Slack, client: AsyncWebClient) -> Any:
    return await client.views_publish(user_id=slack.user("ana"), view={"type": "home", "blocks": actions(button("Go", "go"))})


async def said_busy(slack: Slack, client: AsyncWebClient) -> Any:
    ids = await thread(slack)
    return await client.assistant_threads_setStatus(channel_id=ids["channel"], thread_ts=ids["thread_ts"], status="thinks …")


async def session(slack: Slack, client: AsyncWebClient) -> Any:
    ids = await thread(slack)
    return await client.agents_sessions_setStatus(channel_id=ids["channel"], thread_ts=ids["thread_ts"], status="processing", title="T")


async def titled(slack: Slack, client: AsyncWebClient) -> Any:
    await session(slack, client)
    call = slack.made("agents.sessions.setStatus")[-1].args
    return await client.agents_sessions_rename(channel_id=call["channel_id"], thread_ts=call["thread_ts"], title="New")


STREAM = OK | {"channel": PLACE, "ts": TS}
ANSWERS: dict[str, tuple[Call, Shape]] = {
    "auth.test": (tested, OK | {
        "url": URL, "team": SOME, "user": SOME, "team_id": TEAM, "user_id": USER, "bot_id": BOT, "is_enterprise_install": bool,
    }),
    "apps.connections.open": (connected, OK | {"url": URL}),
    "chat.postMessage": (sent, STREAM | {"message": POSTED | REPLY | {"blocks": [{"type": SOME, "block_id": SOME}]}}),
    "chat.postEphemeral": (whispered, OK | {"message_ts": TS}),
    "chat.update": (updated, STREAM | {"text": "done", "message": POSTED | {"edited": {"user": USER, "ts": TS}}}),
    "chat.delete": (deleted, STREAM),
    "chat.getPermalink": (linked, OK | {"channel": PLACE, "permalink": URL}),
    "chat.startStream": (started, STREAM),
    "chat.appendStream": (appended, STREAM),
    "chat.stopStream": (finished, STREAM | {"message": POSTED}),
    "conversations.list": (listed, PAGED | {"channels": [CHANNEL]}),
    "conversations.info": (known, OK | {"channel": CHANNEL | {"connected_team_ids": [TEAM]}}),
    "conversations.members": (joined, PAGED | {"members": [USER]}),
    "conversations.history": (remembered, OK | {"messages": [ROOT], "has_more": False, "pin_count": int}),
    "conversations.replies": (followed, OK | {"messages": [TYPED | {"thread_ts": TS}], "has_more": False}),
    "conversations.open": (opened, OK | {
        "no_op": bool, "already_open": bool, "channel": {"id": PLACE, "created": int, "is_im": True, "is_org_shared": bool, "user": USER},
    }),
    "users.info": (met, OK | {"user": PERSON}),
    "users.list": (counted, PAGED | {"members": [PERSON], "cache_ts": int}),
    "users.conversations": (found, PAGED | {"channels": [CHANNEL]}),
    "usergroups.list": (grouped, OK | {"usergroups": [GROUP | {"users": [USER]}]}),
    "usergroups.users.list": (in_group, OK | {"users": [USER]}),
    "reactions.add": (reacted, OK),
    "reactions.get": (reactions, OK | {
        "type": "message", "channel": PLACE, "message": TYPED | {"reactions": [{"name": "eyes", "users": [USER], "count": 1}]},
    }),
    "files.getUploadURLExternal": (promised, OK | {"upload_url": URL, "file_id": FILE}),
    "files.completeUploadExternal": (uploaded, OK | {"files": [FILED]}),
    "views.open": (asked, OK | {"view": MODAL}),
    "views.update": (changed, OK | {"view": MODAL}),
    "views.publish": (published, OK | {"view": HOME}),
    "assistant.threads.setStatus": (said_busy, OK),
    "agents.sessions.setStatus": (session, OK | {"status": "processing", "agent_status": "processing", "title": "T"}),
    "agents.sessions.rename": (titled, OK | {"title": "New"}),
}  # fmt: skip


@pytest.mark.parametrize("method", ANSWERS)
async def test_a_method_answers_as_slack_does(slack: Slack, client: AsyncWebClient, method: str) -> None:
    call, shape = ANSWERS[method]

    answer = await call(slack, client)

    assert sorted(wrong(shape, answer.data)) == []


async def test_a_refusal_is_told_as_slack_tells_it(slack: Slack, client: AsyncWebClient) -> None:
    slack.revoke("chat:write")

    answer = await slack_says(client, "chat.postMessage", channel="general", text="hello")

    assert sorted(wrong({"ok": False, "error": "missing_scope", "needed": "chat:write", "provided": str}, answer)) == []


async def test_a_wrong_argument_is_told_as_slack_tells_it(client: AsyncWebClient) -> None:
    answer = await slack_says(client, "views.publish", user_id="U1", view={"type": "home", "blocks": [{"type": "fancy"}]})

    assert sorted(wrong({"ok": False, "error": "invalid_arguments", "response_metadata": {"messages": [SOME]}}, answer)) == []


async def slack_says(client: AsyncWebClient, method: str, **args: Any) -> Json:
    """The answer as it came, whether it is a refusal or not."""
    assert client.session is not None
    headers = {"Authorization": f"Bearer {client.token}"}
    async with client.session.post(client.base_url + method, json=args, headers=headers) as response:
        return dict(await response.json())
