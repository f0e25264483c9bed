"""What AgentCore's data plane says when it says no, in words. Pure."""

from dataclasses import dataclass

from bot import net
from bot.breaker import Down
from bot.errors import Unavailable
from bot.runtimes.claude_words import short
from bot.runtimes.shim_line import Busy

EXPIRED = frozenset({"ExpiredTokenException", "ExpiredToken", "TokenRefreshRequired"})
SKEWED = frozenset({"RequestTimeTooSkewed", "RequestExpired", "InvalidSignatureException", "SignatureDoesNotMatch"})
STRANGE = frozenset({
    "AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "UnauthorizedException", "InvalidClientTokenId",
    "MissingAuthenticationTokenException", "IncompleteSignature",
})  # fmt: skip
CROWDED = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "ServiceQuotaExceededException"})
PASSING = frozenset({"RetryableConflictException", "InternalServerException", "ServiceUnavailableException", "InternalFailure"})


@dataclass(frozen=True, slots=True)
class Place:
    """An agent runtime, and our session there; `file` names it."""

    url: str
    arn: str
    qualifier: str
    region: str
    file: str
    session: str
    private: bool

    @property
    def host(self) -> str:
        return net.host_of(self.url)

    @property
    def name(self) -> str:
        return f"AgentCore ({self.arn.rpartition('/')[2]})"


class Absent(Unavailable):
    """There is no such runtime there, or no such session of it."""


def worded(code: str, status: int, said: str, place: Place, credentials: str) -> Unavailable:
    """`said` has no secrets in it any more; `credentials` says where those are written."""
    told = f" It said: {short(said, 300)}" if said and "<html" not in said.lower() else ""
    name, file = place.name, place.file
    if code in EXPIRED or "expired" in said.lower():
        return Unavailable(f"{name} says that the credentials have expired: renew {credentials}.{told}")
    if code in SKEWED:
        return Unavailable(f"{name} does not accept the signature: look whether this machine's clock is right, and at {credentials}.{told}")
    if code == "RuntimeClientError" or status == 424:
        return _container(said, place, told)
    if code in STRANGE or status in (401, 403, 407):
        return Unavailable(f"{name} does not let us in ({code or status}): look at {credentials}, and at what they may do.{told}")
    if code in CROWDED or status == 429:
        return Busy(f"{name} was asked too often ({code or status}): try again later, or raise its quota.{told}")
    if code == "ResourceNotFoundException" or status == 404:
        return Absent(f"{name} is not there: look at options.arn and options.qualifier in {file}.{told}")
    if code in PASSING or status >= 500:
        return Down(f"{name} cannot answer now ({code or status}): try again later.{told}")
    return Unavailable(f"{name} refused what it was asked ({code or status}): look at the options in {file}.{told}")


def _container(said: str, place: Place, told: str) -> Unavailable:
    """What the container itself answered: our shim, or another."""
    if "401" in said:
        return Unavailable(f"The shim in {place.name} does not accept the token: options.token in {place.file} is not its SHIM_TOKEN.")
    if "404" in said or "405" in said:
        return Unavailable(f"There is no shim of ours in {place.name}: put one there, as deploy/agentcore shows.{told}")
    return Unavailable(f"The container in {place.name} refused what it was asked: look into its log.{told}")
