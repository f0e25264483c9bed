"""An agent is made in Slack: a form, its file, and somebody who allows it; nothing is written before."""

import asyncio
import html
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import app, policy
from bot.agent import parse
from bot.app import Frontdesk
from bot.app.shelf import Folder
from bot.change import Note
from bot.draft import ROOM, Draft, unpacked
from bot.errors import ConfigError
from bot.message import Kind, Person
from bot.past import Change
from bot.playground import Slack
from bot.prompt import instructions
from bot.settings import Settings
from bot.slack.view import visible
from bot.slack.views import new
from bot.slack.views.new import asked
from tests.workspaces.conftest import MAIL

Json = dict[str, Any]
HELPER = parse("helper", "---\ndescription: x\nruntime: echo\n---\n")
NOTE = Note("1", "Writes release notes.")
NOTES = {
    "name": "Release notes", "about": "Writes release notes.", "words": "You write release notes for {{ person.name }}.",
    "like": "helper", "where": "random", "run": "Everybody in this workspace", "approver": "carla",
}  # fmt: skip
WRITTEN = "agents/release-notes.md is written, and counts from now on."


async def filled(slack: Slack, by: str = "ana", **changed: Any) -> Json:
    """The form is opened and sent; what came of it, as its author sees it."""
    await slack.command("/frontdesk", "new", by=by)
    view = await slack.until(lambda: slack.modals(by)[-1])
    await slack.submit(view, NOTES | changed, by)
    return await slack.until(lambda: letter(slack, by, "This would be"))


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def letter(slack: Slack, to: str, words: str) -> Json:
    """What was written to somebody directly."""
    found: list[Json] = [message for message in slack.messages(f"@{to}") if words in slack.text(message)]
    return found[-1]


async def test_an_agent_is_thought_up_shown_allowed_and_answers(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    mine = await filled(slack)
    assert "You write release notes for" in slack.text(mine)

    await slack.press(mine, "Ask for approval", "ana")
    card = await slack.until(lambda: letter(slack, "carla", "asks you to allow it"))
    assert not (agents / "release-notes.md").exists()
    await slack.press(card, "Allow, and write it", "carla")

    await slack.until(lambda: letter(slack, "ana", f"`release-notes`: Allowed by carla: {WRITTEN} Mention me in #random, and it answers."))
    assert "Allow, and write it" not in slack.text(letter(slack, "carla", "Allowed by carla"))
    made = parse("release-notes", (agents / "release-notes.md").read_text())
    assert (made.runtime, made.triggers[0].mention, made.allow.run) == ("echo", ("#random",), ("members",))
    await slack.until(lambda: any(agent.name == "release-notes" for agent in desk.desk.agents), 10)


async def test_it_is_tried_before_anybody_is_asked_and_only_its_author_sees_the_answer(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    await slack.press(await filled(slack), "Try it", "ana")
    view = await slack.until(lambda: slack.modals("ana")[-1])

    await slack.submit(view, {"words": "!say the notes of 1.2"}, "ana")

    answer = await slack.until(lambda: letter(slack, "ana", "which is no agent yet"))
    assert "the notes of 1.2" in slack.text(answer)
    assert "It took 0 s. Only you see this." in slack.text(answer)
    assert not (agents / "release-notes.md").exists()
    assert not [post for place in ("general", "reviews") for post in slack.messages(place)]


async def test_what_it_asks_when_it_is_tried_is_told_since_nobody_else_is_there(slack: Slack, desk: Frontdesk) -> None:
    await slack.press(await filled(slack), "Try it", "ana")
    view = await slack.until(lambda: slack.modals("ana")[-1])

    await slack.submit(view, {"words": "!ask Which version?"}, "ana")

    answer = await slack.until(lambda: letter(slack, "ana", "which is no agent yet"))
    assert "It asks, and nobody is there: Which version?" in slack.text(answer)


async def test_whoever_thought_it_up_is_told_by_a_message_of_its_own(slack: Slack, desk: Frontdesk) -> None:
    await slack.press(await filled(slack), "Ask for approval", "ana")
    card = await slack.until(lambda: letter(slack, "carla", "asks you to allow it"))

    await slack.press(card, "Allow, and write it", "carla")

    told = await slack.until(lambda: letter(slack, "ana", "`release-notes`: Allowed by carla"))
    assert told["ts"] == max(message["ts"] for message in slack.messages("@ana"))
    assert "edited" not in told


async def test_of_two_presses_at_once_one_settles_it(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    await slack.press(await filled(slack), "Ask for approval", "ana")
    card = await slack.until(lambda: letter(slack, "carla", "asks you to allow it"))

    await asyncio.gather(*(slack.press(card, word, "carla") for word in ("Refuse", "Allow, and write it")))

    await slack.until(lambda: any("That is settled" in slack.text(post) for post in slack.ephemerals("carla")))
    told = await slack.until(lambda: letter(slack, "ana", "`release-notes`: "))
    assert ("Allowed" in slack.text(told)) == (agents / "release-notes.md").exists()


async def test_what_was_refused_can_be_asked_for_again(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    mine = await filled(slack)
    await slack.press(mine, "Ask for approval", "ana")
    card = await slack.until(lambda: letter(slack, "carla", "asks you to allow it"))
    await slack.press(card, "Refuse", "carla")
    await slack.until(lambda: letter(slack, "ana", "`release-notes`: Refused by carla."))

    await slack.press(letter(slack, "ana", "An agent of"), "Change it", "ana")
    await slack.submit(await slack.until(lambda: slack.modals("ana")[-1]), NOTES, "ana")
    await slack.press(await slack.until(lambda: letter(slack, "ana", "This would be")), "Ask for approval", "ana")
    again = await slack.until(lambda: letter(slack, "carla", "asks you to allow it"))
    await slack.press(again, "Allow, and write it", "carla")

    await slack.until(lambda: letter(slack, "ana", "`release-notes`: Allowed by carla"))
    assert (agents / "release-notes.md").exists()


async def test_where_git_looks_after_the_agents_it_is_a_branch(slack: Slack, settings: Settings, agents: Path) -> None:
    for words in (["init", "-q", "-b", "main"], ["add", "."], [*MAIL, "commit", "-q", "-m", "The first."]):
        git(agents, *words)
    async with app.running(settings):
        await slack.press(await filled(slack), "Ask for approval", "ana")
        card = await slack.until(lambda: letter(slack, "carla", "asks you to allow it"))

        await slack.press(card, "Allow, and write it", "carla")

        told = await slack.until(lambda: letter(slack, "ana", "`release-notes`: Allowed by carla: The branch"))
    branch = re.search(r"frontdesk/release-notes-[\w-]+", slack.text(told))
    assert branch
    assert "You write release notes" in git(agents, "show", f"{branch[0]}:release-notes.md")
    assert not (agents / "release-notes.md").exists()


async def test_what_is_refused_is_not_written(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    await slack.press(await filled(slack), "Ask for approval", "ana")
    card = await slack.until(lambda: letter(slack, "carla", "asks you to allow it"))

    await slack.press(card, "Refuse", "carla")

    await slack.until(lambda: letter(slack, "ana", "Refused by carla."))
    assert not (agents / "release-notes.md").exists()


async def test_what_is_wrong_is_told_before_anybody_is_asked_and_can_be_changed(slack: Slack, desk: Frontdesk) -> None:
    mine = await filled(slack, where="reviews", approver="ben")
    text = slack.text(mine)
    assert "agents/reviewer.md and agents/release-notes.md both claim mentions in #reviews; remove it from one of them" in text
    assert "ben may not allow it. These may: carla." in text
    assert "Ask for approval" not in text

    await slack.press(mine, "Change it", "ana")
    view = await slack.until(lambda: slack.modals("ana")[-1])
    await slack.submit(view, NOTES, "ana")

    await slack.until(lambda: "Ask for approval" in slack.text(letter(slack, "ana", "This would be")))
    assert len([message for message in slack.messages("@ana") if "This would be" in slack.text(message)]) == 1


async def test_it_is_allowed_after_a_restart(slack: Slack, settings: Settings, agents: Path) -> None:
    async with app.running(settings):
        await slack.press(await filled(slack), "Ask for approval", "ana")
        card = await slack.until(lambda: letter(slack, "carla", "asks you to allow it"))

    async with app.running(settings):
        await slack.press(card, "Allow, and write it", "carla")

        await slack.until(lambda: letter(slack, "ana", "Allowed by carla"))
    assert (agents / "release-notes.md").exists()
    assert len([message for message in slack.messages("@carla") if "release-notes" in slack.text(message)]) == 1


async def test_what_was_allowed_is_what_is_written(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    await slack.press(await filled(slack), "Ask for approval", "ana")
    card = await slack.until(lambda: letter(slack, "carla", "asks you to allow it"))
    helper = agents / "helper.md"
    helper.write_text(helper.read_text().replace("runtime: echo", "runtime: echo\noptions: {listen: true}"))
    await slack.until(lambda: desk.agent("helper").options, 10)

    await slack.press(card, "Allow, and write it", "carla")

    await slack.until(lambda: "listen: true" in slack.text(letter(slack, "carla", "asks you to allow it")))
    assert not (agents / "release-notes.md").exists()


@pytest.mark.parametrize(
    "words", ["& <b> " * 380 + "the end", "\u202ethe end\u200b\ufe01\u3164\U000e0101", "```\nthe end\n```" + "\n" * 1500 + "the end"]
)
def test_whoever_allows_it_sees_all_of_it(words: str) -> None:
    text = drawn(words=words).text(parse("helper", "---\ndescription: x\nruntime: echo\n---\n"))

    shown = "".join(block["text"]["text"].removeprefix("```\n").removesuffix("\n```") for block in asked(drawn(), text).blocks[1:-1])

    assert new.hidden(text) == []
    assert html.unescape(shown).replace("`\u200b``", "```") == visible(text)


def test_a_file_that_cannot_be_shown_whole_is_told() -> None:
    assert new.hidden("x" * 15_001) == ["Its file has more than 15,000 characters, which Slack cannot show at once."]


async def test_a_guest_thinks_up_nothing(slack: Slack, desk: Frontdesk) -> None:
    slack.add_person("gus", is_restricted=True)
    slack.world.channel("general").members[slack.user("gus")] = None

    await slack.command("/frontdesk", "new", by="gus")

    await slack.until(lambda: any("Only members of this workspace" in slack.text(m) for m in slack.ephemerals("gus")))


@pytest.mark.parametrize("said", ["help", "", "old"])
async def test_the_command_says_what_it_can(slack: Slack, desk: Frontdesk, said: str) -> None:
    await slack.command("/frontdesk", said, by="ana")

    shown = slack.text(await slack.until(lambda: slack.ephemerals("ana")[-1]))
    assert "*helper*: Says back what it is told." in shown
    assert "`/frontdesk new` makes an agent" in shown


def drawn(**changed: str) -> Draft:
    given = {"id": "1", "name": "x", "about": "X.", "words": "Do it.", "like": "helper", "place": "", "run": "members", "by": "U1"}
    return Draft(**{**given, "approver": "U2", **changed})


def test_a_draft_comes_back_from_a_button_as_it_was() -> None:
    long = drawn(words="You write release notes, “kindly”, for everybody.\n" * 48)

    assert unpacked(long.packed()) == long
    assert len(long.packed()) < ROOM


def test_what_people_write_is_no_template() -> None:
    words = "Begin with {{ person.name }}{{ 'x' * 99999999999 }}{% for a in b %}."

    made = parse("x", drawn(words=words).text(HELPER))

    assert instructions(made, Person("U1", "Ana"), "general", 0.0) == words


@pytest.mark.parametrize(
    ("field", "given", "told"),
    [
        pytest.param("name", "Helper", "There is an agent helper already; take another name.", id="taken"),
        pytest.param("name", "Über uns", "An agent's name has small letters, digits", id="letters"),
        pytest.param("words", "Say {%- endraw %}{{ person.id }}.", "Leave out {% endraw %}: your words are taken as they are", id="end"),
        pytest.param("words", "".join(map(chr, range(0x4E00, 0x4E00 + 2400))), "That is more than Slack can carry.", id="long"),
    ],
)
async def test_what_is_wrong_at_once_stands_at_its_field_and_nothing_is_lost(
    slack: Slack, desk: Frontdesk, field: str, given: str, told: str
) -> None:
    await slack.command("/frontdesk", "new", by="ana")
    view = await slack.until(lambda: slack.modals("ana")[-1])

    answer = await slack.submit(view, NOTES | {field: given}, "ana")

    assert [*answer["errors"]] == [field]
    assert told in answer["errors"][field]
    assert len(slack.modals("ana")) == 1


async def test_the_form_says_by_name_who_may_allow_it(slack: Slack, desk: Frontdesk) -> None:
    await slack.command("/frontdesk", "new", by="ana")

    view = await slack.until(lambda: slack.modals("ana")[-1])

    assert "an admin (carla), or another whom that agent's file lets approve by name" in str(view)


async def test_where_slack_names_no_admins_the_form_opens_all_the_same(slack: Slack, desk: Frontdesk) -> None:
    slack.fail("users.list", error="missing_scope")

    await slack.command("/frontdesk", "new", by="ana")

    assert "an admin, or another whom" in str(await slack.until(lambda: slack.modals("ana")[-1]))


async def test_whom_a_file_names_is_named_beside_the_admins(slack: Slack, desk: Frontdesk) -> None:
    mine = await filled(slack, like="reviewer", approver="ana")

    assert "ana may not allow it. These may: carla, @platform." in slack.text(mine)


async def test_its_author_reads_plain_words_before_the_file(slack: Slack, desk: Frontdesk) -> None:
    text = slack.text(await filled(slack))

    assert text.startswith("This would be `release-notes` (“Release notes”, as an agent's name is written): Writes release notes.")
    assert text.index("Who may ask it: Everybody") < text.index("Ask for approval") < text.index("agents/release-notes.md")
    assert "budget" not in text


async def test_of_two_drafts_of_one_name_the_second_is_told_that_it_is_there(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    await slack.press(await filled(slack), "Ask for approval", "ana")
    first = await slack.until(lambda: letter(slack, "carla", "asks you to allow it"))
    await slack.press(await filled(slack, "ben"), "Ask for approval", "ben")
    second = await slack.until(lambda: again if (again := letter(slack, "carla", "asks you to allow it"))["ts"] != first["ts"] else None)
    third = await filled(slack, "ben")
    await slack.press(first, "Allow, and write it", "carla")
    await slack.until(lambda: letter(slack, "ana", "is written"))

    await slack.press(second, "Allow, and write it", "carla")
    await slack.press(third, "Ask for approval", "ben")

    there = "There is an agent 'release-notes' already; take another name."
    await slack.until(lambda: letter(slack, "ben", f"`release-notes`: carla allowed it, but it is not written: {there}"))
    await slack.until(lambda: there in slack.text(slack.message(third)))
    assert f"carla allowed it, but it is not written: {there}" in slack.text(slack.message(second))


def test_an_agent_like_one_that_answers_privately_answers_privately() -> None:
    like = parse("helper", "---\ndescription: x\nruntime: echo\nreply: private\nimprove: false\nfallback: [pi]\n---\n")

    made = parse("x", drawn().text(like))

    assert (made.reply, made.improve, made.fallback) == ("private", False, like.fallback)


@pytest.mark.parametrize(
    ("approve", "kind", "by", "fits"),
    [
        ("[asker, members, everyone]", "member", "U11", False),
        ("[asker, members, everyone]", "admin", "U11", True),
        ("[asker]", "admin", "U22", True),
        ("[U22]", "member", "U11", True),
        ("[S12]", "member", "U11", True),
        ("[U22]", "member", "U22", False),
        ("[U22]", "guest", "U11", False),
    ],
)
def test_a_new_agent_is_allowed_by_an_admin_or_by_somebody_else_who_is_named(approve: str, kind: Kind, by: str, fits: bool) -> None:
    like = parse("helper", f"---\ndescription: x\nruntime: echo\nallow: {{approve: {approve}}}\n---\n")

    assert policy.grants(like, Person("U22", "Carla", kind, groups=frozenset({"S12"})), by) == fits


async def test_a_name_that_is_a_path_is_refused(tmp_path: Path) -> None:
    text = drawn().text(parse("helper", "---\ndescription: x\nruntime: echo\n---\n"))

    assert "an agent's name is its file's" in (await Folder(tmp_path).wrong("../x", text, new=True))[0]
    with pytest.raises(ConfigError, match="an agent's name is its file's"):
        await Folder(tmp_path / "agents").put(Change("../x", "", text, "", "ana"), NOTE)


async def test_a_file_that_is_there_stays_unless_it_is_the_same(tmp_path: Path) -> None:
    text = drawn().text(parse("helper", "---\ndescription: x\nruntime: echo\n---\n"))
    shelf = Folder(tmp_path)
    change = Change("x", "", text, "", "ana")
    await shelf.put(change, NOTE)
    await shelf.put(change, NOTE)

    with pytest.raises(ConfigError, match="is there already, and stays as it is"):
        await shelf.put(replace(change, new=text + "more\n"), NOTE)


async def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(tmp_path: Path) -> None:
    text = drawn().text(parse("helper", "---\ndescription: x\nruntime: echo\n---\n"))

    with pytest.raises(ConfigError, match=r"cannot be written here .*: put the file where your agents' files are kept"):
        await Folder(tmp_path / "nowhere").put(Change("x", "", text, "", "ana"), NOTE)
