"""What an ACP agent's calls and errors are in words for people. Pure."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from bot.event import StepKind
from bot.runtimes.claude_words import first, marked, rest
from bot.runtimes.claude_words import short as short

Call = Mapping[str, Any]
KINDS: dict[str, StepKind] = {
    "read": "read", "edit": "edit", "delete": "edit", "move": "edit", "search": "search", "execute": "execute",
    "think": "think", "fetch": "fetch",
}  # fmt: skip
ASKING = {"execute": "Run this command?", "edit": "Change this file?", "read": "Read this file?", "fetch": "Fetch this page?"}
LONG = 80
FEW = 5  # names that are told where there are more
LOGIN = -32000  # https://agentclientprotocol.com/protocol/initialization
KEYED = re.compile(r"api[-_]?key", re.IGNORECASE)  # in the id of a way to log in that needs nobody
KEYLESS = re.compile(r"\b40[13]\b")
UNKNOWN = re.compile(r"\b404\b|\bmodel\b.*\bnot (exist|found)\b", re.DOTALL | re.IGNORECASE)
UNREACHED = re.compile(r"\bconnection (error|refused|failed)\b|\bECONNREFUSED\b|\bENOTFOUND\b", re.IGNORECASE)
WRAPPED = re.compile(r"Internal error:\s*", re.IGNORECASE)


def kind(call: Call) -> StepKind:
    return KINDS.get(str(call.get("kind")), "other")


def title(call: Call, folder: Path) -> str:
    """A step in a few words."""
    text = first(str(call.get("title") or call.get("kind") or "a tool")).replace(f"{folder}/", "")
    if kind(call) != "execute":
        return short(text, LONG)
    return short(f"Run: {text.removeprefix('terminal: ')}", LONG)


def detail(call: Call) -> str:
    """The command, where it is one; why it failed, where it did."""
    if call.get("status") == "failed" and (said := "\n".join(contents(call)).strip("`\n ")):
        return short("\n".join(said.splitlines()[:4]), 300)
    return command(call) if kind(call) == "execute" else ""


def command(call: Call) -> str:
    given = call.get("rawInput")
    match given.get("command") if isinstance(given, dict) else None:
        case str(text):
            return text
        case list() as words:
            return shlex.join(map(str, words))
        case _:
            return ""


def question(call: Call) -> str:
    """What a person is asked before this is done."""
    return ASKING.get(str(call.get("kind")), f"Allow this: {short(first(str(call.get('title') or 'use a tool')), LONG)}?")


def lasting(name: str) -> str:
    """What lasts is not for us to say."""
    return f"“{short(name, LONG)}”, as far as the agent itself takes that; in the next turn it may ask again"


def exact(call: Call) -> str:
    """All that would be done, nothing left out: a person decides by this alone."""
    given = call.get("rawInput")
    if text := command(call):
        return text + rest(cast(Call, given), "command", "description")
    if given:
        return pretty(given)
    places = [str(place.get("path", "")) for place in call.get("locations") or () if isinstance(place, dict)]
    return "\n".join(dict.fromkeys([str(call.get("title") or ""), *places, *contents(call)])).strip()


def contents(call: Call) -> Iterator[str]:
    """What a call shows: words, and changes to files."""
    for item in call.get("content") or ():
        match item:
            case {"type": "content", "content": {"text": str(text)}}:
                yield text
            case {"type": "diff", "path": str(path), "newText": str(new)}:
                yield "\n".join([path, "", *marked("-", str(item.get("oldText") or "")), *marked("+", new)])


def failure(name: str, message: str, data: Any, file: str) -> str:
    """Why the agent could not go on. `data` is what it added: often the only place where the reason stands."""
    more = data if isinstance(data, str) else next((str(data[key]) for key in ("details", "message", "error") if data.get(key)), "") \
        if isinstance(data, dict) else ""  # fmt: skip
    said = WRAPPED.sub("", message).strip()
    words = ". ".join(dict.fromkeys(word for word in (said if said != "Internal error" else "", more) if word))
    told = short(words or message, 300)
    return f"{name} could not go on{remedy(told, file)}: {told}"


def remedy(said: str, file: str) -> str:
    """What helps, where the model's provider said no: agents hand on its words, and no more."""
    if KEYLESS.search(said):
        key = f"Put a valid one into frontdesk's environment, and name it under `environment:` in {file}"
        return f", as the model's provider did not accept the key. {key}. It said"
    if UNKNOWN.search(said):
        return f", as the model's provider does not know what it was asked, mostly the model; correct `model:` in {file}. It said"
    if UNREACHED.search(said):
        return ", as it does not reach the model's provider. Look at the network, and at that provider's address. It said"
    return ""


def offered(wanted: str, there: list[str]) -> str:
    """What an agent lets people choose from: the nearest, where they are many."""
    if len(there) <= FEW:
        return f"There are: {', '.join(there) or 'none that it tells'}"
    return f"There are {len(there)}; the nearest: {', '.join(get_close_matches(wanted, there, FEW, 0))}"


def login(name: str, file: str, ways: list[str]) -> str:
    known = f" It knows these ways: {', '.join(ways)}." if ways else ""
    return (
        f"{name} asks to log in. Put its key into frontdesk's environment and name it under `environment:` in {file}, "
        f"or log in where it runs.{known}"
    )


def pretty(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given, indent=2, ensure_ascii=False)
