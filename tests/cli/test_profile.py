"""Trying a profile: `frontdesk profile test`, and what it finds wrong with one."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import main
from bot.errors import ConfigError
from bot.runtimes import http_profile
from bot.runtimes.http_profile import read
from tests.runtimes.test_http import PROFILE
from tests.standins.plain_platform import Platform

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "tests" / "recordings" / "http" / "elastic.sse"


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
    assert any(
        line.startswith("    → no rule is `on: weather`, so people are told only that it is not known; there are rules on ")
        for line in lines
    )
    assert lines[-1] == "    → Finished(state='completed')"


def test_a_stream_without_an_end_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    half = tmp_path / "half.sse"
    half.write_text('event: reasoning\ndata: {"reasoning": "Hm"}\n\n')

    assert main(["profile", "test", "elastic", str(half)]) == 1
    assert "nothing says how it ended" in capsys.readouterr().out


STREAM = 'data: {"type": "said", "text": "Hello"}\n\ndata: {"type": "over", "state": "done"}\n\n'


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        (
            "name:",
            "kind: $.typ\nname:",
            "no rule is `on: message`, so people are told only that it is not known; there are rules on asks, ",
        ),
        ("name:", "kind: $.typ\nname:", "; it has no name, which is looked for at `kind`: $.typ"),
        ("on: said", "on: siad", "no rule is `on: said`, so people are told only that it is not known"),
        ("{on: said, text: $.text}", "{on: said, text: $.txt}", "nothing: `text: $.txt` of its rules find nothing here, or nothing new"),
    ],
)
def test_an_event_of_which_nothing_comes_is_told_with_what_is_wrong(
    right: str, wrong: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text(PROFILE.read_text("utf-8").replace(right, wrong, 1))
    (tmp_path / "told.sse").write_text(STREAM)

    main(["profile", "test", str(tmp_path / "mine.yaml"), str(tmp_path / "told.sse")])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == ("message" if "kind: $.typ\n" in wrong else "said") + ' {"type": "said", "text": "Hello"}'
    assert words in lines[1]


def test_whoever_reads_only_its_first_lines_sees_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "long.sse").write_text(STREAM.partition("\n\n")[0] + "\n\n" + 'data: {"type": "said", "text": "more"}\n\n' * 5000)
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "bot", "profile", "test", str(PROFILE), str(tmp_path / "long.sse")]

    with subprocess.Popen(words, cwd=tmp_path, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tried:
        assert tried.stdout
        assert tried.stderr
        assert tried.stdout.readline() == 'said {"type": "said", "text": "Hello"}\n'
        tried.stdout.close()
        assert (tried.stderr.read(), tried.wait(20)) == ("", 141)


@pytest.mark.parametrize(
    ("form", "told", "words"),
    [
        (
            "sse",
            STREAM.replace("data: ", ""),
            "no event in the form sse, as the profile has it; it looks like `form: lines`, which is said under ",
        ),
        ("json", STREAM, "no event in the form json, as the profile has it; it looks like `form: sse"),
        ("sse", "", "no event in the form sse, as the profile has it; nor in any other form"),
    ],
)
def test_a_recording_in_another_form_is_told(form: str, told: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.yaml").write_text(PROFILE.read_text("utf-8").replace("stream: {", f"stream: {{form: {form}, "))
    (tmp_path / "told").write_text(told)

    assert main(["profile", "test", str(tmp_path / "mine.yaml"), str(tmp_path / "told")]) == 2
    assert words in capsys.readouterr().err


def test_what_is_said_names_what_whoever_tries_it_can_change(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["profile", "test", str(PROFILE), "--private", "--value", f"folder={tmp_path}", "--url", "http://127.0.0.1:9"]

    codes = [main(words), main([*words, "--key", "NO_SUCH_KEY"]), main([word for word in words if word != "--private"])]
    codes += [main(["profile", "test", "no-such-profile"]), main([*words, "--key", "sk-a-secret"])]
    codes += [main([*words[:-1], "http://ana:hunter2@127.0.0.1:9"])]

    heard = capsys.readouterr()
    assert codes == [1, 1, 1, 2, 2, 2]
    assert heard.out.splitlines()[0].endswith("check that it runs, and --url.")
    assert heard.out.splitlines()[1] == "    → it fails: --key needs the variable NO_SUCH_KEY: set it where you call this."
    assert heard.out.splitlines()[2].endswith("it leads to a private address; if that is meant, say --private.")
    assert heard.err.startswith("frontdesk: there is no 'no-such-profile'; there are ")
    assert heard.err.splitlines()[1] == "frontdesk: --key: write the variable's name here, and never what it holds"
    assert heard.err.endswith("frontdesk: --url: credentials do not belong in an address; name their variable in --key\n")


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
