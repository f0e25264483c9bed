"""python -m benchmarks: all figures in one table, each measured in a process of its own."""

import asyncio
import json
import os
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable, Mapping

from benchmarks import (
    acknowledge,
    catchup,
    crowd,
    digest,
    faults,
    growth,
    homes,
    idle,
    overhead,
    page,
    platforms,
    replicas,
    schedules,
    sessions,
    sign,
    stream,
    takeover,
    webhooks,
    workspace,
)
from benchmarks.rows import Row, table
from benchmarks.stage import ROOT

MEASURES: Mapping[str, Callable[[bool], Awaitable[list[Row]]]] = {
    "acknowledge": acknowledge.measure,
    "sign": sign.measure,
    "stream": stream.measure,
    "crowd": crowd.measure,
    "idle": idle.measure,
    "sessions": sessions.measure,
    "replicas": replicas.measure,
    "takeover": takeover.measure,
    "catchup": catchup.measure,
    "faults": faults.measure,
    "growth": growth.measure,
    "workspace": workspace.measure,
    "webhooks": webhooks.measure,
    "schedules": schedules.measure,
    "homes": homes.measure,
    "digest": digest.measure,
    "runtimes": overhead.measure,
    "platforms": platforms.measure,
    "page": page.measure,
}


def main() -> int:
    parser = ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter, to see that all works")
    parser.add_argument("--only", choices=MEASURES, help="one measurement, rather than all")
    parser.add_argument("--json", action="store_true", help="the rows as JSON, in this process; needs --only")
    given = parser.parse_args()
    if given.json:
        rows = asyncio.run(_measured(given.only or parser.error("--json needs --only"), given.quick))
        print(json.dumps([row.dump() for row in rows]))
        return 0
    began, found = time.monotonic(), []
    for name in [given.only] if given.only else MEASURES:
        print(f"measuring: {name} …", file=sys.stderr, flush=True)
        found += _apart(name, given.quick)
    print(table(found))
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"\n{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, load {busy}, {time.monotonic() - began:.0f} s")
    return 0 if all(row.met is not False for row in found) else 1


async def _measured(name: str, quick: bool) -> list[Row]:
    return await MEASURES[name](quick)


def _apart(name: str, quick: bool) -> list[Row]:
    """Measured in a new process, which the others' memory and leftovers do not reach."""
    arguments = ["-m", "benchmarks", "--only", name, "--json", *(["--quick"] if quick else [])]
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return [Row(name, f"could not be measured ({done.returncode})", met=False)]
    return [Row(**row) for row in json.loads(done.stdout)]


if __name__ == "__main__":
    sys.exit(main())
