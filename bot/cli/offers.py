"""What platforms offer: the agents that are there, each platform asked in its own way."""

import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot import net
from bot.errors import RuntimeFailed
from bot.runtimes.feed import Stalled, Unread, parsed, whole

Json = dict[str, Any]
MOST, PAGE = 1000, 100  # agents of one platform; of one answer
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}")
OBJECT = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")  # a name in Kubernetes
CARDS = ("/.well-known/agent-card.json", "/.well-known/agent.json")
MANAGED = {"anthropic-version": "2023-06-01", "anthropic-beta": "managed-agents-2026-04-01"}


class Missing(RuntimeFailed):
    """There is no such thing there."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An agent as its platform calls and describes it, and the options with which its file reaches it. Neither is to be trusted."""

    name: str
    description: str
    options: Mapping[str, Any]
    model: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a platform is. `variable` is the name under which files may have the key."""

    url: str
    key: str = field(default="", repr=False)
    variable: str = ""
    private: bool = False

    def options(self, **more: Any) -> Json:
        """What the files of all its agents have in common, and more; what is empty is left out."""
        common = {"url": self.url, "private": self.private, "key": self.variable}
        return {name: value for name, value in {**common, **more}.items() if value}

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


def spoken(words: object) -> str:
    """The same for whoever has a command line before them, and no agent's file."""
    return (
        str(words)
        .replace("set options.private to true", "say --private")
        .replace("send them as options.headers", "name their variable in --key")
    )


async def ask(address: Address, path: str, headers: Mapping[str, str], body: Any = None) -> Any:
    """One answer, as JSON. Raises RuntimeFailed, in words."""
    host = net.host_of(address.url)
    try:
        async with (
            net.session(address.url, address.private) as http,
            http.request(
                "GET" if body is None else "POST", address.url + path, headers={"Accept": "application/json", **headers}, json=body,
                allow_redirects=False, timeout=aiohttp.ClientTimeout(total=net.CALL, connect=net.CONNECTING),
            ) as answer,
        ):  # fmt: skip
            if answer.status >= 300:
                raise refused(answer.status, host, path)
            return parsed(await whole(answer.content.iter_any(), net.CALL))
    except (Unread, Stalled) as error:
        raise RuntimeFailed(f"{host} {error}: is that the platform's address?") from error
    except aiohttp.ClientConnectorError as error:
        raise RuntimeFailed(f"{host} cannot be asked: {spoken(error.os_error.strerror or error.os_error)}.") from error
    except (aiohttp.ClientError, OSError) as error:
        raise RuntimeFailed(f"{host} does not answer ({type(error).__name__} {spoken(error)}).") from error


def refused(code: int, host: str, path: str) -> RuntimeFailed:
    match code:
        case 401 | 403:
            return RuntimeFailed(f"{host} does not let us in ({code}): name the variable that holds the right key in --key.")
        case 404 | 405:
            return Missing(f"{host} has nothing at {path} ({code}): is that the platform, and its address?")
        case 429:
            return RuntimeFailed(f"{host} was asked too often (429): try again later.")
        case _ if code < 400:
            return RuntimeFailed(f"{host} sends us elsewhere ({code}), where our key does not belong: give the right address.")
    return RuntimeFailed(f"{host} cannot answer now ({code}).")


def rows(told: Any, *keys: str) -> list[Json]:
    """The objects in an answer, which is a list or has one under such a key."""
    found = told if isinstance(told, list) else next((told[key] for key in keys if isinstance(told, dict) and key in told), None)
    if not isinstance(found, list):
        raise RuntimeFailed("The answer has no list of agents: is that the platform, and its address?")
    return _objects(found)


def _objects(told: Any) -> list[Json]:
    return [row for row in told if isinstance(row, dict)] if isinstance(told, list) else []


async def managed_agents(address: Address) -> list[Offer]:
    """Claude Managed Agents, and every bridge that speaks like it."""
    found, page = list[Offer](), ""
    while len(found) < MOST:
        path = f"/v1/agents?limit={PAGE}" + (f"&page={page}" if page else "")
        told = await ask(address, path, {**MANAGED, **({"x-api-key": address.key} if address.key else {})})
        for row in rows(told, "data"):
            if named(row.get("id")):
                found.append(Offer(str(row.get("name")), str(row.get("description") or ""), address.options(agent=row["id"])))
        page = str(told.get("next_page") or "") if isinstance(told, dict) else ""
        if not ID.fullmatch(page):
            break
    return found


async def a2a(address: Address) -> list[Offer]:
    """The one agent whose card is at this address."""
    for path in [""] if address.url.endswith(".json") else CARDS:
        try:
            card = await ask(address, path, address.bearer)
            break
        except Missing:
            if path in ("", CARDS[-1]):
                raise
    if not isinstance(card, dict) or not ({"url", "supportedInterfaces"} & card.keys()):
        raise RuntimeFailed("What is there is no A2A card: give the agent's base address, or its card's.")
    return [Offer(str(card.get("name")), str(card.get("description") or ""), _carried(address, address.url))]


def _carried(address: Address, url: str) -> Json:
    headers = {"Authorization": f"Bearer ${address.variable}"} if address.variable else {}
    return address.options(url=url, key="", headers=headers)


async def kagent(address: Address) -> list[Offer]:
    """kagent's agents, which then are asked by A2A."""
    try:
        told = await ask(address, "/api/agents", address.bearer)
    except Missing as error:
        words = f"import each by its card, as a2a {address.url}/agents/NAMESPACE/NAME"
        raise RuntimeFailed(f"{net.host_of(address.url)} does not list its agents, as kagent 1.x does not: {words}") from error
    found = []
    for row in rows(told, "data"):
        agent = _at(row, "agent") or row
        names = [str(_at(agent, "metadata").get(key) or "") for key in ("namespace", "name")]
        if all(map(OBJECT.fullmatch, names)):
            about = str(_at(agent, "spec").get("description") or "")
            found.append(Offer(names[1], about, _carried(address, f"{address.url}/api/a2a/{'/'.join(names)}")))
    return found


async def langgraph(address: Address) -> list[Offer]:
    """The assistants of a LangGraph server. Each graph has one of its own, which is called like it."""
    found = list[Offer]()
    while len(found) < MOST:
        body = {"limit": PAGE, "offset": len(found)}
        page = rows(await ask(address, "/assistants/search", {"x-api-key": address.key} if address.key else {}, body))
        found += [_assistant(address, row) for row in page]
        if len(page) < PAGE:
            break
    return [offer for offer in found if named(offer.options.get("assistant"))]


def _assistant(address: Address, row: Json) -> Offer:
    graph = str(row.get("graph_id"))
    own = _at(row, "metadata").get("created_by") == "system"  # its id is another where the server is set up anew
    options = address.options(assistant=graph if own else row.get("assistant_id"))
    return Offer(graph if own else str(row.get("name") or graph), str(row.get("description") or ""), options)


async def litellm_platform(address: Address) -> list[Offer]:
    """The agents of LiteLLM's agent control plane."""
    found = []
    for row in rows(await ask(address, "/api/agents", address.bearer), "agents", "data"):
        on = row.get("runtime") or _at(row, "config").get("runtime") or row.get("harness")
        if named(row.get("id")) and named(on):
            options = address.options(agent=row["id"], on=on)
            found.append(Offer(str(row.get("name")), str(row.get("description") or ""), options))
    return found


async def kelos(address: Address) -> list[Offer]:
    """The Sessions in a Kelos console, as models of Sessions of our own: with the same harness, credentials and workspace."""
    found = []
    for row in rows(await ask(address, "/api/sessions", address.bearer))[:PAGE]:
        names = [str(row.get(key) or "") for key in ("namespace", "name")]
        if not all(map(OBJECT.fullmatch, names)):
            continue
        told = await ask(address, f"/api/sessions/{'/'.join(names)}", address.bearer)
        worker = _at(told, "manifest", "spec", "worker")
        given, space = _at(worker, "credentials"), _at(worker, "workspaceRef")
        configs = [ref["name"] for ref in _objects(worker.get("agentConfigRefs")) if named(ref.get("name"))]
        words = {name: _word(worker, name) for name in ("type", "effort", "image")}
        secret = {"credentials": _word(given, "type"), "secret": _word(_at(given, "secretRef"), "name")}
        options = {**words, **secret, "workspace": _word(space, "name"), "configs": configs}
        about, called = f"{worker.get('type') or 'An agent'} as in the Session {names[1]}", str(row.get("displayName") or names[1])
        place = {"url": "", "console": address.url, "namespace": names[0]}
        found.append(Offer(called, about, address.options(**place, **options), _word(worker, "model")))
    return found


def _at(told: Any, *path: str) -> Json:
    for key in path:
        told = told.get(key) if isinstance(told, dict) else None
    return told if isinstance(told, dict) else {}


def _word(told: Json, key: str) -> str:
    return str(told[key]) if WORD.fullmatch(str(told.get(key) or "")) else ""


def named(id: Any) -> bool:
    return isinstance(id, str) and bool(ID.fullmatch(id))


@dataclass(frozen=True, slots=True)
class Platform:
    """`runtime` is what its agents' files name."""

    runtime: str
    offers: Callable[[Address], Coroutine[Any, Any, list[Offer]]]


PLATFORMS = {
    "managed_agents": Platform("managed_agents", managed_agents),
    "a2a": Platform("a2a", a2a),
    "langgraph": Platform("langgraph", langgraph),
    "litellm_platform": Platform("litellm_platform", litellm_platform),
    "kelos": Platform("kelos", kelos),
    "kagent": Platform("a2a", kagent),
}
