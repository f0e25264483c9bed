"""The pod of a session in Kubernetes: what it is made of, and what its state means in words. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.runtimes.claude_words import short
from bot.spoken import Json

PORT = 8080
LABEL = "frontdesk/session"
AFTER = 300  # seconds that a Job is kept after its end
PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
BATCH, SANDBOX = "apis/batch/v1", "apis/agents.x-k8s.io/v1beta1"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the agent's file asks for."""

    image: str
    secret: str
    account: str
    claim: str
    resources: Mapping[str, Any]
    hours: float
    idle: float
    labels: Mapping[str, str]


def template(name: str, wanted: Wanted) -> Json:
    """The pod: it may do nothing in the cluster, and has what the secret holds in its environment."""
    data = {"persistentVolumeClaim": {"claimName": wanted.claim}} if wanted.claim else {"emptyDir": {}}
    shim = {
        "name": "shim",
        "image": wanted.image,
        "args": ["--port", str(PORT), "--idle-minutes", f"{wanted.idle:g}"],
        "ports": [{"containerPort": PORT}],
        "env": [{"name": "HTTP_HOST", "value": "0.0.0.0"}, {"name": "SESSIONS_DIR", "value": "/data/sessions"}],
        "envFrom": [{"secretRef": {"name": wanted.secret}}],
        "readinessProbe": {"httpGet": {"path": "/ping", "port": PORT}, "periodSeconds": 1},
        "resources": dict(wanted.resources),
        "volumeMounts": [{"name": "data", "mountPath": "/data", **({"subPath": name} if wanted.claim else {})}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": bool(wanted.account),
        **({"serviceAccountName": wanted.account} if wanted.account else {}),
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "fsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [shim],
        "volumes": [{"name": "data", **data}],
    }
    return {"metadata": {"labels": labels(name, wanted)}, "spec": spec}


def labels(name: str, wanted: Wanted) -> dict[str, str]:
    return {**wanted.labels, "app.kubernetes.io/managed-by": "frontdesk", LABEL: name}


def job(name: str, wanted: Wanted) -> Json:
    """It ends when nobody has needed it for a while, at the latest when its hours are over, and is then taken away."""
    spec = {
        "backoffLimit": 0, "activeDeadlineSeconds": int(wanted.hours * 3600), "ttlSecondsAfterFinished": AFTER,
        "template": template(name, wanted),
    }  # fmt: skip
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "labels": labels(name, wanted)}, "spec": spec}


def sandbox(name: str, wanted: Wanted, now: float) -> Json:
    """The same for agent-sandbox."""
    until = datetime.fromtimestamp(now + wanted.hours * 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    spec = {"podTemplate": template(name, wanted), "shutdownTime": until, "shutdownPolicy": "Delete"}
    meta = {"name": name, "labels": labels(name, wanted)}
    return {"apiVersion": "agents.x-k8s.io/v1beta1", "kind": "Sandbox", "metadata": meta, "spec": spec}


def over(thing: Json) -> str:
    """Why a Job or a Sandbox is over; empty while it is not."""
    for each in (thing.get("status") or {}).get("conditions") or ():
        if each.get("status") == "True" and each.get("type") in ("Complete", "Failed", "Finished", "Suspended"):
            return str(each.get("message") or each.get("reason") or each["type"])
    return "it is being taken away" if (thing.get("metadata") or {}).get("deletionTimestamp") else ""


def ready(pod: Json) -> bool:
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in _status(pod).get("conditions") or ())


def broken(pod: Json) -> str:
    """Why this pod will never be ready, with the remedy; empty where it still may."""
    for state in _states(pod):
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        reason, said = str(waiting.get("reason") or ""), short(str(waiting.get("message") or ended.get("message") or ""), 300)
        if reason in PULL:
            return f"its image cannot be had ({reason}): look at options.image. {said}".strip()
        if reason.endswith("ConfigError"):
            return f"it cannot be begun ({reason}): look at options.secret. {said}".strip()
        if ended:
            return f"it ended ({ended.get('reason') or 'Error'}, exit code {ended.get('exitCode', '?')}). {said}".strip()
    status = _status(pod)
    if status.get("phase") in ("Failed", "Succeeded"):
        return f"it ended ({status.get('reason') or status['phase']}). {short(str(status.get('message') or ''), 300)}".strip()
    return ""


def waits(pod: Json) -> str:
    """What it waits for; empty where that is nothing to tell."""
    for each in _status(pod).get("conditions") or ():
        if each.get("type") == "PodScheduled" and each.get("status") == "False":
            return f"The cluster has no room yet: {short(str(each.get('message') or each.get('reason') or ''), 300)}"
    return ""


def named(text: str) -> str:
    """As a label may be."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40]


def _status(pod: Json) -> Json:
    return pod.get("status") or {}


def _states(pod: Json) -> list[Json]:
    return [each.get("state") or {} for each in _status(pod).get("containerStatuses") or ()]
