"""A finding as a card: what repeats, whom it hit, what would mend it, and what people made of it."""

from bot.found import Card
from bot.slack.markdown import brief, mrkdwn
from bot.slack.view import Block, View, actions, button, code, context, date, link, section

NAMED = 5  # places at which one can look


def render(card: Card, site: str) -> View:
    """`site` is the workspace's address, such as https://example.slack.com/."""
    title, agent = mrkdwn(brief(card.title, 150)), mrkdwn(card.agent, 60)
    blocks = [section(f"*{title}*\n{mrkdwn(card.what, 1500)}"), context(f"`{agent}` · {_hit(card)}", *_seen(card, site))]
    blocks += [section(f"What would mend it:\n{code(card.change, 2200)}")] if card.change.strip() else []
    return View(f"{agent}: {title}", (*blocks, *_done(card), *_buttons(card)), 0)


def _hit(card: Card) -> str:
    people, turns = len({person for hit in card.hits for person in hit.people}), len(card.hits)
    words = f"{people} {'person' if people == 1 else 'people'} in {turns} {'turn' if turns == 1 else 'turns'}"
    return f"hit {words} · ${card.usd:.2f} · known since {date(card.at, '{date_short}')}"


def _seen(card: Card, site: str) -> list[str]:
    links = " ".join(link(thread, str(n), site) for n, thread in enumerate(card.threads[:NAMED], 1))
    return [f"look: {links}"] if links else []


def _done(card: Card) -> list[Block]:
    """What came of it, each in a line."""
    words = [f"🎫 <{card.ticket}|{mrkdwn(card.called, 100)}>, filed by {mrkdwn(card.filed, 80)}"] if card.ticket else []
    came = mrkdwn(brief(card.came, 400), 500) or "It is shown in this thread."
    words += [f"✏️ {mrkdwn(card.changed, 80)} asked for a change. {came}"] if card.changed else []
    people = "person" if card.refused == 1 else "people"
    words += [f"Not now, says {mrkdwn(card.no, 80)}. It comes again once it hits more than {card.refused} {people}"] if card.no else []
    return [context(*words)] if words else []


def _buttons(card: Card) -> list[Block]:
    """Those that something still comes of."""
    given = {"ticket": "File a ticket"} if not (card.ticket or card.no) else {}
    given |= {"change": "Propose another change" if card.changed else "Propose a change"} if not card.no else {}
    given |= {"no": "Not now"} if not (card.ticket or card.pending or card.no) else {}
    return [actions(*(button(f"finding:{verb}", text, f"{verb} {card.id}") for verb, text in given.items()))] if given else []
