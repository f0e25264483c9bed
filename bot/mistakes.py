"""What is wrong with an agent's file, for whoever knows neither YAML nor Python."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

CURLY = re.compile("[“”„‘’]")
REMEDIES = {
    "mapping values are not allowed": "put a text that has a colon in it in quotes, and begin keys that belong together in one column",
    "stands here twice": "the first would not count: make one of them",
    "stands for something else": "write that out, or put a text that begins with * in quotes",
    r"found character '\t'": "begin lines with spaces, not tabs",
    "found character '@'": "put it in quotes",
    "found character '`'": "put it in quotes",
    "but got '?'": "put the text in quotes, since it has a question mark in it",
    "while parsing a flow node": 'put what begins with # in quotes, like ["#reviews"]',
    "while scanning an alias": 'put the * in quotes, like ["*"]',
}
MEANT = {
    "has to be a list: begin each line with `- `": ("tuple_type", "list_type"),
    "has to be keys and values, like `key: value`, each in a line of its own": ("dict_type", "model_type", "model_attributes_type"),
    "has to be a text: put it in quotes": ("string_type",),
    "has to be true or false": ("bool_type", "bool_parsing"),
    "has to be a whole number": ("int_type", "int_parsing", "int_from_float"),
    "has to be a number": ("float_type", "float_parsing"),
}
KINDS = {kind: words for words, kinds in MEANT.items() for kind in kinds}


class Once(yaml.SafeLoader):
    """YAML in which no key stands twice, of which the first would be lost without a word; and no word stands for what is written
    elsewhere, by which a few lines become more than there is room for."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=f"*{event.anchor} stands for something else", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} stands here twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return node


def read(text: str) -> Any:
    """YAML as people write it. Raises what safe_load does."""
    return yaml.load(text, Once)


def remedy(yaml: str) -> str:
    """What to do about what YAML complains of, to be put behind it."""
    return "".join(f"; {words}" for sign, words in REMEDIES.items() if sign in yaml)


def words(wrong: ErrorDetails) -> str:
    """What is wrong with one value."""
    got = wrong["input"]
    if wrong["type"] == "missing":
        return "is missing"
    if got in (None, ""):
        return "is empty (a text that begins with # has to be in quotes)"
    said = KINDS.get(wrong["type"]) or wrong["msg"].removeprefix("Value error, ").replace("Input should be", "has to be")
    curly = '; use straight quotes (")' if CURLY.search(f"{got} {said}") else ""
    secret = re.search("not belong in|never what it holds", said)  # a password, a key or a token
    return said + ("" if secret or isinstance(got, dict | list) else f" (it is {got!r})") + curly


def explain(error: ValidationError, model: type[BaseModel], under: str = "") -> Iterable[str]:
    """Each mistake in one line: where it is, what is wrong, and for an unknown key the nearest right one. `under` is where."""
    for wrong in error.errors():
        where = ".".join(str(step) for step in (under, *wrong["loc"]) if step != "")
        if wrong["type"] == "extra_forbidden":
            key, keys = str(wrong["loc"][-1]), list(_keys(model, wrong["loc"][:-1]))
            near = get_close_matches(key, keys, 1, 0.5)
            yield f"{where}: unknown key; " + (f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(keys))}")
        else:
            yield f"{where}: {words(wrong)}".removeprefix(": ")


def _keys(model: type[BaseModel], path: tuple[int | str, ...]) -> Iterable[str]:
    """The keys that a file may have at this path of the model."""
    for step in path:
        field = model.model_fields.get(str(step))
        if field is None:
            continue
        inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)), model)
    return (key for key in model.model_fields if key not in getattr(model, "hidden", ()))
