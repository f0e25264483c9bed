"""What goes wrong with harnesses, each of them: it ends in words in the thread, with nothing left behind; and a refusal is explained."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.errors import RuntimeFailed, Unavailable
from bot.event import DENY, Answered, Step
from bot.ports import Turn
from bot.runtimes.child import LINE
from tests.standins.model import Model

from .contract import LONG, SOON, Contract, done, family, left
from .talk import talked, talking

OLD = "echo \"error: unknown option '--new'\" >&2\nexit 2"
LOGIN = "echo 'Please log in first.' >&2\nexec sleep 300"
ENDLESS = "yes | tr -d '\\n'"
LOUD = f"yes '{{{'x' * 1000}}}' | head -c 100000000\necho"


def program(file: Path, script: str) -> str:
    """A command that does only this."""
    file.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


def peak() -> int:
    """The most memory that we ourselves have used, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


@contextmanager
def within(most: int) -> Iterator[None]:
    """We ourselves take so many bytes at most, however much there is to read."""
    Path("/proc/self/clear_refs").write_text("5")  # what was the most before counts no more
    before = peak()
    yield
    assert peak() - before < most


class Hardship(Contract):
    """The contract, and beyond it what no harness should do and each may."""

    old = OLD
    """What one does that is too old, and what is then said."""
    aged = "unknown option '--new'\nPerhaps it is too old; "
    silent: type[RuntimeFailed] = Unavailable
    """What it is that one says nothing from its start on; another runtime may only be tried where it was told nothing yet either."""

    @Contract._of("trouble")
    async def test_one_that_is_not_there_is_told_with_the_remedy(self, model: Model, folder: Path) -> None:
        with pytest.raises(Unavailable, match=r"/nowhere/harness.*; install"):
            await talked(self.harness.turn(folder, model.url, "!say never", options={self.harness.binary: "/nowhere/harness"}))

    @Contract._of("trouble")
    async def test_one_that_is_too_old_is_told_with_the_remedy(self, model: Model, folder: Path, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="install") as caught:
            await talked(self._played(model, folder, program(tmp_path / "old", self.old)))

        assert self.aged in str(caught.value)
        assert not await left(folder)

    @Contract._of("trouble")
    async def test_one_that_asks_to_log_in_is_told_in_its_own_words(self, model: Model, folder: Path, tmp_path: Path) -> None:
        with pytest.raises(RuntimeFailed, match=r"did not start within 1 seconds; .*Please log in first\.") as caught:
            await talked(self._played(model, folder, program(tmp_path / "stranger", LOGIN), start_seconds=1))

        assert caught.type is self.silent
        assert not await left(folder)

    @Contract._of("trouble")
    async def test_a_key_that_is_not_taken_is_told_with_the_remedy(self, model: Model, folder: Path) -> None:
        words = await self._words(self.harness.turn(folder, model.url, "!error 401 authentication_error"))

        assert "into frontdesk's environment" in words
        assert not await left(folder)

    @Contract._of("trouble")
    async def test_a_model_that_there_is_not_is_told_with_the_remedy(self, model: Model, folder: Path) -> None:
        words = await self._words(self.harness.turn(folder, model.url, "!error 404 model_not_found"))

        assert "mostly the model; correct " in words
        assert not await left(folder)

    @Contract._of("trouble")
    async def test_a_hundred_megabytes_beside_what_it_says_harm_nothing(self, model: Model, folder: Path, tmp_path: Path) -> None:
        loud = program(tmp_path / "loud", f'{LOUD}\nexec {self._binary()} "$@"')

        with within(LINE // 2):
            talk = await talked(self._played(model, folder, loud, "!say all the same"))

        assert talk.answered.strip() == "all the same"

    @Contract._of("trouble")
    async def test_a_line_without_end_ends_in_words(self, model: Model, folder: Path, tmp_path: Path) -> None:
        with within(2 * LINE), pytest.raises(Unavailable, match="more than 64 MiB in one line"):
            await talked(self._played(model, folder, program(tmp_path / "endless", ENDLESS)))

        assert not await left(folder)

    @Contract._of("trouble")
    async def test_one_that_hangs_is_ended_all_the_same(self, model: Model, folder: Path) -> None:
        async with talking(self.harness.turn(folder, model.url, f"{self.harness.shell(LONG)}\n!say never")) as talk:
            await talk.until(lambda: talk.all(Step))
            for process in family(folder):
                process.suspend()

            assert await talk.stop() < SOON

        assert not await left(folder)

    @Contract._of("refusal")
    async def test_the_agent_hears_why_it_was_denied(self, model: Model, folder: Path) -> None:
        script = f"{self.harness.shell('touch here.txt')}\n!toolresult"
        async with talking(self.harness.turn(folder, model.url, script, asks=True)) as talk:
            talk = await self._answer(talk, await talk.question(), DENY, "Ask Bert first.")

        assert any("Ask Bert first." in str(asked.body) for asked in model.log)
        assert {answered.outcome for answered in talk.all(Answered)} <= {"declined"}
        assert {step.status for step in talk.steps.values()} <= {"denied"}

    async def _words(self, turn: Turn) -> str:
        """Those in which it ends, one way or the other."""
        try:
            talk = await talked(turn)
        except RuntimeFailed as error:
            return str(error)
        assert done(talk) == "failed"
        return talk.finished.reason

    def _played(self, model: Model, folder: Path, command: str, prompt: str = "!say never", **options: float) -> Turn:
        return self.harness.turn(folder, model.url, prompt, options={self.harness.binary: command, **options})
