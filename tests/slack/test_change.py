"""The card of a change: what people decide by, within Slack's limits, whatever an agent wrote."""

import re
from dataclasses import replace

import pytest

from bot.change import Proposal, Sheet
from bot.message import Person
from bot.past import Finding, Outcome, Run, Tried, Vote
from bot.playground.blocks import check_message, check_view
from bot.slack.views import change

FINDING = Finding("f1", "reviewer", "No <links>", "People ask.")
SHOWN = Proposal("p1", "reviewer", FINDING, Person("U1ANA", "Ana"), "slack:T1:C1:1.0", "improver", "old\n", "shown", new="new\n")
LINES = ("@@ -1 +1 @@", "-old", "+new")


def text(sheet: Sheet) -> str:
    return str(change.render(sheet).blocks)


def sheet(**more: object) -> Sheet:
    return replace(Sheet(SHOWN, LINES, (), ("admins", "S1PLAT", "asker")), **more)  # type: ignore[arg-type]


def test_it_mentions_who_may_decide() -> None:
    assert "approved by an admin or <!subteam^S1PLAT> or <@U1ANA>" in text(sheet())


def test_where_nobody_may_that_is_said() -> None:
    assert "Its agent is gone, so nobody can approve it." in text(sheet(approvers=()))


def test_a_diff_that_is_too_long_says_in_bold_how_much_is_left_out() -> None:
    lines = [f"+line {n} of many" for n in range(1000)]

    shown = text(sheet(diff=lines))

    [left] = re.findall(r"\*⚠️ (\d+) lines more of this are not shown here", shown)
    assert f"+line {999 - int(left)} of many" in shown
    assert f"+line {1000 - int(left)} of many" not in shown
    assert "+line 999" in str(change.whole(sheet(diff=lines)))


def test_what_an_agent_wrote_calls_nobody_and_ends_no_bold() -> None:
    shown = text(sheet(proposal=replace(SHOWN, why="Ask <!channel>"), wider=["* options.x: <!here> *"], diff=["+<@U1>```"]))

    assert not {"<!channel>", "<!here>", "<@U1>"} & set(shown.replace("'", " ").split())
    assert "<!" not in shown.replace("<!subteam^S1PLAT>", "")


def large(lines: int) -> Sheet:
    file = "& <long> line of a file\n" * lines + "The end.\n"
    proposal = replace(SHOWN, new=file, why="&" * 1000, outcome="<" * 3000)
    return sheet(proposal=proposal, wider=["&" * 500] * 100, diff=["+" + line for line in file.splitlines()])


def test_the_largest_card_and_form_are_within_slacks_limits_and_nothing_is_cut() -> None:
    fits = next(one for one in map(large, range(2500, 0, -100)) if not change.hidden(one))

    check_message(list(change.render(large(2500)).blocks))
    check_view(change.whole(fits), "modal")
    assert len(fits.proposal.new) > 30_000
    assert str(change.whole(fits)).count("The end.") == 2


def test_what_is_larger_is_said_to_be_shown_to_nobody() -> None:
    assert change.hidden(large(2500)) == [
        "The file with what changes in it is longer than Slack can show people at once: make it shorter, or change less of it."
    ]


def test_what_a_trial_said_stands_in_a_line() -> None:
    old, new = Outcome("no", "completed"), Outcome("yes", "completed", usd=0.1)
    runs = (Run("1", "", "why?", old, new), Run("2", "colour", "which?", None, new, ("names no colour",)))
    tried = Tried("t1", "reviewer", "a", "b", runs, (Vote("1", "new", "U1"), Vote("1", "old", "critic", judge=True)))

    assert change.tried(sheet(tried=tried)) == (
        "Tried on what was asked before: 2 tried; 1 not answered as its trial set wants; $0.20; "
        "better by people: 1 new; better by a judge (an LLM): 1 old."
    )


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        (["failed"], ["failed"], "1 tried; 1 failed, as before; $0.00."),
        (["completed", "failed"], ["failed", "failed"], "2 tried; 2 failed, 1 of them before, too; $0.00."),
        (["completed"], ["failed"], "1 tried; 1 failed; $0.00."),
        (["failed"], ["completed"], "1 tried; all were answered; $0.00."),
    ],
)
def test_what_failed_in_a_trial_is_counted(then: list[str], now: list[str], said: str) -> None:
    runs = [Run(str(n), "", "why?", Outcome("", old), Outcome("", new)) for n, (old, new) in enumerate(zip(then, now, strict=True))]

    assert change.tried(sheet(tried=Tried("t1", "reviewer", "a", "b", tuple(runs)))) == f"Tried on what was asked before: {said}"


def test_what_was_not_tried_says_why() -> None:
    assert change.tried(sheet()) == "Not tried."
    assert change.tried(sheet(proposal=replace(SHOWN, trial="Not tried: no sandbox."))) == "Not tried: no sandbox."


def test_what_is_settled_has_nothing_to_decide() -> None:
    assert "proposal:approve" not in text(sheet(proposal=replace(SHOWN, state="done", outcome="Approved by Carla.")))
