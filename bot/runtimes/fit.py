"""What keeps a harness on this machine from starting, in words."""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.agent import Agent
from bot.errors import Unavailable
from bot.runtimes import child
from bot.runtimes.home import USUAL, Options
from bot.sandbox import HIDDEN, Cage

PATIENCE = 30.0  # seconds to say which version it is
NOWHERE = Path("/nowhere/session")  # any session's folder is as good to see what is hidden from all
KEY = re.compile("KEY|TOKEN|SECRET|CREDENTIALS|PROFILE|LITELLM_API_BASE")
VERSION = re.compile(r"\b\d+\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Program:
    """A harness as it is begun: `word` is looked for in PATH. It is asked its version, if it is one that `says` it."""

    title: str
    word: str
    remedy: str
    oldest: tuple[int, ...] = ()
    says: bool = True


async def begins(program: Program, options: Options, agent: Agent, environment: Mapping[str, str]) -> None:
    """Raises Unavailable where it cannot be begun for this agent."""
    if options.cwd and not options.cwd.is_dir():
        raise Unavailable(f"There is no folder {options.cwd}, which options.cwd in {agent.file} names; make it.")
    found = _found(program, options.path, environment)
    if options.sandbox == "bwrap" and Cage(NOWHERE, [options.cwd] if options.cwd else []).hides(Path(found)):
        raise Unavailable(HIDDEN.format(program.title, found))
    if not program.says:
        return
    code, said = await _asked(found, environment)
    if code:
        last = said.strip().splitlines()[-1:] or ["nothing"]
        remedy = child.KEY if child.LOGIN.search(last[0]) else f"{program.remedy}."
        raise Unavailable(f"{program.title} does not run: {found} --version ended with code {code}. It said: {last[0]}\n{remedy}")
    version = VERSION.search(said)
    if version and tuple(map(int, version[0].split("."))) < program.oldest:
        wanted = ".".join(map(str, program.oldest))
        raise Unavailable(f"{program.title} {version[0]} is too old; {wanted} or newer is needed: {program.remedy}.")


def has_key(title: str, agent: Agent, environment: Mapping[str, str]) -> None:
    """Raises Unavailable where nothing that an agent's file names can be the key of a model."""
    if not any(KEY.search(name) and value for name, value in environment.items()):
        raise Unavailable(
            f"{title} has no key of a model. Put one into frontdesk's environment, and name it under `environment:` in {agent.file}."
        )


def _found(program: Program, path: Path | None, environment: Mapping[str, str]) -> str:
    if path is None:
        if found := shutil.which(program.word, path=environment.get("PATH", USUAL["PATH"])) or shutil.which(program.word):
            return found
        where = f"{program.word} cannot be run" if "/" in program.word else f"{program.word} is not found in PATH"
        raise Unavailable(f"{program.title} is not installed ({where}); {program.remedy}.")
    if not path.is_file():
        raise Unavailable(f"There is no {path}, which options.path names; {program.remedy}.")
    if not os.access(path, os.X_OK):
        raise Unavailable(f"{path}, which options.path names, cannot be run; allow it with: chmod +x {path}")
    return str(path)


async def _asked(found: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """How it ended, and all that it said; where it is as a session would have it."""
    with TemporaryDirectory(prefix="frontdesk-version-", ignore_cleanup_errors=True) as folder:
        given = {**USUAL, **environment, "HOME": folder, "TMPDIR": folder}
        try:
            process = await asyncio.create_subprocess_exec(
                found, "--version", cwd=folder, env=given, start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
        except OSError as error:
            return error.errno or 1, error.strerror or ""
        try:
            async with asyncio.timeout(PATIENCE):
                said, _ = await process.communicate()
        except TimeoutError:
            return 1, f"nothing within {PATIENCE:g} seconds"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return process.returncode or 0, said.decode(errors="replace")
