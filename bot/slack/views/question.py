"""A question to a person, as a card with buttons, as a form, and, once it is closed, as a line that says how."""

from bot import policy
from bot.agent import Agent
from bot.event import ALLOW, APPROVE, DENY, Answered, Option, Part, Question
from bot.session import Session
from bot.slack.markdown import brief, mrkdwn
from bot.slack.view import Block, View, actions, button, choice, code, context, date, modal, plain, section, visible

FEW = 5  # options that are buttons; more are a menu
TITLE = {"question": "A question", "permission": "Permission needed", "form": "A few questions", "auth": "Please sign in"}


def render(session: Session, question: Question, answered: Answered | None, agent: Agent) -> View:
    """The card. It mentions who has to answer: the one mention that Frontdesk ever writes in a thread."""
    body, agent = _body(question), policy.trusted(agent, question)
    if answered is not None:
        return View(f"{TITLE[question.kind]}: {_outcome(answered)}", (*body, context(_outcome(answered))), 0)
    head = section(f"{_whom(session, question, agent)} *{TITLE[question.kind]}*")
    about = f"{session.id} {question.id}"
    until = [context(f"Until {date(question.expires_at, '{time} {date_short_pretty}')}")] if question.expires_at else []
    return View(
        f"{TITLE[question.kind]}: {mrkdwn(brief(question.parts[0].text, 200))}", (head, *body, *_choices(question, about, agent), *until), 0
    )


def _whom(session: Session, question: Question, agent: Agent) -> str:
    rules = agent.allow.approve if question.kind == "permission" else agent.allow.answer
    asker = session.by.id if session.by else session.asker.id
    live = [_mention(rule, asker) for rule in rules if (rule == "asker" and asker) or rule[:1] in "SUW"]
    return " ".join(live) or (f"<@{asker}>" if asker else "")  # nobody asked for what a schedule began


def _mention(rule: str, asker: str) -> str:
    return f"<!subteam^{rule}>" if rule.startswith("S") else f"<@{asker if rule == 'asker' else rule}>"


def _body(question: Question) -> list[Block]:
    blocks = []
    for part in question.parts[:10]:
        text = (f"*{mrkdwn(brief(part.header, 80))}*\n" if part.header else "") + mrkdwn(part.text, 2000)
        told = part.options if question.kind != "permission" else ()  # of what a decision means its buttons tell
        described = [_described(option) for option in told if option.description or len(option.label) > 75]
        blocks.append(section("\n".join([text or "…", *described])))
    rest = visible(question.detail)
    for _ in range(12):
        if rest:
            size = 1200 if len(mrkdwn(rest[:1200], 1 << 20)) < 2700 else 500  # an & becomes five characters
            blocks.append(section(code(rest[:size])))
            rest = rest[size:]
    if rest:
        blocks.append(context(f"⚠️ … and {len(rest)} characters more, which do not fit here. Deny it if you have to see them."))
    return blocks


def _described(option: Option) -> str:
    return f"• *{mrkdwn(option.label, 200)}*" + (f": {mrkdwn(option.description, 300)}" if option.description else "")


def _choices(question: Question, about: str, agent: Agent) -> list[Block]:
    if question.kind == "permission":
        return _decision(question, about, agent)
    [part, *more] = question.parts
    if more:
        return [actions(button("reply", "Answer", about, "primary"))]
    elements: list[Block] = []
    labels = [option.label for option in part.options]
    if labels and not part.multi and len(labels) <= FEW:
        elements = [button(f"answer:{n}", label, f"{about} {n}") for n, label in enumerate(labels)]
    elif labels:
        kind = "multi_static_select" if part.multi else "static_select"
        options = [choice(label, f"{about} {n}") for n, label in enumerate(labels[:100])]
        if part.multi:
            return [actions(button("reply", "Choose", about, "primary"))]
        elements = [{"type": kind, "action_id": "answer:menu", "placeholder": plain("Choose one"), "options": options}]
    if part.free_text or not labels:
        elements.append(button("reply", "Write an answer" if not labels else "Something else", about))
    hint = [context("Or just write your answer in this thread.")] if part.free_text or not labels else []
    return [actions(*elements), *hint]


def _decision(question: Question, about: str, agent: Agent) -> list[Block]:
    """The buttons that somebody may press: where the agent's file names nobody who may allow it, it can only be denied."""
    styles = {ALLOW: "primary", APPROVE: "primary", DENY: "danger"}
    offered = [(n, each) for n, each in enumerate(question.parts[0].options) if agent.allow.approve or each.label == DENY]
    elements = [button(f"answer:{n}", each.label, f"{about} {n}", styles.get(each.label, "")) for n, each in offered]
    hints = [_described(each) for _, each in offered if each.description]
    hints += [] if agent.allow.approve else [f"Nobody may allow this: {policy.named(agent, 'approve')}"]
    return [actions(*elements, button("deny", "Deny with a reason", about)), *map(context, hints)]


def _outcome(answered: Answered) -> str:
    what = mrkdwn(brief(", ".join(answered.answers), 600), 1500)
    match answered.outcome:
        case "answered":
            sign = "⊘" if DENY in answered.answers else "✓"
            return f"{sign} {mrkdwn(answered.by, 200)} answered: *{what}*"
        case "expired":
            return "⌛ Nobody answered in time. Say in the thread what you want, and the agent goes on."
        case "declined":
            return f"⊘ Declined by {mrkdwn(answered.by, 200)}."
        case "canceled":
            return "No longer needed: the conversation went on without an answer."
        case _:
            return "No longer needed: the work has ended."


def form(question: Question, about: str) -> Block:
    """The same question as a form, for typing and for choosing several."""
    blocks = [block for part in question.parts[:40] for block in _inputs(part)]
    return modal("reply", TITLE[question.kind], "Answer", blocks, about)


def _inputs(part: Part) -> list[Block]:
    """What is chosen and what is typed: both where both may be."""
    options = [choice(option.label, str(n), option.description) for n, option in enumerate(part.options[:100])]
    typing: Block = {"type": "plain_text_input", "action_id": "value", "multiline": not part.secret, "max_length": 3000}
    kind = (
        ("checkboxes" if part.multi else "radio_buttons")
        if len(options) <= 10
        else ("multi_static_select" if part.multi else "static_select")
    )
    choosing: Block = {"type": kind, "action_id": "value", "options": options}
    both = bool(options) and part.free_text
    inputs = [_input(f"part:{part.id}", part.text, choosing, both)] if options else []
    if both or not options:
        inputs.append(_input(f"text:{part.id}", "Something else" if options else part.text, typing, both))
    return inputs


def _input(id: str, label: str, element: Block, optional: bool) -> Block:
    return {"type": "input", "block_id": id[:255], "label": plain(label, 2000), "element": element, "optional": optional}


def why(about: str) -> Block:
    """Asks why not."""
    element = {"type": "plain_text_input", "action_id": "value", "multiline": True, "max_length": 1000}
    blocks = [{"type": "input", "block_id": "reason", "label": plain("Why not?"), "optional": True, "element": element}]
    return modal("deny", "Deny", "Deny", blocks, about)
