"""A Kubernetes cluster, by its own client: whatever is there, read, made and taken away, with its errors in words."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp
from kubernetes_asyncio import config
from kubernetes_asyncio.client import ApiClient, Configuration, CoreV1Api
from kubernetes_asyncio.config import ConfigException
from kubernetes_asyncio.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION
from kubernetes_asyncio.stream import WsApiClient
from pydantic import BaseModel, ConfigDict

from bot import net
from bot.breaker import BREAKER, Down
from bot.errors import Unavailable
from bot.runtimes import feed
from bot.runtimes.claude_words import short
from bot.runtimes.shim_line import SAID, Chunks, Cut, passing
from bot.spoken import Json

INSIDE = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
TIMEOUT = aiohttp.ClientTimeout(total=None, connect=net.CONNECTING)
BACKGROUND = {"propagationPolicy": "Background"}


class Missing(Unavailable):
    """There is no such thing in the cluster."""


class Taken(Unavailable):
    """There is one of that name already."""


class ClusterOptions(BaseModel):
    """Which cluster, and where in it. The kubeconfig, or the cluster in which frontdesk runs, says whom we trust and as whom we come."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    namespace: str = "default"
    """Where it is made."""
    kubeconfig: Path | None = None
    """The file that says how to reach the cluster; by default the one of kubectl, or the cluster in which frontdesk itself runs."""
    context: str = ""
    """Which context of that file."""


class Line:
    """Open it before use. `file` names the options."""

    def __init__(self, options: ClusterOptions, file: str) -> None:
        self.options, self.file = options, file
        self.host = "the cluster"
        self._found = Configuration()
        self._api: Any = None

    async def __aenter__(self) -> Self:
        given, found = self.options, self._found
        try:
            if not given.kubeconfig and not given.context and await asyncio.to_thread(INSIDE.exists):
                inside: Any = config.load_incluster_config
                inside(client_configuration=found)
            else:
                await asyncio.to_thread(_there, given.kubeconfig)
                await config.load_kube_config(
                    str(given.kubeconfig) if given.kubeconfig else None, given.context or None, client_configuration=found
                )
        except (ConfigException, OSError, ValueError) as error:
            raise Unavailable(
                f"The cluster is not known ({short(str(error), 200)}): look at options.kubeconfig and options.context in {self.file}."
            ) from error
        self.host = net.host_of(str(found.host))
        self._api = _staying(ApiClient(found))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._api:
            await self._api.close()

    def path(self, kind: str, name: str = "", api: str = "api/v1") -> str:
        """Where things of a kind are; `api` as apis/batch/v1."""
        return f"/{api}/namespaces/{self.options.namespace}/{kind}" + (f"/{name}" if name else "")

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        return await self._json("GET", path, None, query)

    async def find(self, path: str) -> Json | None:
        try:
            return await self.get(path)
        except Missing:
            return None

    async def make(self, path: str, body: Json) -> Json:
        """Raises Taken where there is one of that name."""
        return await self._json("POST", path, body)

    async def drop(self, path: str) -> None:
        """It may be gone already."""
        try:
            await self._json("DELETE", path, {"kind": "DeleteOptions", "apiVersion": "v1", **BACKGROUND})
        except Missing:
            return

    async def patch(self, path: str, body: Json) -> Json:
        return await self._json("PATCH", path, body, kind="application/merge-patch+json")

    async def read(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Plain text, as a log is."""
        with BREAKER.through(self.host):
            response = await self._asked("GET", path, None, "application/json", net.CALL, query)
        try:
            return (await feed.whole(response.content.iter_any(), net.CALL)).decode("utf-8", "replace")
        except feed.Unread as error:
            raise Unavailable(f"{self.host} {error}.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from error
        finally:
            response.close()

    @asynccontextmanager
    async def posted(self, path: str, body: bytes, headers: Mapping[str, str], limit: float) -> AsyncIterator[Chunks]:
        """What something in the cluster answers, behind its API server."""
        with BREAKER.through(self.host):
            response = await self._asked("POST", path, body, "application/octet-stream", limit, None, headers)
        try:
            yield self._chunks(response)
        finally:
            response.close()

    @asynccontextmanager
    async def attached(
        self, pod: str, container: str, command: Sequence[str], beat: float
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A command in a container, and its streams."""
        await net.pace(self.host)
        api = _staying(WsApiClient(self._found, heartbeat=beat))
        try:
            core: Any = CoreV1Api(api)
            made = await core.connect_get_namespaced_pod_exec(
                pod, self.options.namespace, container=container, command=list(command), stdin=True, stdout=True, stderr=True, tty=False,
                _preload_content=False,
            )  # fmt: skip
            async with AsyncExitStack() as stack:
                yield await self._opened(stack, made)
        finally:
            await api.close()

    async def _opened(self, stack: AsyncExitStack, made: Any) -> aiohttp.ClientWebSocketResponse:
        try:
            async with asyncio.timeout(net.CALL):
                opened: aiohttp.ClientWebSocketResponse = await stack.enter_async_context(made)
                return opened
        except aiohttp.WSServerHandshakeError as error:
            raise self._said(error.status, "", "pods/exec") from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from error

    async def _chunks(self, response: aiohttp.ClientResponse) -> Chunks:
        try:
            async for chunk in response.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise Cut(f"The connection to {self.host} broke ({type(error).__name__}).") from error

    async def _json(
        self, verb: str, path: str, body: Json | None, query: Mapping[str, str] | None = None, kind: str = "application/json"
    ) -> Json:
        with BREAKER.through(self.host):
            response = await self._asked(verb, path, body, kind, net.CALL, query)
        try:
            said = feed.parsed(await feed.whole(response.content.iter_any(), net.CALL))
        except feed.Unread as error:
            raise Unavailable(f"{self.host} {error}, so it is no Kubernetes: look at options.kubeconfig in {self.file}.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from error
        finally:
            response.close()
        return said if isinstance(said, dict) else {}

    async def _asked(
        self,
        verb: str,
        path: str,
        body: Any,
        kind: str,
        limit: float,
        query: Mapping[str, str] | None,
        more: Mapping[str, str] | None = None,
    ) -> aiohttp.ClientResponse:
        await net.pace(self.host)
        pairs: Sequence[tuple[str, str]] = list((query or {}).items())
        headers = {"Accept": "application/json, */*", "Content-Type": kind, **(more or {})}
        try:
            async with asyncio.timeout(limit):
                response: aiohttp.ClientResponse = await self._api.call_api(
                    path, verb, query_params=pairs, header_params=headers, body=body, auth_settings=["BearerToken"], _preload_content=False,
                    _return_http_data_only=True, _request_timeout=TIMEOUT,
                )  # fmt: skip
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from error
        if response.status < 300:
            return response
        try:
            raise await self._refused(response, path)
        finally:
            response.close()

    async def _refused(self, response: aiohttp.ClientResponse, path: str) -> Unavailable:
        try:
            said = _message((await response.content.read(SAID)).decode("utf-8", "replace"))
        except (aiohttp.ClientError, OSError):
            said = ""
        return self._said(response.status, said, path)

    def _said(self, code: int, said: str, path: str) -> Unavailable:
        place, told = f"the cluster of {self.file} ({self.host})", f" It said: {short(said, 300)}" if said else ""
        match code:
            case 401:
                return Unavailable(
                    f"{place} does not know us (401): the credentials of options.kubeconfig are wrong, or have expired.{told}"
                )
            case 403:
                return Unavailable(f"{place} does not allow it (403): give frontdesk's role the right, or raise the quota.{told}")
            case 404:
                return Missing(f"{place} has none of that ({path}): is what it belongs to installed there?{told}")
            case 409:
                return Taken(f"{place} has one of that name already.{told}")
        return passing(place, code, told) or Unavailable(f"{place} refused it ({code}): look at the options in {self.file}.{told}")

    def _broken(self, error: Exception) -> Unavailable:
        match error:
            case net.Onward():
                return Unavailable(
                    f"{self.host} sends us on to {error}, which is no cluster of ours: look at options.kubeconfig in {self.file}."
                )
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
                return Unavailable(f"{self.host} cannot be trusted: look at the certificate in options.kubeconfig of {self.file}.")
            case TimeoutError():
                return Down(f"{self.host} did not answer in time: try again later.")
        return Down(f"{self.host} cannot be reached ({type(error).__name__}): look at options.kubeconfig in {self.file}.")


def _staying(api: Any) -> Any:
    """Its client would go where it is sent, and take along what is for a pod."""
    api.rest_client.pool_manager.trace_configs.append(net.staying())
    return api


def _there(file: Path | None) -> None:
    """Its client would only log where there is none. Raises ConfigException."""
    names = str(file or KUBE_CONFIG_DEFAULT_LOCATION)
    if not any(Path(name).expanduser().is_file() for name in names.split(os.pathsep) if name):
        raise ConfigException(f"there is no {names}")


def _message(said: str) -> str:
    """Kubernetes' words, without the JSON around them; a web page says nothing."""
    try:
        told = json.loads(said)
    except ValueError:
        return "" if "<html" in said.lower() else said
    return str(told.get("message") or told.get("error") or "") if isinstance(told, dict) else ""
