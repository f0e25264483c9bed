"""The long storm: `python -m tests.chaos --minutes 30 --seed 7 --replicas 3 --postgres`. Ends with 1 where anything was wrong."""

import argparse
import asyncio
import sys

from .storm import Storm, rage

ROUND = 120.0  # seconds of one storm, each with a seed of its own
PAUSE = 1.5  # seconds between two things said: Slack takes about 46 edits a minute, and each answer may need one


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    rounds, failed, total = max(1, round(asked.minutes * 60 / ROUND)), 0, 0
    for number in range(rounds):
        seconds = min(ROUND, asked.minutes * 60) - 30
        storm = Storm(asked.seed + number, seconds=seconds, pause=PAUSE, replicas=asked.replicas, postgres=asked.postgres)
        verdict = asyncio.run(rage(storm))
        print(verdict, flush=True)
        failed, total = failed + bool(verdict.faults), total + verdict.asked
    print(f"{rounds} storms, {total} messages, {failed} with faults")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
