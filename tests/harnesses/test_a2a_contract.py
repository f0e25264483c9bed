"""Agents on the real a2a-sdk, 1.0 and 0.3, against the contract."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Unavailable
from tests.runtimes.contract import Contract
from tests.runtimes.test_a2a_contract import A2A, OnA2A
from tests.runtimes.test_a2a_contract import TestA2A as TestA2A
from tests.standins.front import Front
from tests.standins.model import Asked

from .aged import aged


class Old(Front):
    """An agent of 0.3 behind a door, in a process of its own."""

    def __init__(self, port: int, folder: Path) -> None:
        super().__init__(f"http://127.0.0.1:{port}")
        self.folder, self.log = folder, list[Asked]()

    @property
    def stopped(self) -> list[Path]:
        return list(self.folder.glob("canceled-*"))


class TestOld(OnA2A):
    name = "a2a (0.3)"
    harness = replace(A2A, cannot={**A2A.cannot, "garbage": "the SDK gives up at what it cannot read"})

    @Contract._of("garbage")
    async def test_what_cannot_be_read_harms_nothing(self, model: Any, folder: Path, tmp_path: Path) -> None:
        try:
            await super().test_what_cannot_be_read_harms_nothing(model, folder, tmp_path)
        except Unavailable as error:
            raise AssertionError from error

    @pytest.fixture
    async def model(self, folder: Path) -> AsyncIterator[Old]:
        (place := folder / "place").mkdir(parents=True)
        async with aged(place) as port, Old(port, place) as front:
            yield front
