"""What a platform tells, as our events, by the table of its profile."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.errors import RuntimeFailed
from bot.event import (
    Event,
    Finished,
    Item,
    Notice,
    Option,
    Part,
    Plan,
    Question,
    QuestionKind,
    Started,
    Step,
    Text,
    Thought,
    Usage,
    permission,
)  # fmt: skip
from bot.runtimes import http_profile as table
from bot.runtimes import http_values as values
from bot.runtimes.claude_words import short
from bot.runtimes.feed import Raw
from bot.runtimes.unknown import Unknown

CONVERSATION = "conversation"


class Story:
    """One turn. `scope` is all that is known by name: what is kept comes to it. `mask` takes secrets out. `end` is set when it is over.

    `open` are the questions that nobody has answered, by their ids.
    """

    def __init__(self, profile: table.Profile, scope: dict[str, Any], folder: Path, mask: Callable[[str], str]) -> None:
        self.profile, self.scope, self.mask, self.unknown = profile, scope, mask, Unknown(folder, mask)
        self.end: Finished | None = None
        self.open: dict[str, QuestionKind] = {}
        self.text = ""
        self._part, self._before = "", 0
        self._steps: dict[str, Step] = {}
        self._plan: Plan | None = None
        self._counted: set[str] = set()
        self._heard: Counter[str] = Counter()
        self.known = {name for rule in profile.events for name in rule.on}

    @property
    def started(self) -> Started:
        return Started(self.resume, str(self.scope.get(CONVERSATION) or ""), str(self.scope.get("model") or ""))

    @property
    def resume(self) -> str:
        """All that is kept, for the next process."""
        return json.dumps({name: self.scope[name] for name in self.profile.lasting if self.scope.get(name) is not None})

    @property
    def before(self) -> str:
        """What was said before more was asked in the same turn."""
        return self.text[: self._before]

    def begin(self, before: str = "") -> None:
        """More is asked in the same turn; what it said `before`, if that was in a process that ended."""
        self.text = before or self.text
        self.end, self._part, self._before = None, "\0", len(self.text)

    def learn(self, call: table.Call, answer: Any) -> None:
        """What of an answer is to be kept. Raises RuntimeFailed where it is another conversation's."""
        for name, path in call.keep.items():
            self._keep(name, values.find(path, answer, {**self.scope, "data": answer}))

    def read(self, raw: Raw) -> Iterator[Event]:
        """What it tells, as far as the profile can read it."""

        def tell(_: Any) -> Iterator[Event]:
            try:
                yield from self.tell(raw)
            except values.Wrong as error:
                raise ValueError from error

        return self.unknown.read(tell, raw.data, raw.name)

    def tell(self, raw: Raw) -> Iterator[Event]:
        name = self.name(raw)
        whose = values.find(self.profile.mine, raw.data, self.scope) if self.profile.mine else None
        if not self._mine(whose):
            return
        self._heard[name] += 1
        if name not in self.known and (whose is not None or not self.profile.shared):  # what all hear is nobody's
            yield from self.unknown.told(raw.data, name)
        for rule in (rule for rule in self.profile.events if name in rule.on):
            for item in values.every(rule.each, raw.data) if rule.each else [raw.data]:
                scope = {**self.scope, "event": name, "id": raw.id, "data": raw.data, "item": item, "nth": self._heard[name]}
                if not rule.when or values.judge(rule.when, scope):
                    yield from self._apply(rule, item, scope)

    def close(self, end: Finished) -> Iterator[Event]:
        """The turn is over: what was under way has ended too."""
        for step in [step for step in self._steps.values() if step.status == "working"]:
            yield self._step(replace(step, status="completed" if end.state in ("completed", "input_required") else "failed"))
        self.end = end

    def name(self, raw: Raw) -> str:
        if raw.name not in ("", "message"):
            return raw.name
        found = values.find(self.profile.kind, raw.data, self.scope) if isinstance(raw.data, dict) else raw.data
        return short(found, 60) if isinstance(found, str) and found else raw.name or "message"

    def _mine(self, found: Any) -> bool:
        mine = self.scope.get(CONVERSATION)
        if found is None or mine is None or found == mine:
            return True
        if self.profile.shared:
            return False
        raise RuntimeFailed(f"{self.profile.name} answers for another conversation than ours, so this was ended; ask again.")

    def _keep(self, name: str, found: Any) -> None:
        if found is not None and (name != CONVERSATION or self._mine(found)):
            self.scope[name] = found

    def _apply(self, rule: table.Rule, item: Any, scope: dict[str, Any]) -> Iterator[Event]:
        def words(value: Any, of: Any = item) -> str:
            return self.mask(values.words(value, of, scope))

        for name, path in rule.keep.items():
            self._keep(name, values.find(path, item, scope))
        yield from self._says(words(rule.text), words(rule.part)) if rule.text else ()
        yield from self._whole(words(rule.whole)) if rule.whole else ()
        if rule.thought and (thought := words(rule.thought)):
            yield Thought(thought)
        if rule.step and (id := words(rule.step.id)):
            yield from self._steps_on(id, words(rule.step.title), words(rule.step.kind), words(rule.step.status), words(rule.step.detail))
        if rule.plan:
            yield from self._planned(rule.plan, item, words)
        if rule.question:
            yield self._asks(rule.question, item, scope, words)
        if rule.usage and self._counts(words(rule.usage.id)):
            figures = (values.find(getattr(rule.usage, name), item, scope) for name in ("input", "output", "cached", "usd"))
            yield from _used(*(figure if isinstance(figure, int | float) else 0 for figure in figures))
        if rule.notice and (notice := words(rule.notice)):
            yield Notice(short(notice, 1000))
        if rule.end:
            yield from self._ends(words(rule.end.state), words(rule.end.reason))

    def _says(self, text: str, part: str) -> Iterator[Event]:
        if not text:
            return
        lead = "\n\n" if part != self._part and self.text.strip() else ""
        self._part = part
        self.text += lead + text
        yield Text(lead + text)

    def _whole(self, text: str) -> Iterator[Event]:
        """All of the answer so far, of which only what is new is told; the last of several messages is not told twice either."""
        before, told = self.text[: self._before], self.text[self._before :].lstrip()
        if not text.strip() or told.rstrip().endswith(text.strip()):
            return
        lead = "\n\n" if before.strip() else ""
        new = text.removeprefix(told) if told else lead + text
        self.text = before + lead + text
        yield Text(new) if text.startswith(told) else Text(self.text, final=True)

    def _steps_on(self, id: str, title: str, kind: str, status: str, detail: str) -> Iterator[Event]:
        old = self._steps.get(id, Step(id, "Works"))
        named = table.KINDS.get(kind.lower(), old.kind)
        step = Step(
            id, short(title, 100) or old.title, named, table.STATUS.get(status.lower(), "working"), short(detail, 2000) or old.detail
        )
        if step != self._steps.get(id):
            yield self._step(step)

    def _step(self, step: Step) -> Step:
        self._steps[step.call_id] = step
        return step

    def _planned(self, plan: table.Plan, item: Any, words: Any) -> Iterator[Event]:
        found = [(short(words(plan.text, one), 300), words(plan.status, one)) for one in values.every(plan.each, item)]
        told = Plan(tuple(Item(text, table.ITEMS.get(status.lower(), "pending")) for text, status in found if text))
        if told.items and told != self._plan:
            self._plan = told
            yield told

    def _asks(self, ask: table.Ask, item: Any, scope: dict[str, Any], words: Any) -> Question:
        id = f"{words(ask.id)}/{self.scope['turn']}"  # a platform may ask by the same id once more
        self.open[id] = ask.kind
        if ask.kind == "permission":
            found = values.find(ask.session, item, scope)
            lasts = found if isinstance(found, str) else f"as far as {self.profile.name} takes it" if found else ""
            return permission(id, words(ask.text) or "May it do this?", words(ask.detail), session=lasts)
        asked = values.every(ask.each, item) if ask.each else [item]
        parts = (self._asked(ask, str(number), one, {**scope, "item": one}, words) for number, one in enumerate(asked))
        return Question(id, ask.kind, tuple(parts), words(ask.detail))

    def _asked(self, ask: table.Ask, id: str, one: Any, scope: dict[str, Any], words: Any) -> Part:
        found = values.find(ask.options, one, scope)
        options = tuple(_option(option) for option in (found if isinstance(found, list) else [] if found is None else [found]))
        text = words(ask.text, one) or "The agent needs an answer, and did not say to what."
        return Part(id, text, options, multi=bool(values.find(ask.multi, one, scope)), free_text=True)

    def _counts(self, id: str) -> bool:
        fresh = id not in self._counted
        self._counted |= {id} - {""}
        return fresh

    def _ends(self, state: str, reason: str) -> Iterator[Event]:
        end = Finished(table.STATES.get(state.lower(), "failed"), short(reason, 1000))
        if end.state == "failed" and not end.reason:
            end = replace(end, reason=f"{self.profile.name} ended this as {state!r}, and did not say why.")
        yield from self.close(end)


def _option(option: Any) -> Option:
    if isinstance(option, dict):
        return Option(str(option.get("label") or option.get("value") or option.get("id") or ""), str(option.get("description") or ""))
    return Option(str(option))


def _used(given: float, made: float, cached: float, usd: float) -> Iterator[Usage]:
    if given or made or cached or usd:
        yield Usage(int(given), int(made), int(cached), float(usd))
