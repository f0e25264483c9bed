"""What a ticket says that is filed for a finding. Pure."""

import re
import time
from dataclasses import dataclass

from bot.found import Card
from bot.improve.digest import Link

NAMED = 20  # links to what happened
AGAIN = "Nothing is lost: press *File a ticket* again in a while; it is looked first whether it arrived."
LIVE = re.compile(r"[@#](?=\w)|!(?=\[)|<")
"""What calls people, names other tickets, fetches images and is HTML."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket to be filed; `at` is since when its finding is known (Unix seconds)."""

    id: str
    at: float
    title: str
    body: str

    @property
    def marker(self) -> str:
        return marker(self.id)


def draft(card: Card, by: str, link: Link) -> Draft:
    return Draft(card.id, card.at, title(card), body(card, by, link))


def marker(id: str) -> str:
    """By which a ticket is known for ours."""
    return f"frontdesk-finding-{id}"


def title(card: Card) -> str:
    return f"{card.agent}: {' '.join(harmless(card.title).split())}"[:250]


def body(card: Card, by: str, link: Link) -> str:
    """In Markdown. What an agent wrote of what others said calls nobody."""
    since = time.strftime("%d %b %Y", time.gmtime(card.at))
    turns = ", ".join(f"[{n}]({link(thread)})" for n, thread in enumerate(card.threads[:NAMED], 1)) or "only in private conversations"
    facts = [
        f"People hit: {card.people} · turns: {len(card.hits)} · cost: ${card.usd:.2f} · known since {since}. Counted by Frontdesk.",
        f"What happened: {turns}.",
        f"Found by the agent {card.by}, filed by {harmless(by)}, talked about in [this thread]({link(card.thread)}).",
    ]
    change = ["**What would mend it**", quoted(card.change)] if card.change.strip() else []
    return "\n\n".join([quoted(card.what), *change, "\n".join(f"- {fact}" for fact in facts), f"`{marker(card.id)}`"])


def quoted(text: str) -> str:
    """Each line behind a mark, so that nothing in it looks like ours."""
    return "\n".join(f"> {line}" for line in harmless(text).splitlines()) or "> (nothing)"


def harmless(text: str) -> str:
    """The same to the eye, but that it calls nobody and fetches nothing."""
    return LIVE.sub(lambda found: "&lt;" if found[0] == "<" else f"{found[0]}\u200b", text)
