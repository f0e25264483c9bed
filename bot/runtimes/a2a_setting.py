"""What an A2A agent's file may say of it, and as whom we come."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bot import net
from bot.ports import Turn
from bot.runtimes import oauth
from bot.runtimes.httpx_pass import Pass
from bot.runtimes.oauth import OAuth, filled


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TLS(Strict):
    """Files in PEM: our `certificate` with its `key`, and the `authority` that vouches for the agent, where that is one of your own."""

    certificate: str
    key: str
    authority: str = ""


class A2AOptions(Strict):
    """The `options` of an agent that speaks A2A."""

    url: str
    """The agent's base address, or that of its card."""
    endpoint: str = ""
    """Where it is asked, in place of the address that its card gives."""
    private: bool = False
    """Whether the address may be a private one, as on this machine or in a company's network."""
    headers: net.Headers = {}
    """Sent with every request; their values may name variables ($TOKEN) that are named under `environment:`."""
    oauth: OAuth | None = None
    """A token is fetched: `url`, and the variables with `client` and `secret`; `scope` and `audience` where the platform wants them."""
    tls: TLS | None = None
    """We show a certificate: the files `certificate` and `key` in PEM, and `authority` where the agent's own needs it."""
    signed_by: str = ""
    """A public key in PEM: with it a card counts only if it is signed."""
    protocol: Literal["auto", "0.3", "1.0"] = "auto"
    """The version of A2A that is spoken; by default what the card says."""
    timeout: float = Field(default=30, gt=0)
    """Seconds for a short request."""
    silence: float = Field(default=600, gt=0)
    """Seconds between two events, after which the connection is made anew."""
    patience: float = Field(default=60, ge=0)
    """Seconds to get a lost connection back."""

    @field_validator("url", "endpoint")
    @classmethod
    def _address(cls, url: str) -> str:
        return url if net.checked(url) else ""

    @field_validator("signed_by")
    @classmethod
    def _public(cls, key: str) -> str:
        if key and not key.lstrip().startswith("-----BEGIN PUBLIC KEY-----"):
            raise ValueError("write the public key in PEM, which begins with -----BEGIN PUBLIC KEY-----")
        return key

    @field_validator("protocol", mode="before")
    @classmethod
    def _written(cls, protocol: Any) -> Any:
        return str(protocol)  # YAML reads 0.3 as a number


def headers(options: A2AOptions, turn: Turn) -> dict[str, str]:
    """The headers with their variables filled in. Raises Unavailable, without the values, which are secret."""
    return {name: filled(value, turn, f"headers.{name}") for name, value in options.headers.items()}


def credentials(options: A2AOptions, turn: Turn) -> Pass:
    """As whom we come beside the headers. Raises Unavailable."""
    tls, client = options.tls, oauth.credentials(options.oauth, turn) if options.oauth else None
    return Pass(options.private, client=client, tls=(tls.certificate, tls.key, tls.authority) if tls else None)
