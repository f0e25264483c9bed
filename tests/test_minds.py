"""People change their minds, say a thing twice, answer with a file, and look at what is not theirs."""

import json

import pytest

from bot import app
from bot.app import Frontdesk
from bot.event import Finished, Improvement, Part, Question, Started
from bot.playground import Slack
from bot.ports import Turn
from bot.session import Session
from bot.settings import Settings
from bot.store.files import Agents
from bot.store.sql import SqlStore
from tests.standins.wait import until
from tests.test_path import Json, find, last, said


class Secretive:
    """Asks for a password, and ends its turn."""

    async def run(self, turn: Turn, inbox: object):  # type: ignore[no-untyped-def]
        yield Started("r")
        if turn.number == 1:
            yield Question("q", "form", (Part("word", "Password?", free_text=True, secret=True),))
        yield Finished("completed" if turn.number > 1 else "input_required")


async def over(slack: Slack, desk: Frontdesk, number: int = 1) -> Session:
    """The newest session, once so many turns of it have ended."""

    async def ended() -> Session | None:
        found = await desk.store.sessions(1)
        return found[0] if found and found[0].number == number and found[0].over else None

    found = await until(ended)
    assert found
    return found


async def test_a_secret_never_becomes_a_title(slack: Slack, settings: Settings) -> None:
    parts = app.Parts(Agents(settings.agents_dir), SqlStore(settings.database_url), lambda _: Secretive())
    async with app.running(settings, parts) as desk:
        root = await slack.direct("", files=["notes.txt"])
        await slack.press(await slack.until(lambda: find(slack, root, "Password?")), "Write an answer", "ana")
        await slack.submit(await slack.until(lambda: slack.modals("ana")[-1]), {"text:word": "hunter2"}, "ana")

        session = await over(slack, desk, 2)

        async def kept() -> bool:
            return any(message.door == "answer" and message.answer is None for message in await desk.store.read_by(session.id, 2))

        assert session.title == "(kept secret)"
        await until(kept)  # what was typed is not kept any longer than it is needed
        assert "hunter2" not in str(await desk.store.read_by(session.id, 2))


async def test_try_again_means_all_that_the_turn_was_asked(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!slow 0.3\n!say one")
    await slack.until(lambda: said(slack, root))
    await slack.mention("!say the first wish", thread=root)
    await slack.mention("!fail the second", thread=root)
    await slack.until(lambda: any("That did not work" in text for text in said(slack, root)), 10)

    await slack.press(find(slack, root, "That did not work"), "Try again", "ana")

    assert "the first wish" in (await over(slack, desk, 3)).answer


async def test_try_again_after_an_answer_says_the_answer_again(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!ask Which? | Red\n!fail broke")
    await slack.press(await slack.until(lambda: find(slack, root, "Which?")), "Red", "ana")
    await slack.until(lambda: any("That did not work" in text for text in said(slack, root)))

    await slack.press(find(slack, root, "That did not work"), "Try again", "ana")

    assert "You said: Red" in (await over(slack, desk, 3)).answer


async def test_what_is_taken_back_while_the_last_word_waits_is_not_done(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!slow 0.3\n!say one")
    await slack.until(lambda: said(slack, root))
    slack.fail("chat.update", status=500, times=1000)
    await over(slack, desk)
    more = await slack.mention("!say delete production", thread=root)
    await until(lambda: desk.store.heard(f"{more['channel']}:{more['ts']}"))

    await slack.delete(more)
    await until(lambda: taken_back(desk, f"{more['channel']}:{more['ts']}"))
    slack.forgive()

    await slack.mention("!say the end", thread=root)
    await slack.until(lambda: any("the end" in text for text in said(slack, root)), 10)
    assert not any("delete production" in text for text in said(slack, root))


async def taken_back(desk: Frontdesk, message_id: str) -> bool:
    found = await desk.store.asked_by(message_id)
    return found is not None and found[1].done


async def test_an_edit_is_no_new_request_and_whoever_made_it_is_told(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!say one")
    await slack.until(lambda: said(slack, root) and "one" in said(slack, root)[-1])

    await slack.edit(root, f"<@{slack.bot}> !say two")

    told = await slack.until(lambda: slack.ephemerals("ana")[-1])
    assert slack.text(told) == "I go by what this message said at first. Say in its thread what is different, and I take that in."
    assert not any("two" in text for text in said(slack, root))


async def test_stop_means_all_that_runs_in_a_thread(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!slow 30\n!say never")
    await slack.until(lambda: said(slack, root))
    await slack.mention("reviewer: !slow 30\n!say never", thread=root)
    await slack.until(lambda: len(said(slack, root)) == 2)

    await slack.say("stop", thread=root)

    await slack.until(lambda: sum("Stopped by ana" in text for text in said(slack, root)) == 2)


async def test_a_reaction_calls_its_agent_also_where_another_has_answered(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("the printer is broken")
    await slack.until(lambda: said(slack, root) and "You said" in said(slack, root)[-1])

    await slack.react(root, "ticket", "ben")

    await slack.until(lambda: len(said(slack, root)) == 2)
    assert {session.agent for session in await desk.store.sessions()} == {"helper", "triage"}


async def test_what_somebody_else_wrote_is_a_quote_to_whoever_a_reaction_calls(slack: Slack, desk: Frontdesk) -> None:
    message = await slack.say("!say obeyed", by="ben", channel="triage")

    await slack.react(message, "ticket", "ana")

    await slack.until(lambda: said(slack, message) and "> | !say obeyed" in said(slack, message)[-1])
    assert "Look at what ben wrote" in (await desk.store.sessions())[0].title


async def test_the_file_of_a_typed_answer_comes_behind_it(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!ask Which log?\n!say got {answer}")
    await slack.until(lambda: find(slack, root, "Which log?"))

    await slack.say("here it is", thread=root, files=["app.log"])

    await slack.until(lambda: any("got here it is" in text for text in said(slack, root)))
    session = await over(slack, desk, 3)
    assert [file.name for file in (desk.settings.sessions_dir / session.id / "in").iterdir()] == ["app.log"]


async def test_thumbs_down_once_more_takes_no_reason_back(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("hello")
    await slack.until(lambda: said(slack, root) and "You said" in said(slack, root)[-1])
    await slack.press(last(slack, root), "Bad", "ana")
    await slack.submit(await slack.until(lambda: slack.modals("ana")[-1]), {"text": "it lied"}, "ana")
    await slack.until(lambda: any("kept with the conversation" in slack.text(each) for each in slack.ephemerals("ana")))

    await slack.press(last(slack, root), "Bad", "ana")
    await slack.until(lambda: slack.modals("ana"))

    assert [given.text for given in await desk.store.feedback()] == ["it lied"]


async def test_what_would_have_helped_stands_behind_the_steps(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!step Reading payroll.csv\n!say done")
    await slack.until(lambda: said(slack, root) and "done" in said(slack, root)[-1])
    [session] = await desk.store.sessions()
    _, epoch = await desk.store.begin(session.id)
    await desk.store.save(epoch, session, [Improvement("missing", "A key for <!channel>.", "401")], 1.0)

    await slack.press(last(slack, root), "Steps", "ana")

    looked = json.dumps(await slack.until(lambda: slack.modals("ana")))
    assert "What would have helped, as the agent says" in looked
    assert "missing: A key for &lt;!channel&gt;." in looked
    assert not any("A key for" in text for text in said(slack, root))


@pytest.mark.parametrize("by", ["dan", "eve"])
async def test_the_steps_are_for_those_who_may_ask_the_agent(slack: Slack, desk: Frontdesk, by: str) -> None:
    await slack.invite("partners")
    await slack.invite("partners", "dan")
    root: Json = await slack.mention("!step Reading payroll.csv\n!say done", channel="partners")
    await slack.until(lambda: said(slack, root) and "done" in said(slack, root)[-1])

    await slack.press(last(slack, root), "Steps", by)
    await slack.say("status", by=by, channel="partners", thread=root)

    await slack.until(lambda: len(slack.ephemerals(by)) == 2)
    assert all("You may not ask helper" in slack.text(each) for each in slack.ephemerals(by))
    assert not slack.modals(by)
