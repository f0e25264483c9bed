"""Processes of this machine, by what they were begun with."""

from contextlib import suppress

import psutil


def running(*words: str) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cmdline() == [*words]:
                found.append(process.pid)
    return found
