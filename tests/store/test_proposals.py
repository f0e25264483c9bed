"""Proposals as rows: one for each finding at a time, and of all that press one decides."""

import asyncio
import time
from dataclasses import replace

from bot.change import Proposal
from bot.found import Card
from bot.message import Person
from bot.past import Finding
from bot.store.findings import Findings
from bot.store.proposals import Proposals
from bot.store.prune import AGAIN, delivered, prune
from bot.store.sql import SqlStore

FINDING = Finding("f1", "reviewer", "No link", "People ask for the link.", (("s1", 2),), 3, 0.4)
WANTED = Proposal("p1", "reviewer", FINDING, Person("U1", "Ana"), "slack:T1:C1:1.0", "improver", "---\nold", at=100.0)


async def test_what_somebody_wants_is_kept_as_it_was_said(store: SqlStore) -> None:
    proposals = Proposals(store.db)

    kept = await proposals.begin(WANTED)

    assert kept == await proposals.proposal("p1") == WANTED
    assert await proposals.written() == [WANTED]


async def test_a_finding_has_one_at_a_time_and_another_when_that_is_settled(store: SqlStore) -> None:
    proposals, other = Proposals(store.db), replace(WANTED, id="p2")
    await proposals.begin(WANTED)

    same = await proposals.begin(other)
    await proposals.move(WANTED, replace(WANTED, state="rejected"))
    new = await proposals.begin(other)

    assert (same, new) == (WANTED, other)


async def test_of_all_that_decide_one_is_first(store: SqlStore) -> None:
    proposals = Proposals(store.db)
    shown = await proposals.begin(replace(WANTED, state="shown"))
    judges = [replace(shown, state="approved", judge=Person(f"U{n}"), press=str(n)) for n in range(5)]

    won = await asyncio.gather(*(proposals.move(shown, after) for after in judges))

    assert sorted(won) == [False] * 4 + [True]
    assert await proposals.proposal("p1") == judges[won.index(True)]


async def test_what_is_settled_is_taken_away_when_it_is_old_and_what_waits_is_not(store: SqlStore) -> None:
    proposals = Proposals(store.db)
    for id, state in (("p1", "done"), ("p2", "shown"), ("p3", "writing")):
        await proposals.begin(replace(WANTED, id=id, finding=replace(FINDING, id=id), state=state))  # type: ignore[arg-type]

    await prune(store.db, 200.0)

    assert [bool(await proposals.proposal(id)) for id in ("p1", "p2", "p3")] == [False, True, True]


async def test_what_nobody_decides_for_too_long_is_left_and_goes_the_next_time(store: SqlStore) -> None:
    proposals = Proposals(store.db)
    await proposals.begin(replace(WANTED, state="shown"))

    await prune(store.db, 200.0)
    left = await proposals.proposal("p1")
    await prune(store.db, 200.0)

    assert left
    assert (left.state, left.outcome) == ("failed", "Nobody has decided it for too long; it can be proposed anew.")
    assert await proposals.proposal("p1") is None


async def test_what_was_found_long_ago_goes_unless_somebody_still_decides(store: SqlStore) -> None:
    findings, old = Findings(store.db), Card("f1", "reviewer", "No link", "", "", "improver", "slack:T1:C1:1.0", (), 100.0)
    cards = [old, replace(old, id="f2"), replace(old, id="f3", at=300.0)]
    await findings.change([card.id for card in cards], lambda known: cards)
    await Proposals(store.db).begin(replace(WANTED, finding=replace(FINDING, id="f2"), state="shown", at=300.0))

    await prune(store.db, 200.0)

    assert {card.id for card in await findings.cards()} == {"f2", "f3"}


async def test_a_card_can_still_be_changed_days_later(store: SqlStore) -> None:
    before = await store.reserve("proposal:p1", "", "slack::C1:1.0")

    await delivered(store.db, time.time() + AGAIN)

    assert await store.reserve("proposal:p1", "", "slack::C1:1.0") == before
