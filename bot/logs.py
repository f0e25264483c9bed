"""Structured logs on stderr: each line has an `action`, and no token ever."""

import logging
import re
import sys
import time

from pythonjsonlogger.json import JsonFormatter

from bot.settings import Settings

TOKEN = re.compile(r"(xox[a-z]-|xapp-|Bearer\s+|sk-)[\w.%-]+")
LOUD = (
    "slack_bolt",
    "slack_sdk",
    "httpx",
    "aiosqlite",
    "alembic",
    "watchfiles",
    "a2a",
    "claude_agent_sdk",
    "mcp",
    "asyncio",
    "procrastinate",
    "uvicorn",
)  # they would log payloads, or several lines for each turn
USUAL = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class Masked(logging.Filter):
    """Takes tokens out of whatever is logged, also by libraries."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = mask(record.getMessage()), ()
        for name, value in list(record.__dict__.items()):
            if name not in USUAL and isinstance(value, str):
                setattr(record, name, mask(value))
        return True


class Timed(logging.Formatter):
    """Times by UTC, so that the lines of many machines are one story."""

    converter = staticmethod(time.gmtime)
    default_time_format, default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ"


class Plain(Timed):
    """For people: time, level, what, and the details as key=value."""

    def format(self, record: logging.LogRecord) -> str:
        more = " ".join(f"{name}={value!r}" for name, value in record.__dict__.items() if name not in USUAL and name != "action")
        return f"{self.formatTime(record)} {record.levelname.lower():7} {record.getMessage()} {more}".rstrip() + self._trace(record)

    def _trace(self, record: logging.LogRecord) -> str:
        return "\n" + mask(self.formatException(record.exc_info)) if record.exc_info else ""


class Json(Timed, JsonFormatter):
    def formatException(self, ei: object) -> str:
        return mask(super().formatException(ei))  # type: ignore[arg-type]


def mask(text: str) -> str:
    return TOKEN.sub(lambda found: f"{found[1]}…", text)


def begin(settings: Settings) -> None:
    """Log as the settings say."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Masked())
    handler.setFormatter(Json("%(asctime)s %(levelname)s %(name)s %(message)s") if settings.log_format == "json" else Plain())
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name in LOUD:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(settings.log_level)))
