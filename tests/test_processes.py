"""Processes come and go while they are looked at."""

import subprocess

from bot.processes import family


def test_a_process_that_ends_while_it_is_looked_at_began_nothing() -> None:
    brief = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    looking = family(brief.pid)
    seen = [next(looking)]
    brief.communicate()

    assert [*seen, *looking] == [brief.pid]
