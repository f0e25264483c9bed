"""A storm that finds a fault leaves behind what is needed to explain it."""

from pathlib import Path

import pytest

from .people import People
from .storm import Storm, rage

KEPT = {"sessions", "inbox", "turns", "events", "posts", "deliveries", "replicas", "marks", "envelopes", "calls"}


class Demanding(People):
    """They wait for what nobody says."""

    async def speak(self) -> None:
        await self.mention("T1x")
        self.asks[0].answer = "a miracle"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("postgres", [False, True])
async def test_a_fault_leaves_evidence(postgres: bool) -> None:
    verdict = await rage(Storm(seed=9001 + postgres, messages=1, troubles=False, calm=3, postgres=postgres), Demanding)

    assert f"evidence: {verdict.evidence}" in str(verdict)
    assert {name for name in KEPT if f"-- {name}\n" in (written := read(verdict.evidence))} == KEPT
    assert ("-- procrastinate_jobs" in written) is postgres


def read(path: str) -> str:
    return Path(path).read_text()
