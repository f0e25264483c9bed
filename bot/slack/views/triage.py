"""The form that a message shortcut opens: which agent, a note, and where to answer."""

from collections.abc import Sequence

from bot.agent import Agent
from bot.slack.markdown import brief, mrkdwn
from bot.slack.view import Block, choice, context, modal, plain, section


def form(title: str, quote: str, author: str, agents: Sequence[Agent], first: Agent | None, about: str) -> Block:
    """`about` has what the submission has to know of the message."""
    options = [choice(agent.name, agent.name, brief(agent.description, 75)) for agent in agents[:100]]
    menu: Block = {"type": "static_select", "action_id": "value", "options": options}
    if first and first in agents[:100]:
        menu["initial_option"] = options[list(agents).index(first)]
    where = [choice("In the thread", "thread"), choice("Only to me", "private")]
    note = {"type": "plain_text_input", "action_id": "value", "multiline": True, "max_length": 3000}
    lines = "\n".join(f">{mrkdwn(line, 500)}" for line in quote.splitlines()[:12]) or "> (no text)"
    blocks = [
        section(f"*{mrkdwn(author, 100)}* wrote:\n{lines[:2500]}"),
        {"type": "input", "block_id": "agent", "label": plain("Agent"), "element": menu},
        {"type": "input", "block_id": "note", "label": plain("What should it do?"), "optional": True, "element": note},
        {"type": "input", "block_id": "where", "label": plain("Answer"),
         "element": {"type": "radio_buttons", "action_id": "value", "options": where, "initial_option": where[0]}},
        context("The agent is given the whole thread."),
    ]  # fmt: skip
    return modal("triage", title, "Start", blocks, about)


def nobody() -> Block:
    """There is no agent that this person may ask."""
    text = "There is no agent that you may ask. Whoever runs Frontdesk can change that with `allow.run` in an agent's file."
    return {"type": "modal", "callback_id": "none", "title": plain("No agent", 24), "close": plain("Close", 24), "blocks": [section(text)]}
