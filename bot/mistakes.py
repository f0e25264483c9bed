"""What is wrong with an agent's file, for whoever knows neither YAML nor Python."""

import re

from pydantic_core import ErrorDetails

CURLY = re.compile("[“”„‘’]")
REMEDIES = {
    "mapping values are not allowed": "put the text in quotes, since it has a colon in it",
    r"found character '\t'": "begin lines with spaces, not tabs",
    "found character '@'": "put it in quotes",
    "found character '`'": "put it in quotes",
    "but got '?'": "put the text in quotes, since it has a question mark in it",
    "while parsing a flow node": 'put what begins with # in quotes, like ["#reviews"]',
    "while scanning an alias": 'put the * in quotes, like ["*"]',
}
KINDS = dict.fromkeys(("tuple_type", "list_type"), "has to be a list: begin each line with `- `") | dict.fromkeys(
    ("dict_type", "model_type", "model_attributes_type"), "has to be keys and values, like `key: value`, each in a line of its own"
)


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
    said = KINDS.get(wrong["type"]) or wrong["msg"].removeprefix("Value error, ")
    curly = '; use straight quotes (")' if CURLY.search(f"{got} {said}") else ""
    return said + (f" (it is {got!r})" if not isinstance(got, dict | list) else "") + curly
