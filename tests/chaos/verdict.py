"""What must hold in the end, whatever happened: nothing lost, nothing twice, nothing left behind."""

from collections import defaultdict
from itertools import pairwise

from bot.playground import Slack
from bot.playground.things import Json

from .people import FORM, Ask, People, buttons

LIVE = {"Stop", "Red", "Blue", FORM}
LONG = 30.0  # seconds; what is to be stopped takes 40


def missing(people: People) -> list[str]:
    """What somebody waits for still."""
    waits = [ask for ask in people.asks if ask.sure and not any(ask.answer in text for text in people.seen(ask))]
    return [f"{ask.token}: {ask.answer!r} is not there" for ask in waits if not too_late(people, ask)]


def too_late(people: People, ask: Ask) -> bool:
    """Whether Slack brought what was to stop it when it was over: then it means nothing."""
    brought = [each for each in people.slack.envelopes if _stops(each.payload.get("event") or {}, ask)]
    return bool(brought) and all(each.acked_at is not None and each.acked_at - each.at > LONG for each in brought)


def _stops(event: Json, ask: Ask) -> bool:
    crossed = event.get("type") == "reaction_added" and event["item"].get("ts") == ask.root["ts"]
    return bool(ask.never) and (crossed or event.get("ts") == ask.stop != "")


def faults(people: People) -> list[str]:
    """All that is wrong, in words; empty when all is well."""
    return [*people.broke, *missing(people), *_twice(people), *_disorder(people), *_left(people)]


def _twice(people: People) -> list[str]:
    found = []
    for ask in people.asks:
        count = sum(text.count(ask.answer) for text in people.seen(ask))
        if count > 1 and (ask.never or ask.token in ask.answer):
            found.append(f"{ask.token}: {ask.answer!r} stands there {count} times")
        if ask.never and any(ask.never in text for text in people.seen(ask)) and not too_late(people, ask):
            found.append(f"{ask.token}: {ask.never!r} was said although it was stopped")
        if (begun := len(people.roots(ask))) > 1:
            found.append(f"{ask.token}: it was begun {begun} times")
    return found


def _disorder(people: People) -> list[str]:
    """In one thread the answers come in the order of what was asked, as far as Slack delivered that in order."""
    threads: dict[tuple[str, str], list[Ask]] = defaultdict(list)
    for ask in people.asks:
        if ask.said:
            threads[str(ask.root["channel"]), str(ask.root["ts"])].append(ask)
    came = {
        envelope.payload["event"].get("ts"): envelope.acked_at
        for envelope in people.slack.envelopes
        if envelope.acked_at and "event" in envelope.payload
    }
    found = []
    for asks in threads.values():
        whole = "\n".join(people.seen(asks[0]))
        for one, after in pairwise(asks):
            both = one.said in came and after.said in came and came[one.said] < came[after.said]
            if both and -1 < whole.find(after.answer) < whole.find(one.answer):
                found.append(f"{one.token} was answered after {after.token}")
    return found


def _left(people: People) -> list[str]:
    """Buttons that still invite, and lines that still say that somebody works."""
    slack, found = people.slack, []
    for root in {(str(root["channel"]), str(root["ts"])): root for ask in people.asks for root in people.roots(ask)}.values():
        for message in slack.thread(root)[1:]:
            if live := LIVE & set(buttons(message)):
                found.append(f"{root['ts']}: {sorted(live)} can still be pressed on {slack.text(message)[:60]!r}")
        status = slack.status(root)
        if status["text"] or status["session"] == "processing":
            found.append(f"{root['ts']}: the status still says {status}")
    return found


def picture(slack: Slack, people: People, tokens: str) -> str:
    """The threads of what went wrong, as people see them."""
    lines = []
    for ask in people.asks:
        if ask.token in tokens:
            lines.append(f"--- {ask.token}")
            lines += [f"    {said['ts']} {slack.text(said)!r}" for root in people.roots(ask) for said in slack.thread(root)]
    return "\n".join(lines)
