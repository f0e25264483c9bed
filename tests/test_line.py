"""The line before the turns: who may run, who waits, and what they are told."""

import asyncio

import pytest

from bot import line as module
from bot.line import Limits, Line, Place, Ticket, coarse


class Crowd:
    """Turns that want to run; `ran` are those that could, in their order."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.ran: list[str] = []
        self.places: dict[str, list[Place]] = {}
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, channel: str = "C1", person: str = "", agent: str = "helper", **more: object) -> None:
        ticket = Ticket(name, agent, person or name, channel, **more)  # type: ignore[arg-type]
        self._ends[name], self.places[name] = asyncio.Event(), []
        self._tasks[name] = asyncio.create_task(self._stand(ticket))
        await asyncio.sleep(0)

    async def _stand(self, ticket: Ticket) -> None:
        async with self.line.stand(ticket) as places:
            async for place in places:
                self.places[ticket.session_id].append(place)
            self.ran.append(ticket.session_id)
            await self._ends[ticket.session_id].wait()

    async def end(self, *names: str) -> None:
        for name in names:
            self._ends[name].set()
            await asyncio.wait([self._tasks[name]])
        for _ in range(5):
            await asyncio.sleep(0)

    async def go(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.wait([self._tasks[name]])
        for _ in range(5):
            await asyncio.sleep(0)

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.wait(self._tasks.values())


async def crowd(limits: Limits, names: str = "") -> Crowd:
    made = Crowd(Line(limits))
    for name in names.split():
        await made.come(name)
    return made


async def test_as_many_run_as_may_and_the_next_when_one_ends() -> None:
    people = await crowd(Limits(turns=2), "a b c d")
    assert people.ran == ["a", "b"]

    await people.end("b")

    assert people.ran == ["a", "b", "c"]
    await people.close()


async def test_who_waits_is_told_how_many_are_ahead() -> None:
    people = await crowd(Limits(turns=1), "a b c")

    assert [people.places[name] for name in "abc"] == [[], [Place(0, 0.0)], [Place(1, 0.0)]]
    await people.close()


async def test_who_waits_is_told_how_long_from_what_turns_took_before() -> None:
    now = 0.0
    people = Crowd(Line(Limits(turns=1), lambda: now))
    await people.come("a")
    now = 30.0
    await people.end("a")
    for name in "bcd":
        await people.come(name)

    assert people.places["d"] == [Place(1, 60.0)]
    await people.close()


async def test_a_guess_of_how_long_is_told_as_exactly_as_it_can_be() -> None:
    assert [coarse(seconds) for seconds in (3.2, 17.9, 59.0, 61.0, 200.0)] == [0.0, 15.0, 55.0, 60.0, 180.0]


async def test_a_place_that_has_moved_is_told_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.01)
    people = await crowd(Limits(turns=1), "a b c")

    await people.end("a")

    async with asyncio.timeout(5):
        while True:
            if len(people.places["c"]) == 2:
                break
            await asyncio.sleep(0)
    assert [place.ahead for place in people.places["c"]] == [1, 0]
    await people.close()


async def test_who_asked_first_is_first_though_names_had_to_be_looked_up_before() -> None:
    people = Crowd(Line(Limits(turns=1)))
    for asked, name in enumerate("abcd", 1):
        await people.come(name, asked=float(asked))

    await people.come("late", asked=1.5)
    await people.end("a", "late", "b")

    assert people.ran == ["a", "late", "b", "c"]
    await people.close()


async def test_a_flood_in_one_channel_does_not_starve_another() -> None:
    people = await crowd(Limits(turns=1), "a1 a2 a3 a4 a5")
    await people.come("b1", "C2")
    assert people.places["b1"] == [Place(1, 0.0)]  # after one of the flood, not after all

    await people.end("a1", "a2")

    assert people.ran == ["a1", "a2", "b1"]
    await people.close()


async def test_one_person_does_not_take_all_the_room() -> None:
    people = Crowd(Line(Limits(turns=3, person=1)))
    await people.come("a1", person="ana")
    await people.come("a2", person="ana")
    await people.come("b1", person="ben")

    assert people.ran == ["a1", "b1"]
    await people.close()


async def test_an_agent_runs_as_often_as_its_file_allows() -> None:
    people = Crowd(Line(Limits()))
    await people.come("r1", agent="reviewer", most=1)
    await people.come("r2", agent="reviewer", most=1)
    await people.come("h1", agent="helper")
    assert people.ran == ["r1", "h1"]

    await people.end("r1")

    assert people.ran == ["r1", "h1", "r2"]
    await people.close()


async def test_who_goes_away_makes_room_in_the_line() -> None:
    people = await crowd(Limits(turns=1), "a b c")

    await people.go("b")
    await people.end("a")

    assert people.ran == ["a", "c"]
    assert people.line.waiting == 0
    await people.close()


async def test_what_had_begun_before_a_restart_waits_for_nobody() -> None:
    people = await crowd(Limits(turns=1), "a")

    await people.come("b", begun=True)

    assert people.ran == ["a", "b"]
    await people.close()


async def test_two_tickets_that_read_the_same_are_two() -> None:
    line = Line()

    async with line.stand(Ticket("s", "helper", "ana", "C1")), line.stand(Ticket("s", "helper", "ana", "C1")):
        both = line.running

    assert (both, line.running) == (2, 0)
