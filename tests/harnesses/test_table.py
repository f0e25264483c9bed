"""The table says what was found, and no more."""

import pytest

from tests.runtimes.contract import COLUMNS

from .conftest import Outcomes, merged
from .table import BEGIN, END, put, reasons, table

ALL = dict.fromkeys(COLUMNS, "yes")
FOUND: Outcomes = {
    "acp: Zed": ALL,
    "pi": {**ALL, "plan": "Pi keeps no plan", "cost": "FAILED"},
    "codex": {**ALL, "plan": "Codex has no plan."},
}


def test_what_all_keep_is_said_once_and_the_rest_row_by_row() -> None:
    lines = table(FOUND).splitlines()

    assert lines[0].startswith("All of them: text, thoughts, steps, question")
    assert lines[2:] == [
        "| | plan | cost |", "|---|:-:|:-:|", "| `codex` | – | ✓ |", "| `pi` | – | **✗** |", "| `acp: Zed` | ✓ | ✓ |"
    ]  # fmt: skip


def test_what_was_not_looked_at_is_no_promise() -> None:
    assert "| `pi` | ✓ | ? |" in table({"pi": {**ALL, "plan": "yes", "cost": ""}, "codex": {**ALL, "cost": "no", "plan": "no"}})


def test_a_reason_is_given_once_for_all_that_it_explains() -> None:
    assert reasons({"pi": {**ALL, "question": "Nobody hears.", "typed": "Nobody hears.", "cost": "FAILED"}}) == (
        "- `pi`: question, free text – Nobody hears\n"
    )


def test_it_is_put_between_its_marks() -> None:
    assert put(f"a\n{BEGIN}old\n{END}b\n", "new\n") == f"a\n{BEGIN}new\n{END}b\n"


def test_a_file_without_marks_is_not_written() -> None:
    with pytest.raises(ValueError, match="there is no <!-- contract -->"):
        put("a\n", "new\n")


def test_a_part_of_the_suite_takes_nothing_away_that_was_found_before() -> None:
    assert merged({"pi": {"text": "yes", "plan": "FAILED"}, "codex": {"text": "yes"}}, {"pi": {"plan": "yes"}}) == {
        "pi": {"text": "yes", "plan": "yes"}, "codex": {"text": "yes"}
    }  # fmt: skip
