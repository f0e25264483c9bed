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
    """`url` is the agent's base address, or its card's; `endpoint` stands in for the address that the card gives, and `private` allows
    addresses of your own network. Values of `headers` may name variables ($TOKEN); `oauth` fetches a token, `tls` shows a
    certificate. `signed_by` is a public key in PEM: with it a card counts only if it is signed. Seconds: `timeout` for short
    requests, `silence` between two events, `patience` to get a lost connection back.
    """

    url: str
    endpoint: str = ""
    private: bool = False
    headers: net.Headers = {}
    oauth: OAuth | None = None
    tls: TLS | None = None
    signed_by: str = ""
    protocol: Literal["auto", "0.3", "1.0"] = "auto"
    timeout: float = Field(default=30, gt=0)
    silence: float = Field(default=600, gt=0)
    patience: float = Field(default=60, ge=0)

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
