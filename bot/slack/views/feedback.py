"""What people think of an answer: Slack's thumbs, and a form for what was wrong."""

from bot.slack.view import Block, choice, modal, plain

REASONS = {
    "wrong": "It is wrong",
    "incomplete": "It is incomplete",
    "slow": "It took too long",
    "should_not": "It should not have done that",
    "other": "Something else",
}


def buttons(about: str) -> Block:
    """Thumbs up and down for a turn; `about` is its session and number."""
    good = {"text": plain("Good"), "value": f"good {about}", "accessibility_label": "This answer is good"}
    bad = {"text": plain("Bad"), "value": f"bad {about}", "accessibility_label": "This answer is bad"}
    element = {"type": "feedback_buttons", "action_id": "feedback", "positive_button": good, "negative_button": bad}
    return {"type": "context_actions", "elements": [element]}


def form(about: str) -> Block:
    """Asks what was wrong."""
    reasons = {"type": "checkboxes", "action_id": "reasons", "options": [choice(text, name) for name, text in REASONS.items()]}
    text = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": 2000}
    blocks = [
        {"type": "input", "block_id": "reasons", "label": plain("What was wrong with it?"), "optional": True, "element": reasons},
        {"type": "input", "block_id": "text", "label": plain("What would have helped?"), "optional": True, "element": text},
    ]
    return modal("feedback", "What was wrong?", "Send", blocks, about)
