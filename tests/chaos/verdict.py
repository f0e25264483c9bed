"""What must hold in the end, whatever happened: nothing lost, nothing twice, nothing left behind."""

from collections import defaultdict
from itertools import pairwise
from math import inf

from bot.playground import Slack
from bot.playground.things import Json

from .people import Ask, People, buttons

LIVE = {"Stop", "Red", "Blue"}
LONG = 30.0  # seconds; what is to be stopped takes 40


def missing(people: People) -> list[str]:
    """What somebody waits for still."""
    waits = [ask for ask in people.asks if not any(ask.answer in text for text in people.seen(ask)) and not too_late(people, ask)]
    return [f"{ask.token}: {ask.answer!r} is not there" for ask in waits]


def too_late(people: People, ask: Ask) -> bool:
    """Whether Slack brought what was to stop it when it was over, or a ❌ before it had brought what was asked: then it means nothing."""
    events = [(each, each.payload.get("event") or {}) for each in people.slack.envelopes]
    brought = [each for each, event in events if _stops(event, ask)]
    asked = min((each.acked_at for each, event in events if event.get("ts") == ask.said and each.acked_at), default=inf)
    return bool(brought) and all(each.acked_at is None or each.acked_at - each.at > LONG or each.acked_at < asked for each in brought)


def _stops(event: Json, ask: Ask) -> bool:
    crossed = event.get("type") == "reaction_added" and event["item"].get("ts") == ask.root["ts"]
    return bool(ask.never) and (crossed or event.get("ts") == ask.stop != "")


def faults(people: People) -> list[str]:
    """All that is wrong, in words; empty when all is well."""
    return [*missing(people), *_twice(people), *_disorder(people), *_left(people)]


def _twice(people: People) -> list[str]:
    found = []
    for ask in people.asks:
        count = sum(text.count(ask.answer) for text in people.seen(ask))
        if count > 1 and ask.token in ask.answer:
            found.append(f"{ask.token}: {ask.answer!r} stands there {count} times")
        if ask.never and any(ask.never in text for text in people.seen(ask)) and not too_late(people, ask):
            found.append(f"{ask.token}: {ask.never!r} was said although it was stopped")
    return found


def _disorder(people: People) -> list[str]:
    """In one thread the answers come in the order of what was asked, as far as Slack delivered that in order."""
    threads: dict[tuple[str, str], list[Ask]] = defaultdict(list)
    for ask in people.asks:
        threads[str(ask.root["channel"]), str(ask.root["ts"])].append(ask)
    came = {
        envelope.payload["event"].get("ts"): envelope.acked_at
        for envelope in people.slack.envelopes
        if envelope.acked_at and "event" in envelope.payload
    }
    found = []
    for asks in threads.values():
        whole = "\n".join(people.seen(asks[0]))
        for one, next in pairwise(asks):
            both = one.said in came and next.said in came and came[one.said] < came[next.said]
            if both and -1 < whole.find(next.answer) < whole.find(one.answer):
                found.append(f"{one.token} was answered after {next.token}")
    return found


def _left(people: People) -> list[str]:
    """Buttons that still invite, and lines that still say that somebody works."""
    slack, found = people.slack, []
    for root in {(str(ask.root["channel"]), str(ask.root["ts"])): ask.root for ask in people.asks}.values():
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
            lines.append(f"--- {ask.token}: {slack.text(slack.thread(ask.root)[0])!r}")
            lines += [f"    {message['ts']} {slack.text(message)!r}" for message in slack.thread(ask.root)[1:]]
    return "\n".join(lines)
