"""Does again what a recording tells, and compares what people see."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from difflib import unified_diff
from itertools import groupby

from . import choice
from .reading import Recording
from .sights import Line, Shown
from .tape import FAULTS, FURNITURE, PEOPLE, RESET, Row, Tape
from .things import Json

PATIENCE = 10.0  # seconds to wait at least for what the recording had seen
SLOWER = 3.0  # times as slow as when it was recorded it may come
Change = Callable[[dict[str, str | None]], Awaitable[None]]

# What differs each time: costs, lengths of time, ids, dates and times of day. The longer ones first.
MASKS = [
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"\S*/frontdesk-[a-z0-9_]{8}(?=/|\b)", "(folder)"),
        (r"\n?(?:ℹ️ )?This was asked [^\n]* ago, while I was away\.", ""),
        (r"<!date\^[^>]*>", "(date)"),
        (r"\b\d{10}\.\d{6}\b", "(ts)"),
        (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "(id)"),
        (r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b", "(id)"),
        (r"\b[UCDWBFVTA]0[A-Z0-9]*\d{8}\b", "(id)"),
        (r"http://127\.0\.0\.1:\d+", "(here)"),
        (r"\b\d{4}-\d{2}-\d{2}\b", "(date)"),
        (r"\b\d{1,2}:\d{2}(?::\d{2})?\b", "(time)"),
        (r"[$€]\s?\d+(?:\.\d+)?", "(cost)"),
        (r"\b\d+(?:\.\d+)?\s?(?:ms|s|sec|seconds?|min|minutes?|h|hours?)\b(?:\s\d+\s?(?:min|s)\b)?", "(while)"),
        (r"\bAsked after \(while\)", "Asked"),
    )
]

WENT = re.compile(r"(?:The answer stands below|Done in|Asked|On it…|Working…)(?: \(while\))?(?: · .*)?(?:\n(?:Stop|Steps))*")


async def again(tape: Tape, recording: Recording, changed: Change, patience: float = PATIENCE) -> str:
    """Do all of it, on a fresh tape, with the app that is connected; `changed` gives it agents' files, and returns when it has read them.

    Returns "" where people see the same in the end, else what they see otherwise, in words and as a diff.
    """
    play = _Again(tape, recording, changed, patience)
    said = await play.run()
    return "\n".join([*said, *compared(play.wanted, play.tape.sight.now())])


class _Again:
    def __init__(self, tape: Tape, recording: Recording, changed: Change, patience: float) -> None:
        self.tape, self.recording, self.changed, self.patience = tape, recording, changed, patience
        self.wanted: dict[str, Shown] = {}
        self._off: set[str] = set()  # places that are not as they were: nothing is waited for there any more
        self._why = ""  # the deed cannot be done yet

    async def run(self) -> list[str]:
        """What went wrong on the way, in words."""
        last = 0.0
        for number, row in enumerate(self.recording.rows):
            await self._seen(row.before, row.at - last)
            await self._changes(number)
            if words := await self._do(row, row.at - last):
                return [f"{number + 1}. {told(row)}: {words}"]
            last = row.at
        self.wanted = dict(self.recording.after)
        await self._changes(len(self.recording.rows))
        if not await self._reached(self.patience):
            await self._rested()
        return []

    async def _changes(self, number: int) -> None:
        if files := self.recording.changes.get(number):
            await self.changed(files)

    async def _seen(self, before: Mapping[str, Shown | None], gap: float) -> None:
        """Wait till all that stood there has come again; where the app was still at work, as long as then."""
        self.wanted = {place: shown for place, shown in (self.wanted | dict(before)).items() if shown is not None}
        if any(shown.busy for shown in self.wanted.values()) and await self._reached(gap, exactly=True):
            return
        await self._reached(max(self.patience, gap * SLOWER))
        now = self.tape.sight.now()
        self._off |= {place for place, shown in self.wanted.items() if not alike(shown, now.get(place))}

    async def _rested(self) -> None:
        """Wait till the app is at work nowhere: what differs is told as it stands in the end."""
        with suppress(TimeoutError):
            await self.tape.slack.until(lambda: not any(shown.busy for shown in self.tape.sight.now().values()), self.patience)

    async def _reached(self, seconds: float, exactly: bool = False) -> bool:
        def reached() -> bool:
            now = self.tape.sight.now()
            return all(alike(shown, now.get(place), exactly) for place, shown in self.wanted.items() if place not in self._off)

        try:
            return await self.tape.slack.until(reached, seconds)
        except TimeoutError:
            return False

    async def _do(self, row: Row, gap: float) -> str:
        """Do it as soon as it can be done; in words why it cannot, ever or in time."""
        if row.deed not in (*PEOPLE, *FURNITURE, *FAULTS, RESET):
            return "this Frontdesk does not know how to do that; it was recorded by a newer one"
        self._why = ""
        try:
            async with asyncio.timeout(max(self.patience, gap * SLOWER)):
                await self._done(row)
        except (TypeError, AttributeError) as error:
            return f"what the recording says of it does not fit ({error})"
        except TimeoutError:
            return self._why or "it took too long"
        return ""

    async def _done(self, row: Row) -> None:
        """Try until it can be done; `_why` says why it could not be yet."""
        while True:
            try:
                return await do(self.tape, row)
            except KeyError as missing:
                self._why = f"there is no {missing}"
            except (ValueError, LookupError) as error:
                self._why = str(error)
            await asyncio.sleep(0.05)


async def do(tape: Tape, row: Row) -> None:
    """One deed. Raises LookupError for what is not there (yet), ValueError where Slack would not let anybody do it."""
    args = tape.names.resolved({name: value for name, value in row.args.items() if name != "message"})
    if "message" in row.args:
        args["message"] = _meant(tape, row)
    if row.by and row.deed not in ("edit", "delete"):  # only the author can
        args["by"] = row.by
    done = getattr(tape if row.deed == RESET else tape.slack, row.deed)(**args)
    if isinstance(done, Awaitable):
        await done


def _meant(tape: Tape, row: Row) -> Json:
    """The message that a deed is about. What is pressed may stand elsewhere in its thread, as messages overtake one another."""
    name, what = str(row.args["message"]), row.args.get("what")
    root, _, _ = name.rpartition(".")
    if what is None or root not in tape.names.made:
        return tape.names.find(name)

    def able(message: Json) -> bool:
        blocks, value, block = message.get("blocks") or [], row.args.get("value"), str(row.args.get("block", ""))
        return choice.find(blocks, str(what), value, tape.slack.user(row.by), block) is not None

    found = [message for message in tape.slack.thread(tape.names.find(root)) if able(message)]
    there = [message for message in found if tape.names.of(message) == name]
    return there[0] if there else found[0] if len(found) == 1 else tape.names.find(name)


def told(row: Row) -> str:
    """A deed in words."""
    args = ", ".join(f"{name} {str(value)[:60]!r}" for name, value in row.args.items() if name != "files")
    return f"{row.by or 'Slack'} {row.deed}" + (f" ({args})" if args else "")


def masked(text: str) -> str:
    """The same without what differs each time."""
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


def alike(wanted: Shown, now: Shown | None, exactly: bool = False) -> bool:
    """Whether people see the same; where the app was still at work, only (unless `exactly`) whether as many messages have come."""
    if now is None:
        return False
    if wanted.busy and not exactly:
        return len(_said(now)) >= len(_said(wanted))
    return wanted.busy == now.busy and _said(wanted) == _said(now)


def compared(wanted: Mapping[str, Shown], now: Mapping[str, Shown]) -> list[str]:
    """The places that differ, as the lines of a diff."""
    found: list[str] = []
    for place in [*wanted, *(place for place in now if place not in wanted)]:
        before, after = wanted.get(place), now.get(place)
        if before is None or not alike(before, after):
            there, here = (_lines(before) if before else []), (_lines(after) if after else [])
            found += [_where(place, before or after), *list(unified_diff(there, here, n=2, lineterm=""))[2:]]
            found += ["  (the app is still at work there)"] if before and after and _said(before) == _said(after) else []
    return found


def _where(place: str, shown: Shown | None) -> str:
    first = shown.lines[0] if shown else Line("", "")
    return f"== {place} ({first.who}: {masked(first.text)[:60]!r})"


def _lines(shown: Shown) -> list[str]:
    return [text for line in shown.lines for text in _written(line)]


def _said(shown: Shown) -> list[list[str]]:
    """What was said, without how it went, and in an order that does not tell which of one's messages in a row came first.

    Whether how it went keeps a message of its own depends on how quick everything was.
    """
    told = [line for line in shown.lines if not WENT.fullmatch(masked(line.text))]
    return [text for _, lines in groupby(told, lambda line: line.who) for text in sorted(map(_written, lines))]


def _written(line: Line) -> list[str]:
    first, *more = masked(line.text).split("\n")
    buttons = [f"    [{'] ['.join(line.buttons)}]"] if line.buttons else []
    return [f"{line.who}: {first}", *(f"    {text}" for text in more), *buttons]
