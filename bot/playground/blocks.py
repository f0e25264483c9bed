"""Block Kit's rules: which blocks there are, how large their parts may be, and what Slack adds to them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .elements import AGENT, ASKING, BESIDE, ELEMENTS, INTERACTIVE, found_in, listed, optional, sized, text_object, whole
from .elements import image as picture
from .refusal import Refusal, invalid

Json = dict[str, Any]
Check = Callable[[Json, str], Iterator[str]]

MOST_BLOCKS = 50
MOST_MARKDOWN = 12_000
MOST_PAYLOAD = 13_200  # characters of text that whole blocks may bring, seen in bolt-js#2509
MESSAGE_ONLY = frozenset({"markdown", "context_actions", "task_card", "plan", "table", "data_table", "card", "carousel"})
VIEW_ONLY = frozenset({"auth_provider", "file_input"})
OWNERS = {"accessory": "section", "element": "input", "child_blocks": "container"}  # the only ones that may have it
MODAL_ONLY = frozenset({"file_input"})
DEFAULTS: dict[str, Json] = {
    "plain_text": {"emoji": True}, "mrkdwn": {"verbatim": False}, "input": {"optional": False, "dispatch_action": False},
}  # fmt: skip


def section(block: Json, at: str) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield f"missing required field: text or fields [json-pointer:{at}]"
    if "text" in block:
        yield from text_object(block["text"], f"{at}/text", 3000)
    yield from listed(block, "fields", at, 10, lambda field, where: text_object(field, where, 2000), needed=False)
    if "accessory" in block:
        yield from element(block["accessory"], f"{at}/accessory", BESIDE)


def header(block: Json, at: str) -> Iterator[str]:
    yield from text_object(block.get("text"), f"{at}/text", 150, ("plain_text",))


def image(block: Json, at: str) -> Iterator[str]:
    yield from picture(block, at)
    if "title" in block:
        yield from text_object(block["title"], f"{at}/title", 2000, ("plain_text",))


def context(block: Json, at: str) -> Iterator[str]:
    def part(each: Json, where: str) -> Iterator[str]:
        return picture(each, where) if each.get("type") == "image" else text_object(each, where, 3000)

    yield from listed(block, "elements", at, 10, part)


def actions(block: Json, at: str) -> Iterator[str]:
    yield from listed(block, "elements", at, 25, lambda each, where: element(each, where, INTERACTIVE))
    yield from repeated([each.get("action_id") for each in found_in(block, "elements")], "action_id", at)


def context_actions(block: Json, at: str) -> Iterator[str]:
    yield from listed(block, "elements", at, 5, lambda each, where: element(each, where, AGENT))


def input_block(block: Json, at: str) -> Iterator[str]:
    yield from text_object(block.get("label"), f"{at}/label", 2000, ("plain_text",))
    yield from element(block.get("element"), f"{at}/element", ASKING)
    if "hint" in block:
        yield from text_object(block["hint"], f"{at}/hint", 2000, ("plain_text",))


def markdown(block: Json, at: str) -> Iterator[str]:
    yield from sized(block.get("text"), f"{at}/text", MOST_MARKDOWN)


def rich_text(block: Json, at: str) -> Iterator[str]:
    yield from listed(block, "elements", at, 1000, lambda each, where: iter(()), needed=True)


def table(block: Json, at: str) -> Iterator[str]:
    rows = block.get("rows")
    least, most = (2, 101) if block["type"] == "data_table" else (1, 100)
    if not isinstance(rows, list) or not least <= len(rows) <= most:
        yield f"rows must be a list of {least} to {most} rows [json-pointer:{at}/rows]"
    elif any(not isinstance(row, list) or len(row) > 20 for row in rows):
        yield f"no more than 20 items allowed [json-pointer:{at}/rows]"


def data_table(block: Json, at: str) -> Iterator[str]:
    yield from sized(block.get("caption"), f"{at}/caption", 2000)
    yield from table(block, at)
    yield from whole(block, "page_size", at, 1, 100)


def task_card(block: Json, at: str) -> Iterator[str]:
    yield from sized(block.get("task_id"), f"{at}/task_id", 255)
    yield from sized(block.get("title"), f"{at}/title", 256)
    if block.get("status", "pending") not in ("pending", "in_progress", "complete", "error"):
        yield f"invalid status [json-pointer:{at}/status]"


def plan(block: Json, at: str) -> Iterator[str]:
    yield from sized(block.get("title"), f"{at}/title", 256)
    yield from listed(block, "tasks", at, 50, task_card, needed=False)


def alert(block: Json, at: str) -> Iterator[str]:
    yield from text_object(block.get("text"), f"{at}/text", 3000)
    if block.get("level", "default") not in ("default", "info", "warning", "error", "success"):
        yield f"invalid level [json-pointer:{at}/level]"


def card(block: Json, at: str) -> Iterator[str]:
    for key, most in (("title", 150), ("subtitle", 150), ("body", 200)):
        if key in block:
            yield from text_object(block[key], f"{at}/{key}", most)
    yield from listed(block, "actions", at, 5, lambda each, where: element(each, where, ("button",)), needed=False)


def carousel(block: Json, at: str) -> Iterator[str]:
    yield from listed(block, "elements", at, 10, card)


def container(block: Json, at: str) -> Iterator[str]:
    yield from text_object(block.get("title"), f"{at}/title", 150, ("plain_text",))
    yield from listed(block, "child_blocks", at, 10, one)


def anything(block: Json, at: str) -> Iterator[str]:
    return iter(())


CHECKS: dict[str, Check] = {
    "section": section, "header": header, "divider": anything, "image": image, "context": context, "actions": actions,
    "input": input_block, "markdown": markdown, "rich_text": rich_text, "context_actions": context_actions, "table": table,
    "data_table": data_table, "task_card": task_card, "plan": plan, "alert": alert, "card": card, "carousel": carousel,
    "container": container, "video": anything, "file": anything, "auth_provider": anything,
}  # fmt: skip


def element(node: Any, at: str, allowed: Sequence[str]) -> Iterator[str]:
    if not isinstance(node, dict):
        yield f"missing required field: {at.rpartition('/')[2]} [json-pointer:{at}]"
    elif node.get("type") not in allowed:
        yield f"unsupported type: {node.get('type')} [json-pointer:{at}/type]"
    else:
        yield from optional(node, "action_id", at, 255)
        yield from ELEMENTS[node["type"]](node, at)


def one(block: Any, at: str) -> Iterator[str]:
    kind = str(block.get("type")) if isinstance(block, dict) else type(block).__name__
    if kind not in CHECKS:
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"
        return
    yield from optional(block, "block_id", at, 255)
    for key in (each for each, owner in OWNERS.items() if each in block and owner != kind):
        yield f"invalid additional property: {key} [json-pointer:{at}/{key}]"
    yield from CHECKS[kind](block, at)


def repeated(ids: Sequence[Any], word: str, at: str) -> Iterator[str]:
    given = [str(each) for each in ids if each]
    for each in sorted({each for each in given if given.count(each) > 1}):
        yield f"{word} {each!r} already exists [json-pointer:{at}]"


def problems(blocks: Any, most: int, banned: frozenset[str], root: str = "/blocks") -> Iterator[str]:
    """What is wrong with blocks, in the words of Slack's `response_metadata.messages`."""
    if not isinstance(blocks, list):
        yield f"must be an array [json-pointer:{root}]"
        return
    if len(blocks) > most:
        yield f"no more than {most} items allowed [json-pointer:{root}]"
    for index, block in enumerate(blocks):
        yield from _misplaced(block, f"{root}/{index}", banned) or one(block, f"{root}/{index}")
    known = [block for block in blocks if isinstance(block, dict)]
    yield from repeated([block.get("block_id") for block in known], "block_id", root)
    if sum(block.get("type") == "table" for block in known) > 1:
        yield f"only_one_table_allowed [json-pointer:{root}]"


def _misplaced(block: Any, at: str, banned: frozenset[str]) -> list[str]:
    """A block, or the element of an input block, that this surface does not take."""
    nodes = [(block, at), (block.get("element"), f"{at}/element")] if isinstance(block, dict) else []
    kinds = [(str(node.get("type")), where) for node, where in nodes if isinstance(node, dict)]
    return [f"unsupported type: {kind} [json-pointer:{where}/type]" for kind, where in kinds if kind in banned]


def message_problems(blocks: Any, root: str = "/blocks", most: int = MOST_BLOCKS) -> list[str]:
    return list(problems(blocks, most, VIEW_ONLY, root))


def check_message(blocks: Any, most: int = MOST_BLOCKS) -> None:
    """Raises Refusal: invalid_blocks, or msg_blocks_too_long where the markdown is too much."""
    wrong, written = message_problems(blocks, most=most), sum(map(len, _markdown(blocks)))
    if written > MOST_MARKDOWN:
        raise Refusal("msg_blocks_too_long")
    if wrong:
        raise invalid(*wrong, error="invalid_blocks")
    if written and _weight(blocks) > MOST_PAYLOAD:  # nobody has seen that limit where there is no markdown
        raise Refusal("msg_blocks_too_long")


def _markdown(node: Any) -> Iterator[str]:
    """The texts of all markdown blocks, however deep they are in others."""
    if isinstance(node, list):
        yield from (text for each in node for text in _markdown(each))
    elif isinstance(node, dict) and node.get("type") == "markdown":
        yield str(node.get("text", ""))
    elif isinstance(node, dict):
        yield from (text for each in node.values() for text in _markdown(each))


def _weight(node: Any) -> int:
    if isinstance(node, dict):
        return sum(map(_weight, node.values()))
    if isinstance(node, list):
        return sum(map(_weight, node))
    return len(node) if isinstance(node, str) else 0


def view_problems(view: Json, kind: str) -> list[str]:
    """`kind` is modal or home."""
    wrong = list(problems(view.get("blocks"), 100, MESSAGE_ONLY if kind == "modal" else MESSAGE_ONLY | MODAL_ONLY))
    if view.get("type") != kind:
        wrong.append(f"failed to match all allowed schemas: must be a {kind} view [json-pointer:/view/type]")
    if kind == "modal":
        wrong += text_object(view.get("title"), "/view/title", 24, ("plain_text",))
        for key in ("submit", "close"):
            wrong += text_object(view[key], f"/view/{key}", 24, ("plain_text",)) if view.get(key) else ()
        if not view.get("submit") and any(block.get("type") == "input" for block in found_in(view, "blocks")):
            wrong.append("missing required field: submit [json-pointer:/view]")
    for key, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        if len(str(view.get(key) or "")) > most:
            wrong.append(f"must be less than {most + 1} characters [json-pointer:/view/{key}]")
    return wrong


def check_view(view: Json, kind: str) -> None:
    """Raises Refusal invalid_arguments."""
    if wrong := view_problems(view, kind):
        raise invalid(*wrong)


def filled(blocks: list[Json], fresh: Callable[[str], str]) -> list[Json]:
    """The blocks as Slack keeps them: each has a block_id, what can be pressed has an action_id, and what was left out is said."""
    return [_filled(spelled(block), fresh) for block in blocks]


def spelled(node: Any) -> Any:
    """The same with Slack's defaults written out."""
    if isinstance(node, list):
        return [spelled(each) for each in node]
    if not isinstance(node, dict):
        return node
    kind = node.get("type")
    return DEFAULTS.get(kind if isinstance(kind, str) else "", {}) | {key: spelled(value) for key, value in node.items()}


def _filled(block: Json, fresh: Callable[[str], str]) -> Json:
    out = {**block, "block_id": block.get("block_id") or fresh("b")}
    match block["type"]:
        case "actions" | "context_actions":
            out["elements"] = [_named(each, fresh) for each in block["elements"]]
        case "container":
            out["child_blocks"] = [_filled(each, fresh) for each in block["child_blocks"]]
        case "carousel":
            out["elements"] = [_filled({"type": "card", **each}, fresh) for each in block["elements"]]
        case "card":
            out |= {"actions": [_named(each, fresh) for each in block["actions"]]} if block.get("actions") else {}
    for key in ("accessory", "element"):
        if isinstance(block.get(key), dict):
            out[key] = _named(block[key], fresh)
    return out


def _named(node: Json, fresh: Callable[[str], str]) -> Json:
    return node if "action_id" in node or node.get("type") == "image" else {**node, "action_id": fresh("a")}
