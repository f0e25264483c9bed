"""A platform that nobody shipped a profile for, by a profile alone: against the contract, and what the contract does not hold."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ConfigError, RuntimeFailed, Unavailable
from bot.event import Notice, Started, Text
from bot.message import Answer
from bot.ports import Turn
from bot.runtimes import build
from bot.runtimes.unknown import FILE
from tests.standins.plain_platform import Platform
from tests.standins.wait import until

from .contract import done
from .remote import Elsewhere, Kept, Remote
from .talk import after, talked, talking

PROFILE = Path(__file__).with_name("platform.yaml")


def shell(command: str) -> str:
    return f"!tool shell {json.dumps({'command': command})}"


def ask(text: str, options: tuple[str, ...]) -> str:
    return f"!tool ask {json.dumps({'text': text, 'options': options})}"


@dataclass(frozen=True)
class Profiled(Remote):
    """The runtime http, with this profile."""

    def turn(self, folder: Path, url: str, prompt: str, *, asks: bool = False, **more: Any) -> Turn:
        values = {"folder": str(folder / "work"), "asks": asks}
        options = {"profile": str(PROFILE), "key": "KEY", "values": values, **more.pop("options", {})}
        return super().turn(folder, url, prompt, options=options, **more)


def environment(_: str) -> Mapping[str, str]:
    return {"KEY": "sk-test"}


STEPS = [{"text": "Look", "status": "in_progress"}, {"text": "Mend", "status": "pending"}]
HTTP = Profiled(
    "http",
    shell=shell,
    environment=environment,
    ask=ask,
    plan=f"!tool plan {json.dumps({'steps': STEPS})}",
)


class TestHttp(Elsewhere):
    name = "http: a platform by its profile"
    harness = HTTP

    @pytest.fixture
    async def model(self) -> AsyncIterator[Platform]:
        async with Platform() as platform:
            yield platform


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with Platform() as platform:
        yield platform


def test_a_platform_takes_under_forty_lines() -> None:
    assert len(PROFILE.read_text("utf-8").splitlines()) < 40


async def test_a_stream_that_is_cut_goes_on_where_it_was_and_says_nothing_twice(platform: Platform, tmp_path: Path) -> None:
    platform.cut = 3

    talk = await talked(HTTP.turn(tmp_path / "s", platform.url, "!say one two three four five"))

    assert talk.answered == "one two three four five"
    assert platform.joined == ["", "3"]
    assert "was lost" in talk.all(Notice)[0].text or "broke" in talk.all(Notice)[0].text


async def test_a_turn_that_is_cut_is_found_again_by_another_process(platform: Platform, tmp_path: Path) -> None:
    left = replace(HTTP.turn(tmp_path / "s", platform.url, "!slow 0.02\n!say one two three four five"), leaving=lambda: True)
    async with talking(left) as talk:
        await talk.until(lambda: len(talk.all(Text)) > 1)

    again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert again.answered == "one two three four five"
    assert len(platform.runs) == 1


@pytest.mark.parametrize("later", [False, True], ids=["heard", "asked"])
async def test_what_people_said_to_a_process_that_ended_is_said_by_the_next(platform: Platform, tmp_path: Path, later: bool) -> None:
    left = replace(HTTP.turn(tmp_path / "s", platform.url, "!slow 0.1\n!say one two three four five"), leaving=lambda: True)
    async with talking(left) as talk:
        await talk.until(lambda: talk.all(Text))
        talk.inbox.say("!slow 0.02\n!say six seven eight")
        await (talk.until(lambda: "six" in talk.answered) if later else until(talk.inbox.empty))

    again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert again.answered == "one two three four five\n\nsix seven eight"
    assert len(platform.runs) == 2


async def test_a_turn_that_was_cut_before_anybody_heard_is_not_asked_twice(platform: Platform, tmp_path: Path) -> None:
    turn = HTTP.turn(tmp_path / "s", platform.url, "!say one", keep=(kept := Kept()))
    await kept.append("http-sent", [json.dumps({"turn": 1, "done": False, "kept": "{}"})])

    with pytest.raises(RuntimeFailed, match="cannot say what became of it"):
        await talked(replace(turn, again=True))

    assert not platform.runs


async def test_a_stop_ends_the_work_there(platform: Platform, tmp_path: Path) -> None:
    async with talking(HTTP.turn(tmp_path / "s", platform.url, "!slow 0.05\n!say one two three four five six seven")) as talk:
        await talk.until(lambda: talk.all(Text))

    assert platform.runs[0].task
    assert platform.runs[0].task.cancelled()


async def test_what_nobody_knows_is_kept_and_told_once(platform: Platform, tmp_path: Path) -> None:
    first = await talked(HTTP.turn(tmp_path / "s", platform.url, "!odd one\n!odd two\n!say well"))
    second = await talked(after(first, "!odd three\n!say well"))

    assert [notice.text for notice in first.all(Notice)] == [
        f"The agent told of something that frontdesk does not know (odd); it was kept in {FILE}."
    ]
    assert not second.all(Notice)
    assert '{"rest": "one"}' in (tmp_path / "s" / FILE).read_text()
    assert done(first) == "completed"


async def test_a_file_that_cannot_go_along_is_told(platform: Platform, tmp_path: Path) -> None:
    talk = await talked(HTTP.turn(tmp_path / "s", platform.url, "!say well", files=(tmp_path / "plan.pdf",)))

    assert [notice.text for notice in talk.all(Notice)] == ["plan.pdf: The platform is sent no files."]


async def test_an_answer_that_comes_too_late_is_told(platform: Platform, tmp_path: Path) -> None:
    async with talking(HTTP.turn(tmp_path / "s", platform.url, "!slow 0.05\n!say one two three")) as talk:
        await talk.until(lambda: talk.all(Started))
        talk.inbox.say("", answer=Answer("no-question", {"decision": ("Deny",)}))
        await talk.task

    assert any("did not wait for it" in notice.text for notice in talk.all(Notice))


async def test_a_wrong_key_is_told_before_anything_has_begun_and_never_shown(platform: Platform, tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        await talked(HTTP.turn(tmp_path / "s", platform.url, "hello", environment={"KEY": "wrong-secret-key"}))

    assert "does not accept the credentials (401)" in str(caught.value)
    assert "options.key in agents/coder.md" in str(caught.value)
    assert "wrong-secret-key" not in str(caught.value)


async def test_a_key_that_is_not_set_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"options\.key needs the variable KEY"):
        await talked(HTTP.turn(tmp_path / "s", "http://127.0.0.1:9", "hello", environment={"KEY": ""}))


async def test_a_private_address_is_refused_unless_the_file_allows_it(platform: Platform, tmp_path: Path) -> None:
    with pytest.raises(
        Unavailable, match=r"it leads to a private address; if that is meant, set options.private to true in agents/coder.md"
    ):
        await talked(HTTP.turn(tmp_path / "s", platform.url, "hello", options={"private": False}))

    assert not platform.said


async def test_a_platform_that_is_not_there_is_told_before_anything_has_begun(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        await talked(HTTP.turn(tmp_path / "s", "http://127.0.0.1:9", "hello"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"profile": "nowhere"}, "there is no 'nowhere'; there are agent-runtime, cursor"),
        ({"profile": "snowflak"}, r"there is no 'snowflak'; did you mean 'snowflake'\? A file of yours is looked for"),
        ({"values": {}}, "options.values.folder: The platform has to know it"),
        ({"values": {"folder": "/", "color": 1}}, "options.values.color: The platform knows no such value; there are asks, folder"),
        ({"url": ""}, "options.url: say where The platform is"),
        ({"url": "https://me:secret@there"}, "credentials do not belong in an address"),
    ],
)
async def test_a_mistake_in_the_options_is_told_with_the_remedy(tmp_path: Path, options: Mapping[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=f"agents/coder.md: .*{words}"):
        await talked(HTTP.turn(tmp_path / "s", "http://127.0.0.1:9", "hello", options=options))


async def test_a_profile_stands_beside_the_agents(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "mine.yaml").write_text(PROFILE.read_text("utf-8"))

    talk = await talked(HTTP.turn(tmp_path / "s", platform.url, "!say well", options={"profile": "mine.yaml"}))

    assert talk.answered == "well"


async def test_whoever_looks_is_told_whether_it_is_there(platform: Platform, tmp_path: Path) -> None:
    agent = HTTP.turn(tmp_path / "s", platform.url, "").agent
    runtime: Any = build(agent)

    await runtime.reach(agent, {"KEY": "sk-test"})
    await platform.down()

    with pytest.raises(Unavailable, match="does not answer"):
        await runtime.reach(agent, {"KEY": "sk-test"})
