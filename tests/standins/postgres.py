"""A real PostgreSQL of the tests' own: a cluster in a folder, on loopback, that can be killed and started again."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

LAID_OUT = "/usr/lib/postgresql"  # where Debian puts each version
QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off", "max_connections=200", "shared_buffers=64MB")
STARTS = 30.0  # seconds


class Cluster:
    """`url` is for SQLAlchemy. It runs as another user where we are root, since PostgreSQL refuses root."""

    def __init__(self, folder: Path, options: tuple[str, ...] = QUICK) -> None:
        self.folder, self.options = folder, options
        self.port = _port()
        self._user = "postgres" if os.getuid() == 0 else None
        self._server: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        self.folder.mkdir(exist_ok=True)
        if self._user:
            shutil.chown(self.folder, self._user)
        command = [program("initdb"), "-D", str(self.folder / "data"), "-U", "frontdesk", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(command, check=True, capture_output=True, user=self._user, cwd="/")

    def start(self) -> None:
        settings = [part for option in self.options for part in ("-c", option)]
        where = ["-D", str(self.folder / "data"), "-p", str(self.port), "-k", "", "-h", "127.0.0.1"]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen([program("postgres"), *where, *settings], stdout=log, stderr=log, user=self._user, cwd="/")

    async def ready(self) -> None:
        async with asyncio.timeout(STARTS):
            while True:
                if await self._answers():
                    return
                await asyncio.sleep(0.05)

    async def _answers(self) -> bool:
        if self._server is None or self._server.poll() is not None:
            raise RuntimeError(f"PostgreSQL has ended:\n{(self.folder / 'log').read_text()[-2000:]}")
        try:
            async with await psycopg.AsyncConnection.connect(self.dsn("postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    @property
    def down(self) -> bool:
        return self._server is None or self._server.poll() is not None

    def kill(self) -> None:
        """As in a power cut: what was not on disk is lost, and every connection breaks."""
        assert self._server
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(STARTS)

    def stop(self) -> None:
        if not self.down:
            self.kill()  # what it has is thrown away: it need not write that first

    def dsn(self, name: str) -> str:
        return f"postgresql://frontdesk@127.0.0.1:{self.port}/{name}"

    async def create(self) -> str:
        """A new database; its URL for SQLAlchemy."""
        name = f"frontdesk_{uuid4().hex[:12]}"
        async with await psycopg.AsyncConnection.connect(self.dsn("postgres"), autocommit=True) as connection:
            await connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
        return self.dsn(name).replace("postgresql://", "postgresql+psycopg://")


@contextmanager
def cluster(options: tuple[str, ...] = QUICK) -> Iterator[Cluster]:
    """A cluster until the block is left. With `options=()` it keeps what it has committed, as in production."""
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-postgres-"))
    folder.chmod(0o755)
    made = Cluster(folder, options)
    try:
        made.make()
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def program(name: str) -> str:
    """Where PostgreSQL's program is. Raises RuntimeError where it is not installed."""
    found = shutil.which(name) or next((str(path) for path in sorted(Path(LAID_OUT).glob(f"*/bin/{name}"), reverse=True)), None)
    if found is None:
        raise RuntimeError(f"PostgreSQL's {name} is missing: `make test` installs it, or `apt-get install postgresql`.")
    return found


@asynccontextmanager
async def database(made: Cluster) -> AsyncIterator[str]:
    """A new database of the cluster; its URL for SQLAlchemy."""
    await made.ready()
    yield await made.create()


def _port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
