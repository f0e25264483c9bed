"""An agent's file is tried on what was asked before, and its history says what came of each version."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from bot import clock
from bot.agent import parse
from bot.cli import main
from bot.cli.trials import columns
from bot.event import Finished, Started, Text, Usage
from bot.message import Message, Person
from bot.past import Tried, Vote
from bot.ports import Feedback
from bot.session import Session
from bot.store.sql import SqlStore

HELPER = "---\ndescription: Helps.\nruntime: echo\n---\nHelp.\n"
ANA = Person("U1", "Ana")
EXAMPLES = "- name: a colour\n  prompt: '!say It is grey.'\n  good: It names one.\n  bad: It names two.\n  has: blue\n"


CRITIC = """
from bot.event import Finished, Text, Usage

class Critic:
    async def run(self, turn, inbox):
        yield Usage(usd=0.25)
        yield Text("BAD")
        yield Finished("completed")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/desk.db")
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "helper.md").write_text(HELPER)
    return tmp_path


def stored(folder: Path, work: Callable[[SqlStore], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        store = SqlStore(f"sqlite:///{folder}/desk.db")
        await store.open()
        try:
            return await work(store)
        finally:
            await store.close_all()

    return asyncio.run(run())


async def answer(
    store: SqlStore, asked: str = "!say It is blue.\n!cost 0.20", rating: str = "bad", text: str = HELPER, id: str = "s1",
    private: bool = False,
) -> None:  # fmt: skip
    """A turn that is over, which somebody rated."""
    agent, message = parse("helper", text), Message(f"m-{id}", f"slack:T1:C1:{id}", "C1", ANA, asked, at=100.0)
    await store.start(Session(id, "helper", message.thread, ANA, "C1", "general", private=private), message)
    session, epoch = await store.begin(id)
    session = session.begin([message])
    await store.take(id, epoch, session, agent, [message.id])
    told = [Started("r"), Text("It is red."), Usage(usd=0.5), Finished("completed")]
    over = clock.now() + 12.0
    await store.save(epoch, session.fold(told, over), told, over)
    await store.rate(Feedback(id, 1, "U1", "bad" if rating == "bad" else "good"))


def changed(folder: Path, body: str = "Help well.", front: str = "") -> Path:
    file = folder / "new" / "helper.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"---\ndescription: Helps.\nruntime: echo\n{front}---\n{body}\n")
    return file


def trials(folder: Path) -> list[Tried]:
    return stored(folder, lambda store: store.trials())  # type: ignore[no-any-return]


def test_old_and_new_stand_side_by_side_with_cost_and_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)
    old, new = (parse("helper", text).version for text in (HELPER, changed(folder).read_text()))

    code = main(["trial", str(changed(folder))])

    said = capsys.readouterr().out
    assert code == 0
    assert f"THEN ({old})" in said
    assert f"│ NOW ({new})" in said
    assert "It is red." in said
    assert "│ It is blue." in said
    assert "│ completed, $0.20, 0 s" in said
    assert f"helper {old} → {new}: 1 run, $0.20; nobody has voted yet." in said


def test_a_trial_is_kept_by_the_versions_that_it_compares(folder: Path) -> None:
    stored(folder, answer)

    main(["trial", str(changed(folder))])

    (kept,) = trials(folder)
    assert (kept.agent, kept.old_version) == ("helper", parse("helper", HELPER).version)
    assert kept.new_version == parse("helper", changed(folder).read_text()).version


def test_a_file_that_was_changed_where_it_stands_is_compared_with_what_it_was(folder: Path) -> None:
    stored(folder, answer)
    (folder / "agents" / "helper.md").write_text(HELPER + "Be brief.\n")

    main(["trial", "agents/helper.md"])

    assert trials(folder)[0].old_version == parse("helper", HELPER).version


def test_the_trial_set_is_checked_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)
    (folder / "agents" / "helper.trial.yaml").write_text(EXAMPLES)

    code = main(["trial", str(changed(folder)), "--most", "0"])

    said = capsys.readouterr().out
    assert code == 1
    assert "1. a colour" in said
    assert "✗ it does not say 'blue'" in said
    assert "0 of 1 examples passed" in said
    assert "\ngood: It names one.\nbad: It names two.\n" in said


def test_what_failed_is_counted_in_the_sum(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, lambda store: answer(store, "!fail The door is shut."))

    code = main(["trial", str(changed(folder))])

    assert code == 1
    assert ": 1 run (1 failed), $0.00; nobody has voted yet." in capsys.readouterr().out


def test_a_judge_is_marked_as_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)
    (folder / "agents" / "critic.md").write_text("---\ndescription: Judges.\nruntime: echo\n---\nYou judge.\n")

    main(["trial", str(changed(folder, front="judge: critic\n"))])

    assert "critic did not judge run 1: it has to reply FIRST, SECOND or SAME" in capsys.readouterr().err


def test_what_a_judge_finds_of_an_example_and_what_it_cost_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(folder, answer)
    monkeypatch.syspath_prepend(folder)
    (folder / "strict.py").write_text(CRITIC)
    (folder / "agents" / "helper.trial.yaml").write_text(EXAMPLES)
    (folder / "agents" / "critic.md").write_text("---\ndescription: Judges.\nruntime: strict:Critic\n---\nYou judge.\n")

    main(["trial", str(changed(folder)), "--most", "0", "--judge", "critic", "--unboxed"])

    said = capsys.readouterr().out
    assert "1 run, $0.00, and $0.25 for its judge; a judge (an LLM) found 0 of 1 answers to examples good" in said
    assert "  1. critic (an LLM) finds it bad\n" in said


def test_a_judge_that_there_is_not_is_told_before_anything_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)

    assert main(["trial", str(changed(folder)), "--judge", "nobody"]) == 2

    assert capsys.readouterr().err == "frontdesk: there is no agent 'nobody' to judge; there are helper\n"
    assert trials(folder) == []


def test_a_judge_that_cannot_be_held_is_told_before_anything_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)
    (folder / "agents" / "critic.md").write_text(
        "---\ndescription: Judges.\nruntime: a2a\noptions: {url: 'https://agents.example.com'}\n---\nYou judge.\n"
    )

    assert main(["trial", str(changed(folder)), "--judge", "critic"]) == 2

    assert "agents/critic.md: it runs on 'a2a', where no sandbox of ours reaches" in capsys.readouterr().err
    assert trials(folder) == []


def test_where_nothing_was_asked_there_is_nothing_to_try(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, lambda store: store.trials())

    assert main(["trial", str(changed(folder))]) == 2

    assert "there is nothing to try it on: no past turn of helper in that time, and no helper.trial.yaml" in capsys.readouterr().err


def test_where_nothing_can_be_asked_again_that_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, lambda store: answer(store, " "))

    assert main(["trial", str(changed(folder))]) == 2

    assert "no past turn of helper that can be asked again in that time" in capsys.readouterr().err


def test_where_the_money_is_gone_nothing_is_tried_and_that_is_no_success(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)

    assert main(["trial", str(changed(folder)), "--usd", "0"]) == 1

    assert capsys.readouterr().err == "frontdesk: 1 of 1 were not tried: the limit of $0 for the whole trial was reached.\n"


def test_what_trials_have_cost_today_counts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)
    file = changed(folder, front="budget: {usd_per_day: 0.65}\n")
    main(["trial", str(file)])
    capsys.readouterr()

    assert main(["trial", str(file)]) == 1

    assert "helper's budget of $0.65 for one day is used up ($0.70" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("front", "wrong"),
    [
        ("runtime: a2a\noptions: {url: 'https://agents.example.com'}\n", "it runs on 'a2a', where no sandbox of ours reaches"),
        ("runtime: nothing\n", "there is no 'nothing'"),
    ],
)
def test_an_agent_that_cannot_be_held_is_not_tried(folder: Path, capsys: pytest.CaptureFixture[str], front: str, wrong: str) -> None:
    stored(folder, answer)
    file = changed(folder)
    file.write_text(f"---\ndescription: Helps.\n{front}---\nHelp.\n")

    assert main(["trial", str(file)]) == 2

    assert wrong in capsys.readouterr().err


def test_an_agents_name_stands_for_its_file(folder: Path) -> None:
    stored(folder, answer)

    assert main(["trial", "helper"]) == 0

    assert trials(folder)[0].agent == "helper"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nowhere/helper.md", "nowhere/helper.md is not there; did you mean agents/helper.md?"),
        ("helpr", "helpr is not there; did you mean agents/helper.md?"),
        ("nothing.md", "nothing.md cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_is_not_there_is_told(folder: Path, capsys: pytest.CaptureFixture[str], given: str, said: str) -> None:
    stored(folder, answer)

    assert main(["trial", given]) == 2

    assert capsys.readouterr().err == f"frontdesk: {said}\n"


def test_a_file_that_is_no_text_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)
    changed(folder).write_bytes(b"\xff\xfe")

    assert main(["trial", "new/helper.md"]) == 2

    assert capsys.readouterr().err == "frontdesk: new/helper.md is no text in UTF-8\n"


def test_a_file_that_has_not_changed_is_compared_with_itself_which_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)
    version = parse("helper", HELPER).version

    main(["trial", "agents/helper.md"])
    tried = capsys.readouterr()
    main(["history", "helper"])
    history = " ".join(capsys.readouterr().out.split())

    (kept,) = trials(folder)
    assert kept.old_version == kept.new_version == version
    assert tried.err.startswith("frontdesk: agents/helper.md has not changed: this shows how much its answers differ by themselves")
    assert f"helper {version} (unchanged): 1 run" in tried.out
    assert f", {version} (unchanged): 1 run" in history


def test_nobody_votes_on_what_has_not_changed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)

    assert main(["trial", "helper", "--vote", "#general"]) == 2

    said = "agents/helper.md has not changed, so there is nothing to vote on; leave --vote out"
    assert capsys.readouterr().err == f"frontdesk: {said}\n"
    assert trials(folder) == []


def test_where_nobody_is_known_to_vote_is_told_before_anything_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)
    (folder / "agents" / "other.md").write_text(HELPER.replace("runtime", "triggers: [{mention: ['#reviews']}]\nruntime"))

    main(["trial", str(changed(folder)), "--usd", "0", "--vote", "review"])
    misspelt = capsys.readouterr().err.splitlines()[0]
    main(["trial", str(changed(folder)), "--usd", "0", "--vote", "#reviews"])
    named = capsys.readouterr().err
    main(["trial", str(changed(folder)), "--usd", "0", "--vote", "#general"])
    visited = capsys.readouterr().err

    assert misspelt.startswith("frontdesk: no agent's file names #review, and nobody has asked an agent there; did you mean #reviews? ")
    assert "no agent's file names" not in named + visited


def test_what_is_no_channel_is_told_before_anything_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)

    assert main(["trial", str(changed(folder)), "--vote", "two words"]) == 2

    assert "'two words' is no channel" in capsys.readouterr().err
    assert trials(folder) == []


def test_what_was_answered_cannot_move_the_cursor(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, lambda store: answer(store, "!say \x1b[2Jgone"))

    (folder / "agents" / "critic.md").write_text("---\ndescription: Judges.\nruntime: echo\n---\nYou judge.\n")

    main(["trial", str(changed(folder, front="judge: critic\n"))])

    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err


def test_a_trial_is_told_to_scripts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)

    main(["trial", str(changed(folder)), "--json"])

    told = json.loads(capsys.readouterr().out)
    assert [run["new"]["text"] for run in told["runs"]] == ["It is blue.\n"]


def test_lines_stand_side_by_side_and_are_broken() -> None:
    assert columns(["one two three"], ["x"], 19).splitlines() == ["one two  │ x", "three    │"]


def test_history_says_whether_the_change_helped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = changed(folder).read_text()
    for n in range(6):
        stored(folder, lambda store, n=n: answer(store, id=f"a{n}"))  # type: ignore[misc]
    for n in range(6):
        stored(folder, lambda store, n=n: answer(store, rating="good", text=new, id=f"b{n}"))  # type: ignore[misc]

    code = main(["history", "helper"])

    said = capsys.readouterr().out
    old, newer = (parse("helper", text).version for text in (HELPER, new))
    assert code == 0
    assert [line.split()[0] for line in said.splitlines()[:3]] == ["VERSION", old, newer]
    assert f"The change helped ({old} → {newer}): 0 of 6 rated answers were bad, and 6 of 6 before; " in " ".join(said.split())


def test_history_fits_into_80_columns(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    stored(folder, answer)
    main(["trial", str(changed(folder))])
    stored(folder, lambda store: answer(store, text=changed(folder).read_text(), id="s2"))
    capsys.readouterr()

    main(["history", "helper"])

    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_history_tells_trials_with_people_and_judges_apart(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)
    main(["trial", str(changed(folder))])
    (tried,) = trials(folder)
    stored(folder, lambda store: store.prefer(tried.id, Vote("1", "new", "U1")))
    stored(folder, lambda store: store.prefer(tried.id, Vote("1", "old", "critic", judge=True)))
    capsys.readouterr()

    main(["history", "helper"])

    said = " ".join(capsys.readouterr().out.split())
    assert "people found the new answer better in 1 of 1, and the old in 0" in said
    assert "a judge (an LLM) found the new answer better in 0 of 1, and the old in 1" in said


def test_history_is_drawn_and_where_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)

    main(["history", "helper", "--plot", "helper.png"])

    assert capsys.readouterr().err == "frontdesk: helper.png is drawn\n"
    assert (folder / "helper.png").read_bytes()[1:4] == b"PNG"


def test_a_picture_that_cannot_be_written_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)

    assert main(["history", "helper", "--plot", "nowhere/helper.png"]) == 2

    assert capsys.readouterr().err == "frontdesk: nowhere/helper.png cannot be written: No such file or directory\n"


def test_without_what_draws_the_remedy_is_told(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stored(folder, answer)
    for name in ("bot.improve.plot", "matplotlib"):
        monkeypatch.setitem(sys.modules, name, None)

    assert main(["history", "helper", "--plot", "helper.png"]) == 2

    assert capsys.readouterr().err == "frontdesk: to draw needs a package more; install it with: pip install 'frontdesk[plot]'\n"


def test_history_is_told_to_scripts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)

    main(["history", "helper", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert [(one["turns"], one["bad"]) for one in told["versions"]] == [(1, 1)]


def test_an_agent_of_which_nothing_is_known_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(folder, answer)

    assert main(["history", "nobody"]) == 2

    assert "nothing is known of 'nobody'" in capsys.readouterr().err
