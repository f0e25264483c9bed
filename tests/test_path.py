"""The path of everything that people do, all the way: real Bolt, real Socket Mode, a real database; only Slack itself is played."""

import re
from typing import Any

import pytest

from bot.app import Frontdesk
from bot.playground import Slack

Json = dict[str, Any]


def said(slack: Slack, root: Json) -> list[str]:
    """What the bot has said in a thread, message by message."""
    return [slack.text(message) for message in slack.thread(root) if message.get("bot_id")]


def find(slack: Slack, root: Json, words: str) -> Json:
    """The newest message of a thread that says this."""
    found = [message for message in slack.thread(root) if words in slack.text(message) and message.get("bot_id")]
    return found[-1]


def last(slack: Slack, root: Json) -> Json:
    return [message for message in slack.thread(root) if message.get("bot_id")][-1]


async def test_a_mention_is_answered_in_its_thread(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("hello there")

    await slack.until(lambda: "You said: hello there" in said(slack, root)[-1])

    assert len(said(slack, root)) == 1


async def test_a_message_that_comes_twice_is_answered_once(slack: Slack, desk: Frontdesk) -> None:
    slack.duplicate(True)

    root = await slack.mention("hello")
    await slack.until(lambda: "You said" in said(slack, root)[-1])
    again = await slack.mention("another")
    await slack.until(lambda: "another" in said(slack, again)[-1])

    assert len(said(slack, root)) == 1


async def test_a_direct_message_starts_a_session_with_a_title(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.direct("good morning", by="ben")

    await slack.until(lambda: "You said: good morning" in said(slack, root)[-1])

    assert slack.titles[(root["channel"], root["ts"])] == "good morning"


async def test_the_messages_tab_suggests_what_to_ask(slack: Slack, desk: Frontdesk) -> None:
    await slack.open_messages("ana")

    await slack.until(lambda: slack.prompts("ana"))

    assert "Say hello" in str(slack.prompts("ana"))


async def test_a_command_is_acknowledged_privately_and_answered_in_a_thread_that_says_who_asked(slack: Slack, desk: Frontdesk) -> None:
    await slack.command("/review", "pull request 7", by="ana", channel="reviews")

    root = await slack.until(lambda: [m for m in slack.messages("reviews") if m.get("bot_id") and "ana" in slack.text(m).lower()][-1])
    await slack.until(lambda: "You said: pull request 7" in slack.text(last(slack, root)))

    assert "reviewer" in slack.text(root)
    assert any("On it" in slack.text(m) for m in slack.ephemerals("ana"))


async def test_the_agent_of_the_channel_answers_there(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!fail broken on purpose", channel="reviews")

    await slack.until(lambda: "broken on purpose" in said(slack, root)[-1])

    [session] = await desk.store.sessions()
    assert session.agent == "reviewer"


async def test_an_agent_is_picked_by_its_name(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("reviewer: look at this")

    await slack.until(lambda: "You said: look at this" in said(slack, root)[-1])

    assert [session.agent for session in await desk.store.sessions()] == ["reviewer"]


async def test_a_misspelt_name_is_told_privately_and_starts_nothing(slack: Slack, desk: Frontdesk) -> None:
    await slack.mention("reviewr: look at this")

    await slack.until(lambda: any("`@Frontdesk reviewer: …`" in slack.text(m) for m in slack.ephemerals("ana")))

    assert not await desk.store.sessions()


async def test_a_watched_channel_needs_no_mention(slack: Slack, desk: Frontdesk) -> None:
    other = await slack.say("all is well", channel="triage")
    root = await slack.say("here is a Stack Trace", channel="triage")

    await slack.until(lambda: "You said: here is a Stack Trace" in said(slack, root)[-1])

    assert not said(slack, other)


async def test_a_reaction_starts_the_agent_that_waits_for_it(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.say("the printer burns", channel="triage")

    await slack.react(root, "ticket", "ben")

    await slack.until(lambda: "> | the printer burns" in said(slack, root)[-1])


async def test_a_thread_goes_on_without_a_mention(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("first")
    await slack.until(lambda: "You said: first" in said(slack, root)[-1])

    await slack.say("second", thread=root)

    await slack.until(lambda: "You said: second" in said(slack, root)[-1])


async def test_an_aside_is_not_for_the_agent(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("first")
    await slack.until(lambda: "You said: first" in said(slack, root)[-1])

    await slack.say("(aside) what do you think?", thread=root)
    await slack.say("second", thread=root)

    await slack.until(lambda: "second" in said(slack, root)[-1])
    assert "think" not in " ".join(said(slack, root))


async def test_a_session_that_starts_in_a_thread_is_told_what_was_said_there(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.say("the build is red since noon", by="ben")
    await slack.say("!say I am an instruction", by="ben", thread=root)

    await slack.mention("what happened?", thread=root)

    await slack.until(lambda: "what happened?" in said(slack, root)[-1])
    text = said(slack, root)[-1]
    assert "> | the build is red since noon" in text.replace("&gt;", ">")
    assert "> | !say I am an instruction" in text.replace("&gt;", ">")


async def test_a_question_is_answered_by_a_button(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!ask Which colour? | Red | Blue\n!say It is {answer}.")
    card = await slack.until(lambda: find(slack, root, "Which colour?"))
    assert f"<@{slack.user('ana')}>" in str(card["blocks"])

    await slack.press(card, "Blue", "ana")

    await slack.until(lambda: "It is Blue." in said(slack, root)[-1])
    card = slack.message(card)
    assert "answered: *Blue*" in slack.text(card)
    assert not any(block["type"] == "actions" for block in card["blocks"])


async def test_a_long_question_is_asked_to_its_end_and_in_order(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention(f"!ask {' '.join(f'w{n}' for n in range(5000))} or what? | Red | Blue\n!say It is {{answer}}.")
    card = await slack.until(lambda: find(slack, root, "or what?"))
    await slack.until(lambda: find(slack, root, "w4 "))

    assert [word for text in said(slack, root) for word in re.findall(r"w\d+", text)] == [f"w{n}" for n in range(5000)]
    await slack.press(card, "Blue", "ana")

    await slack.until(lambda: "It is Blue." in said(slack, root)[-1])


async def test_an_option_for_which_the_menu_has_no_room_is_chosen_by_its_number(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention(f"!ask Which? {' '.join(f'| name {n}' for n in range(1, 151))}\n!say It is {{answer}}.")
    card = await slack.until(lambda: find(slack, root, "Which?"))
    assert "The menu ends after 100 of 150 options" in slack.text(card)
    assert "149. name 149" in slack.text(card).replace("*", "")

    await slack.say("149", thread=root)

    await slack.until(lambda: "It is name 149." in said(slack, root)[-1])


async def test_a_question_is_answered_by_a_typed_reply(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!ask How many?\n!say {answer} it is.")
    await slack.until(lambda: any("How many?" in text for text in said(slack, root)))

    await slack.say("seventeen", thread=root)

    await slack.until(lambda: "seventeen it is." in said(slack, root)[-1])


async def test_a_question_is_answered_in_a_form(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!ask How many?\n!say {answer} it is.")
    card = await slack.until(lambda: find(slack, root, "How many?"))

    await slack.press(card, "reply", "ana")
    view = await slack.until(lambda: slack.modals("ana")[-1])
    await slack.submit(view, {"How many?": "twelve"}, "ana")

    await slack.until(lambda: "twelve it is." in said(slack, root)[-1])


async def test_only_who_may_answers_and_the_others_are_told_who(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!ask Which? | A | B\n!say {answer}!")
    card = await slack.until(lambda: find(slack, root, "Which?"))

    await slack.press(card, "A", "carla")
    await slack.until(lambda: any("the person who asked" in slack.text(m) for m in slack.ephemerals("carla")))
    await slack.press(card, "B", "ana")

    await slack.until(lambda: "B!" in said(slack, root)[-1])


async def test_an_approval_is_refused_to_the_wrong_person_and_given_by_the_right_one(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!approve rm -rf build\n!say decided: {answer}", channel="reviews")
    card = await slack.until(lambda: find(slack, root, "Permission needed"))
    assert "rm -rf build" in slack.text(card)

    await slack.press(card, "Allow once", "ana")
    await slack.until(lambda: any("You may not approve" in slack.text(m) for m in slack.ephemerals("ana")))
    await slack.press(card, "Allow once", "carla")

    await slack.until(lambda: "decided: Allow once" in said(slack, root)[-1])
    assert "carla" in slack.text(slack.message(card)).lower()


async def test_nobody_approves_unless_the_file_says_who(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!approve make deploy")
    card = await slack.until(lambda: find(slack, root, "Permission needed"))
    assert "Nobody may allow this: its author has to name who" in slack.text(card)
    assert "Allow once" not in slack.text(card)

    await slack.say("allow once", thread=root)

    await slack.until(
        lambda: any("Nobody may yet" in slack.text(m) and "agents/helper.md" in slack.text(m) for m in slack.ephemerals("ana"))
    )


async def test_whoever_asked_may_deny_though_nobody_may_allow(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!approve make deploy\n!say decided: {answer}")
    card = await slack.until(lambda: find(slack, root, "Permission needed"))

    await slack.press(card, "Deny", "ben")
    await slack.until(lambda: any("Nobody may yet" in slack.text(m) for m in slack.ephemerals("ben")))
    await slack.press(card, "Deny", "ana")

    await slack.until(lambda: "decided: Deny" in said(slack, root)[-1])


async def test_a_refusal_carries_its_reason(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!approve make deploy\n!say decided: {answer}", channel="reviews")
    card = await slack.until(lambda: find(slack, root, "Permission needed"))

    await slack.press(card, "Deny with a reason", "ben")
    view = await slack.until(lambda: slack.modals("ben")[-1])
    await slack.submit(view, {"Why not?": "not on a Friday"}, "ben")

    await slack.until(lambda: "decided: Deny" in said(slack, root)[-1])
    assert "not on a Friday" in slack.text(slack.message(card))


async def test_feedback_is_kept_with_its_reasons_and_can_be_changed(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("hello")
    await slack.until(lambda: "You said: hello" in said(slack, root)[-1])

    await slack.press(last(slack, root), "Bad", "ben")
    view = await slack.until(lambda: slack.modals("ben")[-1])
    await slack.submit(view, {"reasons": ["It is wrong"], "text": "it is 4"}, "ben")
    await slack.until(lambda: any("kept" in slack.text(m) for m in slack.ephemerals("ben")))

    [kept] = await desk.store.feedback()
    assert (kept.rating, kept.reasons, kept.text, kept.agent, kept.runtime, kept.model) == (
        "bad",
        ("wrong",),
        "it is 4",
        "helper",
        "echo",
        "echo",
    )
    assert kept.version
    await slack.press(last(slack, root), "Good", "ben")
    await slack.until(lambda: any("it is noted" in slack.text(m) for m in slack.ephemerals("ben")))
    assert [one.rating for one in await desk.store.feedback()] == ["good"]


async def test_a_message_shortcut_opens_a_form_and_answers_in_that_thread(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.say("payments fail for everybody", by="ben", channel="general")
    await slack.say("since the deploy", by="carla", thread=root)

    await slack.shortcut("triage", root, "ana")
    view = await slack.until(lambda: slack.modals("ana")[-1])
    assert "payments fail" in slack.text(view)
    await slack.submit(view, {"agent": "triage", "note": "who is on call?", "where": "thread"}, "ana")

    await slack.until(lambda: "who is on call?" in said(slack, root)[-1])
    assert "since the deploy" in said(slack, root)[-1]


async def test_a_message_shortcut_can_answer_privately(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.say("payments fail for everybody", by="ben", channel="general")

    await slack.shortcut("triage", root, "ana")
    view = await slack.until(lambda: slack.modals("ana")[-1])
    await slack.submit(view, {"agent": "triage", "note": "explain", "where": "private"}, "ana")

    await slack.until(lambda: any("explain" in slack.text(m) for m in slack.messages("@ana") if m.get("thread_ts")))
    assert not said(slack, root)


async def test_a_file_comes_in_and_a_file_goes_out(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!say got it\n!file report.txt all is well", files=["notes.txt"])

    await slack.until(lambda: any(m.get("files") and m["files"][0]["name"] == "report.txt" for m in slack.thread(root)))

    [session] = await desk.store.sessions()
    assert (desk.settings.sessions_dir / session.id / "in" / "notes.txt").read_bytes() == b"content of notes.txt"


async def test_all_of_many_files_go_out(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("\n".join(f"!file {n}.txt page {n}" for n in range(35)))

    await slack.until(lambda: sum(bool(m.get("files")) for m in slack.thread(root)) >= 35, 30)

    assert [m["files"][0]["name"] for m in slack.thread(root) if m.get("files")] == [f"{n}.txt" for n in range(35)]


async def test_what_a_model_writes_pings_nobody(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!say <!channel> <@U0BEN> [https://bank.example](https://evil.example) <!subteam^S1>")
    await slack.until(lambda: "evil.example" in said(slack, root)[-1])

    sent = str([call.args for call in slack.calls if call.method in ("chat.postMessage", "chat.update")])
    assert "<!channel>" not in sent
    assert "<@U0BEN>" not in sent
    assert "<!subteam" not in sent
    assert "](https://evil.example)" not in sent


async def test_a_long_answer_goes_on_in_further_messages_and_as_a_file(slack: Slack, desk: Frontdesk) -> None:
    text = "\n".join(f"!say Paragraph {n}: " + "word " * 60 + "\n!say " for n in range(115))

    root = await slack.mention(text)

    await slack.until(lambda: any(m.get("files") and m["files"][0]["name"] == "answer.md" for m in slack.thread(root)))
    together = " ".join(said(slack, root))
    assert all(f"Paragraph {n}:" in together for n in range(115))


@pytest.mark.parametrize(("end", "why"), [("!fail out of credit", "That did not work"), ("!slow 60\n!say never", "Stopped by")])
async def test_a_long_answer_that_is_cut_is_given_as_far_as_it_came(slack: Slack, desk: Frontdesk, end: str, why: str) -> None:
    text = "\n".join(f"!say Paragraph {n}: " + "word " * 60 + "\n!say " for n in range(115))
    root = await slack.mention(f"{text}\n{end}")
    if "slow" in end:
        await slack.until(lambda: any("Paragraph 114:" in each for each in said(slack, root)))
        await slack.say("stop", thread=root)

    await slack.until(lambda: any(m.get("files") and m["files"][0]["name"] == "answer.md" for m in slack.thread(root)))
    await slack.until(lambda: any(why in each for each in said(slack, root)))
    told = [each for each in said(slack, root) if "Paragraph" in each or why in each]
    assert all(f"Paragraph {n}:" in " ".join(told) for n in range(115))
    assert why in told[-1]
    assert sum(why in each for each in told) == 1


async def test_a_guest_is_told_who_may(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("hello", by="dan")

    await slack.until(lambda: any("members of this workspace" in slack.text(m) for m in slack.ephemerals("dan")))

    assert not said(slack, root)


async def test_people_are_told_of_by_their_names(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("what did @ben and @U0NOBODY say?")

    await slack.until(lambda: "You said: what did @ben and @U0NOBODY say?" in said(slack, root)[-1])


async def test_a_shortcuts_form_quotes_people_by_their_names(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.say("ask @carla", by="ben", channel="triage")

    await slack.shortcut("triage", root, "ana")

    await slack.until(lambda: "ask @carla" in str(slack.modals("ana")[-1]))


async def test_app_home_leads_to_the_conversations(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("hello")
    await slack.until(lambda: "You said: hello" in said(slack, root)[-1])

    await slack.open_home("ana")

    link = f"<https://frontdesk-play.slack.com/archives/{root['channel']}/p{root['ts'].replace('.', '')}|hello>"
    await slack.until(lambda: link in str(slack.home("ana")))


async def test_an_empty_mention_gets_help(slack: Slack, desk: Frontdesk) -> None:
    await slack.mention("")

    await slack.until(lambda: any("Mention me and say what you need" in slack.text(m) for m in slack.ephemerals("ana")))


async def test_an_edit_never_starts_a_second_run(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("hello")
    await slack.until(lambda: "You said: hello" in said(slack, root)[-1])

    await slack.edit(root, f"<@{slack.bot}> hello, again")
    other = await slack.mention("something else")
    await slack.until(lambda: "something else" in said(slack, other)[-1])

    assert len(said(slack, root)) == 1


async def test_everything_is_acknowledged_known_or_not(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("hello")
    await slack.join("random", "ana")
    await slack.look("random", "ana")
    await slack.command("/review", "", by="ana", channel="general")
    await slack.react(root, "wave", "ben")

    await slack.until(lambda: all(envelope.acked_at for envelope in slack.envelopes))
    assert {envelope.state for envelope in slack.envelopes} == {"acked"}


async def test_the_word_stop_stops_and_says_what_was_done(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!step Reading the log\n!slow 30\n!say never")
    await slack.until(lambda: "Reading the log" in said(slack, root)[-1])

    await slack.say("stop", thread=root, by="ben")

    await slack.until(lambda: "Stopped by ben" in said(slack, root)[-1])
    assert "Reading the log" in said(slack, root)[-1]
    await slack.until(lambda: slack.status(root)["session"] == "active")


async def test_the_button_stops(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!slow 30\n!say never")
    await slack.until(lambda: said(slack, root))

    await slack.press(last(slack, root), "Stop", "ana")

    await slack.until(lambda: "Stopped by ana" in said(slack, root)[-1])
    assert "Nothing had been done" in said(slack, root)[-1]


async def test_slacks_own_stop_button_stops(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.direct("!slow 30\n!say never")
    await slack.until(lambda: slack.status(root)["session"] == "processing")

    await slack.stop(root["channel"], root["ts"], "ana")

    await slack.until(lambda: "Stopped by ana" in said(slack, root)[-1])
    await slack.until(lambda: slack.status(root)["session"] == "active")


async def test_deleting_the_message_stops(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!slow 30\n!say never")
    await slack.until(lambda: said(slack, root))

    await slack.delete(root)

    await slack.until(lambda: any("who deleted the message" in slack.text(m) for m in slack.messages("general")))


async def test_a_cross_on_the_message_stops(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!slow 30\n!say never")
    await slack.until(lambda: said(slack, root))

    await slack.react(root, "x", "ana")

    await slack.until(lambda: "Stopped by ana" in said(slack, root)[-1])


async def test_a_stop_while_it_waits_for_an_answer_takes_the_buttons_away(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!ask Which? | A | B")
    card = await slack.until(lambda: find(slack, root, "Which?"))

    await slack.say("stop", thread=root)

    await slack.until(lambda: not any(block["type"] == "actions" for block in slack.message(card)["blocks"]))
    await slack.until(lambda: any("Stopped by ana" in text for text in said(slack, root)))


async def test_a_follow_up_waits_its_turn_where_the_agent_cannot_listen(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!slow 0.3\n!say one\n!say two")
    await slack.until(lambda: said(slack, root))

    more = await slack.say("and this", thread=root)

    await slack.until(lambda: any(r["name"] == "hourglass_flowing_sand" for r in slack.message(more).get("reactions", ())))
    await slack.until(lambda: "You said: and this" in said(slack, root)[-1])
    await slack.until(lambda: not any(r["name"] == "hourglass_flowing_sand" for r in slack.message(more).get("reactions", ())))


async def test_a_follow_up_is_given_to_an_agent_that_listens(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("listener: !slow 0.3\n!say one\n!say two\n!say three")
    await slack.until(lambda: said(slack, root))

    more = await slack.say("hurry up", thread=root)

    await slack.until(lambda: "You added: hurry up" in said(slack, root)[-1])
    await slack.until(lambda: any(r["name"] == "eyes" for r in slack.message(more).get("reactions", ())))
    assert len(said(slack, root)) == 1


async def test_a_muted_thread_is_quiet_until_it_is_unmuted(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("first")
    await slack.until(lambda: "You said: first" in said(slack, root)[-1])
    await slack.say("mute", thread=root)
    await slack.until(lambda: any("quiet" in slack.text(m) for m in slack.ephemerals("ana")))

    await slack.say("just between us", thread=root)
    await slack.say("unmute", thread=root)
    await slack.say("second", thread=root)

    await slack.until(lambda: "second" in said(slack, root)[-1])
    assert len(said(slack, root)) == 2


async def test_new_forgets(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("first")
    await slack.until(lambda: "You said: first" in said(slack, root)[-1])

    await slack.say("new", thread=root)
    await slack.until(lambda: any("Forgotten" in slack.text(m) for m in slack.ephemerals("ana")))
    await slack.say("second", thread=root)

    await slack.until(lambda: "You said: second" in said(slack, root)[-1])
    assert len(await desk.store.sessions()) == 2


async def test_a_failure_says_what_and_offers_another_try(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!step Looked around\n!fail the moon is gone")
    await slack.until(lambda: "the moon is gone" in said(slack, root)[-1])
    assert "Looked around" in said(slack, root)[-1]

    await slack.press(last(slack, root), "Try again", "ana")

    await slack.until(lambda: len(said(slack, root)) == 2)


async def test_a_late_answer_is_a_new_message_and_the_progress_folds(slack: Slack, desk: Frontdesk, monkeypatch: Any) -> None:
    monkeypatch.setattr("bot.slack.views.session.LATE", 0.0)

    root = await slack.mention("!step Reading\n!say done at last")

    await slack.until(lambda: "done at last" in said(slack, root)[-1])
    assert len(said(slack, root)) == 2
    assert "1 step" in said(slack, root)[0]
    await slack.press(slack.thread(root)[1], "Steps", "ana")
    await slack.until(lambda: "Reading" in slack.text(slack.modals("ana")[-1]))


async def test_another_bot_is_ignored_unless_the_file_allows_it(slack: Slack, desk: Frontdesk) -> None:
    loud = await slack.say(f"<@{slack.bot}> hello", by="deploybot")
    root = await slack.mention("hello")
    await slack.until(lambda: "You said: hello" in said(slack, root)[-1])

    assert [m for m in slack.thread(loud) if m.get("bot_id") == "B0FRONTDESK"] == []


async def test_a_private_answer_is_seen_by_the_asker_only(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("hello", channel="random", by="carla")
    await slack.until(lambda: said(slack, root))
    assert slack.messages("@carla") == []
