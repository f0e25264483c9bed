"""A trial set: what is asked of an agent to try it, and by what a good answer is known. It stands beside the agent's file."""

import re
from collections import Counter

import yaml
from pydantic import Field, ValidationError, field_validator

from bot import mistakes
from bot.agent import explain
from bot.errors import ConfigError
from bot.trigger import Strict


class Example(Strict):
    """One thing to ask. `good` and `bad` say in words what an answer has to have and must not have, for whoever reads it;
    `has` and `lacks` are regular expressions that it has to match somewhere or must not, in any case; `most` is how many characters
    it may have.
    """

    name: str = Field(min_length=1, max_length=80)
    prompt: str = Field(min_length=1)
    good: tuple[str, ...] = Field(min_length=1)
    bad: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    most: int | None = Field(default=None, gt=0)

    @field_validator("good", "bad", "has", "lacks", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("has", "lacks")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return patterns

    def missed(self, answer: str) -> list[str]:
        """Each check that this answer does not pass, in words; a person or a judge looks at the rest."""
        found = [f"does not say {pattern!r}" for pattern in self.has if not _in(pattern, answer)]
        found += [f"says {pattern!r}" for pattern in self.lacks if _in(pattern, answer)]
        found += [f"has {len(answer)} characters, and may have {self.most}"] if self.most and len(answer) > self.most else []
        return found


def parse(name: str, text: str) -> tuple[Example, ...]:
    """The trial set of the agent of this name. Raises ConfigError, which names the file, the example and the nearest right key."""
    file = f"agents/{name}.trial.yaml"
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = " ".join(str(error).split()).replace('in "<unicode string>", line', "in line")
        raise ConfigError(f"{file}: this is no YAML: {where}{mistakes.remedy(where)}") from error
    if not isinstance(found, list) or not found:
        raise ConfigError(f"{file}: it has to be a list: each example begins with `- name: …`, and has a `prompt:` and what is `good:`")
    read = [_read(file, number, one) for number, one in enumerate(found, 1)]
    examples = tuple(one for one in read if isinstance(one, Example))
    twice = [name for name, count in Counter(example.name for example in examples).items() if count > 1]
    problems = [one for one in read if isinstance(one, str)] + [f"{file}: two examples are called {name!r}; rename one" for name in twice]
    if problems:
        raise ConfigError("\n".join(problems))
    return examples


def _read(file: str, number: int, one: object) -> Example | str:
    """The example, or what is wrong with it."""
    try:
        return Example.model_validate(one)
    except ValidationError as error:
        return "\n".join(f"{file}: example {number}: {line.removeprefix(': ')}" for line in explain(error, Example))


def _in(pattern: str, answer: str) -> bool:
    return re.search(pattern, answer, re.IGNORECASE | re.MULTILINE) is not None
