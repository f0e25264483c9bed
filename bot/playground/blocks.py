"""Block Kit's rules: which blocks there are, how large their parts may be, and what Slack adds to them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .elements import ELEMENTS, INTERACTIVE, found_in, listed, sized, text_object
from .refusal import Refusal, invalid

Json = dict[str, Any]
Check = Callable[[Json, str], Iterator[str]]

MOST_MARKDOWN = 12_000
MOST_PAYLOAD = 13_200  # characters of text that whole blocks may bring, seen in bolt-js#2509
MESSAGE_ONLY = frozenset({"markdown", "context_actions", "task_card", "plan", "table", "data_table", "card", "carousel"})
VIEW_ONLY = frozenset({"auth_provider"})


def section(block: Json, at: str) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield f"missing required field: text or fields [json-pointer:{at}]"
    if "text" in block:
        yield from text_object(block["text"], f"{at}/text", 3000)
    yield from listed(block, "fields", at, 10, lambda field, where: text_object(field, where, 2000), needed=False)
    if "accessory" in block:
        yield from element(block["accessory"], f"{at}/accessory", ELEMENTS)


def header(block: Json, at: str) -> Iterator[str]:
    yield from text_object(block.get("text"), f"{at}/text", 150, ("plain_text",))


def image(block: Json, at: str) -> Iterator[str]:
    if "slack_file" not in block:
        yield from sized(block.get("image_url"), f"{at}/image_url", 3000)
    yield from sized(block.get("alt_text"), f"{at}/alt_text", 2000)
    if "title" in block:
        yield from text_object(block["title"], f"{at}/title", 2000, ("plain_text",))


def context(block: Json, at: str) -> Iterator[str]:
    def part(each: Json, where: str) -> Iterator[str]:
        return image(each, where) if each.get("type") == "image" else text_object(each, where, 3000)

    yield from listed(block, "elements", at, 10, part)


def actions(block: Json, at: str) -> Iterator[str]:
    yield from listed(block, "elements", at, 25, lambda each, where: element(each, where, INTERACTIVE))
    yield from repeated([each.get("action_id") for each in found_in(block, "elements")], "action_id", at)


def context_actions(block: Json, at: str) -> Iterator[str]:
    yield from listed(block, "elements", at, 5, lambda each, where: element(each, where, ("feedback_buttons", "icon_button")))


def input_block(block: Json, at: str) -> Iterator[str]:
    yield from text_object(block.get("label"), f"{at}/label", 2000, ("plain_text",))
    yield from element(block.get("element"), f"{at}/element", ELEMENTS)
    if "hint" in block:
        yield from text_object(block["hint"], f"{at}/hint", 2000, ("plain_text",))


def markdown(block: Json, at: str) -> Iterator[str]:
    yield from sized(block.get("text"), f"{at}/text", MOST_MARKDOWN)


def rich_text(block: Json, at: str) -> Iterator[str]:
    yield from listed(block, "elements", at, 1000, lambda each, where: iter(()), needed=True)


def table(block: Json, at: str) -> Iterator[str]:
    rows = block.get("rows")
    if not isinstance(rows, list) or not 1 <= len(rows) <= 101:
        yield f"rows must be a list of 1 to 101 rows [json-pointer:{at}/rows]"
    elif any(not isinstance(row, list) or len(row) > 20 for row in rows):
        yield f"no more than 20 items allowed [json-pointer:{at}/rows]"


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
    "data_table": table, "task_card": task_card, "plan": plan, "alert": alert, "card": card, "carousel": carousel,
    "container": container, "video": anything, "file": anything, "auth_provider": anything,
}  # fmt: skip


def element(node: Any, at: str, allowed: Sequence[str] | dict[str, Any]) -> Iterator[str]:
    if not isinstance(node, dict):
        yield f"missing required field: {at.rpartition('/')[2]} [json-pointer:{at}]"
    elif node.get("type") not in allowed:
        yield f"unsupported type: {node.get('type')} [json-pointer:{at}/type]"
    else:
        if len(str(node.get("action_id", ""))) > 255:
            yield f"must be less than 256 characters [json-pointer:{at}/action_id]"
        yield from ELEMENTS[node["type"]](node, at)


def one(block: Any, at: str) -> Iterator[str]:
    if not isinstance(block, dict) or block.get("type") not in CHECKS:
        kind = block.get("type") if isinstance(block, dict) else type(block).__name__
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"
        return
    if len(str(block.get("block_id", ""))) > 255:
        yield f"must be less than 256 characters [json-pointer:{at}/block_id]"
    yield from CHECKS[block["type"]](block, at)


def repeated(ids: Sequence[Any], word: str, at: str) -> Iterator[str]:
    given = [each for each in ids if each]
    for each in sorted({each for each in given if given.count(each) > 1}):
        yield f"{word} {each!r} already exists [json-pointer:{at}]"


def problems(blocks: Any, most: int, banned: frozenset[str]) -> Iterator[str]:
    """What is wrong with blocks, in the words of Slack's `response_metadata.messages`."""
    if not isinstance(blocks, list):
        yield "must be an array [json-pointer:/blocks]"
        return
    if len(blocks) > most:
        yield f"no more than {most} items allowed [json-pointer:/blocks]"
    for index, block in enumerate(blocks):
        at = f"/blocks/{index}"
        if isinstance(block, dict) and block.get("type") in banned:
            yield f"unsupported type: {block['type']} [json-pointer:{at}/type]"
        else:
            yield from one(block, at)
    yield from repeated([block.get("block_id") for block in blocks if isinstance(block, dict)], "block_id", "/blocks")


def check_message(blocks: Any) -> None:
    """Raises Refusal: invalid_blocks, or msg_blocks_too_long where the markdown is too much."""
    wrong = list(problems(blocks, 50, VIEW_ONLY))
    known = found_in({"blocks": blocks}, "blocks")
    written = sum(len(str(block.get("text", ""))) for block in known if block.get("type") == "markdown")
    if written > MOST_MARKDOWN:
        raise Refusal("msg_blocks_too_long")
    if sum(block.get("type") == "table" for block in known) > 1:
        wrong.append("only_one_table_allowed [json-pointer:/blocks]")
    if wrong:
        raise invalid(*wrong, error="invalid_blocks")
    if written and sum(map(_weight, blocks)) > MOST_PAYLOAD:
        raise Refusal("msg_blocks_too_long")


def _weight(node: Any) -> int:
    if isinstance(node, dict):
        return sum(map(_weight, node.values()))
    if isinstance(node, list):
        return sum(map(_weight, node))
    return len(node) if isinstance(node, str) else 0


def check_view(view: Json, kind: str) -> None:
    """Raises Refusal invalid_arguments. `kind` is modal or home."""
    wrong = list(problems(view.get("blocks"), 100, MESSAGE_ONLY))
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
    if wrong:
        raise invalid(*wrong)


def filled(blocks: list[Json], fresh: Callable[[str], str]) -> list[Json]:
    """The blocks as Slack keeps them: each has a block_id, and what can be pressed has an action_id."""
    return [_filled(block, fresh) for block in blocks]


def _filled(block: Json, fresh: Callable[[str], str]) -> Json:
    out = {**block, "block_id": block.get("block_id") or fresh("b")}
    if block["type"] in ("actions", "context_actions"):
        out["elements"] = [_named(each, fresh) for each in block["elements"]]
    for key in ("accessory", "element"):
        if isinstance(block.get(key), dict):
            out[key] = _named(block[key], fresh)
    for key, inner in (("child_blocks", _filled), ("actions", _named)):
        if isinstance(block.get(key), list):
            out[key] = [inner(each, fresh) for each in block[key]]
    if block["type"] == "carousel":
        out["elements"] = [_filled(each, fresh) for each in block["elements"]]
    return out


def _named(node: Json, fresh: Callable[[str], str]) -> Json:
    return node if "action_id" in node or node.get("type") == "image" else {**node, "action_id": fresh("a")}
