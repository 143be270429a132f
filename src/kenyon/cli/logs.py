"""The log of a server: one line a record, for people or for programs, whoever has written the record.

Law of this file: logs quote what clients have sent, asyncio's and tracebacks too; here all of it is cleaned.
"""

import logging
from datetime import datetime
from types import TracebackType

from kenyon.cli.output import json_text
from kenyon.words import clean

_FORMAT = "%(asctime)s %(levelname)s %(message)s"
_MOST_LINES = 100
"""Of a traceback."""

_Failure = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _Lines(logging.Formatter):
    """A line for people; a traceback follows it, set in, so that none of its lines can be taken for a record."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return clean(super().formatMessage(record))

    def formatException(self, ei: _Failure) -> str:
        lines = super().formatException(ei).split("\n")
        if len(lines) > _MOST_LINES:
            half = _MOST_LINES // 2
            lines = [*lines[:half], "...", *lines[-half:]]
        return "\n".join(f"    {clean(line)}" for line in lines)


class _JsonLines(_Lines):
    """A line of JSON for programs."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": clean(record.getMessage()),
        }
        if "code" in record.__dict__:
            line["code"] = record.__dict__["code"]
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json_text(line)


def set_up_logging(level: str, kind: str) -> None:
    """Let every record go to standard error.

    Args:
        level: From which level on, such as "info".
        kind: "lines" for people, "json" for programs.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines() if kind == "json" else _Lines(_FORMAT))
    # Whom Kenyon works with is not to be watched at work: compiling alone would be thousands of lines.
    logging.basicConfig(level=level.upper() if level != "debug" else "INFO", handlers=[handler], force=True)
    logging.getLogger("kenyon").setLevel(level.upper())
    logging.captureWarnings(True)
    logging.getLogger("filelock").setLevel(logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.ERROR if level != "debug" else logging.WARNING)
