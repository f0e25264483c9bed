"""What holds for everything that we reach elsewhere: which addresses, how often, with which secrets, and for how long."""

import asyncio
import ipaddress
import random
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from pydantic import AfterValidator

from bot.errors import RuntimeFailed

CONNECTING = 10.0  # seconds: however long an agent may think, the connection is there soon or never
CALL = 30.0  # seconds for one call
LARGEST = 16 << 20  # bytes of one event, and of one answer
RATE = 20.0  # requests a second to one host
TRIES, FIRST, LONGEST = 4, 0.2, 5.0  # of one request; seconds between two of them
PATIENCE = 20.0  # seconds that a platform may ask us to wait before we ask again
SHORTEST = 6  # characters: what is shorter is no secret, and would be taken out of words that only look like it
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
WRAPPED = [ipaddress.ip_network(each) for each in ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")]  # an IPv4 address is their end
LOCAL = ipaddress.ip_network("64:ff9b:1::/48")
CLOUDS = frozenset(map(ipaddress.ip_address, (
    "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
)))  # fmt: skip
"""Where clouds keep their secrets, beside what is link-local."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Forbidden(OSError):
    """An address that the agent's file does not allow. Raised where the connection would be made, so that no name can lead there."""


class Onward(aiohttp.ClientError):
    """We are sent on to another place, which `str()` names as far as one may: what we say is for nobody there."""


def real(host: str) -> Address:
    """The address that a packet would go to, without the clothes of IPv6. Raises ValueError."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if any(address in each for each in WRAPPED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def barred(host: str, private: bool) -> str:
    """Why nothing may connect to this IP address; empty where it may."""
    address = real(host)
    if address.is_link_local or address.is_multicast or address.is_unspecified or address in CLOUDS:
        return "it leads to an address that is no agent's: a cloud keeps its secrets there"
    if private or (address.is_global and address not in LOCAL and not getattr(address, "is_site_local", False)):
        return ""
    return "it leads to a private address; if that is meant, set options.private to true"


def named(host: str, private: bool) -> str:
    """The same for a name that a proxy would look up, as far as the name itself says where it leads."""
    bare = "127.0.0.1" if re.fullmatch(r"(.*\.)?localhost\.?", host) else host
    with suppress(OSError):  # 127.1, 0x7f.1 and 2130706433 are addresses too
        bare = socket.inet_ntoa(socket.inet_aton(bare.rstrip(".")))
    try:
        return barred(bare, private)
    except ValueError:
        return ""


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
    if way and (why := named(host, private)):
        raise Forbidden(why)
    there = connector(private or way is not None)
    return aiohttp.ClientSession(connector=there, proxy=way, cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[staying()])


def staying() -> aiohttp.TraceConfig:
    """For clients upon aiohttp, also those of SDKs, and for web sockets: whoever is sent on raises Onward."""

    async def stay(_: aiohttp.ClientSession, __: Any, told: aiohttp.TraceRequestRedirectParams) -> None:
        told.response.close()
        raise Onward(onward(told.response.headers.get("Location", "")))

    config = aiohttp.TraceConfig()
    config.on_request_redirect.append(stay)
    config.freeze()
    return config


def host_of(url: str) -> str:
    """What people call the place."""
    parts = urlsplit(url)
    return parts.hostname + (f":{parts.port}" if parts.port else "") if parts.hostname else url


def onward(location: str) -> str:
    """Where somebody sends us on to: the host, and nothing of what else they may write there."""
    try:
        there = host_of(location)
    except ValueError:
        there = ""
    return there if re.fullmatch(r"[A-Za-z0-9.:-]{1,260}", there) else "somewhere else"


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


def spelled(name: str) -> str:
    """A variable's name. Raises ValueError, for it may well be a key that stands in its place."""
    if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError("write the variable's name here, like OPENAI_API_KEY, and never what it holds")
    return name


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


def titled(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers, if each may be called so. Raises ValueError, in words."""
    for name in headers:
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            raise ValueError(f"{name!r} cannot be the name of a header")
    return headers


Url = Annotated[str, AfterValidator(checked)]
"""An address in an agent's file."""
AnyUrl = Annotated[str, AfterValidator(lambda url: checked(url) if url else url)]
"""One that may be left out."""
Variable = Annotated[str, AfterValidator(spelled)]
"""What holds a key; may be empty where none is needed."""
Headers = Annotated[Mapping[str, str], AfterValidator(titled)]

_NEXT: dict[str, float] = {}
_ENDING = ContextVar("ending", default=False)


@asynccontextmanager
async def ending(seconds: float) -> AsyncIterator[None]:
    """Around what ends work elsewhere: it goes before all that waits for its turn; it may fail, but takes no longer than this."""
    token = _ENDING.set(True)
    try:
        with suppress(RuntimeFailed, TimeoutError):
            async with asyncio.timeout(seconds):
                yield
    finally:
        _ENDING.reset(token)


async def pace(host: str) -> None:
    """Wait until this host may be asked once more: many sessions do not ask it all at once."""
    if _ENDING.get():
        return
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
