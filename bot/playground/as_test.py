"""What people did at the page, as a test in the project's style: rows of a tape become Python to paste."""

import re
from collections.abc import Iterable, Mapping, Sequence
from inspect import Parameter, signature

from .names import split
from .sights import Line, Shown
from .slack import Slack
from .source import Statement, filed, lengthy, literal, telling
from .tape import FAULTS, FURNITURE, Row

HEAD = '''"""Copied from the playground."""

from typing import Any

from bot.app import Frontdesk
from bot.playground import Slack


def said(slack: Slack, root: dict[str, Any]) -> list[str]:
    """What the bot has said in a thread, message by message."""
    return [slack.text(message) for message in slack.thread(root) if message.get("bot_id")]
'''
FIND = '''

def find(slack: Slack, root: dict[str, Any], words: str) -> dict[str, Any]:
    """The newest message of the bot in a thread that says this."""
    return [message for message in slack.thread(root) if words in slack.text(message) and message.get("bot_id")][-1]
'''
NOTHING = "# Nothing new was to be seen, or the bot was still at work: say here what should come of it."
BARE = ("text", "values", "message")  # what needs no name where it stands in its place
REFERENCES = ("message", "thread", "view")


def as_test(rows: Sequence[Row], now: Mapping[str, Shown], start: int = 0) -> str:
    """A test module that does what was done from the row `start` on, with what those deeds need from before; `now` is what stands there.

    Its fixtures are `slack` and `desk`. After each deed it waits for what was seen before the next one.
    """
    writer, wanted = Writer(rows, now), needed(rows, start)
    for index, row in enumerate(rows):
        if index in wanted:
            writer.done(row, begun=index > start)
        else:
            writer.passed(row)
    lines = writer.lines()
    name = re.sub(r"[^a-z0-9]+", "_", _title(rows[start:] or rows).lower()).strip("_")[:60].rstrip("_") or "what_was_done"
    body = "\n".join(f"    {line}" if line else "" for line in lines)
    find = FIND if any("find(slack" in line for line in lines) else ""
    return f"{HEAD}{find}\n\nasync def test_{name}(slack: Slack, desk: Frontdesk) -> None:\n{body}\n"


def needed(rows: Sequence[Row], start: int) -> set[int]:
    """The rows from `start` on, and of those before what happened in the threads that they go on with."""
    roots: dict[str, str] = {}
    for row in rows:
        if row.made:
            roots[row.made] = root(row.args.get("thread", row.made), roots)
    meant = {place for row in rows[start:] for place in _places(row, roots)}
    meant |= {split(place)[0] for place in meant if channel(split(place)[0])}
    before = {index for index, row in enumerate(rows[:start]) if row.deed in FURNITURE or meant & _places(row, roots)}
    return before | set(range(start, len(rows)))


def channel(head: str) -> bool:
    """Whether it is a channel or somebody's direct messages, and no message."""
    return head.startswith(("#", "@")) and not split(head)[1]


def root(name: str, roots: Mapping[str, str]) -> str:
    """The name of the thread in which a message is."""
    head, mark, _ = split(name)
    if mark and not channel(head):
        return root(head, roots)
    return roots.get(name, name)


def _places(row: Row, roots: Mapping[str, str]) -> set[str]:
    """The threads that a deed is about, and of a command the channel in which its answer comes."""
    if row.deed == "command":
        return {f"#{row.args.get('channel', 'general')}"}
    names = [*(str(row.args.get(name, "")) for name in REFERENCES), row.made]
    return {root(name, roots) for name in names if name}


def _title(rows: Sequence[Row]) -> str:
    """What the test is about, for its name: the first words that somebody said, or else what was done."""
    lines = (line for row in rows for line in str(row.args.get("text") or "").splitlines())
    return next((line for line in lines if re.search("[A-Za-z0-9]", line)), rows[0].deed if rows else "")


class Writer:
    """Writes statement after statement, and knows what each message is called in the test."""

    def __init__(self, rows: Sequence[Row], now: Mapping[str, Shown]) -> None:
        self.now = now
        self.people = {row.by for row in rows}
        self.roots: dict[str, str] = {}
        self.seen: dict[str, Shown | None] = {}
        self.names: dict[str, str] = {}  # what a message is called on the tape: and in the test
        self.taken: set[str] = set()
        self.makers: dict[str, Statement] = {}  # what people said, that nothing has asked for yet
        self.waited: dict[str, str] = {}  # for which words of a place the test has waited last
        self.written: list[Statement] = []

    def done(self, row: Row, begun: bool) -> None:
        """What has to be there before a deed, and the deed. Until the test has `begun`, only its own threads count."""
        changed = self._news(row.before)
        thing = str(row.args.get("message") or row.args.get("view") or "")
        meant = self._meant(thing)
        self._awaited(place for place in changed if place != meant and (begun or self._said(place)))
        if thing and not self._said(thing):
            self._found(thing)
        verb = f"slack.{row.deed}" if row.deed in FAULTS + FURNITURE else f"await slack.{row.deed}"
        self.written.append(Statement("", verb, self._arguments(row)))
        if row.made:
            self.roots[row.made] = root(row.args.get("thread", row.made), self.roots)
            self.makers[row.made] = self.written[-1]
        if thing.startswith("modal:"):
            self.names.pop(thing, None)  # the next one is another

    def passed(self, row: Row) -> None:
        """A deed that is left out; what had come before it in the threads of the test is waited for all the same."""
        self._awaited(place for place in self._news(row.before) if self._said(place))

    def lines(self) -> list[str]:
        """All statements, with empty lines between doing and waiting, and in the end what is to be seen now."""
        size = len(self.written)
        self._awaited(self._news({**self.now, **{place: None for place in self.seen if place not in self.now}}))
        end = [] if len(self.written) > size else ["", NOTHING]
        lines: list[str] = []
        for index, each in enumerate(self.written):
            after = index and (index == size or (not each.waits and self.written[index - 1].waits))
            lines += [""] if after else []
            lines += each.lines()
        return lines + end

    def _news(self, changes: Mapping[str, Shown | None]) -> list[str]:
        places = [place for place, shown in changes.items() if self.seen.get(place) != shown]
        self.seen |= changes
        return places

    def _meant(self, thing: str) -> str:
        """The place in which a message stands."""
        if ":" in thing or "!" in thing:
            return thing if ":" in thing else thing.partition("!")[0] + "!"
        return root(thing, self.roots) if thing and not self._said(thing) else ""

    def _awaited(self, places: Iterable[str]) -> None:
        """Wait for the newest words of the app in each of these places."""
        for place in places:
            shown = self.seen.get(place)
            lines = self._ours(shown.lines) if shown and not shown.busy else []
            unknown = place.startswith("modal:") or (not self._said(place) and not re.match("[#@]|.*!$", place))
            text = telling(lines[-1].text) if lines else ""
            if unknown or text in ("", self.waited.get(place)):
                continue
            self.waited[place], words = text, literal(text)
            if place.endswith("!"):
                condition = f"any({words} in slack.text(note) for note in slack.ephemerals({literal(place[:-1])}))"
            else:
                condition = f"{words} in said(slack, {self._called(place)})[-1]"
            self._wait("", condition)

    def _ours(self, lines: Sequence[Line]) -> list[Line]:
        return [line for line in lines if line.who not in self.people]

    def _called(self, name: str) -> str:
        """The variable of a message, which is found first where it is the app's."""
        if name in self.makers:
            maker = self.makers.pop(name)
            self.names[name] = maker.name = self._fresh("root" if self.roots[name] == name else "reply")
        elif name not in self.names:
            self._found(name)
        return self.names[name]

    def _said(self, name: str) -> bool:
        """Whether somebody says it in the test."""
        return name in self.names or name in self.makers

    def _found(self, name: str) -> None:
        """Wait for a message or view of the app, and give it a name in the test."""
        kind, where = self._where(name)
        self.names[name] = self._fresh(kind) if kind != "view" else kind
        self._wait(self.names[name], where)

    def _wait(self, name: str, condition: str) -> None:
        self.written.append(Statement(name, "await slack.until", [f"lambda: {condition}"], waits=True))

    def _where(self, name: str) -> tuple[str, str]:
        """What to call a message or view of the app, and how it is found."""
        what, colon, who = name.partition(":")
        if colon:
            return ("home", f"slack.home({literal(who)})") if what == "home" else ("view", f"slack.modals({literal(who)})[-1]")
        if "!" in name:
            who, _, count = name.partition("!")
            return "note", f'[note for note in slack.ephemerals({literal(who)}) if not note.get("system")][{int(count) - 1}]'
        head, mark, number = split(name)
        if not mark:
            raise ValueError(f"{name!r} was there before the record began, so that a test cannot begin with it.")
        if channel(head):
            theirs = 'message.get("bot_id")' if mark == "." else 'not message.get("bot_id")'
            where = f"slack.messages({literal(head.removeprefix('#'))}, replies=False)"
            return "post", f"[message for message in {where} if {theirs}][{number - 1}]"
        shown = self.seen.get(head)
        replies = self._ours(shown.lines[1:]) if shown else []
        if mark != "." or number > len(replies):
            return "card", f'[message for message in slack.thread({self._called(head)})[1:] if message.get("bot_id")][{number - 1}]'
        text = telling(replies[number - 1].text)
        if number == len(replies):
            self.waited[head] = text
        return "card", f"find(slack, {self._called(head)}, {literal(text)})"

    def _fresh(self, wish: str) -> str:
        names = (wish if not count else f"{wish}_{count + 1}" for count in range(len(self.taken) + 1))
        name = next(each for each in names if each not in self.taken)
        self.taken.add(name)
        return name

    def _arguments(self, row: Row) -> list[str]:
        """A deed's arguments as one would write them: what is always there by its place, the rest by name."""
        given, written, plainly = row.args | ({"by": row.by} if row.by else {}), [], True
        for name, parameter in list(signature(getattr(Slack, row.deed)).parameters.items())[1:]:
            if name not in given or given[name] == parameter.default or not (given[name] or parameter.default):
                plainly = False
                continue
            value = self._called(given[name]) if name in REFERENCES else filed(given[name]) if name == "files" else lengthy(given[name])
            plainly = plainly and (parameter.default is Parameter.empty or name in BARE)
            written.append(value if plainly else f"{name}={value}")
        known = signature(getattr(Slack, row.deed)).parameters
        return [*written, *(f"{name}={literal(value)}" for name, value in given.items() if name not in known and name.isidentifier())]
