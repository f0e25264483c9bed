"""The pieces that A2A messages and artifacts are made of, read as text, tools, questions, files and figures."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from a2a.types import Message
from a2a.types import Part as Piece
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]

from bot.event import Option, Part, Usage

GIVEN = ("input_tokens", "inputTokens", "prompt_tokens", "promptTokens", "promptTokenCount")
MADE = ("output_tokens", "outputTokens", "completion_tokens", "completionTokens", "candidatesTokenCount")
CACHED = ("cached_tokens", "cachedTokens", "cache_read_input_tokens", "cachedContentTokenCount")
COSTS = ("usd", "cost_usd", "costUsd", "total_cost_usd")


def part_of(id: str, data: Mapping[str, Any], words: str) -> Part:
    listed = data.get("options")
    options = [_option(option) for option in listed] if isinstance(listed, list) else []
    text = str(data.get("question") or words or "The agent needs an answer, and did not say to what.")
    multi = bool(data.get("multi") or data.get("multiSelect"))
    return Part(id, text, tuple(option for option in options if option.label), str(data.get("header") or ""), multi, free_text=True)


def _option(option: Any) -> Option:
    if isinstance(option, dict):
        return Option(str(option.get("label") or option.get("value") or ""), str(option.get("description") or ""))
    return Option(str(option))


def said(pieces: Iterable[Piece], between: str = "") -> str:
    """The words of a message or an artifact; data that is no tool call as a block of JSON."""
    words = []
    for piece in pieces:
        match piece.WhichOneof("content"):
            case "text":
                words.append(piece.text)
            case "data" if not tool(data := plain(piece.data)):
                words.append(f"\n```json\n{json.dumps(data, indent=2, ensure_ascii=False)}\n```\n")
    return between.join(words)


def tool(data: Any) -> str:
    """The name of the tool that this data is a call of, or the result; "" if it is neither."""
    if not isinstance(data, dict):
        return ""
    name = data.get("tool") or (data.get("name") if {"args", "arguments", "input", "response"} & data.keys() else "")
    return name if isinstance(name, str) else ""


def usage(*metadata: Any) -> Iterator[Usage]:
    """What the work has cost, where metadata says it under a key like "usage" in one of the names that are around."""
    for key, figures in ((key, figures) for one in metadata for key, figures in plain(one).items()):
        if "usage" not in key.lower() or not isinstance(figures, dict):
            continue
        given, made, cached = (int(_figure(figures, names)) for names in (GIVEN, MADE, CACHED))
        if given or made or _figure(figures, COSTS):
            yield Usage(given, made, cached, _figure(figures, COSTS))
            return


def _figure(figures: Mapping[str, Any], names: Iterable[str]) -> float:
    found = next((figures[name] for name in names if name in figures), 0)
    return float(found) if isinstance(found, int | float) and 0 <= found < 1e12 else 0.0


def plain(value: Any) -> Any:
    """A protobuf Value or Struct as Python's own, with the whole numbers that JSON had."""
    return _whole(MessageToDict(value))


def _whole(value: Any) -> Any:
    match value:
        case dict():
            return {key: _whole(one) for key, one in value.items()}
        case list():
            return [_whole(one) for one in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 100 else words[:99].rstrip() + "…"


def written(data: Any) -> str:
    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)


def safe(name: str) -> str:
    """A name that stays in its folder, whatever the agent called the file."""
    bare = re.sub(r"[^\w.() +,=@-]", "_", re.split(r"[/\\]", name)[-1]).strip(" .")
    stem, dot, suffix = bare.rpartition(".")
    return (f"{stem[:80]}{dot}{suffix[:15]}" if stem else bare[:80]) or "file"


def keep(folder: Path, name: str, content: bytes) -> Path:
    """Write the file, beside one of the same name if that says something else; writing it twice is harmless."""
    folder.mkdir(parents=True, exist_ok=True)
    path, number = folder / name, 1
    while path.exists() and path.read_bytes() != content:
        number += 1
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    if not path.exists():
        path.write_bytes(content)
    return path


def thinks(one: Message | Piece) -> bool:
    if not one.HasField("metadata"):
        return False
    metadata = plain(one.metadata)
    return metadata.get("kind") == "thought" or any(key.endswith("thought") and value is True for key, value in metadata.items())


def mark_of(key: str, piece: Piece) -> int:
    return hash((key, piece.filename, piece.url or piece.raw))


def partial(*metadata: Any) -> bool:
    """Whether these words are only the next piece of a message, as ADK (and kagent with it) marks them."""
    return any(key.endswith("adk_partial") and value is True for one in metadata for key, value in plain(one).items())
