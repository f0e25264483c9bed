"""The schedules, as a person sees who asks for them: when each begins, with buttons; and the form in which somebody plans one."""

import json
from collections.abc import Mapping, Sequence

from bot.agent import Agent
from bot.plan import Plan
from bot.slack.markdown import brief, mrkdwn
from bot.slack.view import Block, View, actions, button, choice, code, context, date, modal, plain, section

MOST = 20  # Slack takes 50 blocks
CARRIED = 2000  # characters that a button carries
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NONE = "There is no schedule of an agent that you may ask. `/frontdesk schedule` makes one, and so does `schedule:` in an agent's file."
NOBODY = "There is no agent that you may plan. It takes the right to approve; where a file gives that to nobody, admins have it."

Values = Mapping[str, tuple[str, ...]]


def render(plans: Sequence[Plan]) -> View:
    if not plans:
        return View(NONE, (section(NONE),))
    blocks = [block for plan in plans[:MOST] for block in (section(words(plan)), actions(*_buttons(plan)))]
    more = [context(f"There are {len(plans) - MOST} more; `frontdesk schedules` lists all.")] if len(plans) > MOST else []
    return View(f"{len(plans)} schedules", (*blocks, *more))


def words(plan: Plan) -> str:
    """One schedule in two lines, and a third where it could not begin."""
    timed, last = plan.schedule, f"; last {date(plan.last)}" if plan.last else ""
    goes = f"paused by {mrkdwn(plan.paused, 80)}" if plan.paused else f"next {date(plan.due)}"
    what = f"`{timed.cron}` {timed.timezone}, in {_place(timed.post_to)}: {mrkdwn(brief(timed.prompt, 200), 300)}"
    why = mrkdwn(plan.trouble, 500).replace(timed.post_to, _place(timed.post_to))  # Slack shows a channel's name to whoever may know it
    trouble = [f"⚠️ It could not begin then: {why}"] if plan.trouble else []
    return "\n".join([f"`{plan.name}` {goes}{last}", what, *trouble])


def _place(post_to: str) -> str:
    return post_to if post_to.startswith("#") else f"<@{post_to}>" if post_to[0] in "UW" else f"<#{post_to}>"


def _buttons(plan: Plan) -> list[dict[str, object]]:
    verbs = {"resume": "Resume"} if plan.paused else {"pause": "Pause"}
    verbs |= {"run": "Run now"} | ({"remove": "Remove"} if plan.asked else {})
    return [button(f"schedule:{verb}", text, f"{verb} {plan.name}") for verb, text in verbs.items()]


def form(agents: Sequence[Agent], zone: str, given: Values) -> Block:
    """Which agent begins by itself, when, where, and with which words; filled in with what is `given`.

    `zone` is the time zone of whoever plans it.
    """
    which = [choice(agent.name, agent.name, brief(agent.description, 75)) for agent in agents[:100]]
    days = [choice(day, str(number)) for number, day in enumerate(DAYS, 1)]
    first = {name: values[0] for name, values in given.items() if values}
    agent = next((option for option in which if option["value"] == first.get("agent")), None)
    chosen = [option for option in days if option["value"] in given.get("days", "12345")]
    return modal("schedule", "A schedule", "Plan it", [
        _field("agent", "Which agent?", type="static_select", options=which, initial_option=agent),
        _field("days", "On which days?", type="checkboxes", options=days, initial_options=chosen),
        _field("time", "At what time?", type="timepicker", initial_time=first.get("time", "09:00")),
        _field("zone", "In which time zone?", type="plain_text_input", initial_value=first.get("zone", zone), max_length=60),
        _field("where", "Where does it write?", type="conversations_select", initial_conversation=first.get("where"),
               filter={"include": ["public", "private"], "exclude_bot_users": True}),
        _field("prompt", "What is it asked?", type="plain_text_input", multiline=True, initial_value=first.get("prompt"), max_length=2000),
        context("Each time it begins anew and knows nothing of before, so what it is asked has to say all."),
    ], "")  # fmt: skip


def _field(name: str, label: str, **element: object) -> Block:
    said = {key: value for key, value in element.items() if value is not None}
    return {"type": "input", "block_id": name, "label": plain(label), "element": {"action_id": "value", **said}}


def nobody() -> Block:
    """There is no agent that this person may plan."""
    words = {"title": plain("No agent", 24), "close": plain("Close", 24)}
    return {"type": "modal", "callback_id": "none", "blocks": [section(NOBODY)], **words}


def unplanned(why: str, values: Values) -> View:
    """What is wrong with what was filled in, which is not lost."""
    said, value = f"It is not planned yet. {why}", json.dumps(values, ensure_ascii=False)
    if len(value) <= CARRIED:
        return View(said, (section(said), actions(button("replan", "Change it", value))))
    return View(said, (section(said), section(f"You asked:\n{code(values['prompt'][0])}")))


def unpacked(value: str) -> Values:
    """What a button has of a form."""
    return {name: tuple(given) for name, given in json.loads(value or "{}").items()}


def planned(values: Values) -> tuple[str, dict[str, str]]:
    """What was filled in: the agent, and its schedule as a file would have it."""
    agent, time, zone, where, prompt = (next(iter(values.get(name, ())), "") for name in ("agent", "time", "zone", "where", "prompt"))
    hour, _, minute = time.partition(":")
    days = ",".join(values.get("days", ())) if len(values.get("days", ())) < len(DAYS) else "*"
    return agent, {"cron": f"{int(minute or 0)} {int(hour or 0)} * * {days}", "timezone": zone.strip(), "post_to": where, "prompt": prompt}
