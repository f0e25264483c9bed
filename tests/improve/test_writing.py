"""What a writer is asked, with all that others wrote as quotes, and what is taken of its answer."""

from dataclasses import replace

import pytest

from bot.improve.writing import LARGEST, LONG, WHY, Unwritten, again, taken, task
from bot.past import Finding, Past

FILE = "---\ndescription: Reviews.\nruntime: echo\n---\nYou review. Write:\n\n```python\nx = 1\n```\n"
FOUND = Finding("f1", "reviewer", "No links", "People ask where it is.", change="Add: give a link.")
TURN = Past(
    "s1", 2, "reviewer", "v1", "echo", "t", "U1", "Look at it", "Fine.", "completed", good=1, bad=2, reasons=("no link", "too long")
)


def answer(text: str = FILE, ticks: str = "````", why: str = "Links help.") -> str:
    return f"{why}\n\n{ticks}markdown\n{text}{ticks}\n"


def test_the_task_has_the_file_the_finding_and_the_turns_that_show_it_behind_marks() -> None:
    text = task(FOUND, FILE, [TURN])

    assert text.startswith("Write a new version of agents/reviewer.md, the file of the agent reviewer")
    assert "What was found:\n> | No links\n> | People ask where it is.\n> | Add: give a link." in text
    assert (
        "1 thumbs up, 2 down:\n> | Asked: Look at it\n> | Answered (completed): Fine.\n> | What people say of it: no link; too long" in text
    )
    assert "agents/reviewer.md as it is now:\n> | ---\n> | description: Reviews." in text


def test_turns_that_are_alike_to_the_word_are_told_once() -> None:
    again = replace(TURN, session_id="s2")

    assert task(FOUND, FILE, [TURN, again]).count("Asked: Look at it") == 1


def test_what_was_said_is_cut_and_says_so() -> None:
    long = Past("s1", 1, "reviewer", "v1", "echo", "t", "U1", "x" * (LONG + 7), "Fine.", "completed")

    assert "(… 7 characters more)" in task(FOUND, FILE, [long])


def test_the_file_and_why_are_taken() -> None:
    assert taken(answer()) == (FILE, "Links help.")


def test_three_ticks_do_for_a_file_without_any() -> None:
    plain = FILE.partition("\n```")[0] + "\n"

    assert taken(answer(plain, "```"))[0] == plain


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Here it is.", "There is no block with a file"),
        ("````markdown\nYou review.\n````", "There is no block with a file"),
        (answer() + answer(), "Your answer goes on behind the block"),
        (answer(ticks="```"), "Your answer goes on behind the block"),
        (answer() + "Anything else?", "Your answer goes on behind the block"),
        ("````markdown\n---\nnever closed", "There is no block with a file"),
        (answer("---\n" + "x" * LARGEST + "\n"), "60,000 is the most"),
    ],
)
def test_an_answer_that_is_not_as_it_was_asked_for_is_not_taken(said: str, why: str) -> None:
    with pytest.raises(Unwritten, match=why):
        taken(said)


def test_a_long_reason_is_cut() -> None:
    assert len(taken(answer(why="because " * 500))[1]) == WHY


def test_what_is_wrong_goes_back_as_a_quote() -> None:
    assert "> | runtime: there is no 'x'" in again(["runtime: there is no 'x'"])
