"""As whom we come to a platform: with a token that is fetched by OAuth's client credentials, or with a certificate; and where we may go."""

import ssl
from dataclasses import dataclass
from functools import cache

import httpx

from bot import net
from bot.errors import Unavailable
from bot.runtimes.oauth import Credentials, Flow


@dataclass(frozen=True, slots=True)
class Pass:
    """Whoever agrees in all of it shares connections. `private` allows addresses of our own network, `local` means this very machine;
    `tls` are the files of a certificate, its key, and an authority.
    """

    private: bool = False
    local: bool = False
    client: Credentials | None = None
    tls: tuple[str, str, str] | None = None

    def trust(self) -> ssl.SSLContext:
        return _trust(*self.tls) if self.tls else net.trust()


@cache
def _trust(certificate: str, key: str, authority: str) -> ssl.SSLContext:
    """Raises Unavailable where a file is none."""
    try:
        context = ssl.create_default_context(cafile=authority or None)
        context.load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        why = getattr(error, "strerror", None) or str(error)
        raise Unavailable(f"options.tls cannot be used ({why}): look at the files that it names; they have to be PEM.") from error
    return context


class Bearer(Flow, httpx.Auth):
    """With a token that is fetched."""
