"""Authors look on: what an agent was told and did, and what it would say now that its file has changed."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import Frontdesk
from bot.cli.bench import Kept, Watching
from bot.cli.play import playing
from bot.playground.bench import Run, Story, Told
from bot.playground.page import Page
from bot.playground.things import Json
from bot.settings import Settings
from bot.store.files import Agents
from tests.standins.stage import agent
from tests.test_path import find

BODY = "Help {{ person.name }}."


def write(folder: Path, name: str, front: str, body: str = BODY) -> None:
    (folder / f"{name}.md").write_text(f"---\ndescription: Helps.\nruntime: echo\n{front}\n---\n{body}\n")


class Bench:
    """Play in a folder of agents, as its page asks it."""

    def __init__(self, page: Page, desk: Frontdesk, folder: Path) -> None:
        assert isinstance(desk.store, Kept)
        self.slack, self.asks, self.folder = page.slack, desk.store.bench, folder

    def write(self, name: str, front: str = "", body: str = BODY) -> None:
        write(self.folder, name, front, body)

    async def rewrite(self, root: Json, front: str, body: str = BODY) -> None:
        """Another file of the agent, once it is known that the thread's turn was by the one before."""
        self.write("helper", f"triggers: [{{mention: ['*']}}]\n{front}", body)
        await self.slack.until(lambda: self.turn(root).stale)

    async def asked(self, text: str) -> Json:
        """A mention, and its thread once the turn has ended or waits."""
        root = await self.slack.mention(text)
        await self.slack.until(lambda: self.told(root).state in ("completed", "failed", "input_required", "canceled"))
        return root

    def told(self, root: Json) -> Told:
        found = self.asks.sessions(root["channel"], root["ts"])
        if not found:
            raise LookupError
        return found[0]

    def turn(self, root: Json, number: int = 1) -> Story:
        return next(turn for turn in self.told(root).turns if turn.number == number)

    async def again(self, root: Json, state: str) -> Run:
        """The first turn, run again, once that is in this state."""
        self.asks.again(self.told(root).id, 1)
        return await self.rerun(root, state)

    async def rerun(self, root: Json, state: str) -> Run:
        return await self.slack.until(lambda: (again := self.turn(root).again) and again.state == state and again)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    folder = tmp_path / "agents"
    folder.mkdir()
    write(folder, "helper", "triggers: [{mention: ['*']}]")
    async with playing(Settings(agents_dir=folder), 0) as (page, desk):
        yield Bench(page, desk, folder)


async def test_a_turn_is_written_down_with_its_prompt_and_instructions(bench: Bench) -> None:
    root = await bench.asked("!think Hm.\n!step Look around\n!cost 0.25\n!say Done.")

    told, turn = bench.told(root), bench.turn(root)

    assert (told.agent, told.runtime, told.state, told.usd) == ("helper", "echo", "completed", 0.25)
    assert turn.prompt == "!think Hm.\n!step Look around\n!cost 0.25\n!say Done."
    assert turn.run.instructions == "Help ana."
    assert [line.kind for line in turn.run.lines] == ["started", "thought", "step", "step", "usage", "text", "finished"]
    assert turn.run.answer == "Done.\n"


async def test_an_answer_goes_on_in_the_same_session_as_its_next_turn(bench: Bench) -> None:
    root = await bench.asked("!ask Which colour? | Red | Blue\n!say It is {answer}.")
    card = await bench.slack.until(lambda: find(bench.slack, root, "Which colour?"))
    await bench.slack.press(card, "Red")
    await bench.slack.until(lambda: bench.told(root).state == "completed")

    first, second = bench.told(root).turns

    assert first.run.asks == "It asked: Which colour? | Red | Blue"
    assert [line.kind for line in first.run.lines].count("started") == 1
    assert second.final == "It began with the answer to a question. Run the turn again that asked it."


async def test_the_channel_has_its_name_after_an_answer_too(bench: Bench) -> None:
    bench.write("asker", "triggers: [{mention: ['#reviews']}]", "You are in {{ channel.name }}.")
    await bench.slack.until(lambda: any(card.name == "asker" for card in bench.asks.agents()))
    root = await bench.slack.mention("!ask Which colour? | Red | Blue\n!say It is {answer}.", channel="reviews")
    card = await bench.slack.until(lambda: find(bench.slack, root, "Which colour?"))
    await bench.slack.press(card, "Red")
    await bench.slack.until(lambda: bench.told(root).state == "completed")

    assert bench.turn(root, 2).run.instructions == "You are in reviews."


async def test_a_turn_is_run_again_with_the_file_as_it_is_now_and_nothing_is_said_in_slack(bench: Bench) -> None:
    root = await bench.asked("!say Hello.")
    calls = len(bench.slack.messages("general"))
    await bench.rewrite(root, "model: other", "Be brief, {{ person.name }}, in {{ channel.name }}.")

    again = await bench.again(root, "completed")

    assert again.answer == bench.turn(root).run.answer == "Hello.\n"
    assert again.instructions == "Be brief, ana, in general."
    assert again.version != bench.turn(root).run.version
    assert len(bench.slack.messages("general")) == calls
    assert len(bench.told(root).turns) == 1


async def test_what_it_would_ask_ends_the_run(bench: Bench) -> None:
    root = await bench.asked("!approve rm -rf build\n!say Never.")

    again = await bench.again(root, "input_required")

    assert again.asks.startswith("It would ask: May I run this command?")
    assert "(rm -rf build)" in again.asks
    assert len(bench.told(root).turns) == 1


async def test_a_run_can_be_stopped(bench: Bench) -> None:
    root = await bench.asked("!say Hello.")
    await bench.rewrite(root, "options: {slow: 60}")
    await bench.again(root, "working")

    with pytest.raises(ValueError, match="It runs already"):
        bench.asks.again(bench.told(root).id, 1)
    bench.asks.halt(bench.told(root).id, 1)

    again = await bench.rerun(root, "canceled")

    assert again.reason == "It was stopped."


@pytest.mark.parametrize(
    ("asked", "front", "reason"),
    [
        (
            "!say Hello.",
            "options: {slow: 60}\nbudget: {minutes_per_turn: 0.001}",
            "This took longer than the 0.001 minutes that agents/helper.md",
        ),
        ("!cost 2\n!say Never.", "budget: {usd_per_session: 1}", "The budget of $1 for one session is used up"),
    ],
)
async def test_a_run_keeps_to_what_its_file_allows(bench: Bench, asked: str, front: str, reason: str) -> None:
    root = await bench.asked(asked)
    await bench.rewrite(root, front)

    again = await bench.again(root, "failed")

    assert again.reason.startswith(reason)


async def test_a_runtime_that_breaks_is_told_in_words(bench: Bench) -> None:
    root = await bench.asked("!say Hello.")
    await bench.rewrite(root, "options: {sloow: 1}")

    again = await bench.again(root, "failed")

    assert again.reason == "agents/helper.md: options.sloow: unknown key; did you mean 'slow'?"


async def test_an_agent_whose_file_is_gone_cannot_be_run_again(bench: Bench) -> None:
    root = await bench.asked("!say Hello.")
    (bench.folder / "helper.md").unlink()

    await bench.slack.until(lambda: bench.turn(root).final)

    assert bench.turn(root).final == "agents/helper.md is gone. Put it back to run this turn again."
    with pytest.raises(ValueError, match="not there any more"):
        bench.asks.again(bench.told(root).id, 1)


async def test_files_come_along_when_a_turn_is_run_again(bench: Bench) -> None:
    root = await bench.slack.mention("!say Look.", files=[("notes.txt", b"hello")])
    await bench.slack.until(lambda: bench.told(root).state == "completed")

    again = await bench.again(root, "completed")

    assert again.answer == "Look.\n"


async def test_cards_say_how_each_agent_is_reached_and_what_is_wrong(bench: Bench) -> None:
    bench.write("coder", "triggers: [{mention: '#code'}, {dm: true}, {command: /code}]\nenvironment: [NO_SUCH_KEY]")
    bench.write("other", "triggers: [{command: /code}]\noptions: {sloow: 1}")
    bench.write("broken", "triggers: [")
    cards = await bench.slack.until(lambda: len(found := bench.asks.agents()) == 3 and found[2].problems[1:] and found)

    coder, helper, other = cards

    assert [(route.words, route.place, route.text) for route in coder.routes] == [
        ("mentions in #code", "#code", "@frontdesk "),
        ("direct messages", "messages", ""),
        ("the command /code", "#general", "/code "),
    ]
    assert coder.unset == ["NO_SUCH_KEY"]
    assert helper.problems == []
    assert other.problems == [
        "agents/coder.md and agents/other.md both claim the command /code; remove it from one of them",
        "agents/other.md: options.sloow: unknown key; did you mean 'slow'?",
    ]
    assert [problem.partition(" YAML")[0] for problem in bench.asks.problems()] == ["agents/broken.md: the front matter is no"]


async def test_a_broken_file_keeps_its_last_good_version_and_its_card_says_so(bench: Bench) -> None:
    bench.write("helper", "triggers: [")

    [card] = await bench.slack.until(lambda: (found := bench.asks.agents())[0].problems and found)

    assert card.problems[0].endswith("until that is right, its last good version goes on")
    assert (await bench.asked("hello"))["text"].endswith("hello")


async def test_what_is_typed_into_a_secret_part_is_not_shown(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shy_runtime.py").write_text(SHY)
    monkeypatch.syspath_prepend(tmp_path)
    (bench.folder / "shy.md").write_text("---\ndescription: Asks.\nruntime: shy_runtime:Shy\ntriggers: [{command: /shy}]\n---\nAsk.\n")
    await bench.slack.until(lambda: "/shy" in (bench.slack.world.commands or ()))
    root = await bench.slack.mention("shy: ask me")
    await bench.slack.until(lambda: bench.told(root).state == "input_required")

    await bench.slack.say("hunter2", thread=root)
    await bench.slack.until(lambda: bench.told(root).state == "completed")

    assert bench.turn(root, 2).prompt == "(kept secret)"
    assert "hunter2" not in json.dumps([[line.text for line in turn.run.lines] for turn in bench.told(root).turns])


SHY = """
from bot.event import Finished, Part, Question, Started


class Shy:
    async def run(self, turn, inbox):
        yield Started("x")
        if turn.answer:
            yield Finished("completed")
        else:
            yield Question("q1", "question", (Part("key", "Which key?", secret=True),))
            yield Finished("input_required")
"""


def test_a_runtime_that_needs_our_tools_says_so_in_play_too(settings: Settings) -> None:
    watching = Watching(settings, Agents(settings.agents_dir), lambda: None, "@Frontdesk", "")

    assert getattr(watching.runtime(agent(runtime="hermes")), "tools", False)
