"""Trying a profile: `frontdesk profile test`, and what it finds wrong with one."""

import asyncio
from pathlib import Path

import pytest

from bot.cli import main
from bot.errors import ConfigError
from bot.runtimes import http_profile
from bot.runtimes.http_profile import read
from tests.runtimes.test_http import PROFILE
from tests.standins.plain_platform import Platform

RECORDED = Path(__file__).parents[1] / "recordings" / "http" / "elastic.sse"


def test_a_recorded_stream_is_shown_event_by_event(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "test", "elastic", str(RECORDED)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[1:7] == [
        'reasoning {"data": {"reasoning": "Look it up", "transient": true}}',
        "    → Thought(text='Look it up\\n')",
        'tool_call {"data": {"tool_call_id": "t1", "tool_id": "search", "params": {"query": "orders"}}}',
        "    → Step(call_id='t1', title='search', kind='search', detail='{\"query\": \"orders\"}')",
        'tool_result {"data": {"tool_call_id": "t1", "tool_id": "search", "results": []}}',
        "    → Step(call_id='t1', title='search', kind='search', status='completed', detail='{\"query\": \"orders\"}')",
    ]
    assert any("told of something that frontdesk does not know (weather)" in line for line in lines)
    assert lines[-1] == "    → Finished(state='completed')"


def test_a_stream_without_an_end_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    half = tmp_path / "half.sse"
    half.write_text('event: reasoning\ndata: {"reasoning": "Hm"}\n\n')

    assert main(["profile", "test", "elastic", str(half)]) == 1
    assert "nothing says how it ended" in capsys.readouterr().out


def test_a_recording_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "test", "elastic", str(tmp_path / "none")]) == 2
    assert "none cannot be read: No such file" in capsys.readouterr().err


def test_what_it_has_to_know_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "test", str(PROFILE), "--url", "http://127.0.0.1:9"]) == 2
    assert capsys.readouterr().err == "frontdesk: --value folder: The platform has to know it\n"


@pytest.mark.parametrize("place", ["desk", "here"])
def test_a_profile_is_found_beside_the_agents_and_where_frontdesk_was_started(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("desk", "here"):
        (tmp_path / folder).mkdir()
    (tmp_path / place / "mine.yaml").write_text(PROFILE.read_text("utf-8"))
    monkeypatch.setenv("AGENTS_DIR", str(tmp_path / "desk"))
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(http_profile, "FOLDERS", [*http_profile.FOLDERS])

    assert main(["profile", "test", "mine.yaml", "--url", "http://127.0.0.1:9"]) == 2
    assert "The platform has to know it" in capsys.readouterr().err


async def test_the_platform_itself_can_be_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "sk-test")
    async with Platform() as platform:
        words = ["--url", platform.url, "--key", "KEY", "--private", "--value", f"folder={tmp_path}", "--say", "!say hello there"]
        code = await asyncio.to_thread(main, ["profile", "test", str(PROFILE), *words])

    assert code == 0
    lines = capsys.readouterr().out.splitlines()
    assert 'said {"text": "hello "}' in lines
    assert "    → Text(text='hello ')" in lines


SEND = "name: Acme\nsend: {post: /send}\n"


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (SEND + "events: [{on: done, end: completed}]\nstrat: {}", "strat: unknown key; did you mean 'start'?"),
        ("name: Acme\nsend: {post: /send, get: /x}\nevents: []", "a request has exactly one of get, post, put, patch, delete"),
        (SEND + "events: [{on: said, text: $.text}]", "no rule has an `end`"),
        (SEND + "events: [{on: said, txt: $.text}]", "events.0.txt: unknown key; did you mean 'text'?"),
        ('name: Acme\nsend: {post: "/{{ conversaton }}"}\nends: true\nevents: []', "send.post: nothing is called 'conversaton'; there are"),
        (SEND + "ends: true\nevents: [{on: said, text: '$.a['}]", "is no JSONPath"),
        (SEND + "ends: true\nevents: [{on: said, if: 'date.x'}]", "events.0.if: nothing is called 'date'"),
        ("name: Acme\nsend: {post: '{{ a'}\nends: true\nevents: []", "this is no template"),
        ("name: [", "is no YAML"),
    ],
)
def test_a_mistake_in_a_profile_is_told_with_its_place(profile: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(profile, "agents/acme.yaml")

    assert words in str(caught.value)
    assert str(caught.value).startswith("agents/acme.yaml")
