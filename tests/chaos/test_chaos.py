"""The short storms, each with a seed that can be run again: `python -m tests.chaos --seed N`."""

import pytest

from .storm import Storm, rage


@pytest.mark.timeout(240)
async def test_one_process_on_a_file_answers_everything_once() -> None:
    verdict = await rage(Storm(seed=1, messages=16, pause=0.5))

    assert not verdict.faults, str(verdict)


@pytest.mark.timeout(240)
async def test_replicas_on_postgresql_answer_everything_once() -> None:
    verdict = await rage(Storm(seed=3, messages=16, pause=0.5, replicas=2, postgres=True))

    assert not verdict.faults, str(verdict)
