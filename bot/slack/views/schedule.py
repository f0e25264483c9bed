"""The schedules, as a person sees who asks for them: when each begins, and buttons for what can be done about that."""

from collections.abc import Sequence

from bot.plan import Plan
from bot.slack.markdown import brief, mrkdwn
from bot.slack.view import View, actions, button, context, section

MOST = 20  # Slack takes 50 blocks
NONE = "There is no schedule of an agent that you may ask. One is made with `schedule:` under `triggers:` in an agent's file."


def render(plans: Sequence[Plan]) -> View:
    if not plans:
        return View(NONE, (section(NONE),))
    blocks = [block for plan in plans[:MOST] for block in (section(words(plan)), actions(*_buttons(plan)))]
    more = [context(f"There are {len(plans) - MOST} more; `frontdesk schedules` lists all.")] if len(plans) > MOST else []
    return View(f"{len(plans)} schedules", (*blocks, *more))


def words(plan: Plan) -> str:
    """One schedule in two lines, and a third where it could not begin."""
    timed, last = plan.schedule, f"; last {_time(plan.last)}" if plan.last else ""
    goes = f"paused by {mrkdwn(plan.paused, 80)}" if plan.paused else f"next {_time(plan.due)}"
    what = f"`{timed.cron}` {timed.timezone}, in {_place(timed.post_to)}: {mrkdwn(brief(timed.prompt, 200), 300)}"
    trouble = [f"⚠️ It could not begin then: {mrkdwn(plan.trouble, 500)}"] if plan.trouble else []
    return "\n".join([f"`{plan.name}` {goes}{last}", what, *trouble])


def _time(at: float) -> str:
    """In the time zone of whoever reads it."""
    return f"<!date^{int(at)}^{{date_short_pretty}} {{time}}|{int(at)}>"


def _place(post_to: str) -> str:
    return post_to if post_to.startswith("#") else f"<@{post_to}>" if post_to[0] in "UW" else f"<#{post_to}>"


def _buttons(plan: Plan) -> list[dict[str, object]]:
    verbs = {"resume": "Resume"} if plan.paused else {"pause": "Pause"}
    verbs |= {"run": "Run now"} | ({"remove": "Remove"} if plan.asked else {})
    return [button(f"schedule:{verb}", text, f"{verb} {plan.name}") for verb, text in verbs.items()]
