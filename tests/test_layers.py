"""The shape of the code: who imports whom, where each SDK lives, and how large things may be."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bot

ROOT = Path(__file__).parents[1]
BOT, TESTS = ROOT / "bot", ROOT / "tests"
FILES = sorted(BOT.rglob("*.py"))
ORDER = [
    {"template"},
    {"errors", "clock", "ending", "journal", "mistakes", "nofollow", "processes", "trigger"},
    {"bell", "breaker", "net", "sandbox", "scratch", "fired"}, {"message", "plan"}, {"event"}, {"session", "spoken", "past"},
    {"agent", "found"}, {"route", "policy", "prompt", "words", "examples"}, {"change", "draft"}, {"ports", "line", "timetable"}, {"inbox"},
    {"questions", "compare", "aid"}, {"report"}, {"turn", "dispatch", "settings", "glance"}, {"logs"},
]  # fmt: skip
JOIN = {"app", "cli", "library", "__main__"}
HOMES = {
    "slack_sdk": ("slack/",),
    "slack_bolt": ("slack/",),
    "sqlalchemy": ("store/",),
    "alembic": ("store/",),
    "procrastinate": ("engine/procrastinate.py",),
    "psycopg": ("engine/procrastinate.py",),
    "watchfiles": ("store/files.py",),
    "prometheus_client": ("ops/metrics.py",),
    "opentelemetry": ("ops/traces.py",),
    "claude_agent_sdk": ("runtimes/claude_",),
    "a2a": ("runtimes/a2a",),
    "mcp": ("tools/server.py",),
    "uvicorn": ("tools/server.py",),
    "starlette": ("tools/server.py",),
    "acp": ("runtimes/acp",),
    "langgraph_sdk": ("runtimes/langgraph_line.py",),
    "anthropic": ("runtimes/managed_agents_line.py",),
    "openai": ("runtimes/responses_line.py",),
    "httpx2": ("runtimes/sdk_wire.py",),
    "google": ("runtimes/http_google.py", "runtimes/a2a"),
    "aiobotocore": ("runtimes/agentcore_signed.py",),
    "botocore": ("runtimes/agentcore_signed.py",),
    "kubernetes_asyncio": ("runtimes/kubernetes_line.py",),
    "jsonpath": ("runtimes/http_values.py",),
    "matplotlib": ("improve/plot.py",),
}
CODE = [pytest.param(file, id=str(file.relative_to(ROOT))) for file in [*FILES, *sorted(TESTS.rglob("*.py"))]]
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.Match)
PLAIN = (ast.With, ast.AsyncWith)  # these only hold something open
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports, in full: bot.slack.view, yaml …"""
    package = list(file.relative_to(ROOT).parts[:-1])
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names) if module == "bot" else [module]


def place(module: str) -> str:
    """The file or folder of bot/ that a module belongs to; empty for modules of others."""
    parts = module.split(".")
    return parts[1] if parts[0] == "bot" and len(parts) > 1 else ""


def folder(file: Path) -> str:
    parts = file.relative_to(BOT).parts
    return parts[0] if len(parts) > 1 else ""


def rank(name: str) -> int:
    return next(level for level, names in enumerate(ORDER) if name in names)


def test_the_inside_imports_only_leftwards_and_never_the_rim() -> None:
    inside = [file for file in FILES if not folder(file) and file.stem not in JOIN | {"__init__"}]

    wrong = [
        f"{file.stem} imports {name}"
        for file in inside
        for name in filter(None, map(place, imported(file)))
        if all(name not in names for names in ORDER) or rank(name) >= rank(file.stem)
    ]

    assert not wrong


def test_a_folder_imports_no_other_folder_and_nothing_that_joins_them() -> None:
    wrong = [
        f"{file.relative_to(BOT)} imports {name}"
        for file in FILES
        if (home := folder(file)) not in {"", *JOIN}
        for name in filter(None, map(place, imported(file)))
        if name != home and (name in JOIN or (BOT / name).is_dir())
    ]

    assert not wrong


def test_what_is_put_together_knows_nothing_of_the_commands() -> None:
    wrong = [file.name for file in (BOT / "app").glob("*.py") for name in map(place, imported(file)) if name in {"cli", "library"}]

    assert not wrong


def test_each_sdk_has_one_home() -> None:
    wrong = [
        f"{path} imports {module}"
        for file in FILES
        for module in imported(file)
        if (homes := HOMES.get(module.partition(".")[0])) and not (path := file.relative_to(BOT).as_posix()).startswith(homes)
    ]

    assert not wrong


def test_imports_stand_at_the_top() -> None:
    wrong = [
        f"{file.relative_to(BOT)}:{node.lineno}"
        for file in FILES
        for function in ast.walk(tree(file))
        if isinstance(function, FUNCTIONS)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert not wrong


def test_only_the_settings_read_the_environment() -> None:
    environment = re.compile(r"\bos\.(environ|getenv)|from os import .*(environ|getenv)")

    readers = [file.relative_to(BOT).as_posix() for file in FILES if environment.search(file.read_text("utf-8"))]

    assert readers == ["settings.py"]


def test_only_the_heart_catches_everything() -> None:
    def everything(kind: ast.expr | None) -> bool:
        names = kind.elts if isinstance(kind, ast.Tuple) else [kind]
        return any(name is None or (isinstance(name, ast.Name) and name.id in ("Exception", "BaseException")) for name in names)

    catchers = [
        file.relative_to(BOT).as_posix()
        for file in FILES
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ExceptHandler) and everything(node.type)
    ]

    assert catchers == ["turn.py"]


def test_no_test_replaces_what_it_tests() -> None:
    wrong = [file.name for file in TESTS.rglob("*.py") if any("mock" in module for module in imported(file))]

    assert not wrong


@pytest.mark.parametrize("file", CODE)
def test_files_are_short(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= (300 if file.is_relative_to(BOT) else 600)


@pytest.mark.parametrize("file", CODE)
def test_functions_are_short_and_flat(file: Path) -> None:
    functions = [node for node in ast.walk(tree(file)) if isinstance(node, FUNCTIONS) and node.name not in ("upgrade", "downgrade")]

    long = [function.name for function in functions if (function.end_lineno or 0) - function.lineno >= 50]
    deep = [function.name for function in functions if depth(function.body) > 3]

    assert not long
    assert not deep


def depth(body: list[ast.stmt]) -> int:
    """How many blocks stand within one another. An elif is no deeper than its if."""
    deepest = 0
    for node in body:
        if isinstance(node, BLOCKS + PLAIN):
            inner = max((depth(block) for block in within(node)), default=0)
            deepest = max(deepest, inner + isinstance(node, BLOCKS))
    return deepest


def within(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    if isinstance(node, ast.Match):
        yield from (case.body for case in node.cases)
        return
    for name in ("body", "orelse", "finalbody"):
        inner = getattr(node, name, [])
        while name == "orelse" and len(inner) == 1 and isinstance(inner[0], ast.If):
            yield inner[0].body
            inner = inner[0].orelse
        yield inner
    yield from (handler.body for handler in getattr(node, "handlers", []))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_module_begins_with_one_line_that_says_what_it_is(file: Path) -> None:
    module = tree(file)

    assert ast.get_docstring(module) or not module.body


def test_the_map_names_every_module() -> None:
    maps = [bot.__doc__ or "", *(ast.get_docstring(tree(folder)) or "" for folder in BOT.glob("*/__init__.py"))]
    written = re.findall(r"^(\S+\.py)\s+\S", "\n".join(maps), re.MULTILINE)

    there = [file.relative_to(BOT).as_posix() for file in FILES]
    modules = [path for path in there if (BOT / path).stat().st_size and path != "__init__.py" and "/versions/" not in path]

    assert sorted(written) == sorted(modules)
