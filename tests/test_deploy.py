"""What the bot is deployed with is right by the schemas of those who read it, and fits the bot itself."""

import json
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bot.settings import Settings, read

ROOT = Path(__file__).parents[1]
KUBERNETES, COMPOSE, DOCKERFILE = ROOT / "deploy/kubernetes", ROOT / "deploy/compose.yaml", ROOT / "Dockerfile"
VERSIONS = ("1.28", "1.37")  # of Kubernetes: the oldest and the newest that are looked at
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())


def manifest(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((KUBERNETES / name).read_text())
    return loaded


def pod() -> dict[str, Any]:
    spec: dict[str, Any] = manifest("deployment.yaml")["spec"]["template"]["spec"]
    return spec


def built() -> dict[str, str]:
    """The variables that the image sets."""
    return dict(re.findall(r"^(?:ENV|   ) ([A-Z_]+)=(\S+?)(?: \\)?$", DOCKERFILE.read_text(), re.MULTILINE))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", KUSTOMIZATION["resources"])
def test_each_manifest_is_right_by_kubernetes_own_schema(name: str, version: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves the schema's file open
        kubernetes_validate.validate(manifest(name), version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["account.yaml", "kelos.yaml", "kubernetes.yaml"])
def test_each_role_is_right_by_kubernetes_own_schema_and_is_that_of_our_account(name: str, version: str) -> None:
    account = manifest("access/account.yaml")["metadata"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves the schema's file open
        for thing in yaml.safe_load_all((KUBERNETES / "access" / name).read_text()):
            kubernetes_validate.validate(thing, version, strict=True)
            for subject in thing.get("subjects", ()):
                assert (subject["name"], subject["namespace"]) == (account["name"], account["namespace"])


def test_the_kustomization_names_every_manifest_and_every_agent() -> None:
    there = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    [agents] = KUSTOMIZATION["configMapGenerator"]

    assert set(KUSTOMIZATION["resources"]) == there
    assert agents["name"] in json.dumps(pod()["volumes"])
    assert set(agents["files"]) == {str(path.relative_to(KUBERNETES)) for path in KUBERNETES.glob("agents/*.md")}


def test_the_agents_of_the_manifests_are_right(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "AGENTS_DIR": str(KUBERNETES / "agents")}
    subprocess.run([sys.executable, "-m", "bot", "manifest", "--write"], cwd=tmp_path, env=environment, check=True, timeout=50)

    looked = subprocess.run(
        [sys.executable, "-m", "bot", "check"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=50
    )

    assert (looked.returncode, looked.stderr) == (0, "")


def test_an_upgrade_takes_no_replica_away_before_another_is_ready() -> None:
    spec = manifest("deployment.yaml")["spec"]

    assert spec["replicas"] >= 2
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert manifest("disruption.yaml")["spec"]["maxUnavailable"] < spec["replicas"]


def test_a_replica_runs_as_nobody_on_a_disk_that_it_cannot_write() -> None:
    [container] = pod()["containers"]
    writable = {volume["name"] for volume in pod()["volumes"] if "emptyDir" in volume}

    assert pod()["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
    assert {mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] in writable} == {"/tmp", "/sessions"}
    assert "limits" in container["resources"]


def test_there_is_time_to_drain_before_the_process_is_killed() -> None:
    [container] = pod()["containers"]
    variables = {each["name"]: each["value"] for each in container["env"]}

    assert pod()["terminationGracePeriodSeconds"] >= float(variables["DRAIN_SECONDS"]) + 20


def service() -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]["frontdesk"]
    return made


def mebibytes(text: str) -> int:
    return int(text[0]) * 1024 if text.lower()[1:] in ("g", "gi") else 0


@pytest.mark.parametrize("where", ["kubernetes", "compose"])
def test_no_more_turns_run_at_once_than_there_is_memory_for(where: str) -> None:
    [container] = pod()["containers"]
    set_, limit = {
        "kubernetes": ({each["name"]: each["value"] for each in container["env"]}, container["resources"]["limits"]["memory"]),
        "compose": (service()["environment"], service()["deploy"]["resources"]["limits"]["memory"]),
    }[where]

    assert int(set_.get("TURNS_AT_ONCE", Settings().turns_at_once)) * 300 + 100 <= mebibytes(limit)


def test_what_agents_need_reaches_the_desk_in_compose() -> None:
    assert (COMPOSE.parent / service()["env_file"]).resolve() == ROOT / ".env"


def test_the_figures_are_served_to_this_machine_alone_in_compose() -> None:
    [port] = service()["ports"]

    assert port.startswith("127.0.0.1:")
    assert port.endswith(f":{service()['environment']['HTTP_PORT']}")


def test_the_namespace_is_there_before_the_secret_that_stands_in_it() -> None:
    steps = (ROOT / "docs/operations.md").read_text().partition("## Kubernetes")[2]

    assert 0 < steps.index("apply -f deploy/kubernetes/namespace.yaml") < steps.index("create secret") < steps.index("apply -k")


@pytest.mark.parametrize("document", ["README.md", "docs/operations.md"])
def test_docker_lets_it_drain_and_shows_its_port(document: str) -> None:
    [command] = re.findall(r"docker run [^`]*", (ROOT / document).read_text())

    assert int(re.findall(r"--stop-timeout (\d+)", command)[0]) >= Settings().drain_seconds + 20
    assert f"-p 127.0.0.1:8080:{built()['HTTP_PORT']} " in command


def test_the_probes_ask_at_the_port_at_which_the_image_serves() -> None:
    [container] = pod()["containers"]
    [port] = container["ports"]
    asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}

    assert str(port["containerPort"]) == built()["HTTP_PORT"]
    assert {probe["port"] for probe in asked.values()} == {port["name"]}
    assert [probe["path"] for probe in asked.values()] == ["/healthz", "/healthz", "/readyz"]


def test_compose_is_right_by_its_own_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]

    looked = subprocess.run(command, capture_output=True, text=True, timeout=50)

    assert (looked.returncode, looked.stdout.strip()) == (0, "ok -- validation done")


def test_every_variable_that_is_set_somewhere_is_a_setting() -> None:
    [container] = pod()["containers"]
    known = {name.upper() for name in Settings.model_fields}
    image = set(built()) - {"PATH", "MALLOC_ARENA_MAX", "MALLOC_TRIM_THRESHOLD_", "PYTHONUNBUFFERED"}

    assert set(service()["environment"]) | {each["name"] for each in container["env"]} | image <= known


def test_the_image_is_reached_from_outside_and_nothing_else_is_by_default() -> None:
    assert read(built()).http_host == "0.0.0.0"
    assert Settings().http_host == "127.0.0.1"
    assert Settings().http_port == 0
