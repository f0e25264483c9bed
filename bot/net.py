"""What holds for everything that we reach elsewhere: which addresses, how often, with which secrets, and for how long."""

import asyncio
import ipaddress
import random
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

CONNECTING = 10.0  # seconds: however long an agent may think, the connection is there soon or never
CALL = 30.0  # seconds for one call
LARGEST = 16 << 20  # bytes of one event, and of one answer
RATE = 20.0  # requests a second to one host
TRIES, FIRST, LONGEST = 4, 0.2, 5.0  # of one request; seconds between two of them
PATIENCE = 20.0  # seconds that a platform may ask us to wait before we ask again
SHORTEST = 6  # characters: what is shorter is no secret, and would be taken out of words that only look like it
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Forbidden(OSError):
    """An address that the agent's file does not allow. Raised where the connection would be made, so that no name can lead there."""


def real(host: str) -> Address:
    """The address that a packet would go to, without the clothes of IPv6. Raises ValueError."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def barred(host: str, private: bool) -> str:
    """Why nothing may connect to this IP address; empty where it may."""
    address = real(host)
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return "it leads to an address that is no agent's: a cloud keeps its secrets there"
    if private or (address.is_global and not getattr(address, "is_site_local", False)):
        return ""
    return "it leads to a private address; if that is meant, set options.private to true"


def connector(private: bool, **more: Any) -> aiohttp.TCPConnector:
    """For clients upon aiohttp: it looks at each address itself, when it connects."""
    return aiohttp.TCPConnector(ssl=trust(), limit=0, socket_factory=guard(private), **more)


def guard(private: bool) -> Callable[[aiohttp.AddrInfoType], socket.socket]:
    """The same for SDKs that make their own connector."""

    def guarded(info: aiohttp.AddrInfoType) -> socket.socket:
        if why := barred(str(info[4][0]), private):
            raise Forbidden(why)
        return socket.socket(info[0], info[1], info[2])

    return guarded


@cache
def trust() -> ssl.SSLContext:
    """Whom we believe to be who they say: SSL_CERT_FILE counts."""
    return ssl.create_default_context()


def proxy(url: str) -> str | None:
    """The proxy that the environment names for this address. It then connects, and has to be careful in our place."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme) or getproxies().get("all")


def session(url: str, private: bool) -> aiohttp.ClientSession:
    """A client for one place, which remembers nothing. Raises Forbidden where a proxy could not be careful enough."""
    way, host = proxy(url), urlsplit(url).hostname or ""
    if way and re.fullmatch(r"[\d.]+|.*:.*|localhost", host) and (why := barred("127.0.0.1" if host == "localhost" else host, private)):
        raise Forbidden(why)
    return aiohttp.ClientSession(connector=connector(private or way is not None), proxy=way, cookie_jar=aiohttp.DummyCookieJar())


def host_of(url: str) -> str:
    """What people call the place."""
    parts = urlsplit(url)
    return parts.hostname + (f":{parts.port}" if parts.port else "") if parts.hostname else url


def checked(url: str) -> str:
    """The address, if it is one that may stand in a file. Raises ValueError, in words."""
    try:
        parts = urlsplit(url)
        named = parts.hostname and parts.port != 0
    except ValueError as error:
        raise ValueError(f"this is no address: {error}") from error
    if parts.scheme not in ("http", "https") or not named:
        raise ValueError("an address begins with https:// or http:// and names a host")
    if parts.username or parts.password:
        raise ValueError("credentials do not belong in an address; send them as options.headers")
    return url.rstrip("/")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Values that nobody may see, and that are taken out of whatever is told."""

    values: frozenset[str] = field(default=frozenset(), repr=False)

    @classmethod
    def of(cls, values: Iterable[str]) -> "Secrets":
        return cls(frozenset(value for value in values if len(value) >= SHORTEST))

    def mask(self, text: str) -> str:
        for value in self.values:
            if value in text:
                text = text.replace(value, "…")
        return text


def filled(text: str, environment: Mapping[str, str], place: str) -> str:
    """The text with each ${NAME} filled in. What is wrong is told without values, which are secret. Raises ValueError."""
    for name in VARIABLE.findall(text):
        if not environment.get(name, "").strip():
            raise ValueError(f"{place} needs the variable {name}: name it under `environment:`, and set it where frontdesk runs.")
    whole = VARIABLE.sub(lambda found: environment[found[1]].strip(), text)
    if not (whole.isascii() and whole.isprintable()):
        raise ValueError(f"{place} cannot be sent: its value has line breaks or letters that a header may not have.")
    return whole


_NEXT: dict[str, float] = {}


async def pace(host: str) -> None:
    """Wait until this host may be asked once more: many sessions do not ask it all at once."""
    now = time.monotonic()
    turn = max(now, _NEXT.get(host, 0.0))
    _NEXT[host] = turn + 1 / RATE
    if turn > now + 1 / RATE:  # the first few at once are no crowd
        await asyncio.sleep(turn - now)


def pause(tries: int) -> float:
    """Seconds before the next try, never the same for two who were cut at once."""
    return float(min(FIRST * 2**tries, LONGEST) * random.uniform(0.5, 1))


def asked_to_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds by Retry-After, where it says them."""
    value = headers.get("Retry-After", "").strip()
    return float(value) if re.fullmatch(r"\d{1,6}(\.\d+)?", value) else None
