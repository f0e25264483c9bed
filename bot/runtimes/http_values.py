"""What a profile writes where a value belongs: a template, a JSONPath, or the value itself."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote

import jsonpath
from jinja2 import ChainableUndefined, TemplateSyntaxError, Undefined, nodes
from jinja2.environment import TemplateExpression
from jinja2.exceptions import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from bot import template

Scope = Mapping[str, Any]
PATH = re.compile(r"\$($|[.\[])")


class Plain(str):
    """Goes into an address as it is."""


def _shown(value: Any) -> Any:
    return "" if value is None else value


def _quoted(value: Any) -> str:
    return str(value) if isinstance(value, Plain) else quote(str(_shown(value)), safe="")


TEMPLATES = SandboxedEnvironment(undefined=ChainableUndefined, finalize=_shown, keep_trailing_newline=True)
ADDRESSES = SandboxedEnvironment(undefined=ChainableUndefined, finalize=_quoted)
for _environment in (TEMPLATES, ADDRESSES):
    _environment.filters["as_is"] = Plain
TEMPLATES.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)


def plain(text: str) -> bool:
    """Whether it stands for nothing but itself."""
    return not PATH.match(text) and "{{" not in text and "{%" not in text


def find(value: Any, data: Any, scope: Scope) -> Any:
    """What a value of a profile stands for. What is not there is None, and left out of objects and lists."""
    match value:
        case str() if PATH.match(value):
            found = [] if isinstance(data, str) else _path(value).findall(data)  # the library takes text for JSON
            return found if len(found) > 1 else next(iter(found), None)
        case str() if not plain(value):
            return judge(whole, scope) if (whole := _whole(value)) else _template(value).render(scope)
        case dict():
            return {key: one for key, each in value.items() if (one := find(each, data, scope)) is not None}
        case list():
            return [one for each in value if (one := find(each, data, scope)) is not None]
        case _:
            return value


def words(value: Any, data: Any, scope: Scope) -> str:
    """The same as text: pieces are put together, and what is no text is written as JSON."""
    found = find(value, data, scope)
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return "".join(found)
    return found if isinstance(found, str) else "" if found is None else json.dumps(found, ensure_ascii=False)


def every(path: str, data: Any) -> list[Any]:
    return list(_path(path).findall(data))


def judge(expression: str, scope: Scope) -> Any:
    found = _expression(expression)(**scope)
    return None if isinstance(found, Undefined) else found


def address(text: str, scope: Scope) -> str:
    """A path with its variables filled in: what they hold stays one step of it."""
    return str(_address(text).render(scope))


def check(value: Any, known: set[str], where: str) -> Iterator[str]:
    """What is wrong with a value, in words; `known` are the names that it may use."""
    match value:
        case dict():
            for key, each in value.items():
                yield from check(each, known, f"{where}.{key}")
        case list():
            for number, each in enumerate(value):
                yield from check(each, known, f"{where}.{number}")
        case str():
            yield from _check(value, known, where)


def _check(text: str, known: set[str], where: str) -> Iterator[str]:
    if PATH.match(text):
        try:
            _path(text)
        except jsonpath.JSONPathError as error:
            yield f"{where}: {text!r} is no JSONPath: {error}"
        return
    try:
        unknown = template.names(template.read(TEMPLATES, text)) - known
    except TemplateSyntaxError as error:
        yield f"{where}: this is no template: {error.message}"
        return
    if unknown:
        yield f"{where}: nothing is called {min(unknown)!r}; there are {', '.join(sorted(known))}"


@cache
def _path(text: str) -> jsonpath.CompoundJSONPath | jsonpath.JSONPath:
    return jsonpath.compile(text)


@cache
def _whole(text: str) -> str:
    """The expression, where the template is nothing else: what it gives then stays what it is, be that a number or an object."""
    match TEMPLATES.parse(text).body:
        case [nodes.Output(nodes=[node])] if not isinstance(node, nodes.TemplateData):
            return text[2:-2]
    return ""


@cache
def _template(text: str) -> Any:
    return TEMPLATES.from_string(text)


@cache
def _address(text: str) -> Any:
    return ADDRESSES.from_string(text)


@cache
def _expression(text: str) -> TemplateExpression:
    return TEMPLATES.compile_expression(text, undefined_to_none=True)


Wrong = TemplateError
"""What a template raises that cannot be filled in."""
