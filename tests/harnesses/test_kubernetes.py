"""Claude Code in Kubernetes: its own client, a stand-in for the API server, our shim, and the real harness behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.standins.cluster import Cluster

from .shimmed import Contained, shimmed


class TestKubernetes(Contained):
    name = "kubernetes"
    harness = shimmed("kubernetes")
    astray: ClassVar = {"kubeconfig": "/nowhere/kubeconfig"}

    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.place = tmp_path

    @asynccontextmanager
    async def _platform(self, container: str) -> AsyncIterator[dict[str, Any]]:
        async with Cluster(container) as cluster:
            kubeconfig = str(cluster.kubeconfig(self.place / "kubeconfig"))
            yield {"kubeconfig": kubeconfig, "namespace": "desk", "image": "desk/shim:1", "secret": "shim"}
