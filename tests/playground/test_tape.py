"""What people do is kept with names instead of ids, as one file that can be carried elsewhere and done again."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot import cli
from bot.cli.play import playing
from bot.cli.replay import replay
from bot.errors import ConfigError
from bot.playground import Slack
from bot.playground.click import Click
from bot.playground.faults import Trouble
from bot.playground.page import Page
from bot.playground.reading import read
from bot.playground.recording import FILE_BYTES, Recorder, recorded, secrets_in
from bot.playground.replay import alike, masked
from bot.playground.sights import Line, Shown
from bot.playground.talk import Talk
from bot.playground.tape import FAULTS, FURNITURE, PEOPLE, Tape
from bot.playground.visit import Visit
from bot.playground.web import Call
from bot.settings import Settings

Json = dict[str, Any]
Connect = Callable[[AsyncApp], Awaitable[AsyncSocketModeHandler]]
YES, NO = (
    {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": value}
    for value in ("first 17", "second 17")
)
ANSWERS = [{"type": "actions", "block_id": "first", "elements": [YES]}, {"type": "actions", "block_id": "second", "elements": [NO]}]


@pytest.fixture
def tape(slack: Slack) -> Tape:
    return Tape(slack)


def public(*parts: type) -> set[str]:
    return {name for part in parts for name in vars(part) if not name.startswith("_")}


def kept(tape: Tape) -> list[tuple[Any, ...]]:
    return [(row.deed, row.by, row.args, row.made) for row in tape.rows]


# ---- rows ----


def test_all_that_people_can_do_is_kept() -> None:
    assert public(Talk, Click, Visit) == set(PEOPLE)
    assert public(Trouble) == set(FAULTS)
    assert all(callable(getattr(Slack, name)) for name in FURNITURE)


async def test_people_channels_and_messages_have_names(slack: Slack, client: AsyncWebClient, tape: Tape) -> None:
    root = await slack.say(f"<@{slack.bot}> hello", slack.user("ben"), slack.channel("reviews"))
    said = await client.chat_postMessage(channel=root["channel"], thread_ts=root["ts"], text="Hello, ben.")
    await slack.react({"channel": said["channel"], "ts": said["ts"]}, "eyes", "carla")
    reply = await slack.say("thanks", "ben", slack.channel("reviews"), root["ts"])
    await slack.edit(reply, "thank you")
    await slack.say("psst", "ana", slack.dm("ana"), files=["a.txt", ("b.txt", b"b")])

    assert kept(tape) == [
        ("mention", "ben", {"text": "hello", "channel": "reviews"}, "m1"),
        ("react", "carla", {"message": "m1.1", "name": "eyes"}, ""),
        ("say", "ben", {"text": "thanks", "channel": "reviews", "thread": "m1"}, "m2"),
        ("edit", "ben", {"message": "m2", "text": "thank you"}, ""),
        ("direct", "ana", {"text": "psst", "files": [["a.txt", b"content of a.txt"], ["b.txt", b"b"]]}, "m3"),
    ]


async def test_what_the_app_posts_of_itself_has_a_name_too(slack: Slack, client: AsyncWebClient, tape: Tape) -> None:
    await client.chat_postMessage(channel=slack.channel("general"), text="One.")
    two = await client.chat_postMessage(channel=slack.channel("general"), text="Two.")
    below = await client.chat_postMessage(channel=slack.channel("general"), thread_ts=two["ts"], text="Below.")
    await client.chat_postEphemeral(channel=slack.channel("general"), user=slack.user("ana"), text="Only you.")

    names = tape.names
    called = [names.of({"channel": two["channel"], "ts": each["ts"]}) for each in (two, below)] + [names.of(slack.ephemerals("ana")[0])]

    assert called == ["#general.2", "#general.2.1", "ana!1"]
    assert [slack.text(names.find(name)) for name in called] == ["Two.", "Below.", "Only you."]


async def test_a_button_is_told_by_its_text_and_its_block_where_there_are_two(
    slack: Slack, client: AsyncWebClient, app: AsyncApp, connect: Connect, tape: Tape
) -> None:
    async def pressed(ack: Any) -> None:
        await ack()

    app.action("go")(pressed)
    await connect(app)
    for blocks in (ANSWERS[:1], ANSWERS):
        await client.chat_postMessage(channel=slack.channel("general"), text="Go?", blocks=blocks)
    one, two = slack.messages("general")
    await slack.press(one, "go", "ana", "first 17", "first")
    await slack.press(two, "go", "ana", "second 17", "second")

    assert [row.args for row in tape.rows] == [
        {"message": "#general.1", "what": "Go"},
        {"message": "#general.2", "what": "Go", "block": "second"},
    ]


async def test_what_slack_refuses_is_no_row(slack: Slack, tape: Tape) -> None:
    with pytest.raises(ValueError, match="cannot write there"):
        await slack.say("let me in", "eve", "secret")
    root = await slack.say("hello")

    assert kept(tape) == [("say", "ana", {"text": "hello"}, "m1")]
    assert tape.names.find("m1")["ts"] == root["ts"]


async def test_what_makes_no_sense_is_no_row(slack: Slack, tape: Tape) -> None:
    with pytest.raises(TypeError):
        await slack.say("hello", files=[5])  # type: ignore[list-item]

    assert tape.rows == []


async def test_two_tapes_of_one_workspace_keep_the_same(slack: Slack, tape: Tape) -> None:
    other = Tape(slack)
    await slack.mention("hello")

    assert kept(tape) == kept(other) == [("mention", "ana", {"text": "hello"}, "m1")]


async def test_a_row_tells_what_had_come_into_sight_before_it(slack: Slack, client: AsyncWebClient, tape: Tape) -> None:
    root = await slack.say("hello", "ana")
    await client.chat_postMessage(channel=root["channel"], thread_ts=root["ts"], text="Go?", blocks=ANSWERS[:1])
    await slack.say("well", "ana", thread=root)

    assert [row.before for row in tape.rows] == [{}, {"m1": Shown((Line("ana", "hello"), Line("frontdesk", "Go", ("Go",))))}]


async def test_faults_and_newcomers_are_rows(slack: Slack, tape: Tape) -> None:
    slack.add_person("fred", is_restricted=True)
    slack.add_channel("ops", (name for name in ("ana", "fred")))
    slack.fail("chat.update", retry_after=3)

    assert kept(tape) == [
        ("add_person", "", {"name": "fred", "is_restricted": True}, ""),
        ("add_channel", "", {"name": "ops", "members": ["ana", "fred"]}, ""),
        ("fail", "", {"method": "chat.update", "retry_after": 3}, ""),
    ]
    assert slack.world.channel("ops").members.keys() == {slack.user("ana"), slack.user("fred")}


# ---- one file ----


@asynccontextmanager
async def play(settings: Settings, file: Path) -> AsyncIterator[Page]:
    async with playing(settings, 0) as (page, _), recorded(page.tape, file, settings, {}):
        yield page


async def settled(slack: Slack, root: Json, text: str) -> Json:
    """The bot's newest message in the thread, once it says this and the bot has finished."""

    def ready() -> list[Json]:
        return [each for each in slack.thread(root)[1:] if text in slack.text(each) and slack.status(root)["session"] != "processing"]

    return (await slack.until(ready, 20))[-1]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "play.jsonl"


async def test_a_session_of_play_is_done_again(agents: Path, file: Path) -> None:
    async with play(Settings(agents_dir=agents), file) as page:
        slack = page.slack
        root = await slack.mention("!ask Which colour? | red | blue\n!cost 1.5\n!say You chose {answer}\n!ask Why?", "ben")
        await slack.press(await settled(slack, root, "blue"), "blue", "ben")
        await settled(slack, root, "You chose blue")
        await slack.press(await settled(slack, root, "Why?"), "reply", "ben")
        form = (await slack.until(lambda: slack.modals("ben")))[0]
        await slack.submit(form, {"Why?": "it is the sea’s"}, "ben")
        await settled(slack, root, "You answered: it is the sea’s")
        slack.fail("chat.postMessage", retry_after=1)
        await settled(slack, await slack.direct("hello"), "You said: hello")

    assert [row.deed for row in read(file).rows] == ["mention", "press", "press", "submit", "fail", "direct"]
    assert await replay(file) == ""


def correct(file: Path, old: str, new: str) -> None:
    file.write_text(file.read_text().replace(old, new))


def write(file: Path, *lines: Any) -> None:
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))


def text(file: Path) -> str:
    return file.read_text()


@pytest.fixture
async def hello(agents: Path, file: Path) -> Path:
    """A recording of one question with its answer."""
    async with play(Settings(agents_dir=agents), file) as page:
        root = await page.slack.mention("!ask Which? | red | blue")
        await page.slack.press(await settled(page.slack, root, "blue"), "blue")
        await settled(page.slack, root, "You answered: blue")
    return file


async def test_what_differs_is_shown(hello: Path) -> None:
    correct(hello, "You answered: blue", "You answered: navy")

    difference = await replay(hello, patience=2)

    assert "== m1 (ana: '@U0FRONTDESK !ask Which? | red | blue')" in difference
    assert "-frontdesk: You answered: navy\n+frontdesk: You answered: blue\n" in difference


async def test_a_deed_that_cannot_be_done_any_more_is_told(hello: Path) -> None:
    correct(hello, '"what": "blue"', '"what": "green"')

    difference = await replay(hello, patience=0.5)

    assert difference.startswith(
        "2. ana press (message 'm1.2', what 'green'): there is no 'green' that ana could press; there is red, blue"
    )


async def test_messages_that_overtook_one_another_are_the_same(hello: Path) -> None:
    correct(hello, '"message": "m1.2", "what": "blue"', '"message": "m1.1", "what": "blue"')

    assert await replay(hello) == ""


def test_what_one_wrote_in_a_row_may_stand_in_any_order() -> None:
    hi, one, two = Line("ana", "hi"), Line("frontdesk", "one"), Line("frontdesk", "two")

    assert alike(Shown((hi, one, two)), Shown((hi, two, one)))
    assert not alike(Shown((hi, one, two)), Shown((one, hi, two)))


def test_how_it_went_is_no_difference() -> None:
    hi, went, one = Line("ana", "hi"), Line("frontdesk", "Done in 3 s · 2 steps · $0.10", ("Steps",)), Line("frontdesk", "one")

    assert alike(Shown((hi, went, one)), Shown((hi, one)))


async def test_an_agents_file_that_was_changed_is_changed_again(agents: Path, file: Path) -> None:
    async with playing(Settings(agents_dir=agents), 0) as (page, desk), recorded(page.tape, file, Settings(agents_dir=agents), {}):
        slack = page.slack
        await settled(slack, await slack.mention("one"), "You said: one")
        (agents / "helper.md").rename(agents / "renamed.md")
        await slack.until(lambda: '{"agents": ' in file.read_text() and "renamed" in [agent.name for agent in desk.desk.agents])
        await settled(slack, await slack.mention("renamed: two"), "You said: two")

    recording = read(file)

    assert recording.changes[1]["helper.md"] is None
    assert "Says back" in str(recording.changes[1]["renamed.md"])
    assert await replay(file) == ""


async def test_faults_of_time_are_done_again(agents: Path, file: Path) -> None:
    async with play(Settings(agents_dir=agents), file) as page:
        slack = page.slack
        root = await slack.mention("!slow 0.3\n!say one\n!say two")
        await slack.until(lambda: "one" in slack.text(slack.thread(root)[1]))
        slack.drop_sockets()
        await settled(slack, root, "two")

    assert [row.deed for row in read(file).rows] == ["mention", "drop_sockets"]
    assert await replay(file) == ""


async def test_what_was_taken_away_is_taken_away_again(agents: Path, file: Path) -> None:
    async with play(Settings(agents_dir=agents), file) as page:
        await settled(page.slack, await page.slack.mention("one"), "You said: one")
        page.slack.delay(0.1)
        page.tape.reset()
        await settled(page.slack, await page.slack.mention("two"), "You said: two")
        rows, delay = [row.deed for row in page.tape.rows], page.slack.world.hub.delay

    assert (rows, delay) == (["mention"], 0)
    assert [row.deed for row in read(file).rows] == ["mention", "delay", "reset", "mention"]
    assert await replay(file) == ""


@pytest.fixture
def full() -> Iterator[TextIO]:
    with open("/dev/full", "w") as file:
        yield file


async def test_the_play_goes_on_when_the_disk_is_full(slack: Slack, tape: Tape, full: TextIO, caplog: pytest.LogCaptureFixture) -> None:
    Recorder(tape, full, dict).begin("0.1.0", {}, {})

    await slack.say("hello")

    assert [row.deed for row in tape.rows] == ["say"]
    assert [record.message for record in caplog.records] == ["/dev/full: the recording ends here: No space left on device"]


async def test_nothing_secret_is_written(agents: Path, file: Path) -> None:
    tokens = {"slack_bot_token": "xoxb-123-real-token", "slack_app_token": "xapp-1-real-token"}
    environment = {"MY_API_KEY": "hunter2-hunter2", "GIT_AUTHOR_NAME": "Somebody Nice", "PROXY": "http://me:pass-of-proxy@proxy"}
    correct(agents / "helper.md", "You help", "The key is hunter2-hunter2. You help")
    settings = Settings(agents_dir=agents, database_url="postgresql+psycopg://me:pass-of-db@db/x", environment=environment, **tokens)
    async with playing(settings, 0) as (page, _), recorded(page.tape, file, settings, {"token": "xoxb-9-other-token"}):
        said = "hunter2-hunter2 xoxb-123-real-token xapp-1-real-token sk-ant-api03-0123456789abcdef pass-of-db pass-of-proxy"
        files = [("a.txt", said.encode()), ("b.bin", b"\xff\xfe" + said.encode())]
        root = await page.slack.mention(f"{said} Somebody Nice", files=files)
        page.slack.calls.append(Call("chat.postMessage", {"text": "x" * 295 + "hunter2-hunter2"}, 0.0, 200, {"ok": True}))
        await settled(page.slack, root, "Somebody Nice")
        page_token, bot_token = page.token, page.slack.bot_token

    written = text(file)

    assert not [secret for secret in (*said.split(), "hunt", "xoxb-9", page_token, bot_token) if secret in written]
    assert "/v5odW50" not in written  # the second file, in base64
    assert "Somebody Nice" in written


def test_a_variable_that_is_no_secret_is_none() -> None:
    assert secrets_in({"HOME": "/home/ana", "GIT_AUTHOR_NAME": "Ana", "DB_PASSWORD": "x", "URL": "https://host/path"}) == {"x"}


async def test_the_file_is_whole_while_it_is_written(agents: Path, file: Path) -> None:
    async with play(Settings(agents_dir=agents), file) as page:
        await settled(page.slack, await page.slack.mention("hello"), "You said: hello")
        await page.slack.until(lambda: read(file).after.get("m1"))

        now = read(file)

    assert [row.deed for row in now.rows] == ["mention"]
    assert not now.cut


async def test_files_come_again_and_of_a_huge_one_its_beginning(tape: Tape, agents: Path, file: Path) -> None:
    async with recorded(tape, file, Settings(agents_dir=agents), {}):
        await tape.slack.say("see", files=[("a.bin", b"\xff\x00"), ("b.txt", "é".encode()), ("c.txt", b"x" * (FILE_BYTES + 3))])

    given = read(file).rows[0].args["files"]

    assert given[:2] == [["a.bin", b"\xff\x00"], ["b.txt", "é".encode()]]
    assert given[2][1] == b"x" * FILE_BYTES + b"\0\0\0"


async def test_a_line_that_was_not_written_to_its_end_is_left_out(hello: Path) -> None:
    whole = text(hello)
    correct(hello, whole[whole.index('"press"') + 20 :], "")

    recording = read(hello)

    assert [row.deed for row in recording.rows] == ["mention"]
    assert recording.cut.startswith(f"{hello} ends in the middle of line ")


HEAD = {"frontdesk_play": 1, "version": "0.1.0", "settings": {}, "agents": {}, "manifest": {}}
ROW = {"deed": "say", "at": 0.1, "by": "ana", "args": {"text": "x"}}


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "FILE is no recording of `frontdesk play --record`"),
        (["hello"], "FILE is no recording of `frontdesk play --record`"),
        ([{"some": "thing"}], "FILE is no recording of `frontdesk play --record`"),
        (
            [HEAD | {"frontdesk_play": 2, "version": "9.0"}],
            "FILE was recorded by a newer Frontdesk (9.0), in format 2; this one reads up to 1: update it with pip install -U frontdesk",
        ),
        ([{"frontdesk_play": 1}], "line 1 of FILE is broken (it has no version); record it again"),
        ([HEAD, "oh"], "line 2 of FILE is broken (Expecting value: line 1 column 1 (char 0)); record it again"),
        ([HEAD, "[]"], "line 2 of FILE is broken (it is no object); record it again"),
        ([HEAD, {"deed": "say"}], "line 2 of FILE is broken (something is missing in it); record it again"),
        ([HEAD, ROW, {"shown": "m1", "lines": [{}], "busy": False}], "line 3 of FILE is broken ('who' is missing in it); record it again"),
        ([HEAD | {"agents": {"../../x.md": ""}}], "line 1 of FILE is broken ('../../x.md' is no agent's file); record it again"),
        (
            [HEAD, ROW | {"args": {"files": [{"name": "x", "size": 10**15, "text": ""}]}}],
            "line 2 of FILE is broken (no file has 1000000000000000 bytes); record it again",
        ),
        ([HEAD, {"agents": {"/etc/x.md": ""}}], "line 2 of FILE is broken ('/etc/x.md' is no agent's file); record it again"),
    ],
)
def test_a_broken_file_is_told_in_one_sentence(file: Path, lines: list[Any], sentence: str) -> None:
    write(file, *lines)

    with pytest.raises(ConfigError) as caught:
        read(file)

    assert str(caught.value) == sentence.replace("FILE", str(file))


def test_a_file_that_is_no_text_or_not_there(file: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is no recording of"):
        read(file)


async def test_an_agent_whose_runtime_is_not_installed(file: Path) -> None:
    agent = '---\ndescription: Thinks.\nruntime: "far_away:Brain"\n---\nThink.\n'
    write(file, HEAD | {"agents": {"thinker.md": agent}})

    with pytest.raises(ConfigError) as caught:
        await replay(file)

    assert str(caught.value) == (
        "agents/thinker.md: the runtime 'far_away:Brain' cannot be loaded; no module is called 'far_away'; "
        "put its file where frontdesk is started, or name its folder in PYTHONPATH"
    )


THINKER = "---\ndescription: Thinks.\nruntime: claude_code\ntriggers: [{mention: ['*']}]\n---\nThink.\n"


@pytest.mark.parametrize("lines", [[HEAD | {"agents": {"thinker.md": THINKER}}], [HEAD, {"agents": {"thinker.md": THINKER}}]])
def test_agents_of_somebody_else_do_not_run_unasked(file: Path, lines: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    write(file, *lines)

    code = cli.main(["play", "--replay", str(file), "--port", "0"])

    assert code == 2
    assert f"{file} brings agents that work here with your rights: thinker on 'claude_code'; look at them" in capsys.readouterr().err


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 2)])
def test_a_terminal_asks_whether_they_may(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, code: int
) -> None:
    (tmp_path / "own_echo.py").write_text("from bot.runtimes.echo import Echo as Mine\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    write(file, HEAD | {"agents": {"thinker.md": THINKER.replace("claude_code", "own_echo:Mine")}})

    assert cli.main(["play", "--replay", str(file), "--port", "0"]) == code
    assert "work here with your rights: thinker on 'own_echo:Mine'. Look at them" in capsys.readouterr().out


async def test_settings_that_cannot_be(file: Path) -> None:
    write(file, HEAD | {"settings": {"hold_minutes": -1}})

    with pytest.raises(ConfigError, match="the recording's settings are broken: hold_minutes: Input should be greater than 0"):
        await replay(file)


async def test_a_deed_that_nobody_knows_here(file: Path) -> None:
    write(file, HEAD, ROW | {"deed": "dance"})

    assert (await replay(file)).startswith("1. ana dance (text 'x'): this Frontdesk does not know how to do that")


async def test_a_deed_that_does_not_fit_is_told(file: Path) -> None:
    write(file, HEAD, ROW | {"args": {"words": "x"}})

    assert (await replay(file)).startswith("1. ana say (words 'x'): what the recording says of it does not fit (")


async def test_a_file_that_is_there_is_not_written_over(tape: Tape, agents: Path, file: Path) -> None:
    write(file, "precious")

    with pytest.raises(ConfigError, match="is there already; name another file, or remove that one"):
        async with recorded(tape, file, Settings(agents_dir=agents), {}):
            pass
    with pytest.raises(ConfigError, match="cannot be written: No such file or directory"):
        async with recorded(tape, file.parent / "no" / "x.jsonl", Settings(agents_dir=agents), {}):
            pass

    assert text(file) == "precious\n"


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("Done in 12 s · 3 steps · $0.42", "Done in (while) · 3 steps · (cost)"),
        ("after 1 h 5 min", "after (while)"),
        ("Asked after 12 s · 1 step", "Asked · 1 step"),
        ("/tmp/x/frontdesk-a1b2c3d_/sessions/in/a.txt", "(folder)/sessions/in/a.txt"),
        ("Hello.\nℹ️ This was asked 3 min ago, while I was away.", "Hello."),
        ("at 1795220925.409602, 2026-11-21 10:45", "at (ts), (date) (time)"),
        ("<!date^1795220925^{time}|10:45>", "(date)"),
        ("session 0b7f4a0c9d2e4f61a3b5c7d9e1f30507", "session (id)"),
        ("3 of 4 said decade or facade", "3 of 4 said decade or facade"),
    ],
)
def test_what_differs_each_time_is_masked(text: str, mask: str) -> None:
    assert masked(text) == mask


def test_the_shell_says_whether_it_is_the_same(agents: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def record() -> None:
        async with play(Settings(agents_dir=agents), file) as page:
            await settled(page.slack, await page.slack.mention("hello"), "You said: hello")

    asyncio.run(record())

    same = cli.main(["play", "--replay", str(file), "--port", "0"])
    file.write_text(file.read_text().replace('"mention"', '"dance"'))
    other = cli.main(["play", "--replay", str(file), "--port", "0"])

    told = capsys.readouterr().out
    assert (same, other) == (0, 1)
    assert f"  It is the same as in {file}.\n" in told
    assert "1. ana dance" in told
    assert f"  It is not the same as in {file}.\n" in told
