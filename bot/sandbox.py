"""bubblewrap around what runs for a session: it writes only where it may, and sees no other session and no other process."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot.errors import Unavailable

REMEDY = "install it (apt-get install bubblewrap), or leave options.sandbox out"
REFUSED = (
    "bubblewrap may not make a sandbox on this machine ({}); allow user namespaces (in a container often by its seccomp profile), "
    "or leave options.sandbox out."
)
HIDDEN = "{} cannot be begun in its sandbox, which hides {}; put it elsewhere than there."
EMPTY = ("--tmpfs",)
SPACE = 1 << 30  # bytes in each folder that is empty at first, for it lies in memory
SERVICES = ("/tmp", "/run", "/var/run")
NOBODY = ("--uid", "1000", "--gid", "1000")  # in the sandbox; outside, what it writes is still its user's
NAMES = Path("/etc/resolv.conf")  # on many machines a link to what lies among these


@dataclass(frozen=True, slots=True)
class Cage:
    """`session` is the session's folder, beside those of others: it is read only, but for what is named in `own`.

    What is `hidden` is not seen, but for what is `shown`; a folder in another counts for more than that. Where frontdesk runs is seen
    also below /tmp: harnesses, graphs and skills may lie there.
    """

    session: Path
    own: Sequence[Path]
    hidden: Sequence[Path] = ()
    shown: Sequence[Path] = ()
    network: bool = True

    def wrapped(self, words: Sequence[str], work: Path) -> tuple[str, ...]:
        """The same, in the sandbox, begun in `work`. Raises Unavailable."""
        found = shutil.which("bwrap")
        if found is None:
            raise Unavailable(f"bubblewrap is not installed (bwrap is not found in PATH); {REMEDY}.")
        limit = ("--size", str(SPACE)) if sizes(found) else ()
        mounts = [(*(limit if how == EMPTY else ()), *how, str(path)) for path, how in self._mounts()]
        return (
            found, "--unshare-all", *(["--share-net"] if self.network else []), "--die-with-parent",
            "--cap-drop", "ALL", *([] if os.geteuid() else NOBODY),  # else root could take all of this apart
            "--ro-bind", "/", "/", *(word for mount in mounts for word in mount), "--remount-ro", "/dev",
            "--chdir", str(work), "--", *words,
        )  # fmt: skip

    def hides(self, program: Path) -> bool:
        """Whether it, or what it leads to, is not there in the sandbox."""
        return any(self._at(path) == EMPTY for path in (program, program.resolve()))

    def _at(self, path: Path) -> tuple[str, ...]:
        """How the folder is there in which this lies."""
        return next((how for place, how in reversed(self._mounts()) if path.is_relative_to(place)), ())

    def _mounts(self) -> list[tuple[Path, tuple[str, ...]]]:
        """The outer before what is in them."""
        services = [path.resolve() for path in map(Path, SERVICES) if path.exists()]
        hidden = dict.fromkeys([*services, *(path.resolve() for path in (self.session.parent, *self.hidden) if path.exists())])
        mounts: list[tuple[Path, tuple[str, ...]]] = [(Path("/dev"), ("--dev",)), (Path("/dev/shm"), EMPTY), (Path("/proc"), ("--proc",))]
        mounts += [(path, ("--ro-bind", str(path))) for path in (Path.cwd(), Path(sys.prefix).resolve()) if {*path.parents} & {*services}]
        mounts += [(path, EMPTY if path.is_dir() else ("--ro-bind", "/dev/null")) for path in hidden if path != path.parent]
        mounts += [(path, ("--ro-bind", str(path))) for path in (NAMES.resolve(), self.session, *self.shown) if path.exists()]
        mounts += [(path, ("--bind", str(path))) for path in self.own]
        return sorted(mounts, key=lambda mount: len(mount[0].parts))


@cache
def sizes(bwrap: str) -> bool:
    """Whether it knows how to set an end to what lies in memory, as 0.7 and newer do."""
    return b"--size" in subprocess.run([bwrap, "--help"], capture_output=True, check=False).stdout


def trouble(folder: Path) -> str:
    """Why there can be no sandbox here, in words with the remedy; empty if there can. `folder` is one that there is."""
    try:
        words = Cage(folder, [folder]).wrapped(("true",), folder)
    except Unavailable as error:
        return str(error)
    tried = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return REFUSED.format(tried.stderr.strip().removeprefix("bwrap: ")) if tried.returncode else ""
