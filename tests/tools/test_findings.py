"""An agent that is told what happened shows what repeats, by a tool that no other has."""

from collections.abc import Sequence

import pytest

from bot.errors import BotError
from bot.found import Found
from bot.message import Person
from bot.session import Session
from bot.tools.lend import Lending
from tests.standins.stage import Stage, agent
from tests.tools.conftest import Acts, Client
from tests.tools.test_deeds import does

FOUND = {"agent": "helper", "title": "Too long", "what": "People say so.", "change": "Be short.", "evidence": ["3f9a12bc-2"]}
REPORTS = does("report_findings", findings=[FOUND])


class Wall:
    """Implements the port Board."""

    def __init__(self) -> None:
        self.reported: list[tuple[str, str, Sequence[Found]]] = []

    async def report(self, by: str, session: Session, found: Sequence[Found]) -> str:
        self.reported.append((by, session.id, found))
        if found[0].evidence == ("nothing",):
            raise BotError("helper has no turn nothing.")
        return "They see it."

    async def press(self, verb: str, id: str, by: Person, press: str) -> str:
        return ""


@pytest.fixture
def wall(stage: Stage) -> Wall:
    [lending] = stage.aids
    assert isinstance(lending, Lending)
    lending.board = wall = Wall()
    stage.agent = agent(digest=True)
    return wall


async def test_what_repeats_is_reported(stage: Stage, wall: Wall) -> None:
    session = await stage.run(Acts(REPORTS))

    assert session.answer == "They see it."
    assert wall.reported == [("helper", "s1", [Found("helper", "Too long", "People say so.", "Be short.", ("3f9a12bc-2",))])]


async def test_what_cannot_be_shown_is_told_to_the_agent(stage: Stage, wall: Wall) -> None:
    session = await stage.run(Acts(does("report_findings", findings=[FOUND | {"evidence": ["nothing"]}])))

    assert session.answer == "WRONG helper has no turn nothing."


@pytest.mark.parametrize("wrong", [{"evidence": []}, {"title": "x" * 121}, {"rank": 1}])
async def test_what_is_not_as_it_has_to_be_is_refused(stage: Stage, wall: Wall, wrong: dict[str, object]) -> None:
    session = await stage.run(Acts(does("report_findings", findings=[FOUND | wrong])))

    assert session.answer.startswith(f"WRONG findings.0.{next(iter(wrong))}: ")
    assert wall.reported == []


async def tools(client: Client) -> str:
    return " ".join(tool.name for tool in (await client.session.list_tools()).tools)


async def test_the_tool_is_there_for_those_only_that_are_told_what_happened(stage: Stage, wall: Wall) -> None:
    shows = (await stage.run(Acts(tools))).answer
    stage.agent = agent()
    await stage.say("And now?", "m2", submit=False)
    others = await stage.run(Acts(tools, tools))

    assert "report_findings" in shows
    assert "report_findings" not in others.answer
    assert "ask_user" in others.answer


async def test_who_is_asked_unseen_is_offered_nothing_that_people_see(stage: Stage, wall: Wall) -> None:
    stage.agent = agent(digest=True, improve=True)
    offered: list[str] = []

    async def looks(client: Client) -> str:
        offered.extend(tool.name for tool in (await client.session.list_tools()).tools)
        return await REPORTS(client)

    acts = Acts(does("read_thread"), looks)
    await stage.run(acts)

    assert [turn.number for turn in acts.turns] == [1, -1]
    assert "report_improvement" in offered
    assert not {"report_findings", "propose_schedule"} & {*offered}
    assert wall.reported == []


async def test_others_cannot_call_it_all_the_same(stage: Stage, wall: Wall) -> None:
    stage.agent = agent()

    session = await stage.run(Acts(REPORTS))

    assert session.answer.startswith("WRONG There is no tool 'report_findings'; there are ask_user")
    assert wall.reported == []


async def test_where_no_people_see_findings_they_belong_into_the_answer(stage: Stage) -> None:
    stage.agent = agent(digest=True)

    session = await stage.run(Acts(REPORTS))

    assert session.answer == "WRONG Findings can be shown in a Slack thread only: write them into your answer."
