"""bubblewrap around a harness: it can write only where its session may, and sees no other session and no other process."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bot.errors import Unavailable

REMEDY = "install it (apt-get install bubblewrap), or leave options.sandbox out"
REFUSED = (
    "bubblewrap may not make a sandbox on this machine ({}); allow user namespaces (in a container often by its seccomp profile), "
    "or leave options.sandbox out."
)


def wrapped(words: Sequence[str], session: Path, work: Path, *, network: bool) -> tuple[str, ...]:
    """The same, in a sandbox. `session` is the session's folder, beside those of others; `work` where it works. Raises Unavailable."""
    found = shutil.which("bwrap")
    if found is None:
        raise Unavailable(f"bubblewrap is not installed (bwrap is not found in PATH); {REMEDY}.")
    return (
        found, "--unshare-all", *(["--share-net"] if network else []),
        "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp",
        "--tmpfs", str(session.parent), "--bind", str(session), str(session), "--bind", str(work), str(work),
        "--chdir", str(work), "--", *words,
    )  # fmt: skip


def trouble(folder: Path) -> str:
    """Why there can be no sandbox here, in words with the remedy; empty if there can. `folder` is one that there is."""
    try:
        words = wrapped(("true",), folder, folder, network=True)
    except Unavailable as error:
        return str(error)
    tried = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return REFUSED.format(tried.stderr.strip().removeprefix("bwrap: ")) if tried.returncode else ""
