"""What repeats becomes cards in a thread, and what people press there is done once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot import app, clock
from bot.agent import Agent
from bot.app import Frontdesk
from bot.change import Proposal
from bot.errors import BotError, Denied
from bot.found import Card, Found, name
from bot.improve import findings
from bot.improve.findings import lost
from bot.message import Person
from bot.past import Finding
from bot.playground import Slack
from bot.session import Session
from bot.settings import Settings
from bot.store import prune
from tests.standins.tickets import TOKEN, GitHub
from tests.standins.wait import until
from tests.test_path import find, said
from tests.test_replicas import postgres, shared

__all__ = ["postgres", "shared"]
IMPROVER = (
    "---\ndescription: Finds what repeats.\nruntime: echo\ndigest: true\nallow: {{answer: [members]}}\n"
    "tickets: {{github: acme/agents, token: GITHUB_TOKEN, url: '{url}', private: true}}\ntriggers: [{{mention: ['#random']}}]\n---\n"
)


@pytest.fixture
async def github() -> AsyncIterator[GitHub]:
    async with GitHub() as github:
        yield github


@pytest.fixture
def settings(settings: Settings, agents: Path, github: GitHub) -> Settings:
    (agents / "improver.md").write_text(IMPROVER.format(url=github.url))
    return settings.model_copy(update={"environment": {"GITHUB_TOKEN": TOKEN}})


async def ran(slack: Slack, desk: Frontdesk, text: str, by: str = "ana", channel: str = "general") -> Session:
    """A session after its first turn."""
    root = await slack.mention(text, by=by, channel=channel)
    await slack.until(lambda: any(slack.text(each) for each in slack.thread(root) if each.get("bot_id")))

    async def over() -> bool:
        return any(each.over and each.thread.endswith(root["ts"]) for each in await desk.store.sessions())

    await until(over)
    return next(each for each in await desk.store.sessions() if each.thread.endswith(root["ts"]))


def found(title: str, *sessions: Session, again: str = "") -> Found:
    what, change = "It has no access to tickets.", "Give it `read:tickets`."
    return Found("helper", title, what, change, tuple(name(session.id, 1) for session in sessions), again)


async def report(desk: Frontdesk, improver: Session, *found: Found) -> str:
    return await desk.better.board.report("improver", improver, found)


@pytest.fixture
async def card(slack: Slack, desk: Frontdesk) -> dict[str, Any]:
    """What hit ana and ben, as people see it."""
    improver, one, other = (
        await ran(slack, desk, "!say ok", channel="random"),
        await ran(slack, desk, "a"),
        await ran(slack, desk, "b", "ben"),
    )
    await report(desk, improver, found("It asks for the ticket", one, other))
    return await slack.until(lambda: shown(slack, "It asks for the ticket"))


def shown(slack: Slack, words: str, place: str = "random") -> dict[str, Any] | None:
    """The newest card in a thread that says this."""
    return next((each for each in reversed(slack.messages(place)) if words in slack.text(each) and each.get("bot_id")), None)


def told(slack: Slack, words: str, person: str = "ana") -> bool:
    return any(words in slack.text(message) for message in slack.ephemerals(person))


def labels(slack: Slack, message: dict[str, Any]) -> list[str]:
    blocks = slack.message(message)["blocks"]
    return [each["text"]["text"] for block in blocks if block["type"] == "actions" for each in block["elements"]]


def filed(slack: Slack, card: dict[str, Any]) -> bool:
    return "acme/agents#1" in slack.text(slack.message(card))


async def test_what_repeats_is_a_card_with_whom_it_hit_and_buttons(slack: Slack, card: dict[str, Any]) -> None:
    text = slack.text(card)

    assert "hit 2 people in 2 turns" in text
    assert "read:tickets" in text
    assert labels(slack, card) == ["File a ticket", "Propose a change", "Not now"]


async def test_where_another_company_reads_along_no_card_tells_of_elsewhere(
    slack: Slack, desk: Frontdesk, caplog: pytest.LogCaptureFixture
) -> None:
    await slack.invite("partners", "frontdesk")
    elsewhere, there = await ran(slack, desk, "a"), await ran(slack, desk, "b", channel="partners")

    await report(desk, there, found("Of elsewhere", elsewhere, there), found("Of here", there))

    await slack.until(lambda: shown(slack, "Of here", "partners"))
    assert not shown(slack, "Of elsewhere", "partners")
    assert "so I do not show here what was found elsewhere" in str([record.__dict__ for record in caplog.records])


async def test_cards_come_by_whom_they_hit(slack: Slack, desk: Frontdesk) -> None:
    improver = await ran(slack, desk, "!say ok", channel="random")
    one, other = await ran(slack, desk, "a"), await ran(slack, desk, "b", "ben")

    await report(desk, improver, found("Rare", one), found("Often", one, other))

    await slack.until(lambda: shown(slack, "Rare") and shown(slack, "Often"))
    order = [word for each in slack.messages("random") for word in ("Rare", "Often") if word in slack.text(each)]
    assert order == ["Often", "Rare"]


async def test_a_ticket_is_filed_that_leads_back_and_the_card_leads_to_it(slack: Slack, card: dict[str, Any], github: GitHub) -> None:
    await slack.press(card, "File a ticket", "ben")

    await slack.until(lambda: filed(slack, card))

    [issue] = github.issues
    assert issue["title"] == "helper: It asks for the ticket"
    assert f"/archives/{slack.channel('random')}/p{card['thread_ts'].replace('.', '')}" in issue["body"]
    assert "https://github.test/acme/agents/issues/1" in str(slack.message(card)["blocks"])
    assert labels(slack, card) == ["Propose a change"]


async def test_of_many_presses_at_once_one_files(slack: Slack, card: dict[str, Any], github: GitHub) -> None:
    await asyncio.gather(*(slack.press(card, "File a ticket", by) for by in ("ana", "ben", "carla", "ana")))

    await slack.until(lambda: filed(slack, card))
    await slack.until(lambda: sum(told(slack, words, by) for by in ("ana", "ben", "carla") for words in ("ticket for it", "just now")) >= 2)

    assert len(github.issues) == 1


async def test_a_ticket_system_that_is_down_is_told_to_whoever_pressed_and_nothing_is_lost(
    slack: Slack, card: dict[str, Any], github: GitHub
) -> None:
    github.refuse(503, b"", {})
    await slack.press(card, "File a ticket", "ben")
    await slack.until(lambda: told(slack, "Nothing is lost: press *File a ticket* again", "ben"))
    github.answer = None

    await slack.press(card, "File a ticket", "ben")

    await slack.until(lambda: filed(slack, card))
    assert len(github.issues) == 1


async def test_a_ticket_system_that_takes_too_long_keeps_no_button_busy(
    slack: Slack, desk: Frontdesk, card: dict[str, Any], github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, filing = desk.better.board, desk.better.board.filing
    monkeypatch.setattr(findings, "MOST", 0.05)
    board.filing = Hangs()
    await slack.press(card, "File a ticket", "ben")
    await slack.until(lambda: told(slack, "so I stopped it. Press it again", "ben"))
    monkeypatch.setattr(findings, "MOST", 60.0)
    board.filing = filing

    await slack.press(card, "File a ticket", "ben")

    await slack.until(lambda: filed(slack, card))


class Hangs:
    """Answers never."""

    async def file(self, agent: Agent, card: Card, by: str) -> tuple[str, str]:
        await asyncio.Event().wait()
        return "", ""


async def test_a_ticket_of_which_nobody_knows_whether_it_arrived_is_not_filed_twice(
    slack: Slack, card: dict[str, Any], github: GitHub
) -> None:
    github.silent = True
    await slack.press(card, "File a ticket", "ben")
    await slack.until(lambda: told(slack, "GitHub does not answer", "ben"))
    github.silent = False

    await slack.press(card, "File a ticket", "ben")

    await slack.until(lambda: filed(slack, card))
    assert len(github.issues) == 1


async def test_guests_decide_nothing(slack: Slack, card: dict[str, Any], github: GitHub) -> None:
    await slack.invite("random", "dan")

    await slack.press(card, "File a ticket", "dan")

    await slack.until(lambda: told(slack, "Only members of this workspace decide", "dan"))
    assert github.issues == []


@pytest.mark.parametrize("kind", ["guest", "external", "bot"])
async def test_strangers_decide_nothing_even_where_the_file_lets_everybody(
    desk: Frontdesk, card: dict[str, Any], agents: Path, kind: Any, github: GitHub
) -> None:
    (agents / "improver.md").write_text((agents / "improver.md").read_text().replace("[members]", "[everyone]"))
    desk.files.load()
    await desk.resolve()
    [kept] = await desk.better.board.cards.cards()

    with pytest.raises(Denied, match="Only members of this workspace decide what comes of a finding"):
        await desk.better.board.press("ticket", kept.id, Person("U9", "Eve", kind), "p1")

    assert github.issues == []


async def test_the_longest_that_an_agent_may_write_is_taken_by_slack_and_nothing_is_cut(slack: Slack, desk: Frontdesk) -> None:
    improver, one = await ran(slack, desk, "!say ok", channel="random"), await ran(slack, desk, "a")
    what, change = "w " * 599 + "W.", "c\n" * 999 + "C."

    await report(desk, improver, Found("helper", "T" * 119 + "!", what, change, (name(one.id, 1),)))

    text = slack.text(await slack.until(lambda: shown(slack, "TTT")))
    assert all(words in text for words in ("T!", "W.", "C."))


async def test_a_card_is_edited_also_when_it_was_decided_long_after(slack: Slack, desk: Frontdesk, card: dict[str, Any]) -> None:
    await prune.delivered(desk.store.db, clock.now() + 60)

    await slack.press(card, "Not now", "ben")

    await slack.until(lambda: "Not now, says ben" in slack.text(slack.message(card)))
    assert sum("asks for the ticket" in slack.text(each) for each in slack.messages("random")) == 1


async def test_whom_the_file_does_not_name_is_told_who_may(slack: Slack, desk: Frontdesk, card: dict[str, Any], agents: Path) -> None:
    (agents / "improver.md").write_text((agents / "improver.md").read_text().replace("[members]", "[admins]"))
    desk.files.load()
    await desk.resolve()

    await slack.press(card, "Not now", "ben")

    await slack.until(lambda: told(slack, "You may not decide what comes of improver's findings. Allowed: admins.", "ben"))
    assert "Not now" in labels(slack, card)


async def test_what_was_said_no_to_comes_again_only_when_it_hits_more(slack: Slack, desk: Frontdesk, card: dict[str, Any]) -> None:
    await slack.press(card, "Not now", "ben")
    await slack.until(lambda: labels(slack, card) == [])
    later = await ran(slack, desk, "!say later", channel="random")
    again, third = await ran(slack, desk, "c"), await ran(slack, desk, "d", "carla")

    same = await report(desk, later, found("It asks for the ticket!", again))
    before = [slack.text(each) for each in slack.thread(card["channel"], later.thread.rpartition(":")[2])]
    grown = await report(desk, later, found("It asks for the ticket", third))

    assert "ben said no to it when it hit 2; it is shown again once it hits more." in same
    assert "People see its card below" in grown
    assert not any("asks for the ticket" in text for text in before)
    new = await slack.until(lambda: fresh if (fresh := shown(slack, "hit 3 people in 4 turns")) else None)
    assert (new["ts"] != card["ts"], labels(slack, new)) == (True, ["File a ticket", "Propose a change", "Not now"])
    assert labels(slack, card) == []


async def test_what_waits_is_not_shown_twice_but_grows_where_it_stands(slack: Slack, desk: Frontdesk, card: dict[str, Any]) -> None:
    later, third = await ran(slack, desk, "!say later", channel="random"), await ran(slack, desk, "c", "carla")

    said = await report(desk, later, found("Tickets again", third, again=(await desk.better.board.cards.cards())[0].id))

    assert "People know it already" in said
    await slack.until(lambda: "hit 3 people in 3 turns" in slack.text(slack.message(card)))
    assert "Tickets again" in slack.text(slack.message(card))


async def test_under_another_name_it_is_still_what_was_said_no_to(slack: Slack, desk: Frontdesk, card: dict[str, Any]) -> None:
    await slack.press(card, "Not now", "ben")
    await slack.until(lambda: labels(slack, card) == [])
    [kept] = await desk.better.board.cards.cards()
    one, later = await desk.store.load(kept.hits[0].session_id), await ran(slack, desk, "!say later", channel="random")

    said = await report(desk, later, found("People paste tickets", one))

    assert f"`{kept.id}`, People paste tickets (people: 2, turns: 2" in said
    assert "ben said no to it when it hit 2" in said
    assert [each.id for each in await desk.better.board.cards.cards()] == [kept.id]


@pytest.mark.parametrize(("title", "same"), [("The ticket is missing", True), ("Too slow", False)])
async def test_what_hits_nobody_else_and_sounds_like_it_is_what_was_said_no_to(
    slack: Slack, desk: Frontdesk, card: dict[str, Any], title: str, same: bool
) -> None:
    await slack.press(card, "Not now", "ben")
    await slack.until(lambda: labels(slack, card) == [])
    new, later = await ran(slack, desk, "c"), await ran(slack, desk, "!say later", channel="random")

    said = await report(desk, later, found(title, new))

    assert ("ben said no to it when it hit 2" in said) == same
    assert len(await desk.better.board.cards.cards()) == (1 if same else 2)


async def test_a_card_that_cannot_be_shown_keeps_no_other_back(
    slack: Slack, desk: Frontdesk, card: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    await slack.archive("random")
    elsewhere, third = await ran(slack, desk, "!say ok"), await ran(slack, desk, "c", "carla")
    [kept] = await desk.better.board.cards.cards()

    await report(
        desk, elsewhere, found("Often", await desk.store.load(kept.hits[0].session_id), third, again=kept.id), found("Rare", third)
    )

    await slack.until(lambda: shown(slack, "Rare", "general"))
    assert "I could not show that finding: is_inactive. Try again." in [getattr(record, "error", "") for record in caplog.records]


async def test_a_finding_that_is_gone_is_told(desk: Frontdesk) -> None:
    assert await desk.better.board.press("no", "gone", Person("U1", "Ana"), "p1") == "That finding is no longer known."


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"claim": "p1", "who": "Ana"}, "Ana has pressed a button of it just now. Its card shows soon what came of that."),
        ({"no": "Ana"}, "Ana has said not now. It comes again once it hits more people."),
        ({"ticket": "https://t.test/1"}, "There is a ticket for it already: https://t.test/1"),
        ({"changed": "Ana"}, "Ana has asked for a change already."),
    ],
)
def test_whoever_is_too_late_is_told_why(known: dict[str, str], words: str) -> None:
    assert lost(Card("f1", "helper", "Title", "What", "", "improver", "slack:T1:C1:1.0", (), **known)) == words  # type: ignore[arg-type]


async def test_turns_that_there_are_not_are_no_evidence(slack: Slack, desk: Frontdesk) -> None:
    improver = await ran(slack, desk, "!say ok", channel="random")

    with pytest.raises(BotError, match="helper has no turn deadbeef-1: name its turns as the digest does"):
        await report(desk, improver, Found("helper", "Title", "What", "", ("deadbeef-1",)))
    with pytest.raises(BotError, match="helper has no turn"):
        await report(desk, improver, found("Of another agent", improver))
    with pytest.raises(BotError, match="No finding on helper has the id 123"):
        await report(desk, improver, found("Again", await ran(slack, desk, "a"), again="123"))


class Writer:
    """Thinks up changes, or cannot."""

    def __init__(self) -> None:
        self.wanted: list[tuple[Finding, Person, str]] = []
        self.broken = True

    async def propose(self, finding: Finding, by: Person, thread: str) -> str:
        if self.broken:
            raise BotError("The file cannot be read. Look at its rights, and press again.")
        self.wanted.append((finding, by, thread))
        return "On it."


async def test_a_change_is_asked_for_and_a_press_that_failed_can_be_repeated(slack: Slack, desk: Frontdesk, card: dict[str, Any]) -> None:
    writer = desk.better.board.changes = Writer()
    await slack.press(card, "Propose a change", "ben")
    await slack.until(lambda: told(slack, "Look at its rights, and press again.", "ben"))
    writer.broken = False

    await slack.press(card, "Propose a change", "ben")

    await slack.until(lambda: "ben asked for a change" in slack.text(slack.message(card)))
    [(finding, by, thread)] = writer.wanted
    assert (finding.agent, finding.people, by.name, thread.rpartition(":")[2]) == ("helper", 2, "ben", card["thread_ts"])
    assert labels(slack, card) == ["File a ticket", "Propose another change"]


async def test_a_change_that_came_to_nothing_can_be_asked_for_again(slack: Slack, desk: Frontdesk, card: dict[str, Any]) -> None:
    writer = desk.better.board.changes = Writer()
    writer.broken = False
    await slack.press(card, "Propose a change", "ben")
    await slack.until(lambda: "ben asked for a change" in slack.text(slack.message(card)))

    await slack.press(card, "Propose another change", "ana")

    await slack.until(lambda: "ana asked for a change" in slack.text(slack.message(card)))
    assert [by.name for _, by, _ in writer.wanted] == ["ben", "ana"]


async def test_a_change_that_came_to_nothing_is_told_on_the_card_which_can_be_closed_then(
    slack: Slack, desk: Frontdesk, card: dict[str, Any]
) -> None:
    writer = desk.better.board.changes = Writer()
    writer.broken = False
    await slack.press(card, "Propose a change", "ben")
    await slack.until(lambda: "ben asked for a change. It is shown" in slack.text(slack.message(card)))
    [(finding, by, thread)] = writer.wanted

    await desk.better.board.came(Proposal("p1", "helper", finding, by, thread, "improver", "", "failed", outcome="No file."))

    await slack.until(lambda: "ben asked for a change. No change came of it" in slack.text(slack.message(card)))
    assert labels(slack, card) == ["File a ticket", "Propose another change", "Not now"]
    await slack.press(card, "Not now", "ana")
    await slack.until(lambda: labels(slack, card) == [])


@pytest.mark.parametrize("word", ["Approved by carla. It is written.", "Rejected by ben; the file stays as it is."])
async def test_a_change_that_was_decided_is_told_on_the_card(slack: Slack, desk: Frontdesk, card: dict[str, Any], word: str) -> None:
    writer = desk.better.board.changes = Writer()
    writer.broken = False
    await slack.press(card, "Propose a change", "ben")
    await slack.until(lambda: "ben asked for a change. It is shown" in slack.text(slack.message(card)))
    [(finding, by, thread)] = writer.wanted

    await desk.better.board.came(Proposal("p1", "helper", finding, by, thread, "improver", "", "done", outcome=word))

    await slack.until(lambda: f"ben asked for a change. {word}" in slack.text(slack.message(card)))
    assert "Not now" in labels(slack, card)


async def test_what_came_of_a_change_stays_where_another_could_not_be_asked_for(
    slack: Slack, desk: Frontdesk, card: dict[str, Any]
) -> None:
    [kept] = await desk.better.board.cards.cards()
    await desk.better.board.came(Proposal("p1", "helper", kept.finding, Person("U1"), "", "improver", "", "rejected", outcome="Rejected."))
    desk.better.board.changes = Writer()

    await slack.press(card, "Propose a change", "ben")

    await slack.until(lambda: told(slack, "Look at its rights, and press again.", "ben"))
    [kept] = await desk.better.board.cards.cards()
    assert (kept.came, kept.claim) == ("Rejected.", "")


async def test_hostile_words_call_nobody_in_slack_and_in_the_ticket(slack: Slack, desk: Frontdesk, github: GitHub) -> None:
    improver, one = await ran(slack, desk, "!say ok", channel="random"), await ran(slack, desk, "a")
    what = "<!channel> @octocat fixes #1 ![x](https://evil.test/x)\n\n# Approved"
    await report(desk, improver, Found("helper", "Title <!here>", what, "```\n<@U1>", (name(one.id, 1),)))
    card = await slack.until(lambda: shown(slack, "Title"))

    await slack.press(card, "File a ticket", "ben")

    await slack.until(lambda: filed(slack, card))
    sent = str(slack.message(card)["blocks"])
    assert not any(live in sent for live in ("<!channel>", "<!here>", "<@U1>"))
    body = github.issues[0]["body"]
    assert not any(live in body for live in ("@octocat", "#1 ", "![x]", "<!channel>", "\n# Approved"))


async def test_a_press_that_a_process_took_with_it_is_done_by_the_next(slack: Slack, settings: Settings, github: GitHub) -> None:
    async with app.running(settings) as desk:
        improver, one = await ran(slack, desk, "!say ok", channel="random"), await ran(slack, desk, "a")
        await report(desk, improver, found("It asks for the ticket", one))
        card = await slack.until(lambda: shown(slack, "It asks for the ticket"))
        github.silent = True  # so the first never learns of it
        desk.better.board.cards.change = _dies(desk.better.board.cards.change)  # type: ignore[method-assign]
        await slack.press(card, "File a ticket", "ben")
        await slack.until(lambda: github.issues)
        github.silent = False

    async with app.running(settings):
        await slack.until(lambda: filed(slack, card))

    assert len(github.issues) == 1


def _dies(change: Any) -> Any:
    """Once something is claimed, nothing more is written: the process is gone."""
    calls: list[Any] = []

    async def once(*given: Any) -> Sequence[Card]:
        calls.append(given)
        return await change(*given) if len(calls) == 1 else await asyncio.Event().wait()  # type: ignore[no-any-return]

    return once


async def test_of_several_replicas_one_files(slack: Slack, shared: Settings, github: GitHub) -> None:
    async with app.running(shared) as one, app.running(shared) as other:
        improver, session = await ran(slack, one, "!say ok", channel="random"), await ran(slack, one, "a")
        await report(one, improver, found("It asks for the ticket", session))
        card = await slack.until(lambda: shown(slack, "It asks for the ticket"), 20)
        [kept] = await one.better.board.cards.cards()
        ana, ben = Person("U1", "Ana"), Person("U2", "Ben")

        said = await asyncio.gather(
            one.better.board.press("ticket", kept.id, ana, "p1"), other.better.board.press("ticket", kept.id, ben, "p2")
        )

        assert len(github.issues) == 1
        assert sorted(map(bool, said)) == [False, True]
        await slack.until(lambda: filed(slack, card), 20)


async def test_what_happened_stands_before_what_the_agent_is_asked(slack: Slack, desk: Frontdesk) -> None:
    bad = await ran(slack, desk, "!fail the ticket cannot be read")

    root = await slack.mention("What repeats?", channel="random")

    answer = await slack.until(lambda: text if "What repeats?" in (text := "\n".join(said(slack, root))) else "")
    assert "What happened with our agents from" in answer
    assert "failed: 1 person, 1 turn" in answer
    assert "the ticket cannot be read" in answer
    assert name(bad.id, 1) in answer


async def test_an_agent_without_a_model_finds_what_repeats_most_and_shows_it(slack: Slack, desk: Frontdesk) -> None:
    await ran(slack, desk, "!fail It is too slow")
    await ran(slack, desk, "!fail The ticket cannot be read")
    await ran(slack, desk, "!fail the ticket cannot be read!", "ben")

    root = await slack.mention("!find It cannot read tickets | Two failed. | Let it.", channel="random")

    card = await slack.until(lambda: shown(slack, "hit 2 people in 2 turns"), 10)
    assert "It cannot read tickets" in slack.text(card)
    assert "What would mend it:\n```\nLet it.\n```" in slack.text(card)
    await slack.until(lambda: find(slack, root, "What repeats most stands on its card."))
    assert not any("do not repeat" in words for words in said(slack, root))


async def test_an_agent_without_a_model_is_not_asked_for_a_file(slack: Slack, desk: Frontdesk, card: dict[str, Any]) -> None:
    await slack.press(card, "Propose a change", "ben")

    await slack.until(lambda: told(slack, "improver runs on echo, which has no model and writes no file. Give agents/improver.md", "ben"))
    assert labels(slack, card) == ["File a ticket", "Propose a change", "Not now"]


async def test_by_its_schedule_it_shows_what_repeats_in_its_channel(slack: Slack, desk: Frontdesk, agents: Path) -> None:
    timed = "{schedule: {cron: '0 9 * * *', timezone: Europe/Berlin, post_to: '#random', prompt: '!find It cannot read tickets'}}"
    (agents / "improver.md").write_text((agents / "improver.md").read_text().replace("triggers: [", f"triggers: [{timed}, "))
    desk.files.load()
    await desk.resolve()
    await desk.scheduler.tick()
    await ran(slack, desk, "!fail The ticket cannot be read")
    await ran(slack, desk, "!fail the ticket cannot be read!", "ben")

    await slack.mention("run schedule improver:1", by="carla")

    card = await slack.until(lambda: shown(slack, "hit 2 people in 2 turns"), 30)
    assert "improver" in slack.text(slack.thread(card)[0])
    assert labels(slack, card) == ["File a ticket", "Propose a change", "Not now"]


async def test_an_agent_that_is_not_told_what_happened_finds_nothing(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!find It cannot read tickets")

    await slack.until(lambda: find(slack, root, "Nothing happened that could repeat, or I am not told"))


async def test_other_agents_are_told_nothing_of_it(slack: Slack, desk: Frontdesk) -> None:
    await ran(slack, desk, "!fail the ticket cannot be read")
    root = await slack.mention("What repeats?")

    await slack.until(lambda: find(slack, root, "You said: What repeats?"))
