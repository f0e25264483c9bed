"""An A2A agent's card: where it stands, who has signed it, and whether what it says holds together."""

import re

import httpx
from a2a.client import A2ACardResolver
from a2a.client.errors import AgentCardResolutionError
from a2a.types import AgentCard
from a2a.utils.constants import AGENT_CARD_WELL_KNOWN_PATH
from a2a.utils.signing import SignatureVerificationError, create_signature_verifier

from bot.errors import Unavailable
from bot.runtimes.a2a_human import EXTENSION

BINDINGS = ["JSONRPC", "HTTP+JSON"]
PLACES = (AGENT_CARD_WELL_KNOWN_PATH, "/.well-known/agent.json")  # the second is where 0.2 and older had it
ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"]  # none with a shared secret
SPOKEN = re.compile(r"(0\.[23]|1)(\.\d+)*")


async def read(http: httpx.AsyncClient, url: str, given: dict[str, object], signed_by: str) -> AgentCard:
    """The card at this address, or of the agent there. Raises Unavailable, and what the SDK raises."""
    places = ("",) if httpx.URL(url).path.endswith(".json") else PLACES
    verify = create_signature_verifier(lambda *_: signed_by, ALGORITHMS) if signed_by else None
    for place in places:
        try:
            return await A2ACardResolver(http, url, place).get_agent_card(http_kwargs=given, signature_verifier=verify)
        except SignatureVerificationError as error:
            raise Unavailable(
                f"The card of {url} is not signed with the key of options.signed_by: do not trust it, or correct the key."
            ) from error
        except AgentCardResolutionError as error:
            if error.status_code != httpx.codes.NOT_FOUND or place == places[-1]:
                raise
    raise AssertionError


def check(card: AgentCard, url: str, endpoint: str, *, secret: bool, private: bool) -> None:
    """Raises Unavailable where the card asks for what we cannot, or must not."""
    versions = {face.protocol_version for face in card.supported_interfaces}
    if versions and not any(SPOKEN.fullmatch(version) for version in versions):
        raise Unavailable(f"{url} speaks A2A {', '.join(sorted(versions))}, and we 0.3 and 1.0: look for a newer frontdesk.")
    here, ours = httpx.URL(url), [httpx.URL(face.url) for face in card.supported_interfaces if face.protocol_binding in BINDINGS]
    away = {there.host for there in ours if there.host != here.host}
    if away and secret and not endpoint:
        raise Unavailable(f"The card of {url} sends our credentials to {min(away)}: set options.endpoint if they belong there.")
    if away and private and not endpoint:
        raise Unavailable(f"The card of {url} leads into your network, to {min(away)}: set options.endpoint if that is meant.")
    if secret and not endpoint and here.scheme == "https" and any(there.scheme == "http" for there in ours):
        raise Unavailable(f"The card of {url} wants our credentials without encryption: set options.endpoint if that is meant.")


def extensions(card: AgentCard) -> dict[str, str]:
    """The header that asks for the extensions that we know, of those that the agent has."""
    known = [one.uri for one in card.capabilities.extensions if one.uri == EXTENSION]
    return {"A2A-Extensions": ", ".join(known)} if known else {}
