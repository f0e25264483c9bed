"""Notes what came of the contract, runtime by runtime, for the table that stands in the README."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.standins.model import Model

from . import ROOT

RESULTS = ROOT / "contract.json"
Outcomes = dict[str, dict[str, str]]


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    async with Model() as model:
        yield model


class Notes:
    """What the workers report: a column is kept if all its tests passed, or says why it cannot be."""

    def __init__(self) -> None:
        self.found: Outcomes = defaultdict(dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = dict(report.user_properties).get("contract")
        if told is None or (report.when != "call" and report.passed):
            return
        runtime, column = told
        outcome = "yes" if report.passed else str(getattr(report, "wasxfail", "")).removeprefix("reason: ") or "FAILED"
        if self.found[runtime].get(column, "yes") == "yes":
            self.found[runtime][column] = outcome

    def pytest_sessionfinish(self) -> None:
        before: Outcomes = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
        if self.found:
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(merged(before, self.found), indent=1, sort_keys=True), "utf-8")


def merged(before: Outcomes, now: Outcomes) -> Outcomes:
    """What was found before, and now; of the same column, now."""
    return {runtime: {**before.get(runtime, {}), **now.get(runtime, {})} for runtime in {**before, **now}}


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Notes())


def read(file: Path = RESULTS) -> Outcomes:
    found: Outcomes = json.loads(file.read_text("utf-8"))
    return found
