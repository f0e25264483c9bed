"""Whether a call comes from somebody who knows the secret."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from bot.trigger import Source

FRESH = 60.0  # seconds that may lie between Linear's clock and ours: https://linear.app/developers/webhooks
NAMES = ("X-Hub-Signature-256", "Linear-Signature", "Authorization")


def tried(headers: Mapping[str, str]) -> bool:
    """Whether there is anything to be looked at."""
    return any(name in headers for name in NAMES)


def genuine(source: Source, secret: str, headers: Mapping[str, str], raw: bytes) -> bool:
    """Whether who sent these bytes knows the secret. How long that takes says nothing of it."""
    key = secret.encode("utf-8", "surrogateescape")
    digest = hmac.new(key, raw, sha256).hexdigest()
    match source:
        case "github":
            return _same(headers.get("X-Hub-Signature-256", ""), f"sha256={digest}")
        case "linear":
            return _same(headers.get("Linear-Signature", ""), digest)
        case "generic":
            signed = _same(headers.get("X-Hub-Signature-256", ""), f"sha256={digest}")
            return _same(headers.get("Authorization", ""), f"Bearer {secret}") or signed


def fresh(source: Source, body: Any, now: float) -> bool:
    """Whether it was sent just now, where who sends it says when; `now` in Unix seconds."""
    if source != "linear":
        return True
    sent = body.get("webhookTimestamp") if isinstance(body, dict) else None
    return isinstance(sent, int | float) and (now - FRESH) * 1000 <= sent <= (now + FRESH) * 1000


def _same(given: str, wanted: str) -> bool:
    one, other = (sha256(text.encode("utf-8", "surrogateescape")).digest() for text in (given, wanted))  # of the same length
    return hmac.compare_digest(one, other)
