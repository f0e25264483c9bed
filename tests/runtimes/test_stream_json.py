"""Any command that speaks stream-json: here a small program that nobody knows. Claude Code itself is driven in tests/harnesses."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.event import ALLOW, DENY, Item, Notice, Plan, Question, Started, Step, Thought, Usage
from bot.ports import Turn
from bot.runtimes import coding
from tests.standins.wait import until

from .talk import ANNA, after, talked, talking

PROGRAM = """
import json, sys

def tell(**message):
    print(json.dumps({"session_id": "p1", **message}), flush=True)

def said(*blocks):
    tell(type="assistant", message={"content": list(blocks)})

def hear():
    line = sys.stdin.readline()
    return json.loads(line) if line else sys.exit()

def done(text="", **more):
    tell(type="result", subtype="success", result=text, usage={"input_tokens": 10, "output_tokens": 2}, **more)

def permitted(call, tool, **given):
    tell(type="control_request", request_id="q" + call, request={
        "subtype": "can_use_tool", "tool_name": tool, "input": given, "tool_use_id": call})
    return hear()["response"]["response"]

prompt = lambda: hear()["message"]["content"]
"""


def turn(folder: Path, program: str, prompt: str = "hello", **more: Any) -> Turn:
    file = folder / "program.py"
    file.write_text(PROGRAM + program)
    options = {"command": [sys.executable, str(file)], **more.pop("options", {})}
    given = {"name": "coder", "version": "1", "description": "Codes.", "runtime": "stream_json", "options": options}
    return Turn("s1", 1, Agent.model_validate(given), prompt, folder=folder, person=ANNA, **more)


async def test_its_words_are_told_as_it_says_them(tmp_path: Path) -> None:
    program = 'said({"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": prompt() + " you"})\ndone()'

    talk = await talked(turn(tmp_path, program))

    assert (talk.resume, talk.answered, talk.finished.state) == ("p1", "hello you", "completed")
    assert (talk.all(Thought), talk.all(Usage)) == ([Thought("Hm.")], [Usage(10, 2)])


async def test_instructions_begin_a_conversation_and_are_not_said_again(tmp_path: Path) -> None:
    first = await talked(turn(tmp_path, "done(prompt())", instructions="Be kind."))

    second = await talked(after(first, "and now"))

    assert (first.answered, second.answered) == ("Be kind.\n\nhello", "and now")


async def test_the_next_process_is_told_which_conversation_goes_on(tmp_path: Path) -> None:
    first = await talked(turn(tmp_path, "prompt()\ndone(' '.join(sys.argv[1:]))", options={"resume": ["--go-on={session}"]}))

    second = await talked(after(first, "again"))

    assert (first.answered, second.answered) == ("", "--go-on=p1")


async def test_only_what_is_new_of_a_growing_cost_is_told(tmp_path: Path) -> None:
    program = "prompt()\ndone(total_cost_usd=0.5 if len(sys.argv) > 1 else 0.2)"
    first = await talked(turn(tmp_path, program))

    second = await talked(after(first, "again"))

    assert [round(talk.all(Usage)[0].usd, 3) for talk in (first, second)] == [0.2, 0.3]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", 0.5),
        ('{"type": "cost-state", "sessionId": "p1", "totalCostUSD": 0.2}\n', 0.3),
        ('{"type": "cost-state", "sessionId": "p1", "totalCostUSD": 0.1}\n{"type": "cost-state", "sess', 0.4),
        ('{"type": "cost-state", "sessionId": "another", "totalCostUSD": 0.2}\n', 0.5),
        ('{"type": "cost-state", "sessionId": "p1", "totalCostUSD": 0.4}\n', 0.3),
        ('{"type": "cost-state", "sessionId": "p1", "totalCostUSD": -Infinity}\n', 0.5),
    ],
    ids=["unwritten", "whole", "cut", "another's", "more than was told", "nonsense"],
)
async def test_claude_code_counts_from_what_it_wrote_down(tmp_path: Path, written: str, told: float) -> None:
    """It does when its process ends, unless that is killed first; then the next begins with less than was told."""
    first = await talked(turn(tmp_path, "prompt()\ndone(total_cost_usd=0.5 if len(sys.argv) > 1 else 0.2)"))
    kept = tmp_path / "home" / ".claude" / "projects" / "-work"
    kept.mkdir(parents=True)
    (kept / "p1.jsonl").write_text(written)

    second = await talked(after(first, "again"))

    assert second.all(Usage)[0].usd == pytest.approx(told)


@pytest.mark.parametrize(("decision", "behavior", "status"), [(ALLOW, "allow", "completed"), (DENY, "deny", "denied")])
async def test_a_call_waits_for_leave(tmp_path: Path, decision: str, behavior: str, status: str) -> None:
    program = """
prompt()
said({"type": "tool_use", "id": "c1", "name": "Bash", "input": {"command": "make"}})
verdict = permitted("c1", "Bash", command="make")["behavior"]
tell(type="user", message={"content": [{"type": "tool_result", "tool_use_id": "c1", "is_error": verdict == "deny", "content": "x"}]})
done(verdict)
"""
    async with talking(turn(tmp_path, program)) as talk:
        question = await talk.question()
        assert (question.kind, question.detail) == ("permission", "make")
        talk.answer(question, decision=decision)
        await talk.task

    assert (talk.answered, talk.steps["c1"].status) == (behavior, status)


async def test_its_question_is_answered(tmp_path: Path) -> None:
    asked = '{"question": "Which?", "options": [{"label": "Red"}, {"label": "Blue"}]}'
    program = (
        f"prompt()\nverdict = permitted('c1', 'AskUserQuestion', questions=[{asked}])\ndone(verdict['updatedInput']['answers']['Which?'])"
    )
    async with talking(turn(tmp_path, program)) as talk:
        talk.answer(await talk.question(), _0="Blue")
        await talk.task

    assert talk.answered == "Blue"


async def test_a_question_that_it_takes_back_is_closed(tmp_path: Path) -> None:
    program = """
prompt()
tell(type="control_request", request_id="q1", request={"subtype": "can_use_tool", "tool_name": "Bash", "input": {"command": "make"}})
tell(type="control_cancel_request", request_id="q1")
done()
"""
    talk = await talked(turn(tmp_path, program))

    assert [type(event).__name__ for event in talk.events] == ["Started", "Question", "Answered", "Usage", "Finished"]


async def test_a_request_that_is_not_served_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    program = 'prompt()\ntell(type="control_request", request_id="q1", request={"subtype": "mcp"})\ndone(hear()["response"]["subtype"])'

    talk = await talked(turn(tmp_path, program))

    assert talk.answered == "error"


async def test_what_is_said_meanwhile_is_done_next_in_the_same_turn(tmp_path: Path) -> None:
    program = "first = prompt()\npermitted('c1', 'Bash', command='make')\ndone('one')\ndone(prompt())"
    async with talking(turn(tmp_path, program)) as talk:
        question = await talk.question()
        talk.inbox.say("and two")
        talk.answer(question, decision=ALLOW)
        await talk.task

    assert talk.answered == "one\n\nand two"


async def test_its_list_of_things_to_do_is_the_plan(tmp_path: Path) -> None:
    todos = '[{"content": "Look", "status": "completed"}, {"content": "Mend", "status": "pending"}]'
    program = f"""
prompt()
said({{"type": "tool_use", "id": "c1", "name": "TodoWrite", "input": {{"todos": {todos}}}}})
tell(type="user", message={{"content": [{{"type": "tool_result", "tool_use_id": "c1", "content": "ok"}}]}})
done()
"""
    talk = await talked(turn(tmp_path, program))

    assert talk.all(Plan) == [Plan((Item("Look", "done"), Item("Mend")))]
    assert talk.all(Step) == []


async def test_what_is_no_message_harms_nothing(tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path, 'print("Welcome!\\n[1]\\n{", flush=True)\ndone(prompt())'))

    assert talk.answered == "hello"


async def test_an_error_that_it_tells_ends_the_turn_in_words(tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path, "prompt()\ndone('no such model', is_error=True, api_error_status=404)"))

    assert (talk.finished.state, talk.finished.error) == ("failed", "404")
    assert "correct `model:`" in talk.finished.reason


async def test_an_error_that_it_says_and_then_tells_is_told_once(tmp_path: Path) -> None:
    says = 'tell(type="assistant", error="model_not_found", message={"content": [{"type": "text", "text": "no such model"}]})'

    talk = await talked(turn(tmp_path, f"prompt()\n{says}\ndone('no such model', is_error=True, api_error_status=404)"))

    assert f"{talk.answered} {talk.finished.reason}".count("no such model") == 1


async def test_one_that_ends_at_once_is_told_before_anything_has_begun(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="please log in"):
        await talked(turn(tmp_path, "sys.exit('please log in')"))


async def test_one_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with pytest.raises(RuntimeFailed, match="did not start within") as caught:
        await talked(turn(tmp_path, "hear()\nhear()", options={"start_seconds": 0.3}))

    assert not isinstance(caught.value, Unavailable)  # it had the words, so another may not be given them too


async def test_one_that_ends_without_a_word_may_have_worked(tmp_path: Path) -> None:
    with pytest.raises(RuntimeFailed, match="ended by itself with code 0") as caught:
        await talked(turn(tmp_path, "hear()"))

    assert not isinstance(caught.value, Unavailable)


async def test_a_program_that_cannot_go_on_begins_anew_and_that_is_said(tmp_path: Path) -> None:
    program = "words = prompt()\ndone(words, total_cost_usd=0.5 if 'second' in words else 0.3)"
    first = await talked(turn(tmp_path, program, "first", instructions="Be kind.", options={"resume": []}))

    second = await talked(after(first, "second"))

    assert second.answered == "Be kind.\n\nsecond"
    assert [notice.text for notice in second.all(Notice)] == [coding.LOST]
    assert [talk.all(Usage)[0].usd for talk in (first, second)] == [0.3, 0.5]


async def test_one_that_asks_and_dies_ends_in_words(tmp_path: Path) -> None:
    program = """
prompt()
tell(type="control_request", request_id="q1", request={"subtype": "can_use_tool", "tool_name": "Bash", "input": {"command": "make"}})
sys.exit("out of memory")
"""
    async with talking(turn(tmp_path, program)) as talk:
        with pytest.raises(RuntimeFailed, match="out of memory"):
            await talk.task

    assert [type(event) for event in talk.events] == [Started, Question]


async def test_one_that_is_not_there_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"correct options\.command"):
        await talked(turn(tmp_path, "", options={"command": ["no-such-program"]}))


async def test_what_is_said_to_a_turn_that_fails_is_given_to_the_next(tmp_path: Path) -> None:
    program = (
        'words = prompt()\nif "fail" in words:\n    said({"type": "thinking", "thinking": "Hm."})\n'
        f"    while not pathlib.Path({str(tmp_path / 'go')!r}).exists(): time.sleep(0.01)\n"
        '    done("no", is_error=True)\nelse:\n    done(words)'
    )
    async with talking(turn(tmp_path, "import pathlib, time\n" + program, "please fail")) as talk:
        await talk.until(lambda: talk.all(Thought))
        talk.inbox.say("and look at Y too")
        await until(talk.inbox.empty)
        (tmp_path / "go").touch()
        await talk.task

    second = await talked(after(talk, "go on"))
    third = await talked(after(second, "and on"))

    assert (talk.finished.state, second.answered, third.answered) == ("failed", "and look at Y too\n\ngo on", "and on")


async def test_a_turn_that_is_cut_is_asked_all_of_it_again_and_nothing_twice(tmp_path: Path) -> None:
    program = 'words = prompt()\nif "wait" in words:\n    said({"type": "thinking", "thinking": "Hm."})\n    prompt()\ndone(words)'
    first = turn(tmp_path, program, "wait", leaving=lambda: True)
    async with talking(first) as talk:
        await talk.until(lambda: talk.all(Thought))
        talk.inbox.say("and look at Y too")
        await until(talk.inbox.empty)

    second = await talked(replace(first, prompt="Go on.\n\nand look at Y too", again=True))

    assert second.answered == "Go on.\n\nand look at Y too"


async def test_what_the_desk_remembers_of_it_lies_where_it_cannot_write(tmp_path: Path) -> None:
    await talked(turn(tmp_path, "prompt()\ndone(total_cost_usd=0.2)"))

    assert not list((tmp_path / "stream_json").iterdir())
    assert "0.2" in (tmp_path / "stream_json.json").read_text()


async def test_a_program_may_call_its_requests_as_it_likes(tmp_path: Path) -> None:
    program = """
prompt()
tell(type="control_request", request_id="1", request={"subtype": "can_use_tool", "tool_name": "Look"})
done(hear()["response"]["response"]["behavior"])
"""
    asked = []
    for _ in range(2):
        async with talking(turn(tmp_path, program)) as talk:
            asked.append(await talk.question())
            talk.answer(asked[-1], decision=ALLOW)
            await talk.task
        assert talk.answered == "allow"

    assert asked[0].id != asked[1].id
