"""A template is read without computing anything; what an agent is told by may do little, so that no file takes for ever."""

import pytest
from jinja2 import TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from bot import trigger
from bot.agent import parse
from bot.errors import ConfigError
from bot.template import names, read

HEAD = "---\ndescription: x\nruntime: echo\n---\n"
TEMPLATES = SandboxedEnvironment()


@pytest.mark.parametrize(
    "body",
    [
        "{{ person.name }} asks in {{ channel.name }} on {{ date | default('a day') | upper }}.",
        "{% if person.id in ['U1', 'U2'] and not channel.name == 'x' %}You know them.{% elif date is defined %}…{% else %}!{% endif %}",
        "{{ 'Dr.' if person.id == 'U1' else person.name }}{# who asks #}",
        "{% raw %}{% for each in ever %}{% endraw %}",
    ],
)
def test_what_files_need_a_template_may_do(body: str) -> None:
    assert parse("helper", HEAD + body).instructions == body


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "a loop"),
        ("{{ ('x' * 99999999999) | length }}", "arithmetic"),
        ("{{ 9 ** 99999999999 }}", "arithmetic"),
        ("{{ '%99999999999d' % 1 }}", "arithmetic"),
        ("{{ person.name ~ person.name }}", "concatenation"),
        ("{{ person.name.center(99999999999) }}", "a call"),
        ("{{ person.name | center(99999999999) }}", "the filter center"),
        ("{{ person.name | replace('', 'xxxxxxxxxx') }}", "the filter replace"),
        ("{% macro a() %}{{ a() }}{% endmacro %}", "a macro"),
        ("{% set a = person %}", "“assign”"),
        ("{% include 'x' %}", "“include”"),
    ],
)
def test_what_could_take_for_ever_or_grow_without_end_is_refused_with_its_line(body: str, what: str) -> None:
    with pytest.raises(ConfigError, match=r"^agents/helper\.md: the text below the front matter is no template: ") as caught:
        parse("helper", f"{HEAD}Hello.\n{body}")

    assert what in str(caught.value)
    assert "is more than it may have, which is names, if, tests, comparisons, and the filters default, lower" in str(caught.value)
    assert str(caught.value).endswith(", in line 6")


@pytest.mark.parametrize("text", ["{{ " + "(" * 5000, "{{ " + "9" * 5000 + " }}", "{% if a %}" * 3000])
def test_what_is_nested_without_end_is_told(text: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="nested too deeply, or has too long a number"):
        read(TEMPLATES, text)


@pytest.mark.parametrize("where", ["prompt: \"{{ 'x' | upper }}\"", "prompt: Look., filter: \"'x' | upper\""])
def test_nothing_of_a_webhook_is_computed_when_its_file_is_read(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = list[str]()
    monkeypatch.setitem(trigger.TEMPLATES.filters, "upper", lambda text: computed.append(text) or text)
    hook = f"{{webhook: {{source: generic, secret: $HOOK, post_to: C12, {where}}}}}"

    parse("helper", HEAD.replace("runtime: echo\n", f"runtime: echo\ntriggers: [{hook}]\n"))

    assert computed == []


def test_a_template_speaks_of_what_it_does_not_name_itself() -> None:
    text = "{% set a = b %}{% for c in d %}{{ c.e }}{{ loop.index }}{% endfor %}{% macro f(g) %}{{ g }}{% endmacro %}{{ f(a) }}"

    assert names(read(TEMPLATES, text)) == {"b", "d"}
