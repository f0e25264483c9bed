"""A trial is kept with its votes, by the versions that it compares."""

from dataclasses import replace

import pytest

from bot.past import Outcome, Run, Tried, Vote
from bot.store import prune
from bot.store.sql import SqlStore

RUN = Run("1", "", "Which colour?", Outcome("Red.", "completed", version="v1"), Outcome("Blue.", "completed", usd=0.1, version="v2"))
TRIED = Tried("t1", "helper", "v1", "v2", (RUN,), left=("1 of 2 were not tried.",), by="Ana", at=100.0)


async def test_a_trial_comes_back_as_it_was_kept(store: SqlStore) -> None:
    await store.keep_trial(TRIED)

    assert await store.trial("t1") == TRIED


async def test_a_trial_that_there_is_not_is_none(store: SqlStore) -> None:
    assert await store.trial("nothing") is None


async def test_the_newest_vote_of_a_person_counts(store: SqlStore) -> None:
    await store.keep_trial(TRIED)
    await store.prefer("t1", Vote("1", "old", "U1", at=1.0))
    await store.prefer("t1", Vote("1", "new", "U1", at=2.0))
    await store.prefer("t1", Vote("1", "new", "critic", judge=True, at=3.0))

    kept = await store.trial("t1")

    assert kept
    assert kept.votes == (Vote("1", "new", "U1", at=2.0), Vote("1", "new", "critic", judge=True, at=3.0))


async def test_a_trial_is_kept_once_more_with_what_a_judge_has_said(store: SqlStore) -> None:
    await store.keep_trial(TRIED)
    judged = Tried("t1", "helper", "v1", "v2", (RUN,), (Vote("1", "same", "critic", judge=True),), at=100.0)

    await store.keep_trial(judged)

    assert await store.trial("t1") == judged


async def test_trials_are_found_by_their_agent_the_newest_first(store: SqlStore) -> None:
    for n, agent in enumerate(("helper", "other", "helper")):
        await store.keep_trial(Tried(f"t{n}", agent, "v1", "v2", (), at=float(n)))

    assert [tried.id for tried in await store.trials("helper")] == ["t2", "t0"]
    assert [tried.id for tried in await store.trials()] == ["t2", "t1", "t0"]


async def test_the_newest_trial_of_two_versions_is_found(store: SqlStore) -> None:
    others = {"back": {"old_version": "v2", "new_version": "v1"}, "other": {"agent": "other"}, "later": {"new_version": "v3"}}
    for id, at in (("t1", 1.0), ("t2", 2.0)):
        await store.keep_trial(replace(TRIED, id=id, at=at, votes=(Vote("1", "new", "U1"),)))
    for id, more in others.items():
        await store.keep_trial(replace(TRIED, id=id, at=9.0, **more))  # type: ignore[arg-type]

    found = await store.between("helper", "v1", "v2")

    assert found == replace(TRIED, id="t2", at=2.0, votes=(Vote("1", "new", "U1"),))
    assert await store.between("helper", "v9", "v2") is None


async def test_what_trials_cost_is_the_sum_of_all_since_then(store: SqlStore) -> None:
    for n in range(120):  # more than are read at once
        await store.keep_trial(replace(TRIED, id=f"t{n}", at=100.0 + n))
    await store.keep_trial(replace(TRIED, id="t0", at=100.0))  # once more, with what a judge has said
    await store.keep_trial(replace(TRIED, id="other", agent="other"))

    assert await store.trying("helper", 101.0) == pytest.approx(11.9)
    assert await store.trying("helper", 1000.0) == 0.0


async def test_an_old_trial_is_taken_out_with_its_votes(store: SqlStore) -> None:
    for id, at in (("old", 10.0), ("new", 1000.0)):
        await store.keep_trial(replace(TRIED, id=id, at=at, votes=(Vote("1", "new", "U1"),)))

    await prune.prune(store.db, 500.0)

    assert await store.trial("old") is None
    assert (await store.trial("new") or TRIED).votes == (Vote("1", "new", "U1"),)
