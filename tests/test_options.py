"""docs/options.md has every option of every runtime; this file writes it: python -m tests.test_options."""

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.runtimes import RUNTIMES, Nothing
from bot.runtimes.home import USUAL
from bot.runtimes.home import Options as Local

FILE = Path(__file__).parents[1] / "docs" / "options.md"
HEAD = f"""# Options of each runtime

What may stand under `options:` in an agent's file, as the code has it; `make options` writes this page. What the runtimes are says
[runtimes](runtimes.md), what those of platforms need says [platforms](platforms.md).

A harness on this machine is looked for in the `PATH` that `environment:` in the agent's file names, else in
`{USUAL["PATH"]}`, else in Frontdesk's own. What it calls in turn is looked for in
the first of these two only: name `PATH` under `environment:` to give it Frontdesk's.
"""


def model_of(runtime: str) -> type[BaseModel]:
    module, _, name = RUNTIMES[runtime].partition(":")
    found: type[BaseModel] = getattr(getattr(import_module(module), name), "Options", Nothing)
    return found


def said(model: type[BaseModel]) -> dict[str, str]:
    """What the line below each field says of it."""
    words: dict[str, str] = {}
    for cls in reversed([cls for cls in model.__mro__ if issubclass(cls, BaseModel) and cls is not BaseModel]):
        [body] = [node.body for node in ast.parse(dedent(inspect.getsource(cls))).body if isinstance(node, ast.ClassDef)]
        for field, line in pairwise(body):
            match field, line:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    words[name] = " ".join(text.split())
    return words


def default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True)
    if field.is_required():
        return "needed"
    if value is None or value == "" or isinstance(value, BaseModel) or (isinstance(value, list | tuple | dict) and not value):
        return ""
    shown = list(value) if isinstance(value, tuple) else value
    return f"`{str(shown).lower() if isinstance(shown, bool) else shown}`"


def rows(model: type[BaseModel], left: set[str]) -> Iterator[str]:
    words = said(model)
    for name, field in model.model_fields.items():
        if name not in left:
            yield f"| `{field.alias or name}` | {default(field)} | {words.get(name, '').replace('|', '/')} |"


def table(title: str, told: str, model: type[BaseModel], left: set[str]) -> str:
    found = list(rows(model, left))
    lines = ["| option | by default | what it says |", "|---|---|---|", *found] if found else []
    return "\n".join([f"\n## {title}\n", *([told, ""] if told else []), *lines]).rstrip() + "\n"


def page() -> str:
    common = set(Local.model_fields)
    tables = [table("Every harness on this machine", "", Local, set())]
    for runtime in RUNTIMES:
        model = model_of(runtime)
        inherits = issubclass(model, Local)
        told = "Those of every harness on this machine, and:" if inherits else "" if model.model_fields else "It has none."
        tables.append(table(f"`{runtime}`", told, model, common if inherits else set()))
    return HEAD + "".join(tables)


def test_the_page_of_options_is_what_the_code_says() -> None:
    assert FILE.read_text("utf-8") == page(), "write it with: make options"


def test_every_option_of_every_runtime_is_explained() -> None:
    models = map(model_of, RUNTIMES)

    assert not [f"{model.__module__}: {name}" for model in models for name in model.model_fields.keys() - said(model).keys()]


if __name__ == "__main__":
    FILE.write_text(page(), "utf-8")
