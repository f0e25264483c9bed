"""A question to a person, as a card with buttons, as a form, and, once it is closed, as a line that says how."""

from itertools import accumulate

from bot import policy
from bot.agent import Agent
from bot.event import ALLOW, APPROVE, DENY, Answered, Option, Part, Question
from bot.session import Session
from bot.slack.markdown import PIECE, brief, mrkdwn, whole
from bot.slack.view import Block, View, actions, button, choice, code, context, date, modal, plain, section, visible

FEW = 5  # options that are buttons; more are a menu
MENU = 100  # options of one menu
FULL = 30  # sections of one message
MOST = 6  # messages that a question takes at the most, its card among them
LABEL = 2000  # characters over a field of a form
ROOM = 15  # sections of a form that tell what is too long for that
FIELDS = 84  # fields of a form, beside them
TITLE = {"question": "A question", "permission": "Permission needed", "form": "A few questions", "auth": "Please sign in"}


def messages(session: Session, question: Question, answered: Answered | None, agent: Agent) -> dict[str, View]:
    """The card by its slot; while it waits, before it what is too long for a card, and never changes."""
    slot, text = f"{session.id}:q:{question.id}", mrkdwn(brief(question.parts[0].text, 200)) or TITLE[question.kind]
    pages = [] if answered else _pages(question)[:-1]
    above = {f"{slot}:above {n}": View(text, tuple(page), 0) for n, page in enumerate(pages)}
    return above | {slot: render(session, question, answered, agent)}


def render(session: Session, question: Question, answered: Answered | None, agent: Agent) -> View:
    """The card. It mentions who has to answer: the one mention that Frontdesk ever writes in a thread."""
    body, agent = _pages(question)[-1], policy.trusted(agent, question)
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


def _pages(question: Question) -> list[list[Block]]:
    """All that is asked, in messages: the last stands at the buttons, and is as full as Slack lets it be."""
    pages: list[list[Block]] = [[]]
    for block in reversed(_body(question)):
        if pages[0] and (len(pages[0]) == FULL or sum(map(_size, (block, *pages[0]))) > PIECE):
            pages.insert(0, [])
        pages[0].insert(0, block)
    if left := sum(_size(block) for page in pages[MOST - 1 : -1] for block in page):
        words = f"⚠️ {left:,} characters before this do not fit here. If you have to see them, `stop` it, and ask for less at once."
        pages[MOST - 1 :] = [[context(words), *pages[-1]]]
    elif len(pages) > 1:
        pages[-1].insert(0, context("This is the end of it: the beginning stands above."))
    return pages


def _size(block: Block) -> int:
    """Characters. Slack refuses a message with more than about 11,000 in all (bolt-js#2867)."""
    return len(block["text"]["text"]) if "text" in block else 0


def _body(question: Question) -> list[Block]:
    blocks = [section(text) for part in question.parts for text in _told(part, question.kind == "permission")]
    rest = visible(question.detail)
    for _ in range(12):
        if rest:
            size = 1200 if len(mrkdwn(rest[:1200], 1 << 20)) < 2700 else 500  # an & becomes five characters
            blocks.append(section(code(rest[:size])))
            rest = rest[size:]
    if rest:
        blocks.append(context(f"⚠️ … and {len(rest)} characters more, which do not fit here. Deny it if you have to see them."))
    return blocks


def _told(part: Part, decision: bool) -> list[str]:
    """Of what a decision means its buttons tell."""
    head = f"*{' '.join(part.header.split())}*\n" if part.header else ""
    told = [
        (f"{n}." if n > MENU else "•", each)
        for n, each in enumerate(() if decision else part.options, 1)
        if each.description or len(each.label) > 75 or n > MENU
    ]
    described = [f"{sign} *{each.label}*" + (f": {each.description}" if each.description else "") for sign, each in told]
    return whole("\n".join([f"{head}{part.text}" or "…", *described]))


def _described(option: Option) -> str:
    return f"• *{mrkdwn(option.label, 200)}*" + (f": {mrkdwn(option.description, 300)}" if option.description else "")


def _choices(question: Question, about: str, agent: Agent) -> list[Block]:
    if question.kind == "permission":
        return _decision(question, about, agent)
    [part, *more] = question.parts
    if more:
        return [actions(button("reply", "Answer", about, "primary"))]
    labels = [option.label for option in part.options]
    beyond = [context(_beyond(part))] if len(labels) > MENU else []
    if labels and part.multi:
        return [actions(button("reply", "Choose", about, "primary")), *beyond]
    if len(labels) <= FEW:
        elements = [button(f"answer:{n}", label, f"{about} {n}") for n, label in enumerate(labels)]
    else:
        options = [choice(label, f"{about} {n}") for n, label in enumerate(labels[:MENU])]
        elements = [{"type": "static_select", "action_id": "answer:menu", "placeholder": plain("Choose one"), "options": options}]
    if part.free_text or not labels:
        elements.append(button("reply", "Write an answer" if not labels else "Something else", about))
    hint = [context("Or just write your answer in this thread.")] if part.free_text or not labels else []
    return [actions(*elements), *(beyond or hint)]


def _beyond(part: Part) -> str:
    """How somebody chooses what a menu has no room for."""
    which = "the names or the numbers of those that you mean, with commas between them" if part.multi else "the name or the number of yours"
    return f"The menu ends after {MENU} of {len(part.options)} options; the others are listed above. Write {which}, in this thread."


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
    blocks: list[Block] = []
    alone = len(question.parts) == 1
    fields = list(accumulate(len(_inputs(part, alone)) for part in question.parts))
    fitting = sum(count <= FIELDS for count in fields)
    for part in question.parts[:fitting]:
        blocks += _asked(part, ROOM - sum(block["type"] == "section" for block in blocks), alone)
    if left := len(question.parts) - fitting:
        words = f"This form ends after {fitting} of {fitting + left} questions. Send it, and then answer the others in the thread."
        blocks.insert(0, context(words))
    return modal("reply", TITLE[question.kind], "Answer", blocks, about)


def _asked(part: Part, room: int, alone: bool) -> list[Block]:
    """A part with its fields. What is too long for the label of a field stands before it, as far as there is room, and its end in it."""
    flat, inputs = " ".join(part.text.split()), _inputs(part, alone)
    if len(flat) <= LABEL:
        return inputs
    told = whole(part.text)
    here = told[max(0, len(told) - room) :]
    tail = 150 if here else LABEL - 1
    inputs[0]["label"] = plain("…" + (flat[-tail:].partition(" ")[2] or flat[-tail:]), LABEL)
    if len(here) < len(told):
        known = f" {inputs[0]['hint']['text']}" if "hint" in inputs[0] else ""
        inputs[0]["hint"] = plain(f"This is only the end of the question: all of it stands in the thread.{known}", LABEL)
    return [*map(section, here), *inputs]


def _inputs(part: Part, alone: bool) -> list[Block]:
    """What is chosen and what is typed: both where both may be."""
    options = [choice(option.label, str(n), option.description) for n, option in enumerate(part.options[:MENU])]
    typing: Block = {"type": "plain_text_input", "action_id": "value", "multiline": not part.secret, "max_length": 3000}
    kind = (
        ("checkboxes" if part.multi else "radio_buttons")
        if len(options) <= 10
        else ("multi_static_select" if part.multi else "static_select")
    )
    choosing: Block = {"type": kind, "action_id": "value", "options": options}
    both, more = bool(options) and part.free_text, len(part.options) > MENU
    inputs = [_input(f"part:{part.id}", part.text, choosing, both or more)] if options else []
    if more:
        inputs[0]["hint"] = plain(_other(part, alone), LABEL)
    if both or not options:
        inputs.append(_input(f"text:{part.id}", "Something else" if options else part.text, typing, both))
    return inputs


def _other(part: Part, alone: bool) -> str:
    """How somebody chooses in a form what its list has no room for."""
    later = "close this, and write it in the thread" if alone else "leave this empty, and write it in the thread once the form is sent"
    how = "write it below" if part.free_text else later
    return f"The list ends after {MENU} of {len(part.options)} options; the others stand in the thread. For one of them {how}."


def _input(id: str, label: str, element: Block, optional: bool) -> Block:
    return {"type": "input", "block_id": id[:255], "label": plain(label, LABEL), "element": element, "optional": optional}


def why(about: str) -> Block:
    """Asks why not."""
    element = {"type": "plain_text_input", "action_id": "value", "multiline": True, "max_length": 1000}
    blocks = [{"type": "input", "block_id": "reason", "label": plain("Why not?"), "optional": True, "element": element}]
    return modal("deny", "Deny", "Deny", blocks, about)
