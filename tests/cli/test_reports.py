"""What agents said would have helped them is listed so that people can read it."""

from pathlib import Path

import pytest

from bot.cli import main
from bot.cli.reports import told
from bot.event import Improvement
from bot.past import Report
from tests.cli.test_trials import stored
from tests.store.test_reports import happen

KEY = Report("helper", "v1", "s1", 2, "missing", "A key for the tracker.", "It answered 401.", 0.0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/desk.db")
    return tmp_path


def test_each_stands_with_its_turn_and_what_happened(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, lambda store: happen(store, "s1", Improvement("slow", "A cache.", "It took an hour."), at=4e9))

    assert main(["reports"]) == 0

    head, turn, text, evidence, _ = capsys.readouterr().out.splitlines()
    assert head.endswith("  helper: slow")
    assert (turn, text, evidence) == ("  turn 1 of s1, version v1", "  A cache.", "  > It took an hour.")


def test_long_words_are_broken_and_evidence_keeps_its_mark() -> None:
    lines = list(told(KEY, 20))[2:]

    assert lines == ["  A key for the", "  tracker.", "  > It answered 401."]


def test_what_agents_say_cannot_move_the_cursor() -> None:
    hostile = Report("helper", "v1", "s1", 2, "other", "\x1b[2Jgone\nfrontdesk: all is well", "\r\x07", 0.0)

    assert list(told(hostile, 80))[2:] == ["  [2Jgone frontdesk: all is well"]


def test_where_nothing_was_said_that_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, lambda store: happen(store, "s1"))

    assert main(["reports", "--days", "2"]) == 0

    assert capsys.readouterr() == ("", "frontdesk: no agent has said so in the last 2 days\n")
