"""The parts of blocks: text objects, options, and all that can be pressed, chosen or filled in."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

Json = dict[str, Any]
Check = Callable[[Json, str], Iterator[str]]


def sized(value: Any, at: str, most: int) -> Iterator[str]:
    if not isinstance(value, str) or not value:
        yield f"must be more than 0 characters [json-pointer:{at}]"
    elif len(value) > most:
        yield f"must be less than {most + 1} characters [json-pointer:{at}]"


def text_object(node: Any, at: str, most: int, kinds: Sequence[str] = ("plain_text", "mrkdwn")) -> Iterator[str]:
    if not isinstance(node, dict):
        yield f"missing required field: {at.rpartition('/')[2]} [json-pointer:{at}]"
    elif node.get("type") not in kinds:
        yield f"must be one of {', '.join(kinds)} [json-pointer:{at}/type]"
    else:
        yield from sized(node.get("text"), f"{at}/text", most)


def found_in(node: Json, key: str) -> list[Json]:
    """The objects in a list that may be missing or no list at all."""
    value = node.get(key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def listed(node: Json, key: str, at: str, most: int, check: Check, needed: bool = True) -> Iterator[str]:
    value = node.get(key)
    if value is None and not needed:
        return
    if not isinstance(value, list) or not value:
        yield f"must have at least 1 item [json-pointer:{at}/{key}]"
        return
    if len(value) > most:
        yield f"no more than {most} items allowed [json-pointer:{at}/{key}]"
    for index, each in enumerate(value):
        if isinstance(each, dict):
            yield from check(each, f"{at}/{key}/{index}")
        else:
            yield f"must be an object [json-pointer:{at}/{key}/{index}]"


def optional(node: Json, key: str, at: str, most: int) -> Iterator[str]:
    value = node.get(key)
    if value is not None and (not isinstance(value, str) or len(value) > most):
        yield f"must be less than {most + 1} characters [json-pointer:{at}/{key}]"


def whole(node: Json, key: str, at: str, least: int, most: int) -> Iterator[str]:
    """A number that may be missing."""
    value = node.get(key, least)
    if not isinstance(value, int) or not least <= value <= most:
        yield f"must be between {least} and {most} [json-pointer:{at}/{key}]"


def placeholder(node: Json, at: str) -> Iterator[str]:
    if "placeholder" in node:
        yield from text_object(node["placeholder"], f"{at}/placeholder", 150, ("plain_text",))


def button(node: Json, at: str) -> Iterator[str]:
    yield from text_object(node.get("text"), f"{at}/text", 75, ("plain_text",))
    yield from optional(node, "value", at, 2000)
    yield from optional(node, "url", at, 3000)
    yield from optional(node, "agent_prompt", at, 4000)
    if node.get("style", "primary") not in ("primary", "danger"):
        yield f"must be one of primary, danger [json-pointer:{at}/style]"
    if "confirm" in node:
        yield from confirm(node["confirm"], f"{at}/confirm")


def confirm(node: Any, at: str) -> Iterator[str]:
    for key, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        yield from text_object(node.get(key) if isinstance(node, dict) else None, f"{at}/{key}", most)


def icon_button(node: Json, at: str) -> Iterator[str]:
    yield from sized(node.get("icon"), f"{at}/icon", 255)
    yield from text_object(node.get("text"), f"{at}/text", 75, ("plain_text",))
    yield from optional(node, "value", at, 2000)


def feedback_buttons(node: Json, at: str) -> Iterator[str]:
    for key in ("positive_button", "negative_button"):
        part = node.get(key)
        yield from text_object(part.get("text") if isinstance(part, dict) else None, f"{at}/{key}/text", 75, ("plain_text",))
        yield from sized(part.get("value") if isinstance(part, dict) else None, f"{at}/{key}/value", 2000)


def option(node: Json, at: str) -> Iterator[str]:
    yield from text_object(node.get("text"), f"{at}/text", 75)
    yield from sized(node.get("value"), f"{at}/value", 150)
    if "description" in node:
        yield from text_object(node["description"], f"{at}/description", 75)


def overflow(node: Json, at: str) -> Iterator[str]:
    yield from listed(node, "options", at, 5, option)


def boxes(node: Json, at: str) -> Iterator[str]:
    yield from listed(node, "options", at, 10, option)


def static_select(node: Json, at: str) -> Iterator[str]:
    yield from placeholder(node, at)
    if "option_groups" in node:
        yield from listed(node, "option_groups", at, 100, _group)
    else:
        yield from listed(node, "options", at, 100, option)


def _group(node: Json, at: str) -> Iterator[str]:
    yield from text_object(node.get("label"), f"{at}/label", 75, ("plain_text",))
    yield from listed(node, "options", at, 100, option)


def text_input(node: Json, at: str) -> Iterator[str]:
    yield from placeholder(node, at)
    yield from whole(node, "min_length", at, 0, 3000)
    yield from whole(node, "max_length", at, 1, 3000)


def image(node: Json, at: str) -> Iterator[str]:
    if "slack_file" not in node:
        yield from sized(node.get("image_url"), f"{at}/image_url", 3000)
    yield from sized(node.get("alt_text"), f"{at}/alt_text", 2000)


ELEMENTS: dict[str, Check] = {
    "button": button, "icon_button": icon_button, "feedback_buttons": feedback_buttons, "workflow_button": button,
    "overflow": overflow, "checkboxes": boxes, "radio_buttons": boxes, "static_select": static_select,
    "multi_static_select": static_select, "external_select": placeholder, "multi_external_select": placeholder,
    "users_select": placeholder, "multi_users_select": placeholder, "conversations_select": placeholder,
    "multi_conversations_select": placeholder, "channels_select": placeholder, "multi_channels_select": placeholder,
    "datepicker": placeholder, "timepicker": placeholder, "datetimepicker": placeholder, "plain_text_input": text_input,
    "email_text_input": text_input, "url_text_input": text_input, "number_input": text_input, "rich_text_input": text_input,
    "file_input": placeholder, "image": image,
}  # fmt: skip
TYPED = ("plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input", "file_input")
AGENT = ("feedback_buttons", "icon_button")
# Which of them an actions block, a section and an input block take.
INTERACTIVE = tuple(kind for kind in ELEMENTS if kind not in (*TYPED, *AGENT, "image"))
BESIDE = (*(kind for kind in INTERACTIVE if kind != "datetimepicker"), "image")
ASKING = tuple(kind for kind in ELEMENTS if kind not in ("button", "workflow_button", "overflow", "image", *AGENT))

# Where each kind of element keeps what was chosen, in `actions` and in `state.values`.
CHOSEN = {
    "overflow": "selected_option", "static_select": "selected_option", "radio_buttons": "selected_option",
    "external_select": "selected_option", "checkboxes": "selected_options", "multi_static_select": "selected_options",
    "multi_external_select": "selected_options", "users_select": "selected_user", "multi_users_select": "selected_users",
    "conversations_select": "selected_conversation", "multi_conversations_select": "selected_conversations",
    "channels_select": "selected_channel", "multi_channels_select": "selected_channels", "datepicker": "selected_date",
    "timepicker": "selected_time", "datetimepicker": "selected_date_time", "plain_text_input": "value",
    "email_text_input": "value", "url_text_input": "value", "number_input": "value", "rich_text_input": "rich_text_value",
    "file_input": "files",
}  # fmt: skip
INITIAL = {"value": "initial_value", "rich_text_value": "initial_value"}


def initial(node: Json) -> Any:
    """What an element holds before anybody touches it; None or [] for nothing."""
    key = CHOSEN[node["type"]]
    return node.get(INITIAL.get(key, key.replace("selected_", "initial_")), [] if key in ("selected_options", "files") else None)


def options(node: Json) -> list[Json]:
    return [*found_in(node, "options"), *(each for group in found_in(node, "option_groups") for each in found_in(group, "options"))]


def option_text(node: Json) -> str:
    return str((node.get("text") or {}).get("text", ""))
