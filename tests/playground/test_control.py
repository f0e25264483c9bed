"""The control API: what people do, look at and switch, over HTTP; and what docs/playground.md says of it is so."""

import asyncio
import base64
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.cli.play import playing
from bot.cli.replay import replay
from bot.playground import Slack
from bot.playground.control import LOOKS
from bot.playground.page import Page
from bot.playground.reading import read
from bot.playground.sight import Sight
from bot.playground.tape import FAULTS, PEOPLE
from bot.settings import Settings

from .conftest import Listen

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "playground.md").read_text("utf-8")
FORM = {
    "type": "modal", "callback_id": "f", "title": {"type": "plain_text", "text": "Form"}, "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input", "block_id": "why", "label": {"type": "plain_text", "text": "Why?"},
            "element": {"type": "plain_text_input", "action_id": "value"},
        }
    ],
}  # fmt: skip


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    slack = Slack(ack_seconds=0.3)
    Page(slack, token="secret")
    async with slack:
        yield slack


class Driver:
    """A test driver in any language: it knows nothing but HTTP and JSON."""

    def __init__(self, slack: Slack, http: ClientSession) -> None:
        self.base, self.http = slack.world.url + "/play/secret/control/", http

    async def ask(self, operation: str, /, **args: Any) -> tuple[int, Json]:
        async with self.http.post(self.base + operation, json=args) as response:
            return response.status, await response.json()

    async def do(self, operation: str, /, **args: Any) -> Any:
        status, body = await self.ask(operation, **args)
        assert status == 200, body
        return body["result"]


@pytest.fixture
def driver(slack: Slack, http: ClientSession) -> Driver:
    return Driver(slack, http)


async def test_the_list_of_operations_has_all_that_there_is(driver: Driver) -> None:
    async with driver.http.get(driver.base) as response:
        listed = await response.json()

    assert {*PEOPLE, *FAULTS, *LOOKS} <= listed.keys()
    assert {name for name in vars(Sight) if not name.startswith("_")} - {"changes", "until"} == set(LOOKS)
    assert listed["mention"]["arguments"] == {"text": "needed", "by": "ana", "channel": "general", "thread": None, "files": []}
    assert listed["until"]["about"].startswith("Wait till a look")


async def test_people_talk_and_the_app_answers(driver: Driver, slack: Slack, client: AsyncWebClient) -> None:
    root = await driver.do("mention", text="hello", by="ben")
    await client.chat_postMessage(channel=root["channel"], thread_ts=root["ts"], text="Hello, ben.")

    thread = await driver.do("until", look="thread", channel=root, text="Hello, ben.")

    assert [each["text"] for each in thread] == [f"<@{slack.bot}> hello", "Hello, ben."]
    assert thread == await driver.do("thread", message="m1") == await driver.do("thread", channel="general", ts=root["ts"])


async def test_messages_are_meant_by_name_or_by_what_was_given_out(driver: Driver, slack: Slack) -> None:
    root = await driver.do("say", text="hello")
    await driver.do("react", message=root, name="eyes", by="ben")
    await driver.do("react", message="m1", name="tada", by="ben")
    await driver.do("say", text="by name", thread="m1")
    await driver.do("say", text="by ts", thread=root["ts"])
    await driver.do("say", text="by message", thread=root)

    assert [each["name"] for each in slack.message(root)["reactions"]] == ["eyes", "tada"]
    assert [each["text"] for each in slack.thread(root)[1:]] == ["by name", "by ts", "by message"]


async def test_files_come_by_name_as_text_or_as_base64(driver: Driver, slack: Slack) -> None:
    data = base64.b64encode(b"\x00\x01").decode()
    await driver.do("direct", text="see", files=["a.txt", {"name": "b.txt", "text": "hé"}, {"name": "c.bin", "base64": data}])

    assert [file.content for file in slack.world.files.values()] == [b"content of a.txt", "hé".encode(), b"\x00\x01"]
    assert (await driver.ask("direct", text="x", files=[{"name": "c.bin", "base64": "?"}]))[0] == 400
    assert (await driver.ask("direct", text="x", files=[5]))[0] == 400


async def test_a_form_that_is_not_complete_comes_back_with_its_fields(driver: Driver, slack: Slack, client: AsyncWebClient) -> None:
    await client.views_open(trigger_id=slack.world.trigger(slack.user("ana")), view=FORM)

    status, said = await driver.ask("submit", view="modal:ana", values={"Why?": ""})

    assert (status, said["errors"]) == (422, {"why": "Please complete this required field."})


async def test_slack_misbehaves_on_demand(driver: Driver, client: AsyncWebClient) -> None:
    await driver.do("fail", method="auth.test", retry_after=7)

    with pytest.raises(Exception, match="ratelimited"):
        await client.auth_test()
    calls = await driver.do("made", method="auth.test")

    assert [(call["status"], call["response"]["error"]) for call in calls] == [(429, "ratelimited")]


async def test_all_can_be_looked_at(driver: Driver, slack: Slack, client: AsyncWebClient) -> None:
    root = await driver.do("mention", text="hello")
    await client.agents_sessions_setStatus(channel_id=root["channel"], thread_ts=root["ts"], status="processing", title="Greets")

    assert (await driver.do("status", message="m1"))["session"] == "processing"
    assert await driver.do("titles") == {f"{root['channel']} {root['ts']}": "Greets"}
    assert (await driver.do("envelopes"))[0]["payload"]["event"]["text"] == root["text"]
    assert "ana" in [person["name"] for person in await driver.do("people")]
    assert {"id": slack.channel("secret"), "name": "secret", "kind": "group", "members": ["ana", "ben", "carla"]} in await driver.do(
        "channels"
    )
    assert await driver.do("sockets") == 0
    assert [row["deed"] for row in await driver.do("rows")] == ["mention"]
    assert "hello" in await driver.do("text", message="m1")


async def test_until_waits_for_values_and_for_how_many(driver: Driver, slack: Slack, client: AsyncWebClient) -> None:
    root = await slack.mention("hello")
    values = asyncio.create_task(driver.do("until", look="status", message="m1", equals={"session": "active"}))
    many = asyncio.create_task(driver.do("until", look="thread", message="m1", count=3))
    await client.agents_sessions_setStatus(channel_id=root["channel"], thread_ts=root["ts"], status="active")
    for text in ("one", "two"):
        await client.chat_postMessage(channel=root["channel"], thread_ts=root["ts"], text=text)

    assert (await values)["session"] == "active"
    assert len(await many) == 3


async def test_until_waits_for_a_message_that_is_not_there_yet(driver: Driver, slack: Slack) -> None:
    waiting = asyncio.create_task(driver.do("until", look="message", message="m1", text="hello"))
    await slack.say("hello")

    assert (await waiting)["text"] == "hello"


async def test_until_gives_up_with_a_picture(driver: Driver) -> None:
    await driver.do("say", text="hello")

    status, said = await driver.ask("until", look="thread", message="m1", text="goodbye", seconds=0.05)

    assert status == 408
    assert said["error"].startswith("not within 0.05 s; the newest messages and calls:\n  #general")


@pytest.mark.parametrize(
    ("operation", "args", "status", "sentence"),
    [
        ("dance", {}, 404, "there is no operation 'dance'; there are say, mention,"),
        ("say", {}, 400, 'say: missing a required argument: \'text\'; it takes {"text": "needed", "by": "ana"'),
        ("say", {"text": "x", "loud": True}, 400, "say: got an unexpected keyword argument 'loud'; it takes"),
        ("say", {"text": 5}, 400, "say: an argument is not of the right kind ("),
        ("delay", {"seconds": "long"}, 422, "could not convert string to float: 'long'"),
        ("say", {"text": "x", "by": "nobody"}, 422, "there is nobody called 'nobody'; there are frontdesk, ana"),
        ("say", {"text": "x", "by": "eve", "channel": "secret"}, 422, "eve is not in #secret and cannot write there"),
        ("react", {"message": "m9", "name": "eyes"}, 422, "there is no 'm9' yet, or not any more"),
        ("press", {"message": "modal:ana", "what": "Go"}, 422, "there is no 'modal:ana' yet, or not any more"),
        ("until", {"look": "say"}, 400, "until: there is no look 'say'; there are thread"),
        ("until", {"look": "home", "user": "ana", "wrong": 1}, 400, "home: got an unexpected keyword argument 'wrong'"),
    ],
)
async def test_what_cannot_be_done_is_told_in_words(driver: Driver, operation: str, args: Json, status: int, sentence: str) -> None:
    answer = await driver.ask(operation, **args)

    assert answer[0] == status
    assert answer[1]["error"].startswith(sentence)


@pytest.mark.parametrize(("body", "sentence"), [("{", "the body is not JSON"), ("[]", "the body has to be a JSON object")])
async def test_a_body_that_is_no_object(driver: Driver, body: str, sentence: str) -> None:
    async with driver.http.post(driver.base + "say", data=body) as response:
        assert response.status == 400
        assert (await response.json())["error"].startswith(sentence)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/play/wrong/control/", {}, 404),
        ("/play/secret/control/", {"Host": "evil.example"}, 403),
        ("/play/secret/control/", {"Origin": "http://evil.example"}, 403),
    ],
)
async def test_others_are_not_let_in(slack: Slack, http: ClientSession, path: str, headers: Json, status: int) -> None:
    async with http.get(slack.world.url + path, headers=headers) as got, http.post(slack.world.url + path + "say", headers=headers) as post:
        assert (got.status, post.status) == (status, status)
    assert not slack.messages("general")


async def test_reset_takes_everything_away(driver: Driver, slack: Slack, client: AsyncWebClient) -> None:
    await driver.do("add_person", name="fred")
    await driver.do("say", text="hello")
    await driver.do("direct", text="psst", files=["a.txt"])
    await client.chat_postEphemeral(channel=slack.channel("general"), user=slack.user("ana"), text="Only you.")
    await client.views_open(trigger_id=slack.world.trigger(slack.user("ana")), view=FORM)
    await client.assistant_threads_setSuggestedPrompts(channel_id=slack.dm("ana"), prompts=[{"title": "a", "message": "b"}])
    await driver.do("look", channel="random")
    slack.world.offers["U0ANA", "who"] = {"ben": {"value": "ben"}}
    await driver.do("go_down", seconds=60)
    await driver.do("revoke", scope="chat:write")
    await driver.do("reset")

    seen = [slack.messages("general"), slack.messages("@ana"), slack.messages("general", replies=False), slack.ephemerals("ana")]
    seen += [slack.modals("ana"), slack.prompts("ana"), slack.envelopes, slack.calls]
    assert seen == [[]] * 8
    assert (await client.conversations_history(channel=slack.channel("general")))["messages"] == []
    assert "app_context" not in await driver.do("direct", text="psst")
    assert not slack.world.offers
    await driver.do("reset")
    assert (await driver.do("say", text="anew", by="fred"))["ts"] == slack.message(await driver.do("message", message="m1"))["ts"]
    assert (await client.chat_postMessage(channel=slack.channel("general"), text="Up again."))["ok"]


async def test_what_waits_for_an_answer_does_not_come_again_after_a_reset(driver: Driver, slack: Slack, listen: Listen) -> None:
    ear = await listen(acks=False)
    await driver.do("say", text="before")
    pressed = asyncio.create_task(slack.command("/triage"))
    await slack.until(lambda: len(ear.envelopes) == 2)

    await driver.do("reset")
    assert (await pressed).state == "forgotten"
    await driver.do("say", text="after")

    await slack.until(lambda: [each["payload"]["event"]["text"] for each in ear.envelopes[2:]] == ["after", "after"])
    assert slack.ephemerals("ana") == []


# ---- what the docs say ----


def fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)


async def test_the_examples_for_the_shell_run() -> None:
    script = "".join(code for code in fences("bash") if "${PLAY}" in code)
    async with playing(Settings(agents_dir=ROOT / "agents"), 0) as (page, _):
        shell = await asyncio.create_subprocess_exec(
            "bash", "-euc", script, env={"PLAY": page.url, "PATH": "/usr/bin:/bin"},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said = (await shell.communicate())[0].decode()

    assert shell.returncode == 0, said
    assert "You answered: blue" in said


@pytest.mark.parametrize("code", fences("python"), ids=lambda code: re.findall(r"def (\w+)", code)[0])
async def test_the_examples_in_python_run(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: Json = {}
    exec(compile(code, "docs/playground.md", "exec"), names)

    for name in [name for name in names if name.startswith("test_")]:
        await names[name]()


async def test_play_in_the_shell_is_recorded_and_done_again(agents: Path, tmp_path: Path, http: ClientSession) -> None:
    file = tmp_path / "bug.jsonl"
    command = [sys.executable, "-m", "bot", "play", "--port", "0", "--record", str(file)]
    play = await asyncio.create_subprocess_exec(
        *command, env={"PATH": "/usr/bin:/bin", "AGENTS_DIR": str(agents)}, cwd=ROOT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert play.stdout is not None
    found: list[str] = []
    async with asyncio.timeout(50):  # it starts slowly on a machine that is busy
        while not found:
            found = re.findall(r"http://\S+/", (await play.stdout.readline()).decode())
    for operation, args in (
        ("mention", {"text": "hello"}),
        ("until", {"look": "thread", "message": "m1", "text": "You said: hello", "seconds": 20}),
    ):
        async with http.post(f"{found[0]}control/{operation}", json=args) as response:
            assert response.status == 200
    play.send_signal(signal.SIGINT)
    await play.communicate()

    assert play.returncode == 0
    assert [row.deed for row in read(file).rows] == ["mention"]
    assert await replay(file) == ""
