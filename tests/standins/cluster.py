"""A stand-in for a Kubernetes API server: it keeps objects, and passes on what is sent to pods.

What is made is held against Kubernetes' own published schemas (kubernetes-validate); of kinds that are not its own, each has a function in
`kinds` that says what is wrong. `pod` is the state of pods that are made for Jobs and Sandboxes; `container` is what runs in them.
`refuse` is what it answers in place of the next requests; `cut` is after how many bytes it breaks the next answers of pods.
"""

import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import kubernetes_validate
import yaml
from aiohttp import web

from tests.standins.site import Site

Json = dict[str, Any]
READY: Json = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
VERSION = "1.33"
ACCESS = Path(__file__).parents[2] / "deploy" / "kubernetes" / "access"


class Cluster(Site):
    """`async with Cluster(container) as cluster:` serves on loopback."""

    def __init__(self, container: str = "", token: str = "the-cluster-token") -> None:
        self.container, self.token = container, token
        self.objects: dict[tuple[str, str], Json] = {}
        self.kinds: dict[str, Callable[[Json], str]] = {"Sandbox": sandbox}
        self.pod: Json = READY
        self.logs: dict[str, str] = {}
        self.refuse: list[tuple[int, str]] = []
        self.cut: list[int] = []
        self.page = False
        self.dropped: list[str] = []
        self.orders: list[Json] = []
        self.changed: Callable[[Json], None] = lambda thing: None
        self._numbers = itertools.count(1)
        app = web.Application(client_max_size=100 << 20, middlewares=[self._known])
        for api in ("/api/v1", "/apis/{group}/{version}"):
            app.router.add_get(f"{api}/namespaces/desk/{{kind}}", self._list)
            app.router.add_post(f"{api}/namespaces/desk/{{kind}}", self._make)
            app.router.add_get(f"{api}/namespaces/desk/{{kind}}/{{name}}", self._get)
            app.router.add_delete(f"{api}/namespaces/desk/{{kind}}/{{name}}", self._drop)
        app.router.add_get("/api/v1/namespaces/desk/pods/{name}/log", self._log)
        app.router.add_post("/api/v1/namespaces/desk/pods/{name}:8080/proxy/invocations", self._pass)
        self.app = app

    async def up(self, port: int = 0) -> None:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        await super().up(port)

    async def down(self) -> None:
        await super().down()
        await self._http.close()

    def kubeconfig(self, file: Path, token: str = "") -> Path:
        """The file by which clients find it."""
        context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
        user = {"name": "u", "user": {"token": token or self.token}}
        whole = {
            "apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [context], "users": [user],
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
        }  # fmt: skip
        file.write_text(yaml.safe_dump(whole), "utf-8")
        return file

    def all(self, kind: str) -> list[Json]:
        return [thing for (of, _), thing in self.objects.items() if of == kind]

    @web.middleware
    async def _known(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.page:
            return web.Response(text="<html>Sign in</html>", content_type="text/html")
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return status(401, "Unauthorized")
        if "/namespaces/" in request.path and (wanted := right(request)) not in RIGHTS:
            return status(403, f"the roles of deploy/kubernetes/access do not allow {wanted}")
        if self.refuse:
            return status(*self.refuse.pop(0))
        return await handler(request)  # type: ignore[no-any-return]

    async def _list(self, request: web.Request) -> web.Response:
        wanted = dict(pair.split("=") for pair in request.query.get("labelSelector", "").split(",") if pair)
        found = [thing for thing in self.all(request.match_info["kind"]) if wanted.items() <= thing["metadata"].get("labels", {}).items()]
        return web.json_response({"kind": "List", "items": found})

    async def _get(self, request: web.Request) -> web.Response:
        kind, name = request.match_info["kind"], request.match_info["name"]
        thing = self.objects.get((kind, name))
        return web.json_response(thing) if thing else status(404, f'{kind} "{name}" not found')

    async def _make(self, request: web.Request) -> web.Response:
        kind, thing = request.match_info["kind"], await request.json()
        if why := self._wrong(thing):
            return status(422, why)
        if (kind, (name := thing["metadata"]["name"])) in self.objects:
            return status(409, f'{kind} "{name}" already exists')
        thing["metadata"] |= {"uid": f"u{next(self._numbers)}", "creationTimestamp": f"2026-01-01T00:00:{next(self._numbers):02}Z"}
        self.objects[kind, name] = thing
        template = thing["spec"].get("template") or thing["spec"].get("podTemplate")
        if template:
            self.put_pod(f"{name}-pod{next(self._numbers)}", template["metadata"]["labels"])
        self.changed(thing)
        return web.json_response(thing, status=201)

    def put_pod(self, name: str, labels: Json) -> Json:
        meta = {"name": name, "labels": labels, "creationTimestamp": f"2026-01-01T00:00:{next(self._numbers):02}Z"}
        self.objects["pods", name] = {"kind": "Pod", "metadata": meta, "status": self.pod}
        return self.objects["pods", name]

    def _wrong(self, thing: Json) -> str:
        if check := self.kinds.get(thing["kind"]):
            return check(thing)
        try:
            kubernetes_validate.validate(thing, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            return str(error)
        return ""

    async def _drop(self, request: web.Request) -> web.Response:
        kind, name = request.match_info["kind"], request.match_info["name"]
        if not self.objects.pop((kind, name), None):
            return status(404, f'{kind} "{name}" not found')
        self.dropped.append(name)
        for key in [key for key in self.objects if key[0] == "pods" and key[1].startswith(name)]:
            del self.objects[key]
        return web.json_response({"kind": "Status", "status": "Success"})

    async def _log(self, request: web.Request) -> web.Response:
        return web.Response(text=self.logs.get(request.match_info["name"], ""))

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        if ("pods", request.match_info["name"]) not in self.objects:
            return status(404, f'pods "{request.match_info["name"]}" not found')
        body = await request.read()
        self.orders.append(json.loads(body))
        headers = {name: value for name, value in request.headers.items() if name.startswith("X-") or name == "Content-Type"}
        try:
            async with self._http.post(f"{self.container}/invocations", data=body, headers=headers) as inner:
                return await self._stream(request, inner)
        except aiohttp.ClientConnectorError:
            return status(503, "error trying to reach service: connection refused")

    async def _stream(self, request: web.Request, inner: aiohttp.ClientResponse) -> web.StreamResponse:
        left = self.cut.pop(0) if self.cut and "event-stream" in inner.content_type else 1 << 40
        response = web.StreamResponse(status=inner.status, headers={"Content-Type": inner.headers["Content-Type"]})
        await response.prepare(request)
        with suppress(ConnectionError):
            async for chunk in inner.content.iter_any():
                await response.write(chunk[:left])
                left -= len(chunk)
                if left <= 0 and request.transport:
                    request.transport.abort()
                    break
        return response


def rights() -> set[tuple[str, str, str]]:
    """What the roles that we publish allow: the group, the resource and the verb."""
    roles = [thing for file in ACCESS.glob("k*.yaml") for thing in yaml.safe_load_all(file.read_text("utf-8")) if thing["kind"] == "Role"]
    rules = [rule for role in roles for rule in role["rules"]]
    return {each for rule in rules for each in itertools.product(rule["apiGroups"], rule["resources"], rule["verbs"])}


RIGHTS = rights()


def right(request: web.Request) -> tuple[str, str, str]:
    """What a request needs, as an API server sees it."""
    before, _, after = request.path.partition("/namespaces/desk/")
    group = before.split("/")[2] if before.startswith("/apis/") else ""
    kind, *named = after.split("/")
    verbs = {"GET": "get" if named else "list", "POST": "create", "DELETE": "delete", "PATCH": "patch"}
    return group, "/".join([kind, *named[1:2]]), verbs[request.method]


def sandbox(thing: Json) -> str:
    """What is wrong with a Sandbox (agents.x-k8s.io/v1beta1): its pod is held against Kubernetes' schema."""
    spec = thing["spec"]
    odd = spec.keys() - {"podTemplate", "volumeClaimTemplates", "service", "shutdownTime", "shutdownPolicy", "operatingMode"}
    if odd or thing["apiVersion"] != "agents.x-k8s.io/v1beta1":
        return f"unknown fields: {odd}, or version: {thing['apiVersion']}"
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", **spec["podTemplate"]["metadata"]},
        "spec": spec["podTemplate"]["spec"],
    }
    try:
        kubernetes_validate.validate(pod, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error)
    return ""


def status(code: int, words: str) -> web.Response:
    return web.json_response({"kind": "Status", "status": "Failure", "message": words, "code": code}, status=code)
