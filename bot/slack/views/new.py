"""A new agent: the form in which somebody thinks it up, its file, and the card for whoever allows it."""

import hashlib
import re
from collections.abc import Mapping, Sequence

from bot.agent import Agent
from bot.draft import Draft
from bot.past import Outcome
from bot.slack.markdown import brief, mrkdwn, safe
from bot.slack.view import Block, View, actions, button, choice, code, context, markdown, modal, plain, section, visible

RUN = {"members": "Everybody in this workspace", "admins": "Admins only"}
LONGEST = 2400  # characters of what it is told: a button has to carry it
MOST = 15_000  # characters of its file: a message has 50 blocks
MOST_SAID = 9_000  # characters of an answer


def form(agents: Sequence[Agent], admins: Sequence[str], draft: Draft | None = None) -> Block:
    """What for, where, on which runtime, who may, and who is to allow it; filled in as the draft has it. `admins` are names."""
    options = [choice(f"{agent.name} ({agent.runtime})", agent.name, brief(agent.description, 75)) for agent in agents[:100]]
    who = [choice(words, value) for value, words in RUN.items()] + [choice("Only me", "me")]
    first = next((option for option in options if draft and option["value"] == draft.like), None)
    run = next((option for option in who if draft and option["value"] == draft.run), who[0] if draft is None else who[-1])
    like: Block = {"type": "static_select", "options": options} | ({"initial_option": first} if first else {})
    where: Block = {"type": "conversations_select", "filter": {"include": ["public", "private"], "exclude_bot_users": True}}
    where |= {"initial_conversation": draft.place} if draft and draft.place else {}
    approver: Block = {"type": "users_select"} | ({"initial_user": draft.approver} if draft else {})
    names = f" ({', '.join(admins[:3])})" if admins else ""
    blocks = [
        _asked("name", "What is it called?", _typed(40, draft.name if draft else ""), "such as release-notes; a space becomes a -"),
        _asked("about", "What is it for?", _typed(150, draft.about if draft else ""), "one sentence that people see in lists"),
        _asked("words", "How does it work?", _typed(LONGEST, draft.words if draft else "", long=True),
               "what it does step by step, how it answers, what it says when it is not sure, and what it never does"),
        _asked("like", "It runs like", like, "it gets that agent's runtime, tools, variables, workspace and budget"),
        _asked("where", "Which channel is it for?", where, "without one it is called by its name", optional=True),
        _asked("run", "Who may ask it?", {"type": "radio_buttons", "options": who, "initial_option": run}),
        _asked("approver", "Who is to allow it?", approver, f"an admin{names}, or another whom that agent's file lets approve by name"),
    ]  # fmt: skip
    return modal("new", "A new agent", "Show its file", blocks, draft.id if draft else "")


def _asked(name: str, label: str, element: Block, hint: str = "", optional: bool = False) -> Block:
    more = {"hint": plain(hint, 150)} if hint else {}
    return {
        "type": "input",
        "block_id": name,
        "label": plain(label),
        "element": {**element, "action_id": "value"},
        "optional": optional,
    } | more


def _typed(longest: int, first: str, long: bool = False) -> Block:
    made: Block = {"type": "plain_text_input", "max_length": longest, "multiline": long}
    return made | ({"initial_value": first} if first else {})


def draft(id: str, by: str, values: Mapping[str, tuple[str, ...]]) -> Draft:
    """What was filled in."""
    given = {key: (values.get(key) or ("",))[0].strip() for key in ("name", "about", "words", "like", "where", "run", "approver")}
    name, about = re.sub(r"\s+", "-", given["name"].lower()), " ".join(given["about"].split())
    run = by if given["run"] == "me" else given["run"] or "members"
    return Draft(id, name, about, given["words"], given["like"], given["where"], run, by, given["approver"])


def shown(draft: Draft, text: str, wrong: Sequence[str], typed: str = "") -> View:
    """For whoever thought it up: what it would be, what is wrong with it, what can be done next, and its file.

    `typed` is how they called it.
    """
    name, value = mrkdwn(draft.name, 60), draft.packed()
    called = f" (“{mrkdwn(typed, 100)}”, as an agent's name is written)" if typed not in ("", draft.name) else ""
    head = f"This would be `{name}`{called}: {mrkdwn(draft.about, 400)}"
    where = f"in <#{draft.place}> by a mention, and anywhere" if draft.place else "anywhere"
    asked = f"It is asked {where} by its name: `@Frontdesk {name}: …`\nWho may ask it: {RUN.get(draft.run, 'Only you')}"
    file = context(f"Its file, `agents/{name}.md`. It runs like `{mrkdwn(draft.like, 60)}`.")
    ready = [] if wrong else [button("propose", "Ask for approval", value, "primary"), button("sample", "Try it", value)]
    end = [section("*It cannot be used yet*\n" + "\n".join(f"• {mrkdwn(line, 300)}" for line in wrong[:8]))] if wrong else []
    asks = (
        []
        if wrong
        else [context(f"<@{draft.approver}> will be asked to allow it, once you ask for that. If you try it, only you see the answer.")]
    )
    buttons = actions(*ready, button("rework", "Change it", value))
    return View(head, (section(f"{head}\n{asked}"), *end, buttons, *asks, file, *pages(text)))


def asked(draft: Draft, text: str) -> View:
    """For whoever is to allow it. What is pressed holds for this very text."""
    name, value = mrkdwn(draft.name, 60), f"{mark(text)} {draft.packed()}"
    head = f"<@{draft.by}> has thought up an agent, `{name}`, and asks you to allow it. It runs like `{mrkdwn(draft.like, 60)}`."
    choices = (
        button("settle:allow", "Allow, and write it", f"allow {value}", "primary"),
        button("settle:refuse", "Refuse", f"refuse {value}", "danger"),
    )
    return View(f"A new agent: {name}", (section(head), *pages(text), actions(*choices)))


def sample(draft: Draft) -> Block:
    """The form in which its author tries it."""
    words = _asked("words", f"What shall {draft.name} do?", _typed(2000, "", long=True), "it answers you alone, and can ask nobody")
    return modal("sample", "Try it", "Ask", [words], draft.packed())


def answer(draft: Draft, words: str, outcome: Outcome) -> View:
    """What it answered."""
    head = section(f"You asked `{mrkdwn(draft.name, 60)}`, which is no agent yet:\n>{mrkdwn(brief(words, 300), 500)}")
    said = [markdown(safe(outcome.text[:MOST_SAID]))] if outcome.text.strip() else []
    how = f"It took {outcome.seconds:.0f} s" + (f" and ${outcome.usd:.2f}" if outcome.usd else "")
    why = outcome.reason or ("" if outcome.state == "completed" else f"It did not come to its end ({outcome.state}).")
    return View(f"{draft.name} answered you.", (head, *said, context(mrkdwn(f"{why} {how}. Only you see this.".strip(), 900))))


def told(draft: Draft, words: str) -> View:
    """What came of it, for whoever thought it up."""
    said = f"`{mrkdwn(draft.name, 60)}`: {mrkdwn(words, 1500)}"
    return View(mrkdwn(brief(f"{draft.name}: {words}", 300)), (section(said),))


def use(draft: Draft) -> str:
    """How it is asked, once it is there."""
    return f"Mention me in {draft.where}, and it answers." if draft.where else f"Write `@Frontdesk {draft.name}: …`, and it answers."


def mark(text: str) -> str:
    """The same for the same text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def closed(draft: Draft, text: str, words: str, *, again: bool = False) -> View:
    """The same when that is settled, and how; `again` lets its author think once more."""
    more = [actions(button("rework", "Change it", draft.packed()))] if again else []
    return View(
        words, (section(f"An agent of <@{draft.by}>, `{mrkdwn(draft.name, 60)}`"), *pages(text), context(mrkdwn(words, 900)), *more)
    )


def hidden(text: str) -> list[str]:
    """Why not all of a file could be shown, in a sentence; nothing where it can."""
    return [] if len(visible(text)) <= MOST else [f"Its file has more than {MOST:,} characters, which Slack cannot show at once."]


def pages(text: str) -> list[Block]:
    """All of it: a person decides by this alone."""
    rest, blocks = visible(text), list[Block]()
    while rest:
        size = 1200 if len(mrkdwn(rest[:1200], 1 << 20)) < 2700 else 500  # an & becomes five characters
        blocks.append(section(code(rest[:size])))
        rest = rest[size:]
    return blocks
