"""What agents find that repeats becomes cards, and what people press there is done once."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from bot import clock, policy
from bot.agent import Agent
from bot.change import Proposal
from bot.errors import BotError, Denied, StoreFailed
from bot.found import Card, Cards, Found, Hit
from bot.journal import Delivery
from bot.message import Person
from bot.past import Changes, same
from bot.session import Session

log = logging.getLogger(__name__)
KIND = "findings"
CLAIM = 300.0  # seconds after which a press counts no more that a process took with it
MOST = 240.0  # seconds that what it begins may take
ALL = 100_000  # findings: more than there are
SLOW = "That took longer than {:.0f} minutes, so I stopped it. Press it again: what was filed already is not filed twice."
NOBODY = "Only members of this workspace decide what comes of a finding."


class Filing(Protocol):
    """Where tickets are filed."""

    async def file(self, agent: Agent, card: Card, by: str) -> tuple[str, str]:
        """The address and the name of the card's ticket; the one that there is, where there is one. Raises BotError, with the remedy."""
        ...


class Findings:
    """Implements the port Board. `show` shows a card where it belongs, as it is now; `begin` has a delivery dealt with that is kept."""

    changes: Changes  # set by whoever puts a desk together: they think up changes in its threads

    def __init__(
        self,
        agent: Callable[[str], Agent],
        cards: Cards,
        show: Callable[[Card], Awaitable[None]],
        begin: Callable[[Delivery], Awaitable[None]],
        filing: Filing,
    ) -> None:
        self.agent, self.cards, self.show, self.begin, self.filing = agent, cards, show, begin, filing
        self.handlers = {KIND: self.shown}

    async def report(self, by: str, session: Session, found: Sequence[Found]) -> str:
        new = [await self._card(each, by, session) for each in found]
        ids = list(dict.fromkeys(card.id for card in new))
        told = hashlib.sha256(repr(found).encode()).hexdigest()[:12]
        body = json.dumps({"ids": ids})
        delivery = Delivery(f"{KIND}:{session.id}:{session.number}:{told}", KIND, body, clock.now(), f"{KIND}:{session.thread}")

        def work(known: Mapping[str, Card]) -> list[Card]:
            kept = dict(known)
            for card in new:
                kept[card.id] = met(kept.get(card.id), card)
            return [kept[id] for id in ids]

        cards = ranked(await self.cards.change(ids, work, delivery))
        await self.begin(delivery)
        return "\n".join(words(card, session.thread) for card in cards)

    async def _card(self, found: Found, by: str, session: Session) -> Card:
        """Raises BotError where it names what there is not."""
        known = await self.cards.hits(found.evidence)
        if wrong := [each for each in found.evidence if each not in known or known[each].agent != found.agent]:
            raise BotError(f"{found.agent} has no turn {wrong[0]}: name its turns as the digest does, such as 3f9a12bc-2.")
        old = await self.cards.card(found.id)
        if found.again and (old is None or old.agent != found.agent):
            raise BotError(f"No finding on {found.agent} has the id {found.again}: leave `again` out, or name one that the digest has.")
        hits = tuple(known[each] for each in dict.fromkeys(found.evidence))
        id = found.id if old else await self._refused(found, hits)
        return Card(id, found.agent, found.title, found.what, found.change, by, session.thread, hits, clock.now())

    async def _refused(self, found: Found, hits: Sequence[Hit]) -> str:
        """Its id: under another name, and where it hits nobody else, it is still what people said no to."""
        no = [card for card in await self.cards.cards(limit=ALL) if card.no and card.agent == found.agent]
        return next((card.id for card in no if _like(card, found.title, hits)), found.id)

    async def shown(self, delivery: Delivery, body: dict[str, Any]) -> None:
        """Show what was reported, what hit most people first."""
        cards = [card for id in body["ids"] if (card := await self.cards.card(id))]
        for card in ranked(cards):
            await self._shown(card)

    async def _shown(self, card: Card) -> None:
        """One that cannot be shown keeps no other back."""
        try:
            await self.show(card)
        except StoreFailed:
            raise
        except BotError as error:
            log.error("finding_not_shown", extra={"action": "finding_not_shown", "finding": card.id, "error": str(error)})

    async def press(self, verb: str, id: str, by: Person, press: str) -> str:
        card = await self.cards.card(id)
        if card is None:
            return "That finding is no longer known."
        agent = self.agent(card.by)
        if not by.inside:
            raise Denied(NOBODY)
        policy.check(agent, by, "answer", what=f"decide what comes of {agent.name}'s findings")
        who = by.name or by.id
        before, card = card, await self._change(id, lambda card: claimed(card, verb, press, who))
        if card.claim != press:
            await self.show(card)
            return lost(card)
        try:
            said, done = await self._done(verb, agent, card, by)
        except BotError:
            await self._change(id, lambda card: _freed(replace(card, came=before.came), press))
            raise
        await self.show(await self._change(id, lambda card: _freed(replace(card, **done), press)))
        return said

    async def _done(self, verb: str, agent: Agent, card: Card, by: Person) -> tuple[str, dict[str, Any]]:
        """The same, before the next may begin it. Raises BotError."""
        try:
            async with asyncio.timeout(MOST):
                return await self._do(verb, agent, card, by)
        except TimeoutError as error:
            raise BotError(SLOW.format(MOST / 60)) from error

    async def _do(self, verb: str, agent: Agent, card: Card, by: Person) -> tuple[str, dict[str, Any]]:
        """What to tell whoever pressed, and what of the card is different from then on. Raises BotError."""
        who = by.name or by.id
        match verb:
            case "ticket":
                url, called = await self.filing.file(agent, card, who)
                return "", {"ticket": url, "called": called, "filed": who}
            case "change":
                return await self.changes.propose(card.finding, by, card.thread), {"changed": who}
            case _:
                return "", {"no": who, "refused": card.people}

    async def came(self, proposal: Proposal) -> None:
        """Its card says from now on what came of the change that somebody wanted."""
        if await self.cards.card(proposal.finding.id):
            words = "No change came of it; its thread says why." if proposal.state == "failed" else proposal.outcome
            await self._shown(await self._change(proposal.finding.id, lambda card: replace(card, came=words)))

    async def _change(self, id: str, work: Callable[[Card], Card]) -> Card:
        [card] = await self.cards.change([id], lambda known: [work(known[id])])
        return card


def met(old: Card | None, new: Card) -> Card:
    """What is known of a finding with what is found now. One that was said no to is shown again only where it hits more people."""
    if old is None:
        return new
    hits: dict[tuple[str, int], Hit] = {(hit.session_id, hit.turn): hit for hit in (*old.hits, *new.hits)}
    card = replace(old, title=new.title, what=new.what, change=new.change, hits=tuple(hits.values()))
    if old.no and card.people > old.refused:
        return replace(card, no="", thread=new.thread, by=new.by, times=old.times + 1)
    return card


def ranked(cards: Sequence[Card]) -> list[Card]:
    """What hit most people first, then what cost most."""
    return sorted(cards, key=lambda card: (card.people, card.usd), reverse=True)


def words(card: Card, thread: str) -> str:
    """What the agent is told that reported it."""
    hit = f"`{card.id}`, {card.title} (people: {card.people}, turns: {len(card.hits)}, ${card.usd:.2f})."
    if card.no:
        return f"{hit} {card.no} said no to it when it hit {card.refused}; it is shown again once it hits more. Do not bring it up."
    if card.thread != thread:
        return f"{hit} People know it already; its card shows what is new. Do not say it all again."
    return f"{hit} People see its card below; do not repeat what stands there."


def claimed(card: Card, verb: str, press: str, who: str) -> Card:
    """The card as this press has it; unchanged where another was first. A change may be wanted again: the one before came to nothing."""
    now = clock.now()
    done = {"ticket": card.ticket or card.no, "change": card.no}.get(verb, card.ticket or card.pending or card.no)
    if done or (card.claim not in ("", press) and now - card.began < CLAIM):
        return card
    return replace(card, claim=press, who=who, began=now, came="" if verb == "change" else card.came)


def lost(card: Card) -> str:
    """Why a press did nothing."""
    if card.claim:
        return f"{card.who} has pressed a button of it just now. Its card shows soon what came of that."
    if card.no:
        return f"{card.no} has said not now. It comes again once it hits more people."
    return f"There is a ticket for it already: {card.ticket}" if card.ticket else f"{card.changed} has asked for a change already."


def _like(card: Card, title: str, hits: Sequence[Hit]) -> bool:
    """Whether it hit only whom the card hit, and has a turn or half of the words in common."""
    if not {person for hit in hits for person in hit.people} <= {person for hit in card.hits for person in hit.people}:
        return False
    one, other = _telling(title), _telling(card.title)
    common = 2 * len(one & other) >= min(len(one), len(other)) > 0
    return common or any((hit.session_id, hit.turn) in card.evidence for hit in hits)


def _telling(title: str) -> set[str]:
    """The words that say what it is about."""
    return {word for word in same(title).split() if len(word) > 3}


def _freed(card: Card, press: str) -> Card:
    return replace(card, claim="", who="", began=0.0) if card.claim == press else card
