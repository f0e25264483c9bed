"""A trial set says what is wrong with it, and what an answer lacks."""

import pytest

from bot.errors import ConfigError
from bot.examples import Example, parse

GOOD = "- name: greets\n  prompt: Say hello to Ana.\n  good: Greets Ana.\n  has: ['hello|hi', Ana]\n  lacks: goodbye\n  most: 40\n"


def told(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse("greeter", text)
    return str(caught.value)


def test_a_good_set_is_a_list_of_examples() -> None:
    assert parse("greeter", GOOD) == (
        Example(name="greets", prompt="Say hello to Ana.", good=("Greets Ana.",), has=("hello|hi", "Ana"), lacks=("goodbye",), most=40),
    )


@pytest.mark.parametrize(
    ("answer", "missed"),
    [
        ("Hello, ana!", []),
        ("Good day.", ["does not say 'hello|hi'", "does not say 'Ana'"]),
        ("Hi Ana, and Goodbye.", ["says 'goodbye'"]),
        ("Hello Ana" + "!" * 40, ["has 49 characters, and may have 40"]),
    ],
    ids=["good", "lacks", "has", "long"],
)
def test_an_answer_is_told_what_it_misses(answer: str, missed: list[str]) -> None:
    [example] = parse("greeter", GOOD)

    assert example.missed(answer) == missed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "agents/greeter.trial.yaml: it has to be a list"),
        ("name: x", "it has to be a list"),
        ("- [", "this is no YAML"),
        ("- hello", "example 1: has to be keys and values"),
        (GOOD.replace("good", "god"), "example 1: god: unknown key; did you mean 'good'?"),
        ("- name: x\n  prompt: y", "example 1: good: is missing"),
        (GOOD.replace("Ana]", "'(']"), "example 1: has: '(' is no regular expression"),
        (GOOD.replace("40", "0"), "example 1: most: "),
        (GOOD * 2, "two examples are called 'greets'; rename one"),
    ],
    ids=["empty", "no list", "no yaml", "words", "key", "missing", "pattern", "most", "twice"],
)
def test_a_mistake_is_told_with_its_place(text: str, words: str) -> None:
    assert words in told(text)


def test_all_mistakes_are_told_at_once() -> None:
    assert [line.partition(": ")[2] for line in told("- {name: a, prompt: b}\n- {name: c, prompt: d}").splitlines()] == [
        "example 1: good: is missing", "example 2: good: is missing"
    ]  # fmt: skip
