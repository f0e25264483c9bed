"""Claude Code asks, and people answer: while it runs, in the inbox."""

import json
from pathlib import Path

from bot.event import ALLOW, ALLOW_SESSION, DENY, Answered, Option, Question
from bot.message import Answer
from tests.standins.model import Model

from .talk import Talk, after, talked, talking, turn

WARM = [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]
WIDE = [{"label": "S", "description": "small"}, {"label": "L", "description": "large"}]
COLOUR = {"question": "Which colour?", "header": "Colour", "multiSelect": False, "options": WARM}
SIZES = {"question": "Which sizes?", "header": "Sizes", "multiSelect": True, "options": WIDE}


def ask(*questions: object) -> str:
    return "!tool AskUserQuestion " + json.dumps({"questions": questions})


def labels(question: Question) -> list[str]:
    return [option.label for option in question.parts[0].options]


async def test_a_command_is_run_once_it_is_allowed(model: Model, tmp_path: Path) -> None:
    prompt = '!tool Bash {"command": "touch a &&\\n touch b", "description": "Make files", "timeout": 5000}\n!say done'
    async with talking(turn(tmp_path / "s", model.url, prompt)) as talk:
        question = await talk.question()
        made = (tmp_path / "s" / "work" / "a").exists()
        talk.answer(question, decision=ALLOW)
        await talk.task

    assert question.kind == "permission"
    assert question.parts[0].text.startswith("Run this command?")
    assert question.detail == 'touch a &&\n touch b\n\n{\n  "timeout": 5000\n}'
    assert labels(question) == [ALLOW, ALLOW_SESSION, DENY]
    assert "whatever fits Bash(" in question.parts[0].options[1].description
    assert not made
    assert (tmp_path / "s" / "work" / "b").exists()
    assert talk.all(Answered) == [Answered(question.id, "answered", "Anna", (ALLOW,))]
    assert talk.steps[question.id].status == "completed"


async def test_a_command_that_is_denied_is_not_run_and_the_agent_is_told_why(model: Model, tmp_path: Path) -> None:
    async with talking(turn(tmp_path / "s", model.url, '!tool Bash {"command": "touch a"}\n!toolresult')) as talk:
        question = await talk.question()
        talk.answer(question, "Not on a Friday.", decision=DENY)
        await talk.task

    assert talk.answered == "the tools said: A person denied this. Not on a Friday."
    assert talk.steps[question.id].status == "denied"
    assert talk.all(Answered) == [Answered(question.id, "declined", "Anna", (DENY,))]
    assert not (tmp_path / "s" / "work" / "a").exists()


async def test_what_is_allowed_for_the_session_is_not_asked_again_in_the_next_turn(model: Model, tmp_path: Path) -> None:
    prompt = '!tool Bash {"command": "git init x"}\n!say then\n!tool Bash {"command": "git init x"}\n!say done'
    async with talking(turn(tmp_path / "s", model.url, prompt)) as talk:
        talk.answer(await talk.question(), decision=ALLOW_SESSION)
        await talk.task

    same = await talked(after(talk, prompt))
    async with talking(after(same, '!tool Bash {"command": "touch b"}\n!say done')) as other:
        await other.question()

    assert len(talk.all(Question)) == 1
    assert not same.all(Question)
    assert not (tmp_path / "s" / "work" / ".claude").exists()


async def test_a_change_is_asked_for_with_all_that_it_changes(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "s" / "work" / "a.txt"
    write = "!tool Write " + json.dumps({"file_path": str(path), "content": "one\ntwo\n"})
    edit = "!tool Edit " + json.dumps({"file_path": str(path), "old_string": "one", "new_string": "eins"})
    async with talking(turn(tmp_path / "s", model.url, f"{write}\n!say written\n{edit}\n!say done")) as talk:
        first = await talk.question()
        talk.answer(first, decision=ALLOW)
        second = await talk.question(2)
        talk.answer(second, decision=ALLOW)
        await talk.task

    assert first.detail == f"{path}\n\none\ntwo\n"
    assert second.detail == f"{path}\n\n- one\n+ eins"
    assert path.read_text() == "eins\ntwo\n"
    assert [step.title for step in talk.steps.values()] == ["Write a.txt", "Edit a.txt"]


async def test_the_agents_own_questions_are_answered_by_choice_and_by_word(model: Model, tmp_path: Path) -> None:
    async with talking(turn(tmp_path / "s", model.url, f"{ask(COLOUR, SIZES)}\n!toolresult")) as talk:
        question = await talk.question()
        talk.answer(question, _0="Green, rather", _1=("S", "L"))
        await talk.task

    colour, sizes = question.parts
    assert question.kind == "question"
    assert (colour.header, colour.text, colour.options, colour.multi, colour.free_text) == (
        "Colour", "Which colour?", (Option("Red", "warm"), Option("Blue", "cold")), False, True,
    )  # fmt: skip
    assert sizes.multi
    assert '"Which colour?"="Green, rather"' in talk.answered
    assert '"Which sizes?"="S, L"' in talk.answered
    assert talk.all(Answered) == [Answered(question.id, "answered", "Anna", ("Green, rather", "S", "L"))]
    assert not talk.steps


async def test_two_questions_at_once_are_answered_in_any_order(model: Model, tmp_path: Path) -> None:
    async with talking(turn(tmp_path / "s", model.url, f"{ask(COLOUR)}\n{ask(SIZES)}\n!toolresult")) as talk:
        first, second = await talk.question(), await talk.question(2)
        talk.answer(second, _0="S")
        await talk.until(lambda: talk.all(Answered))
        talk.answer(first, _0="Red")
        await talk.task

    assert [answered.id for answered in talk.all(Answered)] == [second.id, first.id]
    assert '"Which colour?"="Red"' in talk.answered
    assert '"Which sizes?"="S"' in talk.answered


async def test_a_question_that_nobody_answers_does_not_hold_the_agent(model: Model, tmp_path: Path) -> None:
    async with talking(turn(tmp_path / "s", model.url, f"{ask(COLOUR)}\n!toolresult")) as talk:
        question = await talk.question()
        talk.answer(question)
        await talk.task

    assert "did not answer" in talk.answered
    assert talk.all(Answered) == [Answered(question.id, "expired", "Anna")]


async def test_an_answer_to_nothing_is_not_taken_for_the_answer_to_something(model: Model, tmp_path: Path) -> None:
    async with talking(turn(tmp_path / "s", model.url, '!tool Bash {"command": "touch a"}\n!say done')) as talk:
        question = await talk.question()
        talk.inbox.say("", answer=Answer("another", {"decision": (ALLOW,)}))
        talk.answer(question, decision=DENY)
        await talk.task

    assert "did not wait" in talk.events[talk.events.index(question) + 1].text  # type: ignore[union-attr]
    assert talk.steps[question.id].status == "denied"


async def test_the_file_says_what_is_always_asked_and_what_never_is_done(model: Model, tmp_path: Path) -> None:
    prompt = '!tool Bash {"command": "ls"}\n!tool Bash {"command": "rm -f x"}\n!toolresult'
    options = {"tools": ["Bash"], "ask": ["Bash(ls *)"], "deny": ["Bash(rm *)"]}
    async with talking(turn(tmp_path / "s", model.url, prompt, options=options)) as talk:
        question = await talk.question()
        talk.answer(question, decision=ALLOW)
        await talk.task

    assert question.detail == "ls"
    assert labels(question) == [ALLOW, DENY]
    assert [step.status for step in talk.steps.values()] == ["completed", "denied"]


async def test_nothing_is_asked_where_the_file_allows_all_edits(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "s" / "work" / "a.txt"
    given = json.dumps({"file_path": str(path), "content": "one"})

    talk: Talk = await talked(turn(tmp_path / "s", model.url, f"!tool Write {given}\n!say ok", options={"permission_mode": "acceptEdits"}))

    assert path.read_text() == "one"
    assert not talk.all(Question)
